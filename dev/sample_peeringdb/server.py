"""
The sample PeeringDB's HTTP server, on a loopback port.

    with serve(World(size="town")) as server:
        requests.get(f"{server.api_url}/net")

Speaks `/api/<tag>`, `/api/<tag>/<id>` and the public dumps `/public/<tag>-0.json`. Whole lists are encoded and
compressed once, so that a benchmark does not measure the server. `faults.py` has what can go wrong, `limits.py` how
many requests are allowed, `control.py` what a process of its own can be told over HTTP.
"""

import contextlib
import gzip
import json
import socket
import threading
import time
from dataclasses import dataclass
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from dev.sample_peeringdb import control
from dev.sample_peeringdb import faults as faulty
from dev.sample_peeringdb import query as queries
from dev.sample_peeringdb.schema import TAGS

HOST = "127.0.0.1"
# A key that the server knows; it opens contacts with visibility Users.
API_KEY = "sample.peeringdb-key"
# Shorter bodies are not worth compressing.
WORTH_COMPRESSING = 1000


@dataclass(frozen=True)
class Request:
    """One request that arrived. The key itself is not kept: `caller` says who asked."""

    method: str
    path: str
    query: dict
    headers: dict  # names in lower case, without Authorization
    caller: str  # "anonymous", "key" or "refused"
    at: float  # time.monotonic() of its arrival
    target: str  # path and query as they came
    status: int | None  # None: the connection was closed without an answer

    @property
    def tag(self):
        """The type that was asked for; an empty string when none was."""
        return tag_of(self.path)


@dataclass(frozen=True)
class Response:
    """What goes out. `compressed` says that the body is gzip already."""

    status: int
    body: bytes
    headers: tuple = ()
    compressed: bool = False
    content_type: str = "application/json"


def as_json(value):
    """JSON as PeeringDB sends it, as bytes. Bytes are sent as they are."""
    if isinstance(value, bytes):
        return value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def tag_of(path):
    """The type that a path asks for; an empty string when it asks for none."""
    parts = path.strip("/").split("/")
    tag = parts[1].removesuffix("-0.json").lower() if len(parts) > 1 else ""
    return tag if parts[0] in ("api", "public") and tag in TAGS else ""


def serve(world, **options):
    """A running SampleServer, to be used with `with`. `options` are those of SampleServer."""
    return SampleServer(world, **options)


class SampleServer:
    """
    A sample PeeringDB on a loopback port (a free one when `port` is 0).

    `url` is its root; `api_url` and `dumps_url` are what a client is configured with. `world` may be changed or
    replaced at any time; `dumped` is the world as it was when the dumps were made (None: as it is now). `faults` and
    `limits` are off at first. `requests` lists the requests that came, `connections` counts the connections.
    """

    def __init__(self, world, *, port=0, keys=(API_KEY,), limits=None):
        self.world = world
        self.dumped = None
        self.keys = set(keys)
        self.limits = limits
        self.faults = faulty.Faults()
        self.requests = []
        self.connections = 0
        self.port = port
        self._encoded = {}
        self._lock = threading.Lock()
        self._http = None
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stop()

    @property
    def url(self):
        return f"http://{HOST}:{self.port}"

    @property
    def api_url(self):
        return f"{self.url}/api"

    @property
    def dumps_url(self):
        return f"{self.url}/public"

    # Running

    def start(self):
        """Open the port, the same one as before when there was one."""
        self._http = _HTTPServer((HOST, self.port), _Handler)
        self._http.sample = self
        self.port = self._http.server_port
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        """Close the port and every open connection. Does nothing when stopped."""
        if self._http is not None:
            http, self._http = self._http, None
            http.shutdown()
            http.server_close()
            http.close_connections()

    @contextlib.contextmanager
    def down(self):
        """With the port closed; afterwards it answers again."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def prepare(self):
        """Encode and compress all whole lists now instead of at the first request."""
        for tag in TAGS:
            for keyed in (False, True) if tag == "poc" else (False,):
                self._whole_list(self.world, tag, keyed, compressed=True)

    # Answering

    def caller(self, authorization):
        """(who asks, the Response that refuses them or None) by the Authorization header; None: there is none."""
        if authorization is None:
            return "anonymous", None
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() == "basic":
            return "refused", error(403, "Basic authentication is no longer supported. Use an API key")
        if scheme.lower() != "api-key":
            return "refused", error(400, "Unknown authorization method")
        if key.strip() not in self.keys:
            return "refused", error(401, "Invalid API key")
        return "key", None

    def throttled(self, caller, path, target):
        """The 429 that the limits give a request, or None. The dumps are not limited."""
        wait = self.limits.wait_s(caller, target) if self.limits and path.startswith("/api") else 0
        if not wait:
            return None
        seconds = int(wait) + 1
        return too_many(seconds, (("Retry-After", str(seconds)),) if self.limits.retry_after else ())

    def answer(self, path, parameters, caller, gzips):
        """The Response to a GET without regard to limits and what goes wrong. `gzips`: the caller takes gzip."""
        parts = path.strip("/").split("/")
        tag = tag_of(path)
        try:
            if tag and parts[0] == "public" and parts[1] == f"{tag}-0.json" and len(parts) == 2:
                return self._whole(self.dumped or self.world, tag, False, gzips)
            if tag and parts[0] == "api" and len(parts) in (2, 3):
                return self._api(tag, parts[2:], parameters, caller == "key", gzips)
        except queries.BadRequest as refusal:
            return error(400, str(refusal))
        return error(404, "Not found")

    def _api(self, tag, pk, parameters, keyed, gzips):
        if pk:
            query = queries.Query.parse(tag, {"depth": 2} | parameters)
            found = queries.single(self.world, tag, pk[0].removesuffix(".json"), query, keyed)
        else:
            query = queries.Query.parse(tag, parameters)
            if query.is_whole_list:
                return self._whole(self.world, tag, keyed, gzips)
            found = queries.select(self.world, tag, query, keyed)
        if found.error:
            return Response(found.status, as_json({"data": [], "meta": {"error": found.error}}))
        return Response(found.status, self._body(tag, found.rows, found.meta))

    def _whole(self, world, tag, keyed, gzips):
        if self.faults.changes_bodies(tag):
            rows = queries.visible(tag, world.rows(tag), keyed)
            return Response(200, self._body(tag, rows, {"generated": world.now}))
        return Response(200, self._whole_list(world, tag, keyed, compressed=gzips), compressed=gzips)

    def _body(self, tag, rows, meta):
        """An answer's body, with what goes wrong in it now."""
        rows = self.faults.on_rows(tag, rows)
        if "generated" in meta:
            meta = meta | {"generated": meta["generated"] + self.faults.skew_s(tag)}
        return as_json(self.faults.on_body(tag, {"data": rows, "meta": meta}))

    def _whole_list(self, world, tag, keyed, *, compressed):
        """The body of an unfiltered list, kept until a row of its type changes."""
        key = (tag, keyed and tag == "poc", compressed, world is self.dumped)
        with self._lock:
            known = self._encoded.get(key)
            if known is None or known[0] is not world.version(tag):
                version = world.version(tag)
                rows = queries.visible(tag, world.rows(tag), keyed)
                body = as_json({"data": rows, "meta": {"generated": world.now}})
                known = self._encoded[key] = version, gzip.compress(body, 1) if compressed else body
            return known[1]


def error(status, message):
    """A refusal as PeeringDB words it."""
    return Response(status, as_json({"meta": {"error": message}}))


def too_many(seconds=None, headers=()):
    """PeeringDB's 429."""
    expected = "" if seconds is None else f" Expected available in {seconds} seconds."
    return Response(429, as_json({"message": f"Request was throttled.{expected}"}), headers)


def instead(fault):
    """The Response that a fault puts in the answer's place."""
    headers, kind, options = faulty.headers_of(fault), fault.kind, fault.options
    if kind == "throttle":
        return too_many(headers=headers)
    if kind == "html":
        return Response(options["status"], faulty.HTML, content_type="text/html; charset=utf-8")
    if kind == "missing":
        return error(404, "Not found")
    if kind == "redirect":
        return Response(options["status"], b"", headers)
    return Response(options["status"], b"upstream error", content_type="text/plain")


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._open = set()

    def process_request(self, request, client_address):
        self.sample.connections += 1
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self):
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for its next request
            self.shutdown_request(connection)

    def handle_error(self, request, client_address):
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "SamplePeeringDB"
    sys_version = ""
    # Headers and body leave together, and at once.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self):
        at, self.url = time.monotonic(), urlsplit(self.path)
        self.sample, self.tag = self.server.sample, tag_of(self.url.path)
        if self.url.path.startswith(control.PATH):
            self._control()
            return
        if slow := self.sample.faults.take(self.tag, "slow"):
            time.sleep(slow.options["seconds"])
        self.gzips = "gzip" in self.headers.get("Accept-Encoding", "")
        caller, response = self._respond()
        self.sample.requests.append(self._as_request(caller, at, response and response.status))
        if response is None:
            self._hang_up()
        else:
            self._send(response)

    def do_POST(self):
        self.url = urlsplit(self.path)
        self.sample, self.tag = self.server.sample, ""
        self._control()

    do_DELETE = do_POST

    def _respond(self):
        """(who asks, Response or None for none at all)."""
        caller, refused = self.sample.caller(self.headers.get("Authorization"))
        fault = self.sample.faults.take(self.tag, *faulty.REPLACING)
        if fault is not None:
            return caller, None if fault.kind == "drop" else instead(fault)
        refused = refused or self.sample.throttled(caller, self.url.path, self.path)
        if refused:
            return caller, refused
        parameters = dict(parse_qsl(self.url.query, keep_blank_values=True))
        response = self.sample.answer(self.url.path, parameters, caller, self.gzips)
        if self.sample.limits:
            self.sample.limits.answered(self.path, len(response.body))
        return caller, response

    def _as_request(self, caller, at, status):
        headers = {name.lower(): value for name, value in self.headers.items()}
        headers.pop("authorization", None)
        parameters = dict(parse_qsl(self.url.query, keep_blank_values=True))
        return Request(self.command, self.url.path, parameters, headers, caller, at, self.path, status)

    def _control(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.gzips = False
        status, said = control.handle(self.sample, self.command, self.url.path, body)
        self._send(Response(status, as_json(said)))

    def _send(self, response):
        body, compressed = response.body, response.compressed
        if self.gzips and not compressed and len(body) > WORTH_COMPRESSING:
            body, compressed = gzip.compress(body, 1), True
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(body)))
        if compressed:
            self.send_header("Content-Encoding", "gzip")
        for name, value in response.headers:
            self.send_header(name, value)
        self.end_headers()
        way = self.sample.faults.take(self.tag, "cut", "drip") if response.status == 200 else None
        if way is None:
            self._write(body)
        elif way.kind == "cut":
            self._write(body[: int(len(body) * way.options["after"])])
            self._hang_up()
        else:
            self._drip(body, **way.options)

    def _drip(self, body, seconds, pieces):
        size = -(-len(body) // pieces)
        for start in range(0, len(body), size):
            time.sleep(seconds / pieces)
            self._write(body[start : start + size])

    def _write(self, body):
        self.wfile.write(body)
        self.wfile.flush()

    def _hang_up(self):
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def date_time_string(self, timestamp=None):
        now = time.time() if timestamp is None else timestamp
        return formatdate(now + self.sample.faults.skew_s(self.tag), usegmt=True)

    def log_message(self, *arguments):
        """Nothing is logged; `requests` has it."""

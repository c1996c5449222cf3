"""
The sample PeeringDB's HTTP server, on a loopback port.

    with serve(World(size="town")) as server:
        requests.get(f"{server.api_url}/net")

Speaks `/api/<tag>`, `/api/<tag>/<id>` and the public dumps `/public/<tag>-0.json`. Whole lists are encoded and
compressed once, so that a benchmark does not measure the server.
"""

import gzip
import json
import threading
import time
from dataclasses import dataclass
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from dev.sample_peeringdb import query as queries
from dev.sample_peeringdb.schema import TAGS

HOST = "127.0.0.1"
# A key that the server knows; it opens contacts with visibility Users.
API_KEY = "sample.peeringdb-key"


@dataclass(frozen=True)
class Request:
    """One request that arrived. The key itself is not kept: `caller` says who asked."""

    method: str
    path: str
    query: dict
    headers: dict  # names in lower case, without Authorization
    caller: str  # "anonymous", "key" or "refused"
    at: float  # time.monotonic()
    target: str  # path and query as they came
    status: int | None  # None: the connection was cut


@dataclass(frozen=True)
class Response:
    """What goes out. `compressed` says that the body is gzip already."""

    status: int
    body: bytes
    headers: tuple = ()
    compressed: bool = False
    content_type: str = "application/json"


def as_json(value):
    """JSON as PeeringDB sends it, as bytes."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def serve(world, **options):
    """A running SampleServer, to be used with `with`."""
    return SampleServer(world, **options)


class SampleServer:
    """
    A sample PeeringDB on a loopback port (a free one when `port` is 0).

    `url` is its root, `api_url` and `dumps_url` what a client is configured with. `world` may be replaced or changed
    at any time. `requests` lists the requests that came. `stop()` and `start()` close and reopen the same port.
    """

    def __init__(self, world, *, port=0, keys=(API_KEY,)):
        self.world = world
        self.dumped = None  # the world as it was when the dumps were made; None: as it is
        self.keys = set(keys)
        self.requests = []
        self._encoded = {}
        self._lock = threading.Lock()
        self.port = port
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
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        """Close the port and every open connection. Does nothing when stopped."""
        if self._http is not None:
            http, self._http = self._http, None
            http.shutdown()
            http.server_close()
            http.close_connections()

    def prepare(self):
        """Encode and compress all whole lists now instead of at the first request."""
        for tag in TAGS:
            for keyed in (False, True) if tag == "poc" else (False,):
                self.whole_list(self.world, tag, keyed, compressed=True)

    # Answering

    def caller(self, authorization):
        """(who asks, response that refuses them or None) by the Authorization header, None when there is none."""
        if authorization is None:
            return "anonymous", None
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() == "basic":
            return "refused", _error(403, "Basic authentication is no longer supported. Use an API key")
        if scheme.lower() != "api-key":
            return "refused", _error(400, "Unknown authorization method")
        if key.strip() not in self.keys:
            return "refused", _error(401, "Invalid API key")
        return "key", None

    def answer(self, path, parameters, caller, gzips):
        """The Response to a GET. `gzips`: whether the caller takes gzip."""
        parts = [part for part in path.split("/") if part]
        if len(parts) == 2 and parts[0] == "public" and parts[1].endswith("-0.json"):
            tag = parts[1].removesuffix("-0.json")
            if tag in TAGS:
                return self._whole(self.dumped or self.world, tag, False, gzips)
        if len(parts) in (2, 3) and parts[0] == "api" and parts[1].lower() in TAGS:
            try:
                return self._api(parts[1].lower(), parts[2:], parameters, caller == "key", gzips)
            except queries.BadRequest as error:
                return _error(400, str(error))
        return _error(404, "Not found")

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
        return Response(found.status, as_json({"data": found.rows, "meta": found.meta}))

    def _whole(self, world, tag, keyed, gzips):
        return Response(200, self.whole_list(world, tag, keyed, compressed=gzips), compressed=gzips)

    def whole_list(self, world, tag, keyed, *, compressed):
        """The body of an unfiltered list, kept until a row of its type changes."""
        key = (tag, keyed and tag == "poc", compressed)
        with self._lock:
            known = self._encoded.get(key)
            if known is None or known[0] is not world.version(tag):
                version = world.version(tag)
                rows = queries.visible(tag, world.rows(tag), keyed)
                body = as_json({"data": rows, "meta": {"generated": world.now}})
                known = self._encoded[key] = version, gzip.compress(body, 1) if compressed else body
            return known[1]


def _error(status, message):
    return Response(status, as_json({"meta": {"error": message}}))


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._connections = set()

    def process_request(self, request, client_address):
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self):
        for connection in list(self._connections):
            self.shutdown_request(connection)

    def handle_error(self, request, client_address):
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "SamplePeeringDB"
    sys_version = ""
    # Headers and body leave in one piece.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self):
        at = time.monotonic()
        sample = self.server.sample
        url = urlsplit(self.path)
        parameters = dict(parse_qsl(url.query, keep_blank_values=True))
        caller, refused = sample.caller(self.headers.get("Authorization"))
        gzips = "gzip" in self.headers.get("Accept-Encoding", "")
        response = refused or sample.answer(url.path, parameters, caller, gzips)
        sample.requests.append(
            Request(
                self.command,
                url.path,
                parameters,
                {name.lower(): value for name, value in self.headers.items() if name != "Authorization"},
                caller,
                at,
                self.path,
                response.status,
            )
        )
        self._send(response, gzips)

    def _send(self, response, gzips):
        body, compressed = response.body, response.compressed
        if gzips and not compressed and len(body) > 1000:
            body, compressed = gzip.compress(body, 1), True
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(body)))
        if compressed:
            self.send_header("Content-Encoding", "gzip")
        for name, value in response.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def date_time_string(self, timestamp=None):
        return formatdate(timestamp, usegmt=True)

    def log_message(self, *arguments):
        """Nothing is logged; `requests` has it."""

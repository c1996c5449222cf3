"""
What can be made to go wrong between the sample PeeringDB and its client.

    server.faults.throttle(times=2, retry_after=1)
    server.faults.error(503, tags=["net"], for_seconds=5)
    server.faults.malformed(0.05)
    server.faults.clear()

Every fault takes `tags` (all when left out), `times` (so many requests, all when left out) and `for_seconds`. Of
faults that replace the answer a request meets the first that applies; slowness, spoilt rows and a cut connection come
on top of an answer.

Rows in the future are no fault of the way but of the world: `world.change(tag, id, at=<later than now>)`. A server
that is down is `server.stop()`, `server.start()`, or `with server.down():`.
"""

import inspect
import json
import threading
import time
import zlib
from dataclasses import dataclass
from email.utils import formatdate

# Faults instead of an answer, on the answer's rows, and on its way.
REPLACING = ("throttle", "error", "html", "missing", "redirect", "drop")
IN_BODIES = ("malformed", "repeated", "shape", "skew")
HTML = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>Back soon</h1></body></html>"
# What the body of an answer can be instead of {"data": [...], "meta": {...}}, from that object.
SHAPES = {
    "array": lambda said: said["data"],
    "null": lambda said: None,
    "number": lambda said: 42,
    "no_data": lambda said: {"meta": said["meta"]},
    "data_null": lambda said: said | {"data": None},
    "data_object": lambda said: said | {"data": {"rows": said["data"]}},
    "data_text": lambda said: said | {"data": "none"},
    "meta_list": lambda said: said | {"meta": []},
    "no_meta": lambda said: {"data": said["data"]},
    "unfinished": lambda said: json.dumps(said).encode()[:-20],  # JSON that stops short of its end
    "not_utf8": lambda said: b'{"meta": {}, "data": ["\xff\xfe"]}',
    "empty": lambda said: b"",
}


@dataclass
class Fault:
    """One fault. `times` counts down; `until` is a moment of the faults' clock."""

    kind: str
    tags: frozenset | None
    times: int | None
    until: float | None
    options: dict

    def applies(self, tag, now):
        if self.times == 0 or (self.until is not None and now >= self.until):
            return False
        return self.tags is None or tag in self.tags


class Faults:
    """The faults of one server. The methods that make one are its switches; none are on at first."""

    def __init__(self, clock=time.monotonic):
        self.clock = clock
        self._active = []
        self._lock = threading.Lock()

    # Switches

    def throttle(self, *, retry_after=None, **when):
        """429 with PeeringDB's message. `retry_after`: seconds, "date" for an HTTP date, or None for no header."""
        self._add("throttle", when, retry_after=retry_after)

    def error(self, status=500, **when):
        """Any status, with a text that is not JSON, as a proxy gives it."""
        self._add("error", when, status=status)

    def html(self, status=200, **when):
        """A web page instead of JSON."""
        self._add("html", when, status=status)

    def missing(self, *tags, **when):
        """404 for these types, as if PeeringDB had none of that name."""
        self._add("missing", {**when, "tags": tags})

    def redirect(self, to, status=302, **when):
        """Sent elsewhere: `to` is the whole URL."""
        self._add("redirect", when, to=to, status=status)

    def drop(self, **when):
        """The connection is closed without an answer."""
        self._add("drop", when)

    def cut(self, after=0.5, **when):
        """The connection is closed in mid-body, after this part of what Content-Length promised."""
        self._add("cut", when, after=after)

    def slow(self, seconds, **when):
        """Nothing comes for so long, then the answer."""
        self._add("slow", when, seconds=seconds)

    def drip(self, seconds, pieces=10, **when):
        """The body comes in pieces, spread over so many seconds."""
        self._add("drip", when, seconds=seconds, pieces=pieces)

    def malformed(self, share=0.05, **when):
        """A share of the rows of every list does not fit: a wrong type, no id, a bad address. Always the same rows."""
        self._add("malformed", when, share=share)

    def repeated(self, share=0.05, **when):
        """A share of the rows comes twice in a list."""
        self._add("repeated", when, share=share)

    def shape(self, name, **when):
        """The body is not {"data": [...], "meta": {...}}, but one of SHAPES."""
        SHAPES[name]  # KeyError now rather than in the server's thread
        self._add("shape", when, name=name)

    def skew(self, seconds, **when):
        """The server's clock is off by so many seconds: its Date header and meta.generated."""
        self._add("skew", when, seconds=seconds)

    def clear(self):
        """Everything in order again."""
        with self._lock:
            self._active.clear()

    def _add(self, kind, when, **options):
        tags, times, seconds = (when.pop(name, None) for name in ("tags", "times", "for_seconds"))
        if when:
            raise TypeError(f"{kind} takes no {', '.join(when)}: only tags, times and for_seconds")
        fault = Fault(
            kind,
            None if tags is None else frozenset(tags),
            times,
            None if seconds is None else self.clock() + seconds,
            options,
        )
        with self._lock:
            self._active.append(fault)

    # Asked by the server

    def take(self, tag, *kinds):
        """The first fault of the kinds that applies to a request for a type, used up by one; or None."""
        with self._lock:
            for fault in self._active:
                if fault.kind in kinds and fault.applies(tag, self.clock()):
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None

    def changes_bodies(self, tag):
        """Whether an answer for a type must be made anew because something is wrong in it."""
        with self._lock:
            return any(fault.kind in IN_BODIES and fault.applies(tag, self.clock()) for fault in self._active)

    def on_rows(self, tag, rows):
        """A list's rows with what is wrong with them."""
        if fault := self.take(tag, "repeated"):
            rows = [*rows, *(row for row in rows if is_chosen(tag, row.get("id"), fault.options["share"]))]
        if fault := self.take(tag, "malformed"):
            rows = spoil(tag, rows, fault.options["share"])
        return rows

    def on_body(self, tag, said):
        """The body in its wrong shape: anything that becomes JSON, or bytes that are sent as they are."""
        fault = self.take(tag, "shape")
        return SHAPES[fault.options["name"]](said) if fault else said

    def spoilt_ids(self, world, tag):
        """The ids of the `ok` rows that `malformed` spoils now, for a test that counts them."""
        faults = [
            fault for fault in self._active if fault.kind == "malformed" and fault.applies(tag, self.clock())
        ]
        share = max((fault.options["share"] for fault in faults), default=0)
        return {row["id"] for row in world.rows(tag) if is_chosen(tag, row["id"], share)}

    def skew_s(self, tag):
        """By how many seconds the server's clock is off for a request."""
        with self._lock:
            skews = (
                fault for fault in self._active if fault.kind == "skew" and fault.applies(tag, self.clock())
            )
            return sum(fault.options["seconds"] for fault in skews)


def switches():
    """The names of the faults and the parameters of each, for the control over HTTP."""
    return {
        name: list(inspect.signature(method).parameters)[1:]
        for name, method in inspect.getmembers(Faults, inspect.isfunction)
        if "when" in inspect.signature(method).parameters and not name.startswith("_")
    }


def headers_of(fault):
    """The headers that a fault's answer has."""
    if fault.kind == "redirect":
        return (("Location", fault.options["to"]),)
    after = fault.options.get("retry_after")
    if fault.kind != "throttle" or after is None:
        return ()
    return (("Retry-After", formatdate(time.time() + 2, usegmt=True) if after == "date" else str(after)),)


def spoil(tag, rows, share):
    """The rows, a share of them malformed; which ones and how depends on nothing but their ids."""
    return [_spoilt(tag, row) if is_chosen(tag, row.get("id"), share) else row for row in rows]


def is_chosen(tag, pk, share):
    """Whether a row belongs to the share of the rows that a fault is for."""
    return zlib.crc32(f"{tag}/{pk}".encode()) % 10000 < share * 10000


def _spoilt(tag, row):
    ways = [*_WAYS, *_WAYS_OF.get(tag, ())]
    return ways[zlib.crc32(f"how/{tag}/{row['id']}".encode()) % len(ways)](row)


def _without(name):
    return lambda row: {field: value for field, value in row.items() if field != name}


def _with(**fields):
    return lambda row: row | fields


_WAYS = (
    _without("id"),
    _with(id=None),
    _with(id="seven"),
    _without("updated"),
    _with(updated="yesterday"),
    lambda row: list(row.values()),
    lambda row: None,
)
_WAYS_OF = {
    "net": (
        _with(asn="AS64496"),
        _with(asn=-1),
        _with(asn=2**32),
        _with(info_prefixes4="many"),
        _with(name=["Network"]),
    ),
    "netixlan": (
        _with(ipaddr4="198.51.100.256"),
        _with(ipaddr6="2001:db8::g"),
        _with(ipaddr4="2001:db8::1"),
        _with(speed="fast"),
        _with(asn=None),
        _with(net_id={}),
        _with(operational="perhaps"),
    ),
    "ixpfx": (_with(prefix="198.51.100.0/33"), _with(prefix=""), _with(ixlan_id=None), _with(protocol=4)),
    "ixlan": (_with(ix_id=None), _with(mtu="jumbo")),
    "ix": (_with(org_id=None), _with(name=["IX"])),
    "netfac": (_with(net_id=None), _with(fac_id="here")),
    "poc": (_with(net_id=None), _with(visible=["Nobody"])),
}

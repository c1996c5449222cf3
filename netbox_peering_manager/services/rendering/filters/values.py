"""
How the Jinja filters read what they are given: items, numbers, communities, prefix ranges. Pure, no Django.

Each function takes the name of the filter on whose behalf it reads, for the message when it cannot.
"""

import ipaddress
import re
from collections.abc import Iterable
from typing import Any, NoReturn

from jinja2 import Undefined
from jinja2.exceptions import FilterArgumentError

MAX_32 = 2**32 - 1
MAX_16 = 2**16 - 1
# https://www.iana.org/assignments/bgp-well-known-communities
WELL_KNOWN_COMMUNITIES = {
    "graceful-shutdown": "65535:0",  # RFC 8326
    "accept-own": "65535:1",  # RFC 7611
    "llgr-stale": "65535:6",  # RFC 9494
    "no-llgr": "65535:7",  # RFC 9494
    "blackhole": "65535:666",  # RFC 7999
    "no-export": "65535:65281",  # RFC 1997
    "no-advertise": "65535:65282",  # RFC 1997
    "no-export-subconfed": "65535:65283",  # RFC 1997
    "local-as": "65535:65283",  # Cisco's name of the same
    "no-peer": "65535:65284",  # RFC 3765
}


def fail(name: str, value: Any, reason: str, cause: Exception | None = None) -> NoReturn:
    """Raise the error of filter `name` over `value`, which is shown shortened."""
    shown = "an undefined value" if isinstance(value, Undefined) else repr(value)
    shown = shown if len(shown) <= 120 else f"{shown[:117]}..."
    raise FilterArgumentError(f"{name}: {shown} {reason}.") from cause


def to_items(name: str, value: Any) -> list[Any]:
    """The items of a list, a query set or another iterable; a text, a dict or nothing at all is an error."""
    if value is None or isinstance(value, (str, bytes, dict, Undefined)) or not isinstance(value, Iterable):
        fail(name, value, "is no list")
    return list(value)


def to_integer(name: str, value: Any, minimum: int, maximum: int) -> int:
    """A number, or its decimal text, within the bounds; "asdot" (RFC 5396) and fractions are not taken."""
    if isinstance(value, bool) or not re.fullmatch(r"\s*[0-9]+\s*", str(value), re.ASCII):
        fail(name, value, "is no whole number")
    number = int(value)
    if not minimum <= number <= maximum:
        fail(name, value, f"is not between {minimum} and {maximum}")
    return number


def parse_community(name: str, value: Any) -> list[str]:
    """
    The communities in a text ("64500:1, 64500:2"), a dict with `community`, or a list of these, each "a:b" or
    "a:b:c".

    A standard community (RFC 1997) may also be a single number or a well-known name. Doubles are dropped, the
    order is kept. Anything else is an error: among them "65536:1", whose AS does not fit and needs a large
    one (RFC 8092).
    """
    if isinstance(value, dict):
        value = value.get("community")
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str):
        parsed = [_community(name, part) for part in re.split(r"[\s,]+", value.strip()) if part]
    else:
        parsed = [each for item in to_items(name, value) for each in parse_community(name, item)]
    return list(dict.fromkeys(parsed))


def is_large_community(community: str) -> bool:
    """Whether a parsed community is a large one (RFC 8092)."""
    return community.count(":") == 2


def _community(name: str, text: str) -> str:
    known = WELL_KNOWN_COMMUNITIES.get(text.lower().replace("_", "-"))
    if known:
        return known
    if not re.fullmatch(r"[0-9]+(:[0-9]+){0,2}", text, re.ASCII):
        fail(name, text, "is no community (a:b, a:b:c or a well-known name)")
    parts = [int(part) for part in text.split(":")]
    if len(parts) == 1 and parts[0] <= MAX_32:
        parts = [parts[0] >> 16, parts[0] & MAX_16]
    if any(part > (MAX_16 if len(parts) == 2 else MAX_32) for part in parts) or len(parts) == 1:
        fail(name, text, "is no community: a part is too large")
    return ":".join(str(part) for part in parts)


def prefix_bounds(name: str, entry: Any) -> dict[str, Any]:
    """What `prefix_range` in `filters.py` documents. Host bits in the prefix are dropped."""
    own = entry if isinstance(entry, dict) else {"prefix": entry}
    try:
        network = ipaddress.ip_interface(str(own.get("prefix"))).network
    except ValueError as error:
        fail(name, entry, "has no valid prefix", error)
    bits, length = network.max_prefixlen, network.prefixlen
    ge, le = (None if own.get(key) is None else to_integer(name, own[key], 0, bits) for key in ("ge", "le"))
    shortest = max(length, ge) if ge is not None else length
    longest = le if le is not None else (length if ge is None else bits)
    if longest < shortest:
        fail(name, entry, f"matches nothing: no length is from {shortest} to {longest}")
    exact = shortest == longest == length
    return {
        "prefix": str(network),
        "network": str(network.network_address),
        "version": network.version,
        "length": length,
        "min": shortest,
        "max": longest,
        "exact": exact,
        "ge": shortest if shortest > length else None,
        "le": None if exact or (shortest > length and longest == bits) else longest,
    }

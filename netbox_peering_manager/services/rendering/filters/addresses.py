"""Filters of numbers, addresses and prefixes. Pure: no Django."""

import ipaddress
import re
from typing import Any

from .values import MAX_32, fail, prefix_bounds, to_integer

__all__ = ("integer", "ip", "ip_network", "ip_version", "mac", "prefix_range", "wildcard")


def integer(value: Any, minimum: int = 0, maximum: int = MAX_32) -> int:
    """`value`, a number or its decimal text, as a number within the bounds; anything else is an error."""
    return to_integer("integer", value, minimum, maximum)


def ip(value: Any) -> str:
    """The address of "address", "address/length" or a NetBox IPAddress, without mask: "192.0.2.1"."""
    return str(_interface("ip", value).ip)


def ip_version(value: Any) -> int:
    """4 or 6: the IP version of an address or a prefix."""
    return _interface("ip_version", value).version


def ip_network(prefix: Any) -> dict[str, Any]:
    """The network of a prefix: {"network": "192.0.2.0", "prefix_length": 24, "netmask": "255.255.255.0"}."""
    network = _interface("ip_network", prefix).network
    return {
        "network": str(network.network_address),
        "prefix_length": network.prefixlen,
        "netmask": str(network.netmask),
    }


def wildcard(prefix: Any) -> str:
    """The inverse mask of a prefix, as access lists of some platforms want it: "0.0.0.255"."""
    return str(_interface("wildcard", prefix).network.hostmask)


def prefix_range(entry: Any) -> dict[str, Any]:
    """
    What an entry of a prefix list matches, as {"prefix", "version", "length", "min", "max", "exact", "ge",
    "le"}.

    `min` and `max` are the shortest and longest matching length, `exact` says that both are the prefix's own.
    `ge` and `le` are what must be written where the language is Cisco's, else None. `entry` is a dict with
    `prefix` and, if any, `ge` and `le`, or the prefix alone.
    """
    return prefix_bounds("prefix_range", entry)


def mac(value: Any, style: str = "colon") -> str:
    """
    A MAC address in lower case as "colon" 00:00:5e:…, "dash" 00-00-5e-…, "cisco" 0000.5e00.… or "bare"
    00005e…
    """
    digits = re.sub(r"[.:\s-]", "", str(value)).lower()
    if not re.fullmatch(r"[0-9a-f]{12}", digits):
        fail("mac", value, "is no MAC address")
    size, separator = {"colon": (2, ":"), "dash": (2, "-"), "cisco": (4, "."), "bare": (12, "")}.get(
        style
    ) or fail("mac", style, "is no style: colon, dash, cisco or bare")
    return separator.join(digits[start : start + size] for start in range(0, 12, size))


def _interface(name: str, value: Any) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface:
    try:
        return ipaddress.ip_interface(str(value))
    except ValueError as error:
        fail(name, value, "is no IP address or prefix", error)

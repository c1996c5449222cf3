"""
Whether BGP is as well after a change as it was before. Pure: neighbours in, a verdict out.

Every session that was Established before has to be Established again, whether the change was about it or not, unless
the change takes it down on purpose. A session that was not up before, or is new, keeps nobody waiting.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from ...choices import BGPStateChoices
from ..devices.neighbors import Neighbor, Prefixes

__all__ = (
    "Key",
    "Verdict",
    "absent_from",
    "dried_up",
    "from_json",
    "judge",
    "key_of",
    "left_out",
    "names_of",
    "say_left_out",
    "taken_down",
    "to_json",
)

# VRF ("": none) and address.
type Key = tuple[str, str]

ADDRESS = re.compile(r"(?<![\w.:])[0-9A-Fa-f:.]{3,}(?![\w:])")
# How platforms take one neighbour down: for a while, or for good.
DOWN = re.compile(
    r"^\s*(?:no\s+neighbor\s+\S+\s*$|neighbor\s+\S+\s+shutdown\b|no\s+neighbor\s+\S+\s+(?:remote-as|activate)\b|"
    r"(?:delete|deactivate|disable|undo\s+peer|birdc\s+disable)\s|set\s.*\b(?:shutdown|disable)\b|"
    r"/routing[ /]bgp.*(?:disable|remove|disabled=yes))"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`lost`: the neighbours that were Established before and are not now, in their order."""

    lost: tuple[Neighbor, ...]
    # How many of those that have to be Established are.
    established: int

    @property
    def is_healthy(self) -> bool:
        return not self.lost

    def __str__(self) -> str:
        return ", ".join(f"{_named(one)} ({one.bgp_state})" for one in self.lost)


def key_of(neighbor: Neighbor) -> Key:
    """How a neighbour is known, a link-local one with its interface (RFC 4007 §11)."""
    zone = f"%{neighbor.interface}" if neighbor.interface else ""
    return neighbor.vrf, f"{neighbor.remote_ip}{zone}"


def judge(before: Iterable[Neighbor], now: Iterable[Neighbor], going: Iterable[Key] = ()) -> Verdict:
    """
    Return how it is `now`, measured by `before`. `going`: neighbours that are meant to go down, their addresses
    without an interface.
    """
    states = {key_of(one): one for one in now}
    excused = frozenset(going)
    lost, established = [], 0
    for one in before:
        if not one.is_established or (one.vrf, one.remote_ip) in excused:
            continue
        found = states.get(key_of(one))
        if found is not None and found.is_established:
            established += 1
        else:
            lost.append(found or _missing(one))
    return Verdict(tuple(lost), established)


def taken_down(commands: str) -> frozenset[str]:
    """Return the addresses of neighbours that typed commands take down or delete by name, without saying more."""
    lines = (line for line in commands.splitlines() if DOWN.match(line))
    return frozenset(address for line in lines for address in _addresses(line))


def absent_from(text: str, neighbors: Iterable[Neighbor]) -> frozenset[Key]:
    """Return those neighbours that a whole configuration does not name: it takes them away, meant or not."""
    named = frozenset(_addresses(text))
    return frozenset((one.vrf, one.remote_ip) for one in neighbors if one.remote_ip not in named)


def left_out(
    text: str, difference: str, neighbors: Iterable[Neighbor], going: Iterable[Key] = ()
) -> tuple[Neighbor, ...]:
    """
    Return the Established neighbours that a whole configuration takes away, though nobody has said that they should go
    (`going`, as in `judge`): those that it does not name, and that what it changes on the router does. In their order.
    """
    neighbors = tuple(neighbors)
    lost = absent_from(text, neighbors) - frozenset(going)
    changed = frozenset(_addresses(difference))
    return tuple(
        one
        for one in neighbors
        if one.is_established and (one.vrf, one.remote_ip) in lost and one.remote_ip in changed
    )


def say_left_out(neighbors: Iterable[Neighbor]) -> str:
    """Return what people are told of neighbours that a whole configuration leaves out, and the way out."""
    return _(
        "The configuration leaves out {sessions}. Those that NetBox does not know: import them, or delete them on the "
        "router. Those that it knows: correct the config template, or disable or delete them in NetBox."
    ).format(sessions=names_of(neighbors))


def names_of(neighbors: Iterable[Neighbor]) -> str:
    """Return how neighbours are named to people, in their order."""
    return ", ".join(_named(one) for one in neighbors)


def to_json(neighbors: Iterable[Neighbor]) -> list[dict[str, Any]]:
    """Return what a deployment keeps of neighbours: a list of dicts, in their order."""
    return [
        {
            "vrf": one.vrf,
            "remote_ip": one.remote_ip,
            "interface": one.interface,
            "remote_asn": one.remote_asn,
            "bgp_state": str(one.bgp_state),
            "up_s": one.up_s,
            "accepted": {"ipv4": one.ipv4.accepted, "ipv6": one.ipv6.accepted},
        }
        for one in neighbors
    ]


def from_json(kept: Sequence[Mapping[str, Any]] | None) -> tuple[Neighbor, ...]:
    """Return the neighbours that `to_json` was given, as far as it keeps them."""
    return tuple(_kept(one) for one in kept or ())


def dried_up(before: Iterable[Neighbor], now: Iterable[Neighbor]) -> tuple[str, ...]:
    """
    Return the neighbours that were and are Established, but whose prefixes of a family are none any more: "ADDRESS
    (IPv4, 120 before)".
    """
    former = {key_of(one): one for one in before if one.is_established}
    return tuple(
        _("{neighbor} ({family}, {count} before)").format(
            neighbor=_named(one), family=family, count=was.accepted
        )
        for one in now
        if one.is_established and (earlier := former.get(key_of(one)))
        for family, was, is_ in (("IPv4", earlier.ipv4, one.ipv4), ("IPv6", earlier.ipv6, one.ipv6))
        if was.accepted and is_.accepted == 0
    )


def _kept(one: Mapping[str, Any]) -> Neighbor:
    fields = {name: value for name, value in one.items() if name != "accepted"}
    counts = one.get("accepted") or {}
    ipv4, ipv6 = (Prefixes(accepted=counts.get(name)) for name in ("ipv4", "ipv6"))
    return Neighbor(ipv4=ipv4, ipv6=ipv6, **fields)


def _missing(neighbor: Neighbor) -> Neighbor:
    return Neighbor(
        vrf=neighbor.vrf,
        remote_ip=neighbor.remote_ip,
        interface=neighbor.interface,
        remote_asn=neighbor.remote_asn,
        bgp_state=BGPStateChoices.MISSING,
    )


def _named(neighbor: Neighbor) -> str:
    vrf, address = key_of(neighbor)
    return f"{address} in {vrf}" if vrf else address


def _addresses(text: str) -> Iterable[str]:
    for word in ADDRESS.findall(text):
        try:
            yield str(ipaddress.ip_address(word))
        except ValueError:
            continue

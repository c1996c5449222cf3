"""
Second stage, pure: which of a router's neighbours is which session.

    poll → match → transitions → record → events
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..devices.neighbors import Neighbor

__all__ = ("Address", "Matched", "Watched", "match")


class Address(NamedTuple):
    """Where a neighbour is: the VRF's name, "" outside of all VRFs, and its address as ipaddress writes it."""

    vrf: str
    remote_ip: str


class Watched(NamedTuple):
    """A session, enabled or not. `interface` names ours when the address is link-local, "" else or when unknown."""

    session_id: int
    address: Address
    interface: str = ""


@dataclass(frozen=True, slots=True)
class Matched:
    """
    `neighbors`: session id → what the router tells of it, None when the router does not list it. `unknown`: what
    NetBox does not know, each address once.
    """

    neighbors: Mapping[int, Neighbor | None]
    unknown: tuple[Neighbor, ...]


def match(
    sessions: Sequence[Watched], neighbors: Sequence[Neighbor], known: Collection[Address] = ()
) -> Matched:
    """
    Match by VRF and address, of link-local addresses by interface as well.

    Platforms shorten names of interfaces: a link-local address that is there once on both sides is the same. `known`
    are addresses that NetBox has, though not as sessions: their neighbours are not unknown.
    """
    told: dict[Address, list[Neighbor]] = defaultdict(list)
    for neighbor in neighbors:
        told[Address(neighbor.vrf, neighbor.remote_ip)].append(neighbor)
    sharing = Counter(session.address for session in sessions)
    found = {
        session.session_id: _neighbor_of(session, told.get(session.address, ()), sharing[session.address])
        for session in sessions
    }
    taken = {id(neighbor) for neighbor in found.values()}
    unknown = {
        address: neighbor
        for address, several in told.items()
        if address not in known
        for neighbor in several
        if id(neighbor) not in taken
    }
    return Matched(found, tuple(unknown.values()))


def _neighbor_of(session: Watched, candidates: Sequence[Neighbor], sharing: int) -> Neighbor | None:
    for candidate in candidates:
        if candidate.interface == session.interface:
            return candidate
    return candidates[0] if len(candidates) == 1 and sharing == 1 else None

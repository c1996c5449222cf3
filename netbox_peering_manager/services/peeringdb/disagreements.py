"""
What of ours disagrees with PeeringDB: compares plain facts of both sides and says what differs.

Pure: no Django, no database. drift.py gathers the facts and keeps the result. Every rule stands in a function of its
own, named after the kind that it finds (choices.PeeringDBDriftChoices).

A type of PeeringDB's objects that the mirror does not have (`Facts.known`) gives no disagreement: nothing can have
left a list that nobody has.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

__all__ = (
    "Connection",
    "Facts",
    "Found",
    "Lan",
    "Net",
    "Peer",
    "Port",
    "Session",
    "disagreements",
    "same_as_sets",
)

FAMILIES = (4, 6)
# Statuses of a connection that is not, or no longer, expected to be registered.
NOT_IN_USE = frozenset({"planned", "decommissioned"})


@dataclass(frozen=True, slots=True)
class Found:
    """
    A disagreement: its kind, the model's name and id of the object that it is about, and what tells it from others of
    the kind on that object. `details` are plain values for its text and its repair.
    """

    kind: str
    model: str
    object_id: int
    key: str = ""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lan:
    """A PeeringNetwork that is linked to an ixlan, with its prefixes as text, IPv4 first (None: it has none)."""

    id: int
    ixlan_id: int
    prefixes: tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class Port:
    """A netixlan, with its addresses as text, IPv4 first, and the name of its exchange ("" when it is not known)."""

    id: int
    ix_id: int
    ixlan_id: int
    asn: int
    addresses: tuple[str | None, str | None]
    operational: bool
    exchange: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """
    An enabled session over a linked LAN (`ixlan_id`), or with max prefixes of its own (`limits`, IPv4 first): the
    peer's address as text, the remote AS number (None: not known).
    """

    id: int
    network_id: int | None
    ixlan_id: int | None
    address: str
    asn: int | None
    is_route_server: bool
    limits: tuple[int | None, int | None] = (None, None)

    @property
    def family(self) -> int:
        return 6 if ":" in self.address else 4


@dataclass(frozen=True, slots=True)
class Connection:
    """Our port on a LAN: the netixlan and the ixlan that they are linked to, if any, and our addresses there."""

    id: int
    netixlan_id: int | None
    ixlan_id: int | None
    addresses: tuple[str | None, str | None]
    status: str


@dataclass(frozen=True, slots=True)
class Peer:
    """A PeerASN. `limits` are its max prefixes, IPv4 first; `follows` the fields that PeeringDB may set."""

    id: int
    asn: int
    affiliated: bool
    peeringdb_id: int | None
    as_set: str
    limits: tuple[int | None, int | None]
    follows: frozenset[str]
    has_sessions: bool
    has_contacts: bool


@dataclass(frozen=True, slots=True)
class Net:
    """A net. `had_contacts`: it has or once had one; `has_contacts`: the mirror has one."""

    asn: int
    as_set: str
    limits: tuple[int | None, int | None]
    has_contacts: bool
    had_contacts: bool


@dataclass(frozen=True)
class Facts:
    """Both sides. `known` are PeeringDB's tags that the mirror has, `prefixes` those of each ixlan as text."""

    known: frozenset[str] = frozenset()
    lans: tuple[Lan, ...] = ()
    prefixes: dict[int, frozenset[str]] = field(default_factory=dict)
    ports: tuple[Port, ...] = ()
    sessions: tuple[Session, ...] = ()
    connections: tuple[Connection, ...] = ()
    peers: tuple[Peer, ...] = ()
    nets: tuple[Net, ...] = ()

    @cached_property
    def own_asns(self) -> frozenset[int]:
        return frozenset(peer.asn for peer in self.peers if peer.affiliated)

    @cached_property
    def net_by_asn(self) -> dict[int, Net]:
        return {net.asn: net for net in self.nets}

    @cached_property
    def ports_at(self) -> dict[tuple[int, str], list[Port]]:
        """The ports at an address of an ixlan: one, but for a moment of a move."""
        found: dict[tuple[int, str], list[Port]] = defaultdict(list)
        for port in self.ports:
            for address in port.addresses:
                if address:
                    found[port.ixlan_id, address].append(port)
        return found

    @cached_property
    def asns_on(self) -> dict[int, set[int]]:
        """The AS numbers with ports on an ixlan."""
        found: dict[int, set[int]] = defaultdict(set)
        for port in self.ports:
            found[port.ixlan_id].add(port.asn)
        return found

    @cached_property
    def renumbered(self) -> dict[tuple[int, int], tuple[str, list[str]]]:
        """(network id, family) of LANs whose prefix is not PeeringDB's, to ours and to theirs, sorted."""
        found = {}
        for lan in self.lans:
            theirs = self.prefixes.get(lan.ixlan_id, frozenset())
            for family, ours in zip(FAMILIES, lan.prefixes, strict=True):
                same_family = sorted(prefix for prefix in theirs if (":" in prefix) == (family == 6))
                if ours and same_family and ours not in same_family:
                    found[lan.id, family] = (ours, same_family)
        return found


def disagreements(facts: Facts) -> list[Found]:
    """Return everything of ours that disagrees with PeeringDB, each once, in no particular order."""
    found: list[Found] = []
    if "netixlan" in facts.known:
        found += sessions_at_ports(facts)
        found += own_port_missing_here(facts)
        found += own_port_missing_there(facts)
    if "net" in facts.known:
        found += network_gone(facts)
        found += max_prefixes_differ(facts)
        found += own_max_prefixes_too_low(facts)
        found += as_set_differs(facts)
        if "poc" in facts.known:
            found += contacts_gone(facts)
    if "ixpfx" in facts.known:
        found += prefix_changed(facts)
    return found


def sessions_at_ports(facts: Facts) -> Iterator[Found]:
    """
    Sessions whose peer's address is no longer on the LAN, belongs to another AS, or whose port is not operational.

    Link-local addresses are on every link and in no database. Of a LAN that was renumbered the LAN alone is told,
    not each of its sessions. An exchange need not list its route servers: those count once one of their AS is listed.
    """
    for session in facts.sessions:
        if session.ixlan_id is None or session.address.startswith("fe80:"):
            continue
        if (session.network_id, session.family) in facts.renumbered:
            continue
        if found := _session_at_its_port(facts, session, session.ixlan_id):
            yield found


def _session_at_its_port(facts: Facts, session: Session, ixlan_id: int) -> Found | None:
    told = {"address": session.address, "asn": session.asn}
    ports = facts.ports_at.get((ixlan_id, session.address))
    if not ports:
        if session.is_route_server and session.asn not in facts.asns_on[ixlan_id]:
            return None
        return Found("peer-address-gone", "peeringsession", session.id, details=told)
    own = [port for port in ports if session.asn in (port.asn, None)]
    if not own:
        told["peeringdb_asn"] = min(port.asn for port in ports)
        return Found("peer-asn-changed", "peeringsession", session.id, details=told)
    if not any(port.operational for port in own):
        return Found("port-not-operational", "peeringsession", session.id, details=told)
    return None


def network_gone(facts: Facts) -> Iterator[Found]:
    """Peers that were in PeeringDB (they have its id) and whose AS has no net any more."""
    for peer in facts.peers:
        if peer.peeringdb_id is not None and peer.asn not in facts.net_by_asn:
            details = {"asn": peer.asn, "peeringdb_id": peer.peeringdb_id}
            yield Found("network-gone", "peerasn", peer.id, details=details)


def max_prefixes_differ(facts: Facts) -> Iterator[Found]:
    """
    Max prefixes that are not PeeringDB's, by family.

    A count that is empty or 0 there suggests nothing. Fields that follow PeeringDB differ when the value could not be
    applied.
    """
    for peer, net in _peers_with_nets(facts):
        for family, ours, theirs in zip(FAMILIES, peer.limits, net.limits, strict=True):
            if theirs and ours != theirs:
                follows = f"ipv{family}_max_prefixes" in peer.follows
                details = {"family": family, "ours": ours, "peeringdb": theirs, "follows": follows}
                yield Found("max-prefixes-differ", "peerasn", peer.id, key=str(family), details=details)


def own_max_prefixes_too_low(facts: Facts) -> Iterator[Found]:
    """
    Sessions with max prefixes of their own that are below PeeringDB's, by family: the session's win over its peer's,
    and a network that has grown is torn down by them. More than PeeringDB's is a margin, and nothing is wrong with it.
    """
    for session in facts.sessions:
        net = facts.net_by_asn.get(session.asn) if session.asn is not None else None
        for family, ours, theirs in zip(FAMILIES, session.limits, net.limits if net else (0, 0), strict=True):
            if theirs and ours is not None and ours < theirs:
                details = {"family": family, "ours": ours, "peeringdb": theirs, "asn": session.asn}
                yield Found(
                    "max-prefixes-differ", "peeringsession", session.id, key=str(family), details=details
                )


def as_set_differs(facts: Facts) -> Iterator[Found]:
    """AS-SETs that are not PeeringDB's. An empty one there suggests nothing."""
    for peer, net in _peers_with_nets(facts):
        if net.as_set and not same_as_sets(peer.as_set, net.as_set):
            follows = "irr_as_set" in peer.follows
            details = {"ours": peer.as_set, "peeringdb": net.as_set, "follows": follows}
            yield Found("as-set-differs", "peerasn", peer.id, details=details)


def contacts_gone(facts: Facts) -> Iterator[Found]:
    """
    Peers with sessions that nobody can be reached at: the net had contacts, the mirror has none of it any more, and
    NetBox has none of its own.
    """
    for peer, net in _peers_with_nets(facts):
        if peer.has_sessions and not peer.has_contacts and net.had_contacts and not net.has_contacts:
            yield Found("contacts-gone", "peerasn", peer.id, details={"asn": peer.asn})


def own_port_missing_here(facts: Facts) -> Iterator[Found]:
    """Ports of our AS numbers in PeeringDB, on any exchange, that are no connection: by link, or by an address."""
    own = {peer.asn: peer for peer in facts.peers if peer.affiliated}
    linked = {connection.netixlan_id for connection in facts.connections}
    at = {
        (connection.ixlan_id, address)
        for connection in facts.connections
        for address in connection.addresses
        if address
    }
    for port in facts.ports:
        here = port.id in linked or any((port.ixlan_id, address) in at for address in port.addresses)
        if port.asn in own and not here:
            details = {
                "asn": port.asn,
                "ix_id": port.ix_id,
                "ixlan_id": port.ixlan_id,
                "exchange": port.exchange,
                "addresses": _without_none(port.addresses),
            }
            yield Found(
                "own-port-missing-here", "peerasn", own[port.asn].id, key=str(port.id), details=details
            )


def own_port_missing_there(facts: Facts) -> Iterator[Found]:
    """Connections in use on a linked LAN that no port of ours there is: by link, or by an address."""
    own_ids = {port.id for port in facts.ports if port.asn in facts.own_asns}
    for connection in facts.connections:
        addresses = _without_none(connection.addresses)
        if connection.status in NOT_IN_USE or not (addresses or connection.netixlan_id):
            continue
        if connection.ixlan_id is None or connection.netixlan_id in own_ids:
            continue
        if own_ids & _port_ids_at(facts, connection.ixlan_id, addresses):
            continue
        details = {"ixlan_id": connection.ixlan_id, "addresses": addresses}
        yield Found("own-port-missing-there", "peeringconnection", connection.id, details=details)


def _port_ids_at(facts: Facts, ixlan_id: int, addresses: Iterable[str]) -> set[int]:
    return {port.id for address in addresses for port in facts.ports_at.get((ixlan_id, address), ())}


def prefix_changed(facts: Facts) -> Iterator[Found]:
    """LANs whose prefix is not PeeringDB's, by family. One that PeeringDB has no prefix of suggests nothing."""
    for (network_id, family), (ours, theirs) in facts.renumbered.items():
        details = {"family": family, "ours": ours, "peeringdb": theirs}
        yield Found("prefix-changed", "peeringnetwork", network_id, key=str(family), details=details)


def same_as_sets(one: str, other: str) -> bool:
    """Whether two lists of AS-SETs name the same ones: order, separators and case aside (RFC 2622 §2)."""
    return _as_sets(one) == _as_sets(other)


def _as_sets(text: str) -> frozenset[str]:
    return frozenset(token.upper() for token in re.split(r"[,\s]+", text) if token)


def _peers_with_nets(facts: Facts) -> Iterator[tuple[Peer, Net]]:
    for peer in facts.peers:
        if net := facts.net_by_asn.get(peer.asn):
            yield peer, net


def _without_none(values: Iterable[str | None]) -> list[str]:
    return [value for value in values if value]

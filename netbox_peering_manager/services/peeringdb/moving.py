"""
Where the addresses of a LAN go when its exchange was renumbered, decided one prefix at a time.

Pure: no models, no database; renumbering.py reads both sides and writes. What PeeringDB says of a port or of an AS
comes first; where it says nothing (yet) the host part is kept. What cannot be told is left undecided and said, never
guessed. Addresses are text, those of NetBox with their mask.
"""

import ipaddress
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

__all__ = ("GIVEN", "HOST", "PEERINGDB", "Move", "OldAddress", "PortNow", "plan_moves")

type Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
type Net = ipaddress.IPv4Network | ipaddress.IPv6Network

# How a new address was found.
PEERINGDB, HOST, GIVEN = "peeringdb", "host", "given"


@dataclass(frozen=True, slots=True)
class OldAddress:
    """
    An IP address of NetBox in the old prefix. `asns`: whose it is, as far as sessions tell, ours when it is that of a
    connection; `netixlan_id`: the port that the connection is. `place`: the interface that it is assigned to.
    """

    id: int
    text: str
    asns: frozenset[int] = frozenset()
    is_ours: bool = False
    netixlan_id: int | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class PortNow:
    """A netixlan of the LAN with its address of the family, which need not lie in the new prefix."""

    netixlan_id: int
    asn: int
    address: str


@dataclass(frozen=True, slots=True)
class Move:
    """
    What an address becomes. `new` None: undecided, `why` says why. `how`: PEERINGDB, HOST or GIVEN. `asns`: whose it
    is, when it is not ours.
    """

    address_id: int
    old: str
    new: str | None = None
    how: str = ""
    why: str = ""
    is_ours: bool = False
    asns: tuple[int, ...] = ()
    place: str = ""


def plan_moves(
    old: str,
    new: str,
    addresses: Sequence[OldAddress],
    ports: Sequence[PortNow],
    given: Mapping[int, str] | None = None,
) -> tuple[Move, ...]:
    """
    Return the move of each address, in their order, from the prefix `old` to the prefix `new`.

    `given` are addresses that a person chose, without mask, by the id of the address that becomes them; they count only
    for what is undecided without them.
    """
    planner = _Planner(ipaddress.ip_network(old), ipaddress.ip_network(new), addresses, ports)
    moves = _without_doubles([planner.move(address) for address in addresses])
    chosen = given or {}
    moves = [
        planner.given(address, chosen[address.id])
        if move.new is None and chosen.get(address.id, "").strip()
        else move
        for move, address in zip(moves, addresses, strict=True)
    ]
    return tuple(_without_doubles(moves))


class _Planner:
    def __init__(self, old: Net, new: Net, addresses: Sequence[OldAddress], ports: Iterable[PortNow]):
        self.old = old
        self.new = new
        self.now: dict[int, Ip] = {}
        self.of_asn: dict[int, set[Ip]] = defaultdict(set)
        self.holder: dict[Ip, int] = {}
        # What PeeringDB has not changed yet.
        self.still: set[tuple[int, Ip]] = set()
        for port in ports:
            ip = ipaddress.ip_address(port.address)
            self.still |= set() if ip in new else {(port.asn, ip)}
            if ip in new:
                self.now[port.netixlan_id] = ip
                self.of_asn[port.asn].add(ip)
                self.holder[ip] = port.asn
        self.left = self._left_of_asns(addresses)

    def _left_of_asns(self, addresses: Sequence[OldAddress]) -> dict[int, tuple[set[Ip], set[int]]]:
        """Of each AS: new addresses, and old ones by id, that neither link nor host part bring together."""
        left: dict[int, tuple[set[Ip], set[int]]] = {
            asn: (set(ips), set()) for asn, ips in self.of_asn.items()
        }
        for address in addresses:
            direct = self._direct(address)
            for asn in address.asns & left.keys():
                ips, ids = left[asn]
                ips -= {direct} if direct else set()
                ids |= set() if direct or self._is_still_there(address) else {address.id}
        return left

    def move(self, address: OldAddress) -> Move:
        target = self._direct(address) or self._only_one_left(address)
        if target is not None:
            return self._to(address, target, PEERINGDB)
        if any(self.of_asn.get(asn) for asn in address.asns) and not self._is_still_there(address):
            why = _("What PeeringDB has of {asns} there does not tell which address this one becomes.")
            return self._undecided(address, why.format(asns=_names(address.asns)))
        return self._keep_host(address)

    def given(self, address: OldAddress, text: str) -> Move:
        """The move to an address that a person chose."""
        try:
            ip = ipaddress.ip_address(text.strip())
        except ValueError:
            return self._undecided(
                address, _("{text} is no address; write it without a mask.").format(text=text.strip())
            )
        if ip not in self.new:
            why = _("{text} lies outside {prefix}.")
            return self._undecided(address, why.format(text=ip, prefix=self.new))
        return self._to(address, ip, GIVEN)

    def _direct(self, address: OldAddress) -> Ip | None:
        """What PeeringDB says without doubt: of the port, or of the AS and the host part."""
        if address.netixlan_id in self.now:
            return self.now[address.netixlan_id]
        own = {ip for asn in address.asns for ip in self.of_asn.get(asn, ())}
        for ip in (_ip(address.text), self._with_host_of(address)):
            if ip in own:
                return ip
        return None

    def _only_one_left(self, address: OldAddress) -> Ip | None:
        for asn in address.asns:
            ips, ids = self.left.get(asn, (set(), set()))
            if len(ips) == 1 and ids == {address.id}:
                return next(iter(ips))
        return None

    def _is_still_there(self, address: OldAddress) -> bool:
        return any((asn, _ip(address.text)) in self.still for asn in address.asns)

    def _with_host_of(self, address: OldAddress) -> Ip | None:
        """The host part of an address in the new prefix, None where it does not fit."""
        number = int(_ip(address.text)) - int(self.old.network_address)
        return self.new[number] if number < self.new.num_addresses else None

    def _keep_host(self, address: OldAddress) -> Move:
        ip = _ip(address.text) if _ip(address.text) in self.new else self._with_host_of(address)
        if ip is None:
            why = _("Its host part does not fit into {prefix}.")
            return self._undecided(address, why.format(prefix=self.new))
        if (holder := self.holder.get(ip)) is not None and holder not in address.asns:
            why = _("{ip}, which has the same host part, is AS{asn}'s in PeeringDB.")
            return self._undecided(address, why.format(ip=ip, asn=holder))
        return self._to(address, ip, HOST)

    def _to(self, address: OldAddress, ip: Ip, how: str) -> Move:
        new = self.new
        is_wide = new.prefixlen < new.max_prefixlen - 1
        if is_wide and (ip == new.network_address or (new.version == 4 and ip == new.broadcast_address)):
            why = _("{ip} is not the address of a host in {prefix}.")
            return self._undecided(address, why.format(ip=ip, prefix=new))
        length = int(address.text.partition("/")[2])
        # A mask that is not the LAN's was chosen: that of a host stays one.
        length = length if length == new.max_prefixlen else new.prefixlen
        return _move(address, new=f"{ip}/{length}", how=how)

    def _undecided(self, address: OldAddress, why: str) -> Move:
        return _move(address, why=why)


def _move(address: OldAddress, **values: str) -> Move:
    asns = () if address.is_ours else tuple(sorted(address.asns))
    return Move(address.id, address.text, is_ours=address.is_ours, asns=asns, place=address.place, **values)


def _without_doubles(moves: Sequence[Move]) -> list[Move]:
    """
    Leave undecided what would become one and the same address, or one that stays: the prefixes can overlap, as when a
    LAN became larger. What is left undecided stays as well.
    """
    found = list(moves)
    while True:
        count = Counter(_host(move.new) for move in found if move.new)
        stay = {_host(move.old) for move in found if not move.new}
        doubles = {
            move.address_id
            for move in found
            if move.new and (count[_host(move.new)] > 1 or _host(move.new) in stay)
        }
        if not doubles:
            return found
        found = [
            _undone(move, is_taken=_host(move.new or "") in stay) if move.address_id in doubles else move
            for move in found
        ]


def _undone(move: Move, is_taken: bool) -> Move:
    why = _("{new} would be the new address of several.")
    if is_taken:
        why = _("{new} is the address of another one that stays where it is.")
    return replace(move, new=None, how="", why=why.format(new=_host(move.new or "")))


def _ip(text: str) -> Ip:
    return ipaddress.ip_address(_host(text))


def _host(text: str) -> str:
    return text.partition("/")[0]


def _names(asns: Iterable[int]) -> str:
    return ", ".join(f"AS{asn}" for asn in sorted(asns))

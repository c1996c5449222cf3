"""
Which connection each of our ports in PeeringDB is, or is to be: what is made, is there, is waited for or is wrong.

Pure: no models, no database; ports.py has the values. A port finds its interface by its addresses: those of PeeringDB,
where NetBox has them in the VRF of the LAN and assigned to an interface. Nothing is guessed: what cannot be told apart
is a conflict, and said.
"""

import ipaddress
from collections.abc import Callable, Iterable, Mapping

from django.utils.translation import gettext as _

from .lans import Held, Problem, Vrf
from .ports import (
    Address,
    Connection,
    Facts,
    Here,
    Interface,
    Missing,
    OwnPort,
    Place,
    PlannedConnection,
    Ports,
    Scope,
    Unready,
)

__all__ = ("plan_ports", "vrf_of_lan")

type Outcome = PlannedConnection | Here | Unready


def plan_ports(ports: Iterable[OwnPort], places: Mapping[int, Place], facts: Facts) -> Ports:
    """Sort the ports; `places` has the place of each by ixlan id."""
    found: list[Outcome] = []
    taken: dict[tuple[int, int], PlannedConnection] = {}
    for port in ports:
        outcome = _Port(port, places[port.ixlan_id], facts).outcome()
        if isinstance(outcome, PlannedConnection):
            other = taken.setdefault((port.ixlan_id, outcome.interface.id), outcome)
            if other is not outcome:
                outcome = _second_on_interface(outcome, other.port.netixlan_id)
        found.append(outcome)
    return Ports(
        planned=tuple(each for each in found if isinstance(each, PlannedConnection)),
        here=tuple(each for each in found if isinstance(each, Here)),
        waiting=tuple(each for each in found if isinstance(each, Unready) and not each.problems),
        conflicts=tuple(each for each in found if isinstance(each, Unready) and each.problems),
    )


def vrf_of_lan(
    ports: Iterable[OwnPort], addresses: Iterable[Address], prefixes: Iterable[Held]
) -> tuple[Vrf, list[Problem]]:
    """
    Return in which VRF a LAN that is not in NetBox yet is to be: that of our addresses there, which have to agree; with
    none that of the LAN's prefixes, when they agree; else the global table.
    """
    hosts = {text for port in ports for text in port.texts}
    ours = [each for each in addresses if each.host in hosts and (each.interface or each.other)]
    vrfs = {each.vrf for each in ours if each.usable}
    if len(vrfs) > 1:
        told = ", ".join(
            _("{address} in {vrf}").format(address=each.text, vrf=each.vrf) for each in ours if each.usable
        )
        text = _(
            "Our addresses on this LAN are in different VRFs: {addresses}. Put them into one, or choose the VRF."
        )
        return Vrf(), [Problem(text.format(addresses=told))]
    if not vrfs:
        vrfs = {held.vrf for held in prefixes}
    return (vrfs.pop() if len(vrfs) == 1 else Vrf()), []


class _Port:
    """One port, looked at from all sides."""

    def __init__(self, port: OwnPort, place: Place, facts: Facts):
        self.port = port
        self.place = place
        self.facts = facts
        self.problems: list[Problem] = list(place.problems)
        self.found: list[Address | None] = [None, None]
        self.missing: list[Missing] = []

    def outcome(self) -> Outcome:
        if not self.place.problems:
            self._find_addresses()
        linked = self._connection(lambda each: each.netixlan_id == self.port.netixlan_id)
        if linked is not None:
            return self._linked(linked)
        interface = self._interface()
        if self.problems or interface is None:
            return self._unready()
        connection = self._same(interface)
        if self.problems:
            return self._unready()
        held = connection.address_ids if connection else (None, None)
        gets = [
            address if address_id is None else None
            for address, address_id in zip(self.found, held, strict=True)
        ]
        return self._planned(interface, connection, gets)

    def _unready(self) -> Unready:
        return Unready(self.port, self.place, tuple(self.missing), tuple(self.problems))

    def _refuse(self, text: str, **values: object) -> None:
        self.problems.append(Problem(text.format(**values)))

    # Addresses

    def _find_addresses(self) -> None:
        if not self.port.texts:
            self._refuse(_("PeeringDB has no address for this port."))
        for index, text in enumerate(self.port.addresses):
            if text is not None and self._lies_in_lan(text, self.place.prefixes[index]):
                self._find_address(index, text, self.place.prefixes[index])

    def _lies_in_lan(self, text: str, prefix: Held | None) -> bool:
        if prefix is None:
            self._refuse(_("{address}: {lan} has no prefix of its family."), address=text, lan=self._lan)
        elif ipaddress.ip_address(text) not in ipaddress.ip_network(prefix.prefix):
            self._refuse(
                _("{address} lies outside {prefix}, the prefix of {lan}."),
                address=text,
                prefix=prefix.prefix,
                lan=self._lan,
            )
        else:
            return True
        return False

    @property
    def _lan(self) -> str:
        return self.place.network or self.place.exchange

    def _find_address(self, index: int, text: str, prefix: Held | None) -> None:
        assert prefix is not None
        there = [each for each in self.facts.addresses if each.host == text]
        here = [each for each in there if each.vrf.id == prefix.vrf.id]
        assigned = [each for each in here if each.interface or each.other]
        elsewhere = [each for each in there if each not in here and each.interface]
        if any(not each.usable for each in assigned):
            self._refuse(_("{address} is in NetBox, and you may not see where."), address=text)
        elif len(assigned) > 1:
            told = ", ".join(str(each.interface or each.other) for each in assigned)
            self._refuse(_("{address} is assigned more than once: {places}."), address=text, places=told)
        elif assigned:
            self._take(index, assigned[0])
        elif elsewhere:
            self._refuse_other_vrf(elsewhere[0], prefix)
        else:
            self._miss(text, prefix, here[0] if here else None)

    def _take(self, index: int, address: Address) -> None:
        if address.interface is None:
            self._refuse(
                _("{address} is assigned to {other}, which is no interface of a device."),
                address=address.text,
                other=address.other,
            )
        self.found[index] = address

    def _refuse_other_vrf(self, address: Address, prefix: Held) -> None:
        if not address.usable:
            self._refuse(_("{address} is in NetBox, and you may not see where."), address=address.text)
            return
        self._refuse(
            _("{address} is on {interface} in {vrf}, but {lan} is in {lan_vrf}: move one of them."),
            address=address.text,
            interface=address.interface,
            vrf=address.vrf,
            lan=prefix.prefix,
            lan_vrf=prefix.vrf,
        )

    def _miss(self, text: str, prefix: Held, unassigned: Address | None) -> None:
        length = prefix.prefix.partition("/")[2]
        self.missing.append(
            Missing(
                unassigned.text if unassigned else f"{text}/{length}",
                prefix.vrf,
                unassigned.id if unassigned and unassigned.usable else None,
                routers=self.facts.routers.get(self.port.asn, ()),
            )
        )

    def _interface(self) -> Interface | None:
        """The interface of the addresses that were found, None without any."""
        found = [each for each in self.found if each and each.interface]
        interfaces = {each.interface.id: each.interface for each in found if each.interface}
        if len(interfaces) > 1:
            told = _(" and ").join(
                _("{address} is on {interface}").format(address=each.text, interface=each.interface)
                for each in found
            )
            self._refuse(_("{addresses}: a port has but one interface."), addresses=told)
        return next(iter(interfaces.values()), None)

    # Connections

    def _connection(self, fits: Callable[[Connection], bool]) -> Connection | None:
        return next((each for each in self.facts.connections if fits(each)), None)

    def _same(self, interface: Interface) -> Connection | None:
        """The connection that is this port without saying so; what forbids one is noted as a problem."""
        ids = {each.id for each in self.found if each}
        by_address = self._connection(lambda each: not ids.isdisjoint(each.address_ids))
        if by_address is not None and by_address.network_id != self.place.network_id:
            self._refuse(
                _("{connection} has its address already, on another network."), connection=by_address
            )
            return None
        there = by_address or self._connection(
            lambda each: each.network_id == self.place.network_id and each.interface.id == interface.id
        )
        if there is not None:
            self._check_same(there, interface)
        return there

    def _check_same(self, there: Connection, interface: Interface) -> None:
        if not there.visible:
            self._refuse(_("On {lan} it is {connection} already."), lan=self._lan, connection=there)
            return
        if there.interface.id != interface.id:
            self._refuse(
                _("The connection on {connection} has its address, which is assigned to {interface}."),
                connection=there,
                interface=interface,
            )
        if there.netixlan_id is not None:
            self._refuse(
                _("{connection} has a connection to {lan} already, for the port {port} of PeeringDB."),
                connection=there,
                lan=self._lan,
                port=there.netixlan_id,
            )
        for address, address_id in zip(self.found, there.address_ids, strict=True):
            if address and address_id not in (None, address.id):
                self._refuse(
                    _("{connection} has a connection to {lan} already, with another address than {address}."),
                    connection=there,
                    lan=self._lan,
                    address=address.text,
                )

    def _linked(self, linked: Connection) -> Outcome:
        """What to do about a connection that has this port's id: fill in what it lacks, or nothing."""
        if linked.network_id != self.place.network_id and not self.place.problems:
            self._refuse(
                _("{connection} has the id of this port in PeeringDB, but is on another network."),
                connection=linked,
            )
            return self._unready()
        if not linked.visible:
            # Neither where it is nor what it lacks is told, and it is not changed.
            return Here(self.port, self.place, linked.id, str(linked), visible=False)
        gets = [
            address
            if address
            and address_id is None
            and address.interface
            and address.interface.id == linked.interface.id
            else None
            for address, address_id in zip(self.found, linked.address_ids, strict=True)
        ]
        if any(gets) or (linked.scope_id is None and self._scope(linked.interface)):
            return self._planned(linked.interface, linked, gets)
        return Here(
            self.port,
            self.place,
            linked.id,
            str(linked),
            linked.visible,
            self._lacking(linked),
            tuple(self._differences(linked)),
        )

    def _differences(self, linked: Connection) -> Iterable[str]:
        yield from (problem.text for problem in self.problems)
        for address, address_id in zip(self.found, linked.address_ids, strict=True):
            if address and address_id not in (None, address.id):
                yield _("PeeringDB has {address}, the connection another address.").format(
                    address=address.host
                )

    def _lacking(self, linked: Connection) -> tuple[Missing, ...]:
        return tuple(_at(each, linked.interface) for each in self.missing)

    def _planned(
        self, interface: Interface, there: Connection | None, gets: list[Address | None]
    ) -> PlannedConnection:
        return PlannedConnection(
            self.port,
            self.place,
            interface,
            (gets[0], gets[1]),
            None if there and there.scope_id else self._scope(interface),
            there.id if there else None,
            tuple(_at(each, interface) for each in self.missing),
        )

    def _scope(self, interface: Interface) -> Scope | None:
        """
        As PeeringConnection.find_left_out(): the scope of the device in the LAN's VRF, when it is but one; of several
        that of the BGP router with the port's AS.
        """
        vrfs = {prefix.vrf.id for prefix in self.place.prefixes if prefix}
        fitting = [
            scope
            for scope in self.facts.scopes
            if scope.device_id == interface.device_id and scope.vrf_id in vrfs
        ]
        if len(fitting) > 1:
            fitting = [scope for scope in fitting if scope.asn == self.port.asn]
        return fitting[0] if len(fitting) == 1 else None


def _at(missing: Missing, interface: Interface) -> Missing:
    return Missing(missing.text, missing.vrf, missing.address_id, interface)


def _second_on_interface(planned: PlannedConnection, other: int) -> Unready:
    text = _(
        "{interface} is the port {port} of PeeringDB on this LAN already: an interface has one connection to a LAN."
    )
    problem = Problem(text.format(interface=planned.interface, port=other))
    return Unready(planned.port, planned.place, (), (problem,))

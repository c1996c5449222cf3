"""
Import of our own presence: the ports of our AS in PeeringDB become fabrics, networks and connections.

    the mirror and NetBox are read (a fixed number of queries) → linking.py plans the exchanges, matching.py the ports →
    it is shown → what was confirmed is written, all or nothing, when it still is what was shown

What cannot be made yet is told with what is missing, and what contradicts itself with why; neither holds up the rest.
A second run makes nothing twice.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.utils.translation import gettext as _

from dcim.models import Device, Interface
from ipam.models import VRF, IPAddress
from netbox_routing.models import BGPScope

from ...choices import ConnectionStatusChoices
from ...exceptions import ExchangeError
from ...models import PeerASN, PeeringConnection, PeeringDBNetIXLan
from ..permissions import allowed_pks
from . import ports as values
from .exchanges import Written, load_existing, vrf_of, write_fabrics
from .lans import Exchange, Existing, Lan, PlannedFabric, PlannedNetwork, Problem, Vrf
from .linking import plan_fabric
from .matching import plan_ports, vrf_of_lan
from .mirrored import load_exchanges
from .ports import OwnPort, Place, PlannedConnection, Ports
from .writing import Writer, digest_of, one_at_a_time

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    type User = AbstractBaseUser | AnonymousUser | None

__all__ = ("Imported", "Presence", "import_presence", "own_asns", "plan_presence")

# Names of routers in a hint, at most.
ROUTERS_SHOWN = 3
# What a port that is not operational in PeeringDB becomes, where the site's choices have it.
NOT_YET = "planned"


@dataclass(frozen=True)
class Presence:
    """
    What the import would do. `asns` are the AS numbers looked at. Of `fabrics` those without problems are written, with
    the networks that they name.
    """

    asns: tuple[int, ...]
    fabrics: tuple[PlannedFabric, ...]
    ports: Ports

    @property
    def digest(self) -> str:
        return digest_of(self)

    @property
    def changes(self) -> bool:
        return bool(self.ports.planned) or any(fabric.changes for fabric in self.writable)

    @property
    def writable(self) -> list[PlannedFabric]:
        return [fabric for fabric in self.fabrics if not fabric.problems]

    @property
    def networks(self) -> list[PlannedNetwork]:
        """The networks of the fabrics that are written."""
        return [network for fabric in self.writable for network in fabric.networks]


@dataclass(frozen=True)
class Imported:
    """What was written: the plan, and the fabrics, networks and connections that it made or brought in line."""

    plan: Presence
    fabrics: Sequence[Any]
    networks: Sequence[Any]
    connections: Sequence[PeeringConnection]

    @property
    def is_something(self) -> bool:
        return bool(self.fabrics or self.networks or self.connections)


def own_asns(user: "User" = None) -> Any:
    """Return the affiliated PeerASNs that `user` may view (None: all)."""
    ours = PeerASN.objects.filter(affiliated=True).select_related("asn")
    return ours if user is None else ours.restrict(user, "view")


def plan_presence(
    peer_asns: Collection[PeerASN] | None = None, vrf: VRF | None = None, user: "User" = None
) -> Presence:
    """
    Plan the import for these affiliated PeerASNs, without them for all that `user` may view.

    `vrf` is for networks that are not there yet; without it they go into the VRF of our addresses on their LAN.
    """
    ours = own_asns(user)
    if peer_asns is not None:
        ours = ours.filter(pk__in=[peer.pk for peer in peer_asns])
    asns = tuple(sorted(peer.asn.asn for peer in ours))
    own_ports = _own_ports(asns)
    exchanges = load_exchanges(ixlan_ids={port.ixlan_id for port in own_ports})
    existing = load_existing(list(exchanges.values()), user)
    addresses = _addresses(own_ports, user)
    fabrics, places = _plan_lans(own_ports, exchanges, existing, addresses, vrf_of(vrf) if vrf else None)
    facts = values.Facts(
        addresses=tuple(addresses),
        connections=tuple(_connections(own_ports, places.values(), addresses, user)),
        scopes=tuple(_scopes({each.interface.device_id for each in addresses if each.interface})),
        routers=_routers(asns, user),
    )
    return Presence(asns, tuple(fabrics), plan_ports(own_ports, places, facts))


def import_presence(
    peer_asns: Collection[PeerASN] | None = None,
    vrf: VRF | None = None,
    user: "User" = None,
    *,
    digest: str | None = None,
) -> Imported:
    """
    Make what plan_presence() plans, all or nothing.

    With a user, each row needs the user's `add` or `change`, constraints included. With the `digest` of a plan it is
    refused when something has changed since. ExchangeError tells why.
    """
    with one_at_a_time():
        plan = plan_presence(peer_asns, vrf, user)
        if digest is not None and digest != plan.digest:
            message = _("PeeringDB or NetBox has changed since this preview: look at what would be made now.")
            raise ExchangeError({None: [message]})
        writer = Writer(user)
        written = write_fabrics(plan.writable, writer)
        connections = _write_connections(plan.ports.planned, written, writer)
        changed = {network.ixlan_id for network in plan.networks if network.changes}
        return Imported(
            plan=plan,
            fabrics=[
                written.fabrics[fabric.ix_id] for fabric in plan.writable if fabric.is_new or fabric.links
            ],
            networks=[network for ixlan_id, network in written.networks.items() if ixlan_id in changed],
            connections=connections,
        )


#
# PeeringDB's side, and the LANs
#


def _own_ports(asns: Collection[int]) -> list[OwnPort]:
    rows = PeeringDBNetIXLan.objects.filter(asn__in=asns).order_by("ix_id", "ixlan_id", "asn", "pk")
    return [
        OwnPort(row.pk, row.asn, row.ixlan_id, (row.ipaddr4, row.ipaddr6), row.speed, row.operational)
        for row in rows
    ]


def _plan_lans(
    own_ports: Sequence[OwnPort],
    exchanges: Mapping[int, Exchange],
    existing: Existing,
    addresses: Sequence[values.Address],
    chosen: Vrf | None,
) -> tuple[list[PlannedFabric], dict[int, Place]]:
    """The plan of each exchange, each knowing what those before it make, and the place of each LAN by ixlan id."""
    of_lan: dict[int, list[OwnPort]] = defaultdict(list)
    for port in own_ports:
        of_lan[port.ixlan_id].append(port)
    places = {ixlan_id: _lost(ixlan_id) for ixlan_id in of_lan}
    fabrics = []
    for exchange in exchanges.values():
        vrfs, problems = _vrfs(exchange, of_lan, existing, addresses, chosen)
        plan = plan_fabric(exchange, existing, vrfs, adopt=True)
        for lan in exchange.lans:
            places[lan.ixlan_id] = _place(lan, plan, existing, problems[lan.ixlan_id])
        plan = _without(plan, {ixlan_id for ixlan_id in problems if problems[ixlan_id]})
        if not plan.problems:
            existing = existing.after(plan)
        fabrics.append(plan)
    return fabrics, places


def _vrfs(
    exchange: Exchange,
    of_lan: Mapping[int, list[OwnPort]],
    existing: Existing,
    addresses: Sequence[values.Address],
    chosen: Vrf | None,
) -> tuple[dict[int, Vrf], dict[int, list[Problem]]]:
    """In which VRF each LAN is, should it have to be made; and why that cannot be told."""
    vrfs: dict[int, Vrf] = {}
    problems: dict[int, list[Problem]] = {}
    for lan in exchange.lans:
        held = [prefix for prefix in existing.prefixes if prefix.prefix in lan.texts]
        found, why_not = vrf_of_lan(of_lan[lan.ixlan_id], addresses, held)
        is_there = any(
            network.ixlan_id == lan.ixlan_id or network.holds(lan.texts) for network in existing.networks
        )
        vrfs[lan.ixlan_id] = chosen or found
        problems[lan.ixlan_id] = [] if chosen or is_there else why_not
    return vrfs, problems


def _without(plan: PlannedFabric, ixlan_ids: Collection[int]) -> PlannedFabric:
    """The plan without these LANs."""
    return replace(plan, networks=tuple(each for each in plan.networks if each.ixlan_id not in ixlan_ids))


def _lost(ixlan_id: int) -> Place:
    text = _("The mirror of PeeringDB does not have this exchange (ixlan {ixlan_id}): sync with PeeringDB.")
    return Place(ixlan_id, 0, "", problems=(Problem(text.format(ixlan_id=ixlan_id)),))


def _place(lan: Lan, plan: PlannedFabric, existing: Existing, more: Sequence[Problem]) -> Place:
    network = plan.network_of(lan.ixlan_id)
    problems = [*plan.problems, *plan.problems_of.get(lan.ixlan_id, ()), *more]
    if network is None and not problems:
        problems.append(Problem(_("PeeringDB has no prefix of this LAN.")))
    return Place(
        ixlan_id=lan.ixlan_id,
        ix_id=plan.ix_id,
        exchange=plan.name,
        network=network.name if network else lan.name,
        network_id=network.network_id if network else None,
        prefixes=existing.prefixes_of(network) if network else (None, None),
        problems=tuple(problems),
    )


#
# NetBox's side
#


def _addresses(own_ports: Sequence[OwnPort], user: "User") -> list[values.Address]:
    """The IP addresses of NetBox with a host that one of the ports has."""
    hosts = sorted({text for port in own_ports for text in port.texts})
    rows = (
        list(IPAddress.objects.filter(address__net_in=hosts).select_related("vrf").order_by("pk"))
        if hosts
        else []
    )
    of_interfaces = ContentType.objects.get_for_model(Interface).pk
    ids = {row.assigned_object_id for row in rows if row.assigned_object_type_id == of_interfaces}
    interfaces = {row.pk: row for row in _with_device(Interface.objects.filter(pk__in=ids))}
    visible, visible_ports = allowed_pks(rows, user), allowed_pks(list(interfaces.values()), user)
    found = []
    for row in rows:
        is_on_port = row.assigned_object_type_id == of_interfaces
        interface = interfaces.get(row.assigned_object_id) if is_on_port else None
        found.append(
            values.Address(
                id=row.pk,
                text=str(row.address),
                vrf=vrf_of(row.vrf),
                interface=_interface(interface) if interface else None,
                other=_kind(row) if row.assigned_object_type_id and not interface else "",
                usable=row.pk in visible and (interface is None or interface.pk in visible_ports),
            )
        )
    return found


def _with_device(interfaces: Any) -> Any:
    return interfaces.select_related("device__virtual_chassis", "device__device_type__manufacturer").order_by(
        "pk"
    )


def _interface(row: Interface) -> values.Interface:
    return values.Interface(row.pk, row.name, row.device_id, str(row.device))


def _kind(row: IPAddress) -> str:
    return str(ContentType.objects.get_for_id(row.assigned_object_type_id).name)


def _connections(
    own_ports: Sequence[OwnPort],
    places: Iterable[Place],
    addresses: Sequence[values.Address],
    user: "User",
) -> Iterable[values.Connection]:
    address_ids = [each.id for each in addresses]
    rows = list(
        PeeringConnection.objects.filter(
            Q(peeringdb_id__in=[port.netixlan_id for port in own_ports])
            | Q(peering_network__in=[place.network_id for place in places if place.network_id])
            | Q(ipv4_address__in=address_ids)
            | Q(ipv6_address__in=address_ids)
        )
        .select_related("interface__device__virtual_chassis", "interface__device__device_type__manufacturer")
        .order_by("pk")
    )
    visible = allowed_pks(rows, user)
    for row in rows:
        yield values.Connection(
            id=row.pk,
            network_id=row.peering_network_id,
            interface=_interface(row.interface),
            netixlan_id=row.peeringdb_id,
            address_ids=(row.ipv4_address_id, row.ipv6_address_id),
            scope_id=row.bgp_scope_id,
            visible=row.pk in visible,
        )


def _scopes(device_ids: Collection[int]) -> Iterable[values.Scope]:
    scopes = BGPScope.objects.filter(router__device__in=device_ids).order_by("pk")
    columns = ("pk", "router__device", "vrf", "router__name", "router__asn__asn")
    for pk, device_id, vrf_id, name, asn in scopes.values_list(*columns):
        yield values.Scope(pk, device_id, vrf_id, name, asn)


def _routers(asns: Collection[int], user: "User") -> dict[int, tuple[str, ...]]:
    """Names of the devices whose BGP router has one of these AS numbers."""
    devices = Device.objects.filter(bgp_router__asn__asn__in=asns)
    if user is not None:
        devices = devices.restrict(user, "view")
    found: dict[int, list[str]] = defaultdict(list)
    for asn, name in devices.order_by("name", "pk").values_list("bgp_router__asn__asn", "name"):
        if name and len(found[asn]) < ROUTERS_SHOWN:
            found[asn].append(name)
    return {asn: tuple(names) for asn, names in found.items()}


#
# Writing
#


def _write_connections(
    planned: Sequence[PlannedConnection], written: Written, writer: Writer
) -> list[PeeringConnection]:
    rows = PeeringConnection.objects.with_parents().in_bulk(
        [each.connection_id for each in planned if each.connection_id]
    )
    related = _related(planned)
    changing = [each for each in planned if each.connection_id]
    writer.take([rows[each.connection_id] for each in changing])
    for each in changing:
        _fill(rows[each.connection_id], each, related)
    fields = ["peeringdb_id", "ipv4_address", "ipv6_address", "bgp_scope"]
    writer.change([rows[each.connection_id] for each in changing], fields)
    new = [each for each in planned if each.is_new]
    made = [
        PeeringConnection(
            peering_network=written.networks[each.place.ixlan_id],
            interface=related.interfaces[each.interface.id],
            status=_status(each.port),
        )
        for each in new
    ]
    for row, each in zip(made, new, strict=True):
        _fill(row, each, related)
    return [*rows.values(), *writer.make(made)]


@dataclass(frozen=True)
class _Related:
    """The rows that connections refer to, by id."""

    interfaces: Mapping[int, Any]
    addresses: Mapping[int, Any]
    scopes: Mapping[int, Any]


def _related(planned: Sequence[PlannedConnection]) -> _Related:
    addresses = [address.id for each in planned for address in each.addresses if address]
    scopes = BGPScope.objects.select_related("router", "vrf")
    return _Related(
        _with_device(Interface.objects.all()).in_bulk([each.interface.id for each in planned]),
        IPAddress.objects.in_bulk(addresses),
        scopes.in_bulk([each.scope.id for each in planned if each.scope]),
    )


def _fill(row: PeeringConnection, planned: PlannedConnection, related: _Related) -> None:
    row.peeringdb_id = planned.port.netixlan_id
    for family, address in zip((4, 6), planned.addresses, strict=True):
        if address:
            setattr(row, f"ipv{family}_address", related.addresses[address.id])
    if planned.scope:
        row.bgp_scope = related.scopes[planned.scope.id]


def _status(port: OwnPort) -> str:
    if not port.operational and NOT_YET in ConnectionStatusChoices.values():
        return NOT_YET
    return str(ConnectionStatusChoices.ACTIVE)

"""
What NetBox has that an import touches: read at once, with a fixed number of queries for any number of neighbours.

What is made on the way is added here, so that the next session uses it (`making`).
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, OuterRef, Q

from ipam.models import VRF, IPAddress
from netbox_routing.models import (
    BFDProfile,
    BGPAddressFamily,
    BGPPeer,
    BGPPeerAddressFamily,
    BGPPeerTemplate,
    BGPRouter,
    BGPScope,
    BGPSessionTemplate,
    RouteMap,
    RouteMapEntry,
)

from ...models import (
    PeeringConnection,
    PeeringDBIXLan,
    PeeringDBNet,
    PeeringNetwork,
    Relationship,
)
from ..permissions import allowed_pks
from ..provisioning.ground import Ground, host_of, load_asns, load_ground
from ..rendering.families import FamilyResolver
from ..rendering.load import families_of, policy_templates_of
from ..rendering.rows import FamilyRow, PolicyTemplateRow
from .found import Found
from .planned import Choices

if TYPE_CHECKING:
    from ipam.models import Prefix
    from users.models import User

    from ...models import PeeringRouter
    from ..provisioning.ground import Place

__all__ = ("POLICIES", "Standing", "load_standing")

# PeeringDB's kind of network that is an exchange's route servers.
ROUTE_SERVER = "Route Server"
# The route maps of an address family: netbox-routing's fields, and what rendering calls them.
POLICIES = {"routemap_in": "route_map_in", "routemap_out": "route_map_out"}


@dataclass(slots=True)
class Standing:
    """
    What there is around one router. Of what the user may not view, only that it is there: `unseen_*`.

    `bgp_router` is the one that a missing scope is made under; a device can have several (FRR: an AS for each VRF).
    `scopes` are by the name of their VRF ("" for the global table), `addresses` are those of the device's interfaces
    by VRF id and address, `peers` those of all scopes by the name of their VRF and address, `peer_families` their
    address families by AFI/SAFI, and `peer_rows` the same as values; `families` knows those of peer groups and works
    out what counts, with route maps by their ids (`route_map_names`). `route_maps` are by their names in lower case;
    `empty_route_maps` are the ids of those without entries.
    """

    router: "PeeringRouter"
    bgp_router: BGPRouter | None = None
    scopes: dict[str, BGPScope] = field(default_factory=dict)
    known_scopes: dict[int, BGPScope] = field(default_factory=dict)
    vrfs: dict[str, list[VRF]] = field(default_factory=dict)
    networks: list[PeeringNetwork] = field(default_factory=list)
    lans: dict[tuple[int | None, int, int], dict[int, list[PeeringNetwork]]] = field(default_factory=dict)
    connections: dict[int, list[PeeringConnection]] = field(default_factory=dict)
    addresses: dict[tuple[int | None, str], list[IPAddress]] = field(default_factory=dict)
    peers: dict[tuple[str, str], list[BGPPeer]] = field(default_factory=dict)
    peer_families: dict[int, dict[str, BGPPeerAddressFamily]] = field(default_factory=dict)
    peer_rows: Mapping[int, Sequence[FamilyRow]] = field(default_factory=dict)
    families: FamilyResolver = field(default_factory=lambda: FamilyResolver({}, {}))
    route_map_names: dict[int, str] = field(default_factory=dict)
    scope_families: dict[tuple[int, str], BGPAddressFamily] = field(default_factory=dict)
    groups: dict[str, list[BGPPeerTemplate]] = field(default_factory=dict)
    route_maps: dict[str, RouteMap] = field(default_factory=dict)
    empty_route_maps: set[int] = field(default_factory=set)
    bfd: dict[str, BFDProfile] = field(default_factory=dict)
    chosen_bfd: BFDProfile | None = None
    relationships: dict[int, Relationship] = field(default_factory=dict)
    rs_asns: dict[int, int] = field(default_factory=dict)
    route_servers: set[int] = field(default_factory=set)
    unseen_networks: set[int] = field(default_factory=set)
    unseen_sessions: set[int] = field(default_factory=set)
    ground: Ground = field(default_factory=Ground)

    def lan_of(self, vrf_id: int | None, remote_ip: str) -> list[PeeringNetwork]:
        """Return the networks whose prefix in this VRF holds the address; those of the longest prefix."""
        address = ipaddress.ip_address(remote_ip)
        number, bits = int(address), address.max_prefixlen
        lengths = sorted((key[2] for key in self.lans if key[:2] == (vrf_id, address.version)), reverse=True)
        for length in lengths:
            by_network = self.lans[vrf_id, address.version, length]
            if found := by_network.get(number >> (bits - length)):
                return found
        return []

    def is_route_server(self, network: PeeringNetwork | None, asn: int | None) -> bool:
        """Whether PeeringDB says that this AS is the LAN's route servers, or a network of route servers at all."""
        if network is None or asn is None:
            return False
        return self.rs_asns.get(network.peeringdb_id or 0) == asn or asn in self.route_servers


def load_standing(router: "PeeringRouter", found: Found, choices: Choices, user: "User | None") -> Standing:
    """
    Return what there is around `router` (its device joined) for what was found on it, as `user` may see it.

    Of what was chosen only what the user may view is there. Without the addresses and AS numbers of new sessions, see
    `add_ground`.
    """
    standing = Standing(router)
    _load_scopes(standing, found)
    _load_lans(standing, user)
    _load_ours(standing)
    _load_peers(standing, user)
    _load_named(standing, found)
    _load_chosen(standing, choices, user)
    _load_families(standing)
    _load_route_servers(standing, found)
    return standing


def add_ground(
    standing: Standing, places: "Sequence[Place]", user: "User | None", own: Iterable[int] = ()
) -> None:
    """
    Add what there is of the AS numbers and addresses of sessions that may be made, and of our `own` AS numbers. At most
    18 queries.
    """
    known = standing.ground
    known.families.update(standing.scope_families)
    # Of peers that NetBox has no session is made: there are none at these places.
    standing.ground = load_ground(places, user, known=known)
    missing = set(own) - set(standing.ground.asns)
    ours = known if set(known.asns) >= missing else load_asns(missing)
    standing.ground.asns = {**ours.asns, **standing.ground.asns}
    standing.ground.rirs = {**ours.rirs, **standing.ground.rirs}


def _load_scopes(standing: Standing, found: Found) -> None:
    routers = list(
        BGPRouter.objects.filter(device=standing.router.device_id)
        .select_related("asn__peer_asn")
        .order_by("pk")
    )
    # The one with the router's own AS first.
    routers.sort(key=lambda each: each.asn.asn != found.local_asn)
    for each in routers:
        each.assigned_object = standing.router.device
        standing.ground.asns[each.asn.asn] = each.asn
    if routers:
        standing.bgp_router = routers[0]
        _add_scopes(standing, {each.pk: each for each in routers})
    if names := {each.vrf for each in found.neighbors} - {""} - set(standing.scopes):
        for vrf in VRF.objects.filter(name__in=names).order_by("pk"):
            standing.vrfs.setdefault(vrf.name, []).append(vrf)


def _add_scopes(standing: Standing, routers: dict[int, BGPRouter]) -> None:
    """The scopes of these BGP routers; of several for one VRF the first router's is where sessions are made."""
    rows = BGPScope.objects.filter(router__in=routers).select_related("vrf").order_by("pk")
    position = {pk: n for n, pk in enumerate(routers)}
    for scope in sorted(rows.prefetch_related("address_families"), key=lambda row: position[row.router_id]):
        scope.router = routers[scope.router_id]
        standing.known_scopes[scope.pk] = scope
        standing.scopes.setdefault(vrf_name(scope), scope)
        for family in scope.address_families.all():
            standing.scope_families[scope.pk, family.address_family] = family


def vrf_name(scope: BGPScope) -> str:
    """The name of a scope's VRF, "" for the global table."""
    return scope.vrf.name if scope.vrf else ""


def _load_lans(standing: Standing, user: "User | None") -> None:
    networks = list(
        PeeringNetwork.objects.select_related(
            "fabric__peer_group__remote_as__peer_asn", "ipv4_prefix__vrf", "ipv6_prefix__vrf"
        ).order_by("pk")
    )
    seen = allowed_pks(networks, user)
    standing.networks = networks
    standing.unseen_networks = {network.pk for network in networks if network.pk not in seen}
    for network in networks:
        for prefix in network.prefixes:
            _add_lan(standing, network, prefix)


def _add_lan(standing: Standing, network: PeeringNetwork, prefix: "Prefix") -> None:
    value = prefix.prefix
    key = (prefix.vrf_id, value.version, value.prefixlen)
    number = int(value.network) >> ((32 if value.version == 4 else 128) - value.prefixlen)
    standing.lans.setdefault(key, {}).setdefault(number, []).append(network)


def _load_ours(standing: Standing) -> None:
    """Our connections, and the addresses of the device's interfaces."""
    connections = PeeringConnection.objects.filter(
        interface__device=standing.router.device_id
    ).select_related(
        "interface__device",
        "ipv4_address",
        "ipv6_address",
        "ipv4_peer_group__remote_as__peer_asn",
        "ipv6_peer_group__remote_as__peer_asn",
        "peering_network__fabric__peer_group",
        "peering_network__ipv4_prefix__vrf",
        "peering_network__ipv6_prefix__vrf",
    )
    for connection in connections.order_by("pk"):
        standing.connections.setdefault(connection.peering_network_id, []).append(connection)
    addresses = IPAddress.objects.filter(interface__device=standing.router.device_id).select_related(
        "vrf",
        "ipv4_peering_connection__peering_network__fabric",
        "ipv6_peering_connection__peering_network__fabric",
    )
    for address in addresses.prefetch_related("assigned_object").order_by("pk"):
        standing.addresses.setdefault((address.vrf_id, str(host_of(address))), []).append(address)


def _load_peers(standing: Standing, user: "User | None") -> None:
    if not standing.known_scopes:
        return
    position = {pk: n for n, pk in enumerate(standing.known_scopes)}
    rows = list(
        BGPPeer.objects.filter(scope__in=position)
        .select_related(
            "peer",
            "source",
            "remote_as__peer_asn",
            "local_as",
            "peer_group__remote_as__peer_asn",
            "bfd",
            "peering_session__relationship",
        )
        .order_by("pk")
    )
    rows.sort(key=lambda row: position[row.scope_id])
    templates = _session_templates(rows)
    networks = {network.pk: network for network in standing.networks}
    sessions = []
    for row in rows:
        row.peer_session = templates.get(row.peer_session_id)
        row.scope = standing.known_scopes[row.scope_id]
        standing.peers.setdefault((vrf_name(row.scope), str(host_of(row.peer))), []).append(row)
        if hasattr(row, "peering_session"):
            session = row.peering_session
            session.bgp_peer = row
            session.peering_network = networks.get(session.peering_network_id)
            sessions.append(session)
    seen = allowed_pks(sessions, user)
    standing.unseen_sessions = {session.pk for session in sessions if session.pk not in seen}
    _load_own_families(standing, rows)


def _session_templates(peers: Sequence[BGPPeer]) -> dict[int, BGPSessionTemplate]:
    """Every session template by its id, as their parents are theirs too; none when no BGP peer has one."""
    if not any(peer.peer_session_id for peer in peers):
        return {}
    rows = BGPSessionTemplate.objects.select_related("bfd", "local_as", "remote_as__peer_asn").order_by()
    found = {row.pk: row for row in rows}
    for row in found.values():
        row.parent = found.get(row.parent_id)
    return found


def _load_own_families(standing: Standing, peers: Sequence[BGPPeer]) -> None:
    """The address families of BGP peers, joined with what they are called by."""
    if not peers:
        return
    by_pk = {peer.pk: peer for peer in peers}
    belongs_to = BGPPeerAddressFamily._meta.get_field("assigned_object")
    rows = BGPPeerAddressFamily.objects.filter(
        assigned_object_type=ContentType.objects.get_for_model(BGPPeer), assigned_object_id__in=by_pk
    ).select_related("address_family")
    for row in rows.order_by("pk"):
        belongs_to.set_cached_value(row, by_pk[row.assigned_object_id])
        if (scope := standing.known_scopes.get(row.address_family.scope_id)) is not None:
            row.address_family.scope = scope
        standing.peer_families.setdefault(row.assigned_object_id, {})[row.address_family.address_family] = row


def _load_families(standing: Standing) -> None:
    """What counts in the families of sessions is worked out from: those of BGP peers and of peer groups, as values."""
    peers = {peer.pk for rows in standing.peers.values() for peer in rows}
    standing.peer_rows, of_groups = families_of(peers, _group_ids(standing))
    templates = policy_templates_of(standing.peer_rows, of_groups)
    standing.families = FamilyResolver(of_groups, templates)
    rows: list[FamilyRow | PolicyTemplateRow] = [*templates.values()]
    for owned in (standing.peer_rows, of_groups):
        rows += (row for families in owned.values() for row in families)
    route_maps = {pk for row in rows for pk in (row.route_map_in, row.route_map_out)}
    for relationship in _relationships(standing):
        route_maps |= {relationship.routemap_in_id, relationship.routemap_out_id}
    names = RouteMap.objects.filter(pk__in=route_maps - {None}).order_by().values_list("pk", "name")
    standing.route_map_names = dict(names)


def _group_ids(standing: Standing) -> set[int]:
    """The ids of the peer groups that a session may be in: its own, its connection's, its fabric's, or by name."""
    ids = {peer.peer_group_id for rows in standing.peers.values() for peer in rows}
    ids |= {group.pk for named in standing.groups.values() for group in named}
    for connections in standing.connections.values():
        for each in connections:
            ids |= {each.ipv4_peer_group_id, each.ipv6_peer_group_id}
    ids |= {network.fabric.peer_group_id for network in standing.networks}
    return ids - {None}


def _relationships(standing: Standing) -> Iterator[Relationship]:
    """Those of sessions that are there, and those that were chosen."""
    yield from standing.relationships.values()
    for rows in standing.peers.values():
        for peer in rows:
            if hasattr(peer, "peering_session"):
                yield peer.peering_session.relationship


def _load_named(standing: Standing, found: Found) -> None:
    """What neighbours refer to by name."""
    if names := {each.peer_group for each in found.neighbors} - {""}:
        groups = BGPPeerTemplate.objects.filter(name__in=names).select_related("remote_as").order_by("pk")
        for group in groups:
            standing.groups.setdefault(group.name, []).append(group)
    if names := {name for each in _families_of(found) for name in each} - {""}:
        # Their names are unique whatever the case of their letters.
        wanted = Q()
        for name in names:
            wanted |= Q(name__iexact=name)
        entries = RouteMapEntry.objects.filter(route_map=OuterRef("pk"))
        for row in RouteMap.objects.filter(wanted).annotate(is_empty=~Exists(entries)):
            standing.route_maps[row.name.lower()] = row
            if row.is_empty:
                standing.empty_route_maps.add(row.pk)
    if names := {each.bfd_profile for each in found.neighbors} - {""}:
        standing.bfd = {row.name: row for row in BFDProfile.objects.filter(name__in=names)}


def _load_chosen(standing: Standing, choices: Choices, user: "User | None") -> None:
    if chosen := choices.relationships:
        rows = _visible(Relationship, user).filter(pk__in=chosen)
        standing.relationships = {row.pk: row for row in rows}
    if choices.bfd:
        standing.chosen_bfd = _visible(BFDProfile, user).filter(pk=choices.bfd).first()


def _visible(model: Any, user: "User | None") -> Any:
    return model.objects.all() if user is None else model.objects.restrict(user, "view")


def _families_of(found: Found) -> Iterable[tuple[str, str]]:
    holders: list[Any] = [*found.neighbors, *found.groups]
    return ((family.route_map_in, family.route_map_out) for each in holders for family in each.families)


def _load_route_servers(standing: Standing, found: Found) -> None:
    lans = {
        network.peeringdb_id
        for by_network in standing.lans.values()
        for networks in by_network.values()
        for network in networks
        if network.peeringdb_id
    }
    if not lans:
        return
    rows = PeeringDBIXLan.objects.filter(pk__in=lans, rs_asn__isnull=False).order_by()
    standing.rs_asns = dict(rows.values_list("pk", "rs_asn"))
    numbers = {each.remote_asn for each in found.neighbors if each.remote_asn}
    nets = PeeringDBNet.objects.filter(asn__in=numbers, status="ok", info_types__contains=[ROUTE_SERVER])
    standing.route_servers = set(nets.order_by().values_list("asn", flat=True))

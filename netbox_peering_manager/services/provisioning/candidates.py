"""
Who could we peer with: the ports in PeeringDB's mirror with which we lack a session.

The one rule: a port (netixlan) lacks a session from one of our connections in a family when both have an address of
that family on that LAN (netixlan.ixlan_id is the PeeringNetwork's peeringdb_id), and the connection's BGP scope
(without one, every scope of its device in the LAN's VRF) has no BGPPeer at the port's address. So a second port of a
network with which there are sessions counts, and a BGPPeer made by hand counts as a session.

Only connections and fabrics that the user may view count, but every session does, seen or not: else one would be
proposed a second time. Connections, networks and fabrics that are decommissioned propose nothing.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection as database
from django.db.models import (
    BooleanField,
    Case,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)

from ipam.models import ASN
from netbox_routing.models import BGPScope

from ...models import (
    HiddenPeer,
    PeerASN,
    PeeringConnection,
    PeeringDBNetIXLan,
    PeeringFabric,
    PeeringNetwork,
    PeeringSession,
)
from . import candidates_sql as sql
from .candidates_sql import OurPort
from .standing import DECOMMISSIONED, hides, known, met, own_asns, visible_fabrics

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    type User = AbstractBaseUser | AnonymousUser

__all__ = ("Coverage", "Missing", "available_ports", "coverage", "missing", "our_ports", "usable_connections")

FAMILIES = (4, 6)


@dataclass(frozen=True, slots=True)
class Missing:
    """A session that could be: a netixlan's PeeringDB id, a PeeringConnection's id, family 4 or 6."""

    netixlan_id: int
    connection_id: int
    family: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """
    How much of a fabric is used: `current_peers` remote AS with sessions there that the user may view, `sessions`
    these sessions, `potential_peers` further AS with a port there and no session with us.
    """

    current_peers: int = 0
    potential_peers: int = 0
    sessions: int = 0


def missing(
    netixlan_ids: Iterable[int], connection_ids: Iterable[int], families: Iterable[int] = FAMILIES
) -> list[Missing]:
    """
    Return the sessions that these ports lack from these connections, by netixlan, connection, family; in two queries,
    three when a connection has no BGP scope.

    Pairs that share no LAN, ids that do not exist and families that one of them lacks give none. Whether a port is
    ours, operational or hidden, and whether a connection is decommissioned, is not asked: the caller chose them.
    """
    wanted = set(families)
    ours = our_ports(PeeringConnection.objects.filter(pk__in=set(connection_ids)))
    statement = sql.lacking([port for port in ours if port.family in wanted], netixlan_ids)
    return [Missing(*row) for row in _rows(statement)]


def available_ports(
    user: "User", *, fabric: PeeringFabric | None = None, asn: PeerASN | int | None = None
) -> "QuerySet[PeeringDBNetIXLan]":
    """
    Return the ports on the LANs of our connections that `user` may view with which a session lacks.

    All fabrics, or one; all networks, or that of one AS (a PeerASN or a number). By AS number. Each comes with `net`
    and `ix` (None when PeeringDB has not sent them) and these annotations:

    missing_v4 missing_v6  from how many of our connections it lacks a session
    fabric_id fabric_name  the fabric
    network_id network_name   the LAN in NetBox, None when the user may not view it
    common_exchanges       how many fabrics that the user may view the AS is present at
    session_count          sessions with the AS, anywhere, that the user may view
    peer_asn_id            its PeerASN, None when there is none or the user may not view it
    has_contact            PeeringDB knows an address to write to
    is_route_server        the AS is that of the LAN's route servers
    is_own                 the AS is ours
    is_hidden, hidden_id   it is hidden there today; the HiddenPeer that says so, None when the user may not view it

    Own, hidden and non-operational ports are in here: to leave them out is the filter set's default. Costs a query
    when called, two when a connection has no BGP scope.
    """
    connections = usable_connections(user)
    if fabric is not None:
        connections = connections.filter(peering_network__fabric=fabric)
    ours = our_ports(connections)
    # Said twice, for PostgreSQL: by the LANs it finds the ports before it joins anything to them.
    lans = {port.ixlan_id for port in ours}
    ports = PeeringDBNetIXLan.objects.filter(ixlan_id__in=lans, pk__in=sql.lacking_ids(ours))
    if asn is not None:
        ports = ports.filter(asn=asn.asn.asn if isinstance(asn, PeerASN) else asn)
    counted = {f"missing_v{family}": sql.count_missing(ours, family) for family in FAMILIES}
    return _described(ports, user).annotate(**counted).order_by("asn", "pk")


def usable_connections(user: "User") -> "QuerySet[PeeringConnection]":
    """Return the connections over which sessions can be proposed to `user`: seen, and in use with all above them."""
    return (
        PeeringConnection.objects.restrict(user, "view")
        .filter(peering_network__fabric__in=visible_fabrics(user))
        .exclude(status=DECOMMISSIONED)
        .exclude(peering_network__status=DECOMMISSIONED)
    )


def our_ports(connections: "QuerySet[PeeringConnection]") -> list[OurPort]:
    """
    Return what the rule needs of these connections, by connection and family; those on LANs without a PeeringDB id
    and families without an address of ours are left out.

    One query, and a second when one of them has no BGP scope.
    """
    network = "peering_network"
    found = list(
        connections.filter(peering_network__peeringdb_id__isnull=False)
        .order_by("pk")
        .values(
            "pk",
            "ipv4_address",
            "ipv6_address",
            "bgp_scope",
            ixlan=F(f"{network}__peeringdb_id"),
            device=F("interface__device"),
            vrf4=F(f"{network}__ipv4_prefix__vrf"),
            vrf6=F(f"{network}__ipv6_prefix__vrf"),
        )
    )
    scopes = _scopes_of({row["device"] for row in found if row["bgp_scope"] is None})
    return [
        OurPort(row["pk"], row["ixlan"], family, _scope_ids(row, family, scopes))
        for row in found
        for family in FAMILIES
        if row[f"ipv{family}_address"] is not None
    ]


def coverage(fabric_ids: Iterable[int], user: "User") -> dict[int, Coverage]:
    """
    Return the coverage of each of these fabrics, by its id: in four queries for any number of them, five when a
    connection has no BGP scope.

    Potential peers are counted from all connections, seen or not, by AS and not by port: who has a session on the
    fabric, hidden peers, our own AS and ports that are not operational do not count. Of a fabric that `user` may not
    view nothing is told.
    """
    wanted = list(dict.fromkeys(fabric_ids))
    networks = PeeringNetwork.objects.filter(fabric__in=PeeringFabric.objects.restrict(user, "view"))
    networks = networks.filter(fabric__in=wanted).order_by()
    used = _used(networks, user)
    lans = dict(networks.filter(peeringdb_id__isnull=False).values_list("peeringdb_id", "fabric"))
    free = _potential(lans, networks)
    return {pk: Coverage(potential_peers=free.get(pk, 0), **used.get(pk, {})) for pk in wanted}


def _used(networks: "QuerySet[PeeringNetwork]", user: "User") -> dict[int, dict[str, int]]:
    sessions = PeeringSession.objects.restrict(user, "view").filter(peering_network__in=networks).order_by()
    counted = sessions.with_remote_as().values(fabric=F("peering_network__fabric"))
    return {
        row.pop("fabric"): row
        for row in counted.annotate(sessions=Count("pk"), current_peers=Count("remote_as_id", distinct=True))
    }


def _potential(lans: dict[int, int], networks: "QuerySet[PeeringNetwork]") -> dict[int, int]:
    if not lans:
        return {}
    sessions = PeeringSession.objects.filter(peering_network__in=networks).order_by().with_remote_as()
    remote_as = ASN.objects.filter(pk=OuterRef("remote_as_id")).values("asn")
    statement = sql.potential(
        our_ports(PeeringConnection.objects.filter(peering_network__in=networks)),
        fabrics=lans,
        own=own_asns(),
        hidden=HiddenPeer.objects.in_force().order_by().values_list("asn", "fabric"),
        known=sessions.values_list("peering_network__fabric", Subquery(remote_as)).distinct(),
    )
    return dict(_rows(statement))


def _described(ports: "QuerySet[PeeringDBNetIXLan]", user: "User") -> "QuerySet[PeeringDBNetIXLan]":
    """Annotate ports with all that available_ports() promises but what is missing."""
    lans = PeeringNetwork.objects.filter(peeringdb_id=OuterRef("ixlan_id")).order_by()
    seen = lans.restrict(user, "view")
    hidden = hides(OuterRef("ixlan_id"))
    # The entry for the fabric says more than the one for everywhere.
    told = hidden.restrict(user, "view").order_by(F("fabric").asc(nulls_last=True))
    return ports.select_related("net", "ix").annotate(
        fabric_id=Subquery(lans.values("fabric")),
        fabric_name=Subquery(lans.values("fabric__name")),
        network_id=Subquery(seen.values("pk")),
        network_name=Subquery(seen.values("name")),
        is_route_server=_is(Q(asn=F("ixlan__rs_asn"))),
        is_own=_is(Q(asn__in=own_asns())),
        is_hidden=Exists(hidden),
        hidden_id=Subquery(told.values("pk")[:1]),
        **known(user, net="net_id"),
        **met(user),
    )


def _is(condition: Q) -> Case:
    """Return the condition as an annotation: False also where it is unknown."""
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())


def _scopes_of(device_ids: set[int]) -> dict[tuple[int, int | None], tuple[int, ...]]:
    """Return the BGP scopes of these devices, by device and VRF."""
    if not device_ids:
        return {}
    found: dict[tuple[int, int | None], tuple[int, ...]] = defaultdict(tuple)
    scopes = BGPScope.objects.filter(router__device__in=device_ids).order_by("pk")
    for device, vrf, scope in scopes.values_list("router__device", "vrf", "pk"):
        found[device, vrf] += (scope,)
    return found


def _scope_ids(
    row: dict[str, Any], family: int, scopes: dict[tuple[int, int | None], tuple[int, ...]]
) -> tuple[int, ...]:
    if row["bgp_scope"] is not None:
        return (row["bgp_scope"],)
    return scopes.get((row["device"], row[f"vrf{family}"]), ())


def _rows(statement: tuple[str, list[Any]]) -> list[Any]:
    with database.cursor() as cursor:
        cursor.execute(*statement)
        return cursor.fetchall()

"""
What NetBox holds already of what sessions take, and what PeeringDB's mirror says of their peers.

Read with a fixed number of queries for any number of sessions, so that one and a thousand are made by the same rules
from the same facts (`rules`).
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.prefetch import GenericPrefetch
from django.db import models
from django.db.models import Exists, OuterRef, Q, prefetch_related_objects

from dcim.models import Interface
from ipam.models import ASN, RIR, FHRPGroup, IPAddress, IPRange
from netbox_routing.models import BGPAddressFamily, BGPPeer
from virtualization.models import VMInterface

from ...models import PeerASN, PeeringConnection, PeeringDBNet, PeeringDBNetIXLan
from ...settings import get_setting
from ..permissions import allowed_pks
from .new import Address
from .registries import REGISTRIES

if TYPE_CHECKING:
    from users.models import User

AFI_SAFI = {4: "ipv4-unicast", 6: "ipv6-unicast"}


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where a session is to be, and with whom: `host` is the peer's address, in this VRF (None: the global table).

    `own_port` is the id of our port there in PeeringDB (netixlan), None when it has none.
    """

    asn: int
    host: Address
    vrf_id: int | None
    scope_id: int
    own_port: int | None = None


@dataclass(slots=True)
class Ground:
    """
    What is there. Rows that are to be made are added by the rules, so that the next session uses them.

    `own_asns` are the AS numbers of our ports, by their ids in PeeringDB. `nets` are those of the mirror, by AS number,
    of AS without a PeerASN. `rirs` are by slug, `addresses` by VRF id and address, `families` by scope id and
    AFI/SAFI, `peers` by scope id and address. `ranges` are those in which NetBox lets nobody make an address. `unseen`
    are the rows that the user may not view: refusals do not name them.
    """

    asns: dict[int, ASN] = field(default_factory=dict)
    own_asns: dict[int, int] = field(default_factory=dict)
    nets: dict[int, PeeringDBNet] = field(default_factory=dict)
    rirs: dict[str, RIR] = field(default_factory=dict)
    addresses: dict[tuple[int | None, Address], list[IPAddress]] = field(default_factory=dict)
    ranges: list[IPRange] = field(default_factory=list)
    families: dict[tuple[int, str], BGPAddressFamily] = field(default_factory=dict)
    peers: dict[tuple[int, Address], BGPPeer] = field(default_factory=dict)
    unseen: set[tuple[type[models.Model], Any]] = field(default_factory=set)

    def may_name(self, row: models.Model) -> bool:
        """Whether a refusal may name this row, which is there or was built for another session."""
        return (type(row), row.pk) not in self.unseen


def load_ground(
    places: Sequence[Place], user: "User | None" = None, *, known: Ground | None = None
) -> Ground:
    """
    Return what there is at these places, for this user (None: who sees everything). At most 17 queries.

    With `known`, its BGP peers and address families are taken: the caller has read them already.
    """
    if not places:
        return known or Ground()
    own_asns = _own_asns({place.own_port for place in places if place.own_port is not None})
    asns = {asn.asn: asn for asn in _asns({place.asn for place in places} | set(own_asns.values()))}
    addresses = _addresses(places)
    peers = _peers(places) if known is None else known.peers
    return Ground(
        asns=asns,
        own_asns=own_asns,
        nets=_nets({place.asn for place in places if not has_peer_asn(asns.get(place.asn))}),
        rirs=_rirs() if any(place.asn not in asns for place in places) else {},
        addresses=addresses,
        ranges=_ranges([place for place in places if (place.vrf_id, place.host) not in addresses]),
        families=_families(places) if known is None else known.families,
        peers=peers,
        unseen=_unseen([*_holders(addresses), *peers.values()], user),
    )


def load_asns(numbers: Iterable[int]) -> Ground:
    """Return what there is of these AS alone, and the RIRs that a missing one could be given."""
    asns = {asn.asn: asn for asn in ASN.objects.filter(asn__in=set(numbers)).select_related("peer_asn")}
    return Ground(asns=asns, rirs={} if asns.keys() >= set(numbers) else _rirs())


def has_peer_asn(asn: ASN | None) -> bool:
    """Whether the plugin knows the network behind this AS, which was read together with its PeerASN."""
    return asn is not None and hasattr(asn, "peer_asn")


def ours(asn: ASN | None) -> PeerASN | None:
    """Return the PeerASN of an AS that was read together with it, None unless it is one of ours."""
    return asn.peer_asn if asn is not None and has_peer_asn(asn) and asn.peer_asn.affiliated else None


def own_as_of(connection: PeeringConnection) -> PeerASN | None:
    """Return the AS under which PeeringDB has this port of ours, None unless it says so and the AS is ours."""
    numbers = _own_asns({connection.peeringdb_id} if connection.peeringdb_id is not None else set())
    return ours(_asns(set(numbers.values())).first())


def host_of(address: IPAddress) -> Address:
    """Return the address without its mask."""
    # An instance that was not read back from the database may hold its address as text.
    return ipaddress.ip_interface(str(address.address)).ip


def _own_asns(own_ports: set[int]) -> dict[int, int]:
    if not own_ports:
        return {}
    return dict(PeeringDBNetIXLan.objects.filter(pk__in=own_ports).order_by().values_list("pk", "asn"))


def _asns(numbers: set[int]) -> Any:
    return ASN.objects.filter(asn__in=numbers).select_related("peer_asn")


def _nets(numbers: set[int]) -> dict[int, PeeringDBNet]:
    """
    Return the mirrored nets of these AS, each with `is_taken`: whether another PeerASN has its PeeringDB id, as after
    a network has changed its AS.
    """
    if not numbers:
        return {}
    taken = PeerASN.objects.filter(peeringdb_id=OuterRef("pk")).order_by()
    # By id, so that the newest one counts, should two rows have one AS in the middle of a sync.
    nets = PeeringDBNet.objects.filter(asn__in=numbers, status="ok").annotate(is_taken=Exists(taken))
    return {net.asn: net for net in nets.order_by("pk")}


def _rirs() -> dict[str, RIR]:
    """The RIRs that are one of the registries, by slug or by name, and the one of the setting default_rir; by slug."""
    slugs = {slug for registry in REGISTRIES.values() for slug in registry.slugs} | {
        get_setting("default_rir")
    }
    names = {registry.name for registry in REGISTRIES.values()}
    rirs = RIR.objects.filter(Q(slug__in=slugs) | Q(name__in=names))
    return {rir.slug: rir for rir in rirs.order_by("pk")}


def _addresses(places: Sequence[Place]) -> dict[tuple[int | None, Address], list[IPAddress]]:
    hosts = sorted({str(place.host) for place in places})
    rows = (
        IPAddress.objects.filter(_in_vrfs(places), address__net_in=hosts).select_related("vrf").order_by("pk")
    )
    found: dict[tuple[int | None, Address], list[IPAddress]] = {}
    for row in rows:
        found.setdefault((row.vrf_id, host_of(row)), []).append(row)
    if assigned := [row for row in rows if row.assigned_object_id]:
        holders = (
            Interface.objects.select_related("device"),
            VMInterface.objects.select_related("virtual_machine"),
            FHRPGroup.objects.all(),
        )
        prefetch_related_objects(assigned, GenericPrefetch("assigned_object", holders))
    return found


def _holders(addresses: dict[tuple[int | None, Address], list[IPAddress]]) -> list[models.Model]:
    """What the addresses that are assigned are assigned to."""
    rows = [row for found in addresses.values() for row in found if row.assigned_object_id]
    return [row.assigned_object for row in rows if row.assigned_object is not None]


def _unseen(rows: Sequence[models.Model], user: "User | None") -> set[tuple[type[models.Model], Any]]:
    """Those of the rows that the user may not view; a query at most for each of their models."""
    by_model: dict[type[models.Model], list[models.Model]] = {}
    for row in rows:
        by_model.setdefault(type(row), []).append(row)
    unseen: set[tuple[type[models.Model], Any]] = set()
    for model, found in by_model.items():
        seen = allowed_pks(found, user)
        unseen |= {(model, row.pk) for row in found if row.pk not in seen}
    return unseen


def _in_vrfs(places: Sequence[Place]) -> Q:
    vrfs = {place.vrf_id for place in places}
    named = Q(vrf_id__in=vrfs - {None})
    return named | Q(vrf=None) if None in vrfs else named


def _ranges(missing: Sequence[Place]) -> list[IPRange]:
    """The ranges marked as populated that reach into where addresses are missing: NetBox makes none in them."""
    if not missing:
        return []
    reach = Q()
    for version in {place.host.version for place in missing}:
        hosts = [place.host for place in missing if place.host.version == version]
        # PostgreSQL orders inet values by family first.
        reach |= Q(
            start_address__host__inet__lte=str(max(hosts, key=int)),
            end_address__host__inet__gte=str(min(hosts, key=int)),
        )
    ranges = IPRange.objects.filter(_in_vrfs(missing), reach, mark_populated=True)
    return list(ranges.order_by("vrf_id", "start_address", "pk"))


def _families(places: Sequence[Place]) -> dict[tuple[int, str], BGPAddressFamily]:
    rows = BGPAddressFamily.objects.filter(
        scope_id__in={place.scope_id for place in places}, address_family__in=AFI_SAFI.values()
    )
    return {(row.scope_id, row.address_family): row for row in rows.order_by("pk")}


def _peers(places: Sequence[Place]) -> dict[tuple[int, Address], BGPPeer]:
    rows = BGPPeer.objects.filter(
        scope_id__in={place.scope_id for place in places},
        peer__address__net_in=sorted({str(place.host) for place in places}),
    ).select_related("peer", "peering_session")
    found: dict[tuple[int, Address], BGPPeer] = {}
    for row in rows.order_by("pk"):
        found.setdefault((row.scope_id, host_of(row.peer)), row)
    return found

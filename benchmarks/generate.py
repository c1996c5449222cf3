"""
Devices with any number of sessions, made in bulk.

Addresses come from the range for benchmarks (RFC 2544) and from that for documentation (RFC 3849), AS numbers from
the private range of 32 bits (RFC 6996).
"""

import ipaddress
from dataclasses import dataclass
from itertools import count, islice

from django.contrib.contenttypes.models import ContentType

from dcim.models import Device, DeviceRole, DeviceType, Interface, Manufacturer, Site
from ipam.models import ASN, RIR, IPAddress, Prefix
from netbox_routing.models import (
    BFDProfile,
    BGPAddressFamily,
    BGPPeer,
    BGPPeerAddressFamily,
    BGPPeerTemplate,
    BGPRouter,
    BGPScope,
    Community,
    CommunityList,
    CommunityListEntry,
    CustomPrefix,
    PrefixList,
    PrefixListEntry,
    RouteMap,
    RouteMapEntry,
)

from netbox_peering_manager.models import (
    PeerASN,
    PeeringConnection,
    PeeringFabric,
    PeeringNetwork,
    PeeringSession,
    Relationship,
)
from netbox_peering_manager.services import secrets

LANS = 4
PREFIX_LISTS = 20
ENTRIES_PER_PREFIX_LIST = 25
ROUTE_MAPS = 12
ENTRIES_PER_ROUTE_MAP = 4
# One session in so many has a password, BFD, and limits of its own.
WITH_PASSWORD, WITH_BFD, WITH_OWN_LIMITS = 4, 5, 6
# Beyond the AS numbers of the sample PeeringDB.
FIRST_ASN = 4_250_000_000
RIR_SLUG = "bench"


@dataclass(frozen=True)
class Lan:
    """A LAN with our port on it, and addresses that nobody has yet."""

    network: PeeringNetwork
    sources: dict[int, IPAddress]
    hosts: dict[int, object]


@dataclass(frozen=True)
class Policies:
    route_maps: list[RouteMap]
    prefix_lists: dict[int, list[PrefixList]]


def make_policies() -> Policies:
    """Make the route maps, prefix lists and communities that all devices share."""
    prefix_lists = {
        family: [_prefix_list(family, number) for number in range(PREFIX_LISTS // 2)] for family in (4, 6)
    }
    communities = Community.objects.bulk_create(
        Community(community=f"64500:{number}") for number in range(20)
    )
    community_list = CommunityList.objects.create(name="FROM-PEERS")
    CommunityListEntry.objects.bulk_create(
        CommunityListEntry(community_list=community_list, action="permit", community=community)
        for community in communities[:10]
    )
    route_maps = RouteMap.objects.bulk_create(
        RouteMap(name=f"PEERS-{number}") for number in range(ROUTE_MAPS)
    )
    for number, route_map in enumerate(route_maps):
        for sequence in range(10, 10 * ENTRIES_PER_ROUTE_MAP + 1, 10):
            entry = RouteMapEntry.objects.create(
                route_map=route_map,
                sequence=sequence,
                action="permit",
                set={"local-preference": 100 + number},
            )
            entry.match_prefix_list.add(prefix_lists[4 if number % 2 else 6][sequence % 5])
            entry.match_community_list.add(community_list)
            entry.match_community.add(communities[number])
    return Policies(route_maps, prefix_lists)


def _prefix_list(family: int, number: int) -> PrefixList:
    made = PrefixList.objects.create(name=f"CUSTOMERS-{number}-V{family}", family=family)
    width = 8 if family == 4 else 16
    networks = (
        ipaddress.ip_network(f"10.{number}.0.0/16")
        if family == 4
        else ipaddress.ip_network(f"2001:db8:{number:x}::/48")
    ).subnets(prefixlen_diff=width)
    prefixes = CustomPrefix.objects.bulk_create(
        CustomPrefix(prefix=str(network)) for network in islice(networks, ENTRIES_PER_PREFIX_LIST)
    )
    PrefixListEntry.objects.bulk_create(
        PrefixListEntry(
            prefix_list=made,
            assigned_prefix_type=ContentType.objects.get_for_model(CustomPrefix),
            assigned_prefix_id=prefix.pk,
            sequence=5 * (position + 1),
            action="permit",
            le=24 if family == 4 else None,
        )
        for position, prefix in enumerate(prefixes)
    )
    return made


def make_device(size: int, policies: Policies) -> Device:
    """Make a device with `size` sessions: half IPv4, half IPv6, on four LANs, towards half as many networks."""
    device, scope = make_router(f"bench-{size}")
    lans = [_lan(device, scope, size, number) for number in range(LANS)]
    families = {
        4: BGPAddressFamily.objects.create(scope=scope, address_family="ipv4-unicast"),
        6: BGPAddressFamily.objects.create(scope=scope, address_family="ipv6-unicast"),
    }
    group = BGPPeerTemplate.objects.create(name=f"PEERS-{size}")
    bfd = BFDProfile.objects.get_or_create(
        name="fast", defaults={"min_tx_int": 300, "min_rx_int": 300, "multiplier": 3}
    )[0]
    asns = _asns(size)
    peers = _peers(size, scope, lans, asns, group, bfd)
    _peer_families(peers, families, policies)
    _sessions(peers, lans, policies)
    return device


def make_router(name: str) -> tuple[Device, BGPScope]:
    """Make a device with a BGP router of our AS, and its scope in the global table."""
    site = Site.objects.get_or_create(name="bench", slug="bench")[0]
    maker = Manufacturer.objects.get_or_create(name="bench", slug="bench")[0]
    kind = DeviceType.objects.get_or_create(model="bench", slug="bench", manufacturer=maker)[0]
    role = DeviceRole.objects.get_or_create(name="bench", slug="bench")[0]
    device = Device.objects.create(name=name, site=site, device_type=kind, role=role)
    ours = _asn(64500)
    PeerASN.objects.get_or_create(asn=ours, defaults={"affiliated": True})
    router = BGPRouter.objects.create(name=name, assigned_object=device, asn=ours)
    return device, BGPScope.objects.create(router=router)


def _asn(number: int) -> ASN:
    rir = RIR.objects.get_or_create(name="bench", slug=RIR_SLUG, is_private=True)[0]
    return ASN.objects.get_or_create(asn=number, defaults={"rir": rir})[0]


def _lan(device: Device, scope: BGPScope, size: int, number: int) -> Lan:
    third = {100: 0, 1000: 64, 5000: 128}.get(size, 192) + 16 * number
    prefix4 = ipaddress.ip_network(f"198.18.{third}.0/20")
    prefix6 = ipaddress.ip_network(f"2001:db8:{size:x}:{number}::/64")
    fabric = PeeringFabric.objects.create(name=f"IX {size} {number}", slug=f"ix-{size}-{number}")
    network = PeeringNetwork.objects.create(
        fabric=fabric,
        name="Peering LAN",
        ipv4_prefix=Prefix.objects.create(prefix=str(prefix4)),
        ipv6_prefix=Prefix.objects.create(prefix=str(prefix6)),
    )
    interface = Interface.objects.create(device=device, name=f"Ethernet{number}", type="100gbase-x-qsfp28")
    hosts = {4: prefix4.hosts(), 6: (prefix6[index] for index in count(1))}
    sources = {
        family: IPAddress.objects.create(
            address=f"{next(hosts[family])}/{prefix.prefixlen}", assigned_object=interface
        )
        for family, prefix in ((4, prefix4), (6, prefix6))
    }
    PeeringConnection.objects.create(peering_network=network, interface=interface, bgp_scope=scope)
    return Lan(network, sources, hosts)


def _asns(size: int) -> list[ASN]:
    rir = _asn(64500).rir
    known = ASN.objects.filter(asn__gte=FIRST_ASN).count()
    numbers = range(FIRST_ASN + known, FIRST_ASN + known + max(1, size // 2))
    asns = ASN.objects.bulk_create(ASN(asn=number, rir=rir) for number in numbers)
    PeerASN.objects.bulk_create(
        PeerASN(
            asn=asn,
            name=f"Network {asn.asn}",
            irr_as_set=f"AS-N{asn.asn}",
            ipv4_max_prefixes=100,
            ipv6_max_prefixes=50,
        )
        for asn in asns
    )
    return asns


def _peers(
    size: int, scope: BGPScope, lans: list[Lan], asns: list[ASN], group: BGPPeerTemplate, bfd: BFDProfile
) -> list[BGPPeer]:
    addresses = IPAddress.objects.bulk_create(
        IPAddress(
            address=f"{next(_lan_of(lans, index).hosts[_family(index)])}/{20 if _family(index) == 4 else 64}"
        )
        for index in range(size)
    )
    return BGPPeer.objects.bulk_create(
        BGPPeer(
            name=f"AS{asns[index // 2].asn} {index}",
            scope=scope,
            peer=address,
            source=_lan_of(lans, index).sources[_family(index)],
            local_as=scope.router.asn,
            remote_as=asns[index // 2],
            peer_group=group if index % 3 == 0 else None,
            bfd=bfd if index % WITH_BFD == 0 else None,
            enabled=index % 10 != 0,
            status="active",
        )
        for index, address in enumerate(addresses)
    )


def _peer_families(peers: list[BGPPeer], families: dict[int, BGPAddressFamily], policies: Policies) -> None:
    peer_type = ContentType.objects.get_for_model(BGPPeer)
    BGPPeerAddressFamily.objects.bulk_create(
        BGPPeerAddressFamily(
            assigned_object_type=peer_type,
            assigned_object_id=peer.pk,
            address_family=families[_family(index)],
            enabled=True,
            routemap_in=policies.route_maps[index % ROUTE_MAPS] if index % 2 == 0 else None,
            prefixlist_in=policies.prefix_lists[_family(index)][index % (PREFIX_LISTS // 2)],
        )
        for index, peer in enumerate(peers)
    )


def _sessions(peers: list[BGPPeer], lans: list[Lan], policies: Policies) -> None:
    kinds = [
        Relationship.objects.get_or_create(
            slug=name.lower(),
            defaults={
                "name": name,
                "routemap_in": policies.route_maps[number],
                "routemap_out": policies.route_maps[-1 - number],
            },
        )[0]
        for number, name in enumerate(("Peer", "Customer", "Transit"))
    ]
    sessions = [
        PeeringSession(
            bgp_peer=peer,
            relationship=kinds[index % len(kinds)],
            peering_network=_lan_of(lans, index).network,
            service_reference=f"T{index}",
            ipv4_max_prefixes=500 if index % WITH_OWN_LIMITS == 0 else None,
        )
        for index, peer in enumerate(peers)
    ]
    for session in sessions[::WITH_PASSWORD]:
        secrets.set_password(session, f"password of {session.bgp_peer.name}")
    PeeringSession.objects.bulk_create(sessions)


def _family(index: int) -> int:
    """Both sessions with a network are neighbours in the list: IPv4, then IPv6."""
    return 4 if index % 2 == 0 else 6


def _lan_of(lans: list[Lan], index: int) -> Lan:
    return lans[index // 2 % len(lans)]

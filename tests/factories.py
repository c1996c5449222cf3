"""
Objects with sensible parents, for tests. Each factory makes what it is not given; addresses are RFC 5737 and RFC
3849, AS numbers RFC 5398.
"""

from collections import defaultdict
from contextlib import contextmanager
from itertools import count

from dcim.models import Device, Interface
from ipam.models import ASN, RIR, VRF, IPAddress, Prefix
from netbox.context import query_cache
from netbox_routing.models import BGPAddressFamily, BGPPeer, BGPPeerAddressFamily, BGPRouter, BGPScope
from utilities.testing import create_test_device

from netbox_peering_manager.models import (
    PeerASN,
    PeeringConnection,
    PeeringFabric,
    PeeringNetwork,
    PeeringSession,
    Relationship,
)

LOCAL_ASN = 64500
_numbers = count(1)


@contextmanager
def look_ups_kept():
    """
    Keep what NetBox looks up for each object that is saved (its type, its custom fields), as a request does.

    Also a decorator, for what makes many objects: it takes a third of the time off.
    """
    token = query_cache.set(defaultdict(dict))
    try:
        yield
    finally:
        query_cache.reset(token)


def make_rir() -> RIR:
    return RIR.objects.get_or_create(
        slug="documentation", defaults={"name": "Documentation", "is_private": True}
    )[0]


def make_asn(number: int) -> ASN:
    return ASN.objects.get_or_create(asn=number, defaults={"rir": make_rir()})[0]


def make_peer_asn(number: int, **fields) -> PeerASN:
    return PeerASN.objects.create(asn=make_asn(number), **fields)


def make_device(name: str = "rt1.mtl") -> Device:
    return Device.objects.filter(name=name).first() or create_test_device(name)


def make_interface(device: Device, name: str = "Ethernet1") -> Interface:
    return Interface.objects.get_or_create(device=device, name=name, defaults={"type": "10gbase-x-sfpp"})[0]


def make_prefix(prefix: str, vrf: VRF | None = None) -> Prefix:
    return Prefix.objects.get_or_create(prefix=prefix, vrf=vrf)[0]


def make_address(address: str, interface: Interface | None = None, vrf: VRF | None = None) -> IPAddress:
    return IPAddress.objects.create(address=address, vrf=vrf, assigned_object=interface)


def make_fabric(name: str = "LINX LON1", **fields) -> PeeringFabric:
    slug = fields.pop("slug", name.lower().replace(" ", "-"))
    return PeeringFabric.objects.get_or_create(name=name, defaults={"slug": slug, **fields})[0]


def make_network(
    name: str = "LINX LON1 Main",
    fabric: PeeringFabric | None = None,
    ipv4: str | None = "198.51.100.0/24",
    ipv6: str | None = "2001:db8:100::/64",
    vrf: VRF | None = None,
    **fields,
) -> PeeringNetwork:
    return PeeringNetwork.objects.create(
        fabric=fabric or make_fabric(),
        name=name,
        ipv4_prefix=make_prefix(ipv4, vrf) if ipv4 else None,
        ipv6_prefix=make_prefix(ipv6, vrf) if ipv6 else None,
        **fields,
    )


def make_scope(device: Device | None = None, vrf: VRF | None = None, asn: int = LOCAL_ASN) -> BGPScope:
    device = device or make_device()
    router = BGPRouter.objects.filter(device=device).first() or BGPRouter.objects.create(
        name=device.name, assigned_object=device, asn=make_asn(asn)
    )
    return BGPScope.objects.get_or_create(router=router, vrf=vrf)[0]


def make_second_scope(device: Device, asn: int) -> BGPScope:
    """The scope of a further BGP router of the device, in the global table."""
    router = BGPRouter.objects.create(name=f"AS{asn}", assigned_object=device, asn=make_asn(asn))
    return BGPScope.objects.create(router=router)


def make_connection(
    network: PeeringNetwork | None = None,
    interface: Interface | None = None,
    ipv4: str | None = "198.51.100.1/24",
    ipv6: str | None = "2001:db8:100::1/64",
    **fields,
) -> PeeringConnection:
    """A connection whose addresses are made on its interface, in the network's VRF."""
    network = network or make_network()
    interface = interface or make_interface(make_device())
    for address, prefix in ((ipv4, network.ipv4_prefix), (ipv6, network.ipv6_prefix)):
        if address and prefix:
            make_address(address, interface, prefix.vrf)
    return PeeringConnection.objects.create(peering_network=network, interface=interface, **fields)


def make_relationship(name: str = "Peer", **fields) -> Relationship:
    slug = fields.pop("slug", name.lower().replace(" ", "-"))
    return Relationship.objects.get_or_create(slug=slug, defaults={"name": name, **fields})[0]


def make_bgp_peer(
    remote: str = "198.51.100.42/24",
    asn: int = 64496,
    scope: BGPScope | None = None,
    source: IPAddress | None = None,
    families: tuple[str, ...] = (),
    vrf: VRF | None = None,
    **fields,
) -> BGPPeer:
    scope = scope or make_scope()
    peer = BGPPeer.objects.create(
        scope=scope,
        peer=make_address(remote, vrf=vrf),
        source=source,
        local_as=fields.pop("local_as", scope.router.asn),
        remote_as=make_asn(asn),
        name=fields.pop("name", f"AS{asn} {next(_numbers)}"),
        enabled=fields.pop("enabled", True),
        status=fields.pop("status", "active"),
        **fields,
    )
    for name in families:
        family = BGPAddressFamily.objects.get_or_create(scope=scope, address_family=name)[0]
        BGPPeerAddressFamily.objects.create(assigned_object=peer, address_family=family, enabled=True)
    return peer


def make_session(
    bgp_peer: BGPPeer | None = None,
    relationship: Relationship | None = None,
    network: PeeringNetwork | None = None,
    **fields,
) -> PeeringSession:
    return PeeringSession.objects.create(
        bgp_peer=bgp_peer or make_bgp_peer(),
        relationship=relationship or make_relationship(),
        peering_network=network,
        **fields,
    )

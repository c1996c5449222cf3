"""
A full-size PeeringDB in the mirror, and our side of it: 20 exchanges with our ports, routers and some sessions.

The largest LAN has 1,500 networks and two routers of ours; on every exchange one network in five is a peer already.
"""

import ipaddress
from dataclasses import dataclass

from dcim.models import Device, DeviceRole, DeviceType, Interface, Manufacturer, Site
from ipam.models import ASN, RIR, IPAddress, Prefix
from netbox_routing.models import BGPPeer, BGPRouter, BGPScope

from netbox_peering_manager.models import (
    PeerASN,
    PeeringConnection,
    PeeringFabric,
    PeeringNetwork,
    PeeringSession,
    Relationship,
)

PEER_EVERY = 5


@dataclass(frozen=True)
class OurSide:
    """What make_our_side() made: all fabrics, and the one of the largest exchange."""

    fabrics: list[PeeringFabric]
    largest: PeeringFabric


def make_our_side(world) -> OurSide:
    """Make a fabric, its networks, our connections and sessions for each exchange where the world has us."""
    maker = _Maker(world)
    fabrics = [maker.fabric(ix_id) for ix_id in world.our_ix_ids]
    largest = next(fabric for fabric in fabrics if fabric.peeringdb_id == world.largest_ix_id)
    return OurSide(fabrics, largest)


class _Maker:
    def __init__(self, world):
        self.world = world
        self.rir = RIR.objects.get_or_create(slug="bench", defaults={"name": "bench", "is_private": True})[0]
        self.relationship = Relationship.objects.get_or_create(slug="peer", defaults={"name": "Peer"})[0]
        self.asns = {asn.asn: asn for asn in ASN.objects.all()}
        self.ours = self.asn(world.our_asn)
        PeerASN.objects.get_or_create(asn=self.ours, defaults={"affiliated": True})
        self.ports: dict[int, list[dict]] = {}
        for port in world.rows("netixlan"):
            self.ports.setdefault(port["ixlan_id"], []).append(port)

    def asn(self, number: int) -> ASN:
        if number not in self.asns:
            self.asns[number] = ASN.objects.create(asn=number, rir=self.rir)
        return self.asns[number]

    def fabric(self, ix_id: int) -> PeeringFabric:
        exchange = self.world.get("ix", ix_id)
        fabric = PeeringFabric.objects.create(
            name=f"{exchange['name']} {ix_id}", slug=f"bench-ix-{ix_id}", peeringdb_id=ix_id
        )
        for lan in self.world.find("ixlan", ix_id=ix_id):
            self._network(fabric, lan)
        return fabric

    def _network(self, fabric: PeeringFabric, lan: dict) -> None:
        prefixes = self.world.lan(lan["id"])
        network = PeeringNetwork.objects.create(
            fabric=fabric,
            name=lan["name"] or "Peering LAN",
            peeringdb_id=lan["id"],
            ipv4_prefix=Prefix.objects.create(prefix=str(prefixes[4])),
            ipv6_prefix=Prefix.objects.create(prefix=str(prefixes[6])),
        )
        ports = self.ports.get(lan["id"], [])
        ours = [port for port in ports if port["asn"] == self.world.our_asn]
        connections = [self._connection(network, port) for port in ours]
        if connections:
            self._sessions(network, connections[0], ports)

    def _connection(self, network: PeeringNetwork, port: dict) -> PeeringConnection:
        scope = self._scope(f"bench-rt{port['id']}")
        interface = Interface.objects.create(
            device=scope.router.assigned_object, name="Ethernet1", type="100gbase-x-qsfp28"
        )
        for family, prefix in ((4, network.ipv4_prefix), (6, network.ipv6_prefix)):
            if address := port[f"ipaddr{family}"]:
                length = ipaddress.ip_network(str(prefix.prefix)).prefixlen
                IPAddress.objects.create(address=f"{address}/{length}", assigned_object=interface)
        return PeeringConnection.objects.create(
            peering_network=network, interface=interface, bgp_scope=scope, peeringdb_id=port["id"]
        )

    def _scope(self, name: str) -> BGPScope:
        site = Site.objects.get_or_create(name="bench", slug="bench")[0]
        maker = Manufacturer.objects.get_or_create(name="bench", slug="bench")[0]
        kind = DeviceType.objects.get_or_create(model="bench", slug="bench", manufacturer=maker)[0]
        role = DeviceRole.objects.get_or_create(name="bench", slug="bench")[0]
        device = Device.objects.create(name=name, site=site, device_type=kind, role=role)
        router = BGPRouter.objects.create(name=name, assigned_object=device, asn=self.ours)
        return BGPScope.objects.create(router=router)

    def _sessions(self, network: PeeringNetwork, connection: PeeringConnection, ports: list[dict]) -> None:
        """Sessions over one of our connections with some of the networks, in each of their families."""
        wanted = [
            (port["asn"], port[f"ipaddr{family}"], 24 if family == 4 else 64)
            for port in ports[::PEER_EVERY]
            if port["asn"] != self.world.our_asn
            for family in (4, 6)
            if port[f"ipaddr{family}"]
        ]
        addresses = IPAddress.objects.bulk_create(
            IPAddress(address=f"{address}/{length}") for _asn, address, length in wanted
        )
        peers = BGPPeer.objects.bulk_create(
            BGPPeer(name=f"AS{asn}", scope=connection.bgp_scope, peer=address, remote_as=self.asn(asn), enabled=True)
            for (asn, _address, _length), address in zip(wanted, addresses, strict=True)
        )
        PeeringSession.objects.bulk_create(
            PeeringSession(bgp_peer=peer, relationship=self.relationship, peering_network=network) for peer in peers
        )

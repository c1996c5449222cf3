"""
Our side of a PeeringDB that is in the mirror: fabrics, routers and ports wherever our AS has ports, some sessions, and
the networks that they are with.

In a VRF of its own, because other benchmarks use the same addresses.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Count

from dcim.models import Device, DeviceRole, DeviceType, Interface, Manufacturer, Site
from ipam.models import ASN, RIR, VRF, IPAddress, Prefix
from netbox_routing.models import BGPPeer, BGPRouter, BGPScope

from dev.demo_network import OUR_ASN
from netbox_peering_manager.models import (
    PeerASN,
    PeeringConnection,
    PeeringDBIX,
    PeeringDBIXLan,
    PeeringDBIXPfx,
    PeeringDBNetIXLan,
    PeeringFabric,
    PeeringNetwork,
    PeeringSession,
    Relationship,
)

# One port in so many has sessions with us already.
PEER_EVERY = 5


@dataclass(frozen=True)
class OurSide:
    """What make_our_side() made: all fabrics, and the one with the most ports of others."""

    fabrics: list[PeeringFabric]
    largest: PeeringFabric


def make_our_side() -> OurSide:
    """Make a fabric, its networks, our connections and sessions for each exchange where our AS has a port."""
    maker = _Maker()
    ours = PeeringDBNetIXLan.objects.filter(asn=OUR_ASN).values("ix_id")
    fabrics = [maker.fabric(exchange) for exchange in PeeringDBIX.objects.filter(pk__in=ours).order_by("pk")]
    ports = PeeringDBNetIXLan.objects.filter(ix_id__in=[fabric.peeringdb_id for fabric in fabrics])
    most = ports.order_by().values("ix_id").annotate(ports=Count("pk")).order_by("-ports")[0]["ix_id"]
    return OurSide(fabrics, next(fabric for fabric in fabrics if fabric.peeringdb_id == most))


class _Maker:
    def __init__(self) -> None:
        self.vrf = VRF.objects.create(name="exchanges")
        self.rir = RIR.objects.get_or_create(slug="bench", defaults={"name": "bench", "is_private": True})[0]
        self.relationship = Relationship.objects.get_or_create(
            slug="exchanges", defaults={"name": "Exchanges"}
        )[0]
        self.asns = {asn.asn: asn for asn in ASN.objects.all()}
        PeerASN.objects.get_or_create(asn=self.asn(OUR_ASN), defaults={"affiliated": True})

    def asn(self, number: int) -> ASN:
        if number not in self.asns:
            self.asns[number] = ASN.objects.create(asn=number, rir=self.rir)
        return self.asns[number]

    @cached_property
    def hardware(self) -> dict[str, object]:
        maker = Manufacturer.objects.get_or_create(name="bench", slug="bench")[0]
        return {
            "site": Site.objects.get_or_create(name="bench", slug="bench")[0],
            "role": DeviceRole.objects.get_or_create(name="bench", slug="bench")[0],
            "device_type": DeviceType.objects.get_or_create(model="bench", slug="bench", manufacturer=maker)[
                0
            ],
        }

    def fabric(self, exchange: PeeringDBIX) -> PeeringFabric:
        fabric = PeeringFabric.objects.create(
            name=f"{exchange.name} ({exchange.pk})", slug=f"exchange-{exchange.pk}", peeringdb_id=exchange.pk
        )
        for lan in PeeringDBIXLan.objects.filter(ix_id=exchange.pk):
            self._network(fabric, lan)
        return fabric

    def _network(self, fabric: PeeringFabric, lan: PeeringDBIXLan) -> None:
        prefixes = {row.prefix.version: row.prefix for row in PeeringDBIXPfx.objects.filter(ixlan_id=lan.pk)}
        network = PeeringNetwork.objects.create(
            fabric=fabric,
            name=lan.name or "Peering LAN",
            peeringdb_id=lan.pk,
            **{
                f"ipv{family}_prefix": Prefix.objects.create(prefix=prefix, vrf=self.vrf)
                for family, prefix in prefixes.items()
            },
        )
        ports = list(PeeringDBNetIXLan.objects.filter(ixlan_id=lan.pk).order_by("pk"))
        ours = [self._connection(network, port, prefixes) for port in ports if port.asn == OUR_ASN]
        if ours:
            self._sessions(network, ours[0], [port for port in ports[::PEER_EVERY] if port.asn != OUR_ASN])

    def _connection(
        self, network: PeeringNetwork, port: PeeringDBNetIXLan, prefixes: dict
    ) -> PeeringConnection:
        scope = self._scope(f"bench-port{port.pk}")
        interface = Interface.objects.create(
            device=scope.router.assigned_object, name="Ethernet1", type="100gbase-x-qsfp28"
        )
        for address, prefix in ((port.ipaddr4, prefixes.get(4)), (port.ipaddr6, prefixes.get(6))):
            if address and prefix:
                IPAddress.objects.create(
                    address=f"{address}/{prefix.prefixlen}", vrf=self.vrf, assigned_object=interface
                )
        return PeeringConnection.objects.create(
            peering_network=network, interface=interface, bgp_scope=scope, peeringdb_id=port.pk
        )

    def _scope(self, name: str) -> BGPScope:
        device = Device.objects.create(name=name, **self.hardware)
        router = BGPRouter.objects.create(name=name, assigned_object=device, asn=self.asn(OUR_ASN))
        return BGPScope.objects.create(router=router, vrf=self.vrf)

    def _sessions(
        self, network: PeeringNetwork, connection: PeeringConnection, ports: Iterable[PeeringDBNetIXLan]
    ) -> None:
        """Sessions over one of our connections with these ports, in each of their families."""
        wanted = [
            (port.asn, address, length)
            for port in ports
            for address, length in ((port.ipaddr4, 32), (port.ipaddr6, 128))
            if address
        ]
        addresses = IPAddress.objects.bulk_create(
            IPAddress(address=f"{address}/{length}", vrf=self.vrf) for _asn, address, length in wanted
        )
        peers = BGPPeer.objects.bulk_create(
            BGPPeer(
                name=f"AS{asn}",
                scope=connection.bgp_scope,
                peer=address,
                remote_as=self.asn(asn),
                enabled=True,
            )
            for (asn, _address, _length), address in zip(wanted, addresses, strict=True)
        )
        PeerASN.objects.bulk_create(
            [PeerASN(asn=self.asn(asn), name=f"AS{asn}") for asn in {asn for asn, *_ in wanted}],
            ignore_conflicts=True,
        )
        PeeringSession.objects.bulk_create(
            PeeringSession(bgp_peer=peer, relationship=self.relationship, peering_network=network)
            for peer in peers
        )

"""What fabrics, networks and connections can be filtered by."""

from django.http import QueryDict
from django.test import TestCase

from dcim.models import Region, Site
from tenancy.models import Tenant
from utilities.testing import ChangeLoggedFilterSetTestMixin

from netbox_peering_manager.filtersets import (
    PeeringConnectionFilterSet,
    PeeringFabricFilterSet,
    PeeringNetworkFilterSet,
)
from netbox_peering_manager.models import PeeringConnection, PeeringFabric, PeeringNetwork
from tests.base import PluginFilterSetMixin
from tests.fabrics.scenery import make_peer_group, make_vlan, make_vrf
from tests.factories import (
    make_connection,
    make_device,
    make_fabric,
    make_interface,
    make_network,
    make_scope,
)


def make_site(name: str, region: Region | None = None) -> Site:
    return Site.objects.create(name=name, slug=name.lower(), region=region)


class Scenery(PluginFilterSetMixin):
    """Three fabrics: LINX in London with two connections, AMS-IX in Amsterdam with one, a bare PNI."""

    @classmethod
    def setUpTestData(cls):
        cls.region = Region.objects.create(name="Europe", slug="europe")
        cls.london, cls.amsterdam = make_site("London", cls.region), make_site("Amsterdam")
        cls.tenant = Tenant.objects.create(name="Acme", slug="acme")
        cls.group, cls.vlan, cls.vrf = make_peer_group("IX"), make_vlan(100), make_vrf("Internet", "64500:1")
        cls.linx = make_fabric(
            "LINX LON1",
            site=cls.london,
            tenant=cls.tenant,
            peer_group=cls.group,
            peeringdb_id=18,
            description="London",
        )
        cls.amsix = make_fabric("AMS-IX", type="cloud-exchange", status="planned", site=cls.amsterdam)
        cls.pni = make_fabric("PNI AS64496", type="pni", slug="pni-64496")
        cls.lan = make_network(
            "Main", cls.linx, vlan=cls.vlan, mtu=1500, peeringdb_id=18, description="London LAN"
        )
        cls.amslan = make_network(
            "Peering", cls.amsix, "203.0.113.0/24", None, cls.vrf, status="planned", mtu=9000
        )
        cls.v6lan = make_network("IPv6", cls.pni, None, "2001:db8:200::/64")
        cls.rt1, cls.rt2 = make_device("rt1"), make_device("rt2")
        cls.rt1.site, cls.rt1.tenant = cls.london, cls.tenant
        cls.rt1.save()
        cls.scope = make_scope(cls.rt1)
        cls.port1 = make_connection(
            cls.lan,
            make_interface(cls.rt1, "Ethernet1"),
            ipv4_peer_group=cls.group,
            peeringdb_id=7,
            description="First",
        )
        cls.port2 = make_connection(
            cls.lan, make_interface(cls.rt2, "Ethernet2"), "198.51.100.2/24", None, status="planned"
        )
        cls.port3 = make_connection(
            cls.amslan,
            make_interface(cls.rt2, "Ethernet3"),
            "203.0.113.1/24",
            None,
            ipv6_peer_group=cls.group,
        )

    def found(self, **params):
        """Return what the filters find; several values of a filter as a list."""
        query = QueryDict(mutable=True)
        for name, value in params.items():
            query.setlist(name, value if isinstance(value, list) else [value])
        filterset = self.filterset(query, self.queryset)
        assert filterset.is_valid(), filterset.errors
        return list(filterset.qs)


class TestFabricFilters(Scenery, ChangeLoggedFilterSetTestMixin, TestCase):
    queryset = PeeringFabric.objects.all()
    filterset = PeeringFabricFilterSet

    def test_by_own_fields(self):
        assert self.found(name="AMS-IX") == [self.amsix]
        assert self.found(slug="linx-lon1") == [self.linx]
        assert self.found(type=["pni", "cloud-exchange"]) == [self.amsix, self.pni]
        assert self.found(status="planned") == [self.amsix]
        assert self.found(peeringdb_id="18") == [self.linx]
        assert self.found(description="London") == [self.linx]

    def test_by_modifiers(self):
        assert self.found(name__ic="ix") == [self.amsix]
        assert self.found(type__n="ix") == [self.amsix, self.pni]
        assert self.found(peeringdb_id__empty="true") == [self.amsix, self.pni]

    def test_by_related_objects(self):
        assert self.found(site_id=str(self.london.pk)) == [self.linx]
        assert self.found(site="amsterdam") == [self.amsix]
        assert self.found(region_id=str(self.region.pk)) == [self.linx]
        assert self.found(tenant="acme") == [self.linx]
        assert self.found(peer_group_id=str(self.group.pk)) == [self.linx]
        assert self.found(peer_group="IX") == [self.linx]

    def test_by_connected_device_each_once(self):
        make_connection(self.lan, make_interface(self.rt2, "Ethernet9"), None, None)
        assert self.found(device_id=str(self.rt2.pk)) == [self.amsix, self.linx]
        assert self.found(device="rt1") == [self.linx]

    def test_by_search(self):
        assert self.found(q="linx") == [self.linx]
        assert self.found(q="pni-64496") == [self.pni]
        assert self.found(q="  ") == [self.amsix, self.linx, self.pni]


class TestNetworkFilters(Scenery, ChangeLoggedFilterSetTestMixin, TestCase):
    queryset = PeeringNetwork.objects.all()
    filterset = PeeringNetworkFilterSet

    def test_by_own_fields(self):
        assert self.found(name="Main") == [self.lan]
        assert self.found(status="planned") == [self.amslan]
        assert self.found(mtu="9000") == [self.amslan]
        assert self.found(mtu__gte="1500") == [self.amslan, self.lan]
        assert self.found(peeringdb_id="18") == [self.lan]
        assert self.found(description__ic="london") == [self.lan]

    def test_by_fabric(self):
        assert self.found(fabric_id=str(self.linx.pk)) == [self.lan]
        assert self.found(fabric=["ams-ix", "pni-64496"]) == [self.amslan, self.v6lan]

    def test_by_prefix(self):
        assert self.found(ipv4_prefix_id=str(self.lan.ipv4_prefix_id)) == [self.lan]
        assert self.found(ipv6_prefix_id=str(self.v6lan.ipv6_prefix_id)) == [self.v6lan]
        assert self.found(has_ipv4="true") == [self.amslan, self.lan]
        assert self.found(has_ipv6="false") == [self.amslan]

    def test_by_what_its_prefixes_contain(self):
        assert self.found(prefix="198.51.100.7") == [self.lan]
        assert self.found(prefix="198.51.100.0/24") == [self.lan]
        assert self.found(prefix=["203.0.113.128/25", "2001:db8:200::5"]) == [self.amslan, self.v6lan]
        assert self.found(prefix="198.51.0.0/16") == []
        assert self.found(prefix="no address") == []

    def test_by_vrf_and_vlan(self):
        assert self.found(vrf_id=str(self.vrf.pk)) == [self.amslan]
        assert self.found(vrf="64500:1") == [self.amslan]
        assert self.found(vlan_id=str(self.vlan.pk)) == [self.lan]
        assert self.found(vlan_vid="100") == [self.lan]

    def test_by_place_tenant_and_device(self):
        assert self.found(site="london") == [self.lan]
        assert self.found(region="europe") == [self.lan]
        assert self.found(tenant="acme") == [self.lan]
        assert self.found(device="rt2") == [self.amslan, self.lan]

    def test_by_search(self):
        assert self.found(q="linx") == [self.lan]
        assert self.found(q="203.0.113.9") == [self.amslan]
        assert self.found(q="2001:db8:2") == [self.v6lan]


class TestConnectionFilters(Scenery, ChangeLoggedFilterSetTestMixin, TestCase):
    queryset = PeeringConnection.objects.all()
    filterset = PeeringConnectionFilterSet

    def found(self, **params):
        return sorted(super().found(**params), key=lambda connection: connection.pk)

    def test_by_own_fields(self):
        assert self.found(status="planned") == [self.port2]
        assert self.found(peeringdb_id="7") == [self.port1]
        assert self.found(description="First") == [self.port1]

    def test_by_network_and_fabric(self):
        assert self.found(peering_network_id=str(self.lan.pk)) == [self.port1, self.port2]
        assert self.found(peering_network="Peering") == [self.port3]
        assert self.found(fabric_id=str(self.amsix.pk)) == [self.port3]
        assert self.found(fabric="linx-lon1") == [self.port1, self.port2]

    def test_by_port(self):
        assert self.found(interface_id=str(self.port1.interface_id)) == [self.port1]
        assert self.found(interface="Ethernet3") == [self.port3]
        assert self.found(device_id=str(self.rt2.pk)) == [self.port2, self.port3]
        assert self.found(device="rt1") == [self.port1]
        assert self.found(site="london") == [self.port1]
        assert self.found(region="europe") == [self.port1]
        assert self.found(tenant="acme") == [self.port1]

    def test_by_address(self):
        assert self.found(ipv4_address_id=str(self.port2.ipv4_address_id)) == [self.port2]
        assert self.found(ipv6_address_id=str(self.port1.ipv6_address_id)) == [self.port1]
        assert self.found(address=["198.51.100.2", "203.0.113.0/28"]) == [self.port2, self.port3]
        assert self.found(address="2001:db8:100::1") == [self.port1]
        assert self.found(address="no address") == []
        assert self.found(has_ipv6="true") == [self.port1]
        assert self.found(has_ipv4="false") == []

    def test_by_lan(self):
        assert self.found(prefix="203.0.113.77") == [self.port3]
        assert self.found(vrf="64500:1") == [self.port3]

    def test_by_bgp(self):
        assert self.found(bgp_scope_id=str(self.scope.pk)) == [self.port1]
        assert self.found(has_bgp_scope="false") == [self.port2, self.port3]
        assert self.found(ipv4_peer_group_id=str(self.group.pk)) == [self.port1]
        assert self.found(ipv6_peer_group_id=str(self.group.pk)) == [self.port3]

    def test_by_search(self):
        assert self.found(q="rt2") == [self.port2, self.port3]
        assert self.found(q="AMS") == [self.port3]
        assert self.found(q="198.51.100.2") == [self.port2]
        assert self.found(q="2001:db8:100") == [self.port1]

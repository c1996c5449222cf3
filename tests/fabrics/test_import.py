"""Importing by names: what is found, what is refused, and that nothing is half-imported."""

from html import unescape

from dcim.models import Site
from ipam.models import VLANGroup
from utilities.testing import TestCase

from netbox_peering_manager.models import PeeringConnection, PeeringFabric, PeeringNetwork
from tests.fabrics.scenery import grant, make_vlan, make_vrf
from tests.factories import make_address, make_device, make_fabric, make_interface, make_network, make_prefix

APP = "netbox_peering_manager"


class ImportCase(TestCase):
    path = ""
    model = None

    def setUp(self):
        super().setUp()
        name = self.model._meta.model_name
        grant(
            self.user,
            f"{APP}.add_{name}",
            f"{APP}.view_peeringfabric",
            f"{APP}.view_peeringnetwork",
            "ipam.view_prefix",
            "ipam.view_ipaddress",
            "ipam.view_vlan",
            "ipam.view_vlangroup",
            "ipam.view_vrf",
            "dcim.view_device",
            "dcim.view_interface",
            "dcim.view_site",
            "netbox_routing.view_bgppeertemplate",
        )

    def post(self, *lines: str, data_format: str = "csv"):
        data = {"data": "\n".join(lines), "format": data_format, "csv_delimiter": "auto"}
        return self.client.post(f"/plugins/peering-manager/{self.path}/import/", data)

    def imported(self, *lines: str, **kwargs):
        response = self.post(*lines, **kwargs)
        assert response.status_code == 302, unescape(response.content.decode()).split("Record")[1:]
        return self.model.objects.order_by("-pk").first()

    def refused(self, *lines: str) -> str:
        """Return the page that refuses the import, after making sure that nothing was imported."""
        before = self.model.objects.count()
        response = self.post(*lines)
        assert response.status_code == 200
        assert self.model.objects.count() == before
        return unescape(response.content.decode())


class TestFabrics(ImportCase):
    path = "fabrics"
    model = PeeringFabric

    def test_a_bad_row_is_named_and_stops_the_good_ones(self):
        page = self.refused("name,slug,type", "IX 1,ix-1,ix", "IX 2,ix-2,nonsense")
        assert "Record 2 type: Select a valid choice. nonsense is not one of the available choices." in page

    def test_unknown_peer_group(self):
        page = self.refused("name,slug,peer_group", "IX 1,ix-1,IX-PEERS")
        assert "Record 1 peer_group: Object not found: IX-PEERS" in page

    def test_unknown_column(self):
        assert "Unrecognized header: colour" in self.refused("name,slug,colour", "IX 1,ix-1,red")


class TestNetworks(ImportCase):
    path = "networks"
    model = PeeringNetwork

    @classmethod
    def setUpTestData(cls):
        cls.fabric = make_fabric("LINX LON1")
        cls.prefix = make_prefix("198.51.100.0/24")
        make_prefix("2001:db8:100::/64")

    def test_fabric_by_name_or_slug(self):
        for name in ("LINX LON1", "linx-lon1"):
            network = self.imported("fabric,name,ipv4_prefix", f"{name},Main,198.51.100.0/24")
            assert network.fabric == self.fabric
            network.delete()

    def test_fabric_by_another_field(self):
        network = self.imported("fabric.id,name,ipv4_prefix", f"{self.fabric.pk},Main,198.51.100.0/24")
        assert network.fabric == self.fabric

    def test_unknown_fabric(self):
        page = self.refused("fabric,name,ipv4_prefix", "AMS-IX,Main,198.51.100.0/24")
        assert "Record 1 fabric: Object not found: AMS-IX" in page

    def test_prefix_that_is_not_there(self):
        page = self.refused(
            "fabric,name,ipv4_prefix", "LINX LON1,Main,198.51.100.0/24", "LINX LON1,Other,203.0.113.0/24"
        )
        assert "Record 2 ipv4_prefix: Object not found: 203.0.113.0/24" in page

    def test_prefix_that_is_none(self):
        page = self.refused("fabric,name,ipv4_prefix", "LINX LON1,Main,no prefix")
        assert "Record 1 ipv4_prefix: Object not found: no prefix" in page

    def test_prefix_of_the_wrong_family(self):
        page = self.refused("fabric,name,ipv4_prefix", "LINX LON1,Main,2001:db8:100::/64")
        assert "Record 1 ipv4_prefix: 2001:db8:100::/64 is not an IPv4 prefix." in page

    def test_no_prefix(self):
        page = self.refused("fabric,name", "LINX LON1,Main")
        assert "Record 1 : A peering network needs an IPv4 prefix, an IPv6 prefix, or both." in page

    def test_prefix_of_several_vrfs_is_ambiguous(self):
        other = make_prefix("198.51.100.0/24", make_vrf("Customer", "64500:1"))
        page = self.refused("fabric,name,ipv4_prefix", "LINX LON1,Main,198.51.100.0/24")
        assert (
            "Record 1 ipv4_prefix: 198.51.100.0/24 is there several times: "
            f"in the global table (ID {self.prefix.pk}), in Customer (64500:1) (ID {other.pk}). "
            "Name the VRF in the column vrf (empty for the global table)."
        ) in page

    def test_vrf_by_name_by_rd_and_empty(self):
        inside = make_prefix("198.51.100.0/24", make_vrf("Customer", "64500:1"))
        for vrf, prefix in (("Customer", inside), ("64500:1", inside), ("", self.prefix)):
            network = self.imported("fabric,name,vrf,ipv4_prefix", f"LINX LON1,Main,{vrf},198.51.100.0/24")
            assert network.ipv4_prefix == prefix
            network.delete()

    def test_vrf_that_is_not_there_is_what_is_refused(self):
        page = self.refused("fabric,name,vrf,ipv4_prefix", "LINX LON1,Main,Nowhere,198.51.100.0/24")
        assert "Record 1 vrf: Object not found: Nowhere" in page
        assert "Record 1 ipv4_prefix" not in page

    def test_name_of_several_vrfs(self):
        first, second = make_vrf("Twin", "64500:1"), make_vrf("Twin", "64500:2")
        page = self.refused("fabric,name,vrf,ipv4_prefix", "LINX LON1,Main,Twin,198.51.100.0/24")
        assert (
            f"Record 1 vrf: Twin fits several: Twin (64500:1) (ID {first.pk}), Twin (64500:2) (ID {second.pk})."
        ) in page

    def test_vlan_by_group_and_site(self):
        group = VLANGroup.objects.create(name="LON", slug="lon")
        site = Site.objects.create(name="London", slug="london")
        in_group, at_site, _ = make_vlan(100, group=group), make_vlan(100, site=site), make_vlan(100)
        row = "LINX LON1,Main,198.51.100.0/24,100,{}"
        for column, name, vlan in (("vlan_group", "LON", in_group), ("vlan_site", "London", at_site)):
            network = self.imported(f"fabric,name,ipv4_prefix,vlan,{column}", row.format(name))
            assert network.vlan == vlan
            network.delete()
        assert "Record 1 vlan: " in self.refused("fabric,name,ipv4_prefix,vlan,vlan_group", row.format(""))

    def test_from_json_and_yaml(self):
        network = self.imported(
            '[{"fabric": "linx-lon1", "name": "Main", "vrf": null, "ipv4_prefix": "198.51.100.0/24"}]',
            data_format="json",
        )
        assert network.ipv4_prefix == self.prefix
        network.delete()
        assert self.imported(
            "- fabric: linx-lon1", "  name: Main", "  ipv6_prefix: 2001:db8:100::/64", data_format="yaml"
        ).ipv6_prefix

    def test_prefix_that_may_not_be_viewed_is_not_there(self):
        self.user.object_permissions.filter(name="ipam.view_prefix").delete()
        page = self.refused("fabric,name,ipv4_prefix", "LINX LON1,Main,198.51.100.0/24")
        assert "Record 1 ipv4_prefix: Object not found: 198.51.100.0/24" in page


class TestConnections(ImportCase):
    path = "connections"
    model = PeeringConnection

    @classmethod
    def setUpTestData(cls):
        cls.network, cls.device = make_network("Main"), make_device()
        cls.interface = make_interface(cls.device)
        cls.address = make_address("198.51.100.1/24", cls.interface)

    def test_addresses_left_out_are_found(self):
        connection = self.imported("peering_network,device,interface", "Main,rt1.mtl,Ethernet1")
        assert connection.ipv4_address == self.address

    def test_network_name_of_several_fabrics(self):
        other = make_network("Main", make_fabric("AMS-IX"), "203.0.113.0/24", None)
        page = self.refused("peering_network,device,interface", "Main,rt1.mtl,Ethernet1")
        assert (
            f"Record 1 peering_network: Several fabrics have a network Main: {other} (ID {other.pk}), "
            f"{self.network} (ID {self.network.pk}). Name the fabric in the column fabric."
        ) in page
        row = "linx-lon1,Main,rt1.mtl,Ethernet1"
        assert self.imported("fabric,peering_network,device,interface", row).peering_network == self.network

    def test_interface_of_another_device(self):
        make_interface(make_device("rt2"), "xe-0/0/1")
        page = self.refused("peering_network,device,interface", "Main,rt1.mtl,xe-0/0/1")
        assert "Record 1 interface: Object not found: xe-0/0/1" in page

    def test_address_of_the_interface_is_meant(self):
        make_address("198.51.100.1/24", make_interface(make_device("rt2")), make_vrf("Customer"))
        connection = self.imported(
            "peering_network,device,interface,ipv4_address", "Main,rt1.mtl,Ethernet1,198.51.100.1/24"
        )
        assert connection.ipv4_address == self.address

    def test_address_of_several_others(self):
        for name in ("A", "B"):
            make_address("198.51.100.7/24", vrf=make_vrf(name))
        page = self.refused(
            "peering_network,device,interface,ipv4_address", "Main,rt1.mtl,Ethernet1,198.51.100.7/24"
        )
        assert "Record 1 ipv4_address: 198.51.100.7/24 is there several times: in A (ID" in page

    def test_address_outside_the_lan(self):
        make_address("203.0.113.1/24", self.interface)
        page = self.refused(
            "peering_network,device,interface,ipv4_address", "Main,rt1.mtl,Ethernet1,203.0.113.1/24"
        )
        assert "Record 1 ipv4_address: 203.0.113.1/24 lies outside 198.51.100.0/24" in page

    def test_a_bad_row_stops_the_good_ones(self):
        page = self.refused(
            "peering_network,device,interface", "Main,rt1.mtl,Ethernet1", "Main,rt1.mtl,Ethernet9"
        )
        assert "Record 2 interface: Object not found: Ethernet9" in page

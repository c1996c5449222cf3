"""The pages of fabrics, networks and connections: NetBox's own cases for each of them."""

from utilities.testing import ViewTestCases, create_tags

from netbox_peering_manager.models import PeeringConnection, PeeringFabric, PeeringNetwork
from tests.base import PluginViewMixin, WithoutLabel
from tests.fabrics.scenery import make_peer_group, make_vlan
from tests.factories import (
    make_address,
    make_connection,
    make_device,
    make_fabric,
    make_interface,
    make_network,
    make_prefix,
    make_scope,
)


class TestFabricPages(
    WithoutLabel,
    PluginViewMixin,
    ViewTestCases.PrimaryObjectViewTestCase,
    ViewTestCases.BulkRenameObjectsViewTestCase,
):
    model = PeeringFabric

    @classmethod
    def setUpTestData(cls):
        fabrics = [make_fabric(name) for name in ("LINX LON1", "AMS-IX", "DE-CIX Frankfurt")]
        for number, fabric in enumerate(fabrics):
            make_network("Main", fabric, f"198.51.{number}.0/24", None)
        free = [make_fabric(f"Free {number}") for number in range(3)]
        group = make_peer_group("IX")
        cls.form_data = {
            "name": "Equinix IX",
            "slug": "equinix-ix",
            "type": "cloud-exchange",
            "status": "planned",
            "peer_group": group.pk,
            "peeringdb_id": 26,
            "description": "A fabric",
            "tags": [tag.pk for tag in create_tags("Alpha", "Bravo")],
        }
        cls.bulk_edit_data = {"status": "maintenance", "type": "pni", "description": "In bulk"}
        cls.csv_data = (
            "name,slug,type,status,peer_group,peeringdb_id,description",
            "IX 1,ix-1,ix,active,IX,1,First",
            "IX 2,ix-2,pni,planned,,2,Second",
            "IX 3,ix-3,,,,,Third",
        )
        cls.csv_update_data = (
            "id,name,description",
            *(f"{fabric.pk},Renamed {fabric.pk},Changed" for fabric in free),
        )

    def _get_queryset(self):
        # Fabrics with networks are protected; deletion is tried on the free ones.
        if "delete" in self._testMethodName:
            return PeeringFabric.objects.filter(networks__isnull=True)
        return super()._get_queryset()


class TestNetworkPages(
    WithoutLabel,
    PluginViewMixin,
    ViewTestCases.PrimaryObjectViewTestCase,
    ViewTestCases.BulkRenameObjectsViewTestCase,
):
    model = PeeringNetwork

    @classmethod
    def setUpTestData(cls):
        fabric = make_fabric()
        networks = [
            make_network(f"LAN {number}", fabric, f"198.51.{number}.0/24", f"2001:db8:{number}::/64")
            for number in (1, 2, 3)
        ]
        make_prefix("203.0.113.0/24"), make_prefix("192.0.2.0/24"), make_prefix("2001:db8:99::/64")
        cls.form_data = {
            "fabric": fabric.pk,
            "name": "Route servers",
            "status": "planned",
            "ipv4_prefix": make_prefix("203.0.113.0/24").pk,
            "ipv6_prefix": make_prefix("2001:db8:99::/64").pk,
            "vlan": make_vlan(100).pk,
            "mtu": 1500,
            "peeringdb_id": 31,
            "description": "A LAN",
            "tags": [tag.pk for tag in create_tags("Alpha", "Bravo")],
        }
        cls.bulk_edit_data = {"status": "maintenance", "mtu": 9000, "description": "In bulk"}
        cls.csv_data = (
            "fabric,name,status,ipv4_prefix,ipv6_prefix,vlan,mtu",
            "LINX LON1,Import 1,active,203.0.113.0/24,,100,1500",
            "linx-lon1,Import 2,planned,,2001:db8:99::/64,,",
            "linx-lon1,Import 3,,192.0.2.0/24,,,9000",
        )
        cls.csv_update_data = (
            "id,name,description",
            *(f"{network.pk},Renamed {network.pk},Changed" for network in networks),
        )


class TestConnectionPages(
    PluginViewMixin,
    ViewTestCases.GetObjectViewTestCase,
    ViewTestCases.GetObjectChangelogViewTestCase,
    ViewTestCases.CreateObjectViewTestCase,
    ViewTestCases.EditObjectViewTestCase,
    ViewTestCases.DeleteObjectViewTestCase,
    ViewTestCases.ListObjectsViewTestCase,
    ViewTestCases.BulkImportObjectsViewTestCase,
    ViewTestCases.BulkEditObjectsViewTestCase,
    ViewTestCases.BulkDeleteObjectsViewTestCase,
):
    """A primary object's cases but for renaming: a connection has no name."""

    model = PeeringConnection
    validation_excluded_fields = ["device"]

    @classmethod
    def setUpTestData(cls):
        network, device = make_network(), make_device()
        connections = [
            make_connection(
                network,
                make_interface(device, f"Ethernet{number}"),
                f"198.51.100.{number}/24",
                f"2001:db8:100::{number}/64",
            )
            for number in (1, 2, 3)
        ]
        scope = make_scope(device)
        interface = make_interface(device, "Ethernet4")
        ipv4 = make_address("198.51.100.4/24", interface)
        ipv6 = make_address("2001:db8:100::4/64", interface)
        for number in (5, 6, 7):
            make_address(f"198.51.100.{number}/24", make_interface(device, f"Ethernet{number}"))
        group = make_peer_group("IX")
        cls.form_data = {
            "peering_network": network.pk,
            "device": device.pk,
            "interface": interface.pk,
            "ipv4_address": ipv4.pk,
            "ipv6_address": ipv6.pk,
            "bgp_scope": scope.pk,
            "status": "planned",
            "ipv4_peer_group": group.pk,
            "peeringdb_id": 12345,
            "description": "A port",
            "tags": [tag.pk for tag in create_tags("Alpha", "Bravo")],
        }
        cls.bulk_edit_data = {"status": "maintenance", "ipv6_peer_group": group.pk, "description": "In bulk"}
        cls.csv_data = (
            "fabric,peering_network,device,interface,ipv4_address,status,ipv4_peer_group,description",
            "linx-lon1,LINX LON1 Main,rt1.mtl,Ethernet5,198.51.100.5/24,active,IX,First",
            "LINX LON1,LINX LON1 Main,rt1.mtl,Ethernet6,,planned,,Second",
            ",LINX LON1 Main,rt1.mtl,Ethernet7,,,,Third",
        )
        cls.csv_update_data = (
            "id,description",
            *(f"{connection.pk},Changed {connection.pk}" for connection in connections),
        )

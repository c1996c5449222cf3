"""REST and GraphQL of fabrics, networks and connections."""

from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework import status

from utilities.testing import APITestCase, APIViewTestCases

from netbox_peering_manager.models import PeeringConnection, PeeringFabric, PeeringNetwork
from tests.base import PluginAPIMixin
from tests.fabrics.scenery import grant, make_peer_group, make_vrf, populate
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

APP = "netbox_peering_manager"
ALL_VIEWS = (
    f"{APP}.view_peeringfabric",
    f"{APP}.view_peeringnetwork",
    f"{APP}.view_peeringconnection",
    f"{APP}.view_peeringsession",
)


class TestFabricEndpoints(PluginAPIMixin, APIViewTestCases.APIViewTestCase):
    model = PeeringFabric
    brief_fields = ["description", "display", "id", "name", "slug", "url"]
    bulk_update_data = {"status": "maintenance", "description": "In bulk"}
    bulk_update_invalid_data = {"status": "no such status"}
    graphql_filter = {"name": {"lookup": "i_contains", "value": "ix"}}

    @classmethod
    def setUpTestData(cls):
        for name in ("LINX LON1", "AMS-IX", "DE-CIX Frankfurt"):
            make_fabric(name)
        cls.create_data = [
            {"name": "IX 1", "slug": "ix-1", "type": "ix", "status": "active", "peeringdb_id": 1},
            {"name": "IX 2", "slug": "ix-2", "type": "pni", "peer_group": make_peer_group("IX").pk},
            {"name": "IX 3", "slug": "ix-3"},
        ]


class TestNetworkEndpoints(PluginAPIMixin, APIViewTestCases.APIViewTestCase):
    model = PeeringNetwork
    brief_fields = ["description", "display", "fabric", "id", "name", "url"]
    bulk_update_data = {"status": "maintenance", "mtu": 9000}
    bulk_update_invalid_data = {"mtu": 10}
    graphql_filter = {"name": {"lookup": "i_contains", "value": "LAN"}}
    user_permissions = (f"{APP}.view_peeringfabric", "ipam.view_prefix")

    @classmethod
    def setUpTestData(cls):
        fabric = make_fabric()
        for number in (1, 2, 3):
            make_network(f"LAN {number}", fabric, f"198.51.{number}.0/24", f"2001:db8:{number}::/64")
        cls.create_data = [
            {
                "fabric": fabric.pk,
                "name": f"Created {number}",
                "ipv4_prefix": make_prefix(f"203.0.{number}.0/24").pk,
                "ipv6_prefix": make_prefix(f"2001:db8:10{number}::/64").pk,
                "mtu": 1500,
            }
            for number in (1, 2, 3)
        ]


class TestConnectionEndpoints(PluginAPIMixin, APIViewTestCases.APIViewTestCase):
    model = PeeringConnection
    brief_fields = ["description", "display", "id", "interface", "peering_network", "url"]
    bulk_update_data = {"status": "maintenance"}
    bulk_update_invalid_data = {"status": "no such status"}
    graphql_filter = {"description": {"lookup": "i_contains", "value": "port"}}
    update_data = {"status": "planned", "description": "Changed", "peeringdb_id": 4711}
    user_permissions = (f"{APP}.view_peeringnetwork", "dcim.view_interface")

    @classmethod
    def setUpTestData(cls):
        network, device = make_network(), make_device()
        for number in (1, 2, 3):
            make_connection(
                network,
                make_interface(device, f"Ethernet{number}"),
                f"198.51.100.{number}/24",
                f"2001:db8:100::{number}/64",
                description=f"Port {number}",
            )
        cls.create_data = [
            {"peering_network": network.pk, "interface": make_interface(device, f"Ethernet{number}").pk}
            for number in (4, 5, 6)
        ]


class TestConnectionsOverREST(APITestCase):
    """What the plugin adds to what every endpoint does."""

    url = "/api/plugins/peering-manager/connections/"

    @classmethod
    def setUpTestData(cls):
        cls.network, cls.device = make_network(), make_device()
        cls.interface = make_interface(cls.device)
        cls.ipv4 = make_address("198.51.100.1/24", cls.interface)
        cls.ipv6 = make_address("2001:db8:100::1/64", cls.interface)
        cls.scope = make_scope(cls.device)

    def setUp(self):
        super().setUp()
        grant(
            self.user,
            *(f"{APP}.{action}_peeringconnection" for action in ("view", "add", "change")),
            f"{APP}.view_peeringnetwork",
            "dcim.view_interface",
            "ipam.view_ipaddress",
            "netbox_routing.view_bgpscope",
        )

    def post(self, **data):
        body = {"peering_network": self.network.pk, "interface": self.interface.pk, **data}
        return self.client.post(self.url, body, format="json", **self.header)

    def test_create_without_addresses_returns_those_found(self):
        response = self.post()

        assert response.status_code == status.HTTP_201_CREATED, response.content
        assert response.data["ipv4_address"]["address"] == "198.51.100.1/24"
        assert response.data["ipv6_address"]["address"] == "2001:db8:100::1/64"
        assert response.data["bgp_scope"]["id"] == self.scope.pk

    def test_patch_that_empties_an_address_returns_the_one_found(self):
        created = self.post()

        response = self.client.patch(
            created.data["url"], {"ipv4_address": None}, format="json", **self.header
        )

        assert response.status_code == status.HTTP_200_OK
        assert response.data["ipv4_address"]["id"] == self.ipv4.pk

    def test_refusal_names_the_field_and_the_reason(self):
        outside = make_address("203.0.113.1/24", self.interface)

        response = self.post(ipv4_address=outside.pk)

        assert response.status_code == status.HTTP_400_BAD_REQUEST
        assert response.data["ipv4_address"] == [
            "203.0.113.1/24 lies outside 198.51.100.0/24, the IPv4 prefix of LINX LON1: LINX LON1 Main."
        ]

    def test_second_connection_of_an_interface_to_a_network_is_refused(self):
        self.post()
        response = self.post()
        assert response.status_code == status.HTTP_400_BAD_REQUEST
        assert "This interface has a connection to this network already." in str(response.data)

    def test_network_without_prefix_is_refused(self):
        grant(self.user, f"{APP}.add_peeringnetwork", f"{APP}.view_peeringfabric")
        response = self.client.post(
            "/api/plugins/peering-manager/networks/",
            {"fabric": self.network.fabric_id, "name": "Bare"},
            format="json",
            **self.header,
        )
        assert response.status_code == status.HTTP_400_BAD_REQUEST
        assert "A peering network needs an IPv4 prefix, an IPv6 prefix, or both." in str(response.data)

    def test_address_of_another_vrf_is_refused(self):
        elsewhere = make_address("198.51.100.9/24", self.interface, make_vrf("Customer", "64500:1"))
        response = self.post(ipv4_address=elsewhere.pk)
        assert response.status_code == status.HTTP_400_BAD_REQUEST
        assert "is in Customer (64500:1), but 198.51.100.0/24" in str(response.data["ipv4_address"])


class TestCounts(APITestCase):
    """The counts of fabrics and networks."""

    @classmethod
    def setUpTestData(cls):
        cls.networks, cls.connections, _ = populate(2)

    def get(self, path):
        return self.client.get(f"/api/plugins/peering-manager/{path}", **self.header).data

    def test_counts_are_of_what_is_there(self):
        grant(self.user, *ALL_VIEWS)
        fabric = self.get(f"fabrics/{self.networks[0].fabric_id}/")
        network = self.get(f"networks/{self.networks[0].pk}/")
        assert [fabric[f"{name}_count"] for name in ("network", "connection", "session")] == [1, 1, 1]
        assert [network[f"{name}_count"] for name in ("connection", "session")] == [1, 1]

    def test_what_may_not_be_viewed_is_not_counted(self):
        grant(self.user, f"{APP}.view_peeringfabric", f"{APP}.view_peeringnetwork")
        grant(self.user, f"{APP}.view_peeringconnection", pk=self.connections[1].pk)
        first, second = self.get("fabrics/")["results"]
        assert [first[f"{name}_count"] for name in ("network", "connection", "session")] == [1, 0, 0]
        assert [second[f"{name}_count"] for name in ("network", "connection", "session")] == [1, 1, 0]

    def test_brief_answers_do_not_count(self):
        grant(self.user, f"{APP}.view_peeringfabric")
        with CaptureQueriesContext(database) as queries:
            self.get("fabrics/?brief=true")
        assert not [
            query for query in queries if "session" in query["sql"] and "peeringsession" in query["sql"]
        ]


class TestQueriesOverREST(APITestCase):
    """Answers cost the same number of queries whatever their number of rows."""

    def setUp(self):
        super().setUp()
        grant(self.user, *ALL_VIEWS)

    def queries_of(self, path):
        url = f"/api/plugins/peering-manager/{path}"
        self.client.get(url, **self.header)  # what is cached per process, such as content types
        with CaptureQueriesContext(database) as queries:
            response = self.client.get(url, **self.header)
        assert response.status_code == status.HTTP_200_OK
        return len(queries), response.data["count"]

    def test_same_queries_for_few_and_many_rows(self):
        paths = ("fabrics/", "networks/", "connections/", "fabrics/?brief=true", "connections/?brief=true")
        populate(3)
        few = {path: self.queries_of(path) for path in paths}

        populate(20, start=3)
        many = {path: self.queries_of(path) for path in paths}
        assert {path: count for path, (_, count) in many.items()} == dict.fromkeys(paths, 20)
        assert {path: queries for path, (queries, _) in few.items()} == {
            path: queries for path, (queries, _) in many.items()
        }
        assert max(queries for queries, _ in many.values()) <= 25


class TestGraphQL(APITestCase):
    """Fabrics lead to their networks, networks to their connections and sessions."""

    query = """{
      peering_fabric_list(filters: {name: {exact: "IX 0"}}) {
        name networks { name connections { display ipv4_address { address } } sessions { id } }
      }
    }"""

    @classmethod
    def setUpTestData(cls):
        populate(2)

    def ask(self):
        response = self.client.post(reverse("graphql"), {"query": self.query}, format="json", **self.header)
        assert "errors" not in response.json(), response.json()
        return response.json()["data"]["peering_fabric_list"]

    def test_related_lists(self):
        grant(self.user, *ALL_VIEWS, "ipam.view_ipaddress")
        (fabric,) = self.ask()
        (network,) = fabric["networks"]
        assert network["connections"] == [
            {"display": "rt0 Ethernet1 @ IX 0: Main", "ipv4_address": {"address": "198.51.0.1/24"}}
        ]
        assert len(network["sessions"]) == 1

    def test_related_lists_leave_out_what_may_not_be_viewed(self):
        grant(self.user, f"{APP}.view_peeringfabric", f"{APP}.view_peeringnetwork")
        (fabric,) = self.ask()
        assert fabric["networks"] == [{"name": "Main", "connections": [], "sessions": []}]

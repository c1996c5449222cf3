"""Available peers and available sessions over REST."""

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from utilities.testing import APITestCase

from netbox_peering_manager.models import HiddenPeer
from tests import factories
from tests.base import KnownContentTypesMixin
from tests.peers import worlds

API = "plugins-api:netbox_peering_manager-api"
SEES = ("netbox_peering_manager.view_peeringconnection", "netbox_peering_manager.view_peeringfabric")


class AvailablePortsAPITest(KnownContentTypesMixin, APITestCase):
    @classmethod
    def setUpTestData(cls):
        worlds.make_ix()
        cls.side = worlds.make_side()
        net = worlds.make_net(
            64496,
            name="Aurora",
            policy_general="Open",
            info_traffic="1-5Gbps",
            info_scope="Europe",
            info_ratio="Balanced",
            info_types=["NSP"],
            info_prefixes4=10,
            irr_as_set="AS-AURORA",
        )
        cls.port = worlds.make_port(net, "198.51.1.10", "2001:db8:1::10", is_rs_peer=True)
        worlds.make_port(worlds.make_net(64497, policy_general="No"), "198.51.1.11")
        worlds.make_port(64498, "198.51.1.12", operational=False)
        cls.fabric = cls.side.peering_network.fabric
        cls.peer = factories.make_peer_asn(64496)

    def get(self, name, pk, **query):
        return self.client.get(reverse(f"{API}:{name}", args=[pk]), query, **self.header)

    def peers(self, **query):
        response = self.get("fabric-available-peers", self.fabric.pk, **query)
        assert response.status_code == 200, response.content
        return response.json()

    def test_ports_tell_all_that_the_page_tells(self):
        self.add_permissions(*SEES, "netbox_peering_manager.view_peeringnetwork")
        first = self.peers(asn=64496)["results"][0]
        assert first == {
            "id": self.port.pk,
            "asn": 64496,
            "network": {
                "id": self.port.net_id,
                "asn": 64496,
                "name": "Aurora",
                "policy": "Open",
                "traffic": "1-5Gbps",
                "scope": "Europe",
                "ratio": "Balanced",
                "types": ["NSP"],
                "prefixes4": 10,
                "prefixes6": None,
                "as_set": "AS-AURORA",
                "never_via_route_servers": False,
            },
            "ipv4_address": "198.51.1.10",
            "ipv6_address": "2001:db8:1::10",
            "speed": 10000,
            "on_route_server": True,
            "bfd": False,
            "operational": True,
            "is_route_server": False,
            "is_own": False,
            "is_hidden": False,
            "fabric_id": self.fabric.pk,
            "network_id": self.side.peering_network_id,
            "peer_asn_id": None,
            "common_exchanges": 1,
            "session_count": 0,
            "has_contact": False,
            "missing_v4": 1,
            "missing_v6": 1,
        }

    def test_lists_are_filtered_sorted_and_paged(self):
        self.add_permissions(*SEES)
        assert [row["asn"] for row in self.peers()["results"]] == [64496, 64497]
        assert [row["asn"] for row in self.peers(policy="No")["results"]] == [64497]
        assert [row["asn"] for row in self.peers(not_operational="only")["results"]] == [64498]
        assert [row["asn"] for row in self.peers(ordering="-asn")["results"]] == [64497, 64496]
        page = self.peers(limit=1, offset=1)
        assert (page["count"], [row["asn"] for row in page["results"]]) == (2, [64497])
        assert page["previous"]

    def test_wrong_filters_are_refused(self):
        self.add_permissions(*SEES)
        response = self.get("fabric-available-peers", self.fabric.pk, hidden="perhaps")
        assert response.status_code == 400
        assert "hidden" in response.json()

    def test_port_without_network_is_listed(self):
        self.add_permissions(*SEES)
        worlds.PeeringDBNet.objects.filter(asn=64496).delete()
        assert self.peers(asn=64496)["results"][0]["network"] is None

    def test_sessions_of_a_peer(self):
        self.add_permissions(*SEES, "netbox_peering_manager.view_peerasn")
        rows = self.get("peer-asn-available-sessions", self.peer.pk).json()["results"]
        assert [(row["asn"], row["peer_asn_id"]) for row in rows] == [(64496, self.peer.pk)]

    def test_rights(self):
        self.add_permissions("netbox_peering_manager.view_peerasn")
        lists = (("fabric-available-peers", self.fabric.pk), ("peer-asn-available-sessions", self.peer.pk))
        for name, pk in lists:
            assert self.client.get(reverse(f"{API}:{name}", args=[pk])).status_code in (401, 403)
            assert self.get(name, pk).status_code == 403
        self.add_permissions(SEES[1])
        for name, pk in lists:
            assert self.get(name, pk).status_code == 403
        self.add_permissions(SEES[0])
        for name, pk in lists:
            assert self.get(name, pk).status_code == 200
            assert self.get(name, 999999).status_code == 404
            url = reverse(f"{API}:{name}", args=[pk])
            assert self.client.post(url, {}, format="json", **self.header).status_code in (403, 405)

    def test_hidden_is_told_to_who_may_view_it(self):
        self.add_permissions(*SEES)
        HiddenPeer.objects.create(asn=64496)
        assert [row["asn"] for row in self.peers(hidden="also")["results"]] == [64497]
        self.add_permissions("netbox_peering_manager.view_hiddenpeer")
        rows = self.peers(hidden="also")["results"]
        assert [(row["asn"], row["is_hidden"]) for row in rows] == [(64496, True), (64497, False)]

    def test_queries_do_not_grow_with_the_rows(self):
        self.add_permissions(*SEES)

        def cost():
            self.peers()
            with CaptureQueriesContext(connection) as queries:
                self.peers()
            return len(queries)

        few = cost()
        for host in range(20, 40):
            worlds.make_port(64501 + host, f"198.51.1.{host}")
        assert cost() == few <= 15

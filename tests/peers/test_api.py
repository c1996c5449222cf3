"""REST and GraphQL of peer ASNs, and of NetBox's ASN in GraphQL."""

import pytest
from django.urls import reverse

from utilities.testing import APITestCase, APIViewTestCases

from netbox_peering_manager.models import PeerASN
from tests import factories
from tests.base import PluginAPIMixin
from tests.queries import graphql, page, queries_for_few_and_many

LIST = "plugins-api:netbox_peering_manager-api:peerasn-list"


class PeerASNAPITest(PluginAPIMixin, APIViewTestCases.APIViewTestCase):
    model = PeerASN
    brief_fields = ["affiliated", "asn", "description", "display", "id", "name", "url"]
    user_permissions = ("ipam.view_asn",)
    bulk_update_data = {"irr_as_set": "AS-NEW", "follow_peeringdb": ["name"]}
    bulk_update_invalid_data = {"irr_as_set": "no set"}

    @classmethod
    def setUpTestData(cls):
        for number in (64496, 64497, 64498):
            factories.make_peer_asn(number, name=f"Peer {number}", irr_as_set=f"AS-{number}")
        cls.create_data = [
            {"asn": factories.make_asn(64499).pk, "name": "One", "peeringdb_id": 4200000000},
            {"asn": factories.make_asn(65536).pk, "affiliated": True, "follow_peeringdb": []},
            {"asn": factories.make_asn(4200000001).pk, "ipv4_max_prefixes": 10, "follow_peeringdb": ["name"]},
        ]


class PeerASNRestTest(APITestCase):
    user_permissions = (
        "netbox_peering_manager.add_peerasn",
        "netbox_peering_manager.view_peerasn",
        "netbox_peering_manager.change_peerasn",
        "ipam.view_asn",
    )

    def post(self, data):
        return self.client.post(reverse(LIST), data, format="json", **self.header)

    def test_asn_can_be_given_by_its_number(self):
        factories.make_asn(4200000001)
        response = self.post({"asn": {"asn": 4200000001}, "name": "Example"})
        assert response.status_code == 201, response.json()
        assert response.json()["asn"]["asn"] == 4200000001
        assert response.json()["display"] == "AS4200000001 (Example)"
        assert len(response.json()["follow_peeringdb"]) == 4

    def test_second_peer_asn_of_an_as_is_refused(self):
        peer = factories.make_peer_asn(64496)
        response = self.post({"asn": peer.asn_id})
        assert response.status_code == 400
        message = "AS64496 has a peer ASN already: edit that one instead of creating another."
        assert response.json() == {"asn": [message]}

    def test_wrong_values_are_refused_by_field(self):
        asn = factories.make_asn(64496)
        for data, field in (
            ({"asn": 99999999}, "asn"),
            ({"asn": asn.pk, "irr_as_set": "no set"}, "irr_as_set"),
            ({"asn": asn.pk, "ipv4_max_prefixes": -1}, "ipv4_max_prefixes"),
            ({"asn": asn.pk, "follow_peeringdb": ["color"]}, "follow_peeringdb"),
            ({"asn": asn.pk, "peeringdb_id": "many"}, "peeringdb_id"),
        ):
            with self.subTest(data=data):
                response = self.post(data)
                assert response.status_code == 400
                assert field in response.json()

    def test_last_sync_is_not_written(self):
        asn = factories.make_asn(64496)
        assert self.post({"asn": asn.pk, "peeringdb_last_sync": "2026-01-01T00:00:00Z"}).status_code == 201
        assert PeerASN.objects.get().peeringdb_last_sync is None

    def test_session_count_is_of_what_the_user_may_view(self):
        factories.make_peer_asn(64496)
        factories.make_session(factories.make_bgp_peer(asn=64496))
        url = reverse(LIST)
        assert self.client.get(url, **self.header).json()["results"][0]["session_count"] == 0
        self.add_permissions("netbox_peering_manager.view_peeringsession")
        assert self.client.get(url, **self.header).json()["results"][0]["session_count"] == 1
        assert "session_count" not in self.client.get(f"{url}?brief=1", **self.header).json()["results"][0]

    def test_as_of_sessions_stays_affiliated(self):
        ours = factories.make_peer_asn(64500, affiliated=True)
        factories.make_session()
        url = f"{reverse(LIST)}{ours.pk}/"
        response = self.client.patch(url, {"affiliated": False}, format="json", **self.header)
        assert response.status_code == 400
        assert "it stays affiliated as long as they do" in response.json()["affiliated"][0]


@factories.look_ups_kept()
def make_peers(numbers):
    for number in numbers:
        factories.make_peer_asn(64496 + number, name=f"Peer {number}")
        factories.make_session(factories.make_bgp_peer(f"198.51.100.{number + 10}/24", asn=64496 + number))


GRAPHQL = """{
  peer_asn_list {
    id display name affiliated irr_as_set peeringdb_id follow_peeringdb asn { asn } tags { name }
    contacts { id }
  }
}"""
GRAPHQL_ASN = "{ asn_list { asn peer_asn { display name asn { asn } } } }"


@pytest.mark.parametrize(
    ("call", "budget"),
    [
        (lambda client: page(client, reverse(LIST)), 20),
        (lambda client: page(client, reverse(LIST) + "?brief=1"), 12),
        (lambda client: graphql(client, GRAPHQL), 15),
        (lambda client: graphql(client, GRAPHQL_ASN), 10),
    ],
    ids=["rest", "rest-brief", "graphql", "graphql-asn"],
)
def test_lists_cost_the_same_number_of_queries_for_3_and_for_20_rows(admin, call, budget):
    assert queries_for_few_and_many(lambda: call(admin), make_peers) <= budget


def test_asn_in_graphql_has_its_peer_asn_or_none(admin):
    factories.make_peer_asn(64496, name="Example")
    factories.make_asn(64497)
    answer = graphql(admin, GRAPHQL_ASN)
    assert {row["asn"]: row["peer_asn"] and row["peer_asn"]["name"] for row in answer["asn_list"]} == {
        64496: "Example",
        64497: None,
    }


class ASNGraphQLPermissionTest(APITestCase):
    user_permissions = ("ipam.view_asn",)

    def peer_asns(self, query=GRAPHQL_ASN):
        response = self.client.post("/graphql/", {"query": query}, format="json", **self.header)
        assert "errors" not in response.json(), response.json()
        return response.json()["data"]

    def test_peer_asn_is_none_for_who_may_not_view_it(self):
        peer = factories.make_peer_asn(64496, name="HIDDEN")
        one = f"{{ asn(id: {peer.asn_id}) {{ peer_asn {{ name }} }} }}"
        assert self.peer_asns()["asn_list"][0]["peer_asn"] is None
        assert self.peer_asns(one)["asn"]["peer_asn"] is None
        self.add_permissions("netbox_peering_manager.view_peerasn")
        assert self.peer_asns()["asn_list"][0]["peer_asn"]["name"] == "HIDDEN"
        assert self.peer_asns(one)["asn"]["peer_asn"]["name"] == "HIDDEN"

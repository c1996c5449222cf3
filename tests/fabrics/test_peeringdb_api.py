"""REST: the search of exchanges that forms ask, and the import of our own ports."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from core.models import ObjectChange
from users.models import Token

from netbox_peering_manager.models import PeeringConnection, PeeringFabric, PeeringNetwork
from tests.fabrics.mirror import make_exchange, make_ix, make_ixlan, make_port
from tests.factories import (
    make_address,
    make_device,
    make_fabric,
    make_interface,
    make_peer_asn,
    make_scope,
)
from tests.sessions.people import make_user, ours, rest

pytestmark = pytest.mark.django_db

ROOT = "/api/plugins/peering-manager/"
EXCHANGES = f"{ROOT}peeringdb/exchanges/"
IMPORT = f"{ROOT}fabrics/import-presence/"
OURS = 64500


class TestExchanges:
    def test_answers_as_a_list_of_netbox(self):
        _ix, lan = make_exchange(26, "AMS-IX", prefixes=())
        make_port(lan, 64496), make_port(lan, 64496), make_port(lan, 64497)
        response = rest(make_user(*ours("view_peeringfabric"))).get(EXCHANGES, {"q": "ams", "brief": "true"})
        assert response.status_code == 200
        assert set(response.data) == {"count", "next", "previous", "results"}
        [found] = response.data["results"]
        assert (found["id"], found["display"], found["networks"], found["fabric"]) == (26, "AMS-IX", 2, None)
        assert found["description"] == "London, GB · 2 networks"

    def test_pages_of_results(self):
        for number in range(1, 6):
            make_ix(number, f"IX {number}")
        client = rest(make_user(*ours("view_peeringfabric")))
        data = client.get(EXCHANGES, {"q": "ix", "limit": 2, "offset": 2}).data
        assert (data["count"], [row["name"] for row in data["results"]]) == (5, ["IX 3", "IX 4"])

    def test_exchange_that_is_a_fabric_is_marked_for_who_may_see_it(self):
        make_exchange(26)
        fabric = make_fabric("Ours", peeringdb_id=26)
        found = rest(make_user(*ours("view_peeringfabric"))).get(EXCHANGES).data["results"][0]
        assert (found["fabric"], found["description"]) == (
            fabric.pk,
            "London, GB · 0 networks · is a fabric already",
        )
        other = rest(make_user(*ours("add_peeringfabric"), name="other")).get(EXCHANGES).data["results"][0]
        assert other["fabric"] is None

    @pytest.mark.parametrize(
        ("rights", "status"),
        [
            ((), 403),
            (("view_peeringnetwork",), 403),
            (("view_peeringfabric",), 200),
            (("add_peeringfabric",), 200),
        ],
    )
    def test_for_who_may_view_or_add_fabrics(self, rights, status):
        make_exchange(26)
        client = rest(make_user(*ours(*rights)))
        assert client.get(EXCHANGES).status_code == status

    def test_not_for_anonymous(self):
        assert rest().get(EXCHANGES).status_code == 403

    def test_nothing_can_be_changed(self):
        make_exchange(26)
        client = rest(make_user(*ours("view_peeringfabric", "add_peeringfabric")))
        for method in ("post", "put", "patch", "delete"):
            assert getattr(client, method)(EXCHANGES, {}).status_code == 405

    def test_queries_do_not_grow_with_the_results(self):
        client = rest(make_user(*ours("view_peeringfabric")))
        counted = []
        client.get(EXCHANGES)
        for numbers in (range(1, 3), range(3, 40)):
            for number in numbers:
                _ix, lan = make_exchange(number, f"IX {number}", prefixes=())
                make_port(lan, 64496)
            with CaptureQueriesContext(database) as queries:
                assert len(client.get(EXCHANGES).data["results"]) >= 2
            counted.append(len(queries))
        assert counted[0] == counted[1]
        assert counted[0] <= 4, counted


class TestImport:
    RIGHTS = (
        *ours("view_peerasn", "add_peeringfabric", "add_peeringnetwork", "add_peeringconnection"),
        "ipam.add_prefix",
        "ipam.view_ipaddress",
        "dcim.view_interface",
    )

    @pytest.fixture
    def client(self):
        return rest(make_user(*self.RIGHTS))

    @pytest.fixture
    def ready(self):
        """One port that can be made, one that waits, one in conflict."""
        self.ours = make_peer_asn(OURS, affiliated=True)
        _ix, lan = make_exchange()
        make_port(lan, OURS, "198.51.100.1", pk=7)
        make_port(lan, OURS, "198.51.100.2", pk=8)
        make_port(lan, OURS, "192.0.2.9", pk=9)
        self.interface = make_interface(make_device())
        make_address("198.51.100.1/24", self.interface)
        make_scope(self.interface.device)

    def test_dry_run_tells_and_makes_nothing(self, client, ready):
        response = client.post(IMPORT, {"dry_run": True}, format="json")
        assert response.status_code == 200
        data = response.data
        assert (data["dry_run"], data["asns"]) == (True, [OURS])
        assert data["fabrics"] == [{"ix_id": 26, "id": None, "name": "Example IX", "action": "create"}]
        [network] = data["networks"]
        assert (network["ixlan_id"], network["action"], network["mtu"]) == (26, "create", 1500)
        assert network["prefixes"][0] == {"prefix": "198.51.100.0/24", "vrf": None, "is_new": True}
        [made], [waiting], [conflict] = data["connections"], data["waiting"], data["conflicts"]
        assert (made["netixlan_id"], made["interface"], made["action"], made["id"]) == (
            7, self.interface.pk, "create", None,
        )  # fmt: skip
        assert (waiting["netixlan_id"], len(waiting["missing"])) == (8, 1)
        assert "192.0.2.9 lies outside" in conflict["problems"][0]
        assert not PeeringFabric.objects.exists()

    def test_import_answers_with_what_was_made(self, client, ready):
        data = client.post(IMPORT, {}, format="json").data
        assert data["dry_run"] is False
        assert data["fabrics"][0]["id"] == PeeringFabric.objects.get().pk
        assert data["networks"][0]["id"] == PeeringNetwork.objects.get().pk
        assert data["connections"][0]["id"] == PeeringConnection.objects.get().pk
        again = client.post(IMPORT, {}, format="json").data
        assert (again["connections"], [port["netixlan_id"] for port in again["present"]]) == ([], [7])
        assert again["present"][0]["id"] is None

    def test_change_log_has_one_request(self, client, ready):
        client.post(IMPORT, {}, format="json")
        requests = ObjectChange.objects.filter(user__username="noc").values("request_id").distinct()
        assert requests.count() == 1

    def test_only_the_chosen_asns(self, client, ready):
        other = make_peer_asn(64501, affiliated=True)
        data = client.post(IMPORT, {"peer_asns": [other.pk], "dry_run": True}, format="json").data
        assert (data["asns"], data["connections"], data["waiting"]) == ([64501], [], [])

    @pytest.mark.parametrize("value", [[0], ["x"], "x", [2**70]])
    def test_asns_that_are_none_are_refused(self, client, ready, value):
        response = client.post(IMPORT, {"peer_asns": value}, format="json")
        assert response.status_code == 400
        assert "peer_asns" in response.data

    def test_asn_that_is_not_ours_is_refused(self, client, ready):
        response = client.post(IMPORT, {"peer_asns": [make_peer_asn(64496).pk]}, format="json")
        assert response.status_code == 400

    def test_refusal_names_what_lacks_and_makes_nothing(self, ready):
        client = rest(make_user(*(right for right in self.RIGHTS if right != "ipam.add_prefix")))
        response = client.post(IMPORT, {}, format="json")
        assert response.status_code == 400
        assert "You may not add the prefix" in response.data["non_field_errors"][0]
        assert not PeeringFabric.objects.exists()

    def test_only_for_who_may_add_connections(self, ready):
        client = rest(make_user(*ours("view_peeringfabric", "add_peeringfabric", "view_peerasn")))
        assert client.post(IMPORT, {"dry_run": True}, format="json").status_code == 403
        assert rest().post(IMPORT, {}, format="json").status_code == 403

    def test_token_has_to_be_one_that_may_write(self, ready):
        user = make_user(*self.RIGHTS)
        for write_enabled, status in ((False, 403), (True, 200)):
            token = Token(user=user, write_enabled=write_enabled)
            token.save()
            client = APIClient(headers={"authorization": f"Bearer nbt_{token.key}.{token.token}"})
            assert client.post(IMPORT, {"dry_run": True}, format="json").status_code == status

    def test_several_exchanges(self, client, ready):
        make_ixlan(make_ix(27, "Other IX"), None, "203.0.113.0/24")
        make_port(27, OURS, "203.0.113.1")
        data = client.post(IMPORT, {"dry_run": True}, format="json").data
        assert [fabric["name"] for fabric in data["fabrics"]] == ["Example IX", "Other IX"]

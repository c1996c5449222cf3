"""Repairs of drift that are pages, over REST, in the rows and where a change was asked for; own ports that left."""

import pytest
from django.urls import reverse

from core.models import ObjectChange

from netbox_peering_manager.choices import ConnectionStatusChoices
from netbox_peering_manager.models import PeeringDBDrift
from netbox_peering_manager.services.peeringdb.drift import refresh_drift
from netbox_peering_manager.services.peeringdb.site import site_url
from tests.peeringdb.scenery import Story
from tests.sessions.people import browser, make_root, make_user, ours, rest

pytestmark = pytest.mark.django_db

NETWORK, CHANGE_NETWORK, CONNECTION, CHANGE_CONNECTION = ours(
    "view_peeringnetwork", "change_peeringnetwork", "view_peeringconnection", "change_peeringconnection"
)
LIST = "/plugins/peering-manager/peeringdb/drift/"
API = "/api/plugins/peering-manager/peeringdb/drift/"
HERE = "http://testserver"


@pytest.fixture
def story(hamlet):
    """The exchange was renumbered in IPv6, and PeeringDB has one of our two ports no more."""
    story = Story(hamlet)
    (prefix,) = story.world.find("ixpfx", ixlan_id=1, protocol="IPv6")
    story.world.change("ixpfx", prefix["id"], prefix="2001:db8:999::/64")
    story.world.delete("netixlan", story.world.our_ports[1]["id"])
    story.fill()
    refresh_drift()
    return story


def row(kind):
    return PeeringDBDrift.objects.get(kind=kind)


def links_of(user):
    """What mends each kind, over REST: {kind: {label: address}}."""
    return {
        each["kind"]["value"]: {link["label"]: link["url"] for link in each["repairs"]}
        for each in rest(user).get(API).data["results"]
    }


class TestLinks:
    def test_rows_name_the_pages_that_mend_them(self, story):
        plugin = "plugins:netbox_peering_manager"
        connection, renumber = (
            reverse(f"{plugin}:peeringconnection_edit", args=[story.connections[1].pk]),
            reverse(f"{plugin}:peeringfabric_renumber", args=[story.fabric.pk]),
        )
        assert links_of(make_root()) == {
            "prefix-changed": {"Renumber": f"{HERE}{renumber}"},
            "own-port-missing-there": {
                "Decommission": f"{HERE}{LIST}{row('own-port-missing-there').pk}/repair/",
                "Edit connection": f"{HERE}{connection}",
                "Exchange in PeeringDB": site_url("ix", story.fabric.peeringdb_id),
            },
        }

    def test_pages_that_one_may_not_use_are_not_named(self, story):
        found = links_of(make_user(NETWORK, CONNECTION))
        assert found["prefix-changed"] == {}
        assert list(found["own-port-missing-there"]) == ["Exchange in PeeringDB"]

    def test_a_kind_without_a_change_is_a_conflict_that_names_them(self, story):
        address = f"{API}{row('prefix-changed').pk}/repair/"
        response = rest(make_user(NETWORK, CHANGE_NETWORK, name="noc")).post(address)
        assert response.status_code == 409
        assert (
            response.data["detail"] == "There is no change here that mends it, but pages that do: Renumber."
        )
        assert [link["label"] for link in response.data["repairs"]] == ["Renumber"]
        response = rest(make_user(NETWORK, name="viewer")).post(address)
        assert (response.status_code, response.data["repairs"]) == (409, [])


class TestDecommission:
    def test_connection_is_decommissioned_and_recorded(self, story):
        user = make_user(CONNECTION, CHANGE_CONNECTION)
        response = rest(user).post(f"{API}{row('own-port-missing-there').pk}/repair/")
        gone = story.connections[1]
        assert (response.status_code, response.data) == (
            200,
            {"object": str(gone), "field": "status", "before": "active", "after": "decommissioned"},
        )
        gone.refresh_from_db()
        assert gone.status == "decommissioned"
        change = ObjectChange.objects.get(
            changed_object_id=gone.pk, changed_object_type__model="peeringconnection"
        )
        assert (change.user, change.object_repr) == (user, str(gone))
        assert refresh_drift().new == 0

    def test_who_may_change_connections_is_offered_it_for_many(self, story):
        text = browser(make_user(CONNECTION, CHANGE_CONNECTION, name="noc")).get(LIST).content.decode()
        assert "Repair Selected" in text
        assert "Decommission" in text
        text = browser(make_user(CONNECTION, name="viewer")).get(LIST).content.decode()
        assert "Repair Selected" not in text
        assert "Decommission" not in text

    def test_takes_the_right_to_change_the_connection(self, story):
        response = rest(make_user(CONNECTION)).post(f"{API}{row('own-port-missing-there').pk}/repair/")
        assert response.status_code == 403
        story.connections[1].refresh_from_db()
        assert story.connections[1].status == "active"

    def test_site_without_that_status_has_the_pages_alone(self, story, monkeypatch):
        left = [each for each in ConnectionStatusChoices.CHOICES if each[0] != "decommissioned"]
        monkeypatch.setattr(ConnectionStatusChoices, "_choices", [each[:2] for each in left])
        root = make_root()
        assert "Decommission" not in links_of(root)["own-port-missing-there"]
        response = rest(root).post(f"{API}{row('own-port-missing-there').pk}/repair/")
        assert response.status_code == 409
        assert "Edit connection" in response.data["detail"]

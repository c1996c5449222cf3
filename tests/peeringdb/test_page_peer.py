"""What PeeringDB says of an AS on its peer ASN's page; taking it over; contacts; the form that fills itself in."""

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.models import ObjectChange

from netbox_peering_manager.models import PeerASN, PeeringDBNet, PeeringDBWatermark
from netbox_peering_manager.services.peeringdb.networks import contacts_of, network_of, suggested_for
from netbox_peering_manager.services.peeringdb.site import site_url
from tests import factories
from tests.peeringdb.filling import fill_mirror
from tests.sessions.people import browser, grant, make_root, make_user, ours

pytestmark = pytest.mark.django_db

VIEW, CHANGE, CONTACTS = ours("view_peerasn", "change_peerasn", "view_contacts_peeringdbsync")


@pytest.fixture
def mirror(hamlet):
    fill_mirror(hamlet, "net", "poc")
    return hamlet


@pytest.fixture
def settings_of(settings):
    def change(**values):
        config = settings.PLUGINS_CONFIG
        settings.PLUGINS_CONFIG = {
            **config,
            "netbox_peering_manager": {**config["netbox_peering_manager"], **values},
        }

    return change


def text_of(response):
    assert response.status_code == 200, response.status_code
    return " ".join(response.content.decode().split())


def page(user, peer):
    return text_of(browser(user).get(peer.get_absolute_url()))


def panel(user, peer):
    text = page(user, peer)
    return text[text.index('id="peer-peeringdb"') :].partition("<!-- end PeeringDBPanel")[0]


def synchronise(peer):
    return reverse("plugins:netbox_peering_manager:peerasn_synchronise", args=[peer.pk])


class TestPanel:
    def test_it_shows_what_peeringdb_says(self, mirror):
        mirror.change(
            "net",
            2,
            aka="Northern Lights",
            policy_general="Selective",
            policy_url="https://as64496.example.net/peering",
            policy_locations="Preferred",
            policy_contracts="Private Only",
            info_types=["NSP", "Cable/DSL/ISP"],
            info_traffic="5-10Tbps",
            info_ratio="Balanced",
            info_scope="Global",
            info_prefixes4=140000,
            looking_glass="https://lg.as64496.example.net",
        )
        fill_mirror(mirror, "net")
        text = panel(make_user(VIEW), factories.make_peer_asn(64496))
        for shown in (
            "Aurora Broadband",
            "Northern Lights",
            '<a href="https://as64496.example.net/peering" target="_blank" rel="noopener noreferrer">Selective</a>',
            "Preferred",
            "Private Only",
            "NSP, Cable/DSL/ISP",
            "5-10Tbps",
            "Balanced",
            "Global",
            "140,000",
            "AS-AURORA",
            "https://lg.as64496.example.net",
            f'href="{site_url("net", 2)}"',
        ):
            assert shown in text, shown

    def test_addresses_that_are_no_web_pages_are_no_links(self, mirror):
        mirror.change(
            "net", 2, policy_url="javascript:alert(1)", website="ftp://example.net", looking_glass="lg"
        )
        fill_mirror(mirror, "net")
        network = network_of(64496)
        assert (network.policy_url, network.website, network.looking_glass) == ("", "", "")
        assert "javascript:alert" not in page(make_user(VIEW), factories.make_peer_asn(64496))

    def test_texts_of_peeringdb_are_escaped(self, mirror):
        mirror.change("net", 2, aka="<script>alert(1)</script>")
        fill_mirror(mirror, "net")
        assert "<script>alert(1)" not in page(make_user(VIEW), factories.make_peer_asn(64496))

    def test_without_a_mirror_it_says_what_to_do(self):
        peer = factories.make_peer_asn(64496)
        assert "sync with it first" in panel(make_user(VIEW), peer)
        assert reverse("plugins:netbox_peering_manager:peeringdb") not in panel(
            make_user(VIEW, name="b"), peer
        )
        assert reverse("plugins:netbox_peering_manager:peeringdb") in panel(make_root(), peer)

    def test_an_as_that_peeringdb_does_not_have_is_told(self, mirror):
        text = panel(make_user(VIEW), factories.make_peer_asn(64511))
        assert "PeeringDB had no network with AS number 64511" in text

    def test_it_costs_two_queries(self, mirror):
        client, peer = browser(make_user(VIEW)), factories.make_peer_asn(64496)
        client.get(peer.get_absolute_url())
        with CaptureQueriesContext(connection) as queries:
            client.get(peer.get_absolute_url())
        tables = [model._meta.db_table for model in (PeeringDBNet, PeeringDBWatermark)]
        asked = [
            query["sql"]
            for query in queries
            if any(f'FROM "{table}" WHERE' in query["sql"] for table in tables)
        ]
        assert len(asked) == 2, asked


class TestSynchronise:
    def test_it_fills_the_fields_and_is_recorded(self, mirror):
        peer = factories.make_peer_asn(64496, follow_peeringdb=[])
        user = make_user(VIEW, CHANGE)
        assert synchronise(peer) in panel(user, peer)
        text = text_of(browser(user).post(synchronise(peer), follow=True))
        assert "AS64496 (Aurora Broadband) is as PeeringDB has it" in text
        peer.refresh_from_db()
        assert (peer.irr_as_set, peer.ipv4_max_prefixes, peer.peeringdb_id) == ("AS-AURORA", 400, 2)
        assert peer.peeringdb_last_sync is not None
        change = ObjectChange.objects.get(
            changed_object_type=ContentType.objects.get_for_model(peer), changed_object_id=peer.pk
        )
        assert (change.user, change.action) == (user, "update")

    def test_a_network_that_the_mirror_lacks_is_asked_for(self, server, settings_of):
        (net, *_others) = server.world.rows("net")
        peer = factories.make_peer_asn(net["asn"])
        settings_of(peeringdb_url=server.api_url, peeringdb_min_interval_s=0)
        browser(make_root()).post(synchronise(peer))
        peer.refresh_from_db()
        assert (peer.name, peer.peeringdb_id) == (net["name"], net["id"])

    def test_a_network_that_is_nowhere_is_told(self, server, settings_of):
        peer = factories.make_peer_asn(64511)
        settings_of(peeringdb_url=server.api_url, peeringdb_min_interval_s=0)
        text = text_of(browser(make_root()).post(synchronise(peer), follow=True))
        assert "PeeringDB has no network with AS number 64511." in text

    def test_a_server_that_is_down_is_told_and_nothing_changed(self, settings_of):
        peer = factories.make_peer_asn(64496)
        settings_of(peeringdb_url="http://127.0.0.1:9/api", peeringdb_min_interval_s=0)
        text = text_of(browser(make_root()).post(synchronise(peer), follow=True))
        assert "127.0.0.1:9" in text
        assert not ObjectChange.objects.exists()

    def test_it_takes_the_right_to_change_this_peer(self, mirror):
        peer = factories.make_peer_asn(64496)
        viewer = make_user(VIEW, name="viewer")
        assert synchronise(peer) not in panel(viewer, peer)
        assert browser(viewer).post(synchronise(peer)).status_code == 403
        other = grant(make_user(VIEW, name="other"), CHANGE, constraints={"asn__asn": 64500})
        assert synchronise(peer) not in panel(other, peer)
        assert browser(other).post(synchronise(peer)).status_code == 404
        assert "/login/" in browser().post(synchronise(peer))["Location"]
        peer.refresh_from_db()
        assert peer.name == ""

    def test_constraints_hold_for_what_the_peer_becomes(self, mirror):
        peer = factories.make_peer_asn(64496, name="Mine")
        user = grant(make_user(VIEW), CHANGE, constraints={"name": "Mine"})
        text = text_of(browser(user).post(synchronise(peer), follow=True))
        assert "You may not change" in text
        peer.refresh_from_db()
        assert (peer.name, peer.peeringdb_last_sync) == ("Mine", None)
        assert not ObjectChange.objects.exists()

    def test_opening_it_changes_nothing(self, mirror):
        assert browser(make_root()).get(synchronise(factories.make_peer_asn(64496))).status_code == 405


class TestContacts:
    def test_they_show_with_their_own_permission_alone(self, mirror):
        peer = factories.make_peer_asn(64496)
        (first, *_others) = contacts_of(64496)
        assert first.email
        every = make_user(VIEW, CHANGE, *ours("view_peeringdbsync", "sync_peeringdbsync"), name="every")
        for text in (page(make_user(VIEW, name="viewer"), peer), page(every, peer)):
            assert first.email not in text
            assert "Contacts in PeeringDB" not in text
        text = page(make_user(VIEW, CONTACTS, name="noc"), peer)
        assert f'<a href="mailto:{first.email}">' in text

    def test_the_permission_counts_without_constraints_only(self, mirror):
        user = grant(make_user(VIEW), CONTACTS, constraints={"mode": "full"})
        assert "Contacts in PeeringDB" not in page(user, factories.make_peer_asn(64496))

    def test_contacts_of_other_networks_are_not_shown(self, mirror):
        emails = {contact.email for contact in contacts_of(64496)}
        others = {row["email"] for row in mirror.rows("poc") if row["net_id"] != 2} - emails
        assert others
        text = page(make_user(VIEW, CONTACTS), factories.make_peer_asn(64496))
        assert not [email for email in others if email in text]

    def test_those_for_peering_come_first(self, mirror):
        for contact in mirror.find("poc", net_id=2):
            mirror.delete("poc", contact["id"])
        for number, role in enumerate(("Sales", "NOC", "Policy"), 900):
            mirror.add("poc", {**mirror.rows("poc")[0], "id": number, "net_id": 2, "role": role})
        fill_mirror(mirror, "poc")
        assert [contact.role for contact in contacts_of(64496)] == ["Policy", "NOC", "Sales"]

    def test_it_says_why_there_are_none(self, hamlet):
        peer, user = factories.make_peer_asn(64511), make_user(VIEW, CONTACTS)
        assert "Contacts are kept only with an API key" in page(user, peer)
        fill_mirror(hamlet, "net", "poc")
        assert "PeeringDB shows no contact of this network" in page(user, peer)


class TestForm:
    ADD = "plugins:netbox_peering_manager:peerasn_add"

    def add(self, **data):
        return browser(make_root()).post(reverse(self.ADD), data)

    def test_what_is_left_empty_is_filled_in(self, mirror):
        asn = factories.make_asn(64496)
        assert self.add(asn=asn.pk, follow_peeringdb=["name"]).status_code == 302
        peer = PeerASN.objects.get(asn=asn)
        assert (peer.name, peer.irr_as_set) == ("Aurora Broadband", "AS-AURORA")
        assert (peer.ipv4_max_prefixes, peer.ipv6_max_prefixes, peer.peeringdb_id) == (400, 120, 2)
        assert peer.follow_peeringdb == ["name"]

    def test_what_is_written_stays(self, mirror):
        asn = factories.make_asn(64496)
        self.add(asn=asn.pk, name="Mine", irr_as_set="AS-MINE", ipv4_max_prefixes=0)
        peer = PeerASN.objects.get(asn=asn)
        assert (peer.name, peer.irr_as_set, peer.ipv4_max_prefixes) == ("Mine", "AS-MINE", 0)
        assert peer.ipv6_max_prefixes == 120

    def test_what_is_wrong_is_told_and_not_replaced(self, mirror):
        asn = factories.make_asn(64496)
        response = self.add(asn=asn.pk, irr_as_set="no set")
        assert "Write AS-SETs as" in text_of(response)

    def test_an_id_that_another_peer_has_is_left_out(self, mirror):
        factories.make_peer_asn(64497, peeringdb_id=2)
        assert "peeringdb_id" not in suggested_for(64496)
        asn = factories.make_asn(64496)
        assert self.add(asn=asn.pk).status_code == 302
        assert PeerASN.objects.get(asn=asn).peeringdb_id is None

    def test_an_as_that_the_mirror_does_not_know_is_added_as_written(self, mirror):
        asn = factories.make_asn(64511)
        self.add(asn=asn.pk)
        assert PeerASN.objects.get(asn=asn).name == ""

    def test_emptying_a_field_of_a_peer_that_is_there_empties_it(self, mirror):
        peer = factories.make_peer_asn(64496, name="Old", irr_as_set="AS-OLD")
        edit = reverse("plugins:netbox_peering_manager:peerasn_edit", args=[peer.pk])
        assert browser(make_root()).post(edit, {"asn": peer.asn_id, "name": ""}).status_code == 302
        peer.refresh_from_db()
        assert (peer.name, peer.irr_as_set) == ("", "")

    def test_the_form_says_so(self):
        assert "what you leave empty is filled in from there" in text_of(
            browser(make_root()).get(reverse(self.ADD))
        )


@pytest.mark.parametrize(
    ("api", "site"),
    [
        ("https://www.peeringdb.com/api", "https://www.peeringdb.com"),
        ("https://beta.peeringdb.com/api/", "https://beta.peeringdb.com"),
        ("http://127.0.0.1:8001/api", "http://127.0.0.1:8001"),
        ("https://mirror.example.net/peeringdb/api", "https://mirror.example.net/peeringdb"),
    ],
)
def test_the_site_lies_beside_the_api(settings_of, api, site):
    settings_of(peeringdb_url=api)
    assert site_url() == site
    assert site_url("net", 5) == f"{site}/net/5"

"""Pages of peer ASNs, as NetBox's own cases try them and beyond."""

import pytest
from django.urls import reverse

from utilities.testing import TestCase, ViewTestCases, create_tags

from netbox_peering_manager.models import PeerASN
from netbox_peering_manager.services.peeringdb.site import site_url
from netbox_peering_manager.tables import PeerASNTable
from tests import factories
from tests.base import PluginViewMixin, WithoutLabel
from tests.queries import page, queries_for_few_and_many, queries_of

ADD = "plugins:netbox_peering_manager:peerasn_add"
LIST = "plugins:netbox_peering_manager:peerasn_list"
SESSIONS = "plugins:netbox_peering_manager:peeringsession_list"
IMPORT = "plugins:netbox_peering_manager:peerasn_bulk_import"
EDIT_MANY = "plugins:netbox_peering_manager:peerasn_bulk_edit"


class PeerASNViewTestCase(
    WithoutLabel,
    PluginViewMixin,
    ViewTestCases.PrimaryObjectViewTestCase,
    ViewTestCases.BulkRenameObjectsViewTestCase,
):
    model = PeerASN

    @classmethod
    def setUpTestData(cls):
        peers = [factories.make_peer_asn(number, name=f"Peer {number}") for number in (64496, 64497, 64498)]
        asn = factories.make_asn(4200000001)
        for number in (64499, 65536, 4200000002):
            factories.make_asn(number)
        tags = create_tags("Alpha", "Bravo")
        cls.form_data = {
            "asn": asn.pk,
            "name": "Example",
            "affiliated": True,
            "irr_as_set": "RIPE::AS-EXAMPLE",
            "ipv4_max_prefixes": 100,
            "ipv6_max_prefixes": 50,
            "peeringdb_id": 4200000000,
            "follow_peeringdb": ["name", "irr_as_set"],
            "description": "A peer",
            "tags": [tag.pk for tag in tags],
        }
        cls.csv_data = (
            "asn,name,affiliated,irr_as_set,ipv4_max_prefixes,follow_peeringdb",
            '64499,One,true,AS-ONE,10,"name,irr_as_set"',
            "AS65536,Two,false,AS-TWO,20,",
            "4200000002,Three,false,,,name",
        )
        cls.csv_update_data = (
            "id,name,irr_as_set",
            *(f"{peer.pk},New {peer.asn.asn},AS-NEW" for peer in peers),
        )
        cls.bulk_edit_data = {
            "affiliated": True,
            "irr_as_set": "AS-MANY",
            "ipv4_max_prefixes": 7,
            "ipv6_max_prefixes": 8,
            "follow_peeringdb": ["name"],
            "description": "Many",
        }


class PeerASNFormTest(TestCase):
    user_permissions = (
        "netbox_peering_manager.add_peerasn",
        "netbox_peering_manager.view_peerasn",
        "netbox_peering_manager.change_peerasn",
        "ipam.view_asn",
    )

    def test_second_peer_asn_of_an_as_is_refused_with_a_link_to_the_first(self):
        existing = factories.make_peer_asn(64496, name="SECRET-NAME")
        response = self.client.post(reverse(ADD), {"asn": existing.asn.pk})
        text = response.content.decode()
        assert "AS64496 has a peer ASN already" in text
        assert (
            f'<a href="{existing.get_absolute_url()}">edit that one</a> instead of creating another.' in text
        )
        # Who may not view the other one is not told its name.
        assert "SECRET-NAME" not in text
        assert PeerASN.objects.count() == 1

    def test_asn_of_the_address_is_chosen(self):
        asn = factories.make_asn(4200000001)
        response = self.client.get(reverse(ADD), {"asn": asn.pk})
        assert response.context["form"]["asn"].value() == str(asn.pk)
        assert "AS4200000001" in response.content.decode()

    def test_new_peer_asn_follows_peeringdb_in_every_field(self):
        response = self.client.get(reverse(ADD))
        assert response.content.decode().count("selected") >= 4
        assert response.context["form"]["follow_peeringdb"].value() == [
            "name",
            "irr_as_set",
            "ipv4_max_prefixes",
            "ipv6_max_prefixes",
        ]

    def test_following_nothing_is_kept(self):
        asn = factories.make_asn(64496)
        self.client.post(reverse(ADD), {"asn": asn.pk})
        assert PeerASN.objects.get(asn=asn).follow_peeringdb == []

    def test_an_as_that_the_user_may_not_view_cannot_be_chosen(self):
        asn = factories.make_asn(64496)
        self.remove_permissions("ipam.view_asn")
        response = self.client.post(reverse(ADD), {"asn": asn.pk})
        assert response.status_code == 200
        assert not PeerASN.objects.exists()

    def test_import_without_the_column_follows_peeringdb_in_every_field(self):
        factories.make_asn(64496)
        data = {"data": "asn,name\nas64496,Example", "format": "csv", "csv_delimiter": ","}
        assert self.client.post(reverse(IMPORT), data).status_code == 302
        assert len(PeerASN.objects.get(asn__asn=64496).follow_peeringdb) == 4

    def test_import_that_leaves_the_column_out_keeps_what_an_object_follows(self):
        peer = factories.make_peer_asn(64496, follow_peeringdb=["name"])
        data = {"data": f"id,name\n{peer.pk},Renamed", "format": "csv", "csv_delimiter": ","}
        assert self.client.post(reverse(IMPORT), data).status_code == 302
        peer.refresh_from_db()
        assert (peer.name, peer.follow_peeringdb) == ("Renamed", ["name"])

    def test_import_names_row_and_column_of_each_mistake_and_imports_nothing(self):
        factories.make_asn(64496)
        factories.make_peer_asn(64497)
        cases = (
            ("64999,A,", "asn", "AS number 64999 is not in NetBox: add it under IPAM, ASNs first."),
            ("many,A,", "asn", "AS number many is not in NetBox"),
            ("64497,A,", "asn", "AS64497 has a peer ASN already: edit that one instead of creating another."),
            ("64496,A,AS EXAMPLE", "irr_as_set", "Write AS-SETs as AS-NAME"),
        )
        for row, column, message in cases:
            with self.subTest(row=row):
                factories.make_asn(64498)
                text = f"asn,name,irr_as_set\n64498,Good,AS-GOOD\n{row}"
                data = {"data": text, "format": "csv", "csv_delimiter": ","}
                response = self.client.post(reverse(IMPORT), data)
                assert response.status_code == 200
                shown = response.content.decode()
                assert message in shown
                assert f"Record 2 {column}" in shown
                assert PeerASN.objects.count() == 1

    def test_bulk_edit_refuses_a_malformed_as_set(self):
        peer = factories.make_peer_asn(64496)
        data = {"pk": [peer.pk], "irr_as_set": "no set", "_apply": True}
        response = self.client.post(reverse(EDIT_MANY), data)
        assert "Write AS-SETs as AS-NAME" in response.content.decode()

    def test_bulk_edit_can_empty_limits_and_as_set(self):
        peer = factories.make_peer_asn(64496, irr_as_set="AS-X", ipv4_max_prefixes=1, ipv6_max_prefixes=1)
        nullified = ["irr_as_set", "ipv4_max_prefixes", "ipv6_max_prefixes"]
        self.client.post(reverse(EDIT_MANY), {"pk": [peer.pk], "_nullify": nullified, "_apply": True})
        peer.refresh_from_db()
        assert (peer.irr_as_set, peer.ipv4_max_prefixes, peer.ipv6_max_prefixes) == ("", None, None)


class PeerASNPageTest(TestCase):
    user_permissions = ("netbox_peering_manager.view_peerasn",)

    def page(self, peer):
        response = self.client.get(peer.get_absolute_url())
        assert response.status_code == 200
        return response.content.decode()

    def sessions_of(self, field, peer):
        return f"{reverse(SESSIONS)}?{field}={peer.asn_id}"

    def embedded(self, field, peer):
        return f'hx-get="{reverse(SESSIONS)}?embedded=True&{field}={peer.asn_id}&amp;'

    def test_page_shows_sessions_whose_remote_as_it_is(self):
        self.add_permissions("netbox_peering_manager.view_peeringsession")
        peer = factories.make_peer_asn(64496)
        text = self.page(peer)
        assert "Sessions with this AS" in text
        assert self.embedded("remote_as_id", peer) in text
        assert "Sessions of this AS" not in text

    def test_page_of_an_affiliated_as_also_shows_the_sessions_that_it_has(self):
        self.add_permissions("netbox_peering_manager.view_peeringsession")
        peer = factories.make_peer_asn(64500, affiliated=True)
        text = self.page(peer)
        assert "Sessions of this AS" in text
        assert self.embedded("local_as_id", peer) in text

    def test_page_holds_no_session_tables_for_who_may_not_view_sessions(self):
        text = self.page(factories.make_peer_asn(64500, affiliated=True))
        assert "Sessions with this AS" not in text
        assert "Sessions of this AS" not in text

    def test_table_of_the_page_has_the_sessions_of_its_as_alone(self):
        self.add_permissions("netbox_peering_manager.view_peeringsession")
        peer = factories.make_peer_asn(64496)
        mine = factories.make_session(factories.make_bgp_peer(asn=64496, name="mine"))
        factories.make_session(factories.make_bgp_peer("198.51.100.43/24", asn=64497, name="other"))
        response = self.client.get(self.sessions_of("remote_as_id", peer), headers={"HX-Request": "true"})
        assert [row.record for row in response.context["table"].rows] == [mine]

    def test_page_links_to_peeringdb_by_id_else_by_number(self):
        with_id = factories.make_peer_asn(64496, peeringdb_id=4224)
        assert f'href="{site_url("net", 4224)}"' in self.page(with_id)
        public = factories.make_peer_asn(3356)
        assert f'href="{site_url("asn", 3356)}"' in self.page(public)

    def test_page_has_no_link_to_peeringdb_for_a_number_that_cannot_be_there(self):
        assert site_url() not in self.page(factories.make_peer_asn(64497))

    def test_page_names_the_fields_that_follow_peeringdb(self):
        peer = factories.make_peer_asn(64496, follow_peeringdb=["irr_as_set", "ipv6_max_prefixes"])
        assert "IRR AS-SET, IPv6 max prefixes" in self.page(peer)

    def test_contacts_have_a_tab(self):
        peer = factories.make_peer_asn(64496)
        assert self.client.get(f"{peer.get_absolute_url()}contacts/").status_code == 200


class PeerASNListTest(TestCase):
    user_permissions = ("netbox_peering_manager.view_peerasn",)

    def row(self):
        response = self.client.get(reverse(LIST))
        return response.content.decode()

    def test_list_counts_the_sessions_that_the_user_may_view(self):
        peer = factories.make_peer_asn(64496)
        factories.make_session(factories.make_bgp_peer(asn=64496))
        link = f'<a href="/plugins/peering-manager/sessions/?remote_as_id={peer.asn_id}">1</a>'
        assert link not in self.row()
        self.add_permissions("netbox_peering_manager.view_peeringsession")
        assert link in self.row()

    def test_user_with_view_only_is_offered_no_change(self):
        factories.make_peer_asn(64496)
        text = self.row()
        assert "AS64496" in text
        for path in ("add/", "import/", "edit/", "rename/", "delete/"):
            assert f"/plugins/peering-manager/peer-asns/{path}" not in text


class ASNPagePanelTest(TestCase):
    """What NetBox's page of an ASN says of its PeerASN."""

    user_permissions = ("ipam.view_asn",)

    def page(self, asn):
        response = self.client.get(asn.get_absolute_url())
        assert response.status_code == 200
        text = response.content.decode()
        assert "NetBoxException" not in text
        assert "An error" not in text
        return text

    def add_url(self, asn):
        return f"/plugins/peering-manager/peer-asns/add/?asn={asn.pk}"

    def test_peer_asn_is_shown_with_the_number_of_visible_sessions(self):
        self.add_permissions(
            "netbox_peering_manager.view_peerasn", "netbox_peering_manager.view_peeringsession"
        )
        peer = factories.make_peer_asn(
            64496, name="Example", irr_as_set="AS-EXAMPLE", ipv4_max_prefixes=1234, ipv6_max_prefixes=567
        )
        factories.make_session(factories.make_bgp_peer(asn=64496))
        text = self.page(peer.asn)
        assert f'<a href="{peer.get_absolute_url()}">AS64496 (Example)</a>' in text
        for shown in ("AS-EXAMPLE", "1234", "567"):
            assert shown in text
        assert f'sessions/?remote_as_id={peer.asn_id}">1</a>' in text

    def test_sessions_that_the_user_may_not_view_do_not_count(self):
        self.add_permissions("netbox_peering_manager.view_peerasn")
        peer = factories.make_peer_asn(64496)
        factories.make_session(factories.make_bgp_peer(asn=64496))
        assert "remote_as_id" not in self.page(peer.asn)

    def test_as_without_peer_asn_has_a_button_that_creates_it(self):
        self.add_permissions("netbox_peering_manager.add_peerasn")
        asn = factories.make_asn(64496)
        text = self.page(asn)
        assert self.add_url(asn) in text
        assert "Create Peer ASN" in text
        assert "No peer ASN" in text

    def test_nothing_is_shown_to_who_may_neither_view_nor_add(self):
        asn = factories.make_asn(64496)
        assert "peer ASN" not in self.page(asn)
        peer = factories.make_peer_asn(64497, name="HIDDEN")
        assert "HIDDEN" not in self.page(peer.asn)

    def test_no_button_when_there_is_one_that_the_user_may_not_view(self):
        self.add_permissions("netbox_peering_manager.add_peerasn")
        peer = factories.make_peer_asn(64496, name="HIDDEN")
        text = self.page(peer.asn)
        assert self.add_url(peer.asn) not in text
        assert "HIDDEN" not in text


def make_peers(numbers):
    for number in numbers:
        asn = 64496 + number
        factories.make_peer_asn(asn, name=f"Peer {number}", tags=[])
        factories.make_session(factories.make_bgp_peer(f"198.51.100.{number + 10}/24", asn=asn))


@pytest.mark.parametrize("columns", ["default", "every"])
def test_list_costs_the_same_number_of_queries_for_3_and_for_20_rows(admin, columns):
    query = "?include_columns=" + ",".join(PeerASNTable.Meta.fields) if columns == "every" else ""
    assert queries_for_few_and_many(lambda: page(admin, reverse(LIST) + query), make_peers) <= 30


def test_page_costs_the_same_number_of_queries_for_3_and_for_20_sessions(admin):
    peer = factories.make_peer_asn(64496)

    def make_sessions(numbers):
        for number in numbers:
            factories.make_session(factories.make_bgp_peer(f"198.51.100.{number + 10}/24", asn=64496))

    assert queries_for_few_and_many(lambda: page(admin, peer.get_absolute_url()), make_sessions) <= 30


def test_asn_page_pays_two_queries_at_most_for_the_panel(admin):
    bare = factories.make_asn(64496)
    admin.get(bare.get_absolute_url())
    without = queries_of(lambda: page(admin, bare.get_absolute_url()))
    peer = factories.make_peer_asn(64497)
    assert queries_of(lambda: page(admin, peer.asn.get_absolute_url())) <= without

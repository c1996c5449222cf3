"""Pages that take over from PeeringDB: what they show to whom, and that they do what they showed once confirmed."""

import re
from html import unescape

from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from core.models import ObjectChange
from ipam.models import IPAddress, Prefix
from utilities.testing import TestCase

from netbox_peering_manager.models import (
    PeeringConnection,
    PeeringDBIX,
    PeeringDBIXLan,
    PeeringDBIXPfx,
    PeeringFabric,
    PeeringNetwork,
)
from tests.fabrics.mirror import make_exchange, make_ixpfx, make_port
from tests.fabrics.scenery import grant, make_peer_group, make_vrf, populate
from tests.factories import (
    look_ups_kept,
    make_address,
    make_bgp_peer,
    make_connection,
    make_device,
    make_fabric,
    make_interface,
    make_network,
    make_peer_asn,
    make_scope,
    make_session,
)

APP = "netbox_peering_manager"
ROOT = "/plugins/peering-manager/fabrics/"
OURS = 64500


class PageCase(TestCase):
    """With what every page of ours costs looked up once."""

    def text(self, response) -> str:
        return re.sub(r"\s+", " ", unescape(response.content.decode()))

    def page(self, url: str) -> str:
        response = self.client.get(url)
        assert response.status_code == 200, response.status_code
        return self.text(response)

    def post(self, url: str, **data) -> str:
        response = self.client.post(url, data)
        assert response.status_code == 200, response.status_code
        return self.text(response)

    def digest(self, page: str) -> str:
        return re.search(r'name="digest" value="(\w+)"', page)[1]

    def counts(self):
        return [model.objects.count() for model in (PeeringFabric, PeeringNetwork, PeeringConnection, Prefix)]


class TestAddFromPeeringDB(PageCase):
    url = f"{ROOT}add-from-peeringdb/"
    rights = (f"{APP}.add_peeringfabric", f"{APP}.add_peeringnetwork", "ipam.add_prefix", "ipam.view_vrf")

    def setUp(self):
        super().setUp()
        grant(self.user, *self.rights)

    def test_form_says_to_sync_first_while_nothing_was_synced(self):
        assert "Ask someone who may sync" in self.page(self.url)
        grant(self.user, f"{APP}.view_peeringdbsync")
        page = self.page(self.url)
        assert "Sync with PeeringDB first" in page
        assert "/plugins/peering-manager/peeringdb/" in page

    def test_field_asks_the_mirror_as_one_types(self):
        make_exchange()
        page = self.page(self.url)
        assert 'data-url="/api/plugins/peering-manager/peeringdb/exchanges/"' in page
        assert 'ts-disabled-field="fabric"' in page
        assert "Ask someone" not in page

    def test_preview_shows_what_will_be_made_and_makes_nothing(self):
        make_exchange()
        page = self.post(self.url, exchange=26)
        for told in ("Preview: Example IX", "198.51.100.0/24", "2001:db8:100::/64", "1500", "London, GB"):
            assert told in page
        assert 'name="_confirm"' in page
        assert self.counts() == [0, 0, 0, 0]

    def test_confirmed_it_is_made_with_what_was_chosen(self):
        make_exchange()
        vrf, group = make_vrf("Peering"), make_peer_group("IX")
        grant(self.user, "netbox_routing.view_bgppeertemplate", f"{APP}.view_peeringfabric")
        chosen = {"exchange": 26, "name": "London", "vrf": vrf.pk, "peer_group": group.pk}
        digest = self.digest(self.post(self.url, **chosen))
        response = self.client.post(self.url, {**chosen, "digest": digest, "_confirm": ""}, follow=True)
        fabric = PeeringFabric.objects.get()
        assert response.redirect_chain[0][0] == fabric.get_absolute_url()
        assert "Created London from PeeringDB" in re.sub(r"<[^>]+>", "", self.text(response))
        assert (fabric.peer_group, fabric.peeringdb_id) == (group, 26)
        assert {prefix.vrf for prefix in Prefix.objects.all()} == {vrf}
        assert ObjectChange.objects.filter(user=self.user).values("request_id").distinct().count() == 1

    def test_confirmed_after_a_change_it_shows_the_preview_again(self):
        make_exchange()
        digest = self.digest(self.post(self.url, exchange=26))
        page = self.post(self.url, exchange=26, name="Changed", digest=digest, _confirm="")
        assert "has changed since this preview" in page
        assert self.digest(page) != digest
        assert self.counts() == [0, 0, 0, 0]

    def test_problem_comes_with_the_way_out_and_without_a_button(self):
        make_exchange()
        fabric = make_fabric("Example IX")
        page = self.post(self.url, exchange=26)
        assert "link-peeringdb" not in page
        grant(self.user, f"{APP}.view_peeringfabric")
        page = self.post(self.url, exchange=26)
        assert "link it to PeeringDB instead" in page
        assert f'href="{ROOT}{fabric.pk}/link-peeringdb/?exchange=26"' in page
        assert 'name="_confirm"' not in page

    def test_lan_without_prefix_is_told(self):
        make_exchange(prefixes=())
        page = self.post(self.url, exchange=26)
        assert "The LAN Example IX is left out: PeeringDB has no prefix of it." in page
        assert "It has no network yet" in page

    def test_right_that_lacks_is_told_and_nothing_is_made(self):
        make_exchange()
        self.user.object_permissions.filter(name="ipam.add_prefix").delete()
        digest = self.digest(self.post(self.url, exchange=26))
        page = self.post(self.url, exchange=26, digest=digest, _confirm="")
        assert "You may not add the prefix 198.51.100.0/24" in page
        assert self.counts() == [0, 0, 0, 0]

    def test_vrf_that_may_not_be_seen_cannot_be_chosen(self):
        make_exchange()
        self.user.object_permissions.filter(name="ipam.view_vrf").delete()
        page = self.post(self.url, exchange=26, vrf=make_vrf("Peering").pk)
        assert "Select a valid choice" in page

    def test_nonsense_is_refused(self):
        for value in ("", "x", "-1", "9" * 40, "26"):
            page = self.post(self.url, exchange=value)
            assert "Preview:" not in page
            assert self.counts() == [0, 0, 0, 0]
        assert self.client.get(self.url, {"exchange": "x", "vrf": "y"}).status_code == 200

    def test_exchange_of_the_address_is_chosen(self):
        make_exchange()
        assert '<option value="26" selected' in self.page(f"{self.url}?exchange=26")

    def test_only_for_who_may_add_fabrics(self):
        self.user.object_permissions.all().delete()
        grant(self.user, f"{APP}.view_peeringfabric")
        assert self.client.get(self.url).status_code == 403
        assert self.client.post(self.url, {"exchange": 26}).status_code == 403


class TestLink(PageCase):
    def setUp(self):
        super().setUp()
        make_exchange(mtu=9000)
        self.network = make_network("LAN", make_fabric("Ours"), ipv6=None)
        self.url = f"{ROOT}{self.network.fabric_id}/link-peeringdb/"
        grant(
            self.user,
            f"{APP}.view_peeringfabric",
            f"{APP}.change_peeringfabric",
            f"{APP}.view_peeringnetwork",
            f"{APP}.change_peeringnetwork",
            "ipam.add_prefix",
        )

    def test_exchange_is_suggested_by_the_prefix(self):
        assert '<option value="26" selected' in self.page(self.url)

    def test_exchange_is_suggested_by_the_name(self):
        fabric = make_fabric("EXAMPLE IX")
        assert '<option value="26" selected' in self.page(f"{ROOT}{fabric.pk}/link-peeringdb/")

    def test_nothing_is_suggested_where_nothing_fits(self):
        fabric = make_fabric("Elsewhere")
        assert "selected" not in re.search(
            r'<select name="exchange".*?</select>', self.page(f"{ROOT}{fabric.pk}/link-peeringdb/")
        )[0].replace('value="" selected', "")

    def test_preview_then_link(self):
        page = self.post(self.url, exchange=26)
        for told in ("2001:db8:100::/64", "9000", "is linked"):
            assert told in page
        response = self.client.post(self.url, {"exchange": 26, "digest": self.digest(page), "_confirm": ""})
        assert response.status_code == 302
        self.network.refresh_from_db()
        assert (self.network.peeringdb_id, self.network.fabric.peeringdb_id, self.network.mtu) == (
            26,
            26,
            9000,
        )

    def test_button_stands_on_fabrics_without_a_link(self):
        assert self.url in self.page(self.network.fabric.get_absolute_url())
        linked = make_fabric("Linked", peeringdb_id=9)
        assert "link-peeringdb" not in self.page(linked.get_absolute_url())

    def test_no_button_and_no_page_without_the_right(self):
        self.user.object_permissions.filter(name=f"{APP}.change_peeringfabric").delete()
        assert self.url not in self.page(self.network.fabric.get_absolute_url())
        assert self.client.get(self.url).status_code == 403

    def test_fabric_that_may_not_be_changed_is_not_there(self):
        self.user.object_permissions.filter(name=f"{APP}.change_peeringfabric").delete()
        grant(self.user, f"{APP}.change_peeringfabric", name="Another")
        assert self.client.get(self.url).status_code == 404
        assert self.client.post(self.url, {"exchange": 26}).status_code == 404


class TestImportPresence(PageCase):
    url = f"{ROOT}import-presence/"

    def setUp(self):
        super().setUp()
        grant(
            self.user,
            f"{APP}.view_peerasn",
            *(f"{APP}.add_{model}" for model in ("peeringfabric", "peeringnetwork", "peeringconnection")),
            "ipam.add_prefix",
            "ipam.view_ipaddress",
            "ipam.add_ipaddress",
            "ipam.change_ipaddress",
            "dcim.view_interface",
        )

    def make_port(self):
        self.ours = make_peer_asn(OURS, affiliated=True)
        _ix, lan = make_exchange()
        make_port(lan, OURS, "198.51.100.1", "2001:db8:100::1", pk=7)
        return lan

    def test_says_to_sync_first(self):
        make_peer_asn(OURS, affiliated=True)
        page = self.page(self.url)
        assert "Ask someone who may sync" in page
        assert 'name="_confirm"' not in page

    def test_says_to_mark_own_asns(self):
        make_exchange()
        assert "No peer ASN is marked as affiliated" in self.page(self.url)

    def test_waiting_port_links_to_the_address_that_is_missing(self):
        self.make_port()
        page = self.page(self.url)
        assert "Waiting for addresses" in page
        assert "Add 198.51.100.1/24 in the global table" in page
        assert (
            "/ipam/ip-addresses/add/?return_url=%2Fplugins%2Fpeering-manager%2Ffabrics%2Fimport-presence%2F"
            in page
        )
        assert "address=198.51.100.1%2F24" in page

    def test_half_a_port_links_to_the_address_on_its_interface(self):
        self.make_port()
        interface = make_interface(make_device())
        make_address("198.51.100.1/24", interface)
        page = self.page(self.url)
        assert "Add 2001:db8:100::1/64 in the global table and assign it to rt1.mtl Ethernet1." in page
        assert f"interface={interface.pk}&address=2001%3Adb8%3A100%3A%3A1%2F64" in page

    def test_address_that_is_unassigned_links_to_its_form(self):
        self.make_port()
        address = make_address("198.51.100.1/24")
        assert f"/ipam/ip-addresses/{address.pk}/edit/" in self.page(self.url)

    def test_links_are_for_who_may_follow_them(self):
        self.make_port()
        self.user.object_permissions.filter(name="ipam.add_ipaddress").delete()
        page = self.page(self.url)
        assert "Add 198.51.100.1/24" in page
        assert "/ipam/ip-addresses/add/" not in page

    def test_import_then_nothing_is_left(self):
        self.make_port()
        interface = make_interface(make_device())
        make_address("198.51.100.1/24", interface), make_address("2001:db8:100::1/64", interface)
        make_scope(interface.device)
        page = self.page(self.url)
        for told in ("rt1.mtl Ethernet1", "198.51.100.0/24", "Example IX", "1</strong> to be made"):
            assert told in page
        response = self.client.post(self.url, {"digest": self.digest(page)}, follow=True)
        page = self.text(response)
        assert "Imported 1 fabric, 1 network, 1 connection" in page
        assert "Nothing to import" in page
        assert "1</strong> already there" in page
        assert self.counts() == [1, 1, 1, 2]
        changes = ObjectChange.objects.filter(user=self.user)
        assert changes.values("request_id").distinct().count() == 1

    def test_conflict_is_told_with_the_way_out(self):
        self.make_port()
        fabric = make_fabric("Example IX")
        grant(self.user, f"{APP}.view_peeringfabric")
        page = self.page(self.url)
        assert "Why it is not imported" in page
        assert f'href="{ROOT}{fabric.pk}/link-peeringdb/?exchange=26"' in page

    def test_what_changed_meanwhile_is_not_imported(self):
        self.make_port()
        digest = self.digest(self.page(self.url))
        make_address("198.51.100.1/24", make_interface(make_device()))
        page = self.post(self.url, digest=digest)
        assert "has changed since this preview" in page
        assert self.digest(page) != digest
        assert self.counts() == [0, 0, 0, 0]

    def test_refusal_is_told_beside_the_lists(self):
        self.make_port()
        self.user.object_permissions.filter(name="ipam.add_prefix").delete()
        page = self.post(self.url, digest=self.digest(self.page(self.url)))
        assert "You may not add the prefix" in page
        assert "Waiting for addresses" in page

    def test_only_the_asns_and_vrf_of_the_address(self):
        lan = self.make_port()
        other = make_peer_asn(64501, affiliated=True)
        make_port(lan, 64501, "198.51.100.2")
        vrf = make_vrf("Peering")
        grant(self.user, "ipam.view_vrf")
        page = self.page(f"{self.url}?peer_asns={other.pk}&vrf={vrf.pk}")
        assert "Add 198.51.100.2/24 in VRF Peering" in page
        assert "198.51.100.1" not in page

    def test_nonsense_in_the_address_plans_nothing(self):
        self.make_port()
        for query in ("peer_asns=x", "peer_asns=99999", "vrf=x"):
            page = self.page(f"{self.url}?{query}")
            assert 'name="_confirm"' not in page
            assert self.client.post(f"{self.url}?{query}", {"digest": "x"}).status_code == 200
        assert self.counts() == [0, 0, 0, 0]

    def test_port_without_any_presence(self):
        make_peer_asn(OURS, affiliated=True), make_exchange()
        assert "PeeringDB has no port of these AS" in self.page(self.url)

    def test_buttons_on_the_fabric_list_and_on_own_asns(self):
        ours, theirs = make_peer_asn(OURS, affiliated=True), make_peer_asn(64496)
        grant(self.user, f"{APP}.view_peeringfabric")
        assert f'href="{self.url}"' in self.page(ROOT)
        assert f'href="{self.url}?peer_asns={ours.pk}"' in self.page(ours.get_absolute_url())
        assert "import-presence" not in self.page(theirs.get_absolute_url())

    def test_no_buttons_and_no_page_without_the_right(self):
        ours = make_peer_asn(OURS, affiliated=True)
        grant(self.user, f"{APP}.view_peeringfabric")
        self.user.object_permissions.filter(name=f"{APP}.add_peeringconnection").delete()
        for url in (ROOT, ours.get_absolute_url()):
            assert "import-presence" not in self.page(url)
        assert self.client.get(self.url).status_code == 403


class TestRenumber(PageCase):
    def setUp(self):
        super().setUp()
        make_peer_asn(OURS, affiliated=True)
        _ix, self.lan = make_exchange(prefixes=("203.0.113.0/24", "2001:db8:100::/64"))
        self.network = make_network("LAN", make_fabric("Ours", peeringdb_id=26), peeringdb_id=26)
        connection = make_connection(
            self.network, make_interface(make_device()), bgp_scope=make_scope(), peeringdb_id=7
        )
        make_port(self.lan, OURS, "203.0.113.1", pk=7)
        make_port(self.lan, 64496, "203.0.113.142")
        peer = make_bgp_peer(scope=connection.bgp_scope, source=connection.ipv4_address, name="Aurora")
        self.session = make_session(peer, network=self.network)
        self.url = f"{ROOT}{self.network.fabric_id}/renumber/"
        grant(
            self.user,
            *(
                f"{APP}.view_{model}"
                for model in ("peeringfabric", "peeringnetwork", "peeringsession", "peeringconnection")
            ),
            f"{APP}.change_peeringnetwork",
            "ipam.view_ipaddress",
            "ipam.change_ipaddress",
            "ipam.add_prefix",
            "ipam.change_prefix",
        )

    def make_undecided(self):
        for host in (50, 51):
            make_bgp_peer(f"198.51.100.{host}/24", 64498, make_scope())
            make_port(self.lan, 64498, f"203.0.113.{host + 10}")
        return [IPAddress.objects.get(address=f"198.51.100.{host}/24").pk for host in (50, 51)]

    def test_fabric_tells_and_leads_there(self):
        page = self.page(self.network.fabric.get_absolute_url())
        assert "198.51.100.0/24 → 203.0.113.0/24" in page
        assert self.url in page

    def test_fabric_tells_nothing_when_all_is_as_in_peeringdb(self):
        PeeringDBIXPfx.objects.filter(prefix="203.0.113.0/24").update(prefix="198.51.100.0/24")
        assert self.url not in self.page(self.network.fabric.get_absolute_url())
        assert "There is nothing to renumber" in self.page(self.url)

    def test_page_shows_old_and_new_and_warns_of_the_routers(self):
        page = self.page(self.url)
        for told in (
            "198.51.100.42/24", "203.0.113.142/24", "PeeringDB says so", "The routers need a new configuration",
            "Aurora (198.51.100.42)", "rt1.mtl Ethernet1", "is made in the global table",
        ):  # fmt: skip
            assert told in page

    def test_confirmed_everything_moves(self):
        response = self.client.post(
            self.url, {"digest": self.digest(self.page(self.url)), "_confirm": ""}, follow=True
        )
        assert "2 addresses moved. Its routers need a new configuration." in self.text(response)
        self.session.bgp_peer.refresh_from_db()
        assert str(self.session.bgp_peer.peer) == "203.0.113.142/24"
        changes = ObjectChange.objects.filter(user=self.user)
        assert changes.values("request_id").distinct().count() == 1

    def test_undecided_addresses_can_be_given(self):
        first, second = self.make_undecided()
        page = self.page(self.url)
        assert f'name="new_{first}"' in page
        assert "2 addresses are undecided" in page
        given = {
            f"new_{first}": "203.0.113.61",
            f"new_{second}": "",
            f"seen_{first}": "",
            f"seen_{second}": "",
        }
        page = self.post(self.url, **given, digest=self.digest(page), _confirm="")
        assert "Look at the addresses that you gave, then confirm." in page
        assert "You gave it" in page
        assert IPAddress.objects.filter(address="198.51.100.50/24").exists()
        given[f"seen_{first}"] = "203.0.113.61"
        response = self.client.post(self.url, {**given, "digest": self.digest(page), "_confirm": ""})
        assert response.status_code == 302
        assert str(IPAddress.objects.get(pk=first)) == "203.0.113.61/24"
        assert str(IPAddress.objects.get(pk=second)) == "198.51.100.51/24"

    def test_address_given_wrongly_is_told(self):
        first, _second = self.make_undecided()
        page = self.post(self.url, **{f"new_{first}": "<b>", f"seen_{first}": ""})
        assert "<b> is no address" in page

    def test_nonsense_fields_do_no_harm(self):
        for name in ("new_x", "new_", "new_-1", "new_99999999999999999999", "new_٣"):
            assert self.client.post(self.url, {name: "203.0.113.5"}).status_code == 200

    def test_conflict_takes_the_button_away(self):
        make_address("203.0.113.1/24", make_interface(make_device("rt2")))
        page = self.page(self.url)
        assert "on rt2 Ethernet1: delete one of the two first" in page
        assert re.search(r'name="_confirm" class="btn btn-primary" disabled', page)
        page = self.post(self.url, digest=self.digest(page), _confirm="")
        assert IPAddress.objects.filter(address="198.51.100.1/24").exists()

    def test_while_both_are_listed_it_is_offered_and_not_urged(self):
        make_ixpfx(self.lan, "198.51.100.0/24")
        assert self.url not in self.page(self.network.fabric.get_absolute_url())
        page = self.page(self.url)
        assert "its renumbering is under way" in page
        assert 'name="_confirm"' not in page
        page = self.page(f"{self.url}?early=1")
        response = self.client.post(f"{self.url}?early=1", {"digest": self.digest(page), "_confirm": ""})
        assert response.status_code == 302
        assert IPAddress.objects.filter(address="203.0.113.1/24").exists()

    def test_right_that_lacks_is_told(self):
        self.user.object_permissions.filter(name="ipam.change_ipaddress").delete()
        page = self.post(self.url, digest=self.digest(self.page(self.url)), _confirm="")
        assert "You may not change the IP address" in page
        assert IPAddress.objects.filter(address="198.51.100.1/24").exists()

    def test_only_for_who_may_change_networks_and_view_the_fabric(self):
        self.user.object_permissions.filter(name=f"{APP}.change_peeringnetwork").delete()
        assert self.client.get(self.url).status_code == 403
        page = self.page(self.network.fabric.get_absolute_url())
        assert "198.51.100.0/24 → 203.0.113.0/24" in page
        assert self.url not in page
        grant(self.user, f"{APP}.change_peeringnetwork")
        self.user.object_permissions.filter(name=f"{APP}.view_peeringfabric").delete()
        assert self.client.get(self.url).status_code == 404


class TestFabricPage(PageCase):
    def setUp(self):
        super().setUp()
        grant(
            self.user,
            f"{APP}.view_peeringfabric",
            f"{APP}.view_peeringconnection",
            f"{APP}.view_peeringsession",
        )

    def test_panel_shows_what_peeringdb_says(self):
        ix, lan = make_exchange()
        PeeringDBIX.objects.update(
            website="https://ix.example.org",
            url_stats="https://ix.example.org/stats",
            service_level="24/7 Support",
        )
        PeeringDBIXLan.objects.update(ixf_ixp_member_list_url="https://ix.example.org/members.json")
        make_port(lan, 64496, "198.51.100.9"), make_port(lan, 64496, "198.51.100.8"), make_port(lan, 64497)
        page = self.page(make_fabric("Ours", peeringdb_id=ix.pk).get_absolute_url())
        for told in (
            "Example IX", "London", "GB", "24/7 Support", 'href="https://ix.example.org"',
            'href="https://ix.example.org/stats"', 'href="https://ix.example.org/members.json"', "/ix/26",
        ):  # fmt: skip
            assert told in page
        assert re.search(r'<th scope="row">Networks</th> <td>2</td>', page)

    def test_text_of_peeringdb_is_text(self):
        ix, _lan = make_exchange(26, "<script>alert(1)</script>")
        PeeringDBIX.objects.update(website="javascript:alert(1)", url_stats="data:text/html,x")
        response = self.client.get(make_fabric("Ours", peeringdb_id=ix.pk).get_absolute_url())
        page = response.content.decode()
        assert "<script>alert(1)</script>" not in page
        assert 'href="javascript:' not in page
        assert 'href="data:' not in page
        assert "javascript:alert(1)" in page

    def test_exchange_that_is_gone_is_told(self):
        assert "it is gone from PeeringDB" in self.page(
            make_fabric("Ours", peeringdb_id=26).get_absolute_url()
        )

    def test_no_panel_without_a_link(self):
        assert "begin ExchangePanel" not in self.page(make_fabric("Ours").get_absolute_url())

    def test_coverage_counts_what_may_be_seen(self):
        make_exchange()
        (network,), _connections, _sessions = populate(1)
        page = self.page(network.fabric.get_absolute_url())
        assert re.search(r"Current peers</th> <td>1</td>", page)
        self.user.object_permissions.filter(name=f"{APP}.view_peeringsession").delete()
        assert re.search(r"Current peers</th> <td>0</td>", self.page(network.fabric.get_absolute_url()))


class TestFabricList(PageCase):
    def setUp(self):
        super().setUp()
        models = ("peeringfabric", "peeringnetwork", "peeringconnection", "peeringsession")
        grant(self.user, *(f"{APP}.view_{model}" for model in models))

    @look_ups_kept()
    def make_fabrics(self, first, count):
        for number in range(first, first + count):
            _ix, lan = make_exchange(
                number, f"IX {number}", prefixes=(f"10.0.{number}.0/24", f"2001:db8:{number:x}::/64")
            )
            fabric = make_fabric(f"IX {number}", peeringdb_id=number)
            network = make_network(
                "LAN", fabric, f"10.0.{number}.0/24", f"2001:db8:{number:x}::/64", peeringdb_id=number
            )
            device = make_device(f"rt{number}")
            scope = make_scope(device)
            connection = make_connection(
                network, make_interface(device), f"10.0.{number}.1/24", None, bgp_scope=scope
            )
            make_port(lan, OURS, f"10.0.{number}.1")
            for host in range(2, 6):
                make_port(lan, 65536 + host, f"10.0.{number}.{host}")
            peer = make_bgp_peer(f"10.0.{number}.2/24", 65538, scope, connection.ipv4_address)
            make_session(peer, network=network)

    def cells(self, page, name):
        """The texts of the row of a fabric, by column."""
        heads = [re.sub(r"<[^>]+>", "", head).strip() for head in re.findall(r"<th.*?</th>", page)]
        row = next(row for row in re.findall(r"<tr.*?</tr>", page) if f">{name}</a>" in row)
        found = [re.sub(r"<[^>]+>", " ", cell) for cell in re.findall(r"<td.*?</td>", row)]
        return {head: " ".join(cell.split()) for head, cell in zip(heads, found, strict=False)}

    def test_columns(self):
        make_peer_asn(OURS, affiliated=True)
        self.make_fabrics(1, 1)
        cells = self.cells(self.page(ROOT), "IX 1")
        assert cells["IPv4 prefix"] == "10.0.1.0/24"
        assert cells["IPv6 prefix"] == "2001:db8:1::/64"
        assert (cells["City"], cells["Sessions"]) == ("London", "1")
        assert (cells["Current peers"], cells["Potential peers"], cells["Coverage"]) == ("1", "3", "25.0%")

    def test_fabric_without_a_link(self):
        make_fabric("Ours")
        cells = self.cells(self.page(ROOT), "Ours")
        assert (cells["IPv4 prefix"], cells["City"], cells["Coverage"]) == ("—", "—", "—")
        assert cells["Current peers"] == "0"

    def test_what_may_not_be_seen_is_neither_shown_nor_counted(self):
        make_peer_asn(OURS, affiliated=True)
        self.make_fabrics(1, 1)
        for model in ("peeringnetwork", "peeringsession"):
            self.user.object_permissions.filter(name=f"{APP}.view_{model}").delete()
        cells = self.cells(self.page(ROOT), "IX 1")
        assert (cells["IPv4 prefix"], cells["Current peers"], cells["Sessions"]) == ("—", "0", "0")

    def test_sorted_by_city(self):
        for pk, name, city in ((1, "A", "Zurich"), (2, "B", "Amsterdam")):
            make_exchange(pk, name, prefixes=())
            PeeringDBIX.objects.filter(pk=pk).update(city=city)
            make_fabric(name, peeringdb_id=pk)
        page = self.page(f"{ROOT}?sort=city")
        assert page.index(">B</a>") < page.index(">A</a>")

    def test_export_has_every_row(self):
        make_peer_asn(OURS, affiliated=True)
        self.make_fabrics(1, 12)
        response = self.client.get(f"{ROOT}?export=table&per_page=6")
        lines = b"".join(response).decode().splitlines()
        assert len(lines) == 13
        head = lines[0].split(",")
        for line in lines[1:]:
            cells = dict(zip(head, line.split(","), strict=False))
            assert (cells["Current peers"], cells["Potential peers"], cells["Coverage"]) == ("1", "3", "25")
            assert cells["IPv4 prefix"].startswith("10.0.")

    def test_queries_do_not_grow_with_the_rows(self):
        make_peer_asn(OURS, affiliated=True)
        counted = []
        for first, count in ((1, 2), (10, 12)):
            self.make_fabrics(first, count)
            self.page(ROOT)
            with CaptureQueriesContext(database) as queries:
                self.page(ROOT)
            counted.append(len(queries))
        assert counted[0] == counted[1]
        assert counted[0] <= 35, counted

    def test_columns_that_are_not_shown_cost_nothing(self):
        make_peer_asn(OURS, affiliated=True)
        self.make_fabrics(1, 2)
        hidden = "ipv4_prefix,ipv6_prefix,current_peers,potential_peers,coverage"
        counted = []
        for query in ("", f"?exclude_columns={hidden}"):
            self.page(f"{ROOT}{query}")
            with CaptureQueriesContext(database) as queries:
                self.page(f"{ROOT}{query}")
            counted.append(len(queries))
        assert counted[1] <= counted[0] - 5, counted

    def test_bulk_edit_shows_the_same_columns_without_looking_up(self):
        fabric = make_fabric("Ours")
        grant(self.user, f"{APP}.change_peeringfabric")
        response = self.client.post(f"{ROOT}edit/", {"pk": fabric.pk})
        assert response.status_code == 200


class TestPageQueries(PageCase):
    """Pages cost the same number of queries whatever their number of rows."""

    def setUp(self):
        super().setUp()
        self.user.is_superuser = True
        self.user.save()
        make_peer_asn(OURS, affiliated=True)

    def queries_of(self, url):
        self.page(url)
        with CaptureQueriesContext(database) as queries:
            self.page(url)
        return len(queries)

    @look_ups_kept()
    def make_ports(self, first, count):
        """Of each exchange one port that can be made, one that waits and one in conflict."""
        for number in range(first, first + count):
            _ix, lan = make_exchange(number, f"IX {number}", prefixes=(f"10.0.{number}.0/24",))
            for host in (1, 2):
                make_port(lan, OURS, f"10.0.{number}.{host}")
            make_port(lan, OURS, "192.0.2.1")
            make_address(f"10.0.{number}.1/24", make_interface(make_device(f"rt{number}")))

    def test_import_presence(self):
        counted = []
        for first, count in ((1, 2), (10, 12)):
            self.make_ports(first, count)
            counted.append(self.queries_of(f"{ROOT}import-presence/"))
        assert counted[0] == counted[1]
        assert counted[0] <= 32, counted

    def test_renumber(self):
        make_exchange(prefixes=("203.0.113.0/24",))
        fabric = make_fabric("Ours", peeringdb_id=26)
        network = make_network("LAN", fabric, ipv6=None, peeringdb_id=26)
        make_connection(network, make_interface(make_device()), bgp_scope=make_scope())
        counted = []
        for first, count in ((10, 2), (20, 15)):
            with look_ups_kept():
                for host in range(first, first + count):
                    peer = make_bgp_peer(f"198.51.100.{host}/24", 64496 + host, make_scope())
                    make_session(peer, network=network)
            counted.append(self.queries_of(f"{ROOT}{fabric.pk}/renumber/"))
        assert counted[0] == counted[1]
        assert counted[0] <= 35, counted

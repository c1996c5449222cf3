"""The list of drift and its repairs, as pages and over REST: who sees what, who may repair, what a repair leaves."""

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse

from core.models import ObjectChange
from netbox.context import events_queue
from netbox.context_managers import event_tracking
from netbox_routing.models import BGPPeer

from netbox_peering_manager.exceptions import RepairError
from netbox_peering_manager.models import PeerASN, PeeringDBDrift
from netbox_peering_manager.services.peeringdb.drift import refresh_drift
from netbox_peering_manager.services.peeringdb.repairs import repair
from netbox_peering_manager.services.peeringdb.site import site_url
from netbox_peering_manager.services.tracking import request_of
from tests import factories
from tests.peeringdb.scenery import Story
from tests.sessions.people import browser, grant, make_root, make_user, ours, rest

pytestmark = pytest.mark.django_db

SESSION, PEER = ours("view_peeringsession", "view_peerasn")
CHANGE_PEER, CHANGE_BGP = "netbox_peering_manager.change_peerasn", "netbox_routing.change_bgppeer"
LIST = "/plugins/peering-manager/peeringdb/drift/"
API = "/api/plugins/peering-manager/peeringdb/drift/"


@pytest.fixture
def story(hamlet):
    """A session whose port is out of operation, and a peer that differs in limits and AS-SET."""
    story = Story(hamlet)
    story.member = story.peer(64496, ipv4_max_prefixes=5, irr_as_set="AS-OLD", follow_peeringdb=[])
    story.session4 = story.session(12, 64497)
    story.world.change("netixlan", story.port_of(64497)["id"], operational=False)
    story.fill()
    refresh_drift()
    return story


def row(kind):
    return PeeringDBDrift.objects.get(kind=kind)


def repair_of(drift):
    return f"{LIST}{drift.pk}/repair/"


def confirm(user, *drifts, follow=False, **data):
    """Confirm the repair of these, as the page that shows it posts it."""
    ids = ",".join(str(drift.pk) for drift in drifts)
    return browser(user).post(f"{LIST}repair/", {"ids": ids, "_confirm": "", **data}, follow=follow)


def text_of(response):
    assert response.status_code == 200, response.status_code
    return " ".join(response.content.decode().split())


def listed(user, query=""):
    response = browser(user).get(LIST + query)
    assert response.status_code == 200
    return [each.record.kind for each in response.context["table"].rows]


def changes_of(instance):
    return ObjectChange.objects.filter(
        changed_object_type=ContentType.objects.get_for_model(instance), changed_object_id=instance.pk
    )


class TestWhoSeesDrift:
    def test_nobody_without_rights(self, story):
        assert "/login/" in browser().get(LIST)["Location"]
        nobody = make_user(name="nobody")
        assert browser(nobody).get(LIST).status_code == 403
        assert rest(nobody).get(API).status_code == 403
        assert rest().get(API).status_code == 403

    def test_each_sees_what_is_about_objects_that_they_may_view(self, story):
        assert listed(make_user(SESSION, name="sessions")) == ["port-not-operational"]
        assert listed(make_user(PEER, name="peers")) == ["as-set-differs", "max-prefixes-differ"]
        assert len(listed(make_root())) == 3

    def test_constraints_hold_for_the_objects(self, story):
        assert listed(make_user(PEER, name="others", constraints={"asn__asn": 64500})) == []
        assert len(listed(make_user(PEER, name="this", constraints={"asn__asn": 64496}))) == 2

    def test_the_tabs_count_what_the_user_sees(self, story):
        text = text_of(browser(make_user(PEER)).get(LIST))
        assert '<span class="badge text-bg-secondary ms-1">2</span>' in text

    def test_a_row_that_may_not_be_seen_is_not_there(self, story):
        user = make_user(PEER, CHANGE_BGP)
        hidden = row("port-not-operational")
        assert browser(user).get(repair_of(hidden)).status_code == 404
        assert confirm(user, hidden).status_code == 403
        assert rest(user).get(f"{API}{hidden.pk}/").status_code == 404
        assert rest(user).post(f"{API}{hidden.pk}/repair/").status_code == 404

    def test_rows_of_objects_that_are_gone_are_not_shown(self, story):
        PeerASN.objects.filter(pk=story.member.pk).delete()
        assert listed(make_root()) == ["port-not-operational"]


class TestList:
    def test_it_says_what_differs_and_since_when(self, story):
        text = text_of(browser(make_root()).get(LIST))
        for shown in (
            "The port with 198.51.100.12 is not operational in PeeringDB.",
            "IPv4: 5 here, 400 in PeeringDB.",
            "AS-OLD here, AS-AURORA in PeeringDB.",
            story.member.get_absolute_url(),
            story.session4.get_absolute_url(),
        ):
            assert shown in text

    def test_it_can_be_filtered(self, story):
        root = make_root()
        client = rest(root)
        for query, found in (
            ("?kind=as-set-differs", 1),
            ("?kind=as-set-differs&kind=max-prefixes-differ", 2),
            ("?object_type=netbox_peering_manager.peerasn", 2),
            ("?q=AS64497", 1),
            ("?q=198.51.100.12", 1),
            ("?q=as-old", 1),
            ("?q=nothing", 0),
            ("?found__lte=2001-01-01T00:00:00", 0),
            ("?found__gte=2001-01-01T00:00:00", 3),
        ):
            assert len(listed(root, query)) == found, query
            assert client.get(API + query).data["count"] == found, query

    def test_it_can_be_exported(self, story):
        response = browser(make_user(PEER)).get(f"{LIST}?export=table")
        text = b"".join(response).decode()
        assert "IPv4: 5 here, 400 in PeeringDB." in text
        assert "198.51.100.12" not in text

    def test_repairs_are_offered_to_who_may_change_what_they_change(self, story):
        viewer = text_of(browser(make_user(SESSION, PEER, name="viewer")).get(LIST))
        assert "/repair/" not in viewer
        changer = make_user(SESSION, PEER, CHANGE_PEER, name="changer")
        text = text_of(browser(changer).get(LIST))
        assert repair_of(row("as-set-differs")) in text
        assert repair_of(row("port-not-operational")) not in text
        assert "Delete session" not in text

    def test_what_other_pages_mend_is_linked(self, story):
        world = story.world
        world.add("netixlan", {**world.our_ports[0], "id": 77, "ipaddr4": "198.51.100.77", "ipaddr6": None})
        world.delete("netixlan", world.our_ports[1]["id"])
        (prefix,) = world.find("ixpfx", ixlan_id=1, protocol="IPv6")
        world.change("ixpfx", prefix["id"], prefix="2001:db8:999::/64")
        lonely = story.peer(64498)
        story.session(13, 64498)
        for contact in world.find("poc", net_id=lonely.peeringdb_id):
            world.delete("poc", contact["id"])
        story.fill()
        refresh_drift()
        assert len(set(PeeringDBDrift.objects.values_list("kind", flat=True))) == 7
        text = text_of(browser(make_root()).get(LIST)).replace("&amp;", "&")
        here, of_peers = "plugins:netbox_peering_manager", ContentType.objects.get_for_model(lonely)
        for link in (
            reverse(f"{here}:peeringfabric_import_presence"),
            reverse(f"{here}:peeringfabric_renumber", args=[story.fabric.pk]),
            reverse(f"{here}:peeringconnection_edit", args=[story.connections[1].pk]),
            f"{reverse('tenancy:contactassignment_add')}?object_type={of_peers.pk}&object_id={lonely.pk}",
            site_url("net", lonely.peeringdb_id),
            site_url("ix", story.fabric.peeringdb_id),
            f"{reverse(f'{here}:peeringsession_delete', args=[story.session4.pk])}?return_url=",
        ):
            assert f'href="{link}' in text, link
        viewer = make_user(SESSION, PEER, *ours("view_peeringnetwork", "view_peeringconnection"))
        text = text_of(browser(viewer).get(LIST))
        for name in (
            "Import own ports",
            "Renumber<",
            "Edit connection",
            "Assign a contact",
            "Delete session",
        ):
            assert name not in text

    def test_it_costs_the_same_for_3_and_for_30_rows(self, story):
        root = make_root()
        client, api = browser(root), rest(root)

        def queries():
            counts = []
            for ask in (lambda: client.get(LIST), lambda: api.get(f"{API}?limit=100")):
                ask()
                with CaptureQueriesContext(connection) as captured:
                    assert ask().status_code == 200
                counts.append(len(captured))
            return counts

        few = queries()
        for host in range(20, 47):
            story.session(host, 64498)
        refresh_drift()
        assert PeeringDBDrift.objects.count() == 30
        assert queries() == few
        assert max(few) <= 30


class TestWarning:
    def test_the_page_of_an_object_says_in_what_it_disagrees(self, story):
        text = text_of(browser(make_user(PEER)).get(story.member.get_absolute_url()))
        assert "Disagrees with PeeringDB" in text
        assert "IPv4: 5 here, 400 in PeeringDB." in text
        assert f"{LIST}?object_type=netbox_peering_manager.peerasn&amp;object_id={story.member.pk}" in text

    def test_the_page_of_one_that_agrees_says_nothing(self, story):
        assert "Disagrees with" not in text_of(browser(make_root()).get(story.us.get_absolute_url()))

    def test_its_link_lists_what_is_about_the_object(self, story):
        query = f"?object_type=netbox_peering_manager.peerasn&object_id={story.member.pk}"
        assert listed(make_root(), query) == ["as-set-differs", "max-prefixes-differ"]


class TestRepair:
    def test_what_will_change_is_shown_first(self, story):
        user = make_user(PEER, CHANGE_PEER)
        text = text_of(browser(user).get(repair_of(row("max-prefixes-differ"))))
        assert "IPv4 max prefixes" in text
        assert '<td class="text-break">5</td> <td class="text-break"><strong>400</strong></td>' in text
        story.member.refresh_from_db()
        assert story.member.ipv4_max_prefixes == 5

    def test_peeringdbs_limit_is_taken_and_recorded(self, story):
        user = make_user(PEER, CHANGE_PEER)
        drift = row("max-prefixes-differ")
        response = confirm(user, drift, changelog_message="as they say", follow=True)
        assert "Repaired 1 drift." in text_of(response)
        story.member.refresh_from_db()
        assert (story.member.ipv4_max_prefixes, story.member.irr_as_set) == (400, "AS-OLD")
        (change,) = changes_of(story.member)
        assert (change.user, change.message) == (user, "as they say")
        assert change.prechange_data["ipv4_max_prefixes"] == 5
        assert not PeeringDBDrift.objects.filter(pk=drift.pk).exists()
        assert refresh_drift().new == 0

    def test_a_session_is_switched_off_and_stays(self, story):
        user = make_user(SESSION, CHANGE_BGP)
        confirm(user, row("port-not-operational"))
        peer = BGPPeer.objects.get(pk=story.session4.bgp_peer_id)
        assert peer.enabled is False
        assert changes_of(peer).get().user == user
        assert refresh_drift().new == 0

    def test_a_network_that_left_is_unlinked(self, story):
        gone = story.peer(64502)
        story.world.delete("net", gone.peeringdb_id)
        story.fill()
        refresh_drift()
        confirm(make_user(PEER, CHANGE_PEER), row("network-gone"))
        gone.refresh_from_db()
        assert gone.peeringdb_id is None
        assert refresh_drift().new == 0

    @pytest.mark.parametrize("rights", [(), (CHANGE_BGP,)])
    def test_the_right_to_change_is_needed(self, story, rights):
        user = make_user(PEER, *rights)
        assert confirm(user, row("as-set-differs")).status_code == 403
        story.member.refresh_from_db()
        assert story.member.irr_as_set == "AS-OLD"

    def test_the_right_to_change_other_objects_does_not_do(self, story):
        user = grant(make_user(PEER), CHANGE_PEER, constraints={"asn__asn": 64500})
        assert confirm(user, row("as-set-differs")).status_code == 403

    def test_constraints_hold_for_what_an_object_becomes(self, story):
        user = grant(make_user(SESSION), CHANGE_BGP, constraints={"enabled": True})
        with event_tracking(request_of(user)):
            with pytest.raises(RepairError, match="you may not change it to this"):
                repair([row("port-not-operational").pk], user)
            assert events_queue.get() == {}
        text = text_of(confirm(user, row("port-not-operational")))
        assert "you may not change it to this" in text
        assert BGPPeer.objects.get(pk=story.session4.bgp_peer_id).enabled is True
        assert not ObjectChange.objects.exists()

    def test_a_value_that_cannot_be_taken_is_named_and_nothing_changed(self, story):
        story.world.change("net", story.member.peeringdb_id, irr_as_set="see our website")
        story.fill()
        refresh_drift()
        text = text_of(confirm(make_root(), row("as-set-differs"), row("port-not-operational")))
        assert "Nothing was changed" in text
        assert "AS64496 (Aurora Broadband): Write AS-SETs as AS-NAME" in text
        assert BGPPeer.objects.get(pk=story.session4.bgp_peer_id).enabled is True
        assert PeeringDBDrift.objects.count() == 3
        assert not ObjectChange.objects.exists()

    @override_settings(
        CUSTOM_VALIDATORS={"netbox_peering_manager.peerasn": [{"ipv4_max_prefixes": {"max": 100}}]}
    )
    def test_the_sites_own_rules_hold(self, story):
        assert "Nothing was changed" in text_of(confirm(make_root(), row("max-prefixes-differ")))

    def test_a_repair_leads_back_where_it_was_asked_for_and_nowhere_else(self, story):
        root = make_root()
        back = f"{LIST}?kind=as-set-differs"
        assert confirm(root, row("as-set-differs"), return_url=back)["Location"] == back
        elsewhere = confirm(root, row("max-prefixes-differ"), return_url="https://example.org/")
        assert elsewhere["Location"] == LIST


class TestRepairSelected:
    def test_it_shows_what_changes_and_what_stays(self, story):
        user = make_user(PEER, SESSION, CHANGE_PEER)
        ids = list(PeeringDBDrift.objects.values_list("pk", flat=True))
        text = text_of(browser(user).post(f"{LIST}repair/", {"pk": ids}))
        assert "Repair 2 drifts" in text
        assert "You may not change" in text
        story.member.refresh_from_db()
        assert story.member.irr_as_set == "AS-OLD"

    def test_it_repairs_those_that_can_be(self, story):
        user = make_user(PEER, SESSION, CHANGE_PEER)
        response = confirm(user, *PeeringDBDrift.objects.all(), follow=True)
        assert "Repaired 2 drifts." in text_of(response)
        story.member.refresh_from_db()
        assert (story.member.ipv4_max_prefixes, story.member.irr_as_set) == (400, "AS-AURORA")
        # Two repairs of one object are one change.
        assert changes_of(story.member).count() == 1
        assert PeeringDBDrift.objects.get().kind == "port-not-operational"

    def test_all_that_match_the_filter_can_be_chosen(self, story):
        response = browser(make_root()).post(f"{LIST}repair/?kind=max-prefixes-differ", {"_all": "on"})
        assert [step.drift.kind for step in response.context["plan"].steps] == ["max-prefixes-differ"]
        assert response.context["form"]["ids"].value() == str(row("max-prefixes-differ").pk)

    @pytest.mark.parametrize("ids", ["", "1;2", "all"])
    def test_what_is_no_list_of_ids_repairs_nothing(self, story, ids):
        response = browser(make_root()).post(f"{LIST}repair/", {"ids": ids, "_confirm": ""})
        assert response.status_code == 200
        assert PeeringDBDrift.objects.count() == 3

    @pytest.mark.parametrize("pk", ["9" * 30, "9" * 5000, "²", "x"])
    def test_what_is_no_id_selects_nothing(self, story, pk):
        response = browser(make_root()).post(f"{LIST}repair/", {"pk": pk}, follow=True)
        assert "No drift was selected." in text_of(response)

    def test_nothing_selected_is_told(self, story):
        response = browser(make_root()).post(f"{LIST}repair/", follow=True)
        assert "No drift was selected." in text_of(response)

    def test_it_costs_the_same_for_one_and_for_twenty(self, story):
        def queries():
            drifts = PeeringDBDrift.objects.filter(kind="port-not-operational")
            ids = ",".join(str(drift.pk) for drift in drifts)
            # Which of them are known depends on what ran before.
            ContentType.objects.clear_cache()
            with CaptureQueriesContext(connection) as captured:
                response = client.post(f"{LIST}repair/", {"ids": ids, "_confirm": ""})
                assert response.status_code == 302
            return len(captured), ids.count(",") + 1

        client = browser(make_root())
        client.get(LIST)
        few, _ = queries()
        for host in range(20, 40):
            session = story.session(host, 64497)
            PeeringDBDrift.objects.create(
                kind="port-not-operational",
                object_type=ContentType.objects.get_for_model(session),
                object_id=session.pk,
                details={"address": "x", "asn": 1},
            )
        assert queries() == (few, 20)


class TestCompareAgain:
    def test_it_finds_what_changed_here(self, story):
        PeerASN.objects.filter(pk=story.member.pk).update(irr_as_set="AS-AURORA")
        user = make_user(PEER, *ours("sync_peeringdbsync"))
        response = browser(user).post("/plugins/peering-manager/peeringdb/compare/", follow=True)
        assert "2 differ, 0 of them new, 1 no longer." in text_of(response)

    def test_it_is_offered_to_who_may_sync(self, story):
        assert "Compare again" not in text_of(browser(make_user(PEER)).get(LIST))
        assert "Compare again" in text_of(browser(make_root()).get(LIST))


class TestRepairElsewhere:
    def test_what_an_import_mended_is_gone_from_the_list(self, hamlet):
        story = Story(hamlet, ports=1)
        factories.make_address(
            "198.51.100.2/24", factories.make_interface(factories.make_device(), "Ethernet2")
        )
        story.fill("org", "net", "ix", "ixlan", "ixpfx", "netixlan")
        refresh_drift()
        assert row("own-port-missing-here")
        client, page = (
            browser(make_root()),
            reverse("plugins:netbox_peering_manager:peeringfabric_import_presence"),
        )
        client.post(page, {"digest": client.get(page).context["plan"].digest})
        assert not PeeringDBDrift.objects.exists()

    def test_the_page_of_an_exchange_leads_to_the_site_of_the_settings(self, story):
        link = f'href="{site_url("ix", story.fabric.peeringdb_id)}"'
        client = browser(make_root())
        assert link in text_of(client.get(story.fabric.get_absolute_url()))
        fabrics = reverse("plugins:netbox_peering_manager:peeringfabric_list")
        assert link in text_of(client.get(f"{fabrics}?include_columns=peeringdb_id"))


class TestREST:
    def test_a_row_names_its_object_and_says_what_differs(self, story):
        data = rest(make_user(PEER)).get(f"{API}?kind=max-prefixes-differ").data["results"][0]
        assert data["object"]["id"] == story.member.pk
        assert data["object_type"] == "netbox_peering_manager.peerasn"
        assert data["kind"] == {"value": "max-prefixes-differ", "label": "Max prefixes differ"}
        assert data["text"] == "IPv4: 5 here, 400 in PeeringDB."
        assert data["details"]["peeringdb"] == 400
        assert data["display"] == "Max prefixes differ: AS64496 (Aurora Broadband)"

    def test_repair_says_what_it_changed(self, story):
        user = make_user(PEER, CHANGE_PEER)
        response = rest(user).post(f"{API}{row('as-set-differs').pk}/repair/")
        assert (response.status_code, response.data) == (
            200,
            {
                "object": "AS64496 (Aurora Broadband)",
                "field": "irr_as_set",
                "before": "AS-OLD",
                "after": "AS-AURORA",
            },
        )
        assert changes_of(story.member).get().user == user

    def test_repair_takes_the_right_to_change(self, story):
        response = rest(make_user(PEER)).post(f"{API}{row('as-set-differs').pk}/repair/")
        assert response.status_code == 403
        assert "You may not change AS64496" in str(response.data["detail"])

    def test_a_value_that_is_refused_is_told(self, story):
        story.world.change("net", story.member.peeringdb_id, irr_as_set="see our website")
        story.fill()
        refresh_drift()
        response = rest(make_root()).post(f"{API}{row('as-set-differs').pk}/repair/")
        assert response.status_code == 400
        assert "Write AS-SETs as" in response.data["detail"]

    def test_rows_are_written_by_syncs_alone(self, story):
        client, one = rest(make_root()), f"{API}{row('as-set-differs').pk}/"
        for method in ("post", "put", "patch", "delete"):
            for address in (API, one):
                assert getattr(client, method)(address).status_code == 405, (method, address)

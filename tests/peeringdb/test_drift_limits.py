"""Drift of a session's own max prefixes, which win over its peer's: told when a network outgrew them, and mended."""

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.models import ObjectChange

from netbox_peering_manager.models import PeerASN, PeeringDBDrift, PeeringSession
from netbox_peering_manager.services.peeringdb.drift import refresh_drift
from netbox_peering_manager.services.peeringdb.drift_text import drift_text
from tests.peeringdb.scenery import Story
from tests.sessions.people import browser, make_root, make_user, ours, rest

pytestmark = pytest.mark.django_db

KIND = "max-prefixes-differ"
SESSION, CHANGE_SESSION, CHANGE_PEER = ours("view_peeringsession", "change_peeringsession", "change_peerasn")
CHANGE_BGP = "netbox_routing.change_bgppeer"
LIST = "/plugins/peering-manager/peeringdb/drift/"
API = "/api/plugins/peering-manager/peeringdb/drift/"
OFFER = "Take PeeringDB&#x27;s value"


@pytest.fixture
def story(hamlet):
    """Sessions of both families with AS64496, which says 400 and 120 in PeeringDB; everything agrees."""
    story = Story(hamlet)
    story.member = story.peer(64496)
    story.session4, story.session6 = story.session(11, 64496), story.session(11, 64496, family=6)
    story.fill()
    return story


def limit(session, **fields):
    """Give the session max prefixes of its own."""
    PeeringSession.objects.filter(pk=session.pk).update(**fields)
    return session


def drifted():
    return {(row.kind, row.object, row.key) for row in PeeringDBDrift.objects.with_objects()}


def text_of(response):
    assert response.status_code == 200, response.status_code
    return " ".join(response.content.decode().split())


class TestFound:
    def test_network_that_grows_beyond_the_session(self, story):
        limit(story.session4, ipv4_max_prefixes=400)
        limit(story.session6, ipv6_max_prefixes=120)
        assert refresh_drift().found == 0
        story.world.change("net", story.member.peeringdb_id, info_prefixes4=401, info_prefixes6=121)
        story.fill()
        PeerASN.objects.filter(pk=story.member.pk).update(ipv4_max_prefixes=401, ipv6_max_prefixes=121)
        refresh_drift()
        assert drifted() == {(KIND, story.session4, "4"), (KIND, story.session6, "6")}
        assert [drift_text(row.kind, row.details) for row in PeeringDBDrift.objects.order_by("key")] == [
            "IPv4: the session's own limit is 400, AS64496 announces up to 401 by PeeringDB.",
            "IPv6: the session's own limit is 120, AS64496 announces up to 121 by PeeringDB.",
        ]

    def test_both_families_on_one_session(self, story):
        limit(story.session4, ipv4_max_prefixes=399, ipv6_max_prefixes=0)
        refresh_drift()
        assert drifted() == {(KIND, story.session4, "4"), (KIND, story.session4, "6")}

    def test_margin_is_none(self, story):
        limit(story.session4, ipv4_max_prefixes=460)
        assert refresh_drift().found == 0

    def test_peer_that_has_no_peer_asn(self, story):
        session = story.session(12, 64497, ipv4_max_prefixes=1)
        refresh_drift()
        assert drifted() == {(KIND, session, "4")}

    def test_off_the_lans_of_peeringdb_too_but_not_when_it_is_switched_off(self, story):
        limit(story.session4, ipv4_max_prefixes=399, peering_network=None)
        refresh_drift()
        assert drifted() == {(KIND, story.session4, "4")}
        story.session4.bgp_peer.enabled = False
        story.session4.bgp_peer.save()
        assert refresh_drift().found == 0

    def test_nothing_without_a_number_in_peeringdb(self, story):
        limit(story.session4, ipv4_max_prefixes=1)
        story.world.change("net", story.member.peeringdb_id, info_prefixes4=0)
        story.fill()
        assert refresh_drift().found == 0

    def test_queries_do_not_grow(self, story):
        counted = []
        for hosts in (range(20, 21), range(21, 41)):
            for host in hosts:
                story.session(host, 64497, ipv4_max_prefixes=1)
            with CaptureQueriesContext(connection) as queries:
                refresh_drift()
            counted.append(len(queries))
            PeeringDBDrift.objects.all().delete()
        assert counted[0] == counted[1]


class TestRepair:
    @pytest.fixture
    def session(self, story):
        limit(story.session4, ipv4_max_prefixes=350)
        refresh_drift()
        return story.session4

    def confirm(self, user, **data):
        pk = PeeringDBDrift.objects.get().pk
        return browser(user).post(f"{LIST}repair/", {"ids": str(pk), "_confirm": "", **data})

    def test_limit_is_raised_and_recorded(self, session):
        user = make_user(SESSION, CHANGE_SESSION)
        text = text_of(browser(user).get(f"{LIST}{PeeringDBDrift.objects.get().pk}/repair/"))
        assert "IPv4 max prefixes" in text
        assert '<td class="text-break">350</td> <td class="text-break"><strong>400</strong></td>' in text
        self.confirm(user, changelog_message="they grew")
        session.refresh_from_db()
        assert (session.ipv4_max_prefixes, session.ipv6_max_prefixes) == (400, None)
        change = ObjectChange.objects.get(
            changed_object_type=ContentType.objects.get_for_model(session), changed_object_id=session.pk
        )
        assert (change.user, change.message, change.object_repr) == (user, "they grew", str(session))
        assert change.prechange_data["ipv4_max_prefixes"] == 350
        assert refresh_drift().found == 0

    @pytest.mark.parametrize("meanwhile", [500, None])
    def test_limit_that_was_changed_meanwhile_stays(self, session, meanwhile):
        limit(session, ipv4_max_prefixes=meanwhile)
        self.confirm(make_root())
        session.refresh_from_db()
        assert session.ipv4_max_prefixes == meanwhile
        assert refresh_drift().found == 0

    @pytest.mark.parametrize("rights", [(), (CHANGE_BGP,), (CHANGE_PEER,)])
    def test_takes_the_right_to_change_the_session(self, session, rights):
        user = make_user(SESSION, *rights)
        assert OFFER not in text_of(browser(user).get(LIST))
        assert self.confirm(user).status_code == 403
        session.refresh_from_db()
        assert session.ipv4_max_prefixes == 350

    def test_is_offered_to_who_has_it(self, session):
        assert OFFER in text_of(browser(make_user(SESSION, CHANGE_SESSION)).get(LIST))

    def test_over_rest(self, session):
        client = rest(make_user(SESSION, CHANGE_SESSION))
        response = client.post(f"{API}{PeeringDBDrift.objects.get().pk}/repair/")
        assert (response.status_code, response.data) == (
            200,
            {"object": str(session), "field": "ipv4_max_prefixes", "before": "350", "after": "400"},
        )

"""Deleting sessions, with their BGP peers or without, for each kind of user; and BGP peers that cannot go."""

import re

import pytest
from django.urls import reverse

from core.models import ObjectChange
from netbox_routing.models import BGPPeer, BGPPeerAddressFamily

from netbox_peering_manager.models import PeeringSession
from tests import shared
from tests.sessions.people import browser, grant, make_full_session, make_root, make_user, ours, rest

pytestmark = pytest.mark.django_db
UI = "plugins:netbox_peering_manager:peeringsession"
REST = "plugins-api:netbox_peering_manager-api:peeringsession"

# The box that takes the BGP peer along, ticked before anybody touches it.
TICKED = re.compile(r'<input[^>]*name="delete_bgp_peer"[^>]*\bchecked')


made = shared.once(make_full_session)
session = shared.copy()


def left():
    return PeeringSession.objects.count(), BGPPeer.objects.count()


def delete(user, session, **data):
    address = reverse(f"{UI}_delete", args=[session.pk])
    return browser(user).post(address, {"confirm": "true", **data}, follow=False)


def test_confirmation_lists_what_goes_along_and_offers_to_take_it(session):
    client = browser(make_root())
    address = reverse(f"{UI}_delete", args=[session.pk])
    for headers in ({}, {"HTTP_HX_REQUEST": "true"}):
        text = client.get(address, **headers).content.decode()
        assert "Also delete the BGP peer" in text
        assert TICKED.search(text)
        assert session.bgp_peer.get_absolute_url() in text
        assert BGPPeerAddressFamily.objects.get().get_absolute_url() in text


def test_bgp_peer_goes_when_the_box_is_ticked_with_the_same_message(session):
    response = delete(make_root(), session, delete_bgp_peer="on", changelog_message="They left")
    assert response.url == reverse(f"{UI}_list")
    assert left() == (0, 0)
    messages = ObjectChange.objects.filter(changed_object_type__model__in=("peeringsession", "bgppeer"))
    assert set(messages.values_list("message", flat=True)) == {"They left"}


def test_bgp_peer_stays_when_the_box_is_not_ticked(session):
    delete(make_root(), session)
    assert left() == (0, 1)


def test_user_who_may_not_delete_bgp_peers_is_not_offered_it_and_cannot_force_it(session):
    user = make_user(*ours("view_peeringsession", "delete_peeringsession"))
    text = browser(user).get(reverse(f"{UI}_delete", args=[session.pk])).content.decode()
    assert "You may not delete it" in text
    assert not TICKED.search(text)
    delete(user, session, delete_bgp_peer="on")
    assert left() == (0, 1)


def test_right_for_another_bgp_peer_does_not_do(session):
    user = make_user(*ours("delete_peeringsession"))
    grant(user, "netbox_routing.delete_bgppeer", constraints={"pk": 0})
    delete(user, session, delete_bgp_peer="on")
    assert left() == (0, 1)


@pytest.mark.parametrize(
    ("rights", "constraints", "status"),
    [([], None, 403), (["view_peeringsession"], None, 403), (["delete_peeringsession"], {"pk": 0}, 404)],
)
def test_users_without_the_right_delete_nothing(session, rights, constraints, status):
    user = make_user(*ours(*rights), constraints=constraints)
    assert delete(user, session, delete_bgp_peer="on").status_code == status
    assert left() == (1, 1)


def test_anonymous_users_delete_nothing(session):
    assert delete(None, session, delete_bgp_peer="on").status_code == 302
    assert left() == (1, 1)


def test_redirects_only_to_addresses_of_our_own(session):
    response = delete(make_root(), session, return_url="https://evil.example/")
    assert response.url == reverse(f"{UI}_list")


def bulk_delete(user, sessions, **data):
    return browser(user).post(reverse(f"{UI}_bulk_delete"), {"pk": [item.pk for item in sessions], **data})


def test_bulk_delete_offers_and_takes_the_bgp_peers(session):
    sessions = [session, make_full_session(43)]
    root = make_root()
    assert "Also delete their BGP peers" in bulk_delete(root, sessions).content.decode()
    assert left() == (2, 2)
    bulk_delete(root, sessions, _confirm="", confirm="true", delete_bgp_peer="on")
    assert left() == (0, 0)


def test_bulk_delete_without_the_box_leaves_the_bgp_peers(session):
    bulk_delete(make_root(), [session], _confirm="", confirm="true")
    assert left() == (0, 1)


def test_bulk_delete_takes_bgp_peers_only_when_all_of_them_may_go(session):
    other = make_full_session(43)
    user = make_user(*ours("delete_peeringsession", "view_peeringsession"))
    grant(user, "netbox_routing.delete_bgppeer", constraints={"pk": session.bgp_peer_id})
    bulk_delete(user, [session, other], _confirm="", confirm="true", delete_bgp_peer="on")
    assert left() == (0, 2)


def test_bulk_delete_of_everything_that_a_filter_finds(session):
    make_full_session(43)
    address = reverse(f"{UI}_bulk_delete") + "?address=198.51.100.43"
    browser(make_root()).post(address, {"_all": "on", "_confirm": "", "confirm": "true", "pk": []})
    assert left()[0] in (1, 2)


def test_bulk_delete_reaches_only_what_the_user_may_delete(session):
    other = make_full_session(43)
    user = make_user(*ours("delete_peeringsession"), constraints={"pk": other.pk})
    bulk_delete(user, [session, other], _confirm="", confirm="true")
    assert list(PeeringSession.objects.all()) == [session]


def delete_by_rest(user, session, query=""):
    return rest(user).delete(reverse(f"{REST}-detail", args=[session.pk]) + query)


def test_rest_leaves_the_bgp_peer_by_default_and_takes_it_when_asked_to(session):
    root = make_root()
    assert delete_by_rest(root, session).status_code == 204
    assert left() == (0, 1)
    again = make_full_session(43)
    assert delete_by_rest(root, again, "?delete_bgp_peer=true").status_code == 204
    assert left() == (0, 1)


def test_rest_needs_the_right_to_delete_the_bgp_peer(session):
    user = make_user(*ours("delete_peeringsession"))
    assert delete_by_rest(user, session, "?delete_bgp_peer=true").status_code == 403
    assert left() == (1, 1)
    assert not ObjectChange.objects.exists()


def test_rest_names_a_switch_that_is_neither_on_nor_off(session):
    response = delete_by_rest(make_root(), session, "?delete_bgp_peer=perhaps")
    assert response.status_code == 400
    assert "delete_bgp_peer" in response.json()
    assert left() == (1, 1)


def test_rest_bulk_delete_takes_the_bgp_peers_when_asked_to(session):
    other = make_full_session(43)
    entries = [{"id": session.pk}, {"id": other.pk}]
    response = rest(make_root()).delete(
        reverse(f"{REST}-list") + "?delete_bgp_peer=true", entries, format="json"
    )
    assert response.status_code == 204
    assert left() == (0, 0)


def test_bgp_peer_cannot_be_deleted_under_its_session(session):
    root = make_root()
    peer = session.bgp_peer
    page = browser(root).post(
        reverse("plugins:netbox_routing:bgppeer_delete", args=[peer.pk]), {"confirm": "true"}, follow=True
    )
    text = page.content.decode()
    assert "Unable to delete" in text
    assert session.get_absolute_url() in text
    response = rest(root).delete(reverse("plugins-api:netbox_routing-api:bgppeer-detail", args=[peer.pk]))
    assert response.status_code == 409
    assert left() == (1, 1)

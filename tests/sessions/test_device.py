"""The tab "Peering" of a device, and forgetting the sessions that its router no longer has."""

import re

import pytest
from django.urls import reverse

from dcim.models import Device

from netbox_peering_manager.models import PeeringRouter, RemovedSession
from tests import factories, shared
from tests.sessions.people import browser, grant, make_full_session, make_root, make_user, ours

pytestmark = pytest.mark.django_db
SEES = ("dcim.view_device", "netbox_peering_manager.view_peeringsession")


made = shared.once(make_full_session)
session = shared.copy()


@pytest.fixture
def removed(session):
    return RemovedSession.objects.create(
        device=session.device, remote_ip="198.51.100.99", name="Gone", peer_asn=64499
    )


def tab(device):
    return reverse("dcim:device_peering_sessions", args=[device.pk])


def open_tab(user, device):
    return browser(user).get(tab(device))


def has_tab(user, device):
    return tab(device) in browser(user).get(device.get_absolute_url()).content.decode()


def test_tab_lists_the_devices_sessions_and_counts_them(session):
    other = factories.make_session(
        factories.make_bgp_peer(
            "198.51.100.43/24", scope=factories.make_scope(factories.make_device("rt2.mtl"))
        )
    )
    text = open_tab(make_root(), session.device).content.decode()
    assert session.get_absolute_url() in text
    assert other.get_absolute_url() not in text
    assert 'Peering <span class="badge text-bg-secondary">1</span>' in " ".join(text.split())


def test_table_says_of_everything_but_the_device_itself(session):
    heads = re.findall(r"sort=-?(\w+)", open_tab(make_root(), session.device).content.decode())
    assert "remote_as" in heads
    assert "device" not in heads


def test_badge_and_table_hold_only_what_one_may_see(session):
    hidden = make_full_session(43)
    user = make_user("dcim.view_device")
    grant(user, *ours("view_peeringsession"), constraints={"pk": session.pk})
    text = open_tab(user, session.device).content.decode()
    assert session.get_absolute_url() in text
    assert hidden.get_absolute_url() not in text
    assert 'Peering <span class="badge text-bg-secondary">1</span>' in " ".join(text.split())


def test_tab_is_for_devices_that_have_to_do_with_peering(session):
    root = make_root()
    assert has_tab(root, session.device)
    switch = factories.make_device("sw1.mtl")
    assert not has_tab(root, switch)
    PeeringRouter.objects.create(device=switch)
    assert has_tab(root, switch)
    assert not has_tab(make_user("dcim.view_device"), session.device)


def test_device_without_bgp_router_is_told_what_is_missing():
    device = factories.make_device("sw1.mtl")
    text = open_tab(make_root(), device).content.decode()
    assert "sw1.mtl has no BGP router" in text
    assert "No peering sessions found" in text


@pytest.mark.parametrize(
    ("rights", "status"),
    [
        ([], 403),
        (["dcim.view_device"], 403),
        (["netbox_peering_manager.view_peeringsession"], 403),
        (SEES, 200),
    ],
)
def test_tab_needs_the_right_to_see_both(session, rights, status):
    assert open_tab(make_user(*rights), session.device).status_code == status
    assert open_tab(None, session.device).status_code == 302


def test_tab_of_a_device_that_one_may_not_see_is_not_there(session):
    user = make_user(*ours("view_peeringsession"))
    grant(user, "dcim.view_device", constraints={"pk": 0})
    assert open_tab(user, session.device).status_code == 404


def test_removed_sessions_stand_below_until_they_are_forgotten(session, removed):
    root = make_root()
    text = open_tab(root, session.device).content.decode()
    assert "still to be removed from the router" in text
    assert "198.51.100.99" in text
    assert "Removed from router" in text
    response = forget(root, session.device)
    assert response.url == tab(session.device)
    assert not RemovedSession.objects.exists()
    assert "still to be removed" not in open_tab(root, session.device).content.decode()


def test_removed_sessions_are_shown_to_those_who_see_every_session(session, removed):
    user = make_user("dcim.view_device", *ours("view_peeringsession"))
    text = open_tab(user, session.device).content.decode()
    assert "198.51.100.99" in text
    assert "Removed from router" not in text
    constrained = make_user("dcim.view_device", name="constrained")
    grant(constrained, *ours("view_peeringsession"), constraints={"relationship__slug": "peer"})
    assert "198.51.100.99" not in open_tab(constrained, session.device).content.decode()


def forget(user, device):
    return browser(user).post(reverse("dcim:device_forget_removed_sessions", args=[device.pk]))


@pytest.mark.parametrize(
    ("rights", "status"),
    [
        ([], 403),
        (SEES, 403),
        (["netbox_peering_manager.delete_peeringsession"], 403),
        ([*SEES, "netbox_peering_manager.delete_peeringsession"], 302),
    ],
)
def test_forgetting_needs_the_right_to_delete_sessions(session, removed, rights, status):
    assert forget(make_user(*rights), session.device).status_code == status
    assert RemovedSession.objects.exists() is (status != 302)


def test_forgetting_is_not_for_those_who_see_only_some_sessions(session, removed):
    user = make_user("dcim.view_device")
    grant(user, *ours("view_peeringsession", "delete_peeringsession"), constraints={"pk": session.pk})
    assert forget(user, session.device).status_code == 403
    user = make_user(*ours("view_peeringsession", "delete_peeringsession"), name="elsewhere")
    grant(user, "dcim.view_device", constraints={"pk": 0})
    assert forget(user, session.device).status_code == 404
    assert RemovedSession.objects.exists()


def test_forgetting_needs_a_post_and_a_login(session, removed):
    address = reverse("dcim:device_forget_removed_sessions", args=[session.device.pk])
    assert browser(make_root()).get(address).status_code == 405
    assert forget(None, session.device).status_code == 302
    assert RemovedSession.objects.exists()


def test_deleting_the_device_forgets_its_removed_sessions(removed):
    device = factories.make_device("rt9.mtl")
    RemovedSession.objects.create(device=device, remote_ip="198.51.100.98")
    Device.objects.get(pk=device.pk).delete()
    assert RemovedSession.objects.get() == removed

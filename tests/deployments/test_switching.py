"""Admin up and down: what is changed in NetBox and deployed, by whom, and what stays when it is refused."""

import pytest
from django.db.models.signals import pre_save
from django.urls import reverse

from core.models import Job, ObjectChange
from utilities.exceptions import AbortRequest

from netbox_peering_manager.models import Deployment

from .scenery import make_router, make_sessions
from .test_pages import APP, allow, at, client_of, person, told

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("action", "enabled"), [("admin_down", False), ("admin_up", True)])
def test_admin_up_and_down_change_netbox_and_deploy_that(admin, action, enabled):
    router = make_router()
    [session] = make_sessions(router, "198.51.100.42")
    peer = session.bgp_peer
    peer.enabled = not enabled
    peer.save()
    admin.post(at(session, action))
    peer.refresh_from_db()
    assert peer.enabled is enabled
    deployment = Deployment.objects.get()
    assert ("shutdown" in deployment.masked_text) is not enabled
    assert deployment.automatic
    change = ObjectChange.objects.filter(changed_object_type__model="bgppeer", action="update").latest("time")
    assert change.user.username == "admin"
    assert change.postchange_data["enabled"] is enabled


def test_admin_down_that_the_router_refuses_leaves_netbox_as_it_was(admin):
    router = make_router(push_enabled=False)
    [session] = make_sessions(router, "198.51.100.42")
    response = admin.post(at(session, "admin_down"), follow=True)
    session.bgp_peer.refresh_from_db()
    assert session.bgp_peer.enabled is True
    assert "Switch on push" in told(response)[0]
    assert not ObjectChange.objects.filter(changed_object_type__model="bgppeer", action="update").exists()


def test_admin_down_of_selected_sessions(admin):
    router = make_router()
    sessions = make_sessions(router, "198.51.100.42", "198.51.100.43")
    admin.post(reverse(f"{APP}:peeringsession_bulk_admin_down"), {"pk": [one.pk for one in sessions]})
    for session in sessions:
        session.bgp_peer.refresh_from_db()
        assert session.bgp_peer.enabled is False
    assert Deployment.objects.get().targets.count() == 2


def test_admin_down_needs_the_right_to_change_session_and_bgp_peer():
    router = make_router()
    [session] = make_sessions(router, "198.51.100.42")
    user = person("operator", "view", "add", "commit")
    client = client_of(user)
    assert client.post(at(session, "admin_down")).status_code == 403
    allow(user, "netbox_peering_manager.peeringsession", "change")
    assert client_of(user).post(at(session, "admin_down")).status_code == 403
    allow(user, "netbox_routing.bgppeer", "change", constraints={"name": "another"})
    client = client_of(user)
    response = client.post(at(session, "admin_down"), follow=True)
    assert "or the BGP peers of these" in told(response)[0]
    session.bgp_peer.refresh_from_db()
    assert session.bgp_peer.enabled is True


def test_admin_down_within_a_limit_that_it_would_leave_is_refused():
    """As in NetBox's own forms, what a row becomes has to be within the limits too."""
    [session] = make_sessions(make_router(), "198.51.100.42")
    user = person("operator", "view", "add", "commit")
    allow(user, "netbox_peering_manager.peeringsession", "change")
    allow(user, "netbox_routing.bgppeer", "change", constraints={"enabled": True})
    response = client_of(user).post(at(session, "admin_down"), follow=True)
    assert told(response) == [f"You may not change {session}, or the BGP peers of these, to this."]
    session.bgp_peer.refresh_from_db()
    assert session.bgp_peer.enabled is True
    assert not ObjectChange.objects.filter(changed_object_type__model="bgppeer", action="update").exists()
    assert not Deployment.objects.exists()


@pytest.mark.parametrize("how", ["limit", "signal"])
def test_admin_down_that_one_router_cannot_have_leaves_that_of_the_other(how):
    [first] = make_sessions(make_router(), "198.51.100.42")
    [second] = make_sessions(make_router("rt2.tor"), "198.51.100.43")
    user = person("operator", "view", "add", "commit")
    allow(user, "netbox_peering_manager.peeringsession", "change")
    limit = [{"enabled": True}, {"pk": first.bgp_peer_id}] if how == "limit" else None
    allow(user, "netbox_routing.bgppeer", "change", constraints=limit)

    def refuse(instance, **kwargs):
        if how == "signal" and instance.pk == second.bgp_peer_id:
            raise AbortRequest("Not this one")

    pre_save.connect(refuse, sender=type(first.bgp_peer))
    try:
        address = reverse(f"{APP}:peeringsession_bulk_admin_down")
        response = client_of(user).post(address, {"pk": [first.pk, second.pk]}, follow=True)
    finally:
        pre_save.disconnect(refuse, sender=type(first.bgp_peer))
    for session, enabled in ((first, False), (second, True)):
        session.bgp_peer.refresh_from_db()
        assert session.bgp_peer.enabled is enabled
    assert any(("Not this one" if how == "signal" else "to this") in text for text in told(response))
    deployment = Deployment.objects.get()
    assert Job.objects.filter(object_id=deployment.pk).exists()
    changes = ObjectChange.objects.filter(changed_object_type__model="bgppeer", action="update")
    assert [change.changed_object_id for change in changes] == [first.bgp_peer_id]

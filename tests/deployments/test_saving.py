"""What is deployed when sessions are made and deleted: configured after saving, removed from the router now."""

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from core.models import Job

from netbox_peering_manager.forms import PeeringSessionCreateForm
from netbox_peering_manager.jobs.sessions import AddSessionsJob
from netbox_peering_manager.models import Deployment, PeeringSession, RemovedSession
from netbox_peering_manager.services.deployment import sealed
from tests import factories

from .scenery import make_router, make_sessions
from .test_pages import at, client_of, told

pytestmark = pytest.mark.django_db
APP = "plugins:netbox_peering_manager"
CREATE = f"{APP}:peeringsession_create"
BULK_DELETE = f"{APP}:peeringsession_bulk_delete"


def new_session(router, **fields):
    """What the form for one session takes."""
    factories.make_peer_asn(factories.LOCAL_ASN, affiliated=True)
    factories.make_asn(64496)
    connection = factories.make_connection(
        interface=factories.make_interface(router.device), bgp_scope=factories.make_scope(router.device)
    )
    return {
        "relationship": factories.make_relationship().pk,
        "remote_asn": 64496,
        "ipv4_remote_ip": "198.51.100.42",
        "fabric": connection.peering_network.fabric_id,
        "peering_network": connection.peering_network_id,
        "connection": connection.pk,
        "status": "active",
        "enabled": "on",
        **fields,
    }


def test_new_session_is_sent_to_its_router_in_the_background_and_looked_at_at_once(admin):
    router = make_router()
    response = admin.post(reverse(CREATE), new_session(router, configure_router="on"), follow=True)
    assert response.redirect_chain, response.context["form"].errors
    session = PeeringSession.objects.get()
    assert response.redirect_chain[-1][0] == session.get_absolute_url()
    deployment = Deployment.objects.get()
    assert [target.session for target in deployment.targets.all()] == [session]
    assert deployment.automatic
    assert Job.objects.filter(object_id=deployment.pk).count() == 1
    assert f'<a href="{deployment.get_absolute_url()}">{deployment}</a>' in " ".join(told(response))


def test_without_the_box_nothing_is_sent(admin):
    admin.post(reverse(CREATE), new_session(make_router()))
    assert PeeringSession.objects.count() == 1
    assert not Deployment.objects.exists()


def test_session_stays_when_its_router_is_not_configured(admin):
    router = make_router(push_enabled=False)
    response = admin.post(reverse(CREATE), new_session(router, configure_router="on"), follow=True)
    assert PeeringSession.objects.count() == 1
    assert any(
        "The router was not configured" in text and "Switch on push" in text for text in told(response)
    )


def test_box_is_not_offered_to_who_may_not_commit():
    user = get_user_model().objects.create_user("maker")
    from .test_pages import allow

    allow(user, "netbox_peering_manager.peeringsession", "add", "view")
    allow(user, "netbox_peering_manager.deployment", "add")
    response = client_of(user).get(reverse(CREATE))
    assert "configure_router" in PeeringSessionCreateForm.base_fields
    assert "configure_router" not in response.context["form"].fields


def test_job_that_adds_sessions_asks_for_one_deployment_of_each_router(admin):
    router = make_router()
    sessions = make_sessions(router, "198.51.100.42", "198.51.100.43")
    user = get_user_model().objects.get(username="admin")
    job = AddSessionsJob(Job.objects.create(name="x", job_id="0" * 32, user=user))
    job._configure([session.pk for session in sessions], user)
    deployment = Deployment.objects.get()
    assert deployment.targets.count() == 2
    assert job.job.data["deployments"] == [deployment.pk]


# Deleting


def removable(router, *remotes, **fields):
    sessions = make_sessions(router, *remotes)
    relationship = factories.make_relationship("Removed", **{"remove_from_router": True} | fields)
    for session in sessions:
        session.relationship = relationship
        session.save()
    return sessions


def test_deleted_session_is_taken_off_its_router_when_asked_for(admin):
    [session] = removable(make_router(), "198.51.100.42")
    form = admin.get(at(session, "delete"))
    assert 'name="remove_now"' in form.content.decode()
    assert "is removed from rt1.mtl as well" in form.content.decode()
    response = admin.post(at(session, "delete"), {"confirm": "true", "remove_now": "on"}, follow=True)
    deployment = Deployment.objects.get()
    assert deployment.kind == "remove"
    assert sealed.opened(deployment).text.strip() == "no neighbor 198.51.100.42"
    assert Job.objects.filter(object_id=deployment.pk).count() == 1
    assert any(deployment.get_absolute_url() in text for text in told(response))
    # It is forgotten once it is gone from the router, not before.
    assert RemovedSession.objects.count() == 1


def on_port(router, port):
    """A session to fe80::1 on this port, as every port has one."""
    source = factories.make_address("fe80::a/64", factories.make_interface(router.device, port))
    peer = factories.make_bgp_peer("fe80::1/64", scope=factories.make_scope(router.device), source=source)
    return factories.make_session(peer, factories.make_relationship("Removed", remove_from_router=True))


@pytest.mark.parametrize("is_many", [False, True])
def test_link_local_neighbor_of_another_port_is_not_removed_with_it(admin, is_many):
    router = make_router()
    first, second, third = (on_port(router, port) for port in ("Ethernet1", "Ethernet2", "Ethernet3"))
    second.delete()
    if is_many:
        data = {"pk": [first.pk, third.pk], "_confirm": "1", "remove_now": "on", "confirm": "true"}
        admin.post(reverse(BULK_DELETE), data)
    else:
        admin.post(at(first, "delete"), {"confirm": "true", "remove_now": "on"})
    targets = Deployment.objects.get().targets.order_by("local_interface")
    assert [target.local_interface for target in targets] == ["Ethernet1", "Ethernet3"][: 1 + is_many]
    assert RemovedSession.objects.count() == 2 + is_many


def test_deleted_session_stays_on_its_router_until_asked_for(admin):
    [session] = removable(make_router(), "198.51.100.42")
    admin.post(at(session, "delete"), {"confirm": "true"})
    assert RemovedSession.objects.count() == 1
    assert not Deployment.objects.exists()


def test_session_of_a_type_that_is_not_removed_says_so(admin):
    [session] = removable(make_router(), "198.51.100.42", remove_from_router=False)
    text = " ".join(admin.get(at(session, "delete")).content.decode().split())
    assert "It is not removed from rt1.mtl itself: the relationship type Removed does not say so." in text
    assert "remove_now" not in text
    admin.post(at(session, "delete"), {"confirm": "true", "remove_now": "on"})
    assert not Deployment.objects.exists()


def test_removal_that_is_refused_leaves_the_session_deleted_and_says_so(admin):
    router = make_router(config_template=None)
    [session] = removable(router, "198.51.100.42")
    response = admin.post(at(session, "delete"), {"confirm": "true", "remove_now": "on"}, follow=True)
    assert not PeeringSession.objects.exists()
    assert any("The router still has it: rt1.mtl has no config template" in text for text in told(response))
    assert RemovedSession.objects.count() == 1


def test_many_deleted_sessions_make_one_deployment_of_each_router(admin):
    one = removable(make_router(), "198.51.100.42", "198.51.100.43")
    other = removable(make_router("rt2.tor"), "198.51.100.44")
    pks = [session.pk for session in (*one, *other)]
    text = admin.post(reverse(BULK_DELETE), {"pk": pks}).content.decode()
    assert 'name="remove_now"' in text
    admin.post(reverse(BULK_DELETE), {"pk": pks, "_confirm": "1", "remove_now": "on", "confirm": "true"})
    assert not PeeringSession.objects.exists()
    assert sorted(deployment.targets.count() for deployment in Deployment.objects.all()) == [1, 2]

"""Admin up and admin down that is not sent after all leaves NetBox as the router is."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.models import ObjectChange
from netbox_routing.models import BGPPeer

from netbox_peering_manager.choices import DeploymentStatusChoices as Status
from netbox_peering_manager.models import Deployment, DeploymentSession, PeeringSession
from netbox_peering_manager.services.deployment import decisions, moves, settle, switching
from tests.shared import once

from .scenery import make_router, make_sessions, make_user

pytestmark = pytest.mark.django_db


def build():
    router = make_router(approval="other")
    make_sessions(router, "198.51.100.42", "198.51.100.43")
    make_user("author")
    return make_user("second")


made = once(build)


@pytest.fixture
def second(made):
    return made


@pytest.fixture
def switched():
    """Both sessions, of which one was off already, are switched off; that waits for an approval."""
    author = Deployment._meta.get_field("requested_by").related_model.objects.get(username="author")
    BGPPeer.objects.filter(peer__address__net_host="198.51.100.43").update(enabled=False)
    asked = switching.switch_sessions(
        PeeringSession.objects.values_list("pk", flat=True), author, enabled=False
    )
    (deployment,) = asked.deployments
    Deployment.objects.update(status=Status.AWAITING_APPROVAL)
    deployment.refresh_from_db()
    assert enabled() == [False, False]
    return deployment


def enabled():
    return list(BGPPeer.objects.order_by("peer__address").values_list("enabled", flat=True))


def test_rejected_one_is_switched_back_with_a_change_record_of_who_rejected_it(switched, second):
    decisions.reject(switched, second, "not tonight")
    assert enabled() == [True, False]
    change = ObjectChange.objects.filter(changed_object_type__model="bgppeer").latest("time")
    assert (change.user, change.prechange_data["enabled"], change.postchange_data["enabled"]) == (
        second,
        False,
        True,
    )
    assert "again as on the router" in switched.steps.last().reason


def test_expired_one_is_switched_back(switched):
    Deployment.objects.update(expires=timezone.now() - timedelta(minutes=1))
    settle.settle()
    switched.refresh_from_db()
    assert (switched.status, enabled()) == (Status.EXPIRED, [True, False])


def test_session_that_somebody_switched_since_stays_as_it_is(switched, second):
    BGPPeer.objects.update(enabled=True)
    decisions.reject(switched, second)
    assert enabled() == [True, True]
    assert "again as on the router" not in switched.steps.last().reason


def test_one_that_failed_is_still_wanted(switched):
    moves.move(switched, Status.FAILED, reason="The router does not answer")
    assert enabled() == [False, False]


def later(switched, *sessions, **fields):
    """Another deployment of the router, asked for when the sessions had been switched: of these, or of all of it."""
    values = {"mode": "merge", "status": Status.DONE, "partial": bool(sessions), **fields}
    made = Deployment.objects.create(router=switched.router, **values)
    for session in sessions:
        address = str(session.bgp_peer.peer.address.ip)
        DeploymentSession.objects.create(deployment=made, session=session, remote_ip=address)
    return made


@pytest.mark.parametrize("full", [True, False])
def test_session_that_the_router_has_as_it_was_switched_stays_so(switched, second, full):
    """Switched back, the next deployment would carry out the opposite of what is on the router."""
    first = PeeringSession.objects.get(bgp_peer__peer__address__net_host="198.51.100.42")
    later(switched, *(() if full else (first,)))
    decisions.reject(switched, second)
    assert enabled() == [False, False]
    assert "again as on the router" not in switched.steps.last().reason


@pytest.mark.parametrize(
    "fields",
    [
        {"status": Status.FAILED},
        {"status": Status.CANCELLED},
        {"kind": "remove", "partial": True},
        {"kind": "commands", "partial": True},
    ],
)
def test_what_did_not_bring_it_to_the_router_keeps_nothing(switched, second, fields):
    later(switched, **fields)
    decisions.reject(switched, second)
    assert enabled() == [True, False]


def test_earlier_ones_and_those_of_other_sessions_keep_nothing(switched, second):
    other = PeeringSession.objects.get(bgp_peer__peer__address__net_host="198.51.100.43")
    later(switched, other)
    earlier = later(switched)
    Deployment.objects.filter(pk=earlier.pk).update(created=switched.created - timedelta(hours=1))
    decisions.reject(switched, second)
    assert enabled() == [True, False]

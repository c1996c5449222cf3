"""What people decide about deployments, and who may."""

from datetime import timedelta

import pytest
from django.utils import timezone

from users.models import User

from netbox_peering_manager.choices import DeploymentStatusChoices as Status
from netbox_peering_manager.exceptions import DeploymentRefused, RouterBusy
from netbox_peering_manager.models import Deployment, PeeringRouter, PeeringSession
from netbox_peering_manager.services.deployment import decisions, locks, pipeline, settle
from tests.shared import once

from .scenery import make_deployment, make_router, make_sessions, make_user
from .test_asking import allowed
from .test_locks import Elsewhere

pytestmark = pytest.mark.django_db
ENDED = (Status.DONE, Status.FAILED, Status.ROLLED_BACK, Status.CANCELLED, Status.EXPIRED)
LATER = timedelta(hours=1)


def build():
    router = make_router(approval="other")
    make_sessions(router, "198.51.100.42")
    return make_deployment(router, make_user("author"))


made = once(build)


@pytest.fixture
def deployment(made):
    return at(made, Status.AWAITING_APPROVAL)


@pytest.fixture
def second(made):
    return make_user("second")


def at(deployment, status, **fields):
    """The deployment, as if it had come to that state."""
    Deployment.objects.filter(pk=deployment.pk).update(status=status, **fields)
    return Deployment.objects.get(pk=deployment.pk)


def author():
    return User.objects.get(username="author")


VERBS = {
    "approve": lambda deployment, user: decisions.approve(deployment, user),
    "reject": lambda deployment, user: decisions.reject(deployment, user),
    "cancel": lambda deployment, user: decisions.cancel(deployment, user),
    "schedule": lambda deployment, user: decisions.schedule(deployment, user, timezone.now() + LATER),
    "release": lambda deployment, user: decisions.release(deployment, user),
}
OPEN_TO = {
    "approve": {Status.AWAITING_APPROVAL},
    "reject": {Status.AWAITING_APPROVAL},
    "cancel": {*Status.WAITING},
    "schedule": {*Status.WAITING},
    "release": {Status.APPROVED, Status.SCHEDULED},
}
RIGHT = {
    "approve": "approve",
    "reject": "approve",
    "cancel": "change",
    "schedule": "commit",
    "release": "commit",
}


@pytest.mark.parametrize("verb", VERBS)
def test_each_decision_is_offered_and_taken_in_its_states_alone(deployment, second, verb):
    for status in Status.values():
        deployment = at(deployment, status)
        why = getattr(decisions, f"why_not_{verb}")(deployment, second)
        assert (why == "") is (status in OPEN_TO[verb]), (status, why)
        if why:
            with pytest.raises(DeploymentRefused) as refused:
                VERBS[verb](deployment, second)
            assert str(refused.value) == why
            deployment.refresh_from_db()
            assert deployment.status == status
        else:
            VERBS[verb](deployment, second)


@pytest.mark.parametrize("verb", VERBS)
def test_each_decision_needs_its_right_for_that_deployment(deployment, verb):
    deployment = at(deployment, next(iter(OPEN_TO[verb])))
    without = allowed("without", *((Deployment, each, None) for each in set(RIGHT.values()) - {RIGHT[verb]}))
    of_others = allowed("of others", (Deployment, RIGHT[verb], {"kind": "remove"}))
    retired = allowed("retired", (Deployment, RIGHT[verb], None))
    retired.is_active = False
    retired.save()
    for user in (without, of_others, retired):
        with pytest.raises(DeploymentRefused, match="You may not"):
            VERBS[verb](deployment, user)
    # Who approves has to see what.
    VERBS[verb](deployment, allowed("with", (Deployment, RIGHT[verb], None), (PeeringSession, "view", None)))


def test_author_does_not_approve_where_somebody_else_has_to(deployment, second):
    with pytest.raises(DeploymentRefused, match="somebody else has to approve"):
        decisions.approve(deployment, author())
    PeeringRouter.objects.update(approval="one")
    decisions.approve(Deployment.objects.get(), author(), "my own, and that is allowed")
    deployment = Deployment.objects.get()
    assert (deployment.status, deployment.approved_by) == (Status.APPROVED, author())


def test_approval_says_who_and_when_and_is_good_for_a_while(deployment, second, settings):
    decisions.approve(deployment, second, "password Marker-9")
    deployment.refresh_from_db()
    assert deployment.approved_by == second
    assert timezone.now() - deployment.approved < timedelta(minutes=1)
    assert deployment.expires > timezone.now() + timedelta(hours=23)
    assert "Marker-9" not in deployment.steps.last().reason


def test_rejected_one_is_cancelled_with_the_reason(deployment, second):
    decisions.reject(deployment, second, "wrong week")
    assert (deployment.status, deployment.reason) == (Status.CANCELLED, "Rejected: wrong week")


def test_who_asked_may_cancel_without_another_right(deployment):
    user = allowed("asker", (Deployment, "add", None))
    deployment = at(deployment, Status.COMPARED, requested_by=user)
    decisions.cancel(deployment, user)
    assert deployment.status == Status.CANCELLED


def test_approved_one_that_has_a_time_is_scheduled(deployment, second):
    when = timezone.now() + 3 * LATER
    decisions.schedule(deployment, second, when)
    assert (deployment.status, deployment.scheduled) == (Status.AWAITING_APPROVAL, when)
    decisions.approve(deployment, second)
    assert deployment.status == Status.SCHEDULED
    decisions.schedule(deployment, second, when + LATER)
    deployment.refresh_from_db()
    assert (deployment.status, deployment.scheduled) == (Status.SCHEDULED, when + LATER)


def test_time_has_to_be_to_come_and_within_the_approval(deployment, second):
    with pytest.raises(DeploymentRefused, match="has passed"):
        decisions.schedule(deployment, second, timezone.now() - LATER)
    decisions.approve(deployment, second)
    with pytest.raises(DeploymentRefused, match="approval is good until"):
        decisions.schedule(deployment, second, timezone.now() + 48 * LATER)


def test_released_one_is_due_at_once(deployment, second):
    deployment = at(deployment, Status.SCHEDULED, scheduled=timezone.now() + LATER, approved=timezone.now())
    assert not pipeline.is_due(deployment)
    decisions.release(deployment, second)
    deployment = Deployment.objects.get()
    assert (deployment.released_by, deployment.scheduled) == (second, None)
    assert pipeline.is_due(deployment)


def test_nothing_is_released_while_the_router_is_worked_at(deployment, second):
    deployment = at(deployment, Status.APPROVED)
    with Elsewhere(deployment.router), pytest.raises(RouterBusy):
        decisions.release(deployment, second)
    assert locks.is_free(deployment.router)


# Nothing is committed that somebody has not agreed to


@pytest.mark.parametrize("status", [*Status.values()])
def test_nothing_is_committed_without_the_approval_that_its_router_asks_for(deployment, second, status):
    deployment = at(deployment, status, released_by=second)
    with pytest.raises(DeploymentRefused):
        pipeline.commit(deployment.pk)
    deployment.refresh_from_db()
    assert deployment.status == status


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"approved_by": None}, "somebody else"),
        ({"approved": None}, "has not been approved"),
        ({"expires": timezone.now() - LATER}, "has expired"),
        ({"released_by": None}, "Nobody has said"),
        ({"status": Status.SCHEDULED, "scheduled": timezone.now() + LATER}, "Nobody has said"),
    ],
)
def test_approved_one_is_committed_only_as_it_was_approved_released_and_in_time(
    deployment, second, fields, match
):
    good = {"approved": timezone.now(), "approved_by": second, "released_by": second}
    deployment = at(deployment, **({"status": Status.APPROVED} | good | fields))
    with pytest.raises(DeploymentRefused, match=match):
        pipeline.commit(deployment.pk)


@pytest.mark.parametrize("status", Status.SENDING)
def test_what_nobody_can_find_out_any_more_is_ended_by_who_looked(deployment, second, status):
    long_ago = timezone.now() - LATER
    deployment = at(deployment, status, sent=long_ago, confirm_by=long_ago)
    with pytest.raises(DeploymentRefused, match="Say what is on"):
        decisions.end(deployment, second, "")
    decisions.end(deployment, second, "It has what it had before")
    assert deployment.status == Status.FAILED
    assert (deployment.reason, deployment.encrypted_text) == ("Ended by hand: It has what it had before", "")
    assert deployment.steps.last().user == second


def test_what_may_still_be_found_out_is_not_given_up(deployment, second):
    now = timezone.now()
    at(deployment, Status.CONFIRMING, sent=now - LATER, confirm_by=now)
    deployment = Deployment.objects.get(pk=deployment.pk)
    assert "still being found out" in decisions.why_not_end(deployment, second)
    deployment = at(deployment, Status.CONFIRMING, confirm_by=now - LATER)
    assert decisions.why_not_end(deployment, second) == ""
    with Elsewhere(deployment.router):
        assert "still being found out" in decisions.why_not_end(deployment, second)
    assert "not being sent" in decisions.why_not_end(at(deployment, Status.APPROVED), second)
    assert "may not commit" in decisions.why_not_end(deployment, make_user("nobody", is_superuser=False))


def test_author_is_nobody_else(deployment, second):
    deployment = at(
        deployment, Status.APPROVED, approved=timezone.now(), approved_by=author(), released_by=second
    )
    assert "somebody else" in pipeline.why_not_commit(deployment)


def test_who_released_it_has_to_be_allowed_to_commit_still(deployment, second):
    deployment = at(
        deployment, Status.APPROVED, approved=timezone.now(), approved_by=second, released_by=second
    )
    assert pipeline.why_not_commit(deployment) == ""
    third = make_user("third", is_active=False)
    at(deployment, Status.APPROVED, released_by=third)
    assert "may no longer commit" in pipeline.why_not_commit(Deployment.objects.get())
    PeeringRouter.objects.update(push_enabled=False)
    assert "Switch on push" in pipeline.why_not_commit(Deployment.objects.get())


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_superuser": False}])
def test_who_approved_it_has_to_be_allowed_to_approve_still(deployment, second, change):
    deployment = at(
        deployment, Status.APPROVED, approved=timezone.now(), approved_by=second, released_by=author()
    )
    assert pipeline.why_not_commit(deployment) == ""
    User.objects.filter(pk=second.pk).update(**change)
    assert "may no longer approve" in pipeline.why_not_commit(Deployment.objects.get())


@pytest.mark.parametrize("status", pipeline.COMMITTABLE)
def test_nothing_is_due_before_the_time_that_somebody_gave_it(deployment, second, status):
    PeeringRouter.objects.update(approval="none")
    deployment = at(deployment, status, released_by=second, scheduled=timezone.now() + LATER)
    assert not pipeline.is_due(deployment)
    assert "Nobody has said" in pipeline.why_not_commit(deployment)
    assert pipeline.run(deployment.pk).status == status


def test_time_given_in_the_last_moment_is_waited_for(deployment, second):
    """Due when the job looked, given another time before it had the router."""
    PeeringRouter.objects.update(approval="none")
    stale = at(deployment, Status.SCHEDULED, released_by=second, scheduled=timezone.now() - LATER)
    later = timezone.now() + LATER
    at(deployment, Status.SCHEDULED, scheduled=later)
    ran = pipeline._commit_or_end(stale, None)
    assert (ran.status, ran.scheduled) == (Status.SCHEDULED, later)


def test_due_one_that_may_not_be_sent_any_more_ends_and_is_not_due_for_ever(deployment, second):
    PeeringRouter.objects.update(push_enabled=False)
    deployment = at(
        deployment, Status.APPROVED, approved=timezone.now(), approved_by=second, released_by=second
    )
    assert settle.settle() == [deployment]
    with pytest.raises(DeploymentRefused, match="Switch on push"):
        pipeline.run(deployment.pk)
    deployment.refresh_from_db()
    assert deployment.status == Status.FAILED
    assert "Switch on push" in deployment.reason


def test_router_that_asks_for_approval_by_now_commits_nothing_that_was_only_compared(deployment, second):
    deployment = at(deployment, Status.COMPARED, released_by=second)
    assert not pipeline.is_due(deployment)
    assert settle.settle() == []
    with pytest.raises(DeploymentRefused, match="has to be approved by now"):
        decisions.release(deployment, second)

"""How a deployment goes from state to state, and who hears of it."""

import json
from unittest import mock

import pytest
from django.contrib.contenttypes.models import ContentType
from rq import Queue

from core.models import ObjectChange, ObjectType
from extras.events import serialize_for_event
from extras.models import EventRule, Notification, NotificationGroup, Subscription, Webhook
from utilities.exceptions import AbortRequest

from netbox_peering_manager.choices import DEPLOYMENT_MOVES
from netbox_peering_manager.choices import DeploymentStatusChoices as Status
from netbox_peering_manager.events import deployment_event
from netbox_peering_manager.exceptions import DeploymentRefused
from netbox_peering_manager.models import Deployment
from netbox_peering_manager.services.deployment import moves
from tests.shared import once

from .scenery import make_deployment, make_user

pytestmark = pytest.mark.django_db
made = once(lambda: make_deployment())


@pytest.fixture
def deployment(made):
    return Deployment.objects.get(pk=made.pk)


def at(deployment, status):
    """The deployment, as if it had come to that state."""
    Deployment.objects.filter(pk=deployment.pk).update(status=status)
    deployment.refresh_from_db()
    return deployment


def test_what_events_send_has_no_text_and_no_neighbour(deployment):
    Deployment.objects.filter(pk=deployment.pk).update(masked_diff="+ neighbor 198.51.100.42")
    deployment.refresh_from_db()
    data = serialize_for_event(deployment)
    assert data["status"]["value"] == Status.RENDERED
    assert "198.51.100.42" in deployment.masked_text
    assert "198.51.100.42" not in json.dumps(data, default=str)


@pytest.mark.parametrize("former", DEPLOYMENT_MOVES)
def test_only_moves_of_the_table_are_legal(deployment, former):
    for status in Status.values():
        at(deployment, former)
        if status in DEPLOYMENT_MOVES[former]:
            moves.move(deployment, status)
            assert deployment.status == status
        else:
            with pytest.raises(DeploymentRefused) as refused:
                moves.move(deployment, status)
            assert all(str(dict(Status)[each]) in str(refused.value) for each in (former, status))
            deployment.refresh_from_db()
            assert deployment.status == former


def test_where_it_stands_is_read_from_the_database(deployment):
    stale = Deployment.objects.get(pk=deployment.pk)
    at(deployment, Status.DONE)
    with pytest.raises(DeploymentRefused, match="is Done"):
        moves.move(stale, Status.COMPARED)


def test_step_says_who_when_and_why_and_stays_when_the_user_is_gone(deployment):
    user = make_user("alice")
    moves.move(deployment, Status.CANCELLED, user=user, reason="no longer needed")
    user.delete()
    step = deployment.steps.last()
    assert (step.former_status, step.status) == (Status.RENDERED, Status.CANCELLED)
    assert (step.user, step.user_name, step.reason) == (None, "alice", "no longer needed")
    assert step.at


@pytest.mark.parametrize("ended", [Status.CANCELLED, Status.FAILED, Status.EXPIRED])
def test_what_has_ended_is_forgotten(deployment, ended):
    assert deployment.encrypted_text
    moves.move(deployment, ended)
    deployment.refresh_from_db()
    assert deployment.encrypted_text == ""
    assert deployment.ended


def test_moves_are_no_change_records(deployment):
    before = ObjectChange.objects.count()
    moves.move(deployment, Status.COMPARED)
    moves.note(deployment, "looked at")
    assert ObjectChange.objects.count() == before


def test_same_note_is_kept_once_until_something_else_happens(deployment):
    for _ in range(2):
        moves.note(deployment, "does not answer")
    moves.move(deployment, Status.COMPARED)
    moves.note(deployment, "does not answer")
    assert [step.reason for step in deployment.steps.all()] == ["", "does not answer", "", "does not answer"]


@pytest.mark.parametrize("status", DEPLOYMENT_MOVES[Status.COMPARED])
def test_event_rules_hear_of_each_move(deployment, status, django_capture_on_commit_callbacks):
    watcher, group = make_user("watcher"), NotificationGroup.objects.create(name="Peering")
    group.users.add(watcher)
    rule = EventRule.objects.create(
        name="Moves", event_types=[deployment_event(status)], action_type="notification", action_object=group
    )
    rule.object_types.set([ObjectType.objects.get_for_model(Deployment)])
    at(deployment, Status.COMPARED)
    with django_capture_on_commit_callbacks(execute=True):
        moves.move(deployment, status)
    (told,) = Notification.objects.filter(user=watcher)
    assert (told.event_type, told.object) == (deployment_event(status), deployment)


def test_webhooks_hear_of_moves_in_a_job_which_has_no_request(deployment, django_capture_on_commit_callbacks):
    webhook = Webhook.objects.create(name="Moves", payload_url="http://127.0.0.1:9/")
    rule = EventRule.objects.create(
        name="Moves", event_types=["deployment_compared"], action_type="webhook", action_object=webhook
    )
    rule.object_types.set([ObjectType.objects.get_for_model(Deployment)])
    with mock.patch.object(Queue, "enqueue") as enqueue, django_capture_on_commit_callbacks(execute=True):
        moves.move(deployment, Status.COMPARED)
    (sent,) = [
        call.kwargs for call in enqueue.call_args_list if call.args == ("extras.webhooks.send_webhook",)
    ]
    assert sent["event_type"] == "deployment_compared"
    assert sent["data"]["id"] == deployment.pk


def test_subscribers_are_notified_of_the_last_move(deployment):
    watcher = make_user("watcher")
    kind = ContentType.objects.get_for_model(Deployment)
    Subscription.objects.create(user=watcher, object_type=kind, object_id=deployment.pk)
    moves.move(deployment, Status.COMPARED)
    moves.move(deployment, Status.FAILED)
    (told,) = Notification.objects.filter(user=watcher)
    assert told.event_type == "deployment_failed"
    assert told.object_repr == str(deployment)


def test_deployment_that_is_being_sent_cannot_be_deleted_nor_its_router(deployment):
    for status in Status.SENDING:
        at(deployment, status)
        for delete in (deployment.delete, deployment.router.delete):
            with pytest.raises(AbortRequest, match="is being sent"):
                delete()
    at(deployment, Status.DONE)
    deployment.delete()


@pytest.mark.parametrize(
    ("read_as", "is_now"), [(Status.APPROVED, Status.COMMITTING), (Status.CONFIRMING, Status.DONE)]
)
def test_whether_it_is_being_sent_is_read_anew_when_it_is_deleted(deployment, read_as, is_now):
    old = at(Deployment.objects.get(pk=deployment.pk), read_as)
    at(deployment, is_now)
    if is_now in Status.SENDING:
        with pytest.raises(AbortRequest, match="is being sent"):
            old.delete()
    else:
        old.delete()
    assert Deployment.objects.filter(pk=deployment.pk).exists() is (is_now in Status.SENDING)

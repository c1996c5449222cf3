"""New drift is told to NetBox's event rules: once, about its object, whoever or whatever ran the comparison."""

import uuid

import django_rq
import pytest
from django.urls import reverse

from core.models import Job, ObjectType
from extras.models import EventRule, Notification, NotificationGroup, Webhook
from users.models import User

from netbox_peering_manager.events import PEERINGDB_DRIFT
from netbox_peering_manager.jobs.base import PeeringJob
from netbox_peering_manager.models import PeeringDBDrift, PeeringSession
from netbox_peering_manager.services.peeringdb.drift import refresh_drift
from tests.peeringdb.scenery import Story

pytestmark = pytest.mark.django_db


class Compare(PeeringJob):
    """As a sync ends."""

    class Meta:
        name = "Compare"

    def run(self):
        with self.tracked():
            refresh_drift()


@pytest.fixture
def as_job(django_capture_on_commit_callbacks):
    """Run a comparison as a job of this user, of the scheduler when it is nobody's; what is sent is sent on commit."""

    def run(user=None, work=Compare):
        job = Job.objects.create(name="Compare", user=user, job_id=uuid.uuid4(), notifications="never")
        with django_capture_on_commit_callbacks(execute=True):
            work.handle(job)
        job.refresh_from_db()
        assert job.status == "completed", job.log_entries

    return run


@pytest.fixture
def watcher():
    return User.objects.create_user("watcher")


@pytest.fixture
def group(watcher):
    group = NotificationGroup.objects.create(name="Peering")
    group.users.add(watcher)
    return group


@pytest.fixture
def story(hamlet):
    """A session with AS64496, whose port went out of operation."""
    story = Story(hamlet)
    story.session4 = story.session(11, 64496)
    story.world.change("netixlan", story.port_of(64496)["id"], operational=False)
    story.fill()
    return story


def make_rule(action, *models, kind, **fields):
    rule = EventRule.objects.create(
        name=f"Drift {kind} {action}",
        event_types=[PEERINGDB_DRIFT],
        action_type=kind,
        action_object_type=ObjectType.objects.get_for_model(action),
        action_object_id=action.pk,
        **fields,
    )
    rule.object_types.set([ObjectType.objects.get_for_model(model) for model in models or (PeeringSession,)])
    rule.full_clean()
    return rule


@pytest.fixture
def queue():
    queue = django_rq.get_queue("default")
    queue.empty()
    yield queue
    queue.empty()


def sent(queue):
    """What webhooks were asked to send, as the worker would get it."""
    return [job.kwargs for job in queue.jobs if job.func_name == "extras.webhooks.send_webhook"]


@pytest.fixture
def webhook(queue):
    hook = Webhook.objects.create(name="Chat", payload_url="http://192.0.2.1/")
    make_rule(hook, kind="webhook")
    return hook


@pytest.mark.parametrize("who", ["the scheduler", "a user"])
def test_a_notification_group_hears_of_new_drift_from_a_job(story, group, watcher, as_job, who):
    make_rule(group, kind="notification")
    as_job(User.objects.create_user("operator") if who == "a user" else None)
    (told,) = Notification.objects.filter(user=watcher)
    assert (told.object, told.event_type) == (story.session4, PEERINGDB_DRIFT)
    assert told.object_repr == str(story.session4)
    assert told.event.text == "Disagrees with PeeringDB"


def test_a_webhook_gets_the_object_and_what_drifted(story, webhook, queue, as_job):
    as_job()
    (params,) = sent(queue)
    assert params["event_type"] == PEERINGDB_DRIFT
    data = params["data"]
    assert (data["id"], data["display"]) == (story.session4.pk, str(story.session4))
    drift = PeeringDBDrift.objects.get()
    assert data["drift"] == {
        "id": drift.pk,
        "kind": "port-not-operational",
        "label": "Peer's port not operational",
        "text": "The port with 198.51.100.11 is not operational in PeeringDB.",
        "details": {"address": "198.51.100.11", "asn": 64496},
        "found": drift.found.isoformat(),
    }


def test_only_what_is_new_is_told(story, webhook, queue, as_job):
    as_job()
    as_job()
    assert len(sent(queue)) == 1
    story.session(11, 64496, family=6)
    as_job()
    assert len(sent(queue)) == 2


def test_what_went_and_came_back_is_new_again(story, webhook, queue, as_job):
    as_job()
    port = story.port_of(64496)["id"]
    for operational in (True, False):
        story.world.change("netixlan", port, operational=operational)
        story.fill()
        as_job()
    assert len(sent(queue)) == 2


def test_each_of_several_things_on_one_object_is_told(story, webhook, queue, as_job):
    make_rule(
        Webhook.objects.create(name="Other", payload_url="http://192.0.2.1/"), type(story.us), kind="webhook"
    )
    type(story.us).objects.filter(pk=story.us.pk).update(
        ipv4_max_prefixes=1, ipv6_max_prefixes=1, irr_as_set=""
    )
    as_job()
    # An id alone can be that of a session as well.
    about = [params["data"] for params in sent(queue)]
    about_us = [data["drift"] for data in about if data["url"].endswith(f"/peer-asns/{story.us.pk}/")]
    assert sorted(drift["kind"] for drift in about_us) == ["as-set-differs", *["max-prefixes-differ"] * 2]


def test_a_change_of_the_object_in_the_same_job_is_told_beside_its_drift(story, webhook, queue, as_job):
    rule = EventRule.objects.get()
    rule.event_types = [PEERINGDB_DRIFT, "object_updated"]
    rule.save()

    class ChangeAndCompare(Compare):
        def run(self):
            with self.tracked():
                session = PeeringSession.objects.get(pk=story.session4.pk)
                session.snapshot()
                session.description = "changed"
                session.save()
                refresh_drift()

    as_job(User.objects.create_user("operator"), ChangeAndCompare)
    assert sorted(params["event_type"] for params in sent(queue)) == ["object_updated", PEERINGDB_DRIFT]


def test_rules_for_other_objects_or_switched_off_stay_silent(story, webhook, queue, as_job):
    EventRule.objects.update(enabled=False)
    make_rule(
        Webhook.objects.create(name="Other", payload_url="http://192.0.2.1/"), type(story.us), kind="webhook"
    )
    as_job()
    assert sent(queue) == []


def test_conditions_of_a_rule_can_ask_for_the_kind(story, webhook, queue, as_job):
    rule = EventRule.objects.get()
    rule.conditions = {"attr": "drift.kind", "value": "network-gone"}
    rule.save()
    as_job()
    assert sent(queue) == []


def test_a_comparison_outside_of_any_request_is_told_when_it_is_committed(
    story, webhook, queue, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        refresh_drift()
        assert sent(queue) == []
    assert len(sent(queue)) == 1


def test_event_rules_of_the_plugins_objects_can_choose_the_event(client):
    client.force_login(User.objects.create_superuser("admin"))
    page = client.get(reverse("extras:eventrule_add")).content.decode()
    assert "Disagrees with PeeringDB" in page

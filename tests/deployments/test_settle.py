"""The pass of each minute: what has expired, what is due, what was left behind."""

from datetime import timedelta
from unittest import mock

import django_rq
import pytest
from django.utils import timezone
from rq.job import Job as QueuedJob
from rq.job import JobStatus

from core.choices import JobStatusChoices
from core.models import Job

from netbox_peering_manager.choices import DeploymentStatusChoices as Status
from netbox_peering_manager.jobs.deployments import DeploymentJob, DeploymentPassJob
from netbox_peering_manager.models import Deployment
from netbox_peering_manager.services.deployment import asking, settle
from tests.queries import queries_of
from tests.shared import once

from .scenery import make_router, make_sessions, make_user
from .test_locks import Elsewhere

pytestmark = pytest.mark.django_db
LATER = timedelta(hours=1)


def build():
    router = make_router()
    make_sessions(router, "198.51.100.42")
    return asking.request(router, make_user("author"))


made = once(build)


@pytest.fixture
def deployment(made):
    return made


def at(deployment, **fields):
    Deployment.objects.filter(pk=deployment.pk).update(**fields)
    return Deployment.objects.get(pk=deployment.pk)


def job(deployment, **fields):
    with mock.patch.object(DeploymentJob, "queue", return_value="default"):
        made = DeploymentJob.start(deployment, None)
    Job.objects.filter(pk=made.pk).update(**fields)
    return made


@pytest.mark.parametrize(
    ("fields", "due"),
    [
        ({"status": Status.RENDERED}, False),
        ({"status": Status.RENDERED, "released": True}, True),
        ({"status": Status.COMPARED}, False),
        ({"status": Status.COMPARED, "released": True}, True),
        ({"status": Status.AWAITING_APPROVAL, "released": True}, False),
        ({"status": Status.APPROVED}, False),
        ({"status": Status.APPROVED, "released": True}, True),
        ({"status": Status.SCHEDULED, "released": True, "scheduled": -LATER}, True),
        ({"status": Status.SCHEDULED, "released": True, "scheduled": LATER}, False),
        ({"status": Status.COMMITTING}, True),
        ({"status": Status.CONFIRMING}, True),
        *(({"status": status, "released": True}, False) for status in Status.ENDED),
    ],
)
def test_what_is_due_or_was_left_is_to_be_worked_at(deployment, fields, due):
    values = dict(fields)
    if values.pop("released", False):
        values["released_by"] = deployment.requested_by
    if "scheduled" in values:
        values["scheduled"] += timezone.now()
    at(deployment, **values)
    assert settle.settle() == ([deployment] if due else [])


@pytest.mark.parametrize("status", [JobStatusChoices.STATUS_PENDING, JobStatusChoices.STATUS_SCHEDULED])
@pytest.mark.parametrize("rq_status", [JobStatus.QUEUED, JobStatus.FAILED])
def test_job_that_its_queue_has_lost_keeps_nobody_waiting(deployment, status, rq_status):
    """Nor does one that failed there, which RQ keeps for a year."""
    at(deployment, status=Status.CONFIRMING)
    lost = job(deployment, status=status, created=timezone.now() - LATER)
    assert settle.settle() == [deployment]
    redis = django_rq.get_connection("default")
    queued = QueuedJob.create(print, id=str(lost.job_id), connection=redis, status=rq_status)
    queued.save()
    try:
        assert settle.settle() == ([] if rq_status == JobStatus.QUEUED else [deployment])
    finally:
        queued.delete()


def test_router_that_does_not_answer_is_asked_ever_more_rarely(deployment):
    at(deployment, status=Status.COMMITTING, sent=timezone.now() - LATER)
    ended = {"status": JobStatusChoices.STATUS_FAILED, "completed": timezone.now()}
    for _attempt in range(settle.TRIED_AT_ONCE):
        job(deployment, created=timezone.now() - timedelta(minutes=5), **ended)
        assert settle.settle() == [deployment]
    job(deployment, created=timezone.now() - timedelta(minutes=1), **ended)
    assert settle.settle() == []
    Job.objects.update(created=timezone.now() - timedelta(minutes=3))
    assert settle.settle() == [deployment]


def test_nobody_works_at_what_somebody_works_at(deployment):
    at(deployment, status=Status.CONFIRMING)
    with Elsewhere(deployment.router):
        assert settle.settle() == []
    assert settle.settle() == [deployment]


@pytest.mark.parametrize(
    ("fields", "again"),
    [
        ({"status": "pending"}, False),
        ({"status": "running", "started": timedelta(0)}, False),
        ({"status": "running", "started": -LATER}, True),
        ({"status": "errored", "started": -LATER}, True),
    ],
)
def test_comparison_whose_job_died_is_begun_again(deployment, fields, again):
    values = dict(fields)
    if "started" in values:
        values["started"] += timezone.now()
    job(deployment, **values)
    assert (settle.settle() == [deployment]) is again


@pytest.mark.parametrize(
    "status", [Status.RENDERED, Status.COMPARED, Status.AWAITING_APPROVAL, Status.APPROVED, Status.SCHEDULED]
)
def test_what_waited_too_long_expires(deployment, status):
    at(deployment, status=status, expires=timezone.now() - LATER)
    assert settle.settle() == []
    deployment = Deployment.objects.get()
    assert (deployment.status, deployment.encrypted_text) == (Status.EXPIRED, "")
    assert "Compare anew" in deployment.reason


@pytest.mark.parametrize("status", [*Status.SENDING, *Status.ENDED])
def test_what_is_being_sent_or_has_ended_does_not_expire(deployment, status):
    at(deployment, status=status, expires=timezone.now() - LATER)
    settle.settle()
    assert Deployment.objects.get().status == status


def test_deployment_with_typed_credentials_whose_job_is_gone_ends(deployment):
    at(deployment, own_credentials=True, released_by=deployment.requested_by)
    assert settle.settle() == []
    found = Deployment.objects.get()
    assert found.status == Status.FAILED
    assert "credentials are gone" in found.reason


def test_pass_starts_one_job_for_each_and_leaves_no_trail_of_itself(deployment):
    at(deployment, status=Status.APPROVED, released_by=deployment.requested_by)
    for _ in range(3):
        DeploymentPassJob.enqueue(immediate=True)
    assert Job.objects.filter(name=DeploymentPassJob.name).count() == 1
    (started,) = Job.objects.filter(name=DeploymentJob.name)
    assert (started.object, started.user) == (deployment, deployment.requested_by)
    assert Job.objects.filter(name=DeploymentPassJob.name).get().status == "completed"


def test_pass_takes_no_more_queries_for_more_that_wait(deployment):
    def more(number):
        for _ in range(number):
            asking.request(deployment.router, deployment.requested_by)

    more(2)
    settle.settle()
    few = queries_of(settle.settle)
    more(10)
    assert queries_of(settle.settle) == few <= 5

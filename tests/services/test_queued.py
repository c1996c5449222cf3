"""Jobs whose worker was killed: they are told from those that live, ended, and planned anew."""

import threading
import uuid
from datetime import timedelta

import django_rq
import pytest
from django.db import connection
from django.utils import timezone
from rq.job import Job as QueuedJob
from rq.job import JobStatus

from core.models import Job
from netbox.registry import registry

from netbox_peering_manager.jobs.base import SystemJob
from netbox_peering_manager.jobs.deployments import DeploymentPassJob, ForgetTextsJob
from netbox_peering_manager.services import queued
from tests.queries import queries_of

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(hours=1)
KILLED = ("errored", "The worker ended in mid-work.")


def make_job(*, ago=LONG_AGO, status="running", name="Forget Texts of Deployments", **fields):
    began = timezone.now() - ago
    started = began if status == "running" else None
    job = Job.objects.create(name=name, job_id=uuid.uuid4(), status=status, started=started, **fields)
    Job.objects.filter(pk=job.pk).update(created=began)
    job.refresh_from_db()
    return job


@pytest.fixture
def put():
    """Let RQ know a job, as one that stands like that."""
    made = []

    def add(job, status):
        redis = django_rq.get_connection("default")
        made.append(QueuedJob.create(print, id=str(job.job_id), connection=redis, status=status))
        made[-1].save()

    yield add
    for each in made:
        each.delete()


class Elsewhere:
    """Another process that works at a job, for the time of a `with` block."""

    def __init__(self, job):
        self._job, self._taken, self._over = job, threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            with queued.at_work(self._job):
                self._taken.set()
                self._over.wait(30)
        finally:
            connection.close()

    def __enter__(self):
        self._thread.start()
        assert self._taken.wait(30)

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


def state(job):
    job.refresh_from_db()
    return job.status, job.error


@pytest.mark.parametrize("status", JobStatus)
def test_what_rq_keeps_of_jobs_that_have_ended_is_no_queue(put, status):
    job, lost = make_job(), make_job()
    put(job, status)
    waits = status in ("queued", "started", "deferred", "scheduled")
    assert queued.waiting_in_queue([job, lost]) == ({job.pk} if waits else set())


def test_jobs_that_no_queue_knows_are_ended_and_the_others_returned_in_their_order(put):
    young, waits, runs, killed = (
        make_job(ago=timedelta(0)),
        make_job(status="pending"),
        make_job(),
        make_job(),
    )
    over = make_job(status="completed")
    put(waits, JobStatus.QUEUED)
    put(runs, JobStatus.STARTED)
    put(killed, JobStatus.FAILED)
    assert queued.alive(Job.objects.all()) == [young, waits, runs]
    assert state(killed) == KILLED
    assert killed.completed
    assert state(over) == ("completed", "")
    assert queries_of(lambda: queued.alive(Job.objects.all())) == 1


def test_job_of_the_scheduler_is_ended_when_nobody_works_at_it():
    job, young = make_job(), make_job(ago=timedelta(0))
    with Elsewhere(job):
        assert queued.end_killed({job.name}) == set()
    assert queued.end_killed({"Something else"}) == set()
    assert queued.end_killed({job.name}) == {job.name}
    assert (state(job), state(young)) == (KILLED, ("running", ""))


def test_every_job_that_is_planned_says_when_it_is_worked_at():
    ours = [runner for runner in registry["system_jobs"] if runner.__module__.startswith("netbox_peering")]
    assert len(ours) >= 6
    assert all(issubclass(runner, SystemJob) for runner in ours)


def test_planned_job_is_worked_at_while_it_runs_and_not_after(monkeypatch):
    seen = []

    def look(self):
        Job.objects.filter(pk=self.job.pk).update(started=timezone.now() - LONG_AGO)
        seen.append(queued.end_killed({self.name}))

    monkeypatch.setattr(ForgetTextsJob, "run", lambda self, **kwargs: look(self))
    job = ForgetTextsJob.enqueue(immediate=True)
    assert seen == [set()]
    assert state(job) == ("completed", "")
    Job.objects.filter(pk=job.pk).update(status="running", started=timezone.now() - LONG_AGO)
    assert queued.end_killed({job.name}) == {job.name}


def test_others_that_run_plan_anew_what_was_killed():
    job = make_job(interval=1440)
    DeploymentPassJob.enqueue(immediate=True)
    assert state(job) == KILLED
    (planned,) = Job.objects.filter(name=job.name, interval=1440).exclude(pk=job.pk)
    assert planned.status == "pending"
    # And once.
    DeploymentPassJob.enqueue(immediate=True)
    assert Job.objects.filter(name=job.name).count() == 2

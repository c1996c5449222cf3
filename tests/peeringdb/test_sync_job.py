"""Syncs in the background: on which queue, with which progress, how a failure is told, and at which interval."""

import uuid
from datetime import timedelta

import django_rq
import pytest
from django.core.management import call_command
from django.utils import timezone
from rq import Worker

from core.models import Job
from netbox.registry import registry
from users.models import User

from dev.sample_peeringdb.server import serve
from netbox_peering_manager.jobs import base
from netbox_peering_manager.jobs.peeringdb import QUEUE, TIMEOUT_S, PeeringDBSyncJob
from netbox_peering_manager.models import PeeringDBSync
from netbox_peering_manager.services.peeringdb import staging
from tests import factories
from tests.peeringdb.test_sync_command import use

pytestmark = pytest.mark.django_db


@pytest.fixture
def village(hamlet, settings):
    with serve(hamlet) as server:
        use(settings, server, peeringdb_retries=0)
        yield server


@pytest.fixture
def user():
    return User.objects.create(username="operator")


@pytest.fixture
def queues(django_capture_on_commit_callbacks):
    """The two queues, empty before and after."""
    found = {name: django_rq.get_queue(name) for name in ("default", QUEUE)}
    for queue in found.values():
        queue.empty()
    yield found
    for queue in found.values():
        queue.empty()


@pytest.fixture
def worker():
    """A worker that takes jobs from the plugin's queue, as far as anybody can see."""
    worker = Worker([QUEUE], connection=django_rq.get_connection(QUEUE))
    worker.register_birth()
    yield worker
    worker.register_death()


def run_now(**options):
    return Job.objects.get(pk=PeeringDBSyncJob.enqueue(immediate=True, **options).pk)


def test_sync_runs_as_its_user_and_says_which_it_was(village, user, hamlet):
    factories.make_peer_asn(hamlet.our_asn)
    job = run_now(user=user)
    run = PeeringDBSync.objects.get()
    assert (job.status, job.data["sync"]) == ("completed", run.pk)
    assert (run.status, run.user) == ("completed", user)
    assert run.applied["peerasn"] == {"updated": 1}
    assert job.data["progress"] == {"done": 14, "total": 14, "text": "Bringing NetBox in line"}


def test_progress_can_be_saved_while_long_lists_come(village, monkeypatch):
    monkeypatch.setattr(staging, "FEW_ROWS", 1)
    monkeypatch.setattr(staging, "CHUNK_ROWS", 2)
    monkeypatch.setattr(base, "_SECONDS_BETWEEN_REPORTS", 0)
    assert run_now().status == "completed"


def test_what_is_asked_for_is_what_is_synced(village):
    run_now(full=True, tags=["net"])
    run = PeeringDBSync.objects.get()
    assert (run.mode, run.tags) == ("full", ["net"])
    run_now(asn=64500)
    assert PeeringDBSync.objects.first().tags == ["net", "netfac", "netixlan", "poc"]


def test_failure_is_told_without_a_traceback(village):
    village.stop()
    job = run_now()
    assert job.status == "failed"
    assert "gave no answer" in job.error
    assert "The mirror was left as it was" in job.error
    assert [entry["level"] for entry in job.log_entries] == ["error"]
    assert "Traceback" not in str(job.log_entries)


def test_notes_of_the_sync_stand_in_the_log(village, hamlet):
    hamlet.change("net", hamlet.our_net_id, irr_as_set="none")
    factories.make_peer_asn(hamlet.our_asn)
    (entry,) = run_now().log_entries
    assert (entry["level"], "not taken over: 1." in entry["message"]) == ("warning", True)


def test_job_waits_where_a_worker_takes_it(queues, worker, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        job = PeeringDBSyncJob.enqueue()
    assert job.queue_name == QUEUE
    assert (len(queues[QUEUE]), len(queues["default"])) == (1, 0)
    assert queues[QUEUE].jobs[0].timeout == TIMEOUT_S


def test_job_waits_on_netboxs_queue_while_nobody_serves_the_plugins(
    queues, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        job = PeeringDBSyncJob.enqueue()
    assert job.queue_name == "default"
    assert len(queues["default"]) == 1


# At the interval


def test_syncs_are_planned_once_a_day_unless_told_otherwise():
    assert registry["system_jobs"][PeeringDBSyncJob] == {"interval": 1440}


def test_a_starting_worker_plans_the_sync_on_a_queue_that_it_serves(
    queues, monkeypatch, django_capture_on_commit_callbacks
):
    """As `netbox rqworker` does, without its queues named and with."""
    from core.management.commands import rqworker

    monkeypatch.setattr(rqworker._Command, "handle", lambda self, *args, **options: None)
    with django_capture_on_commit_callbacks(execute=True):
        call_command("rqworker", "default")
        call_command("rqworker", "default")
    (job,) = Job.objects.filter(name=PeeringDBSyncJob.name)
    assert (job.interval, job.queue_name, job.user) == (1440, "default", None)


def test_a_starting_worker_plans_the_sync_anew_when_the_last_one_was_killed(
    queues, monkeypatch, django_capture_on_commit_callbacks
):
    """NetBox plans the next one when one has ended, and takes one that seems to run for planned."""
    from core.management.commands import rqworker

    monkeypatch.setattr(rqworker._Command, "handle", lambda self, *args, **options: None)
    killed = Job.objects.create(
        name=PeeringDBSyncJob.name,
        job_id=uuid.uuid4(),
        status="running",
        interval=1440,
        started=timezone.now() - timedelta(hours=1),
    )
    with django_capture_on_commit_callbacks(execute=True):
        call_command("rqworker", "default")
    killed.refresh_from_db()
    assert (killed.status, killed.error) == ("errored", "The worker ended in mid-work.")
    assert killed.completed
    (planned,) = Job.objects.filter(name=PeeringDBSyncJob.name).exclude(pk=killed.pk)
    assert (planned.status, planned.interval) == ("pending", 1440)


def test_planned_sync_plans_the_next_one_whether_it_succeeds_or_fails(village, queues):
    job = PeeringDBSyncJob.enqueue(interval=1440)
    PeeringDBSyncJob.handle(job)
    village.stop()
    (following,) = Job.objects.filter(name=PeeringDBSyncJob.name, status="scheduled")
    PeeringDBSyncJob.handle(following)
    states = Job.objects.filter(name=PeeringDBSyncJob.name).order_by("pk").values_list("status", "interval")
    assert list(states) == [("completed", 1440), ("failed", 1440), ("scheduled", 1440)]


def test_sync_that_was_planned_before_the_interval_became_0_does_nothing_and_plans_nothing(
    village, settings, queues
):
    use(settings, village, peeringdb_sync_interval=0)
    PeeringDBSyncJob.handle(PeeringDBSyncJob.enqueue(interval=1440))
    (job,) = Job.objects.filter(name=PeeringDBSyncJob.name)
    assert (job.status, job.interval) == ("completed", None)
    assert village.requests == []
    # Whoever asks for one gets one.
    run_now()
    assert PeeringDBSync.objects.get().status == "completed"

"""
Which jobs are still alive. A worker that is killed says nothing: for NetBox its job waits or runs for ever.

Of jobs in the queue RQ knows, which notices after a while that a worker is gone. Of those that NetBox plans at an
interval that is too late: a lock of PostgreSQL, which is gone as soon as the process that holds it is, says at once
whether somebody works at one.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import django_rq
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from django_pg_utils import advisory_lock
from rq.job import Job as QueuedJob
from rq.job import JobStatus

from core.choices import JobStatusChoices
from core.models import Job
from netbox.constants import RQ_QUEUE_DEFAULT

__all__ = ("UNFINISHED", "alive", "at_work", "end_killed", "killed", "waiting_in_queue")

UNFINISHED = (JobStatusChoices.STATUS_PENDING, JobStatusChoices.STATUS_RUNNING)
WAITING = (JobStatus.QUEUED, JobStatus.STARTED, JobStatus.DEFERRED, JobStatus.SCHEDULED)
# A job that is that young may not have reached the queue yet, or not hold its lock.
ON_ITS_WAY = timedelta(minutes=1)
# Any number that nobody else in NetBox's database has as the first of two; the second is the job's id.
LOCK = 420_710_022

_HOLDERS = """
SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = %s::oid
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def waiting_in_queue(jobs: Sequence[Job]) -> set[int]:
    """
    Return the ids of those of `jobs` that wait in a queue or that a worker works at. RQ keeps others, too: one that
    failed for a year. One question to Redis.
    """
    if not jobs:
        return set()
    # All of NetBox's queues are in one Redis.
    redis = django_rq.get_connection(RQ_QUEUE_DEFAULT)
    queued = QueuedJob.fetch_many([str(job.job_id) for job in jobs], connection=redis)
    return {
        job.pk
        for job, found in zip(jobs, queued, strict=True)
        if found is not None and found.get_status(refresh=False) in WAITING
    }


def alive(jobs: Any) -> list[Job]:
    """
    Return those of `jobs` (a queryset) that wait or run, the first ones first. Those that no queue knows any more,
    because their worker was killed, are ended.
    """
    found = list(jobs.filter(status__in=UNFINISHED).defer("log_entries").order_by("pk"))
    old = [job for job in found if job.created < timezone.now() - ON_ITS_WAY]
    lost = {job.pk for job in old} - waiting_in_queue(old)
    _end(lost)
    return [job for job in found if job.pk not in lost]


@contextmanager
def at_work(job: Job) -> Iterator[None]:
    """Let everybody know for the time of the body that somebody works at `job`."""
    with advisory_lock((LOCK, job.pk)):
        yield


def killed(jobs: Iterable[Job]) -> set[int]:
    """
    Return the ids of those of `jobs` that seem to run, but that nobody works at any more. For jobs that say so
    (`at_work`) only. One query when one has run for a while, else none.
    """
    limit = timezone.now() - ON_ITS_WAY
    running = (job for job in jobs if job.status == JobStatusChoices.STATUS_RUNNING)
    old = {job.pk for job in running if (job.started or job.created) < limit}
    return old - _worked_at() if old else set()


def end_killed(names: Collection[str]) -> set[str]:
    """End the `killed` of the jobs of these names. Return the names of those that were ended. At most three queries."""
    running = Job.objects.filter(name__in=names, status=JobStatusChoices.STATUS_RUNNING)
    found = {job.pk: job for job in running.only("name", "status", "started", "created").order_by()}
    dead = killed(found.values())
    _end(dead)
    return {found[pk].name for pk in dead}


def _worked_at() -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS, [LOCK])
        return {pk for (pk,) in cursor.fetchall()}


def _end(pks: Collection[int]) -> None:
    """Unless they have ended meanwhile."""
    if pks:
        Job.objects.filter(pk__in=pks, status__in=UNFINISHED).update(
            status=JobStatusChoices.STATUS_ERRORED,
            error=_("The worker ended in mid-work."),
            completed=timezone.now(),
        )

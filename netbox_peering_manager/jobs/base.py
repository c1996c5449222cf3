"""
What the plugin's jobs have in common: where they wait, one request for all that they change, progress that a page can
show, and a plan that outlives a worker that is killed.
"""

import time
from contextlib import contextmanager
from typing import Any, NoReturn

from core.exceptions import JobFailed
from core.models import Job
from netbox.constants import RQ_QUEUE_DEFAULT
from netbox.context_managers import event_tracking
from netbox.jobs import JobRunner
from netbox.registry import registry
from users.models import User
from utilities.rqworker import any_workers_for_queue

from ..services import queued
from ..services.tracking import request_of
from ..settings import PLUGIN

__all__ = ("ROUTERS_QUEUE", "PeeringJob", "SystemJob", "served")

# The queue of workers that reach routers.
ROUTERS_QUEUE = f"{PLUGIN}.routers"

# A page that shows progress asks for it about as often.
_SECONDS_BETWEEN_REPORTS = 1.0


def served(queue: str) -> str:
    """Return `queue` when a worker serves it, else NetBox's default queue, which every installation has served."""
    return queue if any_workers_for_queue(queue) else RQ_QUEUE_DEFAULT


class PeeringJob(JobRunner):
    """
    A job that changes NetBox as its user would have: with change log and events, in the name of that user.

    Progress stands in the job's data, as {"progress": {"done": int, "total": int, "text": str}}, and is saved at
    most once a second: never within a transaction of the work, where nobody could see it.
    """

    def __init__(self, job):
        super().__init__(job)
        self._reported = 0.0

    @contextmanager
    def tracked(self):
        """Run the body as one request of the job's user: one change-log request, events when it ends."""
        request = request_of(self.job.user)
        with event_tracking(request):
            yield request

    def report(self, done: int, total: int, text: str = "") -> None:
        """Keep how far the work is. `total` 0: not known yet."""
        now = time.monotonic()
        if done < total and now - self._reported < _SECONDS_BETWEEN_REPORTS:
            return
        self._reported = now
        self.keep(progress={"done": done, "total": total, "text": str(text)})

    def keep(self, **values: Any) -> None:
        """Add plain values to the job's data, for the page that shows it. Never a secret."""
        self.job.data = {**(self.job.data or {}), **values}
        self.job.save(update_fields=["data"])

    def current_user(self) -> User | None:
        """
        The job's user as they are by now, None when they are gone or no longer active: with the job waits the user as
        it was when the job was queued, with the rights that it had then.
        """
        user: User | None = User.objects.filter(pk=self.job.user_id, is_active=True).first()
        return user

    def fail(self, text: str) -> NoReturn:
        """
        End the job as failed, for a reason that is told. Not within an `except` whose error may quote a secret: it
        would be kept as the context.
        """
        self.job.error = text
        self.logger.error(text)
        raise JobFailed


class SystemJob(JobRunner):
    """
    A job that NetBox plans at an interval, first of the bases.

    NetBox plans the next run when one has ended, and takes one that seems to run for planned: with a worker that is
    killed the series would end for good. So each says that it is worked at; those that are not are ended, when a worker
    starts and whenever another job of this kind has run, and planned anew.
    """

    @classmethod
    def handle(cls, job: Job, *args: Any, **kwargs: Any) -> None:
        with queued.at_work(job):
            super().handle(job, *args, **kwargs)
        _plan_killed()

    @classmethod
    def enqueue_once(cls, *args: Any, **kwargs: Any) -> Job:
        queued.end_killed({cls.name})
        job: Job = super().enqueue_once(*args, **kwargs)
        return job


def _plan_killed() -> None:
    """Plan those anew whose worker was killed while others live: none of these may start for months."""
    planned = {
        runner.name: (runner, plan)
        for runner, plan in registry["system_jobs"].items()
        if issubclass(runner, SystemJob)
    }
    for name in queued.end_killed(planned):
        runner, plan = planned[name]
        runner.enqueue_once(**plan)

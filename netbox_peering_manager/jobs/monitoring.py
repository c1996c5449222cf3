"""Polls of routers in the background, one job per router, asked for or due; and what is kept of the past."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, IntegerField, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from django_pg_utils import advisory_lock

from core.choices import JobNotificationChoices, JobStatusChoices
from core.models import Job, ObjectType
from netbox.jobs import system_job

from ..exceptions import PeeringError, PollRefused
from ..models import PeeringRouter, RouterState
from ..services import queued
from ..services.monitoring.poll import poll
from ..services.monitoring.record import mark_aged
from ..services.monitoring.thinning import thin
from ..settings import PLUGIN, get_setting
from .base import ROUTERS_QUEUE, PeeringJob, SystemJob, served

__all__ = ("PollDueJob", "PollJob", "ThinHistoryJob", "start_polls")

# Connecting, two questions, and what is kept of the answers.
STEPS = 4
# The scheduler comes by each minute, a little earlier or later.
SLACK = timedelta(seconds=30)
# Jobs that nobody asked for and that went well; there are thousands a day.
KEEP_JOBS = timedelta(hours=6)


class PollJob(PeeringJob):
    """
    Ask one router for the states of its sessions. Its data hold what was found as "poll", see PollResult.as_data().

    It runs on the plugin's queue for routers when a worker takes jobs from there, else on NetBox's default queue.
    """

    class Meta:
        name = "Poll Router"

    @classmethod
    def queue(cls) -> str:
        """Return the queue that a job would wait in now."""
        return served(ROUTERS_QUEUE)

    @classmethod
    def start(cls, router: PeeringRouter, user: Any = None) -> Job:
        """Queue a poll of `router`, or return the one that waits or runs. PollRefused when `user` may not poll it."""
        return start_polls([router], user)[0]

    def run(self, **kwargs: Any) -> None:
        router = PeeringRouter.objects.with_access().filter(pk=self.job.object_id).first()
        if router is None:
            self.fail(_("The router is no longer there."))
        if self.job.user_id is not None:
            self.job.user = self.current_user()
            if self.job.user is None:
                self.fail(_("The user who asked for this poll is gone or no longer active."))
        why = ""
        try:
            with self.tracked():
                self.job.data = {"poll": poll(router, self.job.user).as_data()}
        except PeeringError as error:
            why = str(error)
        if why:
            # Out here, so that nothing keeps the original error, which may quote what the router said.
            self.fail(why)


def start_polls(routers: Sequence[PeeringRouter], user: Any = None) -> list[Job]:
    """
    Queue a poll of each router, in their order; of one that waits or runs already that job is returned.

    `user` must be allowed to poll all of them, else PollRefused and none is queued; None: NetBox itself asks.
    """
    _check(routers, user)
    notify = (
        JobNotificationChoices.NOTIFICATION_NEVER
        if user is None
        else JobNotificationChoices.NOTIFICATION_ON_FAILURE
    )
    said = {
        "user": user,
        "queue_name": PollJob.queue(),
        "job_timeout": STEPS * get_setting("device_timeout_s"),
        "notifications": notify,
    }
    # Two that ask at once must not both find nothing waiting.
    with advisory_lock(f"{PLUGIN}.start_polls"):
        waiting = _waiting([router.pk for router in routers])
        return [waiting.get(router.pk) or PollJob.enqueue(instance=router, **said) for router in routers]


def _check(routers: Sequence[PeeringRouter], user: Any) -> None:
    if user is None:
        return
    pks = {router.pk for router in routers}
    allowed = set(
        PeeringRouter.objects.restrict(user, "poll").filter(pk__in=pks).values_list("pk", flat=True)
    )
    if refused := [router for router in routers if router.pk not in allowed]:
        raise PollRefused(_("You may not poll {router}.").format(router=", ".join(map(str, refused))))


def _waiting(pks: Collection[int]) -> dict[int, Job]:
    """The polls of these routers that wait or run, by router."""
    routers = ObjectType.objects.get_for_model(PeeringRouter)
    jobs = Job.objects.filter(name=PollJob.name, object_type=routers, object_id__in=pks).defer("data")
    return {job.object_id: job for job in queued.alive(jobs)}


def due_routers(now: datetime) -> list[PeeringRouter]:
    """The routers whose interval is over, those first that have waited longest. `minutes` is the interval of each."""
    routers = PeeringRouter.objects.with_device().filter(poll_enabled=True)
    interval = Coalesce("poll_interval", Value(get_setting("poll_interval")), output_field=IntegerField())
    due = routers.annotate(minutes=interval).filter(minutes__gt=0).exclude(state__poll_due__gt=now + SLACK)
    return list(due.order_by(F("state__poll_due").asc(nulls_first=True), "pk"))


def _start_due(now: datetime) -> list[Job]:
    routers = due_routers(now)
    RouterState.objects.bulk_create(
        [RouterState(router=router, poll_due=now + timedelta(minutes=router.minutes)) for router in routers],
        update_conflicts=True,
        unique_fields=["router"],
        update_fields=["poll_due"],
    )
    return start_polls(routers) if routers else []


def preload() -> None:
    """Load NAPALM once in a worker, where it is installed: each job is a process of its own, and would load it anew."""
    try:
        import napalm  # noqa: F401
    except ImportError:
        return


@system_job(1)
class PollDueJob(SystemJob):
    """
    Start the polls that are due, mark the states as old that nobody polls any more, and forget the jobs of earlier ones
    that nobody asked for and that went well.
    """

    class Meta:
        name = "Polls Due"

    @classmethod
    def enqueue_once(cls, *args: Any, **kwargs: Any) -> Job:
        # Called by a worker that starts, before it has any job.
        preload()
        return super().enqueue_once(*args, **kwargs)

    @classmethod
    def enqueue(cls, *args: Any, **kwargs: Any) -> Job:
        kwargs.setdefault("notifications", JobNotificationChoices.NOTIFICATION_NEVER)
        return super().enqueue(*args, **kwargs)

    def run(self, *args: Any, **kwargs: Any) -> None:
        now = timezone.now()
        _forget_jobs(now - KEEP_JOBS, (PollJob.name, PollDueJob.name))
        mark_aged(now)
        jobs = _start_due(now)
        if jobs:
            self.logger.info(_("{count} routers are due.").format(count=len(jobs)))


@system_job(1440)
class ThinHistoryJob(SystemJob):
    """Thin out the counters and transitions of sessions by the settings."""

    class Meta:
        name = "Thin Out History of Sessions"

    def run(self, *args: Any, **kwargs: Any) -> None:
        thinned = thin(timezone.now())
        self.logger.info(
            _("Deleted {samples} samples and {changes} transitions.").format(
                samples=thinned.samples, changes=thinned.changes
            )
        )


def _forget_jobs(before: datetime, names: Iterable[str]) -> None:
    jobs = Job.objects.filter(
        name__in=names, user=None, status=JobStatusChoices.STATUS_COMPLETED, completed__lt=before
    )
    # In one statement: nothing hangs on them, and their queue has forgotten them.
    jobs._raw_delete(jobs.db)

"""
The pass that runs each minute: what has expired, and what has to be worked at.

It only looks into the database. The work itself may need routers, so it is for the jobs that reach them.
"""

from datetime import timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from core.choices import JobStatusChoices
from core.models import Job

from ...choices import ApprovalChoices
from ...choices import DeploymentStatusChoices as Status
from ...exceptions import DeploymentRefused
from ...models import Deployment
from ..queued import waiting_in_queue
from . import locks, moves

__all__ = ("settle",)

# So many attempts to find out what became of one follow each other, then they become rare.
TRIED_AT_ONCE = 3
LONGEST_REST = timedelta(hours=1)
# A job that was just begun does not hold its router's lock yet.
GRACE_S = 20


def settle() -> list[Deployment]:
    """
    End what has expired, and return what is to be worked at now (`pipeline.run`): what is due, was waiting for its
    router, or was left by a worker that is gone. The number of queries does not grow with what only waits.
    """
    _expire()
    found = list(_to_work_at())
    free = locks.free_routers({one.router_id for one in found})
    jobs = _jobs_of(found)
    alive = _with_live_job(jobs)
    # What became of these is to be found out before anything else of their routers.
    sending = {one.router_id for one in found if one.status in Status.SENDING}
    return [
        one
        for one in found
        if one.router_id in free
        and one.pk not in alive
        and not _is_resting(one, jobs)
        and not _has_lost_credentials(one)
        and (one.status in Status.SENDING or one.router_id not in sending)
    ]


def _expire() -> None:
    for deployment in Deployment.objects.with_router().filter(
        status__in=Status.WAITING, expires__lte=timezone.now()
    ):
        if not locks.is_free(deployment.router):
            continue
        try:
            moves.move(deployment, Status.EXPIRED, reason=_("Too long ago. Compare anew."))
        except DeploymentRefused:
            # Somebody was faster.
            continue


def _to_work_at() -> Any:
    now = timezone.now()
    released = Q(released_by__isnull=False)
    due = released & (
        Q(status=Status.SCHEDULED, scheduled__lte=now)
        | Q(status=Status.SCHEDULED, scheduled=None)
        | Q(status=Status.APPROVED, scheduled=None)
        | Q(status=Status.COMPARED, scheduled=None, router__approval=ApprovalChoices.NONE)
    )
    to_compare = Q(status=Status.RENDERED) & (released | Q(pk__in=_begun()))
    # In the order in which they were asked for.
    found = Deployment.objects.with_router().filter(Q(status__in=Status.SENDING) | due | to_compare)
    return found.select_related("released_by", "requested_by").order_by("pk")


def _begun() -> "QuerySet[Job]":
    """Those whose job had begun: nobody else asked for a comparison."""
    jobs: QuerySet[Job] = Job.objects.filter(
        object_type=ContentType.objects.get_for_model(Deployment), started__isnull=False
    )
    return jobs.order_by().values("object_id")


def _jobs_of(found: list[Deployment]) -> list[Job]:
    """Their jobs, the first ones first."""
    kind = ContentType.objects.get_for_model(Deployment)
    jobs = Job.objects.filter(object_type=kind, object_id__in=[one.pk for one in found])
    return list(jobs.only("object_id", "status", "created", "started", "job_id").order_by("created"))


def _with_live_job(jobs: list[Job]) -> set[int]:
    """The ids of the deployments that a job waits for, or has just begun to work at."""
    just_now = timezone.now() - timedelta(seconds=GRACE_S)
    waiting = [
        job
        for job in jobs
        if job.status in (JobStatusChoices.STATUS_PENDING, JobStatusChoices.STATUS_SCHEDULED)
    ]
    running = [job for job in jobs if job.status == JobStatusChoices.STATUS_RUNNING and job.started]
    # A queue that was lost keeps nobody waiting.
    queued = waiting_in_queue(waiting)
    return {job.object_id for job in running if job.started >= just_now} | {
        job.object_id for job in waiting if job.created >= just_now or job.pk in queued
    }


def _is_resting(deployment: Deployment, jobs: list[Job]) -> bool:
    """
    Whether a deployment of which nothing could be found out is left alone for a while: twice as long each time, up to
    an hour. At first it is asked for in each pass, as long as the router may still go back by itself.
    """
    if deployment.status not in Status.SENDING:
        return False
    began = deployment.sent or deployment.created
    tried = [job.created for job in jobs if job.object_id == deployment.pk and job.created >= began]
    if len(tried) <= TRIED_AT_ONCE:
        return False
    rest = min(timedelta(minutes=2 ** (len(tried) - TRIED_AT_ONCE)), LONGEST_REST)
    return timezone.now() < tried[-1] + rest


def _has_lost_credentials(deployment: Deployment) -> bool:
    """End what cannot go on, because the credentials for it were typed and are gone with the job that had them."""
    if not deployment.own_credentials or deployment.status in Status.SENDING:
        return False
    try:
        moves.move(
            deployment,
            Status.FAILED,
            reason=_(
                "Its job ended before it was sent, and the typed credentials are gone. Ask for it anew."
            ),
        )
    except DeploymentRefused:
        # It has been worked at meanwhile.
        return True
    return True

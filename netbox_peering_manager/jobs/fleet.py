"""Many routers at once, in the background: one job asks for the deployments, and each of these has a job of its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from core.choices import JobNotificationChoices
from core.models import Job
from netbox.constants import RQ_QUEUE_DEFAULT

from ..models import DeploymentBatch, PeeringRouter
from ..services import queued
from ..services.deployment.fleet import deploy_many, new_batch
from .base import PeeringJob
from .deployments import DeploymentJob

__all__ = ("FleetJob", "start_batch")

# Rendering a large router takes some seconds on a slow machine.
SECONDS_PER_ROUTER = 20
SHORTEST_TIMEOUT_S = 600


def start_batch(
    routers: Sequence[PeeringRouter],
    user: Any,
    *,
    automatic: bool,
    scheduled: datetime | None = None,
    max_failures: int | None = None,
    sessions_by_router: Mapping[int, Sequence[int]] | None = None,
    mode: str | None = None,
    reason: str = "",
) -> DeploymentBatch:
    """
    Make a batch for these routers and queue the job that asks for their deployments. See fleet.deploy_many().
    """
    batch = new_batch(routers, user, automatic=automatic, scheduled=scheduled, max_failures=max_failures)
    job = FleetJob.enqueue(
        user=user,
        queue_name=RQ_QUEUE_DEFAULT,
        job_timeout=max(SHORTEST_TIMEOUT_S, len(routers) * SECONDS_PER_ROUTER),
        # Each deployment's job tells of its own failure, and the page of the batch tells all.
        notifications=JobNotificationChoices.NOTIFICATION_ON_FAILURE,
        batch=batch.pk,
        routers=[router.pk for router in routers],
        automatic=automatic,
        scheduled=scheduled.isoformat() if scheduled else None,
        sessions_by_router=dict(sessions_by_router) if sessions_by_router is not None else None,
        mode=mode,
        reason=reason,
    )
    # Unless it runs by now, and says so itself.
    Job.objects.filter(pk=job.pk, data__isnull=True).update(data={"batch": batch.pk})
    return batch


class FleetJob(PeeringJob):
    """Ask for the deployments of a batch, one router after the other. Its data hold the batch's id and the progress."""

    class Meta:
        name = "Deploy Many Routers"

    def run(
        self,
        *,
        batch: int,
        routers: Sequence[int],
        automatic: bool,
        scheduled: str | None = None,
        sessions_by_router: Mapping[Any, Sequence[int]] | None = None,
        mode: str | None = None,
        reason: str = "",
        **kwargs: Any,
    ) -> None:
        user = self.current_user()
        found = DeploymentBatch.objects.filter(pk=batch).first()
        if user is None or found is None:
            self.fail(_("The user who asked for this, or the batch, is gone."))
        self.keep(batch=batch)
        visible = PeeringRouter.objects.restrict(user, "view").with_access().in_bulk(routers)
        chosen = [visible.get(pk) or _unseen(pk) for pk in routers]
        done = deploy_many(
            chosen,
            user,
            automatic=automatic,
            scheduled=datetime.fromisoformat(scheduled) if scheduled else None,
            sessions_by_router=_by_number(sessions_by_router),
            batch=found,
            mode=mode,
            reason=reason,
            start=lambda deployment: self._start(deployment, user),
            report=self.report,
        )
        self.logger.info(
            _("{batch}: {count} deployments were made").format(batch=done, count=done.deployments.count())
        )

    @classmethod
    def underway(cls, batch: DeploymentBatch) -> Job | None:
        """
        Return the job that waits or asks for the batch's deployments at this moment. One whose worker was killed is
        ended.
        """
        jobs = queued.alive(Job.objects.filter(name=cls.name, data__batch=batch.pk))
        return jobs[0] if jobs else None

    @staticmethod
    def _start(deployment: Any, user: Any) -> Job:
        return DeploymentJob.start(deployment, user)


def _unseen(pk: int) -> PeeringRouter:
    """A router that is gone or hidden by now: asking for it is refused, with the words for that."""
    return PeeringRouter(pk=pk)


def _by_number(sessions_by_router: Mapping[Any, Sequence[int]] | None) -> dict[int, Sequence[int]] | None:
    return None if sessions_by_router is None else {int(pk): ids for pk, ids in sessions_by_router.items()}

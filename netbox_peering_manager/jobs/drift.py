"""Comparing routers with NetBox in the background: one job per router; and all of them at the settings' interval."""

from typing import Any

from django.utils.translation import gettext as _
from django_pg_utils import advisory_lock

from core.choices import JobNotificationChoices
from core.models import Job
from netbox.jobs import system_job

from ..exceptions import RouterBusy
from ..models import PeeringRouter
from ..services import queued
from ..services.deployment import drift
from ..settings import PLUGIN, get_setting
from .base import ROUTERS_QUEUE, PeeringJob, SystemJob, served

__all__ = ("CompareRoutersJob", "DriftJob")

# Connecting, loading, comparing, discarding, and waiting for another comparison.
STEPS = 6


class DriftJob(PeeringJob):
    """
    Compare one router's configuration with NetBox's, and change nothing. On the queue that deployments are on.

    That they differ is no failure of the job; that they could not be compared is.
    """

    class Meta:
        name = "Configuration Drift"

    @classmethod
    def start(cls, router: PeeringRouter, user: Any = None) -> Job:
        """
        Queue the comparison of a router, and return the job; the one that waits or runs already, if there is one.

        `user` None: at the interval.
        """
        # Two that ask at once must not both find nothing waiting.
        with advisory_lock(f"{PLUGIN}.start_comparisons"):
            return cls.underway(router) or cls._queued(router, user)

    @classmethod
    def underway(cls, router: PeeringRouter) -> Job | None:
        """Return the job that waits or compares the router at this moment. One whose worker was killed is ended."""
        jobs = queued.alive(Job.objects.filter(name=cls.name, data__router=router.pk))
        return jobs[0] if jobs else None

    @classmethod
    def _queued(cls, router: PeeringRouter, user: Any) -> Job:
        job: Job = cls.enqueue(
            user=user,
            queue_name=served(ROUTERS_QUEUE),
            job_timeout=STEPS * get_setting("device_timeout_s"),
            notifications=JobNotificationChoices.NOTIFICATION_NEVER,
            router=router.pk,
        )
        # Unless it has run by now.
        Job.objects.filter(pk=job.pk, data__isnull=True).update(data={"router": router.pk})
        return job

    def run(self, *, router: int, **kwargs: Any) -> None:
        found = self._visible().with_access().select_related("config_template").filter(pk=router).first()
        if found is None:
            self.fail(_("There is no such router, or you may not view it."))
        why, state = "", None
        try:
            state = drift.compare_router(found)
        except RouterBusy as error:
            why = str(error)
        if state is None:
            # Out here, so that nothing keeps the original error.
            self.fail(why)
        self.job.data = {"router": found.pk, "drift": state.drift}
        self.logger.info(f"{found}: {state.get_drift_display()}")
        if state.drift_failure:
            self.fail(state.drift_failure)

    def _visible(self) -> Any:
        if self.job.user_id is None:
            return PeeringRouter.objects.all()
        user = self.current_user()
        return PeeringRouter.objects.restrict(user, "view") if user else PeeringRouter.objects.none()


class CompareRoutersJob(SystemJob):
    """Have every router with push switched on compared, each by a job of its own."""

    class Meta:
        name = "Configuration Drift of All Routers"

    def run(self, *args: Any, **kwargs: Any) -> None:
        if self.job.interval and not get_setting("drift_interval"):
            # Planned before the setting became 0.
            self.job.interval = None
            self.logger.info(_("Nothing was done: drift_interval is 0."))
            return
        routers = drift.to_compare()
        for router in routers:
            DriftJob.start(router)
        self.logger.info(_("{count} routers are being compared").format(count=len(routers)))


# 0: no comparisons but those that somebody asks for.
if interval := get_setting("drift_interval"):
    system_job(interval)(CompareRoutersJob)

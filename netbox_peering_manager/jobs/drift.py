"""Comparing routers with NetBox in the background: one job per router; and all of them at the settings' interval."""

from typing import Any

from django.utils.translation import gettext as _

from core.choices import JobNotificationChoices, JobStatusChoices
from core.exceptions import JobFailed
from core.models import Job
from netbox.jobs import JobRunner, system_job
from users.models import User

from ..exceptions import RouterBusy
from ..models import PeeringRouter
from ..services.deployment import drift
from ..settings import get_setting
from .deployments import DeploymentJob

__all__ = ("CompareRoutersJob", "DriftJob")

# Connecting, loading, comparing, discarding, and waiting for another comparison.
STEPS = 6


class DriftJob(JobRunner):
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
        if (underway := cls.underway(router)) is not None:
            return underway
        job: Job = cls.enqueue(
            user=user,
            queue_name=DeploymentJob.queue(),
            job_timeout=STEPS * get_setting("device_timeout_s"),
            notifications=JobNotificationChoices.NOTIFICATION_NEVER,
            router=router.pk,
        )
        # Unless it has run by now.
        Job.objects.filter(pk=job.pk, data__isnull=True).update(data={"router": router.pk})
        return job

    @classmethod
    def underway(cls, router: PeeringRouter) -> Job | None:
        """Return the job that waits or compares the router at this moment."""
        waiting = Job.objects.filter(name=cls.name, status__in=JobStatusChoices.ENQUEUED_STATE_CHOICES)
        return waiting.filter(data__router=router.pk).order_by("pk").first()

    def run(self, *, router: int, **kwargs: Any) -> None:
        found = self._visible().with_access().select_related("config_template").filter(pk=router).first()
        if found is None:
            self._fail(_("There is no such router, or you may not view it."))
        try:
            state = drift.compare_router(found)
        except RouterBusy as error:
            self._fail(str(error))
        self.job.data = {"router": found.pk, "drift": state.drift}
        self.logger.info(f"{found}: {state.get_drift_display()}")
        if state.drift_failure:
            self._fail(state.drift_failure)

    def _visible(self) -> Any:
        if self.job.user_id is None:
            return PeeringRouter.objects.all()
        user = User.objects.filter(pk=self.job.user_id, is_active=True).first()
        # As now, not as when the job was queued.
        return PeeringRouter.objects.restrict(user, "view") if user else PeeringRouter.objects.none()

    def _fail(self, text: str) -> None:
        self.job.error = text
        self.logger.error(text)
        # Nothing keeps the original error, whose text may quote what the router said.
        raise JobFailed from None


class CompareRoutersJob(JobRunner):
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

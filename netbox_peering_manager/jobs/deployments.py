"""Deployments in the background: one job works at one deployment; a pass each minute finds what has to be worked at."""

from typing import Any

from core.choices import JobNotificationChoices
from core.models import Job
from netbox.jobs import system_job

from ..choices import DeploymentStatusChoices
from ..exceptions import PeeringError, RouterBusy
from ..models import Deployment
from ..services.deployment import forgetting, moves, pipeline, settle
from ..services.devices.typed import take
from ..settings import get_setting
from .base import ROUTERS_QUEUE, PeeringJob, SystemJob, served

__all__ = ("DeploymentJob", "DeploymentPassJob", "ForgetTextsJob")

# Connecting, loading, comparing twice, committing, rolling back, comparing again; each may take what a step may.
STEPS = 12


class DeploymentJob(PeeringJob):
    """
    Take a deployment as far as it may go: compare it, and commit it when it is to be committed now.

    It runs on the plugin's queue for routers when a worker takes jobs from there, else on NetBox's default queue. Its
    data hold no secret: what is sent is sealed on the deployment, and typed credentials wait in Redis under a token.
    """

    class Meta:
        name = "Deployment"

    @classmethod
    def queue(cls) -> str:
        """Return the queue that a job would wait in now."""
        return served(ROUTERS_QUEUE)

    @classmethod
    def start(cls, deployment: Deployment, user: Any, *, again: bool = False) -> Job:
        """
        Queue the work at a deployment that was asked for, approved or released. Returns the job. `again`: what became
        of it is to be found out, and nobody wants a notification each time that this fails.
        """
        seconds = STEPS * get_setting("device_timeout_s") + 3 * deployment.router.health_timeout
        return cls.enqueue(
            instance=deployment,
            user=user,
            queue_name=cls.queue(),
            job_timeout=seconds,
            notifications=JobNotificationChoices.NOTIFICATION_NEVER
            if again
            else JobNotificationChoices.NOTIFICATION_ON_FAILURE,
            deployment=deployment.pk,
            token=getattr(deployment, "typed_token", ""),
        )

    def run(self, *, deployment: int, token: str = "", **kwargs: Any) -> None:
        why = ""
        try:
            found = pipeline.run(deployment, _credentials(deployment, token))
        except RouterBusy as error:
            # It stays where it is, and the next pass tries again.
            moves.note(pipeline.fetch(deployment), str(error))
            self.logger.info(str(error))
        except PeeringError as error:
            why = str(error)
        else:
            self.logger.info(f"{found}: {found.get_status_display()}")
        if why:
            # Out here, so that nothing keeps the original error.
            self.fail(why)


def _credentials(pk: int, token: str) -> Any:
    return take(token, pipeline.fetch(pk)) if token else None


@system_job(1)
class DeploymentPassJob(SystemJob):
    """End what has expired, and start the work at what is due, waited for its router or was interrupted."""

    class Meta:
        name = "Deployments Due"

    @classmethod
    def enqueue(cls, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("notifications", JobNotificationChoices.NOTIFICATION_NEVER)
        return super().enqueue(*args, **kwargs)

    def run(self, *args: Any, **kwargs: Any) -> None:
        for deployment in settle.settle():
            DeploymentJob.start(
                deployment,
                deployment.released_by or deployment.requested_by,
                again=deployment.status in DeploymentStatusChoices.SENDING,
            )
        # One of each minute is kept for nobody.
        earlier = Job.objects.filter(name=self.name, object_id=None, completed__isnull=False, log_entries=[])
        earlier.exclude(pk=self.job.pk).exclude(error__gt="").delete()


@system_job(1440)
class ForgetTextsJob(SystemJob):
    """Empty the texts of deployments that ended long ago, by the settings."""

    class Meta:
        name = "Forget Texts of Deployments"

    def run(self, *args: Any, **kwargs: Any) -> None:
        count = forgetting.forget_texts()
        self.logger.info(f"Emptied the texts of {count} deployments.")

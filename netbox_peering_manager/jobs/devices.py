"""Tests of how routers are reached, in the background: workers may be where web servers are not."""

from typing import Any

from django.utils.translation import gettext as _

from core.choices import JobNotificationChoices
from core.models import Job

from ..exceptions import PeeringError
from ..models import PeeringRouter
from ..services.devices.probe import probe
from ..settings import get_setting
from .base import ROUTERS_QUEUE, PeeringJob, served

__all__ = ("ConnectionTestJob",)

# Connecting (once more to look at a host key that is refused), and what facts are made of.
STEPS = 6


class ConnectionTestJob(PeeringJob):
    """Log in on a router and ask who it is. Its data hold the answer as "connection", see Answer.as_data()."""

    class Meta:
        name = "Test Connection"

    @classmethod
    def start(cls, router: PeeringRouter, user: Any) -> Job:
        """Queue a test of `router`, on the plugin's queue for routers when a worker takes jobs from there."""
        return cls.enqueue(
            instance=router,
            user=user,
            queue_name=served(ROUTERS_QUEUE),
            job_timeout=STEPS * get_setting("device_timeout_s"),
            notifications=JobNotificationChoices.NOTIFICATION_NEVER,
        )

    def run(self, **kwargs: Any) -> None:
        user = self.current_user()
        routers = PeeringRouter.objects.restrict(user, "poll") if user else PeeringRouter.objects.none()
        router = routers.with_access().filter(pk=self.job.object_id).first()
        if router is None:
            self.fail(_("There is no such router any more, or its user may no longer poll it."))
        why = ""
        try:
            self.keep(connection=probe(router).as_data())
        except PeeringError as error:
            why = str(error)
        if why:
            # Out here, so that nothing keeps the original error.
            self.fail(why)

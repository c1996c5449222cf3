"""Tests of how routers are reached, in the background: workers may be where web servers are not."""

from typing import Any, NoReturn

from django.utils.translation import gettext as _

from core.choices import JobNotificationChoices
from core.exceptions import JobFailed
from core.models import Job
from netbox.constants import RQ_QUEUE_DEFAULT
from users.models import User
from utilities.rqworker import any_workers_for_queue

from ..exceptions import PeeringError
from ..models import PeeringRouter
from ..services.devices.probe import probe
from ..settings import PLUGIN, get_setting
from .base import PeeringJob

__all__ = ("ConnectionTestJob",)

QUEUE = f"{PLUGIN}.routers"
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
            queue_name=QUEUE if any_workers_for_queue(QUEUE) else RQ_QUEUE_DEFAULT,
            job_timeout=STEPS * get_setting("device_timeout_s"),
            notifications=JobNotificationChoices.NOTIFICATION_NEVER,
        )

    def run(self, **kwargs: Any) -> None:
        # As the user's rights are now, not as they were when the job was queued.
        user = User.objects.filter(pk=self.job.user_id, is_active=True).first()
        routers = PeeringRouter.objects.restrict(user, "poll") if user else PeeringRouter.objects.none()
        router = routers.with_access().filter(pk=self.job.object_id).first()
        if router is None:
            self._fail(_("There is no such router any more, or its user may no longer poll it."))
        why = ""
        try:
            self.keep(connection=probe(router).as_data())
        except PeeringError as error:
            why = str(error)
        if why:
            # Out here, so that nothing keeps the original error.
            self._fail(why)

    def _fail(self, text: str) -> NoReturn:
        self.job.error = text
        self.logger.error(text)
        raise JobFailed

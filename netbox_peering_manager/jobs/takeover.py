"""Importing the sessions that a router has: reading it, near the routers, and making them."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from core.choices import JobNotificationChoices
from core.models import Job
from netbox.constants import RQ_QUEUE_DEFAULT

from ..exceptions import PeeringError, TakeoverError
from ..models import PeeringRouter
from ..services.devices.session import session_with
from ..services.takeover import kept
from ..services.takeover.create import create_planned
from ..services.takeover.planned import Choices
from ..services.takeover.read import read
from ..settings import get_setting
from .base import ROUTERS_QUEUE, PeeringJob, served

__all__ = ("AT_ONCE", "ImportSessionsJob", "ReadSessionsJob", "reading_of")

# Connecting, and five things that are asked.
STEPS = 8
# So many sessions take about as long as a page may.
AT_ONCE = 50
# A session takes 10 ms. A slow machine, and other plugins that look at every row, may need a hundred times as long.
SECONDS_PER_SESSION = 1
SHORTEST_TIMEOUT_S = 600


class _RouterJob(PeeringJob):
    """What is done with one router, by a user who may import its sessions."""

    def _router(self) -> PeeringRouter:
        """The router and its user as they are by now."""
        user = self.current_user()
        routers = PeeringRouter.objects.none()
        if user is not None:
            self.job.user = user
            routers = PeeringRouter.objects.restrict(user, "import_sessions").restrict(user, "view")
        router = routers.with_access().filter(pk=self.job.object_id).first()
        if router is None:
            self.fail(_("There is no such router any more, or its user may no longer import its sessions."))
        return router


class ReadSessionsJob(_RouterJob):
    """
    Read what BGP neighbours a router has. What was read is kept encrypted in Redis, for an hour; the job's data hold
    how many there are, as {"read": {"neighbors": int, "at": str}}.
    """

    class Meta:
        name = "Read BGP Neighbours"

    @classmethod
    def queue(cls) -> str:
        """Return the queue that a job would wait in now: the plugin's own for routers when a worker serves it."""
        return served(ROUTERS_QUEUE)

    @classmethod
    def start(cls, router: PeeringRouter, user: Any) -> Job:
        """Queue the job."""
        return cls.enqueue(
            instance=router,
            user=user,
            queue_name=cls.queue(),
            job_timeout=STEPS * get_setting("device_timeout_s"),
            notifications=JobNotificationChoices.NOTIFICATION_NEVER,
        )

    def run(self, **kwargs: Any) -> None:
        router = self._router()
        why, found = "", None
        try:
            with session_with(router) as device:
                found = read(device)
            kept.keep(str(self.job.job_id), found)
        except PeeringError as error:
            why = str(error)
        if found is None or why:
            # Out here, so that nothing keeps the original error.
            self.fail(why)
        self.keep(read={"neighbors": len(found.neighbors), "at": timezone.now().isoformat()})


class ImportSessionsJob(_RouterJob):
    """
    Make and change the sessions of a plan that somebody has looked at.

    It is given which reading it is about, the choices, and what was looked at as digests (Plan.reviewed()): the plan
    is made anew, for what the user may see and do when the job runs. Its data hold the progress, and at the end the
    outcome as "imported", see planned.Outcome.as_data().
    """

    class Meta:
        name = "Import Sessions"

    @classmethod
    def start(
        cls,
        router: PeeringRouter,
        reading: Job,
        reviewed: Mapping[str, str],
        choices: Choices,
        user: Any,
        *,
        at_once: bool,
    ) -> Job:
        """Queue the job, or run it before returning. Whether it went well is in the job's status."""
        wanted: dict[str, Any] = {
            "instance": router,
            "user": user,
            "reading": str(reading.job_id),
            "reviewed": dict(reviewed),
            "choices": choices.as_data(),
        }
        if at_once:
            # Who waits for the page needs no notification.
            never = JobNotificationChoices.NOTIFICATION_NEVER
            return cls.enqueue(immediate=True, notifications=never, **wanted)
        seconds = max(SHORTEST_TIMEOUT_S, len(reviewed) * SECONDS_PER_SESSION)
        return cls.enqueue(queue_name=RQ_QUEUE_DEFAULT, job_timeout=seconds, **wanted)

    def run(
        self, *, reading: str, reviewed: Mapping[str, str], choices: Mapping[str, Any], **kwargs: Any
    ) -> None:
        router = self._router()
        why = ""
        try:
            found = kept.look(reading, router)
            with self.tracked():
                outcome = create_planned(
                    router,
                    found,
                    Choices.from_data(choices),
                    self.job.user,
                    reviewed=reviewed,
                    progress=self.report,
                )
        except PeeringError as error:
            why = str(error)
        if why:
            self.fail(why)
        self.logger.info(
            _("Made {made} sessions, changed {changed}, left out {left_out}").format(
                made=len(outcome.made), changed=len(outcome.changed), left_out=len(outcome.left_out)
            )
        )
        self.keep(imported=outcome.as_data())


def reading_of(router: PeeringRouter, user: Any, pk: int) -> Job:
    """Return the user's own reading of this router that went well. TakeoverError when there is none."""
    jobs = Job.objects.filter(
        name=ReadSessionsJob.name, user=user.pk, object_id=router.pk, status="completed"
    )
    found = jobs.filter(pk=pk).first()
    if found is None:
        raise TakeoverError(
            _("{router}: there is no reading {id} of yours. Read the router first.").format(
                router=router, id=pk
            )
        )
    return found

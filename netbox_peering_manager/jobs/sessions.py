"""Adding many peering sessions: in the background, or at once when they are few."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

from django.db import DatabaseError, InterfaceError
from django.utils.translation import gettext as _

from core.choices import JobNotificationChoices
from core.exceptions import JobFailed
from core.models import Job
from netbox.constants import RQ_QUEUE_DEFAULT
from users.models import User
from utilities.rqworker import any_workers_for_queue

from ..exceptions import ProvisioningError, SecretError
from ..services.deployment.together import configure_sessions
from ..services.lost_database import once_back, reason_of
from ..services.provisioning.create_bulk import create_planned
from ..services.provisioning.plan import plan_sessions
from ..services.provisioning.planned import Choices, Plan, Result, outcome
from .base import PeeringJob
from .deployments import DeploymentJob

__all__ = ("AT_ONCE", "AddSessionsJob", "has_worker")

# So many sessions take about as long as a page may.
AT_ONCE = 50
# A session takes 5 ms, and a port can have several. A slow machine, and other plugins that look at every row, may need
# a hundred times as long.
SECONDS_PER_PORT = 2
SHORTEST_TIMEOUT_S = 600


def has_worker() -> bool:
    """Whether somebody takes jobs from the queue that sessions are added in."""
    return any_workers_for_queue(RQ_QUEUE_DEFAULT)


class AddSessionsJob(PeeringJob):
    """
    Add the sessions of a plan that somebody has looked at.

    It is given who was to be added at which ports and the choices, not the plan: the plan is made anew, for what the
    user may see and do when the job runs. What differs from what was looked at is left out. Its data hold the
    progress, and at the end the outcome as "added", see services.provisioning.planned.outcome(). When the database ends
    the work, that is the outcome of the batches that were kept.

    A password among the choices is encrypted (Choices.password_token), here and in the job queue.
    """

    class Meta:
        name = "Add Peering Sessions"

    @classmethod
    def start(
        cls,
        ports: Sequence[int],
        reviewed: Sequence[Sequence[Any]],
        choices: Choices,
        user: Any,
        *,
        at_once: bool,
        configure: bool = False,
        scheduled: datetime | None = None,
    ) -> Job:
        """
        Queue the job for these ports, or run it before returning. `reviewed` is what was looked at: Plan.reviewed().
        `configure`: the routers are configured with what was made, at once or when it is `scheduled` for.
        Whether it went well is in the job's status.
        """
        wanted: dict[str, Any] = {"ports": list(ports), "reviewed": reviewed, "choices": choices.as_data()}
        if configure:
            wanted |= {"configure": True, "scheduled": scheduled and scheduled.isoformat()}
        if at_once:
            # Who waits for the page needs no notification.
            never = JobNotificationChoices.NOTIFICATION_NEVER
            return cls.enqueue(user=user, immediate=True, notifications=never, **wanted)
        # From every connection in both families; how many there are is seen when the job runs.
        seconds = max(SHORTEST_TIMEOUT_S, len(reviewed) * SECONDS_PER_PORT)
        return cls.enqueue(user=user, queue_name=RQ_QUEUE_DEFAULT, job_timeout=seconds, **wanted)

    def run(
        self,
        *,
        ports: Sequence[int],
        reviewed: Sequence[Sequence[Any]],
        choices: Mapping[str, Any],
        configure: bool = False,
        scheduled: str | None = None,
        **kwargs: Any,
    ) -> None:
        user = self.current_user()
        if user is None:
            # Without a user no permission would be asked for.
            self._fail(_("The user who asked for these sessions is gone or no longer active."))
        self.job.user = user
        plan, kept = None, Result()

        def told(done: int, total: int, text: str, batch: Result) -> None:
            nonlocal kept
            kept += batch
            self.report(done, total, text)

        try:
            with self.tracked():
                plan = plan_sessions(ports, Choices.from_data(choices), user, reviewed=reviewed)
                result = create_planned(plan, user, told)
        except (ProvisioningError, SecretError) as error:
            self._fail(str(error), error)
        except (DatabaseError, InterfaceError) as error:
            self._ended_by_database(plan, kept, error)
        self.logger.info(
            _("Made {made} sessions, left out {skipped}").format(
                made=len(result.made), skipped=len(plan.skipped) + len(result.skipped)
            )
        )
        self.keep(added=outcome(plan, result))
        if configure and result.made:
            when = datetime.fromisoformat(scheduled) if scheduled else None
            self._configure([made.session_id for made in result.made], user, when)

    def _configure(self, sessions: Sequence[int], user: User, scheduled: datetime | None = None) -> None:
        """Ask for the deployments, and start them. What is refused is told; the sessions are there all the same."""
        with self.tracked():
            asked = configure_sessions(sessions, user, automatic=scheduled is None, scheduled=scheduled)
        for deployment in asked.deployments:
            DeploymentJob.start(deployment, user)
        for refused in asked.refused:
            self.logger.warning(refused.reason)
        self.keep(
            deployments=[deployment.pk for deployment in asked.deployments],
            refused=[refused.reason for refused in asked.refused],
        )

    def _ended_by_database(self, plan: Plan | None, kept: Result, error: Exception) -> NoReturn:
        """Fail, and tell of the batches that were kept: a new connection is waited for as long as a restart takes."""
        if plan is not None:
            added = outcome(plan, kept)
            once_back(lambda: self.keep(added=added))
        self._fail(
            _(
                "The database ended the work: {reason}. Whole batches are kept; add the same peers again, and only "
                "what is missing is made."
            ).format(reason=reason_of(error)),
            error,
        )

    def _fail(self, text: str, cause: Exception | None = None) -> NoReturn:
        self.job.error = text
        self.logger.error(text)
        raise JobFailed from cause

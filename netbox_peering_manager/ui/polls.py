"""The buttons that ask routers for the states of sessions, and how far these polls are."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.middleware.csrf import get_token
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.choices import JobStatusChoices
from core.models import Job
from netbox.object_actions import ObjectAction
from utilities.rqworker import any_workers_for_queue

__all__ = ("POLL", "PollList", "PollRow", "PollSession", "PollSessions", "poll_rows", "queue_without_worker")

POLL = "netbox_peering_manager.poll_peeringrouter"


class PollSessions(ObjectAction):
    """The button that polls the routers of all sessions of an object. Which ones one may poll is seen when asked."""

    name = "poll"
    label = gettext_lazy("Update session states")
    url_kwargs = ["pk"]
    template_name = "netbox_peering_manager/inc/poll_button.html"

    @classmethod
    def render(cls, context: Any, obj: Any, **kwargs: Any) -> str:
        return super().render(context, obj, **kwargs) if context["request"].user.has_perm(POLL) else ""

    @classmethod
    def get_context(cls, context: Any, obj: Any) -> dict[str, Any]:
        return {"csrf_token": get_token(context["request"]), "query": ""}


class PollSession(PollSessions):
    """The same, on the page of one session."""

    label = gettext_lazy("Update session state")


class PollList(PollSessions):
    """The same, of a whole list: of the routers of the sessions that its filters leave."""

    name = "poll_all"
    url_kwargs = []

    @classmethod
    def get_context(cls, context: Any, obj: Any) -> dict[str, Any]:
        return {**super().get_context(context, obj), "query": context["request"].GET.urlencode()}


@dataclass(frozen=True, slots=True)
class PollRow:
    """How far the poll of one router is. `text` is what it found, or why it failed."""

    router: Any
    status: str
    color: str
    text: str
    is_finished: bool


def poll_rows(jobs: Iterable[Job]) -> list[PollRow]:
    """Return a row for each of these poll jobs; their routers are joined."""
    return [
        PollRow(
            job.object,
            str(job.get_status_display()),
            job.get_status_color(),
            _text(job),
            job.status in JobStatusChoices.TERMINAL_STATE_CHOICES,
        )
        for job in jobs
    ]


def _text(job: Job) -> str:
    if job.status == JobStatusChoices.STATUS_ERRORED:
        return _("It stopped at an unexpected error. The job's log has the details.")
    if job.status == JobStatusChoices.STATUS_FAILED:
        return str(job.error)
    found = (job.data or {}).get("poll") if isinstance(job.data, dict) else None
    if not found:
        return ""
    count = found.get("sessions", 0)
    return ngettext(
        "{count} session, {up} of it Established, {changed} changed",
        "{count} sessions, {up} of them Established, {changed} changed",
        count,
    ).format(count=count, up=found.get("established", 0), changed=found.get("changed", 0))


def queue_without_worker(jobs: Iterable[Job]) -> str:
    """Return the queue in which one of these jobs waits and from which no worker takes jobs, "" when there is none."""
    waiting = {job.queue_name for job in jobs if job.status == JobStatusChoices.STATUS_PENDING}
    lacking = (name for name in waiting if name not in settings.RQ_QUEUES or not any_workers_for_queue(name))
    return next(lacking, "")

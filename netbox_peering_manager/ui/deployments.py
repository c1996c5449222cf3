"""Area `deployments`: what a deployment's page shows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from netbox.ui import attrs, panels

from ..choices import DeploymentStatusChoices as Status
from ..models import Deployment, DeploymentSession, PeeringSession
from ..services.deployment.reading import Reading, commands_shown, why_hidden
from .diffs import drawn
from .jobs import JobProgress, job_progress, visible_jobs

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

__all__ = (
    "DeploymentPanel",
    "DiffPanel",
    "PeoplePanel",
    "ProgressPanel",
    "SessionsPanel",
    "StepsPanel",
    "TargetsPanel",
    "TextPanel",
    "Underway",
    "reading_of",
    "underway",
)

APP = "netbox_peering_manager"
TEMPLATES = f"{APP}/deployments"


def reading_of(context: Any) -> Reading:
    """Return what of the page's deployment may be shown; the panels share what it looks up."""
    deployment = context["object"]
    if not hasattr(deployment, "reading"):
        deployment.reading = Reading(context["request"].user, [deployment])
    reading: Reading = deployment.reading
    return reading


class ScopeAttr(attrs.TextAttr):
    """Whether a deployment is about the whole router."""

    def get_value(self, obj: Deployment) -> str:
        return _t("Some sessions") if obj.partial else _t("Whole router")


class DeploymentPanel(panels.ObjectAttributesPanel):
    status = attrs.ChoiceAttr("status", label=_("Status"))
    reason = attrs.TextAttr("reason", label=_("Reason"))
    router = attrs.RelatedObjectAttr("router", linkify=True, label=_("Router"))
    kind = attrs.ChoiceAttr("kind", label=_("Kind"))
    scope = ScopeAttr("partial", label=_("Scope"))
    mode = attrs.ChoiceAttr("mode", label=_("Mode"))
    automatic = attrs.BooleanAttr("automatic", label=_("Automatic"))
    batch = attrs.RelatedObjectAttr("batch", linkify=True, label=_("Batch"))
    description = attrs.TextAttr("description", label=_("Description"))


class PeoplePanel(panels.ObjectAttributesPanel):
    """Who and when."""

    title = _("Who and when")

    requested_by = attrs.RelatedObjectAttr("requested_by", label=_("Requested by"))
    own_credentials = attrs.BooleanAttr("own_credentials", display_false=False, label=_("Own credentials"))
    approved_by = attrs.RelatedObjectAttr("approved_by", label=_("Approved by"))
    approved = attrs.DateTimeAttr("approved", label=_("Approved"))
    released_by = attrs.RelatedObjectAttr("released_by", label=_("Released by"))
    scheduled = attrs.DateTimeAttr("scheduled", label=_("Scheduled for"))
    expires = attrs.DateTimeAttr("expires", label=_("Expires"))
    sent = attrs.DateTimeAttr("sent", label=_("Sent"))
    confirm_by = attrs.DateTimeAttr("confirm_by", label=_("Confirm by"))
    ended = attrs.DateTimeAttr("ended", label=_("Ended"))


class DiffPanel(panels.ObjectPanel):
    """What changes on the router: lines that come and lines that go, secrets masked."""

    template_name = f"{TEMPLATES}/diff.html"
    title = _("Changes on the router")

    def get_context(self, context: Any) -> dict:
        deployment = context["object"]
        is_read = reading_of(context).texts(deployment)
        return {
            **super().get_context(context),
            "diff": drawn(deployment.masked_diff if is_read else ""),
            "is_compared": deployment.status != Status.RENDERED,
            "why_hidden": "" if is_read else why_hidden(),
        }

    def should_render(self, context: Any) -> bool:
        # Nothing is known of one that failed before it was compared.
        deployment = context["object"]
        return bool(deployment.masked_diff) or not deployment.has_ended or deployment.status == Status.DONE


class TextPanel(panels.ObjectPanel):
    """What is sent, secrets masked. Folded: it is long, and the changes tell more."""

    template_name = f"{TEMPLATES}/text.html"
    title = _("Rendered text")

    def get_context(self, context: Any) -> dict:
        deployment = context["object"]
        text = deployment.masked_text if reading_of(context).texts(deployment) else ""
        text = text or commands_shown(deployment, context["request"].user)
        return {**super().get_context(context), "text": text, "lines": text.count("\n")}

    def should_render(self, context: Any) -> bool:
        return bool(context["text"])


class StepsPanel(panels.ObjectPanel):
    """Each move: who made it, when and why."""

    template_name = f"{TEMPLATES}/steps.html"
    title = _("History")

    def get_context(self, context: Any) -> dict:
        deployment = context["object"]
        steps = list(deployment.steps.order_by("-pk"))
        for step in steps:
            step.reason = reading_of(context).reason(deployment, step.reason)
        return {**super().get_context(context), "steps": steps}


@dataclass(frozen=True, slots=True)
class Target:
    """A session that a deployment is about. `url` is "" for one that is gone or that the user may not view."""

    neighbor: str
    vrf: str
    name: str
    url: str


class TargetsPanel(panels.ObjectPanel):
    """The sessions that a partial deployment is about."""

    template_name = f"{TEMPLATES}/targets.html"
    title = _("Sessions")

    def get_context(self, context: Any) -> dict:
        rows = reading_of(context).targets(context["object"])
        targets = list(_targets(rows, context["request"].user))
        return {**super().get_context(context), "targets": targets}

    def should_render(self, context: Any) -> bool:
        return bool(context["targets"])


def _targets(rows: Sequence[DeploymentSession], user: "AbstractBaseUser | AnonymousUser") -> Iterator[Target]:
    wanted = [row.session_id for row in rows if row.session_id]
    seen = PeeringSession.objects.restrict(user, "view").filter(pk__in=wanted).order_by()
    visible = set(seen.values_list("pk", flat=True)) if wanted else set()
    for row in rows:
        is_shown = row.session_id in visible
        url = reverse(f"plugins:{APP}:peeringsession", args=[row.session_id]) if is_shown else ""
        neighbor = f"{row.remote_ip}%{row.local_interface}" if row.local_interface else row.remote_ip
        yield Target(neighbor, row.vrf, row.name, url)


@dataclass(frozen=True, slots=True)
class Health:
    """How a session stood before and after; "" when that was not looked at."""

    neighbor: str
    vrf: str
    before: str
    after: str
    is_lost: bool


class SessionsPanel(panels.ObjectPanel):
    """The router's sessions before and after the commit: those that changed first."""

    template_name = f"{TEMPLATES}/sessions.html"
    title = _("Sessions before and after")

    def get_context(self, context: Any) -> dict:
        deployment = context["object"]
        reading = reading_of(context)
        rows = health_of(
            reading.neighbors(deployment, deployment.sessions_before),
            reading.neighbors(deployment, deployment.sessions_after),
        )
        return {**super().get_context(context), "rows": rows}

    def should_render(self, context: Any) -> bool:
        return bool(context["rows"])


def health_of(before: Any, after: Any) -> list[Health]:
    """Return what services.deployment.health kept of the router's sessions, side by side, changed ones first."""
    former, latter = _states(before), _states(after)
    rows = [
        Health(
            neighbor=key[1],
            vrf=key[0],
            before=former.get(key, ""),
            after=latter.get(key, ""),
            is_lost=former.get(key) == "established" and bool(latter) and latter.get(key) != "established",
        )
        for key in sorted({*former, *latter})
    ]
    return sorted(rows, key=lambda row: (not row.is_lost, row.before == row.after))


def _states(kept: Sequence[Mapping[str, Any]] | None) -> Mapping[tuple[str, str], str]:
    """What is kept of sessions, as (VRF, address) to state."""
    rows: Sequence[Mapping[str, Any]] = kept or ()
    return {
        (row["vrf"], f"{row['remote_ip']}%{row['interface']}" if row["interface"] else row["remote_ip"]): row[
            "bgp_state"
        ]
        for row in rows
    }


@dataclass(frozen=True, slots=True)
class Underway:
    """
    That something happens, or will by itself. `job` is None for who may not see it, or when there is none.

    `poll_url` answers with the same part of the page later, and has the page loaded again when it moved on.
    """

    text: str
    job: JobProgress | None
    poll_url: str


def underway(deployment: Deployment, user: "AbstractBaseUser | AnonymousUser") -> Underway | None:
    """Return what to show of a deployment that moves by itself, None when it rests."""
    # The newest alone: an earlier one has done its part.
    job = deployment.jobs.order_by("-pk").first()
    is_running = job is not None and job.status in ("pending", "running", "scheduled")
    if not is_running and deployment.status not in Status.SENDING:
        return None
    shown = visible_jobs(user).filter(pk=job.pk).first() if job is not None and is_running else None
    return Underway(
        text=_TEXTS.get(deployment.status, _("Waiting for its turn.")),
        job=job_progress(shown, user, reload=True) if shown is not None else None,
        poll_url=(
            f"{reverse(f'plugins:{APP}:deployment_progress', args=[deployment.pk])}?status={deployment.status}"
        ),
    )


_TEXTS: Mapping[str, Any] = {
    Status.RENDERED: _("Rendered; it is being compared with the router."),
    Status.COMMITTING: _("It is being sent to the router."),
    Status.CONFIRMING: _("Sent; the sessions are watched before it is confirmed."),
}


class ProgressPanel(panels.ObjectPanel):
    """How far it is, while something happens."""

    template_name = f"{TEMPLATES}/progress_panel.html"
    title = _("Progress")

    def get_context(self, context: Any) -> dict:
        prepared = super().get_context(context)
        return {**prepared, "underway": underway(prepared["object"], prepared["request"].user)}

    def should_render(self, context: Any) -> bool:
        return context["underway"] is not None

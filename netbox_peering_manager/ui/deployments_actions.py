"""Area `deployments`: what can be done with a deployment, on its page; each with why not when it cannot."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from netbox.object_actions import DeleteObject
from netbox.ui import panels

from ..choices import DeploymentStatusChoices as Status
from ..models import Deployment
from ..services.deployment import decisions, together

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

__all__ = ("ActionsPanel", "Choice", "DeleteEnded", "choices_of")

APP = "netbox_peering_manager"


@dataclass(frozen=True, slots=True)
class Choice:
    """A button. `why_not` is "" when it may be pressed; `is_link`: it opens a form instead of doing something."""

    name: str
    label: str | Promise
    icon: str
    style: str
    url: str
    why_not: str
    is_link: bool = False


LOOKS = {
    "approve": (_("Approve"), "mdi-check", "success"),
    "reject": (_("Reject"), "mdi-close", "danger"),
    "commit": (_("Commit now"), "mdi-upload", "primary"),
    "schedule": (_("Schedule…"), "mdi-clock-outline", "outline-primary"),
    "again": (_("Compare again"), "mdi-file-compare", "outline-secondary"),
    "cancel": (_("Cancel"), "mdi-cancel", "outline-danger"),
    "end": (_("End as failed"), "mdi-stop-circle-outline", "outline-danger"),
}


def choices_of(deployment: Deployment, user: "AbstractBaseUser | AnonymousUser") -> list[Choice]:
    """Return what the page offers: what makes sense in this state, greyed with the reason where it is not allowed."""
    return [
        Choice(name, *LOOKS[name], url=_url(deployment, name), why_not=why_not, is_link=name == "schedule")
        for name, why_not in _offered(deployment, user)
    ]


def _offered(deployment: Deployment, user: Any) -> Iterator[tuple[str, str]]:
    if deployment.status == Status.AWAITING_APPROVAL:
        yield "approve", decisions.why_not_approve(deployment, user)
        yield "reject", decisions.why_not_reject(deployment, user)
    if deployment.status in (Status.COMPARED, Status.APPROVED, Status.SCHEDULED):
        yield "commit", decisions.why_not_release(deployment, user)
    if deployment.status in (Status.COMPARED, Status.APPROVED):
        yield "schedule", decisions.why_not_schedule(deployment, user)
    if user.has_perm(f"{APP}.add_deployment") and deployment.status not in Status.SENDING:
        yield "again", together.why_not_again(deployment)
    if deployment.status in Status.SENDING and not decisions.why_not_end(deployment, user):
        yield "end", ""
    # Not greyed: whoever may not cancel it has other ways, or none.
    if not decisions.why_not_cancel(deployment, user):
        yield "cancel", ""


def _url(deployment: Deployment, name: str) -> str:
    return reverse(f"plugins:{APP}:deployment_{name}", args=[deployment.pk])


class DeleteEnded(DeleteObject):
    """NetBox's button, on deployments that have ended; others are cancelled."""

    @classmethod
    def render(cls, context: Any, obj: Deployment, **kwargs: Any) -> str:
        return super().render(context, obj, **kwargs) if obj.has_ended else ""


class ActionsPanel(panels.ObjectPanel):
    """The buttons, with one field for the reason; nothing for who can do nothing."""

    template_name = f"{APP}/deployments/actions.html"
    title = _("Decide")

    def get_context(self, context: Any) -> dict:
        prepared = super().get_context(context)
        choices = choices_of(prepared["object"], prepared["request"].user)
        return {
            **prepared,
            "choices": choices,
            "asks_why": any(not choice.why_not and choice.name != "again" for choice in choices),
            "reasons": list(dict.fromkeys(choice.why_not for choice in choices if choice.why_not)),
        }

    def should_render(self, context: Any) -> bool:
        return bool(context["choices"])

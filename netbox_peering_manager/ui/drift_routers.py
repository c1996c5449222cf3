"""Configuration drift: its buttons, and removed sessions that a router may still have."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from netbox.object_actions import ObjectAction
from netbox.ui import panels

from ..models import PeeringRouter, RemovedSession
from ..services.permissions import is_unconstrained

__all__ = ("CompareNow", "RemovedSessionsPanel", "removed_of")

APP = "netbox_peering_manager"
ADD, COMMIT = f"{APP}.add_deployment", f"{APP}.commit_deployment"


class CompareNow(ObjectAction):
    """Compare the selected routers with NetBox, and change nothing."""

    name = "bulk_compare_now"
    label = _("Compare now")
    multi = True
    template_name = f"{APP}/deployments/selected_button.html"

    @classmethod
    def render(cls, context: Any, obj: Any, **kwargs: Any) -> str:
        return super().render(context, obj, **kwargs) if context["request"].user.has_perm(ADD) else ""

    @classmethod
    def get_context(cls, context: Any, obj: Any) -> dict[str, Any]:
        return {"icon": "mdi-compare-horizontal"}


def removed_of(router: PeeringRouter, user: Any) -> list[RemovedSession]:
    """
    Return the deleted sessions that the router may still have; none for who may not view every session.

    A deleted session has nothing left that a constraint could be held against.
    """
    if not is_unconstrained(user, f"{APP}.view_peeringsession"):
        return []
    return list(RemovedSession.objects.still_removed().filter(device=router.device_id))


class RemovedSessionsPanel(panels.ObjectPanel):
    """Deleted sessions that are still to be taken off the router, with the button for it."""

    template_name = f"{APP}/deployments/removed_sessions.html"
    title = _("Removed Sessions Still on the Router")

    def get_context(self, context: Any) -> dict[str, Any]:
        router, user = context["object"], context["request"].user
        return {
            **super().get_context(context),
            "removed": removed_of(router, user),
            "may_remove": user.has_perms((ADD, COMMIT)),
        }

    def should_render(self, context: Any) -> bool:
        return bool(context["removed"])

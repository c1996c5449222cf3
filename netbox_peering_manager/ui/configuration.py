"""Whether a session is on its router: the panel of its page."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from netbox.ui import panels

from ..models import Deployment, PeeringSession
from ..tables.configuration import configuration_badge, configuration_of

__all__ = ("ConfigurationPanel",)


class ConfigurationPanel(panels.ObjectPanel):
    """The status with since when and why, and the deployment that it comes from, if the user may view that."""

    template_name = "netbox_peering_manager/sessions/configuration.html"
    title = _("Configuration on the Router")

    def get_context(self, context: dict[str, Any]) -> dict[str, Any]:
        row = configuration_of(context["object"])
        return {
            **super().get_context(context),
            "configuration": row,
            "badge": configuration_badge(row),
            "deployment": self.deployment(context["object"], context["request"].user),
        }

    @staticmethod
    def deployment(session: PeeringSession, user: Any) -> Deployment | None:
        """The deployment that the status comes from, None without one that `user` may view."""
        row = configuration_of(session)
        if row is None or row.deployment_id is None:
            return None
        visible = Deployment.objects.restrict(user, "view").with_router()
        return visible.without_texts().filter(pk=row.deployment_id).first()

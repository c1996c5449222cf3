"""Whether sessions are on their routers: the panel of a session, and how many of a router or fabric are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, QuerySet, Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from netbox.ui import panels

from ..choices import SessionConfigurationChoices
from ..models import Deployment, PeeringSession
from ..tables.configuration import configuration_badge, configuration_of

__all__ = ("ConfigurationCount", "ConfigurationCountsPanel", "ConfigurationPanel", "counts_of")


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


@dataclass(frozen=True, slots=True)
class ConfigurationCount:
    """How many sessions have a status; `url` lists them."""

    label: str
    color: str
    count: int
    url: str


def counts_of(sessions: QuerySet, query: dict[str, Any]) -> list[ConfigurationCount]:
    """
    Return how many of `sessions` have each status that any of them has. One query.

    `query` is what the list of sessions is filtered by to show the same sessions.
    """
    status = Coalesce("configuration__status", Value(SessionConfigurationChoices.NOT_CONFIGURED))
    counted = sessions.order_by().annotate(configured=status).values("configured").annotate(rows=Count("pk"))
    found = dict(counted.values_list("configured", "rows"))
    address = reverse("plugins:netbox_peering_manager:peeringsession_list")
    return [
        ConfigurationCount(
            str(label), color, found[value], f"{address}?{urlencode({**query, 'configuration': value})}"
        )
        for value, label, color in SessionConfigurationChoices.CHOICES
        if value in found
    ]


class ConfigurationCountsPanel(panels.ObjectPanel):
    """
    How many of an object's sessions are on their routers, of those that the user may see; not shown without any.

    `find` takes the object and returns its sessions, `filters` by what the list of sessions is filtered for it.
    """

    template_name = "netbox_peering_manager/sessions/configuration_counts.html"
    title = _("Sessions on Routers")

    def __init__(
        self,
        find: Callable[[Any], QuerySet],
        filters: Callable[[Any], dict[str, Any]],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.find, self.filters = find, filters

    def get_context(self, context: dict[str, Any]) -> dict[str, Any]:
        instance = context["object"]
        visible = self.find(instance).restrict(context["request"].user, "view")
        return {**super().get_context(context), "counts": counts_of(visible, self.filters(instance))}

    def should_render(self, context: dict[str, Any]) -> bool:
        return bool(context["counts"])

"""Which routers have another configuration than NetBox would give them."""

from functools import cached_property

import django_tables2 as tables
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from netbox.tables import NetBoxTable, columns

from ..choices import ConfigModeChoices, RouterDriftChoices
from ..models import PeeringRouter, RouterState
from ..services.deployment.reading import text_shown
from ..services.deployment.rights import may_read_routers
from .deployments import ChangesColumn

__all__ = ("RouterDriftTable", "drift_badge", "drift_text", "state_of_router", "unknown_url")


def state_of_router(router: PeeringRouter) -> RouterState | None:
    """Return what comparisons of the router found, None when there was none. A query unless `state` is joined."""
    state = getattr(router, "state", None)
    return state if state is not None and state.drift else None


def drift_text(router: PeeringRouter) -> str:
    """
    Return in words whether the router differs. One that is merged into may have more than NetBox: comparing it tells
    only that nothing would be added.
    """
    state = state_of_router(router)
    if state is None:
        return _t("Never compared")
    if state.drift == RouterDriftChoices.SAME and router.config_mode == ConfigModeChoices.MERGE:
        return _t("Has all that NetBox has")
    return str(state.get_drift_display())


def drift_badge(router: PeeringRouter) -> SafeString:
    """Return a badge that says whether the router differs."""
    state = state_of_router(router)
    color = state.get_drift_color() if state else "secondary"
    return format_html('<span class="badge text-bg-{}">{}</span>', color, drift_text(router))


def unknown_url(router: PeeringRouter) -> str:
    """Return where the neighbours of the router are listed that NetBox does not know."""
    return f"{reverse('plugins:netbox_peering_manager:unknownneighbor_list')}?router_id={router.pk}"


class RouterDriftTable(NetBoxTable):
    """Give it routers with `state` and the device joined, and `unknown_count` annotated."""

    actions = None
    device = tables.Column(
        verbose_name=_("Router"),
        linkify=lambda record: reverse(
            "plugins:netbox_peering_manager:peeringrouter_drift", args=[record.pk]
        ),
    )
    drift = tables.Column(accessor="pk", order_by="state__drift", verbose_name=_("Configuration"))
    since = columns.DateTimeColumn(
        accessor="state__drift_since", timespec="minutes", verbose_name=_("Differs since")
    )
    changes = ChangesColumn(accessor="state__masked_diff", verbose_name=_("Changes"))
    compared = columns.DateTimeColumn(
        accessor="state__compared", timespec="minutes", verbose_name=_("Compared")
    )
    unknown_count = tables.Column(
        verbose_name=_("Unknown neighbors"),
        linkify=lambda record: unknown_url(record) if record.unknown_count else None,
    )
    failure = tables.Column(
        accessor="state__drift_failure", orderable=False, verbose_name=_("Why not compared")
    )
    site = tables.Column(accessor="device__site", verbose_name=_("Site"), linkify=True)
    config_template = tables.Column(verbose_name=_("Config template"), linkify=True)

    class Meta(NetBoxTable.Meta):
        model = PeeringRouter
        fields = (
            "pk",
            "id",
            "device",
            "drift",
            "since",
            "changes",
            "compared",
            "unknown_count",
            "failure",
            "site",
            "config_template",
        )
        default_columns = (
            "pk",
            "device",
            "drift",
            "since",
            "changes",
            "compared",
            "unknown_count",
            "failure",
        )

    def render_drift(self, record: PeeringRouter) -> SafeString:
        return drift_badge(record)

    def value_drift(self, record: PeeringRouter) -> str:
        return drift_text(record)

    def configure(self, request: HttpRequest) -> None:
        self.user = request.user
        super().configure(request)

    def render_failure(self, value: str, record: PeeringRouter) -> str:
        return text_shown(value, record.device_id in self._read)

    def value_failure(self, value: str, record: PeeringRouter) -> str:
        return self.render_failure(value, record)

    @cached_property
    def _read(self) -> set[int]:
        """The devices of which the user may view all sessions; none without a user. Two queries at most."""
        rows = self.data.data
        if (user := getattr(self, "user", None)) is None:
            return set()
        return may_read_routers(user, set(rows.order_by().values_list("device", flat=True)))

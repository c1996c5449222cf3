"""Which routers have another configuration than NetBox would give them."""

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from netbox.tables import NetBoxTable, columns

from ..models import PeeringRouter, RouterState
from ..ui.diffs import size_of

__all__ = ("RouterDriftTable", "drift_badge", "state_of_router")


def state_of_router(router: PeeringRouter) -> RouterState | None:
    """Return what comparisons of the router found, None when there was none. A query unless `state` is joined."""
    state = getattr(router, "state", None)
    return state if state is not None and state.drift else None


def drift_badge(state: RouterState | None) -> SafeString:
    """Return a badge that says whether the router differs."""
    if state is None:
        return format_html('<span class="badge text-bg-secondary">{}</span>', _t("Never compared"))
    return format_html(
        '<span class="badge text-bg-{}">{}</span>', state.get_drift_color(), state.get_drift_display()
    )


class RouterDriftTable(NetBoxTable):
    """Give it routers with `state` and the device joined."""

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
    changes = tables.Column(
        accessor="state__masked_diff", orderable=False, empty_values=(None, ""), verbose_name=_("Changes")
    )
    compared = columns.DateTimeColumn(
        accessor="state__compared", timespec="minutes", verbose_name=_("Compared")
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
            "failure",
            "site",
            "config_template",
        )
        default_columns = ("pk", "device", "drift", "since", "changes", "compared", "failure")

    def render_drift(self, record: PeeringRouter) -> SafeString:
        return drift_badge(state_of_router(record))

    def value_drift(self, record: PeeringRouter) -> str:
        state = state_of_router(record)
        return str(state.get_drift_display() if state else _t("Never compared"))

    def render_changes(self, value: str) -> SafeString:
        size = size_of(value)
        return format_html(
            '<span class="text-nowrap"><span class="text-success">+{}</span> '
            '<span class="text-danger">&minus;{}</span></span>',
            size.added,
            size.removed,
        )

    def value_changes(self, value: str) -> str:
        return str(size_of(value))

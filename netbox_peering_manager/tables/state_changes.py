"""Transitions of sessions from one state to another, as a table."""

import django_tables2 as tables
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django_tables2.data import TableQuerysetData

from netbox.tables import BaseTable, columns

from ..choices import BGPStateChoices
from ..models import SessionStateChange

__all__ = ("CountedData", "SessionStateChangeTable", "plain_badge")


class CountedData(TableQuerysetData):
    """Rows whose number is known already."""

    def __init__(self, queryset: QuerySet, count: int, **kwargs):
        super().__init__(queryset, **kwargs)
        self.count = count

    def __len__(self) -> int:
        return self.count


def plain_badge(value: str) -> str:
    """Return the badge of a state by its value, without anything else about it."""
    return format_html(
        '<span class="badge text-bg-{}">{}</span>',
        BGPStateChoices.colors.get(value) or "secondary",
        dict(BGPStateChoices)[value],
    )


class SessionStateChangeTable(BaseTable):
    """One session's transitions. Give it those of one session."""

    at = columns.DateTimeColumn(verbose_name=_("Time"), orderable=False)
    former_state = tables.Column(verbose_name=_("From"), orderable=False, empty_values=(None,))
    bgp_state = tables.Column(verbose_name=_("To"), orderable=False)
    reason = tables.Column(verbose_name=_("Reason"), orderable=False)

    class Meta(BaseTable.Meta):
        model = SessionStateChange
        fields = ("at", "former_state", "bgp_state", "reason")
        default_columns = fields
        empty_text = _("No transition was seen in this time.")

    def render_former_state(self, record: SessionStateChange) -> str:
        return plain_badge(record.former_state) if record.former_state else _t("First seen")

    def render_bgp_state(self, record: SessionStateChange) -> str:
        return plain_badge(record.bgp_state)

"""Area `peeringdb`: tables of syncs, refused rows and drift."""

import json
from collections.abc import Mapping

import django_tables2 as tables
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from netbox.tables import NetBoxTable, columns

from ..models import PeeringDBDrift, PeeringDBRefusedRow, PeeringDBSync
from ..services.peeringdb.drift_text import drift_text
from ..ui.drift import repairs_of

__all__ = ("PeeringDBDriftTable", "PeeringDBRefusedRowTable", "PeeringDBSyncTable", "total_of")

WORDS = ("created", "updated", "deleted", "refused")


def total_of(counts: Mapping[str, Mapping[str, int]], word: str) -> int:
    """Return how many rows of all types a sync has `word` ("created", "updated", ...)."""
    return sum(each.get(word, 0) for each in counts.values())


class TotalColumn(tables.Column):
    """How many rows of all types a sync created, updated, deleted or refused."""

    def __init__(self, word: str, **kwargs) -> None:
        super().__init__(accessor="counts", orderable=False, empty_values=(), **kwargs)
        self.word = word

    def render(self, value: Mapping) -> int:
        return total_of(value, self.word)

    def value(self, value: Mapping) -> int:
        return total_of(value, self.word)


class PeeringDBSyncTable(NetBoxTable):
    actions = None
    id = tables.Column(linkify=True, verbose_name=_("ID"))
    started = columns.DateTimeColumn(linkify=True, verbose_name=_("Started"))
    ended = columns.DateTimeColumn(verbose_name=_("Ended"))
    status = columns.ChoiceFieldColumn(verbose_name=_("Status"))
    mode = columns.ChoiceFieldColumn(verbose_name=_("Mode"))
    tags = columns.ArrayColumn(verbose_name=_("Types"), orderable=False)
    user = tables.Column(verbose_name=_("User"))
    holder = tables.Column(verbose_name=_("Held by"))
    message = tables.Column(verbose_name=_("Message"))
    created_rows = TotalColumn("created", verbose_name=_("Created"))
    updated_rows = TotalColumn("updated", verbose_name=_("Updated"))
    deleted_rows = TotalColumn("deleted", verbose_name=_("Deleted"))
    refused_rows = TotalColumn("refused", verbose_name=_("Refused"))

    class Meta(NetBoxTable.Meta):
        model = PeeringDBSync
        fields = (
            "pk",
            "id",
            "started",
            "ended",
            "status",
            "mode",
            "tags",
            "user",
            "holder",
            "created_rows",
            "updated_rows",
            "deleted_rows",
            "refused_rows",
            "message",
        )
        default_columns = (
            "started",
            "status",
            "mode",
            "user",
            "created_rows",
            "updated_rows",
            "deleted_rows",
            "refused_rows",
            "message",
        )


class PeeringDBRefusedRowTable(NetBoxTable):
    """Rows as PeeringDB sent them, but of contacts nothing that they hold."""

    actions = None
    id = None
    tag = tables.Column(verbose_name=_("Type"))
    peeringdb_id = tables.Column(verbose_name=_("PeeringDB ID"))
    reason = tables.Column(verbose_name=_("Reason"), attrs={"td": {"class": "text-break"}})
    row = tables.Column(verbose_name=_("Row"), orderable=False, empty_values=())
    seen = columns.DateTimeColumn(verbose_name=_("Seen"))

    class Meta(NetBoxTable.Meta):
        model = PeeringDBRefusedRow
        fields = ("pk", "tag", "peeringdb_id", "reason", "row", "seen")
        default_columns = ("tag", "peeringdb_id", "reason", "seen", "row")

    def render_row(self, record: PeeringDBRefusedRow) -> str:
        if record.tag == "poc":
            return _("Contacts are not shown here")
        return format_html(
            "<details><summary>{}</summary><pre class='mb-0 text-wrap text-break'>{}</pre></details>",
            _("Show"),
            json.dumps(record.row, indent=1, ensure_ascii=False),
        )

    def value_row(self, record: PeeringDBRefusedRow) -> str:
        return "" if record.tag == "poc" else json.dumps(record.row, ensure_ascii=False)


class PeeringDBDriftTable(NetBoxTable):
    """Needs a queryset with_objects(). Its rows cost no query of their own."""

    actions = None
    id = None
    kind = columns.ChoiceFieldColumn(verbose_name=_("Kind"))
    object_type = columns.ContentTypeColumn(verbose_name=_("Object type"))
    object = tables.Column(verbose_name=_("Object"), linkify=True, orderable=False)
    text = tables.Column(
        accessor="details",
        verbose_name=_("What differs"),
        orderable=False,
        empty_values=(),
        attrs={"td": {"style": "min-width: 14rem"}},
    )
    found = columns.DateTimeColumn(
        timespec="minutes", verbose_name=_("Found"), attrs={"td": {"style": "min-width: 6.5rem"}}
    )
    repairs = tables.Column(
        accessor="pk", verbose_name=_("Repair"), orderable=False, exclude_from_export=True
    )

    class Meta(NetBoxTable.Meta):
        model = PeeringDBDrift
        fields = ("pk", "kind", "object_type", "object", "text", "found", "repairs")
        default_columns = ("pk", "kind", "object", "text", "found", "repairs")

    def render_text(self, record: PeeringDBDrift) -> str:
        return drift_text(record.kind, record.details)

    value_text = render_text

    def render_repairs(self, record: PeeringDBDrift) -> str:
        request = getattr(self, "request", None)
        links = repairs_of(record, request.user if request else None)
        return render_to_string("netbox_peering_manager/peeringdb/repairs.html", {"links": links})

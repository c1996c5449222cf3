"""Many routers at once: the table of batches."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from netbox.tables import NetBoxTable, columns

from ..models import DeploymentBatch

__all__ = ("DeploymentBatchTable",)


class DeploymentBatchTable(NetBoxTable):
    """Give it with_counts(), and the user joined."""

    actions = None
    batch = tables.Column(accessor="pk", linkify=True, verbose_name=_("Batch"), order_by="pk")
    created = columns.DateTimeColumn(verbose_name=_("Asked for"), timespec="minutes")
    user = tables.Column(verbose_name=_("By"))
    router_count = tables.Column(
        accessor="asked", verbose_name=_("Routers"), orderable=False, empty_values=()
    )
    done_count = tables.Column(verbose_name=_("Done"))
    failed_count = tables.Column(verbose_name=_("Failed"))
    open_count = tables.Column(verbose_name=_("Under way"))
    max_failures = tables.Column(verbose_name=_("Stops after"))
    stopped = columns.DateTimeColumn(verbose_name=_("Stopped"), timespec="minutes")
    stopped_because = tables.Column(verbose_name=_("Why"))

    class Meta(NetBoxTable.Meta):
        model = DeploymentBatch
        fields = (
            "pk",
            "id",
            "batch",
            "created",
            "user",
            "router_count",
            "done_count",
            "failed_count",
            "open_count",
            "max_failures",
            "stopped",
            "stopped_because",
        )
        default_columns = (
            "batch",
            "created",
            "user",
            "router_count",
            "done_count",
            "failed_count",
            "open_count",
            "stopped",
            "stopped_because",
        )

    def render_failed_count(self, record: DeploymentBatch) -> int:
        """Routers that were refused have no deployment, and failed all the same."""
        return record.failed_count + record.refused_count

    def value_failed_count(self, record: DeploymentBatch) -> int:
        return self.render_failed_count(record)

    def render_batch(self, record: DeploymentBatch) -> str:
        return str(record)

    def value_batch(self, record: DeploymentBatch) -> str:
        return str(record)

    def render_router_count(self, record: DeploymentBatch) -> int:
        return max(len(record.asked), record.deployment_count)

    def value_router_count(self, record: DeploymentBatch) -> int:
        return self.render_router_count(record)

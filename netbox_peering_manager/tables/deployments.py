"""Area `deployments`: the table of deployments."""

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from netbox.tables import PrimaryModelTable, columns

from ..models import Deployment
from ..services.deployment.reading import text_shown
from ..ui.diffs import size_of

__all__ = ("DeploymentTable", "RouterDeploymentTable")


class ChangesColumn(tables.Column):
    """How many lines come and go on the router, as far as it was compared."""

    def __init__(self, accessor="masked_diff", **kwargs) -> None:
        super().__init__(accessor=accessor, orderable=False, **kwargs)

    def render(self, value: str) -> SafeString:
        size = size_of(value)
        return format_html(
            '<span class="text-nowrap"><span class="text-success">+{}</span> '
            '<span class="text-danger">&minus;{}</span></span>',
            size.added,
            size.removed,
        )

    def value(self, value: str) -> str:
        return str(size_of(value))


class DeploymentTable(PrimaryModelTable):
    """Give it with_people() and without_texts()."""

    name = tables.Column(accessor="pk", verbose_name=_("Deployment"), linkify=True, order_by="pk")
    router = tables.Column(verbose_name=_("Router"), linkify=True, order_by="router__device__name")
    site = tables.Column(accessor="router__device__site", verbose_name=_("Site"), linkify=True)
    kind = columns.ChoiceFieldColumn(verbose_name=_("Kind"))
    partial = tables.Column(verbose_name=_("Scope"))
    mode = columns.ChoiceFieldColumn(verbose_name=_("Mode"), color=None)
    status = columns.ChoiceFieldColumn(verbose_name=_("Status"))
    changes = ChangesColumn(verbose_name=_("Changes"))
    automatic = columns.BooleanColumn(verbose_name=_("Automatic"))
    own_credentials = columns.BooleanColumn(verbose_name=_("Own credentials"))
    requested_by = tables.Column(verbose_name=_("Requested by"))
    approved_by = tables.Column(verbose_name=_("Approved by"))
    released_by = tables.Column(verbose_name=_("Released by"))
    reason = tables.Column(verbose_name=_("Reason"))
    batch = tables.Column(verbose_name=_("Batch"), linkify=True)
    scheduled = columns.DateTimeColumn(verbose_name=_("Scheduled"), timespec="minutes")
    expires = columns.DateTimeColumn(verbose_name=_("Expires"), timespec="minutes")
    approved = columns.DateTimeColumn(verbose_name=_("Approved"), timespec="minutes")
    sent = columns.DateTimeColumn(verbose_name=_("Sent"), timespec="minutes")
    ended = columns.DateTimeColumn(verbose_name=_("Ended"), timespec="minutes")
    created = columns.DateTimeColumn(verbose_name=_("Created"), timespec="minutes")
    tags = columns.TagColumn(url_name="plugins:netbox_peering_manager:deployment_list")
    actions = columns.ActionsColumn(actions=("edit", "delete", "changelog"))

    class Meta(PrimaryModelTable.Meta):
        model = Deployment
        fields = (
            "pk",
            "id",
            "name",
            "router",
            "site",
            "kind",
            "partial",
            "mode",
            "status",
            "changes",
            "automatic",
            "own_credentials",
            "requested_by",
            "approved_by",
            "released_by",
            "reason",
            "batch",
            "scheduled",
            "expires",
            "approved",
            "sent",
            "ended",
            "description",
            "comments",
            "owner",
            "tags",
            "created",
            "last_updated",
            "actions",
        )
        default_columns = (
            "pk",
            "name",
            "router",
            "kind",
            "partial",
            "status",
            "changes",
            "requested_by",
            "approved_by",
            "scheduled",
            "created",
        )

    def render_name(self, record: Deployment) -> str:
        return str(record)

    def value_name(self, record: Deployment) -> str:
        return str(record)

    def render_reason(self, value: str, record: Deployment) -> str:
        # Annotated by the lists; where it is not, nobody knows who reads.
        return text_shown(value, getattr(record, "readable", False))

    def value_reason(self, value: str, record: Deployment) -> str:
        return self.render_reason(value, record)

    def render_partial(self, value: bool) -> str:
        return _t("Sessions") if value else _t("Whole router")

    def value_partial(self, value: bool) -> str:
        return self.render_partial(value)


class RouterDeploymentTable(DeploymentTable):
    """The deployments of one router or session, on its own page: which router need not be said in each row."""

    class Meta(DeploymentTable.Meta):
        exclude = ("router", "site")
        default_columns = tuple(
            name for name in DeploymentTable.Meta.default_columns if name not in ("router", "site")
        )

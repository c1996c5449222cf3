"""Area `routers`: neighbours that routers have and NetBox does not, as a table."""

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from netbox.tables import NetBoxTable, columns

from ..models import UnknownNeighbor

__all__ = ("UnknownNeighborTable",)

APP = "netbox_peering_manager"


class UnknownNeighborTable(NetBoxTable):
    """Needs a queryset with_router(). Its rows cost no query of their own."""

    actions = None
    id = None
    router = tables.Column(verbose_name=_("Router"), linkify=True)
    vrf = tables.Column(verbose_name=_("VRF"))
    remote_ip = tables.Column(verbose_name=_("Address"))
    remote_asn = tables.Column(verbose_name=_("AS number"))
    description = tables.Column(verbose_name=_("Description"), attrs={"td": {"class": "text-break"}})
    bgp_state = columns.ChoiceFieldColumn(verbose_name=_("State"))
    first_seen = columns.DateTimeColumn(timespec="minutes", verbose_name=_("Since"))
    last_seen = columns.DateTimeColumn(timespec="minutes", verbose_name=_("Last seen"))
    way_out = tables.Column(
        accessor="pk", verbose_name=_("Import"), orderable=False, exclude_from_export=True
    )

    class Meta(NetBoxTable.Meta):
        model = UnknownNeighbor
        fields = (
            "pk",
            "router",
            "vrf",
            "remote_ip",
            "remote_asn",
            "description",
            "bgp_state",
            "first_seen",
            "last_seen",
            "way_out",
        )
        default_columns = (
            "router",
            "vrf",
            "remote_ip",
            "remote_asn",
            "description",
            "bgp_state",
            "first_seen",
            "way_out",
        )

    def configure(self, request) -> None:
        self.may_import = request.user.has_perm(f"{APP}.import_sessions_peeringrouter")
        super().configure(request)

    def render_way_out(self, record: UnknownNeighbor) -> str:
        if not getattr(self, "may_import", False):
            return self.columns["way_out"].default
        return format_html(
            '<a href="{}" class="btn btn-sm btn-outline-primary">'
            '<i class="mdi mdi-import" aria-hidden="true"></i> {}</a>',
            reverse(f"plugins:{APP}:peeringrouter_import_sessions", args=[record.router_id]),
            _t("Import sessions"),
        )

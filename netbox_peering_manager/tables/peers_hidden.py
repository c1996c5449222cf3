"""Area `peers`: the table of hidden peers."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from netbox.tables import PrimaryModelTable, columns

from ..models import HiddenPeer

__all__ = ("HiddenPeerTable",)


class HiddenPeerTable(PrimaryModelTable):
    """Needs a queryset with_standing()."""

    asn = tables.Column(verbose_name=_("ASN"), linkify=True)
    network_name = tables.Column(verbose_name=_("Network"))
    fabric = tables.Column(verbose_name=_("Fabric"), linkify=True, default=_("Everywhere"))
    is_in_force = columns.BooleanColumn(verbose_name=_("Hidden today"), false_mark=None)
    until = columns.DateColumn(verbose_name=_("Until"))
    reason = tables.Column(verbose_name=_("Reason"))
    tags = columns.TagColumn(url_name="plugins:netbox_peering_manager:hiddenpeer_list")

    class Meta(PrimaryModelTable.Meta):
        model = HiddenPeer
        fields = (
            "pk", "id", "asn", "network_name", "fabric", "is_in_force", "until", "reason", "description",
            "owner", "owner_group", "comments", "tags", "created", "last_updated", "actions",
        )  # fmt: skip
        default_columns = (
            "pk", "asn", "network_name", "fabric", "is_in_force", "until", "reason",
        )  # fmt: skip

    def render_asn(self, value: int) -> str:
        return f"AS{value}"

    def value_asn(self, value: int) -> int:
        return value

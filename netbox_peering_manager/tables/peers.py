"""Area `peers`: the table of peer ASNs."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from ipam.models import ASN
from netbox.tables import PrimaryModelTable, columns
from tenancy.tables import ContactsColumnMixin

from ..choices import PeeringDBFieldChoices
from ..models import PeerASN

__all__ = ("PeerASNTable",)

FOLLOWED = dict(PeeringDBFieldChoices)


class PeerASNTable(ContactsColumnMixin, PrimaryModelTable):
    """Needs a queryset with_counts() for its column of sessions."""

    asn = tables.Column(verbose_name=_("ASN"), linkify=lambda record: record.get_absolute_url())
    name = tables.Column(verbose_name=_("Name"), linkify=True)
    affiliated = columns.BooleanColumn(verbose_name=_("Affiliated"), false_mark=None)
    irr_as_set = tables.Column(verbose_name=_("IRR AS-SET"))
    ipv4_max_prefixes = tables.Column(verbose_name=_("IPv4 max prefixes"))
    ipv6_max_prefixes = tables.Column(verbose_name=_("IPv6 max prefixes"))
    peeringdb_id = tables.Column(verbose_name=_("PeeringDB ID"))
    peeringdb_last_sync = columns.DateTimeColumn(verbose_name=_("Last PeeringDB sync"))
    follow_peeringdb = columns.ArrayColumn(
        func=lambda field: str(FOLLOWED.get(field, field)),
        verbose_name=_("Follows PeeringDB in"),
        orderable=False,
    )
    rir = tables.Column(accessor="asn__rir", verbose_name=_("RIR"), linkify=True)
    tenant = tables.Column(accessor="asn__tenant", verbose_name=_("Tenant"), linkify=True)
    session_count = columns.LinkedCountColumn(
        viewname="plugins:netbox_peering_manager:peeringsession_list",
        url_params={"remote_as_id": "asn_id"},
        verbose_name=_("Sessions"),
    )
    tags = columns.TagColumn(url_name="plugins:netbox_peering_manager:peerasn_list")

    class Meta(PrimaryModelTable.Meta):
        model = PeerASN
        fields = (
            "pk",
            "id",
            "asn",
            "name",
            "affiliated",
            "irr_as_set",
            "ipv4_max_prefixes",
            "ipv6_max_prefixes",
            "peeringdb_id",
            "peeringdb_last_sync",
            "follow_peeringdb",
            "rir",
            "tenant",
            "session_count",
            "contacts",
            "description",
            "comments",
            "tags",
            "created",
            "last_updated",
            "actions",
        )
        default_columns = (
            "pk",
            "asn",
            "name",
            "affiliated",
            "irr_as_set",
            "ipv4_max_prefixes",
            "ipv6_max_prefixes",
            "session_count",
            "description",
        )

    def render_asn(self, value: ASN) -> str:
        # Asplain (RFC 5396), as everywhere in peering; NetBox's own name of a large one adds asdot.
        return f"AS{value.asn}"

    def value_asn(self, value: ASN) -> int:
        return value.asn

    def _apply_prefetching(self, columns=None) -> None:
        super()._apply_prefetching(columns)
        # NetBox prefetches a row's contact assignments, but not the contact that its column shows of each.
        wanted = "contacts" in columns if columns is not None else self.columns["contacts"].visible
        if wanted and hasattr(self.data, "data"):
            self.data.data = self.data.data.prefetch_related("contacts__contact")

"""Area `fabrics`: lists of fabrics, networks and connections."""

from collections import defaultdict
from functools import cached_property

import django_tables2 as tables
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _

from netbox.tables import PrimaryModelTable, columns
from tenancy.tables import ContactsColumnMixin, TenancyColumnsMixin

from ..models import PeeringConnection, PeeringFabric, PeeringNetwork
from ..services.peeringdb.site import site_url
from ..services.provisioning.candidates import Coverage, coverage

__all__ = ("PeeringConnectionTable", "PeeringFabricTable", "PeeringNetworkTable")

COVERAGE_BAR = "netbox_peering_manager/fabrics/coverage_bar.html"
LIST = "plugins:netbox_peering_manager:{}_list"


def percentage(counts: Coverage) -> int | None:
    """Return how many in a hundred of those one could have sessions with are peers; None without anybody."""
    everybody = counts.current_peers + counts.potential_peers
    return round(100 * counts.current_peers / everybody) if everybody else None


class PeeringDBIXColumn(tables.Column):
    """The id of an exchange in PeeringDB, linked to its page there."""

    def render(self, value):
        return format_html('<a href="{}" target="_blank" rel="noopener">{}</a>', site_url("ix", value), value)

    def value(self, value):
        return value


class PrefixesColumn(tables.Column):
    """The prefixes of a fabric's networks of one family, each linked to its page."""

    def __init__(self, family: int, **kwargs):
        super().__init__(accessor="pk", orderable=False, empty_values=(), **kwargs)
        self.family = family

    def render(self, record, table):
        links = ((prefix.get_absolute_url(), prefix) for prefix in self._prefixes(record, table))
        return format_html_join(mark_safe("<br>"), '<a href="{}">{}</a>', links) or table.default

    def value(self, record, table):
        return ", ".join(str(prefix) for prefix in self._prefixes(record, table))

    def _prefixes(self, record, table):
        return table.facts.prefixes.get((record.pk, self.family), [])


class CoverageColumn(tables.Column):
    """One of the counts of a fabric's coverage; when there are any, with `tab` linked to that tab of its page."""

    def __init__(self, field: str, tab: str = "", **kwargs):
        super().__init__(accessor="pk", orderable=False, empty_values=(), **kwargs)
        self.field = field
        self.tab = tab

    def render(self, record, table):
        count = self.value(record, table)
        if count and self.tab:
            url = reverse(f"plugins:netbox_peering_manager:{self.tab}", args=[record.pk])
            return format_html('<a href="{}">{}</a>', url, count)
        return table.default if count is None else count

    def value(self, record, table):
        counts = table.facts.coverage.get(record.pk)
        return None if counts is None else getattr(counts, self.field)


class CoverageBarColumn(tables.Column):
    """How many in a hundred of those one could have sessions with on a fabric are peers, drawn."""

    def __init__(self, **kwargs):
        super().__init__(accessor="pk", orderable=False, empty_values=(), **kwargs)

    def render(self, record, table):
        return render_to_string(COVERAGE_BAR, {"value": self.value(record, table)})

    def value(self, record, table):
        counts = table.facts.coverage.get(record.pk)
        return None if counts is None else percentage(counts)


class FabricFacts:
    """What the rows of a table show beside what is theirs: looked up once for all of them, when the first shows it."""

    def __init__(self, user, records):
        self.user = user
        self.records = records

    @cached_property
    def ids(self) -> list[int]:
        return [record.pk for record in self.records()]

    @cached_property
    def coverage(self) -> dict[int, Coverage]:
        return coverage(self.ids, self.user) if self.user else {}

    @cached_property
    def prefixes(self) -> dict:
        """By fabric and family, in the order of the networks."""
        found = defaultdict(list)
        if self.user:
            networks = PeeringNetwork.objects.restrict(self.user, "view").filter(fabric__in=self.ids)
            for network in networks.select_related("ipv4_prefix", "ipv6_prefix").order_by("name", "pk"):
                for prefix in network.prefixes:
                    found[network.fabric_id, prefix.family].append(prefix)
        return found


class PeeringFabricTable(TenancyColumnsMixin, ContactsColumnMixin, PrimaryModelTable):
    name = tables.Column(verbose_name=_("Name"), linkify=True)
    type = columns.ChoiceFieldColumn(verbose_name=_("Type"))
    status = columns.ChoiceFieldColumn(verbose_name=_("Status"))
    site = tables.Column(verbose_name=_("Site"), linkify=True)
    peer_group = tables.Column(verbose_name=_("Peer group"), linkify=True)
    ipv4_prefix = PrefixesColumn(4, verbose_name=_("IPv4 prefix"))
    ipv6_prefix = PrefixesColumn(6, verbose_name=_("IPv6 prefix"))
    city = tables.Column(verbose_name=_("City"))
    current_peers = CoverageColumn("current_peers", verbose_name=_("Current peers"))
    potential_peers = CoverageColumn(
        "potential_peers", tab="peeringfabric_available_peers", verbose_name=_("Potential peers")
    )
    coverage = CoverageBarColumn(verbose_name=_("Coverage"))
    network_count = columns.LinkedCountColumn(
        viewname=LIST.format("peeringnetwork"), url_params={"fabric_id": "pk"}, verbose_name=_("Networks")
    )
    connection_count = columns.LinkedCountColumn(
        viewname=LIST.format("peeringconnection"),
        url_params={"fabric_id": "pk"},
        verbose_name=_("Connections"),
    )
    session_count = columns.LinkedCountColumn(
        viewname=LIST.format("peeringsession"), url_params={"fabric_id": "pk"}, verbose_name=_("Sessions")
    )
    peeringdb_id = PeeringDBIXColumn(verbose_name=_("PeeringDB"))
    tags = columns.TagColumn(url_name=LIST.format("peeringfabric"))

    class Meta(PrimaryModelTable.Meta):
        model = PeeringFabric
        fields = (
            "pk", "id", "name", "slug", "type", "status", "site", "city", "tenant", "tenant_group", "peer_group",
            "ipv4_prefix", "ipv6_prefix", "current_peers", "potential_peers", "coverage", "network_count",
            "connection_count", "session_count", "peeringdb_id", "description", "contacts", "owner", "owner_group",
            "comments", "tags", "created", "last_updated", "actions",
        )  # fmt: skip
        default_columns = (
            "pk", "name", "ipv4_prefix", "ipv6_prefix", "city", "current_peers", "potential_peers",
            "session_count", "coverage", "status",
        )  # fmt: skip

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.facts = FabricFacts(None, list)

    def configure(self, request):
        super().configure(request)
        self.facts = FabricFacts(request.user, lambda: [row.record for row in self.paginated_rows])

    def as_values(self, *args, **kwargs):
        # An export has all rows, not those of a page.
        self.facts = FabricFacts(self.facts.user, lambda: self.data)
        return super().as_values(*args, **kwargs)


class PeeringNetworkTable(PrimaryModelTable):
    name = tables.Column(verbose_name=_("Name"), linkify=True)
    fabric = tables.Column(verbose_name=_("Fabric"), linkify=True)
    status = columns.ChoiceFieldColumn(verbose_name=_("Status"))
    ipv4_prefix = tables.Column(verbose_name=_("IPv4 prefix"), linkify=True)
    ipv6_prefix = tables.Column(verbose_name=_("IPv6 prefix"), linkify=True)
    vlan = tables.Column(verbose_name=_("VLAN"), linkify=True)
    site = tables.Column(accessor="fabric__site", verbose_name=_("Site"), linkify=True)
    tenant = tables.Column(accessor="fabric__tenant", verbose_name=_("Tenant"), linkify=True)
    connection_count = columns.LinkedCountColumn(
        viewname=LIST.format("peeringconnection"),
        url_params={"peering_network_id": "pk"},
        verbose_name=_("Connections"),
    )
    session_count = columns.LinkedCountColumn(
        viewname=LIST.format("peeringsession"),
        url_params={"peering_network_id": "pk"},
        verbose_name=_("Sessions"),
    )
    tags = columns.TagColumn(url_name=LIST.format("peeringnetwork"))

    class Meta(PrimaryModelTable.Meta):
        model = PeeringNetwork
        fields = (
            "pk", "id", "name", "fabric", "status", "ipv4_prefix", "ipv6_prefix", "vlan", "mtu", "site",
            "tenant", "connection_count", "session_count", "peeringdb_id", "description", "owner",
            "owner_group", "comments", "tags", "created", "last_updated", "actions",
        )  # fmt: skip
        default_columns = (
            "pk", "name", "fabric", "status", "ipv4_prefix", "ipv6_prefix", "vlan", "connection_count",
            "session_count", "description",
        )  # fmt: skip


class PeeringConnectionTable(PrimaryModelTable):
    # A connection has no name of its own: where it is plugged in says which one it is.
    connection = tables.Column(
        accessor="port",
        verbose_name=_("Connection"),
        linkify=lambda record: record.get_absolute_url(),
        order_by=("interface__device__name", "interface___name", "pk"),
    )
    peering_network = tables.Column(verbose_name=_("Network"), linkify=True)
    fabric = tables.Column(accessor="peering_network__fabric", verbose_name=_("Fabric"), linkify=True)
    device = tables.Column(accessor="interface__device", verbose_name=_("Device"), linkify=True)
    interface = tables.Column(verbose_name=_("Interface"), linkify=True)
    site = tables.Column(accessor="interface__device__site", verbose_name=_("Site"), linkify=True)
    ipv4_address = tables.Column(verbose_name=_("IPv4 address"), linkify=True)
    ipv6_address = tables.Column(verbose_name=_("IPv6 address"), linkify=True)
    bgp_scope = tables.Column(verbose_name=_("BGP scope"), linkify=True)
    status = columns.ChoiceFieldColumn(verbose_name=_("Status"))
    ipv4_peer_group = tables.Column(verbose_name=_("IPv4 peer group"), linkify=True)
    ipv6_peer_group = tables.Column(verbose_name=_("IPv6 peer group"), linkify=True)
    tags = columns.TagColumn(url_name=LIST.format("peeringconnection"))

    class Meta(PrimaryModelTable.Meta):
        model = PeeringConnection
        fields = (
            "pk", "id", "connection", "peering_network", "fabric", "device", "interface", "site", "status",
            "ipv4_address", "ipv6_address", "bgp_scope", "ipv4_peer_group", "ipv6_peer_group", "peeringdb_id",
            "description", "owner", "owner_group", "comments", "tags", "created", "last_updated", "actions",
        )  # fmt: skip
        default_columns = (
            "pk", "connection", "peering_network", "status", "ipv4_address", "ipv6_address", "bgp_scope",
            "description",
        )  # fmt: skip

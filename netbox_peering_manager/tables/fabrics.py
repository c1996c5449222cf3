"""Area `fabrics`: lists of fabrics, networks and connections."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from netbox.tables import PrimaryModelTable, columns
from tenancy.tables import ContactsColumnMixin, TenancyColumnsMixin

from ..models import PeeringConnection, PeeringFabric, PeeringNetwork

__all__ = ("PeeringConnectionTable", "PeeringFabricTable", "PeeringNetworkTable")

LIST = "plugins:netbox_peering_manager:{}_list"
PEERINGDB_IX = (
    '{% if value %}<a href="https://www.peeringdb.com/ix/{{ value }}" target="_blank" rel="noopener">'
    "{{ value }}</a>{% endif %}"
)


class PeeringFabricTable(TenancyColumnsMixin, ContactsColumnMixin, PrimaryModelTable):
    name = tables.Column(verbose_name=_("Name"), linkify=True)
    type = columns.ChoiceFieldColumn(verbose_name=_("Type"))
    status = columns.ChoiceFieldColumn(verbose_name=_("Status"))
    site = tables.Column(verbose_name=_("Site"), linkify=True)
    peer_group = tables.Column(verbose_name=_("Peer group"), linkify=True)
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
    peeringdb_id = columns.TemplateColumn(template_code=PEERINGDB_IX, verbose_name=_("PeeringDB"))
    tags = columns.TagColumn(url_name=LIST.format("peeringfabric"))

    class Meta(PrimaryModelTable.Meta):
        model = PeeringFabric
        fields = (
            "pk", "id", "name", "slug", "type", "status", "site", "tenant", "tenant_group", "peer_group",
            "network_count", "connection_count", "session_count", "peeringdb_id", "description", "contacts",
            "owner", "owner_group", "comments", "tags", "created", "last_updated", "actions",
        )  # fmt: skip
        default_columns = (
            "pk", "name", "type", "status", "site", "network_count", "connection_count", "session_count",
            "peeringdb_id", "description",
        )  # fmt: skip


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

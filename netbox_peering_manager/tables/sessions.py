"""Area `sessions`: tables of relationship types and peering sessions."""

from functools import cached_property

import django_tables2 as tables
from django.db.models import F, Model, OuterRef, QuerySet, Subquery
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from ipam.models import ASN
from netbox.tables import OrganizationalModelTable, PrimaryModelTable, columns
from utilities.html import foreground_color

from ..models import PeeringConnection, PeeringSession, Relationship
from .configuration import CONFIGURATION_COLUMNS, ConfigurationColumnsMixin
from .states import STATE_COLUMNS, StateColumnsMixin

__all__ = ("DevicePeeringSessionTable", "PeeringSessionTable", "RelationshipTable")

STATUS_COLORS = {"active": "green", "planned": "cyan", "offline": "gray", "failed": "red"}


class RelationshipTable(OrganizationalModelTable):
    name = tables.Column(verbose_name=_("Name"), linkify=True)
    color = columns.ColorColumn(verbose_name=_("Color"))
    bgp_role = columns.ChoiceFieldColumn(verbose_name=_("BGP role"))
    routemap_in = tables.Column(verbose_name=_("Inbound route map"), linkify=True)
    routemap_out = tables.Column(verbose_name=_("Outbound route map"), linkify=True)
    remove_from_router = columns.BooleanColumn(verbose_name=_("Remove from router"))
    session_count = columns.LinkedCountColumn(
        viewname="plugins:netbox_peering_manager:peeringsession_list",
        url_params={"relationship_id": "pk"},
        verbose_name=_("Sessions"),
    )
    tags = columns.TagColumn(url_name="plugins:netbox_peering_manager:relationship_list")

    class Meta(OrganizationalModelTable.Meta):
        model = Relationship
        fields = (
            "pk",
            "id",
            "name",
            "slug",
            "color",
            "bgp_role",
            "routemap_in",
            "routemap_out",
            "remove_from_router",
            "session_count",
            "description",
            "comments",
            "owner_group",
            "owner",
            "tags",
            "created",
            "last_updated",
            "actions",
        )
        default_columns = (
            "pk",
            "name",
            "color",
            "bgp_role",
            "routemap_in",
            "routemap_out",
            "session_count",
            "description",
        )


class ConnectionColumn(tables.Column):
    """
    The connection that a session runs over.

    The connections of a page are read in one go, where the column is shown, and only those that the user may see.
    """

    def __init__(self, **kwargs):
        super().__init__(accessor="pk", **kwargs)

    def render(self, value, table):
        connection = table.connections.get(value)
        if connection is None:
            return self.default
        return link_to(connection, connection.interface)

    def value(self, value, table):
        connection = table.connections.get(value)
        return None if connection is None else f"{connection.interface.device} {connection.interface}"


def link_to(item: Model, words: object = None) -> SafeString:
    """Return a link to the page of an object, in its own words or in others."""
    return format_html('<a href="{}">{}</a>', item.get_absolute_url(), item if words is None else words)


class LinkColumn(tables.Column):
    """
    A link to an object, in its words or in those of its field `text`.

    In place of `linkify`, which looks each object up anew and takes three times as long: what a row of many links
    costs is what a page of sessions takes. The table keeps its `links`, as many rows have the same.
    """

    def __init__(self, text: str = "", **kwargs):
        super().__init__(**kwargs)
        self.text = text

    def render(self, value, table):
        key = (type(value), value.pk, self.text)
        if key not in table.links:
            table.links[key] = link_to(value, self.value(value))
        return table.links[key]

    def value(self, value):
        return str(getattr(value, self.text) if self.text else value)


class LabelColumn(columns.ColoredLabelColumn):
    """NetBox's label of a coloured object, without its template, which is parsed anew for each row."""

    def render(self, value, table):
        key = (type(value), value.pk, "color")
        if key not in table.links:
            table.links[key] = format_html(
                '<span class="badge" style="color: #{}; background-color: #{}">{}</span>',
                foreground_color(value.color),
                value.color,
                link_to(value),
            )
        return table.links[key]


class LockColumn(tables.Column):
    """A lock for what has a password. No template, which would be parsed anew for each row."""

    def render(self, value):
        if not value:
            return ""
        return format_html('<i class="mdi mdi-lock" title="{}"></i>', _t("Has a password"))

    def value(self, value):
        return value


class PeeringSessionTable(ConfigurationColumnsMixin, StateColumnsMixin, PrimaryModelTable):
    """Give it `with_bgp()` and `with_state()`; its queries do not grow with its rows."""

    name = tables.Column(
        accessor="pk",
        verbose_name=_("Name"),
        order_by=("bgp_peer__name", "bgp_peer__peer__address"),
    )
    bgp_peer = LinkColumn(verbose_name=_("BGP peer"))
    relationship = LabelColumn(verbose_name=_("Relationship"))
    remote_as = LinkColumn(verbose_name=_("Remote AS"))
    peer_name = LinkColumn(
        text="name", accessor="remote_as__peer_asn", verbose_name=_("Peer"), orderable=False
    )
    local_as = LinkColumn(verbose_name=_("Local AS"))
    address = LinkColumn(
        accessor="bgp_peer__peer",
        verbose_name=_("Peer address"),
        order_by="bgp_peer__peer__address",
    )
    source = LinkColumn(
        accessor="bgp_peer__source",
        verbose_name=_("Source address"),
        order_by="bgp_peer__source__address",
    )
    device = LinkColumn(verbose_name=_("Device"), order_by="bgp_peer__scope__router__device__name")
    vrf = LinkColumn(accessor="bgp_peer__scope__vrf", verbose_name=_("VRF"))
    peering_network = LinkColumn(text="name", verbose_name=_("Network"))
    fabric = LinkColumn(accessor="peering_network__fabric", verbose_name=_("Fabric"))
    connection = ConnectionColumn(verbose_name=_("Connection"))
    status = columns.ChoiceFieldColumn(
        accessor="bgp_peer__status",
        verbose_name=_("Status"),
        color=lambda record: STATUS_COLORS.get(record.bgp_peer.status),
    )
    enabled = columns.BooleanColumn(accessor="bgp_peer__enabled", verbose_name=_("Enabled"))
    peer_group = LinkColumn(accessor="bgp_peer__peer_group", verbose_name=_("Peer group"))
    is_route_server = columns.BooleanColumn(verbose_name=_("Route server"), false_mark=None)
    service_reference = tables.Column(verbose_name=_("Service reference"))
    ipv4_max_prefixes = tables.Column(verbose_name=_("IPv4 max prefixes"))
    ipv6_max_prefixes = tables.Column(verbose_name=_("IPv6 max prefixes"))
    has_password = LockColumn(verbose_name=_("Password"), orderable=False)
    password_changed = columns.DateTimeColumn(verbose_name=_("Password changed"))
    tags = columns.TagColumn(url_name="plugins:netbox_peering_manager:peeringsession_list")

    class Meta(PrimaryModelTable.Meta):
        model = PeeringSession
        fields = (
            "pk",
            "id",
            "name",
            "bgp_peer",
            "relationship",
            "remote_as",
            "peer_name",
            "local_as",
            "address",
            "source",
            "device",
            "vrf",
            "peering_network",
            "fabric",
            "connection",
            *CONFIGURATION_COLUMNS,
            *STATE_COLUMNS,
            "status",
            "enabled",
            "peer_group",
            "is_route_server",
            "service_reference",
            "ipv4_max_prefixes",
            "ipv6_max_prefixes",
            "has_password",
            "password_changed",
            "description",
            "comments",
            "owner_group",
            "owner",
            "tags",
            "created",
            "last_updated",
            "actions",
        )
        default_columns = (
            "pk",
            "name",
            "relationship",
            "remote_as",
            "peer_name",
            "address",
            "device",
            "fabric",
            "bgp_state",
            "status",
            "enabled",
            "configuration",
            "service_reference",
        )

    def render_name(self, record: PeeringSession) -> SafeString:
        return link_to(record)

    def value_name(self, record: PeeringSession) -> str:
        return str(record)

    def configure(self, request) -> None:
        self.user = request.user
        super().configure(request)

    @cached_property
    def links(self) -> dict[tuple[type, int, str], SafeString]:
        """The links on this page, by the object's model and id and the field that names it."""
        return {}

    @cached_property
    def connections(self) -> dict[int, PeeringConnection]:
        """The connections of the sessions on this page, by the id of the session."""
        # A page's rows are a slice of the queryset that is read once and kept, also by the rendering of the
        # rows.
        rows = self.page.object_list.data if hasattr(self, "page") else self.data
        sessions = PeeringSession.objects.filter(pk__in=[session.pk for session in rows]).order_by()
        ids = dict(sessions.with_connection().values_list("pk", "connection_id"))
        connections = PeeringConnection.objects.select_related("interface__device")
        if user := getattr(self, "user", None):
            connections = connections.restrict(user, "view")
        seen = connections.in_bulk(set(ids.values()) - {None})
        return {session: seen[connection] for session, connection in ids.items() if connection in seen}

    def order_connection(self, queryset: QuerySet, is_descending: bool) -> tuple[QuerySet, bool]:
        return _ordered(queryset.with_connection(), F("connection_id"), is_descending)

    def order_remote_as(self, queryset: QuerySet, is_descending: bool) -> tuple[QuerySet, bool]:
        return _by_number(queryset.with_remote_as(), "remote_as_id", is_descending)

    def order_local_as(self, queryset: QuerySet, is_descending: bool) -> tuple[QuerySet, bool]:
        return _by_number(queryset.with_local_as(), "local_as_id", is_descending)


class DevicePeeringSessionTable(PeeringSessionTable):
    """The sessions of one device, on its own page: which device need not be said in each row."""

    class Meta(PeeringSessionTable.Meta):
        exclude = ("device",)
        default_columns = tuple(name for name in PeeringSessionTable.Meta.default_columns if name != "device")


def _by_number(queryset: QuerySet, asn_id: str, is_descending: bool) -> tuple[QuerySet, bool]:
    """Order by the number of the AS whose id stands in an annotation."""
    number = Subquery(ASN.objects.filter(pk=OuterRef(asn_id)).order_by().values("asn"))
    return _ordered(queryset, number, is_descending)


def _ordered(queryset: QuerySet, by: F | Subquery, is_descending: bool) -> tuple[QuerySet, bool]:
    """Order by an expression, with what has none last."""
    return queryset.order_by(
        by.desc(nulls_last=True) if is_descending else by.asc(nulls_last=True), "pk"
    ), True

"""
Area `peers`: tables of ports and networks that we could peer with.

Their models are PeeringDB's mirror, which has no pages of its own: a row leads to the fabric and the peer ASN in
NetBox, and to PeeringDB. Cells are made in Python and not by templates, of which a page of 100 rows has thousands.
"""

from typing import Any

import django_tables2 as tables
from django.db.models import F, OrderBy, QuerySet, Value
from django.db.models.functions import NullIf
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django_tables2.columns import BoundColumn

from netbox.tables import NetBoxTable, columns
from utilities.templatetags.helpers import humanize_speed

from ..choices import PeeringDBPolicyChoices, PeeringDBTrafficChoices
from ..models import PeeringDBNet, PeeringDBNetIXLan
from ..services.peeringdb.site import site_url
from ..services.provisioning.ranking import rank

__all__ = (
    "AvailablePeerTable",
    "AvailableSessionTable",
    "PeerRankingTable",
)

APP = "netbox_peering_manager"
NOTHING = SafeString('<span class="text-muted">&mdash;</span>')


def url_of(model: str, pk: int) -> str:
    return reverse(f"plugins:{APP}:{model}", args=[pk])


def link(url: str, text: Any) -> SafeString:
    return format_html('<a href="{}">{}</a>', url, text)


def badge(text: Any, color: str) -> SafeString:
    return format_html('<span class="badge text-bg-{}">{}</span>', color, text)


def peeringdb_link(tag: str, pk: int) -> SafeString:
    return format_html(
        '<a href="{}" target="_blank" rel="noopener" class="text-secondary" title="PeeringDB" '
        'aria-label="PeeringDB"><i class="mdi mdi-open-in-new" aria-hidden="true"></i></a>',
        site_url(tag, pk),
    )


ADD_BUTTON = (
    '<button type="submit" form="add-one" name="{0}" value="{1}" class="btn btn-sm btn-primary" title="{2}" '
    'aria-label="{2}"><i class="mdi mdi-plus-thick" aria-hidden="true"></i></button> '
)
# Translated once for a table, and not for each row.
WORDS = {"add": _("Add"), "hide": _("Hide"), "why": _("Show why it is hidden")}
ICON_LINK = (
    '<a href="{0}" class="btn btn-sm btn-secondary" title="{2}" aria-label="{2}">'
    '<i class="mdi mdi-{1}" aria-hidden="true"></i></a>'
)


def sorted_by(*paths: str):
    """Return the method that sorts a column: values that are not there last, rows that are equal by their id."""

    return _ordered_by(*map(F, paths))


def sorted_by_text(path: str):
    """As sorted_by(), of a text: PeeringDB's are empty where nothing is said."""
    return _ordered_by(NullIf(F(path), Value("")))


def _ordered_by(*values: Any):
    def order(self: tables.Table, rows: QuerySet, is_descending: bool) -> tuple[QuerySet, bool]:
        terms = [OrderBy(value, descending=is_descending, nulls_last=True) for value in values]
        return rows.order_by(*terms, "pk"), True

    return order


def ranked_by(choices: Any, path: str):
    """Return the method that sorts a column by the place of its value among `choices`; those without one last."""

    def order(self: tables.Table, rows: QuerySet, is_descending: bool) -> tuple[QuerySet, bool]:
        place = OrderBy(rank(choices, path, nothing=None), descending=is_descending, nulls_last=True)
        return rows.order_by(place, "pk"), True

    return order


def as_it_is(self: tables.Table, value: Any) -> Any:
    """The method that exports a column whose cells have more than the value."""
    return value


class Number(tables.Column):
    """A number, aligned to the right; nothing for 0 unless `zero`."""

    attrs = {"th": {"class": "text-end"}, "td": {"class": "text-end"}}

    def __init__(self, *args: Any, zero: bool = True, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.zero = zero

    def render(self, value: int) -> Any:
        return value if value or self.zero else NOTHING

    def value(self, value: int) -> int:
        return value


class Flag(columns.BooleanColumn):
    """A check mark, or a dash: most of what PeeringDB says of a port is not worth a red cross."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, false_mark=None, **kwargs)


class Policy(tables.Column):
    colors = dict(PeeringDBPolicyChoices.colors)

    def render(self, value: str) -> SafeString:
        return badge(value, self.colors.get(value, "secondary"))

    def value(self, value: str) -> str:
        return value


MISSING = {
    "th": {"class": "text-end", "title": _("Connections of ours from which there is no session")},
    "td": {"class": "text-end"},
}


class Speed(tables.Column):
    """Mbit/s, in the largest unit that fits."""

    attrs = {"th": {"class": "text-end"}, "td": {"class": "text-end text-nowrap"}}

    def render(self, value: int) -> str:
        return humanize_speed(value * 1000)

    def value(self, value: int) -> int:
        return value


class Names(tables.Column):
    """A list of texts: the first few, and how many more there are."""

    attrs = {"td": {"style": "min-width: 12rem"}}
    shown = 3

    def render(self, value: list[str]) -> SafeString:
        first, more = ", ".join(value[: self.shown]), value[self.shown :]
        if not more:
            return format_html("{}", first) if first else NOTHING
        return format_html(
            '{} <span class="text-secondary" title="{}">+{}</span>', first, ", ".join(more), len(more)
        )

    def value(self, value: list[str]) -> str:
        return ", ".join(value)


class SteadyColumn(BoundColumn):
    """A table's column whose attributes do not depend on the row: worked out once, and not for each cell."""

    @cached_property
    def attrs(self) -> dict:
        return super().attrs


class Actions(columns.ActionsColumn):
    """The buttons of a row: its table's row_actions()."""

    def __init__(self) -> None:
        super().__init__(actions=(), orderable=False)

    def render(self, record: Any, table: Any, **kwargs: Any) -> SafeString:
        return table.row_actions(record)


def network_columns(net: str) -> type[tables.Table]:
    """Return a mixin of columns about the network at the path `net` of a row: "net" or "" for the row itself."""
    prefix = f"{net}__" if net else ""

    def column(kind: type, field: str, label: str, **kwargs: Any) -> tables.Column:
        return kind(accessor=f"{prefix}{field}", verbose_name=label, **kwargs)

    members: dict[str, Any] = {
        "asn": tables.Column(verbose_name=_("ASN"), attrs={"td": {"class": "text-nowrap"}}),
        "name": column(tables.Column, "name", _("Name"), attrs={"td": {"style": "min-width: 12rem"}}),
        "policy": column(Policy, "policy_general", _("Policy")),
        "traffic": column(
            tables.Column, "info_traffic", _("Traffic"), attrs={"td": {"class": "text-nowrap"}}
        ),
        "scope": column(tables.Column, "info_scope", _("Scope")),
        "ratio": column(tables.Column, "info_ratio", _("Ratio")),
        "types": column(Names, "info_types", _("Types")),
        "prefixes4": column(Number, "info_prefixes4", _("IPv4 prefixes")),
        "prefixes6": column(Number, "info_prefixes6", _("IPv6 prefixes")),
        "as_set": column(tables.Column, "irr_as_set", _("IRR AS-SET")),
        "never_via_route_servers": column(Flag, "info_never_via_route_servers", _("Never via route servers")),
        "common_exchanges": Number(verbose_name=_("Common exchanges")),
        "has_contact": Flag(verbose_name=_("Contact")),
        "peer_asn_id": Flag(verbose_name=_("Peer ASN"), empty_values=()),
        "order_asn": sorted_by("asn"),
        "order_policy": ranked_by(PeeringDBPolicyChoices, f"{prefix}policy_general"),
        "order_traffic": ranked_by(PeeringDBTrafficChoices, f"{prefix}info_traffic"),
        "order_common_exchanges": sorted_by("common_exchanges"),
        "order_has_contact": sorted_by("has_contact"),
        "order_peer_asn_id": sorted_by("peer_asn_id"),
    }
    for name, field in (
        ("types", "info_types"),
        ("prefixes4", "info_prefixes4"),
        ("prefixes6", "info_prefixes6"),
        ("never_via_route_servers", "info_never_via_route_servers"),
    ):
        members[f"order_{name}"] = sorted_by(f"{prefix}{field}")
    for name, field in (
        ("name", "name"),
        ("scope", "info_scope"),
        ("ratio", "info_ratio"),
        ("as_set", "irr_as_set"),
    ):
        members[f"order_{name}"] = sorted_by_text(f"{prefix}{field}")
    return type("NetworkColumns", (tables.Table,), members)


class CandidateTable(NetBoxTable):
    """Base of the lists from which peers are added and hidden."""

    id = tables.Column(verbose_name=_("PeeringDB ID"))
    actions = Actions()
    # What the user may do, and the form that hides a network; looked up once and not for each row.
    may_add = may_hide = False
    hide_url = ""

    order_id = sorted_by("pk")

    class Meta(NetBoxTable.Meta):
        pass

    def configure(self, request: Any) -> None:
        super().configure(request)
        for column in self.columns.iterall():
            column.__class__ = SteadyColumn
        self.words = {name: str(word) for name, word in WORDS.items()}
        self.may_add = request.user.has_perm(f"{APP}.add_peeringsession")
        self.may_hide = request.user.has_perm(f"{APP}.add_hiddenpeer")
        self.hide_url = reverse(
            f"plugins:{APP}:hiddenpeer_add", query={"return_url": request.get_full_path()}
        )

    def net_id_of(self, record: Any) -> int:
        raise NotImplementedError

    def flags_of(self, record: Any) -> list[SafeString]:
        return [badge(_("Hidden"), "secondary")] if record.is_hidden else []

    def chosen_by(self, record: Any) -> tuple[str, int]:
        """The name and value by which the row is chosen."""
        return "pk", record.pk

    def hidden_at(self, record: Any) -> str:
        """What the form that hides the row's network is filled with, as the end of its address."""
        return f"&asn={record.asn}"

    def row_actions(self, record: Any) -> SafeString:
        """Add and Hide, for who may; an entry that hides the row can be opened instead."""
        buttons = SafeString("")
        if self.may_add:
            # Of a form beside the table's own, so that rows that are ticked do not go with it.
            buttons += format_html(ADD_BUTTON, *self.chosen_by(record), self.words["add"])
        if record.hidden_id:
            url = url_of("hiddenpeer", record.hidden_id)
            buttons += format_html(ICON_LINK, url, "eye", self.words["why"])
        elif self.may_hide:
            url = self.hide_url + self.hidden_at(record)
            buttons += format_html(ICON_LINK, url, "eye-off-outline", self.words["hide"])
        return buttons

    def render_asn(self, value: int, record: Any) -> SafeString:
        text = f"AS{value}"
        shown = link(url_of("peerasn", record.peer_asn_id), text) if record.peer_asn_id else text
        return format_html_join(" ", "{}", ((part,) for part in (shown, *self.flags_of(record))))

    def render_name(self, value: str, record: Any) -> SafeString:
        return format_html("{}&nbsp;{}", value, peeringdb_link("net", self.net_id_of(record)))

    value_asn = value_name = as_it_is

    def render_peer_asn_id(self, value: int | None) -> SafeString:
        return self.columns["peer_asn_id"].column.render(bool(value))

    def value_peer_asn_id(self, value: int | None) -> str:
        return str(bool(value))


class PortTable(network_columns("net"), CandidateTable):
    """Of candidates.available_ports()."""

    ipv4 = tables.Column(accessor="ipaddr4", verbose_name=_("IPv4 address"))
    ipv6 = tables.Column(accessor="ipaddr6", verbose_name=_("IPv6 address"))
    speed = Speed(verbose_name=_("Speed"))
    on_route_server = Flag(accessor="is_rs_peer", verbose_name=_("On route server"))
    bfd = Flag(accessor="bfd_support", verbose_name=_("BFD"))
    operational = columns.BooleanColumn(verbose_name=_("Operational"))
    session_count = Number(verbose_name=_("Sessions with us"), zero=False)
    missing_v4 = Number(verbose_name=_("Missing IPv4"), zero=False, attrs=MISSING)
    missing_v6 = Number(verbose_name=_("Missing IPv6"), zero=False, attrs=MISSING)
    fabric_name = tables.Column(verbose_name=_("Fabric"))
    network_name = tables.Column(verbose_name=_("Network"))
    city = tables.Column(accessor="ix__city", verbose_name=_("City"))
    country = tables.Column(accessor="ix__country", verbose_name=_("Country"))

    order_ipv4 = sorted_by("ipaddr4")
    order_ipv6 = sorted_by("ipaddr6")
    order_speed = sorted_by("speed")
    order_on_route_server = sorted_by("is_rs_peer")
    order_bfd = sorted_by("bfd_support")
    order_operational = sorted_by("operational")
    order_session_count = sorted_by("session_count")
    order_missing_v4 = sorted_by("missing_v4")
    order_missing_v6 = sorted_by("missing_v6")
    order_fabric_name = sorted_by("fabric_name")
    order_network_name = sorted_by("network_name")
    order_city = sorted_by_text("ix__city")
    order_country = sorted_by_text("ix__country")

    def net_id_of(self, record: PeeringDBNetIXLan) -> int:
        return record.net_id

    def flags_of(self, record: PeeringDBNetIXLan) -> list[SafeString]:
        flags = super().flags_of(record)
        if record.is_route_server:
            flags.append(badge(_("Route server"), "yellow"))
        if record.is_own:
            flags.append(badge(_("Ours"), "blue"))
        return flags

    def hidden_at(self, record: PeeringDBNetIXLan) -> str:
        return f"{super().hidden_at(record)}&fabric={record.fabric_id}"

    def render_session_count(self, value: int, record: PeeringDBNetIXLan) -> SafeString:
        if not value:
            return NOTHING
        return link(reverse(f"plugins:{APP}:peeringsession_list", query={"remote_asn": record.asn}), value)

    def render_fabric_name(self, value: str, record: PeeringDBNetIXLan) -> SafeString:
        return link(url_of("peeringfabric", record.fabric_id), value)

    def render_network_name(self, value: str, record: PeeringDBNetIXLan) -> SafeString:
        return link(url_of("peeringnetwork", record.network_id), value)

    value_session_count = value_fabric_name = value_network_name = as_it_is


PORT_FIELDS = (
    "pk", "id", "asn", "name", "policy", "traffic", "scope", "ratio", "types", "prefixes4", "prefixes6",
    "as_set", "never_via_route_servers", "common_exchanges", "session_count", "peer_asn_id", "has_contact",
    "fabric_name", "network_name", "city", "country", "ipv4", "ipv6", "speed", "on_route_server", "bfd",
    "operational", "missing_v4", "missing_v6", "actions",
)  # fmt: skip


class AvailablePeerTable(PortTable):
    """On a fabric: the networks there."""

    class Meta(CandidateTable.Meta):
        model = PeeringDBNetIXLan
        fields = PORT_FIELDS
        default_columns = (
            "pk", "asn", "name", "policy", "common_exchanges", "missing_v4", "missing_v6", "prefixes4",
            "prefixes6", "traffic", "scope", "speed", "on_route_server",
        )  # fmt: skip
        empty_text = _("Nobody is left to peer with")


class AvailableSessionTable(PortTable):
    """On a peer ASN: its ports, wherever we meet it."""

    class Meta(CandidateTable.Meta):
        model = PeeringDBNetIXLan
        fields = PORT_FIELDS
        default_columns = (
            "pk", "fabric_name", "network_name", "city", "ipv4", "ipv6", "speed", "on_route_server", "bfd",
            "missing_v4", "missing_v6",
        )  # fmt: skip
        empty_text = _("No session is left to add")


class PeerRankingTable(network_columns(""), CandidateTable):
    """Of ranking.ranked_networks()."""

    # A network is chosen by its AS: its ports are looked up where the sessions are made.
    pk = columns.ToggleColumn(accessor="asn", visible=False)
    prefixes = Number(verbose_name=_("Prefixes"))
    ports = Number(verbose_name=_("Ports"))
    exchange_names = Names(verbose_name=_("Exchanges"))

    order_prefixes = sorted_by("prefixes")
    order_ports = sorted_by("ports")
    order_exchange_names = sorted_by("exchange_names")

    class Meta(CandidateTable.Meta):
        model = PeeringDBNet
        fields = (
            "pk", "id", "asn", "name", "policy", "traffic", "scope", "ratio", "types", "prefixes",
            "prefixes4", "prefixes6", "as_set", "never_via_route_servers", "common_exchanges",
            "exchange_names", "ports", "peer_asn_id", "has_contact", "actions",
        )  # fmt: skip
        default_columns = (
            "pk", "asn", "name", "common_exchanges", "prefixes", "traffic", "policy", "scope", "ratio",
            "exchange_names", "has_contact",
        )  # fmt: skip
        empty_text = _("Nobody is left to peer with")

    def net_id_of(self, record: PeeringDBNet) -> int:
        return record.pk

    def chosen_by(self, record: PeeringDBNet) -> tuple[str, int]:
        return "asn", record.asn

"""Area `peers`: tables of the exchanges and facilities where we meet a peer."""

from typing import Any

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from netbox.tables import NetBoxTable

from ..models import PeeringDBFac, PeeringDBIX
from .peers_candidates import (
    APP,
    NOTHING,
    Number,
    Speed,
    as_it_is,
    link,
    peeringdb_link,
    sorted_by,
    sorted_by_text,
    url_of,
)

__all__ = ("CommonExchangeTable", "CommonFacilityTable")


class PlaceTable(NetBoxTable):
    """
    Base of both: a place of PeeringDB, which has no page here. `url` is where its rows come from, for a page that shows
    it inside.
    """

    id = tables.Column(verbose_name=_("PeeringDB ID"))
    name = tables.Column(verbose_name=_("Name"))
    city = tables.Column(verbose_name=_("City"))
    country = tables.Column(verbose_name=_("Country"))
    pk, actions = None, None
    url = ""
    tag = ""

    order_id = sorted_by("pk")
    order_name = sorted_by("name")
    order_city = sorted_by_text("city")
    order_country = sorted_by_text("country")

    @property
    def htmx_url(self) -> str:
        return self.url

    def render_name(self, value: str, record: Any) -> SafeString:
        return format_html("{}&nbsp;{}", self.shown_name(value, record), peeringdb_link(self.tag, record.pk))

    value_name = as_it_is

    def shown_name(self, value: str, record: Any) -> Any:
        return value


class CommonExchangeTable(PlaceTable):
    """Of facilities.common_exchanges()."""

    tag = "ix"
    may_create = False

    fabric_name = tables.Column(verbose_name=_("Fabric"), empty_values=())
    connection_count = Number(verbose_name=_("Our connections"), zero=False)
    our_ports = Number(verbose_name=_("Our ports in PeeringDB"), zero=False)
    their_ports = Number(verbose_name=_("Their ports"))
    their_speed = Speed(verbose_name=_("Their speed"))
    session_count = Number(verbose_name=_("Sessions"), zero=False)
    available_ports = Number(verbose_name=_("Ports without session"), zero=False)

    order_fabric_name = sorted_by("fabric_name")
    order_connection_count = sorted_by("connection_count")
    order_our_ports = sorted_by("our_ports")
    order_their_ports = sorted_by("their_ports")
    order_their_speed = sorted_by("their_speed")
    order_session_count = sorted_by("session_count")
    order_available_ports = sorted_by("available_ports")

    class Meta(NetBoxTable.Meta):
        model = PeeringDBIX
        fields = (
            "id", "name", "fabric_name", "city", "country", "connection_count", "our_ports", "their_ports",
            "their_speed", "session_count", "available_ports",
        )  # fmt: skip
        default_columns = (
            "name", "fabric_name", "city", "connection_count", "our_ports", "their_ports", "their_speed",
            "session_count", "available_ports",
        )  # fmt: skip
        empty_text = _("No exchange where both are")

    def configure(self, request: Any) -> None:
        super().configure(request)
        self.may_create = request.user.has_perm(f"{APP}.add_peeringfabric")

    def render_fabric_name(self, value: str | None, record: PeeringDBIX) -> SafeString:
        """The fabric, or the form that makes it of an exchange that NetBox has not."""
        if value:
            return link(url_of("peeringfabric", record.fabric_id), value)
        if not self.may_create:
            return NOTHING
        url = reverse(f"plugins:{APP}:peeringfabric_add_from_peeringdb", query={"exchange": record.pk})
        return link(url, _("Create fabric"))

    def value_fabric_name(self, value: str | None) -> str:
        return value or ""


class CommonFacilityTable(PlaceTable):
    """Of facilities.common_facilities()."""

    tag = "fac"

    address = tables.Column(accessor="address1", verbose_name=_("Address"))
    zipcode = tables.Column(verbose_name=_("Postal code"))
    our_asns = tables.Column(verbose_name=_("Ours there"))

    order_address = sorted_by("address1")
    order_zipcode = sorted_by("zipcode")
    order_our_asns = sorted_by("our_asns")

    class Meta(NetBoxTable.Meta):
        model = PeeringDBFac
        fields = ("id", "name", "address", "zipcode", "city", "country", "our_asns")
        default_columns = ("name", "address", "city", "country", "our_asns")
        empty_text = _("No facility where both are")

    def render_our_asns(self, value: list[int]) -> Any:
        return ", ".join(f"AS{asn}" for asn in value) or NOTHING

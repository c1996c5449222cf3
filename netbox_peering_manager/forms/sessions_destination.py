"""
Area `sessions`: the far end of a session in a form, looked up in PeeringDB or among the peers that we know, or typed.

A look-up fills the form's other fields: choosing something in one of LOOK_UPS sends the form, and the view answers with
the form anew, begun with what `filled()` gives.
"""

from typing import TYPE_CHECKING, Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from utilities.forms.fields import DynamicModelChoiceField
from utilities.forms.rendering import FieldSet, TabbedGroups
from utilities.forms.widgets import APISelect, HTMXSelect
from utilities.querydict import normalize_querydict

from ..models import PeerASN, PeeringDBNetIXLan
from ..models.peers import validate_as_set
from ..services.provisioning.lookup import (
    Destination,
    addresses_of,
    destination_of,
    known_network,
    label_of,
    limits_of,
)

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

# Sent by POST, unlike in NetBox's own forms: what is in the address of a request is kept in logs, and a password may be
# among the fields.
SENDS_FORM = {"hx-post": ".", "hx-include": "#form_fields", "hx-target": "#form_fields"}
LOOK_UPS = ("netixlan", "peer_asn", "peer_address")
ID_DIGITS = 18


class PortField(DynamicModelChoiceField):
    """A port in PeeringDB's mirror, found by AS, name or address as one types."""

    widget = APISelect

    def label_from_instance(self, port: PeeringDBNetIXLan) -> str:
        return label_of(port)


class DestinationFields(forms.Form):
    """The look-ups, and what they fill: AS number, name and AS-SET of the network. Addresses are the form's own."""

    netixlan = PortField(
        queryset=PeeringDBNetIXLan.objects.select_related("net", "ix"),
        required=False,
        query_params={"fabric_id": "$fabric"},
        widget=APISelect(attrs=SENDS_FORM),
        label=_("Port in PeeringDB"),
        help_text=_(
            "By AS number, name or address, on the fabric below if one is chosen. Fills in what follows."
        ),
    )
    peer_asn = DynamicModelChoiceField(
        queryset=PeerASN.objects.select_related("asn"),
        required=False,
        widget=APISelect(attrs=SENDS_FORM),
        label=_("Peer ASN"),
        help_text=_("A network that NetBox knows already. Fills in what follows."),
    )
    peer_address = forms.ChoiceField(
        required=False,
        widget=HTMXSelect(method="post"),
        label=_("Its address"),
        help_text=_("Those that PeeringDB or NetBox know of it"),
    )
    remote_asn = forms.IntegerField(
        min_value=1,
        max_value=2**32 - 1,
        label=_("Remote AS number"),
        help_text=_("As a plain number. The AS is made in NetBox when it is missing."),
    )
    peer_name = forms.CharField(
        required=False,
        max_length=255,
        label=_("Name of the network"),
        help_text=_("For a peer ASN that has to be made. Left empty: as in PeeringDB"),
    )
    irr_as_set = forms.CharField(
        required=False,
        max_length=255,
        validators=[validate_as_set],
        label=_("IRR AS-SET"),
        help_text=_("For a peer ASN that has to be made. Left empty: as in PeeringDB"),
    )

    look_ups = TabbedGroups(
        FieldSet("netixlan", name=_("In PeeringDB")),
        FieldSet("peer_asn", "peer_address", name=_("Local peer")),
    )

    def offer_addresses(self, user: "AbstractBaseUser") -> None:
        """Let the address be chosen among those that the chosen peer ASN is known to have."""
        field = self.fields["peer_address"]
        chosen = _id_of(self["peer_asn"].value())
        peers = PeerASN.objects.restrict(user, "view").select_related("asn")
        peer_asn = peers.filter(pk=chosen).first() if chosen else None
        if peer_asn is None:
            field.disabled = True
            field.choices = [("", _("Choose a peer ASN first"))]
            return
        known = [
            (f"port:{address.port}:{address.host}" if address.port else f"ip::{address.host}", _told(address))
            for address in addresses_of(peer_asn, user)
        ]
        field.choices = [("", "---------" if known else _("None is known: type it below")), *known]

    def show_limits(self, user: "AbstractBaseUser") -> None:
        """Show in the fields of the limits what holds when they are left empty, as far as the user may view it."""
        asn = str(self["remote_asn"].value() or "")
        if asn.isascii() and asn.isdecimal() and len(asn) < 11:
            for family, limit in limits_of(int(asn), user).items():
                self.fields[f"ipv{family}_max_prefixes"].widget.attrs["placeholder"] = limit


def typed(data: QueryDict, fields: dict[str, forms.Field]) -> dict[str, Any]:
    """Return what somebody has entered so far, for a form to begin with again; without passwords."""
    entered = normalize_querydict(data)
    for name, field in fields.items():
        # A box that is not ticked is sent as nothing, or not at all.
        if isinstance(field, forms.BooleanField):
            entered[name] = bool(data.get(name))
        elif isinstance(field.widget, forms.PasswordInput):
            entered.pop(name, None)
    return entered


def filled(look_up: str, value: str, user: "AbstractBaseUser") -> dict[str, Any]:
    """
    Return what a form begins with when `value` was chosen in the look-up, by its fields; empty when there is nothing.
    """
    if look_up == "netixlan":
        found = destination_of(pk, user) if (pk := _id_of(value)) else None
        # The other look-up is no longer the one that filled the form.
        return {**_of_port(found), "peer_asn": "", "peer_address": ""} if found else {}
    if look_up == "peer_asn":
        peers = PeerASN.objects.restrict(user, "view").select_related("asn")
        peer_asn = peers.filter(pk=pk).first() if (pk := _id_of(value)) else None
        if peer_asn is None:
            return {}
        known = known_network(peer_asn)
        nothing = ("netixlan", "peer_address", "ipv4_remote_ip", "ipv6_remote_ip")
        return {"remote_asn": known.remote_asn, **_of_network(known), **dict.fromkeys(nothing, "")}
    kind, _sep, rest = value.partition(":")
    port, _sep, host = rest.partition(":")
    if kind == "port" and (found := destination_of(pk, user) if (pk := _id_of(port)) else None):
        return {**_of_port(found), "netixlan": ""}
    return {f"ipv{6 if ':' in host else 4}_remote_ip": host} if host else {}


def _of_port(found: Destination) -> dict[str, Any]:
    return {
        "remote_asn": found.remote_asn,
        **_of_network(found),
        "ipv4_remote_ip": found.ipv4 or "",
        "ipv6_remote_ip": found.ipv6 or "",
        "fabric": found.fabric or "",
        "peering_network": found.network or "",
        "connection": found.connection or "",
        "is_route_server": found.is_route_server,
    }


def _of_network(found: Destination) -> dict[str, Any]:
    return {"peer_name": found.peer_name, "irr_as_set": found.irr_as_set}


def _told(address: Any) -> str:
    return f"{address.host} ({address.place})" if address.place else address.host


def _id_of(value: Any) -> int | None:
    text = str(value or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= ID_DIGITS else None

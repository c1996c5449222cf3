"""Area `peers`: the filters of ports and networks that we could peer with, and hiding some of them."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from netbox.forms import NetBoxModelFilterSetForm
from utilities.forms import BOOLEAN_WITH_BLANK_CHOICES, add_blank_choice
from utilities.forms.fields import DynamicModelMultipleChoiceField
from utilities.forms.rendering import FieldSet
from utilities.forms.widgets import DatePicker

from ..choices import (
    LeftOutChoices,
    PeeringDBNetworkTypeChoices,
    PeeringDBPolicyChoices,
    PeeringDBRatioChoices,
    PeeringDBScopeChoices,
    PeeringDBTrafficChoices,
)
from ..models import PeeringDBNet, PeeringDBNetIXLan, PeeringFabric

__all__ = (
    "AvailablePortFilterForm",
    "AvailableSessionFilterForm",
    "HidePeersForm",
    "RankedNetworkFilterForm",
)


def flag(label: str) -> forms.NullBooleanField:
    return forms.NullBooleanField(
        required=False, widget=forms.Select(choices=BOOLEAN_WITH_BLANK_CHOICES), label=label
    )


def number(label: str) -> forms.IntegerField:
    return forms.IntegerField(required=False, min_value=0, label=label)


def several(choices: type, label: str) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(choices=choices, required=False, label=label)


def left_out(label: str) -> forms.ChoiceField:
    return forms.ChoiceField(
        choices=[("", _("Leave them out")), *LeftOutChoices], required=False, label=label
    )


class PortFieldsMixin(forms.Form):
    """Filters by what a port is."""

    family = forms.MultipleChoiceField(
        choices=[(4, "IPv4"), (6, "IPv6")], required=False, label=_("Session missing in")
    )
    missing_v4 = number(_("Missing IPv4 sessions"))
    missing_v6 = number(_("Missing IPv6 sessions"))
    speed = number(_("Speed (Mbit/s)"))
    on_route_server = flag(_("On route server"))
    bfd = flag(_("BFD"))
    hidden = left_out(_("Hidden peers"))
    not_operational = left_out(_("Ports that are not operational"))


class NetworkFieldsMixin(forms.Form):
    """Filters by what a network says of itself, and how we stand with it."""

    asn = forms.IntegerField(required=False, min_value=1, label=_("AS number"))
    name = forms.CharField(required=False, label=_("Name"))
    policy = several(PeeringDBPolicyChoices, _("Policy"))
    traffic = several(PeeringDBTrafficChoices, _("Traffic"))
    traffic_from = forms.ChoiceField(
        choices=add_blank_choice(PeeringDBTrafficChoices), required=False, label=_("Traffic at least")
    )
    scope = several(PeeringDBScopeChoices, _("Scope"))
    ratio = several(PeeringDBRatioChoices, _("Ratio"))
    type = several(PeeringDBNetworkTypeChoices, _("Type"))
    prefixes4 = number(_("IPv4 prefixes"))
    prefixes6 = number(_("IPv6 prefixes"))
    as_set = forms.CharField(required=False, label=_("IRR AS-SET"))
    never_via_route_servers = flag(_("Never via route servers"))
    common_exchanges = number(_("Common exchanges"))
    has_contact = flag(_("Contact known"))
    has_peer_asn = flag(_("Has a peer ASN"))


class AvailablePortFilterForm(NetworkFieldsMixin, PortFieldsMixin, NetBoxModelFilterSetForm):
    model = PeeringDBNetIXLan
    fieldsets = (
        FieldSet("q", "filter_id"),
        FieldSet(
            "asn", "name", "policy", "traffic", "traffic_from", "scope", "ratio", "type", "prefixes4",
            "prefixes6", "as_set", "never_via_route_servers", name=_("Network"),
        ),
        FieldSet(
            "family", "missing_v4", "missing_v6", "speed", "on_route_server", "bfd", name=_("Port")
        ),
        FieldSet(
            "common_exchanges", "has_contact", "has_peer_asn", "has_sessions", "is_route_server",
            name=_("Standing"),
        ),
        FieldSet("hidden", "own", "not_operational", name=_("Left out")),
    )  # fmt: skip

    has_sessions = flag(_("Has sessions with us"))
    is_route_server = flag(_("Is a route server"))
    own = left_out(_("Our own networks"))


class AvailableSessionFilterForm(PortFieldsMixin, NetBoxModelFilterSetForm):
    """Of the ports of one network: what it says of itself is the same in every row."""

    model = PeeringDBNetIXLan
    fieldsets = (
        FieldSet("q", "filter_id"),
        FieldSet(
            "fabric_id", "family", "missing_v4", "missing_v6", "speed", "on_route_server", "bfd",
            name=_("Port"),
        ),
        FieldSet("hidden", "not_operational", name=_("Left out")),
    )  # fmt: skip

    fabric_id = DynamicModelMultipleChoiceField(
        queryset=PeeringFabric.objects.all(), required=False, label=_("Fabric")
    )


class RankedNetworkFilterForm(NetworkFieldsMixin, NetBoxModelFilterSetForm):
    model = PeeringDBNet
    fieldsets = (
        FieldSet("q", "filter_id"),
        FieldSet(
            "asn", "name", "policy", "traffic", "traffic_from", "scope", "ratio", "type", "prefixes",
            "prefixes4", "prefixes6", "as_set", "never_via_route_servers", name=_("Network"),
        ),
        FieldSet(
            "fabric_id", "common_exchanges", "ports", "has_contact", "has_peer_asn", name=_("Standing")
        ),
        FieldSet("hidden", name=_("Left out")),
    )  # fmt: skip

    fabric_id = DynamicModelMultipleChoiceField(
        queryset=PeeringFabric.objects.all(), required=False, label=_("Present at")
    )
    ports = number(_("Ports"))
    prefixes = number(_("Prefixes"))
    hidden = left_out(_("Hidden peers"))


class HidePeersForm(forms.Form):
    """Hide several networks at once, for one reason and until one day. On the fabric they were chosen on, if any."""

    # One field for any number of networks.
    asns = forms.CharField(widget=forms.HiddenInput())
    reason = forms.CharField(max_length=200, required=False, label=_("Reason"))
    until = forms.DateField(
        required=False,
        widget=DatePicker(),
        label=_("Until"),
        help_text=_("The last day on which they are hidden; left empty: for good"),
    )
    everywhere = forms.BooleanField(required=False, label=_("On every exchange"))

    def __init__(
        self, *args: Any, fabric: PeeringFabric | None = None, asns: Iterable[int] = (), **kwargs: Any
    ):
        super().__init__(*args, initial={"asns": ",".join(map(str, asns))}, **kwargs)
        if fabric is None:
            del self.fields["everywhere"]
        else:
            self.fields["everywhere"].help_text = _("Not only on {fabric}").format(fabric=fabric)

    @property
    def chosen(self) -> list[int]:
        """The AS numbers, from what was posted or given."""
        text = str(self["asns"].value() or "")
        return [int(number) for number in text.split(",") if number.isdecimal()]

    def clean_asns(self) -> list[int]:
        return self.chosen

    def clean_until(self) -> date | None:
        until = self.cleaned_data["until"]
        if until is not None and until < timezone.localdate():
            raise forms.ValidationError(_("This day is over: choose today or a later one, or none."))
        return until

"""Fields to filter sessions by what was last observed of them."""

from django import forms
from django.utils.translation import gettext_lazy as _

from utilities.forms import BOOLEAN_WITH_BLANK_CHOICES
from utilities.forms.rendering import FieldSet

from ..filtersets.states import STATE_CHOICES

__all__ = ("STATE_FIELDSET", "SessionStateFilterFields")

STATE_FIELDSET = FieldSet(
    "bgp_state",
    "down",
    "down_longer_than_h",
    "never_up",
    "stale",
    "near_max_prefix",
    "ipv4_received",
    "ipv6_received",
    "flaps",
    name=_("State"),
)


def _yes_no(label: str) -> forms.NullBooleanField:
    return forms.NullBooleanField(
        required=False, label=label, widget=forms.Select(choices=BOOLEAN_WITH_BLANK_CHOICES)
    )


class SessionStateFilterFields(forms.Form):
    """A mixin for the filter form of sessions."""

    bgp_state = forms.MultipleChoiceField(choices=STATE_CHOICES, required=False, label=_("State"))
    down = _yes_no(_("Down"))
    down_longer_than_h = forms.IntegerField(required=False, min_value=0, label=_("Down longer than (hours)"))
    never_up = _yes_no(_("Never up"))
    stale = _yes_no(_("Stale"))
    near_max_prefix = _yes_no(_("Near max-prefix"))
    ipv4_received = forms.IntegerField(required=False, min_value=0, label=_("IPv4 prefixes received"))
    ipv6_received = forms.IntegerField(required=False, min_value=0, label=_("IPv6 prefixes received"))
    flaps = forms.IntegerField(required=False, min_value=0, label=_("Flaps"))

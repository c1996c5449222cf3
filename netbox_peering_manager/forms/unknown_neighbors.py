"""Area `routers`: the form to filter unknown neighbours by."""

from django import forms
from django.utils.translation import gettext_lazy as _

from netbox.forms.mixins import SavedFiltersMixin
from utilities.forms import FilterForm
from utilities.forms.fields import DynamicModelMultipleChoiceField
from utilities.forms.rendering import FieldSet
from utilities.forms.widgets import DateTimePicker

from ..choices import BGPStateChoices
from ..models import PeeringRouter, UnknownNeighbor

__all__ = ("UnknownNeighborFilterForm",)


class UnknownNeighborFilterForm(SavedFiltersMixin, FilterForm):
    model = UnknownNeighbor
    fieldsets = (
        FieldSet("q", "filter_id"),
        FieldSet("router_id", "vrf", "remote_asn", "bgp_state", "first_seen__gte", name=_("Neighbor")),
    )

    router_id = DynamicModelMultipleChoiceField(
        queryset=PeeringRouter.objects.all(), required=False, label=_("Router")
    )
    vrf = forms.CharField(required=False, label=_("VRF"))
    remote_asn = forms.IntegerField(required=False, label=_("AS number"))
    bgp_state = forms.MultipleChoiceField(choices=BGPStateChoices, required=False, label=_("State"))
    first_seen__gte = forms.DateTimeField(
        required=False, widget=DateTimePicker(), label=_("Seen first after")
    )

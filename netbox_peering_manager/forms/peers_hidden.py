"""Area `peers`: forms for hidden peers, one, many, imported and searched."""

from django import forms
from django.utils.translation import gettext_lazy as _

from netbox.forms import (
    PrimaryModelBulkEditForm,
    PrimaryModelFilterSetForm,
    PrimaryModelForm,
    PrimaryModelImportForm,
)
from utilities.forms import BOOLEAN_WITH_BLANK_CHOICES
from utilities.forms.fields import DynamicModelChoiceField, DynamicModelMultipleChoiceField, TagFilterField
from utilities.forms.rendering import FieldSet
from utilities.forms.widgets import DatePicker

from ..models import HiddenPeer, PeeringFabric
from .fabrics import help_of
from .fabrics_import import fabric_field

__all__ = ("HiddenPeerBulkEditForm", "HiddenPeerFilterForm", "HiddenPeerForm", "HiddenPeerImportForm")

FIELDS = ("asn", "fabric", "reason", "until", "description", "owner", "comments", "tags")


class HiddenPeerForm(PrimaryModelForm):
    fabric = DynamicModelChoiceField(
        queryset=PeeringFabric.objects.all(),
        required=False,
        selector=True,
        label=_("Fabric"),
        help_text=help_of(HiddenPeer, "fabric"),
    )

    fieldsets = (FieldSet("asn", "fabric", "reason", "until", "description", "tags", name=_("Hidden Peer")),)

    class Meta:
        model = HiddenPeer
        fields = FIELDS
        widgets = {"until": DatePicker()}


class HiddenPeerBulkEditForm(PrimaryModelBulkEditForm):
    """What several entries can share; of the AS each has its own."""

    fabric = DynamicModelChoiceField(queryset=PeeringFabric.objects.all(), required=False, label=_("Fabric"))
    reason = forms.CharField(max_length=200, required=False, label=_("Reason"))
    until = forms.DateField(required=False, widget=DatePicker(), label=_("Until"))

    model = HiddenPeer
    fieldsets = (FieldSet("fabric", "reason", "until", "description"),)
    nullable_fields = ("fabric", "reason", "until", "description", "comments")


class HiddenPeerImportForm(PrimaryModelImportForm):
    fabric = fabric_field(
        required=False, help_text=_("Name or slug of a fabric; left empty: hidden everywhere")
    )

    class Meta:
        model = HiddenPeer
        fields = FIELDS


class HiddenPeerFilterForm(PrimaryModelFilterSetForm):
    model = HiddenPeer
    fieldsets = (
        FieldSet("q", "filter_id", "tag"),
        FieldSet("asn", "fabric_id", "everywhere", "in_force", "reason", "until", name=_("Hidden Peer")),
        FieldSet("owner_group_id", "owner_id", name=_("Ownership")),
    )
    selector_fields = ("filter_id", "q", "fabric_id")

    asn = forms.IntegerField(required=False, label=_("AS number"))
    fabric_id = DynamicModelMultipleChoiceField(
        queryset=PeeringFabric.objects.all(), required=False, label=_("Fabric")
    )
    everywhere = forms.NullBooleanField(
        required=False, widget=forms.Select(choices=BOOLEAN_WITH_BLANK_CHOICES), label=_("Hidden everywhere")
    )
    in_force = forms.NullBooleanField(
        required=False, widget=forms.Select(choices=BOOLEAN_WITH_BLANK_CHOICES), label=_("Hidden today")
    )
    reason = forms.CharField(required=False, label=_("Reason"))
    until = forms.DateField(required=False, widget=DatePicker(), label=_("Until"))
    tag = TagFilterField(model)

"""Area `peeringdb`: forms to filter syncs, refused rows and drift by."""

from django import forms
from django.core.validators import validate_comma_separated_integer_list
from django.utils.translation import gettext_lazy as _

from netbox.forms.mixins import SavedFiltersMixin
from users.models import User
from utilities.forms import FilterForm
from utilities.forms.fields import DynamicModelMultipleChoiceField
from utilities.forms.rendering import FieldSet
from utilities.forms.widgets import DateTimePicker

from ..choices import PeeringDBDriftChoices, PeeringDBSyncModeChoices, PeeringDBSyncStatusChoices
from ..models import (
    MIRROR,
    PeerASN,
    PeeringConnection,
    PeeringDBDrift,
    PeeringDBRefusedRow,
    PeeringDBSync,
    PeeringNetwork,
    PeeringSession,
)

__all__ = (
    "DriftRepairForm",
    "PeeringDBDriftFilterForm",
    "PeeringDBRefusedRowFilterForm",
    "PeeringDBSyncFilterForm",
)

TAGS = tuple((tag, tag) for tag in MIRROR)
DRIFTING = tuple(
    (model._meta.label_lower, model._meta.verbose_name_plural)
    for model in (PeerASN, PeeringConnection, PeeringNetwork, PeeringSession)
)


def _moment(label: str) -> forms.DateTimeField:
    return forms.DateTimeField(required=False, widget=DateTimePicker(), label=label)


class PeeringDBSyncFilterForm(SavedFiltersMixin, FilterForm):
    model = PeeringDBSync
    fieldsets = (
        FieldSet("q", "filter_id"),
        FieldSet("status", "mode", "tag", "user_id", name=_("Sync")),
        FieldSet("started__gte", "started__lte", name=_("When")),
    )

    status = forms.MultipleChoiceField(choices=PeeringDBSyncStatusChoices, required=False, label=_("Status"))
    mode = forms.MultipleChoiceField(choices=PeeringDBSyncModeChoices, required=False, label=_("Mode"))
    tag = forms.MultipleChoiceField(choices=TAGS, required=False, label=_("Type"))
    user_id = DynamicModelMultipleChoiceField(queryset=User.objects.all(), required=False, label=_("User"))
    started__gte = _moment(_("Started after"))
    started__lte = _moment(_("Started before"))


class PeeringDBRefusedRowFilterForm(SavedFiltersMixin, FilterForm):
    model = PeeringDBRefusedRow
    fieldsets = (
        FieldSet("q", "filter_id"),
        FieldSet("tag", "peeringdb_id", "seen__gte", "seen__lte", name=_("Row")),
    )

    tag = forms.MultipleChoiceField(choices=TAGS, required=False, label=_("Type"))
    peeringdb_id = forms.IntegerField(required=False, label=_("PeeringDB ID"))
    seen__gte = _moment(_("Seen after"))
    seen__lte = _moment(_("Seen before"))


class PeeringDBDriftFilterForm(SavedFiltersMixin, FilterForm):
    model = PeeringDBDrift
    fieldsets = (
        FieldSet("q", "filter_id"),
        FieldSet("kind", "object_type", "object_id", name=_("Drift")),
        FieldSet("found__gte", "found__lte", name=_("Age")),
    )

    kind = forms.MultipleChoiceField(choices=PeeringDBDriftChoices, required=False, label=_("Kind"))
    object_type = forms.MultipleChoiceField(choices=DRIFTING, required=False, label=_("Object type"))
    object_id = forms.IntegerField(required=False, label=_("Object (ID)"))
    found__gte = _moment(_("Found after"))
    found__lte = _moment(_("Found before"))


class DriftRepairForm(forms.Form):
    """
    Confirms the repairs that were shown, with a message for the change log.

    `ids` holds those of the rows as one value, split by commas: Django refuses forms of more than 1,000 fields.
    """

    ids = forms.CharField(widget=forms.HiddenInput, validators=[validate_comma_separated_integer_list])
    return_url = forms.CharField(required=False, widget=forms.HiddenInput)
    changelog_message = forms.CharField(required=False, max_length=200, label=_("Changelog message"))

    def clean_ids(self) -> list[int]:
        return [int(pk) for pk in self.cleaned_data["ids"].split(",")]

"""The field to filter routers by whether they have the configuration that NetBox would give them."""

from django import forms
from django.utils.translation import gettext_lazy as _

from utilities.forms.rendering import FieldSet

from ..filtersets.drift import DRIFT_CHOICES

__all__ = ("DRIFT_FIELDSET", "RouterDriftFilterFields")

DRIFT_FIELDSET = FieldSet("drift", name=_("Configuration"))


class RouterDriftFilterFields(forms.Form):
    """A mixin for the filter form of routers."""

    drift = forms.MultipleChoiceField(choices=DRIFT_CHOICES, required=False, label=_("Configuration drift"))

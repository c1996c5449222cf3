"""The field to filter sessions by whether they are on their routers."""

from django import forms
from django.utils.translation import gettext_lazy as _

from utilities.forms.rendering import FieldSet

from ..choices import SessionConfigurationChoices

__all__ = ("CONFIGURATION_FIELDSET", "SessionConfigurationFilterFields")

CONFIGURATION_FIELDSET = FieldSet("configuration", name=_("Configuration"))


class SessionConfigurationFilterFields(forms.Form):
    """A mixin for the filter form of sessions."""

    configuration = forms.MultipleChoiceField(
        choices=SessionConfigurationChoices, required=False, label=_("Configuration")
    )

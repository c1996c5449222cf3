"""Many routers at once: what is asked before they are deployed, and how batches are filtered."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from netbox.forms.mixins import SavedFiltersMixin
from users.models import User
from utilities.forms import BOOLEAN_WITH_BLANK_CHOICES, FilterForm
from utilities.forms.fields import DynamicModelMultipleChoiceField
from utilities.forms.rendering import FieldSet
from utilities.forms.widgets import DateTimePicker

from ..models import DeploymentBatch, PeeringRouter
from ..settings import get_setting
from .deployments import future

__all__ = ("DeployManyForm", "DeploymentBatchFilterForm")


class DeployManyForm(forms.Form):
    """Confirms that these routers are compared, or configured. `routers`: those that the user may view."""

    pk = forms.ModelMultipleChoiceField(
        queryset=PeeringRouter.objects.none(), widget=forms.MultipleHiddenInput
    )
    scheduled = forms.DateTimeField(
        required=False,
        widget=DateTimePicker(),
        validators=[future],
        label=_("Scheduled for"),
        help_text=_("Left empty: as soon as each is compared"),
    )
    max_failures = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=32767,
        label=_("Stop after failures"),
        help_text=_("So many routers that fail, are rolled back or are refused stop the rest"),
    )
    reason = forms.CharField(
        required=False,
        max_length=1000,
        label=_("Reason"),
        help_text=_("For who reads it later"),
    )

    def __init__(self, *args: Any, routers: Any, compare_only: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["pk"].queryset = routers
        self.fields["max_failures"].initial = get_setting("deployment_max_failures")
        if compare_only:
            # Nothing is sent, so that nothing has to be stopped.
            del self.fields["scheduled"], self.fields["max_failures"]


class DeploymentBatchFilterForm(SavedFiltersMixin, FilterForm):
    model = DeploymentBatch
    fieldsets = (FieldSet("q", "filter_id"), FieldSet("user_id", "is_stopped", name=_("Batch")))

    user_id = DynamicModelMultipleChoiceField(queryset=User.objects.all(), required=False, label=_("User"))
    is_stopped = forms.NullBooleanField(
        required=False, widget=forms.Select(choices=BOOLEAN_WITH_BLANK_CHOICES), label=_("Stopped")
    )

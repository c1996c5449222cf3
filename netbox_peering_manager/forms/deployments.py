"""Area `deployments`: forms for what may be changed of a deployment, for searching, and for setting a time."""

from datetime import datetime, timedelta

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dcim.models import Site
from netbox.forms import PrimaryModelFilterSetForm, PrimaryModelForm
from utilities.exceptions import AbortRequest
from utilities.forms import BOOLEAN_WITH_BLANK_CHOICES
from utilities.forms.fields import DynamicModelMultipleChoiceField, TagFilterField
from utilities.forms.rendering import FieldSet
from utilities.forms.widgets import DateTimePicker

from ..choices import ConfigModeChoices, DeploymentKindChoices, DeploymentStatusChoices
from ..exceptions import DeploymentRefused
from ..models import Deployment, PeeringRouter, PeeringSession
from ..services.deployment import decisions, together

__all__ = ("DeploymentFilterForm", "DeploymentForm", "ScheduleForm", "future", "in_one_hour")

BOOLEAN = forms.Select(choices=BOOLEAN_WITH_BLANK_CHOICES)


def in_one_hour() -> datetime:
    """Return when something is scheduled for unless somebody says otherwise."""
    return timezone.localtime(timezone.now() + timedelta(hours=1)).replace(second=0, microsecond=0)


def future(when: datetime) -> datetime:
    """Return `when`. ValidationError when it has passed."""
    if when <= timezone.now():
        raise ValidationError(_("This time has passed: give one that is still to come."))
    return when


class ScheduleForm(forms.Form):
    """When something is sent to a router."""

    scheduled = forms.DateTimeField(
        label=_("Send at"),
        initial=in_one_hour,
        widget=DateTimePicker(),
        validators=[future],
        help_text=_("In NetBox's time zone. In one hour unless you change it."),
    )


class DeploymentForm(PrimaryModelForm):
    """What may be changed of a deployment: words about it, and the time that it is scheduled for."""

    fieldsets = (FieldSet("scheduled", "description", "tags", name=_("Deployment")),)

    class Meta:
        model = Deployment
        fields = ("scheduled", "description", "owner", "comments", "tags")
        widgets = {"scheduled": DateTimePicker()}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # Who edits it: the view says so.
        self.user = getattr(self.instance, "edited_by", None)
        self._former = self.instance.scheduled
        field = self.fields["scheduled"]
        if reason := decisions.why_not_schedule(self.instance, self.user):
            field.disabled, field.help_text = True, reason
        else:
            field.required = self._former is not None

    def clean_scheduled(self) -> datetime | None:
        when = self.cleaned_data["scheduled"]
        return future(when) if when is not None and when != self._former else when

    def save(self, *args, **kwargs):
        if (when := self.instance.scheduled) != self._former and when is not None:
            try:
                together.reschedule(self.instance, self.user, when)
            except DeploymentRefused as error:
                raise AbortRequest(str(error)) from error
        return super().save(*args, **kwargs)


class DeploymentFilterForm(PrimaryModelFilterSetForm):
    model = Deployment
    fieldsets = (
        FieldSet("q", "filter_id", "tag"),
        FieldSet("status", "kind", "mode", "partial", "automatic", "own_credentials", name=_("Deployment")),
        FieldSet("router_id", "site_id", "session_id", name=_("What")),
        FieldSet("requested_by_id", "approved_by_id", "reason", name=_("Who and why")),
        FieldSet("scheduled__after", "scheduled__before", name=_("Scheduled")),
        FieldSet("owner_group_id", "owner_id", name=_("Ownership")),
    )
    selector_fields = ("filter_id", "q", "status", "router_id")

    status = forms.MultipleChoiceField(choices=DeploymentStatusChoices, required=False, label=_("Status"))
    kind = forms.MultipleChoiceField(choices=DeploymentKindChoices, required=False, label=_("Kind"))
    mode = forms.MultipleChoiceField(choices=ConfigModeChoices, required=False, label=_("Mode"))
    partial = forms.NullBooleanField(required=False, label=_("Some sessions only"), widget=BOOLEAN)
    automatic = forms.NullBooleanField(required=False, label=_("Automatic"), widget=BOOLEAN)
    own_credentials = forms.NullBooleanField(required=False, label=_("Own credentials"), widget=BOOLEAN)
    router_id = DynamicModelMultipleChoiceField(
        queryset=PeeringRouter.objects.all(), required=False, label=_("Router")
    )
    site_id = DynamicModelMultipleChoiceField(queryset=Site.objects.all(), required=False, label=_("Site"))
    session_id = DynamicModelMultipleChoiceField(
        queryset=PeeringSession.objects.all(), required=False, label=_("Session")
    )
    requested_by_id = DynamicModelMultipleChoiceField(
        queryset=get_user_model().objects.all(), required=False, label=_("Requested by")
    )
    approved_by_id = DynamicModelMultipleChoiceField(
        queryset=get_user_model().objects.all(), required=False, label=_("Approved by")
    )
    reason = forms.CharField(required=False, label=_("Reason"))
    scheduled__after = forms.DateTimeField(required=False, label=_("After"), widget=DateTimePicker())
    scheduled__before = forms.DateTimeField(required=False, label=_("Before"), widget=DateTimePicker())
    tag = TagFilterField(model)

"""Area `routers`: forms for peering routers, one, many, imported and searched."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from dcim.models import Device, DeviceRole, Platform, Site
from extras.models import ConfigTemplate
from netbox.forms import (
    PrimaryModelBulkEditForm,
    PrimaryModelFilterSetForm,
    PrimaryModelForm,
    PrimaryModelImportForm,
)
from utilities.forms import BOOLEAN_WITH_BLANK_CHOICES, add_blank_choice
from utilities.forms.fields import (
    CSVChoiceField,
    CSVModelChoiceField,
    DynamicModelChoiceField,
    DynamicModelMultipleChoiceField,
    JSONField,
    TagFilterField,
)
from utilities.forms.rendering import FieldSet
from utilities.forms.widgets import BulkEditNullBooleanSelect

from ..choices import ApprovalChoices, ConfigModeChoices
from ..models import PeeringRouter
from ..services.devices.known import drivers, profiles, why_unknown
from .drift import DRIFT_FIELDSET, RouterDriftFilterFields

__all__ = (
    "PeeringRouterBulkEditForm",
    "PeeringRouterFilterForm",
    "PeeringRouterForm",
    "PeeringRouterImportForm",
)


ACCESS = FieldSet("napalm_driver", "napalm_args", "credential_profile", name=_("Access"))
DEPLOYMENT = FieldSet("push_enabled", "config_mode", "approval", "health_timeout", name=_("Deployment"))
WATCHING = FieldSet("poll_enabled", "poll_interval", name=_("Watching"))


class OfSettingsMixin:
    """
    Offers what the plugin's settings know as drivers and credential profiles, and refuses other names; one that a
    router has already stays.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for name, known in (("napalm_driver", drivers), ("credential_profile", profiles)):
            own = getattr(getattr(self, "instance", None), name, "")
            names = sorted({*known(), own} - {""})
            choices = add_blank_choice([(each, each) for each in names])
            self.fields[name].widget = forms.Select(choices=choices, attrs={"class": "form-select"})

    def clean_napalm_driver(self) -> str:
        return self._known("napalm_driver")

    def clean_credential_profile(self) -> str:
        return self._known("credential_profile")

    def _known(self, field: str) -> str:
        name = self.cleaned_data[field]
        if name != getattr(getattr(self, "instance", None), field, "") and (why := why_unknown(field, name)):
            raise ValidationError(why)
        return name


class PeeringRouterForm(OfSettingsMixin, PrimaryModelForm):
    device = DynamicModelChoiceField(queryset=Device.objects.all(), label=_("Device"), selector=True)
    config_template = DynamicModelChoiceField(
        queryset=ConfigTemplate.objects.all(),
        required=False,
        label=_("Config template"),
        help_text=_("Renders this router's peering configuration"),
    )
    napalm_args = JSONField(
        required=False,
        label=_("NAPALM arguments"),
        help_text=_("Optional arguments for the NAPALM driver, as a JSON object; never a secret"),
    )

    fieldsets = (
        FieldSet("device", "config_template", "description", "tags", name=_("Peering Router")),
        ACCESS,
        DEPLOYMENT,
        WATCHING,
    )

    class Meta:
        model = PeeringRouter
        fields = (
            "device",
            "config_template",
            "napalm_driver",
            "napalm_args",
            "credential_profile",
            "push_enabled",
            "config_mode",
            "approval",
            "health_timeout",
            "poll_enabled",
            "poll_interval",
            "description",
            "owner",
            "comments",
            "tags",
        )

    def clean_device(self) -> Device:
        """Refuse a device that is a peering router already, with a link to that one."""
        device = self.cleaned_data["device"]
        if existing := PeeringRouter.objects.filter(device=device).exclude(pk=self.instance.pk).first():
            raise ValidationError(
                format_html(
                    _(
                        '{device} is a peering router already: <a href="{url}">edit that one</a> instead of '
                        "creating another."
                    ),
                    device=device,
                    url=existing.get_absolute_url(),
                ),
                code="unique",
            )
        return device


class PeeringRouterBulkEditForm(OfSettingsMixin, PrimaryModelBulkEditForm):
    config_template = DynamicModelChoiceField(
        queryset=ConfigTemplate.objects.all(), required=False, label=_("Config template")
    )
    napalm_driver = forms.CharField(max_length=50, required=False, label=_("NAPALM driver"))
    napalm_args = JSONField(required=False, label=_("NAPALM arguments"))
    credential_profile = forms.CharField(max_length=100, required=False, label=_("Credential profile"))
    poll_enabled = forms.NullBooleanField(required=False, widget=BulkEditNullBooleanSelect, label=_("Poll"))
    poll_interval = forms.IntegerField(min_value=1, required=False, label=_("Poll interval (minutes)"))
    push_enabled = forms.NullBooleanField(required=False, widget=BulkEditNullBooleanSelect, label=_("Push"))
    config_mode = forms.ChoiceField(
        choices=add_blank_choice(ConfigModeChoices), required=False, label=_("Configuration mode")
    )
    approval = forms.ChoiceField(
        choices=add_blank_choice(ApprovalChoices), required=False, label=_("Approval")
    )
    health_timeout = forms.IntegerField(
        min_value=5, max_value=3600, required=False, label=_("Health check (seconds)")
    )

    model = PeeringRouter
    fieldsets = (
        FieldSet("config_template", "description"),
        ACCESS,
        DEPLOYMENT,
        WATCHING,
    )
    nullable_fields = (
        "config_template",
        "napalm_driver",
        "napalm_args",
        "credential_profile",
        "poll_interval",
        "description",
    )


class PeeringRouterImportForm(PrimaryModelImportForm):
    site = CSVModelChoiceField(
        queryset=Site.objects.all(),
        to_field_name="name",
        required=False,
        label=_("Site"),
        help_text=_("Site of the device, needed where several devices have its name"),
    )
    device = CSVModelChoiceField(
        queryset=Device.objects.all(),
        to_field_name="name",
        label=_("Device"),
        help_text=_("Name of the device"),
    )
    config_template = CSVModelChoiceField(
        queryset=ConfigTemplate.objects.all(),
        to_field_name="name",
        required=False,
        label=_("Config template"),
        help_text=_("Renders this router's peering configuration"),
    )
    napalm_args = JSONField(
        required=False, label=_("NAPALM arguments"), help_text=_("A JSON object; never a secret")
    )
    config_mode = CSVChoiceField(
        choices=ConfigModeChoices,
        required=False,
        label=_("Configuration mode"),
        help_text=_("Default: merge"),
    )
    approval = CSVChoiceField(
        choices=ApprovalChoices, required=False, label=_("Approval"), help_text=_("Default: none")
    )
    health_timeout = forms.IntegerField(
        min_value=5,
        max_value=3600,
        required=False,
        label=_("Health check (seconds)"),
        help_text=_("Default: 120"),
    )

    class Meta:
        model = PeeringRouter
        fields = ("site", *PeeringRouterForm.Meta.fields)

    def clean_napalm_driver(self) -> str:
        return self._known("napalm_driver")

    def clean_credential_profile(self) -> str:
        return self._known("credential_profile")

    def _known(self, field: str) -> str:
        if why := why_unknown(field, self.cleaned_data[field]):
            raise ValidationError(why)
        return self.cleaned_data[field]

    def clean_config_mode(self) -> str:
        return self.cleaned_data["config_mode"] or ConfigModeChoices.MERGE

    def clean_approval(self) -> str:
        return self.cleaned_data["approval"] or ApprovalChoices.NONE

    def clean_health_timeout(self) -> int:
        return self.cleaned_data["health_timeout"] or PeeringRouter._meta.get_field("health_timeout").default

    def __init__(self, data=None, *args, **kwargs) -> None:
        super().__init__(data, *args, **kwargs)
        if data and (site := data.get("site")):
            by = self.fields["site"].to_field_name
            self.fields["device"].queryset = self.fields["device"].queryset.filter(**{f"site__{by}": site})


class PeeringRouterFilterForm(RouterDriftFilterFields, PrimaryModelFilterSetForm):
    model = PeeringRouter
    fieldsets = (
        FieldSet("q", "filter_id", "tag"),
        FieldSet("device_id", "site_id", "role_id", "platform_id", name=_("Device")),
        FieldSet("config_template_id", "napalm_driver", "credential_profile", name=_("Access")),
        FieldSet("push_enabled", "config_mode", "approval", name=_("Deployment")),
        FieldSet("poll_enabled", name=_("Watching")),
        DRIFT_FIELDSET,
        FieldSet("owner_group_id", "owner_id", name=_("Ownership")),
    )
    selector_fields = ("filter_id", "q", "site_id", "platform_id")

    device_id = DynamicModelMultipleChoiceField(
        queryset=Device.objects.all(), required=False, query_params={"site_id": "$site_id"}, label=_("Device")
    )
    site_id = DynamicModelMultipleChoiceField(queryset=Site.objects.all(), required=False, label=_("Site"))
    role_id = DynamicModelMultipleChoiceField(
        queryset=DeviceRole.objects.all(), required=False, label=_("Role")
    )
    platform_id = DynamicModelMultipleChoiceField(
        queryset=Platform.objects.all(), required=False, label=_("Platform")
    )
    config_template_id = DynamicModelMultipleChoiceField(
        queryset=ConfigTemplate.objects.all(), required=False, label=_("Config template")
    )
    napalm_driver = forms.CharField(required=False, label=_("NAPALM driver"))
    credential_profile = forms.CharField(required=False, label=_("Credential profile"))
    poll_enabled = forms.NullBooleanField(
        required=False, widget=forms.Select(choices=BOOLEAN_WITH_BLANK_CHOICES), label=_("Poll")
    )
    push_enabled = forms.NullBooleanField(
        required=False, widget=forms.Select(choices=BOOLEAN_WITH_BLANK_CHOICES), label=_("Push")
    )
    config_mode = forms.MultipleChoiceField(
        choices=ConfigModeChoices, required=False, label=_("Configuration mode")
    )
    approval = forms.MultipleChoiceField(choices=ApprovalChoices, required=False, label=_("Approval"))
    tag = TagFilterField(model)

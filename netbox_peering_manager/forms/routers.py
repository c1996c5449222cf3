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
from utilities.forms import BOOLEAN_WITH_BLANK_CHOICES
from utilities.forms.fields import (
    CSVModelChoiceField,
    DynamicModelChoiceField,
    DynamicModelMultipleChoiceField,
    JSONField,
    TagFilterField,
)
from utilities.forms.rendering import FieldSet
from utilities.forms.widgets import BulkEditNullBooleanSelect

from ..models import PeeringRouter

__all__ = (
    "PeeringRouterBulkEditForm",
    "PeeringRouterFilterForm",
    "PeeringRouterForm",
    "PeeringRouterImportForm",
)


class PeeringRouterForm(PrimaryModelForm):
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
        FieldSet("napalm_driver", "napalm_args", "credential_profile", name=_("Access")),
        FieldSet("poll_enabled", "push_enabled", name=_("Switches")),
    )

    class Meta:
        model = PeeringRouter
        fields = (
            "device",
            "config_template",
            "napalm_driver",
            "napalm_args",
            "credential_profile",
            "poll_enabled",
            "push_enabled",
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


class PeeringRouterBulkEditForm(PrimaryModelBulkEditForm):
    config_template = DynamicModelChoiceField(
        queryset=ConfigTemplate.objects.all(), required=False, label=_("Config template")
    )
    napalm_driver = forms.CharField(max_length=50, required=False, label=_("NAPALM driver"))
    napalm_args = JSONField(required=False, label=_("NAPALM arguments"))
    credential_profile = forms.CharField(max_length=100, required=False, label=_("Credential profile"))
    poll_enabled = forms.NullBooleanField(required=False, widget=BulkEditNullBooleanSelect, label=_("Poll"))
    push_enabled = forms.NullBooleanField(required=False, widget=BulkEditNullBooleanSelect, label=_("Push"))

    model = PeeringRouter
    fieldsets = (
        FieldSet("config_template", "description"),
        FieldSet("napalm_driver", "napalm_args", "credential_profile", name=_("Access")),
        FieldSet("poll_enabled", "push_enabled", name=_("Switches")),
    )
    nullable_fields = ("config_template", "napalm_driver", "napalm_args", "credential_profile", "description")


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

    class Meta:
        model = PeeringRouter
        fields = ("site", *PeeringRouterForm.Meta.fields)

    def __init__(self, data=None, *args, **kwargs) -> None:
        super().__init__(data, *args, **kwargs)
        if data and (site := data.get("site")):
            by = self.fields["site"].to_field_name
            self.fields["device"].queryset = self.fields["device"].queryset.filter(**{f"site__{by}": site})


class PeeringRouterFilterForm(PrimaryModelFilterSetForm):
    model = PeeringRouter
    fieldsets = (
        FieldSet("q", "filter_id", "tag"),
        FieldSet("device_id", "site_id", "role_id", "platform_id", name=_("Device")),
        FieldSet("config_template_id", "napalm_driver", "credential_profile", name=_("Access")),
        FieldSet("poll_enabled", "push_enabled", name=_("Switches")),
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
    tag = TagFilterField(model)

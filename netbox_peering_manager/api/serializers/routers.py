"""Area `routers`: REST representation of peering routers."""

from rest_framework import serializers

from dcim.api.serializers import DeviceSerializer
from dcim.models import Device
from extras.api.serializers import ConfigTemplateSerializer
from netbox.api.fields import ChoiceField
from netbox.api.serializers import PrimaryModelSerializer

from ...choices import ApprovalChoices, ConfigModeChoices
from ...models import PeeringRouter
from ...services.devices.known import why_unknown

__all__ = ("PeeringRouterSerializer",)


class PeeringRouterSerializer(PrimaryModelSerializer):
    """`session_count` is of what the user may see."""

    device = DeviceSerializer(nested=True)
    config_template = ConfigTemplateSerializer(nested=True, required=False, allow_null=True)
    config_mode = ChoiceField(choices=ConfigModeChoices, required=False)
    approval = ChoiceField(choices=ApprovalChoices, required=False)
    session_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = PeeringRouter
        fields = (
            "id",
            "url",
            "display_url",
            "display",
            "device",
            "config_template",
            "napalm_driver",
            "napalm_args",
            "credential_profile",
            "poll_enabled",
            "poll_interval",
            "push_enabled",
            "config_mode",
            "approval",
            "health_timeout",
            "description",
            "owner",
            "comments",
            "tags",
            "custom_fields",
            "created",
            "last_updated",
            "session_count",
        )
        brief_fields = ("id", "url", "display", "device", "description")

    def validate_napalm_driver(self, name: str) -> str:
        return self._known("napalm_driver", name)

    def validate_credential_profile(self, name: str) -> str:
        return self._known("credential_profile", name)

    def _known(self, field: str, name: str) -> str:
        """The settings decide; what a router has already stays."""
        if name != getattr(self.instance, field, "") and (why := why_unknown(field, name)):
            raise serializers.ValidationError(why)
        return name

    def validate_device(self, device: Device) -> Device:
        # NetBox leaves uniqueness to the fields, and a nested one checks none: a database error would follow.
        existing = PeeringRouter.objects.filter(device=device)
        if existing.exclude(pk=getattr(self.instance, "pk", None)).exists():
            error = PeeringRouter(device=device).unique_error_message(PeeringRouter, ("device",))
            raise serializers.ValidationError(error.messages)
        return device

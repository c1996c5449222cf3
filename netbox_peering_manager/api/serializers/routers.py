"""Area `routers`: REST representation of peering routers."""

from rest_framework import serializers

from dcim.api.serializers import DeviceSerializer
from dcim.models import Device
from extras.api.serializers import ConfigTemplateSerializer
from netbox.api.serializers import PrimaryModelSerializer

from ...models import PeeringRouter

__all__ = ("PeeringRouterSerializer",)


class PeeringRouterSerializer(PrimaryModelSerializer):
    """`session_count` is of what the user may see."""

    device = DeviceSerializer(nested=True)
    config_template = ConfigTemplateSerializer(nested=True, required=False, allow_null=True)
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
            "push_enabled",
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

    def validate_device(self, device: Device) -> Device:
        # NetBox leaves uniqueness to the fields, and a nested one checks none: a database error would follow.
        existing = PeeringRouter.objects.filter(device=device)
        if existing.exclude(pk=getattr(self.instance, "pk", None)).exists():
            error = PeeringRouter(device=device).unique_error_message(PeeringRouter, ("device",))
            raise serializers.ValidationError(error.messages)
        return device

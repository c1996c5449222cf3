"""What render-config takes and gives."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from dcim.api.serializers import DeviceSerializer
from dcim.models import Device
from extras.api.serializers import ConfigTemplateSerializer
from extras.models import ConfigTemplate

__all__ = (
    "PeeringRenderErrorSerializer",
    "PeeringRenderInputSerializer",
    "RenderedPeeringSerializer",
)


class _Visible(serializers.PrimaryKeyRelatedField):
    """An object by its id; one that the user may not see is answered like one that does not exist."""

    def __init__(self, *, actions: tuple[str, ...], **kwargs):
        self.actions = actions
        super().__init__(**kwargs)

    def get_queryset(self) -> models.QuerySet:
        queryset = super().get_queryset()
        for action in self.actions:
            queryset = queryset.restrict(self.context["request"].user, action)
        return queryset


class PeeringRenderInputSerializer(serializers.Serializer):
    """A template (left out: that of the device's peering router), and what to render with it."""

    template = _Visible(
        queryset=ConfigTemplate.objects.select_related("data_file__source"),
        actions=("render", "view"),
        required=False,
        help_text=_("ID of a config template; left out: the one of the device's peering router"),
    )
    device = _Visible(
        queryset=Device.objects.all(),
        actions=("view",),
        required=False,
        allow_null=True,
        help_text=_("ID of a device: all of its sessions"),
    )
    sessions = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=models.BigIntegerField.MAX_BIGINT),
        required=False,
        allow_empty=False,
        help_text=_("IDs of sessions: exactly these, which must be on the device if one is given"),
    )
    include_context = serializers.BooleanField(
        default=False, help_text=_("Add the template context to the answer")
    )

    def validate(self, data: dict) -> dict:
        if data.get("device") is None and "sessions" not in data:
            raise serializers.ValidationError(_("Give a device, sessions, or both."))
        if data.get("template") is None:
            data["template"] = self._template_of(data.get("device"))
        return data

    def _template_of(self, device: Device | None) -> ConfigTemplate:
        if device is None:
            raise serializers.ValidationError({"template": [_("Give a template, or a device that has one.")]})
        templates = self.fields["template"].get_queryset().filter(peering_routers__device=device)
        if template := templates.first():
            return template
        raise serializers.ValidationError(
            {
                "template": [
                    _("{device} has no peering router with a config template that you may render.").format(
                        device=device
                    )
                ]
            }
        )


class RenderedPeeringSerializer(serializers.Serializer):
    configtemplate = ConfigTemplateSerializer(nested=True)
    content = serializers.CharField(help_text=_("The rendered text"))
    device = DeviceSerializer(nested=True, allow_null=True)
    session_count = serializers.IntegerField()
    secrets = serializers.ChoiceField(
        choices=("clear", "masked", "none"),
        help_text=_("How passwords come: masked when any of them is, none when no session has one"),
    )
    context = serializers.JSONField(required=False, help_text=_("Only when include_context is true"))


class PeeringRenderErrorSerializer(serializers.Serializer):
    detail = serializers.CharField()
    template = serializers.CharField(help_text=_("Name of the template, or path of the included file"))
    line = serializers.IntegerField(allow_null=True)
    message = serializers.CharField()

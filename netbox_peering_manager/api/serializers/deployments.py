"""Area `deployments`: REST representation of deployments, and what their actions take."""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from netbox.api.fields import ChoiceField
from netbox.api.serializers import PrimaryModelSerializer
from users.api.serializers import UserSerializer

from ...choices import ConfigModeChoices, DeploymentKindChoices, DeploymentStatusChoices
from ...exceptions import DeploymentRefused
from ...models import Deployment, DeploymentSession, DeploymentStep
from ...services.deployment import decisions, together
from ...services.deployment.reading import Reading
from ...services.secrets import MASK
from ...ui.diffs import size_of
from .routers import PeeringRouterSerializer

__all__ = (
    "LONG",
    "AskedSerializer",
    "CommandsInputSerializer",
    "ConfigureInputSerializer",
    "ConfigureRouterInputSerializer",
    "ConfigureSessionsInputSerializer",
    "DeploymentSerializer",
    "ReasonSerializer",
    "ScheduleInputSerializer",
    "future",
)

MOST_SESSIONS = 5_000
# As long as a router's configuration, or with a part for each of its neighbours.
LONG = ("masked_text", "masked_diff", "sessions_before", "sessions_after", "targets", "steps")


def future(when):
    """Return `when`. ValidationError when it has passed."""
    if when <= timezone.now():
        raise serializers.ValidationError(_("This time has passed: give one that is still to come."))
    return when


class DeploymentTargetSerializer(serializers.ModelSerializer):
    """A session that a deployment is about; `session` is its id, null once it is gone."""

    class Meta:
        model = DeploymentSession
        fields = ("session", "vrf", "remote_ip", "local_interface", "name")


class DeploymentStepSerializer(serializers.ModelSerializer):
    """A move: who made it (null: the plugin itself, or a user who is gone), when, why."""

    class Meta:
        model = DeploymentStep
        fields = ("at", "user", "user_name", "former_status", "status", "reason")


class DeploymentSerializer(PrimaryModelSerializer):
    """
    Texts are masked. Lists leave out what is long (LONG), unless `fields` asks for it; events always do: what goes to
    webhooks and scripts goes where nobody's permissions are asked for.
    """

    router = PeeringRouterSerializer(nested=True, read_only=True)
    kind = ChoiceField(choices=DeploymentKindChoices, read_only=True)
    mode = ChoiceField(choices=ConfigModeChoices, read_only=True)
    status = ChoiceField(choices=DeploymentStatusChoices, read_only=True)
    requested_by = UserSerializer(nested=True, read_only=True)
    approved_by = UserSerializer(nested=True, read_only=True)
    released_by = UserSerializer(nested=True, read_only=True)
    targets = DeploymentTargetSerializer(many=True, read_only=True)
    steps = DeploymentStepSerializer(many=True, read_only=True)
    # The other time that a scheduled deployment is to get.
    moves_to = None
    lines_added = serializers.SerializerMethodField()
    lines_removed = serializers.SerializerMethodField()
    # True where texts, changes and reasons are left out, because they are about sessions that the user may not view.
    hidden = serializers.SerializerMethodField()

    class Meta:
        model = Deployment
        fields = (
            "id",
            "url",
            "display_url",
            "display",
            "router",
            "kind",
            "partial",
            "mode",
            "status",
            "reason",
            "automatic",
            "scheduled",
            "expires",
            "masked_text",
            "masked_diff",
            "lines_added",
            "lines_removed",
            "hidden",
            "sessions_before",
            "sessions_after",
            "targets",
            "steps",
            "requested_by",
            "approved_by",
            "approved",
            "released_by",
            "own_credentials",
            "confirm_by",
            "sent",
            "ended",
            "batch",
            "description",
            "owner",
            "comments",
            "tags",
            "custom_fields",
            "created",
            "last_updated",
        )
        read_only_fields = (
            "partial",
            "reason",
            "automatic",
            "expires",
            "masked_text",
            "masked_diff",
            "sessions_before",
            "sessions_after",
            "approved",
            "own_credentials",
            "confirm_by",
            "sent",
            "ended",
            "batch",
        )
        brief_fields = ("id", "url", "display", "router", "kind", "status", "description")

    def to_representation(self, instance):
        # As NetBox does for events.
        if self.context.get("request") is None:
            for name in (*LONG, "hidden"):
                self.fields.pop(name, None)
            return super().to_representation(instance)
        return self._without_hidden(super().to_representation(instance), instance)

    def _without_hidden(self, shown, deployment):
        reading = self._reading(deployment)
        for name in ("masked_text", "masked_diff"):
            if name in shown and not reading.texts(deployment):
                shown[name] = None
        for name in ("sessions_before", "sessions_after"):
            if name in shown:
                shown[name] = reading.neighbors(deployment, shown[name])
        if "reason" in shown:
            shown["reason"] = reading.reason(deployment, shown["reason"])
        if "targets" in shown:
            targets = reading.targets(deployment)
            shown["targets"] = DeploymentTargetSerializer(targets, many=True, context=self.context).data
        for step in shown.get("steps", ()):
            step["reason"] = reading.reason(deployment, step["reason"])
        return shown

    def _reading(self, deployment):
        """What the user may read: looked up once for all of a list."""
        holder = self.parent or self
        if not isinstance(reading := getattr(holder, "reading", None), Reading):
            listed = getattr(holder, "instance", None)
            reading = Reading(
                self.context["request"].user, listed if isinstance(listed, list | tuple) else [deployment]
            )
            if isinstance(listed, list | tuple):
                holder.reading = reading
        return reading

    def get_hidden(self, deployment: Deployment) -> bool:
        return not self._reading(deployment).texts(deployment)

    def get_lines_added(self, deployment: Deployment) -> int:
        return size_of(deployment.masked_diff).added

    def get_lines_removed(self, deployment: Deployment) -> int:
        return size_of(deployment.masked_diff).removed

    def validate_scheduled(self, when):
        deployment = self.instance
        if not isinstance(deployment, Deployment) or when == deployment.scheduled:
            return when
        if when is None:
            raise serializers.ValidationError(_("Give another time, or cancel the deployment."))
        if reason := decisions.why_not_schedule(deployment, self.context["request"].user):
            raise serializers.ValidationError(reason)
        # NetBox writes what it was given on the instance to have it checked: later nobody could tell.
        self.moves_to = future(when)
        return when

    def update(self, instance, validated_data):
        if self.moves_to is not None:
            try:
                together.reschedule(instance, self.context["request"].user, self.moves_to)
            except DeploymentRefused as error:
                raise serializers.ValidationError({"scheduled": str(error)}) from error
        return super().update(instance, validated_data)


class ReasonSerializer(serializers.Serializer):
    """Why, for who reads it later."""

    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=1000)


class ScheduleInputSerializer(serializers.Serializer):
    scheduled = serializers.DateTimeField(validators=[future], help_text=_("When to send it"))


def not_both(attributes: dict) -> dict:
    """Refuse a time for what is only to be compared: a deployment with a time is committed then."""
    if attributes.get("compare_only") and attributes.get("scheduled"):
        raise serializers.ValidationError(
            {"scheduled": _("What is only compared is not sent at any time: leave out one of the two.")}
        )
    return attributes


class ConfigureInputSerializer(serializers.Serializer):
    """How sessions are configured. Nothing of it is required."""

    compare_only = serializers.BooleanField(
        default=False, help_text=_("Only say what would change on the router")
    )
    scheduled = serializers.DateTimeField(
        required=False, allow_null=True, default=None, validators=[future], help_text=_("When to send it")
    )
    mode = serializers.ChoiceField(
        choices=ConfigModeChoices,
        required=False,
        allow_null=True,
        default=None,
        help_text=_("Left out: the router's"),
    )
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=1000)

    def validate(self, attrs):
        return not_both(super().validate(attrs))


class ConfigureRouterInputSerializer(ConfigureInputSerializer):
    sessions = serializers.ListField(
        child=serializers.IntegerField(min_value=1),
        required=False,
        allow_null=True,
        allow_empty=False,
        default=None,
        max_length=MOST_SESSIONS,
        help_text=_("IDs of sessions of the router; left out: the whole router"),
    )


class ConfigureSessionsInputSerializer(ConfigureInputSerializer):
    sessions = serializers.ListField(
        child=serializers.IntegerField(min_value=1),
        allow_empty=False,
        max_length=MOST_SESSIONS,
        help_text=_("IDs of sessions, of any routers"),
    )


class CommandsInputSerializer(serializers.Serializer):
    """Commands that are sent once. Without a login of one's own, the router's credential profile is used."""

    commands = serializers.CharField(trim_whitespace=False, max_length=500_000, write_only=True)
    username = serializers.CharField(required=False, allow_blank=True, default="", max_length=100)
    password = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=1000,
        trim_whitespace=False,
        write_only=True,
    )
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=1000)

    def validate_commands(self, commands: str) -> str:
        if MASK in commands:
            raise serializers.ValidationError(
                _(
                    "There is a masked password ({mask}) in it: a router would take the asterisks for the password."
                ).format(mask=MASK)
            )
        return commands

    def validate(self, data):
        if bool(data["username"]) != bool(data["password"]):
            raise serializers.ValidationError(
                {"password": _("Give both user name and password, or neither.")}
            )
        return data


class RefusedSerializer(serializers.Serializer):
    """What could not be deployed, and why. `router` is null for sessions without one."""

    router = serializers.IntegerField(allow_null=True)
    sessions = serializers.ListField(child=serializers.IntegerField())
    reason = serializers.CharField()


class AskedSerializer(serializers.Serializer):
    """What came of asking for several routers: a deployment for each, and those that were refused."""

    batch = serializers.IntegerField(allow_null=True)
    deployments = DeploymentSerializer(many=True)
    refused = RefusedSerializer(many=True)

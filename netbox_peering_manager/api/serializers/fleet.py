"""Many routers at once, and configuration drift, in REST."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from netbox.api.fields import ChoiceField
from netbox.api.serializers import BaseModelSerializer
from users.api.serializers import UserSerializer

from ...choices import RouterDriftChoices
from ...models import DeploymentBatch, PeeringRouter, RouterState
from ...services.deployment.reading import text_shown
from ...services.deployment.rights import may_read_routers
from ...ui.fleet import batch_progress
from .deployments import future, not_both

__all__ = ("DeployRoutersInputSerializer", "DeploymentBatchSerializer", "RouterDriftSerializer")

MOST_ROUTERS = 1_000


class BatchRouterSerializer(serializers.Serializer):
    """
    One router of a batch. `status` is its deployment's; without one "waiting", "refused" (`reason` says why), or
    "not-begun" when the batch was stopped before.
    """

    router = serializers.CharField()
    deployment = serializers.IntegerField(allow_null=True)
    status = serializers.CharField()
    lines_added = serializers.IntegerField(allow_null=True)
    lines_removed = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField()


class DeploymentBatchSerializer(BaseModelSerializer):
    """`routers` are those that the user may see; lists leave them out. Null `max_failures`: nothing stops it."""

    user = UserSerializer(nested=True, read_only=True)
    done_count = serializers.IntegerField(read_only=True)
    failed_count = serializers.IntegerField(read_only=True)
    open_count = serializers.IntegerField(read_only=True)
    refused_count = serializers.IntegerField(read_only=True)
    routers = serializers.SerializerMethodField()

    class Meta:
        model = DeploymentBatch
        fields = (
            "id",
            "url",
            "display_url",
            "display",
            "user",
            "created",
            "max_failures",
            "stopped",
            "stopped_because",
            "done_count",
            "failed_count",
            "open_count",
            "refused_count",
            "routers",
        )
        brief_fields = ("id", "url", "display", "created", "stopped")
        read_only_fields = ("created", "max_failures", "stopped", "stopped_because")

    def get_fields(self) -> dict:
        fields = super().get_fields()
        # A query or more for each batch.
        if isinstance(self.parent, serializers.ListSerializer):
            fields.pop("routers", None)
        return fields

    @extend_schema_field(BatchRouterSerializer(many=True))
    def get_routers(self, batch: DeploymentBatch) -> list[dict]:
        rows = batch_progress(batch, self.context["request"].user).rows
        return [
            {
                "router": row.router,
                "deployment": row.deployment,
                "status": row.status,
                "lines_added": row.size.added if row.size else None,
                "lines_removed": row.size.removed if row.size else None,
                "reason": row.reason,
            }
            for row in rows
        ]


class DeployRoutersInputSerializer(serializers.Serializer):
    """Which routers are deployed, and how."""

    routers = serializers.ListField(
        child=serializers.IntegerField(min_value=1),
        allow_empty=False,
        max_length=MOST_ROUTERS,
        help_text=_("IDs of peering routers, in the order in which they are asked for"),
    )
    compare_only = serializers.BooleanField(
        default=False, help_text=_("Only say what would change on the routers")
    )
    scheduled = serializers.DateTimeField(
        required=False, allow_null=True, default=None, validators=[future], help_text=_("When to send it")
    )
    max_failures = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=32767,
        help_text=_("So many failures stop the rest; left out: as in the settings"),
    )
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=1000)

    def validate(self, attrs):
        return not_both(super().validate(attrs))


class RouterDriftSerializer(serializers.ModelSerializer):
    """
    What the last comparison found. `drift` is null for a router that was never compared; `masked_diff` is what
    configuring the router would change, null to who may not view all of its sessions; a `drift_failure` that names
    neighbors is hidden from them.
    """

    router = serializers.PrimaryKeyRelatedField(queryset=PeeringRouter.objects.all())
    drift = ChoiceField(choices=RouterDriftChoices, allow_null=True)

    class Meta:
        model = RouterState
        fields = ("router", "drift", "drift_since", "compared", "masked_diff", "drift_failure")

    def to_representation(self, instance):
        shown = super().to_representation(instance)
        is_read = bool(may_read_routers(self.context["request"].user, [instance.router.device_id]))
        if not is_read:
            shown["masked_diff"] = None
        shown["drift_failure"] = text_shown(instance.drift_failure, is_read)
        return shown

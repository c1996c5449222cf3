"""Whether a session is on its router, in REST."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ...choices import SessionConfigurationChoices
from ...models import PeeringSession

__all__ = ("SessionConfigurationField",)


class ConfigurationStatusSerializer(serializers.Serializer):
    value = serializers.ChoiceField(choices=SessionConfigurationChoices)
    label = serializers.CharField()


class SessionConfigurationSerializer(serializers.Serializer):
    """`deployment` is the id of the one that it comes from, null when a comparison told it, or nothing has."""

    status = ConfigurationStatusSerializer()
    deployment = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField()
    as_of = serializers.DateTimeField(allow_null=True)


@extend_schema_field(SessionConfigurationSerializer)
class SessionConfigurationField(serializers.Field):
    """What deployments and comparisons know; a session without a row is not configured."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(source="*", read_only=True, **kwargs)

    def to_representation(self, session: PeeringSession) -> dict[str, Any]:
        row = getattr(session, "configuration", None)
        status = row.status if row else SessionConfigurationChoices.NOT_CONFIGURED
        return {
            "status": {"value": status, "label": str(dict(SessionConfigurationChoices)[status])},
            "deployment": row.deployment_id if row else None,
            "reason": row.reason if row else "",
            "as_of": row.as_of if row else None,
        }

"""Area `peeringdb`: REST representation of drift and its repairs."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from netbox.api.fields import ChoiceField, ContentTypeField
from netbox.api.gfk_fields import GFKSerializerField
from netbox.api.serializers import BaseModelSerializer

from ...choices import PeeringDBDriftChoices
from ...models import PeeringDBDrift
from ...services.peeringdb.drift_text import drift_text
from ...ui.drift import repairs_of

__all__ = ("DriftRepairedSerializer", "PeeringDBDriftSerializer", "repair_links")


class DriftRepairLinkSerializer(serializers.Serializer):
    """A page that mends a drift."""

    label = serializers.CharField()
    url = serializers.URLField()


def repair_links(drift: PeeringDBDrift, request: Request | None) -> list[dict[str, str]]:
    """Return the pages that mend `drift`, of those that the user of the request may use, the most likely first."""
    if request is None:
        return []
    return [
        {"label": link.label, "url": request.build_absolute_uri(link.url)}
        for link in repairs_of(drift, request.user)
    ]


class PeeringDBDriftSerializer(BaseModelSerializer):
    """
    Something that disagrees with PeeringDB; `text` says it, `details` are its values, `repairs` are the pages that mend
    it.
    """

    # There is no page for one of them.
    display_url = None
    kind = ChoiceField(choices=PeeringDBDriftChoices, read_only=True)
    object_type = ContentTypeField(read_only=True)
    object = GFKSerializerField(read_only=True)
    text = serializers.SerializerMethodField()
    repairs = serializers.SerializerMethodField()

    class Meta:
        model = PeeringDBDrift
        fields = (
            "id",
            "url",
            "display",
            "kind",
            "object_type",
            "object_id",
            "object",
            "text",
            "details",
            "found",
            "repairs",
        )
        brief_fields = ("id", "url", "display", "kind", "text")
        read_only_fields = ("object_id", "details", "found")

    @extend_schema_field(serializers.CharField())
    def get_text(self, drift: PeeringDBDrift) -> str:
        return drift_text(drift.kind, drift.details)

    @extend_schema_field(DriftRepairLinkSerializer(many=True))
    def get_repairs(self, drift: PeeringDBDrift) -> list[dict[str, str]]:
        return repair_links(drift, self.context.get("request"))

    @extend_schema_field(serializers.CharField())
    def get_display(self, drift: PeeringDBDrift) -> str:
        return f"{drift.get_kind_display()}: {drift.object}"


class DriftRepairedSerializer(serializers.Serializer):
    """What a repair changed: the field of the object, and its value before and after, in words."""

    object = serializers.CharField(source="target")
    field = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()

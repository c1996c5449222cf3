"""What was observed of sessions and routers, in REST: read only, since polls alone write it."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from netbox.api.fields import ChoiceField
from netbox.api.serializers import BaseModelSerializer

from ...choices import BGPStateChoices
from ...models import SessionState, UnknownNeighbor
from .routers import PeeringRouterSerializer

__all__ = ("SessionHistorySerializer", "SessionStateSerializer", "UnknownNeighborSerializer")


class SessionStateSerializer(serializers.ModelSerializer):
    """The last known state of a session. Stale: its router no longer answers, see `stale_since`."""

    bgp_state = ChoiceField(choices=BGPStateChoices, read_only=True)

    class Meta:
        model = SessionState
        fields = (
            "bgp_state",
            "reason",
            "since",
            "up_since",
            "last_established",
            "flaps",
            "polled",
            "stale_since",
            "stale_because",
            "ipv4_received",
            "ipv4_accepted",
            "ipv4_advertised",
            "ipv4_limit",
            "ipv6_received",
            "ipv6_accepted",
            "ipv6_advertised",
            "ipv6_limit",
        )
        read_only_fields = fields


class UnknownNeighborSerializer(BaseModelSerializer):
    """A BGP neighbour that a router has and NetBox does not."""

    # There is no page for one of them.
    display_url = None
    router = PeeringRouterSerializer(nested=True, read_only=True)
    bgp_state = ChoiceField(choices=BGPStateChoices, read_only=True)

    class Meta:
        model = UnknownNeighbor
        fields = (
            "id",
            "url",
            "display",
            "router",
            "vrf",
            "remote_ip",
            "remote_asn",
            "description",
            "bgp_state",
            "first_seen",
            "last_seen",
        )
        brief_fields = ("id", "url", "display", "remote_ip", "remote_asn")
        read_only_fields = fields


class SpanSerializer(serializers.Serializer):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    bgp_state = serializers.CharField(help_text=_('"" before the first state that was seen.'))
    reason = serializers.CharField()


class SeriesSerializer(serializers.Serializer):
    family = serializers.IntegerField(help_text=_("4 or 6."))
    counter = serializers.CharField(help_text=_("received, accepted or advertised."))
    points = serializers.SerializerMethodField(help_text=_("Pairs of a time and a number, oldest first."))

    @extend_schema_field(serializers.ListField(child=serializers.ListField()))
    def get_points(self, series) -> list:
        return [[point.at.isoformat(), point.value] for point in series.points]


class SessionHistorySerializer(serializers.Serializer):
    """The states that a session was in, without a gap, and its counters, at most 300 points of each."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    spans = SpanSerializer(many=True)
    series = SeriesSerializer(many=True)

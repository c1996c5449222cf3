"""Area `peers`: REST endpoint of peer ASNs."""

from django.db.models import QuerySet

from netbox.api.viewsets import NetBoxModelViewSet

from ...filtersets import PeerASNFilterSet
from ...models import PeerASN
from ..serializers import PeerASNSerializer

__all__ = ("PeerASNViewSet",)


class WithCounts:
    """For view sets: counts of what the user may see, where the answer holds them."""

    def get_queryset(self) -> QuerySet:
        queryset = super().get_queryset()
        return (
            queryset.with_counts(self.request.user) if "session_count" in self.response_fields else queryset
        )


class PeerASNViewSet(WithCounts, NetBoxModelViewSet):
    queryset = PeerASN.objects.select_related("asn")
    serializer_class = PeerASNSerializer
    filterset_class = PeerASNFilterSet


routes = (("peer-asns", PeerASNViewSet),)

"""Area `fabrics`: REST endpoints of fabrics, networks and connections."""

from django.db.models import QuerySet

from netbox.api.viewsets import NetBoxModelViewSet

from ... import filtersets
from ...models import PeeringConnection, PeeringFabric, PeeringNetwork
from .. import serializers


class WithCounts:
    """For view sets whose answers count what the user may view; not counted when the answer leaves it out."""

    def get_queryset(self) -> QuerySet:
        queryset = super().get_queryset()
        if any(field.endswith("_count") for field in self.response_fields):
            return queryset.with_counts(self.request.user)
        return queryset


class PeeringFabricViewSet(WithCounts, NetBoxModelViewSet):
    queryset = PeeringFabric.objects.all()
    serializer_class = serializers.PeeringFabricSerializer
    filterset_class = filtersets.PeeringFabricFilterSet


class PeeringNetworkViewSet(WithCounts, NetBoxModelViewSet):
    queryset = PeeringNetwork.objects.with_parents()
    serializer_class = serializers.PeeringNetworkSerializer
    filterset_class = filtersets.PeeringNetworkFilterSet


class PeeringConnectionViewSet(NetBoxModelViewSet):
    queryset = PeeringConnection.objects.with_parents()
    serializer_class = serializers.PeeringConnectionSerializer
    filterset_class = filtersets.PeeringConnectionFilterSet


routes = (
    ("fabrics", PeeringFabricViewSet),
    ("networks", PeeringNetworkViewSet),
    ("connections", PeeringConnectionViewSet),
)

"""Area `sessions`: REST endpoints of relationship types and peering sessions."""

from netbox.api.viewsets import NetBoxModelViewSet

from ...filtersets import PeeringSessionFilterSet, RelationshipFilterSet
from ...models import PeeringSession, Relationship
from ..serializers import PeeringSessionSerializer, RelationshipSerializer


class RelationshipViewSet(NetBoxModelViewSet):
    queryset = Relationship.objects.all()
    serializer_class = RelationshipSerializer
    filterset_class = RelationshipFilterSet


class PeeringSessionViewSet(NetBoxModelViewSet):
    queryset = PeeringSession.objects.with_bgp()
    serializer_class = PeeringSessionSerializer
    filterset_class = PeeringSessionFilterSet


routes = (("relationships", RelationshipViewSet), ("sessions", PeeringSessionViewSet))

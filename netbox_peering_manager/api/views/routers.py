"""Area `routers`: REST endpoint of peering routers."""

from netbox.api.viewsets import NetBoxModelViewSet

from ...filtersets import PeeringRouterFilterSet
from ...models import PeeringRouter
from ..serializers import PeeringRouterSerializer
from .peers import WithCounts

__all__ = ("PeeringRouterViewSet",)


class PeeringRouterViewSet(WithCounts, NetBoxModelViewSet):
    queryset = PeeringRouter.objects.with_device()
    serializer_class = PeeringRouterSerializer
    filterset_class = PeeringRouterFilterSet


routes = (("routers", PeeringRouterViewSet),)

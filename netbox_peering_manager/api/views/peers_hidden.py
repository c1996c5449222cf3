"""Area `peers`: REST endpoint of hidden peers."""

from django.db.models import QuerySet

from netbox.api.viewsets import NetBoxModelViewSet

from ...filtersets import HiddenPeerFilterSet
from ...models import HiddenPeer
from ..serializers import HiddenPeerSerializer


class HiddenPeerViewSet(NetBoxModelViewSet):
    queryset = HiddenPeer.objects.all()
    serializer_class = HiddenPeerSerializer
    filterset_class = HiddenPeerFilterSet

    def get_queryset(self) -> QuerySet:
        queryset = super().get_queryset()
        return queryset.with_standing() if "network_name" in self.response_fields else queryset


routes = (("hidden-peers", HiddenPeerViewSet),)

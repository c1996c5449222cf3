"""Area `peers`: REST lists of ports that we could peer with, of a fabric and of a peer ASN."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from ...filtersets import AvailablePortFilterSet
from ...models import PeerASN, PeeringDBNetIXLan, PeeringFabric
from ...services.provisioning.candidates import available_ports
from ..serializers import AvailablePortSerializer

__all__ = ("AvailablePeersView", "AvailableSessionsView")

APP = "netbox_peering_manager"


class SeesOurSide(BasePermission):
    """For who may view connections, and whatever else the view names: the mirror itself has no permissions."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.user.has_perms((f"{APP}.view_peeringconnection", *view.permissions_required))


class AvailablePortsView(ListAPIView):
    """Base of both lists. They take the filters of the pages, and leave out what these leave out."""

    permission_classes = (SeesOurSide,)
    serializer_class = AvailablePortSerializer
    filterset_class = AvailablePortFilterSet
    ordering_fields = (
        "id", "asn", "speed", "common_exchanges", "session_count", "missing_v4", "missing_v6",
        "net__name", "net__info_prefixes4", "net__info_prefixes6",
    )  # fmt: skip
    permissions_required: tuple[str, ...] = (f"{APP}.view_peeringfabric",)

    def get_queryset(self) -> QuerySet:
        if getattr(self, "swagger_fake_view", False):
            return PeeringDBNetIXLan.objects.none()
        return available_ports(self.request.user, **self.origin())

    def origin(self) -> dict[str, Any]:
        """Return the arguments of available_ports()."""
        raise NotImplementedError


class AvailablePeersView(AvailablePortsView):
    """Ports on a fabric that lack a session from one of our connections."""

    def origin(self) -> dict[str, Any]:
        fabrics = PeeringFabric.objects.restrict(self.request.user, "view")
        return {"fabric": get_object_or_404(fabrics, pk=self.kwargs["pk"])}

    @extend_schema(operation_id="peering_manager_fabric_available_peers")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)


class AvailableSessionsView(AvailablePortsView):
    """Ports of a network, wherever we meet it, that lack a session from one of our connections."""

    permissions_required = (f"{APP}.view_peeringfabric", f"{APP}.view_peerasn")

    def origin(self) -> dict[str, Any]:
        peers = PeerASN.objects.restrict(self.request.user, "view").select_related("asn")
        return {"asn": get_object_or_404(peers, pk=self.kwargs["pk"])}

    @extend_schema(operation_id="peering_manager_peer_asn_available_sessions")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)

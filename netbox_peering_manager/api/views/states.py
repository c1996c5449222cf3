"""What was observed of sessions and routers, in REST."""

from typing import Any

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from netbox.api.viewsets import BaseViewSet

from ...filtersets import UnknownNeighborFilterSet
from ...models import PeeringSession, UnknownNeighbor
from ...services.monitoring import history
from ...services.monitoring.ranges import DEFAULT_RANGE, RANGES
from ..serializers import SessionHistorySerializer, UnknownNeighborSerializer

__all__ = ("SessionHistoryView", "UnknownNeighborViewSet")

APP = "netbox_peering_manager"


class MayView(BasePermission):
    """For who may view `view.permission_required`: what polls found has no permission of its own."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if settings.LOGIN_REQUIRED and not request.user.is_authenticated:
            return False
        reads = request.method in SAFE_METHODS
        return reads and (request.method == "OPTIONS" or request.user.has_perm(view.permission_required))


class UnknownNeighborViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, BaseViewSet):
    """BGP neighbours that routers have and NetBox does not, of the routers that one may view. Polls write them."""

    queryset = UnknownNeighbor.objects.with_router()
    serializer_class = UnknownNeighborSerializer
    filterset_class = UnknownNeighborFilterSet
    permission_classes = [MayView]
    permission_required = f"{APP}.view_peeringrouter"


class SessionHistoryView(APIView):
    """The states and counters of a session over time."""

    permission_classes = [MayView]
    permission_required = f"{APP}.view_peeringsession"

    @extend_schema(
        operation_id="peering_manager_session_history",
        parameters=[
            OpenApiParameter(
                "range", OpenApiTypes.STR, enum=list(RANGES), description=f"Default: {DEFAULT_RANGE}."
            )
        ],
        responses={200: SessionHistorySerializer},
    )
    def get(self, request: Request, pk: int) -> Response:
        session = get_object_or_404(PeeringSession.objects.restrict(request.user, "view"), pk=pk)
        until = timezone.now()
        since = until - RANGES[_range_of(request)]
        told: dict[str, Any] = {
            "since": since,
            "until": until,
            "spans": history.timeline(session, since, until=until),
            "series": history.series(session, since, until=until),
        }
        return Response(SessionHistorySerializer(told).data)


def _range_of(request: Request) -> str:
    asked = request.query_params.get("range", DEFAULT_RANGE)
    if asked not in RANGES:
        raise ValidationError({"range": [_("One of {ranges}.").format(ranges=", ".join(RANGES))]})
    return asked


routes = (("unknown-neighbors", UnknownNeighborViewSet),)

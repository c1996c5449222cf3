"""Area `peeringdb`: REST endpoint of what disagrees with PeeringDB."""

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from netbox.api.viewsets import BaseViewSet
from users.models import Token

from ...exceptions import RepairError
from ...filtersets import PeeringDBDriftFilterSet
from ...models import PeeringDBDrift
from ...services.peeringdb.repairs import is_repairable, repair
from ...ui.peeringdb import sees_drift
from ..serializers import DriftRepairedSerializer, PeeringDBDriftSerializer, repair_links

__all__ = ("PeeringDBDriftViewSet",)


class DriftPermission(BasePermission):
    """
    For who may view any of the kinds of objects that drift is about; rows show with their objects.

    As everywhere in NetBox, changes need a token that may write.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if settings.LOGIN_REQUIRED and not request.user.is_authenticated:
            return False
        writes = request.method not in SAFE_METHODS
        if writes and isinstance(request.auth, Token) and not request.auth.write_enabled:
            return False
        return request.method == "OPTIONS" or sees_drift(request.user)


class PeeringDBDriftViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, BaseViewSet):
    """What disagrees with PeeringDB. A sync writes it; a repair is all that can be done to a row."""

    queryset = PeeringDBDrift.objects.with_objects()
    serializer_class = PeeringDBDriftSerializer
    filterset_class = PeeringDBDriftFilterSet
    permission_classes = [DriftPermission]

    @extend_schema(request=None, responses={200: DriftRepairedSerializer}, filters=False)
    @action(detail=True, methods=["post"], filterset_class=None)
    def repair(self, request: Request, pk: int) -> Response:
        """
        Repair a row: disable the session, take PeeringDB's value, unlink the peer, or decommission the connection, as
        its kind has it.

        Needs `change` on what is changed. 409 for a kind that no change here repairs, with the pages that do under
        `repairs`; 400 when the value is refused.
        """
        drift = get_object_or_404(PeeringDBDrift.objects.restrict(request.user, "view"), pk=pk)
        try:
            done = repair([drift.pk], request.user)
        except RepairError as error:
            return Response({"detail": str(error)}, status=status.HTTP_400_BAD_REQUEST)
        if done.steps:
            return Response(DriftRepairedSerializer(done.steps[0]).data)
        reason = done.left[0].reason if done.left else ""
        if is_repairable(drift.kind):
            raise PermissionDenied(reason or None)
        links = repair_links(drift, request)
        if links:
            pages = ", ".join(link["label"] for link in links)
            reason = _("There is no change here that mends it, but pages that do: {pages}.").format(
                pages=pages
            )
        return Response({"detail": reason, "repairs": links}, status=status.HTTP_409_CONFLICT)


routes = (("peeringdb/drift", PeeringDBDriftViewSet),)

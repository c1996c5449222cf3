"""Area `peeringdb`: REST endpoints of syncs with PeeringDB."""

from drf_spectacular.utils import OpenApiResponse, OpenApiTypes, extend_schema
from rest_framework import mixins, status
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.serializers import JobSerializer
from netbox.api.viewsets import BaseViewSet
from users.models import Token
from utilities.exceptions import RQWorkerNotRunningException
from utilities.rqworker import any_workers_for_queue

from ...filtersets import PeeringDBSyncFilterSet
from ...jobs.peeringdb import PeeringDBSyncJob
from ...models import PeeringDBSync
from ...services.peeringdb.runs import why_running
from ...services.permissions import is_unconstrained
from ..serializers import PeeringDBSyncInputSerializer, PeeringDBSyncSerializer

__all__ = ("PeeringDBSyncNowView", "PeeringDBSyncViewSet")

SYNC = "netbox_peering_manager.sync_peeringdbsync"


class PeeringDBSyncViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, BaseViewSet):
    """Syncs with PeeringDB, the last one first. They are written by syncs alone."""

    queryset = PeeringDBSync.objects.select_related("user")
    serializer_class = PeeringDBSyncSerializer
    filterset_class = PeeringDBSyncFilterSet


class SyncPermission(BasePermission):
    """For who may sync: a constraint has nothing here to be held against. A token must be one that may write."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if isinstance(request.auth, Token) and not request.auth.write_enabled:
            return False
        return is_unconstrained(request.user, SYNC)


class PeeringDBSyncNowView(APIView):
    """
    Sync with PeeringDB in the background. Answers with the job, whose data hold the progress.

    Needs `sync` on PeeringDB syncs.
    """

    permission_classes = [SyncPermission]

    @extend_schema(
        operation_id="peering_manager_peeringdb_sync",
        request=PeeringDBSyncInputSerializer,
        responses={
            202: JobSerializer,
            400: OpenApiResponse(OpenApiTypes.OBJECT, description="What does not go together."),
            409: OpenApiResponse(OpenApiTypes.OBJECT, description="A sync runs: who runs it, since when."),
            503: OpenApiResponse(OpenApiTypes.OBJECT, description="No worker runs that could do it."),
        },
    )
    def post(self, request: Request) -> Response:
        serializer = PeeringDBSyncInputSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        wanted = serializer.validated_data
        if reason := why_running():
            return Response({"detail": reason}, status=status.HTTP_409_CONFLICT)
        if not any_workers_for_queue(PeeringDBSyncJob.queue()):
            raise RQWorkerNotRunningException
        job = PeeringDBSyncJob.enqueue(
            user=request.user, full=wanted["full"], tags=wanted["only"], asn=wanted["asn"]
        )
        return Response(
            JobSerializer(job, context={"request": request}).data, status=status.HTTP_202_ACCEPTED
        )


routes = (("peeringdb/syncs", PeeringDBSyncViewSet),)

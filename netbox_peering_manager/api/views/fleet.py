"""Area `deployments`: REST: many routers at once, and configuration drift."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, OpenApiTypes, extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.serializers import JobSerializer
from netbox.api.viewsets import BaseViewSet
from users.models import Token

from ...exceptions import DeploymentRefused
from ...filtersets import DeploymentBatchFilterSet
from ...jobs.drift import DriftJob
from ...jobs.fleet import start_batch
from ...models import DeploymentBatch, PeeringRouter, RouterState
from ...services.deployment import fleet
from ...services.deployment.drift import why_not_compare
from ...tables.drift import state_of_router
from ..serializers.deployments import ReasonSerializer
from ..serializers.fleet import (
    DeploymentBatchSerializer,
    DeployRoutersInputSerializer,
    RouterDriftSerializer,
)

__all__ = ("DeployRoutersView", "DeploymentBatchViewSet", "RouterDriftView")

APP = "netbox_peering_manager"
VIEW, ADD, COMMIT = (f"{APP}.{action}_deployment" for action in ("view", "add", "commit"))
REFUSED = OpenApiResponse(OpenApiTypes.OBJECT, description="Why it is refused. Nothing was made.")


class _MayWrite(BasePermission):
    """A user with any of these rights; to write, a token that may."""

    reads_with: tuple[str, ...] = (VIEW,)
    writes_with: tuple[str, ...] = (ADD,)

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        if settings.LOGIN_REQUIRED and not user.is_authenticated:
            return False
        if request.method in SAFE_METHODS:
            return request.method == "OPTIONS" or any(user.has_perm(each) for each in self.reads_with)
        if isinstance(request.auth, Token) and not request.auth.write_enabled:
            return False
        return any(user.has_perm(each) for each in self.writes_with)


class BatchPermission(_MayWrite):
    """Who may view or ask for deployments; which batches, and who stops one, is decided by their deployments."""

    reads_with = (VIEW, ADD)
    writes_with = (VIEW, ADD)


class DriftPermission(_MayWrite):
    """A difference shows what deployments show; comparing takes what asking for a comparison takes."""


class DeployPermission(_MayWrite):
    """Who may ask for deployments."""


class DeploymentBatchViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, BaseViewSet):
    """Deployments of several routers at once, the last first: one's own, and those with a deployment one may view."""

    queryset = DeploymentBatch.objects.select_related("user")
    serializer_class = DeploymentBatchSerializer
    filterset_class = DeploymentBatchFilterSet
    permission_classes = [BatchPermission]

    def get_queryset(self) -> QuerySet:
        return super().get_queryset().with_counts(self.request.user)

    @extend_schema(
        request=ReasonSerializer,
        responses={
            200: DeploymentBatchSerializer,
            409: OpenApiResponse(OpenApiTypes.OBJECT, description="It was stopped already."),
        },
        filters=False,
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def stop(self, request: Request, pk: int) -> Response:
        """
        Begin nothing more of it, and cancel what waits. What is being sent at this moment is confirmed, or goes back.

        For who asked for it, and who may commit all of its deployments.
        """
        batch = get_object_or_404(DeploymentBatch.objects.restrict(request.user, "view"), pk=pk)
        refusal = fleet.why_not_stop(batch, request.user)
        if refusal and not batch.stopped:
            raise PermissionDenied(refusal)
        given = ReasonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            fleet.stop(batch, request.user, given.validated_data["reason"])
        except DeploymentRefused as error:
            return Response({"detail": str(error)}, status=status.HTTP_409_CONFLICT)
        return Response(_shown(batch, request))


class DeployRoutersView(APIView):
    """
    Compare and configure many routers, one deployment each, in the background. Answers with the batch.

    Needs `add` on deployments, and `commit` unless `compare_only`. A router that the user may not view, or that is
    refused, is listed in the batch with the reason and counts as a failure.
    """

    permission_classes = [DeployPermission]

    @extend_schema(
        operation_id="peering_manager_routers_deploy",
        request=DeployRoutersInputSerializer,
        responses={202: DeploymentBatchSerializer, 400: REFUSED},
    )
    def post(self, request: Request) -> Response:
        given = DeployRoutersInputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        if not wanted["compare_only"] and not request.user.has_perm(COMMIT):
            raise PermissionDenied
        visible = (
            PeeringRouter.objects.restrict(request.user, "view").with_access().in_bulk(wanted["routers"])
        )
        # Each once, in their order.
        chosen = list(dict.fromkeys(wanted["routers"]))
        if missing := [pk for pk in chosen if pk not in visible]:
            # Named by who asked; what may not be seen is told as what is not there.
            return Response(
                {"routers": [_("There is no router with ID {pk}.").format(pk=pk) for pk in missing]},
                status=status.HTTP_400_BAD_REQUEST,
            )
        batch = start_batch(
            [visible[pk] for pk in chosen],
            request.user,
            automatic=not wanted["compare_only"] and wanted["scheduled"] is None,
            scheduled=wanted["scheduled"],
            max_failures=wanted["max_failures"],
            reason=wanted["reason"],
        )
        return Response(_shown(batch, request), status=status.HTTP_202_ACCEPTED)


class RouterDriftView(APIView):
    """Whether a router has the configuration that NetBox would give it."""

    permission_classes = [DriftPermission]

    @extend_schema(
        operation_id="peering_manager_routers_drift",
        responses={200: RouterDriftSerializer},
    )
    def get(self, request: Request, pk: int) -> Response:
        """What the last comparison found. Needs `view` on deployments and on the router."""
        router = self._router(request, pk)
        state = state_of_router(router) or RouterState(router=router)
        return Response(RouterDriftSerializer(state, context={"request": request}).data)

    @extend_schema(
        operation_id="peering_manager_routers_compare",
        request=None,
        responses={202: JobSerializer, 409: REFUSED},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Compare now, in the background; nothing is changed. Needs `add` on deployments. Answers with the job."""
        router = self._router(request, pk)
        if reason := why_not_compare(router):
            return Response({"detail": reason}, status=status.HTTP_409_CONFLICT)
        job = DriftJob.start(router, request.user)
        return Response(
            JobSerializer(job, context={"request": request}).data, status=status.HTTP_202_ACCEPTED
        )

    @staticmethod
    def _router(request: Request, pk: int) -> PeeringRouter:
        routers: QuerySet = PeeringRouter.objects.restrict(request.user, "view").with_access()
        return get_object_or_404(routers.select_related("state"), pk=pk)


def _shown(batch: DeploymentBatch, request: Request) -> dict[str, Any]:
    found = DeploymentBatch.objects.select_related("user").with_counts(request.user).get(pk=batch.pk)
    return dict(DeploymentBatchSerializer(found, context={"request": request}).data)


routes = (("deployment-batches", DeploymentBatchViewSet),)

"""Area `sessions`: REST: deleted sessions that a router may still have, and taking them off it now."""

from typing import Any

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiResponse, OpenApiTypes, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ...models import PeeringRouter, RemovedSession
from ...services.deployment import together
from ...services.permissions import is_unconstrained
from ...ui.drift_routers import removed_of
from ..serializers.deployments import DeploymentSerializer
from ..serializers.sessions_removed import RemovedSessionSerializer, RemoveSessionsInputSerializer
from .deployments_asking import REFUSED, Asking, MayDeploy

__all__ = ("RemoveSessionsView", "RemovedSessionsView")

APP = "netbox_peering_manager"


class SeesEverySession(BasePermission):
    """Who may view every session: a deleted one has nothing left that a constraint could be held against."""

    message = gettext_lazy("Removed sessions are for who may view every peering session.")

    def has_permission(self, request: Request, view: APIView) -> bool:
        if settings.LOGIN_REQUIRED and not request.user.is_authenticated:
            return False
        return is_unconstrained(request.user, f"{APP}.view_peeringsession")


class MayRemove(MayDeploy):
    """Who may add and commit deployments: what is removed is sent without anybody looking at it first."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return super().has_permission(request, view) and request.user.has_perm(f"{APP}.commit_deployment")


class _OfRouter(APIView):
    @cached_property
    def router(self) -> PeeringRouter:
        """The router of the address. 404 when there is none that the user may view."""
        routers = PeeringRouter.objects.restrict(self.request.user, "view").with_access()
        return get_object_or_404(routers, pk=self.kwargs["pk"])


class RemovedSessionsView(_OfRouter, ListAPIView):
    """Deleted sessions that the router may still have: those whose relationship says that they go from there too."""

    permission_classes = (SeesEverySession,)
    serializer_class = RemovedSessionSerializer
    filter_backends = ()
    queryset = RemovedSession.objects.none()

    def get_queryset(self) -> Any:
        return removed_of(self.router, self.request.user)

    @extend_schema(operation_id="peering_manager_routers_removed_sessions")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)


class RemoveSessionsView(_OfRouter, Asking):
    """
    Take removed sessions off the router now: one deployment, compared and committed as the router's rules allow.

    Needs `view` on the router and, without constraints, on peering sessions; `add` and `commit` on deployments.
    """

    permission_classes = [MayRemove, SeesEverySession]

    @extend_schema(
        operation_id="peering_manager_routers_remove_sessions",
        request=RemoveSessionsInputSerializer,
        responses={
            201: DeploymentSerializer,
            400: OpenApiResponse(
                OpenApiTypes.OBJECT, description="Which ids are none of the router's removed sessions."
            ),
            409: REFUSED,
        },
    )
    def post(self, request: Request, pk: int) -> Response:
        router, wanted = self.router, self.wanted(RemoveSessionsInputSerializer)
        known = {row.pk for row in removed_of(router, request.user)}
        if strangers := sorted(set(wanted["removed"]) - known):
            raise ValidationError(
                {
                    "removed": [
                        _("{router} has no removed session with ID {ids}.").format(
                            router=router, ids=", ".join(map(str, strangers))
                        )
                    ]
                }
            )
        return self.ask(lambda: together.remove_sessions(**wanted, user=request.user))

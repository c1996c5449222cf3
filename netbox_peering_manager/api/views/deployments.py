"""Area `deployments`: REST endpoint of deployments and what can be done with one."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, OpenApiTypes, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import MethodNotAllowed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from netbox.api.viewsets import NetBoxModelViewSet
from users.models import Token
from utilities.exceptions import AbortRequest

from ...filtersets import DeploymentFilterSet
from ...jobs.deployments import DeploymentJob
from ...models import Deployment
from ...services.deployment import decisions, rights, together
from ...views.deployments_actions import go_on
from ..serializers.deployments import (
    LONG,
    DeploymentSerializer,
    ReasonSerializer,
    ScheduleInputSerializer,
)

__all__ = ("DeploymentViewSet", "MayWrite")

# The difference is read for its numbers of lines.
DEFERRED = ("masked_text", "sessions_before", "sessions_after")
DECISION = {
    200: DeploymentSerializer,
    409: OpenApiResponse(OpenApiTypes.OBJECT, description="Why it is not allowed. Nothing changed."),
}


class MayWrite(BasePermission):
    """A logged-in user, and a token that may write. The services decide what the user may do."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if isinstance(request.auth, Token) and not request.auth.write_enabled:
            return request.method in SAFE_METHODS
        return bool(request.user and request.user.is_authenticated) or (
            request.method in SAFE_METHODS and not settings.LOGIN_REQUIRED
        )


def decision(serializer: type | None) -> Callable:
    """An action by POST on one deployment, with the schema that all of them have."""

    def decorate(method: Callable) -> Callable:
        described = extend_schema(request=serializer, responses=DECISION, filters=False)(method)
        return action(detail=True, methods=["post"], permission_classes=[MayWrite], filterset_class=None)(
            described
        )

    return decorate


class DeploymentViewSet(NetBoxModelViewSet):
    """
    Deployments. They are asked for on routers and sessions (`configure/`), and deleted once they have ended.

    Texts are masked; lists leave out what is long (texts, neighbours, targets, steps), unless `fields` names it.
    """

    queryset = Deployment.objects.with_people().defer("encrypted_text")
    serializer_class = DeploymentSerializer
    filterset_class = DeploymentFilterSet

    @cached_property
    def field_kwargs(self) -> dict[str, Any]:
        kwargs = super().field_kwargs
        if self.action == "list" and "fields" not in kwargs:
            return {"omit": [*kwargs.get("omit", ()), *LONG]}
        return kwargs

    def get_queryset(self) -> QuerySet:
        queryset = super().get_queryset()
        if self.request.method in ("PUT", "PATCH"):
            # What is saved is the whole row: nobody may move the deployment in between.
            return queryset.select_for_update(of=("self",))
        return queryset.defer(*(name for name in DEFERRED if name not in self.response_fields))

    @transaction.atomic
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().update(request, *args, **kwargs)

    @transaction.atomic
    def bulk_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().bulk_update(request, *args, **kwargs)

    @extend_schema(exclude=True)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Refuse: a deployment comes of asking for something to be deployed."""
        raise MethodNotAllowed(request.method)

    def perform_destroy(self, instance: Deployment) -> None:
        if not instance.has_ended:
            raise AbortRequest(_("{deployment} has not ended: cancel it first.").format(deployment=instance))
        super().perform_destroy(instance)

    @decision(ReasonSerializer)
    def approve(self, request: Request, pk: int) -> Response:
        """Approve what was compared. It goes on by itself when it is automatic or scheduled."""
        return self._decide(request, pk, rights.APPROVE, self._approve)

    @decision(ReasonSerializer)
    def reject(self, request: Request, pk: int) -> Response:
        """Do not approve it: it is cancelled."""
        return self._decide(
            request,
            pk,
            rights.APPROVE,
            lambda one: decisions.reject(one, request.user, self._reason(request)),
        )

    @decision(ReasonSerializer)
    def cancel(self, request: Request, pk: int) -> Response:
        """Cancel it, before anything is sent."""
        return self._decide(
            request, pk, "", lambda one: decisions.cancel(one, request.user, self._reason(request))
        )

    @decision(ReasonSerializer)
    def end(self, request: Request, pk: int) -> Response:
        """End it as failed, when nothing can be found out about what was sent. `reason`: what is on the router now."""
        return self._decide(
            request,
            pk,
            rights.COMMIT,
            lambda one: decisions.end(one, request.user, self._reason(request)),
        )

    @decision(ScheduleInputSerializer)
    def schedule(self, request: Request, pk: int) -> Response:
        """Have it sent at a time."""
        return self._decide(request, pk, rights.COMMIT, self._schedule)

    @decision(None)
    def commit(self, request: Request, pk: int) -> Response:
        """Send it now, in a background job."""
        return self._decide(request, pk, rights.COMMIT, self._commit)

    def _approve(self, deployment: Deployment) -> None:
        decisions.approve(deployment, self.request.user, self._reason(self.request))
        go_on(deployment, self.request.user)

    def _schedule(self, deployment: Deployment) -> None:
        when = self._input(ScheduleInputSerializer, self.request)["scheduled"]
        decisions.schedule(deployment, self.request.user, when)

    def _commit(self, deployment: Deployment) -> None:
        decisions.release(deployment, self.request.user)
        DeploymentJob.start(deployment, self.request.user)

    def _decide(self, request: Request, pk: int, right: str, do: Callable[[Deployment], None]) -> Response:
        # A POST would want the right to add deployments.
        seen: QuerySet = Deployment.objects.restrict(request.user, "view").with_people()
        deployment = get_object_or_404(seen, pk=pk)
        # To cancel takes another right of who asked for it than of others.
        mine = deployment.requested_by_id == request.user.pk
        if not rights.may(request.user, right or (rights.ADD if mine else rights.CHANGE), deployment):
            raise PermissionDenied
        try:
            do(deployment)
        except together.REFUSALS as error:
            return Response({"detail": str(error)}, status=status.HTTP_409_CONFLICT)
        shown = Deployment.objects.with_people().prefetch_related("targets", "steps", "tags").get(pk=pk)
        return Response(DeploymentSerializer(shown, context=self.get_serializer_context()).data)

    def _reason(self, request: Request) -> str:
        return str(self._input(ReasonSerializer, request)["reason"])

    @staticmethod
    def _input(serializer: type, request: Request) -> dict[str, Any]:
        given = serializer(data=request.data)
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)


routes = (("deployments", DeploymentViewSet),)

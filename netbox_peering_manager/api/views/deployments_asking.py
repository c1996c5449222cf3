"""Area `deployments`: REST: asking for routers and sessions to be configured, for commands, for admin up and down."""

from collections.abc import Callable
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from drf_spectacular.utils import OpenApiResponse, OpenApiTypes, extend_schema
from rest_framework import status
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from users.models import Token

from ...choices import DeploymentKindChoices
from ...jobs.deployments import DeploymentJob
from ...models import Deployment, PeeringRouter, PeeringSession
from ...services.deployment import asking, together
from ...services.deployment.switching import switch_sessions
from ...services.devices.credentials import Credentials
from ..serializers.deployments import (
    AskedSerializer,
    CommandsInputSerializer,
    ConfigureInputSerializer,
    ConfigureRouterInputSerializer,
    ConfigureSessionsInputSerializer,
    DeploymentSerializer,
    ReasonSerializer,
)

__all__ = (
    "AdminDownView",
    "AdminUpView",
    "Asking",
    "ConfigureRouterView",
    "ConfigureSessionView",
    "ConfigureSessionsView",
    "MayDeploy",
    "RunCommandsView",
    "refuse_configuring",
    "told",
)

APP = "netbox_peering_manager"
REFUSED = OpenApiResponse(OpenApiTypes.OBJECT, description="Why it is refused. Nothing was made.")


class MayDeploy(BasePermission):
    """Who may add deployments, with a token that may write. All else is decided by the services."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if isinstance(request.auth, Token) and not request.auth.write_enabled:
            return False
        return bool(request.user.has_perm(f"{APP}.add_deployment"))


def refuse_configuring(user: Any) -> None:
    """PermissionDenied for who may not have sessions configured as soon as they are made."""
    if not user.has_perms((f"{APP}.add_deployment", f"{APP}.commit_deployment")):
        raise PermissionDenied(
            _("You may not configure routers: it takes add and commit on deployments. Nothing was made.")
        )


def told(asked: together.Asked, request: Request) -> dict[str, Any]:
    """Return what came of asking for several sessions, as AskedSerializer shows it."""
    answer = {
        "batch": asked.batch.pk if asked.batch else None,
        "deployments": shown(asked),
        "refused": [
            {
                "router": refused.router,
                "sessions": list(refused.sessions),
                "reason": refused.reason,
            }
            for refused in asked.refused
        ],
    }
    return dict(AskedSerializer(answer, context={"request": request}).data)


def shown(asked: together.Asked) -> list[Deployment]:
    """Return the deployments as they are now, with what showing them takes; what one asked for, one may look at."""
    found = Deployment.objects.with_people().prefetch_related("targets", "steps", "tags")
    return list(found.filter(pk__in=[one.pk for one in asked.deployments]).order_by("pk"))


class Asking(APIView):
    """Base: answers 201 with what came of it, 409 with the reason when it is refused."""

    permission_classes = [MayDeploy]
    input_serializer: type[Serializer]

    def ask(self, ask: Callable[[], together.Asked], *, several: bool = False) -> Response:
        try:
            asked = ask()
        except together.REFUSALS as error:
            return Response({"detail": str(error)}, status=status.HTTP_409_CONFLICT)
        for deployment in asked.deployments:
            DeploymentJob.start(deployment, self.request.user)
        if several:
            made = status.HTTP_201_CREATED if asked.deployments else status.HTTP_409_CONFLICT
            return Response(told(asked, self.request), status=made)
        if asked.refused:
            return Response({"detail": asked.refused[0].reason}, status=status.HTTP_409_CONFLICT)
        [deployment] = shown(asked)
        serializer = DeploymentSerializer(deployment, context={"request": self.request})
        return Response(serializer.data, status=status.HTTP_201_CREATED)

    def wanted(self, serializer: type[Serializer]) -> dict[str, Any]:
        """Return what was sent, checked."""
        given = serializer(data=self.request.data)
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)


class ConfigureRouterView(Asking):
    """
    Configure a router, or some of its sessions: compare, and commit as soon as the router's rules allow.

    Needs `add` on deployments, and `commit` unless `compare_only`; `view` on the router and on every session of it.
    """

    @extend_schema(
        operation_id="peering_manager_routers_configure",
        request=ConfigureRouterInputSerializer,
        responses={201: DeploymentSerializer, 409: REFUSED},
    )
    def post(self, request: Request, pk: int) -> Response:
        wanted = self.wanted(ConfigureRouterInputSerializer)
        routers = PeeringRouter.objects.restrict(request.user, "view").with_access()
        router = get_object_or_404(routers, pk=pk)
        compare_only = wanted.pop("compare_only")
        automatic = not compare_only and wanted["scheduled"] is None
        return self.ask(
            lambda: together.Asked((asking.request(router, request.user, automatic=automatic, **wanted),))
        )


class ConfigureSessionView(Asking):
    """Configure one session. As for a router."""

    @extend_schema(
        operation_id="peering_manager_sessions_configure",
        request=ConfigureInputSerializer,
        responses={201: DeploymentSerializer, 409: REFUSED},
    )
    def post(self, request: Request, pk: int) -> Response:
        wanted = self.wanted(ConfigureInputSerializer)
        session = get_object_or_404(PeeringSession.objects.restrict(request.user, "view"), pk=pk)
        return self.ask(lambda: _configure([session.pk], request.user, wanted))


class ConfigureSessionsView(Asking):
    """
    Configure sessions of any routers: one deployment for each router, all of one batch.

    Sessions that the user may not view are left out. What one router refuses does not keep the others; 409 when all do.
    """

    @extend_schema(
        operation_id="peering_manager_sessions_configure_several",
        request=ConfigureSessionsInputSerializer,
        responses={201: AskedSerializer, 409: AskedSerializer},
    )
    def post(self, request: Request) -> Response:
        wanted = self.wanted(ConfigureSessionsInputSerializer)
        sessions = wanted.pop("sessions")
        return self.ask(lambda: _configure(sessions, request.user, wanted), several=True)


@method_decorator(sensitive_post_parameters(), name="dispatch")
class RunCommandsView(Asking):
    """
    Send commands to a router once, with one's own login if one likes; they are kept nowhere in clear.

    Needs `add` and `run_commands` on deployments. With a login of one's own they are compared and committed in one go
    (needs `commit`); without, they are compared, and committed by `deployments/<id>/commit/`.
    """

    @extend_schema(
        operation_id="peering_manager_routers_commands",
        request=CommandsInputSerializer,
        responses={201: DeploymentSerializer, 409: REFUSED},
    )
    @method_decorator(sensitive_variables())
    def post(self, request: Request, pk: int) -> Response:
        wanted = self.wanted(CommandsInputSerializer)
        routers = PeeringRouter.objects.restrict(request.user, "view").with_access()
        router = get_object_or_404(routers, pk=pk)
        credentials = None
        if wanted["username"]:
            credentials = Credentials(username=wanted["username"], password=wanted["password"])
        return self.ask(
            lambda: together.Asked(
                (
                    asking.request(
                        router,
                        request.user,
                        kind=DeploymentKindChoices.COMMANDS,
                        commands=wanted["commands"],
                        credentials=credentials,
                        automatic=credentials is not None,
                        reason=wanted["reason"],
                    ),
                )
            )
        )


class _Switching(Asking):
    enabled: bool

    def switch(self, pk: int) -> Response:
        wanted = self.wanted(ReasonSerializer)
        session = get_object_or_404(PeeringSession.objects.restrict(self.request.user, "view"), pk=pk)
        return self.ask(
            lambda: switch_sessions([session.pk], self.request.user, enabled=self.enabled, **wanted)
        )


class AdminUpView(_Switching):
    """Switch a session on in NetBox and deploy that. Needs `change` on the session and its BGP peer as well."""

    enabled = True

    @extend_schema(
        operation_id="peering_manager_sessions_admin_up",
        request=ReasonSerializer,
        responses={201: DeploymentSerializer, 409: REFUSED},
    )
    def post(self, request: Request, pk: int) -> Response:
        return self.switch(pk)


class AdminDownView(_Switching):
    """Switch a session off in NetBox and deploy that. Needs `change` on the session and its BGP peer as well."""

    enabled = False

    @extend_schema(
        operation_id="peering_manager_sessions_admin_down",
        request=ReasonSerializer,
        responses={201: DeploymentSerializer, 409: REFUSED},
    )
    def post(self, request: Request, pk: int) -> Response:
        return self.switch(pk)


def _configure(sessions: list[int], user: Any, wanted: dict[str, Any]) -> together.Asked:
    compare_only = wanted.pop("compare_only")
    automatic = not compare_only and wanted["scheduled"] is None
    return together.configure_sessions(sessions, user, automatic=automatic, **wanted)

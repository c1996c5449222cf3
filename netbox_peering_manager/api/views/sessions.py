"""Area `sessions`: REST endpoints of relationship types and peering sessions."""

from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_view,
)
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.response import Response
from rest_framework.serializers import BooleanField

from netbox.api.viewsets import NetBoxModelViewSet
from netbox.api.viewsets.mixins import discard_events_on_rollback

from ...exceptions import ProvisioningError, SecretError
from ...filtersets import PeeringSessionFilterSet, RelationshipFilterSet
from ...jobs.deployments import DeploymentJob
from ...models import PeeringSession, Relationship
from ...services import secrets
from ...services.deployment.together import configure_sessions
from ...services.provisioning.create import NewSession, create_sessions
from ...services.provisioning.removal import bgp_peers_to_delete, delete_session
from ..serializers import (
    CreatedAndConfiguredSerializer,
    NewSessionSerializer,
    PasswordSerializer,
    PeeringSessionSerializer,
    RelationshipSerializer,
)
from . import sessions_add
from .deployments_asking import refuse_configuring, told

DELETE_BGP_PEER = "delete_bgp_peer"
WITH_BGP_PEER = OpenApiParameter(
    DELETE_BGP_PEER,
    OpenApiTypes.BOOL,
    description="Also delete the BGP peers that the sessions wrap (default: no).",
)


class RelationshipViewSet(NetBoxModelViewSet):
    queryset = Relationship.objects.all()
    serializer_class = RelationshipSerializer
    filterset_class = RelationshipFilterSet


@extend_schema_view(destroy=extend_schema(parameters=[WITH_BGP_PEER]))
class PeeringSessionViewSet(NetBoxModelViewSet):
    """
    Peering sessions. Their passwords go in and never come out, except by `password`, for those who may see
    them.
    """

    queryset = PeeringSession.objects.with_bgp().with_state()
    serializer_class = PeeringSessionSerializer
    filterset_class = PeeringSessionFilterSet

    def _handle_background_request(self, request, action, action_kwargs=None):
        # The request would wait in the job queue as it is, and so would the passwords in it.
        if (
            isinstance(request.data, list)
            and self._background_requested(request)
            and _has_password(request.data)
        ):
            raise ValidationError(
                {"password": [_("Passwords are not put into the job queue: leave out background=true.")]}
            )
        return super()._handle_background_request(request, action, action_kwargs)

    @extend_schema(parameters=[WITH_BGP_PEER])
    def bulk_destroy(self, request, *args, **kwargs):
        return super().bulk_destroy(request, *args, **kwargs)

    def perform_destroy(self, instance):
        if not self._with_bgp_peer():
            return super().perform_destroy(instance)
        if not bgp_peers_to_delete(self.request.user, [instance]):
            raise PermissionDenied(_("You may not delete the BGP peer of this session."))
        using = self.queryset.db
        with transaction.atomic(using=using), discard_events_on_rollback(self, using=using):
            delete_session(instance, with_bgp_peer=True)
        return None

    def _with_bgp_peer(self) -> bool:
        try:
            return BooleanField().run_validation(self.request.query_params.get(DELETE_BGP_PEER, False))
        except ValidationError as error:
            raise ValidationError({DELETE_BGP_PEER: error.detail}) from error

    @extend_schema(
        request=NewSessionSerializer(many=True),
        responses={
            201: PolymorphicProxySerializer(
                component_name="CreatedSessions",
                serializers=[PeeringSessionSerializer(many=True), CreatedAndConfiguredSerializer],
                resource_type_field_name=None,
                many=False,
            )
        },
        filters=False,
    )
    @action(detail=False, methods=["post"], url_path="create", url_name="create", filterset_class=None)
    def create_with_peers(self, request):
        """
        Make one session, or a list of them, with everything they take: AS number, addresses, BGP peer,
        address family.

        All or none. Answers with the list of sessions; when any is to be configured with an object of them
        (`sessions`) and what came of asking for that.
        """
        several = isinstance(request.data, list)
        serializer = NewSessionSerializer(
            data=request.data, many=several, context=self.get_serializer_context()
        )
        serializer.is_valid(raise_exception=True)
        wanted = [
            dict(data) for data in (serializer.validated_data if several else [serializer.validated_data])
        ]
        configured = [data.pop("configure") for data in wanted]
        if any(configured):
            refuse_configuring(request.user)
        try:
            with transaction.atomic(), discard_events_on_rollback(self):
                made = create_sessions([NewSession(**data) for data in wanted], request.user)
        except ProvisioningError as error:
            raise ValidationError(_as_detail(error, len(wanted) if several else None)) from error
        asked = self._configured([session.pk for session, yes in zip(made, configured, strict=True) if yes])
        shown = self.get_queryset().filter(pk__in=[session.pk for session in made]).order_by("pk")
        answer = self.get_serializer(shown, many=True).data
        if asked is not None:
            answer = {"sessions": answer, **told(asked, request)}
        return Response(answer, status=status.HTTP_201_CREATED)

    def _configured(self, sessions):
        """Have sessions sent to their routers in the background; None without any."""
        if not sessions:
            return None
        asked = configure_sessions(sessions, self.request.user, automatic=True)
        for deployment in asked.deployments:
            DeploymentJob.start(deployment, self.request.user)
        return asked

    @extend_schema(responses={200: PasswordSerializer})
    @action(detail=True, methods=["get"], url_path="password", url_name="password", filterset_class=None)
    def password(self, request, pk):
        """
        Return the session's password in clear, for users with view_session_secrets on it; 404 to all others.
        """
        self.queryset = self.queryset.restrict(request.user, secrets.ACTION)
        session = self.get_object()
        try:
            data = {"password": secrets.reveal_password(session)}
        except SecretError as error:
            return Response({"detail": str(error)}, status=status.HTTP_409_CONFLICT)
        return Response(data, headers={"Cache-Control": "no-store"})


def _has_password(entries: list) -> bool:
    return any(isinstance(entry, dict) and "password" in entry for entry in entries)


def _as_detail(error: ProvisioningError, count: int | None) -> dict | list:
    """
    Return the errors by field; of several sessions, one such entry each, empty for those without errors.
    """
    detail = {name or "non_field_errors": messages for name, messages in error.errors.items()}
    if count is None:
        return detail
    return [detail if position == error.position else {} for position in range(count)]


routes = (("relationships", RelationshipViewSet), ("sessions", PeeringSessionViewSet), *sessions_add.routes)

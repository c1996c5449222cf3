"""Area `monitoring`: REST: asking routers for the states of their sessions. Each answers with the jobs that do it."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, OpenApiTypes, extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.serializers import JobSerializer
from core.models import Job
from users.models import Token
from utilities.exceptions import RQWorkerNotRunningException
from utilities.rqworker import any_workers_for_queue

from ...exceptions import PollRefused
from ...jobs.monitoring import PollJob, start_polls
from ...models import PeerASN, PeeringFabric, PeeringNetwork, PeeringRouter, PeeringSession
from ...services.monitoring.poll import routers_of, routers_to_poll
from ..serializers.polls import PollRoutersInputSerializer, PollSessionsInputSerializer

__all__ = ("urls",)

APP = "netbox_peering_manager"
ANSWERS = {
    202: JobSerializer(many=True),
    409: OpenApiResponse(OpenApiTypes.OBJECT, description="Why no router can be asked. No job was made."),
    503: OpenApiResponse(OpenApiTypes.OBJECT, description="No worker runs that could do it."),
}


class MayPoll(BasePermission):
    """Who may poll any router at all, with a token that may write. Which ones, the service decides."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if isinstance(request.auth, Token) and not request.auth.write_enabled:
            return False
        return bool(request.user.has_perm(f"{APP}.poll_peeringrouter"))


class _Poll(APIView):
    """Base: 202 with one job per router; of a router whose poll waits or runs already, that job."""

    permission_classes = [MayPoll]

    def start(self, routers: Sequence[PeeringRouter]) -> list[Job]:
        if not any_workers_for_queue(PollJob.queue()):
            raise RQWorkerNotRunningException
        jobs = start_polls(routers, self.request.user)
        # With what showing them takes.
        shown = Job.objects.select_related("user", "object_type").prefetch_related("object__device")
        by_id = shown.in_bulk([job.pk for job in jobs])
        return [by_id[job.pk] for job in jobs]

    def answer(self, jobs: Job | list[Job]) -> Response:
        serializer = JobSerializer(jobs, many=isinstance(jobs, list), context={"request": self.request})
        return Response(serializer.data, status=status.HTTP_202_ACCEPTED)

    def poll_sessions(self, sessions: QuerySet) -> Response:
        """`sessions` are those that the user may view."""
        try:
            routers = routers_of(sessions, self.request.user)
        except PollRefused as error:
            return Response({"detail": str(error)}, status=status.HTTP_409_CONFLICT)
        return self.answer(self.start(routers))

    def visible(self, model: Any) -> QuerySet:
        return model.objects.restrict(self.request.user, "view")

    def wanted(self, serializer_class: Any, name: str) -> list[int] | None:
        given = serializer_class(data=self.request.data)
        given.is_valid(raise_exception=True)
        return given.validated_data[name]


class PollRouterView(_Poll):
    """Ask a router for the states of its sessions. Needs `poll` on the router."""

    @extend_schema(
        operation_id="peering_manager_routers_poll", request=None, responses={**ANSWERS, 202: JobSerializer}
    )
    def post(self, request: Request, pk: int) -> Response:
        router = get_object_or_404(self.visible(PeeringRouter), pk=pk)
        if not (found := routers_to_poll(request.user, [router.pk])):
            self.permission_denied(request, _("You may not poll {router}.").format(router=router))
        return self.answer(self.start(found)[0])


class PollRoutersView(_Poll):
    """Ask routers for the states of their sessions: those named, else all. Needs `poll` on each."""

    @extend_schema(
        operation_id="peering_manager_routers_poll_all", request=PollRoutersInputSerializer, responses=ANSWERS
    )
    def post(self, request: Request) -> Response:
        wanted = self.wanted(PollRoutersInputSerializer, "routers")
        routers = routers_to_poll(request.user, wanted)
        if missing := sorted(set(wanted or ()) - {router.pk for router in routers}):
            raise ValidationError(
                {
                    "routers": [
                        _("You may not poll, or there is not: {ids}").format(ids=", ".join(map(str, missing)))
                    ]
                }
            )
        return self.answer(self.start(routers))


class PollSessionView(_Poll):
    """Ask a session's router for the states of its sessions. Needs `poll` on the router."""

    @extend_schema(operation_id="peering_manager_sessions_poll", request=None, responses=ANSWERS)
    def post(self, request: Request, pk: int) -> Response:
        session = get_object_or_404(self.visible(PeeringSession), pk=pk)
        return self.poll_sessions(PeeringSession.objects.filter(pk=session.pk))


class PollSessionsView(_Poll):
    """
    Ask the routers of sessions for their states: of those named, else of all that you may view.

    Routers that you may not poll are left out.
    """

    @extend_schema(
        operation_id="peering_manager_sessions_poll_all",
        request=PollSessionsInputSerializer,
        responses=ANSWERS,
    )
    def post(self, request: Request) -> Response:
        sessions = self.visible(PeeringSession)
        wanted = self.wanted(PollSessionsInputSerializer, "sessions")
        return self.poll_sessions(sessions if wanted is None else sessions.filter(pk__in=wanted))


class PollFabricView(_Poll):
    """Ask the routers of a fabric's sessions for their states. Routers that you may not poll are left out."""

    @extend_schema(operation_id="peering_manager_fabrics_poll", request=None, responses=ANSWERS)
    def post(self, request: Request, pk: int) -> Response:
        fabric = get_object_or_404(self.visible(PeeringFabric), pk=pk)
        return self.poll_sessions(self.visible(PeeringSession).filter(peering_network__fabric=fabric))


class PollNetworkView(_Poll):
    """Ask the routers of a LAN's sessions for their states. Routers that you may not poll are left out."""

    @extend_schema(operation_id="peering_manager_networks_poll", request=None, responses=ANSWERS)
    def post(self, request: Request, pk: int) -> Response:
        network = get_object_or_404(self.visible(PeeringNetwork), pk=pk)
        return self.poll_sessions(self.visible(PeeringSession).filter(peering_network=network))


class PollPeerView(_Poll):
    """
    Ask the routers of the sessions with a peer for their states; of an AS of ours, of its own sessions.

    Routers that you may not poll are left out.
    """

    @extend_schema(operation_id="peering_manager_peer_asns_poll", request=None, responses=ANSWERS)
    def post(self, request: Request, pk: int) -> Response:
        peer = get_object_or_404(self.visible(PeerASN), pk=pk)
        sessions = self.visible(PeeringSession)
        ours = sessions.for_local_as(peer.asn_id) if peer.affiliated else sessions.for_remote_as(peer.asn_id)
        return self.poll_sessions(ours)


urls = (
    path("routers/poll/", PollRoutersView.as_view(), name="routers-poll"),
    path("routers/<int:pk>/poll/", PollRouterView.as_view(), name="router-poll"),
    path("sessions/poll/", PollSessionsView.as_view(), name="sessions-poll"),
    path("sessions/<int:pk>/poll/", PollSessionView.as_view(), name="session-poll"),
    path("fabrics/<int:pk>/poll/", PollFabricView.as_view(), name="fabric-poll"),
    path("networks/<int:pk>/poll/", PollNetworkView.as_view(), name="network-poll"),
    path("peer-asns/<int:pk>/poll/", PollPeerView.as_view(), name="peer-asn-poll"),
)

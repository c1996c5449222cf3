"""Area `sessions`: adding many sessions over REST, what became of them, and ports of PeeringDB to choose from."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    OpenApiTypes,
    extend_schema,
    extend_schema_view,
)
from rest_framework import mixins, status
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from core.choices import JobStatusChoices
from core.models import Job
from utilities.exceptions import RQWorkerNotRunningException

from ...exceptions import ProvisioningError, SecretError
from ...filtersets import AvailablePortFilterSet
from ...jobs.sessions import AT_ONCE, AddSessionsJob, has_worker
from ...models import Deployment, PeerASN, PeeringDBNetIXLan, PeeringFabric, PeeringNetwork, PeeringSession
from ...services.provisioning.candidates import available_ports
from ...services.provisioning.lookup import search_ports
from ...services.provisioning.plan import plan_sessions
from ...services.provisioning.planned import Plan
from ...ui.jobs import visible_jobs
from ..serializers.sessions_add import (
    AddedSessionsSerializer,
    AddSessionsSerializer,
    PortSerializer,
    SessionPlanSerializer,
)
from .deployments_asking import refuse_configuring

__all__ = (
    "AddSessionsOfFabricView",
    "AddSessionsOfPeerView",
    "AddSessionsView",
    "AddedSessionsView",
    "PortViewSet",
)

ANSWERS = {
    200: OpenApiResponse(SessionPlanSerializer, description="With dry_run: the plan. Nothing was made."),
    201: OpenApiResponse(AddedSessionsSerializer, description="Done: what became of the sessions."),
    202: OpenApiResponse(AddedSessionsSerializer, description="Under way: the job."),
    400: OpenApiResponse(
        OpenApiTypes.OBJECT, description="What is wrong with which field. Nothing was made."
    ),
    409: OpenApiResponse(
        AddedSessionsSerializer, description="It failed: why, in `error`; `made` is what was made before."
    ),
    503: OpenApiResponse(OpenApiTypes.OBJECT, description="No worker takes background jobs."),
}


class AddSessionsView(APIView):
    """
    Add sessions with many peers: with ports in PeeringDB, by one choice for all of them.

    Made is whatever a session takes and is not there yet, down to the ASN. Each session is made whole or not at all,
    and one that is refused stops no other. Needs `add` on peering sessions and on what is missing, `view` on the
    fabrics and connections.
    """

    # Whose permissions are asked for: `add` for a POST.
    queryset = PeeringSession.objects.all()

    @extend_schema(
        operation_id="peering_manager_add_sessions", request=AddSessionsSerializer, responses=ANSWERS
    )
    def post(self, request: Request) -> Response:
        return self.answer(request)

    def answer(self, request: Request, **origin: Any) -> Response:
        """Add sessions at the ports of `origin`: arguments of available_ports()."""
        serializer = AddSessionsSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        if data["configure"]:
            refuse_configuring(request.user)
        ports = self._ports(request, data, origin)
        try:
            plan = plan_sessions(ports, serializer.choices(), request.user)
        except ProvisioningError as error:
            detail = {name or "non_field_errors": messages for name, messages in error.errors.items()}
            raise ValidationError(detail) from error
        except SecretError as error:
            raise ValidationError({"given_password": [str(error)]}) from error
        if data["dry_run"]:
            return Response(SessionPlanSerializer(_as_data(plan)).data)
        return self._make(request, ports, plan, data)

    def _ports(self, request: Request, data: dict[str, Any], origin: dict[str, Any]) -> Sequence[int]:
        if data["all"]:
            ports = available_ports(request.user, **origin)
            return list(_filtered(ports, data["filters"], request).values_list("pk", flat=True))
        chosen = data["netixlans"]
        strangers = set(chosen) - set(_ports_of(origin).filter(pk__in=chosen).values_list("pk", flat=True))
        if origin and strangers:
            message = _("These are no ports of it: {ids}.").format(ids=", ".join(map(str, sorted(strangers))))
            raise ValidationError({"netixlans": [message]})
        return chosen

    def _make(self, request: Request, ports: Sequence[int], plan: Plan, data: dict[str, Any]) -> Response:
        background = data["background"]
        in_background = len(plan.sessions) > AT_ONCE if background is None else background
        if in_background and not has_worker():
            raise RQWorkerNotRunningException
        job = AddSessionsJob.start(
            ports,
            plan.reviewed(),
            plan.choices,
            request.user,
            at_once=not in_background,
            configure=data["configure"],
            scheduled=data["scheduled"],
        )
        if in_background:
            code = status.HTTP_202_ACCEPTED
        elif job.status == JobStatusChoices.STATUS_COMPLETED:
            code = status.HTTP_201_CREATED
        else:
            code = status.HTTP_409_CONFLICT
        return Response(_added(job, request), status=code)


class AddSessionsOfFabricView(AddSessionsView):
    """Add sessions with many peers on one fabric; otherwise as sessions/add-selected/."""

    @extend_schema(
        operation_id="peering_manager_fabric_add_sessions", request=AddSessionsSerializer, responses=ANSWERS
    )
    def post(self, request: Request, pk: int) -> Response:
        fabric = get_object_or_404(PeeringFabric.objects.restrict(request.user, "view"), pk=pk)
        return self.answer(request, fabric=fabric)


class AddSessionsOfPeerView(AddSessionsView):
    """Add sessions with one network, at all exchanges in common; otherwise as sessions/add-selected/."""

    @extend_schema(
        operation_id="peering_manager_peer_asn_add_sessions", request=AddSessionsSerializer, responses=ANSWERS
    )
    def post(self, request: Request, pk: int) -> Response:
        peers = PeerASN.objects.restrict(request.user, "view").select_related("asn")
        return self.answer(request, asn=get_object_or_404(peers, pk=pk))


class AddedSessionsView(APIView):
    """How far a job that adds sessions is, and what became of them: for who asked for it and who may view jobs."""

    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="peering_manager_added_sessions", responses={200: AddedSessionsSerializer})
    def get(self, request: Request, pk: int) -> Response:
        found = get_object_or_404(visible_jobs(request.user).filter(name=AddSessionsJob.name), pk=pk)
        return Response(_added(found, request))


class MayAddSessions(BasePermission):
    """For who may add sessions, to any extent."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.user.has_perm("netbox_peering_manager.add_peeringsession")


PORT_PARAMETERS = [
    OpenApiParameter(
        "q", str, description="Words: AS number, the beginning of an address, name, other name or AS-SET"
    ),
    OpenApiParameter("asn", int, description="AS number"),
    OpenApiParameter("fabric_id", int, description="Id of a fabric: ports on its LANs"),
]


@extend_schema_view(list=extend_schema(parameters=PORT_PARAMETERS))
class PortViewSet(mixins.ListModelMixin, GenericViewSet):
    """
    Ports of networks on IX LANs, from PeeringDB's mirror, for who may add sessions. Their ids are those of netixlans.

    Answers as NetBox's own lists do, so that its search-as-you-type fields can ask it.
    """

    queryset = PeeringDBNetIXLan.objects.all()
    serializer_class = PortSerializer
    permission_classes = [MayAddSessions]

    def get_queryset(self) -> QuerySet:
        asked = self.request.query_params
        lans = None
        if fabrics := _ids(asked.getlist("fabric_id")):
            networks = PeeringNetwork.objects.restrict(self.request.user, "view")
            lans = networks.filter(fabric__in=fabrics, peeringdb_id__isnull=False).values("peeringdb_id")
        ports = search_ports(asked.get("q", ""), lans=lans)
        return ports.filter(asn__in=asns) if (asns := _ids(asked.getlist("asn"))) else ports


def _ids(texts: list[str]) -> list[int]:
    return [int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) < 19]


def _filtered(ports: QuerySet, filters: dict[str, Any], request: Request) -> QuerySet:
    """The ports that match; what is no filter is refused, because without it all would be added."""
    query = QueryDict(mutable=True)
    for name, value in filters.items():
        query.setlist(name, [str(item) for item in (value if isinstance(value, list) else [value])])
    filterset = AvailablePortFilterSet(query, ports, request=request)
    unknown = sorted(set(filters) - set(filterset.filters))
    if unknown:
        raise ValidationError(
            {"filters": [_("There is no filter {names}.").format(names=", ".join(unknown))]}
        )
    if not filterset.is_valid():
        raise ValidationError(
            {"filters": [f"{name}: {' '.join(found)}" for name, found in filterset.errors.items()]}
        )
    return filterset.qs


def _ports_of(origin: dict[str, Any]) -> QuerySet:
    ports = PeeringDBNetIXLan.objects.all()
    if fabric := origin.get("fabric"):
        return ports.filter(ixlan_id__in=fabric.networks.values("peeringdb_id"))
    if peer := origin.get("asn"):
        return ports.filter(asn=peer.asn.asn)
    return ports


def _as_data(plan: Plan) -> dict[str, Any]:
    return {
        name: [asdict(item) for item in getattr(plan, name)] for name in ("sessions", "objects", "skipped")
    }


def _added(job: Job, request: Request) -> dict[str, Any]:
    data = job.data if isinstance(job.data, dict) else {}
    nothing: dict[str, Any] = {"made": [], "objects": {}, "reused": {}, "skipped": []}
    deployments = Deployment.objects.restrict(request.user, "view").filter(pk__in=data.get("deployments", ()))
    shown = {
        "job": job,
        "progress": data.get("progress"),
        "error": job.error if job.status == JobStatusChoices.STATUS_FAILED else "",
        **nothing,
        **data.get("added", {}),
        "deployments": sorted(deployments.order_by().values_list("pk", flat=True)),
        "refused": data.get("refused", ()),
    }
    return AddedSessionsSerializer(shown, context={"request": request}).data


routes = (("peeringdb/ports", PortViewSet),)

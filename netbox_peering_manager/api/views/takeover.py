"""Area `routers`: importing the sessions that a router has, over REST: read it, look at the plan, import."""

from dataclasses import asdict
from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import OpenApiResponse, OpenApiTypes, extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.choices import JobStatusChoices
from core.models import Job
from users.models import Token
from utilities.exceptions import RQWorkerNotRunningException
from utilities.rqworker import any_workers_for_queue

from ...exceptions import DeviceError, SecretError, TakeoverError
from ...jobs.sessions import has_worker
from ...jobs.takeover import AT_ONCE, ImportSessionsJob, ReadSessionsJob, reading_of
from ...models import PeeringRouter
from ...services.devices.access import access_to
from ...services.takeover import kept
from ...services.takeover.plan import plan_import
from ...services.takeover.planned import Plan
from ..serializers.takeover import ImportPlanSerializer, ImportRequestSerializer, ImportSerializer

__all__ = ("urls",)

APP = "netbox_peering_manager"
ANSWERS = {
    200: OpenApiResponse(ImportPlanSerializer, description="With dry_run: the plan. Nothing was made."),
    201: OpenApiResponse(ImportSerializer, description="Done: what became of the sessions."),
    202: OpenApiResponse(ImportSerializer, description="Under way: the job."),
    400: OpenApiResponse(
        OpenApiTypes.OBJECT, description="What is wrong with which field. Nothing was made."
    ),
    409: OpenApiResponse(
        OpenApiTypes.OBJECT, description="The router cannot be read, or the import failed: why."
    ),
    503: OpenApiResponse(OpenApiTypes.OBJECT, description="No worker takes background jobs."),
}


class MayImport(BasePermission):
    """Who may import the sessions of any router at all; to change something, with a token that may write."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if isinstance(request.auth, Token) and not request.auth.write_enabled and request.method == "POST":
            return False
        return bool(request.user.has_perm(f"{APP}.import_sessions_peeringrouter"))


def router_of(request: Request, pk: int) -> PeeringRouter:
    """Return the router, of those that the user may view and import the sessions of."""
    routers = PeeringRouter.objects.restrict(request.user, "import_sessions").restrict(request.user, "view")
    return get_object_or_404(routers.with_access(), pk=pk)


class ImportSessionsView(APIView):
    """
    Import the sessions that a router has.

    Without `reading` the router is read in a background job, near the routers; what it found is kept for an hour. With
    that job's id as `reading`, and dry_run, the answer is what would be made; without dry_run it is made. Each session
    is made whole or not at all, and one that is refused stops no other; a second run makes nothing. Needs
    `import_sessions` and `view` on the router, `add` on what is missing, `change` on what is changed.
    """

    permission_classes = [MayImport]

    @extend_schema(
        operation_id="peering_manager_router_import_sessions",
        request=ImportRequestSerializer,
        responses=ANSWERS,
    )
    def post(self, request: Request, pk: int) -> Response:
        router = router_of(request, pk)
        serializer = ImportRequestSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        if data["reading"] is None:
            return self._read(request, router)
        try:
            reading = reading_of(router, request.user, data["reading"])
            found = kept.look(str(reading.job_id), router)
            plan = plan_import(router, found, serializer.choices(), request.user)
        except (TakeoverError, SecretError) as error:
            raise ValidationError({"reading": [str(error)]}) from error
        if data["dry_run"]:
            return Response(ImportPlanSerializer(_as_data(plan)).data)
        return self._import(request, router, reading, plan, data["background"])

    def _read(self, request: Request, router: PeeringRouter) -> Response:
        try:
            access_to(router)
        except DeviceError as error:
            return Response({"detail": str(error)}, status=status.HTTP_409_CONFLICT)
        if not any_workers_for_queue(ReadSessionsJob.queue()):
            raise RQWorkerNotRunningException
        job = ReadSessionsJob.start(router, request.user)
        return Response(_shown(job, request), status=status.HTTP_202_ACCEPTED)

    def _import(
        self, request: Request, router: PeeringRouter, reading: Job, plan: Plan, background: bool | None
    ) -> Response:
        amount = len(plan.new) + len(plan.taken)
        in_background = amount > AT_ONCE if background is None else background
        if in_background and not has_worker():
            raise RQWorkerNotRunningException
        reviewed = plan.reviewed()
        job = ImportSessionsJob.start(
            router, reading, reviewed, plan.choices, request.user, at_once=not in_background
        )
        if in_background:
            code = status.HTTP_202_ACCEPTED
        elif job.status == JobStatusChoices.STATUS_COMPLETED:
            code = status.HTTP_201_CREATED
        else:
            code = status.HTTP_409_CONFLICT
        return Response(_shown(job, request), status=code)


class ImportedSessionsView(APIView):
    """How far a job that reads a router or imports its sessions is, and what became of them: for who asked for it."""

    permission_classes = [MayImport]

    @extend_schema(operation_id="peering_manager_router_imported_sessions", responses={200: ImportSerializer})
    def get(self, request: Request, pk: int, job: int) -> Response:
        router = router_of(request, pk)
        names = (ReadSessionsJob.name, ImportSessionsJob.name)
        jobs = Job.objects.filter(name__in=names, object_id=router.pk, user=request.user.pk)
        return Response(_shown(get_object_or_404(jobs, pk=job), request))


def _as_data(plan: Plan) -> dict[str, Any]:
    names = ("new", "same", "different", "left_out", "absent", "objects", "groups")
    return {
        **{name: [asdict(each) for each in getattr(plan, name)] for name in names},
        "unread": list(plan.unread),
    }


def _shown(job: Job, request: Request) -> dict[str, Any]:
    data = job.data if isinstance(job.data, dict) else {}
    shown = {
        "job": job,
        "progress": data.get("progress"),
        "error": job.error if job.status == JobStatusChoices.STATUS_FAILED else "",
        "neighbors": data.get("read", {}).get("neighbors"),
        "made": [],
        "changed": [],
        "left_out": [],
        "objects": {},
        **data.get("imported", {}),
    }
    return ImportSerializer(shown, context={"request": request}).data


urls = [
    path("routers/<int:pk>/import-sessions/", ImportSessionsView.as_view(), name="router-import-sessions"),
    path(
        "routers/<int:pk>/import-sessions/<int:job>/",
        ImportedSessionsView.as_view(),
        name="router-imported-sessions",
    ),
]

"""
Area `routers`: importing the sessions that a router has.

    read (job) → preview, with one choice for all → import (job) → what became of them

All of it is one address; `?job=` is the job that the page is about. What was read waits encrypted (`takeover.kept`),
and what was looked at goes on as one signed field.
"""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from core.choices import JobStatusChoices
from core.models import Job
from netbox.views.generic.base import BaseObjectView
from utilities.views import register_model_view

from ..exceptions import DeviceError, SecretError, TakeoverError
from ..forms.takeover import ImportSessionsForm, relationships_of, usual_choices
from ..jobs.sessions import has_worker
from ..jobs.takeover import AT_ONCE, ImportSessionsJob, ReadSessionsJob
from ..models import PeeringRouter, Relationship
from ..services.devices.access import Access, access_to
from ..services.takeover import kept
from ..services.takeover.found import Found
from ..services.takeover.plan import plan_import
from ..services.takeover.planned import Choices, Group, Plan
from ..ui.jobs import job_progress, visible_jobs
from ..ui.napalm import why_no_napalm
from ..ui.takeover import imported, previewed

APP = "netbox_peering_manager"
TEMPLATES = f"{APP}/routers"
SALT = f"{APP}.import_sessions"
# A number of the database's, at most.
LARGEST_ID = 2**63 - 1


class _Stale(Exception):
    """What was posted is no preview of this user's of this router, or too old."""


@register_model_view(PeeringRouter, "import_sessions", path="import-sessions")
class PeeringRouterImportSessionsView(BaseObjectView):
    """The start, the preview, and the job's progress and result."""

    queryset = PeeringRouter.objects.with_access()
    http_method_names = ("get", "post")

    def get_required_permission(self) -> str:
        return f"{APP}.import_sessions_peeringrouter"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        router = self._router(request, pk)
        if "job" not in request.GET:
            return self._start(request, router)
        job = _job(request, router)
        if job.name == ReadSessionsJob.name and job.status == JobStatusChoices.STATUS_COMPLETED:
            return self._preview(request, router, job)
        return self._progress(request, router, job)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        router = self._router(request, pk)
        if "job" not in request.GET:
            return redirect(_url(router, ReadSessionsJob.start(router, request.user)))
        job = _job(request, router)
        try:
            order = _unsigned(request, router, job)
            found = kept.look(str(job.job_id), router)
        except _Stale:
            messages.warning(request, _("This preview is too old or not yours. Look at it again."))
            return redirect(_url(router, job))
        except TakeoverError as error:
            messages.warning(request, str(error))
            return redirect(_url(router))
        relationships = relationships_of(request.user)
        groups = [Group(*group) for group in order["groups"]]
        form = ImportSessionsForm(request.POST, request.user, found, relationships, groups)
        is_valid = form.is_valid()
        chosen = form.choices(request.POST.getlist("take")) if is_valid else usual_choices(relationships)
        if "_confirm" in request.POST:
            if is_valid and _but_updates(chosen) == _but_updates(Choices.from_data(order["choices"])):
                return self._import(request, router, job, order, chosen)
            messages.info(request, _("The choices were changed. Look at what they come to, then import."))
        return self._show(request, router, job, found, relationships, chosen, form)

    def _router(self, request: HttpRequest, pk: int) -> PeeringRouter:
        return get_object_or_404(self.queryset.restrict(request.user, "view"), pk=pk)

    def _start(self, request: HttpRequest, router: PeeringRouter) -> HttpResponse:
        access, why_not = _access(router)
        return render(
            request,
            f"{TEMPLATES}/import_start.html",
            {
                "object": router,
                "access": access,
                "why_not": why_not,
                "why_no_napalm": why_no_napalm(),
            },
        )

    def _progress(self, request: HttpRequest, router: PeeringRouter, job: Job) -> HttpResponse:
        data = job.data if isinstance(job.data, dict) else {}
        context = {
            "object": router,
            "progress": job_progress(job, request.user, reload=True),
            "imported": imported(data["imported"], request.user) if "imported" in data else None,
            "is_reading": job.name == ReadSessionsJob.name,
        }
        return render(request, f"{TEMPLATES}/import_result.html", context)

    def _preview(self, request: HttpRequest, router: PeeringRouter, job: Job) -> HttpResponse:
        """As it is before anything is chosen."""
        try:
            found = kept.look(str(job.job_id), router)
        except TakeoverError as error:
            messages.warning(request, str(error))
            return redirect(_url(router))
        relationships = relationships_of(request.user)
        choices = usual_choices(relationships)
        return self._show(request, router, job, found, relationships, choices)

    def _show(
        self,
        request: HttpRequest,
        router: PeeringRouter,
        job: Job,
        found: Found,
        relationships: list[Relationship],
        choices: Choices,
        form: ImportSessionsForm | None = None,
    ) -> HttpResponse:
        try:
            plan = plan_import(router, found, choices, request.user)
        except SecretError as error:
            messages.warning(request, str(error))
            return redirect(_url(router))
        # Who plans for this user has seen which sessions there are to be seen.
        visible = {each.session_id for each in (*plan.same, *plan.different, *plan.absent)}
        context = {
            "object": router,
            "form": form
            or ImportSessionsForm(
                None,
                request.user,
                found,
                relationships,
                plan.groups,
                initial=ImportSessionsForm.initial_of(choices, plan.groups),
            ),
            "preview": previewed(plan, visible),
            "neighbors": len(found.neighbors),
            "order": _signed(request, router, job, plan),
            "is_served": has_worker(),
            "at_once": AT_ONCE,
            "amount": len(plan.new) + len(plan.taken),
            "taken": set(plan.choices.take),
        }
        return render(request, f"{TEMPLATES}/import_preview.html", context)

    def _import(
        self, request: HttpRequest, router: PeeringRouter, job: Job, order: dict[str, Any], chosen: Choices
    ) -> HttpResponse:
        at_once = not has_worker() or len(order["reviewed"]) <= AT_ONCE
        started = ImportSessionsJob.start(
            router, job, order["reviewed"], chosen, request.user, at_once=at_once
        )
        return redirect(_url(router, started))


def _but_updates(choices: Choices) -> dict[str, Any]:
    """The choices without which sessions are changed: what each change does is shown whether it is chosen or not."""
    data = choices.as_data()
    return {name: value for name, value in data.items() if name not in ("update", "take")}


def _access(router: PeeringRouter) -> tuple[Access | None, str]:
    """The way to the router, or why there is none. Nothing is connected."""
    try:
        return access_to(router), ""
    except DeviceError as error:
        return None, str(error)


def _job(request: HttpRequest, router: PeeringRouter) -> Job:
    """The job that the page is about: one of the user's own, of this router."""
    text = request.GET["job"]
    if not (text.isascii() and text.isdecimal() and int(text) <= LARGEST_ID):
        raise Http404
    jobs = visible_jobs(request.user).filter(object_id=router.pk, user=request.user.pk)
    return get_object_or_404(
        jobs.filter(name__in=(ReadSessionsJob.name, ImportSessionsJob.name)), pk=int(text)
    )


def _url(router: PeeringRouter, job: Job | None = None) -> str:
    url = reverse(f"plugins:{APP}:peeringrouter_import_sessions", args=[router.pk])
    return f"{url}?{urlencode({'job': job.pk})}" if job is not None else url


def _signed(request: HttpRequest, router: PeeringRouter, job: Job, plan: Plan) -> str:
    order = {
        "user": request.user.pk,
        "router": router.pk,
        "reading": job.pk,
        "reviewed": plan.reviewed(),
        "groups": [[group.key, group.label, group.count] for group in plan.groups],
        "choices": plan.choices.as_data(),
    }
    return signing.dumps(order, salt=SALT, compress=True)


def _unsigned(request: HttpRequest, router: PeeringRouter, job: Job) -> dict[str, Any]:
    try:
        order = signing.loads(request.POST.get("order", ""), salt=SALT, max_age=kept.KEPT_S)
    except signing.BadSignature as error:
        raise _Stale from error
    if (order["user"], order["router"], order["reading"]) != (request.user.pk, router.pk, job.pk):
        raise _Stale
    return order

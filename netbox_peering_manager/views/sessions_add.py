"""
Area `sessions`: adding many sessions, from a list of possible peers to what became of them.

    a list of candidates ──POST pk…──▸ form ──▸ preview ──▸ job ──▸ progress and result

Each step posts to the same address. What was looked at in the preview goes on as one signed field, and so does the
given password, encrypted: Django, browsers and proxies have limits for the number of fields, and nothing between the
preview and the job can be another thing than what was looked at.
"""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views import View

from netbox.constants import RQ_QUEUE_DEFAULT
from netbox.views.generic.base import BaseMultiObjectView
from utilities.forms import restrict_form_fields
from utilities.views import ConditionalLoginRequiredMixin, GetReturnURLMixin, register_model_view

from ..exceptions import ProvisioningError, SecretError
from ..forms.sessions_add import REMEMBERED, AddSelectedForm, initial_of
from ..jobs.sessions import AT_ONCE, AddSessionsJob, has_worker
from ..models import Deployment, PeeringDBNetIXLan, PeeringSession
from ..services.provisioning.plan import plan_sessions
from ..services.provisioning.planned import Choices, Plan
from ..ui.jobs import job_progress, visible_jobs, worker_command
from ..ui.sessions_add import added, previewed
from .deployments_asking import ADD, COMMIT
from .peers_selection import origin_of, selected_ports

APP = "netbox_peering_manager"
TEMPLATES = f"{APP}/sessions"
SALT = f"{APP}.add_selected"
# A preview is good for a day; then look again.
MAX_AGE_S = 86400
PREFERENCES = f"plugins.{APP}.add_sessions"


class _Stale(Exception):
    """What was posted is no preview of this user's, or too old."""


@register_model_view(PeeringSession, "add_selected", path="add-selected", detail=False)
class PeeringSessionAddSelectedView(GetReturnURLMixin, BaseMultiObjectView):
    """The form, the preview and the start of the job."""

    queryset = PeeringSession.objects.all()
    http_method_names = ("get", "post")

    def get_required_permission(self) -> str:
        return f"{APP}.add_peeringsession"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._nothing_chosen(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            if "_confirm" in request.POST or "_confirm_now" in request.POST:
                return self._confirm(request)
            if "_edit" in request.POST:
                return self._edit(request)
        except _Stale:
            messages.warning(request, _("This preview is too old or not yours. Choose the peers again."))
            return redirect(self.get_return_url(request))
        if "_preview" in request.POST:
            return self._preview(request)
        return self._begin(request)

    def _begin(self, request: HttpRequest) -> HttpResponse:
        origin = origin_of(request)
        ports = selected_ports(request)
        if not ports:
            return self._nothing_chosen(request)
        fabric = origin.get("fabric")
        initial = {**_remembered(request), "ports": ",".join(map(str, ports))}
        form = AddSelectedForm(initial=initial, fabric_id=fabric.pk if fabric else None)
        return self._show_form(request, form, ports)

    def _preview(self, request: HttpRequest) -> HttpResponse:
        form = AddSelectedForm(request.POST)
        restrict_form_fields(form, request.user)
        _leave_out(form, request)
        if not form.is_valid():
            return self._show_form(request, form, _ports_of(form))
        ports = form.cleaned_data["ports"]
        try:
            plan = plan_sessions(ports, form.choices(), request.user)
        except (ProvisioningError, SecretError) as error:
            form.add_errors(error)
            return self._show_form(request, form, ports)
        configures, scheduled = _when(form)
        return render(
            request,
            f"{TEMPLATES}/add_preview.html",
            {
                "preview": previewed(plan),
                "order": _signed(request, ports, plan, configures, scheduled),
                "configures": configures,
                "scheduled": scheduled,
                "is_served": has_worker(),
                "command": worker_command(RQ_QUEUE_DEFAULT),
                "at_once": AT_ONCE,
                "return_url": self.get_return_url(request),
            },
        )

    def _confirm(self, request: HttpRequest) -> HttpResponse:
        order = _unsigned(request)
        scheduled = _scheduled_in(order)
        if scheduled is not None and scheduled <= timezone.now():
            messages.warning(request, _("The time to configure the routers has passed: choose another."))
            return self._edit(request)
        choices = Choices.from_data(order["choices"])
        _remember(request, choices)
        job = AddSessionsJob.start(
            order["ports"],
            order["reviewed"],
            choices,
            request.user,
            at_once="_confirm_now" in request.POST,
            configure=order.get("configure", False),
            scheduled=scheduled,
        )
        url = reverse(f"plugins:{APP}:peeringsession_added", args=[job.pk])
        return redirect(f"{url}?{urlencode({'return_url': self.get_return_url(request)})}")

    def _edit(self, request: HttpRequest) -> HttpResponse:
        order = _unsigned(request)
        initial = initial_of(Choices.from_data(order["choices"]))
        if order.get("configure"):
            initial |= {"configure_router": True, "scheduled": _scheduled_in(order)}
        form = AddSelectedForm(initial={**initial, "ports": ",".join(map(str, order["ports"]))})
        return self._show_form(request, form, order["ports"])

    def _show_form(self, request: HttpRequest, form: AddSelectedForm, ports: list[int]) -> HttpResponse:
        restrict_form_fields(form, request.user)
        _leave_out(form, request)
        return render(
            request,
            f"{TEMPLATES}/add_selected.html",
            {
                "model": PeeringSession,
                "object": PeeringSession(),
                "form": form,
                "ports": len(ports),
                "networks": _networks(ports),
                "single": ports[0] if len(ports) == 1 else None,
                "return_url": self.get_return_url(request),
            },
        )

    def _nothing_chosen(self, request: HttpRequest) -> HttpResponse:
        messages.warning(request, _("No peers were selected. Choose some in a list of possible peers."))
        return redirect(self.get_return_url(request))


@register_model_view(PeeringSession, "added", path="add-selected/<int:job>", detail=False)
class PeeringSessionAddedView(GetReturnURLMixin, ConditionalLoginRequiredMixin, View):
    """How far the job is, and what became of the sessions: for who asked for them, and for who may view jobs."""

    queryset = PeeringSession.objects.all()

    def get(self, request: HttpRequest, job: int) -> HttpResponse:
        found = get_object_or_404(visible_jobs(request.user).filter(name=AddSessionsJob.name), pk=job)
        data = found.data if isinstance(found.data, dict) else {}
        return render(
            request,
            f"{TEMPLATES}/add_result.html",
            {
                "progress": job_progress(found, request.user, reload=True),
                "added": added(data["added"], request.user) if "added" in data else None,
                "deployments": _deployments(data, request.user),
                "refused": data.get("refused", ()),
                "return_url": self.get_return_url(request),
            },
        )


def _deployments(data: dict[str, Any], user: Any) -> list[Deployment]:
    """The deployments that configure the routers with what was made, of what the user may view."""
    if not (wanted := data.get("deployments")):
        return []
    seen = Deployment.objects.restrict(user, "view").with_router()
    return list(seen.filter(pk__in=wanted).order_by("pk"))


def _ports_of(form: AddSelectedForm) -> list[int]:
    ports = getattr(form, "cleaned_data", {}).get("ports")
    if not ports:
        # The one field that nobody fills in: the page was not made by us.
        raise Http404
    return ports


def _networks(ports: list[int]) -> int:
    return PeeringDBNetIXLan.objects.filter(pk__in=ports).values("asn").distinct().count()


def _leave_out(form: AddSelectedForm, request: HttpRequest) -> None:
    """What this user may not do is not offered."""
    if not request.user.has_perms((ADD, COMMIT)):
        form.fields.pop("configure_router", None)
        form.fields.pop("scheduled", None)


def _when(form: AddSelectedForm) -> tuple[bool, datetime | None]:
    """Whether routers are to be configured, and the time when it is not at once. For a valid form."""
    return bool(form.cleaned_data.get("configure_router")), form.cleaned_data.get("scheduled")


def _signed(
    request: HttpRequest, ports: list[int], plan: Plan, configure: bool, scheduled: datetime | None
) -> str:
    order = {
        "configure": configure,
        "scheduled": scheduled and scheduled.isoformat(),
        "user": request.user.pk,
        "ports": ports,
        "reviewed": plan.reviewed(),
        "choices": plan.choices.as_data(),
    }
    return signing.dumps(order, salt=SALT, compress=True)


def _unsigned(request: HttpRequest) -> dict[str, Any]:
    try:
        order = signing.loads(request.POST.get("order", ""), salt=SALT, max_age=MAX_AGE_S)
    except signing.BadSignature as error:
        raise _Stale from error
    if order["user"] != request.user.pk:
        raise _Stale
    return order


def _scheduled_in(order: dict[str, Any]) -> datetime | None:
    return datetime.fromisoformat(order["scheduled"]) if order.get("scheduled") else None


def _remembered(request: HttpRequest) -> dict[str, Any]:
    """What this user chose the last time."""
    last = request.user.config.get(PREFERENCES, {})
    return {name: value for name, value in last.items() if name in REMEMBERED}


def _remember(request: HttpRequest, choices: Choices) -> None:
    initial = initial_of(choices)
    request.user.config.set(PREFERENCES, {name: initial[name] for name in REMEMBERED}, commit=True)

"""Area `routers`: how a router is reached, and whether it can be."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from core.choices import JobStatusChoices
from core.models import Job, ObjectType
from netbox.views import generic
from utilities.views import ViewTab, register_model_view

from ..exceptions import DeviceError
from ..jobs.devices import ConnectionTestJob
from ..models import PeeringRouter
from ..services.devices.access import access_to
from ..services.devices.arguments import checked_by, known_hosts_of, port_of
from ..ui.jobs import job_progress, visible_jobs
from ..ui.napalm import why_no_napalm

APP = "netbox_peering_manager"
POLL = f"{APP}.poll_peeringrouter"


@register_model_view(PeeringRouter, "connection")
class RouterConnectionView(generic.ObjectView):
    """The driver, address and checks that a session with the router would have; and a button that tries it."""

    queryset = PeeringRouter.objects.with_access()
    template_name = f"{APP}/routers/connection.html"
    tab = ViewTab(label=_("Connection"), weight=1800, permission=POLL)
    additional_permissions = (POLL,)
    actions = ()

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        router = self.get_object(pk=pk)
        job = _last_test(request, router)
        if not _may_poll(request, router):
            messages.error(request, _t("You may not poll {router}.").format(router=router))
        elif job is None or job.status in JobStatusChoices.TERMINAL_STATE_CHOICES:
            ConnectionTestJob.start(router, request.user)
        return redirect(reverse(f"plugins:{APP}:peeringrouter_connection", args=[router.pk]))

    def get_extra_context(self, request: HttpRequest, instance: PeeringRouter) -> dict[str, Any]:
        job = _last_test(request, instance)
        return {
            **_way(instance),
            "may_poll": _may_poll(request, instance),
            "why_no_napalm": why_no_napalm(),
            "progress": job_progress(job, request.user, reload=True) if job else None,
            "tested": job.completed if job else None,
            "answer": (job.data or {}).get("connection") if job else None,
        }


def _may_poll(request: HttpRequest, router: PeeringRouter) -> bool:
    return bool(PeeringRouter.objects.restrict(request.user, "poll").filter(pk=router.pk).exists())


def _last_test(request: HttpRequest, router: PeeringRouter) -> Job | None:
    """The last one of this router that the user may see."""
    tests = visible_jobs(request.user).filter(
        name=ConnectionTestJob.name,
        object_type=ObjectType.objects.get_for_model(PeeringRouter),
        object_id=router.pk,
    )
    return tests.order_by("-created", "-pk").first()


def _way(router: PeeringRouter) -> dict[str, Any]:
    """How it would be reached; or why it cannot be."""
    try:
        access = access_to(router)
    except DeviceError as error:
        return {"why_not": str(error)}
    checked = checked_by(access) if access.strict else "off"
    return {
        "why_not": "",
        "access": access,
        "port": port_of(access),
        "checked": checked,
        "known_hosts": known_hosts_of(access) if checked == "known_hosts" else "",
        "profile": access.profile or "default",
    }

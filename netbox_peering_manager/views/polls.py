"""Asking routers for the states of sessions: the buttons on pages about sessions, and how far the polls are."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views import View

from core.models import Job
from netbox.views.generic.base import BaseObjectView
from utilities.permissions import get_permission_for_model
from utilities.request import safe_for_redirect
from utilities.views import ConditionalLoginRequiredMixin, register_model_view

from ..exceptions import DriverRefused, PollRefused
from ..filtersets import PeeringSessionFilterSet
from ..jobs.monitoring import PollJob, start_polls
from ..models import PeerASN, PeeringFabric, PeeringNetwork, PeeringRouter, PeeringSession
from ..services.devices.access import access_to
from ..services.monitoring.poll import routers_of, routers_to_poll
from ..ui.jobs import visible_jobs, worker_command
from ..ui.napalm import why_no_napalm
from ..ui.polls import POLL, poll_rows, queue_without_worker

LIST = "plugins:netbox_peering_manager:peeringsession_list"
# A page shows so many polls; more are asked for all the same.
SHOWN = 200
# So many reasons are told in one message.
REASONS = 5


def ask(request: HttpRequest, routers: list[PeeringRouter], back: str) -> HttpResponse:
    """Start polls of these routers (with_access()) and say so; of those that cannot be polled, say why."""
    able, reasons = _able(routers)
    if able and (why := why_no_napalm()):
        able, reasons = [], [why]
    if able:
        jobs = start_polls(able, request.user)
        messages.success(request, _asked(jobs, back))
    if reasons:
        told = [*reasons[:REASONS], *(["…"] if len(reasons) > REASONS else [])]
        (messages.warning if able else messages.error)(request, " ".join(told))
    return redirect(back)


def _able(routers: list[PeeringRouter]) -> tuple[list[PeeringRouter], list[str]]:
    """Return the routers that somebody knows how to reach, and why the others cannot be polled."""
    able, reasons = [], []
    for router in routers:
        try:
            access_to(router)
        except DriverRefused as error:
            reasons.append(str(error))
        else:
            able.append(router)
    return able, reasons


def _asked(jobs: list[Job], back: str) -> str:
    query = urlencode({"job": [job.pk for job in jobs[:SHOWN]], "back": back}, doseq=True)
    said = ngettext("{count} router is asked.", "{count} routers are asked.", len(jobs)).format(
        count=len(jobs)
    )
    return format_html(
        '{} <a href="{}?{}" class="alert-link">{}</a>',
        said,
        reverse("plugins:netbox_peering_manager:polls"),
        query,
        _("Show how far it is"),
    )


class PollView(BaseObjectView):
    """Base of the buttons: by POST, for who may view the object and poll routers."""

    http_method_names = ["post"]
    additional_permissions = (POLL,)

    def get_required_permission(self) -> str:
        return get_permission_for_model(self.queryset.model, "view")

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        shown = self.get_object(pk=pk)
        back = shown.get_absolute_url()
        try:
            routers = self.routers(shown)
        except PollRefused as error:
            messages.error(request, str(error))
            return redirect(back)
        return ask(request, routers, back)

    def routers(self, shown: Model) -> list[PeeringRouter]:
        """Return the routers to poll, those that the user may poll. PollRefused when there is none."""
        visible = PeeringSession.objects.restrict(self.request.user, "view")
        return routers_of(self.sessions(visible, shown), self.request.user)

    def sessions(self, visible: QuerySet, shown: Any) -> QuerySet:
        """Return those of the sessions `visible` whose routers are to be polled."""
        raise NotImplementedError


@register_model_view(PeeringSession, "poll")
class PollSessionView(PollView):
    queryset = PeeringSession.objects.all()

    def sessions(self, visible: QuerySet, shown: PeeringSession) -> QuerySet:
        return visible.filter(pk=shown.pk)


@register_model_view(PeerASN, "poll")
class PollPeerView(PollView):
    """The sessions with the AS; of one that is ours, its own."""

    queryset = PeerASN.objects.all()

    def sessions(self, visible: QuerySet, shown: PeerASN) -> QuerySet:
        if shown.affiliated:
            return visible.for_local_as(shown.asn_id)
        return visible.for_remote_as(shown.asn_id)


@register_model_view(PeeringNetwork, "poll")
class PollNetworkView(PollView):
    queryset = PeeringNetwork.objects.all()

    def sessions(self, visible: QuerySet, shown: PeeringNetwork) -> QuerySet:
        return visible.filter(peering_network=shown)


@register_model_view(PeeringFabric, "poll")
class PollFabricView(PollView):
    queryset = PeeringFabric.objects.all()

    def sessions(self, visible: QuerySet, shown: PeeringFabric) -> QuerySet:
        return visible.filter(peering_network__fabric=shown)


@register_model_view(PeeringRouter, "poll")
class PollRouterView(PollView):
    queryset = PeeringRouter.objects.all()

    def routers(self, shown: PeeringRouter) -> list[PeeringRouter]:
        if found := routers_to_poll(self.request.user, [shown.pk]):
            return found
        raise PollRefused(_("You may not poll {router}.").format(router=shown))


@register_model_view(PeeringSession, "poll_all", path="poll", detail=False)
class PollListView(BaseObjectView):
    """The whole list of sessions, or what its filters (the query) leave of it."""

    http_method_names = ["post"]
    queryset = PeeringSession.objects.all()
    additional_permissions = (POLL,)

    def get_required_permission(self) -> str:
        return get_permission_for_model(PeeringSession, "view")

    def post(self, request: HttpRequest) -> HttpResponse:
        back = reverse(LIST) + (f"?{request.GET.urlencode()}" if request.GET else "")
        chosen = PeeringSessionFilterSet(request.GET, self.queryset, request=request)
        if not chosen.is_valid():
            messages.error(request, _("The filters of the list are not valid, so nothing was asked."))
            return redirect(back)
        try:
            routers = routers_of(chosen.qs, request.user)
        except PollRefused as error:
            messages.error(request, str(error))
            return redirect(back)
        return ask(request, routers, back)


class PollsView(ConditionalLoginRequiredMixin, View):
    """How far polls are: `?job=` are their jobs, as far as one may see them; `back` is a path of this site."""

    def get(self, request: HttpRequest) -> HttpResponse:
        pks = [int(pk) for pk in request.GET.getlist("job")[:SHOWN] if pk.isdecimal() and int(pk) < 2**63]
        asked = visible_jobs(request.user).filter(pk__in=pks, name=PollJob.name)
        jobs = list(asked.defer("log_entries").prefetch_related("object__device").order_by("pk"))
        if not jobs:
            raise Http404
        rows, queue = poll_rows(jobs), queue_without_worker(jobs)
        context = {
            "rows": rows,
            "done": sum(row.is_finished for row in rows),
            "queue": queue,
            "command": worker_command(queue),
            "back": _safe(request.GET.get("back", "")),
            "url": request.get_full_path(),
        }
        part = "polls_part" if request.htmx else "polls"
        response = render(request, f"netbox_peering_manager/{part}.html", context)
        response["Cache-Control"] = "no-store"
        return response


def _safe(path: str) -> str:
    return path if path and safe_for_redirect(path) else ""

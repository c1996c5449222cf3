"""Area `routers`: which routers have another configuration than NetBox would give them, and comparing them now."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from netbox.object_actions import BulkExport
from netbox.views import generic
from netbox.views.generic.base import BaseMultiObjectView, BaseObjectView
from utilities.query import count_related
from utilities.views import GetReturnURLMixin, ViewTab, register_model_view

from .. import filtersets, forms, tables
from ..choices import ConfigModeChoices
from ..jobs.drift import DriftJob
from ..models import PeeringRouter, UnknownNeighbor
from ..services.deployment.drift import compares_exactly, why_not_compare
from ..services.deployment.reading import text_shown
from ..services.deployment.rights import may_read_routers
from ..tables.drift import drift_badge, state_of_router, unknown_url
from ..ui.diffs import drawn
from ..ui.drift_routers import CompareNow
from ..ui.fleet import DeployPushed
from ..ui.jobs import job_progress, visible_jobs
from ..ui.napalm import why_no_napalm

APP = "netbox_peering_manager"
# A difference shows what deployments show.
VIEW, ADD = f"{APP}.view_deployment", f"{APP}.add_deployment"
LIST = f"plugins:{APP}:configuration_drift"
# Of many refusals so many are told one by one.
TOLD = 5


class ConfigurationDriftView(generic.ObjectListView):
    """The routers that configuration may be sent to, those that differ first."""

    queryset = (
        PeeringRouter.objects.with_device()
        .filter(push_enabled=True)
        .select_related("state", "config_template", "device__site")
        .annotate(unknown_count=count_related(UnknownNeighbor, "router"))
        .order_by("state__drift_since", "device__name", "pk")
    )
    filterset = filtersets.PeeringRouterFilterSet
    filterset_form = forms.PeeringRouterFilterForm
    table = tables.RouterDriftTable
    template_name = f"{APP}/deployments/drift_list.html"
    actions = (BulkExport, CompareNow, DeployPushed)
    additional_permissions = (VIEW,)

    def get_extra_context(self, request: HttpRequest) -> dict[str, Any]:
        return {"why_no_napalm": why_no_napalm()}


@register_model_view(PeeringRouter, "drift")
class RouterDriftView(generic.ObjectView):
    """What differs on one router, since when, and what can be done."""

    queryset = PeeringRouter.objects.with_access().select_related("state", "config_template")
    template_name = f"{APP}/deployments/router_drift.html"
    tab = ViewTab(label=gettext_lazy("Drift"), weight=1700, permission=VIEW)
    additional_permissions = (VIEW,)
    actions = ()

    def get_extra_context(self, request: HttpRequest, instance: PeeringRouter) -> dict[str, Any]:
        state = state_of_router(instance)
        is_read = bool(may_read_routers(request.user, [instance.device_id]))
        job = DriftJob.underway(instance)
        shown = visible_jobs(request.user).filter(pk=job.pk).first() if job else None
        return {
            "state": state,
            "badge": drift_badge(instance),
            "is_merged": instance.config_mode == ConfigModeChoices.MERGE,
            # They have no permission of their own: who may view the router sees them.
            "unknown_count": instance.unknown_neighbors.count(),
            "unknown_url": unknown_url(instance),
            "polled": getattr(getattr(instance, "state", None), "polled", None),
            "is_exact": compares_exactly(instance),
            "failure": text_shown(state.drift_failure if state else "", is_read),
            "diff": drawn(state.masked_diff if state and is_read else ""),
            "is_hidden": not is_read,
            "progress": job_progress(shown, request.user, reload=True) if shown else None,
            "why_no_napalm": why_no_napalm(),
            "why_not": why_not_compare(instance),
            "may_compare": request.user.has_perm(ADD),
        }


@register_model_view(PeeringRouter, "compare_now", path="drift/compare")
class CompareRouterView(BaseObjectView):
    """Compare one router, in the background."""

    queryset = PeeringRouter.objects.with_access()
    additional_permissions = (ADD,)

    def get_required_permission(self) -> str:
        return f"{APP}.view_peeringrouter"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return HttpResponseNotAllowed(["POST"])

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        router = self.get_object(pk=pk)
        tell(request, [router])
        return redirect(reverse(f"plugins:{APP}:peeringrouter_drift", args=[router.pk]))


@register_model_view(PeeringRouter, "bulk_compare_now", path="drift/compare", detail=False)
class CompareRoutersView(GetReturnURLMixin, BaseMultiObjectView):
    """Compare the selected routers, or all that match, each by a job of its own."""

    queryset = PeeringRouter.objects.with_access()
    additional_permissions = (ADD,)
    default_return_url = LIST

    def get_required_permission(self) -> str:
        return f"{APP}.view_peeringrouter"

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseNotAllowed(["POST"])

    def post(self, request: HttpRequest) -> HttpResponse:
        if request.POST.get("_all"):
            pushed = self.queryset.filter(push_enabled=True)
            chosen = filtersets.PeeringRouterFilterSet(request.GET, pushed, request=request).qs
        else:
            chosen = self.queryset.filter(pk__in=[pk for pk in request.POST.getlist("pk") if pk.isdecimal()])
        if not tell(request, chosen):
            messages.warning(request, _("No routers were selected."))
        return redirect(self.get_return_url(request))


def tell(request: HttpRequest, routers: Iterable[PeeringRouter]) -> int:
    """Start the comparisons, say how many and what is refused. Returns how many routers there were."""
    started, refused = 0, []
    for router in routers:
        if reason := why_not_compare(router):
            refused.append(reason)
        else:
            DriftJob.start(router, request.user)
            started += 1
    for reason in refused[:TOLD]:
        messages.error(request, reason)
    if len(refused) > TOLD:
        messages.error(request, _("{count} more refused.").format(count=len(refused) - TOLD))
    if started:
        text = ngettext("{count} router is being compared.", "{count} routers are being compared.", started)
        messages.success(request, text.format(count=started))
    return started + len(refused)

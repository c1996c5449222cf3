"""Area `deployments`: many routers at once. What is to be done with the selected routers, and how far that is."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from netbox.object_actions import BulkExport
from netbox.views import generic
from netbox.views.generic.base import BaseMultiObjectView, BaseObjectView
from utilities.views import GetReturnURLMixin, register_model_view

from .. import filtersets, forms, tables
from ..exceptions import DeploymentRefused
from ..jobs.fleet import start_batch
from ..models import DeploymentBatch, PeeringRouter
from ..services.deployment import fleet
from ..ui.fleet import batch_progress

APP = "netbox_peering_manager"
VIEW, ADD, COMMIT = (f"{APP}.{action}_deployment" for action in ("view", "add", "commit"))
REASON_LENGTH = 1000


class OfVisibleBatches:
    """For who may view or ask for deployments: batches of their own, and those with a deployment that they may view."""

    def get_required_permission(self) -> str:
        return VIEW

    def has_permission(self) -> bool:
        user = self.request.user
        if not (user.has_perm(VIEW) or user.has_perm(ADD)):
            return False
        self.queryset = self.queryset.restrict(user, "view")
        return True


class ExportBatches(BulkExport):
    """As for other lists; batches have no permission of their own."""

    permissions_required = set()


@register_model_view(DeploymentBatch, "list", path="", detail=False)
class DeploymentBatchListView(OfVisibleBatches, generic.ObjectListView):
    queryset = DeploymentBatch.objects.select_related("user")
    filterset = filtersets.DeploymentBatchFilterSet
    filterset_form = forms.DeploymentBatchFilterForm
    table = tables.DeploymentBatchTable
    actions = (ExportBatches,)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).with_counts(request.user)


class BatchView(OfVisibleBatches, BaseObjectView):
    """Base of the pages of one batch."""

    queryset = DeploymentBatch.objects.select_related("user")


@register_model_view(DeploymentBatch)
class DeploymentBatchView(BatchView):
    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        batch = self.get_object(pk=pk)
        context = {"object": batch, "progress": batch_progress(batch, request.user)}
        return render(request, f"{APP}/deployments/batch.html", context)


@register_model_view(DeploymentBatch, "progress")
class DeploymentBatchProgressView(BatchView):
    """The part of the page that asks for itself again while the batch moves."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        progress = batch_progress(self.get_object(pk=pk), request.user)
        response = render(request, f"{APP}/deployments/inc/batch_progress.html", {"progress": progress})
        if request.htmx and not progress.is_moving:
            # The buttons of the page are those of a batch that rests.
            response["HX-Refresh"] = "true"
        response["Cache-Control"] = "no-store"
        return response


@register_model_view(DeploymentBatch, "stop")
class DeploymentBatchStopView(BatchView):
    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return HttpResponseNotAllowed(["POST"])

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        batch = self.get_object(pk=pk)
        if not batch.stopped and fleet.why_not_stop(batch, request.user):
            raise PermissionDenied
        reason = request.POST.get("reason", "").strip()[:REASON_LENGTH]
        try:
            count = fleet.stop(batch, request.user, reason)
        except DeploymentRefused as error:
            messages.error(request, str(error))
        else:
            messages.success(
                request,
                _("Stopped {batch}: {count} deployments were cancelled.").format(batch=batch, count=count),
            )
        return redirect(batch.get_absolute_url())


class DeployManyView(GetReturnURLMixin, BaseMultiObjectView):
    """Base: shows the selected routers, or all that match, asks how, and starts the batch."""

    queryset = PeeringRouter.objects.with_access().select_related("config_template")
    additional_permissions: Sequence[str] = (ADD,)
    template_name = f"{APP}/deployments/deploy_many.html"
    compare_only = False

    def get_required_permission(self) -> str:
        return f"{APP}.view_peeringrouter"

    def get(self, request: HttpRequest) -> HttpResponse:
        return redirect(f"plugins:{APP}:peeringrouter_list")

    def post(self, request: HttpRequest) -> HttpResponse:
        if "_confirm" in request.POST:
            form = self._form(request.POST)
            return self._start(request, form) if form.is_valid() else self._show(request, form)
        routers = self._chosen(request)
        if not routers:
            messages.warning(request, _("No routers were selected."))
            return redirect(self.get_return_url(request))
        return self._show(request, self._form(initial={"pk": routers}))

    def _form(self, *args: Any, **kwargs: Any) -> forms.DeployManyForm:
        return forms.DeployManyForm(*args, routers=self.queryset, compare_only=self.compare_only, **kwargs)

    def _chosen(self, request: HttpRequest) -> list[PeeringRouter]:
        if request.POST.get("_all"):
            found = filtersets.PeeringRouterFilterSet(request.GET, self.queryset, request=request).qs
        else:
            found = self.queryset.filter(pk__in=[pk for pk in request.POST.getlist("pk") if pk.isdecimal()])
        return list(found)

    def _show(self, request: HttpRequest, form: forms.DeployManyForm) -> HttpResponse:
        routers = form.cleaned_data.get("pk", ()) if form.is_bound else form.initial["pk"]
        return render(
            request,
            self.template_name,
            {
                "form": form,
                "routers": [(router, _why_not(router)) for router in routers],
                "compare_only": self.compare_only,
                "return_url": self.get_return_url(request),
            },
        )

    def _start(self, request: HttpRequest, form: forms.DeployManyForm) -> HttpResponse:
        wanted = form.cleaned_data
        scheduled = wanted.get("scheduled")
        try:
            batch = start_batch(
                list(wanted["pk"]),
                request.user,
                automatic=not self.compare_only and scheduled is None,
                scheduled=scheduled,
                max_failures=wanted.get("max_failures"),
                reason=wanted["reason"],
            )
        except DeploymentRefused as error:
            form.add_error(None, str(error))
            return self._show(request, form)
        return redirect(batch.get_absolute_url())


def _why_not(router: PeeringRouter) -> str:
    """What is known to be in the way before anything is rendered."""
    if not router.push_enabled:
        return _("Push is switched off: it will be refused.")
    if router.config_template is None:
        return _("It has no config template: it will be refused.")
    return ""


@register_model_view(PeeringRouter, "bulk_compare", path="compare", detail=False)
class CompareManyView(DeployManyView):
    compare_only = True


@register_model_view(PeeringRouter, "bulk_configure", path="configure", detail=False)
class ConfigureManyView(DeployManyView):
    additional_permissions = (ADD, COMMIT)

"""Area `deployments`: pages of deployments, and the tabs of routers and sessions that list theirs."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy, ngettext

from extras.ui.panels import CustomFieldsPanel, TagsPanel
from netbox.context import current_request
from netbox.object_actions import BulkDelete, BulkExport, EditObject
from netbox.ui import layout
from netbox.ui.panels import CommentsPanel
from netbox.views import generic
from netbox.views.generic.base import BaseMultiObjectView, BaseObjectView
from utilities.views import ViewTab, register_model_view

from .. import filtersets, forms, tables
from ..choices import DeploymentStatusChoices
from ..models import Deployment, PeeringRouter, PeeringSession
from ..services.deployment.rights import readable
from ..ui import deployments as ui
from ..ui.deployments_actions import ActionsPanel, DeleteEnded

LIST = "plugins:netbox_peering_manager:deployment_list"
VIEW = "netbox_peering_manager.view_deployment"


def deployments() -> QuerySet:
    """Return deployments as lists show them."""
    return Deployment.objects.with_people().without_texts()


@register_model_view(Deployment, "list", path="", detail=False)
class DeploymentListView(generic.ObjectListView):
    """Deployments are asked for on the pages of what is to be configured: nobody adds one here."""

    queryset = deployments()
    filterset = filtersets.DeploymentFilterSet
    filterset_form = forms.DeploymentFilterForm
    table = tables.DeploymentTable
    actions = (BulkExport, BulkDelete)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).annotate(readable=readable(request.user))


@register_model_view(Deployment, "scheduled", path="scheduled", detail=False)
class ScheduledView(BaseMultiObjectView):
    """The menu's way to those that wait for their time: the list with a filter, which the menu cannot give."""

    queryset = Deployment.objects.all()

    def get_required_permission(self) -> str:
        return VIEW

    def get(self, request: HttpRequest) -> HttpResponse:
        return redirect(f"{reverse(LIST)}?status={DeploymentStatusChoices.SCHEDULED}&sort=scheduled")


@register_model_view(Deployment)
class DeploymentView(generic.ObjectView):
    queryset = Deployment.objects.with_people().select_related("batch", "owner").defer("encrypted_text")
    template_name = "generic/object.html"
    actions = (EditObject, DeleteEnded)
    layout = layout.Layout(
        layout.Row(layout.Column(ActionsPanel(), ui.ProgressPanel(), ui.DiffPanel())),
        layout.Row(
            layout.Column(ui.DeploymentPanel(), ui.TargetsPanel(), TagsPanel(), CustomFieldsPanel()),
            layout.Column(ui.PeoplePanel(), ui.StepsPanel(), ui.SessionsPanel(), CommentsPanel()),
        ),
        layout.Row(layout.Column(ui.TextPanel())),
    )

    def get_extra_context(self, request: HttpRequest, instance: Deployment) -> dict[str, Any]:
        # Shown, never saved: the panel of attributes takes it as it is.
        reading = ui.reading_of({"object": instance, "request": request})
        instance.reason = reading.reason(instance, instance.reason)
        return {}


@register_model_view(Deployment, "progress")
class DeploymentProgressView(BaseObjectView):
    """The part of the page that tells how far it is. The page is loaded again when the deployment moved on."""

    queryset = Deployment.objects.defer("encrypted_text", "masked_text", "masked_diff")

    def get_required_permission(self) -> str:
        return VIEW

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        deployment = self.get_object(pk=pk)
        underway = ui.underway(deployment, request.user)
        response = render(request, "netbox_peering_manager/deployments/progress.html", {"underway": underway})
        if request.htmx and (underway is None or request.GET.get("status") != deployment.status):
            response["HX-Refresh"] = "true"
        response["Cache-Control"] = "no-store"
        return response


@register_model_view(Deployment, "edit")
class DeploymentEditView(generic.ObjectEditView):
    """What is saved is the whole row: nobody may move the deployment in between."""

    queryset = Deployment.objects.with_router().defer("encrypted_text")
    form = forms.DeploymentForm

    def alter_object(
        self, obj: Deployment, request: HttpRequest, url_args: Any, url_kwargs: Any
    ) -> Deployment:
        obj.edited_by = request.user
        return obj

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with transaction.atomic():
            self.queryset = self.queryset.select_for_update(of=("self",))
            return super().post(request, *args, **kwargs)


def why_not_deleted(unfinished: int) -> str:
    """Return what to tell who would delete deployments of which so many have not ended."""
    return ngettext(
        "{count} deployment has not ended: cancel it first. Nothing was deleted.",
        "{count} deployments have not ended: cancel them first. Nothing was deleted.",
        unfinished,
    ).format(count=unfinished)


@register_model_view(Deployment, "delete")
class DeploymentDeleteView(generic.ObjectDeleteView):
    queryset = Deployment.objects.with_router()

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._refused(request, **kwargs) or super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._refused(request, **kwargs) or super().post(request, *args, **kwargs)

    def _refused(self, request: HttpRequest, **kwargs: Any) -> HttpResponse | None:
        deployment = self.get_object(**kwargs)
        if deployment.has_ended:
            return None
        messages.error(request, why_not_deleted(1))
        response = redirect(deployment.get_absolute_url())
        if request.htmx:
            # The form would have come into a box on the page.
            response = HttpResponse(headers={"HX-Redirect": deployment.get_absolute_url()})
        return response


@register_model_view(Deployment, "bulk_delete", path="delete", detail=False)
class DeploymentBulkDeleteView(generic.BulkDeleteView):
    queryset = deployments()
    filterset = filtersets.DeploymentFilterSet
    table = tables.DeploymentTable

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        chosen = self.queryset.filter(pk__in=self._chosen(request))
        if unfinished := chosen.exclude(status__in=DeploymentStatusChoices.ENDED).count():
            messages.error(request, why_not_deleted(unfinished))
            return redirect(self.get_return_url(request))
        return super().post(request, **kwargs)

    def _chosen(self, request: HttpRequest) -> list[int]:
        if not request.POST.get("_all"):
            return [int(pk) for pk in request.POST.getlist("pk") if pk.isdecimal()]
        everything = self.filterset(request.GET, Deployment.objects.all(), request=request).qs
        return list(everything.order_by().values_list("pk", flat=True))


class DeploymentsTab(ViewTab):
    """A tab whose badge counts the deployments that it would list, of what the user may see."""

    def __init__(self, weight: int) -> None:
        super().__init__(
            label=gettext_lazy("Deployments"),
            badge=self._count,
            weight=weight,
            permission=VIEW,
            hide_if_empty=False,
        )

    @staticmethod
    def _count(instance: PeeringRouter | PeeringSession) -> int:
        request = current_request.get()
        return of(instance).restrict(request.user, "view").count() if request else 0


def of(instance: PeeringRouter | PeeringSession) -> QuerySet:
    """Return the deployments to a router, or those that are about a session."""
    if isinstance(instance, PeeringRouter):
        return Deployment.objects.filter(router=instance)
    return Deployment.objects.of_sessions(instance.pk)


class DeploymentsOf(generic.ObjectChildrenView):
    """Base of the two tabs."""

    child_model = Deployment
    table = tables.RouterDeploymentTable
    filterset = filtersets.DeploymentFilterSet
    filterset_form = forms.DeploymentFilterForm
    actions = (BulkDelete,)
    additional_permissions = (VIEW,)

    def get_children(self, request: HttpRequest, parent: Any) -> QuerySet:
        seen = of(parent).restrict(request.user, "view").with_people().without_texts()
        return seen.annotate(readable=readable(request.user))


@register_model_view(PeeringRouter, "deployments", path="deployments")
class RouterDeploymentsView(DeploymentsOf):
    queryset = PeeringRouter.objects.with_device()
    tab = DeploymentsTab(1600)


@register_model_view(PeeringSession, "deployments", path="deployments")
class SessionDeploymentsView(DeploymentsOf):
    queryset = PeeringSession.objects.with_bgp()
    tab = DeploymentsTab(1600)

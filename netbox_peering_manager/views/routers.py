"""Area `routers`: pages of peering routers."""

from extras.ui.panels import CustomFieldsPanel, TagsPanel
from netbox.object_actions import (
    AddObject,
    BulkDelete,
    BulkEdit,
    BulkExport,
    BulkImport,
    CloneObject,
    DeleteObject,
    EditObject,
)
from netbox.ui import layout
from netbox.ui.panels import CommentsPanel, ObjectsTablePanel
from netbox.views import generic
from utilities.views import register_model_view

from .. import filtersets, forms, tables
from ..models import PeeringRouter, PeeringSession
from ..ui import routers as ui
from ..ui.configuration import ConfigurationCountsPanel
from ..ui.deployments_buttons import Deploy
from ..ui.drift_routers import RemovedSessionsPanel
from ..ui.fleet import CompareSelected, DeploySelected
from ..ui.polls import PollSessions
from ..ui.states import PollStatePanel, UnknownNeighborsPanel
from ..ui.takeover import ImportSessions
from .peers import WithCounts


@register_model_view(PeeringRouter, "list", path="", detail=False)
class PeeringRouterListView(WithCounts, generic.ObjectListView):
    queryset = PeeringRouter.objects.with_device()
    filterset = filtersets.PeeringRouterFilterSet
    filterset_form = forms.PeeringRouterFilterForm
    table = tables.PeeringRouterTable
    # No BulkRename: a router has no name of its own, it is called as its device is.
    actions = (
        AddObject,
        BulkImport,
        BulkExport,
        CompareSelected,
        DeploySelected,
        BulkEdit,
        BulkDelete,
    )


@register_model_view(PeeringRouter)
class PeeringRouterView(generic.ObjectView):
    template_name = "generic/object.html"
    queryset = PeeringRouter.objects.with_device().select_related(
        "device__site", "device__role", "device__platform", "config_template", "state"
    )
    actions = (PollSessions, ImportSessions, Deploy, CloneObject, EditObject, DeleteObject)
    layout = layout.SimpleLayout(
        left_panels=[ui.PeeringRouterPanel(), TagsPanel(), CommentsPanel()],
        right_panels=[
            PollStatePanel(),
            ConfigurationCountsPanel(
                lambda router: PeeringSession.objects.for_device(router.device_id),
                lambda router: {"device_id": router.device_id},
            ),
            ui.PeeringRouterAccessPanel(),
            ui.PeeringRouterDeploymentPanel(),
            ui.PeeringRouterWatchingPanel(),
            ui.PeeringRouterArgumentsPanel(),
            CustomFieldsPanel(),
        ],
        bottom_panels=[
            RemovedSessionsPanel(),
            UnknownNeighborsPanel(),
            ObjectsTablePanel(
                model="netbox_peering_manager.PeeringSession",
                filters={"device_id": lambda ctx: ctx["object"].device_id},
                exclude_columns=["device"],
            ),
        ],
    )


@register_model_view(PeeringRouter, "add", detail=False)
@register_model_view(PeeringRouter, "edit")
class PeeringRouterEditView(generic.ObjectEditView):
    queryset = PeeringRouter.objects.with_device()
    form = forms.PeeringRouterForm


@register_model_view(PeeringRouter, "delete")
class PeeringRouterDeleteView(generic.ObjectDeleteView):
    queryset = PeeringRouter.objects.with_device()


@register_model_view(PeeringRouter, "bulk_import", path="import", detail=False)
class PeeringRouterBulkImportView(generic.BulkImportView):
    queryset = PeeringRouter.objects.all()
    model_form = forms.PeeringRouterImportForm


@register_model_view(PeeringRouter, "bulk_edit", path="edit", detail=False)
class PeeringRouterBulkEditView(WithCounts, generic.BulkEditView):
    queryset = PeeringRouter.objects.with_device()
    filterset = filtersets.PeeringRouterFilterSet
    table = tables.PeeringRouterTable
    form = forms.PeeringRouterBulkEditForm


@register_model_view(PeeringRouter, "bulk_delete", path="delete", detail=False)
class PeeringRouterBulkDeleteView(WithCounts, generic.BulkDeleteView):
    queryset = PeeringRouter.objects.with_device()
    filterset = filtersets.PeeringRouterFilterSet
    table = tables.PeeringRouterTable

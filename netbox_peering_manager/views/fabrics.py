"""Area `fabrics`: pages of fabrics, networks and connections."""

from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from extras.ui.panels import CustomFieldsPanel, TagsPanel
from netbox.object_actions import (
    AddObject,
    BulkDelete,
    BulkEdit,
    BulkExport,
    BulkImport,
    BulkRename,
    CloneObject,
    DeleteObject,
    EditObject,
)
from netbox.ui import layout
from netbox.ui.breadcrumbs import Breadcrumb
from netbox.ui.panels import CommentsPanel, RelatedObjectsPanel
from netbox.views import generic
from utilities.views import GetRelatedModelsMixin, register_model_view

from .. import filtersets, forms, tables
from ..models import PeeringConnection, PeeringFabric, PeeringNetwork, PeeringSession
from ..ui import fabrics as ui
from ..ui.configuration import ConfigurationCountsPanel
from ..ui.deployments_buttons import Deploy
from ..ui.fabrics_peeringdb import (
    AddFromPeeringDB,
    CoveragePanel,
    ExchangePanel,
    ImportPresence,
    LinkToPeeringDB,
    RenumberPanel,
)
from ..ui.polls import PollSessions


class WithCounts:
    """For views that list objects: their counts of what the user may view."""

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).with_counts(request.user)


#
# Fabrics
#


class WithColumns(WithCounts):
    """For views with a table of fabrics: what its columns show of PeeringDB."""

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).with_city()


@register_model_view(PeeringFabric, "list", path="", detail=False)
class PeeringFabricListView(WithColumns, generic.ObjectListView):
    queryset = PeeringFabric.objects.all()
    filterset = filtersets.PeeringFabricFilterSet
    filterset_form = forms.PeeringFabricFilterForm
    table = tables.PeeringFabricTable
    actions = (
        AddObject, AddFromPeeringDB, ImportPresence, BulkImport, BulkExport, BulkEdit, BulkRename, BulkDelete,
    )  # fmt: skip


@register_model_view(PeeringFabric)
class PeeringFabricView(GetRelatedModelsMixin, generic.ObjectView):
    queryset = PeeringFabric.objects.select_related("site__region", "tenant__group", "peer_group")
    template_name = "generic/object.html"
    actions = (PollSessions, Deploy, LinkToPeeringDB, CloneObject, EditObject, DeleteObject)
    layout = layout.SimpleLayout(
        left_panels=[RenumberPanel(), ui.FabricPanel(), CoveragePanel(), TagsPanel(), CustomFieldsPanel()],
        right_panels=[
            ExchangePanel(),
            ConfigurationCountsPanel(
                lambda fabric: PeeringSession.objects.filter(peering_network__fabric=fabric),
                lambda fabric: {"fabric_id": fabric.pk},
            ),
            RelatedObjectsPanel(),
            CommentsPanel(),
        ],
        bottom_panels=[
            ui.networks_table(),
            ui.connections_table("fabric_id", exclude_columns=["fabric"]),
        ],
    )

    def get_extra_context(self, request: HttpRequest, instance: PeeringFabric) -> dict[str, Any]:
        return {
            "related_models": self.get_related_models(
                request, instance, extra=self._indirect(request, instance)
            )
        }

    def _indirect(self, request: HttpRequest, fabric: PeeringFabric) -> tuple:
        return tuple(
            (model.objects.restrict(request.user, "view").filter(peering_network__fabric=fabric), "fabric_id")
            for model in (PeeringConnection, PeeringSession)
        )


@register_model_view(PeeringFabric, "add", detail=False)
@register_model_view(PeeringFabric, "edit")
class PeeringFabricEditView(generic.ObjectEditView):
    queryset = PeeringFabric.objects.all()
    form = forms.PeeringFabricForm


@register_model_view(PeeringFabric, "delete")
class PeeringFabricDeleteView(generic.ObjectDeleteView):
    queryset = PeeringFabric.objects.all()


@register_model_view(PeeringFabric, "bulk_import", path="import", detail=False)
class PeeringFabricBulkImportView(generic.BulkImportView):
    queryset = PeeringFabric.objects.all()
    model_form = forms.PeeringFabricImportForm


@register_model_view(PeeringFabric, "bulk_edit", path="edit", detail=False)
class PeeringFabricBulkEditView(WithColumns, generic.BulkEditView):
    queryset = PeeringFabric.objects.all()
    filterset = filtersets.PeeringFabricFilterSet
    table = tables.PeeringFabricTable
    form = forms.PeeringFabricBulkEditForm


@register_model_view(PeeringFabric, "bulk_rename", path="rename", detail=False)
class PeeringFabricBulkRenameView(generic.BulkRenameView):
    queryset = PeeringFabric.objects.all()
    filterset = filtersets.PeeringFabricFilterSet


@register_model_view(PeeringFabric, "bulk_delete", path="delete", detail=False)
class PeeringFabricBulkDeleteView(WithColumns, generic.BulkDeleteView):
    queryset = PeeringFabric.objects.all()
    filterset = filtersets.PeeringFabricFilterSet
    table = tables.PeeringFabricTable


#
# Networks
#


@register_model_view(PeeringNetwork, "list", path="", detail=False)
class PeeringNetworkListView(WithCounts, generic.ObjectListView):
    queryset = PeeringNetwork.objects.with_parents()
    filterset = filtersets.PeeringNetworkFilterSet
    filterset_form = forms.PeeringNetworkFilterForm
    table = tables.PeeringNetworkTable


@register_model_view(PeeringNetwork)
class PeeringNetworkView(generic.ObjectView):
    queryset = PeeringNetwork.objects.with_parents()
    template_name = "generic/object.html"
    actions = (PollSessions, Deploy, CloneObject, EditObject, DeleteObject)
    layout = layout.SimpleLayout(
        breadcrumbs=[Breadcrumb("fabric")],
        left_panels=[ui.NetworkPanel(), TagsPanel(), CustomFieldsPanel()],
        right_panels=[ui.LANPanel(), CommentsPanel()],
        bottom_panels=[
            ui.sessions_table("peering_network_id", exclude_columns=["peering_network", "fabric"]),
            ui.connections_table(
                "peering_network_id", exclude_columns=["peering_network", "fabric"], add=True
            ),
        ],
    )


@register_model_view(PeeringNetwork, "add", detail=False)
@register_model_view(PeeringNetwork, "edit")
class PeeringNetworkEditView(generic.ObjectEditView):
    queryset = PeeringNetwork.objects.all()
    form = forms.PeeringNetworkForm


@register_model_view(PeeringNetwork, "delete")
class PeeringNetworkDeleteView(generic.ObjectDeleteView):
    queryset = PeeringNetwork.objects.with_parents()


@register_model_view(PeeringNetwork, "bulk_import", path="import", detail=False)
class PeeringNetworkBulkImportView(generic.BulkImportView):
    queryset = PeeringNetwork.objects.all()
    model_form = forms.PeeringNetworkImportForm


@register_model_view(PeeringNetwork, "bulk_edit", path="edit", detail=False)
class PeeringNetworkBulkEditView(WithCounts, generic.BulkEditView):
    queryset = PeeringNetwork.objects.with_parents()
    filterset = filtersets.PeeringNetworkFilterSet
    table = tables.PeeringNetworkTable
    form = forms.PeeringNetworkBulkEditForm


@register_model_view(PeeringNetwork, "bulk_rename", path="rename", detail=False)
class PeeringNetworkBulkRenameView(generic.BulkRenameView):
    queryset = PeeringNetwork.objects.with_parents()
    filterset = filtersets.PeeringNetworkFilterSet


@register_model_view(PeeringNetwork, "bulk_delete", path="delete", detail=False)
class PeeringNetworkBulkDeleteView(WithCounts, generic.BulkDeleteView):
    queryset = PeeringNetwork.objects.with_parents()
    filterset = filtersets.PeeringNetworkFilterSet
    table = tables.PeeringNetworkTable


#
# Connections
#


@register_model_view(PeeringConnection, "list", path="", detail=False)
class PeeringConnectionListView(generic.ObjectListView):
    queryset = PeeringConnection.objects.with_parents()
    filterset = filtersets.PeeringConnectionFilterSet
    filterset_form = forms.PeeringConnectionFilterForm
    table = tables.PeeringConnectionTable
    # No BulkRename: a connection has no name, it is called by its interface and network.
    actions = (AddObject, BulkImport, BulkExport, BulkEdit, BulkDelete)


@register_model_view(PeeringConnection)
class PeeringConnectionView(generic.ObjectView):
    queryset = PeeringConnection.objects.with_parents()
    template_name = "netbox_peering_manager/fabrics/connection.html"
    layout = layout.SimpleLayout(
        breadcrumbs=[Breadcrumb("peering_network.fabric"), Breadcrumb("peering_network")],
        left_panels=[ui.ConnectionPanel(), TagsPanel(), CustomFieldsPanel()],
        right_panels=[ui.ConnectionBGPPanel(), CommentsPanel()],
        bottom_panels=[
            ui.sessions_table("connection_id", exclude_columns=["peering_network", "fabric", "device"])
        ],
    )


@register_model_view(PeeringConnection, "add", detail=False)
@register_model_view(PeeringConnection, "edit")
class PeeringConnectionEditView(generic.ObjectEditView):
    queryset = PeeringConnection.objects.with_parents()
    form = forms.PeeringConnectionForm

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.form = partial(self.form, user=request.user)


@register_model_view(PeeringConnection, "delete")
class PeeringConnectionDeleteView(generic.ObjectDeleteView):
    queryset = PeeringConnection.objects.with_parents()


@register_model_view(PeeringConnection, "bulk_import", path="import", detail=False)
class PeeringConnectionBulkImportView(generic.BulkImportView):
    queryset = PeeringConnection.objects.all()
    model_form = forms.PeeringConnectionImportForm


@register_model_view(PeeringConnection, "bulk_edit", path="edit", detail=False)
class PeeringConnectionBulkEditView(generic.BulkEditView):
    queryset = PeeringConnection.objects.with_parents()
    filterset = filtersets.PeeringConnectionFilterSet
    table = tables.PeeringConnectionTable
    form = forms.PeeringConnectionBulkEditForm


@register_model_view(PeeringConnection, "bulk_delete", path="delete", detail=False)
class PeeringConnectionBulkDeleteView(generic.BulkDeleteView):
    queryset = PeeringConnection.objects.with_parents()
    filterset = filtersets.PeeringConnectionFilterSet
    table = tables.PeeringConnectionTable

"""Area `peers`: pages of hidden peers."""

from django.db.models import QuerySet
from django.http import HttpRequest

from extras.ui.panels import CustomFieldsPanel, TagsPanel
from netbox.object_actions import AddObject, BulkDelete, BulkEdit, BulkExport, BulkImport
from netbox.ui import layout
from netbox.ui.panels import CommentsPanel
from netbox.views import generic
from utilities.views import register_model_view

from .. import filtersets, forms, tables
from ..models import HiddenPeer
from ..ui import peers_hidden as ui


class WithStanding:
    """For views that show entries: the network's name, and whether it is hidden today."""

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).with_standing()


@register_model_view(HiddenPeer, "list", path="", detail=False)
class HiddenPeerListView(WithStanding, generic.ObjectListView):
    queryset = HiddenPeer.objects.all()
    filterset = filtersets.HiddenPeerFilterSet
    filterset_form = forms.HiddenPeerFilterForm
    table = tables.HiddenPeerTable
    # No BulkRename: an entry has no name, it is called by its AS.
    actions = (AddObject, BulkImport, BulkExport, BulkEdit, BulkDelete)


@register_model_view(HiddenPeer)
class HiddenPeerView(WithStanding, generic.ObjectView):
    queryset = HiddenPeer.objects.select_related("fabric", "owner")
    template_name = "generic/object.html"
    layout = layout.SimpleLayout(
        left_panels=[ui.HiddenPeerPanel(), TagsPanel()],
        right_panels=[CustomFieldsPanel(), CommentsPanel()],
    )


@register_model_view(HiddenPeer, "add", detail=False)
@register_model_view(HiddenPeer, "edit")
class HiddenPeerEditView(generic.ObjectEditView):
    queryset = HiddenPeer.objects.all()
    form = forms.HiddenPeerForm


@register_model_view(HiddenPeer, "delete")
class HiddenPeerDeleteView(generic.ObjectDeleteView):
    queryset = HiddenPeer.objects.all()


@register_model_view(HiddenPeer, "bulk_import", path="import", detail=False)
class HiddenPeerBulkImportView(generic.BulkImportView):
    queryset = HiddenPeer.objects.all()
    model_form = forms.HiddenPeerImportForm


@register_model_view(HiddenPeer, "bulk_edit", path="edit", detail=False)
class HiddenPeerBulkEditView(WithStanding, generic.BulkEditView):
    queryset = HiddenPeer.objects.all()
    filterset = filtersets.HiddenPeerFilterSet
    table = tables.HiddenPeerTable
    form = forms.HiddenPeerBulkEditForm


@register_model_view(HiddenPeer, "bulk_delete", path="delete", detail=False)
class HiddenPeerBulkDeleteView(WithStanding, generic.BulkDeleteView):
    queryset = HiddenPeer.objects.all()
    filterset = filtersets.HiddenPeerFilterSet
    table = tables.HiddenPeerTable

"""Area `routers`: the list of neighbours that routers have and NetBox does not."""

from netbox.object_actions import BulkExport
from netbox.views import generic
from utilities.views import register_model_view

from .. import filtersets, forms, tables
from ..models import UnknownNeighbor

VIEW = "netbox_peering_manager.view_peeringrouter"


class ExportNeighbors(BulkExport):
    """As for other lists; rows have no permission of their own."""

    permissions_required = set()


@register_model_view(UnknownNeighbor, "list", path="", detail=False)
class UnknownNeighborListView(generic.ObjectListView):
    """Neighbours of the routers that one may view."""

    queryset = UnknownNeighbor.objects.with_router()
    filterset = filtersets.UnknownNeighborFilterSet
    filterset_form = forms.UnknownNeighborFilterForm
    table = tables.UnknownNeighborTable
    actions = (ExportNeighbors,)

    def get_required_permission(self) -> str:
        return VIEW

"""Area `sessions`: pages of relationship types and peering sessions."""

from extras.ui.panels import CustomFieldsPanel, TagsPanel
from netbox.ui import layout
from netbox.ui.panels import CommentsPanel, ObjectsTablePanel
from netbox.views import generic
from utilities.query import count_related
from utilities.views import register_model_view

from .. import filtersets, forms, tables
from ..models import PeeringSession, Relationship
from ..ui.sessions import PeeringSessionPanel, RelationshipPanel


def relationships():
    return Relationship.objects.annotate(session_count=count_related(PeeringSession, "relationship"))


@register_model_view(Relationship, "list", path="", detail=False)
class RelationshipListView(generic.ObjectListView):
    queryset = relationships()
    filterset = filtersets.RelationshipFilterSet
    filterset_form = forms.RelationshipFilterForm
    table = tables.RelationshipTable


@register_model_view(Relationship)
class RelationshipView(generic.ObjectView):
    queryset = Relationship.objects.select_related("routemap_in", "routemap_out", "owner")
    template_name = "generic/object.html"
    layout = layout.SimpleLayout(
        left_panels=[RelationshipPanel(), TagsPanel()],
        right_panels=[CustomFieldsPanel(), CommentsPanel()],
        bottom_panels=[
            ObjectsTablePanel(
                model="netbox_peering_manager.PeeringSession",
                filters={"relationship_id": lambda context: context["object"].pk},
                exclude_columns=["relationship"],
            )
        ],
    )


@register_model_view(Relationship, "add", detail=False)
@register_model_view(Relationship, "edit")
class RelationshipEditView(generic.ObjectEditView):
    queryset = Relationship.objects.all()
    form = forms.RelationshipForm


@register_model_view(Relationship, "delete")
class RelationshipDeleteView(generic.ObjectDeleteView):
    queryset = Relationship.objects.all()


@register_model_view(Relationship, "bulk_import", path="import", detail=False)
class RelationshipBulkImportView(generic.BulkImportView):
    queryset = Relationship.objects.all()
    model_form = forms.RelationshipImportForm


@register_model_view(Relationship, "bulk_edit", path="edit", detail=False)
class RelationshipBulkEditView(generic.BulkEditView):
    queryset = relationships()
    filterset = filtersets.RelationshipFilterSet
    table = tables.RelationshipTable
    form = forms.RelationshipBulkEditForm


@register_model_view(Relationship, "bulk_rename", path="rename", detail=False)
class RelationshipBulkRenameView(generic.BulkRenameView):
    queryset = Relationship.objects.all()
    filterset = filtersets.RelationshipFilterSet


@register_model_view(Relationship, "bulk_delete", path="delete", detail=False)
class RelationshipBulkDeleteView(generic.BulkDeleteView):
    queryset = relationships()
    filterset = filtersets.RelationshipFilterSet
    table = tables.RelationshipTable


def sessions():
    return PeeringSession.objects.with_bgp().with_connection()


@register_model_view(PeeringSession, "list", path="", detail=False)
class PeeringSessionListView(generic.ObjectListView):
    queryset = sessions()
    filterset = filtersets.PeeringSessionFilterSet
    filterset_form = forms.PeeringSessionFilterForm
    table = tables.PeeringSessionTable


@register_model_view(PeeringSession)
class PeeringSessionView(generic.ObjectView):
    queryset = sessions()
    template_name = "generic/object.html"
    layout = layout.SimpleLayout(
        left_panels=[PeeringSessionPanel(), TagsPanel()], right_panels=[CustomFieldsPanel(), CommentsPanel()]
    )


@register_model_view(PeeringSession, "add", detail=False)
@register_model_view(PeeringSession, "edit")
class PeeringSessionEditView(generic.ObjectEditView):
    queryset = PeeringSession.objects.all()
    form = forms.PeeringSessionForm


@register_model_view(PeeringSession, "delete")
class PeeringSessionDeleteView(generic.ObjectDeleteView):
    queryset = PeeringSession.objects.all()


@register_model_view(PeeringSession, "bulk_import", path="import", detail=False)
class PeeringSessionBulkImportView(generic.BulkImportView):
    queryset = PeeringSession.objects.all()
    model_form = forms.PeeringSessionImportForm


@register_model_view(PeeringSession, "bulk_edit", path="edit", detail=False)
class PeeringSessionBulkEditView(generic.BulkEditView):
    queryset = sessions()
    filterset = filtersets.PeeringSessionFilterSet
    table = tables.PeeringSessionTable
    form = forms.PeeringSessionBulkEditForm


@register_model_view(PeeringSession, "bulk_rename", path="rename", detail=False)
class PeeringSessionBulkRenameView(generic.BulkRenameView):
    queryset = PeeringSession.objects.all()
    filterset = filtersets.PeeringSessionFilterSet
    field_name = "service_reference"


@register_model_view(PeeringSession, "bulk_delete", path="delete", detail=False)
class PeeringSessionBulkDeleteView(generic.BulkDeleteView):
    queryset = sessions()
    filterset = filtersets.PeeringSessionFilterSet
    table = tables.PeeringSessionTable

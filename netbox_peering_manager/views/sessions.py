"""Area `sessions`: pages of relationship types and peering sessions."""

from django.contrib import messages
from django.utils.translation import gettext as _

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
from netbox.ui.panels import CommentsPanel, ObjectsTablePanel
from netbox.views import generic
from utilities.forms.bulk_import import BulkImportForm
from utilities.jobs import is_background_request
from utilities.views import register_model_view

from .. import filtersets, forms, tables
from ..models import PeeringSession, Relationship
from ..querysets import count_visible
from ..services.monitoring.attention import count_lists
from ..services.monitoring.overview import visible_sessions
from ..ui.configuration import ConfigurationPanel
from ..ui.deployments_buttons import AdminDownSelected, AdminUpSelected, ConfigureSelected, Deploy
from ..ui.overview import list_tabs
from ..ui.polls import PollList, PollSession
from ..ui.sessions import (
    BGPPeerPanel,
    ConnectionPanel,
    CreateSessions,
    FamiliesPanel,
    LocalASPanel,
    PasswordPanel,
    PeeringSessionPanel,
    RelationshipPanel,
)
from ..ui.sessions_in_effect import InEffectPanel
from ..ui.states import SessionStatePanel
from . import (  # noqa: F401  (register views)
    sessions_add,
    sessions_create,
    sessions_delete,
    sessions_device,
    sessions_history,
    sessions_password,
)


class CountedMixin:
    """For pages with a table of relationship types: count the sessions that the user may see."""

    def get_queryset(self, request):
        return (
            super()
            .get_queryset(request)
            .annotate(session_count=count_visible("PeeringSession", "relationship", request.user))
        )


@register_model_view(Relationship, "list", path="", detail=False)
class RelationshipListView(CountedMixin, generic.ObjectListView):
    queryset = Relationship.objects.all()
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
class RelationshipBulkEditView(CountedMixin, generic.BulkEditView):
    queryset = Relationship.objects.all()
    filterset = filtersets.RelationshipFilterSet
    table = tables.RelationshipTable
    form = forms.RelationshipBulkEditForm


@register_model_view(Relationship, "bulk_rename", path="rename", detail=False)
class RelationshipBulkRenameView(generic.BulkRenameView):
    queryset = Relationship.objects.all()
    filterset = filtersets.RelationshipFilterSet


@register_model_view(Relationship, "bulk_delete", path="delete", detail=False)
class RelationshipBulkDeleteView(CountedMixin, generic.BulkDeleteView):
    queryset = Relationship.objects.all()
    filterset = filtersets.RelationshipFilterSet
    table = tables.RelationshipTable


def sessions():
    return PeeringSession.objects.with_bgp().with_state()


@register_model_view(PeeringSession, "list", path="", detail=False)
class PeeringSessionListView(generic.ObjectListView):
    queryset = sessions()
    filterset = filtersets.PeeringSessionFilterSet
    filterset_form = forms.PeeringSessionFilterForm
    table = tables.PeeringSessionTable
    template_name = "netbox_peering_manager/sessions/session_list.html"
    actions = (
        PollList, AddObject, CreateSessions, BulkImport, BulkExport, BulkEdit, BulkRename, BulkDelete,
        ConfigureSelected, AdminUpSelected, AdminDownSelected,
    )  # fmt: skip

    def get_extra_context(self, request):
        return {"state_tabs": list_tabs(count_lists(visible_sessions(request.user)), request.GET)}


@register_model_view(PeeringSession)
class PeeringSessionView(generic.ObjectView):
    queryset = sessions().with_connection().select_related("owner")
    template_name = "generic/object.html"
    actions = (PollSession, Deploy, CreateSessions, CloneObject, EditObject, DeleteObject)
    layout = layout.SimpleLayout(
        left_panels=[
            PeeringSessionPanel(),
            ConnectionPanel(),
            PasswordPanel(),
            TagsPanel(),
            CustomFieldsPanel(),
        ],
        right_panels=[
            LocalASPanel(),
            SessionStatePanel(),
            ConfigurationPanel(),
            BGPPeerPanel(),
            InEffectPanel(),
            CommentsPanel(),
        ],
        bottom_panels=[FamiliesPanel()],
    )


@register_model_view(PeeringSession, "add", detail=False)
@register_model_view(PeeringSession, "edit")
class PeeringSessionEditView(generic.ObjectEditView):
    queryset = PeeringSession.objects.all()
    form = forms.PeeringSessionForm


@register_model_view(PeeringSession, "bulk_import", path="import", detail=False)
class PeeringSessionBulkImportView(generic.BulkImportView):
    queryset = PeeringSession.objects.all()
    model_form = forms.PeeringSessionImportForm

    def post(self, request):
        if (
            request.POST.get("background_job")
            and not is_background_request(request)
            and self._has_password(request)
        ):
            messages.error(
                request, _("Passwords are not put into the job queue: import them in the foreground.")
            )
            return self.get(request)
        return super().post(request)

    @staticmethod
    def _has_password(request) -> bool:
        # The request would wait in the job queue as it is, and so would the passwords in it.
        form = BulkImportForm(request.POST, request.FILES)
        found = form.is_valid() and any(record.get("password") for record in form.cleaned_data["data"])
        for file in request.FILES.values():
            file.seek(0)
        return found


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
    # Sessions are named by their BGPPeers.
    field_name = "service_reference"

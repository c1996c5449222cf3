"""Area `peers`: pages of peer ASNs."""

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.signals import clear_events
from extras.ui.panels import CustomFieldsPanel, TagsPanel
from netbox.object_actions import CloneObject, DeleteObject, EditObject
from netbox.ui import layout
from netbox.ui.panels import CommentsPanel, ObjectsTablePanel
from netbox.views import generic
from netbox.views.generic.base import BaseObjectView
from utilities.exceptions import PermissionsViolation
from utilities.views import register_model_view

from .. import filtersets, forms, tables
from ..exceptions import PeeringDBError
from ..models import PeerASN
from ..services.peeringdb.client import client_from_settings
from ..services.peeringdb.service import PeeringDBSyncService
from ..ui import peers as ui
from ..ui.deployments_buttons import Deploy
from ..ui.fabrics_peeringdb import ImportPresenceOf
from ..ui.polls import PollSessions

# For a network that the mirror does not have PeeringDB is asked, while somebody waits in front of the page.
PATIENCE = {"retries": 1, "max_wait_s": 5, "timeout_s": 15}


class WithCounts:
    """For views with a table: counts of what the user may see."""

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).with_counts(request.user)


@register_model_view(PeerASN, "list", path="", detail=False)
class PeerASNListView(WithCounts, generic.ObjectListView):
    queryset = PeerASN.objects.select_related("asn")
    filterset = filtersets.PeerASNFilterSet
    filterset_form = forms.PeerASNFilterForm
    table = tables.PeerASNTable


@register_model_view(PeerASN)
class PeerASNView(generic.ObjectView):
    template_name = "generic/object.html"
    queryset = PeerASN.objects.select_related("asn__rir", "asn__tenant__group")
    actions = (PollSessions, Deploy, ImportPresenceOf, CloneObject, EditObject, DeleteObject)
    layout = layout.SimpleLayout(
        left_panels=[ui.PeerASNPanel(), ui.PeerASNFilteringPanel(), CustomFieldsPanel(), TagsPanel()],
        right_panels=[ui.PeeringDBPanel(), ui.ContactsPanel(), CommentsPanel()],
        bottom_panels=[
            ObjectsTablePanel(
                model="netbox_peering_manager.PeeringSession",
                filters={"remote_as_id": lambda ctx: ctx["object"].asn_id},
                title=gettext_lazy("Sessions with this AS"),
            ),
            ui.LocalSessionsPanel(),
        ],
    )


@register_model_view(PeerASN, "synchronise")
class PeerASNSynchroniseView(BaseObjectView):
    """Fill the peer ASN from PeeringDB. By POST."""

    queryset = PeerASN.objects.select_related("asn")

    def get_required_permission(self) -> str:
        return "netbox_peering_manager.change_peerasn"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return HttpResponseNotAllowed(["POST"])

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        peer = self.get_object(pk=pk)
        try:
            with client_from_settings(**PATIENCE) as client, transaction.atomic():
                PeeringDBSyncService(client, user=request.user).sync_peer_asn(peer)
                # As NetBox's own forms: constraints hold for what it became, too.
                if not PeerASN.objects.restrict(request.user, "change").filter(pk=peer.pk).exists():
                    raise PermissionsViolation
        except PeeringDBError as error:
            messages.error(request, str(error))
        except PermissionsViolation:
            clear_events.send(sender=self)
            messages.error(request, _("You may not change {peer} to what PeeringDB has.").format(peer=peer))
        else:
            messages.success(request, _("{peer} is as PeeringDB has it").format(peer=peer))
        return redirect(peer.get_absolute_url())


@register_model_view(PeerASN, "add", detail=False)
@register_model_view(PeerASN, "edit")
class PeerASNEditView(generic.ObjectEditView):
    queryset = PeerASN.objects.select_related("asn")
    form = forms.PeerASNForm


@register_model_view(PeerASN, "delete")
class PeerASNDeleteView(generic.ObjectDeleteView):
    queryset = PeerASN.objects.select_related("asn")


@register_model_view(PeerASN, "bulk_import", path="import", detail=False)
class PeerASNBulkImportView(generic.BulkImportView):
    queryset = PeerASN.objects.all()
    model_form = forms.PeerASNImportForm


@register_model_view(PeerASN, "bulk_edit", path="edit", detail=False)
class PeerASNBulkEditView(WithCounts, generic.BulkEditView):
    queryset = PeerASN.objects.select_related("asn")
    filterset = filtersets.PeerASNFilterSet
    table = tables.PeerASNTable
    form = forms.PeerASNBulkEditForm


@register_model_view(PeerASN, "bulk_rename", path="rename", detail=False)
class PeerASNBulkRenameView(generic.BulkRenameView):
    queryset = PeerASN.objects.select_related("asn")
    filterset = filtersets.PeerASNFilterSet


@register_model_view(PeerASN, "bulk_delete", path="delete", detail=False)
class PeerASNBulkDeleteView(WithCounts, generic.BulkDeleteView):
    queryset = PeerASN.objects.select_related("asn")
    filterset = filtersets.PeerASNFilterSet
    table = tables.PeerASNTable

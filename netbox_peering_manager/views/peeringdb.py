"""Area `peeringdb`: the PeeringDB page with its buttons, syncs, and rows that were refused."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views import View

from netbox.object_actions import BulkExport
from netbox.ui import layout
from netbox.views import generic
from utilities.views import ContentTypePermissionRequiredMixin, register_model_view

from .. import filtersets, forms, tables
from ..jobs.peeringdb import PeeringDBSyncJob
from ..models import PeeringDBRefusedRow, PeeringDBSync
from ..services.peeringdb.status import PeeringDBStatus, peeringdb_status, test_key
from ..services.permissions import is_unconstrained
from ..ui import peeringdb as ui
from ..ui.jobs import job_progress, visible_jobs
from .peeringdb_base import SYNC, VIEW, Button


class PeeringDBPage(ContentTypePermissionRequiredMixin, View):
    """The PeeringDB page."""

    def get_required_permission(self) -> str:
        return VIEW

    def get(self, request: HttpRequest) -> HttpResponse:
        status = peeringdb_status(request.user, job_name=PeeringDBSyncJob.name)
        return render(
            request,
            "netbox_peering_manager/peeringdb/page.html",
            {
                "status": status,
                "progress": self._progress(request, status),
                "tabs": ui.tabs(request.user, "page", drift=status.drift_total),
                "affected": ui.affected_rows(status.affected),
                "may_sync": is_unconstrained(request.user, SYNC),
                "sees_refused": ui.sees_refused(request.user),
            },
        )

    @staticmethod
    def _progress(request: HttpRequest, status: PeeringDBStatus) -> Any:
        """The progress of the sync job that is under way, None for who may not see it."""
        if status.job is None or not visible_jobs(request.user).filter(pk=status.job.pk).exists():
            return None
        return job_progress(status.job, request.user, reload=True)


class TestKeyView(Button):
    """Ask PeeringDB whether it accepts the key."""

    def act(self, request: HttpRequest) -> None:
        state = test_key()
        (messages.success if state.ok else messages.error)(request, state.message)


class SyncView(Button):
    """Start a sync job; with `full` in the form, one that compares everything."""

    def act(self, request: HttpRequest) -> None:
        full = "full" in request.POST
        job = PeeringDBSyncJob.enqueue(user=request.user, full=full)
        name = _("full comparison with PeeringDB") if full else _("sync with PeeringDB")
        messages.success(request, _("Queued job #{id}: {name}").format(id=job.pk, name=name))


@register_model_view(PeeringDBSync, "list", path="", detail=False)
class PeeringDBSyncListView(generic.ObjectListView):
    queryset = PeeringDBSync.objects.select_related("user")
    filterset = filtersets.PeeringDBSyncFilterSet
    filterset_form = forms.PeeringDBSyncFilterForm
    table = tables.PeeringDBSyncTable
    template_name = "netbox_peering_manager/peeringdb/list.html"
    actions = (BulkExport,)

    def get_extra_context(self, request: HttpRequest) -> dict:
        return {"tabs": ui.tabs(request.user, "syncs")}


@register_model_view(PeeringDBSync)
class PeeringDBSyncView(generic.ObjectView):
    queryset = PeeringDBSync.objects.select_related("user")
    template_name = "netbox_peering_manager/peeringdb/sync.html"
    actions = ()
    layout = layout.SimpleLayout(
        left_panels=[ui.SyncPanel(), ui.AppliedPanel()],
        right_panels=[ui.CountsPanel()],
    )


class ExportRefused(BulkExport):
    """As for other lists, but the rows have no permission of their own: who may view every sync may."""

    permissions_required = set()


@register_model_view(PeeringDBRefusedRow, "list", path="", detail=False)
class PeeringDBRefusedRowListView(generic.ObjectListView):
    """Rows that PeeringDB sent and that do not fit, for who may view every sync."""

    queryset = PeeringDBRefusedRow.objects.all()
    filterset = filtersets.PeeringDBRefusedRowFilterSet
    filterset_form = forms.PeeringDBRefusedRowFilterForm
    table = tables.PeeringDBRefusedRowTable
    template_name = "netbox_peering_manager/peeringdb/list.html"
    actions = (ExportRefused,)

    def get_required_permission(self) -> str:
        return VIEW

    def has_permission(self) -> bool:
        # The rows have no permission of their own that could be constrained.
        return ui.sees_refused(self.request.user)

    def get_extra_context(self, request: HttpRequest) -> dict:
        return {"tabs": ui.tabs(request.user, "refused")}

"""Area `peeringdb`: what disagrees with PeeringDB, and its repairs."""

from collections.abc import Sequence

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from netbox.object_actions import BulkExport, ObjectAction
from netbox.views import generic
from netbox.views.generic.base import BaseObjectView
from utilities.request import safe_for_redirect
from utilities.views import GetReturnURLMixin, register_model_view

from .. import filtersets, forms, tables
from ..exceptions import RepairError
from ..models import PeeringDBDrift
from ..services.peeringdb.drift import refresh_drift
from ..services.peeringdb.repairs import plan_repairs, repair
from ..services.permissions import is_unconstrained
from ..ui import peeringdb as ui
from .peeringdb_base import SYNC, Button

LIST = "plugins:netbox_peering_manager:peeringdbdrift_list"


class OfVisibleObjects:
    """For views of drift: for who may view any of the kinds of objects that drift is about, and then only of those."""

    def get_required_permission(self) -> str:
        return ui.DRIFT_SEEN_WITH[0]

    def has_permission(self) -> bool:
        user = self.request.user
        if not any(user.has_perm(permission) for permission in ui.DRIFT_SEEN_WITH):
            return False
        self.queryset = self.queryset.restrict(user, "view")
        return True


class ExportDrift(BulkExport):
    """As for other lists; rows have no permission of their own."""

    permissions_required = set()


class RepairSelected(ObjectAction):
    """Repair what can be repaired of the selected rows."""

    name = "bulk_repair"
    label = gettext_lazy("Repair Selected")
    multi = True
    template_name = "netbox_peering_manager/peeringdb/repair_selected.html"


# Digits that are a number of the database's in any case.
LONGEST_ID = 18


def is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID


@register_model_view(PeeringDBDrift, "list", path="", detail=False)
class PeeringDBDriftListView(OfVisibleObjects, generic.ObjectListView):
    queryset = PeeringDBDrift.objects.with_objects()
    filterset = filtersets.PeeringDBDriftFilterSet
    filterset_form = forms.PeeringDBDriftFilterForm
    table = tables.PeeringDBDriftTable
    template_name = "netbox_peering_manager/peeringdb/drift_list.html"
    actions = (ExportDrift, RepairSelected)

    def get_permitted_actions(self, user, model=None):
        permitted = super().get_permitted_actions(user, model)
        if any(user.has_perm(permission) for permission in ui.DRIFT_REPAIRED_WITH):
            return permitted
        return [action for action in permitted if action is not RepairSelected]

    def get_extra_context(self, request: HttpRequest) -> dict:
        return {
            "may_sync": is_unconstrained(request.user, SYNC),
            "tabs": ui.tabs(request.user, "drift"),
        }


class RepairView(OfVisibleObjects, GetReturnURLMixin, BaseObjectView):
    """Base of the two ways to repair: shows what would change, and changes it once that is confirmed."""

    queryset = PeeringDBDrift.objects.all()
    default_return_url = LIST

    def show(self, request: HttpRequest, ids: Sequence[int], form=None) -> HttpResponse:
        """Show what repairing these would change."""
        plan = plan_repairs(ids, request.user)
        back = self.get_return_url(request)
        form = form or forms.DriftRepairForm(
            initial={"ids": ",".join(str(step.drift.pk) for step in plan.steps), "return_url": back}
        )
        context = {
            "plan": plan,
            "form": form,
            "action": reverse("plugins:netbox_peering_manager:peeringdbdrift_bulk_repair"),
            "return_url": back,
        }
        return render(request, "netbox_peering_manager/peeringdb/repair.html", context)

    def repair(self, request: HttpRequest, form: forms.DriftRepairForm) -> HttpResponse:
        """Repair what was confirmed, and say what came of it. `form` is valid."""
        ids = form.cleaned_data["ids"]
        try:
            done = repair(ids, request.user, message=form.cleaned_data["changelog_message"])
        except RepairError as error:
            for problem in error.problems:
                form.add_error(None, problem)
            return self.show(request, ids, form)
        if not done.steps:
            raise PermissionDenied
        messages.success(
            request,
            ngettext("Repaired {count} drift.", "Repaired {count} drifts.", len(done.steps)).format(
                count=len(done.steps)
            ),
        )
        if done.left:
            messages.warning(request, " ".join(sorted({left.reason for left in done.left})))
        wanted = form.cleaned_data["return_url"]
        return redirect(wanted if wanted and safe_for_redirect(wanted) else reverse(LIST))


@register_model_view(PeeringDBDrift, "repair")
class PeeringDBDriftRepairView(RepairView):
    """Show what repairing one would change."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        get_object_or_404(self.queryset, pk=pk)
        return self.show(request, [pk])


@register_model_view(PeeringDBDrift, "bulk_repair", path="repair", detail=False)
class PeeringDBDriftBulkRepairView(RepairView):
    """Repair those selected in the list, or all that match its filter: shown first, done once confirmed."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return redirect(LIST)

    def post(self, request: HttpRequest) -> HttpResponse:
        if "_confirm" in request.POST:
            form = forms.DriftRepairForm(request.POST)
            return self.repair(request, form) if form.is_valid() else self.show(request, [], form)
        if ids := self._chosen(request):
            return self.show(request, ids)
        messages.warning(request, _("No drift was selected."))
        return redirect(self.get_return_url(request))

    def _chosen(self, request: HttpRequest) -> list[int]:
        if not request.POST.get("_all"):
            return [int(pk) for pk in request.POST.getlist("pk") if is_id(pk)]
        matching = filtersets.PeeringDBDriftFilterSet(request.GET, self.queryset, request=request).qs
        return list(matching.order_by().values_list("pk", flat=True))


class RefreshDriftView(Button):
    """Compare NetBox with the mirror again, as at the end of a sync."""

    def post(self, request: HttpRequest) -> HttpResponse:
        counts = refresh_drift()
        messages.success(
            request,
            _("Compared with PeeringDB's data: {found} differ, {new} of them new, {gone} no longer.").format(
                found=counts.found, new=counts.new, gone=counts.gone
            ),
        )
        return redirect(LIST)

"""Area `fabrics`: pages that take over from PeeringDB. Each shows what it would do, and does it once confirmed."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.signals import clear_events
from netbox.views.generic.base import BaseMultiObjectView, BaseObjectView
from utilities.exceptions import AbortRequest
from utilities.forms import restrict_form_fields
from utilities.querydict import normalize_querydict
from utilities.views import GetReturnURLMixin, register_model_view

from .. import forms
from ..exceptions import ExchangeError
from ..models import PeeringConnection, PeeringFabric
from ..services.peeringdb.drift import refresh_drift
from ..services.peeringdb.exchanges import (
    Preview,
    create_fabric,
    link_fabric,
    preview_link,
    preview_new,
    suggest_exchange,
)
from ..services.peeringdb.moving import Move
from ..services.peeringdb.presence import Imported, import_presence, own_asns, plan_presence
from ..services.peeringdb.renumbering import Renumbering, RenumberPlan, plan_renumbering, renumber
from ..ui import fabrics_peeringdb as ui

APP = "netbox_peering_manager"
LIST = f"plugins:{APP}:peeringfabric_list"


class PreviewedFabricView(GetReturnURLMixin):
    """Base of the two forms about one exchange: valid, they show what would be done; confirmed, it is done."""

    template_name = f"{APP}/fabrics/from_peeringdb.html"

    def preview(self, form) -> Preview:
        """Plan what a valid form asks for."""
        raise NotImplementedError

    def apply(self, form, digest: str) -> PeeringFabric:
        """Do it."""
        raise NotImplementedError

    def respond(self, request: HttpRequest, form, instance: PeeringFabric) -> HttpResponse:
        """Answer a POST of the bound form."""
        if not form.is_valid():
            return self.show(request, form, instance)
        if "_confirm" in request.POST:
            try:
                fabric = self.apply(form, request.POST.get("digest", ""))
            except (ExchangeError, AbortRequest) as error:
                clear_events.send(sender=self)
                add_errors(form, error)
            else:
                return self.done(request, fabric)
        return self.show(request, form, instance, self.preview_or_none(form))

    def preview_or_none(self, form) -> Preview | None:
        try:
            return self.preview(form)
        except ExchangeError as error:
            form.add_errors(error)
            return None

    def done(self, request: HttpRequest, fabric: PeeringFabric) -> HttpResponse:
        link = format_html('<a href="{}">{}</a>', fabric.get_absolute_url(), fabric)
        messages.success(request, format_html(self.message, fabric=link))
        return redirect(self.get_return_url(request, fabric))

    def show(
        self, request: HttpRequest, form, instance: PeeringFabric, preview: Preview | None = None
    ) -> HttpResponse:
        problems = [*preview.fabric.problems] if preview else []
        for found in preview.fabric.problems_of.values() if preview else ():
            problems += found
        context = {
            "model": PeeringFabric,
            "object": instance,
            "form": form,
            "preview": preview,
            "problems": ui.shown(problems, preview.exchange.ix_id if preview else None),
            "sync_first": ui.sync_first(request.user),
            "return_url": self.get_return_url(request, instance),
        }
        return render(request, self.template_name, context)


def add_errors(form, error: ExchangeError | AbortRequest) -> None:
    """Put what was refused on the form."""
    if isinstance(error, ExchangeError):
        form.add_errors(error)
    else:
        form.add_error(None, error.message)


@register_model_view(PeeringFabric, "add_from_peeringdb", path="add-from-peeringdb", detail=False)
class FabricFromPeeringDBView(PreviewedFabricView, BaseMultiObjectView):
    """Make a fabric from an exchange."""

    queryset = PeeringFabric.objects.all()

    def get_required_permission(self) -> str:
        return f"{APP}.add_peeringfabric"

    @property
    def message(self) -> str:
        return _("Created {fabric} from PeeringDB")

    def get(self, request: HttpRequest) -> HttpResponse:
        form = forms.FabricFromPeeringDBForm(initial=normalize_querydict(request.GET))
        restrict_form_fields(form, request.user)
        return self.show(request, form, PeeringFabric())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = forms.FabricFromPeeringDBForm(request.POST)
        restrict_form_fields(form, request.user)
        return self.respond(request, form, PeeringFabric())

    def preview(self, form) -> Preview:
        return preview_new(form.wanted(), self.request.user)

    def apply(self, form, digest: str) -> PeeringFabric:
        return create_fabric(form.wanted(), self.request.user, digest=digest)


@register_model_view(PeeringFabric, "link_peeringdb", path="link-peeringdb")
class FabricLinkView(PreviewedFabricView, BaseObjectView):
    """Link a fabric to the exchange that it is."""

    queryset = PeeringFabric.objects.all()

    def get_required_permission(self) -> str:
        return f"{APP}.change_peeringfabric"

    @property
    def message(self) -> str:
        return _("Linked {fabric} to PeeringDB")

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.fabric = self.get_object(pk=pk)
        initial = normalize_querydict(request.GET)
        initial.setdefault("exchange", suggest_exchange(self.fabric))
        form = forms.FabricLinkForm(initial=initial)
        restrict_form_fields(form, request.user)
        return self.show(request, form, self.fabric)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.fabric = self.get_object(pk=pk)
        form = forms.FabricLinkForm(request.POST)
        restrict_form_fields(form, request.user)
        return self.respond(request, form, self.fabric)

    def preview(self, form) -> Preview:
        chosen = form.cleaned_data
        return preview_link(self.fabric, chosen["exchange"].pk, chosen["vrf"], self.request.user)

    def apply(self, form, digest: str) -> PeeringFabric:
        chosen = form.cleaned_data
        return link_fabric(
            self.fabric, chosen["exchange"].pk, chosen["vrf"], self.request.user, digest=digest
        )


@register_model_view(PeeringFabric, "import_presence", path="import-presence", detail=False)
class ImportPresenceView(BaseMultiObjectView):
    """Import our own ports: what would be made, what is there, what is waited for and what contradicts itself."""

    queryset = PeeringConnection.objects.all()
    template_name = f"{APP}/fabrics/import_presence.html"

    def get_required_permission(self) -> str:
        return f"{APP}.add_peeringconnection"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(request, self._form(request))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self._form(request)
        if not form.is_valid():
            return self._show(request, form)
        digest = request.POST.get("digest", "")
        try:
            imported = import_presence(**_chosen(form), user=request.user, digest=digest)
        except (ExchangeError, AbortRequest) as error:
            clear_events.send(sender=self)
            add_errors(form, error)
            return self._show(request, form)
        if imported.is_something:
            refresh_drift()
        messages.success(request, _told(imported))
        return redirect(request.get_full_path())

    def _form(self, request: HttpRequest):
        """The choices stand in the address, also when the import is confirmed."""
        form = forms.ImportPresenceForm(request.GET)
        restrict_form_fields(form, request.user)
        return form

    def _show(self, request: HttpRequest, form) -> HttpResponse:
        # What was refused when it was confirmed stands on no field.
        is_chosen = not set(form.errors) - {NON_FIELD_ERRORS}
        plan = plan_presence(**_chosen(form), user=request.user) if is_chosen else None
        url = request.get_full_path()
        context = {
            "model": PeeringFabric,
            "form": form,
            "plan": plan,
            "waiting": _waiting(plan, url) if plan else [],
            "planned": _planned(plan, url) if plan else [],
            "conflicts": _conflicts(plan) if plan else [],
            "has_own_asns": own_asns(request.user).exists(),
            "sync_first": ui.sync_first(request.user),
            "may_add_addresses": request.user.has_perm("ipam.add_ipaddress"),
            "may_change_addresses": request.user.has_perm("ipam.change_ipaddress"),
            "return_url": reverse(LIST),
        }
        return render(request, self.template_name, context)


def _chosen(form) -> dict[str, Any]:
    """What import_presence() and plan_presence() take of a form."""
    chosen = form.cleaned_data
    return {"peer_asns": list(chosen.get("peer_asns") or ()) or None, "vrf": chosen.get("vrf")}


def _waiting(plan, url: str) -> list[tuple[Any, list[tuple[Any, str]]]]:
    return [(each, _with_urls(each.missing, url)) for each in plan.ports.waiting]


def _planned(plan, url: str) -> list[tuple[Any, list[tuple[Any, str]]]]:
    return [(each, _with_urls(each.lacking, url)) for each in plan.ports.planned]


def _with_urls(missing, url: str) -> list[tuple[Any, str]]:
    return [(each, ui.missing_url(each, url)) for each in missing]


def _conflicts(plan) -> list[tuple[Any, list[ui.ShownProblem]]]:
    return [(each, ui.shown(each.problems, each.place.ix_id)) for each in plan.ports.conflicts]


def _told(imported: Imported) -> str:
    if not imported.is_something:
        return _("Everything was there already.")
    counts = (
        ngettext("{count} fabric", "{count} fabrics", len(imported.fabrics)).format(
            count=len(imported.fabrics)
        ),
        ngettext("{count} network", "{count} networks", len(imported.networks)).format(
            count=len(imported.networks)
        ),
        ngettext("{count} connection", "{count} connections", len(imported.connections)).format(
            count=len(imported.connections)
        ),
    )
    return _("Imported {counts}").format(counts=", ".join(counts))


@register_model_view(PeeringFabric, "renumber", path="renumber")
class RenumberView(GetReturnURLMixin, BaseObjectView):
    """Move what hangs on prefixes that changed in PeeringDB."""

    queryset = PeeringFabric.objects.all()
    template_name = f"{APP}/fabrics/renumber.html"

    def get_required_permission(self) -> str:
        return f"{APP}.change_peeringnetwork"

    def has_permission(self) -> bool:
        # Networks are changed; the fabric, whose page this is, needs but be visible.
        user = self.request.user
        if not user.has_perm(self.get_required_permission()):
            return False
        self.queryset = self.queryset.restrict(user, "view")
        return True

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._show(request, self._fabric(pk), forms.RenumberForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        fabric = self._fabric(pk)
        form = forms.RenumberForm(request.POST, ids=forms.RenumberForm.ids_in(request.POST))
        if not form.is_valid():
            return self._show(request, fabric, form)
        if "_confirm" not in request.POST or not form.is_as_seen():
            if "_confirm" in request.POST:
                messages.info(request, _("Look at the addresses that you gave, then confirm."))
            return self._show(request, fabric, form, form.given())
        try:
            plan = renumber(
                fabric,
                request.user,
                form.given(),
                early=self._early(request),
                digest=request.POST.get("digest", ""),
            )
        except (ExchangeError, AbortRequest) as error:
            clear_events.send(sender=self)
            add_errors(form, error)
            return self._show(request, fabric, form, form.given())
        refresh_drift()
        count = sum(len(step.decided) for step in plan.steps)
        messages.success(
            request,
            ngettext(
                "Renumbered {fabric}: {count} address moved. Its routers need a new configuration.",
                "Renumbered {fabric}: {count} addresses moved. Its routers need a new configuration.",
                count,
            ).format(fabric=fabric, count=count),
        )
        return redirect(fabric.get_absolute_url())

    def _fabric(self, pk: int) -> PeeringFabric:
        return get_object_or_404(self.queryset, pk=pk)

    @staticmethod
    def _early(request: HttpRequest) -> bool:
        return "early" in request.GET

    def _show(
        self, request: HttpRequest, fabric: PeeringFabric, form, given: dict[int, str] | None = None
    ) -> HttpResponse:
        plan = plan_renumbering(fabric, request.user, given, early=self._early(request))
        context = {
            "object": fabric,
            "form": form,
            "plan": plan,
            "steps": _steps(plan, given or {}),
            "undecided_of_others": sum(not move.is_ours for move in plan.undecided),
            "early": self._early(request),
            "return_url": fabric.get_absolute_url(),
        }
        return render(request, self.template_name, context)


@dataclass(frozen=True)
class _Row:
    """An address on the page; with `has_input` a person may give its new address, `value` so far."""

    move: Move
    has_input: bool
    value: str


@dataclass(frozen=True)
class _Step:
    """A LAN's family on the page."""

    step: Renumbering
    problems: list[ui.ShownProblem]
    rows: list[_Row]


def _steps(plan: RenumberPlan, given: dict[int, str]) -> list[_Step]:
    inputs = set(forms.RenumberForm.ids_of(plan)[: forms.RenumberForm.inputs_max])
    return [
        _Step(
            step,
            ui.shown(step.problems),
            [_Row(move, move.address_id in inputs, given.get(move.address_id, "")) for move in step.moves],
        )
        for step in plan.steps
    ]

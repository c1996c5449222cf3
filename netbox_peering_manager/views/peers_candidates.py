"""
Area `peers`: whom to peer with. The tab "Available Peers" of a fabric, the tab "Available Sessions" of a peer ASN, the
ranking of networks over all our exchanges, and hiding those that are not to be proposed.
"""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views import View

from core.signals import clear_events
from netbox.context import current_request
from netbox.object_actions import ObjectAction
from netbox.views import generic
from utilities.export import TableExport
from utilities.htmx import htmx_partial
from utilities.tables import get_table_configs
from utilities.views import (
    ContentTypePermissionRequiredMixin,
    GetReturnURLMixin,
    ViewTab,
    register_model_view,
)

from .. import filtersets, forms, tables
from ..exceptions import ProvisioningError
from ..models import (
    HiddenPeer,
    PeerASN,
    PeeringDBNet,
    PeeringDBNetIXLan,
    PeeringDBWatermark,
    PeeringFabric,
    PeeringNetwork,
)
from ..services.provisioning.candidates import available_ports, usable_connections
from ..services.provisioning.hiding import hide
from ..services.provisioning.ranking import ranked_networks
from .peers_selection import origin_of, selected_asns, shown

APP = "netbox_peering_manager"
TEMPLATES = f"{APP}/peers"
# What one must see to be told whom one could peer with.
SEES = (f"{APP}.view_peeringconnection", f"{APP}.view_peeringfabric")


class CandidateAction(ObjectAction):
    """An action on chosen rows; their model is the mirror's, which has no permissions, so it names its own."""

    multi = True
    permission = ""
    viewname = ""

    @classmethod
    def get_url(cls, obj: Any) -> str:
        return reverse(f"plugins:{APP}:{cls.viewname}")


class AddSelected(CandidateAction):
    label = gettext_lazy("Add Selected")
    template_name = f"{TEMPLATES}/add_selected_button.html"
    permission = f"{APP}.add_peeringsession"
    viewname = "peeringsession_add_selected"


class HideSelected(CandidateAction):
    label = gettext_lazy("Hide Selected")
    template_name = f"{TEMPLATES}/hide_selected_button.html"
    permission = f"{APP}.add_hiddenpeer"
    viewname = "hiddenpeer_hide"


class CandidateList:
    """What the three lists have in common: rows to filter, sort, choose, add, hide and export."""

    actions = (AddSelected, HideSelected)
    partial_name = f"{TEMPLATES}/candidates_table.html"

    def get_permitted_actions(self, user: Any, model: Any = None) -> list:
        return [action for action in self.actions if user.has_perm(action.permission)]

    def answer(self, request: HttpRequest, rows: Any, context: dict[str, Any]) -> HttpResponse:
        """Return the page of these rows, its table alone to htmx, or the export that was asked for."""
        filtered = self.filterset(request.GET, rows, request=request)
        actions = self.get_permitted_actions(request.user)
        table = self.get_table(filtered.qs, request, bool(actions))
        if "export" in request.GET:
            return self.export(request, table, everything=request.GET["export"] != "table")
        context = {
            "model": table.Meta.model,
            "table": table,
            "actions": actions,
            "may_add": AddSelected in actions,
            "add_url": AddSelected.get_url(None),
            "return_url": request.get_full_path(),
            **context,
        }
        if htmx_partial(request):
            return render(request, self.partial_name, context)
        if "object" in context and not is_filtered(filtered):
            context["object"].available_count = table.page.paginator.count
        form = self.filterset_form(request.GET)
        return render(
            request,
            self.template_name,
            {
                "filter_form": form,
                "table_config": f"{table.name}_config",
                "table_configs": get_table_configs(table, request.user),
                "why_empty": "" if len(table.rows) else self.why_empty(request, filtered),
                **context,
            },
        )

    def export(self, request: HttpRequest, table: Any, *, everything: bool) -> HttpResponse:
        """Return the rows as CSV: the columns that are shown, or all of them."""
        left_out = {"pk", "actions"}
        if not everything:
            left_out |= {name for name, _title in table.available_columns}
        delimiter = request.user.config.get("csv_delimiter") if request.user.is_authenticated else None
        exporter = TableExport(TableExport.CSV, table=table, exclude_columns=left_out, delimiter=delimiter)
        return exporter.response(filename=f"netbox_{self.export_name}.csv")

    def why_empty(self, request: HttpRequest, filtered: Any) -> str:
        """Return why there is nothing, for who wonders; "" when it is because nobody is left."""
        if is_filtered(filtered):
            return ""
        if not PeeringDBWatermark.objects.filter(tag="netixlan").exists():
            return _("Nothing is known from PeeringDB yet: it has not been synced.")
        linked = usable_connections(request.user).filter(peering_network__peeringdb_id__isnull=False)
        if not linked.exists():
            return _(
                "You see no connection of ours on a network that is linked to PeeringDB: give the network the ID "
                "of its LAN there (ixlan), and create a connection for our port."
            )
        return ""


def is_filtered(filtered: Any) -> bool:
    """Whether any filter of a filter set was given, saved ones included."""
    return any(filtered.data.get(name) for name in (*filtered.filters, "filter", "filter_id"))


class AvailableTab(ViewTab):
    """A tab whose badge counts the ports that it would list, of what the user may see."""

    def __init__(self, label: str, origin: str, **kwargs: Any):
        super().__init__(label=label, badge=self._count, permission=SEES[0], **kwargs)
        self.origin = origin

    def _count(self, instance: Any) -> int:
        request = current_request.get()
        if request is None:
            return 0
        # The tab's own page has just counted them.
        if (counted := getattr(instance, "available_count", None)) is not None:
            return counted
        return shown(available_ports(request.user, **{self.origin: instance}), request).count()


def is_linked(fabric: PeeringFabric) -> bool:
    """Whether PeeringDB knows a LAN of the fabric."""
    return PeeringNetwork.objects.filter(fabric=fabric, peeringdb_id__isnull=False).exists()


@register_model_view(PeeringFabric, "available_peers", path="available-peers")
class FabricAvailablePeersView(CandidateList, generic.ObjectChildrenView):
    queryset = PeeringFabric.objects.all()
    child_model = PeeringDBNetIXLan
    table = tables.AvailablePeerTable
    filterset = filtersets.AvailablePortFilterSet
    filterset_form = forms.AvailablePortFilterForm
    template_name = f"{TEMPLATES}/available.html"
    additional_permissions = SEES
    export_name = "available_peers"
    tab = AvailableTab(gettext_lazy("Available Peers"), origin="fabric", visible=is_linked, weight=600)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        fabric = self.get_object(**kwargs)
        rows = available_ports(request.user, fabric=fabric)
        return self.answer(
            request, rows, {"object": fabric, "tab": self.tab, "origin": "fabric", "origin_pk": fabric.pk}
        )


@register_model_view(PeerASN, "available_sessions", path="available-sessions")
class PeerASNAvailableSessionsView(CandidateList, generic.ObjectChildrenView):
    queryset = PeerASN.objects.select_related("asn")
    child_model = PeeringDBNetIXLan
    table = tables.AvailableSessionTable
    filterset = filtersets.AvailablePortFilterSet
    filterset_form = forms.AvailableSessionFilterForm
    template_name = f"{TEMPLATES}/available.html"
    additional_permissions = SEES
    export_name = "available_sessions"
    tab = AvailableTab(
        gettext_lazy("Available Sessions"), origin="asn", visible=lambda peer: not peer.affiliated, weight=600
    )

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        peer = self.get_object(**kwargs)
        rows = available_ports(request.user, asn=peer).order_by("fabric_name", "network_name", "pk")
        return self.answer(
            request, rows, {"object": peer, "tab": self.tab, "origin": "peer_asn", "origin_pk": peer.pk}
        )


class PeerRankingView(CandidateList, generic.ObjectListView):
    """Networks without any session, over all our exchanges."""

    queryset = PeeringDBNet.objects.none()
    table = tables.PeerRankingTable
    filterset = filtersets.RankedNetworkFilterSet
    filterset_form = forms.RankedNetworkFilterForm
    template_name = f"{TEMPLATES}/ranking.html"
    export_name = "peer_ranking"

    def has_permission(self) -> bool:
        # The mirror has no permissions: what counts is what the ranking is made from.
        return self.request.user.has_perms(SEES)

    def get_queryset(self, request: HttpRequest) -> Any:
        return self.queryset

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.answer(request, ranked_networks(request.user), {})


@register_model_view(HiddenPeer, "hide", path="hide", detail=False)
class HidePeersView(ContentTypePermissionRequiredMixin, GetReturnURLMixin, View):
    """Hide the networks that were chosen in a list: by POST, first for the form and then with it."""

    http_method_names = ("post",)
    default_return_url = f"plugins:{APP}:hiddenpeer_list"
    template_name = f"{TEMPLATES}/hide.html"

    def get_required_permission(self) -> str:
        return f"{APP}.add_hiddenpeer"

    def post(self, request: HttpRequest) -> HttpResponse:
        fabric = origin_of(request).get("fabric")
        form = self._form(request, fabric)
        if not form.chosen:
            messages.warning(request, _("No networks were selected."))
            return redirect(self.get_return_url(request))
        if form.is_bound and form.is_valid():
            try:
                return self._hide(request, form, fabric)
            except ProvisioningError as error:
                # Of what was taken back no event is to tell.
                clear_events.send(sender=self)
                form.add_error(None, [message for texts in error.errors.values() for message in texts])
        return render(
            request,
            self.template_name,
            {
                "form": form,
                "fabric": fabric,
                "networks": named(form.chosen),
                "return_url": self.get_return_url(request),
            },
        )

    @staticmethod
    def _form(request: HttpRequest, fabric: PeeringFabric | None) -> forms.HidePeersForm:
        if "_confirm" in request.POST:
            return forms.HidePeersForm(request.POST, fabric=fabric)
        return forms.HidePeersForm(fabric=fabric, asns=selected_asns(request))

    def _hide(
        self, request: HttpRequest, form: forms.HidePeersForm, fabric: PeeringFabric | None
    ) -> HttpResponse:
        data = form.cleaned_data
        hide(
            data["asns"],
            fabric=None if data.get("everywhere") else fabric,
            reason=data["reason"],
            until=data["until"],
            user=request.user,
        )
        count = len(data["asns"])
        messages.success(
            request,
            ngettext("{count} network is hidden.", "{count} networks are hidden.", count).format(count=count),
        )
        return redirect(self.get_return_url(request))


def named(asns: list[int]) -> list[tuple[int, str]]:
    """Return the AS numbers with what PeeringDB's mirror calls each, "" when it does not know it."""
    names = dict(PeeringDBNet.objects.filter(asn__in=asns).order_by("-pk").values_list("asn", "name"))
    return [(asn, names.get(asn, "")) for asn in asns]

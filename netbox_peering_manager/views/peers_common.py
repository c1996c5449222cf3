"""Area `peers`: the tab of a peer ASN with the exchanges and facilities where we meet it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from netbox.context import current_request
from netbox.views import generic
from utilities.htmx import htmx_partial
from utilities.tables import get_table_configs
from utilities.views import ViewTab, get_action_url, register_model_view

from .. import tables
from ..models import PeerASN
from ..services.provisioning.facilities import common_exchanges, common_facilities

TEMPLATES = "netbox_peering_manager/peers"


class CommonTab(ViewTab):
    """The badge counts exchanges and facilities together."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Common Exchanges and Facilities"),
            badge=self._count,
            visible=lambda peer: not peer.affiliated,
            weight=650,
        )

    @staticmethod
    def _count(peer: PeerASN) -> int:
        request = current_request.get()
        if request is None:
            return 0
        return common_exchanges(peer, request.user).count() + common_facilities(peer, request.user).count()


@register_model_view(PeerASN, "common_places", path="common-places")
class PeerASNCommonPlacesView(generic.ObjectView):
    """Both lists, each loaded by htmx from its own address below."""

    queryset = PeerASN.objects.select_related("asn")
    template_name = f"{TEMPLATES}/common_places.html"
    tab = CommonTab()


class PlacesView(generic.ObjectChildrenView):
    """Base of the two lists: full pages with everything of a NetBox table, and parts of the tab."""

    queryset = PeerASN.objects.select_related("asn")
    template_name = f"{TEMPLATES}/places.html"
    title: Any = ""
    viewname = ""
    # Its lists are of that tab.
    tab = None

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        peer = self.get_object(**kwargs)
        table = self.get_table(self.get_children(request, peer), request, bulk_actions=False)
        context: dict[str, Any] = {"object": peer, "table": table, "model": table.Meta.model}
        if htmx_partial(request):
            if "embedded" in request.GET:
                table.embedded = True
                table.url = get_action_url(PeerASN, action=self.viewname, kwargs={"pk": peer.pk})
            return render(request, "htmx/table.html", context)
        return render(
            request,
            self.template_name,
            {
                **context,
                "title": self.title,
                "tab": PeerASNCommonPlacesView.tab,
                "table_config": f"{table.name}_config",
                "table_configs": get_table_configs(table, request.user),
            },
        )


@register_model_view(PeerASN, "common_exchanges", path="common-places/exchanges")
class PeerASNCommonExchangesView(PlacesView):
    table = tables.CommonExchangeTable
    title = _("Common exchanges")
    viewname = "common_exchanges"

    def get_children(self, request: HttpRequest, parent: PeerASN) -> Any:
        return common_exchanges(parent, request.user).order_by("name", "pk")


@register_model_view(PeerASN, "common_facilities", path="common-places/facilities")
class PeerASNCommonFacilitiesView(PlacesView):
    table = tables.CommonFacilityTable
    title = _("Common facilities, for private interconnects")
    viewname = "common_facilities"

    def get_children(self, request: HttpRequest, parent: PeerASN) -> Any:
        return common_facilities(parent, request.user).order_by("name", "pk")

"""Area `fabrics`: what its pages show of PeeringDB: buttons, panels, and the ways out of problems."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from django.urls import reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from netbox.object_actions import ObjectAction
from netbox.ui import panels

from ..models import PeeringConnection, PeeringDBIX, PeeringDBIXLan, PeeringFabric
from ..services.peeringdb.mirrored import has_exchanges, with_network_count
from ..services.peeringdb.renumbering import renumbered_lans
from ..services.peeringdb.site import site_url
from ..services.provisioning.candidates import Coverage, coverage
from ..tables.fabrics import percentage
from .fabrics import may

if TYPE_CHECKING:
    from ..services.peeringdb.lans import Problem
    from ..services.peeringdb.ports import Missing

__all__ = (
    "AddFromPeeringDB",
    "CoveragePanel",
    "ExchangePanel",
    "ImportPresence",
    "ImportPresenceOf",
    "LinkToPeeringDB",
    "RenumberPanel",
    "ShownProblem",
    "SyncFirst",
    "missing_url",
    "shown",
    "sync_first",
)

APP = "netbox_peering_manager"
TEMPLATES = f"{APP}/fabrics"


#
# Buttons
#


class AddFromPeeringDB(ObjectAction):
    """The button to the form that makes a fabric from an exchange."""

    name = "add_from_peeringdb"
    label = _("Add from PeeringDB")
    permissions_required = {"add"}
    template_name = f"{TEMPLATES}/action_button.html"

    @classmethod
    def get_context(cls, context: Any, obj: Any) -> dict:
        return {"icon": "mdi-database-plus-outline"}


class ImportPresence(ObjectAction):
    """The button to the import of our own ports, for who may add connections."""

    name = "import_presence"
    label = _("Import own ports")
    template_name = f"{TEMPLATES}/action_button.html"

    @classmethod
    def get_url(cls, obj: Any) -> str:
        return reverse(f"plugins:{APP}:peeringfabric_import_presence")

    @classmethod
    def render(cls, context: Any, obj: Any, **kwargs: Any) -> str:
        return super().render(context, obj, **kwargs) if may(context, PeeringConnection, "add") else ""

    @classmethod
    def get_context(cls, context: Any, obj: Any) -> dict:
        return {"icon": "mdi-import"}


class ImportPresenceOf(ImportPresence):
    """As ImportPresence, on the page of an AS that is ours: for that alone."""

    @classmethod
    def get_url(cls, obj: Any) -> str:
        return f"{super().get_url(obj)}?{urlencode({'peer_asns': obj.pk})}"

    @classmethod
    def render(cls, context: Any, obj: Any, **kwargs: Any) -> str:
        return super().render(context, obj, **kwargs) if obj.affiliated else ""


class LinkToPeeringDB(ObjectAction):
    """The button that links a fabric to its exchange, on fabrics that have none."""

    name = "link_peeringdb"
    label = _("Link to PeeringDB")
    permissions_required = {"change"}
    url_kwargs = ["pk"]
    template_name = f"{TEMPLATES}/action_button.html"

    @classmethod
    def render(cls, context: Any, obj: PeeringFabric, **kwargs: Any) -> str:
        return super().render(context, obj, **kwargs) if obj.peeringdb_id is None else ""

    @classmethod
    def get_context(cls, context: Any, obj: Any) -> dict:
        return {"icon": "mdi-link-variant"}


#
# Problems and what is missing
#


@dataclass(frozen=True)
class ShownProblem:
    """A problem with the link that leads out of it, both empty when there is none."""

    text: str
    url: str = ""
    label: str = ""


def shown(problems: "Iterable[Problem]", ix_id: int | None = None) -> list[ShownProblem]:
    """Return problems with their links; `ix_id` is the exchange that they are about."""
    return [_shown(problem, ix_id) for problem in problems]


def _shown(problem: "Problem", ix_id: int | None) -> ShownProblem:
    # Ids of what is only planned are negative.
    if not problem.way or not problem.object_id or problem.object_id < 0:
        return ShownProblem(problem.text)
    if problem.way == "link":
        url = reverse(f"plugins:{APP}:peeringfabric_link_peeringdb", args=[problem.object_id])
        query = f"?{urlencode({'exchange': ix_id})}" if ix_id else ""
        return ShownProblem(problem.text, url + query, _t("Link it"))
    model, label = {"fabric": ("peeringfabric", _t("Fabric")), "network": ("peeringnetwork", _t("Network"))}[
        problem.way
    ]
    return ShownProblem(problem.text, reverse(f"plugins:{APP}:{model}", args=[problem.object_id]), label)


def missing_url(missing: "Missing", return_url: str) -> str:
    """Return the page of NetBox on which the missing address is added or assigned, with all that is known filled in."""
    query: dict[str, Any] = {"return_url": return_url}
    if missing.interface:
        query["interface"] = missing.interface.id
    if missing.address_id:
        return f"{reverse('ipam:ipaddress_edit', args=[missing.address_id])}?{urlencode(query)}"
    query["address"] = missing.text
    if missing.vrf.id:
        query["vrf"] = missing.vrf.id
    return f"{reverse('ipam:ipaddress_add')}?{urlencode(query)}"


@dataclass(frozen=True)
class SyncFirst:
    """That nothing was synced yet; `url` is where that is done, "" for who may not."""

    url: str


def sync_first(user: Any) -> SyncFirst | None:
    """Return what to tell `user` while the mirror has no exchange, None when it has."""
    if has_exchanges():
        return None
    may_see = user.has_perm(f"{APP}.view_peeringdbsync")
    return SyncFirst(reverse(f"plugins:{APP}:peeringdb") if may_see else "")


#
# Panels
#


@dataclass(frozen=True)
class Link:
    """A web address with what to call it; `url` "" when it is none that a browser should follow."""

    label: str
    url: str
    text: str


class ExchangePanel(panels.ObjectPanel):
    """What PeeringDB says of the exchange that a fabric is."""

    template_name = f"{TEMPLATES}/exchange_panel.html"
    title = _("PeeringDB")

    def get_context(self, context: Any) -> dict:
        prepared = super().get_context(context)
        fabric = prepared["object"]
        exchange = None
        if fabric.peeringdb_id is not None:
            exchange = with_network_count(PeeringDBIX.objects.filter(pk=fabric.peeringdb_id)).first()
        return {
            **prepared,
            "exchange": exchange,
            "page": site_url("ix", fabric.peeringdb_id) if fabric.peeringdb_id else "",
            "links": list(_links(exchange)) if exchange else [],
        }

    def should_render(self, context: dict) -> bool:
        return context["object"].peeringdb_id is not None


def _links(exchange: PeeringDBIX) -> Iterable[Link]:
    lists = PeeringDBIXLan.objects.filter(ix_id=exchange.pk).order_by("pk")
    told = [
        (_t("Website"), exchange.website),
        (_t("Statistics"), exchange.url_stats),
        *(
            (_t("Member list (IX-F)"), url)
            for url in lists.values_list("ixf_ixp_member_list_url", flat=True).distinct()
        ),
    ]
    for label, text in told:
        if text:
            yield Link(label, text if urlsplit(text).scheme in ("http", "https") else "", text)


class CoveragePanel(panels.ObjectPanel):
    """How much of a fabric is used: peers with sessions, and those there could be sessions with."""

    template_name = f"{TEMPLATES}/coverage_panel.html"
    title = _("Coverage")

    def get_context(self, context: Any) -> dict:
        prepared = super().get_context(context)
        fabric = prepared["object"]
        counts = coverage([fabric.pk], prepared["request"].user).get(fabric.pk, Coverage())
        return {**prepared, "coverage": counts, "percentage": percentage(counts)}


class RenumberPanel(panels.ObjectPanel):
    """That PeeringDB has other prefixes than the fabric's networks, with the way to renumber them."""

    template_name = f"{TEMPLATES}/renumber_panel.html"
    title = _("Renumbered")

    def get_context(self, context: Any) -> dict:
        prepared = super().get_context(context)
        fabric, user = prepared["object"], prepared["request"].user
        is_linked = fabric.peeringdb_id is not None
        return {
            **prepared,
            "lans": [lan for lan in renumbered_lans(fabric, user) if lan.is_over] if is_linked else [],
            "url": reverse(f"plugins:{APP}:peeringfabric_renumber", args=[fabric.pk]),
            "may_renumber": user.has_perm(f"{APP}.change_peeringnetwork"),
        }

    def should_render(self, context: dict) -> bool:
        return bool(context["lans"])

"""The menu "Peering"."""

from collections.abc import Sequence
from functools import partial

from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from netbox.plugins import PluginMenu, PluginMenuButton, PluginMenuItem

APP = "netbox_peering_manager"


def _page(name: str, text: str, *models: str, buttons: Sequence[PluginMenuButton] = ()) -> PluginMenuItem:
    """A page, for those who may view all of these models."""
    item = PluginMenuItem(
        link=f"plugins:{APP}:{name}",
        link_text=text,
        auth_required=True,
        permissions=[f"{APP}.view_{model}" for model in models],
        buttons=list(buttons),
    )
    return _looked_up_once(item)


def _list(model: str, text: str) -> PluginMenuItem:
    """The list of a model, with what makes more of them."""
    return _page(
        f"{model}_list",
        text,
        model,
        buttons=(
            _button(model, "add", _("Add"), "mdi mdi-plus-thick"),
            _button(model, "bulk_import", _("Import"), "mdi mdi-upload"),
        ),
    )


def _button(model: str, action: str, title: str, icon: str) -> PluginMenuButton:
    link = f"plugins:{APP}:{model}_{action}"
    return _looked_up_once(PluginMenuButton(link, title, icon, permissions=[f"{APP}.add_{model}"]))


def _looked_up_once[Entry: (PluginMenuItem, PluginMenuButton)](entry: Entry) -> Entry:
    """
    Not for each page, as NetBox does: with its own menu that takes about as many regular expressions as Python keeps
    (512). With ours on top all of them would be compiled anew for every page.
    """
    entry.url = SimpleLazyObject(partial(reverse, entry.link))
    return entry


menu = PluginMenu(
    label=_("Peering"),
    icon_class="mdi mdi-transit-connection-variant",
    groups=(
        (
            _("Sessions"),
            (
                _page("overview", _("Overview"), "peeringsession"),
                _list("peeringsession", _("Peering Sessions")),
                _list("relationship", _("Relationship Types")),
            ),
        ),
        (
            _("Exchanges"),
            (
                _list("peeringfabric", _("Fabrics")),
                _list("peeringnetwork", _("Networks")),
                _list("peeringconnection", _("Connections")),
            ),
        ),
        (
            _("Peers"),
            (
                _list("peerasn", _("Peer ASNs")),
                _page("peer_ranking", _("Peer Ranking"), "peeringconnection", "peeringfabric"),
                _list("hiddenpeer", _("Hidden Peers")),
            ),
        ),
        (
            _("Routers"),
            (
                _list("peeringrouter", _("Routers")),
                _page("unknownneighbor_list", _("Unknown Neighbors"), "peeringrouter"),
                _page("deployment_list", _("Deployments"), "deployment"),
                _page("deployment_scheduled", _("Scheduled"), "deployment"),
                _page("deploymentbatch_list", _("Batches"), "deployment"),
                _page("configuration_drift", _("Configuration Drift"), "peeringrouter", "deployment"),
            ),
        ),
        (
            "PeeringDB",
            (
                _page("peeringdb", "PeeringDB", "peeringdbsync"),
                # Whoever may view other objects that drift opens it from the pages about these.
                _page("peeringdbdrift_list", _("Drift"), "peeringsession"),
            ),
        ),
    ),
)

"""The menu "Peering"."""

from django.utils.translation import gettext_lazy as _

from netbox.plugins import PluginMenu, PluginMenuButton, PluginMenuItem

APP = "netbox_peering_manager"


def _item(model: str, text: str) -> PluginMenuItem:
    return PluginMenuItem(
        link=f"plugins:{APP}:{model}_list",
        link_text=text,
        auth_required=True,
        permissions=[f"{APP}.view_{model}"],
        buttons=[
            PluginMenuButton(
                f"plugins:{APP}:{model}_add",
                _("Add"),
                "mdi mdi-plus-thick",
                permissions=[f"{APP}.add_{model}"],
            ),
            PluginMenuButton(
                f"plugins:{APP}:{model}_bulk_import",
                _("Import"),
                "mdi mdi-upload",
                permissions=[f"{APP}.add_{model}"],
            ),
        ],
    )


menu = PluginMenu(
    label=_("Peering"),
    icon_class="mdi mdi-transit-connection-variant",
    groups=(
        (
            _("Sessions"),
            (
                PluginMenuItem(
                    link=f"plugins:{APP}:overview",
                    link_text=_("Overview"),
                    auth_required=True,
                    permissions=[f"{APP}.view_peeringsession"],
                ),
                _item("peeringsession", _("Peering Sessions")),
                _item("relationship", _("Relationship Types")),
            ),
        ),
        (
            _("Exchanges"),
            (
                _item("peeringfabric", _("Fabrics")),
                _item("peeringnetwork", _("Networks")),
                _item("peeringconnection", _("Connections")),
            ),
        ),
        (
            _("Peers"),
            (
                _item("peerasn", _("Peer ASNs")),
                PluginMenuItem(
                    link=f"plugins:{APP}:peer_ranking",
                    link_text=_("Peer Ranking"),
                    auth_required=True,
                    permissions=[f"{APP}.view_peeringconnection", f"{APP}.view_peeringfabric"],
                ),
                _item("hiddenpeer", _("Hidden Peers")),
            ),
        ),
        (
            _("Routers"),
            (
                _item("peeringrouter", _("Routers")),
                PluginMenuItem(
                    link=f"plugins:{APP}:unknownneighbor_list",
                    link_text=_("Unknown Neighbors"),
                    auth_required=True,
                    permissions=[f"{APP}.view_peeringrouter"],
                ),
                PluginMenuItem(
                    link=f"plugins:{APP}:deployment_list",
                    link_text=_("Deployments"),
                    auth_required=True,
                    permissions=[f"{APP}.view_deployment"],
                ),
                PluginMenuItem(
                    link=f"plugins:{APP}:deployment_scheduled",
                    link_text=_("Scheduled"),
                    auth_required=True,
                    permissions=[f"{APP}.view_deployment"],
                ),
                PluginMenuItem(
                    link=f"plugins:{APP}:deploymentbatch_list",
                    link_text=_("Batches"),
                    auth_required=True,
                    permissions=[f"{APP}.view_deployment"],
                ),
                PluginMenuItem(
                    link=f"plugins:{APP}:configuration_drift",
                    link_text=_("Configuration Drift"),
                    auth_required=True,
                    permissions=[f"{APP}.view_peeringrouter", f"{APP}.view_deployment"],
                ),
            ),
        ),
        (
            "PeeringDB",
            (
                PluginMenuItem(
                    link=f"plugins:{APP}:peeringdb",
                    link_text="PeeringDB",
                    auth_required=True,
                    permissions=[f"{APP}.view_peeringdbsync"],
                ),
                # Whoever may view other objects that drift opens it from the pages about these.
                PluginMenuItem(
                    link=f"plugins:{APP}:peeringdbdrift_list",
                    link_text=_("Drift"),
                    auth_required=True,
                    permissions=[f"{APP}.view_peeringsession"],
                ),
            ),
        ),
    ),
)

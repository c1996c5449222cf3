"""Area `fabrics`: panels of its own pages, and what it adds to NetBox's Interface and Prefix pages."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from netbox.plugins import PluginTemplateExtension
from netbox.ui import actions, attrs, panels
from utilities.permissions import get_permission_for_model

from ..models import PeeringConnection, PeeringNetwork
from ..services.peeringdb.site import site_url

__all__ = (
    "ConnectionBGPPanel",
    "ConnectionPanel",
    "FabricPanel",
    "InterfaceConnectionsPanel",
    "LANPanel",
    "NetworkPanel",
    "PrefixNetworkPanel",
    "connections_table",
    "networks_table",
    "sessions_table",
    "template_extensions",
)

APP = "netbox_peering_manager"
TEMPLATES = f"{APP}/fabrics"


#
# Pages of the area
#


class PeeringDBIXAttr(attrs.TemplatedAttr):
    """The id of an exchange in PeeringDB, linked to its page there."""

    def get_context(self, obj, attr, value, context):
        return {**super().get_context(obj, attr, value, context), "page": site_url("ix", value)}


class FabricPanel(panels.ObjectAttributesPanel):
    name = attrs.TextAttr("name", label=_("Name"))
    type = attrs.ChoiceAttr("type", label=_("Type"))
    status = attrs.ChoiceAttr("status", label=_("Status"))
    site = attrs.RelatedObjectAttr("site", linkify=True, grouped_by="region", label=_("Site"))
    tenant = attrs.RelatedObjectAttr("tenant", linkify=True, grouped_by="group", label=_("Tenant"))
    peer_group = attrs.RelatedObjectAttr("peer_group", linkify=True, label=_("Peer group"))
    peeringdb_id = PeeringDBIXAttr(
        "peeringdb_id", template_name=f"{TEMPLATES}/peeringdb_ix.html", label=_("PeeringDB")
    )
    description = attrs.TextAttr("description", label=_("Description"))


class NetworkPanel(panels.ObjectAttributesPanel):
    fabric = attrs.RelatedObjectAttr("fabric", linkify=True, label=_("Fabric"))
    name = attrs.TextAttr("name", label=_("Name"))
    status = attrs.ChoiceAttr("status", label=_("Status"))
    peeringdb_id = attrs.TextAttr("peeringdb_id", label=_("PeeringDB ID"))
    description = attrs.TextAttr("description", label=_("Description"))


class LANPanel(panels.ObjectAttributesPanel):
    title = _("LAN")

    ipv4_prefix = attrs.RelatedObjectAttr(
        "ipv4_prefix", linkify=True, grouped_by="vrf", label=_("IPv4 prefix")
    )
    ipv6_prefix = attrs.RelatedObjectAttr(
        "ipv6_prefix", linkify=True, grouped_by="vrf", label=_("IPv6 prefix")
    )
    vlan = attrs.RelatedObjectAttr("vlan", linkify=True, label=_("VLAN"))
    mtu = attrs.TextAttr("mtu", label=_("MTU"), format_string="{} bytes")


class ConnectionPanel(panels.ObjectAttributesPanel):
    fabric = attrs.RelatedObjectAttr("peering_network.fabric", linkify=True, label=_("Fabric"))
    peering_network = attrs.RelatedObjectAttr("peering_network", linkify=True, label=_("Network"))
    status = attrs.ChoiceAttr("status", label=_("Status"))
    device = attrs.RelatedObjectAttr("interface.device", linkify=True, label=_("Device"))
    interface = attrs.RelatedObjectAttr("interface", linkify=True, label=_("Interface"))
    ipv4_address = attrs.RelatedObjectAttr(
        "ipv4_address", linkify=True, grouped_by="vrf", label=_("IPv4 address")
    )
    ipv6_address = attrs.RelatedObjectAttr(
        "ipv6_address", linkify=True, grouped_by="vrf", label=_("IPv6 address")
    )
    peeringdb_id = attrs.TextAttr("peeringdb_id", label=_("PeeringDB ID"))
    description = attrs.TextAttr("description", label=_("Description"))


class ConnectionBGPPanel(panels.ObjectAttributesPanel):
    title = _("BGP")

    bgp_scope = attrs.RelatedObjectAttr("bgp_scope", linkify=True, label=_("BGP scope"))
    ipv4_peer_group = attrs.RelatedObjectAttr("ipv4_peer_group", linkify=True, label=_("IPv4 peer group"))
    ipv6_peer_group = attrs.RelatedObjectAttr("ipv6_peer_group", linkify=True, label=_("IPv6 peer group"))
    fabric_peer_group = attrs.RelatedObjectAttr(
        "peering_network.fabric.peer_group", linkify=True, label=_("Peer group of the fabric")
    )


def networks_table() -> panels.ObjectsTablePanel:
    """Return the panel of a fabric's networks."""
    return panels.ObjectsTablePanel(
        f"{APP}.peeringnetwork",
        title=_("Networks"),
        filters={"fabric_id": _page_object},
        exclude_columns=["fabric"],
        actions=[actions.AddObject(f"{APP}.peeringnetwork", url_params={"fabric": _page_object})],
    )


def connections_table(filter_name: str, *, exclude_columns: list[str], add: bool = False) -> Any:
    """Return the panel of the connections whose `filter_name` is the page's object."""
    added = actions.AddObject(f"{APP}.peeringconnection", url_params={"peering_network": _page_object})
    return panels.ObjectsTablePanel(
        f"{APP}.peeringconnection",
        title=_("Connections"),
        filters={filter_name: _page_object},
        exclude_columns=exclude_columns,
        actions=[added] if add else [],
    )


def sessions_table(filter_name: str, *, exclude_columns: list[str]) -> panels.ObjectsTablePanel:
    """Return the panel of the sessions whose `filter_name` is the page's object."""
    return panels.ObjectsTablePanel(
        f"{APP}.peeringsession",
        title=_("Peering Sessions"),
        filters={filter_name: _page_object},
        exclude_columns=exclude_columns,
    )


def _page_object(context: Any) -> int:
    return context["object"].pk


#
# Pages of NetBox
#


def may(context: dict, model: Any, action: str) -> bool:
    """Whether the one who looks at the page has the permission for `action` on `model`."""
    return context["request"].user.has_perm(get_permission_for_model(model, action))


class InterfaceConnectionsPanel(panels.ObjectPanel):
    """The LANs that an interface is our port on, and a button that adds one."""

    template_name = f"{TEMPLATES}/interface_connections.html"
    title = _("Peering Connections")
    actions = [
        actions.AddObject(
            f"{APP}.peeringconnection",
            url_params={
                "device": lambda context: context["object"].device_id,
                "interface": _page_object,
            },
            label=_("Create connection"),
        )
    ]

    def get_context(self, context: Any) -> dict:
        prepared = super().get_context(context)
        visible = PeeringConnection.objects.restrict(prepared["request"].user, "view").with_parents()
        return {**prepared, "connections": list(visible.filter(interface=prepared["object"]))}

    def should_render(self, context: dict) -> bool:
        if not may(context, PeeringConnection, "view"):
            return False
        return bool(context["connections"]) or may(context, PeeringConnection, "add")


class PrefixNetworkPanel(panels.ObjectPanel):
    """The peering network whose LAN a prefix is, or a button that creates it."""

    template_name = f"{TEMPLATES}/prefix_network.html"
    title = _("Peering Network")

    def get_context(self, context: Any) -> dict:
        prepared = super().get_context(context)
        prefix = prepared["object"]
        field = f"ipv{prefix.family}_prefix"
        networks = PeeringNetwork.objects.filter(**{field: prefix})
        visible = networks.restrict(prepared["request"].user, "view").with_parents().first()
        return {
            **prepared,
            "network": visible,
            # A network that may not be seen takes the prefix all the same.
            "taken": visible is not None or networks.exists(),
            "actions": [] if visible else [self._create(field)],
        }

    def _create(self, field: str) -> actions.AddObject:
        return actions.AddObject(
            f"{APP}.peeringnetwork", url_params={field: _page_object}, label=_("Create network")
        )

    def should_render(self, context: dict) -> bool:
        if not may(context, PeeringNetwork, "view"):
            return False
        if context["network"] is not None:
            return True
        return not context["taken"] and may(context, PeeringNetwork, "add")


class InterfaceExtension(PluginTemplateExtension):
    models = ["dcim.interface"]

    def right_page(self) -> str:
        return InterfaceConnectionsPanel().render(self.context)


class PrefixExtension(PluginTemplateExtension):
    models = ["ipam.prefix"]

    def right_page(self) -> str:
        return PrefixNetworkPanel().render(self.context)


template_extensions = (InterfaceExtension, PrefixExtension)

"""Area `sessions`: what the pages of relationship types and peering sessions show, and what is added to others."""

from django.utils.translation import gettext_lazy as _

from netbox.ui import attrs, panels


class RelationshipPanel(panels.OrganizationalObjectPanel):
    color = attrs.ColorAttr("color", label=_("Color"))
    bgp_role = attrs.ChoiceAttr("bgp_role", label=_("BGP role"))
    routemap_in = attrs.RelatedObjectAttr("routemap_in", linkify=True, label=_("Inbound route map"))
    routemap_out = attrs.RelatedObjectAttr("routemap_out", linkify=True, label=_("Outbound route map"))
    remove_from_router = attrs.BooleanAttr("remove_from_router", label=_("Remove from router"))


class PeeringSessionPanel(panels.ObjectAttributesPanel):
    relationship = attrs.RelatedObjectAttr("relationship", linkify=True, colored=True, label=_("Relationship"))
    fabric = attrs.RelatedObjectAttr("peering_network.fabric", linkify=True, label=_("Fabric"))
    peering_network = attrs.RelatedObjectAttr("peering_network", linkify=True, label=_("Peering network"))
    is_route_server = attrs.BooleanAttr("is_route_server", label=_("Route server"))
    service_reference = attrs.TextAttr("service_reference", label=_("Service reference"), copy_button=True)
    ipv4_max_prefixes = attrs.NumericAttr("ipv4_max_prefixes", label=_("IPv4 max prefixes"))
    ipv6_max_prefixes = attrs.NumericAttr("ipv6_max_prefixes", label=_("IPv6 max prefixes"))
    description = attrs.TextAttr("description", label=_("Description"))


template_extensions = ()

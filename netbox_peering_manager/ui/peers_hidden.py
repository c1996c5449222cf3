"""Area `peers`: what the page of a hidden peer shows."""

from django.utils.translation import gettext_lazy as _

from netbox.ui import attrs, panels

from ..models import HiddenPeer

__all__ = ("HiddenPeerPanel",)


class FabricAttr(attrs.RelatedObjectAttr):
    """The fabric, or that there is none because the network is hidden everywhere."""

    def render(self, obj: HiddenPeer, context: dict) -> str:
        return super().render(obj, context) if obj.fabric_id else _("Everywhere")


class HiddenPeerPanel(panels.ObjectAttributesPanel):
    """Of a HiddenPeer with_standing()."""

    asn = attrs.TextAttr("asn", format_string="AS{}", label=_("ASN"))
    network = attrs.TextAttr("network_name", label=_("Network"))
    fabric = FabricAttr("fabric", linkify=True, label=_("Fabric"))
    in_force = attrs.BooleanAttr("is_in_force", label=_("Hidden today"))
    until = attrs.DateTimeAttr("until", spec="date", label=_("Until"))
    reason = attrs.TextAttr("reason", label=_("Reason"))
    description = attrs.TextAttr("description", label=_("Description"))

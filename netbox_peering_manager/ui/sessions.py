"""
Area `sessions`: what the pages of relationship types and peering sessions show, and what is added to others.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from netbox.object_actions import ObjectAction
from netbox.plugins import PluginTemplateExtension
from netbox.ui import attrs, panels
from netbox_routing.models import BGPPeerAddressFamily

from ..models import PeeringConnection, PeeringRouter, PeeringSession
from ..services import secrets
from ..tables.sessions import STATUS_COLORS
from ..tables.states import state_badge, state_of
from .sessions_in_effect import show_as

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

TEMPLATES = "netbox_peering_manager/sessions"
APP = "netbox_peering_manager"


class CreateSessions(ObjectAction):
    """The button to the form that makes a session with everything it takes."""

    name = "create"
    label = _("Create session")
    permissions_required = {"add"}
    template_name = f"{TEMPLATES}/create_button.html"


class RelationshipPanel(panels.OrganizationalObjectPanel):
    color = attrs.ColorAttr("color", label=_("Color"))
    bgp_role = attrs.ChoiceAttr("bgp_role", label=_("BGP role"))
    routemap_in = attrs.RelatedObjectAttr("routemap_in", linkify=True, label=_("Inbound route map"))
    routemap_out = attrs.RelatedObjectAttr("routemap_out", linkify=True, label=_("Outbound route map"))
    remove_from_router = attrs.BooleanAttr("remove_from_router", label=_("Remove from router"))


class PeeringSessionPanel(panels.ObjectAttributesPanel):
    relationship = attrs.RelatedObjectAttr(
        "relationship", linkify=True, colored=True, label=_("Relationship")
    )
    fabric = attrs.RelatedObjectAttr("peering_network.fabric", linkify=True, label=_("Fabric"))
    peering_network = attrs.RelatedObjectAttr("peering_network", linkify=True, label=_("Peering network"))
    is_route_server = attrs.BooleanAttr("is_route_server", display_false=False, label=_("Route server"))
    service_reference = attrs.TextAttr("service_reference", label=_("Service reference"), copy_button=True)
    ipv4_max_prefixes = attrs.NumericAttr("ipv4_max_prefixes", label=_("IPv4 max prefixes"))
    ipv6_max_prefixes = attrs.NumericAttr("ipv6_max_prefixes", label=_("IPv6 max prefixes"))
    description = attrs.TextAttr("description", label=_("Description"))


class ASAttr(attrs.ObjectAttribute):
    """An AS: its number, leading to its peer ASN when it has one, and the name of the network behind it."""

    def render(self, obj, context):
        asn = self.get_value(obj)
        return self.placeholder if asn is None else show_as(asn)


class StatusAttr(attrs.ObjectAttribute):
    """The status of a BGPPeer, which netbox-routing gives no colour."""

    def render(self, obj, context):
        value = self.get_value(obj)
        if not value:
            return self.placeholder
        color = STATUS_COLORS.get(value, "secondary")
        return format_html(
            '<span class="badge text-bg-{}">{}</span>', color, obj.bgp_peer.get_status_display()
        )


class PeeringRouterAttr(attrs.ObjectAttribute):
    """The peering router that the session's device is, for who may view it. One query."""

    def render(self, obj, context):
        if obj.device is None:
            return self.placeholder
        visible = PeeringRouter.objects.restrict(context["perms"].user, "view").select_related("device")
        router = visible.filter(device=obj.device).first()
        if router is None:
            return self.placeholder
        return format_html('<a href="{}">{}</a>', router.get_absolute_url(), router)


class BGPPeerPanel(panels.ObjectAttributesPanel):
    """The session's BGPPeer: who the far end is, and where the session lives. What it says else is in effect."""

    title = _("BGP Peer")
    bgp_peer = attrs.RelatedObjectAttr("bgp_peer", linkify=True, label=_("BGP peer"))
    remote_as = ASAttr("remote_as", label=_("Remote AS"))
    peer = attrs.RelatedObjectAttr("bgp_peer.peer", linkify=True, label=_("Peer address"))
    device = attrs.RelatedObjectAttr("device", linkify=True, label=_("Device"))
    router = PeeringRouterAttr("device", label=_("Peering router"))
    scope = attrs.RelatedObjectAttr("bgp_peer.scope", linkify=True, label=_("BGP scope"))
    vrf = attrs.RelatedObjectAttr("bgp_peer.scope.vrf", linkify=True, label=_("VRF"))
    status = StatusAttr("bgp_peer.status", label=_("Status"))
    peer_session = attrs.RelatedObjectAttr("bgp_peer.peer_session", linkify=True, label=_("Session template"))


@dataclass(frozen=True, slots=True)
class Families:
    """The address families of one holder (the BGPPeer, or its peer group) that the user may see."""

    origin: str
    rows: list[BGPPeerAddressFamily]


class FamiliesPanel(panels.ObjectPanel):
    """Address families with their policies: the BGPPeer's own, then those of its peer group."""

    template_name = f"{TEMPLATES}/families.html"
    title = _("Address Families")

    def get_context(self, context):
        return {
            **super().get_context(context),
            "families": self.families(context["object"], context["request"].user),
        }

    @staticmethod
    def families(session: PeeringSession, user: "AbstractBaseUser | AnonymousUser") -> list[Families]:
        visible = BGPPeerAddressFamily.objects.restrict(user, "view").select_related(
            "address_family", "peer_policy", "routemap_in", "routemap_out", "prefixlist_in", "prefixlist_out"
        )
        own = Families("", list(visible.filter(peer=session.bgp_peer)))
        if (group := session.bgp_peer.peer_group) is None:
            return [own]
        return [
            own,
            Families(
                _t("From peer group {group}").format(group=group), list(visible.filter(peer_group=group))
            ),
        ]


class ConnectionPanel(panels.ObjectPanel):
    """
    The connection that the session runs over; when there is none on its LAN, a warning and a way to create
    it.
    """

    template_name = f"{TEMPLATES}/connection.html"
    title = _("Connection")

    def get_context(self, context):
        session, user = context["object"], context["request"].user
        return {
            **super().get_context(context),
            "connection": self.connection(session, user),
            **self.missing(session, user),
        }

    @staticmethod
    def connection(
        session: PeeringSession, user: "AbstractBaseUser | AnonymousUser"
    ) -> PeeringConnection | None:
        if session.connection_id is None:
            return None
        connections = PeeringConnection.objects.restrict(user, "view").select_related(
            "interface__device", "ipv4_address", "ipv6_address", "peering_network__fabric"
        )
        return connections.filter(pk=session.connection_id).first()

    @staticmethod
    def missing(session: PeeringSession, user: "AbstractBaseUser | AnonymousUser") -> dict[str, Any]:
        """Return `missing` (on the LAN, but without a connection), `ambiguous` (several) and `add_url`."""
        if session.connection_id is not None or session.peering_network is None or session.device is None:
            return {"missing": False, "ambiguous": False}
        on_lan = PeeringConnection.objects.filter(
            peering_network=session.peering_network, interface__device=session.device
        )
        ambiguous = on_lan.exists()
        query = urlencode(
            {
                "peering_network": session.peering_network_id,
                "device": session.device.pk,
                "return_url": session.get_absolute_url(),
            }
        )
        may_add = user.has_perm(f"{APP}.add_peeringconnection")
        return {
            "missing": not ambiguous,
            "ambiguous": ambiguous,
            "add_url": f"{reverse(f'plugins:{APP}:peeringconnection_add')}?{query}" if may_add else "",
        }


class PasswordPanel(panels.ObjectPanel):
    """
    Whether there is a password, where it lies, and what the user may do with it. Never the password itself.
    """

    template_name = f"{TEMPLATES}/password.html"
    title = _("Password")

    def get_context(self, context):
        session, user = context["object"], context["request"].user
        own = session.has_password or session.has_clear_password
        inherited_from = None if own else secrets.inherited_from(session)
        return {
            **super().get_context(context),
            "inherited_from": inherited_from,
            "is_set": own or inherited_from is not None,
            "may_reveal": secrets.may_view_secrets(user, session),
            "may_move": may_move_password(user, session),
        }


def may_move_password(user: "AbstractBaseUser | AnonymousUser", session: PeeringSession) -> bool:
    """Whether `user` may take the password out of the BGPPeer: that changes both the peer and the session."""
    return bool(
        user.has_perm(f"{APP}.change_peeringsession", session)
        and user.has_perm("netbox_routing.change_bgppeer", session.bgp_peer)
    )


class LocalASPanel(panels.ObjectPanel):
    """A warning, shown only when the local AS has no peer ASN yet, so that nobody said that it is ours."""

    template_name = f"{TEMPLATES}/local_as.html"
    title = _("Local AS")

    def get_context(self, context):
        session, user = context["object"], context["request"].user
        asn = session.local_as
        unknown = asn if asn is not None and getattr(asn, "peer_asn", None) is None else None
        return {
            **super().get_context(context),
            "asn": unknown,
            "add_url": self.add_url(session) if user.has_perm(f"{APP}.add_peerasn") else "",
        }

    @staticmethod
    def add_url(session: PeeringSession) -> str:
        query = urlencode(
            {
                "asn": getattr(session.local_as, "pk", ""),
                "affiliated": "on",
                "return_url": session.get_absolute_url(),
            }
        )
        return f"{reverse(f'plugins:{APP}:peerasn_add')}?{query}"

    def should_render(self, context):
        return context["asn"] is not None


class BGPPeerSession(PluginTemplateExtension):
    """On netbox-routing's page of a BGPPeer: its session, or a button that adds one."""

    models = ("netbox_routing.bgppeer",)

    def right_page(self):
        peer, request = self.context["object"], self.context["request"]
        session = PeeringSession.objects.filter(bgp_peer=peer).first()
        if session is not None:
            shown = (
                PeeringSession.objects.restrict(request.user, "view")
                .with_bgp()
                .with_state()
                .filter(pk=session.pk)
                .first()
            )
            return self._render(session=shown, state=state_badge(state_of(shown))) if shown else ""
        if not request.user.has_perm(f"{APP}.add_peeringsession"):
            return ""
        query = urlencode({"bgp_peer": peer.pk, "return_url": peer.get_absolute_url()})
        return self._render(add_url=f"{reverse(f'plugins:{APP}:peeringsession_add')}?{query}")

    @staticmethod
    def _render(**context) -> str:
        return render_to_string(f"{TEMPLATES}/bgp_peer_panel.html", context)


template_extensions = (BGPPeerSession,)

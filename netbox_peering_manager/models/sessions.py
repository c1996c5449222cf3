"""
Area `sessions`: peering sessions, thin wrappers around netbox-routing's BGPPeer, and the kinds they come in.

Peer addresses, AS numbers, timers, BFD, families and policies are the BGPPeer's. A session adds what peering is
about, and keeps its password encrypted, because BGPPeer.password is a plain column.
"""

from itertools import chain
from typing import TYPE_CHECKING

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from netbox.models import OrganizationalModel, PrimaryModel
from utilities.fields import ColorField

from ..choices import BGPRoleChoices
from ..lineage import lineage
from ..querysets import PeeringSessionQuerySet, RemovedSessionQuerySet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dcim.models import Device
    from ipam.models import ASN
    from netbox_routing.models import BGPSessionTemplate

__all__ = ("PeeringSession", "Relationship", "RemovedSession")


class Relationship(OrganizationalModel):
    """A kind of session (transit, customer, peer, route server): how it looks, and what its sessions inherit."""

    color = ColorField(verbose_name=_("color"), blank=True, default="9e9e9e")
    bgp_role = models.CharField(
        verbose_name=_("BGP role"),
        max_length=20,
        choices=BGPRoleChoices,
        blank=True,
        help_text=_("Our role on these sessions (RFC 9234)"),
    )
    routemap_in = models.ForeignKey(
        verbose_name=_("inbound route map"),
        to="netbox_routing.RouteMap",
        on_delete=models.PROTECT,
        related_name="relationships_in",
        blank=True,
        null=True,
        help_text=_("For address families that have none of their own"),
    )
    routemap_out = models.ForeignKey(
        verbose_name=_("outbound route map"),
        to="netbox_routing.RouteMap",
        on_delete=models.PROTECT,
        related_name="relationships_out",
        blank=True,
        null=True,
        help_text=_("For address families that have none of their own"),
    )
    remove_from_router = models.BooleanField(
        verbose_name=_("remove from router"),
        default=False,
        help_text=_("A session deleted in NetBox is also removed from its router's configuration"),
    )

    clone_fields = ("color", "bgp_role", "routemap_in", "routemap_out", "remove_from_router", "description")

    class Meta:
        ordering = ("name",)
        verbose_name = _("relationship type")
        verbose_name_plural = _("relationship types")

    def get_bgp_role_color(self) -> str | None:
        return BGPRoleChoices.colors.get(self.bgp_role)


class PeeringSession(PrimaryModel):
    """One BGP session as peering sees it: a BGPPeer with its relationship, its LAN and its password."""

    bgp_peer = models.OneToOneField(
        verbose_name=_("BGP peer"),
        to="netbox_routing.BGPPeer",
        on_delete=models.PROTECT,
        related_name="peering_session",
    )
    relationship = models.ForeignKey(
        verbose_name=_("relationship"), to=Relationship, on_delete=models.PROTECT, related_name="sessions"
    )
    peering_network = models.ForeignKey(
        verbose_name=_("peering network"),
        to="netbox_peering_manager.PeeringNetwork",
        on_delete=models.PROTECT,
        related_name="sessions",
        blank=True,
        null=True,
        help_text=_("The LAN that the session runs over, if any"),
    )
    service_reference = models.CharField(
        verbose_name=_("service reference"), max_length=100, blank=True, help_text=_("Ticket or order number")
    )
    is_route_server = models.BooleanField(
        verbose_name=_("route server"), default=False, help_text=_("The far end is a route server (RFC 7947)")
    )
    ipv4_max_prefixes = models.PositiveIntegerField(
        verbose_name=_("IPv4 max prefixes"),
        blank=True,
        null=True,
        help_text=_("Overrides the peer ASN's limit"),
    )
    ipv6_max_prefixes = models.PositiveIntegerField(
        verbose_name=_("IPv6 max prefixes"),
        blank=True,
        null=True,
        help_text=_("Overrides the peer ASN's limit"),
    )
    # Read and written by services.secrets alone.
    encrypted_password = models.TextField(blank=True, default="", editable=False)
    password_changed = models.DateTimeField(
        verbose_name=_("password changed"), blank=True, null=True, editable=False
    )

    objects = PeeringSessionQuerySet.as_manager()

    clone_fields = ("relationship", "peering_network", "is_route_server", "description")
    prerequisite_models = ("netbox_routing.BGPPeer", "netbox_peering_manager.Relationship")

    class Meta:
        # By BGP router and VRF, then by address. By `bgp_peer`, it would be the ten columns of five tables that
        # netbox-routing orders BGPPeers by, which takes 40 ms more for a list of 5,000 sessions.
        ordering = ("bgp_peer__scope_id", "bgp_peer__peer__address", "bgp_peer_id")
        verbose_name = _("peering session")
        verbose_name_plural = _("peering sessions")
        permissions = (("view_session_secrets", _("See the passwords of sessions")),)

    def __str__(self) -> str:
        peer = self.bgp_peer
        # The address tells the two sessions of a dual-stack peer apart, which often share their name.
        return f"{peer.name} ({str(peer.peer.address).partition('/')[0]})" if peer.name else str(peer)

    def serialize_object(self, exclude=None) -> dict:
        # Change records keep that and when a password changed, never the password, not even encrypted.
        return super().serialize_object(exclude=[*(exclude or []), "encrypted_password"])

    @property
    def has_password(self) -> bool:
        """True when the session has a password of its own (encrypted)."""
        return bool(self.encrypted_password)

    @property
    def has_clear_password(self) -> bool:
        """True when the BGPPeer holds a password in its plain column."""
        return bool(self.bgp_peer.password)

    @property
    def device(self) -> "Device | None":
        """The device whose BGP router carries the session, None without scope or with a router that is no device."""
        from dcim.models import Device

        scope = self.bgp_peer.scope
        router = scope.router.assigned_object if scope else None
        return router if isinstance(router, Device) else None

    @property
    def remote_as(self) -> "ASN | None":
        """The remote AS: the BGPPeer's, else its session template's, else its peer group's."""
        return self._from_bgp_peer("remote_as")

    @property
    def local_as(self) -> "ASN | None":
        """The local AS: the BGPPeer's, else its session template's, else the BGP router's."""
        if found := self._from_bgp_peer("local_as"):
            return found
        return self.bgp_peer.scope.router.asn if self.bgp_peer.scope else None

    def _from_bgp_peer(self, field: str) -> "ASN | None":
        peer = self.bgp_peer
        # Lazily, because a parent may have to be fetched.
        for holder in chain((peer,), self.session_templates(), (peer.peer_group,)):
            if value := getattr(holder, field, None):
                return value
        return None

    def session_templates(self) -> "Iterator[BGPSessionTemplate]":
        """Yield the session template of the BGPPeer, its parent and so on: the nearest that says something counts."""
        return lineage(self.bgp_peer.peer_session, lambda template: template.parent)

    def clean(self) -> None:
        super().clean()
        if not self.bgp_peer_id:
            return
        errors: dict[str, list] = {}
        if self.peering_network_id:
            errors["peering_network"] = [*self._why_not_on_network()]
        if reason := self._why_not_local_as():
            errors["bgp_peer"] = [reason]
        if errors := {field: reasons for field, reasons in errors.items() if reasons}:
            raise ValidationError(errors)

    def _why_not_on_network(self):
        network, peer = self.peering_network, self.bgp_peer
        for address in (peer.peer, peer.source):
            if address is not None and (reason := network.why_not_on_lan(address)):
                yield reason
        connection = connection_at(peer.source) if peer.source else None
        if connection is not None and connection.peering_network_id != network.pk:
            yield _(
                "{source} is our address on {other}: choose that network, or another source address."
            ).format(source=peer.source, other=connection.peering_network)

    def _why_not_local_as(self) -> str:
        # Its own first: nobody then reads what it could be inherited from.
        asn = self.bgp_peer.local_as or self.local_as
        # An AS that has no PeerASN yet is warned about on the session's page: it may just not have been entered.
        if asn is None or (peer_asn := getattr(asn, "peer_asn", None)) is None or peer_asn.affiliated:
            return ""
        message = _(
            "{asn}, the local AS of {peer}, is not affiliated: mark {peer_asn} as affiliated if it is ours."
        )
        return message.format(asn=asn, peer=self.bgp_peer, peer_asn=peer_asn)


def connection_at(address):
    """Return the PeeringConnection that `address` (ipam.IPAddress) is our address of, else None."""
    for name in ("ipv4_peering_connection", "ipv6_peering_connection"):
        try:
            return getattr(address, name)
        except ObjectDoesNotExist:
            continue
    return None


class RemovedSession(models.Model):
    """
    A session that was deleted in NetBox and is to be removed from its router, kept until it is known to be gone.

    Plain values, because the objects that they came from may be gone as well.
    """

    _netbox_private = True

    device = models.ForeignKey(
        to="dcim.Device", on_delete=models.CASCADE, related_name="removed_peering_sessions"
    )
    vrf = models.CharField(max_length=100, blank=True)
    remote_ip = models.GenericIPAddressField()
    # Of a link-local address alone, which means nothing without it; empty when it was not known.
    local_interface = models.CharField(max_length=64, blank=True)
    local_asn = models.BigIntegerField(null=True)
    peer_asn = models.BigIntegerField(null=True)
    peer_group = models.CharField(max_length=100, blank=True)
    name = models.CharField(max_length=255, blank=True)
    removed = models.DateTimeField(auto_now_add=True)

    objects = RemovedSessionQuerySet.as_manager()

    class Meta:
        ordering = ("device", "vrf", "remote_ip", "local_interface")
        constraints = (
            models.UniqueConstraint(
                fields=("device", "vrf", "remote_ip", "local_interface"),
                name="%(app_label)s_%(class)s_unique_neighbor",
            ),
        )

    def __str__(self) -> str:
        return f"{self.device}: {self.neighbor}"

    @property
    def neighbor(self) -> str:
        """The remote address, a link-local one with its interface (RFC 4007 §11)."""
        return f"{self.remote_ip}%{self.local_interface}" if self.local_interface else self.remote_ip

"""
Area `fabrics`: where we meet other networks. A fabric (an exchange, a private interconnect) has networks
(LANs), a network has connections (our ports on it). Addresses, prefixes, VLANs and interfaces stay NetBox's.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import netaddr
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from netbox.models import PrimaryModel
from netbox.models.features import ContactsMixin

from ..choices import ConnectionStatusChoices, FabricStatusChoices, FabricTypeChoices, NetworkStatusChoices
from ..querysets import PeeringConnectionQuerySet, PeeringFabricQuerySet, PeeringNetworkQuerySet
from .peeringdb import PeeringDBNetIXLan

if TYPE_CHECKING:
    from ipam.models import IPAddress, Prefix
    from netbox_routing.models import BGPScope

__all__ = ("PeeringConnection", "PeeringFabric", "PeeringNetwork")

FAMILIES = (4, 6)


class PeeringFabric(ContactsMixin, PrimaryModel):
    """A place where networks meet: an internet exchange, a cloud exchange, a private LAN or interconnect."""

    name = models.CharField(verbose_name=_("name"), max_length=100, unique=True)
    slug = models.SlugField(verbose_name=_("slug"), max_length=100, unique=True)
    type = models.CharField(
        verbose_name=_("type"), max_length=50, choices=FabricTypeChoices, default=FabricTypeChoices.IX
    )
    status = models.CharField(
        verbose_name=_("status"),
        max_length=50,
        choices=FabricStatusChoices,
        default=FabricStatusChoices.ACTIVE,
    )
    site = models.ForeignKey(
        verbose_name=_("site"),
        to="dcim.Site",
        on_delete=models.PROTECT,
        related_name="peering_fabrics",
        blank=True,
        null=True,
    )
    tenant = models.ForeignKey(
        verbose_name=_("tenant"),
        to="tenancy.Tenant",
        on_delete=models.PROTECT,
        related_name="peering_fabrics",
        blank=True,
        null=True,
    )
    peer_group = models.ForeignKey(
        verbose_name=_("peer group"),
        to="netbox_routing.BGPPeerTemplate",
        on_delete=models.PROTECT,
        related_name="peering_fabrics",
        blank=True,
        null=True,
        help_text=_("Default peer group of the sessions on this fabric"),
    )
    peeringdb_id = models.PositiveBigIntegerField(
        verbose_name=_("PeeringDB ID"),
        unique=True,
        blank=True,
        null=True,
        help_text=_("ID of the ix in PeeringDB"),
    )

    objects = PeeringFabricQuerySet.as_manager()

    clone_fields = ("type", "status", "site", "tenant", "peer_group", "description")

    class Meta:
        ordering = ("name",)
        verbose_name = _("peering fabric")
        verbose_name_plural = _("peering fabrics")

    def __str__(self) -> str:
        return self.name

    def get_type_color(self) -> str | None:
        return FabricTypeChoices.colors.get(self.type)

    def get_status_color(self) -> str | None:
        return FabricStatusChoices.colors.get(self.status)


class PeeringNetwork(PrimaryModel):
    """One LAN of a fabric. A dual-stack LAN is one network with a prefix per family."""

    fabric = models.ForeignKey(
        verbose_name=_("fabric"), to=PeeringFabric, on_delete=models.PROTECT, related_name="networks"
    )
    name = models.CharField(verbose_name=_("name"), max_length=100)
    status = models.CharField(
        verbose_name=_("status"),
        max_length=50,
        choices=NetworkStatusChoices,
        default=NetworkStatusChoices.ACTIVE,
    )
    ipv4_prefix = models.OneToOneField(
        verbose_name=_("IPv4 prefix"),
        to="ipam.Prefix",
        on_delete=models.PROTECT,
        related_name="ipv4_peering_network",
        blank=True,
        null=True,
    )
    ipv6_prefix = models.OneToOneField(
        verbose_name=_("IPv6 prefix"),
        to="ipam.Prefix",
        on_delete=models.PROTECT,
        related_name="ipv6_peering_network",
        blank=True,
        null=True,
    )
    vlan = models.ForeignKey(
        verbose_name=_("VLAN"),
        to="ipam.VLAN",
        on_delete=models.PROTECT,
        related_name="peering_networks",
        blank=True,
        null=True,
    )
    mtu = models.PositiveIntegerField(
        verbose_name=_("MTU"),
        blank=True,
        null=True,
        validators=[MinValueValidator(68)],
        help_text=_("In bytes"),
    )
    peeringdb_id = models.PositiveBigIntegerField(
        verbose_name=_("PeeringDB ID"),
        unique=True,
        blank=True,
        null=True,
        help_text=_("ID of the ixlan in PeeringDB"),
    )

    objects = PeeringNetworkQuerySet.as_manager()

    clone_fields = ("fabric", "status", "vlan", "mtu", "description")
    prerequisite_models = ("netbox_peering_manager.PeeringFabric", "ipam.Prefix")

    class Meta:
        ordering = ("fabric", "name")
        verbose_name = _("peering network")
        verbose_name_plural = _("peering networks")
        constraints = (
            models.UniqueConstraint(
                fields=("fabric", "name"),
                name="%(app_label)s_%(class)s_unique_fabric_name",
                violation_error_message=_("This fabric has a network of this name already."),
            ),
            models.CheckConstraint(
                condition=Q(ipv4_prefix__isnull=False) | Q(ipv6_prefix__isnull=False),
                name="%(app_label)s_%(class)s_has_prefix",
                violation_error_message=_("A peering network needs an IPv4 prefix, an IPv6 prefix, or both."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.fabric}: {self.name}"

    def get_status_color(self) -> str | None:
        return NetworkStatusChoices.colors.get(self.status)

    @property
    def prefixes(self) -> "list[Prefix]":
        """The LAN's prefixes, IPv4 first: one or two."""
        return [prefix for prefix in (self.ipv4_prefix, self.ipv6_prefix) if prefix is not None]

    def prefix_of(self, family: int) -> "Prefix | None":
        """Return the LAN's prefix of family 4 or 6, None when it has none."""
        return self.ipv4_prefix if family == 4 else self.ipv6_prefix

    def why_not_on_lan(self, address: "IPAddress") -> str:
        """
        Return why `address` cannot be used on this LAN, an empty string when it can.

        IPv6 link-local addresses are on every link (RFC 4291 §2.5.6). Others must lie in the LAN's prefix of
        their family and, as everywhere in NetBox, belong to the same VRF as it.
        """
        # A model instance that was not read back from the database may hold its address as text.
        parsed = netaddr.IPNetwork(str(address.address))
        if parsed.version == 6 and parsed.ip.is_link_local():
            return ""
        prefix = self.prefix_of(parsed.version)
        if prefix is None:
            return _("{address} is IPv{family}, and {network} has no IPv{family} prefix.").format(
                address=parsed, family=parsed.version, network=self
            )
        if parsed.ip not in netaddr.IPNetwork(str(prefix.prefix)):
            return _("{address} lies outside {prefix}, the IPv{family} prefix of {network}.").format(
                address=parsed, prefix=prefix, family=parsed.version, network=self
            )
        if address.vrf_id != prefix.vrf_id:
            return _("{address} is in {vrf}, but {prefix} of {network} is in {prefix_vrf}.").format(
                address=parsed,
                vrf=address.vrf or _("the global table"),
                prefix=prefix,
                network=self,
                prefix_vrf=prefix.vrf or _("the global table"),
            )
        return ""

    def clean(self) -> None:
        super().clean()
        errors = {}
        for family in FAMILIES:
            prefix = self.prefix_of(family)
            if prefix is not None and prefix.family != family:
                errors[f"ipv{family}_prefix"] = _("{prefix} is not an IPv{family} prefix.").format(
                    prefix=prefix, family=family
                )
        if errors:
            raise ValidationError(errors)


class PeeringConnection(PrimaryModel):
    """
    Our port on a LAN: the interface, its addresses there, and the BGP scope that sessions over it live in.

    What is left out is found: addresses among those of the interface that lie in the LAN, the BGP scope from
    the device's BGP router.
    """

    peering_network = models.ForeignKey(
        verbose_name=_("peering network"),
        to=PeeringNetwork,
        on_delete=models.PROTECT,
        related_name="connections",
    )
    interface = models.ForeignKey(
        verbose_name=_("interface"),
        to="dcim.Interface",
        on_delete=models.PROTECT,
        related_name="peering_connections",
    )
    ipv4_address = models.OneToOneField(
        verbose_name=_("IPv4 address"),
        to="ipam.IPAddress",
        on_delete=models.PROTECT,
        related_name="ipv4_peering_connection",
        blank=True,
        null=True,
        help_text=_("Left empty: the interface's address in the network's IPv4 prefix"),
    )
    ipv6_address = models.OneToOneField(
        verbose_name=_("IPv6 address"),
        to="ipam.IPAddress",
        on_delete=models.PROTECT,
        related_name="ipv6_peering_connection",
        blank=True,
        null=True,
        help_text=_("Left empty: the interface's address in the network's IPv6 prefix"),
    )
    bgp_scope = models.ForeignKey(
        verbose_name=_("BGP scope"),
        to="netbox_routing.BGPScope",
        on_delete=models.PROTECT,
        related_name="peering_connections",
        blank=True,
        null=True,
        help_text=_("Left empty: the scope of the device's BGP router in the network's VRF"),
    )
    status = models.CharField(
        verbose_name=_("status"),
        max_length=50,
        choices=ConnectionStatusChoices,
        default=ConnectionStatusChoices.ACTIVE,
    )
    ipv4_peer_group = models.ForeignKey(
        verbose_name=_("IPv4 peer group"),
        to="netbox_routing.BGPPeerTemplate",
        on_delete=models.PROTECT,
        related_name="ipv4_peering_connections",
        blank=True,
        null=True,
        help_text=_("Overrides the fabric's peer group for IPv4 sessions"),
    )
    ipv6_peer_group = models.ForeignKey(
        verbose_name=_("IPv6 peer group"),
        to="netbox_routing.BGPPeerTemplate",
        on_delete=models.PROTECT,
        related_name="ipv6_peering_connections",
        blank=True,
        null=True,
        help_text=_("Overrides the fabric's peer group for IPv6 sessions"),
    )
    peeringdb_id = models.PositiveBigIntegerField(
        verbose_name=_("PeeringDB ID"),
        unique=True,
        blank=True,
        null=True,
        help_text=_("ID of the netixlan in PeeringDB"),
    )

    objects = PeeringConnectionQuerySet.as_manager()

    clone_fields = ("peering_network", "status", "ipv4_peer_group", "ipv6_peer_group", "description")
    prerequisite_models = ("netbox_peering_manager.PeeringNetwork", "dcim.Interface")

    class Meta:
        ordering = ("peering_network", "interface", "pk")
        verbose_name = _("peering connection")
        verbose_name_plural = _("peering connections")
        constraints = (
            models.UniqueConstraint(
                fields=("peering_network", "interface"),
                name="%(app_label)s_%(class)s_unique_network_interface",
                violation_error_message=_("This interface has a connection to this network already."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.port} @ {self.peering_network}"

    @property
    def port(self) -> str:
        """Where the connection is plugged in: device and interface."""
        return f"{self.interface.device} {self.interface}"

    def get_status_color(self) -> str | None:
        return ConnectionStatusChoices.colors.get(self.status)

    def address_of(self, family: int) -> "IPAddress | None":
        """Return our address of family 4 or 6 on the LAN, None when there is none."""
        return self.ipv4_address if family == 4 else self.ipv6_address

    @property
    def addresses(self) -> "list[IPAddress]":
        """Our addresses on the LAN, IPv4 first: none, one or two."""
        return [address for address in (self.ipv4_address, self.ipv6_address) if address is not None]

    def find_left_out(self) -> None:
        """
        Fill in what was left empty: addresses from the interface, the BGP scope from the device.

        An address is taken only when it is the interface's only one in the prefix and VRF, a scope only when
        it is the only one that fits, or the only one of the port's AS in PeeringDB: the plugin does not guess.
        """
        for family in FAMILIES:
            if getattr(self, f"ipv{family}_address_id") is None:
                setattr(self, f"ipv{family}_address", self._only_address_on_lan(family))
        if self.bgp_scope_id is None:
            self.bgp_scope = self._only_scope()

    def _only_address_on_lan(self, family: int) -> "IPAddress | None":
        prefix = self.peering_network.prefix_of(family)
        if prefix is None:
            return None
        return _only(
            self.interface.ip_addresses.filter(
                address__net_host_contained=str(prefix.prefix), vrf_id=prefix.vrf_id
            )
        )

    def _only_scope(self) -> "BGPScope | None":
        # Not imported at the top, so that a missing netbox-routing is told by a system check.
        scopes = apps.get_model("netbox_routing", "BGPScope").objects
        scopes = scopes.filter(router__device=self.interface.device_id)
        vrfs = {prefix.vrf_id for prefix in self.peering_network.prefixes}
        fitting = [scope for scope in scopes.select_related("router__asn", "vrf") if scope.vrf_id in vrfs]
        if len(fitting) > 1 and self.peeringdb_id is not None:
            # A device can be a BGP router of several AS: the port tells which.
            own = PeeringDBNetIXLan.objects.filter(pk=self.peeringdb_id).values_list("asn", flat=True).first()
            fitting = [scope for scope in fitting if scope.router.asn.asn == own]
        return _only(fitting)

    def clean(self) -> None:
        super().clean()
        if not (self.peering_network_id and self.interface_id):
            return
        self.find_left_out()
        errors: dict[str, list] = {}
        for family in FAMILIES:
            if (address := self.address_of(family)) is None:
                continue
            if reason := self._why_not_our_address(family, address):
                errors.setdefault(f"ipv{family}_address", []).append(reason)
        if self.bgp_scope_id and self.bgp_scope.router.assigned_object != self.interface.device:
            errors.setdefault("bgp_scope", []).append(
                _("{scope} is not on {device}, the device of interface {interface}.").format(
                    scope=self.bgp_scope, device=self.interface.device, interface=self.interface
                )
            )
        if errors:
            raise ValidationError(errors)

    def _why_not_our_address(self, family: int, address: "IPAddress") -> str:
        if address.family != family:
            return _("{address} is not an IPv{family} address.").format(address=address, family=family)
        if reason := self.peering_network.why_not_on_lan(address):
            return reason
        if address.assigned_object not in (None, self.interface):
            return _("{address} is assigned to {other}, not to {interface}.").format(
                address=address, other=_with_parent(address.assigned_object), interface=self.port
            )
        others = PeeringConnection.objects.exclude(pk=self.pk).filter(**{f"ipv{family}_address": address})
        if other := others.with_parents().first():
            return _("{address} is the address of {other} already.").format(address=address, other=other)
        return ""

    def save(self, *args, **kwargs) -> None:
        self.find_left_out()
        super().save(*args, **kwargs)


def _with_parent(assigned: models.Model) -> str:
    """Return what to call what an address is assigned to: an interface with its device or virtual machine."""
    parent = getattr(assigned, "parent_object", None)
    return f"{parent} {assigned}" if parent else str(assigned)


def _only[T](items: Iterable[T]) -> T | None:
    """Return the single item, None when there are none or several."""
    found = list(items[:2]) if isinstance(items, models.QuerySet) else list(items)
    return found[0] if len(found) == 1 else None

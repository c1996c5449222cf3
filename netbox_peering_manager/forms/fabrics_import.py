"""
Area `fabrics`: importing fabrics, networks and connections from CSV, JSON or YAML.

Objects are named as people name them. A name that fits several objects is refused with what would tell them
apart; NetBox's import view says the record and the column, and imports nothing when any record is refused.
"""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dcim.models import Device, Interface, Site
from ipam.models import VLAN, VRF, IPAddress, Prefix, VLANGroup
from netbox.forms import PrimaryModelImportForm
from netbox_routing.models import BGPPeerTemplate, BGPScope
from tenancy.models import Tenant
from utilities.forms.fields import CSVChoiceField, CSVModelChoiceField, SlugField

from ..choices import ConnectionStatusChoices, FabricStatusChoices, FabricTypeChoices, NetworkStatusChoices
from ..models import PeeringConnection, PeeringFabric, PeeringNetwork

__all__ = ("PeeringConnectionImportForm", "PeeringFabricImportForm", "PeeringNetworkImportForm")

SHOWN_AT_MOST = 5


class CSVNamedField(CSVModelChoiceField):
    """
    An object by any of several fields (`names`), tried in their order: the first that fits decides.

    A header such as "fabric.id" names another field, as in every NetBox import.
    """

    ambiguous = _("{value} fits several: {found}.")

    def __init__(self, *args: Any, names: tuple[str, ...], **kwargs: Any):
        super().__init__(*args, to_field_name=names[0], **kwargs)
        self.names = names

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        if self.to_field_name != self.names[0]:
            return super().to_python(value)
        for found in (self._found(name, value) for name in self.names):
            if len(found) > 1:
                raise forms.ValidationError(
                    self.ambiguous.format(
                        value=value, found=", ".join(self.tell_apart(each) for each in found)
                    ),
                    code="ambiguous",
                )
            if found:
                return found[0]
        raise forms.ValidationError(
            self.error_messages["invalid_choice"], code="invalid_choice", params={"value": value}
        )

    def _found(self, name: str, value: Any) -> list:
        try:
            return list(self.queryset.filter(**{name: value})[:SHOWN_AT_MOST])
        except (TypeError, ValueError, forms.ValidationError):
            return []

    def tell_apart(self, found: Any) -> str:
        """Return what to call one of several objects that the same value fits."""
        return _("{found} (ID {pk})").format(found=found, pk=found.pk)


class CSVPrefixField(CSVNamedField):
    """A prefix, which several VRFs may have."""

    ambiguous = _(
        "{value} is there several times: {found}. "
        "Name the VRF in the column vrf (empty for the global table)."
    )

    def tell_apart(self, found: Any) -> str:
        return _("in {vrf} (ID {pk})").format(vrf=found.vrf or _("the global table"), pk=found.pk)


class CSVAddressField(CSVPrefixField):
    """An IP address, which several VRFs and interfaces may have."""

    ambiguous = _(
        "{value} is there several times: {found}. Assign one of them to the interface, or name it by its ID "
        "under a header that ends in .id."
    )


class CSVNetworkField(CSVNamedField):
    """A peering network, whose name is its fabric's matter."""

    ambiguous = _("Several fabrics have a network {value}: {found}. Name the fabric in the column fabric.")


def vrf_field(help_text: str) -> CSVNamedField:
    return CSVNamedField(
        queryset=VRF.objects.all(), names=("rd", "name"), required=False, label=_("VRF"), help_text=help_text
    )


def fabric_field(**kwargs: Any) -> CSVNamedField:
    return CSVNamedField(
        queryset=PeeringFabric.objects.all(), names=("name", "slug"), label=_("Fabric"), **kwargs
    )


def peer_group_field(label: str, help_text: str) -> CSVNamedField:
    return CSVNamedField(
        queryset=BGPPeerTemplate.objects.all(),
        names=("name",),
        required=False,
        label=label,
        help_text=help_text,
    )


class PeeringFabricImportForm(PrimaryModelImportForm):
    slug = SlugField()
    type = CSVChoiceField(
        choices=FabricTypeChoices, required=False, label=_("Type"), help_text=_("Left out: ix")
    )
    status = CSVChoiceField(
        choices=FabricStatusChoices, required=False, label=_("Status"), help_text=_("Left out: active")
    )
    site = CSVModelChoiceField(
        queryset=Site.objects.all(),
        to_field_name="name",
        required=False,
        label=_("Site"),
        help_text=_("Name"),
    )
    tenant = CSVModelChoiceField(
        queryset=Tenant.objects.all(),
        to_field_name="name",
        required=False,
        label=_("Tenant"),
        help_text=_("Name"),
    )
    peer_group = peer_group_field(_("Peer group"), _("Name of the default BGP peer template"))

    class Meta:
        model = PeeringFabric
        fields = (
            "name", "slug", "type", "status", "site", "tenant", "peer_group", "peeringdb_id", "description",
            "owner", "comments", "tags",
        )  # fmt: skip


class PeeringNetworkImportForm(PrimaryModelImportForm):
    fabric = fabric_field(help_text=_("Name or slug"))
    status = CSVChoiceField(
        choices=NetworkStatusChoices, required=False, label=_("Status"), help_text=_("Left out: active")
    )
    vrf = vrf_field(
        _(
            "VRF of the prefixes, by route distinguisher or name; empty: the global table. "
            "Without this column, a prefix is found in whichever VRF has it, if only one does."
        )
    )
    ipv4_prefix = CSVPrefixField(
        queryset=Prefix.objects.all(),
        names=("prefix",),
        required=False,
        label=_("IPv4 prefix"),
        help_text=_("For example 198.51.100.0/24"),
    )
    ipv6_prefix = CSVPrefixField(
        queryset=Prefix.objects.all(),
        names=("prefix",),
        required=False,
        label=_("IPv6 prefix"),
        help_text=_("For example 2001:db8:100::/64"),
    )
    vlan_group = CSVModelChoiceField(
        queryset=VLANGroup.objects.all(),
        to_field_name="name",
        required=False,
        label=_("VLAN group"),
        help_text=_("VLAN's group (if any)"),
    )
    vlan_site = CSVModelChoiceField(
        queryset=Site.objects.all(),
        to_field_name="name",
        required=False,
        label=_("VLAN site"),
        help_text=_("VLAN's site (if any)"),
    )
    vlan = CSVModelChoiceField(
        queryset=VLAN.objects.all(),
        to_field_name="vid",
        required=False,
        label=_("VLAN"),
        help_text=_("VLAN number (1-4094)"),
    )

    class Meta:
        model = PeeringNetwork
        fields = (
            "fabric", "name", "status", "vrf", "ipv4_prefix", "ipv6_prefix", "vlan_group", "vlan_site",
            "vlan", "mtu", "peeringdb_id", "description", "owner", "comments", "tags",
        )  # fmt: skip

    def __init__(self, data: Mapping | None = None, *args: Any, **kwargs: Any):
        super().__init__(data, *args, **kwargs)
        if data:
            self._narrow_prefixes(data)
            self._narrow_vlans(data)

    def _narrow_prefixes(self, data: Mapping) -> None:
        if "vrf" not in data:
            return
        try:
            vrf = self.fields["vrf"].to_python(data["vrf"])
        except forms.ValidationError:
            return  # Told when the form is validated; the prefix need not be told as well.
        for name in ("ipv4_prefix", "ipv6_prefix"):
            self.fields[name].queryset = self.fields[name].queryset.filter(vrf=vrf)

    def _narrow_vlans(self, data: Mapping) -> None:
        vlan = self.fields["vlan"]
        for name, path in (("vlan_group", "group"), ("vlan_site", "site")):
            if data.get(name):
                vlan.queryset = vlan.queryset.filter(
                    **{f"{path}__{self.fields[name].to_field_name}": data[name]}
                )


class PeeringConnectionImportForm(PrimaryModelImportForm):
    fabric = fabric_field(
        required=False, help_text=_("Name or slug; needed where several fabrics have a network of that name")
    )
    peering_network = CSVNetworkField(
        queryset=PeeringNetwork.objects.all(),
        names=("name",),
        label=_("Peering network"),
        help_text=_("Name"),
    )
    device = CSVModelChoiceField(
        queryset=Device.objects.all(), to_field_name="name", label=_("Device"), help_text=_("Name")
    )
    interface = CSVModelChoiceField(
        queryset=Interface.objects.all(), to_field_name="name", label=_("Interface"), help_text=_("Name")
    )
    ipv4_address = CSVAddressField(
        queryset=IPAddress.objects.all(),
        names=("address",),
        required=False,
        label=_("IPv4 address"),
        help_text=_("With its mask. Left out: the interface's only address in the network's IPv4 prefix"),
    )
    ipv6_address = CSVAddressField(
        queryset=IPAddress.objects.all(),
        names=("address",),
        required=False,
        label=_("IPv6 address"),
        help_text=_("With its mask. Left out: the interface's only address in the network's IPv6 prefix"),
    )
    bgp_scope = CSVModelChoiceField(
        queryset=BGPScope.objects.all(),
        required=False,
        label=_("BGP scope"),
        help_text=_("ID. Left out: the scope of the device's BGP router in the network's VRF"),
    )
    status = CSVChoiceField(
        choices=ConnectionStatusChoices, required=False, label=_("Status"), help_text=_("Left out: active")
    )
    ipv4_peer_group = peer_group_field(_("IPv4 peer group"), _("Name of a BGP peer template"))
    ipv6_peer_group = peer_group_field(_("IPv6 peer group"), _("Name of a BGP peer template"))

    class Meta:
        model = PeeringConnection
        fields = (
            "fabric", "peering_network", "device", "interface", "ipv4_address", "ipv6_address", "bgp_scope",
            "status", "ipv4_peer_group", "ipv6_peer_group", "peeringdb_id", "description", "owner",
            "comments", "tags",
        )  # fmt: skip

    def __init__(self, data: Mapping | None = None, *args: Any, **kwargs: Any):
        super().__init__(data, *args, **kwargs)
        if data:
            self._narrow_networks(data)
            self._narrow_interfaces(data)
            self._prefer_addresses_of_interface(data)

    def _narrow_networks(self, data: Mapping) -> None:
        if (fabric := self._read("fabric", data)) is not None:
            network = self.fields["peering_network"]
            network.queryset = network.queryset.filter(fabric=fabric)

    def _narrow_interfaces(self, data: Mapping) -> None:
        if data.get("device"):
            interface = self.fields["interface"]
            device = f"device__{self.fields['device'].to_field_name}"
            interface.queryset = interface.queryset.filter(**{device: data["device"]})

    def _prefer_addresses_of_interface(self, data: Mapping) -> None:
        """Where the interface has the address, that one is meant, whatever other VRFs and interfaces have."""
        if (interface := self._read("interface", data)) is None:
            return
        for name in ("ipv4_address", "ipv6_address"):
            field = self.fields[name]
            own = field.queryset.filter(interface=interface)
            if data.get(name) and own.filter(**{field.to_field_name: data[name]}).exists():
                field.queryset = own

    def _read(self, name: str, data: Mapping) -> Any:
        try:
            return self.fields[name].to_python(data.get(name))
        except forms.ValidationError:
            return None  # Told when the form is validated.

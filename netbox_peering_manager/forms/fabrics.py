"""Area `fabrics`: forms of fabrics, networks and connections, one object at a time, and their filters."""

from typing import TYPE_CHECKING

from django import forms
from django.utils.translation import gettext_lazy as _

from dcim.models import Device, Interface, Region, Site, SiteGroup
from ipam.models import VLAN, VRF, IPAddress, Prefix
from netbox.forms import PrimaryModelFilterSetForm, PrimaryModelForm
from netbox_routing.models import BGPPeerTemplate, BGPRouter, BGPScope
from tenancy.forms import ContactModelFilterForm, TenancyFilterForm, TenancyForm
from tenancy.models import Tenant
from utilities.forms import BOOLEAN_WITH_BLANK_CHOICES
from utilities.forms.fields import (
    ChoiceField,
    DynamicModelChoiceField,
    DynamicModelMultipleChoiceField,
    SlugField,
    TagFilterField,
)
from utilities.forms.rendering import FieldSet
from utilities.forms.widgets import APISelect

from ..choices import ConnectionStatusChoices, FabricStatusChoices, FabricTypeChoices, NetworkStatusChoices
from ..models import PeeringConnection, PeeringFabric, PeeringNetwork
from .fabrics_bulk import PeeringConnectionBulkEditForm, PeeringFabricBulkEditForm, PeeringNetworkBulkEditForm
from .fabrics_import import PeeringConnectionImportForm, PeeringFabricImportForm, PeeringNetworkImportForm

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
    from django.db.models import Model

__all__ = (
    "PeeringConnectionBulkEditForm",
    "PeeringConnectionFilterForm",
    "PeeringConnectionForm",
    "PeeringConnectionImportForm",
    "PeeringFabricBulkEditForm",
    "PeeringFabricFilterForm",
    "PeeringFabricForm",
    "PeeringFabricImportForm",
    "PeeringNetworkBulkEditForm",
    "PeeringNetworkFilterForm",
    "PeeringNetworkForm",
    "PeeringNetworkImportForm",
)

# Makes NetBox draw the form anew when the field changes, as its HTMXSelect does; for fields filled by REST.
REDRAWS_FORM = {"hx-get": ".", "hx-include": "#form_fields", "hx-target": "#form_fields"}


def help_of(model: "type[Model]", field: str) -> str:
    """Return the help text of a model's field, for a form field that replaces the one made from it."""
    return model._meta.get_field(field).help_text


#
# One object
#


class PeeringFabricForm(TenancyForm, PrimaryModelForm):
    slug = SlugField()
    type = ChoiceField(choices=FabricTypeChoices, initial=FabricTypeChoices.IX, label=_("Type"))
    status = ChoiceField(choices=FabricStatusChoices, initial=FabricStatusChoices.ACTIVE, label=_("Status"))
    site = DynamicModelChoiceField(
        queryset=Site.objects.all(), required=False, selector=True, label=_("Site")
    )
    peer_group = DynamicModelChoiceField(
        queryset=BGPPeerTemplate.objects.all(),
        required=False,
        quick_add=True,
        label=_("Peer group"),
        help_text=help_of(PeeringFabric, "peer_group"),
    )

    fieldsets = (
        FieldSet("name", "slug", "type", "status", "site", "description", "tags", name=_("Peering Fabric")),
        FieldSet("peer_group", "peeringdb_id", name=_("Peering")),
        FieldSet("tenant_group", "tenant", name=_("Tenancy")),
    )

    class Meta:
        model = PeeringFabric
        fields = (
            "name", "slug", "type", "status", "site", "tenant_group", "tenant", "peer_group", "peeringdb_id",
            "description", "owner", "comments", "tags",
        )  # fmt: skip


class PeeringNetworkForm(PrimaryModelForm):
    fabric = DynamicModelChoiceField(
        queryset=PeeringFabric.objects.all(), selector=True, quick_add=True, label=_("Fabric")
    )
    status = ChoiceField(choices=NetworkStatusChoices, initial=NetworkStatusChoices.ACTIVE, label=_("Status"))
    ipv4_prefix = DynamicModelChoiceField(
        queryset=Prefix.objects.all(),
        required=False,
        query_params={"family": 4},
        selector=True,
        quick_add=True,
        label=_("IPv4 prefix"),
    )
    ipv6_prefix = DynamicModelChoiceField(
        queryset=Prefix.objects.all(),
        required=False,
        query_params={"family": 6},
        selector=True,
        quick_add=True,
        label=_("IPv6 prefix"),
        help_text=_("At least one of the two. A dual-stack LAN is one network with both."),
    )
    vlan = DynamicModelChoiceField(
        queryset=VLAN.objects.all(), required=False, selector=True, quick_add=True, label=_("VLAN")
    )

    fieldsets = (
        FieldSet("fabric", "name", "status", "description", "tags", name=_("Peering Network")),
        FieldSet("ipv4_prefix", "ipv6_prefix", "vlan", "mtu", name=_("LAN")),
        FieldSet("peeringdb_id", name=_("PeeringDB")),
    )

    class Meta:
        model = PeeringNetwork
        fields = (
            "fabric", "name", "status", "ipv4_prefix", "ipv6_prefix", "vlan", "mtu", "peeringdb_id",
            "description", "owner", "comments", "tags",
        )  # fmt: skip


class PeeringConnectionForm(PrimaryModelForm):
    """
    Our port on a LAN.

    `user` is for whom the form is drawn; given, the form says what will be found for the fields left empty.
    """

    peering_network = DynamicModelChoiceField(
        queryset=PeeringNetwork.objects.all(),
        selector=True,
        quick_add=True,
        widget=APISelect(attrs=REDRAWS_FORM),
        label=_("Peering network"),
    )
    device = DynamicModelChoiceField(
        queryset=Device.objects.all(),
        required=False,
        initial_params={"interfaces": "$interface"},
        selector=True,
        widget=APISelect(attrs=REDRAWS_FORM),
        label=_("Device"),
        help_text=_("Narrows the fields below"),
    )
    interface = DynamicModelChoiceField(
        queryset=Interface.objects.all(),
        query_params={"device_id": "$device"},
        context={"parent": "device"},
        selector=True,
        widget=APISelect(attrs=REDRAWS_FORM),
        label=_("Interface"),
    )
    ipv4_address = DynamicModelChoiceField(
        queryset=IPAddress.objects.all(),
        required=False,
        query_params={"family": 4, "device_id": "$device"},
        label=_("IPv4 address"),
        help_text=help_of(PeeringConnection, "ipv4_address"),
    )
    ipv6_address = DynamicModelChoiceField(
        queryset=IPAddress.objects.all(),
        required=False,
        query_params={"family": 6, "device_id": "$device"},
        label=_("IPv6 address"),
        help_text=help_of(PeeringConnection, "ipv6_address"),
    )
    bgp_scope = DynamicModelChoiceField(
        queryset=BGPScope.objects.all(),
        required=False,
        label=_("BGP scope"),
        help_text=help_of(PeeringConnection, "bgp_scope"),
    )
    status = ChoiceField(
        choices=ConnectionStatusChoices, initial=ConnectionStatusChoices.ACTIVE, label=_("Status")
    )
    ipv4_peer_group = DynamicModelChoiceField(
        queryset=BGPPeerTemplate.objects.all(),
        required=False,
        label=_("IPv4 peer group"),
        help_text=help_of(PeeringConnection, "ipv4_peer_group"),
    )
    ipv6_peer_group = DynamicModelChoiceField(
        queryset=BGPPeerTemplate.objects.all(),
        required=False,
        label=_("IPv6 peer group"),
        help_text=help_of(PeeringConnection, "ipv6_peer_group"),
    )

    fieldsets = (
        FieldSet("peering_network", "status", "description", "tags", name=_("Peering Connection")),
        FieldSet("device", "interface", "ipv4_address", "ipv6_address", name=_("Port")),
        FieldSet("bgp_scope", "ipv4_peer_group", "ipv6_peer_group", name=_("BGP")),
        FieldSet("peeringdb_id", name=_("PeeringDB")),
    )

    class Meta:
        model = PeeringConnection
        fields = (
            "peering_network", "interface", "ipv4_address", "ipv6_address", "bgp_scope", "status",
            "ipv4_peer_group", "ipv6_peer_group", "peeringdb_id", "description", "owner", "comments", "tags",
        )  # fmt: skip

    def __init__(self, *args, user: "AbstractBaseUser | AnonymousUser | None" = None, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user
        device = self._chosen("device")
        if device and not self.is_bound:
            self._forget_parts_of_other_devices(device)
        interface = self._chosen("interface")
        self._offer_scopes_of(device or (interface.device if interface else None))
        network = self._chosen("peering_network")
        if user is not None and network and interface:
            self._say_what_is_found(PeeringConnection(peering_network=network, interface=interface))

    def _chosen(self, name: str) -> "Model | None":
        """Return the object that a field holds so far, None when it holds none or nonsense."""
        value = self.data.get(self.add_prefix(name)) if self.is_bound else self.initial.get(name)
        if not value:
            return None
        queryset = self.fields[name].queryset
        if self.user is not None:
            queryset = queryset.restrict(self.user, "view")
        try:
            return queryset.filter(pk=getattr(value, "pk", value)).first()
        except (TypeError, ValueError):
            return None

    def _forget_parts_of_other_devices(self, device: Device) -> None:
        """Empty what was chosen before the device was changed."""
        interface, scope = self._chosen("interface"), self._chosen("bgp_scope")
        if interface and interface.device_id != device.pk:
            self.initial.update(dict.fromkeys(("interface", "ipv4_address", "ipv6_address")))
        if scope and scope.router.assigned_object != device:
            self.initial["bgp_scope"] = None

    def _offer_scopes_of(self, device: Device | None) -> None:
        # netbox-routing's BGP scopes cannot be filtered by device, only by router.
        if device is None:
            return
        routers = list(BGPRouter.objects.filter(device=device).values_list("pk", flat=True))
        if routers:
            self.fields["bgp_scope"].widget.add_query_params({"router_id": routers})

    def _say_what_is_found(self, connection: PeeringConnection) -> None:
        connection.find_left_out()
        for name in ("ipv4_address", "ipv6_address", "bgp_scope"):
            found = getattr(connection, name)
            if found is None:
                self.fields[name].help_text = _("Left empty: stays empty, there is not exactly one that fits")
            elif type(found).objects.restrict(self.user, "view").filter(pk=found.pk).exists():
                self.fields[name].help_text = _("Left empty: {found}").format(found=found)

    def clean(self) -> None:
        super().clean()
        device, interface = self.cleaned_data.get("device"), self.cleaned_data.get("interface")
        if device and interface and interface.device_id != device.pk:
            self.add_error(
                "interface",
                _("{interface} is an interface of {other}, not of {device}.").format(
                    interface=interface, other=interface.device, device=device
                ),
            )


#
# Filters
#


def yes_no(label: str) -> forms.NullBooleanField:
    """Return a filter's field with the choices yes, no and neither."""
    return forms.NullBooleanField(
        required=False, label=label, widget=forms.Select(choices=BOOLEAN_WITH_BLANK_CHOICES)
    )


class PlaceFilterForm(forms.Form):
    region_id = DynamicModelMultipleChoiceField(
        queryset=Region.objects.all(), required=False, label=_("Region")
    )
    site_group_id = DynamicModelMultipleChoiceField(
        queryset=SiteGroup.objects.all(), required=False, label=_("Site group")
    )
    site_id = DynamicModelMultipleChoiceField(
        queryset=Site.objects.all(),
        required=False,
        null_option="None",
        query_params={"region_id": "$region_id", "group_id": "$site_group_id"},
        label=_("Site"),
    )


class PeeringFabricFilterForm(
    PlaceFilterForm, ContactModelFilterForm, TenancyFilterForm, PrimaryModelFilterSetForm
):
    model = PeeringFabric
    fieldsets = (
        FieldSet("q", "filter_id", "tag"),
        FieldSet("type", "status", "peer_group_id", "device_id", "peeringdb_id", name=_("Fabric")),
        FieldSet("region_id", "site_group_id", "site_id", name=_("Location")),
        FieldSet("tenant_group_id", "tenant_id", name=_("Tenant")),
        FieldSet("owner_group_id", "owner_id", name=_("Ownership")),
        FieldSet("contact", "contact_role", "contact_group", name=_("Contacts")),
    )
    selector_fields = ("filter_id", "q", "type", "site_id")

    type = forms.MultipleChoiceField(choices=FabricTypeChoices, required=False, label=_("Type"))
    status = forms.MultipleChoiceField(choices=FabricStatusChoices, required=False, label=_("Status"))
    peer_group_id = DynamicModelMultipleChoiceField(
        queryset=BGPPeerTemplate.objects.all(), required=False, null_option="None", label=_("Peer group")
    )
    device_id = DynamicModelMultipleChoiceField(
        queryset=Device.objects.all(), required=False, label=_("Connected device")
    )
    peeringdb_id = forms.IntegerField(required=False, label=_("PeeringDB ID"))
    tag = TagFilterField(PeeringFabric)


class PeeringNetworkFilterForm(PlaceFilterForm, PrimaryModelFilterSetForm):
    model = PeeringNetwork
    fieldsets = (
        FieldSet("q", "filter_id", "tag"),
        FieldSet("fabric_id", "status", "device_id", "tenant_id", "peeringdb_id", name=_("Network")),
        FieldSet("prefix", "vrf_id", "has_ipv4", "has_ipv6", "vlan_id", "mtu", name=_("LAN")),
        FieldSet("region_id", "site_group_id", "site_id", name=_("Location")),
        FieldSet("owner_group_id", "owner_id", name=_("Ownership")),
    )
    selector_fields = ("filter_id", "q", "fabric_id")

    fabric_id = DynamicModelMultipleChoiceField(
        queryset=PeeringFabric.objects.all(), required=False, label=_("Fabric")
    )
    status = forms.MultipleChoiceField(choices=NetworkStatusChoices, required=False, label=_("Status"))
    prefix = forms.CharField(required=False, label=_("Address or prefix on the LAN"))
    vrf_id = DynamicModelMultipleChoiceField(queryset=VRF.objects.all(), required=False, label=_("VRF"))
    has_ipv4 = yes_no(_("Has an IPv4 prefix"))
    has_ipv6 = yes_no(_("Has an IPv6 prefix"))
    vlan_id = DynamicModelMultipleChoiceField(
        queryset=VLAN.objects.all(), required=False, null_option="None", label=_("VLAN")
    )
    mtu = forms.IntegerField(required=False, label=_("MTU"))
    device_id = DynamicModelMultipleChoiceField(
        queryset=Device.objects.all(), required=False, label=_("Connected device")
    )
    tenant_id = DynamicModelMultipleChoiceField(
        queryset=Tenant.objects.all(), required=False, null_option="None", label=_("Tenant of the fabric")
    )
    peeringdb_id = forms.IntegerField(required=False, label=_("PeeringDB ID"))
    tag = TagFilterField(PeeringNetwork)


class PeeringConnectionFilterForm(PlaceFilterForm, PrimaryModelFilterSetForm):
    model = PeeringConnection
    fieldsets = (
        FieldSet("q", "filter_id", "tag"),
        FieldSet("fabric_id", "peering_network_id", "status", "peeringdb_id", name=_("Connection")),
        FieldSet("device_id", "interface_id", "tenant_id", name=_("Port")),
        FieldSet("address", "has_ipv4", "has_ipv6", "vrf_id", "has_bgp_scope", name=_("Addresses and BGP")),
        FieldSet("region_id", "site_group_id", "site_id", name=_("Location")),
        FieldSet("owner_group_id", "owner_id", name=_("Ownership")),
    )
    selector_fields = ("filter_id", "q", "fabric_id", "peering_network_id", "device_id")

    fabric_id = DynamicModelMultipleChoiceField(
        queryset=PeeringFabric.objects.all(), required=False, label=_("Fabric")
    )
    peering_network_id = DynamicModelMultipleChoiceField(
        queryset=PeeringNetwork.objects.all(),
        required=False,
        query_params={"fabric_id": "$fabric_id"},
        label=_("Peering network"),
    )
    status = forms.MultipleChoiceField(choices=ConnectionStatusChoices, required=False, label=_("Status"))
    device_id = DynamicModelMultipleChoiceField(
        queryset=Device.objects.all(), required=False, label=_("Device")
    )
    interface_id = DynamicModelMultipleChoiceField(
        queryset=Interface.objects.all(),
        required=False,
        query_params={"device_id": "$device_id"},
        label=_("Interface"),
    )
    tenant_id = DynamicModelMultipleChoiceField(
        queryset=Tenant.objects.all(), required=False, null_option="None", label=_("Tenant of the device")
    )
    address = forms.CharField(required=False, label=_("Our address or a prefix"))
    has_ipv4 = yes_no(_("Has an IPv4 address"))
    has_ipv6 = yes_no(_("Has an IPv6 address"))
    vrf_id = DynamicModelMultipleChoiceField(queryset=VRF.objects.all(), required=False, label=_("VRF"))
    has_bgp_scope = yes_no(_("Has a BGP scope"))
    peeringdb_id = forms.IntegerField(required=False, label=_("PeeringDB ID"))
    tag = TagFilterField(PeeringConnection)

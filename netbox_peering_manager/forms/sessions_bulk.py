"""Area `sessions`: bulk edit and import of relationship types and peering sessions."""

from django import forms
from django.utils.translation import gettext_lazy as _

from dcim.models import Device
from ipam.models import VRF
from netbox.forms import (
    OrganizationalModelBulkEditForm,
    OrganizationalModelImportForm,
    PrimaryModelBulkEditForm,
    PrimaryModelImportForm,
)
from netbox_routing.models import BGPPeer, RouteMap
from utilities.forms import add_blank_choice
from utilities.forms.fields import (
    ColorField,
    CSVChoiceField,
    CSVModelChoiceField,
    DynamicModelChoiceField,
    SlugField,
)
from utilities.forms.rendering import FieldSet
from utilities.forms.widgets import BulkEditNullBooleanSelect

from ..choices import BGPRoleChoices
from ..models import PeeringFabric, PeeringNetwork, PeeringSession, Relationship
from ..services.secrets import set_password
from .sessions_checks import refuse_other_fabric, refuse_wrapped
from .sessions_password import PasswordField


class RelationshipBulkEditForm(OrganizationalModelBulkEditForm):
    color = ColorField(required=False, label=_("Color"))
    bgp_role = forms.ChoiceField(
        choices=add_blank_choice(BGPRoleChoices), required=False, label=_("BGP role")
    )
    routemap_in = DynamicModelChoiceField(
        queryset=RouteMap.objects.all(), required=False, label=_("Inbound route map")
    )
    routemap_out = DynamicModelChoiceField(
        queryset=RouteMap.objects.all(), required=False, label=_("Outbound route map")
    )
    remove_from_router = forms.NullBooleanField(
        required=False, widget=BulkEditNullBooleanSelect, label=_("Remove from router")
    )

    model = Relationship
    fieldsets = (
        FieldSet("color", "bgp_role", "routemap_in", "routemap_out", "remove_from_router", "description"),
    )
    nullable_fields = ("color", "bgp_role", "routemap_in", "routemap_out", "description")


class RelationshipImportForm(OrganizationalModelImportForm):
    slug = SlugField()
    bgp_role = CSVChoiceField(choices=BGPRoleChoices, required=False, label=_("BGP role"))
    routemap_in = CSVModelChoiceField(
        queryset=RouteMap.objects.all(), required=False, to_field_name="name", label=_("Inbound route map")
    )
    routemap_out = CSVModelChoiceField(
        queryset=RouteMap.objects.all(), required=False, to_field_name="name", label=_("Outbound route map")
    )

    class Meta:
        model = Relationship
        fields = (
            "name",
            "slug",
            "color",
            "bgp_role",
            "routemap_in",
            "routemap_out",
            "remove_from_router",
            "description",
            "owner",
            "comments",
            "tags",
        )


class PeeringSessionBulkEditForm(PrimaryModelBulkEditForm):
    relationship = DynamicModelChoiceField(
        queryset=Relationship.objects.all(), required=False, label=_("Relationship")
    )
    fabric = DynamicModelChoiceField(queryset=PeeringFabric.objects.all(), required=False, label=_("Fabric"))
    peering_network = DynamicModelChoiceField(
        queryset=PeeringNetwork.objects.all(),
        required=False,
        query_params={"fabric_id": "$fabric"},
        label=_("Peering network"),
    )
    service_reference = forms.CharField(required=False, max_length=100, label=_("Service reference"))
    is_route_server = forms.NullBooleanField(
        required=False, widget=BulkEditNullBooleanSelect, label=_("Route server")
    )
    ipv4_max_prefixes = forms.IntegerField(required=False, min_value=0, label=_("IPv4 max prefixes"))
    ipv6_max_prefixes = forms.IntegerField(required=False, min_value=0, label=_("IPv6 max prefixes"))

    model = PeeringSession
    fieldsets = (
        FieldSet(
            "relationship", "fabric", "peering_network", "service_reference", "is_route_server", "description"
        ),
        FieldSet("ipv4_max_prefixes", "ipv6_max_prefixes", name=_("Limits")),
    )

    def clean(self):
        cleaned = super().clean()
        refuse_other_fabric(self)
        return cleaned

    nullable_fields = (
        "peering_network",
        "service_reference",
        "ipv4_max_prefixes",
        "ipv6_max_prefixes",
        "description",
    )


class PeeringSessionImportForm(PrimaryModelImportForm):
    """
    One row of an import.

    The BGPPeer is named by its id, or by the device, the peer's address and the VRF that it is in.
    """

    bgp_peer = forms.ModelChoiceField(
        # With where its local AS comes from, which is looked at in every row.
        queryset=BGPPeer.objects.select_related(
            "local_as__peer_asn", "peer_session__local_as__peer_asn", "scope__router__asn__peer_asn"
        ),
        required=False,
        label=_("BGP peer"),
        help_text=_("ID of the BGP peer to wrap; else give device and address"),
    )
    device = CSVModelChoiceField(
        queryset=Device.objects.all(),
        required=False,
        to_field_name="name",
        label=_("Device"),
        help_text=_("Device whose BGP router has the peer"),
    )
    address = forms.GenericIPAddressField(
        required=False, label=_("Peer address"), help_text=_("Without mask, such as 198.51.100.42")
    )
    vrf = CSVModelChoiceField(
        queryset=VRF.objects.all(),
        required=False,
        to_field_name="name",
        label=_("VRF"),
        help_text=_("VRF of the session, empty for the global table"),
    )
    relationship = CSVModelChoiceField(
        queryset=Relationship.objects.all(),
        to_field_name="slug",
        label=_("Relationship"),
        help_text=_("Its slug"),
    )
    fabric = CSVModelChoiceField(
        queryset=PeeringFabric.objects.all(),
        required=False,
        to_field_name="name",
        label=_("Fabric"),
        help_text=_("Name of the network's fabric, where several fabrics have a network of this name"),
    )
    peering_network = CSVModelChoiceField(
        queryset=PeeringNetwork.objects.all(),
        required=False,
        to_field_name="name",
        label=_("Peering network"),
    )
    password = PasswordField(help_text=_("Kept encrypted"))

    class Meta:
        model = PeeringSession
        fields = (
            "bgp_peer",
            "relationship",
            "peering_network",
            "service_reference",
            "is_route_server",
            "ipv4_max_prefixes",
            "ipv6_max_prefixes",
            "description",
            "owner",
            "comments",
            "tags",
        )

    def __init__(self, data=None, *args, **kwargs):
        super().__init__(data, *args, **kwargs)
        if data and (fabric := data.get("fabric")):
            network = self.fields["peering_network"]
            network.queryset = network.queryset.filter(fabric__name=fabric)

    def clean(self):
        cleaned = super().clean()
        # An update leaves out the columns that the file has not.
        if "bgp_peer" in self.fields and "bgp_peer" not in self.errors:
            self._clean_bgp_peer()
        refuse_other_fabric(self)
        return cleaned

    def _clean_bgp_peer(self):
        data = self.cleaned_data
        try:
            data["bgp_peer"] = data.get("bgp_peer") or self._find_bgp_peer(
                data.get("device"), data.get("address")
            )
            refuse_wrapped(data["bgp_peer"], but=self.instance.pk)
        except forms.ValidationError as error:
            self.add_error("bgp_peer", error)

    def _find_bgp_peer(self, device, address):
        if not (device and address):
            raise forms.ValidationError(
                _("Give the ID of the BGP peer, or the device and the peer's address.")
            )
        vrf = self.cleaned_data.get("vrf")
        found = self.fields["bgp_peer"].queryset.filter(
            scope__router__device=device, scope__vrf=vrf, peer__address__net_host=address
        )[:2]
        if len(found) == 1:
            return found[0]
        message = (
            _("{device} has several BGP peers at {address} in {vrf}: give the ID of one.")
            if found
            else _("{device} has no BGP peer at {address} in {vrf}.")
        )
        raise forms.ValidationError(
            message.format(device=device, address=address, vrf=vrf or _("the global table"))
        )

    def save(self, *args, **kwargs):
        if password := self.cleaned_data.get("password"):
            set_password(self.instance, password)
        return super().save(*args, **kwargs)

"""
Area `sessions`: forms of relationship types and peering sessions, one object at a time, and their filters.
"""

from django import forms
from django.utils.translation import gettext_lazy as _

from dcim.models import Device
from ipam.models import ASN, VRF
from netbox.forms import (
    OrganizationalModelFilterSetForm,
    OrganizationalModelForm,
    PrimaryModelFilterSetForm,
    PrimaryModelForm,
)
from netbox_routing.choices.bgp import BGPStatusChoices
from netbox_routing.models import BGPPeer, BGPPeerTemplate, RouteMap
from utilities.forms import BOOLEAN_WITH_BLANK_CHOICES, add_blank_choice
from utilities.forms.fields import (
    ColorField,
    DynamicModelChoiceField,
    DynamicModelMultipleChoiceField,
    TagFilterField,
)
from utilities.forms.rendering import FieldSet, InlineFields

from ..choices import BGPRoleChoices
from ..models import PeeringConnection, PeeringFabric, PeeringNetwork, PeeringSession, Relationship
from .configuration import CONFIGURATION_FIELDSET, SessionConfigurationFilterFields
from .sessions_bulk import (
    PeeringSessionBulkEditForm,
    PeeringSessionImportForm,
    RelationshipBulkEditForm,
    RelationshipImportForm,
)
from .sessions_checks import refuse_other_fabric, refuse_wrapped
from .sessions_create import PeeringSessionCreateForm
from .sessions_delete import PeeringSessionBulkDeleteForm, PeeringSessionDeleteForm
from .sessions_password import PasswordFieldsMixin
from .states import STATE_FIELDSET, SessionStateFilterFields

__all__ = (
    "PeeringSessionBulkDeleteForm",
    "PeeringSessionBulkEditForm",
    "PeeringSessionCreateForm",
    "PeeringSessionDeleteForm",
    "PeeringSessionFilterForm",
    "PeeringSessionForm",
    "PeeringSessionImportForm",
    "RelationshipBulkEditForm",
    "RelationshipFilterForm",
    "RelationshipForm",
    "RelationshipImportForm",
)


def yes_no(label: str) -> forms.NullBooleanField:
    """Return a filter's field with the choices yes, no and neither."""
    return forms.NullBooleanField(
        required=False, label=label, widget=forms.Select(choices=BOOLEAN_WITH_BLANK_CHOICES)
    )


class RelationshipForm(OrganizationalModelForm):
    routemap_in = DynamicModelChoiceField(
        queryset=RouteMap.objects.all(),
        required=False,
        label=_("Inbound route map"),
        help_text=Relationship._meta.get_field("routemap_in").help_text,
    )
    routemap_out = DynamicModelChoiceField(
        queryset=RouteMap.objects.all(),
        required=False,
        label=_("Outbound route map"),
        help_text=Relationship._meta.get_field("routemap_out").help_text,
    )

    fieldsets = (
        FieldSet("name", "slug", "color", "description", "tags", name=_("Relationship Type")),
        FieldSet(
            "bgp_role",
            "routemap_in",
            "routemap_out",
            "remove_from_router",
            name=_("What its sessions inherit"),
        ),
    )

    class Meta:
        model = Relationship
        fields = RelationshipImportForm.Meta.fields


class RelationshipFilterForm(OrganizationalModelFilterSetForm):
    model = Relationship
    fieldsets = (
        FieldSet("q", "filter_id", "tag"),
        FieldSet(
            "color",
            "bgp_role",
            "routemap_in_id",
            "routemap_out_id",
            "remove_from_router",
            name=_("Relationship Type"),
        ),
        FieldSet("owner_group_id", "owner_id", name=_("Ownership")),
    )
    color = ColorField(label=_("Color"), required=False)
    bgp_role = forms.MultipleChoiceField(choices=BGPRoleChoices, required=False, label=_("BGP role"))
    routemap_in_id = DynamicModelMultipleChoiceField(
        queryset=RouteMap.objects.all(), required=False, label=_("Inbound route map")
    )
    routemap_out_id = DynamicModelMultipleChoiceField(
        queryset=RouteMap.objects.all(), required=False, label=_("Outbound route map")
    )
    remove_from_router = yes_no(_("Remove from router"))
    tag = TagFilterField(model)


class PeeringSessionForm(PasswordFieldsMixin, PrimaryModelForm):
    """Wraps a BGPPeer. The fabric only narrows the networks, but a network of another fabric is refused."""

    bgp_peer = DynamicModelChoiceField(
        queryset=BGPPeer.objects.all(),
        selector=True,
        label=_("BGP peer"),
        help_text=_("The session's addresses, AS numbers, families and policies"),
    )
    relationship = DynamicModelChoiceField(
        queryset=Relationship.objects.all(), quick_add=True, label=_("Relationship")
    )
    fabric = DynamicModelChoiceField(
        queryset=PeeringFabric.objects.all(),
        required=False,
        initial_params={"networks": "$peering_network"},
        label=_("Fabric"),
        help_text=_("Narrows the networks to choose from"),
    )
    peering_network = DynamicModelChoiceField(
        queryset=PeeringNetwork.objects.all(),
        required=False,
        query_params={"fabric_id": "$fabric"},
        label=_("Peering network"),
        help_text=PeeringSession._meta.get_field("peering_network").help_text,
    )

    fieldsets = (
        FieldSet(
            "bgp_peer",
            "relationship",
            "fabric",
            "peering_network",
            "service_reference",
            "is_route_server",
            "description",
            "tags",
            name=_("Peering Session"),
        ),
        FieldSet(
            InlineFields("ipv4_max_prefixes", "ipv6_max_prefixes", label=_("Max prefixes (IPv4, IPv6)")),
            name=_("Limits"),
        ),
        FieldSet("password", "remove_password", name=_("Password")),
    )

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

    def clean_bgp_peer(self):
        bgp_peer = self.cleaned_data["bgp_peer"]
        refuse_wrapped(bgp_peer, but=self.instance.pk)
        return bgp_peer

    def clean(self):
        super().clean()
        refuse_other_fabric(self)


class PeeringSessionFilterForm(
    SessionConfigurationFilterFields, SessionStateFilterFields, PrimaryModelFilterSetForm
):
    model = PeeringSession
    fieldsets = (
        FieldSet("q", "filter_id", "tag"),
        FieldSet(
            "relationship_id",
            "is_route_server",
            "service_reference",
            "ipv4_max_prefixes",
            "ipv6_max_prefixes",
            "has_password",
            "has_clear_password",
            name=_("Peering Session"),
        ),
        STATE_FIELDSET,
        CONFIGURATION_FIELDSET,
        FieldSet("fabric_id", "peering_network_id", "connection_id", "device_id", "vrf_id", name=_("Where")),
        FieldSet(
            "remote_asn",
            "remote_as_id",
            "local_as_id",
            "address",
            "family",
            "status",
            "enabled",
            "peer_group_id",
            name=_("BGP"),
        ),
        FieldSet("owner_group_id", "owner_id", name=_("Ownership")),
    )
    selector_fields = ("filter_id", "q", "relationship_id", "device_id", "fabric_id")

    relationship_id = DynamicModelMultipleChoiceField(
        queryset=Relationship.objects.all(), required=False, label=_("Relationship")
    )
    is_route_server = yes_no(_("Route server"))
    service_reference = forms.CharField(required=False, label=_("Service reference"))
    ipv4_max_prefixes = forms.IntegerField(required=False, min_value=0, label=_("IPv4 max prefixes"))
    ipv6_max_prefixes = forms.IntegerField(required=False, min_value=0, label=_("IPv6 max prefixes"))
    has_password = yes_no(_("Has a password"))
    has_clear_password = yes_no(_("Has a password in clear"))
    fabric_id = DynamicModelMultipleChoiceField(
        queryset=PeeringFabric.objects.all(), required=False, label=_("Fabric")
    )
    peering_network_id = DynamicModelMultipleChoiceField(
        queryset=PeeringNetwork.objects.all(),
        required=False,
        query_params={"fabric_id": "$fabric_id"},
        label=_("Network"),
    )
    connection_id = DynamicModelMultipleChoiceField(
        queryset=PeeringConnection.objects.all(),
        required=False,
        query_params={"peering_network_id": "$peering_network_id"},
        label=_("Connection"),
    )
    device_id = DynamicModelMultipleChoiceField(
        queryset=Device.objects.all(), required=False, label=_("Device")
    )
    vrf_id = DynamicModelMultipleChoiceField(
        queryset=VRF.objects.all(), required=False, null_option=_("Global"), label=_("VRF")
    )
    remote_asn = forms.IntegerField(required=False, label=_("Remote AS number"))
    remote_as_id = DynamicModelMultipleChoiceField(
        queryset=ASN.objects.all(), required=False, label=_("Remote AS")
    )
    local_as_id = DynamicModelMultipleChoiceField(
        queryset=ASN.objects.all(), required=False, label=_("Local AS")
    )
    address = forms.CharField(required=False, label=_("Peer address or prefix"))
    family = forms.ChoiceField(
        choices=add_blank_choice(((4, "IPv4"), (6, "IPv6"))), required=False, label=_("Address family")
    )
    status = forms.MultipleChoiceField(choices=BGPStatusChoices, required=False, label=_("Status"))
    enabled = yes_no(_("Enabled"))
    peer_group_id = DynamicModelMultipleChoiceField(
        queryset=BGPPeerTemplate.objects.all(), required=False, label=_("Peer group")
    )
    tag = TagFilterField(model)

"""Area `sessions`: bulk edit and import of relationship types and peering sessions."""

from django import forms
from django.utils.translation import gettext_lazy as _

from netbox.forms import (
    OrganizationalModelBulkEditForm,
    OrganizationalModelImportForm,
    PrimaryModelBulkEditForm,
    PrimaryModelImportForm,
)
from netbox_routing.models import RouteMap
from utilities.forms import add_blank_choice
from utilities.forms.fields import ColorField, CSVChoiceField, CSVModelChoiceField, DynamicModelChoiceField, SlugField
from utilities.forms.rendering import FieldSet
from utilities.forms.widgets import BulkEditNullBooleanSelect

from ..choices import BGPRoleChoices
from ..models import PeeringFabric, PeeringNetwork, PeeringSession, Relationship
from ..services.secrets import set_password
from .sessions_password import PasswordField


class RelationshipBulkEditForm(OrganizationalModelBulkEditForm):
    color = ColorField(required=False, label=_("Color"))
    bgp_role = forms.ChoiceField(choices=add_blank_choice(BGPRoleChoices), required=False, label=_("BGP role"))
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
    fieldsets = (FieldSet("color", "bgp_role", "routemap_in", "routemap_out", "remove_from_router", "description"),)
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
    nullable_fields = (
        "peering_network",
        "service_reference",
        "ipv4_max_prefixes",
        "ipv6_max_prefixes",
        "description",
    )


class PeeringSessionImportForm(PrimaryModelImportForm):
    relationship = CSVModelChoiceField(
        queryset=Relationship.objects.all(), to_field_name="slug", label=_("Relationship"), help_text=_("Its slug")
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

    def save(self, *args, **kwargs):
        if password := self.cleaned_data.get("password"):
            set_password(self.instance, password)
        return super().save(*args, **kwargs)

"""Area `sessions`: REST representations of relationship types and peering sessions."""

from rest_framework import serializers

from dcim.api.serializers import DeviceSerializer
from ipam.api.serializers import ASNSerializer
from netbox.api.fields import ChoiceField, RelatedObjectCountField
from netbox.api.serializers import OrganizationalModelSerializer, PrimaryModelSerializer
from netbox_routing.api.serializers import BGPPeerSerializer, RouteMapSerializer

from ...choices import BGPRoleChoices
from ...models import PeeringSession, Relationship
from ...services.secrets import set_password

try:
    from .fabrics import PeeringNetworkSerializer
except ImportError:  # until that area is in
    from ...models import PeeringNetwork

    class PeeringNetworkSerializer(PrimaryModelSerializer):
        class Meta:
            model = PeeringNetwork
            fields = brief_fields = ("id", "display", "name")


__all__ = ("PeeringSessionSerializer", "RelationshipSerializer")


class RelationshipSerializer(OrganizationalModelSerializer):
    bgp_role = ChoiceField(choices=BGPRoleChoices, required=False, allow_blank=True)
    routemap_in = RouteMapSerializer(nested=True, required=False, allow_null=True)
    routemap_out = RouteMapSerializer(nested=True, required=False, allow_null=True)
    session_count = RelatedObjectCountField("sessions")

    class Meta:
        model = Relationship
        fields = (
            "id",
            "url",
            "display_url",
            "display",
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
            "custom_fields",
            "created",
            "last_updated",
            "session_count",
        )
        brief_fields = ("id", "url", "display", "name", "slug", "description")


class PeeringSessionSerializer(PrimaryModelSerializer):
    """`password` only goes in; that there is one, in which column and since when, is all that comes out."""

    bgp_peer = BGPPeerSerializer(nested=True)
    relationship = RelationshipSerializer(nested=True)
    peering_network = PeeringNetworkSerializer(nested=True, required=False, allow_null=True)
    device = DeviceSerializer(nested=True, read_only=True)
    local_as = ASNSerializer(nested=True, read_only=True)
    remote_as = ASNSerializer(nested=True, read_only=True)
    password = serializers.CharField(
        write_only=True,
        required=False,
        allow_blank=True,
        max_length=255,
        trim_whitespace=False,
        help_text="Kept encrypted and never shown; an empty string removes it.",
    )
    has_password = serializers.BooleanField(read_only=True)
    has_clear_password = serializers.BooleanField(read_only=True)

    class Meta:
        model = PeeringSession
        fields = (
            "id",
            "url",
            "display_url",
            "display",
            "bgp_peer",
            "relationship",
            "peering_network",
            "device",
            "local_as",
            "remote_as",
            "service_reference",
            "is_route_server",
            "ipv4_max_prefixes",
            "ipv6_max_prefixes",
            "password",
            "has_password",
            "has_clear_password",
            "password_changed",
            "description",
            "owner",
            "comments",
            "tags",
            "custom_fields",
            "created",
            "last_updated",
        )
        brief_fields = ("id", "url", "display", "description")
        read_only_fields = ("password_changed",)

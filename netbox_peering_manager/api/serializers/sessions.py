"""Area `sessions`: REST representations of relationship types and peering sessions."""

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from dcim.api.serializers import DeviceSerializer
from extras.models import Tag
from ipam.api.serializers import ASNSerializer
from ipam.models import IPAddress
from netbox.api.fields import ChoiceField, RelatedObjectCountField
from netbox.api.serializers import OrganizationalModelSerializer, PrimaryModelSerializer
from netbox_routing.api.serializers import BGPPeerSerializer, RouteMapSerializer
from netbox_routing.choices.bgp import BGPStatusChoices
from netbox_routing.models import BFDProfile, BGPPeerTemplate, BGPScope

from ...choices import BGPRoleChoices
from ...models import PeerASN, PeeringSession, Relationship
from ...services.provisioning.create import usable_connections
from ...services.secrets import password_fields
from .configuration import SessionConfigurationField
from .deployments import AskedSerializer
from .fabrics import PeeringNetworkSerializer
from .states import SessionStateSerializer

__all__ = (
    "CreatedAndConfiguredSerializer",
    "NewSessionSerializer",
    "PasswordSerializer",
    "PeeringSessionSerializer",
    "RelationshipSerializer",
)


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


# What thousands of sessions share; written out once per answer.
SHARED = ("relationship", "peering_network", "device", "local_as")


def once_per_object(represent):
    """Return `represent`, a nested serializer's to_representation, so that it works once for each object."""
    known = {}

    def to_representation(instance):
        if instance.pk not in known:
            known[instance.pk] = represent(instance)
        return known[instance.pk]

    return to_representation


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
        help_text=_("Kept encrypted and never shown; an empty string removes it."),
    )
    has_password = serializers.BooleanField(read_only=True)
    has_clear_password = serializers.BooleanField(read_only=True)
    state = SessionStateSerializer(read_only=True, allow_null=True, default=None)
    configuration = SessionConfigurationField()

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
            "state",
            "configuration",
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

    def get_fields(self):
        fields = super().get_fields()
        for name in SHARED:
            if name in fields:
                fields[name].to_representation = once_per_object(fields[name].to_representation)
        return fields

    def validate_bgp_peer(self, bgp_peer):
        others = PeeringSession.objects.filter(bgp_peer=bgp_peer)
        if self.instance is not None:
            others = others.exclude(pk=self.instance.pk)
        if session := others.first():
            raise serializers.ValidationError(
                _t("This BGP peer has a peering session already: {session} (ID {id}).").format(
                    session=session, id=session.pk
                )
            )
        return bgp_peer

    def validate(self, data):
        # The model has no such field, so it is kept away from the instance that the data is checked on.
        password = None if self.nested else data.pop("password", None)
        data = super().validate(data)
        return data if password is None else {**data, **password_fields(password)}


class VisibleObjectField(serializers.PrimaryKeyRelatedField):
    """The id of an object; one that the user may not see is answered like one that does not exist."""

    def get_queryset(self):
        queryset = super().get_queryset()
        request = self.context.get("request")
        return queryset.restrict(request.user, "view") if request else queryset


def optional(queryset):
    """Return the field of an object that may be left out."""
    return VisibleObjectField(queryset=queryset, required=False, allow_null=True)


class NewSessionSerializer(serializers.Serializer):
    """
    A session with everything it takes, down to the peer's address. Objects are given by their ids.

    Only comes in; the sessions that were made go out as PeeringSessionSerializer shows them.
    """

    relationship = VisibleObjectField(queryset=Relationship.objects.all())
    remote_asn = serializers.IntegerField(min_value=1, max_value=2**32 - 1)
    remote_ip = serializers.CharField(max_length=50, help_text=_("The peer's address, without mask"))
    connection = optional(usable_connections())
    scope = optional(BGPScope.objects.all())
    source = optional(IPAddress.objects.all())
    local_as = optional(PeerASN.objects.all())
    peer_group = optional(BGPPeerTemplate.objects.all())
    bfd = optional(BFDProfile.objects.all())
    ttl = serializers.IntegerField(min_value=1, max_value=255, required=False, allow_null=True)
    name = serializers.CharField(max_length=100, required=False, allow_blank=True)
    description = serializers.CharField(max_length=200, required=False, allow_blank=True)
    status = serializers.ChoiceField(choices=BGPStatusChoices.CHOICES, required=False)
    enabled = serializers.BooleanField(required=False, default=True)
    service_reference = serializers.CharField(max_length=100, required=False, allow_blank=True)
    is_route_server = serializers.BooleanField(required=False, default=False)
    password = serializers.CharField(
        max_length=255,
        write_only=True,
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        help_text=_("Kept encrypted and never shown"),
    )
    ipv4_max_prefixes = serializers.IntegerField(min_value=0, required=False, allow_null=True)
    ipv6_max_prefixes = serializers.IntegerField(min_value=0, required=False, allow_null=True)
    peer_name = serializers.CharField(
        max_length=255,
        required=False,
        allow_blank=True,
        help_text=_("Name of a peer ASN that has to be made. Left out: as in PeeringDB"),
    )
    irr_as_set = serializers.CharField(
        max_length=255,
        required=False,
        allow_blank=True,
        help_text=_("AS-SET of a peer ASN that has to be made. Left out: as in PeeringDB"),
    )
    tags = VisibleObjectField(queryset=Tag.objects.all(), many=True, required=False)
    configure = serializers.BooleanField(
        required=False,
        default=False,
        help_text=_("Then configure the router with the session. Needs add and commit on deployments"),
    )


class CreatedAndConfiguredSerializer(AskedSerializer):
    """The sessions that were made, and the deployments that `configure` asked for."""

    sessions = PeeringSessionSerializer(many=True)


class PasswordSerializer(serializers.Serializer):
    """A session's password in clear, an empty text when it has none."""

    password = serializers.CharField(read_only=True)

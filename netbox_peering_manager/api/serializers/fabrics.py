"""Area `fabrics`: REST representations of fabrics, networks and connections."""

from rest_framework import serializers

from dcim.api.serializers import InterfaceSerializer, SiteSerializer
from ipam.api.serializers import IPAddressSerializer, PrefixSerializer, VLANSerializer
from netbox.api.fields import ChoiceField
from netbox.api.serializers import PrimaryModelSerializer
from netbox_routing.api.serializers import BGPPeerTemplateSerializer, BGPScopeSerializer
from tenancy.api.serializers import TenantSerializer

from ...choices import ConnectionStatusChoices, FabricStatusChoices, FabricTypeChoices, NetworkStatusChoices
from ...models import PeeringConnection, PeeringFabric, PeeringNetwork

__all__ = ("PeeringConnectionSerializer", "PeeringFabricSerializer", "PeeringNetworkSerializer")

COMMON = ("description", "owner", "comments", "tags", "custom_fields", "created", "last_updated")


class PeeringFabricSerializer(PrimaryModelSerializer):
    type = ChoiceField(choices=FabricTypeChoices, required=False)
    status = ChoiceField(choices=FabricStatusChoices, required=False)
    site = SiteSerializer(nested=True, required=False, allow_null=True)
    tenant = TenantSerializer(nested=True, required=False, allow_null=True)
    peer_group = BGPPeerTemplateSerializer(nested=True, required=False, allow_null=True)

    # Of those that the user may view; annotated by the view set.
    network_count = serializers.IntegerField(read_only=True)
    connection_count = serializers.IntegerField(read_only=True)
    session_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = PeeringFabric
        fields = (
            "id", "url", "display_url", "display", "name", "slug", "type", "status", "site", "tenant",
            "peer_group", "peeringdb_id", *COMMON, "network_count", "connection_count", "session_count",
        )  # fmt: skip
        brief_fields = ("id", "url", "display", "name", "slug", "description")


class PeeringNetworkSerializer(PrimaryModelSerializer):
    fabric = PeeringFabricSerializer(nested=True)
    status = ChoiceField(choices=NetworkStatusChoices, required=False)
    ipv4_prefix = PrefixSerializer(nested=True, required=False, allow_null=True)
    ipv6_prefix = PrefixSerializer(nested=True, required=False, allow_null=True)
    vlan = VLANSerializer(nested=True, required=False, allow_null=True)

    # Of those that the user may view; annotated by the view set.
    connection_count = serializers.IntegerField(read_only=True)
    session_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = PeeringNetwork
        fields = (
            "id", "url", "display_url", "display", "fabric", "name", "status", "ipv4_prefix", "ipv6_prefix",
            "vlan", "mtu", "peeringdb_id", *COMMON, "connection_count", "session_count",
        )  # fmt: skip
        brief_fields = ("id", "url", "display", "fabric", "name", "description")


class PeeringConnectionSerializer(PrimaryModelSerializer):
    peering_network = PeeringNetworkSerializer(nested=True)
    interface = InterfaceSerializer(nested=True)
    ipv4_address = IPAddressSerializer(nested=True, required=False, allow_null=True)
    ipv6_address = IPAddressSerializer(nested=True, required=False, allow_null=True)
    bgp_scope = BGPScopeSerializer(nested=True, required=False, allow_null=True)
    status = ChoiceField(choices=ConnectionStatusChoices, required=False)
    ipv4_peer_group = BGPPeerTemplateSerializer(nested=True, required=False, allow_null=True)
    ipv6_peer_group = BGPPeerTemplateSerializer(nested=True, required=False, allow_null=True)

    class Meta:
        model = PeeringConnection
        fields = (
            "id", "url", "display_url", "display", "peering_network", "interface", "ipv4_address",
            "ipv6_address", "bgp_scope", "status", "ipv4_peer_group", "ipv6_peer_group", "peeringdb_id",
            *COMMON,
        )  # fmt: skip
        brief_fields = ("id", "url", "display", "peering_network", "interface", "description")

"""Area `peers`: REST representation of ports that we could peer with."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

__all__ = ("AvailablePortSerializer",)


class NetworkInPeeringDBSerializer(serializers.Serializer):
    """What a network says of itself in PeeringDB."""

    id = serializers.IntegerField(help_text=_("ID of the net in PeeringDB."))
    asn = serializers.IntegerField()
    name = serializers.CharField()
    policy = serializers.CharField(source="policy_general")
    traffic = serializers.CharField(source="info_traffic")
    scope = serializers.CharField(source="info_scope")
    ratio = serializers.CharField(source="info_ratio")
    types = serializers.ListField(source="info_types", child=serializers.CharField())
    prefixes4 = serializers.IntegerField(source="info_prefixes4", allow_null=True)
    prefixes6 = serializers.IntegerField(source="info_prefixes6", allow_null=True)
    as_set = serializers.CharField(source="irr_as_set")
    never_via_route_servers = serializers.BooleanField(source="info_never_via_route_servers")


class AvailablePortSerializer(serializers.Serializer):
    """A port of available_ports(). `network` is null when PeeringDB has not sent it."""

    id = serializers.IntegerField(help_text=_("ID of the netixlan in PeeringDB."))
    asn = serializers.IntegerField()
    network = NetworkInPeeringDBSerializer(source="net", allow_null=True)
    ipv4_address = serializers.IPAddressField(source="ipaddr4", allow_null=True)
    ipv6_address = serializers.IPAddressField(source="ipaddr6", allow_null=True)
    speed = serializers.IntegerField(help_text=_("In Mbit/s."))
    on_route_server = serializers.BooleanField(source="is_rs_peer")
    bfd = serializers.BooleanField(source="bfd_support")
    operational = serializers.BooleanField()
    is_route_server = serializers.BooleanField(help_text=_("The AS is that of the LAN's route servers."))
    is_own = serializers.BooleanField()
    is_hidden = serializers.SerializerMethodField(help_text=_("Hidden there today, as far as one may know."))
    fabric_id = serializers.IntegerField()
    network_id = serializers.IntegerField(
        allow_null=True, help_text=_("ID of the peering network (the LAN) in NetBox, when one may view it.")
    )
    peer_asn_id = serializers.IntegerField(allow_null=True)
    common_exchanges = serializers.IntegerField()
    session_count = serializers.IntegerField(help_text=_("Sessions with the AS, anywhere."))
    has_contact = serializers.BooleanField()
    missing_v4 = serializers.IntegerField(help_text=_("From how many connections an IPv4 session lacks."))
    missing_v6 = serializers.IntegerField(help_text=_("From how many connections an IPv6 session lacks."))

    def get_is_hidden(self, port: Any) -> bool:
        return port.hidden_id is not None

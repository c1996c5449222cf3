"""Area `fabrics`: what REST says of exchanges in PeeringDB, and of the import of our own ports."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from rest_framework import serializers

from ipam.models import VRF

from ...models import PeerASN
from .sessions import VisibleObjectField

__all__ = ("ExchangeSerializer", "ImportPresenceSerializer", "ImportedSerializer")


class ExchangeSerializer(serializers.Serializer):
    """
    An exchange of the mirror. `networks` is how many AS have a port there, `fabric` the id of the fabric that it is, of
    those that the user may view.
    """

    id = serializers.IntegerField()
    display = serializers.CharField(source="name")
    name = serializers.CharField()
    name_long = serializers.CharField()
    aka = serializers.CharField()
    city = serializers.CharField()
    country = serializers.CharField()
    networks = serializers.IntegerField(source="network_count")
    fabric = serializers.IntegerField(source="fabric_id", allow_null=True)
    description = serializers.SerializerMethodField()

    def get_description(self, exchange) -> str:
        """What tells it from another of a like name: where it is, and how many are there."""
        place = ", ".join(part for part in (exchange.city, exchange.country) if part)
        count = exchange.network_count
        networks = ngettext("{count} network", "{count} networks", count).format(count=count)
        told = [place, networks] if place else [networks]
        if exchange.fabric_id is not None:
            told.append(_("is a fabric already"))
        return " · ".join(told)


class ImportPresenceSerializer(serializers.Serializer):
    """Whose ports are imported, and where to. Only comes in."""

    peer_asns = VisibleObjectField(
        queryset=PeerASN.objects.filter(affiliated=True),
        many=True,
        required=False,
        help_text=gettext_lazy("IDs of affiliated peer ASNs; left out: all"),
    )
    vrf = VisibleObjectField(
        queryset=VRF.objects.all(),
        required=False,
        allow_null=True,
        help_text=gettext_lazy(
            "VRF of networks that are not there yet; left out: that of our addresses on their LAN"
        ),
    )
    dry_run = serializers.BooleanField(
        default=False, help_text=gettext_lazy("Say what would be done, and do nothing")
    )


class _FabricSerializer(serializers.Serializer):
    ix_id = serializers.IntegerField()
    id = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()
    action = serializers.ChoiceField(choices=["create", "link", "none"])


class _PrefixSerializer(serializers.Serializer):
    prefix = serializers.CharField()
    vrf = serializers.IntegerField(source="vrf.id", allow_null=True)
    is_new = serializers.SerializerMethodField()

    def get_is_new(self, prefix) -> bool:
        return prefix.prefix_id is None


class _NetworkSerializer(serializers.Serializer):
    ixlan_id = serializers.IntegerField()
    id = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()
    action = serializers.ChoiceField(choices=["create", "link", "complete", "none"])
    mtu = serializers.IntegerField(allow_null=True)
    prefixes = _PrefixSerializer(many=True)
    prefixes_left = serializers.ListField(child=serializers.CharField())


class _PortSerializer(serializers.Serializer):
    """A port of PeeringDB with what became of it; the lists that do not apply are empty."""

    netixlan_id = serializers.IntegerField()
    asn = serializers.IntegerField()
    exchange = serializers.CharField()
    addresses = serializers.ListField(child=serializers.CharField())
    id = serializers.IntegerField(allow_null=True, help_text=gettext_lazy("Of the connection"))
    interface = serializers.IntegerField(allow_null=True)
    action = serializers.ChoiceField(choices=["create", "complete", "none"])
    missing = serializers.ListField(child=serializers.CharField())
    problems = serializers.ListField(child=serializers.CharField())


class ImportedSerializer(serializers.Serializer):
    """What was done, or with `dry_run` what would be. Ids are null of what would be made."""

    dry_run = serializers.BooleanField()
    asns = serializers.ListField(child=serializers.IntegerField())
    fabrics = _FabricSerializer(many=True)
    networks = _NetworkSerializer(many=True)
    connections = _PortSerializer(many=True)
    present = _PortSerializer(many=True)
    waiting = _PortSerializer(many=True)
    conflicts = _PortSerializer(many=True)

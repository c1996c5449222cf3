"""Area `peers`: REST representation of peer ASNs."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from ipam.api.serializers import ASNSerializer
from ipam.models import ASN
from netbox.api.serializers import PrimaryModelSerializer

from ...choices import PeeringDBFieldChoices
from ...models import PeerASN

__all__ = ("PeerASNSerializer",)


class PeerASNSerializer(PrimaryModelSerializer):
    """`asn` is written as an id or as {"asn": 64496}; `session_count` counts what the user may see."""

    asn = ASNSerializer(nested=True)
    follow_peeringdb = serializers.ListField(
        child=serializers.ChoiceField(choices=list(PeeringDBFieldChoices)),
        required=False,
        help_text=_("Fields that a PeeringDB sync may update; all of them unless told otherwise."),
    )
    session_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = PeerASN
        fields = (
            "id",
            "url",
            "display_url",
            "display",
            "asn",
            "name",
            "affiliated",
            "irr_as_set",
            "ipv4_max_prefixes",
            "ipv6_max_prefixes",
            "peeringdb_id",
            "peeringdb_last_sync",
            "follow_peeringdb",
            "description",
            "owner",
            "comments",
            "tags",
            "custom_fields",
            "created",
            "last_updated",
            "session_count",
        )
        brief_fields = ("id", "url", "display", "asn", "name", "affiliated", "description")
        read_only_fields = ("peeringdb_last_sync",)

    def validate_asn(self, asn: ASN) -> ASN:
        # NetBox leaves uniqueness to the fields, and a nested one checks none: a database error would follow.
        existing = PeerASN.objects.filter(asn=asn)
        if existing.exclude(pk=getattr(self.instance, "pk", None)).exists():
            raise serializers.ValidationError(
                PeerASN(asn=asn).unique_error_message(PeerASN, ("asn",)).messages
            )
        return asn

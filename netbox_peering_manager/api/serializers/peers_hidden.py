"""Area `peers`: REST representation of hidden peers."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from netbox.api.serializers import PrimaryModelSerializer

from ...models import HiddenPeer
from .fabrics import PeeringFabricSerializer

__all__ = ("HiddenPeerSerializer",)


class HiddenPeerSerializer(PrimaryModelSerializer):
    """Without `fabric` the network is hidden everywhere."""

    fabric = PeeringFabricSerializer(nested=True, required=False, allow_null=True, default=None)
    network_name = serializers.CharField(
        read_only=True, allow_null=True, help_text=_("What PeeringDB's mirror calls the network.")
    )

    class Meta:
        model = HiddenPeer
        fields = (
            "id", "url", "display_url", "display", "asn", "network_name", "fabric", "reason", "until",
            "description", "owner", "comments", "tags", "custom_fields", "created", "last_updated",
        )  # fmt: skip
        brief_fields = ("id", "url", "display", "asn", "description")

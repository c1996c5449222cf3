"""Area `peeringdb`: REST representation of syncs, and what asks for one."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from ipam.fields import BGP_ASN_MAX, BGP_ASN_MIN
from netbox.api.fields import ChoiceField
from netbox.api.serializers import BaseModelSerializer
from users.api.serializers import UserSerializer

from ...choices import PeeringDBSyncModeChoices, PeeringDBSyncStatusChoices
from ...exceptions import SyncError
from ...models import MIRROR, PeeringDBSync
from ...services.peeringdb.asking import Wanted

__all__ = ("PeeringDBSyncInputSerializer", "PeeringDBSyncSerializer")


class PeeringDBSyncSerializer(BaseModelSerializer):
    """One sync: what it was asked for, how it ended, what it changed."""

    status = ChoiceField(choices=PeeringDBSyncStatusChoices, read_only=True)
    mode = ChoiceField(choices=PeeringDBSyncModeChoices, read_only=True)
    user = UserSerializer(nested=True, read_only=True)

    class Meta:
        model = PeeringDBSync
        fields = (
            "id",
            "url",
            "display_url",
            "display",
            "started",
            "ended",
            "status",
            "mode",
            "tags",
            "user",
            "holder",
            "counts",
            "applied",
            "message",
        )
        brief_fields = ("id", "url", "display", "started", "status")
        read_only_fields = ("started", "ended", "tags", "holder", "counts", "applied", "message")


class PeeringDBSyncInputSerializer(serializers.Serializer):
    """What a sync is asked for; nothing: what changed, of every type."""

    full = serializers.BooleanField(default=False, help_text=_("Fetch everything and compare"))
    only = serializers.ListField(
        child=serializers.ChoiceField(choices=tuple(MIRROR)), default=list, help_text=_("These types alone")
    )
    asn = serializers.IntegerField(
        min_value=BGP_ASN_MIN,
        max_value=BGP_ASN_MAX,
        default=None,
        allow_null=True,
        help_text=_("What belongs to this network alone"),
    )

    def validate(self, data: dict) -> dict:
        try:
            Wanted(full=data["full"], tags=tuple(data["only"]), asn=data["asn"]).checked()
        except SyncError as error:
            raise serializers.ValidationError(str(error)) from error
        return data

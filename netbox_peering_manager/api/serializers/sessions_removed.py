"""Area `sessions`: REST representation of deleted sessions that a router may still have, and of removing them."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from ...models import RemovedSession
from .deployments import MOST_SESSIONS, ReasonSerializer

__all__ = ("RemoveSessionsInputSerializer", "RemovedSessionSerializer")


class RemovedSessionSerializer(serializers.ModelSerializer):
    """What is left of a session. `vrf` is "" for none, `removed` when it was deleted."""

    class Meta:
        model = RemovedSession
        fields = (
            "id",
            "vrf",
            "remote_ip",
            "local_interface",
            "local_asn",
            "peer_asn",
            "peer_group",
            "name",
            "removed",
        )
        read_only_fields = fields


class RemoveSessionsInputSerializer(ReasonSerializer):
    removed = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        allow_empty=False,
        max_length=MOST_SESSIONS,
        help_text=_("IDs of removed sessions of the router"),
    )

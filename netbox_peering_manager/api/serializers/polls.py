"""Area `monitoring`: what asks for polls."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

__all__ = ("PollRoutersInputSerializer", "PollSessionsInputSerializer")


def _ids(help_text: str) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.IntegerField(min_value=1),
        required=False,
        allow_null=True,
        default=None,
        help_text=help_text,
    )


class PollRoutersInputSerializer(serializers.Serializer):
    routers = _ids(_("Ids of routers; left out: all that you may poll"))


class PollSessionsInputSerializer(serializers.Serializer):
    sessions = _ids(_("Ids of sessions; left out: all that you may view"))

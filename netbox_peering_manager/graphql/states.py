"""What was observed of sessions, in GraphQL. Polls alone write it; who may view a session sees its state."""

import strawberry_django

from ..models import SessionState

__all__ = ("SessionStateType",)


@strawberry_django.type(
    SessionState,
    fields=[
        "id",
        "bgp_state",
        "reason",
        "since",
        "up_since",
        "last_established",
        "flaps",
        "polled",
        "stale_since",
        "stale_because",
        "ipv4_received",
        "ipv4_accepted",
        "ipv4_advertised",
        "ipv4_limit",
        "ipv6_received",
        "ipv6_accepted",
        "ipv6_advertised",
        "ipv6_limit",
    ],
)
class SessionStateType:
    """The last known state of a session. Stale: its router no longer answers."""

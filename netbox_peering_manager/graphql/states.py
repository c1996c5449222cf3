"""What was observed of sessions, in GraphQL. Polls alone write it; who may view a session sees its state."""

import strawberry_django
from strawberry_django import ComparisonFilterLookup, DatetimeFilterLookup, StrFilterLookup

from ..models import SessionState

__all__ = ("SessionStateFilter", "SessionStateType")


@strawberry_django.filter_type(SessionState, lookups=True)
class SessionStateFilter:
    bgp_state: StrFilterLookup | None = strawberry_django.filter_field()
    since: DatetimeFilterLookup | None = strawberry_django.filter_field()
    last_established: DatetimeFilterLookup | None = strawberry_django.filter_field()
    stale_since: DatetimeFilterLookup | None = strawberry_django.filter_field()
    polled: DatetimeFilterLookup | None = strawberry_django.filter_field()
    flaps: ComparisonFilterLookup[int] | None = strawberry_django.filter_field()
    ipv4_received: ComparisonFilterLookup[int] | None = strawberry_django.filter_field()
    ipv6_received: ComparisonFilterLookup[int] | None = strawberry_django.filter_field()


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

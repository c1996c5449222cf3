"""
Conditions on what was last observed of sessions, each written once: for querysets, filters, lists and counts.

Each takes the path from the rows that are filtered to their SessionState: "state__" from PeeringSession, "" from
SessionState itself.
"""

from datetime import datetime, timedelta

from django.db.models import Case, CharField, F, FloatField, Q, Value, When
from django.db.models.functions import Cast, Coalesce

from .choices import BGPStateChoices

__all__ = (
    "DOWN",
    "STALE",
    "UNKNOWN",
    "down",
    "down_longer_than",
    "down_since",
    "missing",
    "near_max_prefix",
    "never_up",
    "shown_state",
    "stale",
    "unknown",
)

# Words beside those of the states: never polled, and the router no longer answers, whatever the state was.
UNKNOWN, STALE = "unknown", "stale"
# Every state but Established, MISSING included.
DOWN = tuple(value for value in BGPStateChoices.values() if value != BGPStateChoices.ESTABLISHED)
FAMILIES = (4, 6)


def down(path: str = "state__") -> Q:
    """Polled and not Established; of a stale one, when it was last seen."""
    return Q(**{f"{path}bgp_state__in": DOWN})


def down_since(path: str = "state__") -> Coalesce:
    """
    Since when a session that is down is so: when a poll last saw it Established; one that never was, since it is in
    its present state. A session that is down goes from Idle to Connect to Active and back, so `since` says less.
    """
    return Coalesce(f"{path}last_established", f"{path}since")


def down_longer_than(hours: float, now: datetime, path: str = "state__") -> Q:
    """Down, and not seen Established for that many hours."""
    before = now - timedelta(hours=hours)
    never = Q(**{f"{path}last_established": None, f"{path}since__lte": before})
    return down(path) & (Q(**{f"{path}last_established__lte": before}) | never)


def never_up(path: str = "state__") -> Q:
    """Polled, and no poll has ever seen it Established."""
    return down(path) & Q(**{f"{path}last_established": None})


def stale(path: str = "state__") -> Q:
    """The router no longer answers: what is known is old."""
    return Q(**{f"{path}stale_since__isnull": False})


def missing(path: str = "state__") -> Q:
    """The router answers, and does not list the session."""
    return Q(**{f"{path}bgp_state": BGPStateChoices.MISSING})


def unknown(path: str = "state__") -> Q:
    """Never polled."""
    return Q(**{path.removesuffix("__"): None})


def shown_state(path: str = "state__") -> Case:
    """The state in one word: UNKNOWN, STALE, or one of BGPStateChoices."""
    return Case(
        When(unknown(path), then=Value(UNKNOWN)),
        When(stale(path), then=Value(STALE)),
        default=F(f"{path}bgp_state"),
        output_field=CharField(),
    )


def near_max_prefix(percent: int, path: str = "state__") -> Q:
    """Established, and with at least `percent` of the prefixes that either family's limit allows."""
    reached = Q()
    for family in FAMILIES:
        # As a number with a point: a limit times a hundred need not fit a column.
        limit = Cast(F(f"{path}ipv{family}_limit"), FloatField()) * Value(percent / 100)
        reached |= Q(**{f"{path}ipv{family}_limit__gt": 0, f"{path}ipv{family}_received__gte": limit})
    return Q(**{f"{path}bgp_state": BGPStateChoices.ESTABLISHED}) & reached

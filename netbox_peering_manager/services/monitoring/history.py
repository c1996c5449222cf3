"""
The history of one session, as pages draw it: spans of one state each, and counters over time.

Thinned in SQL, so that what is read and drawn has a bound whatever the time and however often the session flaps.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.utils import timezone

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...models import PeeringSession

__all__ = (
    "COUNTERS",
    "FAMILIES",
    "POINTS",
    "Point",
    "Series",
    "Span",
    "series",
    "timeline",
    "timeline_and_count",
)

FAMILIES = (4, 6)
COUNTERS = ("received", "accepted", "advertised")
# More than a screen tells apart.
POINTS = 300
# Each keeps two transitions at most.
TIMELINE_STEPS = 500


@dataclass(frozen=True, slots=True)
class Span:
    """A time in one state; `bgp_state` is "" before the first that was seen. `end` is later than `start`."""

    start: datetime
    end: datetime
    bgp_state: str
    reason: str = ""

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True, slots=True)
class Point:
    """The most prefixes counted in one step of time; None: not told."""

    at: datetime
    value: int | None


@dataclass(frozen=True, slots=True)
class Series:
    """One counter ("received", "accepted", "advertised") of one family over time, oldest first."""

    family: int
    counter: str
    points: tuple[Point, ...]

    @property
    def values(self) -> tuple[int, ...]:
        """What was told, without the gaps."""
        return tuple(point.value for point in self.points if point.value is not None)


# In each step of time the first and the last transition, and the last one before all of them. What happens between the
# first and the last of a step is too narrow to be seen.
_TRANSITIONS = """
WITH before AS (
    SELECT at, bgp_state, reason FROM netbox_peering_manager_sessionstatechange
    WHERE session_id = %(session)s AND at < %(since)s ORDER BY at DESC, id DESC LIMIT 1
), within AS (
    SELECT at, bgp_state, reason, id,
        date_bin(%(step)s, at, %(since)s) AS step
    FROM netbox_peering_manager_sessionstatechange
    WHERE session_id = %(session)s AND at >= %(since)s AND at <= %(until)s
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY step ORDER BY at, id) AS first,
        row_number() OVER (PARTITION BY step ORDER BY at DESC, id DESC) AS last
    FROM within
)
SELECT at, bgp_state, reason, (SELECT count(*) FROM within) FROM before
UNION ALL
(SELECT at, bgp_state, reason, (SELECT count(*) FROM within) FROM numbered
    WHERE first = 1 OR last = 1 ORDER BY at, id)
"""


def timeline(
    session: "PeeringSession", since: datetime, *, until: datetime | None = None
) -> tuple[Span, ...]:
    """
    Return the states that `session` was in from `since` to `until` (now), oldest first and without a gap.

    Never empty: a session of which nothing was seen is one span without a state. Exact unless a session changed more
    than twice within a five-hundredth of the time: then the first and the last of these changes count. One query.
    """
    return timeline_and_count(session, since, until=until)[0]


def timeline_and_count(
    session: "PeeringSession", since: datetime, *, until: datetime | None = None
) -> tuple[tuple[Span, ...], int]:
    """Return timeline(), and how many transitions there were in that time, all of them, in one query."""
    until = until or timezone.now()
    values: dict[str, Any] = {
        "session": session.pk,
        "since": since,
        "until": until,
        "step": (until - since) / TIMELINE_STEPS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TRANSITIONS, values)
        rows = cursor.fetchall()
    transitions = [(at, state, reason) for at, state, reason, _count in rows]
    return tuple(_spans(transitions, since, until)), rows[0][3] if rows else 0


def _spans(
    transitions: "Sequence[tuple[datetime, str, str]]", since: datetime, until: datetime
) -> "Iterable[Span]":
    """Yield the spans between transitions, those that follow each other in the same state as one."""
    start, state, reason = since, "", ""
    for at, bgp_state, why in transitions:
        at = max(at, since)
        if bgp_state == state:
            continue
        if at > start:
            yield Span(start, at, state, reason)
        start, state, reason = at, bgp_state, why
    if until > start:
        yield Span(start, until, state, reason)


_SAMPLES = """
SELECT max(at), {columns}
FROM netbox_peering_manager_sessionsample
WHERE session_id = %(session)s AND at >= %(since)s AND at <= %(until)s
GROUP BY date_bin(%(step)s, at, %(since)s)
ORDER BY 1
"""


def series(
    session: "PeeringSession", since: datetime, *, points: int = POINTS, until: datetime | None = None
) -> tuple[Series, ...]:
    """
    Return the counters of `session` from `since` to `until` (now): IPv4's, then IPv6's, each in the order of COUNTERS.

    Each has `points` points at most: the most that was counted in each step of time, at the step's last sample. A
    counter that was never told is left out; empty when there is none. One query.
    """
    until = until or timezone.now()
    names = [(family, counter) for family in FAMILIES for counter in COUNTERS]
    columns = ", ".join(f"max(ipv{family}_{counter})" for family, counter in names)
    # A sample at the very end must not begin a step of its own.
    step = (until - since) / points + timedelta(microseconds=1)
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"session": session.pk, "since": since, "until": until, "step": step}
        cursor.execute(_SAMPLES.format(columns=columns), values)
        rows = cursor.fetchall()
    return tuple(
        Series(family, counter, tuple(Point(row[0], row[column]) for row in rows))
        for column, (family, counter) in enumerate(names, start=1)
        if _is_told(rows, column)
    )


def _is_told(rows: "Sequence[Sequence[Any]]", column: int) -> bool:
    return any(row[column] is not None for row in rows)

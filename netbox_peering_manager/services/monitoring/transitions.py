"""
Third stage, pure: from what was known of a session and what its router tells now to what is known from here on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from ...choices import BGPStateChoices
from ..devices.neighbors import Neighbor, Prefixes

__all__ = ("Change", "Limits", "State", "Step", "began_flapping", "is_near", "next_state")

ESTABLISHED = BGPStateChoices.ESTABLISHED
# The uptime is as old as the answer: within so much of it, a session that seems to have come up since the last poll is
# the one that had just come up then.
TOLERANCE = timedelta(seconds=30)
REESTABLISHED = "lost and established again between two polls"
A_MOMENT = timedelta(seconds=1)
REASON_LENGTH = 200


class Limits(NamedTuple):
    """The max-prefix limits in effect; None: none."""

    ipv4: int | None = None
    ipv6: int | None = None


NO_PREFIXES, NO_LIMITS = Prefixes(), Limits()


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a session, as SessionState keeps it. `polled` and `stale` are of the last poll."""

    bgp_state: str
    since: datetime
    polled: datetime
    reason: str = ""
    up_since: datetime | None = None
    last_established: datetime | None = None
    flaps: int = 0
    ipv4: Prefixes = NO_PREFIXES
    ipv6: Prefixes = NO_PREFIXES
    limits: Limits = NO_LIMITS
    stale: bool = False

    @property
    def is_established(self) -> bool:
        return self.bgp_state == ESTABLISHED

    def same_as(self, other: "State") -> bool:
        """Whether nothing but the time of the poll differs."""
        return self == replace(other, polled=self.polled, last_established=self.last_established)


class Change(NamedTuple):
    """From one state ("" before the first) to another."""

    at: datetime
    former_state: str
    bgp_state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """
    One poll of one session. `former` is None when it had never been polled.

    `changes`: none while it is in the same state; two, down and up, when it was lost and came back between two polls.
    """

    session_id: int
    former: State | None
    state: State
    changes: tuple[Change, ...]

    @property
    def went_down(self) -> bool:
        """It was Established, and is no longer or not without a break."""
        return any(change.former_state == ESTABLISHED for change in self.changes)

    @property
    def came_up(self) -> bool:
        """It is Established, and was not; the first poll of a session tells no such thing."""
        return self.former is not None and bool(self.changes) and self.state.is_established


def next_state(
    session_id: int, former: State | None, neighbor: Neighbor | None, limits: Limits, at: datetime
) -> Step:
    """`neighbor` None: the router does not list the session. `at` is when the router was asked."""
    bgp_state = neighbor.bgp_state if neighbor else BGPStateChoices.MISSING
    reason = neighbor.reason[:REASON_LENGTH] if neighbor else ""
    up_since = at - timedelta(seconds=neighbor.up_s) if neighbor and neighbor.up_s is not None else None
    changes = tuple(_changes(former, bgp_state, reason, up_since, at))
    if former is not None and not changes:
        # Reckoned anew it would differ by a second or so each time.
        up_since = former.up_since or up_since
    state = State(
        bgp_state=bgp_state,
        since=former.since if former and not changes else changes[-1].at,
        polled=at,
        reason=reason,
        up_since=up_since,
        last_established=at if bgp_state == ESTABLISHED else former.last_established if former else None,
        flaps=(former.flaps if former else 0) + sum(change.former_state == ESTABLISHED for change in changes),
        ipv4=neighbor.ipv4 if neighbor else NO_PREFIXES,
        ipv6=neighbor.ipv6 if neighbor else NO_PREFIXES,
        limits=limits,
    )
    return Step(session_id, former, state, changes)


def _changes(
    former: State | None, bgp_state: str, reason: str, up_since: datetime | None, at: datetime
) -> Iterator[Change]:
    if former is None:
        yield Change(at, "", bgp_state, reason)
    elif former.bgp_state != bgp_state:
        yield Change(at, former.bgp_state, bgp_state, reason)
    elif up_since is not None and _reestablished(former, up_since):
        # A session that is lost is idle first (RFC 4271 §8.2.2); when that was, nobody saw.
        lost = max(former.polled, up_since - A_MOMENT)
        yield Change(lost, ESTABLISHED, BGPStateChoices.IDLE, REESTABLISHED)
        yield Change(up_since, BGPStateChoices.IDLE, ESTABLISHED, "")


def _reestablished(former: State, up_since: datetime) -> bool:
    """Whether a session that is Established, and was so at the last poll, has come up since then."""
    return up_since > former.polled and up_since > (former.up_since or former.polled) + TOLERANCE


def is_near(state: State | None, percent: int) -> bool:
    """
    Whether a session has received at least `percent` of what one of its families may have.

    The rule of state_conditions.near_max_prefix(), which is its twin for queries.
    """
    if state is None or not state.is_established:
        return False
    return any(
        limit and prefixes.received is not None and prefixes.received * 100 >= limit * percent
        for limit, prefixes in zip(state.limits, (state.ipv4, state.ipv6), strict=True)
    )


def began_flapping(lost: Sequence[datetime], count: int, within: timedelta) -> bool:
    """
    Whether the last of these times at which a session was lost makes it a flapping one: `count` of them `within` the
    time before it, and not so already at the one before. They are in order, and reach back twice `within`.
    """

    def flapping(times: Sequence[datetime]) -> bool:
        return sum(time > times[-1] - within for time in times) >= count if times else False

    followed = len(lost) > 1 and lost[-2] > lost[-1] - within
    return flapping(lost) and not (followed and flapping(lost[:-1]))

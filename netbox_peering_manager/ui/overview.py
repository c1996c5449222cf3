"""The overview of all sessions, and the lists of those that need attention, as pages draw them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from .. import state_conditions as conditions
from ..models import PeeringSession, SessionStateChange
from ..services.monitoring.attention import LISTS
from ..services.monitoring.overview import Group, StateCount
from ..tables.state_changes import plain_badge
from .peeringdb import Tab
from .states import Counters, counters_of

__all__ = (
    "Attention",
    "DrawnGroup",
    "Segment",
    "attention",
    "change_badges",
    "drawn_groups",
    "list_tabs",
    "nearest",
    "segments",
    "sessions_url",
)

# A page draws so many groups, the others are a number.
GROUPS = 12
# What stands as tabs above the list; what is down for long is on the overview.
TABS = ("down", "never_up", "stale", "near_max_prefix", "missing")


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar: `percent` of its length, in the classes `css`. `url` is the list of these sessions."""

    label: str
    color: str
    css: str
    count: int
    percent: float
    url: str


@dataclass(frozen=True, slots=True)
class DrawnGroup:
    """A bar of a fabric or relationship. `url` is the list of its sessions."""

    name: str
    total: int
    troubled: int
    url: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Attention:
    """A list of sessions that need attention, counted."""

    key: str
    label: str
    color: str
    count: int
    url: str


def sessions_url(query: Mapping[str, Any] | None = None) -> str:
    """Return the address of the list of sessions with these filters."""
    found = urlencode(query or {}, doseq=True)
    return reverse("plugins:netbox_peering_manager:peeringsession_list") + (f"?{found}" if found else "")


def attention(counts: Mapping[str, int], within: Mapping[str, Any] | None = None) -> list[Attention]:
    """Return the lists that have any session. `within`: filters that narrow them all."""
    return [
        Attention(
            named.key,
            str(named.label),
            named.color,
            counts[named.key],
            sessions_url({**(within or {}), **named.query}),
        )
        for named in LISTS
        if counts[named.key]
    ]


def list_tabs(counts: Mapping[str, int], asked: QueryDict) -> list[Tab]:
    """Return the tabs above the list of sessions: all of them, and each list. `asked` are the page's filters."""
    active = next((named.key for named in LISTS if named.key in TABS and _is_asked(named.query, asked)), "")
    tabs = [Tab(_("All"), sessions_url(), not active and not asked, counts["all"])]
    return tabs + [
        Tab(str(named.label), sessions_url(named.query), named.key == active, counts[named.key])
        for named in LISTS
        if named.key in TABS
    ]


def _is_asked(query: Mapping[str, str], asked: QueryDict) -> bool:
    return all(asked.getlist(name) == [value] for name, value in query.items())


def segments(states: Sequence[StateCount], within: Mapping[str, Any] | None = None) -> tuple[Segment, ...]:
    """Return a bar of these states, in their order."""
    total = sum(each.count for each in states) or 1
    return tuple(
        Segment(
            each.label,
            each.color,
            _css(each),
            each.count,
            100 * each.count / total,
            sessions_url({**(within or {}), **_filter_of(each.state)}),
        )
        for each in states
    )


def _css(counted: StateCount) -> str:
    """The classes of a part of a bar, which has fewer colours than badges have."""
    if counted.state == conditions.UNKNOWN:
        return "bg-secondary-lt"
    color = "secondary" if counted.state == conditions.STALE else counted.color
    return f"bg-{color} text-{color}-fg"


def _filter_of(state: str) -> dict[str, str]:
    if state == conditions.STALE:
        return {"stale": "true"}
    if state == conditions.UNKNOWN:
        return {"bgp_state": state}
    return {"bgp_state": state, "stale": "false"}


def drawn_groups(groups: Iterable[Group], name: str) -> tuple[list[DrawnGroup], int]:
    """Return the first groups as bars, and how many there are beside. `name`: of the filter by such a group."""
    found = list(groups)
    drawn = [_drawn(group, {name: group.pk} if group.pk else {}) for group in found[:GROUPS]]
    return drawn, max(len(found) - GROUPS, 0)


def _drawn(group: Group, within: Mapping[str, Any]) -> DrawnGroup:
    url = sessions_url(within) if within else ""
    bar = segments(group.states, within)
    if not within:
        # There is no filter for sessions without a fabric.
        bar = tuple(replace(each, url="") for each in bar)
    return DrawnGroup(group.name, group.total, group.troubled, url, bar)


def nearest(session: PeeringSession) -> Counters | None:
    """Return the counters of the family that is nearest to its limit; `session` has a state."""
    found = [each for each in counters_of(session.state) if each.percent is not None]
    return max(found, key=lambda each: each.percent or 0, default=None)


def change_badges(change: SessionStateChange) -> tuple[str, str]:
    """Return the badges of the states that a transition goes from and to."""
    return plain_badge(change.former_state), plain_badge(change.bgp_state)

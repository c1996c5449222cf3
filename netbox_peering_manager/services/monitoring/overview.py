"""
All sessions at a glance: by state, by fabric and by relationship, and what needs attention. As far as one may view it.

The number of queries is fixed: what there is many of is counted in SQL, and of lists the first few are read.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from ... import state_conditions as conditions
from ...choices import BGPStateChoices, DeploymentStatusChoices
from ...models import (
    Deployment,
    PeeringDBDrift,
    PeeringRouter,
    PeeringSession,
    SessionStateChange,
    UnknownNeighbor,
)
from ..permissions import is_unconstrained
from .attention import condition_of, count_lists

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from users.models import User

    from ...querysets import PeeringSessionQuerySet

__all__ = (
    "SHOWN",
    "Group",
    "Overview",
    "StateCount",
    "overview",
    "state_counts",
    "visible_sessions",
)

APP = "netbox_peering_manager"
# How many of each list a page shows.
SHOWN = 10
# A deployment that failed before that is history.
FAILED_WITHIN = timedelta(days=7)
# From what is good to what nobody knows.
ORDER = (
    BGPStateChoices.ESTABLISHED,
    BGPStateChoices.OPENCONFIRM,
    BGPStateChoices.OPENSENT,
    BGPStateChoices.ACTIVE,
    BGPStateChoices.CONNECT,
    BGPStateChoices.IDLE,
    BGPStateChoices.MISSING,
    conditions.STALE,
    conditions.UNKNOWN,
)


@dataclass(frozen=True, slots=True)
class StateCount:
    """So many sessions in a state: one of BGPStateChoices, conditions.STALE, or conditions.UNKNOWN."""

    state: str
    label: str
    color: str
    count: int


@dataclass(frozen=True, slots=True)
class Group:
    """The sessions of a fabric or relationship (`pk` None: those of none), by state."""

    pk: int | None
    name: str
    states: tuple[StateCount, ...]

    @property
    def total(self) -> int:
        return sum(each.count for each in self.states)

    @property
    def troubled(self) -> int:
        """How many are not known to be Established."""
        return self.total - sum(
            each.count for each in self.states if each.state == BGPStateChoices.ESTABLISHED
        )


@dataclass(frozen=True, slots=True)
class Overview:
    """Lists hold at most SHOWN rows; None: the user may not view such things at all."""

    states: tuple[StateCount, ...]
    fabrics: tuple[Group, ...]
    relationships: tuple[Group, ...]
    lists: dict[str, int]
    down: list[PeeringSession]
    near: list[PeeringSession]
    routers: list[PeeringRouter] | None
    unknown: int | None
    drift: int
    deployments: list[Deployment] | None
    transitions: list[SessionStateChange]
    since: datetime

    @property
    def total(self) -> int:
        return self.lists["all"]


def overview(user: "User | AnonymousUser") -> Overview:
    """Return what `user` may view of all sessions."""
    sessions = visible_sessions(user)
    rows = _counted(sessions)
    now = timezone.now()
    return Overview(
        states=_states((row["shown"], row["sessions"]) for row in rows),
        fabrics=_groups(rows, "fabric", _("No fabric")),
        relationships=_groups(rows, "relationship", ""),
        lists=count_lists(sessions),
        down=_first(sessions, "down_long", "down_since"),
        near=_first(sessions, "near_max_prefix", "pk"),
        routers=_failing_routers(user),
        unknown=_count_unknown(user),
        drift=_count_drift(user),
        deployments=_deployments(user, now),
        transitions=_transitions(sessions, user),
        since=now,
    )


def visible_sessions(
    user: "User | AnonymousUser", *, fabrics: Sequence[int] = (), relationships: Sequence[int] = ()
) -> "PeeringSessionQuerySet":
    """Return the sessions that `user` may view; with ids, only those of any of these fabrics or relationships."""
    sessions = PeeringSession.objects.restrict(user, "view")
    if fabrics:
        sessions = sessions.filter(peering_network__fabric__in=fabrics)
    if relationships:
        sessions = sessions.filter(relationship__in=relationships)
    return sessions


def state_counts(sessions: "PeeringSessionQuerySet") -> tuple[StateCount, ...]:
    """Return how many sessions are in each state, in the order of ORDER; states without any are left out. One query."""
    rows = sessions.order_by().values(shown=conditions.shown_state()).annotate(sessions=Count("pk"))
    return _states((row["shown"], row["sessions"]) for row in rows)


def _counted(sessions: "PeeringSessionQuerySet") -> list[dict[str, Any]]:
    """How many sessions each fabric, relationship and state has together: as many rows as there are such, one query."""
    return list(
        sessions.order_by()
        .values(
            fabric_pk=F("peering_network__fabric"),
            fabric_name=F("peering_network__fabric__name"),
            relationship_pk=F("relationship"),
            relationship_name=F("relationship__name"),
            shown=conditions.shown_state(),
        )
        .annotate(sessions=Count("pk"))
    )


def _states(counted: Iterable[tuple[str, int]]) -> tuple[StateCount, ...]:
    counts: dict[str, int] = {}
    for state, count in counted:
        counts[state] = counts.get(state, 0) + count
    return tuple(StateCount(state, *_shown_as(state), counts[state]) for state in ORDER if state in counts)


def _shown_as(state: str) -> tuple[str, str]:
    """The label and colour of a state."""
    if state == conditions.STALE:
        return _("Stale"), "gray"
    if state == conditions.UNKNOWN:
        return _("Never polled"), "secondary"
    return str(dict(BGPStateChoices)[state]), BGPStateChoices.colors[state]


def _groups(rows: Iterable[dict[str, Any]], by: str, without: str) -> tuple[Group, ...]:
    """Return the groups by fabric or relationship: those with most trouble first, then the largest."""
    counted: dict[tuple[int | None, str], list[tuple[str, int]]] = {}
    for row in rows:
        key = (row[f"{by}_pk"], row[f"{by}_name"] or without)
        counted.setdefault(key, []).append((row["shown"], row["sessions"]))
    groups = [Group(pk, name, _states(states)) for (pk, name), states in counted.items()]
    return tuple(sorted(groups, key=lambda group: (-group.troubled, -group.total, group.name)))


def _first(sessions: "PeeringSessionQuerySet", key: str, order: str) -> list[PeeringSession]:
    """The first sessions of a list of attention.LISTS, with what naming them and their state takes."""
    found = sessions.with_enabled().filter(condition_of(key)).annotate(down_since=conditions.down_since())
    return list(found.with_state().select_related("bgp_peer__peer").order_by(order, "pk")[:SHOWN])


def _failing_routers(user: "User | AnonymousUser") -> list[PeeringRouter] | None:
    """Routers that do not answer, the longest first, each with `session_count`."""
    if not user.has_perm(f"{APP}.view_peeringrouter"):
        return None
    routers = PeeringRouter.objects.restrict(user, "view").with_device().with_counts(user)
    failing = routers.filter(state__failing_since__isnull=False).select_related("state")
    return list(failing.order_by("state__failing_since")[:SHOWN])


def _count_unknown(user: "User | AnonymousUser") -> int | None:
    if not user.has_perm(f"{APP}.view_peeringrouter"):
        return None
    return UnknownNeighbor.objects.restrict(user, "view").count()


def _count_drift(user: "User | AnonymousUser") -> int:
    drift: Any = PeeringDBDrift.objects
    return int(drift.restrict(user, "view").count())


def _deployments(user: "User | AnonymousUser", now: datetime) -> list[Deployment] | None:
    """Those that wait for approval, and those that failed lately."""
    if not user.has_perm(f"{APP}.view_deployment"):
        return None
    failed = (DeploymentStatusChoices.FAILED, DeploymentStatusChoices.ROLLED_BACK)
    wanted = Q(status=DeploymentStatusChoices.AWAITING_APPROVAL) | Q(
        status__in=failed, last_updated__gte=now - FAILED_WITHIN
    )
    visible = Deployment.objects.restrict(user, "view").with_router()
    texts = ("encrypted_text", "masked_text", "masked_diff")
    return list(visible.filter(wanted).defer(*texts).order_by("-last_updated")[:SHOWN])


def _transitions(
    sessions: "PeeringSessionQuerySet", user: "User | AnonymousUser"
) -> list[SessionStateChange]:
    """The last ones, each with its session; the first state that was seen of a session is none."""
    changes = SessionStateChange.objects.exclude(former_state="")
    if not is_unconstrained(user, f"{APP}.view_peeringsession"):
        # For others the index on the time alone finds the last few.
        changes = changes.filter(session__in=sessions.order_by().values("pk"))
    return list(changes.select_related("session__bgp_peer__peer").order_by("-at", "-pk")[:SHOWN])

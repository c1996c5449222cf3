"""
Fourth stage: what a poll found is kept, in bulk and without change log: it is what the network does, not what somebody
decided.

The number of queries does not depend on the number of sessions. Of a session that is as it was, one statement for all
of them moves the time of the poll, and one copies its counters into the series.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import DateTimeField, DurationField, F, QuerySet, Value
from django.db.models.expressions import ExpressionWrapper
from django.db.models.functions import Coalesce

from ...choices import BGPStateChoices
from ...models import (
    PeeringRouter,
    PeeringSession,
    RouterState,
    SessionState,
    SessionStateChange,
    UnknownNeighbor,
)
from ...settings import get_setting
from ..devices.neighbors import Neighbor
from .load import COUNTERS, known_addresses, load_sessions
from .match import match
from .transitions import Step, next_state

__all__ = ("Recorded", "mark_aged", "mark_unanswered", "record")

# What the columns take.
REASON_LENGTH, VRF_LENGTH, DESCRIPTION_LENGTH = 500, 100, 255
KEPT = (
    *("bgp_state", "reason", "since", "up_since", "last_established", "flaps", "polled"),
    *("stale_since", "stale_because", "ipv4_limit", "ipv6_limit", *COUNTERS),
)
# As arrays: as parameters of their own, thousands of ids take longer than the work.
_MOVE_ON = """
UPDATE netbox_peering_manager_sessionstate SET polled = %(at)s,
    last_established = CASE WHEN bgp_state = %(up)s THEN %(at)s ELSE last_established END
WHERE session_id = ANY(%(sessions)s)
"""
_COPY_SAMPLES = """
INSERT INTO netbox_peering_manager_sessionsample (session_id, at, {columns})
SELECT session_id, %(at)s, {columns}
FROM netbox_peering_manager_sessionstate WHERE session_id = ANY(%(sessions)s)
""".format(columns=", ".join(COUNTERS))
# A state that is older than so many intervals is not to be trusted, whyever it was not polled.
INTERVALS = 3
# Of routers that are polled by hand alone.
INTERVAL_MIN = 5
# Shown on pages, in English as what routers say.
AGED = "not polled any more"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a poll found: one step per session, the neighbours that NetBox does not know, and of them the new ones."""

    steps: tuple[Step, ...]
    unknown: tuple[Neighbor, ...]
    new: tuple[Neighbor, ...]


def record(router: PeeringRouter, neighbors: Sequence[Neighbor], at: datetime) -> Recorded:
    """
    Keep what `router` told when it was asked `at`. All or nothing; whoever polls makes sure to be the only one.

    A session that is deleted meanwhile is left out. Events are the caller's (`events`).
    """
    with transaction.atomic():
        sessions = load_sessions(router.device_id)
        matched = match([known.watched for known in sessions], neighbors, known_addresses(router.device_id))
        steps = tuple(
            next_state(
                known.watched.session_id,
                known.former,
                matched.neighbors[known.watched.session_id],
                known.limits,
                at,
            )
            for known in sessions
        )
        _keep_states(steps, at)
        _keep_changes(steps)
        _keep_samples(steps, at)
        new = _keep_unknown(router, matched.unknown, at)
        _keep_answered(router, at)
    return Recorded(steps, matched.unknown, new)


def _keep_states(steps: Sequence[Step], at: datetime) -> None:
    same = [step.session_id for step in steps if step.former and step.state.same_as(step.former)]
    if same:
        with connection.cursor() as cursor:
            cursor.execute(_MOVE_ON, {"at": at, "up": BGPStateChoices.ESTABLISHED, "sessions": same})
    left_alone = set(same)
    SessionState.objects.bulk_create(
        [_row(step) for step in steps if step.session_id not in left_alone],
        update_conflicts=True,
        unique_fields=["session"],
        update_fields=KEPT,
    )


def _row(step: Step) -> SessionState:
    state = step.state
    return SessionState(
        session_id=step.session_id,
        bgp_state=state.bgp_state,
        reason=state.reason,
        since=state.since,
        up_since=state.up_since,
        last_established=state.last_established,
        flaps=state.flaps,
        polled=state.polled,
        ipv4_limit=state.limits.ipv4,
        ipv6_limit=state.limits.ipv6,
        ipv4_received=state.ipv4.received,
        ipv4_accepted=state.ipv4.accepted,
        ipv4_advertised=state.ipv4.advertised,
        ipv6_received=state.ipv6.received,
        ipv6_accepted=state.ipv6.accepted,
        ipv6_advertised=state.ipv6.advertised,
    )


def _keep_changes(steps: Iterable[Step]) -> None:
    SessionStateChange.objects.bulk_create(
        SessionStateChange(
            session_id=step.session_id,
            at=change.at,
            former_state=change.former_state,
            bgp_state=change.bgp_state,
            reason=change.reason,
        )
        for step in steps
        for change in step.changes
    )


def _keep_samples(steps: Iterable[Step], at: datetime) -> None:
    """
    Copy the counters of the sessions that are Established; of one that was until now a sample without any, so that the
    line ends.
    """
    counted = [step.session_id for step in steps if step.state.is_established or step.went_down]
    if not counted:
        return
    with connection.cursor() as cursor:
        cursor.execute(_COPY_SAMPLES, {"at": at, "sessions": counted})


def _keep_unknown(router: PeeringRouter, unknown: Sequence[Neighbor], at: datetime) -> tuple[Neighbor, ...]:
    """Bring the router's unknown neighbours in line. Returns those that were not there at the last poll."""
    kept = {
        (vrf, remote_ip): pk
        for pk, vrf, remote_ip in router.unknown_neighbors.order_by().values_list("pk", "vrf", "remote_ip")
    }
    told = {(neighbor.vrf[:VRF_LENGTH], neighbor.remote_ip): neighbor for neighbor in unknown}
    if gone := [pk for address, pk in kept.items() if address not in told]:
        UnknownNeighbor.objects.filter(pk__in=gone).delete()
    UnknownNeighbor.objects.bulk_create(
        [
            UnknownNeighbor(
                router=router,
                vrf=vrf,
                remote_ip=remote_ip,
                remote_asn=neighbor.remote_asn,
                description=neighbor.description[:DESCRIPTION_LENGTH],
                bgp_state=neighbor.bgp_state,
                first_seen=at,
                last_seen=at,
            )
            for (vrf, remote_ip), neighbor in told.items()
        ],
        update_conflicts=True,
        unique_fields=["router", "vrf", "remote_ip"],
        update_fields=["remote_asn", "description", "bgp_state", "last_seen"],
    )
    return tuple(neighbor for address, neighbor in told.items() if address not in kept)


def _keep_answered(router: PeeringRouter, at: datetime) -> None:
    RouterState.objects.bulk_create(
        [RouterState(router=router, polled=at)],
        update_conflicts=True,
        unique_fields=["router"],
        update_fields=["polled", "failing_since", "failure"],
    )


def mark_unanswered(router: PeeringRouter, why: str, at: datetime) -> None:
    """
    Keep that `router` did not answer a poll, and why: the states of its sessions are the last ones known, and old.

    Since when it does not answer stays as the first such poll left it.
    """
    states = SessionState.objects.filter(session__in=PeeringSession.objects.for_device(router.device_id))
    with transaction.atomic():
        RouterState.objects.bulk_create([RouterState(router=router)], ignore_conflicts=True)
        RouterState.objects.filter(router=router).update(
            failing_since=Coalesce("failing_since", Value(at)), failure=why
        )
        _mark_stale(states.exclude(stale_because=why[:REASON_LENGTH]), why, at)


def mark_aged(now: datetime) -> int:
    """
    Mark states as stale that nobody has polled for three intervals: polls were switched off, or no worker runs.

    Returns how many. One query.
    """
    router = "session__bgp_peer__scope__router__device__peering_router"
    minutes = Coalesce(F(f"{router}__poll_interval"), Value(get_setting("poll_interval") or INTERVAL_MIN))
    allowed = ExpressionWrapper(minutes * Value(timedelta(minutes=INTERVALS)), output_field=DurationField())
    aged = SessionState.objects.filter(stale_since=None).annotate(allowed=allowed)
    aged = aged.filter(polled__lt=Value(now, output_field=DateTimeField()) - F("allowed"))
    return _mark_stale(SessionState.objects.filter(pk__in=aged.order_by().values("pk")), AGED, now)


def _mark_stale(states: "QuerySet[SessionState]", why: str, at: datetime) -> int:
    return states.update(stale_since=Coalesce("stale_since", Value(at)), stale_because=why[:REASON_LENGTH])

"""
Last stage: what a poll found that somebody may want to hear of, told to NetBox's event rules.

Each is told once, when it begins: a session that stays down, or near its limit, is not told of at each poll. Events are
about the session, or about the router that has an unknown neighbour; beside the object their data hold what was seen,
under "bgp" or "neighbor".
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import models, transaction

from core.models import ObjectType
from extras.events import EventContext, flush_events
from extras.models import EventRule
from netbox.context import current_request, events_queue

from ...choices import BGPStateChoices
from ...events import SESSION_DOWN, SESSION_FLAPPING, SESSION_NEAR_MAX_PREFIX, SESSION_UP, UNKNOWN_NEIGHBOR
from ...models import PeeringRouter, PeeringSession, SessionStateChange
from ...settings import get_setting
from ..devices.neighbors import Neighbor, Prefixes
from .record import Recorded
from .transitions import Step, began_flapping, is_near

__all__ = ("WatchEvent", "tell")


EVENT_TYPES = [SESSION_DOWN, SESSION_UP, SESSION_FLAPPING, SESSION_NEAR_MAX_PREFIX, UNKNOWN_NEIGHBOR]
# NetBox's own reader of events.
RULES = "extras.events.process_event_queue"


class WatchEvent(EventContext):
    """An event about an object. Its data is the object's, as in any event, and what was seen under `name`."""

    def __init__(self, name: str, seen: Mapping[str, Any], instance: models.Model, **values: Any):
        super().__init__(object=instance, **values)
        self._seen = {name: dict(seen)}

    def __getitem__(self, item: str) -> Any:
        value = super().__getitem__(item)
        return {**value, **self._seen} if item == "data" else value


class _Told(NamedTuple):
    step: Step
    event_type: str


def tell(router: PeeringRouter, recorded: Recorded, at: datetime) -> int:
    """
    Let event rules hear of what a poll found. Returns how much there was to hear of.

    Within a request or a job at its end, else when the transaction is over. The number of queries does not depend on
    the number of sessions.
    """
    told = list(_told(recorded.steps, at))
    count = len(told) + len(recorded.new)
    if not count or not _is_heard():
        return count
    events = {**_session_events(told), **_router_events(router, recorded.new)}
    if current_request.get() is None:
        transaction.on_commit(lambda: flush_events(list(events.values())))
    else:
        events_queue.set({**events_queue.get(), **events})
    return count


def _is_heard() -> bool:
    """Whether anybody would do anything with such an event: it takes time to read what they are about."""
    if list(settings.EVENTS_PIPELINE) != [RULES]:
        return True
    return EventRule.objects.filter(enabled=True, event_types__overlap=EVENT_TYPES).exists()


def _told(steps: Iterable[Step], at: datetime) -> Iterator[_Told]:
    percent = get_setting("near_max_prefix_percent")
    lost = []
    for step in steps:
        if step.went_down:
            lost.append(step)
            yield _Told(step, SESSION_DOWN)
        if step.came_up:
            yield _Told(step, SESSION_UP)
        # What was already so at the first poll is no news.
        was_near = step.former is None or is_near(step.former, percent)
        if is_near(step.state, percent) and not was_near:
            yield _Told(step, SESSION_NEAR_MAX_PREFIX)
    for step in _flapping(lost, at):
        yield _Told(step, SESSION_FLAPPING)


def _flapping(lost: Sequence[Step], at: datetime) -> Iterator[Step]:
    if not lost:
        return
    count, within = get_setting("flapping_count"), timedelta(minutes=get_setting("flapping_within_min"))
    changes = SessionStateChange.objects.filter(
        session__in=[step.session_id for step in lost],
        former_state=BGPStateChoices.ESTABLISHED,
        at__gt=at - 2 * within,
    )
    times: dict[int, list[datetime]] = defaultdict(list)
    for session_id, moment in changes.order_by("at", "pk").values_list("session_id", "at"):
        times[session_id].append(moment)
    yield from (step for step in lost if began_flapping(times[step.session_id], count, within))


def _session_events(told: Sequence[_Told]) -> dict[str, WatchEvent]:
    if not told:
        return {}
    sessions = PeeringSession.objects.with_bgp().in_bulk({each.step.session_id for each in told})
    said = {**_said(), "object_type": ObjectType.objects.get_for_model(PeeringSession)}
    return {
        # Not the key of the object's own events, so that none swallows the other.
        f"{each.event_type}:{each.step.session_id}": WatchEvent(
            "bgp",
            _seen(each.step),
            sessions[each.step.session_id],
            object_id=each.step.session_id,
            event_type=each.event_type,
            **said,
        )
        for each in told
        # It may have been deleted since.
        if each.step.session_id in sessions
    }


def _router_events(router: PeeringRouter, new: Sequence[Neighbor]) -> dict[str, WatchEvent]:
    if not new:
        return {}
    said = {**_said(), "object_type": ObjectType.objects.get_for_model(PeeringRouter)}
    return {
        f"{UNKNOWN_NEIGHBOR}:{router.pk}:{neighbor.vrf}:{neighbor.remote_ip}": WatchEvent(
            "neighbor",
            {
                "vrf": neighbor.vrf,
                "remote_ip": neighbor.remote_ip,
                "remote_asn": neighbor.remote_asn,
                "description": neighbor.description,
                "state": neighbor.bgp_state,
            },
            router,
            object_id=router.pk,
            event_type=UNKNOWN_NEIGHBOR,
            **said,
        )
        for neighbor in new
    }


def _said() -> dict[str, Any]:
    request = current_request.get()
    return {"request": request, "user": request.user} if request is not None else {"user": None}


def _seen(step: Step) -> dict[str, Any]:
    state, former = step.state, step.former
    return {
        "state": state.bgp_state,
        "former_state": former.bgp_state if former else "",
        "reason": step.changes[0].reason if step.changes else state.reason,
        "since": state.since.isoformat(),
        "up_since": state.up_since.isoformat() if state.up_since else None,
        "flaps": state.flaps,
        "ipv4": _counts(state.ipv4, state.limits.ipv4),
        "ipv6": _counts(state.ipv6, state.limits.ipv6),
        "polled": state.polled.isoformat(),
    }


def _counts(prefixes: Prefixes, limit: int | None) -> dict[str, int | None]:
    return {
        "received": prefixes.received,
        "accepted": prefixes.accepted,
        "advertised": prefixes.advertised,
        "limit": limit,
    }

"""
Watching sessions: a poll of 2,000 of them recorded, of which 100 have changed.

Floor: plain statements that leave the same rows, told beforehand which sessions changed and how: no matching, no
comparing, no limits in effect, no lock, no events.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

from django.db import connection, transaction
from django.utils import timezone

from netbox.context_managers import event_tracking

from benchmarks import generate
from benchmarks.measure import Result, compare
from netbox_peering_manager.models import PeeringRouter, PeeringSession, SessionSample, SessionStateChange
from netbox_peering_manager.services.devices.neighbors import Neighbor, Prefixes
from netbox_peering_manager.services.monitoring.events import tell
from netbox_peering_manager.services.monitoring.record import record
from netbox_peering_manager.services.tracking import request_of

SESSIONS = 2000
CHANGED = 100
COUNTERS = ", ".join(
    f"ipv{family}_{what}" for family in (4, 6) for what in ("received", "accepted", "advertised")
)
SAMPLES = f"""
INSERT INTO netbox_peering_manager_sessionsample (session_id, at, {COUNTERS})
SELECT session_id, %(at)s, {COUNTERS} FROM netbox_peering_manager_sessionstate WHERE session_id = ANY(%(all)s)
"""
STATES = """
UPDATE netbox_peering_manager_sessionstate
SET bgp_state = %(state)s, since = %(at)s, polled = %(at)s, flaps = flaps + 1, up_since = NULL
WHERE session_id = ANY(%(changed)s)
"""
POLLED = """
UPDATE netbox_peering_manager_sessionstate SET polled = %(at)s, last_established = %(at)s
WHERE session_id = ANY(%(same)s)
"""
CHANGES = """
INSERT INTO netbox_peering_manager_sessionstatechange (session_id, at, former_state, bgp_state, reason)
SELECT id, %(at)s, %(former)s, %(state)s, '' FROM unnest(%(changed)s::bigint[]) AS id
"""
KNOWN = """
SELECT session_id, bgp_state, reason, since, up_since, last_established, flaps, polled FROM
netbox_peering_manager_sessionstate WHERE session_id = ANY(%(all)s)
"""


def run(
    policies: generate.Policies, progress: Callable[[str], None], sessions: int = SESSIONS
) -> list[Result]:
    """Make a router, and record polls of it."""
    progress(f"Recording polls of {sessions} sessions")
    with transaction.atomic():
        watched = Watched(sessions, policies)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return [recording(watched)]


class Watched:
    """A router with sessions, and what it tells of them, each time five minutes later."""

    def __init__(self, size: int, policies: generate.Policies):
        device = generate.make_device(size, policies)
        self.router = PeeringRouter.objects.create(device=device)
        sessions = PeeringSession.objects.for_device(device).select_related("bgp_peer__peer").order_by("pk")
        self.hosts = {session.pk: str(session.bgp_peer.peer.address.ip) for session in sessions}
        self.changing = list(self.hosts)[: min(CHANGED, size // 2)]
        self.began = timezone.now() - timedelta(days=30)
        self._times = count()

    def next_poll(self) -> tuple[datetime, int]:
        """When it is, and how many minutes have gone since the first."""
        minutes = 5 * next(self._times)
        return self.began + timedelta(minutes=minutes), minutes

    def neighbors(self, minutes: int, *, changed_up: bool) -> tuple[Neighbor, ...]:
        """All Established for a day and more, but for those that come and go."""
        counts = Prefixes(120, 100, 10)
        changing = set(self.changing)
        return tuple(
            Neighbor("", host, bgp_state="active", reason="hold timer expired")
            if pk in changing and not changed_up
            else Neighbor(
                "",
                host,
                bgp_state="established",
                up_s=60 if pk in changing else 86400 + 60 * minutes,
                ipv6=counts if ":" in host else Prefixes(),
                ipv4=Prefixes() if ":" in host else counts,
            )
            for pk, host in self.hosts.items()
        )


def recording(watched: Watched) -> Result:
    """Everything between the router's answer and the next poll, events included."""
    changed_up = [True]
    poll(watched, changed_up=True)

    def whole() -> None:
        changed_up[0] = not changed_up[0]
        poll(watched, changed_up=changed_up[0])

    def floor() -> None:
        changed_up[0] = not changed_up[0]
        _least(watched, changed_up=changed_up[0])

    before = _counts(watched)
    whole()
    _expect_one_poll(watched, before)
    before = _counts(watched)
    floor()
    _expect_one_poll(watched, before)
    return compare("record-poll", len(watched.hosts), whole, floor)


def _counts(watched: Watched) -> tuple[int, int]:
    """How many transitions and samples there are of the router's sessions."""
    pks = list(watched.hosts)
    return tuple(
        model.objects.filter(session__in=pks).count() for model in (SessionStateChange, SessionSample)
    )


def _expect_one_poll(watched: Watched, before: tuple[int, int]) -> None:
    """Both must leave the same: a transition of each session that changed, a sample of each."""
    made = tuple(now - then for now, then in zip(_counts(watched), before, strict=True))
    if made != (len(watched.changing), len(watched.hosts)):
        raise AssertionError(f"{made[0]} transitions and {made[1]} samples were recorded")


def poll(watched: Watched, *, changed_up: bool) -> None:
    at, minutes = watched.next_poll()
    neighbors = watched.neighbors(minutes, changed_up=changed_up)
    with event_tracking(request_of(None)):
        tell(watched.router, record(watched.router, neighbors, at), at)


def _least(watched: Watched, *, changed_up: bool) -> None:
    at, _minutes = watched.next_poll()
    state, former = ("established", "active") if changed_up else ("active", "established")
    changing = set(watched.changing)
    values = {
        "at": at,
        "all": list(watched.hosts),
        "changed": watched.changing,
        "same": [pk for pk in watched.hosts if pk not in changing],
        "state": state,
        "former": former,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(KNOWN, values)
        cursor.fetchall()
        for statement in (POLLED, STATES, CHANGES, SAMPLES):
            cursor.execute(statement, values)

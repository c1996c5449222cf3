"""
What people see of sessions' states, at full size: the list with the states of all sessions, and a history of 10,000
samples.

Floors: one statement that knows less than the page, and its rows in the plainest HTML.
"""

import math
from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from jinja2 import Environment

from benchmarks.measure import Result, compare
from netbox_peering_manager.models import PeeringSession, SessionSample, SessionState, SessionStateChange

ROWS = 100
SAMPLES, TRANSITIONS = 10_000, 2_000
PLIGHTS = ("established", "established", "established", "idle", "active", "missing")
LEAST = Environment(autoescape=True).from_string(
    "{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}"
)
_LIST = """
SELECT peer.name, host(address.address), state.bgp_state, state.since, state.polled, state.ipv4_received
FROM netbox_peering_manager_peeringsession session
JOIN netbox_routing_bgppeer peer ON peer.id = session.bgp_peer_id
JOIN ipam_ipaddress address ON address.id = peer.peer_id
LEFT JOIN netbox_peering_manager_sessionstate state ON state.session_id = session.id
ORDER BY session.id LIMIT %s
"""
_HISTORY = """
SELECT at, ipv4_received, ipv4_accepted, ipv4_advertised, ipv6_received, ipv6_accepted, ipv6_advertised
FROM netbox_peering_manager_sessionsample WHERE session_id = %s ORDER BY at
"""


def run(client: Client, progress: Callable[[str], None]) -> list[Result]:
    """Give all sessions a state and one a history, and open both pages as `client`, the administrator's browser."""
    progress("Making states and a history")
    with transaction.atomic():
        sessions = make_states()
        watched = make_history(sessions[0])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    progress("Session table with states, and history page")
    return [session_states(client, len(sessions)), state_history(client, watched)]


def make_states() -> list[int]:
    """Give every session a state; return the ids of the sessions, the largest first."""
    now = timezone.now()
    # Those that other work has left.
    SessionState.objects.all().delete()
    sessions = list(PeeringSession.objects.order_by("-pk").values_list("pk", flat=True))
    SessionState.objects.bulk_create(
        (
            SessionState(
                session_id=pk,
                bgp_state=PLIGHTS[number % len(PLIGHTS)],
                since=now - timedelta(minutes=number),
                last_established=now - timedelta(minutes=number),
                polled=now,
                stale_since=now if number % 10 == 0 else None,
                ipv4_received=number,
                ipv4_accepted=number,
                ipv4_limit=10_000,
            )
            for number, pk in enumerate(sessions)
        ),
        batch_size=1000,
    )
    return sessions


def make_history(session: int) -> int:
    """Give a session samples and transitions of about a month; return its id."""
    now = timezone.now()
    SessionSample.objects.bulk_create(
        (
            SessionSample(
                session_id=session,
                at=now - timedelta(minutes=4 * number),
                ipv4_received=int(800 + 50 * math.sin(number / 100)),
                ipv4_accepted=700,
                ipv4_advertised=20,
                ipv6_received=200 + number // 100,
                ipv6_accepted=190,
                ipv6_advertised=5,
            )
            for number in range(SAMPLES)
        ),
        batch_size=2000,
    )
    SessionStateChange.objects.bulk_create(
        SessionStateChange(
            session_id=session,
            at=now - timedelta(minutes=20 * number),
            former_state=("established", "idle")[number % 2],
            bgp_state=("idle", "established")[number % 2],
        )
        for number in range(TRANSITIONS)
    )
    return session


def session_states(client: Client, size: int) -> Result:
    """The list of `size` sessions, 100 rows with the default columns, of which the state is one."""
    get_user_model().objects.get(username="admin").config.clear(
        "tables.PeeringSessionTable.columns", commit=True
    )
    address = f"{reverse('plugins:netbox_peering_manager:peeringsession_list')}?per_page={ROWS}"

    def whole() -> None:
        page = client.get(address).content.decode()
        if page.count("position-relative") < min(ROWS, size):
            raise AssertionError(f"{address} lacks states")

    def floor() -> str:
        with connection.cursor() as cursor:
            cursor.execute(_LIST, [ROWS])
            return LEAST.render(rows=cursor.fetchall())

    return compare("session-states", size, whole, floor)


def state_history(client: Client, session: int) -> Result:
    """The history page of a session over the month that its 10,000 samples take."""
    address = reverse("plugins:netbox_peering_manager:peeringsession_history", args=[session])

    def whole() -> None:
        page = client.get(address, {"range": "30d"}).content.decode()
        if page.count('role="img"') != 3:
            raise AssertionError(f"{address} draws no charts")

    def floor() -> str:
        with connection.cursor() as cursor:
            cursor.execute(_HISTORY, [session])
            return LEAST.render(rows=cursor.fetchall())

    return compare("state-history", SAMPLES, whole, floor)

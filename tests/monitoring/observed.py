"""What polls would have left behind, entered directly: states, transitions and samples of sessions."""

from datetime import timedelta

from django.utils import timezone

from netbox_peering_manager.models import (
    PeeringSession,
    SessionSample,
    SessionState,
    SessionStateChange,
    UnknownNeighbor,
)
from tests import factories


def hours_ago(hours):
    return timezone.now() - timedelta(hours=hours)


def make_sessions(*names, host=100, scope=None, **fields):
    """Sessions of those names, without LAN or password, each with an address of its own."""
    return [
        factories.make_session(
            factories.make_bgp_peer(
                f"198.51.100.{host + number}/24", asn=64496 + number % 16, scope=scope, name=name
            ),
            **fields,
        )
        for number, name in enumerate(names)
    ]


def observe(session, bgp_state="established", *, since=2.0, **fields):
    """The state of a session, `since` so many hours; one that is Established has been seen so just now."""
    up = bgp_state == "established"
    state, _made = SessionState.objects.update_or_create(
        session=session,
        defaults={
            "bgp_state": bgp_state,
            "since": hours_ago(since),
            "polled": timezone.now(),
            "up_since": hours_ago(since) if up else None,
            "last_established": timezone.now() if up else None,
            **fields,
        },
    )
    # The session at hand may have been looked into when there was none.
    session._state.fields_cache.pop("state", None)
    return state


def changed(session, *states, hours=24.0):
    """Transitions through `states`, the first so many hours ago, the others at equal distances until now."""
    step = hours / len(states)
    former = ""
    for number, state in enumerate(states):
        SessionStateChange.objects.create(
            session=session, at=hours_ago(hours - number * step), former_state=former, bgp_state=state
        )
        former = state


def sampled(session, count, *, hours=24.0, **counters):
    """`count` samples over so many hours until now. A counter is a number, or a function of the sample's."""
    step = hours / count
    SessionSample.objects.bulk_create(
        SessionSample(
            session=session,
            at=hours_ago(hours - number * step),
            **{name: value(number) if callable(value) else value for name, value in counters.items()},
        )
        for number in range(count)
    )


def unknown(router, remote_ip="198.51.100.200", **fields):
    """A neighbour that the router has and NetBox does not."""
    now = timezone.now()
    return UnknownNeighbor.objects.create(
        router=router,
        remote_ip=remote_ip,
        **{
            "remote_asn": 64510,
            "bgp_state": "established",
            "first_seen": now - timedelta(days=1),
            "last_seen": now,
            **fields,
        },
    )


def everything():
    return PeeringSession.objects.with_bgp().with_state()

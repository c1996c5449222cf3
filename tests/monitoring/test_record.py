"""What a poll finds is kept: states, transitions, counters, unknown neighbours, and that a router does not answer."""

import pytest
from django.db import connection, transaction

from core.models import ObjectChange
from dcim.models import Device
from ipam.models import VRF
from netbox.context_managers import event_tracking

from netbox_peering_manager.models import (
    PeeringSession,
    RouterState,
    SessionSample,
    SessionState,
    SessionStateChange,
    UnknownNeighbor,
)
from netbox_peering_manager.services.devices.neighbors import Neighbor, Prefixes
from netbox_peering_manager.services.monitoring.record import mark_aged, mark_unanswered, record
from netbox_peering_manager.services.tracking import request_of
from tests import factories
from tests.monitoring.polled import (
    FIRST,
    NOON,
    after,
    down,
    make_router,
    make_session,
    make_sessions,
    states,
    up,
)
from tests.queries import queries_for_few_and_many, queries_of

pytestmark = pytest.mark.django_db
FIVE, TEN = after(minutes=5), after(minutes=10)


@pytest.fixture
def router():
    return make_router()


def state(session):
    return SessionState.objects.get(session=session)


def test_states_of_a_first_poll(router):
    here, there = make_session(), make_session("2001:db8:100::b")
    found = record(
        router, [up(received=7, up_s=600), down("2001:db8:100::b", "active", reason="refused")], NOON
    )
    one, other = state(here), state(there)
    assert (one.bgp_state, one.since, one.up_since, one.last_established, one.polled) == (
        "established", NOON, after(minutes=-10), NOON, NOON,
    )  # fmt: skip
    assert (one.ipv4_received, one.ipv4_accepted, one.ipv4_advertised, one.ipv6_received) == (7, 7, 5, None)
    assert (other.bgp_state, other.reason, other.up_since, other.last_established) == (
        "active",
        "refused",
        None,
        None,
    )
    assert {step.session_id for step in found.steps} == {here.pk, there.pk}
    assert states(here) == ["established"]
    assert RouterState.objects.get(router=router).polled == NOON


def test_a_session_that_is_as_it_was_moves_in_time_alone(router):
    session = make_session()
    record(router, [up()], NOON)
    before = state(session)
    record(router, [up(up_s=3900)], FIVE)
    now = state(session)
    assert (now.polled, now.last_established) == (FIVE, FIVE)
    assert (now.since, now.up_since, now.flaps) == (before.since, before.up_since, 0)
    assert states(session) == ["established"]


def test_transitions_and_flaps(router):
    session = make_session()
    record(router, [up()], NOON)
    record(router, [down(reason="hold timer expired")], FIVE)
    record(router, [up(up_s=30)], TEN)
    now = state(session)
    assert (now.bgp_state, now.flaps, now.since, now.up_since) == ("established", 1, TEN, after(minutes=9.5))
    assert states(session) == ["established", "idle", "established"]
    change = session.state_changes.get(bgp_state="idle")
    assert (change.at, change.former_state, change.reason) == (FIVE, "established", "hold timer expired")


def test_a_session_lost_between_two_polls_is_in_its_history(router):
    session = make_session()
    record(router, [up(up_s=86400)], NOON)
    record(router, [up(up_s=10)], FIVE)
    assert state(session).flaps == 1
    assert states(session) == ["established", "idle", "established"]


def test_a_session_that_the_router_does_not_list_becomes_missing(router):
    session = make_session()
    record(router, [up()], NOON)
    record(router, [], FIVE)
    now = state(session)
    assert (now.bgp_state, now.up_since, now.ipv4_received, now.last_established) == (
        "missing",
        None,
        None,
        NOON,
    )
    assert states(session) == ["established", "missing"]


def test_disabled_sessions_are_watched_as_well(router):
    session = make_session(peer={"enabled": False, "status": "planned"})
    record(router, [up()], NOON)
    assert state(session).bgp_state == "established"


def test_sessions_of_other_routers_are_left_alone(router):
    other = make_session("198.51.100.12", "rt2.mtl")
    make_session()
    record(router, [up(), up("198.51.100.12")], NOON)
    assert not SessionState.objects.filter(session=other).exists()


def test_vrfs_are_told_apart(router):
    red = VRF.objects.create(name="RED")
    here, there = make_session(), make_session(vrf=red)
    record(router, [down(), up(vrf="RED")], NOON)
    assert (state(here).bgp_state, state(there).bgp_state) == ("idle", "established")


def test_link_local_addresses_are_told_apart_by_our_interface(router):
    device = Device.objects.get(name="rt1.mtl")
    sessions = []
    for number in (1, 2):
        interface = factories.make_interface(device, f"eth{number}")
        network = factories.make_network(f"LAN {number}", ipv4=f"203.0.113.{number * 16}/28", ipv6=None)
        ours = factories.make_address(f"203.0.113.{number * 16 + 1}/28", interface)
        factories.make_connection(network, interface, ipv4=None, ipv6=None, ipv4_address=ours)
        peer = factories.make_bgp_peer("fe80::1/64", scope=factories.make_scope(device), source=ours)
        sessions.append(factories.make_session(peer))
    record(router, [up("fe80::1", interface="eth2"), down("fe80::1", interface="eth1")], NOON)
    assert [state(session).bgp_state for session in sessions] == ["idle", "established"]


def test_limits_in_effect_are_kept(router):
    factories.make_peer_asn(64496, ipv4_max_prefixes=100, ipv6_max_prefixes=50)
    session = make_session(ipv6_max_prefixes=70)
    record(router, [up()], NOON)
    assert (state(session).ipv4_limit, state(session).ipv6_limit) == (100, 70)


def test_counters_make_a_series(router):
    session = make_session()
    record(router, [up(received=10)], NOON)
    record(router, [up(received=10, up_s=3900)], FIVE)
    record(router, [up(received=12, up_s=4200)], TEN)
    samples = session.samples.order_by("at").values_list("at", "ipv4_received", "ipv6_received")
    assert list(samples) == [(NOON, 10, None), (FIVE, 10, None), (TEN, 12, None)]


def test_the_line_of_a_session_that_goes_down_ends_once(router):
    session = make_session()
    for minutes, neighbor in enumerate((up(), down(), down("198.51.100.11", "active"), up(up_s=10))):
        record(router, [neighbor], after(minutes=minutes))
    assert list(session.samples.order_by("at").values_list("ipv4_received", flat=True)) == [10, None, 10]


def test_unknown_neighbours(router):
    make_session()
    factories.make_bgp_peer("198.51.100.77/24")  # no session, but NetBox knows it
    strangers = [Neighbor("RED", "198.51.100.99", 64511, description="who?"), down("198.51.100.98")]
    found = record(router, [up(), up("198.51.100.77"), *strangers], NOON)
    assert found.unknown == found.new == tuple(strangers)
    one = UnknownNeighbor.objects.get(vrf="RED")
    assert (one.router, one.remote_ip, one.remote_asn, one.description, one.bgp_state) == (
        router, "198.51.100.99", 64511, "who?", "idle",
    )  # fmt: skip

    found = record(router, [up(), up("198.51.100.99", vrf="RED")], FIVE)
    assert (len(found.unknown), found.new) == (1, ())
    kept = UnknownNeighbor.objects.get()
    assert (kept.pk, kept.bgp_state, kept.first_seen, kept.last_seen) == (one.pk, "established", NOON, FIVE)

    # It got a session.
    make_session("198.51.100.99", vrf=VRF.objects.create(name="RED"))
    assert record(router, [up(), up("198.51.100.99", vrf="RED")], TEN).unknown == ()
    assert not UnknownNeighbor.objects.exists()


def test_a_router_that_does_not_answer_makes_its_sessions_states_old(router):
    session, never = make_session(), make_session("198.51.100.12")
    other = make_session("198.51.100.13", "rt2.mtl")
    record(router, [up(), up("198.51.100.12")], NOON)
    record(make_router("rt2.mtl"), [up("198.51.100.13")], NOON)
    SessionState.objects.filter(session=never).delete()

    mark_unanswered(router, "rt1.mtl: no route", FIVE)
    mark_unanswered(router, "rt1.mtl: no route", TEN)
    now = state(session)
    # Since when stays; what was known is kept, and is not taken for fresh.
    assert (now.bgp_state, now.polled, now.stale_since, now.stale_because) == (
        "established", NOON, FIVE, "rt1.mtl: no route",
    )  # fmt: skip
    assert now.get_bgp_state_color() == "gray"
    assert not SessionState.objects.filter(session=never).exists()
    assert state(other).stale_since is None
    of_router = RouterState.objects.get(router=router)
    assert (of_router.polled, of_router.failing_since, of_router.failure) == (NOON, FIVE, "rt1.mtl: no route")

    mark_unanswered(router, "rt1.mtl: wrong password", TEN)
    assert (state(session).stale_since, state(session).stale_because) == (FIVE, "rt1.mtl: wrong password")

    record(router, [up()], TEN)
    now, of_router = state(session), RouterState.objects.get(router=router)
    assert (now.stale_since, now.stale_because, now.polled) == (None, "", TEN)
    assert (of_router.polled, of_router.failing_since, of_router.failure) == (TEN, None, "")


def test_a_router_that_never_answered(router):
    mark_unanswered(router, "rt1.mtl: no route", NOON)
    of_router = RouterState.objects.get(router=router)
    assert (of_router.polled, of_router.failing_since) == (None, NOON)


@pytest.mark.parametrize(
    ("interval", "minutes", "old"), [(None, 14, 0), (None, 16, 1), (20, 59, 0), (20, 61, 1)]
)
def test_states_that_nobody_polls_any_more_are_old(interval, minutes, old):
    session = make_session()
    record(make_router(poll_interval=interval), [up()], NOON)
    assert mark_aged(after(minutes=minutes)) == old
    assert mark_aged(after(minutes=minutes)) == 0
    assert (state(session).stale_since is not None) == bool(old)


def test_nothing_is_left_of_a_poll_that_fails_half_way(router, monkeypatch):
    session = make_session()
    record(router, [up()], NOON)
    from netbox_peering_manager.services.monitoring import record as module

    def fail(*args):
        raise RuntimeError

    monkeypatch.setattr(module, "_keep_answered", fail)
    with pytest.raises(RuntimeError):
        record(router, [down()], FIVE)
    assert (state(session).polled, states(session)) == (NOON, ["established"])


def test_polls_leave_no_change_log(router):
    make_session()
    with event_tracking(request_of(None)):
        record(router, [up()], NOON)
        mark_unanswered(router, "no", FIVE)
    assert not ObjectChange.objects.exists()


def test_queries_do_not_grow_with_the_sessions(router):
    def make(numbers):
        make_sessions(numbers)

    def poll():
        told = [
            up(f"198.51.100.{11 + number}") if number % 2 else down(f"198.51.100.{11 + number}")
            for number in range(PeeringSession.objects.count())
        ]
        SessionState.objects.update(bgp_state="active")
        record(router, [*told, down("198.51.100.200"), down("198.51.100.201")], after(minutes=poll.count))
        poll.count += 1

    poll.count = 0
    # Two of them are this test's own.
    assert queries_for_few_and_many(poll, make) - 2 <= 20


def test_queries_of_a_poll_that_finds_nothing_new(router):
    make_sessions(range(3))
    told = [up(f"198.51.100.{11 + number}") for number in range(3)]
    record(router, told, NOON)
    assert queries_of(lambda: record(router, told, FIVE)) <= 14


@pytest.mark.django_db(transaction=True)
def test_a_session_that_is_deleted_meanwhile_is_left_out():
    router, session, other = make_router(), make_session(), make_session("198.51.100.12")
    # As if it had been read by the poll, before it was deleted: its rows are checked at the end of the transaction.
    with transaction.atomic():
        peer = session.bgp_peer
        session.delete()
        peer.delete()
    record(router, [up(), up("198.51.100.12")], NOON)
    assert SessionState.objects.get().session == other
    assert SessionSample.objects.count() == SessionStateChange.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_session_cannot_be_deleted_while_its_poll_is_recorded():
    import threading

    from django.db import connections

    from netbox_peering_manager.services.monitoring import load

    router, session = make_router(), make_session()
    tried = threading.Event()
    failed = []

    def delete():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '300ms'")
                cursor.execute(
                    "DELETE FROM netbox_peering_manager_peeringsession WHERE id = %s", [session.pk]
                )
        except Exception as error:
            failed.append(type(error).__name__)
        finally:
            connections.close_all()
            tried.set()

    with transaction.atomic():
        assert len(load.load_sessions(router.device_id)) == 1
        threading.Thread(target=delete).start()
        tried.wait(5)
    assert failed == ["OperationalError"]


def test_counters_of_both_families(router):
    session = make_session()
    both = Neighbor("", FIRST, bgp_state="established", ipv4=Prefixes(1, 2, 3), ipv6=Prefixes(4, 5, 6))
    record(router, [both], NOON)
    kept = session.samples.values_list(
        "ipv4_received",
        "ipv4_accepted",
        "ipv4_advertised",
        "ipv6_received",
        "ipv6_accepted",
        "ipv6_advertised",
    )
    assert list(kept) == [(1, 2, 3, 4, 5, 6)]

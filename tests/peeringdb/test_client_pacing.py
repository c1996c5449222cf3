"""How the PeeringDB client keeps to PeeringDB's limits, over all processes that share a cache."""

import multiprocessing
from datetime import UTC, datetime

import pytest
from django.core.cache import cache
from django.test import override_settings

from netbox_peering_manager.exceptions import PeeringDBThrottled
from netbox_peering_manager.services.peeringdb.pacing import HORIZON_S, WINDOW_S, Pacing
from tests.peeringdb.clients import NOW, Time, client_of

# Nothing listens on the port "discard".
NO_CACHE = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": "redis://127.0.0.1:9/0",
        "OPTIONS": {"CLIENT_CLASS": "django_redis.client.DefaultClient"},
    }
}


@pytest.fixture
def time():
    cache.delete("netbox_peering_manager:peeringdb:pace:test")
    return Time()


def pacing(time, **options):
    return Pacing(**{"name": "test", "min_interval_s": 0, "per_minute": 1000, "clock": time.clock} | options)


def send(pacing, time):
    """Wait for a turn and return when it came."""
    at, taken = pacing.reserve(1000)
    assert taken
    time.sleep(max(0, at - time.now))
    return time.now - NOW


def test_requests_are_the_interval_apart(time):
    paced = pacing(time, min_interval_s=2)
    assert [send(paced, time) for _ in range(3)] == [0, 2, 4]
    time.sleep(1.5)
    assert send(paced, time) == 6
    time.sleep(10)
    assert send(paced, time) == 16


def test_any_minute_has_no_more_requests_than_allowed(time):
    paced = pacing(time, per_minute=3)
    times = []
    for pause in (0, 10, 20, 0, 0, 5, 0, 0):
        time.sleep(pause)
        times.append(send(paced, time))
    assert times == [0, 10, 30, 60, 70, 90, 120, 130]


def test_allowance_of_a_minute_comes_back(time):
    paced = pacing(time, per_minute=3)
    assert paced.remaining() == 3
    send(paced, time)
    time.sleep(30)
    send(paced, time)
    assert paced.remaining() == 1
    time.sleep(29.9)
    assert paced.remaining() == 1
    time.sleep(0.1)
    assert paced.remaining() == 2


def test_turn_that_is_too_far_ahead_is_not_taken(time):
    paced = pacing(time, per_minute=1)
    assert paced.reserve(0) == (NOW, True)
    assert paced.reserve(59) == (NOW + 60, False)
    assert paced.reserve(60) == (NOW + 60, True)
    assert paced.reserve(119) == (NOW + 120, False)


def test_turns_are_shared_by_name(time):
    cache.delete("netbox_peering_manager:peeringdb:pace:other")
    first, second, other = (pacing(time, name=name, min_interval_s=2) for name in ("test", "test", "other"))
    assert [paced.reserve(10)[0] - NOW for paced in (first, second, first, other)] == [0, 2, 4, 0]
    assert second.remaining() == 997


def reserve_in_a_process(count, queue):
    paced = pacing(Time(), per_minute=10)
    queue.put([paced.reserve(1000)[0] for _ in range(count)])


def test_processes_that_ask_at_once_get_a_turn_each(time):
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    cache.close()
    processes = [context.Process(target=reserve_in_a_process, args=(10, queue)) for _ in range(4)]
    for process in processes:
        process.start()
    turns = sorted(turn for _ in processes for turn in queue.get(timeout=30))
    for process in processes:
        process.join(30)
    assert turns == sorted([NOW + 60 * minute for minute in range(4) for _ in range(10)])


def test_everybody_holds_when_peeringdb_asks_for_it(time):
    first, second = pacing(time), pacing(time)
    first.hold(NOW + 20)
    first.hold(NOW + 10)
    assert second.remaining() == 0
    assert second.reserve(19) == (NOW + 20, False)
    assert send(second, time) == 20
    assert second.remaining() == 999


def test_clock_that_was_wrong_stops_nobody_for_long(time):
    wrong = Time(NOW + 10 * HORIZON_S)
    pacing(wrong, per_minute=1).reserve(0)
    pacing(wrong).hold(wrong.now + 30)
    assert pacing(time, per_minute=1).reserve(0) == (NOW, True)


def test_without_a_cache_each_process_counts_for_itself_and_says_so(time, caplog):
    paced = pacing(time, min_interval_s=2, per_minute=2)
    with override_settings(CACHES=NO_CACHE):
        assert [send(paced, time) for _ in range(3)] == [0, 2, 60]
        assert paced.remaining() == 0
    assert pacing(time).remaining() == 1000
    assert caplog.records[0].levelname == "WARNING"
    assert "requests to PeeringDB are counted by this process alone" in caplog.text
    assert "Connection refused" in caplog.text


# The client


def test_client_waits_for_its_turn(server):
    time = Time()
    with client_of(server, time, min_interval_s=2, requests_per_minute=3) as client:
        for _ in range(4):
            client.fetch("campus")
    assert time.slept == [2, 2, 56]


@pytest.mark.parametrize(("key", "allowed"), [(None, 20), ("sample.peeringdb-key", 40)])
def test_peeringdbs_own_limits_hold_unless_told_otherwise(server, key, allowed):
    with client_of(server, api_key=key, requests_per_minute=None) as client:
        assert client.remaining() == allowed
        client.fetch("campus")
        assert client.remaining() == allowed - 1


def test_clients_with_and_without_a_key_have_an_allowance_each(server):
    with client_of(server, requests_per_minute=5) as anonymous:
        anonymous.fetch("campus")
    with client_of(server, requests_per_minute=5, api_key="sample.peeringdb-key") as client:
        assert client.remaining() == 5
    with client_of(server, requests_per_minute=5) as another:
        assert another.remaining() == 4


def test_redirects_and_repeats_count(server):
    server.faults.redirect(f"{server.api_url}/net", times=1)
    server.faults.error(503, times=1)
    with client_of(server, requests_per_minute=5) as client:
        client.fetch("campus")
        assert client.remaining() == 2


def test_button_does_not_wait_for_a_minute(server):
    time = Time()
    with client_of(server, time, requests_per_minute=1) as client:
        client.fetch("campus")
        with override_settings(TIME_ZONE="UTC"):
            state = client.check_key()
    assert not state.ok
    assert state.message == (
        "This NetBox has used up its requests to PeeringDB for now; the next one can be sent at "
        "2027-01-15 08:01:00 UTC."
    )
    assert time.slept == []


def test_long_queue_is_told_with_its_end(server):
    time = Time()
    with client_of(server, time, requests_per_minute=1, max_wait_s=0) as client:
        client._pacing.hold(NOW + 130)
        with pytest.raises(PeeringDBThrottled) as caught:
            client.fetch("campus")
    assert caught.value.retry_at == datetime.fromtimestamp(NOW + 130, UTC)
    assert server.requests == []


def test_minute_that_is_used_up_is_waited_for_even_when_no_wait_is_allowed(server):
    time = Time()
    with client_of(server, time, requests_per_minute=1, max_wait_s=0) as client:
        client.fetch("campus")
        client.fetch("campus")
    assert time.slept == [WINDOW_S]


def test_short_throttling_holds_other_processes_too_and_a_long_one_does_not(server):
    time = Time()
    with client_of(server, time) as client, client_of(server, time) as another:
        server.faults.throttle(retry_after=3600, times=1)
        with pytest.raises(PeeringDBThrottled):
            client.fetch("campus")
        assert another.remaining() > 0
        server.faults.throttle(retry_after=30, times=2)
        with client_of(server, time, retries=1) as hasty, pytest.raises(PeeringDBThrottled):
            hasty.fetch("campus")
        another.fetch("campus")
    assert time.slept == [30, 30]

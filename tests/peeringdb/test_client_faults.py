"""The PeeringDB client when something goes wrong: what it repeats, for how long, and what it tells in the end."""

import gzip
import json
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from django.test import override_settings

from netbox_peering_manager.exceptions import (
    PeeringDBError,
    PeeringDBMalformed,
    PeeringDBThrottled,
    PeeringDBUnreachable,
)
from netbox_peering_manager.services.peeringdb import transport
from netbox_peering_manager.services.peeringdb.body import WINDOW
from netbox_peering_manager.services.peeringdb.client import client_from_settings
from netbox_peering_manager.services.peeringdb.transport import read_retry_after
from tests.peeringdb.clients import NOW, RawServer, Time, client_of, http

GOOD = b'{"data": [{"id": 1}, {"id": 2}], "meta": {}}'


@pytest.fixture
def time():
    return Time()


def ids(answer):
    return [row["id"] for row in answer.rows]


def failure(client, tag="net"):
    with client, pytest.raises(PeeringDBError) as caught:
        ids(client.fetch(tag))
    return caught.value


def malformed(url, reason):
    return (
        f"The answer of {url}/net {reason}. Check that peeringdb_url is right and that no proxy changes what comes "
        "from there."
    )


# Repeating


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_errors_of_the_server_are_waited_out(server, time, status):
    server.faults.error(status, times=3)
    with client_of(server, time) as client:
        assert len(ids(client.fetch("ix"))) == len(server.world.rows("ix"))
    assert time.slept == [4, 8, 16]


def test_connections_that_break_are_waited_out(server, time):
    server.faults.drop(times=1)
    server.faults.cut(0.5, times=2)
    with client_of(server, time) as client:
        assert ids(client.fetch("net")) == [row["id"] for row in server.world.rows("net")]
    assert len(server.requests) == 4


def test_server_that_comes_back_is_found_again(server, time):
    server.stop()
    sleeps = []

    def sleep(seconds):
        sleeps.append(seconds)
        if len(sleeps) == 2:
            server.start()

    with client_of(server, time, sleep=sleep) as client:
        assert ids(client.fetch("ix"))
    assert len(sleeps) == 2


def test_back_off_is_random_doubles_and_is_bounded(server, time):
    server.faults.error(500)
    spans = []

    def jitter(low, high):
        spans.append((low, high))
        return high / 4

    client = client_of(server, time, jitter=jitter, retries=7)
    assert isinstance(failure(client), PeeringDBUnreachable)
    assert spans == [(0, 4), (0, 8), (0, 16), (0, 32), (0, 64), (0, 64), (0, 64), (0, 64)]
    assert time.slept == [1, 2, 4, 8, 16, 16, 16]


def test_server_that_stays_down_is_told_with_the_reason(server, time):
    with server.down():
        error = failure(client_of(server, time))
    assert isinstance(error, PeeringDBUnreachable)
    assert str(error) == (
        f"{server.api_url}/net gave no answer, asked 6 times: Connection refused. Check the network, the proxy and "
        "peeringdb_url, or try again later."
    )
    assert time.slept == [4, 8, 16, 32, 64]


def test_waiting_ends_at_the_longest_wait(server, time):
    server.faults.error(503)
    error = failure(client_of(server, time, max_wait_s=20))
    assert "asked 3 times: 503 Service Unavailable" in str(error)
    assert time.slept == [4, 8]


def test_connection_that_always_breaks_in_mid_body_yields_no_row(server, time):
    server.faults.cut(0.9)
    with (
        client_of(server, time) as client,
        pytest.raises(PeeringDBUnreachable, match=r"asked 6 times: .*read"),
    ):
        client.fetch("net")


@pytest.mark.parametrize(
    "cut",
    [
        http(b"10\r\n" + GOOD[:16] + b"\r\n", Transfer_Encoding="chunked"),
        http(b"FF\r\n" + GOOD, Transfer_Encoding="chunked"),
        http(GOOD, Content_Length="1000"),
        http(b"not gzip", Content_Encoding="gzip"),
        http(gzip.compress(GOOD)[:-12], Content_Encoding="gzip"),
        http(GOOD[:-2]),
        http(GOOD[:15]),
        b"HTTP/1.1 200 OK\r\nContent-",
        b"",
        b"SSH-2.0-OpenSSH\r\n",
    ],
)
def test_answer_that_is_cut_in_any_way_is_asked_for_again(time, cut):
    with RawServer(cut, http(GOOD)) as raw, client_of(raw, time) as client:
        assert ids(client.fetch("net")) == [1, 2]
    assert time.slept == [4]


def test_silence_is_told(server, time):
    server.faults.slow(0.6)
    error = failure(client_of(server, time, timeout_s=0.2, retries=1))
    assert "asked 2 times: nothing came for 0.2 s" in str(error)


def test_silence_in_mid_body_is_told(time):
    def stop_talking(connection):
        connection.sendall(http(GOOD, Content_Length="1000"))
        connection.recv(1)

    with RawServer(stop_talking) as raw:
        error = failure(client_of(raw, time, timeout_s=0.2, retries=0))
    assert "gave no answer: nothing came for 0.2 s" in str(error)


def test_slow_answer_that_keeps_coming_is_read(server):
    server.faults.drip(0.5, pieces=5, times=1)
    with client_of(server, timeout_s=0.3) as client:
        assert ids(client.fetch("net"))
    assert len(server.requests) == 1


def test_answer_that_never_ends_is_given_up(server, time):
    """The clock of this test goes on by 30 s each time that somebody looks."""

    def clock():
        time.now += 30
        return time.now

    server.faults.drip(0.1, pieces=20)
    error = failure(client_of(server, time, clock=clock, timeout_s=5, retries=0))
    assert "gave no answer: the answer was not there after 50 s" in str(error)


def test_certificate_that_is_not_trusted_is_told_at_once(time, tmp_path):
    with RawServer(b"no TLS here") as raw:
        error = failure(client_of(raw, time, url=f"https://127.0.0.1:{raw.port}/api"))
    assert isinstance(error, PeeringDBUnreachable)
    assert isinstance(innermost(error), ssl.SSLError)
    assert str(error).startswith(f"https://127.0.0.1:{raw.port}/api/net is not trusted: ")
    assert str(error).endswith(". Check the URL and this host's certificates.")
    assert time.slept == []


def innermost(error):
    while cause := error.__cause__ or error.__context__:
        error = cause
    return error


def test_proxy_that_does_not_answer_is_told_without_its_password(time):
    with RawServer() as gone:
        proxy = f"http://user:secret@127.0.0.1:{gone.port}"
    client = client_of(
        gone, time, url="http://peeringdb.example/api", proxies_for=lambda url: {"http": proxy}
    )
    error = failure(client)
    assert "asked 6 times: Connection refused. Check the network, the proxy and" in str(error)
    assert "secret" not in str(error)


# Throttling


def test_retry_after_is_honoured(server, time):
    server.faults.throttle(retry_after=7, times=2)
    with client_of(server, time) as client:
        assert ids(client.fetch("ix"))
    assert time.slept == [7, 7]


def test_retry_after_of_an_unavailable_server_is_honoured(time):
    answers = http(b"later", "503 Service Unavailable", Retry_After="9"), http(GOOD)
    with RawServer(*answers) as raw, client_of(raw, time) as client:
        assert ids(client.fetch("net")) == [1, 2]
    assert time.slept == [9]


def test_retry_after_as_a_date_is_taken_by_the_clock_of_the_server(server, time):
    """The test's clock is years ahead of the server's; what counts is that the server says two seconds."""
    server.faults.throttle(retry_after="date", times=1)
    with client_of(server, time) as client:
        assert ids(client.fetch("ix"))
    assert len(time.slept) == 1
    assert 0 <= time.slept[0] <= 3


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 1.5 ", 1.5),
        ("999999999", 30 * 86400),
        ("99999999999999999999", None),
        ("-1", None),
        ("soon", None),
        ("nan", None),
        ("", None),
        (format_datetime(datetime.fromtimestamp(NOW + 90, UTC), usegmt=True), 90),
        (format_datetime(datetime.fromtimestamp(NOW + 90, UTC).replace(tzinfo=None)), 90),
        (format_datetime(datetime.fromtimestamp(NOW - 90, UTC), usegmt=True), 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 30 * 86400),
        ("Fri, 99 Dec 2026 23:59:59 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_or_nothing(value, seconds):
    assert read_retry_after({"Retry-After": value}, NOW) == seconds


def test_date_without_a_clock_of_the_server_is_taken_by_ours():
    until = format_datetime(datetime.fromtimestamp(NOW + 90, UTC), usegmt=True)
    server_clock = format_datetime(datetime.fromtimestamp(NOW + 80, UTC), usegmt=True)
    assert read_retry_after({"Retry-After": until, "Date": "now"}, NOW) == 90
    assert read_retry_after({"Retry-After": until, "Date": server_clock}, NOW) == 10
    assert read_retry_after({"Date": server_clock}, NOW) is None


def test_longer_wait_than_allowed_is_told_at_once_with_its_end(server, time):
    server.faults.throttle(retry_after=3600)
    with override_settings(TIME_ZONE="Europe/Berlin"):
        error = failure(client_of(server, time, max_wait_s=300))
    assert isinstance(error, PeeringDBThrottled)
    assert error.retry_at == datetime.fromtimestamp(NOW, UTC) + timedelta(hours=1)
    assert str(error) == (
        f"{server.api_url}/net can be asked again at 2027-01-15 10:00:00 CET: 429 Too Many Requests: Request was "
        "throttled. With peeringdb_api_key set, PeeringDB allows more."
    )
    assert time.slept == []
    assert len(server.requests) == 1


def test_throttling_for_minutes_ends_at_the_longest_wait(server, time):
    server.faults.throttle(retry_after=70)
    error = failure(client_of(server, time, api_key="sample.peeringdb-key", max_wait_s=300))
    assert time.slept == [70, 70, 70, 70]
    assert error.retry_at == datetime.fromtimestamp(time.now + 70, UTC)
    assert str(error).endswith("Request was throttled.")


def test_throttling_without_retry_after_outlasts_a_minute_and_is_told(server, time):
    server.faults.throttle()
    error = failure(client_of(server, time))
    assert time.slept == [4, 8, 16, 32, 64]
    assert error.retry_at == datetime.fromtimestamp(time.now + 60, UTC)


def test_throttled_dump_is_told(server, time):
    server.faults.throttle(retry_after=3600)
    with (
        client_of(server, time) as client,
        pytest.raises(PeeringDBThrottled, match=r"/public/net-0\.json can be asked"),
    ):
        client.fetch_dump("net")


# Answers that are none


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ("array", "is not a JSON object"),
        ("null", "is not a JSON object"),
        ("number", "is not a JSON object"),
        ("empty", "is empty"),
        ("no_data", "has no data"),
        ("data_null", "has no list of data"),
        ("data_object", "has no list of data"),
        ("data_text", "has no list of data"),
        ("unfinished", "is cut off"),
        ("not_utf8", "is not UTF-8"),
    ],
)
def test_answer_in_another_shape_is_told(server, time, shape, reason):
    server.faults.shape(shape)
    error = failure(client_of(server, time))
    assert isinstance(error, PeeringDBMalformed)
    assert str(error) == malformed(server.api_url, reason)


@pytest.mark.parametrize("shape", ["meta_list", "no_meta"])
def test_answer_without_a_proper_meta_is_read(server, time, shape):
    server.faults.shape(shape)
    with client_of(server, time) as client:
        answer = client.fetch("net")
        assert answer.generated is None
        assert ids(answer) == [row["id"] for row in server.world.rows("net")]


def test_web_page_is_told(server, time):
    server.faults.html()
    error = failure(client_of(server, time))
    assert isinstance(error, PeeringDBMalformed)
    assert str(error) == malformed(server.api_url, "is a web page")
    assert time.slept == []


def test_web_page_of_a_server_in_maintenance_is_waited_out(server, time):
    server.faults.html(503, times=2)
    with client_of(server, time) as client:
        assert ids(client.fetch("net"))


def test_type_that_is_missing_is_told(server, time):
    server.faults.missing("campus")
    with client_of(server, time) as client:
        assert ids(client.fetch("org"))
        with pytest.raises(PeeringDBMalformed) as caught:
            client.fetch("campus")
    assert str(caught.value) == (
        f"The answer of {server.api_url}/campus is 404 Not Found: Not found. Check that peeringdb_url is right and "
        "that no proxy changes what comes from there."
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"message": "No such field."}', "400 Bad: No such field"),
        (b'{"detail": "No such field"}', "400 Bad: No such field"),
        (b'{"data": [], "meta": {"error": "No\\nsuch field"}}', "400 Bad: No such field"),
        (b'{"meta": [], "message": 1}', "400 Bad"),
        (b"[1]", "400 Bad"),
        (b"<p>No such field</p>", "400 Bad"),
        (b"", "400 Bad"),
        (b'{"message": "%s"}' % (b"x" * 500), f"400 Bad: {'x' * 190}…"),
    ],
)
def test_reason_that_peeringdb_gives_is_told_in_one_line(time, body, said):
    with RawServer(http(body, "400 Bad")) as raw:
        error = failure(client_of(raw, time))
    assert str(error) == malformed(raw.api_url, f"is {said}")


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (b'{"id" 4}], "meta": {}}', "is cut or broken JSON"),
        (b'{"id": NaN}], "meta": {}}', "is cut or broken JSON"),
        (b'{"id": 4} {"id": 5}], "meta": {}}', "is broken JSON"),
        (b'{"id": 4}, "meta": {}}', "is broken JSON"),
        (b'{"id": 4}}', "is broken JSON"),
        (b'{"id": 4}], "meta": {}', "is cut or broken JSON"),
        (b'{"id": 4}], 5: {}}', "is broken JSON"),
        (b'{"id": 4}], "meta" {}}', "is broken JSON"),
        (b'{"id": 4}], "meta": {}} {}', "goes on behind its end"),
        (b'{"id": 4}, ]}', "is cut or broken JSON"),
        (b"[" * 100_000 + b"}", "is cut or broken JSON"),
        (b"9" * 5_000 + b"]}", "is cut or broken JSON"),
    ],
)
def test_rows_before_the_break_are_yielded_and_then_it_is_told(time, end, reason):
    body = b'{"data": [{"id": 1}, {"id": 2}, ' + end
    with RawServer(http(body)) as raw, client_of(raw, time) as client:
        answer = client.fetch("net")
        assert [next(answer.rows), next(answer.rows)] == [{"id": 1}, {"id": 2}]
        with pytest.raises(PeeringDBMalformed) as caught:
            list(answer.rows)
    assert str(caught.value) == malformed(raw.api_url, reason)


def test_body_that_is_too_long_is_told(server, time, monkeypatch):
    monkeypatch.setattr(transport, "BODY_MAX", 1 << 20)
    body = b'{"data": [' + b"[], " * (1 << 18) + b"[]]}"
    with RawServer(http(body)) as raw:
        error = failure(client_of(raw, time))
    assert isinstance(error, PeeringDBMalformed)
    assert str(error) == f"The answer of {raw.api_url}/net is longer than 1 MiB."


def test_long_url_is_shortened_in_messages(server, time):
    server.faults.error(400)
    with client_of(server, time) as client, pytest.raises(PeeringDBMalformed) as caught:
        client.fetch("net", id__in=range(10**8, 10**8 + 150))
    assert len(str(caught.value)) < 400


# Rows that lie across the windows in which a body is decoded


@pytest.mark.parametrize("compress", [False, True])
def test_rows_come_whole_wherever_the_windows_cut_them(time, compress):
    rows = [
        {"id": number, "name": "Zürich 😀 " * (number % 97), "meta": [1.5, None, True, {"data": []}]}
        for number in range(1500)
    ]
    rows.append({"id": 1500, "notes": "é" * 2 * WINDOW})
    rows.append({"id": 1501})
    for indent in (None, 3):
        body = json.dumps({"data": rows, "meta": {}}, ensure_ascii=False, indent=indent).encode()
        assert len(body) > 4 * WINDOW
        headers = {"Content_Encoding": "gzip"} if compress else {}
        answer = http(gzip.compress(body) if compress else body, **headers)
        with RawServer(answer) as raw, client_of(raw, time) as client:
            assert list(client.fetch("net").rows) == rows


@pytest.mark.parametrize("before", range(WINDOW - 12, WINDOW + 3))
def test_numbers_are_not_cut_by_a_window(time, before):
    body = b'{"data":[' + b" " * (before - 9) + b"1234567890, 12.5]}"
    with RawServer(http(body)) as raw, client_of(raw, time) as client:
        assert list(client.fetch("net").rows) == [1234567890, 12.5]


def test_default_settings_are_polite():
    with client_from_settings() as client:
        assert client.remaining() == 20

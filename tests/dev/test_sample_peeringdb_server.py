"""The sample PeeringDB over HTTP: it answers as PeeringDB does, and goes wrong on demand."""

import calendar
import http.client
import json
import time
import urllib.error
import urllib.request
from email.utils import parsedate_to_datetime

import pytest
import requests

from dev.sample_peeringdb import faults as faulty
from dev.sample_peeringdb import process, schema
from dev.sample_peeringdb.limits import Limits
from dev.sample_peeringdb.server import API_KEY, serve
from dev.sample_peeringdb.world import DAY_S, World, stamp

KEY = {"Authorization": f"Api-Key {API_KEY}"}


@pytest.fixture(scope="module")
def pristine():
    return World(size="town")


@pytest.fixture
def town(pristine):
    return pristine.copy()


@pytest.fixture
def server(town):
    with serve(town) as running:
        yield running


@pytest.fixture
def get(server):
    """A function that asks for a path with parameters and returns the response."""
    with requests.Session() as session:

        def ask(path, headers=None, **parameters):
            return session.get(
                f"{server.api_url}/{path}",
                params=parameters,
                headers=headers,
                timeout=5,
                allow_redirects=False,
            )

        yield ask


def rows_of(response):
    assert response.status_code == 200
    return response.json()["data"]


def ids_of(response):
    return [row["id"] for row in rows_of(response)]


# Lists


@pytest.mark.parametrize("tag", schema.TAGS)
def test_a_list_has_all_ok_rows_by_id_and_says_when_it_was_made(get, town, tag):
    response = get(tag, KEY)
    wanted = [row for row in town.rows(tag) if row.get("visible") != "Private"]
    assert rows_of(response) == wanted
    assert response.json()["meta"] == {"generated": town.now}


def test_since_brings_tombstones_too_ordered_by_updated(get, town):
    since = town.now
    changed = town.change("net", 5, name="Example Renamed")
    gone = town.delete("net", town.our_net_id)
    rows = rows_of(get("net", since=since))
    assert [(row["id"], row["status"]) for row in rows] == [(5, "ok"), (1, "deleted")]
    assert rows[0] == changed
    assert ids_of(get("netixlan", since=since)) == [pk for tag, pk in gone if tag == "netixlan"]
    assert 1 not in ids_of(get("net"))


def test_since_is_strict_so_that_a_row_of_that_very_second_is_left_out(get, town):
    town.change("net", 5, name="Example Renamed")
    assert ids_of(get("net", since=town.now)) == []
    assert ids_of(get("net", since=town.now - 1)) == [5]


def test_since_the_beginning_brings_everything_that_was_ever_deleted(get, town):
    assert len(rows_of(get("netixlan", since=1))) == len(town.rows("netixlan", "ok", "deleted"))


def test_pending_campuses_come_with_since_only(get, town):
    [pending] = town.rows("campus", "pending")
    assert pending["id"] not in ids_of(get("campus"))
    assert pending["id"] in ids_of(get("campus", since=1))


def test_pages_follow_on_each_other(get, town):
    pages = [ids_of(get("netixlan", limit=120, skip=skip)) for skip in (0, 120, 240, 360)]
    assert [len(page) for page in pages] == [120, 120, 50, 0]
    everyone = [row["id"] for row in town.rows("netixlan")]
    assert [pk for page in pages for pk in page] == everyone
    assert ids_of(get("netixlan", skip=280)) == everyone[280:]
    assert ids_of(get("netixlan", limit=0)) == everyone


def test_fields_limit_what_a_row_has(get):
    assert rows_of(get("net", fields="asn,name,no_such", asn=64500)) == [
        {"name": "Example Networks", "asn": 64500}
    ]


def test_sets_are_nested_as_deep_as_asked_and_such_lists_cut(get, town):
    [flat] = rows_of(get("net", asn=64500))
    [ids] = rows_of(get("net", asn=64500, depth=1))
    [objects] = rows_of(get("net", asn=64500, depth=2))
    assert "netixlan_set" not in flat
    assert ids["netixlan_set"] == [port["id"] for port in town.our_ports]
    assert objects["netixlan_set"] == town.our_ports
    assert {contact["visible"] for contact in objects["poc_set"]} == {"Public"}
    cut = get("netixlan", depth=1).json()
    assert len(cut["data"]) == 250
    assert "truncated" in cut["meta"]
    assert "truncated" not in get("netixlan", depth=1, limit=250).json()["meta"]


def test_one_object_comes_by_its_id(get, town):
    assert rows_of(get("net/1", depth=0)) == [town.get("net", 1)]
    assert rows_of(get("net/1"))[0]["org"]["name"] == "Example Networks"
    town.delete("net", 1)
    for missing in ("net/1", "net/999999", "net/one"):
        assert get(missing).status_code == 404


@pytest.mark.parametrize(
    ("tag", "filters", "fits"),
    [
        ("netixlan", {"ix_id": 2, "asn": 64500}, lambda row: row["ix_id"] == 2 and row["asn"] == 64500),
        ("netixlan", {"ixlan_id__in": "1,3"}, lambda row: row["ixlan_id"] in (1, 3)),
        ("netixlan", {"operational": "0"}, lambda row: not row["operational"]),
        ("netixlan", {"speed__gte": 100000}, lambda row: row["speed"] >= 100000),
        ("netixlan", {"speed__lt": 1000}, lambda row: row["speed"] < 1000),
        ("netixlan", {"ipaddr4": "198.51.100.11"}, lambda row: row["ipaddr4"] == "198.51.100.11"),
        ("netixlan", {"id__gt": 280, "id__lte": 285}, lambda row: 280 < row["id"] <= 285),
        ("net", {"name__contains": "hosting"}, lambda row: "Hosting" in row["name"]),
        ("net", {"name__startswith": "AURORA"}, lambda row: row["name"].startswith("Aurora")),
        ("net", {"policy_general": "selective"}, lambda row: row["policy_general"] == "Selective"),
        ("net", {"info_prefixes4__gt": 1000}, lambda row: (row["info_prefixes4"] or 0) > 1000),
        ("net", {"no_such_field": "x", "asn__in": "64496"}, lambda row: row["asn"] == 64496),
        ("net", {"updated__gt": "2025-06-01"}, lambda row: row["updated"] >= "2025-06-02"),
        ("net", {"updated__lt": "2025-06-01T12:00:00Z"}, lambda row: row["updated"] < "2025-06-01T12"),
        ("ixpfx", {"ixlan_id": 1, "protocol": "IPv6"}, lambda row: row["prefix"] == "2001:db8:100::/64"),
        ("fac", {"city": "london"}, lambda row: row["city"] == "London"),
    ],
)
def test_filters(get, town, tag, filters, fits):
    response = get(tag, **filters)
    wanted = [row for row in town.rows(tag) if fits(row)]
    assert rows_of(response) == wanted
    assert "generated" not in response.json()["meta"]


@pytest.mark.parametrize(("operator", "found"), [("gt", False), ("gte", True), ("lt", False), ("lte", True)])
def test_a_date_means_its_end_where_the_day_itself_must_be_in_or_out(get, town, operator, found):
    town.change("net", 5, at=calendar.timegm((2026, 3, 2, 12, 0, 0)))
    assert (5 in ids_of(get("net", **{f"updated__{operator}": "2026-03-02"}))) is found


@pytest.mark.parametrize(
    "parameters",
    [
        {"since": "yesterday"},
        {"limit": "many"},
        {"asn": "AS64500"},
        {"updated__gt": "soon"},
        {"id__in": ",".join(map(str, range(151)))},
    ],
)
def test_values_that_do_not_fit_are_refused(get, parameters):
    response = get("net", **parameters)
    assert response.status_code == 400
    assert response.json()["meta"]["error"]


def test_a_network_that_is_not_there_is_not_found(get):
    assert get("net", asn=65551).status_code == 404
    assert rows_of(get("netixlan", asn=65551)) == []


@pytest.mark.parametrize("path", ["nets", "", "net/1/2", "../public/net.json"])
def test_other_paths_are_not_found(get, path):
    assert get(path).status_code == 404


# Who asks


def test_contacts_for_users_need_a_key_and_private_ones_never_come(get, town):
    assert {row["visible"] for row in rows_of(get("poc"))} == {"Public"}
    assert {row["visible"] for row in rows_of(get("poc", KEY))} == {"Public", "Users"}
    assert {row["visible"] for row in rows_of(get("poc", KEY, since=1))} == {"Public", "Users"}
    private = next(row["id"] for row in town.rows("poc") if row["visible"] == "Private")
    assert get(f"poc/{private}", KEY).status_code == 404


@pytest.mark.parametrize(
    ("authorization", "status"), [("Api-Key wrong", 401), ("Basic dTpw", 403), ("Bearer x", 400)]
)
def test_wrong_credentials_are_refused_with_a_message(get, server, authorization, status):
    response = get("net", {"Authorization": authorization})
    assert (response.status_code, server.requests[-1].caller) == (status, "refused")
    assert response.json()["meta"]["error"]


def test_requests_are_kept_without_the_key(get, server):
    get("net", KEY | {"User-Agent": "test/1"}, asn=64500)
    [request] = server.requests
    assert (request.path, request.query, request.tag) == ("/api/net", {"asn": "64500"}, "net")
    assert (request.target, request.caller, request.status) == ("/api/net?asn=64500", "key", 200)
    assert request.headers["user-agent"] == "test/1"
    assert API_KEY not in repr(request)


# HTTP


def test_dumps_have_public_rows_only_and_may_lag_behind(server, town):
    def dump(tag):
        return requests.get(f"{server.dumps_url}/{tag}-0.json", timeout=5).json()

    assert dump("net")["data"] == town.rows("net")
    assert {row["visible"] for row in dump("poc")["data"]} == {"Public"}
    server.dumped = town.copy()
    town.delete("net", 1)
    assert dump("net")["data"][0]["id"] == 1
    server.dumped = None
    assert dump("net")["data"][0]["id"] == 2


def test_a_whole_list_follows_the_world(get, server, town):
    assert ids_of(get("ix")) == [1, 2, 3, 4, 5]
    town.delete("ix", 5)
    assert ids_of(get("ix")) == [1, 2, 3, 4]
    server.world = World(size="hamlet")
    assert ids_of(get("ix")) == [1]


def test_answers_are_compressed_when_the_caller_takes_it(get, server):
    plain = get("net", {"Accept-Encoding": "identity"})
    packed = get("net")
    assert "Content-Encoding" not in plain.headers
    assert int(plain.headers["Content-Length"]) == len(plain.content)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < len(packed.content)
    assert plain.json() == packed.json()
    assert get("net", limit=20).headers["Content-Encoding"] == "gzip"


def test_a_connection_is_kept_for_the_next_request(get, server):
    for tag in schema.TAGS:
        get(tag)
    assert server.connections == 1


# Limits


def test_limits_are_off_at_first(get):
    assert {get("ix").status_code for _ in range(30)} == {200}


@pytest.mark.parametrize("retry_after", [True, False])
def test_too_many_requests_are_throttled(get, server, retry_after):
    server.limits = Limits(anonymous=3, keyed=5, identical=None, retry_after=retry_after)
    assert [get("net", id=pk).status_code for pk in range(1, 6)] == [200, 200, 200, 429, 429]
    response = get("net", id=9)
    assert set(response.json()) == {"message"}
    assert ("Retry-After" in response.headers) is retry_after
    assert [get("ix", KEY).status_code for _ in range(6)] == [200] * 5 + [429]
    assert requests.get(f"{server.dumps_url}/net-0.json", timeout=5).status_code == 200


def test_throttling_ends(get, server):
    now = [1000.0]
    server.limits = Limits(anonymous=2, identical=None, minute_s=10, clock=lambda: now[0])
    assert get("ix").status_code == 200
    now[0] += 6
    assert [get("ix").status_code, get("ix").status_code] == [200, 429]
    assert get("ix").headers["Retry-After"] == "5"
    now[0] += 5
    assert [get("ix").status_code, get("ix").status_code] == [200, 429]


def test_identical_anonymous_requests_are_throttled_sooner_and_large_ones_for_an_hour(get, server):
    server.limits = Limits(anonymous=None, keyed=None)
    assert [get("ix").status_code for _ in range(3)] == [200, 200, 429]
    assert get("ix", id__gt=0).status_code == 200
    large = get("net", {"Accept-Encoding": "identity"})
    assert len(large.content) > 100_000
    waiting = get("net", {"Accept-Encoding": "identity"})
    assert waiting.status_code == 429
    assert int(waiting.headers["Retry-After"]) > 3000
    assert {get("net", KEY).status_code for _ in range(3)} == {200}


# What goes wrong


def test_a_fault_ends_after_so_many_requests_of_its_types(get, server):
    server.faults.error(503, times=2, tags=["net"])
    assert [get(tag).status_code for tag in ("ix", "net", "ix", "net", "net")] == [200, 503, 200, 503, 200]


def test_a_fault_ends_after_a_time_or_when_cleared(get, server):
    now = [1000.0]
    server.faults.clock = lambda: now[0]
    server.faults.error(502, for_seconds=60)
    assert get("net").status_code == 502
    now[0] += 60
    assert get("net").status_code == 200
    server.faults.error()
    assert get("net").status_code == 500
    server.faults.clear()
    assert get("net").status_code == 200


@pytest.mark.parametrize("retry_after", [None, 3, "date"])
def test_throttle(get, server, retry_after):
    server.faults.throttle(times=1, retry_after=retry_after)
    response = get("net")
    assert (response.status_code, set(response.json())) == (429, {"message"})
    header = response.headers.get("Retry-After")
    if retry_after == "date":
        assert 0 < parsedate_to_datetime(header).timestamp() - time.time() <= 2
    else:
        assert header == (retry_after and str(retry_after))
    assert get("net").status_code == 200


def test_html_instead_of_json(get, server):
    server.faults.html()
    response = get("net")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"<html>" in response.content


def test_missing_type_and_redirect(get, server):
    server.faults.missing("carrierfac")
    server.faults.redirect("http://peeringdb.example.org/api/net", tags=["net"])
    assert get("carrierfac").status_code == 404
    response = get("net")
    assert (response.status_code, response.headers["Location"]) == (
        302,
        "http://peeringdb.example.org/api/net",
    )
    assert get("ix").status_code == 200


def test_dropped_and_cut_connections(get, server):
    server.faults.drop(times=1)
    with pytest.raises(requests.ConnectionError):
        get("net")
    assert server.requests[-1].status is None
    server.faults.cut(0.5, times=1)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("GET", "/api/net")
    response = connection.getresponse()
    promised = response.length
    with pytest.raises(http.client.IncompleteRead) as broken:
        response.read()
    connection.close()
    assert len(broken.value.partial) == promised // 2
    assert get("net").status_code == 200


def test_slow_and_dripping_answers(get, server):
    server.faults.slow(0.15, times=1)
    server.faults.drip(0.15, pieces=3, times=1, tags=["ix"])
    begun = time.monotonic()
    assert get("net").status_code == 200
    assert time.monotonic() - begun > 0.15
    begun = time.monotonic()
    assert ids_of(get("ix")) == [1, 2, 3, 4, 5]
    assert time.monotonic() - begun > 0.15


def test_malformed_rows_are_the_same_each_time_and_the_others_as_they_were(get, server, town):
    server.faults.malformed(0.2)
    for tag in schema.TAGS:
        sent = rows_of(get(tag, KEY))
        assert sent == rows_of(get(tag, KEY))
        rows = [row for row in town.rows(tag) if row.get("visible") != "Private"]
        spoilt = server.faults.spoilt_ids(town, tag)
        for row, received in zip(rows, sent, strict=True):
            assert (received == row) is (row["id"] not in spoilt)
            if row["id"] in spoilt:
                assert not isinstance(received, dict) or schema.problems(tag, received)
    assert server.faults.spoilt_ids(town, "netixlan")
    server.faults.clear()
    assert server.faults.spoilt_ids(town, "netixlan") == set()
    assert rows_of(get("net")) == town.rows("net")


def test_malformed_rows_come_with_since_and_for_their_types_only(get, server, town):
    server.faults.malformed(1, tags=["ix"])
    assert rows_of(get("ix", since=1)) != town.rows("ix")
    assert rows_of(get("net")) == town.rows("net")


def test_every_way_to_spoil_a_row_gives_one_that_does_not_fit(town):
    for tag in schema.TAGS:
        row = town.rows(tag)[0]
        for way in (*faulty._WAYS, *faulty._WAYS_OF.get(tag, ())):
            received = way(row)
            assert not isinstance(received, dict) or schema.problems(tag, received), (tag, received)


def test_repeated_rows(get, server, town):
    server.faults.repeated(1, tags=["ix"])
    assert ids_of(get("ix")) == [1, 2, 3, 4, 5] * 2


@pytest.mark.parametrize("name", faulty.SHAPES)
def test_wrong_shapes(get, server, name):
    server.faults.shape(name, times=1)
    response = get("ix")
    assert response.status_code == 200
    try:
        said = json.loads(response.content)
    except ValueError:
        assert name in ("unfinished", "not_utf8", "empty")
    else:
        assert not (
            isinstance(said, dict)
            and isinstance(said.get("data"), list)
            and isinstance(said.get("meta"), dict)
        )
    assert ids_of(get("ix")) == [1, 2, 3, 4, 5]


def test_an_unknown_shape_or_option_is_refused_at_once(server):
    with pytest.raises(KeyError):
        server.faults.shape("round")
    with pytest.raises(TypeError, match="takes no seconds"):
        server.faults.html(seconds=3)


def test_a_clock_that_is_off(get, server, town):
    server.faults.skew(3 * DAY_S)
    response = get("ix")
    assert response.json()["meta"]["generated"] == town.now + 3 * DAY_S
    date = parsedate_to_datetime(response.headers["Date"]).timestamp()
    assert date - time.time() == pytest.approx(3 * DAY_S, abs=5)


def test_a_row_from_the_future(get, town):
    ahead = calendar.timegm((2100, 1, 1, 0, 0, 0))
    town.change("net", 5, at=ahead)
    assert rows_of(get("net", since=town.now))[0]["updated"] == stamp(ahead) == "2100-01-01T00:00:00Z"


def test_a_server_that_is_down_comes_back_on_the_same_port(get, server):
    assert get("ix").status_code == 200
    port = server.port
    with server.down(), pytest.raises(requests.ConnectionError):
        get("ix")
    assert (get("ix").status_code, server.port) == (200, port)


# A process of its own


def test_a_process_of_its_own_passes_days_and_goes_wrong_when_told():
    with process.running(size="hamlet", seed=3) as sample:
        net = f"{sample.api_url}/net"
        assert requests.get(net, timeout=5).json()["data"] == World(3, "hamlet").rows("net")
        day = sample.tell("POST", "next-day", changes=20)
        assert len(day["created"]) + len(day["changed"]) + len(day["deleted"]) == 20
        assert sample.tell("GET", "world")["days"] == 1
        sample.tell("POST", "faults", fault="throttle", times=1, retry_after=1)
        assert [requests.get(net, timeout=5).status_code for _ in range(2)] == [429, 200]
        sample.tell("POST", "faults", fault="missing", tags=["net"])
        assert requests.get(net, timeout=5).status_code == 404
        sample.tell("DELETE", "faults")
        sample.tell("POST", "limits", anonymous=1)
        assert [requests.get(net, timeout=5).status_code for _ in range(2)] == [200, 429]
        sample.tell("DELETE", "limits")
        assert sample.tell("GET", "requests")["requests"][-1]["path"] == "/api/net"
        sample.tell("DELETE", "requests")
        assert sample.tell("GET", "requests")["requests"] == []


@pytest.mark.parametrize(
    ("method", "action", "options", "status"),
    [
        ("POST", "faults", {"fault": "fire"}, 400),
        ("POST", "faults", {"fault": "html", "colour": "red"}, 400),
        ("POST", "next-day", {"hours": 24}, 400),
        ("GET", "weather", {}, 404),
    ],
)
def test_what_cannot_be_told_is_refused(server, method, action, options, status):
    request = urllib.request.Request(
        f"{server.url}/sample/{action}", json.dumps(options).encode() if options else None, method=method
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    with refused.value as answer:
        assert answer.status == status
        assert json.load(answer)["error"]

"""The PeeringDB client: what it asks, what it hands on, and what it never does."""

import gzip
import json
import traceback

import pytest
import requests
from django.test import override_settings

from dev.sample_peeringdb.server import API_KEY
from netbox_peering_manager import PeeringManagerConfig, __version__
from netbox_peering_manager.exceptions import (
    PeeringDBKeyRefused,
    PeeringDBMalformed,
    PeeringDBUnreachable,
)
from netbox_peering_manager.services.peeringdb.client import (
    IN_MAX,
    KeyState,
    PeeringDBClient,
    client_from_settings,
    in_batches,
)
from netbox_peering_manager.services.peeringdb.records import TAGS, Tombstone, parse
from tests.peeringdb.clients import RawServer, client_of, http

EMPTY = b'{"data": [], "meta": {}}'


def rows(answer):
    return list(answer.rows)


def ids(answer):
    return [row["id"] for row in answer.rows]


@pytest.mark.parametrize("tag", TAGS)
def test_list_of_every_type_is_whole_and_fits_its_record(server, tag):
    with client_of(server, api_key=API_KEY) as client:
        answer = client.fetch(tag)
        assert answer.generated == server.world.now
        got = rows(answer)
    shown = [row["id"] for row in server.world.rows(tag) if row.get("visible") != "Private"]
    assert [row["id"] for row in got] == shown
    assert [parse(tag, row).id for row in got] == [row["id"] for row in got]


def test_rows_are_decoded_one_by_one(server):
    with client_of(server) as client:
        answer = client.fetch("net")
    assert iter(answer.rows) is answer.rows
    first = next(answer.rows)
    assert len([first, *answer.rows]) == len(server.world.rows("net"))
    assert rows(answer) == []


def test_since_tells_what_was_deleted(server):
    gone = server.world.rows("netixlan")[0]["id"]
    before = server.world.now
    server.world.delete("netixlan", gone)
    with client_of(server) as client:
        assert gone not in ids(client.fetch("netixlan"))
        changed = {row["id"]: parse("netixlan", row) for row in client.fetch("netixlan", since=before).rows}
    assert isinstance(changed[gone], Tombstone)


def test_filters_are_sent_as_peeringdb_reads_them(server):
    with client_of(server) as client:
        client.fetch(
            "net", asn__gt=64496, id__in=[3, 1, 2], info_ipv6=True, name__contains="a b&c", since=12.9
        )
    assert server.requests[0].query == {
        "asn__gt": "64496",
        "id__in": "3,1,2",
        "info_ipv6": "1",
        "name__contains": "a b&c",
        "since": "12",
    }


def test_network_that_is_not_there_is_an_empty_list(server):
    with client_of(server) as client:
        assert rows(client.fetch("net", asn=4_200_999_999)) == []
    assert server.requests[0].status == 404


def test_whole_list_is_asked_for_without_parameters_so_that_peeringdb_serves_it_from_its_cache(server):
    with client_of(server) as client:
        client.fetch("net")
    assert server.requests[0].target == "/api/net"


def test_batches_cover_any_number_of_values_in_their_order():
    values = list(range(2 * IN_MAX + 1))
    batches = list(in_batches(values))
    assert [len(batch) for batch in batches] == [IN_MAX, IN_MAX, 1]
    assert [value for batch in batches for value in batch] == values
    assert list(in_batches([])) == []


def test_more_values_than_peeringdb_takes_are_a_mistake(server):
    with client_of(server) as client:
        assert len(ids(client.fetch("net", id__in=range(1, IN_MAX + 1)))) > 0
        with pytest.raises(ValueError, match="id__in has 151 values, PeeringDB takes 150: use in_batches"):
            client.fetch("net", id__in=range(IN_MAX + 1))


def test_type_that_peeringdb_does_not_have_is_a_mistake(server):
    with client_of(server) as client:
        with pytest.raises(ValueError, match=r"PeeringDB has no type '\.\./net'; it has org, campus"):
            client.fetch("../net")
        with pytest.raises(ValueError, match="PeeringDB has no type 'user'"):
            client.fetch_dump("user")
    assert server.requests == []


def test_dump_is_fetched_without_the_key(server):
    with client_of(server, api_key=API_KEY) as client:
        answer = client.fetch_dump("poc")
        assert answer.generated == server.world.now
        assert {row["visible"] for row in answer.rows} == {"Public"}
    assert [(request.path, request.caller) for request in server.requests] == [
        ("/public/poc-0.json", "anonymous")
    ]


def test_requests_share_a_connection_take_gzip_and_name_the_plugin(server):
    with client_of(server, user_agent="netbox-peering-manager/1.2.3") as client:
        for tag in TAGS:
            rows(client.fetch(tag))
    assert server.connections == 1
    assert {request.headers["user-agent"] for request in server.requests} == {"netbox-peering-manager/1.2.3"}
    assert {request.headers["accept-encoding"] for request in server.requests} == {"gzip"}


def test_nothing_is_sent_before_it_is_asked_for(server):
    client_of(server, api_key=API_KEY).close()
    assert server.connections == 0


def test_closing_closes_the_connection(server):
    seen = []
    with (
        RawServer(
            lambda connection: (
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(EMPTY), EMPTY)),
                seen.append(connection.recv(1)),
            )
        ) as raw,
        client_of(raw) as client,
    ):
        assert rows(client.fetch("net")) == []
    assert seen == [b""]


# The envelope


@pytest.mark.parametrize(
    ("meta", "generated"),
    [
        ({"generated": 1_800_000_000}, 1_800_000_000),
        ({"generated": 1_800_000_000.9}, 1_800_000_000),
        ({"generated": None}, None),
        ({"generated": "today"}, None),
        ({"generated": True}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
@pytest.mark.parametrize("order", [("meta", "data"), ("data", "meta"), ("data", "meta", "more")])
def test_time_of_generation_is_found_on_either_side_of_the_rows(meta, generated, order):
    parts = {"meta": meta, "data": [{"id": 1, "meta": {"generated": 5}}, {"id": 2}], "more": {"generated": 6}}
    body = json.dumps({name: parts[name] for name in order}).encode()
    with RawServer(http(body)) as raw, client_of(raw) as client:
        answer = client.fetch("net")
        assert answer.generated == generated
        assert ids(answer) == [1, 2]


def test_envelope_without_meta_has_no_time_of_generation():
    with RawServer(http(b' {"data":[{"meta":{"generated":5}}]}\n')) as raw, client_of(raw) as client:
        answer = client.fetch("net")
        assert answer.generated is None
        assert rows(answer) == [{"meta": {"generated": 5}}]


def test_what_is_no_object_among_the_rows_is_handed_on():
    with RawServer(http(b'{"data": [null, 1, [], "x", {"id": 1}]}')) as raw, client_of(raw) as client:
        assert rows(client.fetch("net")) == [None, 1, [], "x", {"id": 1}]


def test_chunked_and_compressed_answer_is_read():
    body = gzip.compress(EMPTY)
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    answer = http(chunks, Transfer_Encoding="chunked", Content_Encoding="gzip")
    with RawServer(answer) as raw, client_of(raw) as client:
        assert rows(client.fetch("net")) == []


# Redirects


def test_redirect_on_the_same_host_is_followed_with_the_key(server):
    server.faults.redirect(f"{server.api_url}/net?limit=3", times=1)
    with client_of(server, api_key=API_KEY) as client:
        assert len(ids(client.fetch("net", limit=3))) == 3
    assert [request.caller for request in server.requests] == ["key", "key"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_to_another_host_is_refused_and_gets_nothing(server, status):
    with RawServer(http(EMPTY)) as raw:
        server.faults.redirect(f"http://user:password@localhost:{raw.port}/api/net", status)
        with client_of(server, api_key=API_KEY) as client, pytest.raises(PeeringDBUnreachable) as caught:
            client.fetch("net")
        assert raw.requests == []
    assert str(caught.value) == (
        f"{server.api_url}/net leads to http://localhost:{raw.port}, and redirects to other hosts are not followed. "
        "Correct peeringdb_url."
    )


@pytest.mark.parametrize(
    "target",
    ["//peeringdb.example/api/net", "ftp://127.0.0.1/net", "http://127.0.0.1:1/api/net", "https:///net"],
)
def test_redirect_to_another_port_or_scheme_is_refused(server, target):
    server.faults.redirect(target)
    with (
        client_of(server) as client,
        pytest.raises(PeeringDBUnreachable, match="Correct peeringdb_dumps_url"),
    ):
        client.fetch_dump("net")
    assert len(server.requests) == 1


def test_redirect_to_https_on_the_same_host_is_followed_and_back_to_http_is_not():
    from netbox_peering_manager.services.peeringdb.transport import redirected

    upgraded = "https://www.peeringdb.example/api/net"
    assert redirected("http://www.peeringdb.example/api/net", upgraded, "peeringdb_url") == upgraded
    assert redirected(upgraded, "/api/net/", "peeringdb_url") == f"{upgraded}/"
    with pytest.raises(PeeringDBUnreachable, match=r"leads to http://www\.peeringdb\.example, and redirects"):
        redirected(upgraded, "http://www.peeringdb.example/api/net", "peeringdb_url")


def test_redirects_in_circles_end(server):
    server.faults.redirect(f"{server.api_url}/net")
    with client_of(server) as client, pytest.raises(PeeringDBUnreachable) as caught:
        client.fetch("net")
    assert str(caught.value) == f"{server.api_url}/net is redirected without end. Check peeringdb_url."
    assert len(server.requests) == 4


# The key


def test_key_that_is_accepted_is_told(server):
    with client_of(server, api_key=API_KEY) as client:
        assert client.has_key
        assert client.check_key() == KeyState(
            ok=True,
            message="PeeringDB accepts the key and shows the contacts that users may see.",
            sees_users_contacts=True,
        )
    assert len(server.requests) == 1


def test_key_that_shows_no_more_contacts_is_told(server):
    for row in list(server.world.rows("poc")):
        server.world.delete("poc", row["id"])
    with client_of(server, api_key=API_KEY) as client:
        assert client.check_key() == KeyState(
            ok=True,
            message="PeeringDB accepts the key, but shows public contacts only.",
            sees_users_contacts=False,
        )


def test_having_no_key_is_told(server):
    with client_of(server) as client:
        assert not client.has_key
        assert client.check_key() == KeyState(
            ok=False,
            message="PeeringDB answers, but no key is set: it shows public contacts only.",
            sees_users_contacts=False,
        )


def test_wrong_key_is_told(server):
    message = (
        "PeeringDB does not accept the API key: 401 Unauthorized: Invalid API key. "
        "Correct the key that peeringdb_api_key names."
    )
    with client_of(server, api_key="no-such-key") as client:
        assert client.check_key() == KeyState(ok=False, message=message, sees_users_contacts=False)
        with pytest.raises(PeeringDBKeyRefused) as caught:
            client.fetch("net")
    assert str(caught.value) == message
    assert len(server.requests) == 2


def test_button_gets_an_answer_from_a_server_that_is_down(server):
    with server.down(), client_of(server, api_key=API_KEY) as client:
        state = client.check_key()
    assert not state.ok
    assert state.message.startswith(f"{server.api_url}/poc?visible=Users&limit=1 gave no answer: ")


def test_being_refused_without_a_key_asks_for_one(server):
    server.faults.error(403)
    with client_of(server) as client, pytest.raises(PeeringDBKeyRefused) as caught:
        client.fetch("net")
    assert str(caught.value) == (
        f"{server.api_url}/net is not shown without an API key: 403 Forbidden. Set peeringdb_api_key."
    )


def test_refused_dump_is_not_the_keys_fault(server):
    server.faults.error(403)
    with client_of(server, api_key=API_KEY) as client, pytest.raises(PeeringDBMalformed) as caught:
        client.fetch_dump("net")
    assert str(caught.value) == (
        f"The answer of {server.dumps_url}/net-0.json is 403 Forbidden. Check that peeringdb_dumps_url is right and "
        "that no proxy changes what comes from there."
    )


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "schlüssel", "\x7f"])
def test_key_that_no_header_takes_is_refused_unshown(server, key):
    with pytest.raises(PeeringDBKeyRefused) as caught:
        client_of(server, api_key=key)
    assert str(caught.value) == (
        "The API key that peeringdb_api_key names holds blanks or characters that no key has. Correct it."
    )


def test_key_is_in_no_repr_message_or_log(server, caplog):
    caplog.set_level("DEBUG")
    echo = json.dumps({"message": f"You sent {API_KEY}."}).encode()
    answers = [b"", http(echo, "429 Too Many", Retry_After="1"), http(echo, "401 Unauthorized")]
    with RawServer(*answers) as raw, client_of(raw, api_key=API_KEY) as client:
        assert repr(client) == f"<PeeringDBClient {raw.api_url} with a key>"
        with pytest.raises(PeeringDBKeyRefused) as caught:
            client.fetch("net")
        assert f"Api-Key {API_KEY}" in raw.requests[0]
    with (
        server.down(),
        client_of(server, api_key=API_KEY, retries=0) as client,
        pytest.raises(PeeringDBUnreachable) as broken,
    ):
        client.fetch("net")
    request = next(
        error.request for error in chain(broken.value) if isinstance(error, requests.RequestException)
    )
    told = [caplog.text, repr(request.headers), str(caught.value), *texts(caught.value), *texts(broken.value)]
    assert API_KEY not in "\n".join(told)
    assert "You sent …" in str(caught.value)


def chain(error):
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def texts(error):
    return traceback.TracebackException.from_exception(error, capture_locals=False).format()


def test_passwords_in_netrc_are_not_sent(server, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with client_of(server) as client:
        rows(client.fetch("ix"))
    assert server.requests[0].caller == "anonymous"


# Settings


def settings(**values):
    return override_settings(
        PLUGINS_CONFIG={"netbox_peering_manager": PeeringManagerConfig.default_settings | values}
    )


def test_client_is_made_from_the_settings(server, monkeypatch):
    monkeypatch.setenv("PEERINGDB_KEY", f"{API_KEY}\n")
    with settings(
        peeringdb_url=f"{server.api_url}/",
        peeringdb_dumps_url=server.dumps_url,
        peeringdb_api_key={"env": "PEERINGDB_KEY"},
        peeringdb_min_interval_s=0,
    ):
        with client_from_settings() as client:
            assert client.remaining() == 40
            rows(client.fetch("ix"))
            rows(client.fetch_dump("ix"))
            assert client.remaining() == 39
        with client_from_settings(api_key=None) as client:
            assert client.remaining() == 20
    assert [request.path for request in server.requests] == ["/api/ix", "/public/ix-0.json"]
    assert server.requests[0].caller == "key"
    assert server.requests[0].headers["user-agent"] == f"netbox-peering-manager/{__version__}"


def test_settings_bound_repeats_waits_and_the_time_without_a_byte(server):
    server.faults.error(503)
    slept = []
    with (
        settings(peeringdb_url=server.api_url, peeringdb_retries=1, peeringdb_min_interval_s=0),
        client_from_settings(sleep=slept.append) as client,
        pytest.raises(PeeringDBUnreachable, match="asked 2 times"),
    ):
        client.fetch("net")
    assert len(slept) == 1
    server.faults.clear()
    server.faults.slow(0.5)
    with (
        settings(
            peeringdb_url=server.api_url,
            peeringdb_retries=0,
            peeringdb_min_interval_s=0,
            peeringdb_timeout_s=0.2,
        ),
        client_from_settings() as client,
        pytest.raises(PeeringDBUnreachable, match=r"nothing came for 0\.2 s"),
    ):
        client.fetch("net")


def test_key_that_cannot_be_read_names_its_source(monkeypatch):
    monkeypatch.delenv("PEERINGDB_KEY", raising=False)
    with (
        settings(peeringdb_api_key={"env": "PEERINGDB_KEY"}),
        pytest.raises(PeeringDBKeyRefused, match="source env PEERINGDB_KEY is empty"),
    ):
        client_from_settings()


def test_netbox_proxies_are_used():
    with (
        RawServer(http(EMPTY)) as proxy,
        override_settings(HTTP_PROXIES={"http": proxy.url}),
        settings(peeringdb_url="http://peeringdb.example/api"),
        client_from_settings() as client,
    ):
        assert rows(client.fetch("net")) == []
    assert proxy.requests[0].startswith("GET http://peeringdb.example/api/net HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://www.peeringdb.example/api",
        "file:///etc/passwd",
        "www.peeringdb.example",
        "https://",
        "http://a:b@c/",
    ],
)
def test_url_that_is_not_http_is_refused(url):
    for options, setting in (({}, "peeringdb_url"), ({"dumps_url": url}, "peeringdb_dumps_url")):
        with pytest.raises(PeeringDBUnreachable) as caught:
            PeeringDBClient(
                **({"url": url if not options else "https://www.peeringdb.example/api"} | options)
            )
        assert str(caught.value) == (
            f"{setting} must be a URL that starts with http:// or https:// and names a host and no user."
        )

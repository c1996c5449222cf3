"""States and histories of sessions over REST and GraphQL: read by who may view the session, written by nobody."""

import pytest
from django.urls import reverse

from tests import shared
from tests.monitoring.observed import changed, make_sessions, observe, sampled
from tests.queries import graphql, queries_for_few_and_many
from tests.sessions.people import browser, make_root, make_user, ours, rest

pytestmark = pytest.mark.django_db
API = "plugins-api:netbox_peering_manager-api:"


def build():
    seen, never = make_sessions("seen", "never")
    observe(seen, "idle", reason="Cease", flaps=3, ipv4_received=5, ipv4_limit=100)
    return seen, never


made = shared.once(build)
both = shared.copy()


def detail(session):
    return reverse(f"{API}peeringsession-detail", args=[session.pk])


def test_session_holds_its_state(both):
    seen, never = both
    client = rest(make_root())
    state = client.get(detail(seen)).json()["state"]
    assert state["bgp_state"] == {"value": "idle", "label": "Idle"}
    assert (state["reason"], state["flaps"], state["ipv4_received"], state["ipv4_limit"]) == (
        "Cease",
        3,
        5,
        100,
    )
    assert state["stale_since"] is None
    assert client.get(detail(never)).json()["state"] is None


def test_state_cannot_be_written(both):
    seen, _never = both
    client = rest(make_root())
    answer = client.patch(
        detail(seen), {"state": {"bgp_state": "established"}, "description": "new"}, format="json"
    )
    assert answer.status_code == 200
    assert answer.json()["description"] == "new"
    assert answer.json()["state"]["bgp_state"]["value"] == "idle"


def test_list_of_sessions_asks_for_no_more_with_more_of_them(both):
    client = rest(make_root())

    def make(numbers):
        names = [f"more {number}" for number in numbers]
        for each in make_sessions(*names, host=150 + numbers.start):
            observe(each)

    queries_for_few_and_many(lambda: client.get(reverse(f"{API}peeringsession-list")), make)


def test_sessions_are_filtered_by_state(both):
    seen, _never = both
    client = rest(make_root())
    for query in ({"bgp_state": "idle"}, {"down": "true"}, {"down_longer_than_h": 1}, {"flaps__gte": 3}):
        found = client.get(reverse(f"{API}peeringsession-list"), query).json()["results"]
        assert [row["id"] for row in found] == [seen.pk], query


def history(session):
    return reverse(f"{API}session-history", args=[session.pk])


def test_history_has_spans_and_series(both):
    seen, _never = both
    changed(seen, "established", "idle", hours=10)
    sampled(seen, 4, hours=4, ipv6_received=9)
    answer = rest(make_root()).get(history(seen), {"range": "24h"}).json()
    assert [span["bgp_state"] for span in answer["spans"]] == ["", "established", "idle"]
    (series,) = answer["series"]
    assert (series["family"], series["counter"], len(series["points"])) == (6, "received", 4)
    assert series["points"][0][1] == 9


def test_history_of_an_unknown_time_is_refused(both):
    answer = rest(make_root()).get(history(both[0]), {"range": "1h"})
    assert answer.status_code == 400
    assert "24h, 7d, 30d, 1y" in str(answer.json())


def test_history_is_for_those_who_may_view_the_session(both):
    seen, never = both
    user = make_user(*ours("view_peeringsession"), constraints={"pk": never.pk})
    assert rest(user).get(history(seen)).status_code == 404
    assert rest(user).get(history(never)).status_code == 200
    assert rest(make_user(name="nobody")).get(history(never)).status_code == 403
    assert rest().get(history(never)).status_code in (401, 403)
    assert rest(make_root()).post(history(never), {}).status_code in (403, 405)


QUERY = "{ peering_session_list { id state { bgp_state reason flaps ipv4_received polled } } }"


def test_graphql_gives_the_state(both):
    seen, never = both
    rows = graphql(browser(make_root()), QUERY)["peering_session_list"]
    states = {int(row["id"]): row["state"] for row in rows}
    assert states[seen.pk]["bgp_state"] == "idle"
    assert states[seen.pk]["ipv4_received"] == 5
    assert states[never.pk] is None


def test_graphql_shows_the_states_of_sessions_that_one_may_view(both):
    _seen, never = both
    user = make_user(*ours("view_peeringsession"), constraints={"pk": never.pk})
    rows = graphql(browser(user), QUERY)["peering_session_list"]
    assert [int(row["id"]) for row in rows] == [never.pk]


@pytest.mark.parametrize(
    "asked",
    [
        'bgp_state: {exact: "idle"}',
        "flaps: {gte: 3}",
        "ipv4_received: {gt: 4}",
        'since: {lt: "2099-01-01T00:00:00Z"}',
        "stale_since: {is_null: true}, flaps: {gt: 0}",
    ],
)
def test_graphql_finds_sessions_by_their_state(both, asked):
    seen, _never = both
    rows = graphql(
        browser(make_root()), f"{{ peering_session_list(filters: {{state: {{{asked}}}}}) {{ id }} }}"
    )
    assert [int(row["id"]) for row in rows["peering_session_list"]] == [seen.pk]


def test_graphql_asks_for_no_more_with_more_sessions(both):
    client = browser(make_root())

    def make(numbers):
        names = [f"more {number}" for number in numbers]
        for each in make_sessions(*names, host=150 + numbers.start):
            observe(each)

    queries_for_few_and_many(lambda: graphql(client, QUERY), make)

"""The history of a session: spans without gaps, series with a bound, drawings that say what they show, the page."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.urls import reverse
from django.utils import timezone

from netbox_peering_manager.models import SessionSample, SessionStateChange
from netbox_peering_manager.services.monitoring.history import Point, Series, Span, series, timeline
from netbox_peering_manager.ui import charts
from tests import shared
from tests.monitoring.observed import changed, hours_ago, make_sessions, observe, sampled
from tests.queries import queries_of
from tests.sessions.people import browser, make_root, make_user, ours

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def build():
    return make_sessions("seen", "other")


made = shared.once(build)
both = shared.copy()


@pytest.fixture
def session(both):
    return both[0]


def change(session, at, state, former="", reason=""):
    return SessionStateChange.objects.create(
        session=session, at=at, former_state=former, bgp_state=state, reason=reason
    )


def states_of(spans):
    return [(span.bgp_state, span.seconds / 3600) for span in spans]


def test_spans_go_from_the_beginning_to_the_end_without_a_gap(both):
    session, other = both
    change(session, NOON - 30 * HOUR, "idle")
    change(session, NOON - 20 * HOUR, "established", "idle")
    change(session, NOON - 5 * HOUR, "idle", "established", "Hold timer expired")
    change(session, NOON - 4 * HOUR, "established", "idle")
    change(other, NOON - 3 * HOUR, "missing")
    spans = timeline(session, NOON - 24 * HOUR, until=NOON)
    assert states_of(spans) == [("idle", 4), ("established", 15), ("idle", 1), ("established", 4)]
    assert spans[2].reason == "Hold timer expired"
    assert all(before.end == after.start for before, after in pairwise(spans))


def test_before_the_first_transition_nothing_is_known(session):
    assert states_of(timeline(session, NOON - 2 * HOUR, until=NOON)) == [("", 2)]
    change(session, NOON - HOUR, "established")
    assert states_of(timeline(session, NOON - 2 * HOUR, until=NOON)) == [("", 1), ("established", 1)]


def test_transition_at_the_very_beginning_leaves_no_empty_span(session):
    change(session, NOON - 2 * HOUR, "established")
    assert states_of(timeline(session, NOON - 2 * HOUR, until=NOON)) == [("established", 2)]


def test_session_that_flaps_all_day_is_a_bounded_number_of_spans_in_one_query(session):
    SessionStateChange.objects.bulk_create(
        SessionStateChange(
            session=session,
            at=NOON - timedelta(seconds=10 * number),
            bgp_state="idle" if number % 2 else "established",
        )
        for number in range(5000)
    )
    spans = timeline(session, NOON - 24 * HOUR, until=NOON)
    assert 300 < len(spans) <= 1001
    assert {span.bgp_state for span in spans} == {"", "idle", "established"}
    assert sum(span.seconds for span in spans) == pytest.approx(24 * 3600)
    assert queries_of(lambda: timeline(session, NOON - 24 * HOUR)) == 1


def test_series_have_a_point_for_each_step_with_the_most_that_was_counted(session):
    SessionSample.objects.bulk_create(
        SessionSample(
            session=session,
            at=NOON - timedelta(seconds=30 * number),
            ipv4_received=5000 if number == 1000 else number % 7,
            ipv6_accepted=3,
        )
        for number in range(2880)
    )
    received, accepted = found = series(session, NOON - 24 * HOUR, points=100, until=NOON)
    assert [(each.family, each.counter) for each in found] == [(4, "received"), (6, "accepted")]
    assert len(received.points) == len(accepted.points) == 100
    assert max(received.values) == 5000
    assert set(accepted.values) == {3}
    assert received.points[-1].at == NOON
    assert queries_of(lambda: series(session, NOON - 24 * HOUR)) == 1


def test_few_samples_are_told_as_they_are(session):
    for hours, count in ((3, 7), (2, None), (1, 9)):
        SessionSample.objects.create(session=session, at=NOON - hours * HOUR, ipv4_received=count)
    (found,) = series(session, NOON - 24 * HOUR, until=NOON)
    assert [(point.at, point.value) for point in found.points] == [
        (NOON - 3 * HOUR, 7), (NOON - 2 * HOUR, None), (NOON - HOUR, 9),
    ]  # fmt: skip


def test_session_without_samples_has_no_series(both):
    session, other = both
    SessionSample.objects.create(session=other, at=NOON, ipv4_received=1)
    SessionSample.objects.create(session=session, at=NOON - 48 * HOUR, ipv4_received=1)
    assert series(session, NOON - 24 * HOUR, until=NOON) == ()


#
# Drawings
#


def test_strip_is_as_wide_as_the_time_and_says_what_it_shows():
    strip = charts.strip(
        [Span(NOON - 4 * HOUR, NOON - HOUR, "established"), Span(NOON - HOUR, NOON, "idle", "Cease")]
    )
    assert [(bar.x, bar.width, bar.color) for bar in strip.bars] == [(0, 750, "green"), (750, 250, "red")]
    assert strip.bars[1].text.endswith("Cease")
    assert "Established 75.0 %, Idle 25.0 %" in strip.text
    assert [(entry.label, entry.percent) for entry in strip.legend] == [("Established", 75), ("Idle", 25)]


def test_span_of_a_moment_can_still_be_seen():
    strip = charts.strip(
        [
            Span(NOON - 1000 * HOUR, NOON - 10 * HOUR, "established"),
            Span(NOON - 10 * HOUR, NOON - 10 * HOUR + timedelta(seconds=1), "idle"),
            Span(NOON - 10 * HOUR + timedelta(seconds=1), NOON, "established"),
        ]
    )
    assert strip.bars[1].width >= 1


def hourly(*values, counter="received"):
    points = tuple(Point(NOON - (len(values) - number) * HOUR, value) for number, value in enumerate(values))
    return Series(4, counter, points)


def drawn(*found, limit=None):
    return charts.chart(found, limit, NOON - 10 * HOUR, NOON)


def test_line_ends_where_nothing_was_told():
    (line,) = drawn(hourly(1, 2, None, 3, 4, 5)).lines
    assert len(line.paths) == 2
    assert (line.least, line.most, line.last) == (1, 5, 5)


def test_line_ends_where_nobody_asked_for_long():
    points = [Point(NOON - timedelta(minutes=minutes), 5) for minutes in (600, 595, 590, 585, 20, 15, 10)]
    (line,) = drawn(Series(4, "received", tuple(points))).lines
    assert len(line.paths) == 2


def test_single_point_is_a_dot():
    (line,) = drawn(hourly(None, 7)).lines
    assert (line.paths, len(line.dots)) == ((), 1)


def test_limit_is_a_line_where_it_is_near_and_only_told_where_it_is_far():
    near = drawn(hourly(800, 900), limit=1000)
    assert (near.top, near.limit_y) == (1000, 0)
    far = drawn(hourly(8, 9), limit=100_000)
    assert (far.top, far.limit, far.limit_y) == (10, 100_000, None)


def test_chart_says_in_words_what_it_draws():
    text = drawn(hourly(8, 9), hourly(5, 4, counter="accepted")).text
    assert "IPv4 prefixes" in text
    assert "Received: 8 to 9, 9 at the end" in text
    assert "Accepted: 4 to 5, 4 at the end" in text


def test_nothing_received_is_a_line_at_the_bottom():
    chart = drawn(hourly(0, 0))
    assert chart.top == 1
    assert chart.lines[0].paths[0].endswith(" 160")


@pytest.mark.parametrize(
    ("most", "top"), [(1, 1), (7, 8), (9, 10), (11, 12), (899, 1000), (1001, 1200), (950_000, 1_000_000)]
)
def test_axis_ends_with_a_round_number(most, top):
    assert charts.round_up(most) == top


#
# Page
#


def address(session, **query):
    return reverse("plugins:netbox_peering_manager:peeringsession_history", args=[session.pk], query=query)


def open_history(session, user=None, **query):
    return browser(user or make_root()).get(address(session, **query))


def test_page_shows_strip_charts_limit_and_transitions(session):
    observe(session, ipv4_received=900, ipv4_limit=1000, ipv6_limit=50)
    change(session, hours_ago(30), "established")
    change(session, hours_ago(20), "idle", "established", "Hold timer expired")
    change(session, hours_ago(19), "established", "idle")
    sampled(session, 50, ipv4_received=lambda number: 850 + number, ipv6_received=3)
    text = open_history(session).content.decode()
    assert text.count('role="img"') == 3
    assert "IPv4 prefixes" in text
    assert "IPv6 prefixes" in text
    assert "Hold timer expired" in text
    assert "First seen" in text
    assert "1,000" in text
    assert "<script" not in text[text.index('role="img"') : text.index("Transitions")]


@pytest.mark.parametrize(
    ("query", "active"), [({}, "7 days"), ({"range": "1y"}, "1 year"), ({"range": "x"}, "7 days")]
)
def test_time_shown_can_be_chosen(session, query, active):
    text = open_history(session, **query).content.decode()
    assert f'aria-current="true">{active}</a>' in text


def test_transitions_outside_the_time_are_not_listed(session):
    change(session, hours_ago(48), "idle", reason="Long ago")
    root = make_root()
    assert "Long ago" not in open_history(session, root, range="24h").content.decode().split("Transitions")[1]
    assert "Long ago" in open_history(session, root, range="7d").content.decode().split("Transitions")[1]


def test_session_that_was_never_polled_has_a_page(session):
    text = open_history(session).content.decode()
    assert "Never polled" in text
    assert "No poll has counted prefixes in this time." in text
    assert "No transition was seen in this time." in text


def test_what_routers_say_is_text_and_no_markup(session):
    change(session, hours_ago(2), "idle", reason="<b>Cease</b>")
    text = open_history(session).content.decode()
    assert "<b>Cease" not in text
    assert "&lt;b&gt;Cease" in text


def test_many_transitions_come_in_pages(session):
    changed(session, *["idle", "established"] * 40)
    text = open_history(session, per_page=25).content.decode()
    assert text.count("<tr") < 45
    assert "page=2" in text


@pytest.mark.parametrize(("rights", "status"), [([], 403), (["view_peeringsession"], 200)])
def test_page_is_for_those_who_may_view_the_session(session, rights, status):
    assert open_history(session, make_user(*ours(*rights))).status_code == status
    assert browser().get(address(session)).status_code == 302


def test_page_of_a_session_that_one_may_not_see_is_not_there(both):
    user = make_user(*ours("view_peeringsession"), constraints={"pk": both[1].pk})
    assert open_history(both[0], user).status_code == 404
    assert open_history(both[1], user).status_code == 200


def test_page_asks_for_no_more_with_more_to_show(session):
    observe(session, ipv4_limit=1000)
    client = browser(make_root())
    client.get(address(session))
    few = queries_of(lambda: client.get(address(session)))
    sampled(session, 1000, hours=160, ipv4_received=5)
    changed(session, *["idle", "established"] * 100)
    many = queries_of(lambda: client.get(address(session)))
    # The number of transitions, and the page of them, is asked for where there are any.
    assert many <= few + 1
    assert many <= 15


def test_time_that_timezone_names_is_shown(session):
    at = timezone.now() - HOUR
    change(session, at, "idle")
    local = timezone.localtime(at).strftime("%Y-%m-%d %H:%M")
    assert local in open_history(session, range="24h").content.decode()

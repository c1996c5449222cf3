"""What is kept of the history of sessions, and for how long."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from netbox_peering_manager.models import SessionSample, SessionStateChange
from netbox_peering_manager.services.monitoring.thinning import Thinned, thin
from netbox_peering_manager.settings import PLUGIN
from tests.monitoring.polled import NOON, after, make_session
from tests.queries import queries_for_few_and_many

pytestmark = pytest.mark.django_db
SETTINGS = {"samples_all_h": 6, "samples_hourly_days": 2, "samples_daily_days": 5, "state_changes_days": 3}


@pytest.fixture(autouse=True)
def limits(settings):
    settings.PLUGINS_CONFIG = {
        **settings.PLUGINS_CONFIG,
        PLUGIN: {**settings.PLUGINS_CONFIG[PLUGIN], **SETTINGS},
    }


def sample(session, *moments):
    SessionSample.objects.bulk_create(SessionSample(session=session, at=moment) for moment in moments)


def kept(session):
    return list(session.samples.order_by("at").values_list("at", flat=True))


def bucket(moment, now):
    """The rule, said in another way: what of this moment a sample has to share its place with; None: nothing stays."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    if moment >= hour - timedelta(hours=6):
        return moment
    if moment >= day - timedelta(days=2):
        return moment.strftime("%Y-%m-%d %H")
    return moment.strftime("%Y-%m-%d") if moment >= day - timedelta(days=5) else None


def expected(moments, now):
    newest = {}
    for moment in sorted(moments):
        newest[bucket(moment, now)] = moment
    newest.pop(None, None)
    return sorted(newest.values())


def some_moments(seed):
    chance = random.Random(seed)
    return sorted({after(minutes=-chance.randrange(0, 7 * 24 * 60)) for _number in range(400)})


@pytest.mark.parametrize("seed", range(4))
def test_the_newest_of_each_hour_and_day_stays(seed):
    one, other = make_session(), make_session("198.51.100.12")
    moments, others = some_moments(seed), some_moments(seed + 100)
    sample(one, *moments)
    sample(other, *others)
    now = after(minutes=random.Random(seed).randrange(24 * 60))
    found = thin(now)
    assert kept(one) == expected(moments, now)
    assert kept(other) == expected(others, now)
    assert found.samples == len(moments) + len(others) - len(kept(one)) - len(kept(other)) > 400
    # A second time changes nothing.
    assert thin(now) == Thinned(0, 0)


@pytest.mark.parametrize("seed", range(4))
def test_thinning_every_few_hours_leaves_what_thinning_once_would_have_left(seed):
    often = make_session()
    moments = some_moments(seed)
    sample(often, *moments)
    for hours in range(0, 60, 7):
        thin(after(hours=hours))
    assert kept(often) == expected(moments, after(hours=56))


def test_the_newest_sample_of_all_stays_until_the_end():
    session = make_session()
    sample(session, NOON)
    thin(after(days=4))
    assert kept(session) == [NOON]
    thin(after(days=6))
    assert kept(session) == []


def test_days_are_those_of_utc_wherever_netbox_is(settings):
    settings.TIME_ZONE = "Pacific/Auckland"
    session = make_session()
    late, early = datetime(2026, 2, 25, 23, tzinfo=UTC), datetime(2026, 2, 26, 1, tzinfo=UTC)
    sample(session, late, early)
    thin(NOON)
    assert kept(session) == [late, early]


def test_a_finer_series_that_is_longer_prevails(settings):
    settings.PLUGINS_CONFIG[PLUGIN].update(samples_all_h=24 * 9, samples_hourly_days=1, samples_daily_days=1)
    session = make_session()
    moments = [after(hours=-hours, minutes=minutes) for hours in (1, 200) for minutes in (0, 20)]
    sample(session, *moments)
    thin(NOON)
    assert kept(session) == sorted(moments)


def test_transitions_go_by_age():
    session = make_session()
    for days in (1, 2, 4):
        SessionStateChange.objects.create(session=session, at=after(days=-days), bgp_state="idle")
    assert thin(NOON).changes == 1
    assert session.state_changes.count() == 2


def test_queries_do_not_grow_with_the_rows():
    def make(numbers):
        for number in numbers:
            sample(
                make_session(f"198.51.100.{11 + number}"), NOON, after(hours=-30), after(hours=-30, minutes=1)
            )

    assert queries_for_few_and_many(lambda: thin(NOON), make) <= 6

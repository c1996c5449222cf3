"""The benchmarks do what they say: real work beside an equal floor, the promised file, limits that bite."""

import json

import pytest

from core.models import ObjectChange
from netbox_routing.models import BGPPeer
from users.models import User

from benchmarks import (
    adding,
    candidates,
    exchanges,
    generate,
    measure,
    peeringdb,
    polling,
    report,
    states,
    takeover,
    watching,
    work,
)
from benchmarks.measure import Measured, Result, Seconds
from dev.sample_peeringdb.world import World
from netbox_peering_manager.jobs.monitoring import PollJob
from netbox_peering_manager.models import PeeringDBDrift, PeeringDBNetIXLan, PeeringSession, SessionState
from netbox_peering_manager.services.rendering.peering import gather
from tests.peeringdb.filling import fill_mirror


def result(name="render", size=5000, queries=20, median=1.0, floor=0.5, mib=12.34):
    return Result(name, size, Measured(queries, Seconds(0.9, median, 1.1), mib), floor)


def test_results_file_has_the_promised_shape():
    assert json.loads(report.as_json([result()])) == [
        {
            "name": "render",
            "size": 5000,
            "queries": 20,
            "seconds": {"min": 0.9, "median": 1.0, "max": 1.1},
            "peak_mib": 12.3,
            "floor_seconds": 0.5,
            "ratio": 2.0,
        }
    ]


def test_table_has_a_line_for_each_result():
    lines = report.table([result(), result("rest-list", 1000)]).splitlines()
    assert len(lines) == 3
    assert lines[1].split() == ["render", "5000", "20", "1.000", "1.100", "12.3", "0.500", "2.00"]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (result(queries=26), "26 queries, at most 25"),
        (result(median=1.6), "3.20 times the floor, at most 3.0"),
        (result("rest-list", median=1.51), "1.51 s, at most 1.5 s"),
        (result("rest-list", queries=26), "26 queries, at most 25"),
        (result("session-table", queries=31), "31 queries, at most 30"),
        (result("create-form", queries=61), "61 queries, at most 60"),
        (result("session-states", queries=31, median=0.3), "31 queries, at most 30"),
        (result("session-states", median=0.51), "0.51 s, at most 0.5 s"),
        (result("state-history", queries=16, median=0.3), "16 queries, at most 15"),
        (result("state-history", queries=15, median=0.51), "0.51 s, at most 0.5 s"),
        (result("record-poll", 2000, queries=21), "21 queries, at most 20"),
        (result("record-poll", 2000, median=1.01), "1.01 s, at most 1.0 s"),
        (result("record-poll", 2000, median=0.9, floor=0.29), "3.10 times the floor, at most 3.0"),
        (result("poll-routers", 100, median=38.0, floor=25.0), "1.52 times the floor, at most 1.5"),
        (result("first-sync-unpaced", 20000, mib=601), "601 MiB, at most 600"),
        (result("first-sync-unpaced", 4999), "4999 a second, at least 5000"),
        (result("first-sync-unpaced", 20000, median=1.6), "3.20 times the floor, at most 3.0"),
        (result("no-news-unpaced", 0, queries=41), "41 queries, at most 40"),
        (result("no-news-unpaced", 0, median=3.1), "3.10 s, at most 3 s"),
        (result("news-unpaced", 2000, median=15.1), "15.10 s, at most 15 s"),
        (result("available-peers", 1589, queries=26, median=0.3), "26 queries, at most 25"),
        (result("available-peers", 1589, median=0.41), "0.41 s, at most 0.4 s"),
        (result("peer-ranking", 20, queries=26), "26 queries, at most 25"),
        (result("peer-ranking", 20, median=1.01), "1.01 s, at most 1.0 s"),
        (result("add-preview", 1000, queries=41), "41 queries, at most 40"),
        (result("add-preview", 1000, median=2.01), "2.01 s, at most 2 s"),
        (result("import-preview", 1000, queries=31), "31 queries, at most 30"),
        (result("import-preview", 1000, median=2.01), "2.01 s, at most 2 s"),
        (result("add-sessions", 1000, queries=201), "201 queries, at most 200"),
        (result("add-sessions", 1000, median=20.1), "20.10 s, at most 20 s"),
    ],
)
def test_every_limit_bites(broken, message):
    (said,) = report.broken_limits([broken])
    assert message in said


def test_what_is_within_the_limits_is_fine():
    within = [
        result(queries=25, median=1.5),
        result("rest-list", 1000, 25, 1.5),
        result("session-table", 100, 30),
    ]
    assert report.broken_limits([*within, result("create-form", 1, 60)]) == []


def test_ratio_counts_for_many_sessions_only():
    # A hundred sessions cost mostly what any rendering costs.
    assert report.broken_limits([result(size=100, median=5.0)]) == []


def test_growing_number_of_queries_is_broken_even_below_the_limit():
    assert "grows" in report.broken_limits([result(size=100, queries=10), result(size=1000, queries=11)])[0]


@pytest.mark.django_db
def test_generated_sessions_render_to_the_text_of_the_floor():
    device = generate.make_device(24, generate.make_policies())
    # Compares the two texts, and refuses when they differ.
    found = work.rendering(24, device)
    assert (found.name, found.size) == ("render", 24)
    context = gather(device.pk).context
    assert len(context["sessions"]) == 24
    assert {session["ip_version"] for session in context["sessions"]} == {4, 6}
    assert sum(bool(session["password"]) for session in context["sessions"]) == 6
    assert context["route_maps"]
    assert context["prefix_lists"][0]["entries"]


@pytest.mark.django_db
def test_syncs_are_real_ones_and_leave_the_mirror_filled(monkeypatch):
    monkeypatch.setattr(peeringdb, "CHANGES", 40)
    monkeypatch.setattr(peeringdb, "RUNS", 1)
    with peeringdb.sample(str, size="town") as sample:
        (first,) = peeringdb.run_first(sample, str)
        side = exchanges.make_our_side()
        no_news, news = peeringdb.run_later(sample, str)
    assert first.size > 700
    assert PeeringDBNetIXLan.objects.exists()
    assert (no_news.size, news.size) == (0, 40)
    assert no_news.measured.queries < news.measured.queries
    # NetBox is loaded, so the process has more than this.
    assert first.measured.peak_mib > 100
    # There is something to apply the news to, and to compare them with.
    assert len(side.fabrics) == 3
    assert PeeringDBDrift.objects.exists()
    assert ObjectChange.objects.filter(changed_object_type__model="peerasn").exists()
    with pytest.raises(AssertionError, match="Not of full size"):
        peeringdb.check_full_size(side)


@pytest.mark.django_db
def test_lists_of_possible_peers_are_real_pages_beside_their_floors(monkeypatch, client):
    monkeypatch.setattr(measure, "RUNS", 1)
    fill_mirror(World(size="town"))
    client.force_login(User.objects.create_superuser("admin"))
    peers, ranking = candidates.run(client, exchanges.make_our_side(), lambda message: None)
    assert (peers.name, ranking.name, ranking.size) == ("available-peers", "peer-ranking", 3)
    assert peers.size > 100
    assert peers.measured.queries <= 25
    assert ranking.measured.queries <= 25


@pytest.mark.django_db
def test_sessions_are_really_previewed_and_made_and_the_floor_makes_as_many(monkeypatch, client, settings):
    # Entered by the run, and taken back here.
    monkeypatch.setitem(settings.PLUGINS_CONFIG["netbox_peering_manager"], "default_rir", "")
    monkeypatch.setattr(measure, "RUNS", 1)
    monkeypatch.setattr(adding, "RUNS", 1)
    monkeypatch.setattr(adding, "PORTS", 3)
    client.force_login(User.objects.create_superuser("admin"))
    preview, made = adding.run(client, lambda message: None)
    assert [(found.name, found.size) for found in (preview, made)] == [
        ("add-preview", 6),
        ("add-sessions", 6),
    ]
    assert preview.measured.queries <= 40
    # To warm up, to count, to weigh, to time, and once by the floor.
    assert PeeringSession.objects.count() == BGPPeer.objects.count() == 5 * 6


@pytest.mark.django_db
def test_states_are_those_of_real_pages_beside_their_floors(monkeypatch, client):
    monkeypatch.setattr(measure, "RUNS", 1)
    monkeypatch.setattr(states, "SAMPLES", 300)
    monkeypatch.setattr(states, "TRANSITIONS", 60)
    generate.make_device(6, generate.make_policies())
    client.force_login(User.objects.create_superuser("admin"))
    table, history = states.run(client, lambda message: None)
    assert (table.name, table.size, history.name, history.size) == ("session-states", 6, "state-history", 300)
    assert table.measured.queries <= 30
    assert history.measured.queries <= 15


@pytest.mark.django_db
def test_polls_are_recorded_as_the_floor_records_them(monkeypatch):
    monkeypatch.setattr(measure, "RUNS", 1)
    # Compares what the two leave behind, and refuses when they differ.
    (found,) = watching.run(generate.make_policies(), lambda message: None, sessions=24)
    assert (found.name, found.size) == ("record-poll", 24)
    assert found.measured.queries <= 20


@pytest.mark.django_db
def test_preview_of_an_import_is_a_real_page_of_what_was_read(monkeypatch, client, settings):
    monkeypatch.setitem(settings.PLUGINS_CONFIG["netbox_peering_manager"], "default_rir", "")
    monkeypatch.setattr(measure, "RUNS", 1)
    monkeypatch.setattr(takeover, "NEIGHBORS", 6)
    generate.make_policies()
    client.force_login(User.objects.create_superuser("admin"))
    (found,) = takeover.run(client, lambda message: None)
    assert (found.name, found.size) == ("import-preview", 6)
    assert found.measured.queries <= 30


@pytest.mark.django_db
def test_polled_routers_answer_for_all_of_their_sessions(monkeypatch, settings):
    monkeypatch.syspath_prepend(polling.DRIVERS)
    plugin = settings.PLUGINS_CONFIG["netbox_peering_manager"]
    for name, value in polling.SETTINGS.items():
        monkeypatch.setitem(plugin, name, value)
    routers = polling.make_routers(2)
    # As a worker does it.
    PollJob.handle(polling._job(routers[1]))
    states = SessionState.objects.filter(session__bgp_peer__scope__router__device=routers[1].device)
    assert set(states.values_list("bgp_state", flat=True)) == {"established"}
    assert states.count() == SessionState.objects.count() == 50

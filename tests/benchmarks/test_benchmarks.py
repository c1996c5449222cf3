"""The benchmarks do what they say: real work beside an equal floor, the promised file, limits that bite."""

import json

import pytest

from benchmarks import generate, peeringdb, report, work
from benchmarks.measure import Measured, Result, Seconds
from netbox_peering_manager.models import PeeringDBNetIXLan
from netbox_peering_manager.services.rendering.peering import gather


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
        (result("first-sync-unpaced", 20000, mib=601), "601 MiB, at most 600"),
        (result("first-sync-unpaced", 4999), "4999 a second, at least 5000"),
        (result("first-sync-unpaced", 20000, median=1.6), "3.20 times the floor, at most 3.0"),
        (result("no-news-unpaced", 0, queries=41), "41 queries, at most 40"),
        (result("no-news-unpaced", 0, median=3.1), "3.10 s, at most 3 s"),
        (result("news-unpaced", 2000, median=15.1), "15.10 s, at most 15 s"),
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
    first, no_news, news = peeringdb.run(lambda message: None, size="town")
    assert first.size > 700
    assert PeeringDBNetIXLan.objects.exists()
    assert (no_news.size, news.size) == (0, 40)
    assert no_news.measured.queries < news.measured.queries
    # NetBox is loaded, so the process has more than this.
    assert first.measured.peak_mib > 100

"""Syncs with a sample PeeringDB over HTTP: what the mirror is afterwards, whatever happened before and in between."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from users.models import User

from dev.sample_peeringdb.days import next_day, swap
from dev.sample_peeringdb.query import visible
from dev.sample_peeringdb.server import serve
from dev.sample_peeringdb.world import World
from netbox_peering_manager.exceptions import PeeringDBKeyRefused, PeeringDBUnknown, SyncError
from netbox_peering_manager.models import (
    PeeringDBNet,
    PeeringDBNetIXLan,
    PeeringDBPoc,
    PeeringDBRefusedRow,
    PeeringDBSync,
    PeeringDBWatermark,
)
from netbox_peering_manager.services.peeringdb import runs
from netbox_peering_manager.services.peeringdb.records import TAGS
from netbox_peering_manager.services.peeringdb.sync import running, sync
from tests.peeringdb.scenery import Story
from tests.peeringdb.syncing import (
    Killed,
    fresh,
    mirrored,
    stopping_at,
    sync_with,
    total,
)

pytestmark = pytest.mark.django_db


def asked(server):
    """The requests that the server had since this was last called, as "tag" or "tag?query", in their order."""
    found = [request.target.removeprefix("/api/") for request in server.requests]
    server.requests.clear()
    return found


def there(world, tag):
    """The rows of a type that PeeringDB shows to whoever has a key: contacts can be private."""
    return visible(tag, world.rows(tag), True)


def ids(world, tag):
    return {row["id"] for row in there(world, tag)}


def of_network(world):
    """A port of another network than ours that is there, and its network."""
    port = next(port for port in world.rows("netixlan")[::-1] if port["net_id"] in ids(world, "net"))
    return port, world.get("net", port["net_id"])


# What the mirror is


def test_first_sync_mirrors_all_that_there_is(server, town):
    run = sync_with(server)
    assert {tag: set(rows) for tag, rows in mirrored().items()} == {tag: ids(town, tag) for tag in TAGS}
    assert {tag: counts["created"] for tag, counts in run.counts.items()} == {
        tag: len(there(town, tag)) for tag in TAGS
    }
    assert total(run, "updated", "unchanged", "deleted", "refused") == (0, 0, 0, 0)
    assert asked(server) == list(TAGS)


def test_second_sync_changes_nothing(server):
    sync_with(server)
    before = mirrored()
    run = sync_with(server)
    assert mirrored() == before
    assert total(run, "created", "updated", "deleted", "refused") == (0, 0, 0, 0)


@pytest.mark.parametrize("full", [False, True], ids=["changes", "full"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_days_synced_one_by_one_are_what_the_second_day_is(seed, full):
    world = World(seed=seed, size="town")
    with serve(world) as server:
        sync_with(server)
        next_day(world, changes=80, vanish=5 if full else 0)
        run = sync_with(server, full=full)
        step_by_step = mirrored()
        assert all(total(run, "created", "updated", "deleted"))
        again = sync_with(server)
        assert mirrored() == step_by_step
        assert total(again, "created", "updated", "deleted") == (0, 0, 0)
    assert step_by_step == fresh(world)


def test_days_that_were_slept_through_are_made_up_for(server, town):
    sync_with(server)
    for _ in range(3):
        next_day(town, changes=40)
    sync_with(server)
    after = mirrored()
    assert after == fresh(town)


def test_swapped_addresses_arrive(server, town):
    sync_with(server)
    first, second = (row["id"] for row in town.rows("netixlan")[:2])
    swap(town, first, second)
    sync_with(server)
    for pk in (first, second):
        assert PeeringDBNetIXLan.objects.get(pk=pk).ipaddr4 == town.get("netixlan", pk)["ipaddr4"]


def test_repeated_rows_are_one_row(server, town):
    server.faults.repeated(0.3)
    run = sync_with(server)
    assert {tag: counts["created"] for tag, counts in run.counts.items()} == {
        tag: len(there(town, tag)) for tag in TAGS
    }


# What is asked for


def test_later_syncs_ask_for_changes_alone(server):
    sync_with(server)
    marks = {mark.tag: mark.updated for mark in PeeringDBWatermark.objects.all()}
    asked(server)
    sync_with(server)
    assert asked(server) == [f"{tag}?since={marks[tag] - 3600}" for tag in TAGS]


def test_what_was_saved_before_and_told_after_the_last_sync_is_not_missed(server, town):
    # PeeringDB writes `updated` before it commits, and its clocks differ.
    sync_with(server)
    pk = town.rows("net")[0]["id"]
    town.change("net", pk, at=PeeringDBWatermark.objects.get(tag="net").updated - 600, name="Late")
    sync_with(server)
    assert PeeringDBNet.objects.get(pk=pk).name == "Late"


def test_row_of_the_future_keeps_no_later_change_away(server, town):
    first, second = (row["id"] for row in town.rows("net")[:2])
    town.change("net", first, at=town.now + 100 * 365 * 86400)
    sync_with(server)
    PeeringDBWatermark.objects.filter(tag="net").update(updated=town.now)
    town.change("net", second, name="Later")
    sync_with(server)
    assert PeeringDBNet.objects.get(pk=second).name == "Later"


def test_type_that_was_never_synced_is_asked_for_whole(server, town):
    sync_with(server, tags=["net", "ix"])
    assert asked(server) == ["net", "ix"]
    run = sync_with(server)
    targets = asked(server)
    assert [target for target in targets if "since" not in target] == [
        tag for tag in TAGS if tag not in ("net", "ix")
    ]
    assert run.counts["net"]["created"] == 0
    assert set(mirrored()["netixlan"]) == ids(town, "netixlan")


def test_only_the_types_that_are_named_change(server, town):
    sync_with(server)
    next_day(town, changes=60)
    before = mirrored()
    run = sync_with(server, tags=["netixlan", "net"])
    after = mirrored()
    assert run.tags == ["net", "netixlan"]
    assert {tag for tag in TAGS if after[tag] != before[tag]} <= {"net", "netixlan"}
    assert after["netixlan"] == {**after["netixlan"]} != before["netixlan"]


def test_full_sync_finds_what_went_without_a_tombstone(server, town):
    sync_with(server)
    pk = town.rows("netixlan")[5]["id"]
    town.vanish("netixlan", pk)
    sync_with(server)
    assert PeeringDBNetIXLan.objects.filter(pk=pk).exists()
    run = sync_with(server, full=True)
    assert not PeeringDBNetIXLan.objects.filter(pk=pk).exists()
    assert (run.mode, run.counts["netixlan"]["deleted"]) == ("full", 1)


def test_everything_is_compared_once_a_week_without_being_asked(server, town):
    sync_with(server)
    town.vanish("net", town.rows("net")[-1]["id"])
    PeeringDBWatermark.objects.filter(tag="net").update(compared=timezone.now() - timedelta(days=8))
    asked(server)
    sync_with(server)
    assert [target for target in asked(server) if "since" not in target] == ["net"]
    assert set(mirrored()["net"]) == ids(town, "net")
    sync_with(server)
    assert not [target for target in asked(server) if "since" not in target]


def test_whole_list_that_is_older_than_the_mirror_does_not_set_it_back(server, town):
    # PeeringDB keeps whole lists ready for a while.
    sync_with(server)
    server.dumped = town.copy()
    deleted, changed = (row["id"] for row in town.rows("net")[-2:])
    town.delete("net", deleted)
    town.change("net", changed, name="New name")
    made = town.add(
        "net", {**town.get("net", changed), "id": town.next_id("net"), "asn": 65536, "name": "New"}
    )["id"]
    sync_with(server)
    before = mirrored()
    sync_with(server, from_dumps=True, full=True)
    assert mirrored() == before
    assert made in before["net"]
    assert deleted not in before["net"]
    assert before["net"][changed]["name"] == "New name"


# The dumps, contacts and the key


def test_first_fill_from_the_dumps_is_completed_by_the_api(server, town):
    server.dumped = town.copy()
    next_day(town, changes=60)
    sync_with(server, from_dumps=True)
    targets = asked(server)
    # The dumps have public contacts only, so these come from the API.
    assert targets == [f"/public/{tag}-0.json" for tag in TAGS if tag != "poc"] + ["poc"]
    sync_with(server)
    after = mirrored()
    assert after == fresh(town)


def test_without_a_key_there_are_no_contacts(server):
    run = sync_with(server, key=None)
    assert "poc" not in run.counts
    assert not PeeringDBPoc.objects.exists()
    assert not [target for target in asked(server) if target.startswith("poc")]


def test_contacts_alone_need_a_key(server):
    with pytest.raises(PeeringDBKeyRefused, match="Set peeringdb_api_key"):
        sync_with(server, key=None, tags=["poc"])


def test_contacts_are_dropped_when_the_key_is_gone_and_come_back_with_it(server):
    sync_with(server)
    count = PeeringDBPoc.objects.count()
    run = sync_with(server, key=None)
    assert run.counts["poc"]["deleted"] == count
    assert "contacts were dropped" in run.message
    assert not PeeringDBPoc.objects.exists()
    assert sync_with(server, key=None).message == ""
    sync_with(server)
    assert PeeringDBPoc.objects.count() == count


# One network


def test_one_network_is_synced_alone(server, town):
    sync_with(server)
    port, net = of_network(town)
    other = next(row for row in town.rows("net") if row["id"] != net["id"])
    town.change("net", net["id"], name="Renamed")
    town.change("net", other["id"], name="Not asked for")
    town.vanish("netixlan", port["id"])
    marks = list(PeeringDBWatermark.objects.order_by("pk").values())
    asked(server)
    run = sync_with(server, asn=net["asn"])
    assert PeeringDBNet.objects.get(pk=net["id"]).name == "Renamed"
    assert PeeringDBNet.objects.get(pk=other["id"]).name == other["name"]
    assert not PeeringDBNetIXLan.objects.filter(pk=port["id"]).exists()
    assert (run.counts["net"]["updated"], run.counts["netixlan"]["deleted"]) == (1, 1)
    assert run.tags == ["net", "netfac", "netixlan", "poc"]
    assert [target.partition("?")[0] for target in asked(server)] == ["net", "netfac", "netixlan", "poc"]
    # How far the types are as a whole is as it was.
    assert list(PeeringDBWatermark.objects.order_by("pk").values()) == marks


def test_one_network_can_be_the_first_to_be_synced(server, town):
    asn = town.our_asn
    sync_with(server, asn=asn)
    assert [net.asn for net in PeeringDBNet.objects.all()] == [asn]
    assert set(mirrored()["netixlan"]) == {row["id"] for row in town.our_ports}
    sync_with(server)
    after = mirrored()
    assert after == fresh(town)


def test_network_that_left_peeringdb_leaves_the_mirror_with_all_that_is_its_own(server, town):
    sync_with(server)
    _port, net = of_network(town)
    town.delete("net", net["id"])
    sync_with(server, asn=net["asn"])
    assert not PeeringDBNet.objects.filter(pk=net["id"]).exists()
    assert not PeeringDBNetIXLan.objects.filter(net_id=net["id"]).exists()


def test_network_that_nobody_knows_is_told(server):
    with pytest.raises(PeeringDBUnknown, match="no network with AS number 64511"):
        sync_with(server, asn=64511)
    assert PeeringDBSync.objects.get().status == "failed"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tags": ["net", "as_set"]}, "no type as_set. It has: org, campus"),
        ({"asn": 64500, "full": True}, "leave out the full sync"),
        ({"asn": 64500, "tags": ["net"]}, "leave out"),
        ({"asn": 64500, "from_dumps": True}, "leave out"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_asked(server, options, message):
    with pytest.raises(SyncError, match=message):
        sync_with(server, **options)
    assert asked(server) == []
    assert not PeeringDBSync.objects.exists()


# Another PeeringDB


def test_mirror_of_another_peeringdb_is_replaced(server, town):
    sync_with(server)
    other = World(seed=9, size="hamlet")
    with serve(other) as elsewhere:
        run = sync_with(elsewhere, tags=["net"])
        assert "The mirror was of another PeeringDB" in run.message
        assert [target for target in asked(elsewhere) if "since" in target] == []
        after = mirrored()
    assert after == fresh(other)


def test_one_network_of_another_peeringdb_is_refused(server):
    sync_with(server)
    before = mirrored()
    with (
        serve(World(size="hamlet")) as elsewhere,
        pytest.raises(SyncError, match="peeringdb_url was changed"),
    ):
        sync_with(elsewhere, asn=64500)
    assert mirrored() == before


# Rows that do not fit


def test_malformed_rows_are_kept_aside_and_everything_else_arrives(server, town):
    server.faults.malformed(0.05)
    spoilt = {tag: server.faults.spoilt_ids(town, tag) & ids(town, tag) for tag in TAGS}
    run = sync_with(server)
    for tag in TAGS:
        assert set(mirrored()[tag]) == ids(town, tag) - spoilt[tag]
        assert run.counts[tag]["refused"] == len(spoilt[tag])
    # Rows without an id that say the same are kept once.
    assert 20 < PeeringDBRefusedRow.objects.count() <= sum(map(len, spoilt.values()))
    assert run.status == "completed"
    assert "Rows refused and kept aside: " in run.message


def test_malformed_rows_of_a_later_list_lose_nothing(server, town):
    sync_with(server)
    before = mirrored()
    server.faults.malformed(0.05)
    run = sync_with(server, full=True)
    assert mirrored() == before
    assert "nothing was taken for gone" in run.message


def test_refused_rows_are_asked_for_again_and_arrive_once_they_fit(server, town):
    server.faults.malformed(0.2, tags=["netixlan"])
    sync_with(server)
    named = {row.peeringdb_id for row in PeeringDBRefusedRow.objects.exclude(peeringdb_id=None)}
    assert named
    server.faults.clear()
    asked(server)
    sync_with(server)
    assert [target for target in asked(server) if "id__in" in target]
    assert named <= set(mirrored("netixlan")["netixlan"])
    assert not PeeringDBRefusedRow.objects.exclude(peeringdb_id=None).exists()
    # Nobody knows which the others were.
    sync_with(server, full=True)
    assert set(mirrored("netixlan")["netixlan"]) == ids(town, "netixlan")
    assert not PeeringDBRefusedRow.objects.exists()


# Trials


def test_trial_counts_and_changes_nothing(server, town):
    sync_with(server)
    next_day(town, changes=60)
    tables = [PeeringDBWatermark, PeeringDBRefusedRow, PeeringDBSync]
    before = mirrored(), [list(table.objects.order_by("pk").values()) for table in tables]
    trial = sync_with(server, dry_run=True)
    assert (mirrored(), [list(table.objects.order_by("pk").values()) for table in tables]) == before
    assert (trial.pk, trial.status) == (None, "completed")
    assert sync_with(server).counts == trial.counts


# The record


def test_record_tells_who_what_when_and_how(server):
    user = User.objects.create(username="operator")
    begun = timezone.now()
    run = PeeringDBSync.objects.get(pk=sync_with(server, user=user).pk)
    assert (run.status, run.mode, run.tags, run.user, run.message) == (
        "completed",
        "incremental",
        [],
        user,
        "",
    )
    assert begun <= run.started <= run.ended
    assert set(run.counts["net"]) == {"created", "updated", "unchanged", "deleted", "refused"}
    assert run.applied == {"peerasn": {"updated": 0}, "peeringnetwork": {"updated": 0}}
    assert "process" in run.holder


def test_records_of_long_ago_are_forgotten(hamlet, monkeypatch):
    monkeypatch.setattr(runs, "KEPT", 2)
    with serve(hamlet) as server:
        kept = [sync_with(server, tags=["net"]).pk for _ in range(4)]
    assert sorted(PeeringDBSync.objects.values_list("pk", flat=True)) == kept[-2:]


def test_progress_is_told_by_type_and_rows(server, town):
    told = []
    sync_with(server, progress=told.append)
    assert [each.tag for each in told if each.stage == "fetched"] == list(TAGS)
    assert [each.rows for each in told if each.stage == "fetched"] == [len(there(town, tag)) for tag in TAGS]
    done = [each.done for each in told]
    assert done == sorted(done)
    assert (told[-1].stage, told[-1].done, told[-1].total) == ("applied", 15, 15)


# Interruptions


def test_sync_that_ends_anywhere_leaves_the_mirror_before_or_after_and_the_next_completes_it(pristine_town):
    """Every moment at which a sync tells of its progress, one after another, on a day that changed much."""
    world = pristine_town.copy()
    with serve(world) as server:
        sync_with(server)
        before = mirrored()
        next_day(world, changes=60)
        moments = []
        trial = sync_with(server, dry_run=True, progress=moments.append)
        stages = []
        # A trial ends where NetBox would follow, which is told as the next.
        for number in range(len(moments) + 1):
            with pytest.raises(Killed) as killed:
                sync_with(server, progress=stopping_at(number))
            stages.append(str(killed.value))
            run = PeeringDBSync.objects.first()
            assert run.status == "failed"
            assert running() is None
            if number == len(moments):
                break
            assert mirrored() == before, moments[number]
            assert run.message == (
                "The sync was stopped by Killed. The mirror was left as it was; the next sync begins anew."
            )
        # The last one had the mirror in line already.
        assert "The mirror is up to date" in run.message
        assert run.counts == trial.counts
        assert {"fetching", "fetched", "merging", "merged", "applying"} <= set(stages)
        after = mirrored()
        again = sync_with(server)
        assert total(again, "created", "updated", "deleted") == (0, 0, 0)
        assert mirrored() == after
    assert after == fresh(world)


def test_sync_whose_process_died_is_recorded_as_interrupted_by_the_next(hamlet):
    dead = runs.begin("full", [], None, kept=True)
    late = runs.begin("full", [], None, kept=True)
    PeeringDBSync.objects.filter(pk=late.pk).update(counts={"net": {"created": 1}})
    with serve(hamlet) as server:
        sync_with(server)
    dead.refresh_from_db()
    late.refresh_from_db()
    assert (dead.status, late.status) == ("interrupted", "interrupted")
    assert "left as it was" in dead.message
    assert "had been brought up to date" in late.message


# Cost


@pytest.fixture
def quiet(server):
    """A server with which nothing is new."""
    cache.clear()
    sync_with(server)
    return server


def test_sync_without_news_takes_forty_queries_at_most(quiet):
    sync_with(quiet)
    with CaptureQueriesContext(connection) as queries:
        sync_with(quiet)
    assert len(queries) <= 40, "\n".join(query["sql"][:100] for query in queries)


def test_sync_without_news_takes_no_more_queries_with_much_in_netbox(pristine_hamlet):
    world = pristine_hamlet.copy()
    story = Story(world)
    members = [port for port in world.rows("netixlan") if port["asn"] != world.our_asn]
    for port in members[:3]:
        story.peer(port["asn"], follow_peeringdb=[])
        story.session(int(port["ipaddr4"].rpartition(".")[2]), port["asn"])
    with serve(world) as server:
        sync_with(server)
        with CaptureQueriesContext(connection) as queries:
            sync_with(server)
    assert len(queries) <= 40, "\n".join(query["sql"][:100] for query in queries)


def test_queries_do_not_grow_with_what_changed(quiet, town):
    counts = []
    for changes in (30, 150):
        next_day(town, changes=changes)
        with CaptureQueriesContext(connection) as queries:
            sync_with(quiet)
        counts.append(len(queries))
    # Up to three statements for each type that changed.
    assert max(counts) <= 40 + 3 * len(TAGS)


# Without a server


def test_settings_say_which_peeringdb_is_asked(hamlet, settings):
    with serve(hamlet) as server:
        config = settings.PLUGINS_CONFIG["netbox_peering_manager"]
        settings.PLUGINS_CONFIG = {
            **settings.PLUGINS_CONFIG,
            "netbox_peering_manager": {
                **config,
                "peeringdb_url": server.api_url,
                "peeringdb_min_interval_s": 0,
            },
        }
        sync(tags=["net"])
        assert PeeringDBWatermark.objects.get().source == server.api_url
    assert PeeringDBNet.objects.count() == len(hamlet.rows("net"))

"""The mirror: what a list of rows makes of it, from hand-made rows of any quality."""

from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from netbox_peering_manager.exceptions import PeeringDBMalformed
from netbox_peering_manager.models import (
    PeeringDBCampus,
    PeeringDBNet,
    PeeringDBNetFac,
    PeeringDBNetIXLan,
    PeeringDBPoc,
    PeeringDBRefusedRow,
    PeeringDBWatermark,
)
from netbox_peering_manager.models.peeringdb import MIRROR
from netbox_peering_manager.services.peeringdb import mirror, staging
from netbox_peering_manager.services.peeringdb.mirror import Counts
from netbox_peering_manager.services.peeringdb.records import COLUMNS
from netbox_peering_manager.services.peeringdb.staging import Covered, Staging

pytestmark = pytest.mark.django_db

ALL = Covered(complete=True)
CHANGES = Covered()
URL = "https://peeringdb.example/api"


@pytest.fixture(params=[staging.FEW_ROWS, 1], ids=["few", "many"], autouse=True)
def way(request, monkeypatch):
    """Every test runs twice: rows take the way of short answers, and that of long ones."""
    monkeypatch.setattr(staging, "FEW_ROWS", request.param)


def at(second):
    return f"2026-03-01T00:00:{second:02}Z"


def net(pk=1, second=0, **fields):
    row = {"id": pk, "status": "ok", "created": at(0), "updated": at(second), "org_id": 1}
    return {**row, "asn": 64495 + (pk or 0), "name": f"Network {pk}", **fields}


def port(pk=1, second=0, **fields):
    row = {"id": pk, "status": "ok", "created": at(0), "updated": at(second), "net_id": 1, "ix_id": 1}
    return {**row, "ixlan_id": 1, "asn": 64496, "speed": 1000, **fields}


def gone(pk=1, second=1):
    return {"id": pk, "status": "deleted", "updated": at(second)}


def bring_in(tag, rows, covered=ALL, **options):
    """Merge one answer. Returns its Counts."""
    with Staging([tag]) as staged:
        parts = [staged.add(tag, rows, covered, **options)]
        staged.flush()
        with transaction.atomic():
            return mirror.merge(parts, mirror.load_known(), URL)[tag]


def names():
    return dict(PeeringDBNet.objects.order_by("pk").values_list("pk", "name"))


def test_columns_of_records_are_those_of_the_tables():
    for tag, model in MIRROR.items():
        columns = {field.column for field in model._meta.concrete_fields}
        assert {column.name for column in COLUMNS[tag]} == columns, tag


def test_rows_are_made_changed_left_and_removed_and_counted_so():
    assert bring_in("net", [net(1), net(2), net(3)]) == Counts(created=3)
    counts = bring_in("net", [net(1), net(2, 5, name="Renamed"), gone(3), gone(9), net(4)], CHANGES)
    assert counts == Counts(created=1, updated=1, unchanged=2, deleted=1)
    assert names() == {1: "Network 1", 2: "Renamed", 4: "Network 4"}


def test_every_kind_of_value_arrives_as_it_was():
    text = 'tab\t newline\n return\r backslash\\ \\N quote\' "double" {brace} Zürich 東京 😀'
    row = net(
        1,
        name=text,
        info_types=["NSP", 'with "quotes", and {braces}', "back\\slash", ""],
        info_prefixes4=2**31 - 1,
        info_prefixes6=None,
        info_ipv6=True,
        notes=text,
        social_media=[{"service": "website", "identifier": text}],
        new_field={"deep": [1, 2.5, None, True]},
    )
    bring_in("net", [row])
    stored = PeeringDBNet.objects.get()
    assert stored.name == text
    assert stored.info_types == row["info_types"]
    assert (stored.info_prefixes4, stored.info_prefixes6) == (2**31 - 1, None)
    assert (stored.info_ipv6, stored.info_unicast) == (True, False)
    assert stored.updated == datetime(2026, 3, 1, tzinfo=UTC)
    assert stored.extra == {name: row[name] for name in ("notes", "social_media", "new_field")}
    assert bring_in("net", [row]) == Counts(unchanged=1)


def test_addresses_and_missing_ones_arrive():
    bring_in("netixlan", [port(1, ipaddr4="198.51.100.7", ipaddr6="2001:DB8::0:7"), port(2)])
    assert list(PeeringDBNetIXLan.objects.order_by("pk").values_list("ipaddr4", "ipaddr6")) == [
        ("198.51.100.7", "2001:db8::7"),
        (None, None),
    ]


def test_content_is_compared_when_the_time_is_the_same():
    bring_in("net", [net(1, 5)])
    assert bring_in("net", [net(1, 5, name="Same second")], CHANGES) == Counts(updated=1)
    assert names() == {1: "Same second"}


def test_an_older_time_does_not_keep_a_change_away():
    # PeeringDB's clock was put right.
    bring_in("net", [net(1, 50)])
    assert bring_in("net", [net(1, 5, name="Put right")], CHANGES) == Counts(updated=1)


@pytest.mark.parametrize("order", [1, -1])
def test_of_a_repeated_row_the_one_updated_last_counts(order):
    rows = [net(1, 3, name="Third"), net(1, 9, name="Last"), net(1, 5, name="Fifth"), net(2)][::order]
    assert bring_in("net", rows) == Counts(created=2)
    assert names()[1] == "Last"


def test_of_rows_repeated_within_a_second_the_last_one_counts():
    assert bring_in("net", [net(1, name="First"), net(1, name="Second")]) == Counts(created=1)
    assert names() == {1: "Second"}


def test_a_row_that_is_deleted_after_it_was_told_is_gone():
    bring_in("net", [net(1), net(2)])
    assert bring_in("net", [net(1, 3, name="Changed"), gone(1, 4)], CHANGES) == Counts(deleted=1)
    assert names() == {2: "Network 2"}


def test_pending_rows_are_not_there_yet():
    row = {"id": 1, "created": at(0), "updated": at(0), "org_id": 1, "name": "Campus"}
    assert bring_in("campus", [{**row, "status": "pending"}], CHANGES) == Counts(unchanged=1)
    assert bring_in("campus", [{**row, "status": "ok"}], CHANGES) == Counts(created=1)
    assert bring_in("campus", [{**row, "status": "pending"}], CHANGES) == Counts(deleted=1)
    assert not PeeringDBCampus.objects.exists()


def test_two_ports_swap_their_addresses():
    bring_in("netixlan", [port(1, ipaddr4="198.51.100.1"), port(2, ipaddr4="198.51.100.2")])
    swapped = [port(1, 5, ipaddr4="198.51.100.2"), port(2, 5, ipaddr4="198.51.100.1")]
    assert bring_in("netixlan", swapped, CHANGES) == Counts(updated=2)
    stored = PeeringDBNetIXLan.objects.order_by("pk").values_list("ipaddr4", flat=True)
    assert list(stored) == ["198.51.100.2", "198.51.100.1"]


def test_children_of_rows_that_never_arrive_are_kept():
    row = {"id": 1, "status": "ok", "created": at(0), "updated": at(0), "net_id": 999999, "fac_id": 999998}
    assert bring_in("netfac", [row]) == Counts(created=1)
    assert PeeringDBNetFac.objects.get().net_id == 999999


def test_what_a_complete_list_lacks_is_gone():
    bring_in("net", [net(1), net(2), net(3)])
    assert bring_in("net", [net(1), net(3, 5)]) == Counts(updated=1, unchanged=1, deleted=1)
    assert set(names()) == {1, 3}


def test_what_a_list_of_changes_lacks_stays():
    bring_in("net", [net(1), net(2)])
    assert bring_in("net", [], CHANGES) == Counts()
    assert set(names()) == {1, 2}


def test_a_complete_list_of_a_part_takes_nothing_else_away():
    bring_in("netixlan", [port(1), port(2), port(3, net_id=7)])
    about = Covered(complete=True, column="net_id", values=(1, 2))
    assert bring_in("netixlan", [port(2)], about) == Counts(unchanged=1, deleted=1)
    assert set(PeeringDBNetIXLan.objects.values_list("pk", flat=True)) == {2, 3}
    # It says nothing of how far the whole type is.
    assert PeeringDBWatermark.objects.get(tag="netixlan").updated == int(
        datetime(2026, 3, 1, tzinfo=UTC).timestamp()
    )


def many(count, first=1):
    return [net(pk, asn=4200000000 + pk) for pk in range(first, first + count)]


def test_a_list_that_lost_most_of_its_rows_is_taken_for_a_broken_one():
    bring_in("net", many(202))
    with (
        pytest.raises(PeeringDBMalformed, match=r"net lacks 102 of the 202 rows.* --full --only net"),
        transaction.atomic(),
    ):
        bring_in("net", many(100))
    assert PeeringDBNet.objects.count() == 202
    # Half of them, few of them, and whoever is sure.
    assert bring_in("net", many(101)).deleted == 101
    assert bring_in("net", many(1)).deleted == 100
    bring_in("net", many(202))
    assert bring_in("net", [], Covered(complete=True, trusted=True)).deleted == 202


def test_a_row_that_is_refused_drops_nothing_else_and_is_kept_with_its_reason():
    counts = bring_in("net", [net(1), net(2, asn="AS64497"), net(3)])
    assert counts == Counts(created=2, refused=1)
    kept = PeeringDBRefusedRow.objects.get()
    assert (kept.tag, kept.peeringdb_id) == ("net", 2)
    assert kept.reason.startswith("asn: 'AS64497' is not")
    assert kept.row == net(2, asn="AS64497")


def test_what_a_row_said_before_it_was_refused_stays():
    bring_in("net", [net(1), net(2)])
    assert bring_in("net", [net(1), net(2, 5, asn=-1)]) == Counts(unchanged=1, refused=1)
    assert names() == {1: "Network 1", 2: "Network 2"}


def test_rows_without_an_id_may_be_any_so_nothing_is_taken_for_gone():
    bring_in("net", [net(1), net(2)])
    assert bring_in("net", [net(1), net(None), [1, 2], None, "row"]) == Counts(unchanged=1, refused=4)
    assert set(names()) == {1, 2}
    assert list(PeeringDBRefusedRow.objects.values_list("peeringdb_id", flat=True)) == [None] * 4


@pytest.mark.parametrize("covered", [ALL, CHANGES], ids=["all", "changes"])
def test_a_refused_row_that_fits_again_is_refused_no_more(covered):
    bring_in("net", [net(1), net(2, asn=-1), net(3, asn=-1)])
    bring_in("net", [net(1), net(2, 5), net(3, 5, asn=-2)], covered)
    kept = PeeringDBRefusedRow.objects.get()
    assert (kept.peeringdb_id, kept.row["asn"]) == (3, -2)
    assert set(names()) == {1, 2}


def test_a_refused_row_is_kept_once_however_often_it_comes():
    for _ in range(2):
        bring_in("net", [net(1, asn=-1), net(1, asn=-1), net(None), net(None)], CHANGES)
    assert sorted(map(str, PeeringDBRefusedRow.objects.values_list("peeringdb_id", flat=True))) == [
        "1",
        "None",
    ]


def test_refused_rows_that_are_gone_or_deleted_are_forgotten():
    bring_in("net", [net(1), net(2, asn=-1), net(3, asn=-1), net(4, asn=-1)])
    bring_in("net", [gone(2)], CHANGES, again=(3,))
    assert [kept.peeringdb_id for kept in PeeringDBRefusedRow.objects.all()] == [4]
    bring_in("net", [net(1)])
    assert not PeeringDBRefusedRow.objects.exists()


def test_refused_rows_of_other_types_stay():
    bring_in("net", [net(1, asn=-1)])
    bring_in("netixlan", [port(1, asn=-1)])
    assert PeeringDBRefusedRow.objects.count() == 2


def test_of_a_refused_contact_nothing_is_kept_but_its_id():
    row = {"id": 5, "status": "ok", "created": at(0), "updated": at(0), "net_id": 1, "role": "NOC"}
    bring_in("poc", [{**row, "name": "Somebody", "email": "x" * 255, "phone": "+44 20 7946 0000"}])
    kept = PeeringDBRefusedRow.objects.get()
    assert (kept.peeringdb_id, kept.row) == (5, {"id": 5})
    assert "email" in kept.reason
    assert "xxx" not in kept.reason


def test_refused_rows_are_kept_whatever_they_hold():
    bring_in("net", [net(1, asn=-1, name="nul\0 and \ud800 alone")])
    assert PeeringDBRefusedRow.objects.get().row["name"] == "nul\ufffd and \ufffd alone"


def test_watermark_is_the_latest_update_that_was_seen():
    bring_in("net", [net(1, 7), gone(2, 9), net(3, 8)], CHANGES)
    mark = PeeringDBWatermark.objects.get(tag="net")
    assert mark.updated == int(datetime(2026, 3, 1, 0, 0, 9, tzinfo=UTC).timestamp())
    assert (mark.compared, mark.source) == (None, URL)


def test_watermark_does_not_go_back_with_changes_but_with_a_complete_list():
    bring_in("net", [net(1, 30)])
    bring_in("net", [net(1, 20)], CHANGES)
    second = PeeringDBWatermark.objects.get(tag="net").updated % 60
    assert second == 30
    bring_in("net", [net(1, 20)])
    mark = PeeringDBWatermark.objects.get(tag="net")
    assert mark.updated % 60 == 20
    assert mark.compared is not None


def test_a_row_of_the_future_does_not_move_the_watermark_beyond_now():
    bring_in("net", [net(1), net(2, updated="2999-01-01T00:00:00Z")])
    assert PeeringDBWatermark.objects.get(tag="net").updated <= datetime.now(UTC).timestamp()
    assert set(names()) == {1, 2}


def test_contacts_are_dropped_with_all_that_is_known_of_them():
    row = {"id": 5, "status": "ok", "created": at(0), "updated": at(0), "net_id": 1, "role": "NOC"}
    bring_in("poc", [row, {**row, "id": 6, "net_id": None}])
    assert mirror.drop_contacts(mirror.load_known()) == 1
    assert mirror.drop_contacts(mirror.load_known()) == 0
    assert not PeeringDBPoc.objects.exists()
    assert not PeeringDBWatermark.objects.filter(tag="poc").exists()
    assert not PeeringDBRefusedRow.objects.exists()


def test_contacts_are_forgotten_also_when_there_were_none():
    bring_in("poc", [])
    mirror.drop_contacts(mirror.load_known())
    assert not PeeringDBWatermark.objects.exists()


def test_a_source_that_breaks_leaves_the_mirror_and_the_session_as_they_were():
    bring_in("net", [net(1)])

    def broken():
        yield net(1, 5, name="Changed")
        yield net(2)
        raise PeeringDBMalformed("cut")

    with pytest.raises(PeeringDBMalformed):
        bring_in("net", broken())
    assert names() == {1: "Network 1"}
    # The next one finds the tables that this one left.
    assert bring_in("net", [net(1)]) == Counts(unchanged=1)


def test_what_the_caller_raises_while_rows_come_is_told_to_it(monkeypatch):
    monkeypatch.setattr(staging, "CHUNK_ROWS", 2)
    monkeypatch.setattr(staging, "FEW_ROWS", 1)
    told = []

    def stop(rows):
        told.append(rows)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring_in("net", many(5), tell=stop)
    assert told == [2]
    assert bring_in("net", many(5)) == Counts(created=5)


@pytest.mark.parametrize("size", [3, 60])
def test_queries_of_a_merge_do_not_grow_with_its_rows(size):
    bring_in("net", many(size))
    changed = [{**row, "name": "x", "updated": at(9)} for row in many(size)]
    with CaptureQueriesContext(connection) as queries:
        bring_in("net", [*changed[1:], gone(1, 9), *many(size, 1000)])
    # Tables made and dropped, COPY, a savepoint, what is known (2), what is due, statistics, three changes, the
    # watermark.
    assert len(queries) <= 14, [query["sql"][:80] for query in queries]

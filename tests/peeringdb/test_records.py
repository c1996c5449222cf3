"""PeeringDB's rows as records: what is read as which, what is refused with which reason, what is kept as it came."""

import importlib
import json
import math
import random
import re
from datetime import UTC, datetime, timedelta, timezone
from types import NoneType
from typing import get_args, get_type_hints

import pytest
from django.db import DatabaseError, connection, transaction

from dev.sample_peeringdb import schema
from netbox_peering_manager.exceptions import RefusedRow
from netbox_peering_manager.services.peeringdb.fields import are_storable, is_storable_text
from netbox_peering_manager.services.peeringdb.records import (
    COLUMNS,
    RECORDS,
    TAGS,
    Column,
    Tombstone,
    parse,
    scrub,
)
from tests.peeringdb.clients import client_of

WHEN = "2026-03-01T12:00:00Z"
BASE = {"id": 7, "status": "ok", "created": WHEN, "updated": WHEN}
NETIXLAN = BASE | {
    "net_id": 1,
    "ix_id": 2,
    "ixlan_id": "3",
    "asn": 64496,
    "speed": 10000,
    "ipaddr4": "198.51.100.1",
    "ipaddr6": "2001:db8::1",
    "is_rs_peer": True,
    "bfd_support": False,
    "operational": True,
    "net_side_id": None,
    "ix_side_id": 5,
}
# The least that a row of each type must have.
LEAST = {
    "org": BASE,
    "campus": BASE | {"org_id": 1},
    "fac": BASE | {"org_id": 1},
    "carrier": BASE | {"org_id": 1},
    "carrierfac": BASE | {"carrier_id": 1, "fac_id": 2},
    "net": BASE | {"org_id": 1, "asn": 64496},
    "ix": BASE | {"org_id": 1},
    "ixfac": BASE | {"ix_id": 1, "fac_id": 2},
    "ixlan": BASE | {"ix_id": 1},
    "ixpfx": BASE | {"ixlan_id": 1, "protocol": "IPv4", "prefix": "198.51.100.0/24"},
    "netfac": BASE | {"net_id": 1, "fac_id": 2},
    "netixlan": BASE | {"net_id": 1, "ix_id": 2, "ixlan_id": 3, "asn": 64496, "speed": 0},
    "poc": BASE | {"net_id": 1},
}
EMPTY = {"text": "", "list": [], "bool": False}


def reason(tag, row):
    with pytest.raises(RefusedRow) as caught:
        parse(tag, row)
    assert str(caught.value) == caught.value.reason
    assert caught.value.__cause__ is None
    return caught.value.reason


def columns(kind):
    return [(tag, column) for tag in TAGS for column in COLUMNS[tag] if column.kind == kind]


def fields(*kinds):
    return [
        pytest.param(tag, column.name, id=f"{tag}.{column.name}")
        for kind in kinds
        for tag, column in columns(kind)
    ]


# The declarations


def test_types_are_in_the_order_of_their_parents():
    assert tuple(schema.TAGS) == TAGS
    for position, tag in enumerate(TAGS):
        parents = {column.name.removesuffix("_id") for column in COLUMNS[tag] if column.name.endswith("_id")}
        parents -= {"net_side", "ix_side"}
        assert parents <= set(TAGS[:position]), tag


@pytest.mark.parametrize("tag", TAGS)
def test_columns_are_the_fields_of_the_record_in_their_order(tag):
    names = tuple(column.name for column in COLUMNS[tag])
    assert names == RECORDS[tag]._fields
    assert names[:4] == ("id", "status", "created", "updated")
    assert COLUMNS[tag][-1] == Column("extra", "json", nullable=False, max_length=None)


@pytest.mark.parametrize("tag", TAGS)
def test_columns_agree_with_the_python_types(tag):
    types = {
        "id": int,
        "int": int,
        "asn": int,
        "float": float,
        "bool": bool,
        "datetime": datetime,
        "text": str,
        "list": list[str],
        "ipv4": str,
        "ipv6": str,
        "network": str,
    }
    hints = get_type_hints(RECORDS[tag])
    for column in COLUMNS[tag][:-1]:
        hint = hints[column.name]
        assert (NoneType in get_args(hint)) == column.nullable, column
        assert types[column.kind] in (hint, *get_args(hint)), column


def documented(tag, name):
    """(type, longest text or None) of a field as PeeringDB documents it."""
    declared = schema.fields()[tag][name]
    text = declared if isinstance(declared, str) else declared["type"]
    longest = re.search(r"<=(\d+)", text)
    return re.match(r"\w+", text)[0], int(longest[1]) if longest else None


@pytest.mark.parametrize("tag", TAGS)
def test_fields_and_lengths_are_those_that_peeringdb_documents(tag):
    for column in COLUMNS[tag][:-1]:
        kind, longest = documented(tag, column.name)
        assert column.max_length == longest or column.kind != "text", column
        expected = {
            "integer": ("id", "int", "asn"),
            "boolean": ("bool",),
            "number": ("float",),
            "array": ("list",),
        }
        texts = ("text", "datetime", "ipv4", "ipv6", "network", "id")
        assert column.kind in expected.get(kind, texts), column


def test_modules_are_pure():
    for name in ("records", "fields", "body"):
        module = importlib.import_module(f"netbox_peering_manager.services.peeringdb.{name}")
        text = module.__loader__.get_source(module.__name__)
        assert not re.search(
            r"^\s*(from|import) (django|netbox|ipam|dcim|requests|utilities)", text, re.MULTILINE
        )
        assert set(re.findall(r"^from (\.\S*)", text, re.MULTILINE)) <= {"...exceptions", ".fields"}


# What is read


def test_row_becomes_a_record():
    record = parse("netixlan", NETIXLAN | {"notes": "", "name": "IX", "new": {"since": [2027]}})
    assert record._asdict() == NETIXLAN | {
        "created": datetime(2026, 3, 1, 12, tzinfo=UTC),
        "updated": datetime(2026, 3, 1, 12, tzinfo=UTC),
        "ixlan_id": 3,
        "extra": {"notes": "", "name": "IX", "new": {"since": [2027]}},
    }


@pytest.mark.parametrize("tag", TAGS)
def test_sample_rows_fit_and_nothing_of_them_is_lost(tag, pristine_town):
    for row in pristine_town.rows(tag):
        record = parse(tag, row)
        assert type(record) is RECORDS[tag]
        again = record._asdict()
        again |= again.pop("extra")
        assert set(again) >= set(row)
        for name, value in row.items():
            assert as_sent(again[name]) == ("" if value is None and again[name] == "" else value), name


def as_sent(value):
    return f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else value


@pytest.mark.parametrize("tag", TAGS)
def test_row_with_the_least_that_it_must_have_fits_and_the_rest_is_empty(tag):
    record = parse(tag, LEAST[tag])
    for column in COLUMNS[tag][:-1]:
        if column.name not in LEAST[tag]:
            expected = None if column.nullable else column.name == "operational" or EMPTY[column.kind]
            assert getattr(record, column.name) == expected, column
    assert record.extra == {}


@pytest.mark.parametrize("tag", TAGS)
def test_null_reads_as_what_is_missing_does(tag):
    nulls = {column.name: None for column in COLUMNS[tag][:-1]}
    assert parse(tag, nulls | LEAST[tag]) == parse(tag, LEAST[tag])


@pytest.mark.parametrize("tag", TAGS)
def test_each_field_of_the_least_is_needed(tag):
    for name in LEAST[tag]:
        without = {field: value for field, value in LEAST[tag].items() if field != name}
        if name in ("status", "protocol"):
            assert getattr(parse(tag, without), name) == ""
        else:
            assert reason(tag, without) == f"{name} is missing"
            assert reason(tag, LEAST[tag] | {name: None}).startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-01T12:00:00Z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00:00.250000Z", datetime(2026, 3, 1, 12, 0, 0, 250000, tzinfo=UTC)),
        ("2026-03-01T12:00:00+02:00", datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))),
        ("2026-03-01 12:00:00+00:00", datetime(2026, 3, 1, 12, tzinfo=UTC)),
    ],
)
def test_dates_are_moments(text, moment):
    assert parse("org", BASE | {"updated": text}).updated == moment


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("", None),
        (None, None),
    ],
)
def test_ipv4_addresses_are_read(sent, read):
    assert parse("netixlan", NETIXLAN | {"ipaddr4": sent}).ipaddr4 == read


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("2001:DB8:0:0::0001", "2001:db8::1"),
        ("2001:db8::", "2001:db8::"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("", None),
        (None, None),
    ],
)
def test_ipv6_addresses_are_read_in_their_canonical_text(sent, read):
    assert parse("netixlan", NETIXLAN | {"ipaddr6": sent}).ipaddr6 == read


@pytest.mark.parametrize(
    ("protocol", "sent", "read"),
    [
        ("IPv4", "198.51.100.0/24", "198.51.100.0/24"),
        ("IPv6", "2001:DB8:0::/64", "2001:db8::/64"),
        ("", "2001:db8::/64", "2001:db8::/64"),
        ("IPX", "198.51.100.0/24", "198.51.100.0/24"),
    ],
)
def test_networks_are_read_in_their_canonical_text(protocol, sent, read):
    assert parse("ixpfx", LEAST["ixpfx"] | {"protocol": protocol, "prefix": sent}).prefix == read


@pytest.mark.parametrize(("tag", "name"), fields("id"))
def test_ids_may_come_as_digits_in_a_string(tag, name):
    assert getattr(parse(tag, LEAST[tag] | {name: "0123"}), name) == 123


@pytest.mark.parametrize(("tag", "name"), [("ixlan", "rs_asn"), ("netfac", "local_asn")])
def test_as_number_0_is_none_where_there_may_be_none(tag, name):
    assert getattr(parse(tag, LEAST[tag] | {name: 0}), name) is None
    assert getattr(parse(tag, LEAST[tag] | {name: 4294967295}), name) == 4294967295


@pytest.mark.parametrize("value", [50, 50.5, -0.1, 0])
def test_coordinates_are_numbers(value):
    latitude = parse("fac", LEAST["fac"] | {"latitude": value}).latitude
    assert latitude == value
    assert type(latitude) is float


def test_values_that_peeringdb_picks_from_a_list_may_be_new_ones():
    row = LEAST["net"] | {
        "policy_general": "By Appointment",
        "info_types": ["Satellite", ""],
        "status": "archived",
    }
    record = parse("net", row)
    assert (record.policy_general, record.info_types, record.status) == (
        "By Appointment",
        ["Satellite", ""],
        "archived",
    )


def test_record_does_not_share_lists_with_the_row():
    row = LEAST["net"] | {"info_types": ["NSP"]}
    record = parse("net", row)
    row["info_types"].append("Content")
    assert record.info_types == ["NSP"]


def test_records_cannot_be_changed():
    with pytest.raises(AttributeError):
        parse("org", BASE).name = "other"


# Deleted rows


@pytest.mark.parametrize("tag", TAGS)
def test_deleted_row_is_a_tombstone_whatever_else_it_holds(tag):
    row = {"id": "7", "status": "deleted", "updated": WHEN}
    grave = Tombstone(id=7, status="deleted", updated=datetime(2026, 3, 1, 12, tzinfo=UTC))
    assert parse(tag, row) == grave
    assert parse(tag, row | {"asn": "none", "prefix": 5, "created": None, "net_id": None}) == grave
    assert type(parse(tag, LEAST[tag] | {"status": "deleted"})) is Tombstone


@pytest.mark.parametrize("name", ["id", "updated"])
def test_deleted_row_needs_its_id_and_when(name):
    row = {"id": 7, "status": "deleted", "updated": WHEN}
    assert reason("net", {field: row[field] for field in row if field != name}) == f"{name} is missing"
    assert reason("net", row | {name: "x"}).startswith(f"{name}: 'x' is not a ")


# What is refused

NO_NUMBER = (None, "", "ten", "1.5", 1.5, True, [], {}, "-1", "²", "12345678901")


@pytest.mark.parametrize(("tag", "name"), fields("id"))
def test_ids_that_are_none_are_refused(tag, name):
    column = next(column for column in COLUMNS[tag] if column.name == name)
    for value in NO_NUMBER:
        if value is None and column.nullable:
            continue
        shown = "null" if value is None else repr(value)
        assert (
            reason(tag, LEAST[tag] | {name: value}) == f"{name}: {masked(tag, shown)} is not a whole number"
        )
    for value in (0, -1, 2**31, 10**30, "0", "9999999999"):
        shown = masked(tag, repr(value))
        assert reason(tag, LEAST[tag] | {name: value}) == f"{name}: {shown} is not from 1 to 2147483647"
    assert getattr(parse(tag, LEAST[tag] | {name: 2**31 - 1}), name) == 2**31 - 1


@pytest.mark.parametrize(("tag", "name"), fields("int"))
def test_numbers_that_are_none_are_refused(tag, name):
    for value in ("", "7", 1.5, True, [], {}):
        assert reason(tag, LEAST[tag] | {name: value}) == f"{name}: {value!r} is not a whole number"
    for value in (-1, 2**31):
        assert reason(tag, LEAST[tag] | {name: value}) == f"{name}: {value} is not from 0 to 2147483647"
    assert getattr(parse(tag, LEAST[tag] | {name: 0}), name) == 0


@pytest.mark.parametrize(("tag", "name"), fields("asn"))
def test_as_numbers_that_are_none_are_refused(tag, name):
    values = [-1, 2**32, "64496", "AS64496", 1.5, True, False, [], {}]
    for value in values if name in ("rs_asn", "local_asn") else [*values, 0]:
        assert reason(tag, LEAST[tag] | {name: value}) == (
            f"{name}: {value!r} is not an AS number from 1 to 4294967295"
        )


@pytest.mark.parametrize("name", ["latitude", "longitude"])
@pytest.mark.parametrize("value", ["", "50.1", True, math.nan, math.inf, 10**400, [], {}])
def test_coordinates_that_are_none_are_refused(name, value):
    assert re.fullmatch(rf"{name}: .+ is not a number", reason("fac", LEAST["fac"] | {name: value}))


@pytest.mark.parametrize(("tag", "name"), fields("bool"))
def test_switches_that_are_none_are_refused(tag, name):
    for value in (0, 1, "", "true", "perhaps", []):
        assert reason(tag, LEAST[tag] | {name: value}) == f"{name}: {value!r} is neither true nor false"


@pytest.mark.parametrize(("tag", "name"), fields("datetime"))
def test_dates_that_are_none_are_refused(tag, name):
    for value in ("", "yesterday", "2026-02-30T00:00:00Z", "2026-03-01T25:00:00Z", 1772366400, {}, []):
        shown = masked(tag, repr(value))
        assert reason(tag, LEAST[tag] | {name: value}) == f"{name}: {shown} is not a date and time"
    for value in ("2026-03-01T12:00:00", "2026-03-01"):
        shown = masked(tag, repr(value))
        assert reason(tag, LEAST[tag] | {name: value}) == f"{name}: {shown} is a date without a time zone"


@pytest.mark.parametrize(("tag", "name"), fields("text"))
def test_text_that_is_none_is_refused(tag, name):
    for value in (1, True, ["x"], {}):
        shown = masked(tag, repr(value))
        assert reason(tag, LEAST[tag] | {name: value}) == f"{name}: {shown} is not text"
    for value in ("nul\0", "half \ud800 of a pair", "é\0"):
        shown = masked(tag, repr(value))
        assert reason(tag, LEAST[tag] | {name: value}) == (
            f"{name}: {shown} has characters that a database cannot keep"
        )


@pytest.mark.parametrize(
    ("tag", "column"), [pytest.param(*pair, id=f"{pair[0]}.{pair[1].name}") for pair in columns("text")]
)
def test_text_is_as_long_as_peeringdb_lets_it_be(tag, column):
    limit = column.max_length or 100_000
    assert getattr(parse(tag, LEAST[tag] | {column.name: "é" * limit}), column.name) == "é" * limit
    if column.max_length:
        told = reason(tag, LEAST[tag] | {column.name: "é" * (limit + 1)})
        assert told.endswith(f" has {limit + 1} characters, at most {limit} fit")
        assert told.startswith(f"{column.name}: ")
        assert len(told) < 150


@pytest.mark.parametrize("value", ["NSP", 1, {}, [1], ["NSP", None], [["NSP"]]])
def test_lists_of_something_else_than_text_are_refused(value):
    assert (
        reason("net", LEAST["net"] | {"info_types": value}) == f"info_types: {value!r} is not a list of text"
    )


def test_lists_with_text_that_cannot_be_kept_are_refused():
    assert reason("net", LEAST["net"] | {"info_types": ["NSP", "\0"]}) == (
        r"info_types: ['NSP', '\x00'] has characters that a database cannot keep"
    )


@pytest.mark.parametrize(
    "value",
    [
        "198.51.100.256",
        "198.51.100",
        "198.51.100.01",
        "198.51.100.1/24",
        " 198.51.100.1",
        "198.51.100.1\0",
        "\ud800",
        "2001:db8::1",
        "none",
        3325256705,
        True,
        ["198.51.100.1"],
        {},
    ],
)
def test_what_is_no_ipv4_address_is_refused(value):
    assert reason("netixlan", NETIXLAN | {"ipaddr4": value}) == f"ipaddr4: {value!r} is not an IPv4 address"


@pytest.mark.parametrize(
    "value", ["2001:db8::g", "2001:db8::1/64", "fe80::1%eth0", "198.51.100.1", ":::", 1, {}, ["2001:db8::1"]]
)
def test_what_is_no_ipv6_address_is_refused(value):
    assert reason("netixlan", NETIXLAN | {"ipaddr6": value}) == f"ipaddr6: {value!r} is not an IPv6 address"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("198.51.100.0", "is not a network"),
        ("", "is not a network"),
        (None, "is not a network"),
        (3325256704, "is not a network"),
        (["198.51.100.0", 24], "is not a network"),
        ("198.51.100.1/24", "is not a network, or has host bits set"),
        ("198.51.100.0/33", "is not a network, or has host bits set"),
        ("2001:db8::1/64", "is not a network, or has host bits set"),
        ("ten/24", "is not a network, or has host bits set"),
        ("198.51.100.0/24\0", "is not a network, or has host bits set"),
        ("2001:db8::/64", "is not a network of IPv4"),
    ],
)
def test_what_is_no_network_is_refused(value, why):
    shown = "null" if value is None else repr(value)
    assert reason("ixpfx", LEAST["ixpfx"] | {"prefix": value}) == f"prefix: {shown} {why}"


def test_ipv4_network_of_ipv6_is_refused():
    row = LEAST["ixpfx"] | {"protocol": "IPv6"}
    assert reason("ixpfx", row) == "prefix: '198.51.100.0/24' is not a network of IPv6"


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize(
    ("row", "shown"),
    [(None, "null"), ([], "[]"), ("x" * 100, f"'{'x' * 58}…"), (7, "7"), (True, "True")],
)
def test_what_is_no_object_is_refused(tag, row, shown):
    assert reason(tag, row) == f"the row is {shown}, not an object"


@pytest.mark.parametrize(
    "extra",
    [
        {"notes": "nul\0"},
        {"notes": ["\ud800"]},
        {"social_media": [{"service": "x", "identifier": "\0"}]},
        {"social_media": [{"\0": 1}]},
        {"number": math.inf},
        {"numbers": [[math.nan]]},
    ],
)
def test_other_fields_that_cannot_be_kept_are_refused(extra):
    (name,) = extra
    assert reason("org", BASE | extra) == f"'{name}' has characters or numbers that a database cannot keep"


def test_other_field_whose_name_cannot_be_kept_is_refused():
    assert reason("org", BASE | {"\0": 1, "x": "é"}) == (
        r"'\x00' has characters or numbers that a database cannot keep"
    )


def masked(tag, shown):
    return "the value" if tag == "poc" else shown


def test_reasons_show_nothing_of_a_contact():
    row = LEAST["poc"] | {"email": "a.person@example.net" * 20, "name": 5}
    assert reason("poc", row) == "name: the value is not text"
    assert reason("poc", row | {"name": ""}) == "email: the value has 400 characters, at most 254 fit"


def test_tag_that_peeringdb_does_not_have_is_a_mistake():
    with pytest.raises(KeyError):
        parse("user", BASE)


# Rows in any state of disrepair

VALUES = (
    None, True, False, 0, 1, -1, 2**31, 2**63, 10**50, 1.5, math.nan, math.inf, "", "x", "7", "\0", "\ud800", "é", "😀",
    "x" * 300, [], ["x"], [None], {}, {"a": ["\0"]}, "198.51.100.1", "2001:db8::1", "198.51.100.0/24", WHEN, "deleted",
    "2026-03-01T12:00:00", "ok",
)  # fmt: skip


@pytest.mark.parametrize("tag", TAGS)
def test_any_row_is_read_or_refused_and_what_is_read_is_of_its_type(tag):
    dice = random.Random(f"rows of {tag}")
    names = [*(column.name for column in COLUMNS[tag][:-1]), "notes", "new"]
    outcomes = []
    for _ in range(400):
        some = dice.sample(names, dice.choice((1, 1, 1, 2, len(names))))
        row = LEAST[tag] | {name: dice.choice(VALUES) for name in some}
        before = repr(row)
        outcomes.append(outcome(tag, row))
        assert repr(row) == before
    refused = [reason for reason in outcomes if isinstance(reason, str)]
    assert all(reason.isprintable() and 5 < len(reason) < 200 for reason in refused)
    records = [record for record in outcomes if not isinstance(record, str)]
    assert min(len(refused), len(records)) > 20
    for record in records:
        assert_fits(tag, record)


def outcome(tag, row):
    """The record, or the reason why there is none."""
    try:
        return parse(tag, row)
    except RefusedRow as refused:
        return refused.reason


def assert_fits(tag, record):
    if isinstance(record, Tombstone):
        return
    json.dumps(record.extra, allow_nan=False).encode("ascii")
    for column, value in zip(COLUMNS[tag], record, strict=True):
        if value is None:
            assert column.nullable
        elif column.kind in ("id", "int", "asn"):
            assert type(value) is int
            assert 0 <= value < 2**32
        elif column.kind == "datetime":
            assert value.utcoffset() is not None
        elif isinstance(value, str):
            assert is_storable_text(value)
            assert column.max_length is None or len(value) <= column.max_length


# What PostgreSQL keeps


@pytest.mark.django_db
def test_scrubbed_rows_can_be_kept():
    row = {
        "id": 7,
        "na\0me": "nul\0 and half \ud83d of a pair, and a whole 😀",
        "numbers": [1.5, math.nan, -math.inf, 10**30, True, None],
        "deep": {"er": ["\udc00"]},
    }
    clean = scrub(row)
    assert clean == {
        "id": 7,
        "na�me": "nul� and half � of a pair, and a whole 😀",
        "numbers": [1.5, "nan", "-inf", 10**30, True, None],
        "deep": {"er": ["�"]},
    }
    assert "\0" in row["na\0me"]
    assert kept(clean) == clean


@pytest.mark.django_db
@pytest.mark.parametrize("value", VALUES)
def test_what_is_taken_for_storable_is_what_postgresql_keeps(value):
    if not are_storable([value]):
        with pytest.raises(DatabaseError), transaction.atomic():
            kept(value)
    else:
        assert kept(value) == value


def kept(value):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb", [json.dumps(value)])
        return json.loads(cursor.fetchone()[0])


@pytest.mark.parametrize("tag", TAGS)
def test_exactly_the_rows_that_the_sample_spoils_are_refused(tag, server):
    server.faults.malformed(0.5)
    spoilt = server.faults.spoilt_ids(server.world, tag)
    refused = 0
    fitting = set()
    with client_of(server) as client:
        for row in client.fetch(tag).rows:
            try:
                fitting.add(parse(tag, row).id)
            except RefusedRow:
                refused += 1
    shown = {row["id"] for row in server.world.rows(tag) if row.get("visible", "Public") == "Public"}
    assert fitting == shown - spoilt
    assert refused == len(shown & spoilt)

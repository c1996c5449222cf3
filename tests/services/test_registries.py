"""Which registry an AS number belongs to."""

import csv
import re
from itertools import pairwise

import pytest

from netbox_peering_manager.services.provisioning import registries
from netbox_peering_manager.services.provisioning.registries import RANGES_FILE, REGISTRIES, registry_of


def ranges():
    with RANGES_FILE.open(newline="", encoding="ascii") as file:
        return [(int(row["first"]), int(row["last"]), row["rir"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize(
    ("asn", "name"),
    [
        (1, "ARIN"),
        (3356, "ARIN"),
        (3333, "RIPE NCC"),
        (4608, "APNIC"),
        (28000, "LACNIC"),
        (37100, "AFRINIC"),
        (196608, "RIPE NCC"),
        (393216, "ARIN"),
    ],
)
def test_allocated_numbers_have_their_registry(asn, name):
    assert registry_of(asn).name == name


@pytest.mark.parametrize(
    ("asn", "why"),
    [
        (0, "RFC 7607"),
        (23456, "AS_TRANS, RFC 6793"),
        (64496, "documentation, RFC 5398"),
        (64511, "documentation, RFC 5398"),
        (64512, "private, RFC 6996"),
        (65534, "private, RFC 6996"),
        (65535, "RFC 7300"),
        (65536, "documentation, RFC 5398"),
        (65551, "documentation, RFC 5398"),
        (65552, "reserved"),
        (131071, "reserved"),
        (4200000000, "private, RFC 6996"),
        (4294967294, "private, RFC 6996"),
        (4294967295, "RFC 7300"),
        (4294967296, "no AS number"),
        (-1, "no AS number"),
    ],
)
def test_reserved_private_and_unallocated_numbers_have_none(asn, why):
    assert registry_of(asn) is None, why


def test_ranges_are_ordered_and_do_not_overlap():
    rows = ranges()
    assert rows
    assert all(first <= last for first, last, _ in rows)
    assert all(last < first for (_, last, _), (first, _, _) in pairwise(rows))


def test_neighbouring_ranges_of_one_registry_are_joined():
    rows = ranges()
    joinable = [
        (last, first)
        for (_, last, rir), (first, _, other) in pairwise(rows)
        if rir == other and last + 1 == first
    ]
    assert joinable == []


def test_every_range_belongs_to_a_known_registry_and_every_registry_has_one():
    assert {rir for _, _, rir in ranges()} == set(REGISTRIES)


def test_bounds_of_every_range_belong_to_it_and_what_lies_beside_does_not():
    rows = ranges()
    owner = {asn: rir for first, last, rir in rows for asn in (first, last)}
    starts, ends = {first for first, _, _ in rows}, {last for _, last, _ in rows}
    for asn, rir in owner.items():
        assert registry_of(asn) == REGISTRIES[rir]
    for end in ends:
        if end + 1 not in starts:
            assert registry_of(end + 1) is None


def test_slugs_are_slugs_and_of_one_registry_each():
    slugs = [slug for registry in REGISTRIES.values() for slug in registry.slugs]
    assert len(slugs) == len(set(slugs))
    assert all(re.fullmatch(r"[a-z0-9-]+", slug) for slug in slugs)


def test_module_is_pure():
    text = registries.__loader__.get_source(registries.__name__)
    assert not re.search(r"^\s*(from|import) (django|netbox|ipam|dcim)", text, flags=re.MULTILINE)

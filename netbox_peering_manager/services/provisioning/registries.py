"""
Which RIR an AS number belongs to. Pure: no Django, no database.

`asn_ranges.csv` holds IANA's allocations to the registries, from its RDAP bootstrap registry for AS numbers
(RFC 9224, data.iana.org/rdap/asn.json, publication 2026-06-01), adjacent blocks of one registry joined.
"""

import csv
from bisect import bisect_right
from functools import cache
from pathlib import Path
from typing import NamedTuple

RANGES_FILE = Path(__file__).with_name("asn_ranges.csv")


class Registry(NamedTuple):
    """A regional internet registry: the name it goes by, and the slugs that NetBox users give it."""

    name: str
    slugs: tuple[str, ...]


REGISTRIES = {
    "afrinic": Registry("AFRINIC", ("afrinic",)),
    "apnic": Registry("APNIC", ("apnic",)),
    "arin": Registry("ARIN", ("arin",)),
    "lacnic": Registry("LACNIC", ("lacnic",)),
    "ripe": Registry("RIPE NCC", ("ripe", "ripe-ncc", "ripencc")),
}


def registry_of(asn: int) -> Registry | None:
    """
    Return the registry that IANA allocated `asn` to; None for reserved, private and unallocated numbers.
    """
    firsts, rows = _ranges()
    position = bisect_right(firsts, asn) - 1
    if position < 0 or asn > rows[position][0]:
        return None
    return REGISTRIES[rows[position][1]]


@cache
def _ranges() -> tuple[list[int], list[tuple[int, str]]]:
    with RANGES_FILE.open(newline="", encoding="ascii") as file:
        rows = [(int(row["first"]), int(row["last"]), row["rir"]) for row in csv.DictReader(file)]
    return [first for first, _, _ in rows], [(last, rir) for _, last, rir in rows]

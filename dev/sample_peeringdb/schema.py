"""
What PeeringDB's rows look like, and whether a row is one.

`fields.json` lists each type's fields, types and enums, from PeeringDB's OpenAPI description, put right where its
generator misleads and real rows say otherwise: `irr_as_set` is a field of net (the generator drops what ends in
`_set`), `ixlan_id` is a number, and addresses, coordinates and some times can be null.
"""

import ipaddress
import json
import re
from functools import cache
from pathlib import Path

# Parents first, as a sync wants them.
TAGS = (
    "org",
    "campus",
    "fac",
    "carrier",
    "carrierfac",
    "net",
    "ix",
    "ixfac",
    "ixlan",
    "ixpfx",
    "netfac",
    "netixlan",
    "poc",
)
# field -> type of row it points at
PARENTS = {
    "org_id": "org",
    "campus_id": "campus",
    "fac_id": "fac",
    "carrier_id": "carrier",
    "net_id": "net",
    "ix_id": "ix",
    "ixlan_id": "ixlan",
    "net_side_id": "fac",
    "ix_side_id": "fac",
}
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
STATUSES = {"ok", "pending", "deleted"}


@cache
def fields():
    """tag -> field -> what fields.json says of it (a string, or a mapping with `type`, `enum`, `items`)."""
    return json.loads((Path(__file__).parent / "fields.json").read_text())


@cache
def type_of(tag, field):
    """The JSON type of a field without what may be null: integer, number, boolean, string, array or object."""
    said = fields()[tag][field]
    return re.match("[a-z]+", said["type"] if isinstance(said, dict) else said)[0]


def problems(tag, row):
    """What is wrong with a row, as a list of sentences; empty when it is as PeeringDB would send it."""
    known = fields()[tag]
    found = [f"{field} is missing" for field in known.keys() - row.keys()]
    found += [f"{field} is no field" for field in row.keys() - known.keys()]
    meanings = _MEANING.get(tag, {})
    for field, said in known.items():
        if field not in row:
            continue
        if not _fits(said, row[field]):
            found.append(f"{field} is {row[field]!r}, not {said}")
        elif row[field] is not None and field in meanings and not meanings[field](row[field]):
            found.append(f"{field} is {row[field]!r}")
    if row.get("status") not in STATUSES:
        found.append(f"status is {row.get('status')!r}")
    return sorted(found)


def _fits(said, value):
    """Whether a value is of the type, length and enum that fields.json says."""
    if isinstance(said, str):
        said = {"type": said}
    kind = said["type"]
    if value is None:
        return kind.endswith("|null")
    name, length = re.fullmatch(r"([a-z]+)[^<|]*(?:<=(\d+))?(?:\|null)?", kind).groups()
    if not _TYPES[name](value) or (length and len(value) > int(length)):
        return False
    if "date-time" in kind and not STAMP.fullmatch(value):
        return False
    if name == "array" and "enum" in said.get("items", {}):
        return all(item in said["items"]["enum"] for item in value)
    enum = said.get("enum")
    if enum == "250 values":  # ISO 3166
        return bool(re.fullmatch("[A-Z]{2}|", value))
    return enum is None or value in enum


_TYPES = {
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def _parses(parser):
    def check(value):
        try:
            parser(value)
        except ValueError:
            return False
        return True

    return check


_MEANING = {
    "netixlan": {
        "ipaddr4": _parses(ipaddress.IPv4Address),
        "ipaddr6": _parses(ipaddress.IPv6Address),
        "asn": lambda value: 0 < value < 2**32,
        "speed": lambda value: value >= 0,
    },
    "ixpfx": {"prefix": _parses(ipaddress.ip_network)},
    "net": {"asn": lambda value: 0 < value < 2**32},
}

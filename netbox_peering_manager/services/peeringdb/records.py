"""
PeeringDB's objects as typed, immutable records. Pure: no Django, no database.

One NamedTuple per object type, because a full sync parses 220,000 rows and nothing immutable with names is made
faster; it is at the same time the row that COPY writes. The annotations of the records are the only place that says
which fields the mirror has columns for: `COLUMNS` and the parsers are made from them. Every other field of a row,
known or new, is kept as it came in `extra`.

Fields, types and limits are those of PeeringDB's API, server version 2.82, lists at depth 0. The reason for which a
row is refused is kept with it, in English like PeeringDB's own values.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, get_type_hints

from ...exceptions import RefusedRow
from .fields import (
    Asn,
    Column,
    Extra,
    Flag,
    FlagOn,
    Id,
    Int,
    Kind,
    Misfit,
    Network,
    OptionalAsn,
    OptionalFloat,
    OptionalId,
    OptionalInt,
    OptionalIPv4,
    OptionalIPv6,
    Reader,
    Text,
    Text18,
    Text64,
    Text100,
    Text192,
    Text200,
    Text254,
    Text255,
    Texts,
    When,
    are_storable,
    reader_of,
    scrub,
)

__all__ = (
    "COLUMNS",
    "RECORDS",
    "TAGS",
    "Campus",
    "Carrier",
    "CarrierFac",
    "Column",
    "Fac",
    "Ix",
    "IxFac",
    "IxLan",
    "IxPfx",
    "Net",
    "NetFac",
    "NetIxLan",
    "Org",
    "Poc",
    "Record",
    "RefusedRow",
    "Tombstone",
    "parse",
    "scrub",
)

SHOWN_LENGTH = 60


class Tombstone(NamedTuple):
    """A row with the status "deleted": what it held before is of no use, and PeeringDB may leave it out."""

    id: Id
    status: Text
    updated: When


class Org(NamedTuple):
    id: Id
    status: Text
    created: When
    updated: When
    name: Text255
    aka: Text255
    website: Text255
    city: Text255
    country: Text
    extra: Extra


class Campus(NamedTuple):
    id: Id
    status: Text
    created: When
    updated: When
    org_id: Id
    name: Text255
    city: Text
    country: Text
    extra: Extra


class Fac(NamedTuple):
    """`latitude` and `longitude` in degrees."""

    id: Id
    status: Text
    created: When
    updated: When
    org_id: Id
    campus_id: OptionalId
    name: Text255
    aka: Text255
    website: Text
    address1: Text
    city: Text
    state: Text255
    country: Text
    zipcode: Text
    clli: Text18
    latitude: OptionalFloat
    longitude: OptionalFloat
    region_continent: Text
    extra: Extra


class Carrier(NamedTuple):
    id: Id
    status: Text
    created: When
    updated: When
    org_id: Id
    name: Text255
    aka: Text255
    website: Text255
    extra: Extra


class CarrierFac(NamedTuple):
    id: Id
    status: Text
    created: When
    updated: When
    carrier_id: Id
    fac_id: Id
    extra: Extra


class Net(NamedTuple):
    id: Id
    status: Text
    created: When
    updated: When
    org_id: Id
    asn: Asn
    name: Text255
    aka: Text255
    irr_as_set: Text255
    website: Text255
    looking_glass: Text
    info_types: Texts
    info_prefixes4: OptionalInt
    info_prefixes6: OptionalInt
    info_traffic: Text
    info_ratio: Text
    info_scope: Text
    info_unicast: Flag
    info_multicast: Flag
    info_ipv6: Flag
    info_never_via_route_servers: Flag
    policy_url: Text255
    policy_general: Text
    policy_locations: Text
    policy_ratio: Flag
    policy_contracts: Text
    status_dashboard: Text
    rir_status: Text
    extra: Extra


class Ix(NamedTuple):
    id: Id
    status: Text
    created: When
    updated: When
    org_id: Id
    name: Text64
    aka: Text255
    name_long: Text255
    city: Text192
    country: Text
    region_continent: Text
    media: Text
    website: Text
    url_stats: Text255
    tech_email: Text
    policy_email: Text254
    service_level: Text
    terms: Text
    status_dashboard: Text
    extra: Extra


class IxFac(NamedTuple):
    id: Id
    status: Text
    created: When
    updated: When
    ix_id: Id
    fac_id: Id
    extra: Extra


class IxLan(NamedTuple):
    """`arp_sponge` is the MAC address of the exchange's ARP sponge; `mtu` in bytes."""

    id: Id
    status: Text
    created: When
    updated: When
    ix_id: Id
    name: Text255
    mtu: OptionalInt
    rs_asn: OptionalAsn
    arp_sponge: Text
    ixf_ixp_member_list_url: Text200
    extra: Extra


class IxPfx(NamedTuple):
    """`in_dfz`: whether the prefix is announced to the default-free zone."""

    id: Id
    status: Text
    created: When
    updated: When
    ixlan_id: Id
    protocol: Text
    prefix: Network
    in_dfz: Flag
    extra: Extra


class NetFac(NamedTuple):
    id: Id
    status: Text
    created: When
    updated: When
    net_id: Id
    fac_id: Id
    local_asn: OptionalAsn
    extra: Extra


class NetIxLan(NamedTuple):
    """
    A network's port on an IX LAN: `speed` in Mbit/s, `net_side_id` and `ix_side_id` the facilities of its two ends.
    """

    id: Id
    status: Text
    created: When
    updated: When
    net_id: Id
    ix_id: Id
    ixlan_id: Id
    asn: Asn
    speed: Int
    ipaddr4: OptionalIPv4
    ipaddr6: OptionalIPv6
    is_rs_peer: Flag
    bfd_support: Flag
    operational: FlagOn
    net_side_id: OptionalId
    ix_side_id: OptionalId
    extra: Extra


class Poc(NamedTuple):
    id: Id
    status: Text
    created: When
    updated: When
    net_id: Id
    role: Text
    visible: Text
    name: Text254
    phone: Text100
    email: Text254
    url: Text255
    extra: Extra


type Record = (
    Org | Campus | Fac | Carrier | CarrierFac | Net | Ix | IxFac | IxLan | IxPfx | NetFac | NetIxLan | Poc
)

# By tag, parents first, as PeeringDB's own client orders them.
RECORDS: Mapping[str, type[Any]] = {
    "org": Org,
    "campus": Campus,
    "fac": Fac,
    "carrier": Carrier,
    "carrierfac": CarrierFac,
    "net": Net,
    "ix": Ix,
    "ixfac": IxFac,
    "ixlan": IxLan,
    "ixpfx": IxPfx,
    "netfac": NetFac,
    "netixlan": NetIxLan,
    "poc": Poc,
}
TAGS: tuple[str, ...] = tuple(RECORDS)


def _kinds(record: type[Any]) -> dict[str, Kind]:
    """The kind of each field of a record type, in their order."""
    hints = get_type_hints(record, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items()}


COLUMNS: Mapping[str, tuple[Column, ...]] = {
    tag: tuple(
        Column(name, kind.name, kind.nullable, kind.max_length) for name, kind in _kinds(record).items()
    )
    for tag, record in RECORDS.items()
}


def parse(tag: str, row: object) -> Record | Tombstone:
    """
    Return the row of a list as the record of its type, or as a Tombstone when its status is "deleted".

    The first field that does not fit refuses the row: RefusedRow, whose reason names field and value. Of a deleted
    row only `id` and `updated` must fit. Values that PeeringDB picks from a list are kept whatever they are, so that a
    new one drops nothing. KeyError for a tag that PeeringDB does not have.
    """
    plan = _PLANS[tag]
    if not isinstance(row, dict):
        raise RefusedRow(f"the row is {_shown(row)}, not an object")
    get = row.get
    deleted = get("status") == "deleted"
    values: list[Any] = []
    name = ""
    try:
        for name, read in _TOMBSTONE if deleted else plan.readers:
            values.append(read(get(name)))
    except Misfit as misfit:
        raise RefusedRow(_reason(tag, name, row, misfit)) from None
    if deleted:
        return Tombstone._make(values)
    values.append(_extra(row, plan.names))
    record = plan.make(values)
    if plan.check:
        plan.check(record)
    return record


class _Plan(NamedTuple):
    """How rows of one type become records: `readers` in the order of the fields, without `extra`."""

    readers: tuple[tuple[str, Reader], ...]
    names: frozenset[str]
    make: Callable[[list[Any]], Any]
    check: Callable[[Any], None] | None


def _readers(record: type[Any]) -> tuple[tuple[str, Reader], ...]:
    return tuple((name, reader_of(kind)) for name, kind in _kinds(record).items() if kind.name != "json")


def _check_family(row: IxPfx) -> None:
    family = "IPv6" if ":" in row.prefix else "IPv4"
    if row.protocol in ("IPv4", "IPv6") and row.protocol != family:
        raise RefusedRow(f"prefix: {_shown(row.prefix)} is not a network of {row.protocol}")


_PLANS: Mapping[str, _Plan] = {
    tag: _Plan(
        readers=_readers(record),
        names=frozenset(name for name, _ in _readers(record)),
        make=record._make,
        check=_check_family if record is IxPfx else None,
    )
    for tag, record in RECORDS.items()
}
_TOMBSTONE = _readers(Tombstone)


def _extra(row: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    extra = {name: value for name, value in row.items() if name not in names}
    if are_storable(extra) and are_storable(extra.values()):
        return extra
    culprit = next(name for name, value in extra.items() if not are_storable((name, value)))
    raise RefusedRow(f"{_shown(culprit)} has characters or numbers that a database cannot keep")


def _reason(tag: str, name: str, row: dict[str, Any], misfit: Misfit) -> str:
    if name not in row:
        return f"{name} is missing"
    # Refused rows are shown to people who may not see contacts.
    shown = "the value" if tag == "poc" else _shown(row[name])
    return f"{name}: {shown} {misfit}"


def _shown(value: object) -> str:
    """`value` as one short line of printable characters."""
    text = "null" if value is None else repr(value)
    return text if len(text) <= SHOWN_LENGTH else f"{text[: SHOWN_LENGTH - 1]}…"

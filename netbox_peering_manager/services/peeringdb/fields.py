"""
The kinds of fields that PeeringDB's records have, and how a value of each is read. Pure: no Django, no database.

What is read is what PostgreSQL can keep, so that no row of a bulk load fails for all the others.
"""

import math
import socket
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from ipaddress import ip_network
from typing import Annotated, Any, NamedTuple

# PeeringDB's ids and counts are PostgreSQL's integers.
INT_MAX = 2**31 - 1
ASN_MAX = 2**32 - 1


class Column(NamedTuple):
    """
    One field of a record.

    `kind` says what its values are, and what is read as which:

    id         int, 1 … 2³¹-1; digits in a string are read too, as PeeringDB documents `ixlan_id` to be a string
    int        int, 0 … 2³¹-1
    asn        int, 1 … 2³²-1; 0 reads as None where None may be, as it is PeeringDB's default for `rs_asn`
    float      float, finite
    bool       bool; null and missing read as PeeringDB's own default
    datetime   aware datetime
    text       str; null and missing read as ""
    list       list of str; null and missing read as []
    ipv4 ipv6  canonical text of an address; "" reads as None
    network    canonical text of a network; its host bits are zero
    json       dict of whatever JSON holds, for `extra` alone

    `nullable` says whether a record's value may be None: null and missing read as that. `max_length` is that of text,
    None when PeeringDB sets none.
    """

    name: str
    kind: str
    nullable: bool = False
    max_length: int | None = None


class Kind(NamedTuple):
    """What a record's annotation says of a field beside its Python type; `default` is that of a bool."""

    name: str
    nullable: bool = False
    max_length: int | None = None
    default: bool = False


Id = Annotated[int, Kind("id")]
OptionalId = Annotated[int | None, Kind("id", nullable=True)]
Int = Annotated[int, Kind("int")]
OptionalInt = Annotated[int | None, Kind("int", nullable=True)]
Asn = Annotated[int, Kind("asn")]
OptionalAsn = Annotated[int | None, Kind("asn", nullable=True)]
OptionalFloat = Annotated[float | None, Kind("float", nullable=True)]
Flag = Annotated[bool, Kind("bool")]
FlagOn = Annotated[bool, Kind("bool", default=True)]
When = Annotated[datetime, Kind("datetime")]
Text = Annotated[str, Kind("text")]
Text18 = Annotated[str, Kind("text", max_length=18)]
Text64 = Annotated[str, Kind("text", max_length=64)]
Text100 = Annotated[str, Kind("text", max_length=100)]
Text192 = Annotated[str, Kind("text", max_length=192)]
Text200 = Annotated[str, Kind("text", max_length=200)]
Text254 = Annotated[str, Kind("text", max_length=254)]
Text255 = Annotated[str, Kind("text", max_length=255)]
Texts = Annotated[list[str], Kind("list")]
OptionalIPv4 = Annotated[str | None, Kind("ipv4", nullable=True)]
OptionalIPv6 = Annotated[str | None, Kind("ipv6", nullable=True)]
Network = Annotated[str, Kind("network")]
Extra = Annotated[dict[str, Any], Kind("json")]

# Takes a value out of JSON, None when it is missing, and returns what the record holds; Misfit when it does not fit.
type Reader = Callable[[Any], Any]


class Misfit(Exception):
    """A value does not fit its field. The text says why, as the rest of a sentence that begins with the value."""


def reader_of(kind: Kind) -> Reader:
    """Return the function that reads values of `kind`."""
    match kind.name:
        case "text":
            return _text_reader(kind.max_length)
        case "bool":
            return _bool_reader(kind.default)
        case "ipv4":
            return _address_reader(socket.AF_INET, "an IPv4 address")
        case "ipv6":
            return _address_reader(socket.AF_INET6, "an IPv6 address")
        case "asn" if kind.nullable:
            return _read_optional_asn
    reader = _READERS[kind.name]
    return _optional(reader) if kind.nullable else reader


def _optional(reader: Reader) -> Reader:
    def read(value: Any) -> Any:
        return None if value is None else reader(value)

    return read


def _read_id(value: Any) -> int:
    if value.__class__ is str and value.isascii() and value.isdecimal() and len(value) <= 10:
        value = int(value)
    if value.__class__ is not int:
        raise Misfit("is not a whole number")
    if not 1 <= value <= INT_MAX:
        raise Misfit(f"is not from 1 to {INT_MAX}")
    return int(value)


def _read_int(value: Any) -> int:
    if value.__class__ is not int:
        raise Misfit("is not a whole number")
    if not 0 <= value <= INT_MAX:
        raise Misfit(f"is not from 0 to {INT_MAX}")
    return int(value)


def _read_asn(value: Any) -> int:
    if value.__class__ is not int or not 1 <= value <= ASN_MAX:
        raise Misfit(f"is not an AS number from 1 to {ASN_MAX}")
    return int(value)


def _read_optional_asn(value: Any) -> int | None:
    return None if value is None or (value == 0 and value.__class__ is int) else _read_asn(value)


def _read_float(value: Any) -> float:
    if value.__class__ is float and math.isfinite(value):
        return float(value)
    if value.__class__ is int and abs(value) <= INT_MAX:
        return float(value)
    raise Misfit("is not a number")


def _bool_reader(default: bool) -> Reader:
    def read(value: Any) -> bool:
        if value is True or value is False:
            return bool(value)
        if value is None:
            return default
        raise Misfit("is neither true nor false")

    return read


def _read_datetime(value: Any) -> datetime:
    try:
        when = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Misfit("is not a date and time") from None
    if when.tzinfo is None:
        raise Misfit("is a date without a time zone")
    return when


def _text_reader(max_length: int | None) -> Reader:
    def read(value: Any) -> str:
        if value is None:
            return ""
        if value.__class__ is not str:
            raise Misfit("is not text")
        if max_length is not None and len(value) > max_length:
            raise Misfit(f"has {len(value)} characters, at most {max_length} fit")
        if not is_storable_text(value):
            raise Misfit("has characters that a database cannot keep")
        return str(value)

    return read


def _read_list(value: Any) -> list[str]:
    if value is None:
        return []
    if value.__class__ is not list or not all(item.__class__ is str for item in value):
        raise Misfit("is not a list of text")
    if not are_storable(value):
        raise Misfit("has characters that a database cannot keep")
    return list(value)


def _address_reader(family: socket.AddressFamily, what: str) -> Reader:
    # A fifth of the time that `ipaddress` takes, and as strict.
    pton, ntop = socket.inet_pton, socket.inet_ntop

    def read(value: Any) -> str | None:
        if value is None or value == "":
            return None
        try:
            return ntop(family, pton(family, value))
        except (OSError, TypeError, ValueError):
            raise Misfit(f"is not {what}") from None

    return read


def _read_network(value: Any) -> str:
    # Numbers are networks too to `ip_network`.
    if value.__class__ is not str or "/" not in value:
        raise Misfit("is not a network")
    try:
        return str(ip_network(value))
    except ValueError:
        raise Misfit("is not a network, or has host bits set") from None


_READERS: Mapping[str, Reader] = {
    "id": _read_id,
    "int": _read_int,
    "asn": _read_asn,
    "float": _read_float,
    "datetime": _read_datetime,
    "list": _read_list,
    "network": _read_network,
}


def is_storable_text(text: str) -> bool:
    """Whether PostgreSQL can keep `text`: JSON's NUL and lone surrogates it cannot."""
    if "\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def are_storable(values: Iterable[Any]) -> bool:
    """Whether PostgreSQL can keep all of these values out of JSON as jsonb."""
    for value in values:
        kind = value.__class__
        if kind is str:
            if not is_storable_text(value):
                return False
        elif kind is list:
            if not are_storable(value):
                return False
        elif kind is dict:
            if not (are_storable(value) and are_storable(value.values())):
                return False
        elif kind is float and not math.isfinite(value):
            return False
    return True


def scrub(value: Any) -> Any:
    """
    Return a copy of `value`, out of JSON, that PostgreSQL can keep as jsonb; for rows that were refused.

    NUL and lone surrogates become U+FFFD, numbers that are not finite become text.
    """
    if isinstance(value, str):
        return value if is_storable_text(value) else _scrub_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {scrub(name): scrub(item) for name, item in value.items()}
    if isinstance(value, list):
        return [scrub(item) for item in value]
    return value


def _scrub_text(text: str) -> str:
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")

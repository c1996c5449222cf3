"""
What NAPALM's getters tell of neighbours, for platforms whose own text is not read. Pure: records in, values out.

get_bgp_config() knows no VRF, no BFD, no TTL of a neighbour and no switched-off session; which VRF a neighbour is in,
and whether it is switched on, is taken from those that run (`devices.neighbors`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from ..devices.neighbors import Neighbor
from .found import Found, FoundFamily, FoundGroup, FoundNeighbor

__all__ = ("from_config", "from_neighbors")

NO_GROUP = "_"
VERSIONS = {"inet": "ipv4", "inet6": "ipv6", "ipv4": "ipv4", "ipv6": "ipv6"}
TOLD = ("limits", "policies")

type Record = Mapping[str, Any]


def from_neighbors(neighbors: Sequence[Neighbor]) -> Found:
    """Return what those that run tell by themselves, for drivers without get_bgp_config()."""
    unread = _(
        "This platform's driver tells neither peer groups nor policies, limits, BFD, TTL or passwords: they are not "
        "imported. Enter the policies before anything is deployed: a session without one is rendered as one that "
        "rejects all routes (RFC 8212)."
    )
    found = tuple(_running(each) for each in neighbors)
    return Found(local_asn=_most(found), neighbors=found, told=(), unread=(unread,))


def from_config(config: Record, neighbors: Sequence[Neighbor]) -> Found:
    """Return what get_bgp_config() tells, of neighbours that run. Those that are only configured are marked."""
    groups = tuple(_group(name, record) for name, record in config.items() if name != NO_GROUP)
    configured = dict(_configured(config))
    told_twice = _repeated(neighbors)
    found = [
        _with(configured.get(each.remote_ip, (NO_GROUP, {}, {})), _running(each))
        for each in neighbors
        if each.remote_ip not in told_twice
    ]
    running = {each.remote_ip for each in neighbors}
    found += [
        _with(said, FoundNeighbor(vrf="", remote_ip=address, is_running=False))
        for address, said in configured.items()
        if address not in running
    ]
    unread = [
        _("This platform's driver tells no BFD, no TTL and no password in clear: they are not imported.")
    ]
    unread += [
        _("{ip} is a neighbour in several VRFs, which this platform's driver does not tell apart.").format(
            ip=ip
        )
        for ip in sorted(told_twice)
    ]
    return Found(
        local_asn=_most(found), neighbors=tuple(found), groups=groups, told=TOLD, unread=tuple(unread)
    )


def _running(each: Neighbor) -> FoundNeighbor:
    return FoundNeighbor(
        vrf=each.vrf,
        remote_ip=each.remote_ip,
        remote_asn=each.remote_asn,
        local_asn=each.local_asn,
        local_ip=each.local_ip,
        local_interface=each.interface,
        description=each.description,
        families=(FoundFamily(f"ipv{each.family}-unicast"),),
        enabled=each.enabled,
    )


def _configured(config: Record) -> Iterator[tuple[str, tuple[str, Record, Record]]]:
    """Address → its group's name, its group's record and its own."""
    for name, group in config.items():
        for address, record in group.get("neighbors", {}).items():
            yield address, (name, group, record)


def _with(said: tuple[str, Record, Record], found: FoundNeighbor) -> FoundNeighbor:
    name, group, record = said
    return replace(
        found,
        remote_asn=found.remote_asn or _number(record, "remote_as") or _number(group, "remote_as"),
        local_asn=found.local_asn or _number(record, "local_as") or _number(group, "local_as"),
        local_ip=str(record.get("local_address") or group.get("local_address") or found.local_ip),
        is_local_configured=bool(record.get("local_address") or group.get("local_address")),
        peer_group="" if name == NO_GROUP else name,
        description=str(record.get("description") or found.description),
        families=_families(record, group, found.version),
        has_password=bool(record.get("authentication_key")),
        not_taken=tuple(_several(record)),
    )


def _families(record: Record, group: Record, version: int) -> tuple[FoundFamily, ...]:
    limits = {**_limits(group), **_limits(record)}
    names = sorted({f"ipv{version}-unicast", *limits})
    return tuple(
        FoundFamily(
            name, _policy(record, "import_policy"), _policy(record, "export_policy"), limits.get(name)
        )
        for name in names
    )


def _limits(record: Record) -> dict[str, int]:
    found = {}
    for family, kinds in (record.get("prefix_limit") or {}).items():
        for safi, said in kinds.items():
            if family in VERSIONS and said.get("limit"):
                found[f"{VERSIONS[family]}-{safi}"] = int(said["limit"])
    return found


def _policy(record: Record, name: str) -> str:
    """The policy; several, which NetBox has no place for, as one that it cannot have."""
    return ", ".join(_names(record.get(name)))


def _several(record: Record) -> Iterator[str]:
    for name in ("import_policy", "export_policy"):
        if len(names := _names(record.get(name))) > 1:
            yield f"{name.replace('_', ' ')} {', '.join(names)}"


def _names(value: Any) -> list[str]:
    return str(value or "").replace(",", " ").split()


def _group(name: str, record: Record) -> FoundGroup:
    limits = _limits(record)
    policies = _policy(record, "import_policy"), _policy(record, "export_policy")
    afis = sorted(limits) or (["ipv4-unicast", "ipv6-unicast"] if any(policies) else [])
    return FoundGroup(
        name=name,
        description=str(record.get("description") or ""),
        families=tuple(FoundFamily(afi, *policies, limits.get(afi)) for afi in afis),
    )


def _repeated(neighbors: Sequence[Neighbor]) -> set[str]:
    seen: set[str] = set()
    return {each.remote_ip for each in neighbors if each.remote_ip in seen or seen.add(each.remote_ip)}  # type: ignore[func-returns-value]


def _number(record: Record, name: str) -> int | None:
    """NAPALM's 0 and -1 are no AS numbers."""
    number = int(record.get(name) or 0)
    return number if number > 0 else None


def _most(found: Sequence[FoundNeighbor]) -> int | None:
    """The local AS that most neighbours have."""
    numbers = [each.local_asn for each in found if each.local_asn]
    return max(set(numbers), key=numbers.count) if numbers else None

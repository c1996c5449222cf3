"""What was read of a router's BGP: plain values between reading and matching. Pure: no Django, no device."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

__all__ = ("Found", "FoundAddress", "FoundBFD", "FoundFamily", "FoundGroup", "FoundNeighbor", "FoundRouteMap")

# What a platform may not tell; what it does not is not compared.
TELLABLE = ("bfd", "families", "limits", "password", "policies", "ttl")


@dataclass(frozen=True, slots=True)
class FoundFamily:
    """
    A family of a neighbour or peer group, called as netbox-routing does ("ipv4-unicast"). Route maps are its own, ""
    for none; `max_prefixes` may be its peer group's.
    """

    afi: str
    route_map_in: str = ""
    route_map_out: str = ""
    max_prefixes: int | None = None


@dataclass(frozen=True, slots=True)
class FoundNeighbor:
    """
    A configured neighbour, what it has of its peer group included.

    `vrf`: "" outside of all VRFs. Addresses are without mask; `local_ip` is "" when the router chooses it and nothing
    tells which, and `is_local_configured` when it is named rather than seen. `local_interface` is that of a link-local
    neighbour. `ttl` as NetBox keeps it: 255 is TTL security over one hop (RFC 5082), other numbers are multihop.
    `has_password` without a `password`: the router does not show it in clear. `not_taken`: settings that NetBox has no
    place for, by their words. `is_running` false: it is configured, and nothing tells its VRF, nor whether it is
    switched off.
    """

    vrf: str
    remote_ip: str
    remote_asn: int | None = None
    local_asn: int | None = None
    local_ip: str = ""
    is_local_configured: bool = False
    local_interface: str = ""
    peer_group: str = ""
    description: str = ""
    families: tuple[FoundFamily, ...] = ()
    bfd: bool = False
    bfd_profile: str = ""
    ttl: int | None = None
    password: str = field(default="", repr=False)
    has_password: bool = False
    enabled: bool = True
    not_taken: tuple[str, ...] = ()
    is_running: bool = True

    @property
    def key(self) -> str:
        """What tells it from the router's other neighbours."""
        return f"{self.vrf}|{self.remote_ip}|{self.local_interface}"

    @property
    def version(self) -> int:
        """4 or 6: that of its address."""
        return 6 if ":" in self.remote_ip else 4

    def family(self, afi: str) -> FoundFamily | None:
        return next((each for each in self.families if each.afi == afi), None)

    def limit(self, version: int) -> int | None:
        """The limit of prefixes in IPv4 or IPv6 unicast, None for none."""
        found = self.family(f"ipv{version}-unicast")
        return found.max_prefixes if found else None


@dataclass(frozen=True, slots=True)
class FoundGroup:
    """A peer group."""

    name: str
    vrf: str = ""
    description: str = ""
    families: tuple[FoundFamily, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundRouteMap:
    """A route map: its entries as (sequence, action). `is_whole`: they match everything and set nothing."""

    name: str
    entries: tuple[tuple[int, str], ...] = ()
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class FoundBFD:
    """A BFD profile, intervals in milliseconds."""

    name: str
    multiplier: int = 3
    receive_ms: int = 300
    transmit_ms: int = 300


@dataclass(frozen=True, slots=True)
class FoundAddress:
    """An address of the router's, without mask, the length of its prefix, and its interface."""

    interface: str
    ip: str
    length: int


@dataclass(frozen=True, slots=True)
class Found:
    """
    What a router has. `told` is what its platform tells at all, of TELLABLE; `unread` says in sentences what could not
    be read.
    """

    local_asn: int | None = None
    neighbors: tuple[FoundNeighbor, ...] = ()
    groups: tuple[FoundGroup, ...] = ()
    route_maps: tuple[FoundRouteMap, ...] = ()
    bfd_profiles: tuple[FoundBFD, ...] = ()
    addresses: tuple[FoundAddress, ...] = ()
    told: tuple[str, ...] = TELLABLE
    unread: tuple[str, ...] = ()

    def as_text(self) -> str:
        """Return it as JSON, passwords included: to be encrypted, for from_text()."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return what as_text() gave."""
        data = json.loads(text)
        return cls(
            local_asn=data["local_asn"],
            neighbors=tuple(_with_families(FoundNeighbor, row) for row in data["neighbors"]),
            groups=tuple(_with_families(FoundGroup, row) for row in data["groups"]),
            route_maps=tuple(
                FoundRouteMap(row["name"], tuple((n, a) for n, a in row["entries"]), row["is_whole"])
                for row in data["route_maps"]
            ),
            bfd_profiles=tuple(FoundBFD(**row) for row in data["bfd_profiles"]),
            addresses=tuple(FoundAddress(**row) for row in data["addresses"]),
            told=tuple(data["told"]),
            unread=tuple(data["unread"]),
        )


def _with_families(kind: Any, row: Mapping[str, Any]) -> Any:
    families = tuple(FoundFamily(**family) for family in row["families"])
    lists = {"not_taken": tuple(row["not_taken"])} if "not_taken" in row else {}
    return kind(**{**row, **lists, "families": families})

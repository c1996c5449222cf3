"""
The BGP neighbours of a router, whatever its driver's habits: NAPALM's answers as records of one shape.

get_bgp_neighbors tells the counters of each family, descriptions and how long a session is up, but of one that is down
no state. get_bgp_neighbors_detail tells states and reasons, and the counters as one sum. A driver that has the detail
has the other too (`capabilities`), and is asked for both.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from ...choices import BGPStateChoices
from ...exceptions import DriverRefused
from .device import Device

__all__ = ("ADMIN_DOWN", "Neighbor", "Prefixes", "parse_neighbors", "read_neighbors")

# The reason of a session that is shut down on our side, on every platform.
ADMIN_DOWN = "administratively down"
# How platforms call the routing table outside of all VRFs; here it is "".
GLOBAL = frozenset(("", "global", "default", "master"))
# By the letters alone: "Idle (Admin)", "OpenSent", "Opensent", "BGP_ST_ESTAB", "bgp-st-open-sent". Longer ones first.
STATES = {
    "established": BGPStateChoices.ESTABLISHED,
    "estab": BGPStateChoices.ESTABLISHED,
    "openconfirm": BGPStateChoices.OPENCONFIRM,
    "opensent": BGPStateChoices.OPENSENT,
    "connect": BGPStateChoices.CONNECT,
    "active": BGPStateChoices.ACTIVE,
    "idle": BGPStateChoices.IDLE,
}
# What the database takes. More is a -1 that somebody read as unsigned.
LARGEST_COUNT = 2**31 - 1
# How drivers call the two families that are counted, and how IOS calls them within a VRF.
FAMILIES = {4: ("ipv4", "ipv4 unicast"), 6: ("ipv6", "ipv6 unicast")}
FAMILIES_IN_VRF = {4: ("vpnv4 unicast",), 6: ("vpnv6 unicast",)}

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Prefixes:
    """Prefixes of one family. None: the router does not tell, or the session does not carry the family."""

    received: int | None = None
    accepted: int | None = None
    advertised: int | None = None


NONE = Prefixes()


@dataclass(frozen=True, slots=True)
class Neighbor:
    """
    A BGP session as a router sees it.

    `vrf`: "" outside of all VRFs. `remote_ip` as ipaddress writes it, without a zone; `interface` is the zone of a
    link-local one, else "". `bgp_state`: one of BGPStateChoices. `reason`: why it is not Established, in the router's
    words, "" when it does not tell. `up_s`: seconds since it is Established, None while it is not. `flaps`: how often
    it was lost, as the router counts.
    """

    vrf: str
    remote_ip: str
    remote_asn: int | None = None
    local_asn: int | None = None
    bgp_state: str = BGPStateChoices.IDLE
    reason: str = ""
    description: str = ""
    up_s: int | None = None
    ipv4: Prefixes = NONE
    ipv6: Prefixes = NONE
    interface: str = ""
    local_ip: str = ""
    enabled: bool = True
    flaps: int | None = None

    @property
    def is_established(self) -> bool:
        return self.bgp_state == BGPStateChoices.ESTABLISHED

    @property
    def family(self) -> int:
        """4 or 6: that of its address, not of what it carries."""
        return 6 if ":" in self.remote_ip else 4


class _Key(NamedTuple):
    vrf: str
    remote_ip: str
    interface: str


def read_neighbors(device: Device) -> tuple[Neighbor, ...]:
    """
    Return all neighbours of the router, of all VRFs, ordered by VRF and address.

    Neighbours without an address (BGP unnumbered) are left out. DriverRefused when the driver cannot tell neighbours;
    other DeviceErrors as Device raises them.
    """
    capabilities = device.access.capabilities
    if capabilities.neighbors == "none":
        raise DriverRefused(
            _("{router}: its driver {driver} cannot read BGP neighbours.").format(
                router=device.access.name, driver=device.access.driver
            )
        )
    detail = device.bgp_neighbors_detail() if capabilities.neighbors == "detail" else {}
    return parse_neighbors(device.bgp_neighbors(), detail)


def parse_neighbors(summary: Record, detail: Record) -> tuple[Neighbor, ...]:
    """Return the neighbours out of what get_bgp_neighbors and get_bgp_neighbors_detail gave ({}: not asked)."""
    told, details = dict(_of_summary(summary)), dict(_of_detail(detail))
    keys = sorted({*told, *details}, key=_order)
    return tuple(_neighbor(key, told.get(key, {}), details.get(key, {})) for key in keys)


def _order(key: _Key) -> tuple[str, int, bytes, str]:
    address = ip_address(key.remote_ip)
    return key.vrf, address.version, address.packed, key.interface


def _of_summary(summary: Record) -> Iterator[tuple[_Key, Record]]:
    for vrf, table in summary.items():
        for address, record in table.get("peers", {}).items():
            if key := _key(vrf, address):
                yield key, record


def _of_detail(detail: Record) -> Iterator[tuple[_Key, Record]]:
    for vrf, by_asn in detail.items():
        for records in by_asn.values():
            for record in records:
                if key := _key(vrf, record["remote_address"]):
                    yield key, record


def _key(vrf: str, address: Any) -> _Key | None:
    """None: named by its interface, not by an address."""
    try:
        found = ip_address(str(address))
    except ValueError:
        return None
    name = "" if vrf in GLOBAL else vrf
    if isinstance(found, IPv6Address) and found.scope_id:
        return _Key(name, str(found).partition("%")[0], found.scope_id)
    return _Key(name, str(found), "")


def _neighbor(key: _Key, told: Record, detail: Record) -> Neighbor:
    state = _state(told, detail)
    established = state == BGPStateChoices.ESTABLISHED
    enabled = bool(told.get("is_enabled", True)) and "admin" not in _letters(detail.get("connection_state"))
    counted = {family: _prefixes(family, key, told, detail) if established else NONE for family in (4, 6)}
    return Neighbor(
        vrf=key.vrf,
        remote_ip=key.remote_ip,
        interface=key.interface,
        remote_asn=_asn(told.get("remote_as")) or _asn(detail.get("remote_as")),
        local_asn=_asn(told.get("local_as")) or _asn(detail.get("local_as")),
        local_ip=_address(detail.get("local_address")),
        bgp_state=state,
        reason="" if established else _reason(enabled, detail),
        description=str(told.get("description") or ""),
        up_s=_count(told.get("uptime")) if established else None,
        ipv4=counted[4],
        ipv6=counted[6],
        enabled=enabled,
        flaps=_count(detail.get("flap_count")),
    )


def _state(told: Record, detail: Record) -> str:
    """Without a state, or with one that RFC 4271 does not have ("Clearing"), what is not up counts as idle."""
    letters = _letters(detail.get("connection_state"))
    found = next((state for spelt, state in STATES.items() if spelt in letters), None)
    return found or (BGPStateChoices.ESTABLISHED if told.get("is_up") else BGPStateChoices.IDLE)


def _letters(text: Any) -> str:
    return re.sub(r"[^a-z]", "", str(text or "").lower())


def _reason(enabled: bool, detail: Record) -> str:
    return str(detail.get("last_event") or "") if enabled else ADMIN_DOWN


def _prefixes(family: int, key: _Key, told: Record, detail: Record) -> Prefixes:
    own = 6 if ":" in key.remote_ip else 4
    families = told.get("address_family") or {}
    names = FAMILIES[family] + (FAMILIES_IN_VRF[family] if key.vrf else ())
    record = next((families[name] for name in names if name in families), None)
    if record is not None:
        found = Prefixes(
            _count(record.get("received_prefixes")),
            _count(record.get("accepted_prefixes")),
            _count(record.get("sent_prefixes")),
        )
        # EOS lists both families of every neighbour, carried or not.
        return NONE if family != own and not (found.received or found.accepted or found.advertised) else found
    if families or family != own:
        return NONE
    # The detail's sums are those of the address's own family when nothing else is known.
    return Prefixes(
        _count(detail.get("received_prefix_count")),
        _count(detail.get("accepted_prefix_count")),
        _count(detail.get("advertised_prefix_count")),
    )


def _count(value: Any) -> int | None:
    """A number that may be text (IOS); None for NAPALM's -1 and whatever is none."""
    try:
        number = int(value)
    except (TypeError, ValueError):
        return None
    return number if 0 <= number <= LARGEST_COUNT else None


def _asn(value: Any) -> int | None:
    """NAPALM's 0 and -1 are no AS numbers."""
    number = int(value or 0)
    return number if number > 0 else None


def _address(value: Any) -> str:
    """The own end of a session that is down is 0.0.0.0 or :: with some: no address."""
    try:
        found = ip_address(str(value or ""))
    except ValueError:
        return ""
    return "" if found.is_unspecified else str(found).partition("%")[0]

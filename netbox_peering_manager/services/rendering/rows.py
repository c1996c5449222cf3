"""
What `load` and `policies` read from the database: plain, immutable values, one type per kind of row. No
Django here.

Ids are the database's. Passwords are in no row, so that no row's repr can show one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class SessionRow(NamedTuple):
    """
    A PeeringSession joined with its BGPPeer, its relationship and its BGP router; nothing inherited yet.

    `family` is 4 or 6, that of `remote_ip`. `device_id` is None when the router is assigned to something
    else.
    """

    id: int
    bgp_peer_id: int
    name: str | None
    description: str
    peer_description: str
    status: str | None
    enabled: bool | None
    is_route_server: bool
    service_reference: str
    ipv4_max_prefixes: int | None
    ipv6_max_prefixes: int | None
    ttl: int | None
    relationship_id: int
    relationship: str
    relationship_slug: str
    bgp_role: str
    default_route_map_in: int | None
    default_route_map_out: int | None
    network_id: int | None
    peer_group_id: int | None
    session_template_id: int | None
    local_as_id: int | None
    remote_as_id: int | None
    bfd_id: int | None
    scope_id: int | None
    router_asn_id: int | None
    device_id: int | None
    vrf: str | None
    source_id: int | None
    source_ip: str | None
    source_interface: str | None
    remote_ip: str
    family: int
    tags: list[str]
    custom_fields: dict[str, Any]


class AsnRow(NamedTuple):
    """An ipam.ASN joined with its PeerASN; what that would hold is None when there is none."""

    id: int
    asn: int
    name: str | None
    irr_as_set: str | None
    ipv4_max_prefixes: int | None
    ipv6_max_prefixes: int | None


class SessionTemplateRow(NamedTuple):
    id: int
    parent_id: int | None
    enabled: bool | None
    local_as_id: int | None
    remote_as_id: int | None
    ttl: int | None
    bfd_id: int | None


class PolicyTemplateRow(NamedTuple):
    """
    A BGPPolicyTemplate; parents in the order of their names, which is the order of precedence among them.
    """

    id: int
    enabled: bool | None
    prefix_list_in: int | None
    prefix_list_out: int | None
    route_map_in: int | None
    route_map_out: int | None
    parents: list[int]


class FamilyRow(NamedTuple):
    """A BGPPeerAddressFamily: of a peer, or of a peer group, where only those of the same scope apply."""

    owner_id: int
    scope_id: int
    afi: str
    enabled: bool | None
    prefix_list_in: int | None
    prefix_list_out: int | None
    route_map_in: int | None
    route_map_out: int | None
    policy_template_id: int | None


class PeerGroupRow(NamedTuple):
    id: int
    name: str
    description: str
    enabled: bool | None
    remote_as_id: int | None


class NetworkRow(NamedTuple):
    """A PeeringNetwork joined with its fabric."""

    id: int
    name: str
    ipv4_prefix: str | None
    ipv6_prefix: str | None
    vlan: int | None
    mtu: int | None
    fabric_id: int
    fabric_name: str
    fabric_slug: str
    fabric_type: str
    fabric_peeringdb_id: int | None
    peer_group_id: int | None


class ConnectionRow(NamedTuple):
    id: int
    network_id: int
    status: str
    interface_id: int
    interface: str
    device_id: int
    ipv4_address_id: int | None
    ipv6_address_id: int | None
    ipv4_address: str | None
    ipv6_address: str | None
    ipv4_peer_group_id: int | None
    ipv6_peer_group_id: int | None


class BfdRow(NamedTuple):
    id: int
    name: str
    min_tx_int: int
    min_rx_int: int
    multiplier: int
    hold: int | None


class InterfaceRow(NamedTuple):
    id: int
    name: str
    description: str
    enabled: bool
    mtu: int | None
    mac_address: str | None
    vrf: str | None
    ip_addresses: list[str]
    tags: list[str]
    custom_fields: dict[str, Any]


class RemovedRow(NamedTuple):
    """A RemovedSession; `vrf`, `local_interface` and `peer_group` are empty strings for none."""

    remote_ip: str
    local_interface: str
    vrf: str
    local_asn: int | None
    peer_asn: int | None
    peer_group: str
    name: str


class Slugged(NamedTuple):
    name: str
    slug: str


class BgpRouterRow(NamedTuple):
    """A BGPRouter of the device: its AS number, and netbox-routing's setting `router_id`."""

    asn: int
    router_id: str | None


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """The device; `bgp_routers` by AS number."""

    id: int
    name: str
    platform: Slugged | None
    role: Slugged | None
    site: Slugged | None
    tenant: Slugged | None
    serial: str
    primary_ip4: str | None
    primary_ip6: str | None
    tags: list[str]
    custom_fields: dict[str, Any]
    config_context: dict[str, Any]
    bgp_routers: tuple[BgpRouterRow, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """
    The sessions, and everything that one of them may inherit from, by id.

    `sessions` are in the context's order. `passwords` holds each session's own one (encrypted or plain
    column), those of sessions outside `revealed` as the mask; `template_passwords` are those of session
    templates, in clear.
    """

    sessions: tuple[SessionRow, ...]
    revealed: frozenset[int]
    passwords: Mapping[int, str] = field(repr=False)
    template_passwords: Mapping[int, str] = field(repr=False)
    asns: Mapping[int, AsnRow]
    session_templates: Mapping[int, SessionTemplateRow]
    policy_templates: Mapping[int, PolicyTemplateRow]
    peer_groups: Mapping[int, PeerGroupRow]
    peer_families: Mapping[int, tuple[FamilyRow, ...]]
    group_families: Mapping[int, tuple[FamilyRow, ...]]
    networks: Mapping[int, NetworkRow]
    connections: tuple[ConnectionRow, ...]
    bfd_profiles: Mapping[int, BfdRow]
    device: DeviceRow | None
    interfaces: tuple[InterfaceRow, ...]
    removed: tuple[RemovedRow, ...]


class RouteMapEntryRow(NamedTuple):
    """One entry; the four `match_*` are ids. `match` and `set` are whatever JSON the entry holds."""

    sequence: int
    action: str
    continue_at: int | None
    description: str
    match: Any
    set: Any
    match_prefix_lists: list[int]
    match_community_lists: list[int]
    match_communities: list[int]
    match_as_paths: list[int]


class PrefixListEntryRow(NamedTuple):
    sequence: int
    action: str
    prefix: str
    ge: int | None
    le: int | None


class CommunityListEntryRow(NamedTuple):
    action: str
    community: str


class ASPathEntryRow(NamedTuple):
    sequence: int
    action: str
    pattern: str


class PolicyRow[Entry](NamedTuple):
    """A route map, prefix list, community list or AS-path list with its entries, in their order."""

    id: int
    name: str
    description: str
    family: int | None
    entries: tuple[Entry, ...]


class CommunityRow(NamedTuple):
    id: int
    name: str
    community: str


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies in use, by id, each kind in the order of names."""

    route_maps: Mapping[int, PolicyRow[RouteMapEntryRow]]
    prefix_lists: Mapping[int, PolicyRow[PrefixListEntryRow]]
    community_lists: Mapping[int, PolicyRow[CommunityListEntryRow]]
    as_paths: Mapping[int, PolicyRow[ASPathEntryRow]]
    communities: Mapping[int, CommunityRow]

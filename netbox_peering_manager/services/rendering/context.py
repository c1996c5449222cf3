"""
The template context's shape: every name that a configuration template may use, and nothing else.

This module is the contract with the people who write templates. It imports no Django and holds no code: the types
describe plain dicts, lists, strings, numbers, booleans and None, safe to dump as JSON. Every key is always there;
what is unknown is None (text: an empty string where said so, lists: empty). `docs/reference/context.md` lists the
same names, and a test holds the two together.

Names and meanings of the netbox-peering-manager 0.4.0 plugin are kept, so that its users' templates render.
"""

from typing import Any, TypedDict


class NamedContext(TypedDict):
    """A thing known by id and name."""

    id: int
    name: str


class SluggedContext(TypedDict):
    """A thing known by name and slug."""

    name: str
    slug: str


class FabricContext(TypedDict):
    """A PeeringFabric: an exchange, a cloud exchange, a private LAN, a private interconnect."""

    id: int
    name: str
    slug: str
    type: str
    peeringdb_id: int | None


class PeeringNetworkContext(TypedDict):
    """A PeeringNetwork: one LAN of a fabric. Prefixes in CIDR notation; vlan is the VLAN's id (VID)."""

    id: int
    name: str
    fabric: FabricContext
    ipv4_prefix: str | None
    ipv6_prefix: str | None
    vlan: int | None
    mtu: int | None


class ConnectionContext(TypedDict):
    """A PeeringConnection: our port on a LAN. Addresses carry their mask; interface is the interface's name."""

    id: int
    status: str
    interface: str
    ipv4_address: str | None
    ipv6_address: str | None
    peering_network: PeeringNetworkContext


class InterfaceContext(TypedDict):
    """An interface of the device that carries addresses or peering connections; vrf is the VRF's name."""

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
    peering_connections: list[ConnectionContext]


class DeviceContext(TypedDict):
    """
    The router. `asns` are the AS numbers of its BGP routers, ascending; `local_asn` is the only one, else None.

    `router_id` is netbox-routing's setting of that name, else the primary IPv4 address. Addresses without mask.
    `config_context` is NetBox's rendered config context. `tags` holds slugs.
    """

    id: int
    name: str
    platform: SluggedContext | None
    role: SluggedContext | None
    site: SluggedContext | None
    tenant: SluggedContext | None
    serial: str
    primary_ip4: str | None
    primary_ip6: str | None
    local_asn: int | None
    asns: list[int]
    router_id: str | None
    tags: list[str]
    custom_fields: dict[str, Any]
    config_context: dict[str, Any]
    interfaces: list[InterfaceContext]


class NameContext(TypedDict):
    """A reference by name to a policy object whose content stands once at the top level."""

    name: str


class AddressFamilyContext(TypedDict):
    """
    One AFI/SAFI of a session or a peer group, its own values before those inherited from peer templates.

    `afi` is the pair as netbox-routing spells it ("ipv4-unicast"), kept under this name for existing templates;
    `afi_name` and `safi_name` are its halves. `*_origin` says where the policy came from: "session", "peer group",
    "policy template", "relationship", or None. `max_prefixes` is the session's limit for this family (IPv4 and
    IPv6 only).
    """

    afi: str
    afi_name: str
    safi_name: str
    enabled: bool
    route_map_in: NameContext | None
    route_map_out: NameContext | None
    prefix_list_in: NameContext | None
    prefix_list_out: NameContext | None
    route_map_in_origin: str | None
    route_map_out_origin: str | None
    prefix_list_in_origin: str | None
    prefix_list_out_origin: str | None
    max_prefixes: int | None


class BFDProfileContext(TypedDict):
    """A BFDProfile; intervals and hold in milliseconds."""

    name: str
    minimum_interval: int
    minimum_rx_interval: int
    multiplier: int
    hold: int | None


class PeerGroupContext(TypedDict):
    """
    A BGPPeerTemplate in use, and at the top level what it defines (in a session: id and name suffice).

    `families` are the IP versions (4, 6) of the enabled sessions in it, `local_asns` theirs, both ascending. `bgp_role`
    is our role on all sessions in it, None when they differ.
    """

    id: int
    name: str
    description: str
    enabled: bool
    remote_asn: int | None
    families: list[int]
    local_asns: list[int]
    bgp_role: str | None
    address_families: list[AddressFamilyContext]


class MaxPrefixOriginContext(TypedDict):
    """Where each max-prefix limit came from: "session", "peer", or None when there is no limit."""

    ipv4: str | None
    ipv6: str | None


class SessionContext(TypedDict):
    """
    One peering session, values inherited from its templates, connection, fabric, relationship and peer resolved.

    `name`, `description`, `password` and `service_reference` are empty strings when unset. `password` is the fixed
    mask for users who may not see secrets. `local_ip` and `remote_ip` carry no mask; `ip_version` is 4 or 6, that of
    `remote_ip`. `local_interface` is the connection's interface name, or that which holds the source address: what a
    link-local neighbour is reached through. `ttl` is 1 to 255 or None. `bgp_role` is our role (RFC 9234).
    `vrf` is the VRF's name, None in the global table. `afi_safis` lists the enabled families of
    `address_families`; a session without address family rows gets that of its remote address.
    """

    id: int
    name: str
    description: str
    status: str
    enabled: bool
    local_asn: int | None
    peer_asn: int | None
    local_ip: str | None
    remote_ip: str
    ip_version: int
    vrf: str | None
    password: str
    ttl: int | None
    relationship: str
    relationship_slug: str
    bgp_role: str | None
    service_reference: str
    is_route_server: bool
    peer_name: str
    irr_as_set: str
    ipv4_max_prefixes: int | None
    ipv6_max_prefixes: int | None
    max_prefixes_origin: MaxPrefixOriginContext
    bfd_profile: BFDProfileContext | None
    peer_group: NamedContext | None
    peer_group_origin: str | None
    peering_network: PeeringNetworkContext | None
    connection: ConnectionContext | None
    local_interface: str | None
    address_families: list[AddressFamilyContext]
    afi_safis: list[str]
    tags: list[str]
    custom_fields: dict[str, Any]


class RouteMapEntryContext(TypedDict):
    """
    One entry of a route map, by sequence. Matches by list are names; `match_communities` are values ("64500:1").

    `match` and `set` are netbox-routing's JSON as it stands, keys in lower case with "_" for "-" and blanks.
    `continue_at` is the sequence to go on with ("flow control").
    """

    sequence: int
    action: str
    match_prefix_lists: list[str]
    match_community_lists: list[str]
    match_communities: list[str]
    match_as_paths: list[str]
    match: dict[str, Any]
    set: dict[str, Any]
    continue_at: int | None
    description: str


class RouteMapContext(TypedDict):
    """
    A route map in use, entries in sequence. `families` are the IP versions (4, 6) of the address families that
    use it, ascending: what a platform with one policy language per family needs to know.
    """

    id: int
    name: str
    description: str
    families: list[int]
    entries: list[RouteMapEntryContext]


class PrefixListEntryContext(TypedDict):
    """One entry of a prefix list: `prefix` in CIDR notation, `ge` and `le` prefix lengths or None."""

    sequence: int
    action: str
    prefix: str
    ge: int | None
    le: int | None


class PrefixListContext(TypedDict):
    """A prefix list in use, entries in sequence; `family` is 4 or 6."""

    id: int
    name: str
    description: str
    family: int
    entries: list[PrefixListEntryContext]


class CommunityListEntryContext(TypedDict):
    """One community of a list: `community` is "a:b" (RFC 1997) or "a:b:c" (RFC 8092); `large` for the latter."""

    action: str
    community: str
    large: bool


class CommunityListContext(TypedDict):
    """A community list in use."""

    id: int
    name: str
    description: str
    entries: list[CommunityListEntryContext]


class CommunityContext(TypedDict):
    """A community that a route map in use matches or sets by reference; name may be empty."""

    id: int
    name: str
    community: str
    large: bool


class ASPathEntryContext(TypedDict):
    """One entry of an AS-path list: a regular expression over the path, in sequence."""

    sequence: int
    action: str
    pattern: str


class ASPathContext(TypedDict):
    """An AS-path list in use, entries in sequence."""

    id: int
    name: str
    description: str
    entries: list[ASPathEntryContext]


class RemovedSessionContext(TypedDict):
    """
    A session deleted in NetBox that its router may still have. `ip_version` is that of `remote_ip`; `local_interface`
    is known of link-local addresses alone.
    """

    remote_ip: str
    ip_version: int
    local_interface: str | None
    vrf: str | None
    local_asn: int | None
    peer_asn: int | None
    peer_group: str | None
    name: str


class PeeringContext(TypedDict):
    """
    The top level. Sessions are ordered by VRF (the global table first), IP version, remote address; everything else
    by name. A policy object stands here once, whichever sessions use it.
    """

    device: DeviceContext | None
    sessions: list[SessionContext]
    peer_groups: list[PeerGroupContext]
    route_maps: list[RouteMapContext]
    prefix_lists: list[PrefixListContext]
    communities: list[CommunityContext]
    community_lists: list[CommunityListContext]
    as_path_lists: list[ASPathContext]
    removed_sessions: list[RemovedSessionContext]

"""
Fourth stage, pure: rows and what is in force become the template context (`context.PeeringContext`).

Everything handed out is made anew for its place, so that nothing in the context is shared between two
sessions: a template can do no harm to its neighbour, and YAML dumps hold no references.
"""

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from . import context as ctx
from . import rows
from .effective import Effective, EffectiveSession
from .families import EffectiveFamily, Policy

__all__ = ("build_context",)

# AFIs whose name would be cut in two at its hyphen.
UNDIVIDED_AFIS = {"link-state"}


def build_context(loaded: rows.Loaded, effective: Effective, policies: rows.Policies) -> ctx.PeeringContext:
    """
    Return the context that a template renders. Its order depends on the rows alone, never on the database's.
    """
    return {
        "device": _device(loaded.device, loaded) if loaded.device else None,
        "sessions": [_session(session, loaded, effective, policies) for session in effective.sessions],
        "peer_groups": _peer_groups(loaded, effective, policies),
        "route_maps": _route_maps(effective, policies),
        "prefix_lists": [_prefix_list(prefix_list) for prefix_list in policies.prefix_lists.values()],
        "communities": [_community(community) for community in policies.communities.values()],
        "community_lists": [_community_list(found) for found in policies.community_lists.values()],
        "as_path_lists": [_as_path(found) for found in policies.as_paths.values()],
        "removed_sessions": [_removed(found) for found in sorted(loaded.removed, key=_removed_key)],
    }


# Sessions


def _session(
    session: EffectiveSession, loaded: rows.Loaded, effective: Effective, policies: rows.Policies
) -> ctx.SessionContext:
    row = session.row
    local_as = loaded.asns.get(session.local_as_id) if session.local_as_id else None
    remote_as = loaded.asns.get(session.remote_as_id) if session.remote_as_id else None
    group = loaded.peer_groups.get(session.peer_group_id) if session.peer_group_id else None
    bfd = loaded.bfd_profiles.get(session.bfd_id) if session.bfd_id else None
    limits = session.max_prefixes
    families = [_address_family(family, policies, limits.ipv4, limits.ipv6) for family in session.families]
    return {
        "id": row.id,
        "name": row.name or "",
        "description": row.description or row.peer_description,
        "status": row.status or "",
        "enabled": session.enabled,
        "local_asn": local_as.asn if local_as else None,
        "peer_asn": remote_as.asn if remote_as else None,
        "local_ip": row.source_ip,
        "remote_ip": row.remote_ip,
        "ip_version": row.family,
        "vrf": row.vrf,
        "password": effective.passwords.get(row.id, ""),
        "ttl": session.ttl,
        "relationship": row.relationship,
        "relationship_slug": row.relationship_slug,
        "bgp_role": row.bgp_role or None,
        "service_reference": row.service_reference,
        "is_route_server": row.is_route_server,
        "peer_name": (remote_as.name if remote_as else None) or "",
        "irr_as_set": (remote_as.irr_as_set if remote_as else None) or "",
        "ipv4_max_prefixes": limits.ipv4,
        "ipv6_max_prefixes": limits.ipv6,
        "max_prefixes_origin": {"ipv4": limits.ipv4_origin, "ipv6": limits.ipv6_origin},
        "bfd_profile": _bfd(bfd) if bfd else None,
        "peer_group": {"id": group.id, "name": group.name} if group else None,
        "peer_group_origin": session.peer_group_origin,
        "peering_network": _network(loaded.networks[row.network_id]) if row.network_id else None,
        "connection": _connection(session.connection, loaded) if session.connection else None,
        "local_interface": session.connection.interface if session.connection else row.source_interface,
        "address_families": families,
        "afi_safis": [family["afi"] for family in families if family["enabled"]],
        "tags": row.tags,
        "custom_fields": row.custom_fields,
    }


def _address_family(
    family: EffectiveFamily, policies: rows.Policies, ipv4_limit: int | None, ipv6_limit: int | None
) -> ctx.AddressFamilyContext:
    afi, _, safi = (family.afi, "", "") if family.afi in UNDIVIDED_AFIS else family.afi.partition("-")
    return {
        "afi": family.afi,
        "afi_name": afi,
        "safi_name": safi,
        "enabled": family.enabled,
        "route_map_in": _name(family.route_map_in, policies.route_maps),
        "route_map_out": _name(family.route_map_out, policies.route_maps),
        "prefix_list_in": _name(family.prefix_list_in, policies.prefix_lists),
        "prefix_list_out": _name(family.prefix_list_out, policies.prefix_lists),
        "route_map_in_origin": family.route_map_in[1] if family.route_map_in else None,
        "route_map_out_origin": family.route_map_out[1] if family.route_map_out else None,
        "prefix_list_in_origin": family.prefix_list_in[1] if family.prefix_list_in else None,
        "prefix_list_out_origin": family.prefix_list_out[1] if family.prefix_list_out else None,
        "max_prefixes": {"ipv4": ipv4_limit, "ipv6": ipv6_limit}.get(afi),
    }


def _name(policy: Policy, policies: Mapping[int, rows.PolicyRow[Any]]) -> ctx.NameContext | None:
    return {"name": policies[policy[0]].name} if policy else None


def _bfd(row: rows.BfdRow) -> ctx.BFDProfileContext:
    return {
        "name": row.name,
        "minimum_interval": row.min_tx_int,
        "minimum_rx_interval": row.min_rx_int,
        "multiplier": row.multiplier,
        "hold": row.hold,
    }


def _network(row: rows.NetworkRow) -> ctx.PeeringNetworkContext:
    return {
        "id": row.id,
        "name": row.name,
        "fabric": {
            "id": row.fabric_id,
            "name": row.fabric_name,
            "slug": row.fabric_slug,
            "type": row.fabric_type,
            "peeringdb_id": row.fabric_peeringdb_id,
        },
        "ipv4_prefix": row.ipv4_prefix,
        "ipv6_prefix": row.ipv6_prefix,
        "vlan": row.vlan,
        "mtu": row.mtu,
    }


def _connection(row: rows.ConnectionRow, loaded: rows.Loaded) -> ctx.ConnectionContext:
    return {
        "id": row.id,
        "status": row.status,
        "interface": row.interface,
        "ipv4_address": row.ipv4_address,
        "ipv6_address": row.ipv6_address,
        "peering_network": _network(loaded.networks[row.network_id]),
    }


# Peer groups


def _peer_groups(
    loaded: rows.Loaded, effective: Effective, policies: rows.Policies
) -> list[ctx.PeerGroupContext]:
    members: dict[int, list[EffectiveSession]] = defaultdict(list)
    for session in effective.sessions:
        if session.peer_group_id:
            members[session.peer_group_id].append(session)
    in_use = sorted((loaded.peer_groups[pk] for pk in members), key=lambda group: (group.name, group.id))
    return [_peer_group(group, members[group.id], loaded, effective, policies) for group in in_use]


def _peer_group(
    group: rows.PeerGroupRow,
    members: Iterable[EffectiveSession],
    loaded: rows.Loaded,
    effective: Effective,
    policies: rows.Policies,
) -> ctx.PeerGroupContext:
    enabled = [session for session in members if session.enabled]
    families = effective.group_families.get(group.id, ())
    return {
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "enabled": group.enabled is not False,
        "remote_asn": loaded.asns[group.remote_as_id].asn if group.remote_as_id else None,
        "families": sorted({session.row.family for session in enabled}),
        "local_asns": sorted({loaded.asns[s.local_as_id].asn for s in enabled if s.local_as_id}),
        "bgp_role": _shared_role(members),
        "address_families": [_address_family(family, policies, None, None) for family in families],
    }


def _shared_role(members: Iterable[EffectiveSession]) -> str | None:
    """Our role on all of these sessions; None when they differ, or one is within an AS, where there are no roles."""
    roles = {
        session.row.bgp_role if session.remote_as_id != session.local_as_id else "" for session in members
    }
    return roles.pop() or None if len(roles) == 1 else None


# Policies


def _route_maps(effective: Effective, policies: rows.Policies) -> list[ctx.RouteMapContext]:
    families = _families_of_route_maps(effective)
    return [
        {
            "id": route_map.id,
            "name": route_map.name,
            "description": route_map.description,
            "families": sorted(families[route_map.id]),
            "entries": [_route_map_entry(entry, policies) for entry in route_map.entries],
        }
        for route_map in policies.route_maps.values()
    ]


def _families_of_route_maps(effective: Effective) -> dict[int, set[int]]:
    """Return the IP versions of the address families that use each route map, by its id."""
    used: dict[int, set[int]] = defaultdict(set)
    in_use = {family for session in effective.sessions for family in session.families}
    in_use.update(family for families in effective.group_families.values() for family in families)
    for family in in_use:
        for policy in (family.route_map_in, family.route_map_out):
            if policy:
                used[policy[0]].update(version for version in (4, 6) if f"v{version}" in family.afi)
    return used


def _route_map_entry(entry: rows.RouteMapEntryRow, policies: rows.Policies) -> ctx.RouteMapEntryContext:
    return {
        "sequence": entry.sequence,
        "action": entry.action,
        "match_prefix_lists": _names(entry.match_prefix_lists, policies.prefix_lists),
        "match_community_lists": _names(entry.match_community_lists, policies.community_lists),
        "match_communities": sorted(policies.communities[pk].community for pk in entry.match_communities),
        "match_as_paths": _names(entry.match_as_paths, policies.as_paths),
        "match": _normalised(entry.match),
        "set": _normalised(entry.set),
        "continue_at": entry.continue_at,
        "description": entry.description,
    }


def _names(ids: Iterable[int], policies: Mapping[int, rows.PolicyRow[Any]]) -> list[str]:
    return sorted(policies[pk].name for pk in ids)


def _normalised(value: Any) -> dict[str, Any]:
    """
    Return a JSON object with its keys in lower case, "_" for "-" and blanks; what is no object under "value".
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        return {"value": value}
    return {re.sub(r"[\s-]+", "_", key.strip().lower()): inner for key, inner in value.items()}


def _prefix_list(row: rows.PolicyRow[rows.PrefixListEntryRow]) -> ctx.PrefixListContext:
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "family": row.family or 4,
        "entries": [
            {"sequence": e.sequence, "action": e.action, "prefix": e.prefix, "ge": e.ge, "le": e.le}
            for e in row.entries
        ],
    }


def _community(row: rows.CommunityRow) -> ctx.CommunityContext:
    return {"id": row.id, "name": row.name, "community": row.community, "large": _is_large(row.community)}


def _community_list(row: rows.PolicyRow[rows.CommunityListEntryRow]) -> ctx.CommunityListContext:
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "entries": [
            {"action": entry.action, "community": entry.community, "large": _is_large(entry.community)}
            for entry in row.entries
        ],
    }


def _is_large(community: str) -> bool:
    """Whether this is a large community (RFC 8092 §4.1: three numbers), and not one of RFC 1997."""
    return community.count(":") == 2


def _as_path(row: rows.PolicyRow[rows.ASPathEntryRow]) -> ctx.ASPathContext:
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "entries": [
            {"sequence": entry.sequence, "action": entry.action, "pattern": entry.pattern}
            for entry in row.entries
        ],
    }


# The device and what it has to forget


def _device(device: rows.DeviceRow, loaded: rows.Loaded) -> ctx.DeviceContext:
    asns = sorted({router.asn for router in device.bgp_routers})
    router_ids = [router.router_id for router in device.bgp_routers if router.router_id]
    return {
        "id": device.id,
        "name": device.name,
        "platform": _slugged(device.platform),
        "role": _slugged(device.role),
        "site": _slugged(device.site),
        "tenant": _slugged(device.tenant),
        "serial": device.serial,
        "primary_ip4": device.primary_ip4,
        "primary_ip6": device.primary_ip6,
        "local_asn": asns[0] if len(asns) == 1 else None,
        "asns": asns,
        "router_id": router_ids[0] if router_ids else device.primary_ip4,
        "tags": device.tags,
        "custom_fields": device.custom_fields,
        "config_context": device.config_context,
        "interfaces": [_interface(interface, loaded) for interface in loaded.interfaces],
    }


def _slugged(value: rows.Slugged | None) -> ctx.SluggedContext | None:
    return {"name": value.name, "slug": value.slug} if value else None


def _interface(row: rows.InterfaceRow, loaded: rows.Loaded) -> ctx.InterfaceContext:
    here = [connection for connection in loaded.connections if connection.interface_id == row.id]
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "enabled": row.enabled,
        "mtu": row.mtu,
        "mac_address": row.mac_address,
        "vrf": row.vrf,
        "ip_addresses": row.ip_addresses,
        "tags": row.tags,
        "custom_fields": row.custom_fields,
        "peering_connections": [_connection(connection, loaded) for connection in here],
    }


def _removed(row: rows.RemovedRow) -> ctx.RemovedSessionContext:
    return {
        "remote_ip": row.remote_ip,
        "ip_version": ipaddress.ip_address(row.remote_ip).version,
        "local_interface": row.local_interface or None,
        "vrf": row.vrf or None,
        "local_asn": row.local_asn,
        "peer_asn": row.peer_asn,
        "peer_group": row.peer_group or None,
        "name": row.name,
    }


def _removed_key(row: rows.RemovedRow) -> tuple[str, int, int, str]:
    address = ipaddress.ip_address(row.remote_ip)
    return row.vrf, address.version, int(address), row.local_interface

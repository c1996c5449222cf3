"""Filters of sessions, communities, AS paths and prefix lists. Pure: no Django."""

from collections.abc import Iterable
from typing import Any

from .objects import attribute
from .text import identifier
from .values import MAX_32, fail, is_large_community, parse_community, prefix_bounds, to_integer, to_items

__all__ = (
    "absent_from",
    "as_path_regex",
    "families",
    "is_large",
    "junos_range",
    "large_communities",
    "max_prefix",
    "router_asn",
    "standard_communities",
    "to_community_list",
    "to_prefix_set",
)

CISCO, JUNOS = "cisco", "junos"
POLICIES = ("route_map_in", "route_map_out", "prefix_list_in", "prefix_list_out")


def as_path_regex(asn: Any, vendor: str = CISCO) -> str:
    """
    The AS-path expression "learned directly from this AS": cisco `^64512_`, junos `^64512 ` with its blank.
    """
    number = to_integer("as_path_regex", asn, 0, MAX_32)
    return f"^{number}{_by_vendor('as_path_regex', vendor, '_', ' ')}"


def standard_communities(values: Any) -> list[str]:
    """
    Of communities (a text, or a list of texts or of dicts with `community`) the standard ones (RFC 1997).
    """
    parsed = parse_community("standard_communities", values)
    return [community for community in parsed if not is_large_community(community)]


def large_communities(values: Any) -> list[str]:
    """Of communities (a text, or a list of texts or of dicts with `community`) the large ones (RFC 8092)."""
    return [
        community
        for community in parse_community("large_communities", values)
        if is_large_community(community)
    ]


def is_large(value: Any) -> bool:
    """Whether one community, a text or a dict with `community`, is a large one (RFC 8092)."""
    parsed = parse_community("is_large", value)
    return (
        is_large_community(parsed[0]) if len(parsed) == 1 else fail("is_large", value, "is not one community")
    )


def to_community_list(value: Any, name: str, vendor: str = CISCO) -> str:
    """
    A community list that permits one community, or each of several: cisco lines, or a Junos policy-options
    block.

    Large communities come out as `ip large-community-list` and Junos `large:a:b:c`.
    """
    communities = parse_community("to_community_list", value) or fail(
        "to_community_list", value, "is no community"
    )
    name = identifier(name)
    if _by_vendor("to_community_list", vendor, False, True):
        members = " ".join(_junos_community(community) for community in communities)
        members = members if len(communities) == 1 else f"[ {members} ]"
        return f"policy-options {{\n    community {name} members {members};\n}}"
    return "\n".join(
        f"ip {kind}community-list standard {name} permit {community}"
        for community in communities
        for kind in ["large-" if is_large_community(community) else ""]
    )


def _junos_community(community: str) -> str:
    return f"large:{community}" if is_large_community(community) else community


def to_prefix_set(prefixes: Iterable[Any], name: str, vendor: str = CISCO) -> str:
    """
    A prefix list of `prefixes`: texts, or dicts with prefix and, if any, ge, le, sequence and action.

    cisco: `ip` or `ipv6 prefix-list` lines, numbered 10, 20, … where an entry has no sequence of its own.
    junos: a policy-options block, a `prefix-list` when all are exact, else a `route-filter-list`; Junos has
    no "deny" in either, so such an entry is an error.
    """
    entries = to_items("to_prefix_set", prefixes)
    name = identifier(name)
    render = _by_vendor("to_prefix_set", vendor, _cisco_prefix_list, _junos_prefix_list)
    return render(entries, name)


def _cisco_prefix_list(entries: list[Any], name: str) -> str:
    lines, last = [], 0
    for entry in entries:
        bounds = prefix_bounds("to_prefix_set", entry)
        own = entry if isinstance(entry, dict) else {}
        last = own.get("sequence") or last - last % 10 + 10
        limits = "".join(f" {word} {bounds[word]}" for word in ("ge", "le") if bounds[word] is not None)
        family = "ip" if bounds["version"] == 4 else "ipv6"
        action = own.get("action", "permit")
        lines.append(f"{family} prefix-list {name} seq {last} {action} {bounds['prefix']}{limits}")
    return "\n".join(lines)


def _junos_prefix_list(entries: list[Any], name: str) -> str:
    denied = [
        entry for entry in entries if isinstance(entry, dict) and entry.get("action", "permit") != "permit"
    ]
    if denied:
        fail("to_prefix_set", denied[0], "denies, which a Junos prefix list cannot")
    ranges = [prefix_bounds("to_prefix_set", entry) for entry in entries]
    exact = all(bounds["exact"] for bounds in ranges)
    kind = "prefix-list" if exact else "route-filter-list"
    lines = [f"        {bounds['prefix']}{'' if exact else ' ' + _junos_range(bounds)};" for bounds in ranges]
    return "\n".join(["policy-options {", f"    {kind} {name} {{", *lines, "    }", "}"])


def _junos_range(bounds: dict[str, Any]) -> str:
    """How a Junos route-filter says the lengths of `prefix_range`."""
    if bounds["exact"]:
        return "exact"
    if bounds["min"] == bounds["length"]:
        return f"upto /{bounds['max']}"
    return f"prefix-length-range /{bounds['min']}-/{bounds['max']}"


def junos_range(entry: Any) -> str:
    """
    How a Junos route-filter says an entry's lengths: `exact`, `upto /24` or `prefix-length-range /9-/24`.
    """
    return _junos_range(prefix_bounds("junos_range", entry))


def _by_vendor(name: str, vendor: str, cisco: Any, junos: Any) -> Any:
    if vendor not in (CISCO, JUNOS):
        fail(name, vendor, "is no vendor: cisco or junos")
    return cisco if vendor == CISCO else junos


def max_prefix(session: Any, family: int | None = None) -> int | None:
    """
    A session's prefix limit for IP version `family`, by default that of its remote address; None: no limit.
    """
    version = attribute(session, "ip_version") if family is None else family
    if version not in (4, 6):
        fail("max_prefix", version, "is no IP version: 4 or 6")
    return attribute(session, f"ipv{version}_max_prefixes")


def router_asn(sessions: Iterable[Any], device: Any = None) -> int | None:
    """
    The AS of the router's BGP process: the device's only one, else the lowest of the device's, else of the
    sessions'.

    The lowest, because it does not change when a session comes or goes; sessions of another AS need
    `local-as`. None when neither the device nor a session knows an AS.
    """
    own = attribute(device, "local_asn")
    if own is not None:
        return own
    known = attribute(device, "asns") or [
        attribute(item, "local_asn") for item in to_items("router_asn", sessions)
    ]
    return min((asn for asn in known if asn is not None), default=None)


def families(session: dict[str, Any], peer_groups: Iterable[Any] = ()) -> list[dict[str, Any]]:
    """
    A session's enabled address families, without the policies that its peer group has already.

    Each is the address family as in the context, a policy being None where the one of `peer_groups` that the
    session is in has the same, and besides: `rejects_in` and `rejects_out`, whether the session has no policy
    at all in that direction, neither route map nor prefix list, so that an external peer's routes must not
    pass (RFC 8212).
    """
    group = attribute(session, "peer_group.id")
    inherited = {
        family["afi"]: family
        for each in to_items("families", peer_groups)
        if group is not None and each["id"] == group
        for family in each["address_families"]
        if family["enabled"]
    }
    return [
        {
            **family,
            **{name: None for name in POLICIES if family[name] == inherited.get(family["afi"], {}).get(name)},
            "rejects_in": not (family["route_map_in"] or family["prefix_list_in"]),
            "rejects_out": not (family["route_map_out"] or family["prefix_list_out"]),
        }
        for family in session["address_families"]
        if family["enabled"]
    ]


def absent_from(removed: Iterable[Any], sessions: Iterable[Any], by_interface: bool = False) -> list[Any]:
    """
    Of removed sessions those whose VRF and remote address no present session uses again.

    `by_interface` is for platforms that name a link-local neighbour with its interface: there the same address on
    another interface is another neighbour, as far as the interface of the removed one is known.
    """

    def neighbor(item: Any) -> tuple[Any, ...]:
        return item["vrf"], item["remote_ip"], item["local_interface"] if by_interface else None

    present = set()
    for item in to_items("absent_from", sessions):
        present |= {neighbor(item), (item["vrf"], item["remote_ip"], None)}
    return [item for item in to_items("absent_from", removed) if neighbor(item) not in present]

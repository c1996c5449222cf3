"""
The Jinja filters that configuration templates of BGP peering need, in every template that NetBox renders.

Pure: this module imports no Django and no model, and works on the plain values of `context.py`; most filters
also take NetBox's objects, by their text. The filters of the netbox-peering-manager 0.4.0 plugin keep their
names, signatures and outputs. None shadows a filter that Jinja brings along, so `indent`, `unique` and the
like stay Jinja's.

A filter that cannot do what it is asked raises FilterArgumentError, which names the filter and the value, and
the rendering fails: half a configuration is worse than none. What needs a whole route map to decide stands in
`filter_policies.py`, how a platform writes a password or an AS-path pattern in `filter_platforms.py`.
"""

import hashlib
import ipaddress
import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Any, NoReturn

import yaml
from jinja2 import Undefined
from jinja2.exceptions import FilterArgumentError

from .filter_platforms import as_path_pattern, secret
from .filter_policies import community_sets, policy_terms
from .filter_values import fail, is_large_community, parse_community, prefix_bounds, to_integer, to_items

__all__ = ("FILTERS",)

CISCO, JUNOS = "cisco", "junos"
MAX_ASN = 2**32 - 1
POLICIES = ("route_map_in", "route_map_out", "prefix_list_in", "prefix_list_out")
# What no platform's parser, no shell and no template engine gives a meaning to, outside or inside quotes.
SAFE_CHARACTERS = re.compile(r"[^A-Za-z0-9 _.,:/()+@=\[\]-]+")
# Letters that Unicode's own decomposition leaves whole, and punctuation with a plain twin.
PLAIN_TWINS = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "Œ": "OE",
        "ø": "o",
        "Ø": "O",
        "đ": "d",
        "Đ": "D",
        "ł": "l",
        "Ł": "L",
        "þ": "th",
        "ð": "d",
        "\u2010": "-",
        "\u2011": "-",
        "\u2013": "-",
        "\u2014": "-",
        "\u2212": "-",
    }
)


# --- Text ---------------------------------------------------------------------------------------------------


def safe_string(value: Any, max_length: int | None = None) -> str:
    """
    `value` as text that breaks no configuration: one line of ASCII, blanks collapsed, None gives "".

    Accents are dropped (ü → u); quotes, backslashes, braces, `$ ; ! # ? % < > | & ^ ~ *` and control characters
    become blanks; what ASCII cannot say becomes "_". Cut to `max_length` characters. May come out empty.
    """
    if value is None or isinstance(value, Undefined):
        return "" if value is None else fail("safe_string", value, "is undefined")
    text = unicodedata.normalize("NFKD", str(value).translate(PLAIN_TWINS))
    text = "".join(_plain(character) for character in text if not unicodedata.combining(character))
    text = " ".join(SAFE_CHARACTERS.sub(" ", text).split())
    return text if max_length is None else text[:max_length].rstrip()


def _plain(character: str) -> str:
    """
    An ASCII character as it is; a letter or sign beyond ASCII as "_", a blank or control beyond it as a
    blank.
    """
    if character.isascii():
        return character
    return " " if unicodedata.category(character)[0] in "ZC" else "_"


def identifier(value: Any, extra: str = "_.-", max_length: int = 63) -> str:
    """
    `value` as the name of a policy object: ASCII letters, digits and the characters in `extra`, at most
    `max_length`.

    A name that already is one comes back as it is. Any other one is altered and gets a short hash of the
    original, so that two different names never become the same. Names of digits and dots alone are altered
    too: they mean numbered lists or addresses on some platforms. An empty name is an error.
    """
    name = str(value) if isinstance(value, str) else fail("identifier", value, "is no name")
    if not name.strip():
        fail("identifier", value, "is an empty name")
    cleaned = re.sub(f"[^A-Za-z0-9{re.escape(extra)}]+", "_", safe_string(name)).lstrip("_.-")
    if re.fullmatch(r"[0-9.]*", cleaned):
        cleaned = f"N{cleaned}".replace(".", "_")
    if cleaned == name and len(name) <= max_length:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:6]
    return f"{cleaned[: max_length - 7].rstrip('_.-')}_{digest}"


def word(value: Any) -> str:
    """`value`, an interface's name or the like, if any parser takes it for one word; else an error."""
    text = str(value)
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_./:@-]*", text, re.ASCII):
        fail("word", value, "is not one word of letters, digits and _ . / : @ -")
    return text


def quote(value: Any, mark: str = '"') -> str:
    r"""
    `value` between two `mark`s, a backslash before every mark and backslash in it. Control characters: an
    error.
    """
    text = str(value)
    if any(unicodedata.category(character) == "Cc" for character in text):
        fail("quote", value, "holds control characters, use safe_string first")
    return mark + text.replace("\\", "\\\\").replace(mark, f"\\{mark}") + mark


def as_json(value: Any, indent: int | None = None) -> str:
    """`value` as JSON, keys in order, on one line unless `indent` is given."""
    try:
        return json.dumps(value, indent=indent, sort_keys=True, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        fail("as_json", value, "holds what JSON cannot say", error)


def as_yaml(value: Any, indent: int = 2) -> str:
    """`value` as YAML in block style, keys in order, with no newline at the end."""
    try:
        return yaml.safe_dump(value, indent=indent, default_flow_style=False, allow_unicode=True).rstrip("\n")
    except yaml.YAMLError as error:
        fail("as_yaml", value, "holds what YAML cannot say", error)


# --- Numbers and addresses ----------------------------------------------------------------------------------


def integer(value: Any, minimum: int = 0, maximum: int = MAX_ASN) -> int:
    """`value`, a number or its decimal text, as a number within the bounds; anything else is an error."""
    return to_integer("integer", value, minimum, maximum)


def ip(value: Any) -> str:
    """The address of "address", "address/length" or a NetBox IPAddress, without mask: "192.0.2.1"."""
    return str(_interface("ip", value).ip)


def ip_version(value: Any) -> int:
    """4 or 6: the IP version of an address or a prefix."""
    return _interface("ip_version", value).version


def ip_network(prefix: Any) -> dict[str, Any]:
    """The network of a prefix: {"network": "192.0.2.0", "prefix_length": 24, "netmask": "255.255.255.0"}."""
    network = _interface("ip_network", prefix).network
    return {
        "network": str(network.network_address),
        "prefix_length": network.prefixlen,
        "netmask": str(network.netmask),
    }


def wildcard(prefix: Any) -> str:
    """The inverse mask of a prefix, as access lists of some platforms want it: "0.0.0.255"."""
    return str(_interface("wildcard", prefix).network.hostmask)


def prefix_range(entry: Any) -> dict[str, Any]:
    """
    What an entry of a prefix list matches, as {"prefix", "version", "length", "min", "max", "exact", "ge",
    "le"}.

    `min` and `max` are the shortest and longest matching length, `exact` says that both are the prefix's own.
    `ge` and `le` are what must be written where the language is Cisco's, else None. `entry` is a dict with
    `prefix` and, if any, `ge` and `le`, or the prefix alone.
    """
    return prefix_bounds("prefix_range", entry)


def mac(value: Any, style: str = "colon") -> str:
    """
    A MAC address in lower case as "colon" 00:00:5e:…, "dash" 00-00-5e-…, "cisco" 0000.5e00.… or "bare"
    00005e…
    """
    digits = re.sub(r"[.:\s-]", "", str(value)).lower()
    if not re.fullmatch(r"[0-9a-f]{12}", digits):
        fail("mac", value, "is no MAC address")
    size, separator = {"colon": (2, ":"), "dash": (2, "-"), "cisco": (4, "."), "bare": (12, "")}.get(
        style
    ) or fail("mac", style, "is no style: colon, dash, cisco or bare")
    return separator.join(digits[start : start + size] for start in range(0, 12, size))


def _interface(name: str, value: Any) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface:
    try:
        return ipaddress.ip_interface(str(value))
    except ValueError as error:
        fail(name, value, "is no IP address or prefix", error)


# --- Lists and objects --------------------------------------------------------------------------------------


def attribute(item: Any, path: str) -> Any:
    """
    What lies at a dotted path of keys or attributes in `item`; None where something on the way is missing.
    """
    for part in path.split("."):
        item = item.get(part) if isinstance(item, dict) else getattr(item, part, None)
        if item is None or isinstance(item, Undefined):
            return None
    return item


def group_by(items: Iterable[Any], attr: str) -> list[tuple[Any, list[Any]]]:
    """
    `items` as (value, items) pairs by a (dotted) attribute, in first-seen order; those without it under None.
    """
    groups: dict[Any, tuple[Any, list[Any]]] = {}
    for item in to_items("group_by", items):
        value = attribute(item, attr)
        groups.setdefault(_hashable(value), (value, []))[1].append(item)
    return list(groups.values())


def sort_by(items: Iterable[Any], attr: str, reverse: bool = False) -> list[Any]:
    """`items` by a (dotted) attribute, equal ones in their order; those without it last."""
    known = [(attribute(item, attr), item) for item in to_items("sort_by", items)]
    try:
        present = sorted(
            (pair for pair in known if pair[0] is not None), key=lambda pair: pair[0], reverse=reverse
        )
    except TypeError as error:
        fail("sort_by", attr, "has values that have no common order", error)
    return [item for _, item in present] + [item for value, item in known if value is None]


def _hashable(value: Any) -> Any:
    try:
        hash(value)
    except TypeError:
        return json.dumps(value, sort_keys=True, default=str)
    return (type(value), value)


def has_tag(item: Any, tag: str) -> bool:
    """Whether `item` carries the tag with this slug."""
    tags = attribute(item, "tags")
    if tags is None:
        fail("has_tag", item, "has no tags")
    return tag in [getattr(each, "slug", each) for each in (tags.all() if hasattr(tags, "all") else tags)]


def has_not_tag(item: Any, tag: str) -> bool:
    """Whether `item` lacks the tag with this slug."""
    return not has_tag(item, tag)


def required(value: Any, what: str = "a value") -> Any:
    """
    `value`, unless it is None, empty or undefined: then the rendering fails and says that `what` is missing.
    """
    if value is None or value == "" or isinstance(value, Undefined):
        raise FilterArgumentError(f"required: {what} is missing.")
    return value


def unsupported(value: Any, where: str = "this template") -> NoReturn:
    """Fail the rendering: `value` is something that `where` cannot say, and dropping it would be a lie."""
    fail("unsupported", value, f"cannot be expressed in {where}")


# --- BGP ----------------------------------------------------------------------------------------------------


def as_path_regex(asn: Any, vendor: str = CISCO) -> str:
    """
    The AS-path expression "learned directly from this AS": cisco `^64512_`, junos `^64512 ` with its blank.
    """
    number = to_integer("as_path_regex", asn, 0, MAX_ASN)
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


FILTERS = {
    function.__name__: function
    for function in (
        absent_from,
        as_json,
        as_path_pattern,
        as_path_regex,
        as_yaml,
        community_sets,
        families,
        group_by,
        has_not_tag,
        has_tag,
        identifier,
        integer,
        ip,
        ip_network,
        ip_version,
        is_large,
        junos_range,
        large_communities,
        mac,
        max_prefix,
        policy_terms,
        prefix_range,
        quote,
        required,
        router_asn,
        safe_string,
        secret,
        sort_by,
        standard_communities,
        to_community_list,
        to_prefix_set,
        unsupported,
        wildcard,
        word,
    )
}

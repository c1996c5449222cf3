"""
FRR's running configuration, read for what its BGP neighbours are. Pure: text in, values out.

NAPALM's get_bgp_config() has no place for VRFs, families, BFD, TTL and a switched-off session; FRR's own text says all
of it, a line each. Lines are those of `show running-config`; what is not understood is told, not guessed.
"""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from .found import Found, FoundBFD, FoundFamily, FoundGroup, FoundNeighbor, FoundRouteMap

__all__ = ("parse",)

ROUTER = re.compile(r"router bgp (?P<asn>[\d.]+)(?: (?:vrf|view) (?P<vrf>\S+))?(?: as-notation \S+)?$")
ROUTE_MAP = re.compile(r"route-map (?P<name>\S+) (?P<action>permit|deny) (?P<sequence>\d+)$")
# Families as netbox-routing calls them, where FRR does otherwise.
AFI = {"ipv4 vpn": "vpnv4-unicast", "ipv6 vpn": "vpnv6-unicast"}
# Settings that are read here, and one that the relationship says.
READ = frozenset(
    (
        *("remote-as", "local-as", "peer-group", "description", "shutdown", "password", "update-source"),
        *("ttl-security", "ebgp-multihop", "bfd", "interface", "local-role"),
        *("activate", "route-map", "maximum-prefix"),
    )
)
# Multihop over any distance. NetBox's 255 stands for TTL security.
ANY_DISTANCE = 255

type Words = list[str]


@dataclass
class Said:
    """
    What the configuration says of a neighbour or peer group: outside of families, and in each. `without` are the
    families that it switches off, `denied` what follows other lines with "no".
    """

    plain: list[Words] = field(default_factory=list)
    families: dict[str, list[Words]] = field(default_factory=dict)
    without: set[str] = field(default_factory=set)
    denied: list[Words] = field(default_factory=list)

    def words(self, *keys: str) -> Words | None:
        """What follows the first line outside of families that begins with these words, None without such a line."""
        return _after(self.plain, keys)

    @property
    def is_group(self) -> bool:
        return ["peer-group"] in self.plain

    @property
    def group(self) -> str:
        """The name of its peer group, which FRR repeats in families."""
        for lines in (self.plain, *self.families.values()):
            if found := _after(lines, ("peer-group",)):
                return found[0]
        return ""


@dataclass
class Instance:
    """One `router bgp`."""

    asn: int
    vrf: str
    has_default_ipv4: bool = True
    has_default_ipv6: bool = False
    said: dict[str, Said] = field(default_factory=dict)
    has_ranges: bool = False


@dataclass
class Blocks:
    """What the text is made of, as far as it is read; `unread` are lines that begin a router's BGP otherwise."""

    instances: list[Instance] = field(default_factory=list)
    maps: dict[str, FoundRouteMap] = field(default_factory=dict)
    profiles: dict[str, FoundBFD] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


def parse(text: str) -> Found:
    """Return what the text says. Neighbours in its order; addresses of the router's are not in it."""
    blocks = _walk(text)
    instances = blocks.instances
    unread = [
        _("“{line}” is not understood: its neighbours are not imported.").format(line=line)
        for line in blocks.unread
    ]
    neighbors: list[FoundNeighbor] = []
    groups: list[FoundGroup] = []
    for instance in instances:
        if instance.has_ranges:
            unread.append(_("Neighbours that may come from a range (bgp listen) are not imported."))
        for name, said in instance.said.items():
            if said.is_group:
                groups.append(_group(name, said, instance))
            elif _is_address(name):
                neighbors.append(_neighbor(name, said, instance))
            else:
                unread.append(
                    _(
                        "The neighbour on {interface} has no address (BGP unnumbered) and is not imported."
                    ).format(interface=name)
                )
    main = next((each for each in instances if not each.vrf), instances[0] if instances else None)
    return Found(
        local_asn=main.asn if main else None,
        neighbors=tuple(neighbors),
        groups=tuple(groups),
        route_maps=tuple(blocks.maps.values()),
        bfd_profiles=tuple(blocks.profiles.values()),
        unread=tuple(dict.fromkeys(unread)),
    )


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Each line with its indentation, comments and ends of blocks left out."""
    for row in text.splitlines():
        line = row.strip()
        if line and not line.startswith(("!", "#")) and line not in ("exit", "end", "exit-address-family"):
            yield len(row) - len(row.lstrip()), line


def _walk(text: str) -> Blocks:
    blocks = Blocks()
    instances, maps = blocks.instances, blocks.maps
    top, family, profile = "", "", ""
    for depth, line in _lines(text):
        if depth == 0:
            top, family, profile = line, "", ""
            begins = ROUTER.match(line)
            if begins and (asn := _asn(begins["asn"])):
                vrf = begins["vrf"] or ""
                instances.append(Instance(asn, "" if vrf == "default" else vrf))
            elif line.startswith("router bgp"):
                top = ""
                blocks.unread.append(line)
            elif entry := ROUTE_MAP.match(line):
                _add_entry(maps, entry)
        elif ROUTER.match(top):
            if line.startswith("address-family "):
                family = _afi(line.removeprefix("address-family "))
            else:
                _note(instances[-1], family if depth > 1 else "", line)
        elif entry := ROUTE_MAP.match(top):
            # It does something, which is not read.
            found = maps[entry["name"]]
            maps[entry["name"]] = FoundRouteMap(found.name, found.entries)
        elif top == "bfd":
            profile = _bfd(blocks.profiles, profile, line)
    return blocks


def _add_entry(maps: dict[str, FoundRouteMap], entry: re.Match[str]) -> None:
    known = maps.get(entry["name"], FoundRouteMap(entry["name"], (), is_whole=True))
    entries = (*known.entries, (int(entry["sequence"]), entry["action"]))
    maps[known.name] = FoundRouteMap(known.name, entries, known.is_whole)


def _bfd(profiles: dict[str, FoundBFD], profile: str, line: str) -> str:
    """Note a line of the block `bfd`; returns the profile that it stands in, "" for none."""
    words = line.split()
    if words[0] == "profile":
        profiles[words[1]] = FoundBFD(words[1])
        return words[1]
    if words[0] == "peer" or profile not in profiles:
        return ""
    known = profiles[profile]
    values = {
        "multiplier": known.multiplier,
        "receive_ms": known.receive_ms,
        "transmit_ms": known.transmit_ms,
    }
    names = {
        "detect-multiplier": "multiplier",
        "receive-interval": "receive_ms",
        "transmit-interval": "transmit_ms",
    }
    if words[0] in names and len(words) > 1 and words[1].isdigit():
        values[names[words[0]]] = int(words[1])
    profiles[profile] = FoundBFD(profile, **values)
    return profile


def _note(instance: Instance, family: str, line: str) -> None:
    words = line.split()
    if line == "no bgp default ipv4-unicast":
        instance.has_default_ipv4 = False
    elif line == "bgp default ipv6-unicast":
        instance.has_default_ipv6 = True
    elif line.startswith("bgp listen range"):
        instance.has_ranges = True
    elif words[0] == "neighbor" and len(words) > 2:
        said = instance.said.setdefault(_canonical(words[1]), Said())
        if family:
            said.families.setdefault(family, []).append(words[2:])
        else:
            said.plain.append(words[2:])
    elif words[:2] == ["no", "neighbor"] and len(words) > 3:
        said = instance.said.setdefault(_canonical(words[2]), Said())
        if words[3:] == ["activate"] and family:
            said.without.add(family)
        else:
            said.denied.append(words[3:])


def _neighbor(name: str, said: Said, instance: Instance) -> FoundNeighbor:
    group = instance.said.get(said.group, Said())
    source = _first(said, group, "update-source")
    remote_asn, local_asn = _asns(said, group, instance)
    ttl, ttl_not_taken = _ttl(said, group)
    bfd, profile, bfd_not_taken = _bfd_of(said, group)
    password = _first(said, group, "password")
    is_address = bool(source) and _is_address(source)
    return FoundNeighbor(
        vrf=instance.vrf,
        remote_ip=name,
        remote_asn=remote_asn,
        local_asn=local_asn,
        local_ip=_canonical(source) if is_address else "",
        is_local_configured=bool(source),
        local_interface=_first(said, group, "interface") or ("" if is_address else source),
        peer_group=said.group,
        description=" ".join(said.words("description") or group.words("description") or ()),
        families=tuple(_families(said, group, instance)),
        bfd=bfd,
        bfd_profile=profile,
        ttl=ttl,
        password=password,
        has_password=bool(password),
        enabled=not (_is_shut(said) or _is_shut(group)),
        not_taken=tuple(
            dict.fromkeys((*ttl_not_taken, *bfd_not_taken, *_not_taken(said), *_not_taken(group)))
        ),
    )


def _is_shut(said: Said) -> bool:
    """`shutdown rtt` is none: it lets FRR switch a session off by itself, once its round trips take too long."""
    return any(words[0] == "shutdown" and words[1:2] != ["rtt"] for words in said.plain)


def _asns(said: Said, group: Said, instance: Instance) -> tuple[int | None, int]:
    """The remote AS, None when the configuration says only that it is another one; and ours."""
    local_asn = _asn(_first(said, group, "local-as")) or instance.asn
    remote = _first(said, group, "remote-as")
    return local_asn if remote == "internal" else _asn(remote), local_asn


def _asn(word: str) -> int | None:
    """The AS number of a word in one of FRR's notations (RFC 5396); None for another word."""
    high, dot, low = word.rpartition(".")
    if not low.isdigit() or (dot and not high.isdigit()):
        return None
    return int(high or 0) * 2**16 + int(low)


def _ttl(said: Said, group: Said) -> tuple[int | None, list[str]]:
    """The TTL as NetBox keeps it, and the line when it has no place there."""
    for one in (said, group):
        if hops := one.words("ttl-security", "hops"):
            return (255, []) if hops == ["1"] else (None, [f"ttl-security hops {hops[0]}"])
        if (distance := one.words("ebgp-multihop")) is not None:
            number = int(distance[0]) if distance else ANY_DISTANCE
            return (number, []) if number < ANY_DISTANCE else (None, ["ebgp-multihop 255"])
    return None, []


def _bfd_of(said: Said, group: Said) -> tuple[bool, str, list[str]]:
    """Whether BFD is on, the name of its profile, and numbers of its own, which NetBox has only in profiles."""
    lines = [words[1:] for one in (said, group) for words in one.plain if words[0] == "bfd"]
    profile = next((words[1] for words in lines if words[:1] == ["profile"] and len(words) > 1), "")
    numbers = [f"bfd {' '.join(words)}" for words in lines if words and words[0] != "profile"]
    return bool(lines), profile, numbers


def _families(said: Said, group: Said, instance: Instance) -> Iterator[FoundFamily]:
    names = [*said.families, *(name for name in group.families if name not in said.families)]
    for default, afi in (
        (instance.has_default_ipv4, "ipv4-unicast"),
        (instance.has_default_ipv6, "ipv6-unicast"),
    ):
        if default and afi not in names:
            names.append(afi)
    for afi in sorted(names):
        if _is_active(afi, said, group, instance):
            yield _family(afi, said, group)


def _is_active(afi: str, said: Said, group: Said, instance: Instance) -> bool:
    if ["activate"] in said.families.get(afi, []):
        return True
    if afi in said.without:
        return False
    by_default = {"ipv4-unicast": instance.has_default_ipv4, "ipv6-unicast": instance.has_default_ipv6}
    return ["activate"] in group.families.get(afi, []) or (
        by_default.get(afi, False) and afi not in group.without
    )


def _family(afi: str, said: Said, group: Said) -> FoundFamily:
    own, of_group = said.families.get(afi, []), group.families.get(afi, [])
    limit = _after(own, ("maximum-prefix",)) or _after(of_group, ("maximum-prefix",))
    return FoundFamily(
        afi=afi,
        route_map_in=_route_map(own, "in"),
        route_map_out=_route_map(own, "out"),
        max_prefixes=int(limit[0]) if limit else None,
    )


def _group(name: str, said: Said, instance: Instance) -> FoundGroup:
    return FoundGroup(
        name=name,
        vrf=instance.vrf,
        description=" ".join(said.words("description") or ()),
        families=tuple(_families(said, Said(), instance)),
    )


def _not_taken(said: Said) -> Iterator[str]:
    """The settings that are left: by their words, without what follows, which may be a secret."""
    for lines in (said.plain, *said.families.values()):
        for words in lines:
            if words[0] not in READ:
                yield words[0]
            elif words[0] == "maximum-prefix" and len(words) > 2:
                yield " ".join(["maximum-prefix", "…", *words[2:]])
            elif words[0] == "local-as" and len(words) > 2:
                yield " ".join(["local-as", "…", *words[2:]])
            elif words[:2] == ["shutdown", "rtt"]:
                yield "shutdown rtt"
    for words in said.denied:
        yield f"no {words[0]}"


def _route_map(lines: list[Words], direction: str) -> str:
    return next((w[1] for w in lines if w[0] == "route-map" and w[2:] == [direction]), "")


def _after(lines: list[Words], keys: tuple[str, ...]) -> Words | None:
    return next((words[len(keys) :] for words in lines if tuple(words[: len(keys)]) == keys), None)


def _first(said: Said, group: Said, key: str) -> str:
    """The word behind a key, the neighbour's own or its group's; "" for none."""
    for one in (said, group):
        if words := one.words(key):
            return words[0]
    return ""


def _afi(name: str) -> str:
    return AFI.get(name, name.replace(" ", "-"))


def _canonical(word: str) -> str:
    return str(ipaddress.ip_address(word)) if _is_address(word) else word


def _is_address(word: str) -> bool:
    try:
        ipaddress.ip_address(word)
    except ValueError:
        return False
    return True

"""
`get_bgp_config`, out of FRR's running configuration. Pure.

NAPALM's shape knows no VRF: neighbours of all VRFs are told together, and of an address that several have, the default
VRF's. What is not configured is 0, "" or False.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from napalm_frr.bgp import same_address
from napalm_frr.configuration import Line

Record = dict[str, Any]
ROUTER = re.compile(r"router bgp (?P<asn>\d+)(?: (?:vrf|view) (?P<vrf>\S+))?")
NO_GROUP = "_"
AFI = {"ipv4": "inet", "ipv6": "inet6"}


@dataclass
class Neighbor:
    """What the configuration says of a neighbour or peer group: words behind its name, and address family of each."""

    router_asn: int
    said: list[tuple[str, list[str]]] = field(default_factory=list)

    def words(self, *keys: str) -> list[str]:
        """What follows the first line that begins with these words; [] when there is none."""
        return next((words[len(keys) :] for _family, words in self.said if words[: len(keys)] == [*keys]), [])

    def has(self, key: str) -> bool:
        return any(words[0] == key for _family, words in self.said)

    def first(self, key: str) -> str:
        return next(iter(self.words(key)), "")

    @property
    def is_group(self) -> bool:
        return any(words == ["peer-group"] for _family, words in self.said)

    def policy(self, direction: str) -> str:
        """The route maps of a direction, one per address family that has one, each once."""
        names = [w[1] for _f, w in self.said if w[0] == "route-map" and w[2:] == [direction]]
        return ", ".join(dict.fromkeys(names))

    @property
    def local_as(self) -> int:
        return int(self.first("local-as") or self.router_asn)

    @property
    def remote_as(self) -> int:
        word = self.first("remote-as")
        return self.router_asn if word == "internal" else int(word) if word.isdigit() else 0

    @property
    def prefix_limit(self) -> Record:
        """As NAPALM documents it: address family → "unicast" → limit, and when and for how long it tears down."""
        found: Record = {}
        for family, words in self.said:
            if words[0] == "maximum-prefix":
                afi, _, safi = family.partition(" ")
                found.setdefault(AFI.get(afi, afi), {})[safi or "unicast"] = limit(words[1:])
        return found


def limit(words: list[str]) -> Record:
    """`maximum-prefix`: number, threshold in percent (FRR's default is 75), minutes until it tries again (0: never)."""
    found: Record = {"limit": int(words[0])}
    if "warning-only" not in words:
        threshold = int(words[1]) if len(words) > 1 and words[1].isdigit() else 75
        timeout = int(words[words.index("restart") + 1]) if "restart" in words else 0
        found["teardown"] = {"threshold": threshold, "timeout": timeout}
    return found


def bgp_config(lines: Iterable[Line], group: str = "", neighbor: str = "") -> Record:
    """Group → its settings and its neighbours; neighbours without a group are in "_". Narrowed to what is named."""
    asn, known = collect(lines)
    groups = {NO_GROUP: group_record(Neighbor(asn))} if asn else {}
    groups |= {name: group_record(one) for name, one in known.items() if one.is_group}
    for name, one in known.items():
        if not one.is_group and (not neighbor or same_address(neighbor, name)):
            into = one.first("peer-group") or NO_GROUP
            groups.setdefault(into, group_record(Neighbor(one.router_asn)))["neighbors"][name] = (
                neighbor_record(one)
            )
    if group:
        return {name: record for name, record in groups.items() if name == group}
    return {name: record for name, record in groups.items() if not neighbor or record["neighbors"]}


def collect(lines: Iterable[Line]) -> tuple[int, dict[str, Neighbor]]:
    """The router's AS (the default VRF's when it has one, 0 without BGP), and each neighbour and group by its name."""
    asn, by_vrf = 0, dict[str, dict[str, Neighbor]]()
    for line in lines:
        begins = ROUTER.fullmatch(line.blocks[0] if line.blocks else line.text)
        if begins is None:
            continue
        number, vrf = int(begins["asn"]), begins["vrf"] or ""
        asn = number if not asn or not vrf else asn
        words = line.text.split()
        if line.blocks and words[0] == "neighbor" and len(words) > 2:
            into = by_vrf.setdefault(vrf, {}).setdefault(words[1], Neighbor(number))
            into.said.append((family_of(line), words[2:]))
    merged: dict[str, Neighbor] = {}
    for _vrf, found in sorted(by_vrf.items(), reverse=True):  # the default VRF, "", last: it prevails
        merged |= found
    return asn, merged


def family_of(line: Line) -> str:
    """The address family in whose block a line stands ("ipv4 unicast"), "" outside."""
    return line.blocks[1].removeprefix("address-family ") if len(line.blocks) > 1 else ""


def group_record(one: Neighbor) -> Record:
    internal = one.remote_as == one.local_as
    return {
        "type": "" if not one.has("remote-as") else "internal" if internal else "external",
        "description": " ".join(one.words("description")),
        "apply_groups": [],
        "multihop_ttl": int(one.first("ebgp-multihop") or 255) if one.has("ebgp-multihop") else 0,
        "multipath": False,
        "local_address": one.first("update-source"),
        "local_as": one.local_as,
        "remote_as": one.remote_as,
        "import_policy": one.policy("in"),
        "export_policy": one.policy("out"),
        "remove_private_as": one.has("remove-private-AS"),
        "prefix_limit": one.prefix_limit,
        "neighbors": {},
    }


def neighbor_record(one: Neighbor) -> Record:
    return {
        "description": " ".join(one.words("description")),
        "import_policy": one.policy("in"),
        "export_policy": one.policy("out"),
        "local_address": one.first("update-source"),
        "authentication_key": " ".join(one.words("password")),
        "nhs": one.has("next-hop-self"),
        "route_reflector_client": one.has("route-reflector-client"),
        "local_as": one.local_as,
        "remote_as": one.remote_as,
        "prefix_limit": one.prefix_limit,
    }

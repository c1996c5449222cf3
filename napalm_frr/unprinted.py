"""
What is in effect on a router though its running configuration has no line for it. Pure.

FRR leaves out what a peer group's member has as its group does, and what is its own default; 8.4 does not print the
role of a member at all. frr-reload.py would add such lines for ever.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from napalm_frr.configuration import Line

# The first release in which the check of the first AS is on unless it is switched off.
ENFORCES_FIRST_AS = 10
VERSION = re.compile(r"frr version (\d+)")
ROUTER = re.compile(r"router bgp \d+")
BFD = ("detect-multiplier 3", "receive-interval 300", "transmit-interval 300")


def in_effect(running: list[Line], neighbors: dict[str, Any]) -> frozenset[Line]:
    """
    The lines that would change nothing, with the blocks that they stand in. `neighbors` is `show bgp vrf all neighbors
    json`.
    """
    return frozenset(
        [*_of_bfd(running), *_roles(running, neighbors), *_families(running), *_first_as(running)]
    )


def _of_bfd(running: list[Line]) -> Iterator[Line]:
    """FRR's defaults, of profiles that say nothing else."""
    said = {(line.blocks, line.text.split()[0]) for line in running}
    for line in running:
        if line.blocks == ("bfd",) and line.text.startswith("profile "):
            inside = ("bfd", line.text)
            yield from (Line(inside, text) for text in BFD if (inside, text.split()[0]) not in said)


def _roles(running: list[Line], neighbors: dict[str, Any]) -> Iterator[Line]:
    """The roles (RFC 9234) that the sessions of the default VRF have."""
    of_default = neighbors.get("default", {})
    for router in _routers(running):
        for address, record in of_default.items():
            if isinstance(record, dict) and (role := record.get("localRole", "undefined")) != "undefined":
                yield Line((router,), f"neighbor {address} local-role {role}")


def _families(running: list[Line]) -> Iterator[Line]:
    """Members of groups have the families that are activated for the group."""
    groups = {
        (line.blocks[0], words[1]): words[3]
        for line in running
        if len(line.blocks) == 1 and (words := line.text.split())[2:3] == ["peer-group"] and words[3:]
    }
    active = {(line.blocks, line.text) for line in running if line.text.endswith(" activate")}
    off = {
        (line.blocks, line.text.removeprefix("no "))
        for line in running
        if line.text.startswith("no neighbor ")
    }
    for (router, member), group in groups.items():
        for blocks, text in active:
            mine = f"neighbor {member} activate"
            if blocks[0] == router and text == f"neighbor {group} activate" and (blocks, mine) not in off:
                yield Line(blocks, mine)


def _first_as(running: list[Line]) -> Iterator[Line]:
    """Before FRR 10 the check is off unless it is switched on."""
    version = next(
        (int(found[1]) for line in running if (found := VERSION.match(line.text))), ENFORCES_FIRST_AS
    )
    if version >= ENFORCES_FIRST_AS:
        return
    said = {(line.blocks, line.text) for line in running}
    for line in running:
        words = line.text.split()
        if len(line.blocks) != 1 or words[0] != "neighbor" or not ROUTER.match(line.blocks[0]):
            continue
        if (line.blocks, f"neighbor {words[1]} enforce-first-as") not in said:
            yield Line(line.blocks, f"no neighbor {words[1]} enforce-first-as")


def _routers(running: Iterable[Line]) -> Iterator[str]:
    """The first line of the default VRF's BGP."""
    for line in running:
        if not line.blocks and ROUTER.fullmatch(line.text):
            yield line.text

"""
FRR's configuration as text: what a merge changes, how a difference is shown, which words are secret.

No connection and no NAPALM: text in, text out. A configuration is a list of `Line`: the blocks around a line, outermost
first, and the line. Texts are expected as vtysh prints them (`show running-config`, `vtysh -m`), with the end of
every block written out.
"""

import ipaddress
import re
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

# Lines that begin a block, by the block they stand in: none, or any.
TOP = re.compile(
    r"(router |interface |route-map |vrf |bfd$|key chain |nexthop-group |pbr-map |rpki|segment-routing|mpls ldp|"
    r"l2vpn |line vty|pseudowire |password-policy )"
)
NESTED = re.compile(
    r"(address-family |vni |profile |peer |key \d|traffic-eng|policy |candidate-path |srv6|locators|locator )"
)
ENDS = re.compile(r"(exit|exit-.*|quit)$")
# Blocks whose first line takes arguments that are no block of their own.
NO_BLOCK = re.compile(r"(vrf \S+ \S+|rpki \S+|peer \S+ \S+ shutdown)$")
LISTS = re.compile(
    r"(ip(v6)? prefix-list \S+|ip(v6)? access-list \S+|access-list \S+|bgp (community-list|large-community-list|"
    r"extcommunity-list|as-path access-list) .*) seq \d+"
)
# What FRR has switched on by itself, so that `no` is a change though the running configuration shows nothing.
ON_BY_DEFAULT = {"activate", "send-community", "capability", "enforce-first-as", "graceful-restart-helper"}
# What FRR has switched on by itself and does not print, unless its defaults are those of a datacenter.
UNPRINTED = {"bgp ebgp-requires-policy", "bgp network import-check"}
# Things that are made by name: a `no` for one that is not there changes nothing.
NAMED = re.compile(
    r"(neighbor|router|route-map|interface|vrf|bfd|profile|peer|network|aggregate-address|redistribute|bgp listen|set|"
    r"match|on-match|call|description|ip prefix-list|ipv6 prefix-list|ip route|ipv6 route|ip access-list|"
    r"ipv6 access-list|access-list|"
    r"bgp community-list|bgp large-community-list|bgp extcommunity-list|bgp as-path)(\s|$)"
)
SECRETS = {
    r"^(\s*neighbor \S+ password) .*$": r"\1 <removed>",
    r"^(\s*(?:enable )?password(?: 8)?) .*$": r"\1 <removed>",
    r"^(\s*key-string) .*$": r"\1 <removed>",
    r"^(\s*ip ospf authentication-key) .*$": r"\1 <removed>",
    r"^(\s*(?:ip )?ospf6? message-digest-key \d+ md5) .*$": r"\1 <removed>",
    r"^(\s*ip rip authentication string) .*$": r"\1 <removed>",
    r"^(\s*(?:isis|area|domain|bgp|neighbor \S+)[- ]password (?:md5|clear)) .*$": r"\1 <removed>",
}
LIST_GOES = re.compile(r"no (ip |ipv6 )?(prefix-list|access-list) |no bgp (\S+-list|as-path) |no route-map ")
QUOTED_SECRET = re.compile(r"\b(password|key-string|authentication-key|md5|authentication string)\b[^\n]*")


class Line(NamedTuple):
    """A line, and the first lines of the blocks that it stands in."""

    blocks: tuple[str, ...]
    text: str


def parse(text: str) -> list[Line]:
    """The lines of a configuration, first lines of blocks among them; comments and ends of blocks are left out."""
    return list(_walk(text.splitlines()))


def _walk(rows: Iterable[str]) -> Iterator[Line]:
    blocks: list[str] = []
    for row in rows:
        text = " ".join(_canonical(word) for word in row.split())
        if not text or text.startswith(("!", "#")):
            continue
        if text == "end":
            blocks = []
        elif ENDS.match(text):
            blocks = blocks[:-1]
        else:
            if TOP.match(text) and not _belongs(blocks, text):
                blocks = []
            yield Line(tuple(blocks), text)
            if begins_block(text, blocks):
                blocks = [*blocks, text]


def _canonical(word: str) -> str:
    """An IPv6 address or prefix as FRR prints it, other words as they are."""
    if word.count(":") < 2:
        return word
    try:
        return str(ipaddress.ip_interface(word)) if "/" in word else str(ipaddress.ip_address(word))
    except ValueError:
        return word


def _belongs(blocks: list[str], text: str) -> bool:
    """Whether a line that could begin a block at the top is an ordinary one of the block it stands in."""
    return bool(blocks) and (
        text.startswith("vrf ") or (blocks[0].startswith("bfd") and not text.startswith("router "))
    )


def begins_block(text: str, blocks: list[str]) -> bool:
    """Whether what follows stands in a block that this line begins."""
    if text.startswith("no ") or NO_BLOCK.match(text):
        return False
    return bool(NESTED.match(text)) if blocks else bool(TOP.match(text))


def unparse(lines: Iterable[Line]) -> str:
    """A text that vtysh reads: each line in its blocks, each block ended. Lines of one block stay in order."""
    rows: list[str] = []
    open_blocks: tuple[str, ...] = ()
    for line in lines:
        if line.blocks != open_blocks:
            shared = _shared(open_blocks, line.blocks)
            rows += _closing(open_blocks, shared)
            rows += [" " * depth + block for depth, block in enumerate(line.blocks) if depth >= shared]
            open_blocks = line.blocks
        if begins_block(line.text, list(line.blocks)):
            rows.append(" " * len(line.blocks) + line.text)
            open_blocks = (*line.blocks, line.text)
        else:
            rows.append(" " * len(line.blocks) + line.text)
    rows += _closing(open_blocks, 0)
    return "\n".join(rows) + "\n" if rows else ""


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    return next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _closing(blocks: tuple[str, ...], depth: int) -> list[str]:
    return [
        " " * number + ("exit-address-family" if blocks[number].startswith("address-family") else "exit")
        for number in range(len(blocks) - 1, depth - 1, -1)
    ]


class Merge(NamedTuple):
    """What a merge does: the lines to enter, in order, and the configuration that comes of it."""

    enter: list[Line]
    result: list[Line]


def merge(running: list[Line], candidate: list[Line]) -> Merge:
    """
    What is left of a candidate when it is entered into the running configuration: lines that are there already, and
    `no` for what is not there, change nothing and are left out.
    """
    result, entered = list(running), []
    for line in candidate:
        changed = _enter(result, line)
        if changed is not None:
            result = changed
            entered.append(line)
    return Merge(entered, result)


def _enter(result: list[Line], line: Line) -> list[Line] | None:
    """The configuration after one line was entered; None when it changes nothing."""
    if line in result:
        return None
    if line.text.startswith("no "):
        return _remove(result, line)
    opposite = Line(line.blocks, f"no {line.text}")
    if (
        line.text in UNPRINTED
        and opposite not in result
        and Line((), "frr defaults datacenter") not in result
    ):
        return None
    kept = [other for other in result if other != opposite and not supersedes(line, other)]
    if begins_block(line.text, list(line.blocks)):
        kept = [_renamed(other, line) for other in kept]
    missing = [
        Line(line.blocks[:depth], block)
        for depth, block in enumerate(line.blocks)
        if Line(line.blocks[:depth], block) not in kept
    ]
    return [*kept, *missing, line]


def _renamed(other: Line, block: Line) -> Line:
    """A route map's entry that changes from permit to deny (or back) keeps its lines."""
    depth = len(block.blocks)
    if len(other.blocks) > depth and entry_key(other.blocks[depth]) == entry_key(block.text) is not None:
        return Line((*other.blocks[:depth], block.text, *other.blocks[depth + 1 :]), other.text)
    return other


def entry_key(text: str) -> tuple[str, str] | None:
    """Name and number of a route map's entry; None for other lines."""
    words = text.split()
    return (words[1], words[3]) if words[0] == "route-map" and len(words) == 4 else None


def _remove(result: list[Line], line: Line) -> list[Line] | None:
    """The configuration after `no …` was entered; None when there is nothing that it would remove."""
    wanted = line.text.removeprefix("no ")
    kept = [other for other in result if not removes(line.blocks, wanted, other)]
    if len(kept) < len(result):
        return kept
    if NAMED.match(wanted) and not ON_BY_DEFAULT & set(wanted.split()):
        return None
    if wanted.endswith(" activate") and not _is_active(result, line.blocks, wanted.split()[1]):
        return None
    return [*result, line]


def _is_active(result: list[Line], blocks: tuple[str, ...], neighbor: str) -> bool:
    """Whether a neighbour has the family of these blocks though no line says so: by its group, or by FRR's default."""
    router, family = blocks[:1], blocks[-1]
    groups = {
        words[3]
        for line in result
        if line.blocks == router
        and (words := line.text.split())[:3] == ["neighbor", neighbor, "peer-group"]
        and words[3:]
    }
    if any(Line(blocks, f"neighbor {group} activate") in result for group in groups):
        return True
    return (
        family in (*router, "address-family ipv4 unicast")
        and Line(router, "no bgp default ipv4-unicast") not in result
    )


def removes(blocks: tuple[str, ...], wanted: str, other: Line) -> bool:
    """Whether `no <wanted>` in these blocks takes the other line away."""
    inside = other.blocks[: len(blocks)] == blocks
    if not inside:
        return False
    deeper = other.blocks[len(blocks) :]
    if not deeper and _begins(other.text, wanted):
        return True
    if deeper and _begins(deeper[0], wanted):
        return True
    # A neighbour goes with all that its address families say of it.
    words = wanted.split()
    whole = words[0] == "neighbor" and (
        len(words) == 2 or words[2] in ("remote-as", "peer-group", "interface")
    )
    if not whole or (len(words) > 2 and words[2] == "peer-group" and len(words) > 3):
        return False
    return other.text.split()[:2] == words[:2] and _within_router(deeper)


def _within_router(deeper: tuple[str, ...]) -> bool:
    return not deeper or deeper[0].startswith("address-family ")


def _begins(text: str, wanted: str) -> bool:
    return text == wanted or text.startswith(f"{wanted} ")


def supersedes(line: Line, other: Line) -> bool:
    """Whether FRR forgets the other line when it is given this one, because a block has one of their kind only."""
    if line.blocks != other.blocks:
        return False
    key = single(line.text)
    return key is not None and key == single(other.text)


def single(text: str) -> tuple[str, ...] | None:
    """By what a line of which there is only one is known: its words without the value. None where there may be more."""
    words = text.split()
    if (key := entry_key(text)) is not None:
        return ("route-map", *key)
    if LISTS.match(text):
        return tuple(text.partition(" seq ")[0].split()) + tuple(text.partition(" seq ")[2].split()[:1])
    if words[0] == "neighbor" and len(words) > 3:
        direction = words[-1:] if words[-1] in ("in", "out") else []
        return (*words[:3], *direction)
    if words[0] in ("set", "match"):
        deep = 3 if words[1] in ("ip", "ipv6", "as-path", "extcommunity") else 2
        return tuple(words[:deep])
    if words[0] == "bgp" and words[1] in ("router-id", "cluster-id"):
        return tuple(words[:2])
    alone = (
        "description",
        "hostname",
        "detect-multiplier",
        "receive-interval",
        "transmit-interval",
        "on-match",
        "call",
    )
    if words[0] in alone or text.startswith(("timers bgp", "maximum-paths")):
        return (words[0],)
    return None


def difference(said: str, in_effect: Collection[Line] = ()) -> str:
    """
    What frr-reload.py says it would do, as a difference: per block its lines with - and +, the blocks in the order in
    which frr-reload names them, deletions first. "" when there is none. Lines that are `in_effect` are left out of what
    it would add.

    frr-reload lists each line with its blocks above it, under "Lines To Delete" (as the `no` that it will enter) and
    "Lines To Add".
    """
    shown: dict[str, dict[tuple[str, ...], list[str]]] = {"-": {}, "+": {}}
    sign, pile = "", list[str]()
    for row in [*said.splitlines(), ""]:
        text = row.strip()
        if text in ("Lines To Delete", "Lines To Add"):
            _file(shown, sign, pile, in_effect)
            sign, pile = ("-" if text.endswith("Delete") else "+"), []
        elif sign and text and not set(text) <= {"="} and not ENDS.match(text):
            if not row.startswith(" "):
                _file(shown, sign, pile, in_effect)
                pile = []
            pile.append(text)
    _file(shown, sign, pile, in_effect)
    # What stands in no block comes first, because it has no heading.
    blocks = dict.fromkeys([(), *shown["-"], *shown["+"]])
    rows = []
    for block in blocks:
        rows += [f"  {' / '.join(block)}"] if block else []
        rows += [f"{mark} {line}" for mark in "-+" for line in shown[mark].get(block, ())]
    return "\n".join(rows)


def _file(
    shown: dict[str, dict[tuple[str, ...], list[str]]],
    sign: str,
    pile: list[str],
    in_effect: Collection[Line],
) -> None:
    if not pile or (sign == "+" and Line(tuple(pile[:-1]), pile[-1]) in in_effect):
        return
    text = pile[-1]
    if sign == "+" and LIST_GOES.match(text):
        # frr-reload deletes these last, when nothing refers to them any more, and so among what it adds.
        sign, text = "-", text.removeprefix("no ")
    elif sign == "-":
        text = text.removeprefix("no ") if text.startswith("no ") else f"no {text}"
    lines = shown[sign].setdefault(tuple(pile[:-1]), [])
    if text not in lines:
        lines.append(text)


def sanitized(text: str) -> str:
    """The configuration with its passwords and keys replaced by <removed>."""
    for pattern, replacement in SECRETS.items():
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    return text


def masked(message: str) -> str:
    """What FRR said, with the secrets of the lines that it quotes replaced by <removed>."""
    return QUOTED_SECRET.sub(r"\1 <removed>", message)

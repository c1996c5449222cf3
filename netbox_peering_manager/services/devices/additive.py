"""
Differences of drivers that only list which lines of a candidate the running configuration does not hold (IOS, NX-OS).
Pure.

A `no …` is never held by it, so it would differ for ever. It is left out once what it takes away is not there: for
things that are made by name and are shown when they are there, and for nothing else. A `no` of what is switched on by
itself (`no bgp default ipv4-unicast`) says something, and stays.
"""

import re
from collections.abc import Iterator

__all__ = ("without_done",)

type Path = tuple[str, ...]

# What can be set on a neighbour, and is shown when it is.
SET = (
    "description|ebgp-multihop|filter-list|inherit|maximum-prefix|password|peer-group|prefix-list|remote-as|route-map|"
    "shutdown|timers|ttl-security|update-source"
)
NAMED = re.compile(
    rf"no (neighbor [\w.:%/]+( ({SET})\b.*)?|route-map .+|template peer.+|"
    r"(ip|ipv6) (prefix-list|as-path access-list|(ext|large-)?community-list) .+)$"
)
OF_A_NEIGHBOR = re.compile(rf"no ({SET})\b")
MARK = re.compile(r"^[+-]")


def without_done(diff: str, running: str) -> str:
    """Return the difference without what the running configuration already lacks; "" when nothing else is left."""
    there = [path for path, _ in _walk(running)]
    known = frozenset(there)
    lines = tuple(path[-1] for path in there)
    differs = [
        (path, line) for path, line in _walk(diff, marked=True) if not _is_done(path, known, lines, there)
    ]
    headings = {path[:end] for path, _ in _walk(diff, marked=True) for end in range(1, len(path))}
    # The heading of a block that is there says nothing by itself.
    telling = {path for path, _ in differs if path not in headings or path not in known}
    above = {path[:end] for path in telling for end in range(1, len(path))}
    return "\n".join(line for path, line in differs if path in telling or path in above)


def _is_done(path: Path, known: frozenset[Path], lines: tuple[str, ...], there: list[Path]) -> bool:
    text = path[-1]
    if NAMED.match(text):
        # Anywhere: the blocks above may be spelt in another way.
        return not any(_begins(line, text.removeprefix("no ")) for line in lines)
    if (
        OF_A_NEIGHBOR.match(text)
        and len(path) > 1
        and path[-2].startswith("neighbor ")
        and path[:-1] in known
    ):
        of_it = (other[-1] for other in there if other[:-1] == path[:-1])
        return not any(_begins(line, text.removeprefix("no ")) for line in of_it)
    return False


def _begins(line: str, with_: str) -> bool:
    return line == with_ or line.startswith(f"{with_} ")


def _walk(text: str, *, marked: bool = False) -> Iterator[tuple[Path, str]]:
    """Yield each line, as it is, with itself and the lines that it is indented under."""
    above: list[tuple[int, str]] = []
    for line in text.splitlines():
        plain = MARK.sub("", line) if marked else line
        if not plain.strip() or plain.strip() == "!":
            continue
        indent = len(plain) - len(plain.lstrip())
        above = [(other, parent) for other, parent in above if other < indent]
        above.append((indent, " ".join(plain.split())))
        yield tuple(parent for _, parent in above), line

"""
Which neighbours a diff of a router's configuration is about. Pure.

Platforms write diffs in their own ways, but all of them name a neighbour by its address: in the changed line itself
("+ neighbor 192.0.2.1 …"), in a line above that the changed one is indented under (IOS XR, EOS), or in the heading of
a hunk (Junos' "[edit … neighbor 192.0.2.1]"). A neighbour that is named nowhere there may still be concerned, by way
of its peer group or policy; nothing is said of it.
"""

import ipaddress
import re
from collections.abc import Iterator

__all__ = ("addresses_in", "mentioned")

# What may be an address, with what else may follow on it in a configuration: ";", "{", "/32".
WORD = re.compile(r"[0-9A-Fa-f:.]{3,}")
# IOS marks what goes away that is not replaced as its own kind of change.
CHANGED = ("+", "-", "!")
HEADINGS = ("+++", "---", "@@")


def mentioned(diff: str) -> frozenset[str]:
    """Return the addresses that changed lines of `diff` are about, as ipaddress spells them."""
    return frozenset(address for line in _concerned(diff) for address in _addresses(line))


def addresses_in(text: str) -> frozenset[str]:
    """Return every address that `text` holds, as ipaddress spells them."""
    return frozenset(_addresses(text))


def _concerned(diff: str) -> Iterator[str]:
    """Yield the changed lines, the lines that they stand under, and headings that name a place (Junos)."""
    # NX-OS marks nothing: it lists what is to come.
    marked = any(line.startswith(("+", "-")) for line in diff.splitlines())
    above: list[tuple[int, str]] = []
    for line in diff.splitlines():
        if line.startswith("[edit"):
            yield line
            above = []
        elif line.startswith(HEADINGS):
            above = []
        elif line.strip():
            changed, text = not marked or line.startswith(CHANGED), line[1:] if marked else line
            indent = len(text) - len(text.lstrip())
            above = [(other, parent) for other, parent in above if other < indent]
            if changed:
                yield text
                yield from (parent for _, parent in above)
            above.append((indent, text))


def _addresses(line: str) -> Iterator[str]:
    for word in WORD.findall(line):
        try:
            yield str(ipaddress.ip_address(word.rstrip(".:") if not word.endswith("::") else word))
        except ValueError:
            continue

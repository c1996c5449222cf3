"""How a difference of configurations is drawn: its lines with what they are, and how many come and go. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

__all__ = ("MOST_LINES", "Diff", "DiffLine", "Size", "drawn", "size_of")

# More than a browser draws at once, and more than anybody reads.
MOST_LINES = 5_000

type Kind = Literal["added", "removed", "place", "same"]


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line and what it is: added, removed, a place (where the next lines stand), or the same on both sides."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Size:
    """How many lines come and go."""

    added: int = 0
    removed: int = 0

    def __str__(self) -> str:
        return f"+{self.added} \N{MINUS SIGN}{self.removed}"


@dataclass(frozen=True, slots=True)
class Diff:
    """What a page shows of a difference. `left_out`: lines beyond MOST_LINES, counted in `size` all the same."""

    lines: tuple[DiffLine, ...]
    size: Size
    left_out: int = 0


def drawn(text: str) -> Diff:
    """Return the difference `text`, as NAPALM's compare_config() gives it, for a page; no lines when it is empty."""
    lines = tuple(_lines(text))
    return Diff(lines[:MOST_LINES], _size(lines), max(0, len(lines) - MOST_LINES))


def size_of(text: str) -> Size:
    """Return how many lines of the difference come and go."""
    return _size(_lines(text))


def _lines(text: str) -> Iterator[DiffLine]:
    for number, line in enumerate(text.rstrip("\n").split("\n") if text.strip() else ()):
        yield DiffLine(_kind(line, number), line)


def _kind(line: str, number: int) -> Kind:
    # The names of the two files at the head of a unified diff, its "@@", and Junos' "[edit protocols bgp]".
    is_head = number < 2 and (line.startswith(("--- ", "+++ ")) or line in ("---", "+++"))
    if is_head or line.startswith(("@@", "[edit")):
        return "place"
    if line.startswith("+"):
        return "added"
    return "removed" if line.startswith("-") else "same"


def _size(lines: "Iterator[DiffLine] | tuple[DiffLine, ...]") -> Size:
    kinds = [line.kind for line in lines]
    return Size(kinds.count("added"), kinds.count("removed"))

"""Read what the tests need of a Markdown page: its sections, the tables in them, and its fenced code."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


class Fence(NamedTuple):
    """A fenced block: its language, its text, and whether `<!-- run -->` stands on the line before it."""

    language: str
    text: str
    runs: bool


def sections(page: str) -> dict[str, str]:
    """The text below each heading of docs/<page>, by the heading's text without code marks, in order."""
    parts = re.split(r"^#{1,4} +(.+)$", (DOCS / page).read_text(), flags=re.MULTILINE)
    return {heading.replace("`", ""): text for heading, text in zip(parts[1::2], parts[2::2], strict=True)}


def tables(text: str) -> list[list[list[str]]]:
    """Every table in `text`: its body rows, each a list of cells."""
    blocks = re.findall(r"^\|.+\|\n\|(?:-+\|)+\n((?:\|.+\|\n?)*)", text, flags=re.MULTILINE)
    return [
        [[cell.strip() for cell in row.strip("|").split(" | ")] for row in block.splitlines()]
        for block in blocks
    ]


def first_cells(text: str) -> list[str]:
    """The first cell of every row of every table in `text`, without code marks."""
    return [row[0].strip("|` ") for table in tables(text) for row in table]


def fences(page: str) -> list[Fence]:
    """The fenced code blocks of docs/<page>, in order."""
    found = re.findall(
        r"(<!-- run -->\n)?^```(\w*)[^\n]*\n(.*?)^```$",
        (DOCS / page).read_text(),
        flags=re.MULTILINE | re.DOTALL,
    )
    return [Fence(language, text, bool(mark)) for mark, language, text in found]

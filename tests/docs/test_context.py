"""docs/reference/context.md lists every name of the template context with its type, and nothing else."""

import ast
import re
from pathlib import Path

import pytest

from netbox_peering_manager.services.rendering import context
from tests.docs.markdown import sections, tables

PAGE = "reference/context.md"
PLAIN = {"str": "text", "int": "number", "bool": "true or false", "Any": "anything"}


def classes():
    """The TypedDicts: class name to {key: annotation}."""
    tree = ast.parse(Path(context.__file__).read_text())
    return {
        node.name: {line.target.id: line.annotation for line in node.body if isinstance(line, ast.AnnAssign)}
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }


SHAPES = classes()


def heading_of(name):
    """The heading of a class: BFDProfileContext is "BFD profile"."""
    words = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+", name.removesuffix("Context"))
    return " ".join([words[0], *(word.lower() for word in words[1:])])


def wording_of(annotation):
    """An annotation in the page's words: `int | None` is "number or none"."""
    if isinstance(annotation, ast.BinOp):
        return f"{wording_of(annotation.left)} or none"
    if isinstance(annotation, ast.Subscript):
        return f"list of {wording_of(annotation.slice)}" if annotation.value.id == "list" else "mapping"
    if annotation.id in SHAPES:
        heading = heading_of(annotation.id)
        return f"[{heading}](#{heading.lower().replace(' ', '-')})"
    return PLAIN[annotation.id]


@pytest.mark.parametrize("name", SHAPES)
def test_every_name_is_documented_with_its_type_and_no_other(name):
    rows = [row for table in tables(sections(PAGE)[heading_of(name)]) for row in table]
    told = {row[0].strip("|` "): row[1] for row in rows}
    assert told == {key: wording_of(annotation) for key, annotation in SHAPES[name].items()}


def test_every_section_is_of_the_context():
    assert set(sections(PAGE)) - {"Template context", "Order"} == {heading_of(name) for name in SHAPES}

"""The Jinja filters as a whole: which there are, and that they fail by name where they could only guess."""

import ast
from pathlib import Path

import pytest
from jinja2 import Undefined
from jinja2.defaults import DEFAULT_FILTERS
from jinja2.exceptions import FilterArgumentError

from netbox_peering_manager import jinja_env
from netbox_peering_manager.services.rendering import filters as package
from netbox_peering_manager.services.rendering.filters import FILTERS

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "filters.md"
MODULES = sorted(Path(package.__file__).parent.glob("*.py"))


def test_netbox_gets_exactly_these_filters():
    assert jinja_env.filters is FILTERS


def test_no_filter_of_jinja_itself_is_replaced():
    assert FILTERS.keys() & DEFAULT_FILTERS.keys() == set()


def test_every_filter_is_documented_and_no_other():
    text = REFERENCE.read_text()
    documented = {line.split("`")[1].split("(")[0] for line in text.splitlines() if line.startswith("### `")}
    assert documented == set(FILTERS)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_the_filters_need_no_django(module):
    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, (ast.Import, ast.ImportFrom)) and not getattr(node, "level", 0)
    }
    allowed = {
        *("ast", "collections", "functools", "hashlib", "ipaddress", "itertools", "json", "re", "typing"),
        *("jinja2", "unicodedata", "yaml"),
    }
    assert {each.split(".")[0] for each in imported} <= allowed


BAD = [
    ("as_path_regex", ("x",)),
    ("as_path_regex", (64500, "acme")),
    ("as_path_regex", (2**32,)),
    ("ip_network", ("192.0.2.0/33",)),
    ("ip", (None,)),
    ("ip_version", ("",)),
    ("wildcard", ("x",)),
    ("group_by", (None, "x")),
    ("group_by", ("text", "x")),
    ("sort_by", ([{"a": 1}, {"a": "b"}], "a")),
    ("to_community_list", ("64500", "N", "acme")),
    ("to_community_list", ("65536:1", "N")),
    ("to_community_list", ("", "N")),
    ("to_prefix_set", (["x"], "N")),
    ("to_prefix_set", ("192.0.2.0/24", "N")),
    ("to_prefix_set", ([{"prefix": "192.0.2.0/24", "ge": 30, "le": 26}], "N")),
    ("to_prefix_set", ([{"prefix": "192.0.2.0/24", "le": 33}], "N")),
    ("to_prefix_set", ([{"prefix": "192.0.2.0/24", "action": "deny"}], "N", "junos")),
    ("mac", ("00:00:5e:00:53",)),
    ("mac", ("00:00:5e:00:53:01", "acme")),
    ("max_prefix", ({"ip_version": 4}, 5)),
    ("max_prefix", ({},)),
    ("integer", (True,)),
    ("integer", ("1.5",)),
    ("integer", (-1,)),
    ("integer", ("1\n2",)),
    ("integer", (256, 1, 255)),
    ("integer", ("²",)),
    ("identifier", ("",)),
    ("identifier", (" \n",)),
    ("identifier", (None,)),
    ("quote", ("a\nb",)),
    ("as_json", (object(),)),
    ("as_yaml", (object(),)),
    ("has_tag", ({}, "gold")),
    ("word", ("two words",)),
    ("word", ("-x",)),
    ("unsupported", ("x", "here")),
    ("standard_communities", ("x:y",)),
    ("standard_communities", (None,)),
    ("large_communities", ("1:2:4294967296",)),
    ("standard_communities", ("1:2:3:4",)),
    ("is_large", ("64500:1 64500:2",)),
    ("prefix_range", ({},)),
    ("as_path_pattern", ("^64500_\nx",)),
    ("as_path_pattern", ("", "cisco")),
    ("as_path_pattern", ("^64500_", "acme")),
    ("secret", ("x", "acme")),
    ("policy_terms", ("x", [], [])),
    ("community_sets", (None,)),
]


@pytest.mark.parametrize(
    ("name", "arguments"), BAD, ids=[f"{name}-{number}" for number, (name, _) in enumerate(BAD)]
)
def test_bad_input_is_an_error_that_names_the_filter(name, arguments):
    with pytest.raises(FilterArgumentError, match=f"^({name}|prefix_range): "):
        FILTERS[name](*arguments)


def test_an_undefined_value_is_an_error_and_not_an_empty_text():
    for name in ("safe_string", "ip", "integer", "sort_by", "standard_communities"):
        with pytest.raises(FilterArgumentError, match="undefined"):
            FILTERS[name](Undefined(name="x"), *(["a"] if name == "sort_by" else []))


def test_a_long_value_is_shown_shortened():
    with pytest.raises(FilterArgumentError) as error:
        FILTERS["ip"]("x" * 1000)
    assert len(str(error.value)) < 200


def test_the_cause_of_an_error_is_kept():
    with pytest.raises(FilterArgumentError) as error:
        FILTERS["ip"]("x")
    assert isinstance(error.value.__cause__, ValueError)

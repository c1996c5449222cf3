"""Filters of lists and of what lies in them."""

from types import SimpleNamespace

import pytest
from jinja2 import StrictUndefined, Undefined
from jinja2.exceptions import FilterArgumentError
from jinja2.sandbox import SandboxedEnvironment

from netbox_peering_manager.services.rendering.filters import FILTERS


def jinja(source, **context):
    environment = SandboxedEnvironment(undefined=StrictUndefined)
    environment.filters.update(FILTERS)
    return environment.from_string(source).render(**context)


def test_group_by_keeps_the_order_and_puts_those_without_under_none():
    items = [{"a": {"b": 2}}, {"a": {"b": 1}}, {"a": None}, {"a": {"b": 2}, "n": 4}, {}]
    assert FILTERS["group_by"](items, "a.b") == [
        (2, [items[0], items[3]]),
        (1, [items[1]]),
        (None, [items[2], items[4]]),
    ]


def test_group_by_takes_objects_and_values_that_cannot_be_hashed():
    items = [SimpleNamespace(tags=["x"]), SimpleNamespace(tags=["x"]), SimpleNamespace(tags=[])]
    assert FILTERS["group_by"](items, "tags") == [(["x"], items[:2]), ([], items[2:])]


def test_group_by_keeps_true_and_1_apart():
    assert [value for value, _ in FILTERS["group_by"]([{"a": 1}, {"a": True}], "a")] == [1, True]


def test_sort_by_is_stable_and_puts_those_without_last():
    items = [{"n": "b", "k": 1}, {"k": 2}, {"n": "a"}, {"n": "b", "k": 0}]
    assert FILTERS["sort_by"](items, "n") == [items[2], items[0], items[3], items[1]]
    assert FILTERS["sort_by"](items, "n", reverse=True) == [items[0], items[3], items[2], items[1]]


def test_has_tag_takes_slugs_of_the_context_and_tags_of_objects():
    session = {"tags": ["gold"]}
    tagged = SimpleNamespace(tags=SimpleNamespace(all=lambda: [SimpleNamespace(slug="gold")]))
    for item in (session, tagged):
        assert FILTERS["has_tag"](item, "gold") is True
        assert FILTERS["has_not_tag"](item, "silver") is True


def test_required_lets_0_and_false_pass():
    assert [FILTERS["required"](value, "x") for value in (0, False, [])] == [0, False, []]
    for value in (None, "", Undefined()):
        with pytest.raises(FilterArgumentError, match="the remote AS is missing"):
            FILTERS["required"](value, "the remote AS")


def test_unsupported_fails_a_rendering_only_where_it_is_reached():
    assert jinja("{{ 1 if ok else 'x' | unsupported('FRR') }}", ok=True) == "1"
    with pytest.raises(FilterArgumentError, match=r"'x' cannot be expressed in FRR"):
        jinja("{{ 1 if ok else 'x' | unsupported('FRR') }}", ok=False)

"""Filters of lists and of what lies in them, and those that end a rendering. Pure: no Django."""

import json
from collections.abc import Iterable
from typing import Any, NoReturn

from jinja2 import Undefined
from jinja2.exceptions import FilterArgumentError

from .values import fail, to_items

__all__ = ("attribute", "group_by", "has_not_tag", "has_tag", "required", "sort_by", "unsupported")


def attribute(item: Any, path: str) -> Any:
    """
    What lies at a dotted path of keys or attributes in `item`; None where something on the way is missing.
    """
    for part in path.split("."):
        item = item.get(part) if isinstance(item, dict) else getattr(item, part, None)
        if item is None or isinstance(item, Undefined):
            return None
    return item


def group_by(items: Iterable[Any], attr: str) -> list[tuple[Any, list[Any]]]:
    """
    `items` as (value, items) pairs by a (dotted) attribute, in first-seen order; those without it under None.
    """
    groups: dict[Any, tuple[Any, list[Any]]] = {}
    for item in to_items("group_by", items):
        value = attribute(item, attr)
        groups.setdefault(_hashable(value), (value, []))[1].append(item)
    return list(groups.values())


def sort_by(items: Iterable[Any], attr: str, reverse: bool = False) -> list[Any]:
    """`items` by a (dotted) attribute, equal ones in their order; those without it last."""
    known = [(attribute(item, attr), item) for item in to_items("sort_by", items)]
    try:
        present = sorted(
            (pair for pair in known if pair[0] is not None), key=lambda pair: pair[0], reverse=reverse
        )
    except TypeError as error:
        fail("sort_by", attr, "has values that have no common order", error)
    return [item for _, item in present] + [item for value, item in known if value is None]


def _hashable(value: Any) -> Any:
    try:
        hash(value)
    except TypeError:
        return json.dumps(value, sort_keys=True, default=str)
    return (type(value), value)


def has_tag(item: Any, tag: str) -> bool:
    """Whether `item` carries the tag with this slug."""
    tags = attribute(item, "tags")
    if tags is None:
        fail("has_tag", item, "has no tags")
    return tag in [getattr(each, "slug", each) for each in (tags.all() if hasattr(tags, "all") else tags)]


def has_not_tag(item: Any, tag: str) -> bool:
    """Whether `item` lacks the tag with this slug."""
    return not has_tag(item, tag)


def required(value: Any, what: str = "a value") -> Any:
    """
    `value`, unless it is None, empty or undefined: then the rendering fails and says that `what` is missing.
    """
    if value is None or value == "" or isinstance(value, Undefined):
        raise FilterArgumentError(f"required: {what} is missing.")
    return value


def unsupported(value: Any, where: str = "this template") -> NoReturn:
    """Fail the rendering: `value` is something that `where` cannot say, and dropping it would be a lie."""
    fail("unsupported", value, f"cannot be expressed in {where}")

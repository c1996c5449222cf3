"""
The answer to one list or single-object request, from a world's rows.

Follows PeeringDB's `rest.py`: what `since` brings, how filters compare, what is ignored, who sees which contact.
"""

import calendar
import re
import time
from dataclasses import dataclass, field

from dev.sample_peeringdb.rows import STAMP_FORMAT
from dev.sample_peeringdb.schema import PARENTS, fields, type_of
from dev.sample_peeringdb.world import CHILDREN, stamp

# PeeringDB's own: more rows than these are cut when nested sets are asked for.
DEPTH_ROWS = 250
# A list without filters comes from a cache, unless it is as short as this.
UNCACHED_LIMIT = 250
# PeeringDB's documentation asks for no more; the sample insists, so that a client that does not listen is noticed.
IN_VALUES = 150
SUFFIX = re.compile(r"(.+)__(lt|lte|gt|gte|contains|startswith|in)")
TRUTHS = {"1": True, "true": True, "0": False, "false": False}


class BadRequest(Exception):
    """A parameter that PeeringDB refuses with 400; its text is the message."""


@dataclass(frozen=True)
class Answer:
    """Rows and meta of an answer, and its HTTP status. `error` replaces the rows."""

    rows: list = field(default_factory=list)
    meta: dict = field(default_factory=dict)
    status: int = 200
    error: str = ""


@dataclass(frozen=True)
class Query:
    """A list request's parameters: {name: value} as they came, and the numbers that steer the answer."""

    filters: dict
    since: int = 0
    limit: int = 0
    skip: int = 0
    depth: int = 0
    only: tuple = ()  # `fields`

    @classmethod
    def parse(cls, tag, parameters):
        """Read the parameters of a list of a type. Filters on fields that the type lacks are left out. BadRequest."""
        numbers = {
            name: _number(name, parameters.get(name, 0)) for name in ("since", "limit", "skip", "depth")
        }
        only = tuple(filter(None, parameters.get("fields", "").split(",")))
        filters = {name: value for name, value in parameters.items() if _field(name) in fields()[tag]}
        return cls(filters, **numbers, only=only)

    @property
    def is_whole_list(self):
        """Whether it asks for all that is `ok`, which PeeringDB answers from a file made before."""
        return not (self.filters or self.since or self.limit or self.skip or self.depth or self.only)

    @property
    def is_cached(self):
        """Whether PeeringDB answers from that file, or a part of it."""
        return not (self.filters or self.since) and (self.depth or not 0 < self.limit <= UNCACHED_LIMIT)


def visible(tag, rows, keyed):
    """The rows that a caller may see: of contacts those that are Public, with a key also Users, never Private."""
    if tag != "poc":
        return rows
    allowed = {"Public", "Users"} if keyed else {"Public"}
    return [row for row in rows if row["visible"] in allowed]


def select(world, tag, query, keyed):
    """The Answer to a list request. BadRequest when a filter's value cannot be compared with its field."""
    rows = visible(tag, _base(world, tag, query.since), keyed)
    for name, value in query.filters.items():
        matches = _matcher(tag, name, value)
        rows = [row for row in rows if matches(row)]
    if not rows and ("id" in query.filters or (tag == "net" and "asn" in query.filters)):
        return Answer(status=404, error="Entity not found")
    rows = rows[query.skip : query.skip + query.limit] if query.limit else rows[query.skip :]
    meta = {}
    if query.is_cached:
        meta["generated"] = world.now
    if query.depth and len(rows) > DEPTH_ROWS:
        meta["truncated"] = (
            f"Your search query (with depth {query.depth}) returned more than {DEPTH_ROWS} rows and has been truncated."
        )
        rows = rows[:DEPTH_ROWS]
    return Answer(_shape(world, tag, rows, query, keyed), meta)


def single(world, tag, pk, query, keyed):
    """The Answer to a request for one object; without `depth` PeeringDB nests two levels here."""
    try:
        row = world.get(tag, int(pk))
    except (KeyError, ValueError):
        row = None
    if row is None or row["status"] == "deleted" or not visible(tag, [row], keyed):
        return Answer(status=404, error="Entity not found")
    shaped = _shape(world, tag, [row], query, keyed)
    if query.depth:
        shaped = [with_parents(world, tag, each) for each in shaped]
    return Answer(shaped)


def _base(world, tag, since):
    """All that is `ok`, by id; or what changed after a moment, tombstones too, by `updated`."""
    if not since:
        return world.rows(tag)
    moment = stamp(since)
    statuses = ("ok", "deleted", "pending") if tag == "campus" else ("ok", "deleted")
    changed = [
        row
        for row in world.all_rows(tag)
        if row["status"] in statuses and (row["updated"] > moment or row["created"] > moment)
    ]
    return sorted(changed, key=lambda row: (row["updated"], row["id"]))


def _shape(world, tag, rows, query, keyed):
    """The rows with nested sets as the depth says, and with only the fields asked for."""
    if query.depth:
        rows = [with_sets(world, tag, row, query.depth, keyed) for row in rows]
    if query.only:
        rows = [{name: row[name] for name in row if name in query.only} for row in rows]
    return rows


def with_sets(world, tag, row, depth, keyed):
    """A row with the sets of its children: their ids at depth 1, themselves from depth 2 on."""
    nested = dict(row)
    for name, children in CHILDREN.get(tag, {}).items():
        for child in children:
            found = visible(child, world.find(child, **{name: row["id"]}), keyed)
            nested[f"{child}_set"] = found if depth > 1 else [each["id"] for each in found]
    return nested


def with_parents(world, tag, row):
    """A row with the objects that it points at beside their ids."""
    nested = dict(row)
    for name, parent in PARENTS.items():
        if row.get(name) is not None:
            found = world.find(parent, id=row[name])
            nested[name.removesuffix("_id")] = found[0] if found else None
    return nested


# Filters


def _number(name, value):
    try:
        number = int(float(value))
    except ValueError:
        needed = "to be a unix timestamp (epoch seconds)" if name == "since" else "to be a number"
        raise BadRequest(f"'{name}' needs {needed}") from None
    return max(0, number)


def _field(parameter):
    matched = SUFFIX.fullmatch(parameter)
    return matched[1] if matched else parameter


def _matcher(tag, parameter, value):
    """A function that tells whether a row passes one filter."""
    matched = SUFFIX.fullmatch(parameter)
    name, operator = matched.groups() if matched else (parameter, "exact")
    kind = type_of(tag, name)
    if operator == "in":
        values = value.split(",")
        if len(values) > IN_VALUES:
            raise BadRequest(f"'{parameter}' has {len(values)} values; no more than {IN_VALUES} are allowed")
        wanted = {_comparable(name, kind, each) for each in values}
        return lambda row: _of(row, name) in wanted
    if operator in ("contains", "startswith"):
        lowered = value.lower()
        if operator == "contains":
            return lambda row: lowered in str(row[name] or "").lower()
        return lambda row: str(row[name] or "").lower().startswith(lowered)
    if operator == "exact" and name in ("created", "updated"):
        return lambda row: row[name].startswith(value)
    wanted = _comparable(name, kind, value, operator)
    compare = _COMPARE[operator]
    return lambda row: row[name] is not None and compare(_of(row, name), wanted)


_COMPARE = {
    "exact": lambda a, b: a == b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
}


def _of(row, name):
    value = row[name]
    return value.lower() if isinstance(value, str) and name not in ("created", "updated") else value


def _comparable(name, kind, text, operator="exact"):
    """A parameter's text as a value that compares with a field of a type. BadRequest."""
    try:
        if name in ("created", "updated"):
            return _moment(text, operator)
        if kind == "boolean":
            return TRUTHS[text.lower()]
        if kind in ("integer", "number"):
            return float(text) if kind == "number" else int(text)
    except (KeyError, ValueError):
        raise BadRequest(f"'{text}' is no value for '{name}'") from None
    return text.lower()


def _moment(text, operator):
    """A date or a time as PeeringDB writes it. For `gt` and `lte` a date means its end."""
    if len(text) == 10:
        text += "T23:59:59Z" if operator in ("gt", "lte") else "T00:00:00Z"
    text = text.replace(" ", "T").removesuffix("Z") + "Z"
    return stamp(calendar.timegm(time.strptime(text, STAMP_FORMAT)))

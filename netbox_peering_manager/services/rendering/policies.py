"""
Third stage: the contents of the policies that the sessions and peer groups use, as rows (`rows.Policies`).

Five queries at most: route maps first, as they say which lists they match.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from django.db.models import IntegerField, Q, Value
from django.db.models.functions import Coalesce

from netbox_routing.models import ASPath, Community, CommunityList, PrefixList, RouteMap, RouteMapEntry

from . import rows, sql
from .effective import Effective
from .families import EffectiveFamily

__all__ = ("load_policies",)

# The many-to-many fields of RouteMapEntry, in the order of RouteMapEntryRow, and what they lead to.
MATCHES = (
    ("match_prefix_list", "prefixlist"),
    ("match_community_list", "communitylist"),
    ("match_community", "community"),
    ("match_aspath", "aspath"),
)
NO_FAMILY = Value(None, output_field=IntegerField())


def load_policies(effective: Effective) -> rows.Policies:
    """
    Read every route map and prefix list that an address family uses, and what those route maps match and set.
    """
    families = [family for session in effective.sessions for family in session.families]
    families += [family for group in effective.group_families.values() for family in group]
    used = set(families)
    route_maps = _route_maps(_used(used, "route_map_in", "route_map_out"))
    entries = [entry for route_map in route_maps.values() for entry in route_map.entries]
    prefix_lists = _used(used, "prefix_list_in", "prefix_list_out").union(
        *(e.match_prefix_lists for e in entries)
    )
    return rows.Policies(
        route_maps=route_maps,
        prefix_lists=_prefix_lists(prefix_lists),
        community_lists=_community_lists({pk for entry in entries for pk in entry.match_community_lists}),
        as_paths=_as_paths({pk for entry in entries for pk in entry.match_as_paths}),
        communities=_communities(entries),
    )


def _used(families: Iterable[EffectiveFamily], *fields: str) -> set[int]:
    return {policy[0] for family in families for field in fields if (policy := getattr(family, field))}


def _grouped[Entry](
    values: Iterable[tuple[Any, ...]], make_entry: Callable[..., Entry | None]
) -> dict[int, rows.PolicyRow[Entry]]:
    """
    Gather (id, name, description, family, entry id, *entry) tuples into policies ordered by name, entries in
    the order given. A policy without entries has one tuple, whose entry id is None.
    """
    heads: dict[int, tuple[Any, ...]] = {}
    entries: dict[int, list[Entry]] = {}
    for pk, name, description, family, entry_id, *columns in values:
        heads[pk] = (pk, name, description, family)
        found = entries.setdefault(pk, [])
        if entry_id is not None and (entry := make_entry(*columns)) is not None:
            found.append(entry)
    by_name = sorted(heads.values(), key=lambda head: (head[1], head[0]))
    return {
        pk: rows.PolicyRow(pk, name, description, family, tuple(entries[pk]))
        for pk, name, description, family in by_name
    }


def _route_maps(ids: Collection[int]) -> dict[int, rows.PolicyRow[rows.RouteMapEntryRow]]:
    if not ids:
        return {}
    values = (
        RouteMap.objects.filter(sql.id_in("pk", ids))
        .order_by("route_map_entries__sequence")
        .values_list(
            "pk",
            "name",
            "description",
            NO_FAMILY,
            "route_map_entries__pk",
            "route_map_entries__sequence",
            "route_map_entries__action",
            "route_map_entries__flow_control",
            "route_map_entries__description",
            "route_map_entries__match",
            "route_map_entries__set",
            *(
                sql.related_ids(
                    getattr(RouteMapEntry, field), "routemapentry", related, "route_map_entries__pk"
                )
                for field, related in MATCHES
            ),
        )
    )
    return _grouped(values, rows.RouteMapEntryRow)


def _prefix_lists(ids: Collection[int]) -> dict[int, rows.PolicyRow[rows.PrefixListEntryRow]]:
    if not ids:
        return {}
    prefix = Coalesce(
        sql.as_text("prefix_list_entries__prefixes__prefix"),
        sql.as_text("prefix_list_entries__custom_prefixes__prefix"),
    )
    values = (
        PrefixList.objects.filter(sql.id_in("pk", ids))
        .order_by("prefix_list_entries__sequence")
        .values_list(
            "pk",
            "name",
            "description",
            "family",
            "prefix_list_entries__pk",
            "prefix_list_entries__sequence",
            "prefix_list_entries__action",
            prefix,
            "prefix_list_entries__ge",
            "prefix_list_entries__le",
        )
    )
    return _grouped(values, _prefix_list_entry)


def _prefix_list_entry(
    sequence: int, action: str, prefix: str | None, ge: int | None, le: int | None
) -> rows.PrefixListEntryRow | None:
    # An entry whose prefix was deleted matches nothing, so that it says nothing to a router.
    return rows.PrefixListEntryRow(sequence, action, prefix, ge, le) if prefix else None


def _community_lists(ids: Collection[int]) -> dict[int, rows.PolicyRow[rows.CommunityListEntryRow]]:
    if not ids:
        return {}
    values = (
        CommunityList.objects.filter(sql.id_in("pk", ids))
        .order_by("communitylistentries__community__community", "communitylistentries__pk")
        .values_list(
            "pk",
            "name",
            "description",
            NO_FAMILY,
            "communitylistentries__pk",
            "communitylistentries__action",
            "communitylistentries__community__community",
        )
    )
    return _grouped(values, rows.CommunityListEntryRow)


def _as_paths(ids: Collection[int]) -> dict[int, rows.PolicyRow[rows.ASPathEntryRow]]:
    if not ids:
        return {}
    values = (
        ASPath.objects.filter(sql.id_in("pk", ids))
        .order_by("aspath_entries__sequence")
        .values_list(
            "pk",
            "name",
            "description",
            NO_FAMILY,
            "aspath_entries__pk",
            "aspath_entries__sequence",
            "aspath_entries__action",
            "aspath_entries__pattern",
        )
    )
    return _grouped(values, rows.ASPathEntryRow)


def _communities(entries: Collection[rows.RouteMapEntryRow]) -> dict[int, rows.CommunityRow]:
    """Return the communities that entries match, and those that they set, by value or by name."""
    ids = {pk for entry in entries for pk in entry.match_communities}
    mentioned = {word for entry in entries for word in _communities_set(entry.set)}
    if not ids and not mentioned:
        return {}
    wanted = Q(sql.id_in("pk", ids)) | Q(community__in=mentioned) | Q(name__in=mentioned)
    values = Community.objects.filter(wanted).order_by().values_list("pk", "name", "community")
    found = sorted(map(rows.CommunityRow._make, values), key=lambda row: (row.name, row.community))
    return {row.id: row for row in found}


def _communities_set(value: Any) -> Iterator[str]:
    """
    Yield the words that a route map entry's JSON sets under keys such as "community" or "large-community".
    """
    if isinstance(value, dict):
        for key, inner in value.items():
            if "communit" in key.lower():
                yield from _words(inner)


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        # A name may hold blanks, a value may be one of several: both readings are looked up.
        yield from {value, *re.split(r"[\s,]+", value)} - {""}
    elif isinstance(value, list):
        for inner in value:
            yield from _words(inner)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _words(inner)

"""
Jinja filters that turn route maps into what a platform's policy language takes. Pure, no Django.

A route map's entry matches when each kind of its conditions does: one of its prefix lists, one of its
communities (by list or by value), one of its AS-path lists, and every key of `match`. No entry matching: the
route is refused. Platforms differ in what one of their own entries can hold, so an entry becomes one or more
*terms*.

`match` and `set` are free JSON in NetBox. The keys known here are checked and made uniform; a key that is
unknown, or that the platform cannot say, fails the rendering, for a policy that lost a condition is another
policy.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable
from itertools import product
from typing import Any, NoReturn

from jinja2.exceptions import FilterArgumentError

from .values import MAX_32, fail, is_large_community, parse_community, to_integer, to_items

ALIASES = {
    "local_pref": "local_preference",
    "med": "metric",
    "communities": "community",
    "large_communities": "large_community",
    "aspath_prepend": "as_path_prepend",
}
ORIGINS = ("igp", "egp", "incomplete")
RPKI_STATES = {"valid": "valid", "invalid": "invalid", "notfound": "not-found", "unknown": "not-found"}


def policy_terms(
    route_map: dict[str, Any],
    prefix_lists: Iterable[dict[str, Any]],
    community_lists: Iterable[dict[str, Any]],
    platform: str = "this platform",
    cannot: Iterable[str] = (),
    one_each: bool = False,
    numbered: bool = False,
) -> list[dict[str, Any]]:
    """
    A route map's entries as terms, in order, each of which a platform can write as one entry of its own.

    A term is a dict: `sequence` and `name` ("10", a second one of the same entry "10-2"), `action`,
    `description`, `continue_at`, `family` (4, 6 or None) of its `prefix_lists`, `large` (None without
    communities) of its `community_lists` (see `community_sets`), `as_paths`, and `match` and `set` with every
    known key, None or empty when not given. `set` holds `communities` and `large_communities` apart,
    whichever key they came under.

    `one_each` for platforms whose entry takes one list of a kind; `numbered` counts the further terms of an
    entry on from its sequence, and fails when the next entry leaves no room. `cannot` names what `platform`
    has no words for: "continue", "match.<key>", "set.<key>", "set.next_hop.self", "set.next_hop.peer".
    """
    if not isinstance(route_map, dict) or "entries" not in route_map:
        fail("policy_terms", route_map, "is no route map")
    families = {item["name"]: item["family"] for item in to_items("policy_terms", prefix_lists)}
    kinds = {item["name"]: _kinds(item) for item in to_items("policy_terms", community_lists)}
    terms: list[dict[str, Any]] = []
    for entry in route_map["entries"]:
        reader = _EntryReader(route_map["name"], entry, platform, frozenset(cannot))
        terms += _terms_of(reader, families, kinds, one_each)
    return _number(route_map["name"], terms) if numbered else terms


def community_sets(
    community_lists: Iterable[dict[str, Any]], route_maps: Iterable[dict[str, Any]] = ()
) -> list[dict[str, Any]]:
    """
    Every community list that the terms of `route_maps` name, by name: {"name", "description", "large",
    "entries"}.

    Platforms keep standard and large communities in lists of two kinds, so a list with both becomes two of
    its name; one that also denies cannot be parted without changing what it means, and is an error. A
    community that a route map matches by value gets a list of its own, "community-64500-1".
    """
    sets = [part for item in to_items("community_sets", community_lists) for part in _parts(item)]
    taken = {part["name"] for part in sets}
    values = {
        value
        for route_map in to_items("community_sets", route_maps)
        for entry in route_map["entries"]
        for value in _matched_values(entry)
    }
    for value in values:
        name = _value_name(value)
        if name in taken:
            fail("community_sets", name, "is the name of a community list and of one made for a community")
        entries = [{"action": "permit", "community": value}]
        sets.append({"name": name, "description": "", "large": is_large_community(value), "entries": entries})
    return sorted(sets, key=lambda part: (part["name"], part["large"]))


# --- Communities --------------------------------------------------------------------------------------------


def _kinds(community_list: dict[str, Any]) -> list[bool]:
    """
    Which kinds of communities a list holds (large: True), standard first; an empty list counts as standard.
    """
    return sorted({is_large_community(_one_community(entry)) for entry in community_list["entries"]}) or [
        False
    ]


def _one_community(entry: dict[str, Any]) -> str:
    parsed = parse_community("community_sets", entry["community"])
    return (
        parsed[0] if len(parsed) == 1 else fail("community_sets", entry["community"], "is not one community")
    )


def _parts(community_list: dict[str, Any]) -> list[dict[str, Any]]:
    kinds = _kinds(community_list)
    entries = [
        {"action": each["action"], "community": _one_community(each)} for each in community_list["entries"]
    ]
    if len(kinds) == 2 and any(entry["action"] != "permit" for entry in entries):
        fail("community_sets", community_list["name"], "mixes standard and large communities and denies some")
    return [
        {
            "name": community_list["name"],
            "description": community_list["description"],
            "large": large,
            "entries": [entry for entry in entries if is_large_community(entry["community"]) == large],
        }
        for large in kinds
    ]


def _value_name(community: str) -> str:
    return "community-" + community.replace(":", "-")


def _matched_values(entry: dict[str, Any]) -> list[str]:
    """The communities that an entry matches by value, from its references and from its JSON."""
    match = _aliased(entry["match"])
    given = [entry["match_communities"], match.get("community") or [], match.get("large_community") or []]
    return parse_community("policy_terms", [value for values in given for value in _as_list(values)])


def _as_list(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]


# --- Terms --------------------------------------------------------------------------------------------------


def _terms_of(
    reader: "_EntryReader", families: dict[str, int], kinds: dict[str, list[bool]], one_each: bool
) -> list[dict[str, Any]]:
    entry = reader.entry
    lists = [(name, reader.known(families, name, "prefix list")) for name in entry["match_prefix_lists"]]
    named = [
        (name, large)
        for name in entry["match_community_lists"]
        for large in reader.known(kinds, name, "community list")
    ]
    values = [(_value_name(value), is_large_community(value)) for value in _matched_values(entry)]
    paths = [(name, True) for name in entry["match_as_paths"]]
    alternatives = (_alternatives(each, one_each) for each in (lists, named + values, paths))
    common = {
        "action": reader.action(),
        "description": entry["description"],
        "continue_at": reader.continue_at(),
        "match": reader.match(),
        "set": reader.set(),
    }
    return [
        {
            "sequence": entry["sequence"],
            "name": str(entry["sequence"]) if index == 1 else f"{entry['sequence']}-{index}",
            "prefix_lists": prefix_lists,
            "family": family,
            "community_lists": communities,
            "large": large,
            "as_paths": as_paths,
            **common,
        }
        for index, ((prefix_lists, family), (communities, large), (as_paths, _)) in enumerate(
            product(*alternatives), 1
        )
    ]


def _alternatives(names: list[tuple[str, Any]], one_each: bool) -> list[tuple[list[str], Any]]:
    """
    (names, kind) of which one has to match: names of a kind together, or each alone; nothing: one without
    names.
    """
    if not names:
        return [([], None)]
    if one_each:
        return [([name], kind) for name, kind in dict.fromkeys(names)]
    return [
        ([name for name, own in names if own == kind], kind) for kind in sorted({kind for _, kind in names})
    ]


def _number(name: str, terms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Count the terms of one entry on from its sequence."""
    taken = {term["sequence"] for term in terms}
    previous, offset, numbered = None, 0, []
    for term in terms:
        offset = offset + 1 if term["sequence"] == previous else 0
        previous = term["sequence"]
        if offset and previous + offset in taken:
            raise FilterArgumentError(
                f"policy_terms: route map {name!r}: entry {previous} needs several numbers here, "
                f"and entry {previous + offset} leaves no room; space the sequences out."
            )
        numbered.append({**term, "sequence": previous + offset})
    return numbered


def _aliased(values: dict[str, Any] | None) -> dict[str, Any]:
    return {
        ALIASES.get(key, key): value for key, value in (values or {}).items() if value not in (None, "", [])
    }


class _EntryReader:
    """Reads one entry's JSON; every error names the route map, the entry and the platform."""

    def __init__(self, route_map: str, entry: dict[str, Any], platform: str, cannot: frozenset[str]):
        self.route_map, self.entry, self.platform, self.cannot = route_map, entry, platform, cannot

    def fail(self, problem: str) -> NoReturn:
        raise FilterArgumentError(
            f"policy_terms: route map {self.route_map!r}, entry {self.entry['sequence']}: {problem}."
        )

    def known(self, names: dict[str, Any], name: str, what: str) -> Any:
        if name not in names:
            self.fail(f"{what} {name!r} is not in the context")
        return names[name]

    def may(self, what: str) -> None:
        if what in self.cannot:
            self.fail(f"{what} cannot be expressed in {self.platform}")

    def action(self) -> str:
        if self.entry["action"] not in ("permit", "deny"):
            self.fail(f"action {self.entry['action']!r} is neither permit nor deny")
        return self.entry["action"]

    def continue_at(self) -> int | None:
        if self.entry["continue_at"] is not None:
            self.may("continue")
        return self.entry["continue_at"]

    def match(self) -> dict[str, Any]:
        """The known match keys but those for communities, which are terms of their own."""
        given = _aliased(self.entry["match"])
        given.pop("community", None), given.pop("large_community", None)
        return self.read("match", given, MATCH_READERS)

    def set(self) -> dict[str, Any]:
        """The known set keys, communities sorted by kind."""
        given = _aliased(self.entry["set"])
        both = [value for key in ("community", "large_community") for value in _as_list(given.pop(key, []))]
        values = self.read("set", given, SET_READERS)
        communities = parse_community("policy_terms", both)
        values["communities"] = [each for each in communities if not is_large_community(each)]
        values["large_communities"] = [each for each in communities if is_large_community(each)]
        values["as_path_prepend"] = values["as_path_prepend"] or []
        for key in ("communities", "large_communities"):
            if values[key]:
                self.may(f"set.{key}")
        if values["next_hop"] in ("self", "peer"):
            self.may(f"set.next_hop.{values['next_hop']}")
        return values

    def read(
        self, part: str, given: dict[str, Any], readers: dict[str, Callable[[Any], Any]]
    ) -> dict[str, Any]:
        unknown = sorted(set(given) - set(readers))
        if unknown:
            known = ", ".join(sorted({*readers, "community", "large_community"}))
            self.fail(f"{part} {', '.join(map(repr, unknown))} is not understood; known are {known}")
        for key in given:
            self.may(f"{part}.{key}")
        return {key: read(given[key]) if key in given else None for key, read in readers.items()}


def _number_reader(maximum: int) -> Callable[[Any], int]:
    return lambda value: to_integer("policy_terms", value, 0, maximum)


def _choice_reader(choices: dict[str, str], what: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        word = re.sub(r"[\s_-]", "", str(value).lower())
        return choices.get(word) or fail("policy_terms", value, f"is no {what}")

    return read


def _flag(value: Any) -> bool:
    return value if isinstance(value, bool) else fail("policy_terms", value, "is neither true nor false")


def _as_path_length(value: Any) -> dict[str, int | None]:
    """30, "ge 30", "le 3" or {"ge": 2, "le": 3} as {"min", "max"}; max None: no upper bound."""
    if isinstance(value, dict) and value and set(value) <= {"ge", "le"}:
        given = value
    elif found := re.fullmatch(r"\s*(ge|le)\s+([0-9]+)\s*", str(value)):
        given = {found[1]: found[2]}
    else:
        given = {"ge": value, "le": value}
    limits = {key: to_integer("policy_terms", number, 0, 255) for key, number in given.items()}
    return {"min": limits.get("ge", 0), "max": limits.get("le")}


def _as_path_prepend(value: Any) -> list[int]:
    asns = value.split() if isinstance(value, str) else _as_list(value)
    return [to_integer("policy_terms", asn, 1, MAX_32) for asn in asns]


def _next_hop(value: Any) -> str:
    word = re.sub(r"[\s_-]", "", str(value).lower())
    if word in ("self", "peer", "peeraddress"):
        return "self" if word == "self" else "peer"
    try:
        return str(ipaddress.ip_address(str(value)))
    except ValueError as error:
        fail("policy_terms", value, "is no next hop: self, peer-address or an address", error)


MATCH_READERS: dict[str, Callable[[Any], Any]] = {
    "as_path_length": _as_path_length,
    "local_preference": _number_reader(MAX_32),
    "metric": _number_reader(MAX_32),
    "origin": _choice_reader({origin: origin for origin in ORIGINS}, "origin: igp, egp or incomplete"),
    "rpki": _choice_reader(RPKI_STATES, "RPKI state: valid, invalid or not-found"),
    "tag": _number_reader(MAX_32),
}
SET_READERS: dict[str, Callable[[Any], Any]] = {
    "as_path_prepend": _as_path_prepend,
    "community_additive": _flag,
    "large_community_additive": _flag,
    "local_preference": _number_reader(MAX_32),
    "metric": _number_reader(MAX_32),
    "next_hop": _next_hop,
    "origin": _choice_reader({origin: origin for origin in ORIGINS}, "origin: igp, egp or incomplete"),
    "tag": _number_reader(MAX_32),
    "weight": _number_reader(2**16 - 1),
}

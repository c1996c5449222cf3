"""Filters that turn route maps into terms: what they say, and what they refuse."""

import pytest
from jinja2.exceptions import FilterArgumentError

from netbox_peering_manager.services.rendering.filters import FILTERS

PREFIX_LISTS = [{"name": "A4", "family": 4}, {"name": "B4", "family": 4}, {"name": "A6", "family": 6}]


def community_list(name, *communities, action="permit"):
    entries = [{"action": action, "community": each, "large": each.count(":") == 2} for each in communities]
    return {"name": name, "description": "", "entries": entries}


COMMUNITY_LISTS = [community_list("STD", "64500:1"), community_list("BOTH", "64500:2", "64500:2:0")]


def entry(sequence=10, **values):
    lists = ("match_prefix_lists", "match_community_lists", "match_communities", "match_as_paths")
    blank = {"action": "permit", "match": {}, "set": {}, "continue_at": None, "description": ""}
    return {"sequence": sequence, **{name: [] for name in lists}, **blank, **values}


def terms(*entries, **options):
    return FILTERS["policy_terms"](
        {"name": "RM", "entries": list(entries)}, PREFIX_LISTS, COMMUNITY_LISTS, **options
    )


def test_an_entry_with_lists_of_two_families_becomes_two_terms():
    found = terms(entry(match_prefix_lists=["A6", "A4", "B4"]))
    assert [(t["name"], t["family"], t["prefix_lists"]) for t in found] == [
        ("10", 4, ["A4", "B4"]),
        ("10-2", 6, ["A6"]),
    ]


def test_one_each_and_numbered_count_on_from_the_entrys_sequence():
    found = terms(
        entry(10, match_prefix_lists=["A4", "B4"], match_community_lists=["BOTH"]),
        entry(20),
        one_each=True,
        numbered=True,
    )
    assert [t["sequence"] for t in found] == [10, 11, 12, 13, 20]
    assert {(t["prefix_lists"][0], t["large"]) for t in found[:4]} == {
        ("A4", False),
        ("A4", True),
        ("B4", False),
        ("B4", True),
    }


def test_numbered_fails_where_the_next_entry_leaves_no_room():
    with pytest.raises(FilterArgumentError, match=r"'RM': entry 10 .* entry 11 leaves no room"):
        terms(entry(10, match_prefix_lists=["A4", "A6"]), entry(11), numbered=True)


def test_communities_by_value_and_by_list_are_alternatives():
    [found] = terms(
        entry(match_community_lists=["STD"], match_communities=["64500:9"], match={"community": "64500:8"})
    )
    assert found["community_lists"] == ["STD", "community-64500-9", "community-64500-8"]
    assert found["match"]["rpki"] is None


def test_community_sets_parts_kinds_and_makes_lists_of_values():
    route_map = {
        "name": "RM",
        "entries": [entry(match_communities=["64500:9"], match={"large_community": "64500:9:9"})],
    }
    found = FILTERS["community_sets"](COMMUNITY_LISTS, [route_map])
    assert [(each["name"], each["large"], each["entries"][0]["community"]) for each in found] == [
        ("BOTH", False, "64500:2"),
        ("BOTH", True, "64500:2:0"),
        ("STD", False, "64500:1"),
        ("community-64500-9", False, "64500:9"),
        ("community-64500-9-9", True, "64500:9:9"),
    ]


def test_community_sets_refuses_to_part_a_list_that_denies_and_to_share_a_name():
    with pytest.raises(FilterArgumentError, match="mixes"):
        FILTERS["community_sets"]([community_list("X", "64500:1", "64500:1:1", action="deny")])
    route_map = {"name": "RM", "entries": [entry(match_communities=["64500:9"])]}
    with pytest.raises(FilterArgumentError, match="is the name of a community list"):
        FILTERS["community_sets"]([community_list("community-64500-9", "64500:1")], [route_map])


def test_set_is_made_uniform():
    given = {
        "med": "5",
        "local_pref": 100,
        "community": "64500:1 64500:1:1",
        "community_additive": True,
        "as_path_prepend": "64500 64500",
        "next_hop": "peer-address",
        "origin": "IGP",
        "tag": None,
    }
    [found] = terms(entry(set=given))
    assert found["set"] == {
        "metric": 5,
        "local_preference": 100,
        "communities": ["64500:1"],
        "large_communities": ["64500:1:1"],
        "community_additive": True,
        "large_community_additive": None,
        "as_path_prepend": [64500, 64500],
        "next_hop": "peer",
        "origin": "igp",
        "tag": None,
        "weight": None,
    }


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (3, {"min": 3, "max": 3}),
        ("ge 30", {"min": 30, "max": None}),
        ("le 3", {"min": 0, "max": 3}),
        ({"ge": 2, "le": 4}, {"min": 2, "max": 4}),
    ],
)
def test_as_path_length(value, wanted):
    [found] = terms(entry(match={"as_path_length": value}))
    assert found["match"]["as_path_length"] == wanted


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"match": {"moon": 1}}, "match 'moon' is not understood; known are .*rpki"),
        ({"set": {"moon": 1, "sun": 2}}, "set 'moon', 'sun' is not understood"),
        ({"set": {"weight": 1}}, "set.weight cannot be expressed in ACME"),
        ({"set": {"next_hop": "self"}}, "set.next_hop.self cannot be expressed in ACME"),
        ({"continue_at": 20}, "continue cannot be expressed in ACME"),
        ({"match_prefix_lists": ["NONE"]}, "prefix list 'NONE' is not in the context"),
        ({"match_community_lists": ["NONE"]}, "community list 'NONE' is not in the context"),
        ({"action": "maybe"}, "action 'maybe' is neither permit nor deny"),
    ],
)
def test_what_cannot_be_said_names_the_route_map_and_the_entry(values, message):
    cannot = ["continue", "set.weight", "set.next_hop.self"]
    with pytest.raises(FilterArgumentError, match=f"^policy_terms: route map 'RM', entry 10: {message}"):
        terms(entry(**values), platform="ACME", cannot=cannot)


@pytest.mark.parametrize(
    "values",
    [
        {"set": {"local_preference": "high"}},
        {"set": {"local_preference": 2**32}},
        {"set": {"weight": 70000}},
        {"set": {"metric": True}},
        {"set": {"community": "none"}},
        {"set": {"community_additive": "yes"}},
        {"set": {"as_path_prepend": "64500 x"}},
        {"set": {"as_path_prepend": 0}},
        {"set": {"next_hop": "here"}},
        {"set": {"origin": "mars"}},
        {"match": {"rpki": "perhaps"}},
        {"match": {"as_path_length": "gt 3"}},
        {"match": {"as_path_length": {"lt": 3}}},
    ],
    ids=str,
)
def test_a_value_of_the_wrong_kind_is_an_error(values):
    with pytest.raises(FilterArgumentError, match=r"^policy_terms: "):
        terms(entry(**values))

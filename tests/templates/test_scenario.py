"""The scenario is what the plugin gives: exactly the keys and types of the contract in `context.py`."""

import types
import typing
from typing import Any

import pytest

from netbox_peering_manager.services.rendering import context as contract

from .scenarios import empty, hostile, scenario


def objections(value: Any, wanted: Any, path: str = "context") -> list[str]:
    """Where `value` differs from a type of the contract."""
    if wanted is Any:
        return []
    if typing.is_typeddict(wanted):
        return _dict_objections(value, wanted, path)
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (types.UnionType, typing.Union):
        found = [objections(value, each, path) for each in arguments]
        return [] if [] in found else min(found, key=len)
    if origin is list:
        if not isinstance(value, list):
            return [f"{path} is no list"]
        return [
            each for n, item in enumerate(value) for each in objections(item, arguments[0], f"{path}[{n}]")
        ]
    if origin is dict:
        return [] if isinstance(value, dict) else [f"{path} is no dict"]
    # A bool is an int to Python, and not to a template.
    return [] if type(value) is wanted else [f"{path} is {value!r}, no {wanted.__name__}"]


def _dict_objections(value: Any, wanted: Any, path: str) -> list[str]:
    hints = typing.get_type_hints(wanted)
    if not isinstance(value, dict):
        return [f"{path} is {value!r}, no {wanted.__name__}"]
    missing = [f"{path}.{key} is missing" for key in hints if key not in value]
    unknown = [f"{path}.{key} is not in the contract" for key in value if key not in hints]
    inner = [
        each for key in hints if key in value for each in objections(value[key], hints[key], f"{path}.{key}")
    ]
    return missing + unknown + inner


@pytest.mark.parametrize("make", [scenario, empty, hostile])
def test_scenarios_have_exactly_the_keys_and_types_of_the_contract(make):
    assert objections(make(), contract.PeeringContext) == []


def test_the_check_itself_sees_missing_unknown_and_mistyped_keys():
    context = scenario()
    context["surplus"] = 1
    del context["route_maps"]
    context["sessions"][0]["enabled"] = 1
    context["sessions"][1]["peer_group"] = {"id": 1}
    assert objections(context, contract.PeeringContext) == [
        "context.route_maps is missing",
        "context.surplus is not in the contract",
        "context.sessions[0].enabled is 1, no bool",
        "context.sessions[1].peer_group.name is missing",
    ]


def test_the_story_refers_only_to_policies_that_it_defines():
    context = scenario()
    names = {
        kind: {item["name"] for item in context[kind]} for kind in context if kind.endswith(("maps", "lists"))
    }
    families = [
        family
        for owner in context["sessions"] + context["peer_groups"]
        for family in owner["address_families"]
    ]
    for key, kind in (("route_map", "route_maps"), ("prefix_list", "prefix_lists")):
        used = {
            family[f"{key}_{way}"]["name"]
            for family in families
            for way in ("in", "out")
            if family[f"{key}_{way}"]
        }
        assert used <= names[kind]
    entries = [entry for route_map in context["route_maps"] for entry in route_map["entries"]]
    for key, kind in (
        ("match_prefix_lists", "prefix_lists"),
        ("match_community_lists", "community_lists"),
        ("match_as_paths", "as_path_lists"),
    ):
        assert {name for entry in entries for name in entry[key]} <= names[kind]

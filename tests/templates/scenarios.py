"""
The contexts that the example templates are rendered with, and the environment that renders them, as NetBox
does.

`scenario()` is the story of README.md, in `scenario.json`. The others are made from it: without any session,
with hostile text wherever somebody can write text in NetBox, and with a single route map or password
exchanged.
"""

import copy
import functools
import json
import re
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import SandboxedEnvironment

from netbox_peering_manager.services.rendering.filters import FILTERS

HERE = Path(__file__).parent
TEMPLATES = HERE.parents[1] / "examples" / "templates"
# What the README of the templates asks for in a ConfigTemplate's environment parameters.
ENVIRONMENT_PARAMS = {"trim_blocks": True, "lstrip_blocks": True}
# Ends strings, comments, blocks, lines and templates of every platform, and tries to run something
# afterwards.
HOSTILE = (
    "x\" '`}}]) */ -- ; ! # $(reboot) [reboot] \\ %} {{ 7 * 7 }} {% raw %} Zürich 東京 \u2028\x00\x07"
    "\nneighbor 203.0.113.66 remote-as 64666\r\nno router bgp 64500\n/system reboot\n"
)


def names() -> list[str]:
    """The platforms: the templates' names without ending."""
    return sorted(path.stem for path in TEMPLATES.glob("*.j2"))


def render(platform: str, context: dict[str, Any], trim_blocks: bool = True, **switches: str) -> str:
    """
    The template of a platform over a context, ending in one newline.

    `trim_blocks=False` is an environment without parameters; `switches` replace values set at the template's head.
    """
    params = ENVIRONMENT_PARAMS if trim_blocks else {}
    return (
        template(platform, tuple(params.items()), tuple(switches.items())).render(**context).rstrip("\n")
        + "\n"
    )


@functools.cache
def template(
    platform: str, params: tuple[tuple[str, bool], ...], switches: tuple[tuple[str, str], ...]
) -> Template:
    """The compiled template."""
    environment = SandboxedEnvironment(undefined=StrictUndefined, **dict(params))
    environment.filters.update(FILTERS)
    source = (TEMPLATES / f"{platform}.j2").read_text()
    for name, value in switches:
        source, found = re.subn(rf"{{% set {name} = \w+ %}}", f"{{% set {name} = {value} %}}", source)
        assert found == 1, f"{platform}.j2 has no switch {name}"
    return environment.from_string(source)


def scenario() -> dict[str, Any]:
    """The story, anew for each call."""
    return json.loads((HERE / "scenario.json").read_text())


def empty() -> dict[str, Any]:
    """The same router before anybody peers with it."""
    return {name: value if name == "device" else [] for name, value in scenario().items()}


def hostile() -> dict[str, Any]:
    """The story with HOSTILE added to every text that people write, names of policies and VRFs among them."""
    context = scenario()
    spoilt = {item["name"] for kind in POLICY_KINDS for item in context[kind]}
    spoilt |= {session["vrf"] for session in context["sessions"] if session["vrf"]} | {"fast"}
    return _spoil(context, spoilt)


POLICY_KINDS = ("peer_groups", "route_maps", "prefix_lists", "community_lists", "as_path_lists")
FREE_TEXT = (
    "name",
    "description",
    "peer_name",
    "relationship",
    "service_reference",
    "irr_as_set",
    "status",
    "serial",
    "tags",
)


def _spoil(value: Any, spoilt: set[str], key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _spoil(each, spoilt, name) for name, each in value.items()}
    if isinstance(value, list):
        return [_spoil(each, spoilt, key) for each in value]
    if isinstance(value, str) and value and (key in FREE_TEXT or value in spoilt):
        return value + HOSTILE
    return value


def with_entry(**entry: Any) -> dict[str, Any]:
    """The story with one entry before the others of the route map CUSTOMER-OUT, which one session uses."""
    context = scenario()
    blank = {
        "sequence": 5,
        "action": "permit",
        "match_prefix_lists": [],
        "match_community_lists": [],
        "match_communities": [],
        "match_as_paths": [],
        "match": {},
        "set": {},
        "continue_at": None,
        "description": "",
    }
    route_map = next(item for item in context["route_maps"] if item["name"] == "CUSTOMER-OUT")
    route_map["entries"].insert(0, {**blank, **entry})
    return context


def with_session(remote_ip: str, **values: Any) -> dict[str, Any]:
    """The story with some values of one session changed."""
    context = scenario()
    session = next(item for item in context["sessions"] if item["remote_ip"] == remote_ip)
    session.update(copy.deepcopy(values))
    return context

"""
Every example template over the scenarios: what it renders, what it refuses, and what no text can make it say.

Golden files hold the whole output; `UPDATE_GOLDEN=1 pytest tests/templates` writes them anew, to be read as a
diff. The daemons' own parsers read what FRR, BIRD and OpenBGPD get.
"""

import difflib
import functools
import json
import os
import re

import pytest
from jinja2 import UndefinedError
from jinja2.exceptions import FilterArgumentError

from dev import parsers
from netbox_peering_manager.services.rendering.filters.policies import MATCH_READERS, SET_READERS

from .scenarios import HERE, TEMPLATES, empty, hostile, names, render, scenario, with_entry, with_session

GOLDEN = HERE / "golden"
PLATFORMS = names()
CHECKS = {"frr": parsers.check_frr, "bird2": parsers.check_bird, "openbgpd": parsers.check_openbgpd}
# Its session runs in a VRF, which OpenBGPD leaves to another daemon and names in a comment.
ALDER = "192.0.2.21"
UPSTREAM = "198.51.100.1"
every_platform = pytest.mark.parametrize("platform", PLATFORMS)
every_parser = pytest.mark.parametrize("platform", sorted(CHECKS))


def check(platform: str, text: str) -> str:
    """
    The parser's objections. OpenBGPD looks for the interface of a link-local neighbour on this very machine.
    """
    return CHECKS[platform](text.replace("%swp3", "%lo"))


def attempt(platform: str, context: dict) -> tuple[str | None, str]:
    """(text, "") or, where the template refuses, (None, why)."""
    try:
        return render(platform, context), ""
    except FilterArgumentError as error:
        return None, str(error)


@functools.cache
def usual(platform: str) -> str:
    """What the story of the scenario renders to."""
    return render(platform, scenario())


@functools.cache
def with_blank_entry(platform: str) -> str:
    """What it renders to with one more entry, which matches and sets nothing."""
    return render(platform, with_entry())


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def test_there_is_a_template_for_each_platform_that_is_promised():
    wanted = "bird2 eos frr iosxe iosxr junos nxos openbgpd routeros sros vyos"
    assert " ".join(PLATFORMS) == wanted


# --- What comes out -----------------------------------------------------------------------------------------


@every_platform
def test_output_is_the_golden_file(platform):
    path, text = GOLDEN / f"{platform}.conf", usual(platform)
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert path.exists(), f"No {path.name} yet: look at the output, then UPDATE_GOLDEN=1"
    difference = difflib.unified_diff(
        path.read_text().splitlines(), text.splitlines(), "golden", "now", lineterm=""
    )
    assert not (found := "\n".join(difference)), found


@every_platform
def test_rendering_twice_gives_the_same_text(platform):
    assert render(platform, scenario()) == render(platform, scenario())


@every_platform
def test_without_the_environment_parameters_only_blank_lines_differ(platform):
    assert lines(render(platform, scenario(), trim_blocks=False)) == lines(usual(platform))


@every_platform
def test_every_enabled_session_is_there_and_no_line_ends_in_blanks(platform):
    text = usual(platform)
    assert [
        s["remote_ip"] for s in scenario()["sessions"] if s["enabled"] and s["remote_ip"] not in text
    ] == []
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


@every_platform
def test_names_of_the_plugin_never_stand_where_a_value_should(platform):
    text = usual(platform)
    assert re.findall(r"\bNone\b|\bUndefined\b|\bTrue\b|\bFalse\b|<[a-z]+ object|[{%]{2}", text) == []


@every_platform
def test_a_removed_session_goes_unless_its_address_is_used_again(platform):
    text = usual(platform)
    assert "192.0.2.99" in text
    assert [line for line in deletions(text) if re.search(r"192\.0\.2\.21\b", line)] == []


def deletions(text: str) -> list[str]:
    """The lines that delete something. "delete … shutdown" is none: it takes away what holds a session down."""
    deletion = r"^\W*(no neighbor \S+|delete\b.*(?<! shutdown)|remove\b.*)$"
    return [line for line in text.splitlines() if re.search(deletion, line)]


@every_platform
def test_a_removed_link_local_neighbour_goes_by_its_interface_where_that_is_part_of_its_name(platform):
    by_interface = {
        "eos": "no neighbor fe80::2%swp2",
        "iosxe": "no neighbor fe80::2%swp2",
        "routeros": 'find where name="peer-fe80::2%swp2"',
        "sros": 'delete neighbor "fe80::2-swp2"',
    }
    text = usual(platform)
    assert by_interface.get(platform, "") in text
    if platform not in by_interface:
        assert [line for line in deletions(text) if re.search(r"fe80::2\b", line)] == []


@every_platform
def test_a_disabled_session_differs_from_an_enabled_one(platform):
    assert lines(render(platform, with_session(ALDER, enabled=False))) != lines(usual(platform))


@every_platform
@pytest.mark.parametrize(
    "change",
    [
        {"password": ""},
        {"ttl": 255},
        {"ttl": 3},
        {"peer_asn": 65550},
        {"description": "Something else"},
        {
            "bfd_profile": {
                "name": "b",
                "minimum_interval": 500,
                "minimum_rx_interval": 600,
                "multiplier": 4,
                "hold": None,
            }
        },
    ],
    ids=lambda change: "-".join(f"{key}" for key in change),
)
def test_a_changed_session_changes_the_text(platform, change):
    assert render(platform, with_session(ALDER, **change)) != usual(platform)


@every_platform
def test_ttl_1_is_the_default_of_ebgp_and_needs_no_words(platform):
    assert render(platform, with_session(ALDER, ttl=1)) == usual(platform)


@every_platform
def test_secrets_come_out_whole_or_not_at_all(platform):
    assert "Alder-2f9c" in usual(platform)
    masked = render(platform, with_session(ALDER, password="********"))
    assert "********" in masked
    assert "Alder-2f9c" not in masked


@every_platform
def test_a_router_without_sessions_gets_no_neighbour(platform):
    assert not re.search(r"\b(192\.0\.2|203\.0\.113)\.\d", render(platform, empty()))


@every_platform
def test_sessions_without_a_device_render_under_their_own_as(platform):
    text = render(platform, {**scenario(), "device": None})
    assert "64500" in text
    assert "198.51.100.255" in text  # a source address, while the router id has gone


def test_frr_switches_off_the_families_that_a_member_has_only_from_its_group():
    for replaces_all in ("false", "true"):
        text = render("frr", scenario(), replaces_all=replaces_all)
        ipv6 = text.split("address-family ipv6 unicast")[1].split("exit-address-family")[0]
        assert "  no neighbor 192.0.2.21 activate\n" in ipv6
        assert "  neighbor 2001:db8:100::21 activate\n" in ipv6
        assert "no neighbor 192.0.2.66 activate" not in ipv6


def test_frr_sets_a_role_on_the_group_when_all_its_members_share_it():
    context = scenario()
    assert " neighbor IX-PEERS local-role peer\n" in render("frr", context)
    context["sessions"][1]["bgp_role"] = "provider"
    context["peer_groups"][0]["bgp_role"] = None
    text = render("frr", context)
    assert "neighbor IX-PEERS local-role" not in text
    assert f" neighbor {ALDER} local-role provider\n" in text


def test_frr_that_replaces_the_whole_configuration_deletes_nothing_by_name():
    text = render("frr", scenario(), replaces_all="true")
    assert "192.0.2.99" not in text
    assert "no neighbor 192.0.2.21 shutdown" not in text


def test_vyos_that_is_entered_into_a_running_configuration_switches_enabled_sessions_on():
    path = f"protocols bgp neighbor {UPSTREAM} shutdown\n"
    assert f"delete {path}" in usual("vyos")
    assert f"set {path}" not in usual("vyos")
    shut = render("vyos", with_session(UPSTREAM, enabled=False))
    assert f"set {path}" in shut
    assert f"delete {path}" not in shut
    assert f"delete {path}" not in render("vyos", scenario(), replaces_all="true")


# --- What the daemons say -----------------------------------------------------------------------------------


@every_parser
@pytest.mark.parser
@pytest.mark.parametrize("make", [scenario, empty, hostile], ids=lambda make: make.__name__)
def test_the_daemons_own_parser_accepts_the_text(platform, make):
    assert check(platform, render(platform, make())) == ""


@pytest.mark.parser
@pytest.mark.parametrize(
    ("platform", "broken", "objection"),
    [
        ("frr", "router bgp 64500\n neighbor 192.0.2.1 remote-as nobody\n", "nknown command"),
        ("frr", "router bgp 64500\n neighbor 192.0.2.1 peer-group NOBODY\n", "peer-group"),
        ("frr", "bfd\n profile x\n  detect-multiplier many\n exit\nexit\n", "nknown command"),
        ("frr", "route-map X permit 10\n match nothing\nexit\n", "nknown command"),
        ("bird2", "protocol bgp x { neighbor 192.0.2.1 as 64501; }\n", "Local AS"),
        ("bird2", 'protocol bgp x { description "a"b"; }\n', "syntax error"),
        ("openbgpd", "AS 64500\nneighbor 192.0.2.1 {\n", "syntax error"),
        ("openbgpd", "AS nobody\n", "AS nobody is bad"),
    ],
)
def test_the_parsers_do_reject_what_is_wrong(platform, broken, objection):
    assert objection in CHECKS[platform](broken)


@pytest.mark.parametrize(
    ("platform", "package"), [("frr", "frr"), ("bird2", "bird2"), ("openbgpd", "openbgpd")]
)
def test_a_missing_parser_is_a_failure_that_names_its_package(platform, package, monkeypatch):
    monkeypatch.setattr(parsers.shutil, "which", lambda name: None)
    with pytest.raises(parsers.ParserMissing, match=f"apt-get install {package}$"):
        CHECKS[platform]("")


# --- What hostile text can do: nothing ----------------------------------------------------------------------


@every_platform
def test_hostile_text_adds_no_line_and_begins_none(platform):
    friendly, spoilt = usual(platform).splitlines(), render(platform, hostile()).splitlines()
    assert len(spoilt) == len(friendly)
    for before, after in zip(friendly, spoilt, strict=True):
        # The first word says what a line is about. Where it is a name itself, it has got its hash.
        first, now = (line.split() or [""] for line in (before, after))
        assert now[0] == first[0] or re.fullmatch(
            rf"{re.escape(first[0].strip(QUOTES))}.*_[0-9a-f]{{6}}", now[0].strip(QUOTES)
        )


QUOTES = "\"'{;"


@every_platform
def test_hostile_text_stays_ascii_without_any_control_character(platform):
    text = render(platform, hostile())
    assert re.sub(r"[ -~\n]", "", text) == ""
    assert "{{" not in text
    assert not re.search(r"[%$]\(|\{%|%\}|`", text)


@every_platform
def test_hostile_text_leaves_braces_in_balance(platform):
    text = re.sub(r'"(?:[^"\\\n]|\\.)*"', "", render(platform, hostile()))
    assert text.count("{") == text.count("}")


@every_platform
def test_names_that_differ_stay_apart_even_when_made_valid(platform):
    context = scenario()
    route_map = next(item for item in context["route_maps"] if item["name"] == "RED-OUT")
    context["route_maps"] += [
        {**route_map, "name": "RED OUT", "id": 98},
        {**route_map, "name": "RED/OUT", "id": 99},
    ]
    session = next(item for item in context["sessions"] if item["vrf"])
    for vrf in ("RED", "BLUE"):
        context["sessions"].append(
            {**session, "vrf": vrf, "address_families": [dict(session["address_families"][0])]}
        )
        context["sessions"][-1]["address_families"][0]["route_map_out"] = {
            "name": {"RED": "RED OUT", "BLUE": "RED/OUT"}[vrf]
        }
    text = render(platform, context)
    if platform != "openbgpd":  # which has no names of route maps, and no VRF beside its own
        assert len(set(re.findall(r"RED_OUT[a-z-]*_[0-9a-f]{6}", text))) == 2


PASSWORDS = [
    "with blank",
    "two  blanks",
    'double"quote',
    "single'quote",
    "back\\slash",
    "hash#sign",
    "bang!sign",
    "semi;colon",
    "dollar$(reboot)",
    "brace}{",
    "{{ 7 * 7 }}",
    "question?mark",
    "new\nline",
    "tab\tbed",
    "ümläut",
    " leading",
    "trailing ",
    "x" * 200,
]


@every_platform
@pytest.mark.parametrize("password", PASSWORDS, ids=repr)
def test_a_password_arrives_unaltered_or_is_refused(platform, password):
    text, refusal = attempt(platform, with_session(ALDER, password=password))
    if text is None:
        assert password not in refusal
        return
    assert len(text.splitlines()) == len(usual(platform).splitlines())
    assert password in text or password in re.sub(r"\\(.)", r"\1", text)
    if platform in CHECKS:
        assert check(platform, text) == ""


@every_platform
def test_an_interface_name_that_is_no_word_fails_rather_than_end_up_altered(platform):
    context = with_session("fe80::2", local_interface="eth0\nno router bgp 64500")
    with pytest.raises(FilterArgumentError, match="word"):
        render(platform, context)


@every_platform
def test_a_link_local_neighbour_needs_an_interface(platform):
    with pytest.raises(FilterArgumentError, match="interface towards fe80::2"):
        render(platform, with_session("fe80::2", local_interface=None))


@every_platform
def test_a_session_without_remote_as_fails_and_is_named(platform):
    with pytest.raises(FilterArgumentError, match=re.escape(UPSTREAM)):
        render(platform, with_session(UPSTREAM, peer_asn=None))


# --- Route maps: said, or refused ---------------------------------------------------------------------------

KEYS = [
    {"match": {"rpki": "not-found"}},
    {"match": {"tag": 7}},
    {"match": {"local_preference": 70}},
    {"match": {"metric": 70}},
    {"match": {"origin": "egp"}},
    {"match": {"as_path_length": "ge 30"}},
    {"match": {"as_path_length": {"ge": 2, "le": 4}}},
    {"match": {"community": "64500:70, 64500:7:0"}},
    {"match_community_lists": ["CUSTOMERS"]},
    {"match_communities": ["64500:71"]},
    {"match_as_paths": ["OWN-AS"]},
    {"match_prefix_lists": ["OWN-V4"]},
    {"set": {"local_preference": 70}},
    {"set": {"metric": 70}},
    {"set": {"med": 71}},
    {"set": {"community": ["64500:70"], "community_additive": True}},
    {"set": {"community": "no-export"}},
    {"set": {"large_community": "64500:7:0"}},
    {"set": {"as_path_prepend": [64500, 64500, 64500]}},
    {"set": {"as_path_prepend": "65537 64500"}},
    {"set": {"next_hop": "198.51.100.9"}},
    {"set": {"next_hop": "self"}},
    {"set": {"next_hop": "peer-address"}},
    {"set": {"origin": "igp"}},
    {"set": {"origin": "egp"}},
    {"set": {"weight": 70}},
    {"set": {"tag": 70}},
    {"continue_at": 10},
    {"action": "deny", "match_communities": ["64500:72"]},
]


@every_platform
@pytest.mark.parametrize("entry", KEYS, ids=lambda entry: re.sub(r"[^a-z0-9_]+", "-", str(entry)).strip("-"))
def test_what_an_entry_matches_and_sets_is_said_or_refused_but_never_dropped(platform, entry):
    text, refusal = attempt(platform, with_entry(**entry))
    if text is None:
        assert "cannot be expressed" in refusal
        return
    assert text != with_blank_entry(platform)
    if platform in CHECKS:
        assert check(platform, text) == ""


@every_platform
@pytest.mark.parametrize("part", ["match", "set"])
def test_a_key_that_nobody_knows_fails_with_route_map_and_entry(platform, part):
    with pytest.raises(FilterArgumentError, match=r"'CUSTOMER-OUT', entry 5: .*'phase_of_moon'"):
        render(platform, with_entry(**{part: {"phase_of_moon": "full"}}))


@every_platform
def test_a_value_in_json_cannot_smuggle_in_a_line(platform):
    for key in ("local_preference", "metric", "community", "as_path_prepend", "next_hop", "origin"):
        with pytest.raises(FilterArgumentError):
            render(platform, with_entry(set={key: "100\n no router bgp 64500"}))


@every_platform
@pytest.mark.parametrize("kind", ["prefix_lists", "community_lists", "as_path_lists", "route_maps"])
def test_a_policy_without_entries_lets_nothing_pass_and_keeps_the_text_valid(platform, kind):
    context = scenario()
    context[kind] = [{**item, "entries": []} for item in context[kind]]
    text = render(platform, context)
    assert text != usual(platform)
    if platform in CHECKS:
        assert check(platform, text) == ""


@every_platform
@pytest.mark.parametrize("kind", ["prefix_lists", "community_lists", "as_path_lists"])
def test_an_entry_that_denies_is_said_or_refused(platform, kind):
    context = scenario()
    for item in context[kind]:
        # No list with communities of both kinds: those cannot be parted once they deny.
        if item["name"] != "CUSTOMERS":
            item["entries"].insert(0, {**item["entries"][0], "sequence": 1, "action": "deny"})
    text, refusal = attempt(platform, context)
    if text is None:
        assert re.search("cannot be expressed|den[iy]", refusal)
        return
    assert text != usual(platform)
    if platform in CHECKS:
        assert check(platform, text) == ""


@every_platform
def test_an_as_path_pattern_is_put_into_the_platforms_language_or_refused(platform):
    for pattern in (
        "^$",
        "_65537$",
        "^65537(_65537)*$",
        "^(65537|64501)_",
        "^65537_[0-9]+$",
        ".*",
        "_6453[0-9]_",
    ):
        context = scenario()
        context["as_path_lists"][0]["entries"][0]["pattern"] = pattern
        text, refusal = attempt(platform, context)
        if text is None:
            assert pattern in refusal
            continue
        assert text != usual(platform)
        if platform in CHECKS:
            assert check(platform, text) == ""


@every_platform
def test_an_unknown_address_family_is_refused(platform):
    context = scenario()
    family = context["sessions"][1]["address_families"][0]
    family.update(afi="l2vpn-mystery", afi_name="l2vpn", safi_name="mystery")
    with pytest.raises(FilterArgumentError, match="l2vpn-mystery"):
        render(platform, context)


@every_platform
def test_a_missing_name_fails_the_rendering(platform):
    context = scenario()
    del context["sessions"]
    with pytest.raises((UndefinedError, FilterArgumentError)):
        render(platform, context)


def readme_rows() -> list[tuple[str, str]]:
    """(JSON of an entry, platforms that refuse it) of the table in the templates' README."""
    rows = re.findall(
        r"^\| `(\{.*\})` \|[^|]*\|([^|]*)\|$", (TEMPLATES / "README.md").read_text(), re.MULTILINE
    )
    return [(entry, refused.strip()) for entry, refused in rows]


@pytest.mark.parametrize(("entry", "refused"), readme_rows())
def test_the_readme_says_which_platform_refuses_what(entry, refused):
    refusing = [
        platform for platform in PLATFORMS if attempt(platform, with_entry(**json.loads(entry)))[0] is None
    ]
    assert ", ".join(refusing) == refused


def test_the_readme_knows_every_key_and_every_template():
    text = (TEMPLATES / "README.md").read_text()
    keys = [*MATCH_READERS, *SET_READERS, "community", "large_community", *PLATFORMS]
    assert [key for key in keys if f'"{key}"' not in text and f"`{key}" not in text] == []


@every_platform
def test_a_template_says_which_environment_parameters_it_wants(platform):
    head = (TEMPLATES / f"{platform}.j2").read_text().split("#}")[0]
    assert (
        'Environment parameters of the ConfigTemplate: {"trim_blocks": true, "lstrip_blocks": true}' in head
    )

"""The Jinja filters: what they give, and that they fail by name where they could only guess."""

import ast
import inspect
from pathlib import Path
from types import SimpleNamespace

import pytest
from jinja2 import StrictUndefined, Undefined
from jinja2.defaults import DEFAULT_FILTERS
from jinja2.exceptions import FilterArgumentError
from jinja2.sandbox import SandboxedEnvironment

from netbox_peering_manager import jinja_env
from netbox_peering_manager.services.rendering import filters as module
from netbox_peering_manager.services.rendering.filters import FILTERS

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "filters.md"


def jinja(source, **context):
    environment = SandboxedEnvironment(undefined=StrictUndefined)
    environment.filters.update(FILTERS)
    return environment.from_string(source).render(**context)


# --- As a whole ---------------------------------------------------------------------------------------------


def test_netbox_gets_exactly_these_filters():
    assert jinja_env.filters is FILTERS


def test_no_filter_of_jinja_itself_is_replaced():
    assert FILTERS.keys() & DEFAULT_FILTERS.keys() == set()


def test_every_filter_is_documented_and_no_other():
    text = REFERENCE.read_text()
    documented = {line.split("`")[1].split("(")[0] for line in text.splitlines() if line.startswith("### `")}
    assert documented == set(FILTERS)


@pytest.mark.parametrize("name", ["filters", "filter_values", "filter_platforms", "filter_policies"])
def test_the_filters_need_no_django(name):
    source = (Path(inspect.getfile(module)).parent / f"{name}.py").read_text()
    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(ast.parse(source))
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


# --- Those of 0.4.0 -----------------------------------------------------------------------------------------


def test_as_path_regex():
    assert FILTERS["as_path_regex"](64512) == "^64512_"
    assert FILTERS["as_path_regex"]("64512", vendor="junos") == "^64512 "
    assert FILTERS["as_path_regex"](4200000000) == "^4200000000_"


@pytest.mark.parametrize(
    ("prefix", "wanted"),
    [
        ("192.0.2.0/24", {"network": "192.0.2.0", "prefix_length": 24, "netmask": "255.255.255.0"}),
        ("192.0.2.7/24", {"network": "192.0.2.0", "prefix_length": 24, "netmask": "255.255.255.0"}),
        ("2001:db8::/32", {"network": "2001:db8::", "prefix_length": 32, "netmask": "ffff:ffff::"}),
    ],
)
def test_ip_network(prefix, wanted):
    assert FILTERS["ip_network"](prefix) == wanted


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


def test_to_community_list():
    call = FILTERS["to_community_list"]
    assert call("64500:1", "PEERS") == "ip community-list standard PEERS permit 64500:1"
    assert call("64500:1", "PEERS", "junos") == "policy-options {\n    community PEERS members 64500:1;\n}"
    assert call("64500:1:2", "P") == "ip large-community-list standard P permit 64500:1:2"
    assert call(["64500:1", "64500:1:2"], "P", "junos") == (
        "policy-options {\n    community P members [ 64500:1 large:64500:1:2 ];\n}"
    )


def test_to_prefix_set_for_cisco():
    assert FILTERS["to_prefix_set"](["192.0.2.0/24", "2001:db8::/32"], "P") == (
        "ip prefix-list P seq 10 permit 192.0.2.0/24\nipv6 prefix-list P seq 20 permit 2001:db8::/32"
    )
    entries = [
        {"prefix": "192.0.2.0/24", "ge": 25, "le": 28},
        {"prefix": "0.0.0.0/0", "ge": None, "le": 24, "sequence": 25, "action": "deny"},
        {"prefix": "198.51.100.0/24"},
    ]
    assert FILTERS["to_prefix_set"](entries, "P") == (
        "ip prefix-list P seq 10 permit 192.0.2.0/24 ge 25 le 28\n"
        "ip prefix-list P seq 25 deny 0.0.0.0/0 le 24\n"
        "ip prefix-list P seq 30 permit 198.51.100.0/24"
    )


def test_to_prefix_set_for_junos():
    call = FILTERS["to_prefix_set"]
    assert call(["192.0.2.0/24"], "P", "junos") == (
        "policy-options {\n    prefix-list P {\n        192.0.2.0/24;\n    }\n}"
    )
    entries = [{"prefix": "192.0.2.0/24", "le": 28}, {"prefix": "2001:db8::/32", "ge": 48}, "198.51.100.0/24"]
    assert call(entries, "P", "junos") == (
        "policy-options {\n    route-filter-list P {\n        192.0.2.0/24 upto /28;\n"
        "        2001:db8::/32 prefix-length-range /48-/128;\n        198.51.100.0/24 exact;\n    }\n}"
    )


# --- Text ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("  Alder \n  AS64501 ", "Alder AS64501"),
        ("a\"b'c`d\\e", "a b c d e"),
        ("{{ 7*7 }}{% x %}{# y #}", "7 7 x y"),
        ("$(reboot); x | y & z > /etc/passwd", "(reboot) x y z /etc/passwd"),
        ("*/ evil /*", "/ evil /"),
        ("Zürich Ångström Łódź Straße", "Zurich Angstrom Lodz Strasse"),
        ("東京", "__"),
        ("a\u2028b\u00a0c\x00d\x1b[31me", "a b c d [31me"),
        ("NOC-12345, see (wiki) a/b_c@d=e+f:g", "NOC-12345, see (wiki) a/b_c@d=e+f:g"),
        ("½ ﬁ ² \u2013", "1_2 fi 2 -"),
        (None, ""),
        (64500, "64500"),
        ('"!"', ""),
    ],
)
def test_safe_string(value, wanted):
    assert FILTERS["safe_string"](value) == wanted


def test_safe_string_cuts_without_leaving_a_blank():
    assert FILTERS["safe_string"]("abc def", 4) == "abc"


def test_identifier_leaves_a_valid_name_alone():
    for name in ("PEER-IN", "v4.in", "a_b", "100-IN", "x" * 63):
        assert FILTERS["identifier"](name) == name


def test_identifier_keeps_different_names_different():
    names = [
        "PEER IN",
        "PEER/IN",
        "PEER  IN",
        "PEER_IN",
        "peer in",
        "PEER IN ",
        "x" * 64,
        "x" * 65,
        "100",
        "10.0",
    ]
    made = [FILTERS["identifier"](name) for name in names]
    assert len(set(made)) == len(names)
    assert all(FILTERS["identifier"](name) == name for name in made)


def test_identifier_starts_with_no_sign_and_means_no_address_or_number():
    assert FILTERS["identifier"]("-x").startswith("x_")
    assert FILTERS["identifier"]("192.0.2.1").startswith("N192_0_2_1_")
    assert FILTERS["identifier"]("東京").startswith("N_")
    assert FILTERS["identifier"]("a.b", extra="_-").startswith("a_b_")
    assert len(FILTERS["identifier"]("long name " * 20, max_length=31)) == 31


def test_quote():
    assert FILTERS["quote"]('a"b\\c') == '"a\\"b\\\\c"'
    assert FILTERS["quote"]("it's", "'") == "'it\\'s'"


def test_as_json_and_as_yaml_are_in_order_and_in_unicode():
    value = {"b": [1, None], "a": "Zürich"}
    assert FILTERS["as_json"](value) == '{"a": "Zürich", "b": [1, null]}'
    assert FILTERS["as_json"](value, 1).count("\n") > 3
    assert FILTERS["as_yaml"](value) == "a: Zürich\nb:\n- 1\n- null"


def test_word():
    for name in ("swp1", "GigabitEthernet0/0/0/1.100", "ge-0/0/0.0", "Ethernet1/1", "eth0@if2"):
        assert FILTERS["word"](name) == name


# --- Addresses and numbers ----------------------------------------------------------------------------------


def test_ip_and_ip_version_take_texts_and_objects():
    address = SimpleNamespace(__str__=lambda self: "x")
    assert FILTERS["ip"]("192.0.2.1/24") == "192.0.2.1"
    assert FILTERS["ip"]("2001:DB8::1") == "2001:db8::1"
    assert FILTERS["ip_version"]("2001:db8::/32") == 6
    assert FILTERS["ip_version"]("192.0.2.1") == 4
    with pytest.raises(FilterArgumentError):
        FILTERS["ip"](address)


def test_wildcard():
    assert FILTERS["wildcard"]("192.0.2.0/23") == "0.0.1.255"


@pytest.mark.parametrize(
    "value", ["00:00:5E:00:53:0A", "0000.5e00.530a", "00-00-5e-00-53-0a", "00005e00530A"]
)
def test_mac(value):
    assert FILTERS["mac"](value) == "00:00:5e:00:53:0a"
    assert FILTERS["mac"](value, "dash") == "00-00-5e-00-53-0a"
    assert FILTERS["mac"](value, style="cisco") == "0000.5e00.530a"
    assert FILTERS["mac"](value, "bare") == "00005e00530a"


def test_integer():
    assert FILTERS["integer"](" 42 ") == 42
    assert FILTERS["integer"](2**32 - 1) == 2**32 - 1


@pytest.mark.parametrize(
    ("ge", "le", "wanted"),
    [
        (None, None, (16, 16, True, None, None)),
        (None, 24, (16, 24, False, None, 24)),
        (None, 32, (16, 32, False, None, 32)),
        (20, None, (20, 32, False, 20, None)),
        (20, 24, (20, 24, False, 20, 24)),
        (20, 32, (20, 32, False, 20, None)),
        (24, 24, (24, 24, False, 24, 24)),
        (32, None, (32, 32, False, 32, None)),
        (16, 24, (16, 24, False, None, 24)),
        (8, 16, (16, 16, True, None, None)),
    ],
)
def test_prefix_range(ge, le, wanted):
    found = FILTERS["prefix_range"]({"prefix": "198.51.0.0/16", "ge": ge, "le": le})
    assert (found["min"], found["max"], found["exact"], found["ge"], found["le"]) == wanted


def test_prefix_range_of_ipv6_goes_to_128():
    assert FILTERS["prefix_range"]({"prefix": "2001:db8::/32", "ge": 48})["max"] == 128
    assert FILTERS["junos_range"]({"prefix": "2001:db8::/32", "ge": 48}) == "prefix-length-range /48-/128"


# --- Lists and objects --------------------------------------------------------------------------------------


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


# --- BGP ----------------------------------------------------------------------------------------------------


def test_communities_are_parted_by_kind():
    values = ["64500:1", {"community": "64500:1:2"}, "64500:1", "no-export", "4227858433"]
    assert FILTERS["standard_communities"](values) == ["64500:1", "65535:65281", "64512:1"]
    assert FILTERS["large_communities"](values) == ["64500:1:2"]
    assert FILTERS["large_communities"]("64500:1, 64500:1:2 64500:1:3") == ["64500:1:2", "64500:1:3"]
    assert FILTERS["is_large"]("64500:1:2") is True
    assert FILTERS["is_large"]("64500:1") is False


def test_max_prefix():
    session = {"ip_version": 6, "ipv4_max_prefixes": 10, "ipv6_max_prefixes": None}
    assert FILTERS["max_prefix"](session) is None
    assert FILTERS["max_prefix"](session, 4) == 10


def test_router_asn():
    sessions = [{"local_asn": 65536}, {"local_asn": None}, {"local_asn": 64500}]
    assert FILTERS["router_asn"](sessions, {"local_asn": 64511, "asns": [64511]}) == 64511
    assert FILTERS["router_asn"](sessions, {"local_asn": None, "asns": [64510, 64511]}) == 64510
    assert FILTERS["router_asn"](sessions, {"local_asn": None, "asns": []}) == 64500
    assert FILTERS["router_asn"](sessions) == 64500
    assert FILTERS["router_asn"]([], None) is None


def test_absent_from_looks_at_the_vrf_too():
    removed = [{"vrf": None, "remote_ip": "192.0.2.1"}, {"vrf": "RED", "remote_ip": "192.0.2.1"}]
    assert FILTERS["absent_from"](removed, [{"vrf": None, "remote_ip": "192.0.2.1"}]) == removed[1:]


def test_absent_from_looks_at_the_interface_of_link_local_addresses():
    present = [{"vrf": None, "remote_ip": "fe80::1", "local_interface": "swp1"}]
    removed = [
        {"vrf": None, "remote_ip": "fe80::1", "local_interface": name} for name in ("swp1", "swp2", None)
    ]
    # Without its interface nobody can tell that it is not the present one.
    assert FILTERS["absent_from"](removed, present, by_interface=True) == removed[1:2]
    assert FILTERS["absent_from"](removed, present) == []


def family(**policies):
    return {
        "afi": "ipv4-unicast",
        "enabled": True,
        **dict.fromkeys(("route_map_in", "route_map_out", "prefix_list_in", "prefix_list_out")),
        **policies,
    }


def test_families_leaves_out_what_the_peer_group_has_and_what_is_disabled():
    own = family(route_map_in={"name": "A"}, route_map_out={"name": "B"})
    session = {
        "peer_group": {"id": 1},
        "address_families": [own, {**family(), "afi": "ipv6-unicast", "enabled": False}],
    }
    groups = [
        {"id": 1, "address_families": [family(route_map_in={"name": "A"})]},
        {"id": 2, "address_families": [own]},
    ]
    [found] = FILTERS["families"](session, groups)
    assert (found["route_map_in"], found["route_map_out"]) == (None, {"name": "B"})
    assert (found["rejects_in"], found["rejects_out"]) == (False, False)
    [found] = FILTERS["families"](session)
    assert found["route_map_in"] == {"name": "A"}


def test_families_says_in_which_direction_a_session_has_no_policy_at_all():
    session = {"peer_group": None, "address_families": [family(prefix_list_out={"name": "P"})]}
    [found] = FILTERS["families"](session)
    assert (found["rejects_in"], found["rejects_out"]) == (True, False)


PATTERNS = [
    ("^$", "()", "null", "[= =]", None, "^$"),
    ("^64500_", "64500 .*", "64500 .*", "[= 64500 * =]", "peer-as 64500", "^64500"),
    ("_64500_", ".* 64500 .*", ".* 64500 .*", "[= * 64500 * =]", "AS 64500", "64500"),
    ("_64500$", ".* 64500", ".* 64500", "[= * 64500 =]", "source-as 64500", "64500$"),
    ("^64500$", "64500", "64500", "[= 64500 =]", None, "^64500$"),
    ("^64500(_64500)*$", "64500+", "64500+", "[= 64500 + =]", None, "^64500+$"),
    (
        "^(64500|64501)_",
        "(64500|64501) .*",
        "(64500|64501) .*",
        "[= [64500, 64501] * =]",
        None,
        "^[64500 64501]",
    ),
    ("^[0-9]+$", ".", ".", "[= ? =]", None, "^.$"),
    (".*", ".*", ".*", "[= * =]", "", ".*"),
    ("^64500_.*$", "64500 .*", "64500 .*", "[= 64500 * =]", "peer-as 64500", "^64500"),
    # "_.*_" has two delimiters, so at least one AS stands between them.
    ("^1_.*_2$", "1 . .* 2", "1 . .* 2", "[= 1 ? * 2 =]", None, "^1 . .* 2$"),
    # Parts of numbers: Cisco's characters can say that, whole AS numbers cannot.
    ("^64500", None, None, None, None, None),
    ("64500", None, None, None, None, None),
    ("^64500.*", None, None, None, None, None),
    (".*64500$", None, None, None, None, None),
    ("_6450[0-9]_", None, None, None, None, None),
    ("^64500(_64501)*$", None, None, None, None, None),
]


@pytest.mark.parametrize(("pattern", "junos", "sros", "bird", "openbgpd", "routeros"), PATTERNS)
def test_as_path_pattern(pattern, junos, sros, bird, openbgpd, routeros):
    assert FILTERS["as_path_pattern"](pattern) == pattern
    wanted = {"junos": junos, "sros": sros, "bird": bird, "openbgpd": openbgpd, "routeros": routeros}
    for vendor, text in wanted.items():
        if text is None:
            with pytest.raises(FilterArgumentError, match="has no equal"):
                FILTERS["as_path_pattern"](pattern, vendor)
        else:
            assert FILTERS["as_path_pattern"](pattern, vendor) == text


@pytest.mark.parametrize(
    ("platform", "value", "wanted"),
    [
        ("frr", 'a"b!#', 'a"b!#'),
        ("bird", "a b\\c", '"a b\\c"'),
        ("junos", 'a"b\\c d', '"a\\"b\\\\c d"'),
        ("sros", 'a"b', '"a\\"b"'),
        ("routeros", "a$b", '"a\\$b"'),
        ("vyos", 'a"b $c', "'a\"b $c'"),
        ("openbgpd", "a b#c", '"a b#c"'),
        ("iosxe", "abc!", "abc!"),
    ],
)
def test_secret_is_quoted_as_the_platform_reads_it(platform, value, wanted):
    assert FILTERS["secret"](value, platform) == wanted


@pytest.mark.parametrize(
    ("platform", "value"),
    [
        ("frr", "one two"),
        ("iosxe", "a?b"),
        ("bird", 'a"b'),
        ("openbgpd", "a\\b"),
        ("vyos", "it's"),
        ("eos", "ü"),
        ("nxos", ""),
    ],
)
def test_secret_refuses_without_showing_the_secret(platform, value):
    with pytest.raises(FilterArgumentError, match=r"^secret: ") as error:
        FILTERS["secret"](value, platform)
    assert not value or value not in str(error.value)


# --- Route maps ---------------------------------------------------------------------------------------------

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

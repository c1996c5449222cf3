"""What a merge changes, how a difference is shown, what is secret: text in, text out."""

import pytest

from napalm_frr.configuration import difference, masked, merge, parse, sanitized, unparse

RUNNING = """\
frr version 8.4.4
hostname edge1.lon1
no ip forwarding
!
router bgp 64500
 bgp router-id 192.0.2.1
 no bgp default ipv4-unicast
 neighbor 198.51.100.11 remote-as 64496
 neighbor 198.51.100.11 description Aurora
 neighbor 198.51.100.12 remote-as 64497
 !
 address-family ipv4 unicast
  neighbor 198.51.100.11 activate
  neighbor 198.51.100.11 route-map PEER-IN in
  neighbor 198.51.100.11 route-map PEER-OUT out
  neighbor 198.51.100.12 activate
 exit-address-family
exit
!
ip prefix-list BOGONS seq 5 permit 10.0.0.0/8
!
route-map PEER-IN permit 10
 set local-preference 200
 set metric 5
exit
!
bfd
 profile IX
  detect-multiplier 3
 exit
exit
!
end
"""


def merged(candidate):
    return merge(parse(RUNNING), parse(candidate))


def bgp(*lines):
    return "router bgp 64500\n" + "".join(f" {line}\n" for line in lines) + "exit\n"


def test_configuration_keeps_its_lines_when_it_is_read_and_written():
    assert parse(unparse(parse(RUNNING))) == parse(RUNNING)


def test_lines_without_indentation_stand_in_the_blocks_that_vtysh_marked():
    flat = "\n".join(line.strip() for line in RUNNING.splitlines())
    assert parse(flat) == parse(RUNNING)


def test_merging_what_is_there_changes_nothing():
    again = merged(RUNNING)
    assert again.enter == []
    assert again.result == parse(RUNNING)


@pytest.mark.parametrize(
    ("candidate", "gone"),
    [
        (bgp("neighbor 198.51.100.11 description New"), ["neighbor 198.51.100.11 description Aurora"]),
        (bgp("neighbor 198.51.100.11 remote-as 64511"), ["neighbor 198.51.100.11 remote-as 64496"]),
        (bgp("bgp router-id 192.0.2.9"), ["bgp router-id 192.0.2.1"]),
        (bgp("bgp default ipv4-unicast"), ["no bgp default ipv4-unicast"]),
        (bgp("neighbor 198.51.100.11 shutdown"), []),
        ("ip forwarding\n", ["no ip forwarding"]),
        ("ip prefix-list BOGONS seq 5 deny 10.0.0.0/8\n", ["ip prefix-list BOGONS seq 5 permit 10.0.0.0/8"]),
        ("ip prefix-list BOGONS seq 10 deny 10.0.0.0/8\n", []),
        ("route-map PEER-IN permit 10\n set metric 7\nexit\n", ["set metric 5"]),
        ("route-map PEER-IN permit 20\n set metric 7\nexit\n", []),
        ("bfd\n profile IX\n  detect-multiplier 5\n exit\nexit\n", ["detect-multiplier 3"]),
        ("hostname edge9.lon1\n", ["hostname edge1.lon1"]),
    ],
)
def test_line_of_which_a_block_has_one_takes_the_place_of_the_former(candidate, gone):
    result = merged(candidate).result
    assert [line.text for line in parse(RUNNING) if line not in result] == gone
    assert set(parse(candidate)) <= set(result)


def test_route_maps_in_and_out_do_not_replace_each_other():
    block = "address-family ipv4 unicast\n  neighbor 198.51.100.11 route-map OTHER in\n exit-address-family"
    texts = [line.text for line in merged(bgp(block)).result]
    assert "neighbor 198.51.100.11 route-map OTHER in" in texts
    assert "neighbor 198.51.100.11 route-map PEER-IN in" not in texts
    assert "neighbor 198.51.100.11 route-map PEER-OUT out" in texts


def test_entry_of_a_route_map_that_turns_from_permit_to_deny_keeps_its_lines():
    result = merged("route-map PEER-IN deny 10\nexit\n").result
    assert [line.text for line in result if line.blocks == ("route-map PEER-IN deny 10",)] == [
        "set local-preference 200",
        "set metric 5",
    ]
    assert not [line for line in result if "route-map PEER-IN permit 10" in (*line.blocks, line.text)]


@pytest.mark.parametrize("text", ["no neighbor 198.51.100.11", "no neighbor 198.51.100.11 remote-as 64496"])
def test_neighbour_goes_with_what_its_address_families_say_of_it(text):
    result = merged(bgp(text)).result
    assert not [line for line in result if "198.51.100.11" in line.text]
    assert len([line for line in result if "198.51.100.12" in line.text]) == 2


def test_line_of_a_neighbour_goes_alone():
    result = merged(bgp("no neighbor 198.51.100.11 description")).result
    assert len(parse(RUNNING)) - len(result) == 1


def test_block_goes_with_its_lines():
    result = merged("no route-map PEER-IN permit 10\nno router bgp 64500\n").result
    assert [line.text for line in result if line.blocks] == ["profile IX", "detect-multiplier 3"]


@pytest.mark.parametrize(
    "text",
    ["no neighbor 198.51.100.99", "no neighbor 198.51.100.11 shutdown", "no bgp default ipv4-unicast"],
)
def test_deleting_what_is_not_there_changes_nothing(text):
    assert merged(bgp(text)).enter == []


def test_deleting_what_frr_has_on_by_default_is_a_change():
    assert [line.text for line in merged(bgp("no neighbor 198.51.100.11 send-community")).enter]


def test_new_block_brings_the_blocks_it_stands_in():
    candidate = (
        "router bgp 64500 vrf CUSTOMERS\n address-family ipv6 unicast\n  network 2001:db8::/48\n exit\nexit\n"
    )
    assert unparse(merged(candidate).enter) == (
        "router bgp 64500 vrf CUSTOMERS\n address-family ipv6 unicast\n  network 2001:db8::/48\n"
        " exit-address-family\nexit\n"
    )


def test_difference_has_one_heading_per_block_and_lines_that_are_in_none_first():
    said = """
Lines To Delete
===============
router bgp 64500
 no neighbor 198.51.100.11 description Aurora
ip forwarding
router bgp 64500
 address-family ipv4 unicast
  no neighbor 198.51.100.12 activate

Lines To Add
============
router bgp 64500
 neighbor 198.51.100.11 description New
 exit
ip prefix-list A seq 5 permit 10.0.0.0/8
"""
    assert difference(said) == "\n".join(
        [
            "- no ip forwarding",
            "+ ip prefix-list A seq 5 permit 10.0.0.0/8",
            "  router bgp 64500",
            "- neighbor 198.51.100.11 description Aurora",
            "+ neighbor 198.51.100.11 description New",
            "  router bgp 64500 / address-family ipv4 unicast",
            "- neighbor 198.51.100.12 activate",
        ]
    )


def test_list_that_frr_reload_deletes_among_its_additions_is_shown_as_deleted():
    said = "Lines To Add\n============\nno ip prefix-list A seq 5 permit 10.0.0.0/8\nno ip forwarding\n"
    assert difference(said) == "- ip prefix-list A seq 5 permit 10.0.0.0/8\n+ no ip forwarding"


@pytest.mark.parametrize("word", ["2001:DB8:0::000b", "2001:0db8::B"])
def test_addresses_are_known_in_any_spelling(word):
    assert parse(f"router bgp 64500\n neighbor {word} shutdown\n")[1].text == "neighbor 2001:db8::b shutdown"
    assert parse("bgp community-list standard A permit 64500:1:2\n")[0].text.endswith("64500:1:2")


def test_nothing_to_do_is_no_difference():
    assert difference("\n") == difference("") == ""


@pytest.mark.parametrize(
    "line",
    [
        " neighbor 198.51.100.11 password s3cret",
        "password s3cret",
        "enable password s3cret",
        "enable password 8 s3cret",
        "  key-string s3cret",
        " ip ospf authentication-key s3cret",
        " ip ospf message-digest-key 1 md5 s3cret",
        " ip rip authentication string s3cret",
        " isis password md5 s3cret",
        " area-password clear s3cret",
    ],
)
def test_secrets_are_removed_and_the_rest_of_the_line_stays(line):
    assert sanitized(f"{RUNNING}{line}\nend\n") == f"{RUNNING}{line.replace('s3cret', '<removed>')}\nend\n"
    assert "s3cret" not in masked(f"line 7: Failure to communicate[13] to bgpd, line: {line}\n")


@pytest.mark.parametrize(
    "lines",
    [
        ("bgp ebgp-requires-policy",),
        (
            "neighbor 2001:db8:100::b remote-as 64496",
            "address-family ipv4 unicast",
            "no neighbor 2001:db8:100::b activate",
        ),
        ("address-family ipv6 unicast", "no neighbor 198.51.100.11 activate"),
    ],
)
def test_what_frr_does_anyway_and_does_not_print_is_no_change(lines):
    # A neighbour that is new is one; switching off what is not on is none.
    expected = [line for line in lines if "remote-as" in line]
    assert [
        line.text for line in merged(bgp(*lines)).enter if not line.text.startswith(("router", "address"))
    ] == expected


def test_switching_a_family_off_is_a_change_where_frr_has_it_on_by_default_or_by_the_group():
    by_default = RUNNING.replace(" no bgp default ipv4-unicast\n", "")
    new = bgp(
        "neighbor 192.0.2.9 remote-as 64499", "address-family ipv4 unicast", "no neighbor 192.0.2.9 activate"
    )
    assert "no neighbor 192.0.2.9 activate" in unparse(merge(parse(by_default), parse(new)).enter)
    group = bgp(
        "neighbor IX peer-group",
        "neighbor 198.51.100.11 peer-group IX",
        "address-family ipv6 unicast",
        "neighbor IX activate",
        "no neighbor 198.51.100.11 activate",
    )
    assert "no neighbor 198.51.100.11 activate" in unparse(merged(group).enter)

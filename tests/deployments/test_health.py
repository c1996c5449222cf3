"""When BGP counts as well after a change. Pure."""

import pytest

from netbox_peering_manager.services.deployment import health
from netbox_peering_manager.services.devices.neighbors import Neighbor, Prefixes


def neighbor(address, state="established", **fields):
    return Neighbor(**{"vrf": "", "remote_ip": address, "bgp_state": state} | fields)


UP, OTHER = neighbor("198.51.100.11"), neighbor("198.51.100.12")


def lost(before, now, going=()):
    return [(one.vrf, one.remote_ip, one.bgp_state) for one in health.judge(before, now, going).lost]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ([], []),
        ([UP, OTHER], [OTHER, UP]),
        # New ones, and those that were not up before, keep nobody waiting.
        ([UP], [UP, neighbor("198.51.100.13", "active")]),
        ([UP, neighbor("198.51.100.13", "idle")], [UP]),
    ],
)
def test_all_that_was_established_is_so_again(before, now):
    assert health.judge(before, now).is_healthy


def test_session_that_is_not_established_any_more_is_lost_with_its_state_and_so_is_one_that_is_gone():
    now = [neighbor("198.51.100.11", "active")]
    assert lost([UP, OTHER], now) == [("", "198.51.100.11", "active"), ("", "198.51.100.12", "missing")]


def test_session_that_is_meant_to_go_is_not_lost():
    assert lost([UP, OTHER], [OTHER], going={("", "198.51.100.11")}) == []
    assert lost([UP, OTHER], [OTHER], going={("blue", "198.51.100.11")}) != []


def test_same_address_in_another_vrf_and_on_another_interface_is_another_session():
    blue = neighbor("198.51.100.11", vrf="blue")
    assert lost([blue], [UP]) == [("blue", "198.51.100.11", "missing")]
    first, second = (neighbor("fe80::1", interface=name) for name in ("eth1", "eth2"))
    assert health.judge([first], [second]).lost
    assert "fe80::1%eth1 (missing)" in str(health.judge([first], [second]))


def test_what_is_kept_of_neighbours_says_as_much_as_they_did():
    before = (
        neighbor("2001:db8::1", remote_asn=64496, up_s=7, vrf="blue"),
        neighbor("fe80::1", interface="eth1"),
    )
    assert health.from_json(health.to_json(before)) == before
    assert health.from_json(None) == ()


@pytest.mark.parametrize(
    ("commands", "down"),
    [
        ("router bgp 64500\n no neighbor 198.51.100.11\n", {"198.51.100.11"}),
        ("neighbor 2001:DB8::1 shutdown message maintenance", {"2001:db8::1"}),
        ("delete protocols bgp group PEERS neighbor 198.51.100.11", {"198.51.100.11"}),
        ("deactivate protocols bgp group PEERS neighbor 198.51.100.11", {"198.51.100.11"}),
        ("no neighbor 198.51.100.11 shutdown", set()),
        ("no neighbor 198.51.100.11 description", set()),
        ("neighbor 198.51.100.11 remote-as 64511", set()),
        ("neighbor 198.51.100.11 description shutdown", set()),
    ],
)
def test_commands_that_take_a_neighbour_down_on_purpose_are_known(commands, down):
    assert health.taken_down(commands) == down


def test_whole_configuration_takes_away_the_neighbours_that_it_does_not_name():
    text = "router bgp 64500\n neighbor 198.51.100.1 remote-as 1\n neighbor 2001:DB8:0::1 remote-as 2\n"
    neighbors = [neighbor("198.51.100.1"), neighbor("198.51.100.11"), neighbor("2001:db8::1")]
    assert health.absent_from(text, neighbors) == {("", "198.51.100.11")}


def test_session_whose_prefixes_all_went_is_told_by_family_and_survives_being_kept():
    full, none = Prefixes(accepted=120), Prefixes(accepted=0)
    before = (neighbor("198.51.100.11", ipv4=full, ipv6=none), neighbor("198.51.100.12", ipv4=full))
    now = (neighbor("198.51.100.11", ipv4=none, ipv6=none), neighbor("198.51.100.12", "idle", ipv4=none))
    kept = health.from_json(health.to_json(before))
    assert health.dried_up(kept, now) == ("198.51.100.11 (IPv4, 120 before)",)
    assert health.dried_up(kept, kept) == ()
    # What was kept before prefixes were.
    old = [{key: value for key, value in one.items() if key != "accepted"} for one in health.to_json(before)]
    assert health.dried_up(health.from_json(old), now) == ()


@pytest.mark.parametrize(
    ("text", "difference", "going", "leaves"),
    [
        ("neighbor 198.51.100.11", "- neighbor 198.51.100.12", (), [OTHER]),
        ("neighbor 198.51.100.11", "- neighbor 198.51.100.12", {("", "198.51.100.12")}, []),
        # One that the router accepts by its prefix stands in no configuration, nor in what is changed.
        ("neighbor 198.51.100.11", "- neighbor 198.51.100.13", (), []),
        ("neighbor 198.51.100.12 shutdown", "+ neighbor 198.51.100.12 shutdown", (), []),
    ],
)
def test_what_a_whole_configuration_leaves_out_is_named_before_it_is_sent(text, difference, going, leaves):
    there = [UP, OTHER, neighbor("198.51.100.13", "active")]
    assert list(health.left_out(text, difference, there, going)) == leaves

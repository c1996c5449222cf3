"""Neighbours and peer groups, read out of a configuration."""

import pytest

from napalm_frr.bgp_config import bgp_config
from napalm_frr.configuration import parse

TEXT = """\
router bgp 64500 vrf CUSTOMERS
 neighbor 198.51.100.11 remote-as 64510
 neighbor 203.0.113.130 remote-as 64510
exit
!
router bgp 64500
 neighbor PEERS peer-group
 neighbor PEERS description Members
 neighbor PEERS remote-as external
 neighbor PEERS ebgp-multihop 3
 neighbor 198.51.100.11 remote-as 64496
 neighbor 198.51.100.11 peer-group PEERS
 neighbor 198.51.100.11 description Aurora  Broadband
 neighbor 198.51.100.11 password s3cret
 neighbor 2001:db8:100::b remote-as internal
 neighbor 2001:db8:100::b update-source lo
 neighbor 2001:db8:100::b local-as 64511 no-prepend
 !
 address-family ipv4 unicast
  neighbor 198.51.100.11 route-map PEER-IN in
  neighbor 198.51.100.11 route-map PEER-OUT out
  neighbor 198.51.100.11 maximum-prefix 400 90 restart 15
 exit-address-family
 !
 address-family ipv6 unicast
  neighbor 2001:db8:100::b next-hop-self
  neighbor 2001:db8:100::b maximum-prefix 120 warning-only
 exit-address-family
exit
"""


def config(**narrowed):
    return bgp_config(parse(TEXT), **narrowed)


def test_neighbour_of_a_group_is_in_it_with_what_is_said_of_it():
    found = config()
    assert list(found) == ["_", "PEERS"]
    assert found["PEERS"] | {"neighbors": {}} == {
        **found["_"],
        "type": "external",
        "description": "Members",
        "multihop_ttl": 3,
        "neighbors": {},
    }
    assert found["PEERS"]["neighbors"] == {
        "198.51.100.11": {
            "description": "Aurora Broadband",
            "import_policy": "PEER-IN",
            "export_policy": "PEER-OUT",
            "local_address": "",
            "authentication_key": "s3cret",
            "nhs": False,
            "route_reflector_client": False,
            "local_as": 64500,
            "remote_as": 64496,
            "prefix_limit": {
                "inet": {"unicast": {"limit": 400, "teardown": {"threshold": 90, "timeout": 15}}}
            },
        }
    }


def test_neighbours_without_a_group_are_told_together_for_all_vrfs():
    assert set(config()["_"]["neighbors"]) == {"2001:db8:100::b", "203.0.113.130"}
    inside = config()["_"]["neighbors"]["2001:db8:100::b"]
    assert (inside["remote_as"], inside["local_as"]) == (64500, 64511)
    assert (inside["nhs"], inside["local_address"]) == (True, "lo")
    assert inside["prefix_limit"] == {"inet6": {"unicast": {"limit": 120}}}


def test_address_that_two_vrfs_have_is_told_of_the_default_one():
    assert config(neighbor="198.51.100.11")["PEERS"]["neighbors"]["198.51.100.11"]["remote_as"] == 64496


@pytest.mark.parametrize(
    ("narrowed", "left"),
    [
        ({"group": "PEERS"}, {"PEERS": ["198.51.100.11"]}),
        ({"group": "NOSUCH"}, {}),
        ({"neighbor": "2001:DB8:100:0::B"}, {"_": ["2001:db8:100::b"]}),
        ({"neighbor": "203.0.113.99"}, {}),
    ],
)
def test_result_is_narrowed_to_a_group_or_a_neighbour(narrowed, left):
    assert {name: list(record["neighbors"]) for name, record in config(**narrowed).items()} == left


def test_router_without_bgp_has_no_groups():
    assert bgp_config(parse("hostname edge1.lon1\n")) == {}

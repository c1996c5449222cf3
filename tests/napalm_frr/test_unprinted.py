"""What is in effect without a line in the running configuration is no difference; everything else is."""

import pytest
from napalm import get_network_driver

from napalm_frr.configuration import Line, difference, parse
from napalm_frr.unprinted import in_effect

RUNNING = """
frr version 8.4.4
router bgp 64500
 neighbor MEMBERS peer-group
 neighbor 192.0.2.1 remote-as 64496
 neighbor 192.0.2.1 peer-group MEMBERS
 neighbor 192.0.2.2 remote-as 64497
 neighbor 192.0.2.2 enforce-first-as
 neighbor 192.0.2.3 peer-group MEMBERS
 address-family ipv4 unicast
  neighbor MEMBERS activate
  no neighbor 192.0.2.3 activate
 exit-address-family
exit
bfd
 profile IX
  receive-interval 500
 exit
exit
"""
ROUTER, V4, V6 = "router bgp 64500", "address-family ipv4 unicast", "address-family ipv6 unicast"
NEIGHBORS = {"default": {"192.0.2.1": {"localRole": "peer"}, "192.0.2.2": {"localRole": "undefined"}}}


@pytest.fixture(scope="module")
def known():
    return in_effect(parse(RUNNING), NEIGHBORS)


@pytest.mark.parametrize(
    ("blocks", "text", "is_known"),
    [
        ((ROUTER,), "neighbor 192.0.2.1 local-role peer", True),
        ((ROUTER,), "neighbor 192.0.2.1 local-role customer", False),
        ((ROUTER,), "neighbor 192.0.2.2 local-role peer", False),
        ((ROUTER, V4), "neighbor 192.0.2.1 activate", True),
        ((ROUTER, V6), "neighbor 192.0.2.1 activate", False),
        ((ROUTER, V4), "neighbor 192.0.2.2 activate", False),
        ((ROUTER, V4), "neighbor 192.0.2.3 activate", False),
        ((ROUTER,), "no neighbor 192.0.2.1 enforce-first-as", True),
        ((ROUTER,), "no neighbor 192.0.2.2 enforce-first-as", False),
        (("bfd", "profile IX"), "detect-multiplier 3", True),
        (("bfd", "profile IX"), "detect-multiplier 4", False),
        (("bfd", "profile IX"), "receive-interval 300", False),
        (("bfd", "profile NEW"), "detect-multiplier 3", False),
    ],
)
def test_lines_that_are_in_effect(known, blocks, text, is_known):
    assert (Line(blocks, text) in known) is is_known


def test_first_as_is_checked_by_default_since_frr_10():
    newer = in_effect(parse(RUNNING.replace("8.4.4", "10.1")), NEIGHBORS)
    assert not [line for line in newer if "enforce-first-as" in line.text]


def test_difference_leaves_them_out_of_what_comes_and_never_of_what_goes(known):
    said = f"""
Lines To Delete
===============
{ROUTER}
 neighbor 192.0.2.1 local-role peer
exit

Lines To Add
============
{ROUTER}
 neighbor 192.0.2.1 local-role peer
exit
{ROUTER}
 neighbor 192.0.2.1 description New
exit
"""
    assert difference(said, known) == (
        f"  {ROUTER}\n- no neighbor 192.0.2.1 local-role peer\n+ neighbor 192.0.2.1 description New"
    )


CANDIDATE = """
bfd
 profile IX
  detect-multiplier 3
  receive-interval 300
 exit
exit
router bgp 64500
 no bgp default ipv4-unicast
 neighbor MEMBERS peer-group
 neighbor 198.51.100.11 remote-as 64496
 neighbor 198.51.100.11 peer-group MEMBERS
 neighbor 198.51.100.11 local-role ROLE
 no neighbor 198.51.100.11 enforce-first-as
 address-family ipv4 unicast
  neighbor MEMBERS activate
  neighbor 198.51.100.11 activate
 exit-address-family
exit
"""


@pytest.mark.lab
def test_what_was_committed_compares_as_equal_on_a_router(lab):
    router = lab.routers["edge2.lon1"]
    driver = get_network_driver("frr")
    with driver(router.host, router.user, "", optional_args=router.optional_args) as device:
        device.load_merge_candidate(config=CANDIDATE.replace("ROLE", "peer"))
        assert "+ neighbor 198.51.100.11 local-role peer" in device.compare_config()
        device.commit_config()
        device.load_merge_candidate(config=CANDIDATE.replace("ROLE", "peer"))
        assert device.compare_config() == ""
        device.discard_config()
        device.load_merge_candidate(config=CANDIDATE.replace("ROLE", "customer"))
        assert device.compare_config() == ("  router bgp 64500\n+ neighbor 198.51.100.11 local-role customer")
        device.discard_config()
        device.rollback()

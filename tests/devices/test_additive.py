"""Differences that list only which lines are missing: what a `no` says once it is done. Pure."""

import pytest

from netbox_peering_manager.services.devices.additive import without_done

RUNNING = """\
router bgp 64500
  address-family ipv4 unicast
  neighbor 198.51.100.11
    remote-as 64496
    address-family ipv4 unicast
      route-map OLD in
  neighbor 198.51.100.12
    remote-as 64497
    shutdown
"""
IOS = """\
router bgp 64500
 neighbor 198.51.100.11 remote-as 64496
 neighbor 198.51.100.11 shutdown
"""


@pytest.mark.parametrize(
    ("diff", "running", "left"),
    [
        # Gone already; the heading alone says nothing.
        ("router bgp 64500\n  no neighbor 198.51.100.99", RUNNING, ""),
        ("+router bgp 64500\n- no neighbor 198.51.100.99", IOS, ""),
        # Still there.
        (
            "router bgp 64500\n  no neighbor 198.51.100.11",
            RUNNING,
            "router bgp 64500\n  no neighbor 198.51.100.11",
        ),
        ("+router bgp 64500\n- no neighbor 198.51.100.11 shutdown", IOS, None),
        # An address that another one begins with.
        ("router bgp 64500\n  no neighbor 198.51.100.1", RUNNING, ""),
        # In a neighbour's own block.
        ("router bgp 64500\n  neighbor 198.51.100.11\n    no shutdown", RUNNING, ""),
        ("router bgp 64500\n  neighbor 198.51.100.12\n    no shutdown", RUNNING, None),
        # Switched on by itself: nothing shows whether it is.
        ("router bgp 64500\n  no bgp default ipv4-unicast", RUNNING, None),
        ("interface Ethernet1/1\n  no shutdown", RUNNING, None),
        # What is missing stays, with its headings.
        (
            "router bgp 64500\n  neighbor 198.51.100.13\n    remote-as 64498\n  no neighbor 198.51.100.99",
            RUNNING,
            "router bgp 64500\n  neighbor 198.51.100.13\n    remote-as 64498",
        ),
        ("router bgp 64500\n  neighbor 198.51.100.14", RUNNING, None),
        ("no route-map GONE permit 10\nno ip prefix-list GONE", RUNNING, ""),
        ("no route-map OLD", "route-map OLD permit 10\n", None),
    ],
)
def test_no_is_left_out_once_what_it_takes_away_is_not_there(diff, running, left):
    assert without_done(diff, running) == (diff if left is None else left)

"""Which neighbour is which session."""

import pytest

from netbox_peering_manager.services.devices.neighbors import Neighbor
from netbox_peering_manager.services.monitoring.match import Address, Watched, match

HERE = Address("", "198.51.100.11")
LINK_LOCAL = Address("", "fe80::1")


def of(neighbor):
    return neighbor and (neighbor.vrf, neighbor.remote_ip, neighbor.interface)


def test_by_address_and_vrf():
    sessions = [
        Watched(1, HERE),
        Watched(2, Address("RED", "198.51.100.11")),
        Watched(3, Address("", "2001:db8::1")),
    ]
    told = [Neighbor("RED", "198.51.100.11"), Neighbor("", "198.51.100.11"), Neighbor("", "2001:db8::1")]
    found = match(sessions, told)
    assert [of(found.neighbors[pk]) for pk in (1, 2, 3)] == [
        ("", "198.51.100.11", ""),
        ("RED", "198.51.100.11", ""),
        ("", "2001:db8::1", ""),
    ]
    assert found.unknown == ()


def test_a_session_that_the_router_does_not_list_has_none():
    found = match([Watched(1, HERE)], [Neighbor("RED", "198.51.100.11")])
    assert found.neighbors == {1: None}
    assert [one.vrf for one in found.unknown] == ["RED"]


def test_neighbours_without_a_session_are_unknown_but_those_that_netbox_knows_otherwise():
    told = [Neighbor("", "198.51.100.12"), Neighbor("", "198.51.100.13"), Neighbor("RED", "198.51.100.12")]
    found = match([], told, known=[Address("", "198.51.100.12")])
    assert found.unknown == (told[1], told[2])


def test_two_sessions_with_one_address_have_the_same_neighbour():
    found = match([Watched(1, HERE), Watched(2, HERE)], [Neighbor("", "198.51.100.11")])
    assert of(found.neighbors[1]) == of(found.neighbors[2]) == ("", "198.51.100.11", "")


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        (["eth0", "eth1"], ["eth0", "eth1"], ["eth0", "eth1"]),
        # Shortened by the platform, but there is no other.
        (["Ethernet1"], ["Et1"], ["Et1"]),
        ([""], ["eth0"], ["eth0"]),
        # Which of them it is, nobody can tell.
        (["Ethernet1", "Ethernet2"], ["Et1"], [None, None]),
        (["Ethernet1"], ["Et1", "Et2"], [None]),
    ],
)
def test_link_local_addresses_by_interface(ours, theirs, found):
    sessions = [Watched(number, LINK_LOCAL, name) for number, name in enumerate(ours)]
    neighbors = match(sessions, [Neighbor("", "fe80::1", interface=name) for name in theirs]).neighbors
    assert [one and one.interface for one in (neighbors[number] for number in range(len(ours)))] == found


def test_an_unknown_link_local_address_is_told_once():
    found = match([], [Neighbor("", "fe80::1", interface=name) for name in ("eth0", "eth1")])
    assert len(found.unknown) == 1

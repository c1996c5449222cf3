"""Where an address goes when its LAN was renumbered: what PeeringDB says first, the host part else, never a guess."""

import pytest

from netbox_peering_manager.services.peeringdb.moving import OldAddress, PortNow, plan_moves

OLD, NEW = "198.51.100.0/24", "203.0.113.0/24"


def old(host, *asns, pk=None, length=24, **more):
    return OldAddress(pk or host, f"198.51.100.{host}/{length}", frozenset(asns), **more)


def now(asn, address, pk=1):
    return PortNow(pk, asn, address)


def moved(addresses, ports=(), given=None, new=NEW, prefix=OLD):
    """By old host: the new address and how it was found, or why it was not."""
    moves = plan_moves(prefix, new, addresses, ports, given)
    return {
        int(move.old.partition("/")[0].rpartition(".")[2]): (move.new, move.how) if move.new else move.why
        for move in moves
    }


def test_port_of_a_connection_goes_where_peeringdb_has_it():
    ports = [now(64500, "203.0.113.77", pk=7), now(64500, "203.0.113.1", pk=8)]
    assert moved([old(1, 64500, netixlan_id=7)], ports) == {1: ("203.0.113.77/24", "peeringdb")}


def test_only_address_of_the_as_is_taken_whatever_its_host_part():
    assert moved([old(9, 64496)], [now(64496, "203.0.113.77")]) == {9: ("203.0.113.77/24", "peeringdb")}


def test_of_several_addresses_of_the_as_the_one_with_the_same_host_part_is_taken():
    ports = [now(64496, "203.0.113.9"), now(64496, "203.0.113.10")]
    assert moved([old(9, 64496), old(10, 64496)], ports) == {
        9: ("203.0.113.9/24", "peeringdb"),
        10: ("203.0.113.10/24", "peeringdb"),
    }


def test_the_one_that_is_left_is_taken():
    ports = [now(64496, "203.0.113.9"), now(64496, "203.0.113.77")]
    assert moved([old(9, 64496), old(10, 64496)], ports)[10] == ("203.0.113.77/24", "peeringdb")


def test_several_that_cannot_be_told_apart_are_undecided():
    ports = [now(64496, "203.0.113.77"), now(64496, "203.0.113.78")]
    found = moved([old(9, 64496), old(10, 64496)], ports)
    assert all("does not tell which address" in why for why in found.values())


def test_one_address_for_two_ports_is_undecided():
    found = moved([old(9, 64496), old(10, 64496)], [now(64496, "203.0.113.77")])
    assert all("does not tell which address" in why for why in found.values())


def test_host_part_is_kept_where_peeringdb_still_has_the_old_address():
    ports = [now(64496, "203.0.113.9"), now(64496, "198.51.100.10")]
    assert moved([old(9, 64496), old(10, 64496)], ports) == {
        9: ("203.0.113.9/24", "peeringdb"),
        10: ("203.0.113.10/24", "host"),
    }


@pytest.mark.parametrize("asns", [(), (64499,)])
def test_host_part_is_kept_where_peeringdb_knows_nothing(asns):
    assert moved([old(9, *asns)]) == {9: ("203.0.113.9/24", "host")}


def test_host_part_that_another_as_has_in_peeringdb_is_undecided():
    assert (
        "203.0.113.9, which has the same host part, is AS64497's"
        in moved([old(9, 64496)], [now(64497, "203.0.113.9")])[9]
    )


def test_host_part_that_does_not_fit_is_undecided():
    assert moved([old(200), old(5)], new="203.0.113.0/26") == {
        200: "Its host part does not fit into 203.0.113.0/26.",
        5: ("203.0.113.5/26", "host"),
    }


def test_host_part_that_is_no_host_there_is_undecided():
    found = moved([old(63)], new="203.0.113.0/26")
    assert found == {63: "203.0.113.63 is not the address of a host in 203.0.113.0/26."}


def test_prefix_that_grew_changes_masks_only():
    ports = [now(64496, "198.51.100.9")]
    assert moved([old(9, 64496), old(10)], ports, new="198.51.100.0/23") == {
        9: ("198.51.100.9/23", "peeringdb"),
        10: ("198.51.100.10/23", "host"),
    }


def test_prefix_that_grew_downwards_keeps_addresses():
    assert moved([old(9)], new="198.51.100.0/22", prefix="198.51.100.0/24")[9] == ("198.51.100.9/22", "host")
    moves = plan_moves("198.51.101.0/24", "198.51.100.0/23", [OldAddress(1, "198.51.101.9/24")], [])
    assert moves[0].new == "198.51.101.9/23"


def test_mask_of_a_single_host_is_kept():
    assert moved([old(9, length=32)])[9] == ("203.0.113.9/32", "host")


def test_two_that_would_become_one_are_undecided():
    ports = [now(64496, "203.0.113.10")]
    found = moved([old(9, 64496), old(10)], [*ports, now(64500, "203.0.113.3", pk=3)])
    assert found[9] == ("203.0.113.10/24", "peeringdb")
    assert "is AS64496's in PeeringDB" in found[10]
    twice = moved([old(9), old(9, pk=99)])
    assert twice == {9: "203.0.113.9 would be the new address of several."}


class TestGiven:
    def test_counts_for_what_is_undecided(self):
        found = moved(
            [old(200), old(5)], new="203.0.113.0/26", given={200: " 203.0.113.20 ", 5: "203.0.113.6"}
        )
        assert found == {200: ("203.0.113.20/26", "given"), 5: ("203.0.113.5/26", "host")}

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("x", "x is no address"),
            ("203.0.113.9/24", "is no address; write it without a mask"),
            ("192.0.2.1", "192.0.2.1 lies outside 203.0.113.0/26"),
            ("2001:db8::1", "lies outside"),
            ("203.0.113.0", "is not the address of a host"),
        ],
    )
    def test_that_is_wrong_is_told(self, text, why):
        assert why in moved([old(200)], new="203.0.113.0/26", given={200: text})[200]

    def test_that_is_taken_by_another_is_told(self):
        found = moved([old(200), old(5)], new="203.0.113.0/26", given={200: "203.0.113.5"})
        assert found[200] == "203.0.113.5 would be the new address of several."

    def test_empty_leaves_it_undecided(self):
        assert "does not fit" in moved([old(200)], new="203.0.113.0/26", given={200: " "})[200]


def test_ipv6_keeps_the_host_part():
    addresses = [OldAddress(1, "2001:db8:1::a506:4496:1/64"), OldAddress(2, "2001:db8:1::/64")]
    moves = plan_moves("2001:db8:1::/64", "2001:db8:2::/64", addresses, [])
    assert moves[0].new == "2001:db8:2::a506:4496:1/64"
    assert moves[1].why == "2001:db8:2:: is not the address of a host in 2001:db8:2::/64."


def test_address_of_one_that_stays_is_not_taken():
    """The LAN became larger: an old address can be the new one of another."""
    ports = [now(64496, "198.51.100.10"), now(64496, "198.51.100.11"), now(64497, "198.51.100.9")]
    found = moved([old(8, 64497), old(9, 64496), old(12, 64496)], ports, new="198.51.100.0/23")
    assert "does not tell which address" in found[9]
    assert found[8] == "198.51.100.9 is the address of another one that stays where it is."


def test_address_that_moves_away_can_be_taken():
    ports = [now(64496, "198.51.100.10"), now(64497, "198.51.100.9")]
    found = moved([old(8, 64497), old(9, 64496)], ports, new="198.51.100.0/23")
    assert found == {8: ("198.51.100.9/23", "peeringdb"), 9: ("198.51.100.10/23", "peeringdb")}

"""What a router's own text and NAPALM's getters say, as neighbours."""

from types import SimpleNamespace

import pytest

from netbox_peering_manager.services.devices.capabilities import TABLE
from netbox_peering_manager.services.devices.neighbors import Neighbor
from netbox_peering_manager.services.takeover import frr, napalm, read
from netbox_peering_manager.services.takeover.found import (
    Found,
    FoundAddress,
    FoundBFD,
    FoundFamily,
    FoundNeighbor,
    FoundRouteMap,
)

TEXT = """\
frr defaults traditional
hostname edge1.lon1
!
router bgp 64500
 bgp router-id 192.0.2.1
 no bgp default ipv4-unicast
 neighbor MEMBERS peer-group
 neighbor MEMBERS description everybody here
 neighbor MEMBERS ttl-security hops 1
 neighbor 198.51.100.11 remote-as 64496
 neighbor 198.51.100.11 peer-group MEMBERS
 neighbor 198.51.100.11 description Aurora Broadband
 neighbor 198.51.100.11 bfd
 neighbor 198.51.100.11 bfd profile fast
 neighbor 198.51.100.11 password s3cret
 neighbor 198.51.100.11 update-source 198.51.100.1
 neighbor 198.51.100.11 timers connect 2
 neighbor 198.51.100.12 remote-as internal
 neighbor 198.51.100.12 shutdown message moving house
 neighbor 198.51.100.12 ebgp-multihop 3
 neighbor 198.51.100.12 local-as 64511 no-prepend replace-as
 neighbor fe80::1 remote-as external
 neighbor fe80::1 interface eth0
 neighbor eth7 interface remote-as external
 bgp listen range 192.0.2.0/24 peer-group MEMBERS
 !
 address-family ipv4 unicast
  network 203.0.113.0/24
  neighbor MEMBERS activate
  neighbor MEMBERS route-map OUT out
  neighbor 198.51.100.11 route-map IN in
  neighbor 198.51.100.11 maximum-prefix 100 80 restart 5
  neighbor 198.51.100.11 soft-reconfiguration inbound
 exit-address-family
 !
 address-family ipv6 unicast
  neighbor fe80::1 activate
  neighbor fe80::1 maximum-prefix 50
 exit-address-family
exit
!
router bgp 64501 vrf CUST
 neighbor 198.51.100.11 remote-as 64497
 !
 address-family ipv4 unicast
  no neighbor 198.51.100.11 activate
 exit-address-family
exit
!
route-map IN permit 10
 set local-preference 200
exit
!
route-map OUT permit 10
exit
!
route-map OUT deny 20
exit
!
bfd
 profile fast
  detect-multiplier 5
  transmit-interval 100
 exit
 peer 198.51.100.99
 exit
exit
!
end
"""


@pytest.fixture(scope="module")
def text():
    return frr.parse(TEXT)


def of(found, ip, vrf=""):
    return next(each for each in found.neighbors if (each.remote_ip, each.vrf) == (ip, vrf))


def test_neighbour_has_what_its_lines_and_its_group_say(text):
    assert of(text, "198.51.100.11") == FoundNeighbor(
        vrf="",
        remote_ip="198.51.100.11",
        remote_asn=64496,
        local_asn=64500,
        local_ip="198.51.100.1",
        is_local_configured=True,
        peer_group="MEMBERS",
        description="Aurora Broadband",
        families=(FoundFamily("ipv4-unicast", "IN", "", 100),),
        bfd=True,
        bfd_profile="fast",
        ttl=255,
        password="s3cret",
        has_password=True,
        not_taken=("timers", "maximum-prefix … 80 restart 5", "soft-reconfiguration"),
    )
    assert "s3cret" not in repr(text)


def test_switched_off_internal_multihop_and_local_as(text):
    found = of(text, "198.51.100.12")
    assert (found.enabled, found.remote_asn, found.local_asn, found.ttl) == (False, 64511, 64511, 3)
    assert found.families == ()


def test_link_local_neighbour_has_its_interface(text):
    found = of(text, "fe80::1")
    assert (found.remote_asn, found.local_interface) == (None, "eth0")
    assert found.families == (FoundFamily("ipv6-unicast", max_prefixes=50),)


def test_vrf_has_an_as_of_its_own_and_what_is_switched_off_there_stays_off(text):
    found = of(text, "198.51.100.11", "CUST")
    assert (found.remote_asn, found.local_asn, found.families) == (64497, 64501, ())
    assert text.local_asn == 64500


def test_group_route_maps_and_bfd_profile(text):
    [group] = text.groups
    assert (group.name, group.description) == ("MEMBERS", "everybody here")
    assert group.families == (FoundFamily("ipv4-unicast", "", "OUT"),)
    assert text.route_maps == (
        FoundRouteMap("IN", ((10, "permit"),), is_whole=False),
        FoundRouteMap("OUT", ((10, "permit"), (20, "deny")), is_whole=True),
    )
    assert text.bfd_profiles == (FoundBFD("fast", 5, 300, 100),)


def test_what_is_not_imported_is_said(text):
    said = " ".join(text.unread)
    assert "eth7 has no address" in said
    assert "bgp listen" in said


def test_ipv4_is_on_by_default_unless_the_router_says_otherwise():
    found = frr.parse("router bgp 64500\n neighbor 198.51.100.11 remote-as 64496\nexit\n")
    assert found.neighbors[0].families == (FoundFamily("ipv4-unicast"),)


def with_line(*lines):
    """A neighbour with these lines beside the one that makes it, in a group."""
    text = "\n ".join(
        (
            "router bgp 64500",
            "neighbor GROUP peer-group",
            "neighbor 192.0.2.9 remote-as 64496",
            "neighbor 192.0.2.9 peer-group GROUP",
            *lines,
        )
    )
    [neighbor] = frr.parse(text).neighbors
    return neighbor


@pytest.mark.parametrize("name", ["192.0.2.9", "GROUP"])
@pytest.mark.parametrize(
    ("line", "enabled"),
    [
        ("shutdown", False),
        ("shutdown message gone for rtt", False),
        ("shutdown rtt 200", True),
        ("shutdown rtt 200 count 5", True),
    ],
)
def test_shutdown_by_round_trip_time_is_a_setting_of_a_session_that_is_on(name, line, enabled):
    neighbor = with_line(f"neighbor {name} {line}")
    assert neighbor.enabled is enabled
    assert neighbor.not_taken == (("shutdown rtt",) if enabled else ())


def test_shutdown_counts_beside_one_by_round_trip_time():
    assert not with_line("neighbor GROUP shutdown rtt 200", "neighbor 192.0.2.9 shutdown").enabled


@pytest.mark.parametrize(
    ("line", "not_taken"),
    [
        ("ebgp-multihop 255", "ebgp-multihop 255"),
        ("ttl-security hops 4", "ttl-security hops 4"),
        ("bfd 3 100 100", "bfd 3 100 100"),
    ],
)
def test_what_netbox_has_no_place_for_is_told(line, not_taken):
    neighbor = with_line(f"neighbor 192.0.2.9 {line}")
    assert not_taken in neighbor.not_taken
    assert neighbor.ttl is None


@pytest.mark.parametrize("name", ["192.0.2.9", "GROUP"])
@pytest.mark.parametrize(
    ("line", "not_taken"),
    [
        ("no neighbor {} capability dynamic", "no capability"),
        ("no neighbor {} enforce-first-as", "no enforce-first-as"),
        ("neighbor {} local-as 64511 no-prepend replace-as", "local-as … no-prepend replace-as"),
    ],
)
def test_denied_settings_and_options_of_the_local_as_are_told(name, line, not_taken):
    assert with_line(line.format(name)).not_taken == (not_taken,)


def test_denied_setting_of_a_family_is_told_and_what_is_understood_is_not():
    family = (" neighbor 192.0.2.9 activate", " no neighbor 192.0.2.9 send-community all")
    neighbor = with_line("address-family ipv4 unicast", *family)
    assert neighbor.not_taken == ("no send-community",)
    assert with_line("address-family ipv4 unicast", " no neighbor 192.0.2.9 activate").not_taken == ()
    assert with_line("neighbor 192.0.2.9 local-as 64511").not_taken == ()


@pytest.mark.parametrize(
    ("line", "vrf", "asn"),
    [
        ("router bgp 64500 as-notation plain", "", 64500),
        ("router bgp 64500 vrf CUST as-notation dot", "CUST", 64500),
        ("router bgp 1.5 as-notation dot", "", 65541),
        ("router bgp 0.64500 as-notation dot+", "", 64500),
    ],
)
def test_as_numbers_are_read_in_any_notation(line, vrf, asn):
    found = frr.parse(f"{line}\n neighbor 192.0.2.9 remote-as 1.6\n neighbor 192.0.2.9 local-as 1.7\n")
    [neighbor] = found.neighbors
    assert (found.local_asn, neighbor.vrf) == (asn, vrf)
    assert (neighbor.remote_asn, neighbor.local_asn, found.unread) == (65542, 65543, ())


def test_other_beginning_of_a_routers_bgp_is_told_and_nothing_below_it_is_read():
    found = frr.parse(
        "router bgp 64500 something new\n neighbor 192.0.2.9 remote-as 64496\nrouter bgp\n"
        "router bgp 64501 vrf CUST\n neighbor 192.0.2.8 remote-as 64496\n"
    )
    assert [each.remote_ip for each in found.neighbors] == ["192.0.2.8"]
    assert [text.partition("”")[0] for text in found.unread] == [
        "“router bgp 64500 something new",
        "“router bgp",
    ]


def test_no_bgp_is_nothing():
    assert frr.parse("hostname edge1\n") == Found()


# What is seen completes what is configured


def test_our_address_is_that_beside_the_neighbour_and_the_as_is_seen():
    found = Found(
        neighbors=(FoundNeighbor("", "198.51.100.11"), FoundNeighbor("", "203.0.113.7")),
        addresses=(FoundAddress("eth0", "198.51.100.1", 24), FoundAddress("lo", "192.0.2.1", 32)),
    )
    running = [
        Neighbor("", "198.51.100.11", remote_asn=64496),
        Neighbor("", "203.0.113.7", local_ip="192.0.2.1"),
    ]
    beside, far = read.completed(found, running).neighbors
    assert (beside.local_ip, beside.remote_asn, beside.is_local_configured) == ("198.51.100.1", 64496, False)
    assert far.local_ip == "192.0.2.1"


def test_of_two_of_our_addresses_on_a_lan_it_is_the_one_that_the_session_uses():
    found = Found(
        neighbors=(FoundNeighbor("", "198.51.100.11"), FoundNeighbor("", "198.51.100.12")),
        addresses=(FoundAddress("eth0", "198.51.100.1", 24), FoundAddress("eth1", "198.51.100.2", 24)),
    )
    running = [Neighbor("", "198.51.100.11", local_ip="198.51.100.2"), Neighbor("", "198.51.100.12")]
    up, down = read.completed(found, running).neighbors
    assert (up.local_ip, up.is_local_configured) == ("198.51.100.2", False)
    assert down.local_ip == "198.51.100.1"


def test_update_source_that_is_an_interface_is_its_address():
    text = "router bgp 64500\n neighbor 203.0.113.7 remote-as 64496\n neighbor 203.0.113.7 update-source lo\n"
    addresses = (FoundAddress("lo", "2001:db8::1", 128), FoundAddress("lo", "192.0.2.1", 32))
    found = read.completed(Found(neighbors=frr.parse(text).neighbors, addresses=addresses), ())
    assert (found.neighbors[0].local_ip, found.neighbors[0].local_interface) == ("192.0.2.1", "")


# Other platforms: no device here runs them, what their drivers answer is NAPALM's documented shape


CONFIG = {
    "_": {"neighbors": {"203.0.113.7": {"remote_as": 64511, "local_as": 64500, "description": "Transit"}}},
    "PEERS": {
        "description": "",
        "remote_as": 0,
        "import_policy": "",
        "export_policy": "TO-PEERS",
        "prefix_limit": {"inet": {"unicast": {"limit": 500}}},
        "neighbors": {
            "198.51.100.11": {
                "description": "Aurora",
                "remote_as": 64496,
                "local_as": 64500,
                "import_policy": "FROM-PEERS",
                "export_policy": "A B",
                "local_address": "198.51.100.1",
                "authentication_key": "$9$abcdef",
                "prefix_limit": {"inet": {"unicast": {"limit": 100}}, "inet6": {"unicast": {"limit": 20}}},
            }
        },
    },
}


class Device:
    """Answers as Device does, out of records."""

    def __init__(self, driver, **records):
        self.access = SimpleNamespace(name="edge1", driver=driver, capabilities=TABLE[driver])
        for name, record in records.items():
            setattr(self, name, lambda record=record: record)


def test_platform_with_get_bgp_config():
    device = Device(
        "junos",
        bgp_config=CONFIG,
        interfaces_ip={"ge-0/0/0.0": {"ipv4": {"198.51.100.1": {"prefix_length": 24}}}},
        bgp_neighbors={
            "global": {
                "peers": {"198.51.100.11": {"remote_as": 64496, "local_as": 64500, "is_enabled": False}}
            }
        },
        bgp_neighbors_detail={},
    )
    found = read.read(device)
    aurora, transit = found.neighbors
    assert (aurora.description, aurora.peer_group, aurora.enabled) == ("Aurora", "PEERS", False)
    assert (aurora.local_ip, aurora.limit(4), aurora.limit(6)) == ("198.51.100.1", 100, 20)
    assert aurora.family("ipv4-unicast") == FoundFamily("ipv4-unicast", "FROM-PEERS", "A, B", 100)
    assert aurora.not_taken == ("export policy A, B",)
    # Encrypted in the platform's own way: told, not kept.
    assert (aurora.has_password, aurora.password) == (True, "")
    assert "$9$" not in repr(found)
    assert (transit.remote_asn, transit.peer_group, transit.description) == (64511, "", "Transit")
    assert found.groups[0].families[0] == FoundFamily("ipv4-unicast", "", "TO-PEERS", 500)
    assert (found.local_asn, "ttl" in found.told) == (64500, False)
    # Of one that does not run nothing tells whether it is switched off.
    assert (aurora.is_running, transit.is_running) == (True, False)


def test_platform_that_tells_neighbours_only():
    device = Device(
        "nxos_ssh",
        interfaces_ip={},
        bgp_neighbors={"global": {"peers": {"198.51.100.11": {"remote_as": 64496, "description": "Aurora"}}}},
    )
    found = read.read(device)
    assert (found.neighbors[0].remote_asn, found.neighbors[0].description) == (64496, "Aurora")
    assert found.told == ()
    assert "not imported" in " ".join(found.unread)


def test_address_in_several_vrfs_is_not_guessed():
    running = [
        Neighbor("A", "198.51.100.11", remote_asn=64496),
        Neighbor("B", "198.51.100.11", remote_asn=64497),
    ]
    found = napalm.from_config(CONFIG, running)
    assert [each.remote_ip for each in found.neighbors] == ["203.0.113.7"]
    assert "198.51.100.11 is a neighbour in several VRFs" in " ".join(found.unread)

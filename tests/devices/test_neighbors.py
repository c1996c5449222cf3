"""
Neighbours as each driver tells them, in the shapes of NAPALM's own recorded answers, and FRR's as the lab tells them.

The hardware platforms cannot run here; tests/lab/test_poll.py reads the neighbours of a running FRR.
"""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from netbox_peering_manager.exceptions import DriverRefused
from netbox_peering_manager.services.devices.capabilities import TABLE, Capabilities
from netbox_peering_manager.services.devices.neighbors import (
    ADMIN_DOWN,
    Neighbor,
    Prefixes,
    parse_neighbors,
    read_neighbors,
)

RECORDED = Path(__file__).parents[1] / "napalm_frr" / "mocked_data"


def peer(**said):
    """One neighbour of get_bgp_neighbors: Established, unless something else is said."""
    return {
        "local_as": 64500,
        "remote_as": 64496,
        "remote_id": "192.0.2.11",
        "is_up": True,
        "is_enabled": True,
        "description": "",
        "uptime": 100,
        "address_family": {},
        **said,
    }


def down(**said):
    return peer(is_up=False, uptime=-1, **said)


def counts(received=-1, accepted=-1, sent=-1):
    return {"received_prefixes": received, "accepted_prefixes": accepted, "sent_prefixes": sent}


def detail(address, **said):
    """One neighbour of get_bgp_neighbors_detail, as far as it is looked at."""
    return {
        "up": True,
        "local_as": 64500,
        "remote_as": 64496,
        "remote_address": address,
        "local_address": "",
        "connection_state": "Established",
        "last_event": "",
        "received_prefix_count": -1,
        "accepted_prefix_count": -1,
        "advertised_prefix_count": -1,
        "flap_count": 0,
        **said,
    }


def summary(address="198.51.100.11", vrf="global", **said):
    return {vrf: {"router_id": "192.0.2.1", "peers": {address: peer(**said)}}}


def details(address="198.51.100.11", vrf="global", **said):
    return {vrf: {64496: [detail(address, **said)]}}


def only(summary, detail=None):
    (found,) = parse_neighbors(summary, detail or {})
    return found


def test_a_neighbour_with_everything():
    found = only(
        summary(
            description="as64496",
            uptime=4838400,
            address_family={"ipv4": counts(3142, 3100, 637213), "ipv6": counts(150, 148, 36714)},
        ),
        details(local_address="198.51.100.1", flap_count=27, last_event="RecvKeepAlive"),
    )
    assert found == Neighbor(
        vrf="",
        remote_ip="198.51.100.11",
        remote_asn=64496,
        local_asn=64500,
        bgp_state="established",
        reason="",
        description="as64496",
        up_s=4838400,
        ipv4=Prefixes(3142, 3100, 637213),
        ipv6=Prefixes(150, 148, 36714),
        local_ip="198.51.100.1",
        flaps=27,
    )
    assert (found.is_established, found.family) == (True, 4)


@pytest.mark.parametrize(
    ("spelt", "state"),
    [
        ("Established", "established"),
        ("Estab", "established"),
        ("BGP_ST_ESTAB", "established"),
        ("bgp-st-estab", "established"),
        ("Idle", "idle"),
        ("Idle (Admin)", "idle"),
        ("Idle (PfxCt)", "idle"),
        ("Connect", "connect"),
        ("Active", "active"),
        ("OpenSent", "opensent"),
        ("Opensent", "opensent"),
        ("bgp-st-open-sent", "opensent"),
        ("OpenConfirm", "openconfirm"),
        ("Openconfirm", "openconfirm"),
        # FRR's, while it takes a session down.
        ("Clearing", "idle"),
        ("Deleted", "idle"),
        ("", "idle"),
        (None, "idle"),
    ],
)
def test_states_are_known_in_every_spelling(spelt, state):
    assert (
        only({"global": {"peers": {"198.51.100.11": down()}}}, details(connection_state=spelt)).bgp_state
        == state
    )


@pytest.mark.parametrize("vrf", ["", "global", "default", "master"])
def test_the_global_table_has_many_names(vrf):
    # EOS says "global" in one answer and "default" in the other.
    found = only(summary(vrf="global"), details(vrf=vrf, flap_count=5))
    assert (found.vrf, found.flaps) == ("", 5)


def test_a_vrf_keeps_its_name():
    assert only(summary(vrf="RED3")).vrf == "RED3"


def test_one_address_in_two_vrfs_is_two_neighbours():
    found = parse_neighbors({**summary(vrf="global"), **summary(vrf="RED3", remote_as=64497)}, {})
    assert [(one.vrf, one.remote_asn) for one in found] == [("", 64496), ("RED3", 64497)]


@pytest.mark.parametrize(
    ("up", "enabled", "state", "reason"),
    [(True, True, "established", ""), (False, True, "idle", ""), (False, False, "idle", ADMIN_DOWN)],
)
def test_without_the_detail_a_session_is_up_or_idle(up, enabled, state, reason):
    found = only(summary(is_up=up, is_enabled=enabled))
    assert (found.bgp_state, found.reason, found.enabled) == (state, reason, enabled)


def test_why_a_session_is_down_is_what_the_router_says():
    found = only(
        summary(is_up=False, uptime=-1), details(connection_state="Active", last_event="TransportError")
    )
    assert (found.bgp_state, found.reason) == ("active", "TransportError")


@pytest.mark.parametrize(
    ("said", "of_detail"),
    [
        # FRR and EOS.
        ({"is_enabled": False}, {"connection_state": "Idle", "last_event": "Admin. shutdown"}),
        # IOS, as far as its detail tells.
        ({}, {"connection_state": "Idle (Admin)"}),
    ],
)
def test_a_session_that_is_shut_down_here_says_so(said, of_detail):
    found = only(summary(is_up=False, uptime=-1, **said), details(**of_detail))
    assert (found.bgp_state, found.reason, found.enabled) == ("idle", ADMIN_DOWN, False)


@pytest.mark.parametrize(
    ("uptime", "up", "seconds"),
    [
        (0, True, 0),
        (-1, True, None),
        (None, True, None),
        # NAPALM: the uptime of the last session, when it is not up.
        (3600, False, None),
    ],
)
def test_seconds_are_told_of_what_is_up(uptime, up, seconds):
    assert only(summary(uptime=uptime, is_up=up)).up_s == seconds


@pytest.mark.parametrize(
    ("families", "ipv4", "ipv6"),
    [
        # NX-OS counts what it received alone.
        ({"ipv4": counts(3)}, Prefixes(3), Prefixes()),
        # IOS: its own names of families, others beside them, and numbers as text.
        (
            {"ipv4 unicast": counts("2", 2, 1), "ipv6 unicast": counts(5, 4, 3), "ipv4 multicast": counts(9, 9, 9)},
            Prefixes(2, 2, 1),
            Prefixes(5, 4, 3),
        ),
        # Junos and EOS list both families always.
        ({"ipv4": counts(2, 2, 1), "ipv6": counts()}, Prefixes(2, 2, 1), Prefixes()),
        ({"ipv4": counts(0, 0, 0), "ipv6": counts(0, 0, 0)}, Prefixes(0, 0, 0), Prefixes()),
        # FRR names what is configured; only two are counted.
        ({"ipv4": counts(1, 1, 10), "l2vpn evpn": counts(7, 7, 7)}, Prefixes(1, 1, 10), Prefixes()),
        # An unsigned -1, and no number at all.
        ({"ipv4": counts(2**32 - 1, None, "n/a")}, Prefixes(), Prefixes()),
        ({"vpnv4 unicast": counts(7, 7, 7)}, Prefixes(), Prefixes()),
    ],
)  # fmt: skip
def test_prefixes_of_the_families_that_a_session_carries(families, ipv4, ipv6):
    found = only(summary(address_family=families))
    assert (found.ipv4, found.ipv6) == (ipv4, ipv6)


def test_ios_counts_a_session_within_a_vrf_as_vpnv4():
    found = only(summary(vrf="RED3", address_family={"vpnv4 unicast": counts(7, 6, 5)}))
    assert (found.ipv4, found.ipv6) == (Prefixes(7, 6, 5), Prefixes())


@pytest.mark.parametrize(
    ("address", "ipv4", "ipv6"),
    [
        ("198.51.100.11", Prefixes(5, 4, 3), Prefixes()),
        ("2001:db8:100::b", Prefixes(), Prefixes(5, 4, 3)),
    ],
)
def test_the_sums_of_the_detail_count_when_no_family_is_told(address, ipv4, ipv6):
    said = {"received_prefix_count": 5, "accepted_prefix_count": 4, "advertised_prefix_count": 3}
    found = only(summary(address), details(address, **said))
    assert (found.ipv4, found.ipv6) == (ipv4, ipv6)
    # Told by family: not counted into the other one.
    found = only(
        summary(address, address_family={"ipv4": counts(1, 1, 1), "ipv6": counts(1, 1, 1)}),
        details(address, **said),
    )
    assert (found.ipv4, found.ipv6) == (Prefixes(1, 1, 1), Prefixes(1, 1, 1))


def test_a_session_that_is_down_has_no_prefixes():
    found = only(
        summary(is_up=False, address_family={"ipv4": counts(0, 0, 0)}), details(connection_state="Active")
    )
    assert (found.ipv4, found.ipv6, found.up_s) == (Prefixes(), Prefixes(), None)


@pytest.mark.parametrize(
    ("written", "address", "interface"),
    [
        ("2001:DB8:100:0::B", "2001:db8:100::b", ""),
        ("fe80::1%eth0", "fe80::1", "eth0"),
        ("fe80::1", "fe80::1", ""),
    ],
)
def test_addresses_are_written_in_one_way(written, address, interface):
    found = only(summary(written), details(written))
    assert (found.remote_ip, found.interface, found.family) == (address, interface, 6)


def test_link_local_addresses_are_apart_by_interface():
    both = {"global": {"peers": {"fe80::1%eth0": peer(), "fe80::1%eth1": down()}}}
    assert [(one.interface, one.is_established) for one in parse_neighbors(both, {})] == [
        ("eth0", True),
        ("eth1", False),
    ]


def test_neighbours_without_an_address_are_left_out():
    assert parse_neighbors(summary("eth0"), details("eth0")) == ()


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "", None, "Unknown"])
def test_no_own_address_while_there_is_no_connection(address):
    assert only(summary(), details(local_address=address)).local_ip == ""


@pytest.mark.parametrize("nobody", [0, -1, None])
def test_an_as_number_that_is_none(nobody):
    found = only(summary(remote_as=nobody, local_as=nobody))
    assert (found.remote_asn, found.local_asn) == (None, None)
    assert only(summary(remote_as=nobody), details(remote_as=64511)).remote_asn == 64511


def test_neighbours_of_one_answer_alone_are_told():
    # Junos tells of some neighbours nothing but how long they are up.
    found = parse_neighbors(
        {"global": {"peers": {"198.51.100.12": {"uptime": 60}}}},
        details("198.51.100.11", connection_state="Connect"),
    )
    assert [(one.remote_ip, one.bgp_state, one.remote_asn) for one in found] == [
        ("198.51.100.11", "connect", 64496),
        ("198.51.100.12", "idle", None),
    ]


def test_neighbours_are_ordered_by_vrf_and_address():
    peers = dict.fromkeys(("198.51.100.100", "198.51.100.11", "2001:db8::2", "192.0.2.7"), peer())
    found = parse_neighbors({"RED": {"peers": peers}, "global": {"peers": peers}}, {})
    order = ["192.0.2.7", "198.51.100.11", "198.51.100.100", "2001:db8::2"]
    assert [one.remote_ip for one in found] == order * 2
    assert [one.vrf for one in found] == [""] * 4 + ["RED"] * 4


def test_a_router_without_bgp():
    assert parse_neighbors({}, {}) == ()
    assert parse_neighbors({"global": {"router_id": "", "peers": {}}}, {"global": {}}) == ()


def test_what_frr_tells():
    answers = [
        json.loads((RECORDED / f"test_get_{what}" / "normal" / "expected_result.json").read_text())
        for what in ("bgp_neighbors", "bgp_neighbors_detail")
    ]
    found = {one.remote_ip: one for one in parse_neighbors(*answers)}
    shut, up, six = found["198.51.100.11"], found["198.51.100.13"], found["2001:db8:100::b"]
    assert (shut.bgp_state, shut.reason, shut.enabled, shut.up_s) == ("idle", ADMIN_DOWN, False, None)
    assert (shut.ipv4, shut.description) == (Prefixes(), "as64496")
    assert (up.bgp_state, up.up_s, up.ipv4, up.ipv6) == ("established", 4, Prefixes(9, 9, 10), Prefixes())
    assert (six.bgp_state, six.ipv4, six.ipv6) == ("established", Prefixes(), Prefixes(9, 9, 10))


class Answers:
    """A device whose driver can do so much. It counts what it is asked."""

    def __init__(self, capabilities):
        self.access = SimpleNamespace(name="r1", driver="some", capabilities=capabilities)
        self.asked = []

    def bgp_neighbors(self):
        self.asked.append("summary")
        return summary(is_up=False)

    def bgp_neighbors_detail(self):
        self.asked.append("detail")
        return details(connection_state="OpenSent")


@pytest.mark.parametrize(
    ("driver", "asked", "state"),
    [
        ("frr", ["detail", "summary"], "opensent"),
        ("junos", ["detail", "summary"], "opensent"),
        ("nxos", ["summary"], "idle"),
        ("nxos_ssh", ["summary"], "idle"),
    ],
)
def test_a_driver_is_asked_for_what_it_has(driver, asked, state):
    device = Answers(TABLE[driver])
    assert [one.bgp_state for one in read_neighbors(device)] == [state]
    assert device.asked == asked


def test_a_driver_that_cannot_tell_is_named():
    with pytest.raises(DriverRefused, match="r1: its driver some cannot read BGP neighbours"):
        read_neighbors(Answers(Capabilities(neighbors="none")))

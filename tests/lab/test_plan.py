"""The lab is the demo's network: the same members, addresses and passwords as in the sample PeeringDB and the demo."""

from collections import Counter

import pytest

from dev.demo_network import LAN4, MEMBERS, OUR_ASN, WITH_BFD, WITH_PASSWORD
from dev.errors import DevError
from dev.lab import ending, network, plan, texts
from dev.parsers import check_bird, check_frr, check_openbgpd
from dev.sample_peeringdb.world import World

EVERYONE = plan.nodes()


def test_machines_are_the_ports_that_the_sample_peeringdb_has_on_that_lan():
    world = World(seed=1, size="hamlet")
    ports = {
        (row["asn"], row["ipaddr4"], row["ipaddr6"]) for row in world.rows("netixlan") if row["ixlan_id"] == 1
    }
    assert {(node.asn, *node.addresses) for node in EVERYONE} == ports


def test_each_daemon_runs_on_two_machines_at_least():
    counted = Counter(node.program for node in EVERYONE if not node.ours and not node.route_server)
    assert set(counted) == {"frr", "bird", "openbgpd"}
    assert min(counted.values()) >= 2


def test_members_with_a_password_or_bfd_run_a_daemon_that_knows_it():
    programs = {node.asn: node.program for node in EVERYONE}
    assert {node.asn for node in EVERYONE if node.password} == WITH_PASSWORD
    assert "openbgpd" not in {programs[asn] for asn in WITH_PASSWORD}
    assert {programs[asn] for asn in WITH_BFD} == {"frr"}


def test_nobody_announces_what_another_does_and_all_of_it_is_for_documentation():
    members = [node for node in EVERYONE if not node.ours]
    announced = [prefix for node in members for prefix in node.prefixes]
    assert (
        len(announced) == len(set(announced)) == 2 * sum(1 for one in MEMBERS if one.host and one.host < 250)
    )
    assert all(prefix.startswith(("192.0.2.", "2001:db8:f0")) for prefix in announced)


def for_bgpd(text):
    """Without the line that is vtysh's own."""
    return text.replace("service integrated-vtysh-config\n", "")


@pytest.mark.parser
@pytest.mark.parametrize("node", EVERYONE, ids=lambda node: node.name)
def test_configurations_are_what_the_daemons_accept(node):
    text = texts.configuration(node, EVERYONE)
    if node.program == "frr":
        assert check_frr(for_bgpd(text)) == ""
    elif node.program == "bird":
        assert check_bird(text.replace("protocol device { }", "")) == ""
    else:
        assert check_openbgpd(text) == ""


@pytest.mark.parser
def test_whole_configuration_of_a_router_is_what_frr_accepts():
    edge = EVERYONE[0]
    text = texts.router_with_sessions(edge, EVERYONE)
    assert check_frr(for_bgpd(text)) == ""
    assert text.count(" remote-as ") == 2 * sum(not node.ours for node in EVERYONE)


def test_passwords_are_in_no_repr():
    assert plan.SESSION_PASSWORD not in repr(EVERYONE)


def test_links_to_the_routers_take_a_network_that_this_machine_has_no_route_for():
    first = network.free_network("00000a", taken=[])
    assert str(first) == "198.19.10.0/24"
    assert str(network.free_network("00000a", taken=["198.19.10.64/26", "10.0.0.0/8"])) == "198.19.11.0/24"
    assert str(network.free_network("0000ff", taken=["198.19.255.0/24"])) == "198.19.0.0/24"


def test_machine_that_routes_all_of_the_laboratory_network_is_told_so():
    with pytest.raises(DevError, match=r"has a route for all of it.*ip route show"):
        network.free_network("00000a", taken=["198.18.0.0/15"])


def test_labs_of_one_checkout_and_of_others_have_names_of_their_own(monkeypatch):
    tags = {network.Wires("lab").tag, network.Wires("test-1").tag}
    monkeypatch.setattr(network.paths, "ROOT", "/elsewhere")
    tags.add(network.Wires("lab").tag)
    assert len(tags) == 3
    assert all(len(network.Wires("lab").host_side(number)) <= 15 for number in (0, 1))


def test_somebody_who_is_not_root_is_told_how_to_run_it(monkeypatch):
    monkeypatch.setattr(ending.os, "geteuid", lambda: 1000)
    with pytest.raises(DevError, match=r"only root may.*sudo make lab"):
        ending.require_root()


def test_our_routers_begin_with_no_session():
    for node in EVERYONE:
        if node.asn == OUR_ASN:
            assert "router bgp" not in texts.configuration(node, EVERYONE)
            assert node.ipv4.startswith(LAN4.rpartition(".")[0])

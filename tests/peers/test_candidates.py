"""Who lacks a session: the one rule, and what lists show beside it."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from netbox_routing.models import BGPPeer
from users.models import User

from netbox_peering_manager.models import (
    HiddenPeer,
    PeerASN,
    PeeringConnection,
    PeeringDBIXLan,
    PeeringFabric,
    PeeringNetwork,
    PeeringSession,
)
from netbox_peering_manager.services.provisioning.candidates import (
    Coverage,
    Missing,
    available_ports,
    coverage,
    missing,
)
from tests import factories, shared
from tests.peers import worlds
from tests.peers.people import allowed

pytestmark = pytest.mark.django_db


@factories.look_ups_kept()
def build():
    """Our port on an exchange that PeeringDB knows; one who may view everything, and one who may nothing."""
    worlds.make_ix()
    return SimpleNamespace(
        side=worlds.make_side(),
        admin=User.objects.create_superuser("admin"),
        reader=User.objects.create_user("reader"),
    )


made = shared.once(build)
side = shared.copy("side")
admin = shared.copy("admin")
reader = shared.copy("reader")


def lacks(port, *sides):
    """What a port lacks, as {(interface's device, family)} of the sides."""
    found = missing([port.pk], [side.pk for side in sides])
    assert {row.netixlan_id for row in found} <= {port.pk}
    return [(row.connection_id, row.family) for row in found]


# The rule


def test_port_lacks_a_session_in_every_family_that_both_have(side):
    both = worlds.make_port(64496, "198.51.1.10", "2001:db8:1::10")
    four = worlds.make_port(64497, "198.51.1.11")
    six = worlds.make_port(64498, None, "2001:db8:1::12")
    neither = worlds.make_port(64499)
    assert lacks(both, side) == [(side.pk, 4), (side.pk, 6)]
    assert lacks(four, side) == [(side.pk, 4)]
    assert lacks(six, side) == [(side.pk, 6)]
    assert lacks(neither, side) == []


def test_family_that_we_lack_lacks_nothing(side):
    PeeringConnection.objects.filter(pk=side.pk).update(ipv6_address=None)
    assert lacks(worlds.make_port(64496, "198.51.1.10", "2001:db8:1::10"), side) == [(side.pk, 4)]


def test_session_takes_away_its_own_port_and_family_alone(side):
    first = worlds.make_port(64496, "198.51.1.10", "2001:db8:1::10")
    second = worlds.make_port(64496, "198.51.1.20", "2001:db8:1::20")
    factories.make_bgp_peer("198.51.1.10/24", 64496, scope=side.bgp_scope)
    assert lacks(first, side) == [(side.pk, 6)]
    assert lacks(second, side) == [(side.pk, 4), (side.pk, 6)]


def test_each_connection_counts_for_itself(side):
    other = worlds.make_side(device="rt2.mtl", number=2)
    port = worlds.make_port(64496, "198.51.1.10", "2001:db8:1::10")
    factories.make_bgp_peer("198.51.1.10/24", 64496, scope=side.bgp_scope)
    assert lacks(port, side, other) == [(side.pk, 6), (other.pk, 4), (other.pk, 6)]


def test_bgp_peer_made_by_hand_counts_with_any_mask_and_without_remote_as(side):
    port = worlds.make_port(64496, "198.51.1.10")
    factories.make_bgp_peer("198.51.1.10/32", 64496, scope=side.bgp_scope)
    BGPPeer.objects.update(remote_as=None)
    assert not PeeringSession.objects.exists()
    assert lacks(port, side) == []


def test_address_that_moved_to_another_as_is_taken_by_its_session(side):
    # What disagrees is drift; a second session to one address cannot be.
    factories.make_bgp_peer("198.51.1.10/24", 64497, scope=side.bgp_scope)
    assert lacks(worlds.make_port(64496, "198.51.1.10"), side) == []


def test_connection_without_scope_has_the_sessions_of_its_device_in_the_lans_vrf(side):
    PeeringConnection.objects.filter(pk=side.pk).update(bgp_scope=None)
    port = worlds.make_port(64496, "198.51.1.10")
    vrf = factories.VRF.objects.create(name="customers")
    elsewhere = factories.make_scope(side.interface.device, vrf)
    factories.make_bgp_peer("198.51.1.10/24", 64496, scope=elsewhere, vrf=vrf)
    assert lacks(port, side) == [(side.pk, 4)]
    BGPPeer.objects.all().update(scope=factories.make_scope(side.interface.device))
    assert lacks(port, side) == []


def test_connection_of_a_device_without_bgp_router_lacks_everything(db):
    side = worlds.make_side(2, "Other IX", device="rt2.mtl", scope=False)
    assert lacks(worlds.make_port(64496, "198.51.2.10", lan=2), side) == [(side.pk, 4)]


def test_session_of_another_scope_on_the_same_device_does_not_count(side):
    vrf = factories.VRF.objects.create(name="customers")
    scope = factories.make_scope(side.interface.device, vrf)
    factories.make_bgp_peer("198.51.1.10/24", 64496, scope=scope, vrf=vrf)
    assert lacks(worlds.make_port(64496, "198.51.1.10"), side) == [(side.pk, 4)]


def test_port_on_another_lan_lacks_nothing_from_us(side):
    worlds.make_lan(2, ix_id=1)
    assert lacks(worlds.make_port(64496, "198.51.2.10", lan=2, ix=1), side) == []


def test_lan_that_is_not_linked_to_peeringdb_lacks_nothing(side):
    side.peering_network.peeringdb_id = None
    side.peering_network.save()
    assert lacks(worlds.make_port(64496, "198.51.1.10"), side) == []


def test_families_asked_for_are_the_only_ones(side):
    port = worlds.make_port(64496, "198.51.1.10", "2001:db8:1::10")
    assert missing([port.pk], [side.pk], families=[6]) == [Missing(port.pk, side.pk, 6)]
    assert missing([port.pk], [side.pk], families=[]) == []


def test_unknown_ids_and_no_ids_lack_nothing(side):
    port = worlds.make_port(64496, "198.51.1.10")
    assert missing([], [side.pk]) == missing([port.pk], []) == []
    assert missing([999999], [side.pk]) == missing([port.pk], [999999]) == []
    assert len(missing([port.pk, port.pk], [side.pk, side.pk])) == 1


# Lists


def test_available_ports_are_those_that_lack_any_session(side, admin):
    first = worlds.make_port(64496, "198.51.1.10", "2001:db8:1::10")
    worlds.make_port(64497, "198.51.1.11")
    factories.make_bgp_peer("198.51.1.10/24", 64496, scope=side.bgp_scope)
    factories.make_bgp_peer("198.51.1.11/24", 64497, scope=side.bgp_scope)
    assert [(port.pk, port.missing_v4, port.missing_v6) for port in available_ports(admin)] == [
        (first.pk, 0, 1)
    ]


def test_missing_sessions_are_counted_over_all_connections(side, admin):
    other = worlds.make_side(device="rt2.mtl", number=2)
    worlds.make_port(64496, "198.51.1.10", "2001:db8:1::10")
    factories.make_bgp_peer("198.51.1.10/24", 64496, scope=other.bgp_scope)
    port = available_ports(admin).get()
    assert (port.missing_v4, port.missing_v6) == (1, 2)


def test_available_ports_of_one_fabric_and_of_one_network(side, admin):
    worlds.make_ix(2, "Other IX")
    other = worlds.make_side(2, "Other IX")
    here, there = worlds.make_port(64496, "198.51.1.10"), worlds.make_port(64496, "198.51.2.10", lan=2)
    second = worlds.make_port(64497, "198.51.1.11")
    peer = factories.make_peer_asn(64496)

    def found(**wanted):
        return set(available_ports(admin, **wanted).values_list("pk", flat=True))

    assert found() == {here.pk, there.pk, second.pk}
    assert found(fabric=side.peering_network.fabric) == {here.pk, second.pk}
    assert found(fabric=other.peering_network.fabric) == {there.pk}
    assert found(asn=peer) == found(asn=64496) == {here.pk, there.pk}
    assert found(asn=peer, fabric=side.peering_network.fabric) == {here.pk}


def test_port_says_where_it_is_and_what_the_network_says_of_itself(side, admin):
    net = worlds.make_net(64496, name="Aurora", policy_general="Open", info_prefixes4=10)
    worlds.make_port(net, "198.51.1.10")
    port = available_ports(admin).get()
    network = side.peering_network
    assert (port.fabric_id, port.fabric_name) == (network.fabric_id, "Example IX")
    assert (port.network_id, port.network_name) == (network.pk, "LAN")
    assert (port.net.name, port.net.policy_general, port.net.info_prefixes4) == ("Aurora", "Open", 10)
    assert port.ix.name == "Example IX"


def test_port_whose_network_peeringdb_never_sent_is_there_all_the_same(side, admin):
    net = worlds.make_net(64496)
    worlds.make_port(net, "198.51.1.10")
    net.delete()
    assert available_ports(admin).get().net is None


def test_common_exchanges_are_fabrics_of_ours_where_the_network_has_ports(side, admin):
    worlds.make_ix(2, "Other IX")
    worlds.make_ix(3, "Foreign IX")
    factories.make_fabric("Other IX", peeringdb_id=2)
    factories.make_fabric("Retired IX", peeringdb_id=4, status="decommissioned")
    for lan, host in ((1, 10), (1, 11), (2, 10), (3, 10), (4, 10)):
        worlds.make_port(64496, f"198.51.{lan}.{host}", lan=lan)
    worlds.make_port(64497, "198.51.1.20")
    found = {port.asn: port.common_exchanges for port in available_ports(admin)}
    assert found == {64496: 2, 64497: 1}


def test_sessions_and_peer_asn_of_the_network_show(side, admin):
    peer = factories.make_peer_asn(64496)
    worlds.make_port(64496, "198.51.1.10")
    worlds.make_port(64497, "198.51.1.11")
    factories.make_session(factories.make_bgp_peer("203.0.113.1/32", 64496))
    found = {port.asn: (port.session_count, port.peer_asn_id) for port in available_ports(admin)}
    assert found == {64496: (1, peer.pk), 64497: (0, None)}


def test_contact_is_one_with_an_address(side, admin):
    for asn, email in ((64496, "noc@example.net"), (64497, "")):
        worlds.make_contact(worlds.make_net(asn), email=email)
        worlds.make_port(asn, f"198.51.1.{asn - 64400}")
    assert {port.asn: port.has_contact for port in available_ports(admin)} == {64496: True, 64497: False}


def test_route_servers_of_the_lan_are_told(side, admin):
    PeeringDBIXLan.objects.update(rs_asn=64509)
    worlds.make_port(64509, "198.51.1.250")
    worlds.make_port(64496, "198.51.1.10")
    assert {port.asn: port.is_route_server for port in available_ports(admin)} == {64509: True, 64496: False}


def test_no_route_server_is_told_on_a_lan_without(side, admin):
    worlds.make_port(64496, "198.51.1.10")
    assert available_ports(admin).get().is_route_server is False


def test_every_as_of_ours_is_told_as_own(side, admin):
    factories.make_peer_asn(64500, affiliated=True)
    factories.make_peer_asn(64501, affiliated=True)
    factories.make_peer_asn(64496)
    for asn in (64500, 64501, 64496):
        worlds.make_port(asn, f"198.51.1.{asn - 64400}")
    assert {port.asn: port.is_own for port in available_ports(admin)} == {
        64500: True,
        64501: True,
        64496: False,
    }


def test_hidden_peers_are_told_by_fabric_and_day(side, admin):
    today = timezone.localdate()
    other = factories.make_fabric("Other IX", peeringdb_id=2)
    here = side.peering_network.fabric
    hides = {
        64496: {},
        64497: {"fabric": here, "until": today},
        64498: {"fabric": other},
        64499: {"until": today - timedelta(days=1)},
    }
    entries = {asn: HiddenPeer.objects.create(asn=asn, **fields) for asn, fields in hides.items()}
    for asn in (*hides, 64501):
        worlds.make_port(asn, f"198.51.1.{asn - 64400}")
    found = {port.asn: (port.is_hidden, port.hidden_id) for port in available_ports(admin)}
    assert found == {
        64496: (True, entries[64496].pk),
        64497: (True, entries[64497].pk),
        64498: (False, None),
        64499: (False, None),
        64501: (False, None),
    }


def test_entry_of_the_fabric_is_told_before_that_for_everywhere(side, admin):
    HiddenPeer.objects.create(asn=64496)
    here = HiddenPeer.objects.create(asn=64496, fabric=side.peering_network.fabric)
    worlds.make_port(64496, "198.51.1.10")
    assert available_ports(admin).get().hidden_id == here.pk


@pytest.mark.parametrize("what", ["connection", "network", "fabric"])
def test_what_is_decommissioned_proposes_nothing(side, admin, what):
    worlds.make_port(64496, "198.51.1.10")
    network = side.peering_network
    retired = {"connection": side, "network": network, "fabric": network.fabric}[what]
    assert available_ports(admin).count() == 1
    retired.status = "decommissioned"
    retired.save()
    assert available_ports(admin).count() == 0


def test_nothing_is_available_without_connections(side, admin):
    side.delete()
    worlds.make_port(64496, "198.51.1.10")
    assert list(available_ports(admin)) == []
    assert available_ports(admin).count() == 0


# Who sees what


def test_only_connections_and_fabrics_that_one_may_view_count(side, reader):
    worlds.make_side(device="rt2.mtl", number=2)
    worlds.make_port(64496, "198.51.1.10", "2001:db8:1::10")
    for user in (reader, AnonymousUser()):
        assert not available_ports(user).exists()
    reader = allowed(reader, PeeringConnection, constraints={"pk": side.pk})
    assert not available_ports(reader).exists()
    reader = allowed(reader, PeeringFabric)
    port = available_ports(reader).get()
    assert (port.missing_v4, port.missing_v6) == (1, 1)


def test_sessions_that_one_may_not_view_count_but_are_not_told(side, reader):
    worlds.make_port(64496, "198.51.1.10", "2001:db8:1::10")
    factories.make_session(factories.make_bgp_peer("198.51.1.10/24", 64496, scope=side.bgp_scope))
    factories.make_peer_asn(64496)
    reader = allowed(reader, PeeringConnection, PeeringFabric)
    port = available_ports(reader).get()
    assert (port.missing_v4, port.missing_v6) == (0, 1)
    assert (port.session_count, port.peer_asn_id) == (0, None)
    reader = allowed(reader, PeerASN, PeeringSession)
    port = available_ports(reader).get()
    assert (port.session_count, port.peer_asn_id) == (1, PeerASN.objects.get().pk)


def test_hidden_peer_that_one_may_not_view_hides_without_being_told(side, reader):
    worlds.make_port(64496, "198.51.1.10")
    HiddenPeer.objects.create(asn=64496, reason="secret")
    port = available_ports(allowed(reader, PeeringConnection, PeeringFabric)).get()
    assert (port.is_hidden, port.hidden_id) == (True, None)


def test_network_that_one_may_not_view_is_not_named(side, reader):
    worlds.make_port(64496, "198.51.1.10")
    reader = allowed(reader, PeeringConnection, PeeringFabric)
    port = available_ports(reader).get()
    assert (port.fabric_name, port.network_id, port.network_name) == ("Example IX", None, None)
    port = available_ports(allowed(reader, PeeringNetwork)).get()
    assert (port.network_id, port.network_name) == (side.peering_network_id, "LAN")


# Coverage


def test_coverage_counts_peers_sessions_and_who_else_is_there(side, admin):
    network = side.peering_network
    here = network.fabric
    for asn in range(64496, 64500):
        worlds.make_port(asn, f"198.51.1.{asn - 64486}", f"2001:db8:1::{asn - 64486:x}")
    for address in ("198.51.1.10/24", "2001:db8:1::a/64"):
        factories.make_session(factories.make_bgp_peer(address, 64496, scope=side.bgp_scope), network=network)
    # Made by hand, and no session of ours: it is a peer all the same.
    factories.make_bgp_peer("198.51.1.11/24", 64497, scope=side.bgp_scope)
    assert coverage([here.pk], admin) == {here.pk: Coverage(1, 2, 2)}


def test_coverage_leaves_out_who_is_ours_hidden_or_down(side, admin):
    here = side.peering_network.fabric
    other = factories.make_fabric("Other IX")
    factories.make_peer_asn(64500, affiliated=True)
    HiddenPeer.objects.create(asn=64496, fabric=here)
    HiddenPeer.objects.create(asn=64497)
    HiddenPeer.objects.create(asn=64498, fabric=other)
    HiddenPeer.objects.create(asn=64501, until=timezone.localdate() - timedelta(days=1))
    for asn in (64496, 64497, 64498, 64500, 64501):
        worlds.make_port(asn, f"198.51.1.{asn - 64400}")
    worlds.make_port(64499, "198.51.1.99", operational=False)
    assert coverage([here.pk], admin)[here.pk].potential_peers == 2


def test_session_of_a_port_that_peeringdb_has_no_more_counts_for_its_as(side, admin):
    network = side.peering_network
    worlds.make_port(64496, "198.51.1.10")
    factories.make_session(
        factories.make_bgp_peer("198.51.1.77/24", 64496, scope=side.bgp_scope), network=network
    )
    assert coverage([network.fabric_id], admin)[network.fabric_id] == Coverage(1, 0, 1)


def test_coverage_needs_no_connection_of_ours(side, admin):
    fabric = side.peering_network.fabric
    side.delete()
    worlds.make_port(64496, "198.51.1.10")
    assert coverage([fabric.pk], admin) == {fabric.pk: Coverage(0, 1, 0)}


def test_fabric_without_peeringdb_has_its_sessions_alone(admin):
    network = factories.make_network()
    factories.make_session(network=network)
    assert coverage([network.fabric_id], admin) == {network.fabric_id: Coverage(1, 0, 1)}


def test_coverage_is_of_what_one_may_view(side, reader):
    network = side.peering_network
    worlds.make_port(64496, "198.51.1.10")
    worlds.make_port(64497, "198.51.1.11")
    factories.make_session(
        factories.make_bgp_peer("198.51.1.10/24", 64496, scope=side.bgp_scope), network=network
    )
    assert coverage([network.fabric_id], reader) == {network.fabric_id: Coverage()}
    reader = allowed(reader, PeeringFabric)
    # One has the session that may not be seen: it is no potential peer, and nobody is told that it is a current one.
    assert coverage([network.fabric_id], reader) == {network.fabric_id: Coverage(0, 1, 0)}
    reader = allowed(reader, PeeringSession)
    assert coverage([network.fabric_id], reader) == {network.fabric_id: Coverage(1, 1, 1)}


def test_coverage_of_no_fabrics_is_empty(admin):
    assert coverage([], admin) == {}


# Queries


def test_queries_do_not_grow_with_ports_connections_and_fabrics(admin, django_assert_num_queries):
    def grow(lans, hosts):
        for lan in lans:
            worlds.make_ix(lan, f"IX {lan}")
            side = worlds.make_side(lan, f"IX {lan}")
            if lan % 2 == 0:
                PeeringConnection.objects.filter(pk=side.pk).update(bgp_scope=None)
            for host in hosts:
                worlds.make_port(64496 + host % 3, f"198.51.{lan}.{host}", lan=lan)
            factories.make_session(
                factories.make_bgp_peer(
                    f"198.51.{lan}.{hosts[0]}/24", 64496, scope=factories.make_scope(side.interface.device)
                ),
                network=side.peering_network,
            )

    def cost(expected):
        sides = list(PeeringConnection.objects.values_list("pk", flat=True))
        fabrics = list(PeeringFabric.objects.values_list("pk", flat=True))
        ports = list(available_ports(admin).values_list("pk", flat=True))
        assert len(ports) == expected
        with django_assert_num_queries(3):
            assert list(available_ports(admin))
        with django_assert_num_queries(3):
            assert missing(ports, sides)
        with django_assert_num_queries(5):
            assert len(coverage(fabrics, admin)) == len(fabrics)

    grow([11, 12], [10, 11])
    cost(2)
    grow([13, 14, 15, 16], range(10, 25))
    cost(2 + 4 * 14)

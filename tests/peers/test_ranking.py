"""Networks without any session, ranked."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from netbox_routing.models import BGPPeer, BGPPeerTemplate
from users.models import User

from netbox_peering_manager.models import HiddenPeer, PeeringConnection, PeeringFabric
from netbox_peering_manager.services.provisioning.ranking import ranked_networks
from tests import factories, shared
from tests.peers import worlds
from tests.peers.people import allowed

pytestmark = pytest.mark.django_db


@factories.look_ups_kept()
def build():
    """Our ports on two exchanges; one who may view everything, and one who may nothing."""
    for lan, name in ((1, "Example IX"), (2, "Other IX")):
        worlds.make_ix(lan, name)
    return SimpleNamespace(
        sides=[worlds.make_side(1, "Example IX"), worlds.make_side(2, "Other IX", device="rt2.mtl")],
        admin=User.objects.create_superuser("admin"),
        reader=User.objects.create_user("reader"),
    )


made = shared.once(build)
sides = shared.copy("sides")
admin = shared.copy("admin")
reader = shared.copy("reader")


def asns(user):
    return [network.asn for network in ranked_networks(user)]


def test_networks_are_ranked_by_exchanges_size_and_policy(sides, admin):
    says = {
        64496: {"info_prefixes4": 10, "info_traffic": "1-5Gbps", "policy_general": "Selective"},
        64497: {"info_prefixes4": 5, "info_prefixes6": 6, "policy_general": "No"},
        64498: {"info_prefixes4": 10, "info_traffic": "5-10Gbps", "policy_general": "Restrictive"},
        64499: {},
        64501: {"info_prefixes4": 10, "info_traffic": "1-5Gbps", "policy_general": "Open"},
    }
    for asn, fields in says.items():
        worlds.make_port(worlds.make_net(asn, **fields), f"198.51.1.{asn - 64400}")
    worlds.make_port(64499, "198.51.2.10", lan=2)
    assert asns(admin) == [64499, 64497, 64498, 64501, 64496]


def test_network_tells_where_it_is_and_how_large(sides, admin):
    net = worlds.make_net(64496, info_prefixes4=10, info_prefixes6=5, info_traffic="20-100Mbps")
    for lan, host in ((1, 10), (1, 11), (2, 10)):
        worlds.make_port(net, f"198.51.{lan}.{host}", lan=lan)
    worlds.make_port(net, "198.51.2.11", lan=2, operational=False)
    worlds.make_ix(3, "Foreign IX")
    worlds.make_port(net, "198.51.3.10", lan=3)
    worlds.make_contact(net)
    peer = factories.make_peer_asn(64496)
    found = ranked_networks(admin).get()
    assert (found.common_exchanges, found.ports, found.prefixes) == (2, 3, 15)
    assert (found.traffic_rank, found.policy_rank) == (2, 9)
    assert found.exchange_names == ["Example IX", "Other IX"]
    assert (found.peer_asn_id, found.has_contact) == (peer.pk, True)


def test_network_with_a_session_anywhere_is_left_out(sides, admin):
    for asn in (64496, 64497, 64498, 64499):
        worlds.make_port(asn, f"198.51.1.{asn - 64400}")
    # On no exchange at all, inherited from a group, and at the address of its port with no AS said.
    factories.make_bgp_peer("203.0.113.1/32", 64496)
    inherited = factories.make_bgp_peer("203.0.113.2/32", 64497)
    group = BGPPeerTemplate.objects.create(name="group", remote_as=factories.make_asn(64497))
    BGPPeer.objects.filter(pk=inherited.pk).update(remote_as=None, peer_group=group)
    nameless = factories.make_bgp_peer("198.51.1.98/24", 64498, scope=sides[0].bgp_scope)
    BGPPeer.objects.filter(pk=nameless.pk).update(remote_as=None)
    assert asns(admin) == [64499]


def test_session_that_one_may_not_view_is_a_session(sides, reader):
    worlds.make_port(64496, "198.51.1.10")
    worlds.make_port(64497, "198.51.1.11")
    factories.make_session(factories.make_bgp_peer("203.0.113.1/32", 64496))
    reader = allowed(reader, PeeringFabric)
    reader = allowed(reader, PeeringConnection, constraints={"pk": sides[0].pk})
    assert asns(reader) == [64497]


def test_our_own_networks_are_left_out(sides, admin):
    for asn in (64500, 64501):
        factories.make_peer_asn(asn, affiliated=True)
        worlds.make_port(asn, f"198.51.1.{asn - 64400}")
    assert asns(admin) == []


def test_ports_that_are_down_or_elsewhere_do_not_count(sides, admin):
    worlds.make_port(64496, "198.51.1.10", operational=False)
    worlds.make_port(64497, "198.51.3.10", lan=3)
    assert asns(admin) == []


def test_network_hidden_on_a_fabric_is_not_met_there(sides, admin):
    for asn in (64496, 64497):
        HiddenPeer.objects.create(asn=asn, fabric=sides[0].peering_network.fabric)
        worlds.make_port(asn, f"198.51.1.{asn - 64400}")
    worlds.make_port(64497, "198.51.2.10", lan=2)
    found = ranked_networks(admin).get()
    assert (found.asn, found.common_exchanges, found.exchange_names) == (64497, 1, ["Other IX"])
    assert found.is_hidden is False


def test_network_hidden_everywhere_is_told_while_it_is(sides, admin, reader):
    entry = HiddenPeer.objects.create(asn=64496)
    HiddenPeer.objects.create(asn=64497, until=timezone.localdate() - timedelta(days=1))
    for asn in (64496, 64497):
        worlds.make_port(asn, f"198.51.1.{asn - 64400}")
    found = {network.asn: (network.is_hidden, network.hidden_id) for network in ranked_networks(admin)}
    assert found == {64496: (True, entry.pk), 64497: (False, None)}
    reader = allowed(reader, PeeringConnection, PeeringFabric)
    found = {network.asn: (network.is_hidden, network.hidden_id) for network in ranked_networks(reader)}
    assert found == {64496: (True, None), 64497: (False, None)}


def test_only_exchanges_that_one_may_view_count(sides, reader):
    for lan in (1, 2):
        worlds.make_port(64496, f"198.51.{lan}.10", lan=lan)
    assert asns(reader) == asns(AnonymousUser()) == []
    reader = allowed(reader, PeeringConnection)
    assert asns(reader) == []
    reader = allowed(reader, PeeringFabric, constraints={"name": "Other IX"})
    found = ranked_networks(reader).get()
    assert (found.common_exchanges, found.exchange_names) == (1, ["Other IX"])


def test_queries_do_not_grow_with_networks_and_exchanges(admin, django_assert_num_queries):
    def grow(lans, hosts):
        for lan in lans:
            worlds.make_ix(lan, f"IX {lan}")
            worlds.make_side(lan, f"IX {lan}")
            for host in hosts:
                worlds.make_port(64496 + host % 4, f"198.51.{lan}.{host}", lan=lan)

    grow([11], [10])
    with django_assert_num_queries(3):
        assert len(ranked_networks(admin)) == 1
    grow([12, 13, 14, 15], range(10, 20))
    with django_assert_num_queries(3):
        assert len(ranked_networks(admin)) == 4

"""Exchanges and facilities where both we and a peer are."""

import pytest
from django.contrib.auth.models import AnonymousUser

from users.models import User

from netbox_peering_manager.models import PeerASN, PeeringConnection, PeeringFabric, PeeringSession
from netbox_peering_manager.services.provisioning.facilities import common_exchanges, common_facilities
from tests import factories
from tests.peers import worlds
from tests.peers.people import allowed

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(db):
    return User.objects.create_superuser("admin")


@pytest.fixture
def peer(db):
    factories.make_peer_asn(64500, affiliated=True)
    return factories.make_peer_asn(64496)


def test_exchange_of_ours_tells_ports_connections_and_sessions(admin, peer):
    worlds.make_ix()
    side = worlds.make_side()
    network = side.peering_network
    worlds.make_port(64500, "198.51.1.1", "2001:db8:1::1")
    worlds.make_port(64496, "198.51.1.10", "2001:db8:1::10", speed=10000)
    worlds.make_port(64496, "198.51.1.11", speed=100000)
    worlds.make_port(64497, "198.51.1.12")
    for address, asn in (("198.51.1.10/24", 64496), ("2001:db8:1::10/64", 64496), ("198.51.1.12/24", 64497)):
        bgp_peer = factories.make_bgp_peer(address, asn, scope=side.bgp_scope)
        factories.make_session(bgp_peer, network=network)
    found = common_exchanges(peer, admin).get()
    assert (found.fabric_id, found.fabric_name) == (network.fabric_id, "Example IX")
    assert (found.connection_count, found.our_ports) == (1, 1)
    assert (found.their_ports, found.their_speed, found.available_ports) == (2, 110000, 1)
    assert found.session_count == 2


def test_exchange_where_peeringdb_alone_has_us_is_common_too(admin, peer):
    worlds.make_ix(2, "Other IX")
    for asn in (64500, 64496):
        worlds.make_port(asn, f"198.51.2.{asn - 64400}", lan=2)
    found = common_exchanges(peer, admin).get()
    assert (found.name, found.fabric_id, found.fabric_name) == ("Other IX", None, None)
    assert (found.connection_count, found.our_ports, found.their_ports) == (0, 1, 1)
    assert (found.available_ports, found.session_count) == (0, 0)


def test_fabric_without_connection_is_common(admin, peer):
    worlds.make_ix(2, "Other IX")
    factories.make_fabric("Other IX", peeringdb_id=2)
    worlds.make_port(64496, "198.51.2.10", lan=2)
    found = common_exchanges(peer, admin).get()
    assert (found.fabric_name, found.connection_count, found.our_ports) == ("Other IX", 0, 0)


def test_exchanges_where_one_of_both_is_missing_are_not_common(admin, peer):
    for lan in (1, 2, 3):
        worlds.make_ix(lan)
    worlds.make_side(1)
    worlds.make_port(64500, "198.51.2.1", lan=2)
    worlds.make_port(64496, "198.51.3.10", lan=3)
    factories.make_fabric("Retired IX", peeringdb_id=3, status="decommissioned")
    assert not common_exchanges(peer, admin).exists()


def test_exchanges_are_those_that_one_may_know_of(peer):
    for lan in (1, 2):
        worlds.make_ix(lan)
        worlds.make_port(64496, f"198.51.{lan}.10", lan=lan)
    side = worlds.make_side(1)
    worlds.make_port(64500, "198.51.2.1", lan=2)
    factories.make_session(
        factories.make_bgp_peer("198.51.1.10/24", 64496, scope=side.bgp_scope), network=side.peering_network
    )
    reader = User.objects.create_user("reader")
    for user in (reader, AnonymousUser()):
        assert not common_exchanges(peer, user).exists()
    reader = allowed(reader, PeeringFabric)
    found = common_exchanges(peer, reader).get()
    assert (found.pk, found.connection_count, found.session_count) == (1, 0, 0)
    reader = allowed(reader, PeeringConnection, PeeringSession)
    found = common_exchanges(peer, reader).get()
    assert (found.connection_count, found.session_count) == (1, 1)
    reader = allowed(reader, PeerASN, constraints={"affiliated": True})
    assert set(common_exchanges(peer, reader).values_list("pk", flat=True)) == {1, 2}


def test_facilities_are_those_of_both(admin, peer):
    factories.make_peer_asn(64501, affiliated=True)
    ours, second, theirs = worlds.make_net(64500), worlds.make_net(64501), worlds.make_net(64496)
    both, only_ours, only_theirs = (worlds.make_fac(name) for name in ("Both", "Ours", "Theirs"))
    for net in (second, ours, theirs):
        worlds.put_net_into(both, net)
    worlds.put_net_into(only_ours, ours)
    worlds.put_net_into(only_theirs, theirs)
    worlds.put_net_into(only_theirs, worlds.make_net(64497))
    found = common_facilities(peer, admin).get()
    assert (found.name, found.our_asns) == ("Both", [64500, 64501])


def test_facilities_are_of_those_as_of_ours_that_one_may_view(peer):
    place = worlds.make_fac()
    for asn in (64500, 64496):
        worlds.put_net_into(place, worlds.make_net(asn))
    reader = User.objects.create_user("reader")
    assert not common_facilities(peer, reader).exists()
    reader = allowed(reader, PeerASN)
    assert common_facilities(peer, reader).get() == place

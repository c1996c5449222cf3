"""Taking sessions away: with the BGPPeer or without, and what the router still has to forget."""

import pytest
from django.contrib.auth import get_user_model
from django.db.models import ProtectedError

from ipam.models import VRF, IPAddress
from netbox_routing.models import BGPPeer, BGPPeerAddressFamily, BGPRouter, BGPScope, BGPSetting

from netbox_peering_manager.models import PeeringSession, RemovedSession
from netbox_peering_manager.services.provisioning import removal
from tests import factories, shared

pytestmark = pytest.mark.django_db


def make_session():
    peer = factories.make_bgp_peer(families=("ipv4-unicast", "ipv6-unicast"))
    BGPSetting.objects.create(assigned_object=peer, key="timers_hold", value="30")
    return factories.make_session(peer, factories.make_relationship("Peer", remove_from_router=True))


made = shared.once(make_session)
session = shared.copy()


def test_deleting_a_session_alone_leaves_its_bgp_peer(session):
    removal.delete_session(session, with_bgp_peer=False)
    assert not PeeringSession.objects.exists()
    assert BGPPeer.objects.count() == 1
    assert BGPPeerAddressFamily.objects.count() == 2


def test_deleting_with_the_bgp_peer_takes_what_was_listed_and_leaves_addresses(session):
    listed = removal.what_goes_with(session)
    assert [type(item).__name__ for item in listed] == [
        "BGPPeer",
        "BGPPeerAddressFamily",
        "BGPPeerAddressFamily",
        "BGPSetting",
    ]
    removal.delete_session(session, with_bgp_peer=True)
    for item in listed:
        assert not type(item).objects.filter(pk=item.pk).exists()
    assert IPAddress.objects.filter(address="198.51.100.42/24").exists()


def test_session_stays_when_its_bgp_peer_cannot_go(session, monkeypatch):
    def refuse(peer, *args, **kwargs):
        raise ProtectedError("in use", {peer})

    monkeypatch.setattr(BGPPeer, "delete", refuse)
    with pytest.raises(ProtectedError):
        removal.delete_session(session, with_bgp_peer=True)
    assert PeeringSession.objects.count() == 1
    assert not RemovedSession.objects.exists()


def test_bgp_peer_cannot_be_deleted_under_its_session(session):
    with pytest.raises(ProtectedError):
        session.bgp_peer.delete()


def test_deleted_session_is_remembered_with_plain_values(session):
    device = session.device
    name = session.bgp_peer.name
    removal.delete_session(session, with_bgp_peer=True)
    remembered = RemovedSession.objects.get()
    assert remembered.device == device
    assert str(remembered.remote_ip) == "198.51.100.42"
    assert (remembered.local_asn, remembered.peer_asn) == (64500, 64496)
    assert (remembered.vrf, remembered.name) == ("", name)


def test_session_deleted_by_a_queryset_is_remembered_too(session):
    PeeringSession.objects.all().delete()
    assert RemovedSession.objects.count() == 1


def test_relationship_that_does_not_remove_from_routers_leaves_nothing_behind():
    peer = factories.make_bgp_peer("198.51.100.43/24")
    removal.delete_session(
        factories.make_session(peer, factories.make_relationship("Customer")), with_bgp_peer=False
    )
    assert not RemovedSession.objects.exists()


def test_session_without_a_device_leaves_nothing_behind(session):
    router = BGPRouter.objects.get()
    router.assigned_object = None
    router.save()
    PeeringSession.objects.get().delete()
    assert not RemovedSession.objects.exists()


def test_deleting_twice_at_one_address_remembers_it_once(session):
    relationship, scope = session.relationship, session.bgp_peer.scope
    removal.delete_session(session, with_bgp_peer=True)
    IPAddress.objects.all().delete()
    again = factories.make_session(factories.make_bgp_peer(asn=64499, scope=scope), relationship)
    removal.delete_session(again, with_bgp_peer=True)
    assert RemovedSession.objects.get().peer_asn == 64499


def test_session_made_again_is_no_longer_to_be_removed_in_its_vrf_only(session):
    scope, device = session.bgp_peer.scope, session.device
    removal.delete_session(session, with_bgp_peer=True)
    vrf = VRF.objects.create(name="Customers", rd="64500:1")
    in_vrf = BGPScope.objects.create(router=scope.router, vrf=vrf)
    factories.make_session(factories.make_bgp_peer("198.51.100.42/32", scope=in_vrf, vrf=vrf))
    assert RemovedSession.objects.filter(device=device).still_removed().count() == 1
    IPAddress.objects.filter(vrf=None).delete()
    factories.make_session(factories.make_bgp_peer("198.51.100.42/24", scope=scope))
    assert RemovedSession.objects.filter(device=device).still_removed().count() == 0


def link_local(interface_name, relationship):
    """A session to fe80::1 over a port of rt1.mtl, with an address of that port as its source."""
    port = factories.make_interface(factories.make_device(), interface_name)
    source = factories.make_address("fe80::a/64", port)
    return factories.make_session(
        factories.make_bgp_peer("fe80::1/64", source=source, scope=factories.make_scope()), relationship
    )


def test_removed_link_local_neighbour_is_remembered_with_its_interface(session):
    first, second = (link_local(name, session.relationship) for name in ("Ethernet7", "Ethernet8"))
    for removed in (first, second):
        removal.delete_session(removed, with_bgp_peer=True)
    remembered = RemovedSession.objects.filter(remote_ip="fe80::1")
    assert [str(row) for row in remembered] == ["rt1.mtl: fe80::1%Ethernet7", "rt1.mtl: fe80::1%Ethernet8"]
    link_local("Ethernet8", session.relationship)
    assert [row.local_interface for row in remembered.still_removed()] == ["Ethernet7"]
    remembered.filter(local_interface="Ethernet7").update(local_interface="")
    assert not remembered.still_removed().exists()


def test_removed_link_local_neighbour_on_a_lan_has_the_interface_of_its_connection(session):
    connection = factories.make_connection()
    peer = factories.make_bgp_peer("fe80::1/64", scope=factories.make_scope())
    factories.make_session(peer, session.relationship, connection.peering_network).delete()
    assert RemovedSession.objects.get().local_interface == connection.interface.name


def test_other_removed_neighbours_need_no_interface(session):
    removal.delete_session(session, with_bgp_peer=True)
    assert RemovedSession.objects.get().neighbor == "198.51.100.42"


def test_forgetting_concerns_one_device(session):
    other = factories.make_scope(factories.make_device("rt2.mtl"))
    factories.make_session(
        factories.make_bgp_peer("198.51.100.43/24", scope=other), factories.make_relationship("Peer")
    )
    device = session.device
    PeeringSession.objects.all().delete()
    assert RemovedSession.objects.count() == 2
    assert removal.forget_removed(device) == 1
    assert RemovedSession.objects.get().device.name == "rt2.mtl"


def test_only_bgp_peers_that_the_user_may_delete_are_offered(session):
    nobody = get_user_model().objects.create_user("nobody")
    root = get_user_model().objects.create_superuser("root")
    assert removal.bgp_peers_to_delete(nobody, [session]) == set()
    assert removal.bgp_peers_to_delete(root, [session]) == {session.bgp_peer_id}

"""Making sessions with everything they take: all or nothing, by the rights of the user, with a reason."""

from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError
from django.test import override_settings
from django.utils import timezone
from netaddr import IPNetwork

from core.models import ObjectType
from extras.models import CustomField
from extras.validators import CustomValidator
from ipam.models import ASN, RIR, VRF, IPAddress, IPRange
from netbox_routing.models import BGPAddressFamily, BGPPeer, BGPPeerAddressFamily, BGPPeerTemplate
from users.models import ObjectPermission

from netbox_peering_manager.exceptions import ProvisioningError
from netbox_peering_manager.models import PeerASN, PeeringConnection, PeeringDBNet, PeeringSession
from netbox_peering_manager.services import secrets
from netbox_peering_manager.services.provisioning.create import NewSession, create_sessions, get_or_create_asn
from netbox_peering_manager.services.provisioning.registries import registry_of
from tests import factories, shared

pytestmark = pytest.mark.django_db


def our_side():
    """Our connection with the AS behind it, and what to be to a peer."""
    factories.make_peer_asn(factories.LOCAL_ASN, affiliated=True)
    return SimpleNamespace(
        connection=factories.make_connection(bgp_scope=factories.make_scope()),
        peer=factories.make_relationship("Peer"),
    )


made = shared.once(our_side)
connection = shared.copy("connection")
peer = shared.copy("peer")


def new(connection, relationship, **fields):
    values = {"remote_asn": 64496, "remote_ip": "198.51.100.42", "connection": connection, **fields}
    if values["remote_asn"] == 64496:
        factories.make_asn(64496)
    return NewSession(relationship=relationship, **values)


def refused(*wanted, user=None):
    """The errors that create_sessions() raises; nothing may be left behind."""
    before = counts()
    with pytest.raises(ProvisioningError) as caught:
        create_sessions(wanted, user)
    assert counts() == before
    return caught.value.errors


def counts():
    models = (ASN, RIR, PeerASN, IPAddress, BGPPeer, BGPAddressFamily, BGPPeerAddressFamily, PeeringSession)
    return {model.__name__: model.objects.count() for model in models}


def grant(user, action, model, **constraints):
    permission = ObjectPermission.objects.create(
        name=f"{action} {model.__name__}", actions=[action], constraints=constraints or None
    )
    permission.users.add(user)
    permission.object_types.add(ObjectType.objects.get_for_model(model))


def test_session_gets_all_that_it_takes(connection, peer):
    [session] = create_sessions(
        [
            new(
                connection,
                peer,
                password="s3cret",
                ipv4_max_prefixes=100,
                service_reference="NOC-1",
                description="A peer",
                ttl=2,
                is_route_server=True,
            )
        ]
    )
    bgp_peer = session.bgp_peer
    assert str(bgp_peer.peer.address) == "198.51.100.42/24"
    assert bgp_peer.source == connection.ipv4_address
    assert (bgp_peer.remote_as.asn, bgp_peer.local_as.asn) == (64496, 64500)
    assert bgp_peer.name == "AS64496 LINX LON1"
    assert (bgp_peer.enabled, bgp_peer.status, bgp_peer.ttl, bgp_peer.password) == (True, "active", 2, None)
    assert [family.address_family.address_family for family in bgp_peer.address_families.all()] == [
        "ipv4-unicast"
    ]
    assert session.peering_network == connection.peering_network
    assert (session.ipv4_max_prefixes, session.service_reference) == (100, "NOC-1")
    assert session.is_route_server
    assert secrets.reveal_password(session) == "s3cret"
    assert PeerASN.objects.get(asn__asn=64496).affiliated is False


def test_both_families_are_made_together_and_share_what_there_is(connection, peer):
    four, six = create_sessions([new(connection, peer), new(connection, peer, remote_ip="2001:db8:100::42")])
    assert str(six.bgp_peer.peer.address) == "2001:db8:100::42/64"
    assert six.bgp_peer.source == connection.ipv6_address
    assert four.remote_as == six.remote_as
    assert {family.address_family for family in BGPAddressFamily.objects.all()} == {
        "ipv4-unicast",
        "ipv6-unicast",
    }


def test_second_session_refused_keeps_the_first_from_being_made_and_says_which(connection, peer):
    with pytest.raises(ProvisioningError) as caught:
        create_sessions([new(connection, peer), new(connection, peer, remote_ip="2001:db8:999::42")])
    assert caught.value.position == 1
    assert "2001:db8:100::/64" in caught.value.errors["remote_ip"][0]
    assert not PeeringSession.objects.exists()


def test_existing_address_and_family_are_used(connection, peer):
    address = factories.make_address("198.51.100.42/24")
    BGPAddressFamily.objects.create(scope=connection.bgp_scope, address_family="ipv4-unicast")
    [session] = create_sessions([new(connection, peer)])
    assert session.bgp_peer.peer == address
    assert BGPAddressFamily.objects.count() == 1


def test_link_local_peer_is_taken_without_a_prefix_and_twice(connection, peer):
    create_sessions([new(connection, peer, remote_ip="fe80::42", name="one")])
    [session] = create_sessions([new(connection, peer, remote_ip="fe80::42", name="two")])
    assert str(session.bgp_peer.peer.address) == "fe80::42/128"


def test_session_without_source_is_made_where_the_connection_has_no_address(connection, peer):
    PeeringConnection.objects.update(ipv6_address=None)
    connection.refresh_from_db()
    [session] = create_sessions([new(connection, peer, remote_ip="2001:db8:100::42")])
    assert session.bgp_peer.source is None


def test_session_without_lan_lives_in_the_scope_given(connection, peer):
    vrf = VRF.objects.create(name="Transit", rd="64500:9")
    scope = factories.make_scope(vrf=vrf)
    [session] = create_sessions([new(None, peer, scope=scope, remote_ip="203.0.113.9")])
    assert session.peering_network is None
    assert session.bgp_peer.peer.vrf == vrf
    assert str(session.bgp_peer.peer.address) == "203.0.113.9/32"
    assert session.bgp_peer.name == "AS64496"


def test_source_of_another_family_is_refused(connection, peer):
    errors = refused(new(connection, peer, source=connection.ipv6_address))
    assert "IPv4" in errors["source"][0]


def test_no_connection_and_no_scope_is_refused(connection, peer):
    assert "BGP scope" in refused(new(None, peer))["scope"][0]


def test_connection_without_a_scope_is_refused_with_what_to_do(connection, peer):
    PeeringConnection.objects.update(bgp_scope=None)
    connection.refresh_from_db()
    assert "no BGP scope" in refused(new(connection, peer))["connection"][0]


@pytest.mark.parametrize("text", ["198.51.100.42/24", "198.51.100", "router", "", "'; DROP TABLE --"])
def test_what_is_no_address_is_refused(connection, peer, text):
    assert "remote_ip" in refused(new(connection, peer, remote_ip=text))


def test_address_outside_the_lan_is_refused_with_the_prefix(connection, peer):
    [message] = refused(new(connection, peer, remote_ip="203.0.113.42"))["remote_ip"]
    assert "198.51.100.0/24" in message


def test_our_own_address_is_refused_as_the_peers(connection, peer):
    [message] = refused(new(connection, peer, remote_ip="198.51.100.1"))["remote_ip"]
    assert "rt1.mtl Ethernet1" in message


def test_duplicate_address_in_a_vrf_is_refused(connection, peer):
    for _ in range(2):
        factories.make_address("198.51.100.42/24")
    [message] = refused(new(connection, peer))["remote_ip"]
    assert "more than once in the global table" in message


def test_session_that_exists_is_refused_by_name(connection, peer):
    create_sessions([new(connection, peer, name="First")])
    [message] = refused(new(connection, peer, name="Second"))["remote_ip"]
    assert "has a session" in message
    assert "First" in message


def test_bgp_peer_that_exists_is_to_be_wrapped(connection, peer):
    factories.make_bgp_peer(scope=connection.bgp_scope, name="Old")
    [message] = refused(new(connection, peer))["remote_ip"]
    assert "wraps it" in message
    assert "Old" in message


def a_stranger():
    PeerASN.objects.update(affiliated=False)


def unknown():
    PeerASN.objects.all().delete()


@pytest.mark.parametrize("become", [unknown, a_stranger])
def test_local_as_that_is_not_ours_is_refused(connection, peer, become):
    become()
    [message] = refused(new(connection, peer))["local_as"]
    assert "affiliated" in message


def test_local_as_given_overrides_the_routers(connection, peer):
    sibling = factories.make_peer_asn(64501, affiliated=True)
    [session] = create_sessions([new(connection, peer, local_as=sibling)])
    assert session.local_as.asn == 64501


def test_peer_group_is_set(connection, peer):
    group = BGPPeerTemplate.objects.create(name="IX-PEERS")
    [session] = create_sessions([new(connection, peer, peer_group=group)])
    assert session.bgp_peer.peer_group == group


@pytest.mark.parametrize(
    ("asn", "registry"), [(3356, "arin"), (3333, "ripe"), (4608, "apnic"), (64496, None), (4200000000, None)]
)
def test_registry_comes_from_the_ranges_of_iana(asn, registry):
    found = registry_of(asn)
    assert (found and found.slugs[0]) == registry


def test_missing_asn_is_made_with_its_registry():
    assert get_or_create_asn(3333).rir.name == "RIPE NCC"


def test_missing_asn_takes_the_registry_that_is_there_by_any_of_its_slugs():
    rir = RIR.objects.create(name="RIPE", slug="ripe-ncc")
    assert get_or_create_asn(3333).rir == rir


def test_32_bit_asn_of_no_registry_takes_the_configured_one(connection, peer):
    RIR.objects.create(name="Ours", slug="ours")
    config = {"netbox_peering_manager": {"encryption_keys": [], "default_rir": "ours"}}
    with override_settings(PLUGINS_CONFIG=config):
        [session] = create_sessions([new(connection, peer, remote_asn=4200000000)])
    assert session.remote_as.asn == 4200000000
    assert session.remote_as.rir.slug == "ours"


def test_asn_of_no_registry_is_refused_without_a_configured_one(connection, peer):
    [message] = refused(new(connection, peer, remote_asn=4200000000))["remote_asn"]
    assert "default_rir" in message


def test_configured_registry_that_is_not_there_is_named(connection, peer):
    config = {"netbox_peering_manager": {"encryption_keys": [], "default_rir": "lost"}}
    with override_settings(PLUGINS_CONFIG=config):
        [message] = refused(new(connection, peer, remote_asn=4200000000))["remote_asn"]
    assert "lost" in message


@pytest.mark.parametrize("asn", [0, 2**32, 10**30])
def test_impossible_asn_is_refused(connection, peer, asn):
    RIR.objects.create(name="Ours", slug="ours")
    config = {"netbox_peering_manager": {"encryption_keys": [], "default_rir": "ours"}}
    with override_settings(PLUGINS_CONFIG=config):
        assert "remote_asn" in refused(new(connection, peer, remote_asn=asn))


def test_user_without_rights_makes_nothing_and_reads_which_row_was_refused(connection, peer):
    user = get_user_model().objects.create_user("nobody")
    [message] = refused(new(connection, peer), user=user)["remote_asn"]
    assert "may not add the peer ASN" in message


def test_user_needs_the_right_for_every_row(connection, peer):
    user = get_user_model().objects.create_user("noc")
    for model in (PeerASN, IPAddress, BGPPeer, BGPAddressFamily, BGPPeerAddressFamily):
        grant(user, "add", model)
    user = get_user_model().objects.get(pk=user.pk)
    assert "peering session" in refused(new(connection, peer), user=user)[None][0]
    grant(user, "add", PeeringSession)
    user = get_user_model().objects.get(pk=user.pk)
    assert len(create_sessions([new(connection, peer)], user)) == 1


def test_constraints_of_the_users_rights_hold(connection, peer):
    user = get_user_model().objects.create_user("noc")
    for model in (PeerASN, IPAddress, BGPPeer, BGPAddressFamily, BGPPeerAddressFamily):
        grant(user, "add", model)
    grant(user, "add", PeeringSession, relationship__slug="customer")
    assert "peering session" in refused(new(connection, peer), user=user)[None][0]
    assert create_sessions([new(connection, factories.make_relationship("Customer"))], user)


def mirror(asn, **fields):
    """A network in PeeringDB's mirror."""
    values = {"status": "ok", "updated": timezone.now(), "org_id": 1, "info_types": [], "policy_ratio": False}
    flags = ("info_unicast", "info_multicast", "info_ipv6", "info_never_via_route_servers")
    return PeeringDBNet.objects.create(id=asn, asn=asn, **values, **dict.fromkeys(flags, False), **fields)


def test_missing_peer_asn_is_as_peeringdb_describes_the_network(connection, peer):
    net = mirror(64496, name="Example", irr_as_set="AS-EXAMPLE", info_prefixes4=500, info_prefixes6=0)
    create_sessions([new(connection, peer)])
    made = PeerASN.objects.filter(asn__asn=64496).values(
        "name", "irr_as_set", "ipv4_max_prefixes", "ipv6_max_prefixes", "peeringdb_id"
    )
    assert made.get() == {
        "name": "Example",
        "irr_as_set": "AS-EXAMPLE",
        "ipv4_max_prefixes": 500,
        "ipv6_max_prefixes": None,
        "peeringdb_id": net.pk,
    }


def test_what_was_typed_of_a_missing_peer_asn_wins_over_peeringdb(connection, peer):
    mirror(64496, name="Example", irr_as_set="AS-EXAMPLE")
    create_sessions([new(connection, peer, peer_name="Typed", irr_as_set="AS-TYPED")])
    made = PeerASN.objects.get(asn__asn=64496)
    assert (made.name, made.irr_as_set) == ("Typed", "AS-TYPED")


def test_peer_asn_that_is_there_is_left_as_it_is(connection, peer):
    mirror(64496, name="Example")
    there = factories.make_peer_asn(64496, name="Ours to name")
    create_sessions([new(connection, peer, peer_name="Typed")])
    there.refresh_from_db()
    assert (there.name, there.peeringdb_id) == ("Ours to name", None)


def test_peeringdb_id_that_another_peer_asn_has_is_left_with_it(connection, peer):
    mirror(64496, name="Moved here")
    factories.make_peer_asn(64497, peeringdb_id=64496)
    create_sessions([new(connection, peer)])
    assert PeerASN.objects.get(asn__asn=64496).peeringdb_id is None


def test_defaults_of_custom_fields_are_given_as_netbox_gives_them(connection, peer):
    field = CustomField.objects.create(name="circuit", type="text", default="none", required=True)
    field.object_types.set([ObjectType.objects.get_for_model(model) for model in (PeeringSession, BGPPeer)])
    [session] = create_sessions([new(connection, peer)])
    assert session.custom_field_data == {"circuit": "none"}


def test_custom_field_that_is_required_is_missed(connection, peer):
    field = CustomField.objects.create(name="circuit", type="text", required=True)
    field.object_types.set([ObjectType.objects.get_for_model(IPAddress)])
    assert "circuit" in refused(new(connection, peer))["remote_ip"][0]


def test_custom_validators_of_every_row_are_asked(connection, peer):
    class Complain(CustomValidator):
        def validate(self, instance, request):
            # Complete, as if it had been made by hand.
            assert instance.assigned_object.scope == connection.bgp_scope
            self.fail("Not on a Friday")

    rules = {"netbox_routing.bgppeeraddressfamily": [Complain()]}
    with override_settings(CUSTOM_VALIDATORS=rules):
        assert refused(new(connection, peer))[None] == ["Not on a Friday"]


def test_address_in_a_range_that_is_marked_as_populated_is_refused_as_netbox_does(connection, peer):
    IPRange.objects.create(
        start_address=IPNetwork("198.51.100.40/24"),
        end_address=IPNetwork("198.51.100.50/24"),
        mark_populated=True,
    )
    assert "inside range" in refused(new(connection, peer))["remote_ip"][0]
    assert create_sessions([new(connection, peer, remote_ip="198.51.100.51")])


def test_password_is_in_no_repr(connection, peer):
    assert "s3cret" not in repr(new(connection, peer, password="s3cret"))


def test_session_made_by_someone_else_meanwhile_is_told_and_not_crashed_on(connection, peer, monkeypatch):
    def lose_the_race(row, *args, **kwargs):
        raise IntegrityError("duplicate key")

    monkeypatch.setattr(PeeringSession, "save", lose_the_race)
    [message] = refused(new(connection, peer))[None]
    assert "Someone else" in message


@pytest.mark.parametrize("rights", [(), ("view",)])
def test_refusals_name_what_has_the_address_only_to_who_may_view_it(connection, peer, rights):
    holder = factories.make_interface(factories.make_device("secret-router"), "xe-0/0/9")
    factories.make_address("198.51.100.42/24", holder)
    user = user_that_may(rights, type(holder))
    message = refused(new(connection, peer), user=user)["remote_ip"][0]
    assert ("secret-router" in message) is bool(rights)
    assert "198.51.100.42/24 is assigned to" in message


@pytest.mark.parametrize("rights", [(), ("view",)])
def test_refusals_name_a_known_bgp_peer_only_to_who_may_view_it(connection, peer, rights):
    factories.make_bgp_peer(
        scope=connection.bgp_scope, source=connection.ipv4_address, name="of a secret customer"
    )
    user = user_that_may(rights, BGPPeer)
    message = refused(new(connection, peer), user=user)["remote_ip"][0]
    assert ("of a secret customer" in message) is bool(rights)
    assert "already" in message


def user_that_may(rights, model):
    """A user that may add everything, and do this with one model."""
    user = get_user_model().objects.create(username="limited")
    granted = ObjectPermission.objects.create(name="add", actions=["add"])
    granted.object_types.set(ObjectType.objects.all())
    granted.users.add(user)
    if rights:
        further = ObjectPermission.objects.create(name="further", actions=list(rights))
        further.object_types.set([ObjectType.objects.get_for_model(model)])
        further.users.add(user)
    return user

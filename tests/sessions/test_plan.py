"""What adding many sessions would make: every rule, for what a user may see, in a fixed number of queries."""

import pytest
from django.db import connection as database
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from core.models import ObjectType
from extras.models import CustomField, Tag
from extras.validators import CustomValidator
from ipam.models import ASN, VRF, IPAddress
from netbox_routing.models import BFDProfile, BGPPeer, BGPPeerTemplate

from netbox_peering_manager.exceptions import ProvisioningError
from netbox_peering_manager.models import PeerASN, PeeringConnection, PeeringDBNetIXLan, PeeringSession
from netbox_peering_manager.services.provisioning.plan import plan_sessions
from netbox_peering_manager.services.provisioning.planned import Choices, MaxPrefixes, Password, RouteServers
from tests import factories
from tests.peers import worlds
from tests.sessions.people import grant, make_user, ours

pytestmark = pytest.mark.django_db

SEEN = ours("view_relationship", "view_peeringconnection", "view_peeringfabric")
ROWS = (
    "netbox_peering_manager.add_peerasn",
    "netbox_peering_manager.add_peeringsession",
    "ipam.add_asn",
    "ipam.add_ipaddress",
    "ipam.add_rir",
    "netbox_routing.add_bgppeer",
    "netbox_routing.add_bgpaddressfamily",
    "netbox_routing.add_bgppeeraddressfamily",
)


@pytest.fixture
def side():
    """Our port on the LAN of Example IX."""
    factories.make_peer_asn(factories.LOCAL_ASN, affiliated=True)
    worlds.make_ix()
    return worlds.make_side()


@pytest.fixture
def peer():
    return factories.make_relationship("Peer")


@pytest.fixture
def port(side):
    """A port of AS64496 with both families."""
    factories.make_asn(64496)
    net = worlds.make_net(64496, irr_as_set="AS-EXAMPLE", info_prefixes4=110, info_prefixes6=20)
    return worlds.make_port(net, "198.51.1.10", "2001:db8:1::a")


def planned(peer, *ports, user=None, reviewed=None, **choices):
    return plan_sessions(
        [port.pk for port in ports], Choices(relationship=peer.pk, **choices), user, reviewed=reviewed
    )


def why(plan):
    """Reason, AS and family of each that is skipped."""
    return [(item.reason, item.asn, item.family) for item in plan.skipped]


def test_every_session_is_planned_with_all_that_it_will_hold(side, peer, port):
    four, six = planned(peer, port, max_prefixes=MaxPrefixes.PEERINGDB, margin_percent=15).sessions
    assert (four.asn, four.peer, four.address, four.source) == (
        64496,
        "Network 64496",
        "198.51.1.10",
        "198.51.1.1",
    )
    assert (six.address, six.source) == ("2001:db8:1::a", "2001:db8:1::1")
    assert (four.name, four.local_asn, four.relationship) == ("AS64496 Example IX", 64500, "Peer")
    assert (four.network, four.connection) == ("Example IX: LAN", "rt1.mtl Ethernet1.1")
    assert four.scope == str(side.bgp_scope)
    assert (four.key, six.key) == ((port.pk, side.pk, 4), (port.pk, side.pk, 6))
    assert (four.is_route_server, four.has_password) == (False, False)


@pytest.mark.parametrize(
    ("suggested", "margin", "limit"),
    [(110, 0, 110), (110, 15, 127), (100, 10, 110), (1, 1, 2), (0, 50, None), (None, 50, None)],
)
def test_limit_is_peeringdbs_plus_a_margin_that_is_rounded_up(side, peer, suggested, margin, limit):
    factories.make_asn(64496)
    port = worlds.make_port(worlds.make_net(64496, info_prefixes4=suggested), "198.51.1.10")
    [session] = planned(peer, port, max_prefixes=MaxPrefixes.PEERINGDB, margin_percent=margin).sessions
    assert (session.max_prefixes, session.suggested_prefixes) == (limit, suggested or None)


def test_without_a_rule_for_limits_the_peer_asns_hold(side, peer, port):
    assert [session.max_prefixes for session in planned(peer, port).sessions] == [None, None]


def test_what_has_to_be_made_is_listed_once_beside_what_is_used(side, peer, port):
    worlds.make_port(64496, "198.51.1.11")
    address = factories.make_address("198.51.1.10/24")
    plan = planned(peer, *PeeringDBNetIXLan.objects.order_by("pk"))
    assert [(item.kind, item.name, item.details) for item in plan.made_objects] == [
        ("peer_asn", "AS64496 (Network 64496)", "AS-EXAMPLE, IPv4: 110, IPv6: 20"),
        ("family", "IPv4 Unicast", str(side.bgp_scope)),
        ("address", "2001:db8:1::a/64", "the global table"),
        ("family", "IPv6 Unicast", str(side.bgp_scope)),
        ("address", "198.51.1.11/24", "the global table"),
    ]
    assert [(item.kind, item.name, item.pk) for item in plan.reused_objects] == [
        ("asn", "AS64496", ASN.objects.get(asn=64496).pk),
        ("address", "198.51.1.10/24", address.pk),
    ]
    assert [session.makes for session in plan.sessions] == [
        ("peer_asn", "family"),
        ("address", "family"),
        ("address",),
    ]


def test_missing_as_is_planned_with_the_rir_of_its_range(side, peer):
    plan = planned(peer, worlds.make_port(3333, "198.51.1.10"))
    assert [(item.kind, item.name, item.details) for item in plan.made_objects][:2] == [
        ("rir", "RIPE NCC", ""),
        ("asn", "AS3333", "RIPE NCC"),
    ]


def test_as_of_no_rir_is_skipped_with_what_to_do(side, peer):
    plan = planned(peer, worlds.make_port(4200000000, "198.51.1.10"), families=(4,))
    assert why(plan) == [("invalid", 4200000000, 4)]
    assert "default_rir" in plan.skipped[0].text


def test_families_that_were_not_chosen_are_left_alone(side, peer, port):
    plan = planned(peer, port, families=(6,))
    assert [session.family for session in plan.sessions] == [6]
    assert plan.skipped == ()


def test_family_without_an_address_on_either_side_is_skipped(side, peer):
    factories.make_asn(64496)
    four_only = worlds.make_port(64496, "198.51.1.10")
    plan = planned(peer, four_only)
    assert [session.family for session in plan.sessions] == [4]
    assert why(plan) == [("no-address", 64496, 6)]
    assert plan.skipped[0].text == "AS64496 has no IPv6 address at this port."
    PeeringConnection.objects.update(ipv4_address=None)
    plan = planned(peer, four_only, families=(4,))
    assert why(plan) == [("no-address", 64496, 4)]
    assert "rt1.mtl Ethernet1.1 @ Example IX: LAN has no IPv4 address" in plan.skipped[0].text


def test_session_that_exists_is_skipped_and_a_bare_bgp_peer_is_to_be_wrapped(side, peer, port):
    wrapped = factories.make_bgp_peer("198.51.1.10/24", scope=side.bgp_scope)
    factories.make_session(wrapped, network=side.peering_network)
    factories.make_bgp_peer("2001:db8:1::a/64", scope=side.bgp_scope)
    plan = planned(peer, port)
    assert plan.sessions == ()
    assert [(item.reason, item.text) for item in plan.skipped] == [
        ("exists", "There is a session with 198.51.1.10 already."),
        (
            "exists",
            "There is a BGP peer at 2001:db8:1::a already, without a peering session: add one that wraps it.",
        ),
    ]


def test_second_connection_of_another_router_gets_sessions_of_its_own(side, peer, port):
    other = worlds.make_side(device="rt2.mtl", number=2)
    keys = [session.key for session in planned(peer, port, families=(4,)).sessions]
    assert keys == [(port.pk, side.pk, 4), (port.pk, other.pk, 4)]
    only = planned(peer, port, families=(4,), connections=(other.pk,)).sessions
    assert [session.connection_id for session in only] == [other.pk]


def test_second_connection_of_the_same_router_cannot_have_the_same_neighbor(side, peer, port):
    other = worlds.make_side(number=2)
    plan = planned(peer, port, families=(4,))
    assert [session.connection_id for session in plan.sessions] == [side.pk]
    assert [(item.reason, item.connection_id) for item in plan.skipped] == [("repeated", other.pk)]


def test_address_that_two_networks_have_in_peeringdb_is_planned_once(side, peer, port):
    factories.make_asn(64497)
    twin = worlds.make_port(64497, "198.51.1.10")
    plan = planned(peer, port, twin, families=(4,))
    assert [session.asn for session in plan.sessions] == [64496]
    assert why(plan) == [("repeated", 64497, 4)]


def test_address_of_an_interface_is_refused_and_said(side, peer, port):
    factories.make_address(
        "198.51.1.10/24", factories.make_interface(factories.make_device("rt9"), "Ethernet9")
    )
    plan = planned(peer, port, families=(4,))
    assert why(plan) == [("address-taken", 64496, 4)]
    assert "rt9 Ethernet9" in plan.skipped[0].text


def test_address_that_netbox_has_twice_is_refused(side, peer, port):
    for _ in range(2):
        factories.make_address("198.51.1.10/24")
    assert why(planned(peer, port, families=(4,))) == [("address-taken", 64496, 4)]


def test_address_outside_the_lan_is_refused(side, peer):
    factories.make_asn(64496)
    plan = planned(peer, worlds.make_port(64496, "203.0.113.10"))
    assert why(plan) == [("no-address", 64496, 6), ("invalid", 64496, 4)]
    assert "198.51.1.0/24" in plan.skipped[1].text


def test_addresses_are_looked_for_in_the_vrf_of_the_lan(peer, port, side):
    vrf = VRF.objects.create(name="IX")
    for prefix in side.peering_network.prefixes:
        prefix.vrf = vrf
        prefix.save()
    IPAddress.objects.update(vrf=vrf)
    factories.make_address("198.51.1.10/24", factories.make_interface(factories.make_device()))
    plan = planned(peer, port, families=(4,))
    assert ("address", "198.51.1.10/24", "IX") in [(i.kind, i.name, i.details) for i in plan.made_objects]


def test_connection_without_a_scope_is_skipped_with_what_to_do(peer, port, side):
    PeeringConnection.objects.update(bgp_scope=None)
    plan = planned(peer, port)
    assert why(plan) == [("no-scope", 64496, 4), ("no-scope", 64496, 6)]
    assert "Create a BGP router and scope for rt1.mtl" in plan.skipped[0].text


def test_connection_without_a_scope_whose_device_has_the_session_lacks_nothing(peer, port, side):
    factories.make_bgp_peer("198.51.1.10/24", scope=side.bgp_scope)
    PeeringConnection.objects.update(bgp_scope=None)
    assert why(planned(peer, port, families=(4,))) == [("exists", 64496, 4)]


def test_router_whose_as_is_not_ours_makes_no_session(peer, port):
    PeerASN.objects.update(affiliated=False)
    assert why(planned(peer, port, families=(4,))) == [("invalid", 64496, 4)]


def test_port_that_is_not_operational_waits_unless_it_is_wanted(side, peer):
    factories.make_asn(64496)
    port = worlds.make_port(64496, "198.51.1.10", operational=False)
    assert why(planned(peer, port)) == [("not-operational", 64496, None)]
    assert len(planned(peer, port, with_not_operational=True).sessions) == 1


def test_own_ports_are_never_peers(side, peer):
    own = worlds.make_port(factories.LOCAL_ASN, "198.51.1.1")
    assert why(planned(peer, own)) == [("ours", factories.LOCAL_ASN, None)]


def test_route_servers_are_flagged_and_can_have_a_relationship_of_their_own(peer):
    factories.make_peer_asn(factories.LOCAL_ASN, affiliated=True)
    worlds.make_ix(rs_asn=64510)
    worlds.make_side()
    for number in (64496, 64510):
        factories.make_asn(number)
    ports = [worlds.make_port(64496, "198.51.1.10"), worlds.make_port(64510, "198.51.1.250")]
    servers = factories.make_relationship("Route server")
    plan = planned(peer, *ports, families=(4,), route_server_relationship=servers.pk)
    assert [(s.asn, s.is_route_server, s.relationship) for s in plan.sessions] == [
        (64496, False, "Peer"),
        (64510, True, "Route server"),
    ]
    plan = planned(peer, *ports, families=(4,), route_servers=RouteServers.LEAVE_OUT)
    assert [s.asn for s in plan.sessions] == [64496]
    assert why(plan) == [("route-server", 64510, None)]


def test_port_that_left_peeringdb_is_told(side, peer, port):
    port.delete()
    port.pk = 4711
    plan = planned(peer, port)
    assert [(item.netixlan_id, item.reason) for item in plan.skipped] == [(4711, "gone")]


def test_ports_chosen_twice_are_planned_once(side, peer, port):
    assert len(planned(peer, port, port, families=(4,)).sessions) == 1


def test_port_that_changed_since_it_was_looked_at_is_left_out(side, peer, port):
    reviewed = planned(peer, port).reviewed()
    assert len(planned(peer, port, reviewed=reviewed).sessions) == 2
    PeeringDBNetIXLan.objects.update(ipaddr4="198.51.1.77")
    plan = planned(peer, port, reviewed=reviewed)
    assert [session.family for session in plan.sessions] == [6]
    assert why(plan) == [("changed", 64496, 4)]
    assert "AS64496 at 198.51.1.10" in plan.skipped[0].text


def test_session_that_was_not_looked_at_is_not_made(side, peer, port):
    reviewed = planned(peer, port, families=(4,)).reviewed()
    plan = planned(peer, port, reviewed=reviewed)
    assert [session.family for session in plan.sessions] == [4]
    assert why(plan) == [("changed", 64496, 6)]
    assert "could not be made when" in plan.skipped[0].text


def test_password_shows_as_yes_and_nowhere_else(side, peer, port):
    plan = planned(peer, port, password=Password.GIVEN, password_token="gAAAA-token")
    assert all(session.has_password for session in plan.sessions)
    assert "gAAAA-token" not in repr(plan)


@pytest.mark.parametrize(
    ("choices", "field"),
    [
        ({"connections": (99999,)}, "connections"),
        ({"peer_group": 99999}, "peer_group"),
        ({"bfd": 99999}, "bfd"),
        ({"local_as": 99999}, "local_as"),
        ({"tags": (99999,)}, "tags"),
        ({"route_server_relationship": 99999}, "route_server_relationship"),
        ({"families": ()}, "families"),
        ({"families": (5,)}, "families"),
        ({"status": "great"}, "status"),
        ({"margin_percent": -1}, "margin_percent"),
        ({"margin_percent": 15}, "margin_percent"),
        ({"margin_percent": 1001}, "margin_percent"),
        ({"password": Password.GIVEN}, "password"),
    ],
)
def test_wrong_choices_are_refused_by_their_names(side, peer, port, choices, field):
    with pytest.raises(ProvisioningError) as caught:
        planned(peer, port, **choices)
    assert list(caught.value.errors) == [field]


def test_relationship_that_is_not_there_is_refused(side, port):
    with pytest.raises(ProvisioningError) as caught:
        plan_sessions([port.pk], Choices(relationship=99999))
    assert list(caught.value.errors) == ["relationship"]


def test_tag_of_other_object_types_is_refused(side, peer, port):
    tag = Tag.objects.create(name="Devices", slug="devices")
    tag.object_types.add(ObjectType.objects.get_by_natural_key("dcim", "device"))
    with pytest.raises(ProvisioningError) as caught:
        planned(peer, port, tags=(tag.pk,))
    assert "cannot be given to peering sessions" in caught.value.errors["tags"][0]
    tag.object_types.add(ObjectType.objects.get_for_model(PeeringSession))
    assert planned(peer, port, tags=(tag.pk,)).sessions


def test_required_custom_fields_and_validators_are_told_beforehand(side, peer, port):
    class Complain(CustomValidator):
        def validate(self, instance, request):
            if instance.peer.family == 4:
                self.fail("No IPv4 on Fridays")

    with override_settings(CUSTOM_VALIDATORS={"netbox_routing.bgppeer": [Complain()]}):
        plan = planned(peer, port)
    assert [(item.family, item.text) for item in plan.skipped] == [(4, "No IPv4 on Fridays")]
    assert [session.family for session in plan.sessions] == [6]
    field = CustomField.objects.create(name="circuit", type="text", required=True)
    field.object_types.set([ObjectType.objects.get_for_model(IPAddress)])
    plan = planned(peer, port)
    assert why(plan) == [("invalid", 64496, 4), ("invalid", 64496, 6)]
    assert "circuit" in plan.skipped[0].text


def test_choices_survive_the_way_through_json(side, peer):
    choices = Choices(
        relationship=peer.pk,
        connections=(side.pk,),
        families=(6,),
        max_prefixes=MaxPrefixes.PEERINGDB,
        password=Password.GENERATED,
        tags=(1, 2),
    )
    assert Choices.from_data(choices.as_data()) == choices


# Users


def test_user_without_rights_sees_no_relationship_and_no_connection(side, peer, port):
    with pytest.raises(ProvisioningError) as caught:
        planned(peer, port, user=make_user())
    assert list(caught.value.errors) == ["relationship"]


def test_lan_that_a_user_may_not_view_tells_nothing_of_its_ports(side, peer, port):
    plan = planned(peer, port, user=make_user(*ours("view_relationship")))
    assert plan.sessions == ()
    assert [(item.reason, item.asn, item.peer, item.address) for item in plan.skipped] == [
        ("not-on-lan", None, "", "")
    ]


def test_connections_are_those_that_the_user_may_view(side, peer, port):
    other = worlds.make_side(device="rt2.mtl", number=2)
    user = make_user(*ours("view_relationship", "view_peeringfabric"), *ROWS)
    grant(user, *ours("view_peeringconnection"), constraints={"pk": other.pk})
    plan = planned(peer, port, user=user, families=(4,))
    assert [session.connection_id for session in plan.sessions] == [other.pk]
    with pytest.raises(ProvisioningError) as caught:
        planned(peer, port, user=user, connections=(side.pk,))
    assert str(side.pk) in caught.value.errors["connections"][0]


def test_user_needs_the_right_to_add_what_is_missing_and_only_that(side, peer, port):
    user = make_user(*SEEN, *[right for right in ROWS if right not in ("ipam.add_asn", "ipam.add_ipaddress")])
    factories.make_address("198.51.1.10/24")
    plan = planned(peer, port, user=user)
    assert [session.family for session in plan.sessions] == [4]
    assert why(plan) == [("not-allowed", 64496, 6)]
    assert plan.skipped[0].text == "You may not add IP addresses, which this session needs."


def test_user_with_all_rights_may(side, peer, port):
    assert len(planned(peer, port, user=make_user(*SEEN, *ROWS)).sessions) == 2


def test_what_is_used_is_told_to_who_may_view_it(side, peer, port):
    factories.make_peer_asn(64496, irr_as_set="AS-SECRET")
    user = make_user(*SEEN, *ROWS)
    plan = planned(peer, port, user=user, families=(4,))
    assert len(plan.sessions) == 1
    assert plan.reused_objects == ()
    assert [item.kind for item in plan.made_objects] == ["address", "family"]
    grant(user, "netbox_peering_manager.view_peerasn")
    again = type(user).objects.get(pk=user.pk)
    [told] = planned(peer, port, user=again, families=(4,)).reused_objects
    assert (told.kind, told.details) == ("peer_asn", "AS-SECRET")


def test_holder_of_an_address_is_named_to_who_may_view_it(side, peer, port):
    factories.make_address(
        "198.51.1.10/24", factories.make_interface(factories.make_device("rt9"), "Ethernet9")
    )
    user = make_user(*SEEN, *ROWS)
    [told] = planned(peer, port, user=user, families=(4,)).skipped
    assert told.text == "198.51.1.10/24 is assigned to something else and cannot be the address of a peer."
    grant(user, "dcim.view_interface")
    again = type(user).objects.get(pk=user.pk)
    [told] = planned(peer, port, user=again, families=(4,)).skipped
    assert "rt9 Ethernet9" in told.text


def test_planning_writes_nothing(side, peer, port):
    with CaptureQueriesContext(database) as queries:
        planned(peer, port)
    assert all(query["sql"].startswith("SELECT") for query in queries)
    assert not BGPPeer.objects.exists()


@pytest.mark.parametrize("count", [1, 40])
def test_queries_do_not_grow_with_the_sessions(side, peer, count):
    """With everything that can be chosen, and everything that can be found."""
    worlds.make_side(device="rt2.mtl", number=2)
    choices = {
        "peer_group": BGPPeerTemplate.objects.create(name="PEERS").pk,
        "bfd": BFDProfile.objects.create(name="fast", min_tx_int=300, min_rx_int=300, multiplier=3).pk,
        "tags": (Tag.objects.create(name="Gold", slug="gold").pk,),
        "local_as": PeerASN.objects.get().pk,
        "route_server_relationship": factories.make_relationship("Route server").pk,
    }
    ports = [
        worlds.make_port(3000 + number, f"198.51.1.{10 + number}", f"2001:db8:1::{10 + number:x}")
        for number in range(count)
    ]
    factories.make_address(
        "198.51.1.10/24", factories.make_interface(factories.make_device("rt9"), "Ethernet9")
    )
    user = make_user(*SEEN, *ROWS, "extras.view_tag", "netbox_routing.view_bgppeertemplate")
    grant(user, "netbox_routing.view_bfdprofile", "netbox_peering_manager.view_peerasn")
    with CaptureQueriesContext(database) as queries:
        plan = planned(peer, *ports, user=user, **choices)
    assert len(plan.sessions) == 4 * count - 2
    assert len(queries) <= 36, "\n".join(query["sql"][:150] for query in queries)

"""What is in force on a session: its own, or inherited from the nearest that says something."""

import pytest

from netbox_routing.models import (
    BGPAddressFamily,
    BGPPeer,
    BGPPeerAddressFamily,
    BGPPeerTemplate,
    BGPPolicyTemplate,
    BGPSessionTemplate,
)

from netbox_peering_manager.models import PeeringSession
from netbox_peering_manager.services.rendering.peering import gather
from tests import factories, shared
from tests.rendering import scenario
from tests.rendering.scenario import family_of, session_of

pytestmark = pytest.mark.django_db
made = shared.once(scenario.build)
net = shared.copy()


# Sessions: inherited values


def test_session_inherits_from_its_session_template_and_its_parents(net):
    session = session_of(net, net.bare)
    assert session["name"] == ""
    assert session["status"] == ""
    assert (session["peer_asn"], session["local_asn"]) == (64497, 64501)
    assert (session["ttl"], session["bfd_profile"]["name"]) == (2, "fast")
    assert session["password"] == scenario.TEMPLATE_PASSWORD


def test_own_values_win_over_the_session_template(net):
    net.full_peer.peer_session = net.session_template
    net.full_peer.save()
    session = session_of(net, net.full)
    assert (session["peer_asn"], session["ttl"], session["password"]) == (64496, 255, scenario.OWN_PASSWORD)


def test_session_templates_in_a_circle_end(net):
    net.parent.parent = net.session_template
    net.parent.save()
    assert session_of(net, net.bare)["ttl"] == 2


def test_remote_as_comes_from_the_peer_group_last(net):
    net.bare_peer.peer_session = None
    net.bare_peer.save()
    session = session_of(net, net.bare)
    assert (session["peer_asn"], session["local_asn"]) == (64498, 64500)


@pytest.mark.parametrize(
    ("own", "template", "group", "expected"),
    [
        (None, None, None, True),
        (False, True, True, False),
        (True, False, False, True),
        (None, False, True, False),
        (None, None, False, False),
    ],
)
def test_enabled_is_own_then_session_templates_then_peer_groups(net, own, template, group, expected):
    BGPPeer.objects.filter(pk=net.bare_peer.pk).update(enabled=own)
    BGPSessionTemplate.objects.filter(pk=net.parent.pk).update(enabled=template)
    BGPPeerTemplate.objects.filter(pk=net.group.pk).update(enabled=group)
    assert session_of(net, net.bare)["enabled"] is expected


def test_max_prefixes_are_the_sessions_then_the_peers_and_say_so(net):
    session = session_of(net, net.full)
    assert (session["ipv4_max_prefixes"], session["ipv6_max_prefixes"]) == (7, 50)
    assert session["max_prefixes_origin"] == {"ipv4": "session", "ipv6": "peer"}
    assert family_of(session)["max_prefixes"] == 7
    assert family_of(session, "ipv6-unicast")["max_prefixes"] == 50
    bare = session_of(net, net.bare)
    assert bare["max_prefixes_origin"] == {"ipv4": None, "ipv6": None}


def test_limit_of_zero_is_a_limit(net):
    PeeringSession.objects.filter(pk=net.full.pk).update(ipv4_max_prefixes=0)
    session = session_of(net, net.full)
    assert (session["ipv4_max_prefixes"], session["max_prefixes_origin"]["ipv4"]) == (0, "session")


def test_peer_group_is_the_sessions_then_the_connections_then_the_fabrics(net):
    fabrics, ports = (BGPPeerTemplate.objects.create(name=name) for name in ("FABRIC", "PORT"))
    net.network.fabric.peer_group = fabrics
    net.network.fabric.save()
    net.full_peer.peer_group = None
    net.full_peer.save()
    session = session_of(net, net.full)
    assert (session["peer_group"]["name"], session["peer_group_origin"]) == ("FABRIC", "fabric")
    net.connection.ipv6_peer_group = ports
    net.connection.save()
    assert session_of(net, net.full)["peer_group_origin"] == "fabric"
    net.connection.ipv4_peer_group = ports
    net.connection.save()
    session = session_of(net, net.full)
    assert (session["peer_group"]["name"], session["peer_group_origin"]) == ("PORT", "connection")


# Connections


def test_connection_is_that_of_the_source_address_even_beside_others(net):
    second = factories.make_connection(
        net.network,
        factories.make_interface(net.device, "Ethernet2"),
        "198.51.100.2/24",
        "2001:db8:100::2/64",
    )
    assert session_of(net, net.full)["connection"]["id"] == net.connection.pk
    net.full_peer.source = second.ipv4_address
    net.full_peer.save()
    assert session_of(net, net.full)["connection"]["id"] == second.pk


def test_without_source_address_the_devices_only_connection_is_taken_and_no_guess_made(net):
    assert session_of(net, net.bare)["connection"]["id"] == net.connection.pk
    other = factories.make_interface(factories.make_device("rt2.mtl"))
    factories.make_connection(net.network, other, "198.51.100.3/24", "2001:db8:100::3/64")
    assert session_of(net, net.bare)["connection"]["id"] == net.connection.pk
    second = factories.make_interface(net.device, "Ethernet2")
    factories.make_connection(net.network, second, "198.51.100.2/24", "2001:db8:100::2/64")
    session = session_of(net, net.bare)
    assert (session["connection"], session["local_interface"]) == (None, None)


def test_connections_are_those_that_the_list_of_sessions_shows(net):
    annotated = dict(PeeringSession.objects.with_connection().values_list("pk", "connection_id"))
    found = gather(net.device.pk).context["sessions"]
    assert {s["id"]: s["connection"] and s["connection"]["id"] for s in found} == annotated


# Address families


def test_policies_are_the_sessions_then_the_policy_templates_then_the_groups_then_the_relationships(net):
    family = family_of(session_of(net, net.full))
    assert (family["route_map_in"], family["route_map_in_origin"]) == ({"name": "OWN"}, "session")
    assert (family["prefix_list_out"], family["prefix_list_out_origin"]) == (
        {"name": "OURS-V4"},
        "policy template",
    )
    # From the policy template's parent.
    assert (family["route_map_out"], family["route_map_out_origin"]) == (
        {"name": "POLICY"},
        "policy template",
    )
    assert (family["prefix_list_in"], family["prefix_list_in_origin"]) == (None, None)
    BGPPeerAddressFamily.objects.filter(
        assigned_object_type__model="bgppeer", assigned_object_id=net.full_peer.pk
    ).update(routemap_in=None)
    family = family_of(session_of(net, net.full))
    assert (family["route_map_in"], family["route_map_in_origin"]) == ({"name": "GROUP"}, "peer group")
    net.group.address_families.all().delete()
    family = family_of(session_of(net, net.full))
    assert (family["route_map_in"], family["route_map_in_origin"]) == ({"name": "REL-IN"}, "relationship")


def test_session_without_address_families_gets_that_of_its_address(net):
    bare = session_of(net, net.bare)
    assert bare["afi_safis"] == ["ipv4-unicast"]
    family = family_of(bare)
    assert (family["afi_name"], family["safi_name"], family["enabled"]) == ("ipv4", "unicast", True)
    assert (family["route_map_in_origin"], family["route_map_out_origin"]) == ("peer group", "relationship")
    assert session_of(net, net.link_local)["afi_safis"] == ["ipv6-unicast"]


def test_disabled_address_family_stands_there_but_is_not_listed(net):
    session = session_of(net, net.full)
    assert session["afi_safis"] == ["ipv4-unicast"]
    assert family_of(session, "ipv6-unicast")["enabled"] is False


def test_address_family_is_enabled_as_its_policy_template_or_group_says(net):
    BGPPolicyTemplate.objects.filter(name="grandparent").update(enabled=False)
    assert family_of(session_of(net, net.full))["enabled"] is False
    BGPPolicyTemplate.objects.filter(name="policy").update(enabled=True)
    assert family_of(session_of(net, net.full))["enabled"] is True
    net.group.address_families.update(enabled=False)
    assert family_of(session_of(net, net.bare))["enabled"] is False


def test_policy_templates_in_a_circle_end(net):
    BGPPolicyTemplate.objects.get(name="grandparent").parents.add(net.policy)
    assert family_of(session_of(net, net.full))["route_map_out"] == {"name": "POLICY"}


def test_nearer_policy_template_wins(net):
    far = BGPPolicyTemplate.objects.create(name="a far one", routemap_out=net.maps["IDLE"])
    BGPPolicyTemplate.objects.get(name="grandparent").parents.add(far)
    assert family_of(session_of(net, net.full))["route_map_out"] == {"name": "POLICY"}


def test_group_row_of_the_same_scope_wins_and_several_of_other_scopes_decide_nothing(net):
    net.bare_peer.scope = factories.make_scope(net.device, net.vrf)
    net.bare_peer.save()
    # The group's only row belongs to another scope: it is meant.
    assert family_of(session_of(net, net.bare))["route_map_in"] == {"name": "GROUP"}
    elsewhere = BGPAddressFamily.objects.create(
        scope=factories.make_scope(factories.make_device("rt2.mtl")), address_family="ipv4-unicast"
    )
    BGPPeerAddressFamily.objects.create(
        assigned_object=net.group, address_family=elsewhere, routemap_in=net.maps["IDLE"]
    )
    assert family_of(session_of(net, net.bare))["route_map_in"] == {"name": "REL-IN"}
    assert family_of(session_of(net, net.full))["route_map_in"] == {"name": "OWN"}
    here = BGPAddressFamily.objects.create(scope=net.bare_peer.scope, address_family="ipv4-unicast")
    BGPPeerAddressFamily.objects.create(
        assigned_object=net.group, address_family=here, routemap_in=net.maps["POLICY"]
    )
    assert family_of(session_of(net, net.bare))["route_map_in"] == {"name": "POLICY"}


@pytest.mark.parametrize(
    ("name", "halves"),
    [
        ("vpnv4-unicast", ("vpnv4", "unicast")),
        ("l2vpn-evpn", ("l2vpn", "evpn")),
        ("nsap", ("nsap", "")),
        ("link-state", ("link-state", "")),
    ],
)
def test_families_beyond_ip_have_no_limit(net, name, halves):
    family = BGPAddressFamily.objects.create(scope=net.scope, address_family=name)
    BGPPeerAddressFamily.objects.create(assigned_object=net.full_peer, address_family=family)
    found = family_of(session_of(net, net.full), name)
    assert (found["afi_name"], found["safi_name"]) == halves
    assert found["max_prefixes"] is None

"""The template context, from a database in which everything occurs: its shape, its order, what is in force and why."""

import types
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from ipam.models import VRF
from netbox_routing.models import (
    BGPAddressFamily,
    BGPPeer,
    BGPPeerAddressFamily,
    BGPPeerTemplate,
    BGPPolicyTemplate,
    BGPSessionTemplate,
    PrefixListEntry,
)

from netbox_peering_manager.models import PeeringSession, RemovedSession
from netbox_peering_manager.services.rendering import context
from netbox_peering_manager.services.rendering.peering import gather
from netbox_peering_manager.services.secrets import MASK
from tests import factories, shared
from tests.rendering import scenario

pytestmark = pytest.mark.django_db


made = shared.once(scenario.build)
net = shared.copy()


@pytest.fixture
def rendered(net):
    """The context of the whole device, passwords in clear."""
    return gather(net.device.pk, reveal_secrets=True).context


def session_of(net, which):
    """One session as the context has it now."""
    found = gather(net.device.pk, reveal_secrets=True).context["sessions"]
    return next(session for session in found if session["id"] == which.pk)


def family_of(session, afi="ipv4-unicast"):
    return next(family for family in session["address_families"] if family["afi"] == afi)


# The contract


def check(value: Any, expected: Any, path: str) -> None:
    """Assert that a value has exactly the type that the contract says, all the way down."""
    if is_typeddict(expected):
        hints = get_type_hints(expected)
        assert type(value) is dict, path
        assert set(value) == set(hints), path
        for name, hint in hints.items():
            check(value[name], hint, f"{path}.{name}")
    elif get_origin(expected) in (Union, types.UnionType):
        if value is not None:
            check(value, next(kind for kind in get_args(expected) if kind is not type(None)), path)
        else:
            assert type(None) in get_args(expected), path
    elif get_origin(expected) is list:
        assert type(value) is list, path
        for position, inner in enumerate(value):
            check(inner, get_args(expected)[0], f"{path}[{position}]")
    elif get_origin(expected) is dict:
        assert type(value) is dict, path
    else:
        # Not isinstance: a bool is no number here, and a lazy translation or netaddr object is no text.
        assert type(value) is expected, f"{path}: {value!r} is no {expected}"


def test_context_has_exactly_the_names_and_types_of_the_contract(rendered):
    check(rendered, context.PeeringContext, "context")


def test_every_list_of_the_contract_occurs_in_the_scenario(rendered):
    # Otherwise the test above would say nothing about their members.
    assert all(rendered[name] for name in context.PeeringContext.__annotations__)
    assert rendered["device"]["interfaces"][0]["peering_connections"]


def test_context_without_device_has_the_same_shape(net):
    found = gather(sessions=[net.full.pk, net.in_vrf.pk]).context
    check(found, context.PeeringContext, "context")
    assert found["device"] is None
    assert found["removed_sessions"] == []
    assert [session["id"] for session in found["sessions"]] == [net.full.pk, net.in_vrf.pk]


def test_two_sessions_share_no_value_that_a_template_could_change(rendered):
    first, second = rendered["sessions"][:2]
    shared = {id(v) for v in containers(first)} & {id(v) for v in containers(second)}
    assert not shared


def containers(value):
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from containers(inner)


# The device


def test_device_with_its_as_router_id_and_config_context(net, rendered):
    device = rendered["device"]
    assert device["name"] == "rt1.mtl"
    assert device["platform"] == {"name": "FRR", "slug": "frr"}
    assert (device["local_asn"], device["asns"], device["router_id"]) == (64500, [64500], "192.0.2.1")
    assert device["config_context"] == {"ntp": ["192.0.2.123"]}
    assert device["tags"] == ["blue"]


def test_device_with_two_bgp_routers_has_no_single_local_as(net):
    from netbox_routing.models import BGPRouter

    BGPRouter.objects.create(name="second", assigned_object=net.device, asn=factories.make_asn(64499))
    device = gather(net.device.pk).context["device"]
    assert (device["local_asn"], device["asns"]) == (None, [64499, 64500])


def test_router_id_falls_back_to_the_primary_address(net):
    net.scope.router.settings.all().delete()
    net.device.primary_ip4 = net.connection.ipv4_address
    net.device.save()
    assert gather(net.device.pk).context["device"]["router_id"] == "198.51.100.1"


def test_interfaces_are_those_with_connections_or_source_addresses(net):
    idle = factories.make_interface(net.device, "Ethernet9")
    factories.make_address("192.0.2.200/32", idle)
    loopback = factories.make_interface(net.device, "Loopback0")
    source = factories.make_address("192.0.2.10/32", loopback)
    net.in_vrf.bgp_peer.source = source
    net.in_vrf.bgp_peer.save()
    interfaces = gather(net.device.pk).context["device"]["interfaces"]
    assert [interface["name"] for interface in interfaces] == ["Ethernet1", "Loopback0"]
    assert interfaces[0]["ip_addresses"] == ["198.51.100.1/24", "2001:db8:100::1/64"]
    assert interfaces[0]["mac_address"] == "02:00:00:00:00:01"
    assert interfaces[1]["peering_connections"] == []
    assert session_of(net, net.in_vrf)["local_interface"] == "Loopback0"


def test_device_without_bgp_router_has_no_sessions():
    device = factories.make_device("lonely")
    found = gather(device.pk).context
    assert found["sessions"] == []
    assert found["device"]["local_asn"] is None


# Sessions: own values


def test_session_with_everything_of_its_own(net):
    session = session_of(net, net.full)
    expected = {
        "name": "full",
        "description": scenario.HOSTILE,
        "status": "active",
        "enabled": True,
        "local_asn": 64500,
        "peer_asn": 64496,
        "local_ip": "198.51.100.1",
        "remote_ip": "198.51.100.42",
        "ip_version": 4,
        "vrf": None,
        "password": scenario.OWN_PASSWORD,
        "ttl": 255,
        "relationship": "Peer",
        "relationship_slug": "peer",
        "bgp_role": "peer",
        "service_reference": "T1",
        "peer_name": "Example",
        "irr_as_set": "AS-EXAMPLE",
        "peer_group": {"id": net.group.pk, "name": "PEERS"},
        "peer_group_origin": "session",
        "tags": ["blue"],
        "bfd_profile": {
            "name": "fast",
            "minimum_interval": 300,
            "minimum_rx_interval": 250,
            "multiplier": 3,
            "hold": None,
        },
    }
    assert {name: session[name] for name in expected} == expected
    assert session["peering_network"]["fabric"]["name"] == "LINX LON1"
    assert session["connection"]["interface"] == session["local_interface"] == "Ethernet1"


def test_description_falls_back_to_that_of_the_bgp_peer(net):
    net.bare_peer.description = "of the peer"
    net.bare_peer.save()
    assert session_of(net, net.bare)["description"] == "of the peer"


def test_ttl_of_zero_is_none(net):
    BGPPeer.objects.filter(pk=net.full_peer.pk).update(ttl=0)
    assert session_of(net, net.full)["ttl"] is None


def test_32_bit_as_and_link_local_neighbour(net):
    session = session_of(net, net.link_local)
    assert (session["peer_asn"], session["remote_ip"], session["ip_version"]) == (4200000001, "fe80::2", 6)
    assert session["local_interface"] == "Ethernet1"


def test_session_without_source_address(net):
    session = session_of(net, net.in_vrf)
    assert (session["local_ip"], session["local_interface"], session["vrf"]) == (None, None, "CUSTOMERS")


def test_session_without_scope_can_be_rendered_by_id(net):
    net.full_peer.scope = None
    net.full_peer.save()
    session = gather(sessions=[net.full.pk]).context["sessions"][0]
    assert session["local_asn"] == 64500
    assert session["connection"]["interface"] == "Ethernet1"


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
    BGPPeerAddressFamily.objects.filter(assigned_object_id=net.full_peer.pk).update(routemap_in=None)
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


# Peer groups and policies


def test_peer_group_with_what_it_defines_and_who_is_in_it(net, rendered):
    (group,) = rendered["peer_groups"]
    assert (group["name"], group["remote_asn"], group["enabled"]) == ("PEERS", 64498, True)
    assert (group["families"], group["local_asns"]) == ([4], [64500, 64501])
    (family,) = group["address_families"]
    assert (family["afi"], family["route_map_in"], family["route_map_in_origin"]) == (
        "ipv4-unicast",
        {"name": "GROUP"},
        "peer group",
    )
    # A relationship is a session's, so that it says nothing about the group.
    assert family["route_map_out"] is None


def test_disabled_sessions_do_not_count_as_members(net):
    BGPPeer.objects.filter(peer_group=net.group).update(enabled=False)
    (group,) = gather(net.device.pk).context["peer_groups"]
    assert (group["families"], group["local_asns"]) == ([], [])


def test_route_maps_in_use_once_each_with_entries_in_sequence(rendered):
    assert [route_map["name"] for route_map in rendered["route_maps"]] == [
        "GROUP",
        "OWN",
        "POLICY",
        "REL-IN",
        "REL-OUT",
    ]
    own = rendered["route_maps"][1]
    assert [entry["sequence"] for entry in own["entries"]] == [10, 20]
    assert own["families"] == [4]
    assert rendered["route_maps"][4]["families"] == [4, 6]
    assert own["entries"][0] | {"sequence": 0} == {
        "sequence": 0,
        "action": "deny",
        "match_prefix_lists": [],
        "match_community_lists": [],
        "match_communities": [],
        "match_as_paths": [],
        "match": {},
        "set": {},
        "continue_at": None,
        "description": "",
    }
    assert own["entries"][1] == {
        "sequence": 20,
        "action": "permit",
        "match_prefix_lists": ["OURS-V4"],
        "match_community_lists": ["CL"],
        "match_communities": ["64500:1"],
        "match_as_paths": ["AP"],
        "match": {"local_preference": 100},
        "set": {"large_community": "64500:1:2", "med": 5},
        "continue_at": 30,
        "description": "first",
    }


def test_route_map_json_that_is_no_object_is_kept(net):
    net.maps["OWN"].route_map_entries.update(match=["x"], set="y")
    own = next(m for m in gather(net.device.pk).context["route_maps"] if m["name"] == "OWN")
    assert (own["entries"][0]["match"], own["entries"][0]["set"]) == ({"value": ["x"]}, {"value": "y"})


def test_lists_in_use_with_their_entries(rendered):
    assert [(found["name"], found["family"]) for found in rendered["prefix_lists"]] == [
        ("DIRECT-V6", 6),
        ("OURS-V4", 4),
    ]
    assert rendered["prefix_lists"][1]["entries"] == [
        {"sequence": 5, "action": "deny", "prefix": "203.0.113.0/24", "ge": 25, "le": 32},
        {"sequence": 10, "action": "permit", "prefix": "192.0.2.0/24", "ge": None, "le": None},
    ]
    assert rendered["prefix_lists"][0]["entries"] == []
    (community_list,) = rendered["community_lists"]
    assert community_list["entries"] == [{"action": "permit", "community": "64500:1:2", "large": True}]
    (as_path,) = rendered["as_path_lists"]
    assert as_path["entries"] == [{"sequence": 10, "action": "permit", "pattern": "^64496_"}]


def test_prefix_list_entry_that_lost_its_prefix_is_left_out(net):
    PrefixListEntry.objects.create(prefix_list=net.prefix_list, sequence=99, action="permit")
    found = gather(net.device.pk).context["prefix_lists"][1]
    assert [entry["sequence"] for entry in found["entries"]] == [5, 10]


def test_communities_are_those_matched_and_those_set_by_value_or_name(net):
    found = gather(net.device.pk).context["communities"]
    assert [(c["name"], c["community"], c["large"]) for c in found] == [
        ("", "64500:1", False),
        ("lg", "64500:1:2", True),
    ]
    net.maps["OWN"].route_map_entries.update(set={"community": ["lg", "internet"]})
    assert len(gather(net.device.pk).context["communities"]) == 2
    net.maps["OWN"].route_map_entries.update(set={"med": "lg"})
    assert len(gather(net.device.pk).context["communities"]) == 1


# Removed sessions


def test_removed_session_until_its_address_has_a_session_again(net):
    (removed,) = gather(net.device.pk).context["removed_sessions"]
    assert removed == {
        "remote_ip": "198.51.100.99",
        "ip_version": 4,
        "local_interface": None,
        "vrf": None,
        "local_asn": 64500,
        "peer_asn": 64511,
        "peer_group": "PEERS",
        "name": "gone",
    }
    elsewhere = factories.make_scope(net.device, net.vrf)
    factories.make_session(factories.make_bgp_peer("198.51.100.99/24", 64496, elsewhere, vrf=net.vrf))
    assert gather(net.device.pk).context["removed_sessions"]
    # The mask of an address says nothing about whose it is.
    factories.make_session(factories.make_bgp_peer("198.51.100.99/32", 64496, net.scope))
    assert gather(net.device.pk).context["removed_sessions"] == []


def test_removed_sessions_of_a_vrf_and_in_the_order_of_addresses(net):
    for address in ("2001:db8::9", "198.51.100.100", "198.51.100.9"):
        RemovedSession.objects.create(device=net.device, remote_ip=address)
    RemovedSession.objects.create(device=net.device, vrf="CUSTOMERS", remote_ip="198.51.100.42")
    RemovedSession.objects.create(device=net.device, vrf="ANOTHER", remote_ip="198.51.100.42")
    found = gather(net.device.pk).context["removed_sessions"]
    assert [(removed["vrf"], removed["remote_ip"]) for removed in found] == [
        (None, "198.51.100.9"),
        (None, "198.51.100.99"),
        (None, "198.51.100.100"),
        (None, "2001:db8::9"),
        ("ANOTHER", "198.51.100.42"),
    ]


# Order


def test_sessions_by_vrf_family_and_address(net):
    early = VRF.objects.create(name="Alpha")
    for address, vrf in (("198.51.100.5/25", None), ("198.51.100.100/24", None), ("192.0.2.1/32", early)):
        scope = factories.make_scope(net.device, vrf)
        factories.make_session(factories.make_bgp_peer(address, 64496, scope, vrf=vrf))
    found = gather(net.device.pk).context["sessions"]
    assert [(session["vrf"], session["remote_ip"]) for session in found] == [
        (None, "198.51.100.5"),
        (None, "198.51.100.42"),
        (None, "198.51.100.43"),
        (None, "198.51.100.100"),
        (None, "fe80::2"),
        ("Alpha", "192.0.2.1"),
        ("CUSTOMERS", "198.51.100.42"),
    ]


def test_two_gatherings_are_equal(net):
    assert gather(net.device.pk) == gather(net.device.pk)


# Passwords


def test_passwords_are_masked_for_a_trusted_caller_who_does_not_ask(net):
    gathered = gather(net.device.pk)
    passwords = {session["id"]: session["password"] for session in gathered.context["sessions"]}
    assert passwords == {net.full.pk: MASK, net.bare.pk: MASK, net.in_vrf.pk: MASK, net.link_local.pk: ""}
    assert gathered.secrets == "masked"


def test_password_found_in_the_plain_column_is_rendered(net):
    assert session_of(net, net.in_vrf)["password"] == scenario.CLEAR_PASSWORD


def test_no_passwords_is_neither_clear_nor_masked(net):
    gathered = gather(sessions=[net.link_local.pk], reveal_secrets=True)
    assert gathered.secrets == "none"

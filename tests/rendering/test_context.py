"""The template context, from a database in which everything occurs: its shape and its order."""

import types
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from ipam.models import VRF
from netbox_routing.models import BGPPeer

from netbox_peering_manager.models import RemovedSession
from netbox_peering_manager.services.rendering import context
from netbox_peering_manager.services.rendering.peering import gather
from netbox_peering_manager.services.secrets import MASK
from tests import factories, shared
from tests.rendering import scenario
from tests.rendering.scenario import session_of

pytestmark = pytest.mark.django_db
made = shared.once(scenario.build)
net = shared.copy()


@pytest.fixture
def rendered(net):
    """The context of the whole device, passwords in clear."""
    return gather(net.device.pk, reveal_secrets=True).context


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


def test_custom_fields_are_those_of_the_device_its_interface_and_the_session(net, rendered):
    assert rendered["device"]["custom_fields"] == {"rack_unit": 7}
    assert [found["custom_fields"] for found in rendered["device"]["interfaces"]] == [
        {"cross_connect": "XC-1"}
    ]
    full, bare = session_of(net, net.full), session_of(net, net.bare)
    assert full["custom_fields"] == {"ticket": 'T-1 "é"', "graceful": True, "until": None}
    assert bare["custom_fields"] == {}


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

"""What counts in NetBox, held against the router: the same as what is rendered."""

import pytest

from netbox_routing.models import (
    BGPAddressFamily,
    BGPPeer,
    BGPPeerAddressFamily,
    BGPPeerTemplate,
    BGPPolicyTemplate,
    BGPSessionTemplate,
    RouteMap,
    RouteMapEntry,
)

from netbox_peering_manager.models import PeeringSession
from netbox_peering_manager.services.rendering.effective import resolve
from netbox_peering_manager.services.rendering.load import load
from netbox_peering_manager.services.takeover.found import Found, FoundFamily
from netbox_peering_manager.services.takeover.plan import Decider
from netbox_peering_manager.services.takeover.planned import Choices, Update
from netbox_peering_manager.services.takeover.standing import load_standing
from tests import factories
from tests.rendering import scenario
from tests.takeover.routers import IN, OUT, full_neighbor, neighbor, planned
from tests.takeover.test_create import imported
from tests.takeover.test_plan import differences, known_session, text_of

pytestmark = pytest.mark.django_db

AFIS = ("ipv4-unicast", "ipv6-unicast", "vpnv4-unicast")


@pytest.fixture
def net(db):
    """Sessions of all kinds, and some whose families come from elsewhere."""
    net = scenario.build()
    rows = BGPPeerAddressFamily.objects
    template = BGPPolicyTemplate.objects.create(name="of a group", routemap_in=net.maps["IDLE"])
    in_vrf = net.in_vrf.bgp_peer
    of_vrf = BGPAddressFamily.objects.create(scope=in_vrf.scope, address_family="vpnv4-unicast")
    # The fabric's group has its families in another scope and from a policy template, and is switched off.
    of_fabric = BGPPeerTemplate.objects.create(name="FABRIC", enabled=False)
    rows.create(assigned_object=of_fabric, address_family=of_vrf, enabled=False, peer_policy=template)
    rows.create(assigned_object=of_fabric, address_family=net.v4, peer_policy=template)
    net.network.fabric.peer_group = of_fabric
    net.network.fabric.save()
    # The connection's group is that of its IPv6 sessions alone.
    net.connection.ipv6_peer_group = net.group
    net.connection.save()
    # In the VRF: the only row of its group belongs to the global table.
    in_vrf.peer_group, in_vrf.ttl = net.group, 0
    in_vrf.peer_session = net.session_template
    in_vrf.save()
    rows.create(assigned_object=in_vrf, address_family=of_vrf, peer_policy=net.policy)
    for host, afis in (("44", ()), ("45", ("ipv4-unicast", "vpnv4-unicast"))):
        peer = factories.make_bgp_peer(f"198.51.100.{host}/24", 64499, net.scope, enabled=None, families=afis)
        peer.address_families.update(enabled=None)
        factories.make_session(peer, net.relationship, net.network)
    six = factories.make_bgp_peer("2001:db8:100::44/64", 64499, net.scope, net.connection.ipv6_address)
    factories.make_session(six, net.relationship, net.network)
    return net


def test_side_has_what_is_rendered(net):
    loaded = load(net.device.pk)
    rendered = {each.row.id: each for each in resolve(loaded, "").sessions}
    standing = load_standing(net.router, Found(), Choices(), None)
    decider = Decider(standing, Found(), Choices(), None)
    names = dict(RouteMap.objects.values_list("pk", "name"))
    sides = {
        peer.peering_session.pk: decider.side(peer.peering_session)
        for rows in standing.peers.values()
        for peer in rows
    }
    assert len(sides) == 7
    assert sides.keys() == rendered.keys()
    for pk, side in sides.items():
        expected = rendered[pk]
        assert (side.enabled, side.inherited("ttl") or None) == (expected.enabled, expected.ttl)
        assert getattr(side.inherited("bfd"), "pk", None) == expected.bfd_id
        assert getattr(side.local_as, "pk", None) == expected.local_as_id
        assert getattr(side.remote_as, "pk", None) == expected.remote_as_id
        assert getattr(side.group, "pk", None) == expected.peer_group_id
        assert (side.limit(4), side.limit(6)) == expected.max_prefixes[:2]
        assert side.active() == {family.afi for family in expected.families if family.enabled}
        for family in expected.families:
            for name in ("in", "out"):
                policy = getattr(family, f"route_map_{name}")
                said = side.policy(family.afi, f"routemap_{name}")
                assert said == (names[policy[0]] if policy else ""), (str(side.session), family, name)


def test_session_without_address_families_has_that_of_its_address(router):
    known_session(router, families=())
    assert planned(router, neighbor()).same


def test_session_without_address_families_keeps_that_of_its_address_when_it_gets_another(router):
    session = known_session(router, families=())
    both = neighbor(families=(FoundFamily("ipv4-unicast"), FoundFamily("ipv6-unicast")))
    assert differences(planned(router, both)) == {"family": ("", "ipv6-unicast")}
    imported(router, both, update=Update.ALL)
    rows = BGPPeerAddressFamily.objects.filter(
        assigned_object_type__model="bgppeer", assigned_object_id=session.bgp_peer_id
    )
    assert {row.address_family.address_family: row.enabled for row in rows} == {
        "ipv4-unicast": True,
        "ipv6-unicast": True,
    }
    assert planned(router, both).same


def with_entries(name):
    made = RouteMap.objects.create(name=name)
    RouteMapEntry.objects.create(route_map=made, action="permit", sequence=10)
    return made


def test_route_map_of_a_policy_template_counts(router):
    session = known_session(router)
    template = BGPPolicyTemplate.objects.create(name="members", routemap_out=with_entries(OUT))
    child = BGPPolicyTemplate.objects.create(name="child")
    child.parents.add(template)
    session.bgp_peer.address_families.update(peer_policy=child)
    outbound = neighbor(families=(FoundFamily("ipv4-unicast", "", OUT),))
    assert planned(router, outbound).same
    # A BGP peer with it is wrapped as well.
    PeeringSession.objects.all().delete()
    assert planned(router, outbound).new[0].wraps


def group_of(router, name="MEMBERS"):
    """A group whose only address family, in the scope of another router, has a policy."""
    group = BGPPeerTemplate.objects.create(name=name)
    elsewhere = factories.make_scope(factories.make_device("elsewhere"))
    family = BGPAddressFamily.objects.create(scope=elsewhere, address_family="ipv4-unicast")
    BGPPeerAddressFamily.objects.create(
        assigned_object=group, address_family=family, enabled=True, routemap_out=with_entries(OUT)
    )
    return group


def test_only_address_family_of_a_group_counts_in_other_scopes_too(router):
    known_session(router, peer_group=group_of(router))
    outbound = neighbor(peer_group="MEMBERS", families=(FoundFamily("ipv4-unicast", "", OUT),))
    assert planned(router, outbound).same
    new = neighbor(43, 64497, peer_group="MEMBERS", families=(FoundFamily("ipv4-unicast", "", OUT),))
    [done] = imported(router, new).made
    # What the group gives it is not said again.
    [row] = PeeringSession.objects.get(pk=done.session_id).bgp_peer.address_families.all()
    assert row.routemap_out is None
    assert planned(router, new).same


def test_policies_of_the_group_of_its_fabric_count(router):
    fabric = router.device.interfaces.get().peering_connections.get().peering_network.fabric
    fabric.peer_group = group_of(router)
    fabric.save()
    outbound = neighbor(peer_group="MEMBERS", families=(FoundFamily("ipv4-unicast", "", OUT),))
    known_session(router)
    assert planned(router, outbound).same
    PeeringSession.objects.all().delete()
    assert planned(router, outbound).new[0].wraps
    inbound = neighbor(peer_group="MEMBERS", families=(FoundFamily("ipv4-unicast", IN, OUT),))
    assert "does not have PEERS-IN" in text_of(planned(router, inbound))


def test_templates_in_a_circle_end(router):
    first, second = (BGPSessionTemplate.objects.create(name=name) for name in ("first", "second"))
    first.parent, second.parent = second, first
    first.save()
    second.save()
    known_session(router, peer_session=first)
    BGPPeer.objects.update(enabled=None)
    assert planned(router, neighbor()).same
    assert planned(router, full_neighbor()).different

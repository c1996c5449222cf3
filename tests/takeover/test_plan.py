"""What an import would do with a router's neighbours: new, same, different, left out."""

from dataclasses import replace

from django.utils import timezone

from ipam.models import VRF, IPAddress
from netbox_routing.models import (
    BFDProfile,
    BGPPeer,
    BGPPeerTemplate,
    BGPRouter,
    BGPScope,
    BGPSessionTemplate,
    RouteMap,
    RouteMapEntry,
)

from netbox_peering_manager.models import (
    PeerASN,
    PeeringConnection,
    PeeringDBIXLan,
    PeeringRouter,
    PeeringSession,
)
from netbox_peering_manager.services.takeover.found import Found, FoundAddress, FoundFamily
from netbox_peering_manager.services.takeover.plan import plan_import
from tests import factories
from tests.queries import queries_for_few_and_many
from tests.sessions.people import grant, make_root, make_user, ours
from tests.takeover.routers import (
    IN,
    OUT,
    SECRET,
    UNREAD,
    chosen,
    found,
    full_neighbor,
    make_router,
    neighbor,
    planned,
)

ROWS = [
    *ours("add_peeringsession", "add_peerasn"),
    "ipam.add_asn",
    "ipam.add_ipaddress",
    *(
        f"netbox_routing.add_{name}"
        for name in (
            "bgppeer",
            "bgpaddressfamily",
            "bgppeeraddressfamily",
            "bgppeertemplate",
            "routemap",
            "routemapentry",
            "bfdprofile",
        )
    ),
]
SEEN = ours("view_peeringsession", "view_peeringnetwork", "view_relationship")


def reasons(plan):
    return {each.neighbor.remote_ip: each.reason for each in plan.left_out}


def text_of(plan):
    [left_out] = plan.left_out
    return left_out.text


def test_neighbour_that_netbox_lacks_is_new_with_all_that_it_takes(router):
    plan = planned(router, full_neighbor())
    [new] = plan.new
    assert (new.network, new.relationship, new.local_ip) == (
        "LINX LON1: LINX LON1 Main",
        "Peer",
        "198.51.100.1",
    )
    assert (new.peer_group, new.bfd, new.ttl, new.has_password) == ("MEMBERS", "fast", 255, True)
    assert (new.limits, new.policies) == (("IPv4: 100",), ("← PEERS-IN", "→ PEERS-OUT"))
    assert sorted(new.makes) == [
        *("address", "asn", "bfd", "family", "peer_asn", "peer_group", "route_map", "route_map"),
    ]
    assert plan.same == plan.different == plan.left_out == plan.absent == ()


def test_nothing_is_written(router):
    planned(router, full_neighbor())
    assert [model.objects.count() for model in (BGPPeer, PeeringSession, RouteMap)] == [0, 0, 0]


def test_no_password_is_in_a_plan(router):
    assert SECRET not in repr(planned(router, full_neighbor()))


def unread(**fields):
    """A neighbour with a policy whose entries are not read."""
    return neighbor(families=(FoundFamily("ipv4-unicast", UNREAD, OUT),), **fields)


def test_session_whose_policy_netbox_cannot_have_is_left_out_unless_asked_for(router):
    plan = planned(router, unread(), neighbor(43, 64497))
    assert reasons(plan) == {"198.51.100.42": "no-policy"}
    assert f"{UNREAD} is not in NetBox, and its entries are not read" in text_of(plan)
    plan = planned(router, unread(), without_policies=True)
    assert plan.new[0].notes == (f"Policy left to you: ← {UNREAD}",)
    assert [each.name for each in plan.objects if each.kind == "route_map"] == [OUT]


def test_route_map_that_netbox_has_is_used_with_entries_and_in_the_same_letters(router):
    known = RouteMap.objects.create(name=UNREAD)
    assert f"{UNREAD} has no entries in NetBox" in text_of(planned(router, unread()))
    RouteMapEntry.objects.create(route_map=known, action="permit", sequence=10)
    assert planned(router, unread()).new[0].notes == ()
    known.name = UNREAD.lower()
    known.save()
    assert f"{UNREAD} is spelt {UNREAD.lower()} in NetBox" in text_of(planned(router, unread()))


def test_policy_that_cannot_be_taken_over_differs_and_stays(router):
    known_session(router)
    [different] = planned(router, unread()).different
    assert {each.name: each.can_take for each in different.differences} == {
        "routemap_in": False,
        "routemap_out": True,
    }


def test_bgp_peer_is_wrapped_with_the_policy_that_the_router_has(router):
    peer = factories.make_bgp_peer(scope=factories.make_scope(router.device), families=("ipv4-unicast",))
    outbound = neighbor(families=(FoundFamily("ipv4-unicast", "", OUT),))
    assert "Its BGP peer in NetBox does not have PEERS-OUT" in text_of(planned(router, outbound))
    route_map = RouteMap.objects.create(name=OUT)
    RouteMapEntry.objects.create(route_map=route_map, action="permit", sequence=10)
    peer.address_families.update(routemap_out=route_map)
    assert planned(router, outbound).new[0].wraps


def test_neighbour_of_which_only_its_configuration_is_known_is_left_out(router):
    plan = planned(router, neighbor(is_running=False))
    assert reasons(plan) == {"198.51.100.42": "not-running"}


def test_what_netbox_has_by_name_is_used_and_told_not_to_be_compared(router):
    group = BGPPeerTemplate.objects.create(name="MEMBERS")
    for name in (IN, OUT):
        route_map = RouteMap.objects.create(name=name)
        RouteMapEntry.objects.create(route_map=route_map, action="permit", sequence=10)
    BFDProfile.objects.create(name="fast", min_tx_int=300, min_rx_int=300, multiplier=3)
    plan = planned(router, full_neighbor())
    used = {each.kind: each.pk for each in plan.objects if each.pk}
    assert used["peer_group"] == group.pk
    assert {"route_map", "bfd"} <= set(used)
    by_name = {each.details for each in plan.objects if each.kind in ("route_map", "bfd", "peer_group")}
    assert by_name == {"is in NetBox: what it holds is not compared with what the router has"}
    assert plan.new[0].makes == ("asn", "peer_asn", "address", "family")


def test_peer_group_of_several_of_its_name_is_the_one_for_the_as(router):
    BGPPeerTemplate.objects.create(name="MEMBERS", remote_as=factories.make_asn(64511))
    BGPPeerTemplate.objects.create(name="MEMBERS")
    fitting = BGPPeerTemplate.objects.create(name="MEMBERS", remote_as=factories.make_asn(64496))
    plan = planned(router, full_neighbor())
    assert [each.pk for each in plan.objects if each.kind == "peer_group"] == [fitting.pk]


def test_without_make_missing_what_is_missing_is_named(router):
    plan = planned(router, full_neighbor(), make_missing=False)
    assert "no BGP peer template MEMBERS" in text_of(plan).replace("Peer Template", "peer template")
    assert reasons(plan) == {"198.51.100.42": "lacking"}


def test_second_session_of_a_group_makes_it_no_second_time(router):
    plan = planned(router, full_neighbor(42), full_neighbor(43, 64497))
    assert "peer_group" in plan.new[0].makes
    assert "peer_group" not in plan.new[1].makes


# LANs


def test_lan_is_found_by_prefix_in_the_same_vrf(router):
    far = neighbor(remote_ip="203.0.113.9", local_ip="")
    plan = planned(router, far, others=factories.make_relationship("Transit").pk)
    assert (plan.new[0].network, plan.new[0].relationship) == ("", "Transit")


def test_lan_of_another_vrf_is_not_taken(router):
    vrf = VRF.objects.create(name="CUST")
    scope = factories.make_scope(router.device, vrf)
    factories.make_address("198.51.100.1/24", factories.make_interface(router.device, "Ethernet2"), vrf)
    plan = planned(router, neighbor(vrf="CUST"))
    assert reasons(plan) == {"198.51.100.42": "no-relationship"}
    factories.make_network("Other", factories.make_fabric("Other"), ipv6=None, vrf=vrf)
    assert planned(router, neighbor(vrf="CUST")).new[0].network == "Other: Other"
    assert scope.vrf == vrf


def test_vrf_without_scope_gets_one_and_an_unknown_vrf_is_named(router):
    VRF.objects.create(name="CUST")
    others = factories.make_relationship("Transit").pk
    plan = planned(router, neighbor(vrf="CUST", local_ip=""), others=others)
    assert "scope" in plan.new[0].makes
    unknown = planned(router, neighbor(vrf="NONE", local_ip=""), others=others)
    assert reasons(unknown) == {"198.51.100.42": "no-vrf"}
    assert "no VRF NONE" in text_of(unknown)


def test_router_unknown_to_netbox_routing_gets_bgp_router_scope_and_our_as(rir):
    bare = make_router(with_bgp=False, with_connection=False)
    plan = planned(bare, neighbor())
    assert {"bgp_router", "scope", "asn", "peer_asn"} <= set(plan.new[0].makes)
    assert {"AS64500", "AS64496"} <= {each.name for each in plan.made_objects if each.kind == "asn"}
    assert not BGPRouter.objects.exists()


def test_our_as_that_is_known_as_a_peers_is_refused(router):
    PeerASN.objects.update(affiliated=False)
    assert "mark it as affiliated" in text_of(planned(router, neighbor()))


def test_route_servers_of_the_lan_get_their_relationship(router):
    network = router.device.interfaces.get().peering_connections.get().peering_network
    network.peeringdb_id = 7
    network.save()
    PeeringDBIXLan.objects.create(id=7, ix_id=1, rs_asn=64496, status="ok", updated=timezone.now())
    servers = factories.make_relationship("Route server").pk
    plan = planned(router, neighbor(), neighbor(43, 64497), route_servers=servers)
    assert [(each.relationship, each.is_route_server) for each in plan.new] == [
        ("Route server", True),
        ("Peer", False),
    ]


def test_link_local_neighbour_is_on_the_lan_of_its_interface(router):
    link_local = neighbor(remote_ip="fe80::42", local_interface="Ethernet1", local_ip="")
    assert planned(router, link_local).new[0].network == "LINX LON1: LINX LON1 Main"
    elsewhere = replace(link_local, local_interface="Ethernet9")
    assert reasons(planned(router, elsewhere)) == {"fe80::42": "our-address"}


# Left out


def test_our_address_that_netbox_has_on_no_interface_is_named_with_where_it_belongs(router):
    PeeringConnection.objects.all().delete()
    IPAddress.objects.all().delete()
    plan = planned(router, neighbor())
    assert reasons(plan) == {"198.51.100.42": "our-address"}
    assert "198.51.100.1/24 is on no interface of edge1.lon1" in text_of(plan)
    assert "assign it to Ethernet1" in text_of(plan)


def test_ibgp_and_unknown_as_are_left_out(router):
    plan = planned(router, neighbor(42, factories.LOCAL_ASN), neighbor(43, None))
    assert reasons(plan) == {"198.51.100.42": "internal", "198.51.100.43": "no-asn"}


def test_relationship_beyond_lans_is_chosen_by_group_or_by_as(router):
    rows = [
        neighbor(remote_ip="203.0.113.1", local_ip="", peer_group="TRANSIT"),
        neighbor(remote_ip="203.0.113.2", local_ip="", peer_group="TRANSIT"),
        neighbor(remote_ip="203.0.113.3", local_ip="", asn=64511),
    ]
    plan = planned(router, *rows)
    assert [(each.key, each.count) for each in plan.groups] == [("group:TRANSIT", 2), ("asn:64511", 1)]
    assert set(reasons(plan).values()) == {"no-relationship"}
    transit = factories.make_relationship("Transit").pk
    plan = planned(router, *rows, groups={"group:TRANSIT": transit})
    assert [each.relationship for each in plan.new] == ["Transit", "Transit"]
    assert reasons(plan) == {"203.0.113.3": "no-relationship"}


def test_what_is_not_taken_over_is_told(router):
    plan = planned(router, neighbor(not_taken=("timers",), has_password=True, bfd=True))
    notes = " ".join(plan.new[0].notes)
    assert "timers" in notes
    assert "cannot be read" in notes
    assert "BFD is on without a profile" in notes


def test_bfd_without_a_profile_gets_the_chosen_one(router):
    profile = BFDProfile.objects.create(name="usual", min_tx_int=300, min_rx_int=300, multiplier=3)
    assert planned(router, neighbor(bfd=True), bfd=profile.pk).new[0].bfd == "usual"


def test_peer_address_that_is_in_use_is_refused(router):
    factories.make_address("198.51.100.42/24", factories.make_interface(factories.make_device("other")))
    assert "is assigned to other Ethernet1" in text_of(planned(router, neighbor()))


# What is there


def known_session(router, **fields):
    connection = router.device.interfaces.get().peering_connections.get()
    values = {"families": ("ipv4-unicast",), "source": connection.ipv4_address, **fields}
    peer = factories.make_bgp_peer(scope=factories.make_scope(router.device), **values)
    return factories.make_session(peer, network=connection.peering_network)


def differences(plan):
    [different] = plan.different
    return {each.name: (each.netbox, each.router) for each in different.differences}


def test_session_as_the_router_has_it_is_the_same(router):
    session = known_session(router, description="Aurora")
    plan = planned(router, neighbor(description="Aurora"))
    assert [each.session_id for each in plan.same] == [session.pk]
    assert plan.new == plan.different == ()


def test_name_rendered_as_description_is_the_same(router):
    known_session(router, name="AS64496 LINX")
    assert planned(router, neighbor(description="AS64496 LINX")).same


def test_inherited_values_count(router):
    session = known_session(router)
    session.relationship.routemap_out = RouteMap.objects.create(name=OUT)
    session.relationship.save()
    group = BGPPeerTemplate.objects.create(name="MEMBERS", enabled=False)
    session.bgp_peer.peer_group, session.bgp_peer.enabled = group, None
    session.bgp_peer.save()
    factories.make_peer_asn(64496, ipv4_max_prefixes=100)
    families = (FoundFamily("ipv4-unicast", "", OUT, 100),)
    assert planned(router, neighbor(peer_group="MEMBERS", enabled=False, families=families)).same


def test_each_field_that_differs_is_told(router):
    known_session(router, description="Old", enabled=False, ttl=2)
    plan = planned(router, full_neighbor(asn=64497))
    assert differences(plan) == {
        "remote_asn": ("AS64496", "AS64497"),
        "description": ("Old", "Aurora"),
        "enabled": ("disabled", "enabled"),
        "peer_group": ("", "MEMBERS"),
        "ttl": ("2", "255"),
        "bfd": ("", "fast"),
        "password": ("", "********"),
        "ipv4_max_prefixes": ("", "100"),
        "routemap_in": ("", "PEERS-IN"),
        "routemap_out": ("", "PEERS-OUT"),
    }
    assert {each.name for each in plan.different[0].differences if not each.can_take} == {"remote_asn"}


def test_family_that_only_one_side_has_differs(router):
    known_session(router)
    plan = planned(router, neighbor(families=(FoundFamily("ipv6-unicast"),)))
    assert [(each.netbox, each.router) for each in plan.different[0].differences] == [
        ("", "ipv6-unicast"),
        ("ipv4-unicast", ""),
    ]


def test_what_the_platform_does_not_tell_is_not_compared(router):
    known_session(router, ttl=255)
    what = replace(found(neighbor()), told=())
    assert plan_import(router, what, chosen()).same


def scope_of_another_as(router, asn=64501, vrf=None):
    """A scope under one more BGP router of the device, as a platform with an AS for each VRF has it."""
    other = BGPRouter.objects.create(name="other", assigned_object=router.device, asn=factories.make_asn(asn))
    return BGPScope.objects.create(router=other, vrf=vrf)


def test_session_under_another_bgp_router_of_the_device_is_found(router):
    vrf = VRF.objects.create(name="CUST")
    families = {"families": ("ipv4-unicast",)}
    there = factories.make_bgp_peer(scope=scope_of_another_as(router, vrf=vrf), vrf=vrf, **families)
    session = factories.make_session(there)
    in_vrf = neighbor(vrf="CUST", local_asn=64501)
    plan = planned(router, neighbor(), in_vrf)
    assert [each.session_id for each in plan.same] == [session.pk]
    assert [each.neighbor.vrf for each in plan.new] == [""]
    assert planned(router, neighbor()).absent[0].session_id == session.pk


def test_session_under_another_bgp_router_of_the_same_vrf_is_the_neighbours(router):
    other = factories.make_bgp_peer(scope=scope_of_another_as(router), families=("ipv4-unicast",))
    session = factories.make_session(other)
    factories.make_bgp_peer(
        scope=factories.make_scope(router.device), remote="198.51.100.42/32", name="without a session"
    )
    plan = planned(router, neighbor(local_asn=64501))
    assert [each.session_id for each in plan.same] == [session.pk]
    assert plan.new == plan.left_out == ()


def test_bgp_peer_without_session_is_wrapped(router):
    factories.make_bgp_peer(scope=factories.make_scope(router.device))
    [new] = planned(router, neighbor()).new
    assert new.wraps
    assert new.makes == ()


def test_session_that_the_router_lacks_is_told(router):
    session = known_session(router)
    assert [each.session_id for each in planned(router, neighbor(43, 64497)).absent] == [session.pk]


# Rights


def test_session_network_and_relationship_that_may_not_be_seen_are_not_told(router):
    session = known_session(router, description="Hidden words")
    blind = make_user(*ours("view_peeringnetwork", "view_relationship"), *ROWS)
    plan = planned(router, neighbor(description="x"), user=blind)
    assert reasons(plan) == {"198.51.100.42": "hidden"}
    assert "Hidden words" not in repr(plan)
    assert not planned(router, neighbor(43), user=blind).absent
    no_lan = make_user(*ours("view_relationship"), *ROWS, name="no-lan")
    assert reasons(planned(router, neighbor(43), user=no_lan)) == {"198.51.100.43": "hidden"}
    no_relationship = make_user(*ours("view_peeringnetwork"), *ROWS, name="no-relationship")
    assert reasons(planned(router, neighbor(43), user=no_relationship)) == {
        "198.51.100.43": "no-relationship"
    }
    assert session.pk


def test_user_who_may_not_add_what_is_needed_is_told_beforehand(router):
    user = make_user(*SEEN, *(right for right in ROWS if right != "netbox_routing.add_routemap"))
    plan = planned(router, full_neighbor(), neighbor(43, 64497), user=user)
    assert reasons(plan) == {"198.51.100.42": "not-allowed"}
    assert len(plan.new) == 1
    grant(user, "netbox_routing.add_routemap")
    assert not planned(router, full_neighbor(), user=make_root()).left_out


def test_queries_do_not_grow_with_neighbours(router):
    rows = []
    profile = BFDProfile.objects.create(name="usual", min_tx_int=300, min_rx_int=300, multiplier=3)
    parent = BGPSessionTemplate.objects.create(
        name="parent", remote_as=factories.make_peer_asn(64511).asn, bfd=profile, password="theirs"
    )
    child = BGPSessionTemplate.objects.create(name="child", parent=parent)
    fabric = router.device.interfaces.get().peering_connections.get().peering_network.fabric
    fabric.peer_group = BGPPeerTemplate.objects.create(name="of the fabric", remote_as=parent.remote_as)
    fabric.save()

    def make(numbers):
        for n in numbers:
            rows.append(full_neighbor(50 + n, 4200000000 + n))
            rows.append(neighbor(100 + n, 4200001000 + n, remote_ip=f"203.0.113.{n}", local_ip="", vrf=""))
            known_session(router, remote=f"198.51.100.{150 + n}/24", asn=4200002000 + n, peer_session=child)
            rows.append(full_neighbor(150 + n, 4200002000 + n))
            known_session(router, remote=f"198.51.100.{200 + n}/24", asn=4200003000 + n, families=())
            rows.append(full_neighbor(200 + n, 4200003000 + n))
        # Their AS is that of the template's parent, or of the fabric's group.
        BGPPeer.objects.update(remote_as=None)

    user = make_user(*SEEN, *ROWS)
    grant(user, "netbox_peering_manager.view_relationship", constraints={"pk__gt": 0})
    others = factories.make_relationship("Transit").pk
    queries = queries_for_few_and_many(lambda: planned(router, *rows, user=user, others=others), make)
    assert queries <= 30


def test_found_survives_being_kept():
    what = found(full_neighbor(), neighbor(43))
    assert Found.from_text(what.as_text()) == what
    assert isinstance(what.addresses[0], FoundAddress)
    assert SECRET not in repr(what)
    assert PeeringRouter._meta.permissions

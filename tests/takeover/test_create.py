"""Importing: what is made and changed, recorded as if entered by hand, each session whole or not at all."""

from dataclasses import replace
from itertools import count, islice

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from core.events import OBJECT_CREATED
from core.models import ObjectChange
from extras.models import Notification, Subscription
from ipam.models import ASN, IPAddress
from netbox.context import events_queue
from netbox.context_managers import event_tracking
from netbox_routing.models import (
    BFDProfile,
    BGPPeer,
    BGPPeerAddressFamily,
    BGPPeerTemplate,
    BGPRouter,
    BGPScope,
    RouteMap,
    RouteMapEntry,
)

from netbox_peering_manager.models import PeerASN, PeeringSession
from netbox_peering_manager.services import secrets
from netbox_peering_manager.services.takeover import create
from netbox_peering_manager.services.takeover.create import create_planned
from netbox_peering_manager.services.takeover.found import FoundFamily, FoundGroup
from netbox_peering_manager.services.takeover.making import MODELS
from netbox_peering_manager.services.takeover.plan import plan_import
from netbox_peering_manager.services.takeover.planned import Update
from netbox_peering_manager.services.tracking import request_of
from tests import factories
from tests.sessions.people import grant, make_root, make_user, ours
from tests.takeover.routers import OUT, SECRET, UNREAD, chosen, found, full_neighbor, make_router, neighbor
from tests.takeover.test_plan import ROWS, SEEN, known_session

pytestmark = pytest.mark.django_db

CHANGE = [
    *ours("change_peeringsession"),
    "netbox_routing.change_bgppeer",
    "netbox_routing.change_bgppeeraddressfamily",
]


def imported(router, *neighbors, user=None, reviewed=None, what=None, **choices):
    """Import them as `user` (None: a superuser), in one request."""
    user = user or make_root_once()
    with event_tracking(request_of(user)):
        return create_planned(router, what or found(*neighbors), chosen(**choices), user, reviewed=reviewed)


def make_root_once():
    from django.contrib.auth import get_user_model

    return get_user_model().objects.filter(username="root").first() or make_root()


def replanned(router, *neighbors, **choices):
    return plan_import(router, found(*neighbors), chosen(**choices))


def test_session_gets_all_that_the_router_has(router):
    outcome = imported(router, full_neighbor())
    [done] = outcome.made
    session = PeeringSession.objects.get(pk=done.session_id)
    peer = session.bgp_peer
    assert (str(peer.peer.address), str(peer.source.address)) == ("198.51.100.42/24", "198.51.100.1/24")
    assert (peer.remote_as.asn, peer.local_as.asn) == (64496, 64500)
    assert (peer.description, peer.enabled, peer.ttl, peer.status) == ("Aurora", True, 255, "active")
    assert (peer.peer_group.name, peer.bfd.name) == ("MEMBERS", "fast")
    assert (session.relationship.name, str(session.peering_network)) == ("Peer", "LINX LON1: LINX LON1 Main")
    assert (session.ipv4_max_prefixes, session.ipv6_max_prefixes) == (100, None)
    [family] = peer.address_families.all()
    assert (family.address_family.address_family, family.enabled) == ("ipv4-unicast", True)
    # The group gives it its outbound policy.
    assert (family.routemap_in.name, family.routemap_out) == ("PEERS-IN", None)
    assert peer.peer_group.address_families.get().routemap_out.name == OUT
    assert outcome.objects == {
        "asn": 1,
        "peer_asn": 1,
        "address": 1,
        "family": 1,
        "route_map": 2,
        "bfd": 1,
        "peer_group": 1,
    }


def test_password_is_kept_encrypted_and_nowhere_else(router):
    [done] = imported(router, full_neighbor()).made
    session = PeeringSession.objects.get(pk=done.session_id)
    assert secrets.reveal_password(session) == SECRET
    assert not session.bgp_peer.password
    assert SECRET not in session.encrypted_password
    changes = ObjectChange.objects.values_list("prechange_data", "postchange_data")
    assert SECRET not in repr(list(changes))


def test_second_run_is_empty(router):
    rows = (full_neighbor(), full_neighbor(43, 64497), neighbor(44, 64498, enabled=False))
    assert len(imported(router, *rows).made) == 3
    before = ObjectChange.objects.count()
    again = imported(router, *rows)
    assert (again.made, again.changed, again.left_out) == ((), (), ())
    assert ObjectChange.objects.count() == before
    plan = replanned(router, *rows)
    assert len(plan.same) == 3
    assert plan.new == plan.different == plan.absent == ()


def test_router_unknown_to_netbox_routing_gets_all_that_it_lacks(rir):
    bare = make_router(with_bgp=False, with_connection=False)
    outcome = imported(bare, full_neighbor(), neighbor(43, 64497))
    assert len(outcome.made) == 2, outcome.left_out
    assert BGPRouter.objects.get(device=bare.device).asn.asn == 64500
    assert BGPScope.objects.get().vrf is None
    assert PeerASN.objects.get(asn__asn=64500).affiliated
    assert len(replanned(bare, full_neighbor(), neighbor(43, 64497)).same) == 2


def test_plain_route_map_gets_its_entries_and_another_is_not_made(router):
    families = (FoundFamily("ipv4-unicast", UNREAD, OUT),)
    [done] = imported(router, neighbor(families=families), without_policies=True).made
    assert [str(entry) for entry in RouteMapEntry.objects.all()] == [f"{OUT} permit 10"]
    [family] = PeeringSession.objects.get(pk=done.session_id).bgp_peer.address_families.all()
    assert (family.routemap_in, family.routemap_out.name) == (None, OUT)
    assert not RouteMap.objects.filter(route_map_entries=None).exists()


def test_family_of_its_group_that_a_session_lacks_is_switched_off(router):
    both = (FoundFamily("ipv4-unicast", "", OUT), FoundFamily("ipv6-unicast"))
    what = found(full_neighbor(), groups=(FoundGroup("MEMBERS", families=both),))
    [done] = imported(router, what=what).made
    peer = PeeringSession.objects.get(pk=done.session_id).bgp_peer
    assert {row.address_family.address_family: row.enabled for row in peer.address_families.all()} == {
        "ipv4-unicast": True,
        "ipv6-unicast": False,
    }
    assert plan_import(router, what, chosen()).same


def test_both_families_over_one_session(router):
    families = (FoundFamily("ipv4-unicast", "", "", 10), FoundFamily("ipv6-unicast", "PEERS-IN", "", 20))
    [done] = imported(router, neighbor(families=families)).made
    session = PeeringSession.objects.get(pk=done.session_id)
    known = {row.address_family.address_family: row for row in session.bgp_peer.address_families.all()}
    assert set(known) == {"ipv4-unicast", "ipv6-unicast"}
    assert known["ipv6-unicast"].routemap_in.name == "PEERS-IN"
    assert (session.ipv4_max_prefixes, session.ipv6_max_prefixes) == (10, 20)
    assert replanned(router, neighbor(families=families)).same


def test_link_local_neighbour_is_made_and_found_again(router):
    link_local = neighbor(remote_ip="fe80::42", local_interface="Ethernet1", local_ip="")
    link_local = replace(link_local, families=(FoundFamily("ipv6-unicast"),))
    assert len(imported(router, link_local).made) == 1
    assert replanned(router, link_local).same


def test_bgp_peer_without_session_is_wrapped_and_kept(router):
    peer = factories.make_bgp_peer(
        scope=factories.make_scope(router.device), families=("ipv4-unicast",), description="As it was"
    )
    [done] = imported(router, neighbor(description="Other")).made
    session = PeeringSession.objects.get(pk=done.session_id)
    assert session.bgp_peer == peer
    assert BGPPeer.objects.get().description == "As it was"
    # The session's own description is what is rendered.
    assert session.description == "Other"
    assert replanned(router, neighbor(description="Other")).same


def test_changes_and_events_are_those_of_single_edits(router):
    user = make_root_once()
    with event_tracking(request_of(user)):
        create_planned(router, found(full_neighbor()), chosen(), user)
        queued = list(events_queue.get().values())
    made = {ContentType.objects.get_for_id(pk).model_class() for pk in changed_types()}
    expected = {BGPPeer, PeeringSession, ASN, IPAddress, RouteMap, BGPPeerTemplate, BFDProfile}
    assert expected <= made
    assert made == {type(event["object"]) for event in queued}
    assert {(event["event_type"], event["user"]) for event in queued} == {(OBJECT_CREATED, user)}
    assert ObjectChange.objects.values("request_id").distinct().count() == 1
    assert set(ObjectChange.objects.values_list("user__username", flat=True)) == {"root"}


def changed_types():
    return set(ObjectChange.objects.values_list("changed_object_type", flat=True))


# Sessions that differ


def test_differing_session_stays_as_it_is_unless_chosen(router):
    session = known_session(router, description="Old")
    outcome = imported(router, neighbor(description="New"))
    assert outcome.changed == ()
    assert BGPPeer.objects.get(pk=session.bgp_peer_id).description == "Old"


@pytest.mark.parametrize(
    "update", [{"update": Update.ALL}, {"update": Update.CHOSEN, "take": ("|198.51.100.42|",)}]
)
def test_chosen_session_gets_what_the_router_has_and_each_change_is_recorded(router, update):
    session = known_session(router, description="Old", enabled=False)
    [done] = imported(router, full_neighbor(), **update).changed
    assert done.session_id == session.pk
    assert set(done.changed) == {
        *("description", "enabled", "peer_group", "ttl", "bfd", "password", "ipv4_max_prefixes"),
        *("routemap_in ipv4-unicast", "routemap_out ipv4-unicast"),
    }
    changes = ObjectChange.objects.filter(changed_object_id=session.bgp_peer_id, action="update")
    change = changes.get(changed_object_type=ContentType.objects.get_for_model(BGPPeer))
    assert (change.prechange_data["description"], change.postchange_data["description"]) == ("Old", "Aurora")
    assert replanned(router, full_neighbor()).same
    session.refresh_from_db()
    assert secrets.reveal_password(session) == SECRET


def test_description_of_the_session_is_what_is_compared_and_changed(router):
    session = known_session(router, description="New")
    session.description = "Old"
    session.save()
    [different] = replanned(router, neighbor(description="New")).different
    assert [(each.netbox, each.router) for each in different.differences] == [("Old", "New")]
    imported(router, neighbor(description="New"), update=Update.ALL)
    session.refresh_from_db()
    assert session.description == "New"
    assert replanned(router, neighbor(description="New")).same


def test_description_that_netbox_has_no_room_for_is_cut_and_then_the_same(router):
    long = neighbor(description="x" * 250)
    [done] = imported(router, long, neighbor(43, 64497)).made[:1]
    assert PeeringSession.objects.get(pk=done.session_id).bgp_peer.description == "x" * 200
    assert len(replanned(router, long).same) == 1
    other = neighbor(description="x" * 199 + "y" * 51)
    assert imported(router, other, update=Update.ALL).changed[0].changed == ("description",)
    assert len(replanned(router, other).same) == 1


def test_family_is_switched_on_and_off(router):
    session = known_session(router)
    both = neighbor(families=(FoundFamily("ipv6-unicast", "PEERS-IN"),))
    imported(router, both, update=Update.ALL)
    rows = BGPPeerAddressFamily.objects.filter(assigned_object_id=session.bgp_peer_id)
    assert {row.address_family.address_family: row.enabled for row in rows} == {
        "ipv4-unicast": False,
        "ipv6-unicast": True,
    }
    assert replanned(router, both).same


def test_clear_password_of_the_bgp_peer_goes_when_the_routers_is_taken(router):
    session = known_session(router, password="old-and-clear")
    imported(router, neighbor(password=SECRET, has_password=True), update=Update.ALL)
    session.bgp_peer.refresh_from_db()
    session.refresh_from_db()
    assert not session.bgp_peer.password
    assert secrets.reveal_password(session) == SECRET


def test_subscriber_of_a_changed_session_hears_of_it(router):
    session = known_session(router, description="Old")
    watcher = make_user("netbox_routing.view_bgppeer", name="watcher")
    Subscription.objects.create(object=session.bgp_peer, user=watcher)
    imported(router, neighbor(description="New"), update=Update.ALL)
    assert Notification.objects.filter(user=watcher).count() == 1


# What was looked at


def reviewed_of(router, *neighbors, **choices):
    return replanned(router, *neighbors, **choices).reviewed()


def test_only_what_was_looked_at_is_done(router):
    reviewed = reviewed_of(router, neighbor(42))
    outcome = imported(router, neighbor(42), neighbor(43, 64497), reviewed=reviewed)
    assert [each.neighbor.remote_ip for each in outcome.made] == ["198.51.100.42"]


def test_what_would_be_done_otherwise_by_now_is_left_out(router):
    session = known_session(router, description="Old")
    rows = neighbor(description="New"), neighbor(43, 64497)
    reviewed = reviewed_of(router, *rows, update=Update.ALL)
    session.bgp_peer.description = "Somebody else's"
    session.bgp_peer.save()
    outcome = imported(router, *rows, reviewed=reviewed, update=Update.ALL)
    assert [each.reason for each in outcome.left_out] == ["changed"]
    assert len(outcome.made) == 1
    assert BGPPeer.objects.get(pk=session.bgp_peer_id).description == "Somebody else's"


# Rights, refusals and numbers


def test_refused_session_leaves_nothing_and_stops_no_other(router):
    user = make_user(*SEEN, *(right for right in ROWS if right != "ipam.add_asn"))
    grant(user, "ipam.add_asn", constraints={"asn": 64496})
    outcome = imported(router, full_neighbor(42, 64496), full_neighbor(43, 64497), user=user)
    assert [each.neighbor.remote_asn for each in outcome.made] == [64496]
    assert [each.reason for each in outcome.left_out] == ["not-allowed"]
    assert not IPAddress.objects.filter(address__startswith="198.51.100.43").exists()
    assert not ASN.objects.filter(asn=64497).exists()


@pytest.mark.parametrize("constraints", [{"description": "Old"}, {"description": "New"}, None])
def test_right_to_change_has_to_fit_before_and_after(router, constraints):
    session = known_session(router, description="Old")
    user = make_user(*SEEN, *ROWS)
    if constraints is not None:
        grant(user, "netbox_routing.change_bgppeer", constraints=constraints)
    rows = neighbor(description="New"), neighbor(43, 64497)
    outcome = imported(router, *rows, user=user, update=Update.ALL)
    assert outcome.changed == ()
    assert [each.reason for each in outcome.left_out] == ["not-allowed"]
    assert len(outcome.made) == 1
    assert BGPPeer.objects.get(pk=session.bgp_peer_id).description == "Old"
    assert not ObjectChange.objects.filter(action="update").exists()


def test_what_the_database_refuses_is_told_by_session(router, monkeypatch):
    record = create.Insertion.insert

    def insert(self):
        if any(item.key == "|198.51.100.43|" for item in self.items):
            raise IntegrityError("somebody was faster")
        record(self)

    monkeypatch.setattr(create.Insertion, "insert", insert)
    outcome = imported(router, neighbor(42), neighbor(43, 64497), neighbor(44, 64498))
    assert [each.neighbor.remote_ip for each in outcome.made] == ["198.51.100.42", "198.51.100.44"]
    assert [each.neighbor.remote_ip for each in outcome.left_out] == ["198.51.100.43"]


def test_progress_is_told_by_batch(router, monkeypatch):
    monkeypatch.setattr(create, "BATCH", 2)
    told = []
    rows = [neighbor(42 + n, 64496 + n) for n in range(3)]
    with event_tracking(request_of(make_root_once())):
        create_planned(router, found(*rows), chosen(), progress=lambda *said: told.append(said[:2]))
    assert told == [(2, 3), (3, 3)]


def test_queries_do_not_grow_with_neighbours(router):
    numbers = count()
    user = make_user(*SEEN, *ROWS, *CHANGE)
    grant(user, "netbox_routing.change_bgppeer", constraints={"pk__gt": 0})
    ContentType.objects.get_for_models(*MODELS)

    def run(size):
        """Half of them are new, the others differ."""
        rows = []
        for n in islice(numbers, size):
            known_session(router, remote=f"198.51.100.{100 + n}/24", asn=4200002000 + n)
            rows.append(full_neighbor(100 + n, 4200002000 + n))
            address = {"remote_ip": f"2001:db8:100::{n + 10:x}", "local_ip": ""}
            rows.append(full_neighbor(asn=4200001000 + n, **address))
        with CaptureQueriesContext(connection) as captured:
            outcome = imported(router, *rows, user=user, update=Update.ALL)
        assert len(outcome.made) == len(outcome.changed) == size, outcome.left_out
        return len(captured)

    run(1)  # what the router needs is there from here on
    assert run(20) == run(3) <= 110

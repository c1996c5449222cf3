"""Peer groups, route maps and lists of the context: those in use, once each, in order."""

from contextlib import contextmanager

import pytest

from netbox_routing.models import (
    BGPPeer,
    BGPPeerTemplate,
    PrefixListEntry,
    RouteMap,
)

from netbox_peering_manager.services.rendering import peering
from netbox_peering_manager.services.rendering.peering import gather
from tests import factories, shared
from tests.rendering import scenario

pytestmark = pytest.mark.django_db
made = shared.once(scenario.build)
net = shared.copy()


@pytest.fixture
def rendered(net):
    """The context of the whole device, passwords in clear."""
    return gather(net.device.pk, reveal_secrets=True).context


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


def test_part_of_a_device_shares_what_all_of_its_sessions_share():
    """What a deployment of one session sends of its peer group and route maps must not change the others."""
    device = factories.make_device("rt9.mtl")
    scope = factories.make_scope(device)
    group = BGPPeerTemplate.objects.create(name="SHARED")
    route_map = RouteMap.objects.create(name="SHARED-IN")
    sessions = []
    for number, (role, remote) in enumerate(
        (("peer", "203.0.113.42/24"), ("provider", "2001:db8:999::42/64"))
    ):
        peer = factories.make_bgp_peer(remote, asn=64496 + number, scope=scope, peer_group=group)
        kind = factories.make_relationship(f"Sharing {role}", bgp_role=role, routemap_in=route_map)
        sessions.append(factories.make_session(peer, kind))
    for part in ([sessions[0].pk], [sessions[1].pk], [session.pk for session in sessions]):
        context = gather(device.pk, part, removed=()).context
        assert [session["id"] for session in context["sessions"]] == part
        (shared,) = context["peer_groups"]
        assert (shared["bgp_role"], shared["families"]) == (None, [4, 6])
        assert context["route_maps"][0]["families"] == [4, 6]
    assert gather(device.pk, part[:1]).context["peer_groups"][0]["bgp_role"] == "peer"


def test_part_of_a_device_and_all_of_it_are_read_at_one_moment(net, monkeypatch):
    """Between two moments a peer group of the part may be gone from all of the device."""
    within, read_within = [], []

    @contextmanager
    def one_snapshot():
        within.append(True)
        yield
        within.pop()

    def load(device, *args):
        read_within.append(len(within))
        return loaded(device, *args)

    loaded = peering.load
    monkeypatch.setattr(peering, "one_snapshot", one_snapshot)
    monkeypatch.setattr(peering, "load", load)
    gather(net.device.pk, [net.full.pk], removed=())
    assert read_within == [1, 2]

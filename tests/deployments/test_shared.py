"""What the deployment of some sessions changes for others, as platforms write their differences. Pure, but the last."""

import pytest
from django.test.utils import CaptureQueriesContext

from netbox_peering_manager.services.deployment.shared import (
    Changed,
    Thing,
    changed_for_others,
    names_in,
    say,
    things_of,
)
from netbox_peering_manager.services.devices.neighbors import Neighbor

OWN = ["198.51.100.11", "2001:db8::11"]
MAP, LIST, GROUP = (
    Thing("route map", "PEER-IN"),
    Thing("prefix list", "OUR NETS"),
    Thing("peer group", "PEERS"),
)
OTHER = Thing("session", "198.51.100.12")
THINGS = (MAP, LIST, GROUP, OTHER)


@pytest.mark.parametrize(
    ("diff", "changed"),
    [
        # FRR: a block's heading is not marked, and stands as far to the right as what it heads.
        ("  route-map PEER-IN permit 10\n- set local-preference 100\n+ set local-preference 77", {MAP}),
        ("  router bgp 64500\n+ neighbor PEERS local-role peer", {GROUP}),
        ("  router bgp 64500\n+ neighbor 198.51.100.11 peer-group PEERS", set()),
        ("  router bgp 64500\n+ neighbor 198.51.100.11 route-map PEER-IN in", set()),
        ("  router bgp 64500\n- neighbor 198.51.100.12 password <removed>", {OTHER}),
        ("+ ip prefix-list OUR_NETS seq 5 permit 192.0.2.0/24", {LIST}),
        # The address of a session as a prefix of a list is not the session.
        ("+ ip prefix-list OUR_NETS seq 5 permit 198.51.100.11/32", {LIST}),
        # In doubt it is.
        ("+ route-map PEER-IN-V4 permit 10", {MAP}),
        ("+ route-map peer_in permit 10", {MAP}),
        ("+ route-map PEER-INSIDE permit 10", set()),
        # Junos.
        ("[edit policy-options policy-statement PEER-IN term 10]\n-   metric 1;\n+   metric 2;", {MAP}),
        ("[edit protocols bgp group PEERS]\n+   type external;", {GROUP}),
        ("[edit protocols bgp group PEERS neighbor 198.51.100.11]\n+   import PEER-IN;", set()),
        ("[edit protocols bgp group PEERS]\n+    neighbor 2001:DB8::11 {\n+        import PEER-IN;\n+    }", set()),
        # IOS XR and EOS: what it stands under, and lines beside it.
        (
            " route-policy PEER-IN\n-  set local-preference 1\n+  set local-preference 2\n  end-policy",
            {MAP},
        ),
        (
            "@@ -1,3 +1,4 @@\n router bgp 64500\n    neighbor 198.51.100.11 shutdown\n+   neighbor PEERS shutdown",
            {GROUP},
        ),
        (
            " router bgp 64500\n  neighbor 198.51.100.11\n   address-family ipv4 unicast\n+   route-policy PEER-IN in",
            set(),
        ),
        # NX-OS marks nothing.
        ("route-map PEER-IN permit 10\n  set local-preference 77", {MAP}),
        ("router bgp 64500\n  neighbor 198.51.100.11\n    inherit peer PEERS", set()),
        ("", set()),
    ],
)  # fmt: skip
def test_names_that_changed_lines_are_about(diff, changed):
    assert names_in(diff, THINGS, OWN) == changed


def session(pk, address, group=None, route_map=None):
    family = {f"{kind}_{way}": None for kind in ("route_map", "prefix_list") for way in ("in", "out")}
    return {
        "id": pk,
        "vrf": None,
        "remote_ip": address,
        "peer_group": {"name": group} if group else None,
        "bfd_profile": None,
        "address_families": [family | {"route_map_in": {"name": route_map} if route_map else None}],
    }


def test_session_uses_what_its_route_maps_use():
    entry = {
        "match_prefix_lists": ["OURS"],
        "match_community_lists": ["CUSTOMERS"],
        "match_as_paths": ["SHORT"],
        "set": {"comm_list_delete": "INTERNAL", "local_preference": 100},
    }
    maps = [{"name": "PEER-IN", "entries": [entry]}, {"name": "ELSE", "entries": [entry | {"set": {}}]}]
    assert {str(thing) for thing in things_of(session(1, "198.51.100.12", "PEERS", "PEER-IN"), maps)} == {
        *("session 198.51.100.12", "peer group PEERS", "route map PEER-IN", "prefix list OURS"),
        *("community list CUSTOMERS", "AS-path list SHORT", "list INTERNAL"),
    }


def test_what_is_told_names_some_users_and_counts_the_rest():
    users = tuple(f"198.51.100.{number}" for number in range(1, 15))
    text = say([Changed(MAP, users), Changed(GROUP, users[:1])], "rt1")
    assert "route map PEER-IN (198.51.100.1, " in text
    assert "198.51.100.10 and 4 more); peer group PEERS (198.51.100.1)" in text
    assert "198.51.100.11" not in text


@pytest.mark.django_db
def test_only_those_that_are_on_the_router_are_others_and_queries_do_not_grow(django_assert_max_num_queries):
    from django.db import connection

    from netbox_routing.models import BGPPeerTemplate

    from netbox_peering_manager.models import PeeringSession

    from .scenery import make_deployment, make_router, make_sessions

    router = make_router()
    first, *_others = make_sessions(router, "198.51.100.42", "198.51.100.43", "198.51.100.44")
    group = BGPPeerTemplate.objects.create(name="PEERS", remote_as=None)
    for one in PeeringSession.objects.all():
        one.bgp_peer.peer_group = group
        one.bgp_peer.save()
    deployment = make_deployment(router, sessions=[first.pk])
    diff = "+ neighbor PEERS local-role peer"
    found = changed_for_others(deployment, diff, [Neighbor(vrf="", remote_ip="198.51.100.43")])
    assert found == (Changed(Thing("peer group", "PEERS"), ("198.51.100.43",)),)
    assert changed_for_others(deployment, diff, []) == ()
    with CaptureQueriesContext(connection) as few:
        assert changed_for_others(deployment, diff, None)[0].users == ("198.51.100.43", "198.51.100.44")
    make_sessions(router, "198.51.100.45", "198.51.100.46", "198.51.100.47")
    with CaptureQueriesContext(connection) as many:
        changed_for_others(deployment, diff, None)
    assert len(many) <= len(few) <= 26
    deployment.partial = False
    with django_assert_max_num_queries(0):
        assert changed_for_others(deployment, diff, None) == ()

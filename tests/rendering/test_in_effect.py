"""What counts for one session and who says so: what the page "In effect" is made from."""

import pytest

from netbox_routing.models import BGPPeer, BGPPeerTemplate, BGPSessionTemplate

from netbox_peering_manager.exceptions import RenderingRefused
from netbox_peering_manager.models import PeeringSession
from netbox_peering_manager.services.rendering.in_effect import Setting, in_effect
from netbox_peering_manager.services.rendering.peering import gather
from tests import factories, shared
from tests.queries import queries_for_few_and_many
from tests.rendering import scenario

pytestmark = pytest.mark.django_db
made = shared.once(scenario.build)
net = shared.copy()
NOBODY = Setting()


def family_of(found, afi="ipv4-unicast"):
    return next(family for family in found.families if family.afi == afi)


def test_what_a_session_says_itself(net):
    found = in_effect(net.full.pk)
    assert found.local_as.origin == found.source.origin == "BGP peer"
    assert found.source.value == net.connection.ipv4_address.pk
    assert found.enabled == Setting(True, "BGP peer")
    assert found.peer_group == Setting(net.group.pk, "BGP peer")
    assert found.ttl == Setting(255, "BGP peer")
    assert found.bfd == Setting(net.bfd.pk, "BGP peer")
    family = family_of(found)
    assert family.max_prefixes == Setting(7, "session")
    assert family.route_map_in == Setting(net.maps["OWN"].pk, "BGP peer")
    assert family.route_map_out == Setting(net.maps["POLICY"].pk, "policy template")
    assert family.prefix_list_out == Setting(net.prefix_list.pk, "policy template")
    assert family.prefix_list_in == NOBODY
    six = family_of(found, "ipv6-unicast")
    assert (six.enabled, six.max_prefixes) == (False, Setting(50, "peer"))


def test_what_it_inherits_names_the_template_or_group_that_says_so(net):
    found = in_effect(net.bare.pk)
    assert found.ttl == Setting(2, "session template", net.parent.pk)
    assert found.bfd == Setting(net.bfd.pk, "session template", net.parent.pk)
    assert found.local_as.origin_id == net.session_template.pk
    assert (found.enabled, found.source) == (Setting(True), NOBODY)
    family = family_of(found)
    assert family.route_map_in == Setting(net.maps["GROUP"].pk, "peer group", net.group.pk)
    assert family.route_map_out == Setting(net.maps["REL-OUT"].pk, "relationship")
    assert family.max_prefixes == NOBODY


def test_local_as_is_the_routers_where_nobody_else_says_one(net):
    BGPPeer.objects.filter(pk=net.full_peer.pk).update(local_as=None)
    assert in_effect(net.full.pk).local_as == Setting(net.scope.router.asn_id, "BGP router")


def test_enabled_says_which_template_or_group_disabled_it(net):
    BGPPeerTemplate.objects.filter(pk=net.group.pk).update(enabled=False)
    assert in_effect(net.bare.pk).enabled == Setting(False, "peer group", net.group.pk)
    BGPSessionTemplate.objects.filter(pk=net.parent.pk).update(enabled=True)
    assert in_effect(net.bare.pk).enabled == Setting(True, "session template", net.parent.pk)


def test_peer_group_of_the_connection_and_of_the_fabric(net):
    group = BGPPeerTemplate.objects.create(name="FABRIC")
    BGPPeer.objects.filter(pk=net.full_peer.pk).update(peer_group=None)
    net.network.fabric.peer_group = group
    net.network.fabric.save()
    assert in_effect(net.full.pk).peer_group == Setting(group.pk, "fabric")
    net.connection.ipv4_peer_group = group
    net.connection.save()
    assert in_effect(net.full.pk).peer_group == Setting(group.pk, "connection")


def test_ttl_of_zero_is_none_and_a_limit_of_zero_is_a_limit(net):
    BGPPeer.objects.filter(pk=net.full_peer.pk).update(ttl=0)
    PeeringSession.objects.filter(pk=net.full.pk).update(ipv4_max_prefixes=0)
    found = in_effect(net.full.pk)
    assert found.ttl == NOBODY
    assert family_of(found).max_prefixes == Setting(0, "session")


def test_it_is_what_templates_get(net):
    for session in gather(net.device.pk).context["sessions"]:
        found = in_effect(session["id"])
        assert found.enabled.value is session["enabled"]
        assert found.ttl.value == session["ttl"]
        assert found.peer_group.value == (session["peer_group"] and session["peer_group"]["id"])
        for family, told in zip(found.families, session["address_families"], strict=True):
            assert (family.afi, family.enabled) == (told["afi"], told["enabled"])
            assert family.max_prefixes.value == told["max_prefixes"]
            for name in ("route_map_in", "route_map_out", "prefix_list_in", "prefix_list_out"):
                assert (getattr(family, name).value is None) is (told[name] is None)


def test_it_costs_the_same_whatever_else_there_is(net):
    def make_sessions(numbers):
        for number in numbers:
            peer = factories.make_bgp_peer(
                f"198.51.100.{number + 60}/24", scope=net.scope, peer_group=net.group
            )
            factories.make_session(peer, network=net.network)

    assert queries_for_few_and_many(lambda: in_effect(net.full.pk), make_sessions) <= 12


def test_unknown_session_is_refused():
    with pytest.raises(RenderingRefused):
        in_effect(0)

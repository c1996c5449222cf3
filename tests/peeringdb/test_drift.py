"""Drift: each kind appears when something disagrees with PeeringDB, stays as it was found, and goes."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tenancy.models import Contact, ContactAssignment, ContactRole

from netbox_peering_manager.choices import PeeringDBDriftChoices
from netbox_peering_manager.models import PeerASN, PeeringDBDrift, PeeringDBWatermark
from netbox_peering_manager.models.peeringdb import MIRROR
from netbox_peering_manager.services.peeringdb.drift import DriftCounts, refresh_drift
from netbox_peering_manager.services.peeringdb.drift_text import drift_text
from tests import factories
from tests.peeringdb.filling import fill_mirror
from tests.peeringdb.scenery import IXLAN_ID, OUR_ASN, Story

pytestmark = pytest.mark.django_db

NONE = DriftCounts(found=0, new=0, gone=0)


@pytest.fixture
def story(hamlet):
    """The demo's story, two sessions with AS64496 and one with a route server; everything agrees."""
    story = Story(hamlet)
    story.member = story.peer(64496)
    story.session4, story.session6 = story.session(11, 64496), story.session(11, 64496, family=6)
    story.route_server = story.session(250, 64509, is_route_server=True)
    story.fill()
    return story


def drifted():
    """What disagrees, as (kind, object, key)."""
    return {(row.kind, row.object, row.key) for row in PeeringDBDrift.objects.with_objects()}


def change(story, tag, pk, **fields):
    story.world.change(tag, pk, **fields)
    story.fill()


# What makes each kind of drift, what it is about, and words of its text. What is undone is the mirror.


def address_gone(story):
    change(story, "netixlan", story.port_of(64496)["id"], ipaddr4="198.51.100.99")
    return {(story.session4, "")}, "198.51.100.11"


def asn_changed(story):
    change(story, "netixlan", story.port_of(64496)["id"], asn=64497, net_id=3)
    return {(story.session4, ""), (story.session6, "")}, "belongs to AS64497, not to AS64496"


def not_operational(story):
    change(story, "netixlan", story.port_of(64496)["id"], operational=False)
    return {(story.session4, ""), (story.session6, "")}, "is not operational"


def network_gone(story):
    peer = story.peer(64502)
    story.world.delete("net", peer.peeringdb_id)
    story.fill()
    return {(peer, "")}, "AS64502 was net 7"


def max_prefixes(story):
    change(story, "net", story.member.peeringdb_id, info_prefixes4=401, info_prefixes6=121)
    return {(story.member, "4"), (story.member, "6")}, "in PeeringDB."


def as_set(story):
    change(story, "net", story.member.peeringdb_id, irr_as_set="RIPE::AS-AURORA")
    return {(story.member, "")}, "AS-AURORA here, RIPE::AS-AURORA in PeeringDB."


def contacts_gone(story):
    for contact in story.world.find("poc", net_id=story.member.peeringdb_id):
        story.world.delete("poc", contact["id"])
    story.fill()
    return {(story.member, "")}, "AS64496 had contacts"


def own_port_new(story):
    row = story.world.add(
        "netixlan", {**story.port_of(OUR_ASN), "id": 77, "ipaddr4": "198.51.100.77", "ipaddr6": None}
    )
    story.fill()
    return {(story.us, str(row["id"]))}, "a port at Example IX London in PeeringDB, 198.51.100.77,"


def own_port_left(story):
    story.world.delete("netixlan", story.world.our_ports[1]["id"])
    story.fill()
    return {(story.connections[1], "")}, "198.51.100.2, 2001:db8:100::2"


def renumbered(story):
    (prefix,) = story.world.find("ixpfx", ixlan_id=IXLAN_ID, protocol="IPv4")
    change(story, "ixpfx", prefix["id"], prefix="203.0.113.0/24")
    return {(story.lan, "4")}, "IPv4: 198.51.100.0/24 here, 203.0.113.0/24 in PeeringDB."


KINDS = {
    "peer-address-gone": address_gone,
    "peer-asn-changed": asn_changed,
    "port-not-operational": not_operational,
    "network-gone": network_gone,
    "max-prefixes-differ": max_prefixes,
    "as-set-differs": as_set,
    "contacts-gone": contacts_gone,
    "own-port-missing-here": own_port_new,
    "own-port-missing-there": own_port_left,
    "prefix-changed": renumbered,
}


def test_every_kind_is_tried():
    assert set(KINDS) == set(PeeringDBDriftChoices.values())


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_appears_and_disappears(story, hamlet, kind):
    before = hamlet.copy()
    expected, words = KINDS[kind](story)
    counts = refresh_drift()
    assert drifted() == {(kind, about, key) for about, key in expected}
    assert counts == DriftCounts(found=len(expected), new=len(expected), gone=0)
    for row in PeeringDBDrift.objects.all():
        assert words in drift_text(row.kind, row.details)
    assert refresh_drift() == DriftCounts(found=len(expected), new=0, gone=0)
    fill_mirror(before)
    assert refresh_drift() == DriftCounts(found=0, new=0, gone=len(expected))
    assert drifted() == set()


def test_what_agrees_is_no_drift(story):
    assert refresh_drift() == NONE


def test_an_empty_mirror_gives_no_drift(hamlet):
    story = Story(hamlet)
    story.peer(64496)
    story.session(11, 64496)
    assert refresh_drift() == NONE


def test_a_type_that_was_synced_but_is_empty_gives_no_drift(story):
    for tag in ("net", "netixlan", "ixpfx", "poc"):
        MIRROR[tag].objects.all().delete()
    assert PeeringDBWatermark.objects.count() > 4
    assert refresh_drift() == NONE


@pytest.mark.parametrize("tag", ["net", "netixlan", "ixpfx", "poc"])
def test_a_type_that_was_not_synced_gives_no_drift(story, tag):
    MIRROR[tag].objects.all().delete()
    PeeringDBWatermark.objects.filter(tag=tag).delete()
    assert refresh_drift() == NONE


def test_without_an_api_key_nobodys_contacts_are_gone(story):
    contacts_gone(story)
    # As a sync without a key leaves it.
    MIRROR["poc"].objects.all().delete()
    PeeringDBWatermark.objects.filter(tag="poc").delete()
    assert refresh_drift() == NONE


def test_what_stays_keeps_the_day_it_was_found_and_learns_the_new_values(story):
    max_prefixes(story)
    refresh_drift()
    first = PeeringDBDrift.objects.get(key="4")
    change(story, "net", story.member.peeringdb_id, info_prefixes4=500)
    refresh_drift()
    row = PeeringDBDrift.objects.get(key="4")
    assert (row.pk, row.found, row.details["peeringdb"]) == (first.pk, first.found, 500)


def test_sessions_that_are_switched_off_do_not_count(story):
    address_gone(story)
    story.session4.bgp_peer.enabled = False
    story.session4.bgp_peer.save()
    assert refresh_drift() == NONE


def test_sessions_over_a_lan_that_is_not_linked_do_not_count(story):
    not_operational(story)
    story.lan.peeringdb_id = None
    story.lan.save()
    refresh_drift()
    assert not PeeringDBDrift.objects.filter(object_type__model="peeringsession").exists()


def test_addresses_that_are_on_every_link_are_not_looked_for(story):
    peer = factories.make_bgp_peer("fe80::1/64", asn=64496, scope=story.scope)
    factories.make_session(peer, network=story.lan)
    assert refresh_drift() == NONE


def test_a_session_whose_remote_as_nobody_knows_counts_by_its_address_alone(story):
    peer = story.session4.bgp_peer
    peer.remote_as = None
    peer.save()
    assert refresh_drift() == NONE
    address_gone(story)
    refresh_drift()
    assert drifted() == {("peer-address-gone", story.session4, "")}


def test_route_servers_that_an_exchange_does_not_list_are_not_gone(story):
    for port in story.world.find("netixlan", asn=64509):
        story.world.delete("netixlan", port["id"])
    story.fill()
    assert refresh_drift() == NONE


def test_a_route_server_is_gone_when_another_of_its_as_is_still_listed(story):
    story.world.delete("netixlan", story.port_of(64509)["id"])
    story.fill()
    refresh_drift()
    assert drifted() == {("peer-address-gone", story.route_server, "")}


def test_of_two_ports_at_one_address_the_sessions_own_counts(story):
    story.world.add("netixlan", {**story.port_of(64496), "id": 78, "asn": 64497, "operational": False})
    story.fill()
    assert refresh_drift() == NONE


def test_of_a_renumbered_lan_the_sessions_are_not_told_one_by_one(story):
    renumbered(story)
    for port in story.world.find("netixlan", ixlan_id=IXLAN_ID):
        moved = port["ipaddr4"].replace("198.51.100", "203.0.113")
        story.world.change("netixlan", port["id"], ipaddr4=moved)
    story.fill()
    refresh_drift()
    assert drifted() == {("prefix-changed", story.lan, "4")}


def test_a_lan_that_has_both_its_old_and_its_new_prefix_is_not_renumbered_yet(story):
    (prefix,) = story.world.find("ixpfx", ixlan_id=IXLAN_ID, protocol="IPv4")
    story.world.add("ixpfx", {**prefix, "id": 79, "prefix": "203.0.113.0/24"})
    story.fill()
    assert refresh_drift() == NONE


@pytest.mark.parametrize("written", ["as-aurora as-two", "AS-TWO,AS-AURORA", "AS-AURORA, AS-TWO"])
def test_as_sets_may_be_written_in_any_order_and_case(story, written):
    PeerASN.objects.filter(pk=story.member.pk).update(irr_as_set=written)
    change(story, "net", story.member.peeringdb_id, irr_as_set="AS-AURORA AS-TWO")
    assert refresh_drift() == NONE


def test_what_peeringdb_leaves_empty_suggests_nothing(story):
    change(story, "net", story.member.peeringdb_id, irr_as_set="", info_prefixes4=None, info_prefixes6=0)
    assert refresh_drift() == NONE


def test_a_field_that_follows_says_that_it_could_not(story):
    PeerASN.objects.filter(pk=story.member.pk).update(follow_peeringdb=["ipv4_max_prefixes"])
    max_prefixes(story)
    refresh_drift()
    texts = {row.key: drift_text(row.kind, row.details) for row in PeeringDBDrift.objects.all()}
    assert "could not be taken" in texts["4"]
    assert "could not be taken" not in texts["6"]


def test_a_limit_that_nobody_set_differs(story):
    PeerASN.objects.filter(pk=story.member.pk).update(ipv6_max_prefixes=None)
    refresh_drift()
    (row,) = PeeringDBDrift.objects.all()
    assert drift_text(row.kind, row.details).startswith("IPv6: none here, 120 in PeeringDB.")


def test_a_peer_that_never_was_in_peeringdb_is_not_gone(story):
    factories.make_peer_asn(64511)
    assert refresh_drift() == NONE


def test_contacts_of_peers_without_sessions_are_not_missed(story):
    story.peer(64501)
    for contact in story.world.find("poc", net_id=6):
        story.world.delete("poc", contact["id"])
    story.fill()
    assert refresh_drift() == NONE


def test_a_contact_in_netbox_is_one_that_is_left(story):
    contacts_gone(story)
    ContactAssignment.objects.create(
        object=story.member,
        contact=Contact.objects.create(name="NOC"),
        role=ContactRole.objects.create(name="NOC", slug="noc"),
    )
    assert refresh_drift() == NONE


def test_a_network_that_never_had_contacts_has_lost_none(story):
    story.peer(64499)
    story.session(14, 64499)
    assert not story.world.find("poc", net_id=5)
    assert refresh_drift() == NONE


def test_a_port_that_is_linked_is_here_whatever_its_addresses(story):
    here = story.connections[1]
    here.peeringdb_id = story.world.our_ports[1]["id"]
    here.save()
    change(story, "netixlan", here.peeringdb_id, ipaddr4="198.51.100.88", ipaddr6=None)
    assert refresh_drift() == NONE


def test_own_ports_count_on_exchanges_that_netbox_does_not_have(story):
    story.world.add("netixlan", {**story.port_of(OUR_ASN), "id": 77, "ix_id": 9, "ixlan_id": 9})
    story.fill()
    refresh_drift()
    assert drifted() == {("own-port-missing-here", story.us, "77")}
    (row,) = PeeringDBDrift.objects.all()
    assert "a port at ix 9" in drift_text(row.kind, row.details)


@pytest.mark.parametrize("status", ["planned", "decommissioned"])
def test_connections_that_are_not_in_use_are_not_expected_there(story, status):
    own_port_left(story)
    story.connections[1].status = status
    story.connections[1].save()
    assert refresh_drift() == NONE


def test_a_connection_on_a_lan_that_is_not_linked_is_not_expected_there(story):
    other = factories.make_network("Other", fabric=story.fabric, ipv4="203.0.113.0/24", ipv6=None)
    factories.make_connection(
        other, factories.make_interface(factories.make_device(), "Ethernet9"), ipv4="203.0.113.1/24"
    )
    assert refresh_drift() == NONE


def queries_of_a_refresh():
    with CaptureQueriesContext(connection) as queries:
        counts = refresh_drift()
    return len(queries), counts


def test_a_refresh_costs_the_same_for_one_session_and_for_twenty(story):
    not_operational(story)
    few, counts = queries_of_a_refresh()
    assert counts.new == 2
    PeeringDBDrift.objects.all().delete()
    for host in range(20, 40):
        story.session(host, 64497)
    many, counts = queries_of_a_refresh()
    assert counts.new == 22
    assert (many, few <= 35) == (few, True)


def test_a_refresh_that_finds_nothing_new_costs_as_much_for_many(story):
    not_operational(story)
    refresh_drift()
    few, _ = queries_of_a_refresh()
    for host in range(20, 40):
        story.session(host, 64497)
    refresh_drift()
    many, counts = queries_of_a_refresh()
    assert (many, counts.found) == (few, 22)

"""What NetBox takes over from the mirror: what it follows, nothing emptied, recorded as if somebody had done it."""

from datetime import UTC, datetime

import django_rq
import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.models import ObjectChange, ObjectType
from extras.models import EventRule, Webhook
from ipam.models import VRF
from users.models import User

from dev.sample_peeringdb.server import serve
from netbox_peering_manager.models import (
    PeerASN,
    PeeringDBIXLan,
    PeeringDBIXPfx,
    PeeringDBNet,
    PeeringDBSync,
    PeeringNetwork,
)
from netbox_peering_manager.services.peeringdb import apply
from netbox_peering_manager.services.peeringdb.apply import apply_mirror
from netbox_peering_manager.services.tracking import request_of
from tests import factories
from tests.peeringdb.syncing import sync_with

pytestmark = pytest.mark.django_db

BASE = {"status": "ok", "updated": datetime(2026, 3, 1, tzinfo=UTC)}
TEXTS = (
    "aka",
    "website",
    "looking_glass",
    "info_traffic",
    "info_ratio",
    "info_scope",
    "policy_url",
    "policy_general",
)
MORE_TEXTS = ("policy_locations", "policy_contracts", "status_dashboard", "rir_status")
FLAGS = ("info_unicast", "info_multicast", "info_ipv6", "info_never_via_route_servers", "policy_ratio")


@pytest.fixture
def operator():
    return User.objects.create(username="operator")


def mirror_net(asn, pk=None, **fields):
    """A net of the mirror, with an AS-SET and prefix limits unless told otherwise."""
    values = {
        **BASE,
        **dict.fromkeys(TEXTS + MORE_TEXTS, ""),
        **dict.fromkeys(FLAGS, False),
        "info_types": [],
    }
    said = {"name": f"Network {asn}", "irr_as_set": f"AS-{asn}", "info_prefixes4": 40, "info_prefixes6": 60}
    return PeeringDBNet.objects.create(pk=pk or asn, org_id=1, asn=asn, **{**values, **said, **fields})


def mirror_lan(pk, mtu=None, *prefixes):
    """An ixlan of the mirror with its prefixes."""
    texts = {"name": "", "arp_sponge": "", "ixf_ixp_member_list_url": ""}
    lan = PeeringDBIXLan.objects.create(pk=pk, ix_id=1, mtu=mtu, **BASE, **texts)
    for number, prefix in enumerate(prefixes):
        protocol = "IPv6" if ":" in prefix else "IPv4"
        PeeringDBIXPfx.objects.create(
            pk=10 * pk + number, ixlan_id=pk, prefix=prefix, protocol=protocol, in_dfz=False, **BASE
        )
    return lan


def values_of(peer):
    peer.refresh_from_db()
    return (peer.name, peer.irr_as_set, peer.ipv4_max_prefixes, peer.ipv6_max_prefixes, peer.peeringdb_id)


def records_of(*objects):
    """The change records of objects of one model, in the order in which they were made."""
    return ObjectChange.objects.filter(
        changed_object_type=ContentType.objects.get_for_model(objects[0]),
        changed_object_id__in=[each.pk for each in objects],
    ).order_by("pk")


# Peer ASNs


def test_peer_follows_in_every_field_and_a_second_time_changes_nothing(operator):
    mirror_net(64496)
    peer = factories.make_peer_asn(64496)
    assert apply_mirror(request_of(operator)).updated == {"peerasn": 1, "peeringnetwork": 0}
    assert values_of(peer) == ("Network 64496", "AS-64496", 40, 60, 64496)
    (record,) = records_of(peer)
    assert (record.user, record.action) == (operator, "update")
    assert (record.prechange_data["name"], record.postchange_data["name"]) == ("", "Network 64496")
    updated = peer.last_updated
    assert apply_mirror(request_of(operator)).updated["peerasn"] == 0
    assert records_of(peer).count() == 1
    peer.refresh_from_db()
    assert peer.last_updated == updated


def test_peer_follows_in_the_fields_that_it_is_set_to_follow():
    mirror_net(64496)
    peer = factories.make_peer_asn(
        64496, name="Ours", ipv6_max_prefixes=1, follow_peeringdb=["ipv4_max_prefixes"]
    )
    apply_mirror(request_of(None))
    assert values_of(peer) == ("Ours", "", 40, 1, 64496)


def test_peer_that_follows_nothing_still_gets_its_id():
    mirror_net(64496, pk=7)
    peer = factories.make_peer_asn(64496, name="Ours", follow_peeringdb=[])
    apply_mirror(request_of(None))
    assert values_of(peer) == ("Ours", "", None, None, 7)


def test_nothing_is_emptied_or_set_to_what_does_not_fit():
    mirror_net(64496, name=" ", irr_as_set="", info_prefixes4=None, info_prefixes6=0)
    mirror_net(64497, irr_as_set="see our website")
    peers = [
        factories.make_peer_asn(
            number,
            name="Old",
            irr_as_set="AS-OLD",
            ipv4_max_prefixes=1,
            ipv6_max_prefixes=2,
            peeringdb_id=number,
        )
        for number in (64496, 64497)
    ]
    applied = apply_mirror(request_of(None))
    assert values_of(peers[0]) == ("Old", "AS-OLD", 1, 2, 64496)
    assert values_of(peers[1]) == ("Network 64497", "AS-OLD", 40, 60, 64497)
    assert applied.notes == [
        "AS64497 (Old): PeeringDB's AS-SET 'see our website' was not taken over, as it is none."
    ]


def test_own_networks_follow_as_well():
    mirror_net(64500)
    peer = factories.make_peer_asn(64500, affiliated=True)
    apply_mirror(request_of(None))
    assert values_of(peer)[0] == "Network 64500"


def test_changes_of_nobody_are_recorded_under_the_plugins_name():
    mirror_net(64496)
    peer = factories.make_peer_asn(64496)
    apply_mirror(request_of(None))
    assert [(record.user, record.user_name) for record in records_of(peer)] == [
        (None, "netbox_peering_manager")
    ]


def test_all_changes_of_a_sync_are_one_request(monkeypatch):
    monkeypatch.setattr(apply, "BATCH", 2)
    for number in range(64496, 64501):
        mirror_net(number)
    peers = [factories.make_peer_asn(number) for number in range(64496, 64501)]
    told = []
    apply_mirror(request_of(None), told=lambda done, total: told.append((done, total)))
    assert all(values_of(peer)[0] for peer in peers)
    assert len({record.request_id for record in records_of(*peers)}) == 1
    assert told == [(2, 5), (4, 5), (5, 5)]


@pytest.mark.parametrize("who", ["operator", None])
def test_event_rules_hear_of_what_changed(operator, who, django_capture_on_commit_callbacks):
    webhook = Webhook.objects.create(name="Hook", payload_url="http://127.0.0.1:9/")
    rule = EventRule.objects.create(
        name="Rule",
        event_types=["object_updated"],
        action_type="webhook",
        action_object_type=ObjectType.objects.get_for_model(Webhook),
        action_object_id=webhook.pk,
    )
    rule.object_types.set([ObjectType.objects.get_for_model(PeerASN)])
    queue = django_rq.get_queue("default")
    queue.empty()
    mirror_net(64496)
    factories.make_peer_asn(64496)
    with django_capture_on_commit_callbacks(execute=True):
        apply_mirror(request_of(operator if who else None))
    (job,) = queue.jobs
    assert job.kwargs["data"]["name"] == "Network 64496"
    queue.empty()


def test_peers_that_were_looked_at_say_when_without_a_change_record():
    mirror_net(64496)
    same = factories.make_peer_asn(
        64496,
        name="Network 64496",
        irr_as_set="AS-64496",
        ipv4_max_prefixes=40,
        ipv6_max_prefixes=60,
        peeringdb_id=64496,
    )
    unknown = factories.make_peer_asn(64497)
    last_updated = same.last_updated
    apply_mirror(request_of(None), looked_at=False)
    same.refresh_from_db()
    assert same.peeringdb_last_sync is None
    apply_mirror(request_of(None))
    same.refresh_from_db()
    unknown.refresh_from_db()
    assert same.peeringdb_last_sync is not None
    assert unknown.peeringdb_last_sync is None
    assert same.last_updated == last_updated
    assert not records_of(same).exists()


def test_ids_of_two_peers_that_have_each_others_are_put_right():
    mirror_net(64496, pk=1)
    mirror_net(64497, pk=2)
    first = factories.make_peer_asn(64496, peeringdb_id=2)
    second = factories.make_peer_asn(64497, peeringdb_id=1)
    apply_mirror(request_of(None))
    assert (values_of(first)[4], values_of(second)[4]) == (1, 2)


def test_id_that_somebody_gave_to_another_peer_goes_to_the_one_that_it_is_of():
    mirror_net(64496, pk=1)
    wrong = factories.make_peer_asn(64511, name="Kept", peeringdb_id=1)
    right = factories.make_peer_asn(64496)
    apply_mirror(request_of(None))
    assert (values_of(right)[4], values_of(wrong)[4]) == (1, None)
    (record,) = records_of(wrong)
    assert (record.prechange_data["peeringdb_id"], record.postchange_data["peeringdb_id"]) == (1, None)
    assert values_of(wrong)[0] == "Kept"


def test_of_two_nets_with_one_number_the_younger_counts_and_stays():
    mirror_net(64496, pk=1, name="Old net")
    mirror_net(64496, pk=2, name="New net")
    peer = factories.make_peer_asn(64496)
    apply_mirror(request_of(None))
    assert values_of(peer)[::4] == ("New net", 2)
    assert apply_mirror(request_of(None)).updated["peerasn"] == 0


def test_one_network_is_followed_alone():
    for number in (64496, 64497):
        mirror_net(number)
    asked, other = (factories.make_peer_asn(number) for number in (64496, 64497))
    apply_mirror(request_of(None), asn=64496)
    assert (values_of(asked)[0], values_of(other)[0]) == ("Network 64496", "")
    other.refresh_from_db()
    assert other.peeringdb_last_sync is None


@pytest.mark.parametrize("size", [2, 40])
def test_queries_of_a_batch_do_not_grow_with_its_peers(size):
    for number in range(4200000000, 4200000000 + size):
        mirror_net(number, pk=number - 4199999999)
        factories.make_peer_asn(number)
    with CaptureQueriesContext(connection) as queries:
        assert apply_mirror(request_of(None)).updated["peerasn"] == size
    assert len(queries) <= 20, "\n".join(query["sql"][:100] for query in queries)


# Networks


def test_network_follows_the_mtu_of_its_lan(operator):
    mirror_lan(5, 9000)
    mirror_lan(6, 1500)
    linked = factories.make_network(peeringdb_id=5, mtu=1500)
    empty = factories.make_network("Empty", ipv4="192.0.2.0/24", ipv6=None, peeringdb_id=6)
    apart = factories.make_network("Apart", ipv4="203.0.113.0/24", ipv6=None, mtu=1400)
    assert apply_mirror(request_of(operator)).updated["peeringnetwork"] == 2
    assert [PeeringNetwork.objects.get(pk=each.pk).mtu for each in (linked, empty, apart)] == [
        9000,
        1500,
        1400,
    ]
    (record,) = records_of(linked)
    assert (record.user, record.prechange_data["mtu"], record.postchange_data["mtu"]) == (
        operator,
        1500,
        9000,
    )
    assert apply_mirror(request_of(operator)).updated["peeringnetwork"] == 0


@pytest.mark.parametrize("mtu", [None, 0])
def test_mtu_is_never_emptied(mtu):
    mirror_lan(5, mtu)
    network = factories.make_network(peeringdb_id=5, mtu=1500)
    apply_mirror(request_of(None))
    network.refresh_from_db()
    assert network.mtu == 1500


def test_mtu_that_no_network_can_have_is_told_and_left():
    mirror_lan(5, 60)
    network = factories.make_network(peeringdb_id=5, mtu=1500)
    (note,) = apply_mirror(request_of(None)).notes
    assert note.startswith("LINX LON1: LINX LON1 Main: PeeringDB's MTU 60 was not taken over: ")
    network.refresh_from_db()
    assert network.mtu == 1500


V6 = "2001:db8:100::/64"


def adopting(*told, **fields):
    """The IPv6 prefix of a network without one, after a sync with these prefixes on its LAN."""
    mirror_lan(5, None, "198.51.100.0/24", *told)
    network = factories.make_network(ipv6=None, peeringdb_id=5, **fields)
    apply_mirror(request_of(None))
    network.refresh_from_db()
    return network.ipv6_prefix


def test_family_without_a_prefix_takes_peeringdbs_when_netbox_has_it():
    prefix = factories.make_prefix(V6)
    factories.make_prefix("2001:db8:100::/48")
    assert adopting(V6) == prefix
    assert apply_mirror(request_of(None)).updated["peeringnetwork"] == 0


def test_prefix_is_taken_from_the_networks_vrf_alone():
    vrf = VRF.objects.create(name="Peering")
    factories.make_prefix(V6)
    inside = factories.make_prefix(V6, vrf)
    assert adopting(V6, vrf=vrf) == inside


def test_prefix_that_netbox_lacks_is_not_made():
    assert adopting(V6) is None


def test_prefix_of_another_vrf_is_left():
    factories.make_prefix(V6, VRF.objects.create(name="Other"))
    assert adopting(V6) is None


def test_prefix_of_another_network_is_left():
    factories.make_network("Other", ipv4="192.0.2.0/24", ipv6=V6)
    assert adopting(V6) is None


def test_several_prefixes_of_a_family_are_left_to_people():
    for prefix in (V6, "2001:db8:101::/64"):
        factories.make_prefix(prefix)
    assert adopting(V6, "2001:db8:101::/64") is None


def test_prefix_that_changed_is_left_to_people():
    mirror_lan(5, None, "203.0.113.0/24", V6)
    factories.make_prefix("203.0.113.0/24")
    network = factories.make_network(peeringdb_id=5)
    assert apply_mirror(request_of(None)).updated["peeringnetwork"] == 0
    network.refresh_from_db()
    assert str(network.ipv4_prefix) == "198.51.100.0/24"


# As part of a sync


def test_sync_lets_netbox_follow_and_counts_it(hamlet, operator):
    peer = factories.make_peer_asn(hamlet.our_asn, affiliated=True)
    network = factories.make_network(peeringdb_id=hamlet.our_ports[0]["ixlan_id"])
    with serve(hamlet) as server:
        trial = sync_with(server, user=operator, dry_run=True)
        assert values_of(peer)[0] == ""
        run = sync_with(server, user=operator)
    assert trial.applied == run.applied == {"peerasn": {"updated": 1}, "peeringnetwork": {"updated": 1}}
    assert values_of(peer)[0] == hamlet.find("net", asn=hamlet.our_asn)[0]["name"]
    network.refresh_from_db()
    assert network.mtu
    assert {record.user for record in records_of(peer)} == {operator}


def test_trial_records_nothing_and_tells_nobody(hamlet, operator):
    peer = factories.make_peer_asn(hamlet.our_asn)
    with serve(hamlet) as server:
        sync_with(server, user=operator, dry_run=True)
    assert not records_of(peer).exists()
    peer.refresh_from_db()
    assert peer.peeringdb_last_sync is None


def test_what_an_interrupted_sync_left_undone_the_next_does(hamlet, operator):
    peer = factories.make_peer_asn(hamlet.our_asn)

    def stop(progress):
        if progress.stage == "applying":
            raise KeyboardInterrupt

    with serve(hamlet) as server:
        with pytest.raises(KeyboardInterrupt):
            sync_with(server, progress=stop)
        assert values_of(peer)[0] == ""
        sync_with(server)
    assert values_of(peer)[0] != ""


def test_what_was_not_taken_over_is_counted_on_the_record_and_named_in_the_log(hamlet, caplog):
    """Who may see syncs need not see the peer."""
    (net,) = hamlet.find("net", asn=hamlet.our_asn)
    hamlet.change("net", net["id"], irr_as_set="!")
    factories.make_peer_asn(hamlet.our_asn, name="Secret")
    with serve(hamlet) as server, caplog.at_level("INFO", logger="netbox_peering_manager.peeringdb"):
        sync_with(server)
    assert PeeringDBSync.objects.get().message == (
        "Values of PeeringDB that do not fit and were not taken over: 1. The log names them."
    )
    assert "Secret" in caplog.text
    assert "AS-SET '!' was not taken over" in caplog.text

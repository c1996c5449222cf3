"""The local AS of new sessions: chosen, else that of our port in PeeringDB, else that of the BGP router."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from netbox_routing.models import BGPPeer

from netbox_peering_manager.models import PeerASN, PeeringConnection, PeeringDBNetIXLan
from netbox_peering_manager.services.peeringdb.presence import import_presence
from netbox_peering_manager.services.provisioning.create import NewSession, create_sessions
from netbox_peering_manager.services.provisioning.create_bulk import create_planned
from netbox_peering_manager.services.provisioning.plan import plan_sessions
from netbox_peering_manager.services.provisioning.planned import Choices
from tests import factories
from tests.peers import worlds

pytestmark = pytest.mark.django_db

OTHER_ASN = 64501


@pytest.fixture
def lan():
    """An exchange where two AS of ours have a port, and AS64496 one."""
    for asn in (factories.LOCAL_ASN, OTHER_ASN):
        factories.make_peer_asn(asn, affiliated=True)
    factories.make_asn(64496)
    worlds.make_ix()


@pytest.fixture
def peer():
    return factories.make_relationship("Peer")


def make_own(asn, number=1, **fields):
    """Our port of this AS on the LAN, as a connection that says which one in PeeringDB it is."""
    port = worlds.make_port(asn, f"198.51.1.{number}", f"2001:db8:1::{number:x}")
    return worlds.make_side(number=number, peeringdb_id=port.pk, **fields)


def make_peers(count=1):
    return [
        worlds.make_port(64496, f"198.51.1.{10 + number}", f"2001:db8:1::{10 + number:x}")
        for number in range(count)
    ]


def planned(peer, ports, **choices):
    return plan_sessions([port.pk for port in ports], Choices(relationship=peer.pk, **choices))


def both(peer, ports, **choices):
    """The local AS of each session by its connection and family: in the plan, and of the BGP peers made from it."""
    plan = planned(peer, ports, **choices)
    create_planned(plan)
    connections = PeeringConnection.objects.in_bulk()
    made = {
        (connection.pk, row.peer.family): row.local_as.asn
        for row in BGPPeer.objects.select_related("local_as", "peer", "source")
        for connection in connections.values()
        if row.source in connection.addresses
    }
    return {(each.connection_id, each.family): each.local_asn for each in plan.sessions}, made


def test_two_as_of_ours_behind_one_bgp_router(lan, peer):
    four, six = make_own(factories.LOCAL_ASN), make_own(OTHER_ASN, number=2)
    PeeringConnection.objects.filter(pk=four.pk).update(ipv6_address=None)
    PeeringConnection.objects.filter(pk=six.pk).update(ipv4_address=None)
    assert four.bgp_scope == six.bgp_scope
    plan, made = both(peer, make_peers())
    assert plan == made == {(four.pk, 4): 64500, (six.pk, 6): 64501}


def test_two_bgp_routers_on_one_device_from_the_import_to_the_sessions(lan, peer):
    device = factories.make_device()
    for number, asn in enumerate((factories.LOCAL_ASN, OTHER_ASN), start=1):
        factories.make_second_scope(device, asn)
        worlds.make_port(asn, f"198.51.1.{number}")
        factories.make_address(f"198.51.1.{number}/24", factories.make_interface(device, f"Ethernet{number}"))
    network = factories.make_network(
        "LAN", factories.make_fabric("Example IX", peeringdb_id=1), "198.51.1.0/24", None, peeringdb_id=1
    )
    import_presence()
    first, second = PeeringConnection.objects.filter(peering_network=network).order_by("interface__name")
    plan, made = both(peer, make_peers())
    assert plan == made == {(first.pk, 4): 64500, (second.pk, 4): 64501}
    assert [row.scope.router.asn.asn for row in BGPPeer.objects.order_by("local_as")] == [64500, 64501]


def test_local_as_that_was_chosen_wins(lan, peer):
    own = make_own(OTHER_ASN)
    chosen = PeerASN.objects.get(asn__asn=factories.LOCAL_ASN)
    plan, made = both(peer, make_peers(), local_as=chosen.pk)
    assert plan == made == {(own.pk, 4): 64500, (own.pk, 6): 64500}


@pytest.mark.parametrize(
    "change",
    [
        lambda: PeerASN.objects.filter(asn__asn=OTHER_ASN).update(affiliated=False),
        lambda: PeerASN.objects.filter(asn__asn=OTHER_ASN).delete(),
        lambda: PeeringDBNetIXLan.objects.filter(asn=OTHER_ASN).delete(),
        lambda: PeeringConnection.objects.update(peeringdb_id=None),
    ],
    ids=["not affiliated", "no peer ASN", "gone from PeeringDB", "not linked"],
)
def test_port_that_does_not_tell_leaves_it_to_the_bgp_router(lan, peer, change):
    own = make_own(OTHER_ASN)
    change()
    plan, made = both(peer, make_peers())
    assert plan == made == {(own.pk, 4): 64500, (own.pk, 6): 64500}


def test_single_session_follows_the_port_as_well(lan, peer):
    new = {"relationship": peer, "remote_asn": 64496, "connection": make_own(OTHER_ASN)}
    chosen = PeerASN.objects.get(asn__asn=factories.LOCAL_ASN)
    sessions = create_sessions(
        [
            NewSession(remote_ip="198.51.1.10", **new),
            NewSession(remote_ip="2001:db8:1::a", local_as=chosen, **new),
        ]
    )
    assert [session.local_as.asn for session in sessions] == [64501, 64500]


def test_own_ports_cost_one_query_for_any_number(lan, peer):
    for number, asn in enumerate((factories.LOCAL_ASN, OTHER_ASN), start=1):
        make_own(asn, number, device=f"rt{number}")
    ports = make_peers(20)
    with CaptureQueriesContext(database) as linked:
        assert len(planned(peer, ports).sessions) == 80
    PeeringConnection.objects.update(peeringdb_id=None)
    with CaptureQueriesContext(database) as unlinked:
        planned(peer, ports)
    assert len(linked) == len(unlinked) + 1 <= 40

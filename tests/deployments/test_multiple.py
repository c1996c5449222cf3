"""Configuring several sessions of a peer over all exchanges: what is shown, chosen, changed, sent now or later."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from core.models import ObjectChange
from netbox_routing.models import BGPPeerTemplate

from netbox_peering_manager.models import Deployment, PeeringConnection, SessionConfiguration
from tests import factories
from tests.peers import worlds
from tests.queries import page, queries_for_few_and_many

from .scenery import make_router
from .test_pages import allow, at, client_of, person, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    """A peer with a session on each of two exchanges, both of one router."""
    return make_world()


def make_world():
    router = make_router()
    peer = factories.make_peer_asn(64496)
    sessions = [make_on(router, number) for number in (1, 2)]
    return router, peer, sessions


@factories.look_ups_kept()
def make_on(router, number):
    network = factories.make_network(
        f"LAN {number}", factories.make_fabric(f"IX {number}"), f"198.51.{number}.0/24", None
    )
    scope = factories.make_scope(router.device)
    connection = factories.make_connection(
        network,
        factories.make_interface(router.device, f"Ethernet{number}"),
        f"198.51.{number}.1/24",
        None,
        bgp_scope=scope,
    )
    peer = factories.make_bgp_peer(
        f"198.51.{number}.42/24", scope=scope, source=connection.ipv4_address, families=("ipv4-unicast",)
    )
    return factories.make_session(peer, network=network)


def test_sessions_are_listed_by_exchange_with_what_can_be_changed(admin, world):
    _router, peer, sessions = world
    shown = page(admin, at(peer, "configure_sessions")).context["exchanges"]
    assert [(one.name, [row.pk for lan in one.lans for row in lan.rows]) for one in shown] == [
        ("IX 1", [sessions[0].pk]),
        ("IX 2", [sessions[1].pk]),
    ]
    row = shown[0].lans[0].rows[0]
    assert (row.router, row.port, row.why_not) == ("rt1.mtl", "Ethernet1", "")
    assert [option.label for option in row.relationships if option.is_chosen] == ["Peer"]
    assert at(peer, "configure_sessions") in page(admin, at(peer)).content.decode()


def test_chosen_sessions_are_configured_now(admin, world):
    _router, peer, sessions = world
    response = admin.post(at(peer, "configure_sessions"), {"pk": [sessions[1].pk], "_now": "1"})
    deployment = Deployment.objects.get()
    assert response["Location"] == deployment.get_absolute_url()
    assert [target.session for target in deployment.targets.all()] == [sessions[1]]
    assert deployment.automatic


def test_schedule_takes_the_time(admin, world):
    _router, peer, sessions = world
    form = page(admin, at(peer, "configure_sessions")).context["form"]
    assert abs(form["scheduled"].initial - timezone.now() - timedelta(hours=1)) < timedelta(minutes=2)
    data = {"pk": [one.pk for one in sessions], "_schedule": "1", "scheduled": "2001-01-01 00:00"}
    response = admin.post(at(peer, "configure_sessions"), data)
    assert "This time has passed" in response.content.decode()
    assert response.context["exchanges"][0].lans[0].rows[0].is_ticked
    admin.post(at(peer, "configure_sessions"), {**data, "scheduled": "2040-01-01 00:00"})
    deployment = Deployment.objects.get()
    assert deployment.scheduled.year in (2039, 2040)
    assert not deployment.automatic
    assert deployment.released_by.username == "admin"


def test_peer_group_and_type_are_changed_first_with_change_records(admin, world):
    _router, peer, [session, other] = world
    group = BGPPeerTemplate.objects.create(name="IX peers")
    customer = factories.make_relationship("Customer")
    data = {
        "pk": [session.pk],
        "_now": "1",
        f"peer_group-{session.pk}": group.pk,
        f"relationship-{session.pk}": customer.pk,
        # Not chosen, so left alone.
        f"relationship-{other.pk}": customer.pk,
    }
    admin.post(at(peer, "configure_sessions"), data)
    for each in (session, other):
        each.refresh_from_db()
    session.bgp_peer.refresh_from_db()
    assert (session.relationship, session.bgp_peer.peer_group) == (customer, group)
    assert other.relationship.name == "Peer"
    kinds = ObjectChange.objects.filter(action="update").values_list("changed_object_type__model", flat=True)
    assert sorted(kinds) == ["bgppeer", "peeringsession"]
    assert Deployment.objects.count() == 1


def another_port(session, name="rt2.tor"):
    """Our port on the session's LAN on another router."""
    router = make_router(name)
    return factories.make_connection(
        session.peering_network,
        factories.make_interface(router.device),
        "198.51.1.2/24",
        None,
        bgp_scope=factories.make_scope(router.device, asn=64501),
    )


def test_session_that_is_on_no_router_can_move_to_another(admin, world):
    _router, peer, [session, _other] = world
    connection = another_port(session)
    row = page(admin, at(peer, "configure_sessions")).context["exchanges"][0].lans[0].rows[0]
    assert [option.label for option in row.connections] == ["rt1.mtl Ethernet1", "rt2.tor Ethernet1"]
    data = {"pk": [session.pk], "_now": "1", f"connection-{session.pk}": connection.pk}
    admin.post(at(peer, "configure_sessions"), data)
    peer_row = type(session.bgp_peer).objects.get(pk=session.bgp_peer_id)
    assert (peer_row.scope, peer_row.source) == (connection.bgp_scope, connection.ipv4_address)
    assert peer_row.local_as.asn == 64501
    [family] = peer_row.address_families.all()
    assert family.address_family.scope == connection.bgp_scope
    assert Deployment.objects.get().router.device.name == "rt2.tor"


@pytest.mark.parametrize(("has", "gets"), [(64500, 64502), (64502, 64502), (64503, 64503)])
def test_session_that_moves_takes_the_as_of_the_port_unless_another_was_chosen(admin, world, has, gets):
    _router, peer, [session, _other] = world
    chosen = {asn: factories.make_peer_asn(asn, affiliated=True).asn for asn in (64500, 64502, 64503)}
    type(session.bgp_peer).objects.filter(pk=session.bgp_peer_id).update(local_as=chosen[has])
    connection = another_port(session)
    worlds.make_ix()
    for number, each in (
        (1, PeeringConnection.objects.exclude(pk=connection.pk).earliest("pk")),
        (2, connection),
    ):
        port = worlds.make_port(64502, f"198.51.1.{number}")
        PeeringConnection.objects.filter(pk=each.pk).update(peeringdb_id=port.pk)
    data = {"pk": [session.pk], "_now": "1", f"connection-{session.pk}": connection.pk}
    admin.post(at(peer, "configure_sessions"), data)
    moved = type(session.bgp_peer).objects.get(pk=session.bgp_peer_id)
    assert moved.scope == connection.bgp_scope
    assert moved.local_as.asn == gets


def test_session_that_is_on_a_router_stays_there(admin, world):
    _router, peer, [session, _other] = world
    connection = another_port(session)
    SessionConfiguration.objects.create(session=session, status="configured", as_of=timezone.now())
    row = page(admin, at(peer, "configure_sessions")).context["exchanges"][0].lans[0].rows[0]
    assert not row.connections
    data = {"pk": [session.pk], "_now": "1", f"connection-{session.pk}": connection.pk}
    response = admin.post(at(peer, "configure_sessions"), data)
    assert "is on a router already, so its connection stays" in response.content.decode()
    assert not Deployment.objects.exists()


def test_session_that_is_known_not_to_be_on_its_router_can_move(admin, world):
    _router, peer, [session, _other] = world
    another_port(session)
    SessionConfiguration.objects.create(session=session, status="not-configured", as_of=timezone.now())
    row = page(admin, at(peer, "configure_sessions")).context["exchanges"][0].lans[0].rows[0]
    assert len(row.connections) == 2
    data = {"pk": [session.pk], "_now": "1", f"connection-{session.pk}": row.connections[1].pk}
    admin.post(at(peer, "configure_sessions"), data)
    assert Deployment.objects.get().router.device.name == "rt2.tor"


def test_without_the_right_to_change_nothing_is_changed_and_nothing_sent(world):
    _router, peer, [session, _other] = world
    user = person("operator", "view", "add", "commit")
    allow(user, "netbox_peering_manager.relationship", "view")
    customer = factories.make_relationship("Customer")
    data = {"pk": [session.pk], "_now": "1", f"relationship-{session.pk}": customer.pk}
    response = client_of(user).post(at(peer, "configure_sessions"), data)
    assert "you may not change its relationship type." in response.content.decode()
    session.refresh_from_db()
    assert session.relationship.name == "Peer"
    assert not Deployment.objects.exists()


def limited(**rights):
    """Somebody who may change sessions and BGP peers, within these limits."""
    user = person("operator", "view", "add", "commit")
    for model in ("netbox_peering_manager.relationship", "netbox_peering_manager.peeringconnection"):
        allow(user, model, "view")
    allow(user, "netbox_routing.bgppeertemplate", "view")
    for model, limit in {"peeringsession": None, "bgppeer": None, **rights}.items():
        app = "netbox_peering_manager" if model == "peeringsession" else "netbox_routing"
        allow(user, f"{app}.{model}", "add" if model == "bgpaddressfamily" else "change", constraints=limit)
    return client_of(user)


def test_session_cannot_be_changed_into_one_that_the_user_may_not_change(world):
    """As in NetBox's own forms, what a row becomes has to be within the limits too."""
    _router, peer, [session, _other] = world
    customer = factories.make_relationship("Customer")
    client = limited(peeringsession={"relationship__slug": "peer"})
    data = {"pk": [session.pk], "_now": "1", f"relationship-{session.pk}": customer.pk}
    response = client.post(at(peer, "configure_sessions"), data)
    assert told(response) == [f"{session}: you may not give it this relationship type."]
    session.refresh_from_db()
    assert session.relationship.name == "Peer"
    assert not Deployment.objects.exists()
    assert not ObjectChange.objects.filter(action="update").exists()


def test_bgp_peer_cannot_be_changed_into_one_that_the_user_may_not_change(world):
    _router, peer, [session, _other] = world
    group = BGPPeerTemplate.objects.create(name="IX peers")
    client = limited(bgppeer={"peer_group__isnull": True})
    data = {"pk": [session.pk], "_now": "1", f"peer_group-{session.pk}": group.pk}
    response = client.post(at(peer, "configure_sessions"), data)
    assert told(response) == [f"{session}: you may not change its BGP peer to this."]
    session.bgp_peer.refresh_from_db()
    assert session.bgp_peer.peer_group is None
    assert not Deployment.objects.exists()


FAMILY = {"address_family__address_family": "ipv4-unicast"}


@pytest.mark.parametrize(
    ("rights", "why"),
    [
        ({"bgpaddressfamily": None}, "you may not change the address family ipv4-unicast of its BGP peer."),
        (
            {
                "bgpaddressfamily": None,
                "bgppeeraddressfamily": {**FAMILY, "address_family__scope__router__asn__asn": 64500},
            },
            "you may not change the address family ipv4-unicast of its BGP peer.",
        ),
        ({"bgppeeraddressfamily": None}, "you may not add the address family ipv4-unicast to "),
        (
            {"bgppeeraddressfamily": None, "bgpaddressfamily": {"address_family": "ipv6-unicast"}},
            "you may not add the address family ipv4-unicast to ",
        ),
        ({"bgppeeraddressfamily": FAMILY, "bgpaddressfamily": {"address_family": "ipv4-unicast"}}, ""),
    ],
)
def test_session_moves_only_with_the_rights_for_its_address_families(world, rights, why):
    _router, peer, [session, _other] = world
    connection, former = another_port(session), session.bgp_peer.scope
    data = {"pk": [session.pk], "_now": "1", f"connection-{session.pk}": connection.pk}
    response = limited(**rights).post(at(peer, "configure_sessions"), data)
    row = type(session.bgp_peer).objects.get(pk=session.bgp_peer_id)
    assert row.scope == (former if why else connection.bgp_scope)
    assert row.address_families.get().address_family.scope == row.scope
    assert connection.bgp_scope.address_families.exists() is not bool(why)
    assert Deployment.objects.exists() is not bool(why)
    if why:
        assert why in told(response)[0]


def test_nothing_that_the_page_did_not_offer_is_taken(world):
    _router, peer, [session, _other] = world
    user = person("operator", "view", "add", "commit")
    allow(user, "netbox_peering_manager.peeringsession", "change")
    hidden = factories.make_relationship("Hidden")
    data = {"pk": [session.pk], "_now": "1", f"relationship-{session.pk}": hidden.pk}
    response = client_of(user).post(at(peer, "configure_sessions"), data)
    assert "Something that you chose is no longer there" in response.content.decode()
    assert not Deployment.objects.exists()


def test_nothing_chosen_says_so(admin, world):
    _router, peer, _sessions = world
    response = admin.post(at(peer, "configure_sessions"), {"_now": "1"})
    assert told(response) == ["No peering sessions were selected."]


def test_page_costs_the_same_number_of_queries_for_3_and_for_20_sessions(admin):
    router = make_router()
    peer = factories.make_peer_asn(64496)

    def grow(numbers):
        for number in numbers:
            make_on(router, number)

    assert queries_for_few_and_many(lambda: page(admin, at(peer, "configure_sessions")), grow) <= 25


class TestMissingSessions:
    @pytest.fixture
    def peer(self):
        """A peer that is on two of our exchanges, with a session on neither."""
        for number in (1, 2):
            worlds.make_ix(number, name=f"IX {number}")
            worlds.make_side(number, name=f"IX {number}")
        net = worlds.make_net(64496)
        for number in (1, 2):
            worlds.make_port(net, f"198.51.{number}.42", lan=number)
        return factories.make_peer_asn(64496)

    def link(self, client, peer):
        shown = " ".join(page(client, at(peer, "configure_sessions")).content.decode().split())
        assert ("Add sessions that are missing" in shown) == (at(peer, "available_sessions") in shown)
        return re.search(r"Add sessions that are missing on \d+ exchanges?", shown)

    def test_page_leads_to_sessions_that_are_missing(self, admin, peer):
        assert self.link(admin, peer)[0] == "Add sessions that are missing on 2 exchanges"

    def test_without_any_there_is_no_link(self, admin, world):
        assert self.link(admin, world[1]) is None

    def test_exchanges_that_are_not_seen_are_not_counted(self, peer):
        user = person("noc", "add", "view")
        assert self.link(client_of(user), peer) is None
        allow(
            user,
            "netbox_peering_manager.peeringconnection",
            "view",
            constraints={"peering_network__fabric__name": "IX 1"},
        )
        assert self.link(client_of(user), peer)[0] == "Add sessions that are missing on 1 exchange"

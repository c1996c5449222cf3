"""Creating sessions in one form and by its REST twin, for each kind of user."""

from types import SimpleNamespace

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.models import ObjectChange
from ipam.models import IPAddress
from netbox_routing.models import BGPAddressFamily, BGPPeer, BGPPeerAddressFamily, BGPPeerTemplate

from netbox_peering_manager.models import PeerASN, PeeringSession
from netbox_peering_manager.services import secrets
from tests import factories, shared
from tests.sessions.people import browser, grant, is_selected, make_root, make_user, ours, rest

pytestmark = pytest.mark.django_db
PAGE = "plugins:netbox_peering_manager:peeringsession_create"
REST = "plugins-api:netbox_peering_manager-api:peeringsession-create"
# What the user of the form needs beside the right to add sessions.
ROWS = (
    "netbox_peering_manager.add_peerasn",
    "ipam.add_asn",
    "ipam.add_ipaddress",
    "netbox_routing.add_bgppeer",
    "netbox_routing.add_bgpaddressfamily",
    "netbox_routing.add_bgppeeraddressfamily",
)
SEEN = ours("view_relationship", "view_peeringconnection", "view_peeringnetwork", "view_peeringfabric")


def our_side():
    """Our connection with the AS behind it, an AS to peer with, and what to be to it."""
    factories.make_peer_asn(factories.LOCAL_ASN, affiliated=True)
    factories.make_asn(64496)
    return SimpleNamespace(
        connection=factories.make_connection(bgp_scope=factories.make_scope()),
        peer=factories.make_relationship("Peer"),
    )


made = shared.once(our_side)
connection = shared.copy("connection")
peer = shared.copy("peer")


def form_data(connection, relationship, /, **fields):
    network = connection.peering_network
    return {
        "remote_asn": 64496,
        "relationship": relationship.pk,
        "fabric": network.fabric_id,
        "peering_network": network.pk,
        "connection": connection.pk,
        "ipv4_remote_ip": "198.51.100.42",
        "status": "active",
        "enabled": "on",
        **fields,
    }


def submit(user, data):
    return browser(user).post(reverse(PAGE), data)


def refused(response, field, part):
    assert response.status_code == 200
    text = response.content.decode()
    assert part in text
    assert field is None or f'id="id_{field}_errors"' in text
    assert not PeeringSession.objects.exists()


def test_one_form_makes_both_sessions_in_one_request(connection, peer):
    group = BGPPeerTemplate.objects.create(name="IX-PEERS")
    response = submit(
        make_root(),
        form_data(
            connection,
            peer,
            ipv6_remote_ip="2001:db8:100::42",
            password="s3cret",
            peer_group=group.pk,
            ipv4_max_prefixes=100,
            ipv6_max_prefixes=50,
            service_reference="NOC-1",
            description="A peer",
            ttl=2,
        ),
    )
    four, six = PeeringSession.objects.order_by("pk")
    assert response.url == four.get_absolute_url()
    assert str(six.bgp_peer.peer.address) == "2001:db8:100::42/64"
    for session in (four, six):
        assert secrets.reveal_password(session) == "s3cret"
        assert session.bgp_peer.peer_group == group
        assert (session.ipv4_max_prefixes, session.ipv6_max_prefixes) == (100, 50)
    assert ObjectChange.objects.values("request_id").distinct().count() == 1
    assert "s3cret" not in str(list(ObjectChange.objects.values_list("postchange_data", flat=True)))


def test_creating_one_session_stays_within_its_query_budget(connection, peer):
    """The most there can be to make: the peer ASN and the address family are missing, and rights are looked up."""
    client = browser(make_user(*ours("add_peeringsession"), *SEEN, *ROWS))
    data = form_data(connection, peer)
    # Read once in the life of a process.
    ContentType.objects.get_for_models(PeerASN, IPAddress, BGPPeer, BGPAddressFamily, BGPPeerAddressFamily)
    ContentType.objects.get_for_model(PeeringSession)
    with CaptureQueriesContext(database) as queries:
        assert client.post(reverse(PAGE), data).status_code == 302
    assert len(queries) <= 60, "\n".join(query["sql"][:200] for query in queries)


def test_form_keeps_what_was_entered_but_never_the_password(connection, peer):
    response = submit(make_root(), form_data(connection, peer, ipv4_remote_ip="nonsense", password="s3cret"))
    refused(response, "ipv4_remote_ip", "is not an IP address")
    assert "s3cret" not in response.content.decode()


@pytest.mark.parametrize(
    ("fields", "field", "part"),
    [
        ({"ipv4_remote_ip": ""}, None, "Give the peer&#x27;s IPv4 address"),
        ({"ipv4_remote_ip": "203.0.113.1"}, "ipv4_remote_ip", "lies outside 198.51.100.0/24"),
        ({"ipv4_remote_ip": "2001:db8:100::42"}, "ipv4_remote_ip", "is not an IPv4 address"),
        ({"ipv6_remote_ip": "198.51.100.42"}, "ipv6_remote_ip", "is not an IPv6 address"),
        ({"ipv6_remote_ip": "2001:db8:999::42"}, "ipv6_remote_ip", "lies outside 2001:db8:100::/64"),
        ({"connection": ""}, "connection", "Choose our connection"),
        ({"connection": 99999}, "connection", "not one of the available choices"),
        ({"relationship": 99999}, "relationship", "not one of the available choices"),
        ({"remote_asn": 2**32}, "remote_asn", "4294967295"),
        ({"remote_asn": 0}, "remote_asn", "greater than or equal to 1"),
        ({"remote_asn": "AS64496"}, "remote_asn", "whole number"),
        ({"remote_asn": 4200000000}, "remote_asn", "belongs to no RIR"),
        ({"ttl": 256}, "ttl", "255"),
        ({"name": "x" * 101}, "name", "100"),
        ({"peering_network": "", "connection": "", "fabric": ""}, "scope", "choose the BGP scope"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(connection, peer, fields, field, part):
    refused(submit(make_root(), form_data(connection, peer, **fields)), field, part)


def test_network_of_another_fabric_is_refused(connection, peer):
    other = factories.make_fabric("AMS-IX")
    refused(
        submit(make_root(), form_data(connection, peer, fabric=other.pk)),
        "peering_network",
        "is not on AMS-IX",
    )


def test_connection_of_another_network_is_refused(connection, peer):
    other = factories.make_network("Second", ipv4="192.0.2.0/24", ipv6=None)
    data = form_data(connection, peer, peering_network=other.pk)
    refused(submit(make_root(), data), "connection", "is not on LINX LON1: Second")


def test_local_as_is_one_of_ours_only(connection, peer):
    stranger = factories.make_peer_asn(64511)
    data = form_data(connection, peer, local_as=stranger.pk)
    refused(submit(make_root(), data), "local_as", "not one of the available choices")


def test_session_without_a_lan_takes_scope_and_source(connection, peer):
    source = factories.make_address("203.0.113.1/30")
    data = form_data(connection, peer, fabric="", peering_network="", connection="")
    data |= {"scope": connection.bgp_scope_id, "ipv4_source": source.pk, "ipv4_remote_ip": "203.0.113.2"}
    assert submit(make_root(), data).status_code == 302
    session = PeeringSession.objects.get()
    assert (session.peering_network, session.bgp_peer.source) == (None, source)


def test_list_offers_the_form(connection):
    page = browser(make_root()).get(reverse("plugins:netbox_peering_manager:peeringsession_list"))
    assert f'href="{reverse(PAGE)}"' in page.content.decode()


def test_form_is_prefilled_from_the_address(connection):
    page = browser(make_root()).get(reverse(PAGE) + f"?connection={connection.pk}&remote_asn=64496")
    text = page.content.decode()
    assert is_selected(text, connection)
    assert 'value="64496"' in text


def test_create_and_add_another_comes_back_to_the_form(connection, peer):
    data = form_data(connection, peer, _addanother="")
    assert submit(make_root(), data).url == reverse(PAGE)


# Each kind of user, on the page and by REST.


def rest_data(connection, relationship, /, **fields):
    return {
        "relationship": relationship.pk,
        "remote_asn": 64496,
        "remote_ip": "198.51.100.42",
        "connection": connection.pk,
        **fields,
    }


def send(user, data):
    return rest(user).post(reverse(REST), data, format="json")


def test_anonymous_users_make_nothing(connection, peer):
    assert submit(None, form_data(connection, peer)).status_code == 302
    assert send(None, rest_data(connection, peer)).status_code in (401, 403)
    assert not PeeringSession.objects.exists()


@pytest.mark.parametrize("rights", [[], ours("view_peeringsession"), ours("change_peeringsession")])
def test_users_without_the_right_to_add_make_nothing(connection, peer, rights):
    user = make_user(*rights)
    assert submit(user, form_data(connection, peer)).status_code == 403
    assert browser(user).get(reverse(PAGE)).status_code == 403
    assert send(user, rest_data(connection, peer)).status_code == 403
    assert not PeeringSession.objects.exists()


def test_users_need_to_see_what_they_choose(connection, peer):
    user = make_user(*ours("add_peeringsession"), *ROWS)
    refused(submit(user, form_data(connection, peer)), "connection", "not one of the available choices")
    response = send(user, rest_data(connection, peer))
    assert response.status_code == 400
    assert set(response.json()) == {"relationship", "connection"}


def test_users_need_the_right_to_each_row(connection, peer):
    user = make_user(*ours("add_peeringsession"), *SEEN)
    refused(submit(user, form_data(connection, peer)), "remote_asn", "You may not add the peer ASN")
    response = send(user, rest_data(connection, peer))
    assert response.status_code == 400
    assert "You may not add" in response.json()["remote_asn"][0]


def test_users_with_the_rights_make_sessions(connection, peer):
    user = make_user(*ours("add_peeringsession"), *SEEN, *ROWS)
    assert submit(user, form_data(connection, peer)).status_code == 302
    response = send(user, rest_data(connection, peer, remote_ip="198.51.100.43"))
    assert response.status_code == 201
    assert PeeringSession.objects.count() == 2


def test_constrained_users_make_what_fits_their_constraints(connection, peer):
    user = make_user(*SEEN, *ROWS)
    grant(user, *ours("add_peeringsession"), constraints={"relationship__slug": "customer"})
    refused(submit(user, form_data(connection, peer)), None, "You may not add the peering session")
    assert send(user, rest_data(connection, peer)).status_code == 400
    assert not PeeringSession.objects.exists()
    customer = factories.make_relationship("Customer")
    assert send(user, rest_data(connection, customer)).status_code == 201


# REST.


def test_rest_makes_sessions_and_shows_them_without_their_passwords(connection, peer):
    response = send(
        make_root(),
        [
            rest_data(connection, peer, password="s3cret", tags=[]),
            rest_data(connection, peer, remote_ip="2001:db8:100::42"),
        ],
    )
    assert response.status_code == 201
    assert "s3cret" not in response.content.decode()
    four, six = response.json()
    assert (four["has_password"], six["has_password"]) == (True, False)
    assert four["remote_as"]["asn"] == 64496
    assert six["bgp_peer"]["peer"]["address"] == "2001:db8:100::42/64"


def test_rest_tells_which_of_several_is_refused_and_makes_none(connection, peer):
    response = send(
        make_root(), [rest_data(connection, peer), rest_data(connection, peer, remote_ip="203.0.113.1")]
    )
    assert response.status_code == 400
    first, second = response.json()
    assert first == {}
    assert "lies outside" in second["remote_ip"][0]
    assert not PeeringSession.objects.exists()
    assert not ObjectChange.objects.exists()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"connection": 99999}, "connection"),
        ({"relationship": "x"}, "relationship"),
        ({"scope": 99999}, "scope"),
        ({"source": 99999}, "source"),
        ({"peer_group": 99999}, "peer_group"),
        ({"bfd": []}, "bfd"),
        ({"local_as": 99999}, "local_as"),
        ({"remote_asn": 2**32}, "remote_asn"),
        ({"remote_asn": "x"}, "remote_asn"),
        ({"remote_ip": None}, "remote_ip"),
        ({"remote_ip": "198.51.100.42/24"}, "remote_ip"),
        ({"status": "x"}, "status"),
        ({"ttl": 0}, "ttl"),
        ({"enabled": "maybe"}, "enabled"),
        ({"ipv4_max_prefixes": -1}, "ipv4_max_prefixes"),
        ({"tags": [99999]}, "tags"),
        ({"connection": None}, "scope"),
    ],
)
def test_rest_names_the_field_of_bad_input(connection, peer, fields, field):
    response = send(make_root(), rest_data(connection, peer, **fields))
    assert response.status_code == 400, response.content
    assert field in response.json()


@pytest.mark.parametrize("data", ["text", 7, [7]])
def test_rest_refuses_what_is_no_session(connection, peer, data):
    assert send(make_root(), data).status_code == 400

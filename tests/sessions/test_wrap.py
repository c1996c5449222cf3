"""Wrapping a BGP peer, as the form does it: one session for each, on a LAN that its addresses lie in."""

import pytest
from django.urls import reverse
from django.utils.html import escape

from netbox_routing.models import BGPSessionTemplate

from netbox_peering_manager.models import PeerASN, PeeringSession
from tests import factories
from tests.sessions.people import browser, is_selected, make_full_session, make_root, rest

pytestmark = pytest.mark.django_db
UI = "plugins:netbox_peering_manager:peeringsession"
REST = "plugins-api:netbox_peering_manager-api:peeringsession"


@pytest.fixture
def network():
    return factories.make_network()


@pytest.fixture
def client():
    return browser(make_root())


def wrap(client, peer, **fields):
    data = {"bgp_peer": peer.pk, "relationship": factories.make_relationship().pk, **fields}
    return client.post(
        reverse(f"{UI}_add"), {name: value for name, value in data.items() if value is not None}
    )


def refused(response, *parts):
    """The page that shows the form again, which says all these parts."""
    assert response.status_code == 200
    text = response.content.decode()
    for part in parts:
        assert part in text
    return text


def test_walkthrough_of_the_form(client, network):
    peer = factories.make_bgp_peer()
    response = wrap(client, peer, peering_network=network.pk, service_reference="NOC-12345")
    session = PeeringSession.objects.get()
    assert response.url == session.get_absolute_url()
    assert (session.bgp_peer, session.peering_network) == (peer, network)
    assert session.service_reference == "NOC-12345"


def test_second_session_of_a_bgp_peer_is_refused_with_a_link_to_the_first(client):
    session = make_full_session()
    response = wrap(client, session.bgp_peer)
    refused(
        response,
        "has a peering session already",
        f'<a href="{session.get_absolute_url()}">{escape(session)}</a>',
    )


def test_link_to_the_first_escapes_its_name(client):
    session = make_full_session(name='<b id="evil"> & "friends"')
    text = refused(wrap(client, session.bgp_peer), "has a peering session already")
    assert '<b id="evil">' not in text


def test_session_can_be_saved_again_with_its_own_bgp_peer(client):
    session = make_full_session()
    data = {"bgp_peer": session.bgp_peer_id, "relationship": session.relationship_id, "description": "New"}
    assert client.post(reverse(f"{UI}_edit", args=[session.pk]), data).status_code == 302


def test_network_of_another_fabric_is_refused(client, network):
    other = factories.make_fabric("AMS-IX")
    response = wrap(client, factories.make_bgp_peer(), fabric=other.pk, peering_network=network.pk)
    refused(response, "LINX LON1: LINX LON1 Main is not on AMS-IX")


def test_address_outside_the_lan_is_refused_with_the_reason(client, network):
    response = wrap(client, factories.make_bgp_peer("203.0.113.42/24"), peering_network=network.pk)
    refused(response, "203.0.113.42/24 lies outside 198.51.100.0/24")


def test_family_that_the_lan_has_not_is_refused(client):
    network = factories.make_network(ipv6=None)
    response = wrap(client, factories.make_bgp_peer("2001:db8:100::42/64"), peering_network=network.pk)
    refused(response, "has no IPv6 prefix")


def test_address_in_another_vrf_is_refused(client, network):
    from ipam.models import VRF

    vrf = VRF.objects.create(name="Customers")
    response = wrap(client, factories.make_bgp_peer(vrf=vrf), peering_network=network.pk)
    refused(response, "is in Customers, but", "is in the global table")


def test_source_on_another_network_is_refused(client, network):
    other = factories.make_network(
        "Second", factories.make_fabric("AMS-IX"), ipv4="192.0.2.0/24", ipv6="2001:db8:200::/64"
    )
    connection = factories.make_connection(other, ipv4="192.0.2.1/24", ipv6="2001:db8:200::1/64")
    peer = factories.make_bgp_peer(source=connection.ipv4_address)
    refused(wrap(client, peer, peering_network=network.pk), "lies outside 198.51.100.0/24", "AMS-IX: Second")


def test_link_local_peer_is_on_every_lan(client, network):
    assert wrap(client, factories.make_bgp_peer("fe80::42/64"), peering_network=network.pk).status_code == 302


def test_local_as_that_is_not_ours_is_refused(client):
    factories.make_peer_asn(factories.LOCAL_ASN, affiliated=False)
    refused(wrap(client, factories.make_bgp_peer()), "is not affiliated")


def test_local_as_of_the_router_that_is_not_ours_is_refused(client):
    factories.make_peer_asn(factories.LOCAL_ASN, affiliated=False)
    text = refused(wrap(client, factories.make_bgp_peer(local_as=None)), "is not affiliated")
    assert "AS64500, the local AS of" in text
    assert not PeeringSession.objects.exists()


@pytest.mark.parametrize("generations", [1, 2])
def test_local_as_of_a_session_template_counts_and_not_the_routers(client, generations):
    factories.make_peer_asn(factories.LOCAL_ASN, affiliated=True)
    foreign = factories.make_peer_asn(64501, affiliated=False)
    template = BGPSessionTemplate.objects.create(name="oldest", local_as=foreign.asn)
    for number in range(1, generations):
        template = BGPSessionTemplate.objects.create(name=f"{number} younger", parent=template)
    peer = factories.make_bgp_peer(local_as=None, peer_session=template)
    refused(wrap(client, peer), "AS64501, the local AS of", "is not affiliated")
    PeerASN.objects.filter(pk=foreign.pk).update(affiliated=True)
    PeerASN.objects.exclude(pk=foreign.pk).update(affiliated=False)
    assert wrap(client, peer).status_code == 302


def test_local_as_of_its_own_counts_and_not_what_it_could_inherit(client):
    factories.make_peer_asn(factories.LOCAL_ASN, affiliated=False)
    ours = factories.make_peer_asn(64501, affiliated=True)
    assert wrap(client, factories.make_bgp_peer(local_as=ours.asn)).status_code == 302


def test_inherited_local_as_that_nobody_knows_is_no_reason_to_refuse(client):
    assert wrap(client, factories.make_bgp_peer(local_as=None)).status_code == 302


def test_form_is_prefilled_from_the_address(client):
    peer = factories.make_bgp_peer()
    page = client.get(reverse(f"{UI}_add") + f"?bgp_peer={peer.pk}").content.decode()
    assert is_selected(page, peer)


@pytest.mark.parametrize("field", ["bgp_peer", "relationship", "peering_network"])
def test_unknown_ids_are_told_at_their_field(client, field):
    text = refused(wrap(client, factories.make_bgp_peer(), **{field: 99999}))
    assert f"id_{field}_errors" in text


def post(**data):
    return rest(make_root()).post(reverse(f"{REST}-list"), data, format="json")


@pytest.mark.parametrize("value", [99999, "x", [], None, -1])
@pytest.mark.parametrize("field", ["bgp_peer", "relationship"])
def test_rest_names_the_field_of_what_is_not_there(field, value):
    data = {"bgp_peer": factories.make_bgp_peer().pk, "relationship": factories.make_relationship().pk}
    response = post(**{**data, field: value})
    assert response.status_code == 400
    assert field in response.json()


def test_rest_refuses_a_second_session_of_a_bgp_peer_and_names_the_first():
    session = make_full_session()
    response = post(bgp_peer=session.bgp_peer_id, relationship=session.relationship_id)
    assert response.status_code == 400
    assert f"(ID {session.pk})" in response.json()["bgp_peer"][0]


def test_rest_refuses_addresses_outside_the_lan(network):
    peer = factories.make_bgp_peer("203.0.113.42/24")
    response = post(
        bgp_peer=peer.pk, relationship=factories.make_relationship().pk, peering_network=network.pk
    )
    assert response.status_code == 400
    assert "lies outside" in response.json()["peering_network"][0]

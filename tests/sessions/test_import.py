"""Importing sessions: naming the BGP peer, and rows that are wrong."""

import pytest
from django.urls import reverse

from ipam.models import VRF

from netbox_peering_manager.models import PeeringSession
from netbox_peering_manager.services import secrets
from tests import factories
from tests.queries import queries_of
from tests.sessions.people import browser, make_full_session, make_root, make_user, ours

pytestmark = pytest.mark.django_db
ADDRESS = "plugins:netbox_peering_manager:peeringsession_bulk_import"


@pytest.fixture(autouse=True)
def relationship():
    return factories.make_relationship("Peer")


def send(*lines, user=None, **fields):
    data = {
        "data": "\n".join(lines),
        "format": "csv",
        "csv_delimiter": ",",
        "import_method": "direct",
        **fields,
    }
    return browser(user or make_root()).post(reverse(ADDRESS), data)


def refused(response, *parts):
    assert response.status_code == 200
    text = response.content.decode()
    for part in parts:
        assert part in text
    assert not PeeringSession.objects.exists()


def test_bgp_peer_is_found_by_device_and_address():
    peer = factories.make_bgp_peer()
    network = factories.make_network()
    response = send(
        "device,address,relationship,fabric,peering_network,service_reference,is_route_server,password",
        "rt1.mtl,198.51.100.42,peer,LINX LON1,LINX LON1 Main,NOC-1,true,s3cret",
    )
    assert response.status_code == 302
    session = PeeringSession.objects.get()
    assert (session.bgp_peer, session.peering_network) == (peer, network)
    assert session.is_route_server
    assert secrets.reveal_password(session) == "s3cret"


def test_local_as_that_is_inherited_and_not_ours_is_refused():
    factories.make_peer_asn(factories.LOCAL_ASN, affiliated=False)
    factories.make_bgp_peer(local_as=None)
    response = send("device,address,relationship", "rt1.mtl,198.51.100.42,peer")
    refused(response, "AS64500, the local AS of", "is not affiliated")


def test_queries_of_a_row_are_the_same_whether_its_local_as_is_its_own_or_its_routers():
    factories.make_peer_asn(factories.LOCAL_ASN, affiliated=True)
    root = make_root()
    factories.make_bgp_peer("198.51.100.42/24")
    factories.make_bgp_peer("198.51.100.43/24", local_as=None)

    def queries(address):
        line = f"rt1.mtl,{address},peer"
        counted = queries_of(lambda: send("device,address,relationship", line, user=root))
        assert PeeringSession.objects.count() == 1
        PeeringSession.objects.all().delete()
        return counted

    queries("198.51.100.42")
    assert queries("198.51.100.43") == queries("198.51.100.42")


def test_vrf_tells_peers_of_one_address_apart():
    factories.make_bgp_peer()
    vrf = VRF.objects.create(name="Customers", rd="64500:1")
    inside = factories.make_bgp_peer(scope=factories.make_scope(vrf=vrf), vrf=vrf)
    assert send("device,address,vrf,relationship", "rt1.mtl,198.51.100.42,Customers,peer").status_code == 302
    assert PeeringSession.objects.get().bgp_peer == inside


def test_fabric_tells_networks_of_one_name_apart():
    factories.make_network("Main")
    other = factories.make_network("Main", factories.make_fabric("AMS-IX"), ipv4="192.0.2.0/24", ipv6=None)
    peer = factories.make_bgp_peer("192.0.2.42/24")
    lines = ("bgp_peer,relationship,fabric,peering_network", f"{peer.pk},peer,AMS-IX,Main")
    assert send(*lines).status_code == 302
    assert PeeringSession.objects.get().peering_network == other


def test_network_name_on_several_fabrics_needs_the_fabric():
    factories.make_network("Main")
    factories.make_network("Main", factories.make_fabric("AMS-IX"), ipv4="192.0.2.0/24", ipv6=None)
    peer = factories.make_bgp_peer("192.0.2.42/24")
    refused(send("bgp_peer,relationship,peering_network", f"{peer.pk},peer,Main"), "Record 1 peering_network")


@pytest.mark.parametrize(
    ("row", "column", "part"),
    [
        ("rt1.mtl,198.51.100.77,peer,,", "bgp_peer", "has no BGP peer at 198.51.100.77"),
        (",198.51.100.42,peer,,", "bgp_peer", "Give the ID of the BGP peer"),
        ("rt9.mtl,198.51.100.42,peer,,", "device", "rt9.mtl"),
        ("rt1.mtl,198.51.100,peer,,", "address", "valid IPv4 or IPv6"),
        ("rt1.mtl,198.51.100.42,nonsense,,", "relationship", "nonsense"),
        ("rt1.mtl,198.51.100.42,,,", "relationship", "required"),
        ("rt1.mtl,198.51.100.42,peer,NOWHERE,", "fabric", "NOWHERE"),
        ("rt1.mtl,198.51.100.42,peer,,Nonsense", "peering_network", "Nonsense"),
        ("rt1.mtl,198.51.100.42,peer,AMS-IX,LINX LON1 Main", "peering_network", "LINX LON1 Main"),
        ("rt1.mtl,198.51.100.42,peer,,Second", "peering_network", "lies outside"),
    ],
)
def test_bad_row_is_named_with_its_column_and_nothing_is_imported(row, column, part):
    good = factories.make_bgp_peer("198.51.100.41/24")
    factories.make_bgp_peer(scope=good.scope)
    factories.make_network()
    factories.make_network("Second", factories.make_fabric("AMS-IX"), ipv4="192.0.2.0/24", ipv6=None)
    response = send("device,address,relationship,fabric,peering_network", "rt1.mtl,198.51.100.41,peer,,", row)
    refused(response, f"Record 2 {column}", part)


def test_two_rows_of_one_bgp_peer_are_refused():
    peer = factories.make_bgp_peer()
    refused(
        send("bgp_peer,relationship", f"{peer.pk},peer", f"{peer.pk},peer"),
        "Record 2 bgp_peer",
        "has a peering session already",
    )


def test_unknown_column_is_named():
    peer = factories.make_bgp_peer()
    refused(send("bgp_peer,relationship,colour", f"{peer.pk},peer,red"), "Unrecognized header: colour")


def test_update_leaves_what_the_file_has_not():
    session = make_full_session()
    assert send("id,service_reference", f"{session.pk},NOC-7").status_code == 302
    session.refresh_from_db()
    assert session.service_reference == "NOC-7"
    assert session.has_password


def test_rows_reach_only_what_the_user_may_see():
    peer = factories.make_bgp_peer()
    user = make_user(*ours("add_peeringsession", "view_relationship"))
    refused(send("bgp_peer,relationship", f"{peer.pk},peer", user=user), "Record 1 bgp_peer")


def test_passwords_are_not_put_into_the_job_queue():
    peer = factories.make_bgp_peer()
    response = send("bgp_peer,relationship,password", f"{peer.pk},peer,s3cret", background_job="on")
    refused(response, "not put into the job queue")


def test_refused_file_is_shown_again_but_a_password_never_in_the_message():
    response = send("bgp_peer,relationship,password", "99999,peer,s3cret")
    messages = [str(error) for error in response.context["form"].errors.values()]
    assert messages
    assert not any("s3cret" in message for message in messages)

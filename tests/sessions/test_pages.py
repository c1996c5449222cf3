"""What the pages show, to whom, and that none of them asks the database more for more rows."""

import html
import re

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from netbox_routing.models import (
    BFDProfile,
    BGPAddressFamily,
    BGPPeerAddressFamily,
    BGPPeerTemplate,
    BGPSessionTemplate,
    PrefixList,
    RouteMap,
)

from netbox_peering_manager.models import PeeringConnection, PeeringRouter, PeeringSession, RemovedSession
from netbox_peering_manager.tables import PeeringSessionTable
from tests import factories
from tests.sessions.people import (
    browser,
    grant,
    is_selected,
    make_full_session,
    make_root,
    make_user,
    ours,
    rest,
)

pytestmark = pytest.mark.django_db
UI = "plugins:netbox_peering_manager:"
HTMX = {"HTTP_HX_REQUEST": "true"}


def show(session, user=None):
    return browser(user or make_root()).get(session.get_absolute_url()).content.decode()


def test_page_shows_what_the_bgp_peer_says():
    group = BGPPeerTemplate.objects.create(name="IX-PEERS")
    template = BGPSessionTemplate.objects.create(
        name="Fast",
        ttl=3,
        bfd=BFDProfile.objects.create(name="300ms", min_tx_int=300, min_rx_int=300, multiplier=3),
    )
    session = make_full_session(peer_group=group, peer_session=template)
    factories.make_peer_asn(64496, name="Example Net")
    own = session.bgp_peer.address_families.get()
    own.routemap_in = RouteMap.objects.create(name="PEERS-IN")
    own.prefixlist_out = PrefixList.objects.create(name="OURS", family=4)
    own.save()
    family = BGPAddressFamily.objects.create(scope=session.bgp_peer.scope, address_family="ipv6-unicast")
    BGPPeerAddressFamily.objects.create(
        assigned_object=group, address_family=family, routemap_out=RouteMap.objects.create(name="PEERS-OUT")
    )
    text = show(session)
    for part in (
        "198.51.100.42/24",
        "198.51.100.1/24",
        "Example Net",
        "rt1.mtl",
        "IX-PEERS",
        "300ms",
        "from session template Fast",
        "PEERS-IN",
        "OURS",
        "From peer group IX-PEERS",
        "PEERS-OUT",
        "Ethernet1",
    ):
        assert part in text, part
    assert session.remote_as.peer_asn.get_absolute_url() in text
    assert session.local_as.peer_asn.get_absolute_url() in text


def test_page_leads_to_the_peering_router_for_who_may_view_it():
    session = make_full_session()
    router = PeeringRouter.objects.create(device=session.device)
    link = f'<a href="{router.get_absolute_url()}">{router}</a>'
    assert link in show(session)
    user = make_user(*ours("view_peeringsession"))
    assert link not in show(session, user)
    grant(user, *ours("view_peeringrouter"), constraints={"device__name": "another"})
    assert link not in show(session, user)


def test_page_leads_to_the_form_for_more_sessions_for_who_may_add_them():
    session = make_full_session()
    address = reverse(f"{UI}peeringsession_create")
    assert f'href="{address}"' in show(session)
    user = make_user(*ours("view_peeringsession", "change_peeringsession"))
    assert address not in show(session, user)
    grant(user, *ours("add_peeringsession"))
    assert f'href="{address}"' in show(session, user)


def test_missing_connection_is_warned_of_with_a_prefilled_button():
    session = make_full_session()
    PeeringConnection.objects.all().delete()
    text = show(session)
    assert "has no connection on" in text
    link = f"connections/add/?peering_network={session.peering_network_id}&amp;device={session.device.pk}"
    assert link in text
    viewer = make_user(*ours("view_peeringsession"))
    text = show(session, viewer)
    assert "has no connection on" in text
    assert "connections/add/" not in text


def test_connection_that_one_may_not_see_is_neither_shown_nor_called_missing():
    text = show(make_full_session(), make_user(*ours("view_peeringsession")))
    assert "has no connection on" not in text
    assert "Ethernet1" not in text


def test_several_connections_ask_for_a_source_address():
    session = make_full_session()
    second = factories.make_interface(session.device, "Ethernet2")
    factories.make_connection(session.peering_network, second, "198.51.100.2/24", "2001:db8:100::2/64")
    session.bgp_peer.source = None
    session.bgp_peer.save()
    assert "has several connections on" in show(session)


def test_session_on_no_lan_has_no_warning():
    session = factories.make_session(factories.make_bgp_peer("203.0.113.9/32"))
    text = show(session)
    assert "is on no LAN" in text
    assert "has no connection on" not in text


def test_local_as_without_peer_asn_is_warned_of_with_a_prefilled_button():
    session = factories.make_session()
    text = show(session)
    assert "has no peer ASN yet" in text
    assert f"peer-asns/add/?asn={session.local_as.pk}&amp;affiliated=on" in text
    assert "has no peer ASN yet" not in show(make_full_session(43), make_root("second"))


def test_hostile_text_is_escaped_everywhere():
    session = make_full_session(name='<script>alert("n")</script>')
    session.description = "<script>alert('d')</script>\nBölge \"quoted\""
    session.service_reference = "<script>alert('r')</script>"
    session.save()
    RemovedSession.objects.create(
        device=session.device, remote_ip="198.51.100.9", name="<script>alert(3)</script>"
    )
    client = browser(make_root())
    addresses = (
        session.get_absolute_url(),
        reverse(f"{UI}peeringsession_list") + "?include_columns=description,service_reference",
        reverse(f"{UI}peeringsession_delete", args=[session.pk]),
        reverse("dcim:device_peering_sessions", args=[session.device.pk]),
        session.bgp_peer.get_absolute_url(),
    )
    for address in addresses:
        text = client.get(address).content.decode()
        assert "&lt;script&gt;" in text, address
        assert "<script>alert" not in text, address


def test_relationship_page_has_its_session_table():
    session = make_full_session()
    client = browser(make_root())
    text = client.get(session.relationship.get_absolute_url()).content.decode()
    address = reverse(f"{UI}peeringsession_list")
    assert f"relationship_id={session.relationship_id}" in text
    table = client.get(f"{address}?relationship_id={session.relationship_id}&embedded=True", **HTMX)
    assert str(session) in table.content.decode()


def test_relationship_list_counts_the_sessions_that_one_may_see():
    session = make_full_session()
    make_full_session(43)
    user = make_user(*ours("view_relationship"))
    grant(user, *ours("view_peeringsession"), constraints={"pk": session.pk})
    address = f"{reverse(f'{UI}peeringsession_list')}?relationship_id={session.relationship_id}"
    text = browser(user).get(reverse(f"{UI}relationship_list")).content.decode()
    assert f'<a href="{address}">1</a>' in text


def test_bgp_peers_page_shows_its_session():
    session = make_full_session()
    root = make_root()
    text = browser(root).get(session.bgp_peer.get_absolute_url()).content.decode()
    assert session.get_absolute_url() in text
    blind = make_user("netbox_routing.view_bgppeer", *ours("add_peeringsession"))
    text = browser(blind).get(session.bgp_peer.get_absolute_url()).content.decode()
    assert session.get_absolute_url() not in text
    assert "Add peering session" not in text


def test_bgp_peers_page_offers_to_add_a_session():
    peer = factories.make_bgp_peer()
    link = f"sessions/add/?bgp_peer={peer.pk}"
    assert link in browser(make_root()).get(peer.get_absolute_url()).content.decode()
    viewer = make_user("netbox_routing.view_bgppeer", *ours("view_peeringsession"))
    assert link not in browser(viewer).get(peer.get_absolute_url()).content.decode()


# Queries.


@factories.look_ups_kept()
def many(first, last):
    """Sessions that differ in everything a table shows: AS, peer group, VRF, tags."""
    for host in range(first, last):
        session = make_full_session(
            host,
            asn=64600 + host,
            peer_group=BGPPeerTemplate.objects.create(name=f"G{host}"),
            peer_session=BGPSessionTemplate.objects.create(name=f"S{host}"),
        )
        factories.make_peer_asn(64600 + host, name=f"Peer {host}")
    return session


def count(client, address, **headers):
    ContentType.objects.clear_cache()
    client.get(address, **headers)
    with CaptureQueriesContext(database) as queries:
        response = client.get(address, **headers)
    assert response.status_code == 200
    return len(queries)


ALL_COLUMNS = ",".join(PeeringSessionTable.Meta.fields)
GRAPHQL = "{peering_session_list{id relationship{name} peering_network{name} bgp_peer{id name}}}"


def budget(addresses):
    """The queries of each address with 3 sessions and with 20: the same, and how many."""
    many(10, 13)
    before = [measure() for measure in addresses]
    many(20, 37)
    after = [measure() for measure in addresses]
    assert before == after
    return after


def test_queries_of_lists_do_not_grow_with_their_rows():
    client, api = browser(make_root()), rest(make_root("api"))
    listed = reverse(f"{UI}peeringsession_list")
    every_column = f"{listed}?include_columns={ALL_COLUMNS}&per_page=100"
    table, page, listed_by_rest, export = budget(
        (
            lambda: count(client, every_column, **HTMX),
            lambda: count(client, listed),
            lambda: count(api, reverse("plugins-api:netbox_peering_manager-api:peeringsession-list")),
            lambda: count(client, f"{listed}?export=table"),
        )
    )
    assert table <= 30
    assert listed_by_rest <= 25
    assert page <= 40
    assert export <= 30


def test_queries_of_detail_pages_and_tabs_do_not_grow_with_sessions():
    session = make_full_session()
    client = browser(make_root())
    budget(
        (
            lambda: count(client, session.get_absolute_url()),
            lambda: count(client, session.relationship.get_absolute_url()),
            lambda: count(client, reverse("dcim:device_peering_sessions", args=[session.device.pk])),
            lambda: count(client, session.bgp_peer.get_absolute_url()),
        )
    )


def test_queries_of_graphql_do_not_grow_with_sessions():
    client = browser(make_root())

    def measure():
        with CaptureQueriesContext(database) as queries:
            response = client.post(reverse("graphql"), {"query": GRAPHQL}, content_type="application/json")
        assert "errors" not in response.json()
        return len(queries)

    budget((measure, measure))


def test_every_column_is_the_rows_own():
    session = many(10, 11)
    rows = PeeringSession.objects.with_bgp()
    row = PeeringSessionTable(rows).rows[0]
    shown = {
        name: str(row.get_cell(name))
        for name in PeeringSessionTable.Meta.fields
        if name not in ("pk", "actions")
    }
    assert str(session) in shown["name"]
    assert "Peer 10" in shown["peer_name"]
    assert "64610" in shown["remote_as"]
    assert "Ethernet1" in shown["connection"]
    assert "mdi-lock" in shown["has_password"]
    assert session.relationship.color in shown["relationship"]
    assert "Active" in shown["status"]


def test_connection_column_shows_only_what_one_may_see():
    make_full_session()
    user = make_user(*ours("view_peeringsession"))
    address = reverse(f"{UI}peeringsession_list") + "?include_columns=connection"
    assert "Ethernet1" not in browser(user).get(address, **HTMX).content.decode()
    grant(user, *ours("view_peeringconnection"))
    assert "Ethernet1" in browser(user).get(address, **HTMX).content.decode()


def test_buttons_of_the_warnings_lead_to_forms_that_are_filled_in():
    session = make_full_session()
    PeeringConnection.objects.all().delete()
    client = browser(make_root())
    text = show(session, make_root("second"))
    link = html.unescape(re.search(r'href="([^"]*connections/add/\?[^"]*)"', text)[1])
    form = client.get(link).content.decode()
    assert is_selected(form, session.peering_network)
    assert is_selected(form, session.device)
    unknown = factories.make_session(
        factories.make_bgp_peer("203.0.113.9/32", local_as=factories.make_asn(64505))
    )
    link = html.unescape(
        re.search(r'href="([^"]*peer-asns/add/\?[^"]*)"', show(unknown, make_root("third")))[1]
    )
    form = client.get(link).content.decode()
    assert is_selected(form, unknown.local_as)
    assert re.search(r'name="affiliated"[^>]*checked', " ".join(form.split()))

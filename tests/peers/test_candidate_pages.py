"""Available peers, available sessions and the ranking, as pages: what they list, filter, sort, save and export."""

import re
from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from extras.models import SavedFilter, TableConfig
from users.models import User

from netbox_peering_manager.models import (
    HiddenPeer,
    PeerASN,
    PeeringConnection,
    PeeringDBWatermark,
    PeeringFabric,
)
from netbox_peering_manager.services.peeringdb.site import site_url
from netbox_peering_manager.tables import AvailablePeerTable, AvailableSessionTable, PeerRankingTable
from tests import factories, shared
from tests.peers import worlds
from tests.peers.people import allowed

pytestmark = pytest.mark.django_db

RANKING = reverse("plugins:netbox_peering_manager:peer_ranking")
HTMX = {"HTTP_HX_REQUEST": "true"}


def peers_of(fabric):
    return reverse("plugins:netbox_peering_manager:peeringfabric_available_peers", args=[fabric.pk])


def sessions_of(peer):
    return reverse("plugins:netbox_peering_manager:peerasn_available_sessions", args=[peer.pk])


@factories.look_ups_kept()
def build():
    """Our port on an exchange that PeeringDB knows, and somebody who may do everything."""
    worlds.make_ix()
    PeeringDBWatermark.objects.create(tag="netixlan", updated=1, synced=timezone.now())
    return SimpleNamespace(side=worlds.make_side(), user=User.objects.create_superuser("admin"))


made = shared.once(build)
side = shared.copy("side")
user = shared.copy("user")


@pytest.fixture
def admin(client, user):
    client.force_login(user)
    return user


@pytest.fixture
def fabric(side):
    return side.peering_network.fabric


def listed(response):
    """The AS numbers of a page's rows, in their order."""
    assert response.status_code == 200
    return [row.record.asn for row in response.context["table"].page.object_list]


def text_of(response):
    return " ".join(response.content.decode().split())


# What is listed


def make_left_out(fabric):
    """Ports that a list leaves out: ours, hidden, not operational; and one that it shows."""
    factories.make_peer_asn(64500, affiliated=True)
    HiddenPeer.objects.create(asn=64497, fabric=fabric)
    for asn in (64496, 64497, 64500):
        worlds.make_port(asn, f"198.51.1.{asn - 64400}")
    worlds.make_port(64498, "198.51.1.98", operational=False)


def test_own_hidden_and_dead_ports_are_left_out_until_asked_for(client, admin, fabric):
    make_left_out(fabric)
    url = peers_of(fabric)
    assert listed(client.get(url, **HTMX)) == [64496]
    for query, expected in (
        ("own=also", {64496, 64500}),
        ("own=only", {64500}),
        ("hidden=also", {64496, 64497}),
        ("hidden=only", {64497}),
        ("not_operational=also", {64496, 64498}),
        ("not_operational=only", {64498}),
        ("own=also&hidden=also&not_operational=also", {64496, 64497, 64498, 64500}),
    ):
        assert set(listed(client.get(f"{url}?{query}", **HTMX))) == expected, query


def test_entry_that_one_may_not_view_keeps_hiding_whatever_is_asked_for(client, fabric):
    make_left_out(fabric)
    user = allowed(User.objects.create_user("reader"), PeeringFabric, PeeringConnection)
    client.force_login(user)
    for query in ("", "?hidden=also"):
        assert listed(client.get(peers_of(fabric) + query, **HTMX)) == [64496]
    assert listed(client.get(peers_of(fabric) + "?hidden=only", **HTMX)) == []
    client.force_login(allowed(user, HiddenPeer))
    assert listed(client.get(peers_of(fabric) + "?hidden=only", **HTMX)) == [64497]


def test_row_leads_to_peer_asn_sessions_fabric_and_peeringdb(client, admin, side, fabric):
    net = worlds.make_net(64496, name="Aurora <b>", policy_general="Open", info_types=["Content", "NSP"])
    worlds.make_port(net, "198.51.1.10", speed=100000)
    peer = factories.make_peer_asn(64496)
    factories.make_session(factories.make_bgp_peer("203.0.113.1/32", 64496))
    columns = ",".join(name for name in AvailablePeerTable.base_columns if name not in ("pk", "actions"))
    page = text_of(client.get(f"{peers_of(fabric)}?include_columns={columns}"))
    assert f'<a href="{peer.get_absolute_url()}">AS64496</a>' in page
    assert site_url("net", net.pk) in page
    assert "remote_asn=64496" in page
    assert f'<a href="{fabric.get_absolute_url()}">Example IX</a>' in page
    for text in ("Aurora &lt;b&gt;", "text-bg-green", "Content, NSP", "100 Gbps"):
        assert text in page


def test_flags_tell_route_servers_ours_and_hidden(client, admin, side, fabric):
    make_left_out(fabric)
    worlds.PeeringDBIXLan.objects.update(rs_asn=64496)
    page = text_of(client.get(f"{peers_of(fabric)}?own=also&hidden=also"))
    for flag in ("Route server", "Ours", "Hidden"):
        assert f">{flag}</span>" in page


def test_port_of_a_network_that_peeringdb_never_sent_is_listed(client, admin, fabric):
    net = worlds.make_net(64496)
    worlds.make_port(net, "198.51.1.10")
    net.delete()
    assert listed(client.get(peers_of(fabric), **HTMX)) == [64496]


def test_sessions_of_a_peer_are_listed_over_all_exchanges(client, admin, side):
    worlds.make_ix(2, "Other IX")
    worlds.make_side(2, "Other IX")
    peer = factories.make_peer_asn(64496)
    for lan in (1, 2):
        worlds.make_port(64496, f"198.51.{lan}.10", lan=lan)
        worlds.make_port(64497, f"198.51.{lan}.11", lan=lan)
    response = client.get(sessions_of(peer))
    assert listed(response) == [64496, 64496]
    page = text_of(response)
    for text in ("Example IX", "Other IX", "198.51.2.10"):
        assert text in page


def test_ranking_lists_networks_without_session(client, admin, side):
    for asn in (64496, 64497, 64498):
        worlds.make_port(asn, f"198.51.1.{asn - 64400}")
    factories.make_bgp_peer("198.51.1.96/24", 64496, scope=side.bgp_scope)
    HiddenPeer.objects.create(asn=64497)
    assert listed(client.get(RANKING, **HTMX)) == [64498]
    assert set(listed(client.get(f"{RANKING}?hidden=also", **HTMX))) == {64497, 64498}


# Why there is nothing


def test_empty_list_says_why(client, admin, side, fabric):
    PeeringConnection.objects.all().delete()
    PeeringDBWatermark.objects.all().delete()
    assert "it has not been synced" in text_of(client.get(peers_of(fabric)))
    PeeringDBWatermark.objects.create(tag="netixlan", updated=1, synced=timezone.now())
    assert "You see no connection of ours" in text_of(client.get(peers_of(fabric)))
    assert "You see no connection of ours" not in text_of(client.get(f"{peers_of(fabric)}?policy=Open"))


def test_empty_list_of_who_has_all_says_so(client, admin, fabric):
    page = text_of(client.get(peers_of(fabric)))
    assert "Nobody is left to peer with" in page
    assert "You see no connection" not in page


# Tabs


def tab_of(page, label):
    """The badge of a tab, None when the page has no such tab."""
    found = re.search(rf">\s*{label}\s*(?:<span[^>]*>\s*(\d+)\s*</span>)?", page)
    return found and (found[1] or "")


def test_badges_count_what_the_lists_show(client, admin, fabric):
    make_left_out(fabric)
    peer = factories.make_peer_asn(64496)
    assert tab_of(client.get(fabric.get_absolute_url()).content.decode(), "Available Peers") == "1"
    page = client.get(peer.get_absolute_url()).content.decode()
    assert tab_of(page, "Available Sessions") == "1"
    assert tab_of(page, "Common Exchanges and Facilities") == "1"


def test_badge_counts_what_the_user_may_see(client, fabric):
    worlds.make_port(64496, "198.51.1.10")
    user = allowed(User.objects.create_user("reader"), PeeringFabric)
    client.force_login(user)
    assert tab_of(client.get(fabric.get_absolute_url()).content.decode(), "Available Peers") is None
    user = allowed(user, PeeringConnection, constraints={"pk": 0})
    client.force_login(user)
    assert tab_of(client.get(fabric.get_absolute_url()).content.decode(), "Available Peers") in ("", "0")


def test_fabric_that_peeringdb_does_not_know_has_no_such_tab(client, admin, db):
    fabric = factories.make_network().fabric
    assert tab_of(client.get(fabric.get_absolute_url()).content.decode(), "Available Peers") is None


def test_our_own_as_has_no_such_tabs(client, admin, db):
    page = client.get(factories.make_peer_asn(64500, affiliated=True).get_absolute_url()).content.decode()
    assert tab_of(page, "Available Sessions") is None
    assert tab_of(page, "Common Exchanges and Facilities") is None


# Who may see what


@pytest.mark.parametrize("models", [(), (PeeringFabric, PeerASN), (PeeringConnection, PeerASN)])
def test_lists_need_the_right_to_view_fabrics_and_connections(client, fabric, models):
    peer = factories.make_peer_asn(64496)
    user = User.objects.create_user("reader")
    client.force_login(allowed(user, *models) if models else user)
    for url in (peers_of(fabric), sessions_of(peer), RANKING):
        assert client.get(url).status_code == 403, url


def test_anonymous_is_sent_to_the_login(client, fabric):
    for url in (peers_of(fabric), sessions_of(factories.make_peer_asn(64496)), RANKING):
        assert "/login/" in client.get(url)["Location"]


def test_fabric_that_one_may_not_view_is_not_there(client, fabric):
    user = allowed(User.objects.create_user("reader"), PeeringConnection)
    client.force_login(allowed(user, PeeringFabric, constraints={"pk": 0}))
    assert client.get(peers_of(fabric)).status_code == 404


def test_viewer_is_offered_nothing_to_change(client, fabric):
    worlds.make_port(64496, "198.51.1.10")
    client.force_login(allowed(User.objects.create_user("reader"), PeeringFabric, PeeringConnection))
    for url in (peers_of(fabric), RANKING):
        page = text_of(client.get(url))
        for text in ("Add Selected", "Hide Selected", "Add all", "add-one", 'name="pk"'):
            assert text not in page, (url, text)


# Filters


@pytest.fixture
def varied(side):
    """A network that the filters of these tests find, and one that they do not."""
    net = worlds.make_net(
        64496, name="Aurora", policy_general="Open", info_prefixes4=10, irr_as_set="AS-AURORA"
    )
    worlds.make_port(net, "198.51.1.10")
    worlds.make_port(worlds.make_net(64497, policy_general="No", info_prefixes4=100), "198.51.1.11")
    return side


def test_wrong_values_of_filters_crash_nothing(client, admin, fabric):
    worlds.make_port(64496, "198.51.1.10")
    for query in (
        "asn=x",
        "policy=Nobody",
        "hidden=perhaps",
        "speed__gte=fast",
        "fabric_id=999999",
        "filter_id=x",
    ):
        assert client.get(f"{peers_of(fabric)}?{query}", **HTMX).status_code == 200
        assert client.get(f"{RANKING}?{query}", **HTMX).status_code == 200
    # With the form, which shows what is wrong.
    assert client.get(f"{RANKING}?asn=x&policy=Nobody&hidden=perhaps").status_code == 200


# Saved filters and table configurations, by the way that the page offers


@pytest.mark.parametrize("model", ["peeringdbnetixlan", "peeringdbnet"])
def test_filters_can_be_saved_and_applied(client, admin, varied, model):
    fabric = varied.peering_network.fabric
    url = peers_of(fabric) if model == "peeringdbnetixlan" else RANKING
    page = client.get(f"{url}?prefixes4__lte=20&policy=Open").content.decode()
    save = re.search(r'href="([^"]*/extras/saved-filters/add/\?[^"]*)"', page)[1].replace("&amp;", "&")
    form = client.get(save)
    assert form.status_code == 200
    initial = form.context["form"].initial
    object_type = ContentType.objects.get(app_label="netbox_peering_manager", model=model)
    assert initial["object_types"] == str(object_type.pk)
    saved = client.post(
        urlsplit(save).path,
        {
            "name": "Open and small",
            "slug": "open",
            "object_types": [object_type.pk],
            "weight": 100,
            "enabled": True,
            "shared": True,
            "parameters": '{"prefixes4__lte": ["20"], "policy": ["Open"]}',
        },
    )
    assert saved.status_code == 302
    stored = SavedFilter.objects.get()
    # The select of the list asks NetBox for those of this object type.
    offered = client.get(f"/api/extras/saved-filters/?usable=true&object_type_id={object_type.pk}").json()
    assert [entry["id"] for entry in offered["results"]] == [stored.pk]
    assert f"object_type_id={object_type.pk}" in page or f"{object_type.pk}" in page
    assert listed(client.get(f"{url}?filter_id={stored.pk}", **HTMX)) == [64496]
    assert listed(client.get(f"{url}?filter=open", **HTMX)) == [64496]
    # NetBox's own pages about it know the object type.
    for name, arguments in (
        ("savedfilter", [stored.pk]),
        ("savedfilter_list", []),
        ("savedfilter_edit", [stored.pk]),
    ):
        assert client.get(reverse(f"extras:{name}", args=arguments)).status_code == 200


@pytest.mark.parametrize("table", [AvailablePeerTable, AvailableSessionTable, PeerRankingTable])
def test_table_configurations_can_be_saved_and_applied(client, admin, varied, table):
    url = {
        "AvailablePeerTable": peers_of(varied.peering_network.fabric),
        "AvailableSessionTable": sessions_of(factories.make_peer_asn(64496)),
        "PeerRankingTable": RANKING,
    }[table.__name__]
    page = client.get(f"{url}?sort=-asn").content.decode()
    saving = r'href="([^"]*/extras/table-configs/add/[^"]*)" id="table_save_link"'
    save = re.search(saving, page)[1].replace("&amp;", "&")
    form = client.get(save)
    assert form.status_code == 200
    query = parse_qs(urlsplit(save).query)
    assert query["table"] == [table.__name__]
    saved = client.post(
        urlsplit(save).path,
        {
            "name": "Mine",
            "object_type": query["object_type"][0],
            "table": table.__name__,
            "weight": 1000,
            "enabled": True,
            "columns": ["asn", "prefixes6"],
            "ordering": "-asn",
        },
    )
    assert saved.status_code == 302, saved.context["form"].errors
    config = TableConfig.objects.get()
    shown = client.get(f"{url}?tableconfig_id={config.pk}").context["table"]
    assert [name for name, _ in shown.selected_columns] == ["asn", "prefixes6"]
    assert f"tableconfig_id={config.pk}" in client.get(url).content.decode()


# HTMX, export, columns


def test_htmx_gets_the_table_with_its_buttons_and_no_page(client, admin, fabric):
    for asn in (64496, 64497):
        worlds.make_port(worlds.make_net(asn, name=f"Network {asn}"), f"198.51.1.{asn - 64400}")
    for url in (peers_of(fabric), RANKING):
        answer = client.get(f"{url}?q=64497", **HTMX).content.decode()
        assert "Network 64497" in answer
        assert "Network 64496" not in answer
        assert "<html" not in answer
        assert 'id="add-all" hx-swap-oob="true"' in answer


@pytest.mark.parametrize("query", ["export", "export=table"])
def test_lists_export_to_csv(client, admin, varied, query):
    for url in (peers_of(varied.peering_network.fabric), RANKING):
        response = client.get(f"{url}?policy=Open&{query}")
        assert response["Content-Type"].startswith("text/csv")
        lines = response.content.decode().splitlines()
        assert "ASN" in lines[0]
        assert "64496" in lines[1]
        assert "<" not in response.content.decode()
        assert ("IRR AS-SET" in lines[0]) == (query == "export")


# Queries


@pytest.mark.parametrize("what", ["peers", "sessions", "ranking", "fabric", "peer"])
def test_queries_do_not_grow_with_the_rows(client, admin, side, fabric, what):
    peer = factories.make_peer_asn(64496)
    url = {
        "peers": peers_of(fabric),
        "sessions": sessions_of(peer),
        "ranking": RANKING,
        "fabric": fabric.get_absolute_url(),
        "peer": peer.get_absolute_url(),
    }[what]

    def cost():
        client.get(url)
        with CaptureQueriesContext(connection) as queries:
            client.get(url)
        return len(queries)

    def grow(hosts):
        for host in hosts:
            worlds.make_port(64496 if what in ("sessions", "peer") else 64496 + host, f"198.51.1.{host}")

    grow([10])
    few = cost()
    grow(range(11, 31))
    worlds.make_ix(2, "Other IX")
    worlds.make_side(2, "Other IX")
    HiddenPeer.objects.create(asn=64509, until=timezone.localdate() + timedelta(days=1))
    assert cost() == few
    if what in ("peers", "sessions", "ranking"):
        assert few <= 25

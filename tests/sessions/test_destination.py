"""The far end of a session: looked up in PeeringDB, looked up among the peers that we know, or typed by hand."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from netbox_peering_manager.models import PeerASN, PeeringNetwork, PeeringSession
from netbox_peering_manager.services.provisioning.lookup import limits_of
from tests import factories
from tests.peers import worlds
from tests.services.test_create_bulk import set_up_lan
from tests.sessions.people import browser, grant, is_selected, make_root, make_user, ours, rest
from tests.sessions.test_create import ROWS, SEEN

pytestmark = pytest.mark.django_db

PAGE = "plugins:netbox_peering_manager:peeringsession_create"
PORTS = "plugins-api:netbox_peering_manager-api:peeringdbnetixlan-list"
NOTHING = '<option value="" selected'


@pytest.fixture
def side():
    return set_up_lan()


@pytest.fixture
def port(side):
    net = worlds.make_net(
        64496, name="Example", irr_as_set="AS-EXAMPLE", info_prefixes4=500, info_prefixes6=20
    )
    return worlds.make_port(net, "198.51.1.10", "2001:db8:1::a")


def look_up(user, field, value, **typed):
    """Choose something in a look-up, with this much typed already; the form as it comes back."""
    data = {"status": "active", "enabled": "on", **typed, field: value}
    headers = {"HX-Request": "true", "HX-Trigger-Name": field}
    response = browser(user).post(reverse(PAGE), data, headers=headers)
    assert response.status_code == 200
    assert not PeeringSession.objects.exists()
    return " ".join(response.content.decode().split())


def value_of(page, name):
    """What an input of the form holds."""
    [tag] = [part for part in page.split("<") if part.startswith("input") and f'name="{name}"' in part]
    return tag.partition('value="')[2].partition('"')[0]


def is_ticked(page, name):
    tags = [part for part in page.split("<") if part.startswith("input") and f'name="{name}"' in part]
    return any(" checked" in tag for tag in tags)


def test_port_of_peeringdb_fills_the_form(side, port):
    page = look_up(make_root(), "netixlan", port.pk)
    assert [value_of(page, name) for name in ("remote_asn", "peer_name", "irr_as_set")] == [
        "64496",
        "Example",
        "AS-EXAMPLE",
    ]
    assert (value_of(page, "ipv4_remote_ip"), value_of(page, "ipv6_remote_ip")) == (
        "198.51.1.10",
        "2001:db8:1::a",
    )
    for chosen in (side.peering_network.fabric, side.peering_network, side):
        assert is_selected(page, chosen)
    assert 'placeholder="500"' in page
    assert 'placeholder="20"' in page
    assert "<html" not in page


def test_form_opens_filled_for_a_port(side, port):
    page = " ".join(browser(make_root()).get(reverse(PAGE) + f"?netixlan={port.pk}").content.decode().split())
    assert value_of(page, "remote_asn") == "64496"
    assert is_selected(page, port)
    assert "AS64496 Example, 198.51.1.10 2001:db8:1::a (Example IX)" in page


def test_form_that_was_filled_makes_both_sessions_and_the_peer_asn(side, port):
    relationship = factories.make_relationship("Peer")
    data = {
        "netixlan": port.pk,
        "remote_asn": 64496,
        "peer_name": "Example",
        "irr_as_set": "AS-EXAMPLE",
        "ipv4_remote_ip": "198.51.1.10",
        "ipv6_remote_ip": "2001:db8:1::a",
        "relationship": relationship.pk,
        "fabric": side.peering_network.fabric.pk,
        "peering_network": side.peering_network.pk,
        "connection": side.pk,
        "status": "active",
        "enabled": "on",
    }
    factories.make_asn(64496)
    response = browser(make_root()).post(reverse(PAGE), data)
    assert response.status_code == 302
    assert PeeringSession.objects.count() == 2
    made = PeerASN.objects.get(asn__asn=64496)
    assert (made.name, made.irr_as_set, made.ipv4_max_prefixes) == ("Example", "AS-EXAMPLE", 500)


def test_route_server_is_told(side):
    worlds.PeeringDBIXLan.objects.update(rs_asn=64510)
    page = look_up(make_root(), "netixlan", worlds.make_port(64510, "198.51.1.250").pk)
    assert is_ticked(page, "is_route_server")


def test_port_on_a_lan_that_is_not_ours_fills_what_is_known(side):
    worlds.make_ix(9, "Elsewhere IX")
    page = look_up(make_root(), "netixlan", worlds.make_port(64496, "203.0.113.9", lan=9).pk)
    assert value_of(page, "ipv4_remote_ip") == "203.0.113.9"
    assert not is_selected(page, side)


def test_connection_is_left_to_choose_when_there_are_several(side, port):
    worlds.make_side(device="rt2.mtl", number=2)
    page = look_up(make_root(), "netixlan", port.pk)
    assert is_selected(page, side.peering_network)
    assert not is_selected(page.partition('name="connection"')[2].partition("</select>")[0], side)


def test_what_was_typed_elsewhere_stays_and_the_password_is_not_sent_back(side, port):
    page = look_up(make_root(), "netixlan", port.pk, description="Kept", password="s3cret")
    assert value_of(page, "description") == "Kept"
    assert "s3cret" not in page


def test_box_that_was_unticked_stays_so(side, port):
    user = make_root()
    # As NetBox's check boxes are sent: a hidden field of the same name goes before.
    data = {"status": "active", "netixlan": port.pk, "enabled": ""}
    headers = {"HX-Request": "true", "HX-Trigger-Name": "netixlan"}
    page = browser(user).post(reverse(PAGE), data, headers=headers).content.decode()
    assert not is_ticked(page, "enabled")


@pytest.mark.parametrize("value", ["", "x", "99999", "9" * 30])
@pytest.mark.parametrize("field", ["netixlan", "peer_asn", "peer_address"])
def test_look_up_of_nothing_fills_nothing(side, field, value):
    page = look_up(make_root(), field, value, remote_asn="64499")
    assert value_of(page, "remote_asn") == "64499"


# Local peers


def test_local_peer_fills_its_number_and_offers_the_addresses_that_it_is_known_to_have(side, port):
    known = factories.make_peer_asn(64496, name="Known", irr_as_set="AS-KNOWN", ipv4_max_prefixes=7)
    factories.make_bgp_peer("203.0.113.77/32", scope=side.bgp_scope)
    page = look_up(make_root(), "peer_asn", known.pk)
    assert [value_of(page, name) for name in ("remote_asn", "peer_name", "irr_as_set")] == [
        "64496",
        "Known",
        "AS-KNOWN",
    ]
    offered = page.partition('name="peer_address"')[2].partition("</select>")[0]
    for address in ("198.51.1.10 (Example IX)", "2001:db8:1::a (Example IX)", "203.0.113.77"):
        assert address in offered
    assert 'placeholder="7"' in page


def test_address_of_a_local_peer_fills_the_port_that_has_it(side, port):
    known = factories.make_peer_asn(64496, name="Known")
    chosen = f"port:{port.pk}:198.51.1.10"
    page = look_up(make_root(), "peer_address", chosen, peer_asn=known.pk)
    assert value_of(page, "ipv6_remote_ip") == "2001:db8:1::a"
    # Its name here, not the one in PeeringDB.
    assert value_of(page, "peer_name") == "Known"
    assert is_selected(page, side)
    assert is_selected(page, known)


@pytest.mark.parametrize(("host", "family"), [("203.0.113.77", 4), ("2001:db8:77::1", 6)])
def test_address_that_netbox_alone_knows_fills_itself(side, host, family):
    known = factories.make_peer_asn(64496, name="Known")
    page = look_up(make_root(), "peer_address", f"ip::{host}", peer_asn=known.pk, remote_asn="64496")
    assert value_of(page, f"ipv{family}_remote_ip") == host
    assert value_of(page, f"ipv{10 - family}_remote_ip") == ""


def test_local_peer_that_one_may_not_view_fills_nothing(side, port):
    known = factories.make_peer_asn(64496, name="Known")
    user = make_user(*ours("add_peeringsession"))
    page = look_up(user, "peer_asn", known.pk)
    assert "Known" not in page
    assert value_of(page, "remote_asn") == ""


def test_addresses_of_sessions_that_one_may_not_view_are_not_offered(side, port):
    known = factories.make_peer_asn(64496, name="Known")
    factories.make_bgp_peer("203.0.113.77/32", scope=side.bgp_scope)
    user = make_user(*ours("add_peeringsession", "view_peerasn"))
    page = look_up(user, "peer_asn", known.pk)
    assert "203.0.113.77" not in page
    assert "Example IX" not in page


# By hand


def test_peer_typed_by_hand_without_an_exchange(side):
    factories.make_asn(64499)
    data = {
        "remote_asn": 64499,
        "peer_name": "Custom",
        "irr_as_set": "AS-CUSTOM",
        "ipv4_remote_ip": "203.0.113.9",
        "scope": side.bgp_scope.pk,
        "relationship": factories.make_relationship("Transit").pk,
        "status": "active",
        "enabled": "on",
    }
    user = make_user(*ours("add_peeringsession"), *SEEN, *ROWS, "netbox_routing.view_bgpscope")
    assert browser(user).post(reverse(PAGE), data).status_code == 302
    session = PeeringSession.objects.get()
    assert session.peering_network is None
    assert (session.remote_as.peer_asn.name, session.remote_as.peer_asn.irr_as_set) == ("Custom", "AS-CUSTOM")


def test_as_set_that_is_none_is_told_at_its_field(side):
    response = browser(make_root()).post(reverse(PAGE), {"remote_asn": 64499, "irr_as_set": "none yet"})
    assert 'id="id_irr_as_set_errors"' in response.content.decode()


def test_rest_takes_name_and_as_set_of_a_peer_asn_to_be_made(side):
    factories.make_asn(64499)
    data = {
        "remote_asn": 64499,
        "remote_ip": "198.51.1.99",
        "connection": side.pk,
        "relationship": factories.make_relationship("Peer").pk,
        "peer_name": "Custom",
        "irr_as_set": "AS-CUSTOM",
    }
    url = reverse("plugins-api:netbox_peering_manager-api:peeringsession-create")
    assert rest(make_root()).post(url, data, format="json").status_code == 201
    assert PeerASN.objects.get(asn__asn=64499).name == "Custom"


# The ports to choose from


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=64496", [64496]),
        ("q=as64496", [64496]),
        ("q=examp", [64496]),
        ("q=Other IX-NAME", []),
        ("q=other", [64497]),
        ("q=198.51.1.1", [64496, 64497]),
        ("q=198.51.1.11", [64497]),
        ("q=2001:DB8:1::A", [64496]),
        ("q=AS-EXAMPLE 198.51", [64496]),
        ("asn=64497", [64497]),
        ("q=", [64496, 64497]),
    ],
)
def test_ports_are_found_by_what_one_knows_of_them(side, port, query, found):
    worlds.make_port(worlds.make_net(64497, name="Other"), "198.51.1.11")
    answer = rest(make_root()).get(f"{reverse(PORTS)}?{query}&brief=true").json()
    assert [row["asn"] for row in answer["results"]] == found


def test_ports_can_be_those_of_one_fabric(side, port):
    worlds.make_ix(9, "Elsewhere IX")
    worlds.make_port(64497, "203.0.113.9", lan=9)
    fabric = side.peering_network.fabric_id
    answer = rest(make_root()).get(f"{reverse(PORTS)}?fabric_id={fabric}").json()
    assert [row["display"] for row in answer["results"]] == [
        "AS64496 Example, 198.51.1.10 2001:db8:1::a (Example IX)"
    ]
    PeeringNetwork.objects.update(peeringdb_id=None)
    assert rest(make_root("other")).get(f"{reverse(PORTS)}?fabric_id={fabric}").json()["results"] == []


def test_ports_are_for_those_who_may_add_sessions(side, port):
    assert rest().get(reverse(PORTS)).status_code in (401, 403)
    assert rest(make_user(*ours("view_peeringsession"))).get(reverse(PORTS)).status_code == 403
    user = grant(make_user(name="adder"), *ours("add_peeringsession"))
    assert rest(user).get(reverse(PORTS)).json()["count"] == 1


@pytest.mark.parametrize("count", [1, 30])
def test_queries_of_the_list_do_not_grow_with_its_ports(side, count):
    for number in range(count):
        worlds.make_port(65000 + number, f"198.51.1.{10 + number}")
    client = rest(make_root())
    with CaptureQueriesContext(database) as queries:
        assert len(client.get(f"{reverse(PORTS)}?q=198.5").json()["results"]) == count
    assert len(queries) <= 4


def test_limits_of_a_peer_asn_that_may_not_be_viewed_are_not_told(side, port):
    factories.make_peer_asn(64496, ipv4_max_prefixes=7)
    user = make_user(*ours("add_peeringsession"))
    assert limits_of(64496, user) == {}
    assert limits_of(64496, grant(make_user(name="peers"), *ours("view_peerasn"))) == {4: 7}
    PeerASN.objects.filter(asn__asn=64496).delete()
    assert limits_of(64496, user) == {4: 500, 6: 20}

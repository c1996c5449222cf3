"""The tab with the exchanges and facilities where we meet a peer, and its two lists."""

from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from users.models import User

from netbox_peering_manager.models import PeerASN, PeeringFabric
from netbox_peering_manager.tables import CommonExchangeTable
from tests import factories, shared
from tests.peers import worlds
from tests.peers.people import allowed

pytestmark = pytest.mark.django_db


@factories.look_ups_kept()
def build():
    """A peer on an exchange of ours, on another where PeeringDB alone has us, and in a building with us."""
    for lan, name in ((1, "Example IX"), (2, "Other IX")):
        worlds.make_ix(lan, name, city="London")
        for asn in (64500, 64496):
            worlds.make_port(asn, f"198.51.{lan}.{asn - 64400}", lan=lan)
    worlds.make_side()
    factories.make_peer_asn(64500, affiliated=True)
    place = worlds.make_fac("Example House", city="London", address1="1 Example Street")
    for asn in (64500, 64496):
        worlds.put_net_into(place, worlds.PeeringDBNet.objects.get(asn=asn))
    return SimpleNamespace(peer=factories.make_peer_asn(64496), user=User.objects.create_superuser("admin"))


made = shared.once(build)
peer = shared.copy("peer")
user = shared.copy("user")


@pytest.fixture
def admin(client, user):
    client.force_login(user)
    return user


def url_of(view, peer):
    return reverse(f"plugins:netbox_peering_manager:peerasn_{view}", args=[peer.pk])


def test_tab_loads_both_lists(client, admin, peer):
    page = client.get(url_of("common_places", peer)).content.decode()
    for view in ("common_exchanges", "common_facilities"):
        assert f'hx-get="{url_of(view, peer)}?embedded=True"' in page


@pytest.mark.parametrize(
    ("view", "texts"),
    [
        ("common_exchanges", ("Example IX", "Other IX", "/ix/2", "10 Gbps")),
        ("common_facilities", ("Example House", "1 Example Street", "AS64500", "/fac/")),
    ],
)
def test_lists_are_pages_and_parts_of_the_tab(client, admin, peer, view, texts):
    url = url_of(view, peer)
    page = client.get(url).content.decode()
    part = client.get(f"{url}?embedded=True", HTTP_HX_REQUEST="true").content.decode()
    for text in texts:
        assert text in page
        assert text in part
    assert "Configure Table" in page
    assert "<html" not in part
    # Sorting and paging of a part go to the list, and not to the page that it is in.
    assert f'hx-get="{url}?' in part


def test_exchange_of_ours_leads_to_its_fabric(client, admin, peer):
    fabric = PeeringFabric.objects.get()
    page = client.get(url_of("common_exchanges", peer)).content.decode()
    assert f'<a href="{fabric.get_absolute_url()}">Example IX</a>' in page


@pytest.mark.parametrize(
    ("view", "last"), [("common_exchanges", "Placeless IX"), ("common_facilities", "Placeless House")]
)
def test_places_without_a_city_come_last(client, admin, peer, view, last):
    worlds.make_ix(3, "Placeless IX", city="")
    place = worlds.make_fac("Placeless House", city="")
    for asn in (64500, 64496):
        worlds.make_port(asn, f"198.51.3.{asn - 64400}", lan=3)
        worlds.put_net_into(place, worlds.PeeringDBNet.objects.get(asn=asn))
    for order in ("city", "-city"):
        rows = client.get(f"{url_of(view, peer)}?sort={order}").context["table"].rows
        assert [row.record.name for row in rows][-1] == last


def test_columns_can_be_chosen(client, admin, peer):
    admin.config.set("tables.CommonExchangeTable.columns", ["name", "country"], commit=True)
    table = client.get(url_of("common_exchanges", peer)).context["table"]
    assert isinstance(table, CommonExchangeTable)
    assert [name for name, _ in table.selected_columns] == ["name", "country"]


def test_who_may_view_the_peer_alone_sees_nothing_of_us(client, peer):
    reader = allowed(User.objects.create_user("reader"), PeerASN, constraints={"pk": peer.pk})
    client.force_login(reader)
    assert "No exchange where both are" in client.get(url_of("common_exchanges", peer)).content.decode()
    assert "No facility where both are" in client.get(url_of("common_facilities", peer)).content.decode()


def test_who_may_not_view_the_peer_gets_nothing(client, peer):
    user = User.objects.create_user("reader")
    views = ("common_places", "common_exchanges", "common_facilities")
    client.force_login(user)
    assert {client.get(url_of(view, peer)).status_code for view in views} == {403}
    client.force_login(allowed(user, PeerASN, constraints={"pk": 0}))
    assert {client.get(url_of(view, peer)).status_code for view in views} == {404}
    client.logout()
    assert all("/login/" in client.get(url_of(view, peer))["Location"] for view in views)


@pytest.mark.parametrize("view", ["common_places", "common_exchanges", "common_facilities"])
def test_queries_do_not_grow_with_the_rows(client, admin, peer, view):
    url = url_of(view, peer)

    def cost():
        client.get(url)
        with CaptureQueriesContext(connection) as queries:
            client.get(url)
        return len(queries)

    few = cost()
    nets = [worlds.PeeringDBNet.objects.get(asn=asn) for asn in (64500, 64496)]
    for lan in range(3, 9):
        worlds.make_ix(lan, f"IX {lan}")
        worlds.make_side(lan, f"IX {lan}")
        place = worlds.make_fac(f"House {lan}")
        for net in nets:
            worlds.make_port(net, f"198.51.{lan}.{net.asn - 64400}", lan=lan)
            worlds.put_net_into(place, net)
    assert cost() == few


def test_exchange_that_netbox_has_not_leads_to_the_form_that_makes_it(client, admin, peer):
    url = url_of("common_exchanges", peer)
    form = reverse("plugins:netbox_peering_manager:peeringfabric_add_from_peeringdb")
    assert f'<a href="{form}?exchange=2">Create fabric</a>' in client.get(url).content.decode()
    assert client.get(f"{form}?exchange=2").context["form"].initial["exchange"] == "2"
    client.force_login(allowed(User.objects.create_user("reader"), PeerASN, PeeringFabric))
    assert "Create fabric" not in client.get(url).content.decode()

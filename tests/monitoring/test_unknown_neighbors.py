"""Neighbours that routers have and NetBox does not: listed for who may view the router, in the UI and over REST."""

import pytest
from django.http import QueryDict
from django.urls import reverse

from netbox_peering_manager.filtersets import UnknownNeighborFilterSet
from netbox_peering_manager.models import PeeringRouter, UnknownNeighbor
from tests import factories, shared
from tests.monitoring.observed import unknown
from tests.queries import queries_for_few_and_many
from tests.sessions.people import browser, grant, make_root, make_user, ours, rest

pytestmark = pytest.mark.django_db
LIST = "plugins:netbox_peering_manager:unknownneighbor_list"
API = "plugins-api:netbox_peering_manager-api:unknownneighbor"


def build():
    here, there = (
        PeeringRouter.objects.create(device=factories.make_device(name)) for name in ("rt1.mtl", "rt2.mtl")
    )
    return (
        unknown(here, "198.51.100.200", vrf="Customers", description="Somebody <b>new</b>"),
        unknown(there, "2001:db8::200", remote_asn=64499, bgp_state="idle"),
    )


made = shared.once(build)
both = shared.copy()


def open_list(user=None, **query):
    return browser(user or make_root()).get(reverse(LIST, query=query))


def test_list_shows_where_who_and_since_when(both):
    text = open_list().content.decode()
    for told in ("rt1.mtl", "198.51.100.200", "64510", "Customers", "Somebody &lt;b&gt;new", "2001:db8::200"):
        assert told in text


@pytest.mark.parametrize(
    ("rights", "status"), [([], 403), (["view_peeringsession"], 403), (["view_peeringrouter"], 200)]
)
def test_list_is_for_those_who_may_view_routers(both, rights, status):
    assert open_list(make_user(*ours(*rights))).status_code == status
    assert browser().get(reverse(LIST)).status_code == 302


def test_only_neighbors_of_routers_that_one_may_view_are_listed(both):
    here, there = both
    user = make_user(*ours("view_peeringrouter"), constraints={"pk": there.router_id})
    text = open_list(user).content.decode()
    assert there.remote_ip in text
    assert here.remote_ip not in text
    answer = rest(user).get(reverse(f"{API}-list")).json()
    assert [row["remote_ip"] for row in answer["results"]] == [there.remote_ip]
    assert rest(user).get(reverse(f"{API}-detail", args=[here.pk])).status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=64499", {"2001:db8::200"}),
        ("q=AS64499", {"2001:db8::200"}),
        ("q=198.51.100.200", {"198.51.100.200"}),
        ("q=somebody", {"198.51.100.200"}),
        ("q=99999999999", set()),
        ("vrf=Customers", {"198.51.100.200"}),
        ("bgp_state=idle", {"2001:db8::200"}),
        ("remote_asn=64510", {"198.51.100.200"}),
        ("device=rt2.mtl", {"2001:db8::200"}),
        ("", {"198.51.100.200", "2001:db8::200"}),
    ],
)
def test_each_filter_finds_its_neighbors(query, found):
    filterset = UnknownNeighborFilterSet(QueryDict(query), UnknownNeighbor.objects.all())
    assert filterset.is_valid(), filterset.errors
    assert {str(neighbor.remote_ip) for neighbor in filterset.qs} == found


def test_who_may_import_sessions_is_led_there(both):
    here, _there = both
    address = reverse("plugins:netbox_peering_manager:peeringrouter_import_sessions", args=[here.router_id])
    user = make_user(*ours("view_peeringrouter"))
    assert address not in open_list(user).content.decode()
    assert address in open_list(grant(user, *ours("import_sessions_peeringrouter"))).content.decode()


def test_list_asks_for_no_more_with_more_neighbors(both):
    client = browser(make_root())

    def make(numbers):
        for number in numbers:
            router = PeeringRouter.objects.create(device=factories.make_device(f"rt{number}.lon"))
            unknown(router, f"198.51.100.{number + 1}")

    queries_for_few_and_many(lambda: client.get(reverse(LIST)), make)


def test_rest_reads_and_does_not_write(both):
    user = make_user(*ours("view_peeringrouter"))
    (row, _other) = rest(user).get(reverse(f"{API}-list")).json()["results"]
    assert row["bgp_state"] == {"value": "established", "label": "Established"}
    assert row["router"]["display"] == "rt1.mtl"
    assert row["remote_asn"] == 64510
    assert rest(user).post(reverse(f"{API}-list"), {}).status_code in (403, 405)
    assert rest(user).delete(reverse(f"{API}-detail", args=[row["id"]])).status_code in (403, 405)
    assert rest(make_user(name="nobody")).get(reverse(f"{API}-list")).status_code == 403
    assert rest().get(reverse(f"{API}-list")).status_code in (401, 403)


def test_rest_asks_for_no_more_with_more_neighbors(both):
    client = rest(make_root())

    def make(numbers):
        for number in numbers:
            router = PeeringRouter.objects.create(device=factories.make_device(f"rt{number}.lon"))
            unknown(router, f"198.51.100.{number + 1}")

    queries_for_few_and_many(lambda: client.get(reverse(f"{API}-list")), make)

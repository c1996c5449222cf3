"""Hidden peers: every face, as NetBox's own cases try them and beyond."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from core.models import ObjectChange
from netbox.search.backends import search_backend
from users.models import User
from utilities.testing import (
    APITestCase,
    APIViewTestCases,
    ChangeLoggedFilterSetTestMixin,
    TableTestCases,
    ViewTestCases,
    create_tags,
)

from netbox_peering_manager.filtersets import HiddenPeerFilterSet
from netbox_peering_manager.models import HiddenPeer
from netbox_peering_manager.tables import HiddenPeerTable
from tests import factories
from tests.base import PluginAPIMixin, PluginFilterSetMixin, PluginViewMixin
from tests.peers import worlds

LIST = "plugins:netbox_peering_manager:hiddenpeer_list"
API = "plugins-api:netbox_peering_manager-api:hiddenpeer-list"


class HiddenPeerViewTestCase(PluginViewMixin, ViewTestCases.PrimaryObjectViewTestCase):
    model = HiddenPeer

    @classmethod
    def setUpTestData(cls):
        fabric = factories.make_fabric()
        hidden = [HiddenPeer.objects.create(asn=asn, reason=f"Reason {asn}") for asn in (64496, 64497, 64498)]
        tags = create_tags("Alpha", "Bravo")
        cls.form_data = {
            "asn": 4200000001,
            "fabric": fabric.pk,
            "reason": "They never answer",
            "until": date(2030, 12, 31),
            "description": "Hidden",
            "tags": [tag.pk for tag in tags],
        }
        cls.csv_data = (
            "asn,fabric,reason,until",
            f"64499,{fabric.name},Too small,2030-12-31",
            f"65536,{fabric.slug},,",
            "4200000002,,Everywhere,",
        )
        cls.csv_update_data = ("id,reason", *(f"{entry.pk},New {entry.asn}" for entry in hidden))
        cls.bulk_edit_data = {
            "fabric": fabric.pk,
            "reason": "Many",
            "until": date(2031, 1, 1),
            "description": "Many",
        }


class HiddenPeerAPITest(PluginAPIMixin, APIViewTestCases.APIViewTestCase):
    model = HiddenPeer
    brief_fields = ["asn", "description", "display", "id", "url"]
    user_permissions = ("netbox_peering_manager.view_peeringfabric",)
    bulk_update_data = {"reason": "Many", "until": "2030-12-31"}
    bulk_update_invalid_data = {"until": "some day"}

    @classmethod
    def setUpTestData(cls):
        fabric = factories.make_fabric()
        for asn in (64496, 64497, 64498):
            HiddenPeer.objects.create(asn=asn)
        cls.create_data = [
            {"asn": 64499, "fabric": fabric.pk, "reason": "Too small", "until": "2030-12-31"},
            {"asn": 64499, "fabric": None},
            {"asn": 4200000001},
        ]


class HiddenPeerFilterSetTestCase(PluginFilterSetMixin, ChangeLoggedFilterSetTestMixin, TestCase):
    queryset = HiddenPeer.objects.all()
    filterset = HiddenPeerFilterSet

    @classmethod
    def setUpTestData(cls):
        cls.today = timezone.localdate()
        cls.fabric = factories.make_fabric()
        cls.one = HiddenPeer.objects.create(asn=64496, fabric=cls.fabric, reason="Small", description="First")
        cls.two = HiddenPeer.objects.create(asn=64497, until=cls.today, reason="Rude")
        cls.past = HiddenPeer.objects.create(asn=4200000001, until=cls.today - timedelta(days=1))
        worlds.make_net(64497, name="Borealis Hosting")

    def found(self, **params):
        return set(self.filterset(params, self.queryset).qs)

    def test_q_finds_by_number_network_reason_and_description(self):
        for text, expected in (
            ("64496", self.one),
            ("as64496", self.one),
            ("small", self.one),
            ("First", self.one),
            ("borealis", self.two),
        ):
            with self.subTest(text=text):
                assert self.found(q=text) == {expected}
        assert len(self.found(q=" ")) == 3
        assert self.found(q="99999999999999999999") == set()

    def test_asn(self):
        assert self.found(asn=[64496, 4200000001]) == {self.one, self.past}
        assert self.found(asn__gte=[64497]) == {self.two, self.past}

    def test_fabric_and_everywhere(self):
        assert self.found(fabric_id=[self.fabric.pk]) == self.found(fabric=[self.fabric.slug]) == {self.one}
        assert self.found(everywhere=True) == {self.two, self.past}
        assert self.found(everywhere=False) == {self.one}

    def test_in_force_is_until_the_last_day_included(self):
        assert self.found(in_force=True) == {self.one, self.two}
        assert self.found(in_force=False) == {self.past}

    def test_reason_and_until(self):
        assert self.found(reason__ic=["UD"]) == {self.two}
        assert self.found(until__lt=[self.today]) == {self.past}
        assert self.found(until__empty=True) == {self.one}


class HiddenPeerTableTest(TableTestCases.StandardTableTestCase):
    table = HiddenPeerTable
    queryset = HiddenPeer.objects.with_standing()
    queryset_sources = (("list", queryset),)

    @classmethod
    def setUpTestData(cls):
        worlds.make_net(64496, name="Aurora")
        HiddenPeer.objects.create(asn=64496, fabric=factories.make_fabric(), reason="Small")
        HiddenPeer.objects.create(asn=64497, until=timezone.localdate() - timedelta(days=1))

    def test_rows_tell_network_place_and_whether_it_holds(self):
        # Asked for now: that of the class knows the day on which it was loaded.
        here, past = self.table(HiddenPeer.objects.with_standing().order_by("asn")).rows
        assert "AS64496" in here.get_cell("asn")
        assert here.get_cell("network_name") == "Aurora"
        assert "LINX LON1" in here.get_cell("fabric")
        assert "mdi-check-bold" in here.get_cell("is_in_force")
        assert past.get_cell("fabric") == "Everywhere"
        assert "mdi-check-bold" not in past.get_cell("is_in_force")


pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client, db):
    client.force_login(User.objects.create_superuser("admin"))
    return client


@pytest.mark.parametrize("on_fabric", [True, False])
def test_network_is_hidden_once_in_a_place(on_fabric):
    fabric = factories.make_fabric() if on_fabric else None
    HiddenPeer.objects.create(asn=64496, fabric=fabric)
    with pytest.raises(ValidationError) as refused:
        HiddenPeer(asn=64496, fabric=fabric).full_clean()
    assert refused.value.messages == ["This network is hidden there already: edit that entry instead."]
    HiddenPeer(asn=64496, fabric=factories.make_fabric("Other IX")).full_clean()


def test_page_tells_the_networks_name_and_where_it_is_hidden(admin):
    worlds.make_net(64496, name="Aurora Broadband")
    page = admin.get(HiddenPeer.objects.create(asn=64496, reason="Small").get_absolute_url()).content.decode()
    for text in ("AS64496", "Aurora Broadband", "Everywhere", "Small"):
        assert text in page
    fabric = factories.make_fabric()
    page = admin.get(HiddenPeer.objects.create(asn=64497, fabric=fabric).get_absolute_url()).content.decode()
    assert fabric.get_absolute_url() in page


def test_list_does_not_offer_to_rename(admin):
    HiddenPeer.objects.create(asn=64496)
    page = admin.get(reverse(LIST)).content.decode()
    assert "Edit Selected" in page
    assert "Rename" not in page


def test_search_finds_by_number_and_reason(db):
    user = User.objects.create_superuser("admin")
    hidden = HiddenPeer.objects.create(asn=64496, reason="Depeered")
    search_backend.cache([hidden])
    for text in ("64496", "depeered"):
        assert [result.object for result in search_backend.search(text, user=user)] == [hidden]


def test_changes_are_logged(admin):
    admin.post(reverse("plugins:netbox_peering_manager:hiddenpeer_add"), {"asn": 64496, "reason": "Small"})
    change = ObjectChange.objects.get()
    assert (change.action, change.postchange_data["reason"]) == ("create", "Small")


class HiddenPeerRestTest(APITestCase):
    user_permissions = (
        "netbox_peering_manager.add_hiddenpeer",
        "netbox_peering_manager.view_hiddenpeer",
    )

    def test_network_is_named(self):
        worlds.make_net(64496, name="Aurora")
        HiddenPeer.objects.create(asn=64496)
        HiddenPeer.objects.create(asn=64497)
        rows = self.client.get(reverse(API), **self.header).json()["results"]
        assert [row["network_name"] for row in rows] == ["Aurora", None]

    def test_second_entry_for_a_place_is_refused(self):
        HiddenPeer.objects.create(asn=64496)
        response = self.client.post(reverse(API), {"asn": 64496}, format="json", **self.header)
        assert response.status_code == 400
        assert "hidden there already" in str(response.json())

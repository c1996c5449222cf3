"""Whom to peer with, in a browser: search, choose, add and hide where only JavaScript can tell what was chosen."""

import re

import pytest
from playwright.sync_api import expect

from extras.models import SavedFilter

from dev.sample_peeringdb.world import World
from netbox_peering_manager.models import MIRROR, HiddenPeer, PeeringConnection, PeeringDBWatermark
from tests import factories
from tests.browser.conftest import look, settle
from tests.peeringdb.filling import fill_mirror

pytestmark = pytest.mark.browser

RANKING = "/plugins/peering-manager/peer-ranking/"


@pytest.fixture(scope="module")
def fabric(site):
    """The demo's exchange of a PeeringDB with some dozen networks, and our port on it; gone afterwards."""
    with site.data():
        fill_mirror(World(size="hamlet"))
        ours = factories.make_fabric("Example IX London", peeringdb_id=1)
        network = factories.make_network("Main", ours, ipv4="198.51.100.0/24", peeringdb_id=1)
        device = factories.make_device("rt9.lon")
        factories.make_connection(
            network, factories.make_interface(device), bgp_scope=factories.make_scope(device)
        )
    yield ours
    with site.data():
        PeeringConnection.objects.filter(peering_network=network).delete()
        network.delete()
        ours.delete()
        for model in (*MIRROR.values(), PeeringDBWatermark, HiddenPeer, SavedFilter):
            model.objects.all().delete()


def test_quick_search_narrows_what_add_all_adds(site, page, fabric):
    page.goto(f"/plugins/peering-manager/fabrics/{fabric.pk}/available-peers/")
    settle(page)
    look(page, "available-peers")
    before = page.locator("#add-all button").inner_text()
    page.locator("#quicksearch").press_sequentially("aurora")
    expect(page.locator("#add-all button")).not_to_have_text(before)
    assert page.locator("#object_list tbody tr").count() == 1
    page.locator("#add-all button").click()
    settle(page)
    assert re.search(r"1 port was chosen", page.inner_text(".page-body"))


def test_row_is_added_without_those_that_are_ticked(site, page, fabric):
    page.goto(f"/plugins/peering-manager/fabrics/{fabric.pk}/available-peers/")
    settle(page)
    page.locator("th input.toggle").check()
    page.locator("tbody tr").first.locator("button[form=add-one]").click()
    settle(page)
    assert "1 port was chosen" in page.inner_text(".page-body")


def test_networks_of_the_ranking_are_chosen_by_their_as(site, page, fabric):
    page.goto(RANKING)
    settle(page)
    look(page, "peer-ranking")
    rows = page.locator("tbody tr")
    names = [rows.nth(row).locator("td").nth(1).inner_text() for row in (0, 1)]
    for row in (0, 1):
        rows.nth(row).locator("input[name=pk]").check()
    page.locator("button[name=_hide_selected]").last.click()
    settle(page)
    look(page, "hide-peers")
    page.locator("#object-list-tab").click()
    assert all(name in page.inner_text("#object-list") for name in names)
    page.locator("#hide-form-tab").click()
    page.fill("#id_reason", "Never answered")
    page.locator("button[name=_confirm]").click()
    settle(page)
    assert page.url.endswith(RANKING)
    with site.data():
        hidden = set(HiddenPeer.objects.values_list("asn", "fabric", "reason"))
    assert hidden == {(int(name.removeprefix("AS")), None, "Never answered") for name in names}
    assert not any(name in page.inner_text("tbody") for name in names)


def test_filters_are_set_and_saved(site, page, fabric):
    page.goto(RANKING)
    page.locator("#filters-form-tab").click()
    page.fill("#id_name", "Aurora Broadband")
    page.locator("#filters-form button[type=submit]").click()
    settle(page)
    page.locator("#object-list a.badge", has_text="Save").click()
    settle(page)
    page.fill("#id_name", "Aurora")
    # The slug fills itself in.
    page.locator("#id_description").focus()
    page.locator("button[name=_create]").click()
    settle(page)
    assert "Aurora" in page.inner_text(".page-header")
    page.goto(f"{RANKING}?filter=aurora")
    shown = page.locator("tbody tr").all_inner_texts()
    assert len(shown) == 1
    assert "Aurora Broadband" in shown[0]

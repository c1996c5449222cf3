"""From a NetBox that knows our AS and a router to a hundred sessions, clicked through with a PeeringDB that answers."""

import pytest

from dev.sample_peeringdb.server import API_KEY, serve
from dev.sample_peeringdb.world import World
from netbox_peering_manager.models import PeeringDBSync, PeeringSession, Relationship
from tests import factories
from tests.browser.conftest import choose, look, open_page, running_site, settle, submit

pytestmark = pytest.mark.browser

EXCHANGE = "Example IX Frankfurt"
# Our port there, as the sample PeeringDB has it.
OUR_ADDRESSES = ("198.18.0.1/24", "2001:db8:1000::1/64")


@pytest.fixture(scope="module")
def peeringdb():
    with serve(World(size="town")) as server:
        yield server


@pytest.fixture(scope="module")
def site(peeringdb, django_db_blocker):
    settings = {"PEERINGDB_URL": peeringdb.url, "PEERINGDB_API_KEY": API_KEY, "PEERINGDB_SAMPLE": "1"}
    with running_site("peeringdb", django_db_blocker, with_worker=True, **settings) as running:
        with running.data():
            port = factories.make_interface(factories.make_device("edge1"), "et-0/0/1")
            factories.make_scope(port.device)
            for address in OUR_ADDRESSES:
                factories.make_address(address, port)
        yield running


def test_from_our_as_number_to_a_hundred_sessions(site, chromium):
    with open_page(site, chromium, "peeringdb") as page:
        sync(page, site)
        mark_our_as(page)
        import_our_ports(page)
        made = add_sessions(page)
        with site.data():
            assert PeeringSession.objects.count() == made
            assert [each.slug for each in Relationship.objects.all()] == ["peer"]
        assert made >= 100


def sync(page, site):
    page.goto("/plugins/peering-manager/peeringdb/")
    look(page, "peeringdb-empty")
    page.get_by_role("button", name="Test").click()
    page.get_by_text("accepts the key").first.wait_for()
    page.get_by_role("button", name="Sync now").click()
    page.get_by_text("Completed").first.wait_for()
    page.goto("/plugins/peering-manager/peeringdb/")
    look(page, "peeringdb-page")
    with site.data():
        assert PeeringDBSync.objects.get().status == "completed"


def mark_our_as(page):
    page.goto("/plugins/peering-manager/peer-asns/add/")
    choose(page, "asn", "64500")
    page.check("#id_affiliated")
    submit(page)
    # PeeringDB knows the name.
    page.get_by_text("Example Networks").first.wait_for()
    look(page, "own-peer-asn")


def import_our_ports(page):
    page.goto("/plugins/peering-manager/fabrics/import-presence/")
    page.get_by_text(EXCHANGE).first.wait_for()
    look(page, "import-presence")
    page.get_by_role("button", name="Import", exact=True).click()
    settle(page)
    page.goto("/plugins/peering-manager/fabrics/")
    look(page, "fabric-list")
    page.get_by_role("link", name=EXCHANGE).first.click()
    settle(page)
    look(page, "fabric-of-peeringdb")


def quick_add_relationship(page, name):
    """Make a relationship type without leaving the form, which has chosen it then."""
    page.locator("[hx-get*='target=id_relationship']").click()
    dialog = page.locator("#htmx-modal-content")
    dialog.get_by_label("Name").fill(name)
    look(page, "quick-add-relationship")
    dialog.get_by_role("button", name="Create", exact=True).click()
    page.locator("#htmx-modal").wait_for(state="hidden")
    settle(page)
    assert page.locator("#id_relationship option:checked").inner_text() == name


def add_sessions(page):
    """Add a page of a hundred ports. Returns how many sessions the result page tells of."""
    page.get_by_role("link", name="Available peers").click()
    settle(page)
    look(page, "available-peers")
    page.goto(f"{page.url.partition('?')[0]}?per_page=100")
    settle(page)
    page.locator("th input[type=checkbox].toggle").first.check()
    page.get_by_role("button", name="Add selected").last.click()
    settle(page)
    quick_add_relationship(page, "Peer")
    look(page, "add-selected")
    page.get_by_role("button", name="Preview").click()
    settle(page)
    look(page, "add-preview")
    page.locator("button[name=_confirm]").click()
    page.get_by_role("heading", name="sessions were made").wait_for()
    look(page, "add-result")
    heading = page.get_by_role("heading", name="sessions were made").inner_text()
    return int(heading.split()[0])

"""From an empty NetBox with our AS number to exchanges, our ports on them, and one that is renumbered, by clicks."""

import pytest

from dev.sample_peeringdb.days import renumber
from dev.sample_peeringdb.world import World
from netbox_peering_manager.models import PeeringConnection, PeeringFabric
from tests import factories
from tests.browser.conftest import choose, look, running_site, settle
from tests.peeringdb.filling import fill_mirror

pytestmark = pytest.mark.browser

FABRICS = "/plugins/peering-manager/fabrics/"


@pytest.fixture(scope="module")
def site(django_db_blocker):
    """One of its own: what other walks leave behind would be in the way."""
    with running_site("exchanges", django_db_blocker) as running:
        yield running


@pytest.fixture(scope="module")
def town(site):
    """A town that is synced, our AS in it, and routers with the addresses of all our ports but the last."""
    world = World(size="town")
    with site.data():
        fill_mirror(world)
        factories.make_peer_asn(world.our_asn, name="Example Networks", affiliated=True)
        factories.make_relationship("Exchange peer")
        ports = world.our_ports
        for number, row in enumerate(ports[:-1]):
            device = factories.make_device(f"edge{number % 2 + 1}.lon1")
            factories.make_scope(device, asn=world.our_asn)
            interface = factories.make_interface(device, f"et-0/0/{number}")
            for text, length in ((row["ipaddr4"], 24), (row["ipaddr6"], 64)):
                if text:
                    factories.make_address(f"{text}/{length}", interface)
    return world


@pytest.fixture
def sessions(site, town):
    """Peers of the first exchange, with sessions."""
    with site.data():
        connection = PeeringConnection.objects.with_parents().order_by("peeringdb_id").first()
        network = connection.peering_network
        asns = [row["asn"] for row in town.find("netixlan", ixlan_id=network.peeringdb_id)]
        for row in town.find("netixlan", ixlan_id=network.peeringdb_id):
            if row["asn"] == town.our_asn or asns.count(row["asn"]) > 1 or not row["ipaddr4"]:
                continue
            peer = factories.make_bgp_peer(
                f"{row['ipaddr4']}/24", row["asn"], connection.bgp_scope, connection.ipv4_address
            )
            factories.make_session(peer, network=network)
        return network


def test_an_exchange_is_searched_previewed_and_made(page, site, town):
    page.goto(FABRICS)
    page.click("text=Add from PeeringDB")
    look(page, "exchange-form")
    name = next(
        row["name"] for row in town.rows("ix") if row["id"] not in town.our_ix_ids and row["net_count"] > 2
    )
    choose(page, "exchange", name)
    page.click("button[name=_preview]")
    settle(page)
    assert page.locator("#preview .badge", has_text="new fabric").is_visible()
    look(page, "exchange-preview")
    page.click("button[name=_confirm]")
    settle(page)
    assert page.locator("h1", has_text=name).is_visible()
    look(page, "exchange-fabric")


def test_own_ports_are_imported_and_their_exchange_is_renumbered(page, site, town, request):
    page.goto(f"{FABRICS}import-presence/")
    assert page.locator("text=Waiting for addresses").is_visible()
    look(page, "import-preview")
    page.click("button[name=_confirm]")
    settle(page)
    assert page.locator("text=Nothing to import").is_visible()
    look(page, "import-done")
    page.click("text=Add address >> nth=0")
    assert page.input_value("#id_address").startswith(town.our_ports[-1]["ipaddr4"])
    with site.data():
        assert PeeringConnection.objects.count() == len(town.our_ports) - 1

    network = request.getfixturevalue("sessions")
    page.goto(FABRICS)
    settle(page)
    look(page, "exchange-list")
    with site.data():
        first = next(
            row for row in town.find("netixlan", ixlan_id=network.peeringdb_id) if row["asn"] != town.our_asn
        )
        renumber(town, network.peeringdb_id, lagging=[first["id"]])
        fill_mirror(town)
        old = str(network.ipv4_prefix.prefix)
    page.goto(f"{FABRICS}{network.fabric_id}/")
    settle(page)
    assert page.locator("text=PeeringDB has other prefixes than these networks").is_visible()
    look(page, "renumber-fabric")
    page.click("a:has-text('Renumber')")
    settle(page)
    look(page, "renumber-preview")
    page.click("button[name=_confirm]")
    settle(page)
    assert page.locator("text=Its routers need a new configuration").first.is_visible()
    with site.data():
        fabric = PeeringFabric.objects.get(pk=network.fabric_id)
        assert str(fabric.networks.get(pk=network.pk).ipv4_prefix) != old

"""Importing a router's sessions in a real browser: what was read is looked at, chosen and made by clicks."""

import uuid

import pytest

from core.models import Job
from users.models import User

from netbox_peering_manager.jobs.takeover import ReadSessionsJob
from netbox_peering_manager.models import PeeringRouter, PeeringSession
from netbox_peering_manager.services.takeover import kept
from netbox_peering_manager.services.takeover.found import (
    Found,
    FoundAddress,
    FoundFamily,
    FoundNeighbor,
    FoundRouteMap,
)
from tests import factories
from tests.browser.conftest import look, settle

pytestmark = pytest.mark.browser

# Addresses and AS numbers that no other test of this database has.
LAN = "198.51.78"
OURS, FIRST_ASN = 4_261_000_000, 4_261_000_001


def neighbor(host, description, **fields):
    values = {
        "vrf": "",
        "remote_ip": f"{LAN}.{host}",
        "remote_asn": FIRST_ASN + host,
        "local_asn": OURS,
        "local_ip": f"{LAN}.1",
        "families": (FoundFamily("ipv4-unicast", "IMPORTED-IN", "IMPORTED-OUT", 100),),
        **fields,
    }
    return FoundNeighbor(description=description, **values)


@pytest.fixture(scope="module")
def router(site):
    """A router with a LAN, a session that differs, and what was read of it."""
    rows = (
        neighbor(11, "Aurora Broadband and everything that a long description takes", peer_group="MEMBERS"),
        neighbor(12, "New words", not_taken=("timers", "next-hop-self"), enabled=False),
        neighbor(13, "", remote_asn=OURS),
        neighbor(14, "Transit", remote_ip="203.0.113.78", local_ip="", peer_group="UPSTREAMS"),
    )
    with site.data():
        for asn in (OURS, *(each.remote_asn for each in rows)):
            factories.make_asn(asn)
        factories.make_peer_asn(OURS, affiliated=True)
        device = factories.make_device("edge78.lon1")
        scope = factories.make_scope(device, asn=OURS)
        network = factories.make_network(
            "Import LAN", factories.make_fabric("Import IX"), f"{LAN}.0/24", "2001:db8:4e::/64"
        )
        interface = factories.make_interface(device)
        connection = factories.make_connection(network, interface, f"{LAN}.1/24", "2001:db8:4e::1/64")
        peer = factories.make_bgp_peer(
            f"{LAN}.12/24",
            FIRST_ASN + 12,
            scope,
            connection.ipv4_address,
            ("ipv4-unicast",),
            description="Old",
        )
        factories.make_session(peer, factories.make_relationship("Imported"), network)
        found = PeeringRouter.objects.create(device=device, napalm_driver="frr")
        job = Job.objects.create(
            name=ReadSessionsJob.name,
            object=found,
            user=User.objects.get(username=site.username),
            job_id=uuid.uuid4(),
            status="completed",
        )
        addresses = (FoundAddress("Ethernet1", f"{LAN}.1", 24),)
        policies = tuple(
            FoundRouteMap(name, ((10, "permit"),), is_whole=True) for name in ("IMPORTED-IN", "IMPORTED-OUT")
        )
        kept.keep(
            str(job.job_id),
            Found(local_asn=OURS, neighbors=rows, addresses=addresses, route_maps=policies),
        )
    return found, job


def test_what_was_read_is_looked_at_and_made_by_clicks(site, page, router):
    found, job = router
    page.goto(f"/plugins/peering-manager/routers/{found.pk}/")
    page.get_by_role("button", name="Import sessions").click()
    settle(page)
    look(page, "takeover-start")
    page.goto(f"/plugins/peering-manager/routers/{found.pk}/import-sessions/?job={job.pk}")
    settle(page)
    page.select_option("#id_lan", label="Imported")
    page.get_by_role("button", name="Preview again").click()
    settle(page)
    assert page.get_by_text("New: 1").is_visible()
    page.select_option("#id_group_0", label="Imported")
    page.select_option("#id_update", label="Change those that are ticked below")
    page.get_by_label(f"Change {LAN}.12").check()
    page.get_by_role("button", name="Preview again").click()
    settle(page)
    look(page, "takeover-preview")
    page.get_by_role("button", name="Import 2 sessions").click()
    settle(page)
    look(page, "takeover-result")
    assert page.get_by_text("2 sessions were made").is_visible()
    with site.data():
        sessions = PeeringSession.objects.filter(bgp_peer__scope__router__device=found.device)
        assert sorted(session.bgp_peer.description for session in sessions)[1:] == ["New words", "Transit"]

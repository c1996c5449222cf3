"""Watching sessions, in a browser: from the overview to the list, the session, its history, and back."""

import math
import re

import pytest
from playwright.sync_api import expect

from netbox_peering_manager import models
from tests import factories
from tests.browser.conftest import look, running_site, settle
from tests.monitoring.observed import changed, hours_ago, make_sessions, observe, sampled, unknown

pytestmark = pytest.mark.browser

ROOT = "/plugins/peering-manager/"
DARK = "document.documentElement.setAttribute('data-bs-theme', 'dark')"


@pytest.fixture(scope="module")
def site(django_db_blocker):
    """One of its own: the overview and the widget count all sessions that there are."""
    with running_site("watching", django_db_blocker) as running:
        yield running


@pytest.fixture(scope="module")
def watched(site):
    """Sessions in every plight, one of them with a long history, on a fabric and on none; gone afterwards."""
    with site.data():
        session = make_world()
    yield session
    with site.data():
        routers = models.PeeringRouter.objects.filter(device__name="rt7.mtl")
        sessions = models.PeeringSession.objects.filter(bgp_peer__scope__router__device__name="rt7.mtl")
        sessions.delete()
        routers.delete()
        models.PeeringNetwork.objects.filter(fabric__name="Watched IX").delete()
        models.PeeringFabric.objects.filter(name="Watched IX").delete()


def make_world():
    scope = factories.make_scope(factories.make_device("rt7.mtl"))
    fabric = factories.make_fabric("Watched IX")
    network = factories.make_network("Watched LAN", fabric, ipv4="192.0.2.0/24", ipv6=None)
    names = (
        "Example Networks",
        "Slow Start",
        "Northern Hosting",
        "Full Feed",
        "Lost and Found",
        "Old News",
        "New Peer",
    )
    busy, idle, never, near, gone, old, _unpolled = made = make_sessions(*names, host=50, scope=scope)
    for number, session in enumerate(made[:5]):
        models.PeeringSession.objects.filter(pk=session.pk).update(peering_network=network)
        session.bgp_peer.peer.address = f"192.0.2.{number + 10}/24"
        session.bgp_peer.peer.save()
    observe(
        busy, since=9, flaps=4, ipv4_received=880, ipv4_accepted=871, ipv4_advertised=24, ipv4_limit=1000,
        ipv6_received=210, ipv6_accepted=205, ipv6_advertised=8, ipv6_limit=2000,
    )  # fmt: skip
    observe(idle, "idle", since=26, last_established=hours_ago(30), reason="Hold timer expired")
    observe(never, "active", since=50)
    observe(near, since=500, ipv4_received=985_000, ipv4_limit=1_000_000)
    observe(gone, "missing", since=5, last_established=hours_ago(5))
    observe(old, since=300, stale_since=hours_ago(3), stale_because="rt7.mtl: no answer within 30 seconds")
    changed(busy, *["established", "idle", "active"] * 8, "established", hours=140)
    changed(idle, "established", "idle", hours=30)
    sampled(
        busy,
        1500,
        hours=160,
        ipv4_received=lambda number: None if 700 < number < 760 else int(800 + 80 * math.sin(number / 90)),
        ipv4_accepted=lambda number: None if 700 < number < 760 else int(780 + 70 * math.sin(number / 90)),
        ipv4_advertised=24,
        ipv6_received=lambda number: 150 + number // 25,
        ipv6_accepted=lambda number: 140 + number // 25,
        ipv6_advertised=8,
    )
    router = models.PeeringRouter.objects.create(device=scope.router.assigned_object, poll_enabled=True)
    models.RouterState.objects.create(
        router=router,
        polled=hours_ago(3),
        failing_since=hours_ago(3),
        failure="rt7.mtl: no answer within 30 seconds",
    )
    unknown(router, "192.0.2.200", description="Somebody new")
    return busy


def test_newcomer_finds_what_is_wrong_and_since_when(site, page, watched):
    page.goto(f"{ROOT}overview/")
    settle(page)
    look(page, "watch-overview")
    page.locator("#attention a", has_text="Down for more than an hour").click()
    settle(page)
    rows = page.locator("tbody tr")
    assert rows.count() == 3
    assert any("Idle" in text for text in rows.all_inner_texts())
    look(page, "watch-down")
    page.locator(".nav-tabs a", has_text="Never up").click()
    settle(page)
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator(".nav-tabs a", has_text="All").first.click()
    settle(page)
    look(page, "watch-sessions")


def test_history_is_drawn_in_both_themes(site, page, watched):
    page.goto(f"{ROOT}sessions/{watched.pk}/")
    settle(page)
    look(page, "watch-session")
    page.locator(".nav-tabs a", has_text="History").click()
    settle(page)
    charts = page.locator("svg[role=img]")
    assert charts.count() == 3
    assert re.search(r"Established [\d.]+ %", charts.first.get_attribute("aria-label"))
    look(page, "watch-history")
    page.evaluate(DARK)
    look(page, "watch-history-dark")
    page.locator(".btn-group a", has_text="1 year").click()
    settle(page)
    assert page.locator(".btn-group a.active").inner_text() == "1 year"
    look(page, "watch-history-year")


def test_router_tells_that_it_does_not_answer_and_whom_it_has(site, page, watched):
    with site.data():
        router = models.PeeringRouter.objects.get(device__name="rt7.mtl")
    page.goto(f"{ROOT}routers/{router.pk}/")
    settle(page)
    assert "no answer within 30 seconds" in page.inner_text(".page-body")
    look(page, "watch-router")
    page.locator("a[href*=unknown-neighbors]", has_text="1").first.click()
    settle(page)
    assert "192.0.2.200" in page.inner_text("tbody")
    look(page, "watch-unknown")


def test_widget_shows_the_counts_on_the_dashboard(site, page, watched):
    page.goto("/")
    settle(page)
    page.locator("#unlock_dashboard, button:has-text('Unlock')").first.click()
    page.locator("a:has-text('Add Widget'), button:has-text('Add Widget')").first.click()
    settle(page)
    page.locator("#id_widget_class").wait_for(state="attached")
    page.evaluate(
        """() => {
            const select = document.getElementById('id_widget_class');
            const name = 'netbox_peering_manager.SessionStatesWidget';
            if (select.tomselect) select.tomselect.setValue(name);
            else { select.value = name; select.dispatchEvent(new Event('change', {bubbles: true})); }
        }"""
    )
    settle(page)
    page.locator("#htmx-modal-content label", has_text="Fabrics").wait_for()
    page.locator(".modal-content button", has_text="Save").click()
    settle(page)
    page.goto("/")
    settle(page)
    assert "7 sessions" in page.inner_text("#dashboard")
    look(page, "watch-dashboard")

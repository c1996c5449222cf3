"""Many routers at once, configuration drift, and removed sessions, as they are seen and clicked."""

import pytest
from django.utils import timezone

from netbox_peering_manager.models import Deployment, DeploymentBatch, PeeringRouter, RouterState
from netbox_peering_manager.services.deployment import configured, fleet
from tests.browser.conftest import look, open_page, running_site, settle
from tests.deployments.scenery import make_user
from tests.deployments.test_configured import deployment_of
from tests.deployments.test_fleet import break_template, routers_with_a_session
from tests.deployments.test_removal import removed_from

pytestmark = pytest.mark.browser

DIFF = """\
 router bgp 64500
+ neighbor 198.51.0.42 remote-as 64496
+ neighbor 198.51.0.42 description Aurora Broadband, peering at Example IX London
- neighbor 198.51.100.9 description left by somebody a long time ago
"""


@pytest.fixture(scope="module")
def site(django_db_blocker):
    with running_site("fleet", django_db_blocker) as running:
        with running.data():
            furnish()
        yield running


def furnish():
    """Four routers: one that differs, one that is the same, one that does not answer, one whose template fails."""
    user = make_user()
    routers = routers_with_a_session(4)
    differs, same, silent, broken = routers
    break_template(broken)
    now = timezone.now()
    RouterState.objects.create(
        router=differs, drift="differs", compared=now, drift_since=now, masked_diff=DIFF
    )
    RouterState.objects.create(router=same, drift="same", compared=now)
    RouterState.objects.create(
        router=silent, drift="failed", compared=now, drift_failure="rt2.mtl: no route to host (192.0.2.1:22)"
    )
    batch = fleet.deploy_many(routers, user, automatic=True)
    done, sending, waiting = batch.deployments.order_by("pk")
    Deployment.objects.filter(pk=done.pk).update(
        status="failed", masked_diff=DIFF, reason="rt0.mtl: no route to host (192.0.2.1:22)", ended=now
    )
    Deployment.objects.filter(pk=sending.pk).update(status="confirming", masked_diff=DIFF)
    Deployment.objects.filter(pk=waiting.pk).update(status="awaiting-approval", masked_diff=DIFF)
    for deployment in batch.deployments.all():
        configured.note(deployment)
    deployment_of(same)
    removed_from(differs, "198.51.100.7", "198.51.100.8")


def test_many_routers_are_chosen_compared_and_stopped(site, chromium):
    with open_page(site, chromium, "fleet") as page:
        page.goto("/plugins/peering-manager/routers/")
        for router in ("rt0.mtl", "rt1.mtl", "rt3.mtl"):
            page.locator("tr", has_text=router).locator("input[name=pk]").check()
        look(page, "fleet-routers")
        page.get_by_role("button", name="Configure Selected").click()
        settle(page)
        look(page, "fleet-configure")
        page.fill("#id_max_failures", "1")
        page.fill("#id_reason", "New policy for all peers")
        page.get_by_role("button", name="Configure", exact=True).click()
        page.get_by_text("0 of 3 routers have ended").wait_for()
        look(page, "fleet-waiting")
        page.get_by_placeholder("Reason").fill("Not in this window")
        page.get_by_role("button", name="Stop").click()
        page.get_by_text("Not in this window").first.wait_for()
        look(page, "fleet-stopped")
        with site.data():
            assert DeploymentBatch.objects.latest("pk").stopped_because == "Not in this window"


def test_a_batch_shows_each_router(site, chromium):
    with site.data():
        address = DeploymentBatch.objects.earliest("pk").get_absolute_url()
    with open_page(site, chromium, "batch") as page:
        page.goto(address)
        page.get_by_text("Awaiting approval").wait_for()
        look(page, "fleet-batch")
        page.goto("/plugins/peering-manager/deployment-batches/")
        look(page, "fleet-batches")


def test_drift_is_listed_looked_at_and_compared(site, chromium):
    with open_page(site, chromium, "drift") as page:
        page.goto("/plugins/peering-manager/configuration-drift/")
        look(page, "drift-list")
        page.locator("td").get_by_role("link", name="rt0.mtl").click()
        page.get_by_text("What configuring it would change").wait_for()
        look(page, "drift-router")
        page.get_by_role("button", name="Compare now").click()
        page.get_by_text("1 router is being compared.").wait_for()
        look(page, "drift-comparing")
        with site.data():
            silent = PeeringRouter.objects.get(device__name="rt2.mtl").pk
        page.goto(f"/plugins/peering-manager/routers/{silent}/drift/")
        look(page, "drift-silent")


def test_sessions_tell_whether_they_are_on_their_routers(site, chromium):
    with site.data():
        router = PeeringRouter.objects.get(device__name="rt0.mtl")
        address = router.get_absolute_url()
        session = router.device.bgp_router.get().scopes.get().peers.first().peering_session
    with open_page(site, chromium, "configuration") as page:
        page.goto("/plugins/peering-manager/sessions/")
        look(page, "configuration-list")
        page.goto("/plugins/peering-manager/sessions/?configuration=failed")
        page.get_by_text("198.51.0.42").first.wait_for()
        page.goto(session.get_absolute_url())
        look(page, "configuration-session")
        page.goto(address)
        page.get_by_text("Remove now").wait_for()
        look(page, "removal-panel")

"""
A session is deployed by clicking, to a real router: one user asks and sees the changes, another one approves, and the
session is Established on both ends. Then what else there is to click, looked at.
"""

import json
from contextlib import contextmanager
from dataclasses import replace

import pytest

from core.models import ObjectType
from users.models import ObjectPermission, User

from netbox_peering_manager.models import Deployment, DeploymentStep, PeerASN, PeeringSession
from tests.browser.conftest import SCREENSHOTS, look, open_page, running_site, settle
from tests.lab import deploying

pytestmark = [pytest.mark.browser, pytest.mark.lab]

ROOT = "/plugins/peering-manager"
PASSWORD = "An approver's 1st password"
# A worker starts, connects to the router, compares, commits, and waits for BGP.
PATIENCE_MS = 90_000


@pytest.fixture(scope="module")
def site(django_db_blocker, lab):
    deploying.empty(lab)
    settings = json.dumps(deploying.plugin_settings(lab))
    with running_site("deploying", django_db_blocker, with_worker=True, NPM_SETTINGS=settings) as running:
        yield running


@pytest.fixture(scope="module")
def world(site, lab):
    """Our router, which wants somebody else's approval, with sessions to two members."""
    with site.data():
        world = deploying.build(lab, approval="other", health_timeout=20)
        approver = User.objects.create_user("approver", password=PASSWORD)
        for actions, models in (
            (["view"], ("peeringrouter", "peeringsession", "deployment")),
            (["approve"], ("deployment",)),
        ):
            permission = ObjectPermission.objects.create(name=f"{actions}", actions=actions)
            permission.users.add(approver)
            permission.object_types.set(
                ObjectType.objects.filter(app_label="netbox_peering_manager", model__in=models)
            )
        # Read while the database is there.
        world.router.device.name  # noqa: B018
    return world


@contextmanager
def page_of(site, chromium, user, name):
    """A page in which this user is logged in."""
    as_user = site if user == "admin" else replace(site, username=user, password=PASSWORD)
    with open_page(as_user, chromium, name) as page:
        page.set_default_timeout(PATIENCE_MS)
        yield page


def status_of(page, text):
    """Wait until the page says so, which loads itself again when the deployment has moved on."""
    page.locator("#deployment-steps .badge", has_text=text).first.wait_for()
    settle(page)


def test_session_is_deployed_seen_approved_by_somebody_else_and_established(site, world, chromium):
    with site.data():
        session = world.session(64496)
        address = world.address(64496)
        url = session.get_absolute_url()
    assert address not in world.established()

    with page_of(site, chromium, "admin", "deploying-asks") as page:
        page.goto(url)
        settle(page)
        look(page, "deploy-session")
        page.get_by_role("button", name="Configure", exact=True).click()
        page.wait_for_url("**/deployments/*/")
        deployment = page.url
        status_of(page, "Awaiting approval")
        look(page, "deploy-awaiting")
        added = page.locator("#deployment-diff .bg-success-subtle").all_inner_texts()
        assert any(f"neighbor {address} remote-as 64496" in line for line in added), added
        assert page.get_by_role("button", name="Approve").is_disabled()
        assert "somebody else has to approve" in page.inner_text("#deployment-actions")
    assert address not in world.established()

    with page_of(site, chromium, "approver", "deploying-approves") as page:
        page.goto(deployment)
        settle(page)
        assert f"neighbor {address} remote-as 64496" in page.inner_text("#deployment-diff")
        look(page, "deploy-approving")
        page.fill("input[name=reason]", "As agreed with the peer")
        page.get_by_role("button", name="Approve").click()
        status_of(page, "Done")
        look(page, "deploy-done")
        assert "As agreed with the peer" in page.inner_text("#deployment-steps")
        assert "approver" in page.inner_text("#deployment-steps")
    assert deploying.eventually(lambda: address in world.established())
    with site.data():
        row = Deployment.objects.get()
        assert (row.requested_by.username, row.approved_by.username) == ("admin", "approver")
        assert DeploymentStep.objects.filter(deployment=row, status="confirming").exists()


def test_everything_else_there_is_to_click_fits_the_screen(site, world, chromium):
    with site.data():
        session = world.session(64497)
        peer = PeerASN.objects.get(asn__asn=64497)
        router = f"{ROOT}/routers/{world.router.pk}"
        last = Deployment.objects.latest("pk").pk
        urls = {
            "session": session.get_absolute_url(),
            "peer": peer.get_absolute_url(),
            "fabric": session.peering_network.fabric.get_absolute_url(),
        }
        assert PeeringSession.objects.count() > 1
    with page_of(site, chromium, "admin", "deploying-rest") as page:
        for name, url in (
            ("list", f"{ROOT}/deployments/"),
            ("tab", f"{router}/deployments/"),
            ("router", f"{router}/"),
            ("peer", urls["peer"]),
            ("fabric", urls["fabric"]),
            ("config-manager", f"{urls['session']}config-manager/"),
            ("multiple", f"{urls['peer']}configure-sessions/"),
            ("delete", f"{urls['session']}delete/"),
            ("edit", f"{ROOT}/deployments/{last}/edit/"),
        ):
            page.goto(url)
            settle(page)
            look(page, f"deploy-{name}")
        page.goto(f"{urls['peer']}configure-sessions/")
        settle(page)
        page.check("#all-exchanges")
        assert page.locator("input[name=pk]:checked").count() == page.locator("input[name=pk]").count() == 2
        page.get_by_role("button", name="Schedule").click()
        page.wait_for_url("**/deployments/*/")
        status_of(page, "Awaiting approval")
        look(page, "deploy-scheduled-awaiting")
        page.goto(urls["session"])
        settle(page)
        page.get_by_role("button", name="More").click()
        page.get_by_role("button", name="Admin down").wait_for()
        page.screenshot(path=str(SCREENSHOTS / "deploy-menu-1280.png"))

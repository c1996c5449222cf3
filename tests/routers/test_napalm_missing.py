"""Every page that has to do with routers says what to install where NAPALM is missing, and works all the same."""

import pytest
from django.urls import reverse

from netbox_peering_manager.ui import napalm
from tests import factories
from tests.deployments.scenery import make_router, make_sessions
from tests.sessions.people import browser, make_root

pytestmark = pytest.mark.django_db

APP = "plugins:netbox_peering_manager"
TOLD = (
    "NAPALM is not installed here, so no router can be asked. Install the plugin&#x27;s wheel with the extra"
)
# Pages, and of which object each is.
PAGES = {
    "peeringrouter": "router",
    "peeringsession": "session",
    "peerasn_configure_sessions": "peer",
    "peeringrouter_config_manager": "router",
    "peeringsession_config_manager": "session",
    "configuration_drift": "",
    "peeringrouter_drift": "router",
    "peeringrouter_import_sessions": "router",
    "peeringrouter_connection": "router",
}


@pytest.fixture
def world():
    router = make_router()
    peer = factories.make_peer_asn(64496)
    [session] = make_sessions(router, "198.51.100.42")
    return {"router": router, "session": session, "peer": peer}


def shown(world, page):
    args = [world[PAGES[page]].pk] if PAGES[page] else []
    answer = browser(make_root()).get(reverse(f"{APP}:{page}", args=args))
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_page_says_what_to_install(world, page, monkeypatch):
    monkeypatch.setattr(napalm, "is_napalm_installed", lambda: False)
    text = shown(world, page)
    assert TOLD in text
    assert "netbox_peering_manager.routers" in text


@pytest.mark.parametrize("page", ["peeringsession", "configuration_drift"])
def test_workers_elsewhere_may_have_it(world, page, monkeypatch):
    monkeypatch.setattr(napalm, "is_napalm_installed", lambda: False)
    monkeypatch.setattr(napalm, "served", lambda queue: queue)
    assert TOLD not in shown(world, page)


@pytest.mark.parametrize("page", PAGES)
def test_with_napalm_nothing_is_said(world, page):
    assert TOLD not in shown(world, page)


def test_deploy_buttons_stay_for_a_worker_that_this_host_does_not_know(world, monkeypatch):
    monkeypatch.setattr(napalm, "is_napalm_installed", lambda: False)
    url = reverse(f"{APP}:peeringsession_configure", args=[world["session"].pk])
    assert f'formaction="{url}" class="btn btn-primary" title="Compare and commit' in shown(
        world, "peeringsession"
    )

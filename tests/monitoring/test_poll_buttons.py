"""The buttons that ask routers for the states of sessions: whom they ask, for whom, and what is said when nobody is."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from core.models import Job
from dcim.models import Platform

from netbox_peering_manager.jobs.monitoring import PollJob
from netbox_peering_manager.models import PeeringRouter
from netbox_peering_manager.ui import napalm
from netbox_peering_manager.ui.polls import poll_rows
from tests import factories, shared
from tests.sessions.people import browser, grant, make_full_session, make_root, make_user, ours

pytestmark = pytest.mark.django_db
UI = "plugins:netbox_peering_manager:"


def build():
    """A session on a router that a driver is known for, and one on a router without; neither is polled by itself."""
    session = make_full_session(password="")
    device = session.device
    device.platform = Platform.objects.create(name="FRRouting", slug="frr")
    device.save()
    factories.make_peer_asn(64496)
    other = factories.make_session(
        factories.make_bgp_peer(
            "203.0.113.9/32", asn=64497, scope=factories.make_scope(factories.make_device("rt2.mtl"))
        )
    )
    known = PeeringRouter.objects.create(device=device)
    strange = PeeringRouter.objects.create(device=other.device)
    return session, other, known, strange


made = shared.once(build)
world = shared.copy()


@pytest.fixture(autouse=True)
def drivers(settings, monkeypatch):
    config = settings.PLUGINS_CONFIG["netbox_peering_manager"]
    monkeypatch.setitem(config, "napalm_drivers", {"frr": {"driver": "frr"}})


def press(user, shown):
    return browser(user).post(reverse(f"{UI}{shown._meta.model_name}_poll", args=[shown.pk]))


def said(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def asked():
    return set(Job.objects.filter(name=PollJob.name).values_list("object_id", flat=True))


def with_sessions(session):
    """Everything with a button that polls the session's router."""
    return [
        session,
        session.peering_network,
        session.peering_network.fabric,
        session.remote_as.peer_asn,
        session.local_as.peer_asn,
        PeeringRouter.objects.get(device=session.device),
    ]


@pytest.mark.parametrize("number", range(6))
def test_button_of_each_page_asks_the_routers_of_its_sessions(world, number):
    session, _other, known, _strange = world
    shown = with_sessions(session)[number]
    root = make_root()
    text = browser(root).get(shown.get_absolute_url()).content.decode()
    assert f'action="{reverse(f"{UI}{shown._meta.model_name}_poll", args=[shown.pk])}"' in text
    assert "Update session state" in text
    response = press(root, shown)
    assert response.url == shown.get_absolute_url()
    assert asked() == {known.pk}
    assert "1 router is asked." in said(response)[0]


def test_whole_list_asks_all_routers_and_says_which_cannot_be_asked(world):
    _session, _other, known, strange = world
    response = browser(make_root()).post(reverse(f"{UI}peeringsession_poll_all"))
    assert asked() == {known.pk}
    good, bad = said(response)
    assert "1 router is asked." in good
    assert str(strange) in bad
    assert "driver" in bad


def test_filtered_list_asks_the_routers_of_what_it_shows(world):
    _session, other, _known, strange = world
    address = reverse(f"{UI}peeringsession_poll_all", query={"device_id": other.device.pk})
    page = browser(make_root()).get(reverse(f"{UI}peeringsession_list", query={"device_id": other.device.pk}))
    assert f'action="{address}"' in page.content.decode()
    (message,) = said(browser(make_root("other")).post(address))
    assert str(strange) in message
    assert asked() == set()


def test_list_with_filters_that_are_none_asks_nobody(world):
    response = browser(make_root()).post(
        reverse(f"{UI}peeringsession_poll_all", query={"bgp_state": "nonsense"})
    )
    assert "not valid" in said(response)[0]
    assert asked() == set()


def test_second_press_asks_nobody_twice(world):
    session, *_others = world
    root = make_root()
    press(root, session)
    press(root, session)
    assert Job.objects.filter(name=PollJob.name).count() == 1


def test_session_whose_device_is_no_peering_router_says_what_is_missing(world):
    session, _other, known, _strange = world
    known.delete()
    (message,) = said(press(make_root(), session))
    assert "Add the device as a router first" in message
    assert asked() == set()


def test_without_napalm_it_is_said_what_to_install(world, monkeypatch):
    monkeypatch.setattr(napalm, "is_napalm_installed", lambda: False)
    (message,) = said(press(make_root(), world[0]))
    assert "NAPALM is not installed" in message
    assert asked() == set()


def test_napalm_elsewhere_will_do(world, monkeypatch):
    monkeypatch.setattr(napalm, "is_napalm_installed", lambda: False)
    monkeypatch.setattr(napalm, "served", lambda queue: queue)
    assert "is asked" in said(press(make_root(), world[0]))[0]


@pytest.mark.parametrize(
    ("rights", "status"),
    [
        ([], 403),
        (["view_peeringsession"], 403),
        (["poll_peeringrouter"], 403),
        (["view_peeringsession", "poll_peeringrouter"], 302),
    ],
)
def test_asking_is_for_those_who_may_poll(world, rights, status):
    session, *_others = world
    assert press(make_user(*ours(*rights)), session).status_code == status
    assert bool(asked()) is (status == 302)
    assert browser().post(reverse(f"{UI}peeringsession_poll", args=[session.pk])).status_code == 302


def test_routers_that_one_may_not_poll_are_not_asked(world):
    _session, _other, known, strange = world
    user = make_user(*ours("view_peeringsession"))
    grant(user, *ours("poll_peeringrouter"), constraints={"pk": strange.pk})
    response = browser(user).post(reverse(f"{UI}peeringsession_poll_all"))
    assert asked() == set()
    assert str(known) not in " ".join(said(response))


def test_sessions_that_one_may_not_view_have_no_routers_asked(world):
    session, other, _known, _strange = world
    user = make_user(*ours("poll_peeringrouter"))
    grant(user, *ours("view_peeringsession"), constraints={"pk": other.pk})
    assert press(user, session).status_code == 404
    browser(user).post(reverse(f"{UI}peeringsession_poll_all"))
    assert asked() == set()


def test_button_is_for_those_who_may_poll(world):
    session, *_others = world
    user = make_user(*ours("view_peeringsession"))
    assert "Update session state" not in browser(user).get(session.get_absolute_url()).content.decode()
    assert (
        "Update session state" not in browser(user).get(reverse(f"{UI}peeringsession_list")).content.decode()
    )


def test_button_needs_a_post(world):
    assert (
        browser(make_root()).get(reverse(f"{UI}peeringsession_poll", args=[world[0].pk])).status_code == 405
    )


#
# How far it is
#


def follow(user, jobs, **query):
    return browser(user).get(reverse(f"{UI}polls", query={"job": [job.pk for job in jobs], **query}))


def test_page_shows_how_far_each_poll_is(world):
    root = make_root()
    response = press(root, world[0])
    job = Job.objects.get(name=PollJob.name)
    assert f"job={job.pk}" in said(response)[0]
    text = follow(root, [job], back="/plugins/peering-manager/sessions/").content.decode()
    assert "0 of 1 routers" in " ".join(text.split())
    assert "hx-trigger" in text
    Job.objects.filter(pk=job.pk).update(
        status="completed", data={"poll": {"sessions": 5, "established": 4, "changed": 1}}
    )
    text = follow(root, [job], back="/plugins/peering-manager/sessions/").content.decode()
    assert "5 sessions, 4 of them Established, 1 changed" in text
    assert 'hx-trigger="every 2s"' not in text
    assert "Show the result" in text


def test_page_says_why_a_poll_failed(world):
    root = make_root()
    press(root, world[0])
    job = Job.objects.get(name=PollJob.name)
    Job.objects.filter(pk=job.pk).update(status="failed", error="rt1.mtl: <no> answer")
    assert "rt1.mtl: &lt;no&gt; answer" in follow(root, [job]).content.decode()


def test_page_is_for_who_asked_and_who_may_view_jobs(world):
    root = make_root()
    press(root, world[0])
    job = Job.objects.get(name=PollJob.name)
    assert follow(make_user(*ours("view_peeringsession")), [job]).status_code == 404
    assert follow(make_user("core.view_job", name="boss"), [job]).status_code == 200
    assert browser().get(reverse(f"{UI}polls")).status_code == 302
    assert browser(root).get(reverse(f"{UI}polls", query={"job": ["x", "9" * 30]})).status_code == 404


def test_page_leads_back_to_this_site_alone(world):
    root = make_root()
    press(root, world[0])
    job = Job.objects.get(name=PollJob.name)
    Job.objects.filter(pk=job.pk).update(status="completed")
    assert (
        "example.com"
        not in follow(root, [job], back="https://example.com/").content.decode().split("polls")[-1]
    )


def test_job_of_a_router_that_is_gone_is_shown_all_the_same(world):
    job = Job(name=PollJob.name, status="errored", object_id=None)
    (row,) = poll_rows([job])
    assert row.is_finished
    assert "unexpected error" in row.text


def test_page_of_polls_names_the_command_of_the_queue_that_they_wait_in(world, monkeypatch):
    """Where no worker serves the plugin's queue, polls wait in NetBox's own."""
    user = make_root()
    press(user, world[0])
    job = Job.objects.get(name=PollJob.name)
    for queue, command in (
        ("default", "rqworker high default low"),
        ("netbox_peering_manager.routers", "rqworker high default low netbox_peering_manager.routers"),
    ):
        Job.objects.filter(pk=job.pk).update(queue_name=queue)
        page = browser(user).get(reverse(f"{UI}polls"), {"job": job.pk}).content.decode()
        assert f"No worker takes jobs from the queue {queue}. Start one with <code>{command}</code>" in page

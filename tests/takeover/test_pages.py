"""Importing in the browser: reading, preview, job, result, for each kind of user."""

import re
import uuid

import django_rq
import pytest
from django.urls import reverse

from core.models import Job, ObjectChange
from netbox_routing.models import BGPPeer, BGPPeerTemplate

from netbox_peering_manager.exceptions import LoginRefused
from netbox_peering_manager.jobs import takeover as jobs
from netbox_peering_manager.models import PeeringRouter, PeeringSession
from netbox_peering_manager.services.takeover import kept
from netbox_peering_manager.views import takeover as views
from tests import factories
from tests.queries import queries_of
from tests.sessions.people import browser, grant, make_root, make_user, ours
from tests.takeover.routers import SECRET, forget, found, full_neighbor, neighbor
from tests.takeover.test_plan import ROWS, SEEN, known_session

pytestmark = pytest.mark.django_db

PAGE = "plugins:netbox_peering_manager:peeringrouter_import_sessions"
RIGHTS = ours("view_peeringrouter", "import_sessions_peeringrouter")


@pytest.fixture
def peer():
    return factories.make_relationship("Peer", bgp_role="peer")


@pytest.fixture
def root():
    return make_root()


def url_of(router, job=None):
    url = reverse(PAGE, args=[router.pk])
    return f"{url}?job={job.pk}" if job else url


def reading(router, user, *neighbors, **fields):
    """A reading of the router by this user that went well."""
    job = Job.objects.create(
        name=jobs.ReadSessionsJob.name,
        object=router,
        user=user,
        job_id=uuid.uuid4(),
        status="completed",
        data={"read": {"neighbors": len(neighbors)}},
    )
    kept.keep(str(job.job_id), found(*neighbors, **fields))
    return job


def text_of(response):
    return " ".join(response.content.decode().split())


def order_of(response):
    assert response.status_code == 200
    return re.search(r'name="order" value="([^"]+)"', response.content.decode())[1]


def choices(peer, **fields):
    return {"lan": peer.pk, "make_missing": "on", "update": "none", **fields}


def confirm(user, router, job, data):
    client = browser(user)
    order = order_of(client.get(url_of(router, job)))
    return client.post(url_of(router, job), {"order": order, "_confirm": "", **data})


# Reading


def test_start_says_what_is_read_and_names_why_it_cannot(router, root):
    page = text_of(browser(root).get(url_of(router)))
    assert "its device has no platform" in page
    assert "disabled" in page
    router.napalm_driver = "frr"
    router.save()
    assert "BFD, TTL and passwords" in text_of(browser(root).get(url_of(router)))


def test_button_is_on_the_routers_page_for_who_may_import(router):
    page = reverse("plugins:netbox_peering_manager:peeringrouter", args=[router.pk])
    assert url_of(router) in text_of(browser(make_user(*RIGHTS)).get(page))
    viewer = make_user(*ours("view_peeringrouter"), name="viewer")
    assert url_of(router) not in text_of(browser(viewer).get(page))


def test_reading_is_a_job_whose_progress_the_page_shows(router, root):
    response = browser(root).post(url_of(router))
    job = Job.objects.get(name=jobs.ReadSessionsJob.name)
    assert (response.url, job.user, job.object) == (url_of(router, job), root, router)
    page = text_of(browser(root).get(response.url))
    assert f"/jobs/{job.pk}/progress/" in page


def test_preview_names_what_is_used_without_being_compared(router, root, peer):
    job = reading(router, root, full_neighbor())
    assert 'id="used"' not in text_of(browser(root).get(url_of(router, job)))
    BGPPeerTemplate.objects.create(name="MEMBERS")
    page = text_of(browser(root).get(url_of(router, job)))
    used = page[page.index('id="used"') :]
    assert "MEMBERS" in used
    assert "what it holds is not compared with what the router has" in used


class Router:
    """A session with a router that answers with what was given."""

    def __init__(self, answer):
        self.answer = answer

    def __call__(self, router):
        return self

    def __enter__(self):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self

    def __exit__(self, *exc):
        return False


def run_reading(router, user, monkeypatch, answer):
    monkeypatch.setattr(jobs, "session_with", Router(answer))
    monkeypatch.setattr(jobs, "read", lambda device: device.answer)
    job = Job.objects.create(name=jobs.ReadSessionsJob.name, object=router, user=user, job_id=uuid.uuid4())
    jobs.ReadSessionsJob.handle(job)
    job.refresh_from_db()
    return job


def test_what_is_read_is_kept_encrypted_for_an_hour_and_in_no_job(router, root, monkeypatch):
    job = run_reading(router, root, monkeypatch, found(full_neighbor()))
    assert job.status == "completed", job.error
    redis = django_rq.get_connection("default")
    name = kept.PREFIX + str(job.job_id)
    assert SECRET.encode() not in redis.get(name)
    assert b"198.51.100" not in redis.get(name)
    assert 0 < redis.ttl(name) <= 3600
    assert kept.look(str(job.job_id), router).neighbors[0].password == SECRET
    assert SECRET not in repr(Job.objects.values_list("data", "error", "log_entries"))


def test_router_that_cannot_be_read_is_told_on_the_page(router, root, monkeypatch):
    job = run_reading(router, root, monkeypatch, LoginRefused("edge1.lon1: the password is not accepted"))
    assert job.status == "failed"
    page = text_of(browser(root).get(url_of(router, job)))
    assert "the password is not accepted" in page
    assert "Nothing was made." in page


def test_reading_by_who_lost_the_right_meanwhile_fails(router, monkeypatch):
    user = make_user(*ours("view_peeringrouter"))
    job = run_reading(router, user, monkeypatch, found(full_neighbor()))
    assert (job.status, "no longer import" in job.error) == ("failed", True)


# The preview


def test_preview_has_its_lists_and_no_password(router, root, peer):
    known_session(router, description="Aurora")
    known_session(router, remote="198.51.100.43/24", asn=64497, description="Old")
    known_session(router, remote="198.51.100.99/24", asn=64499, name="Gone")
    rows = (
        neighbor(42, description="Aurora"),
        neighbor(43, 64497, description="New words", password=SECRET, has_password=True),
        full_neighbor(44, 64498),
        neighbor(45, factories.LOCAL_ASN),
    )
    page = text_of(browser(root).get(url_of(router, reading(router, root, *rows))))
    for part in (
        "New: 1",
        "Same: 1",
        "Different: 1",
        "Left out: 1",
        "In NetBox alone: 1",
        "Import 1 session",
    ):
        assert part in page
    assert "New words" in page
    assert "Old" in page
    assert SECRET not in page


def test_relationships_are_offered_by_group_and_guessed_by_role(router, root, peer):
    rows = [neighbor(remote_ip=f"203.0.113.{n}", local_ip="", peer_group="TRANSIT") for n in range(5)]
    job = reading(router, root, neighbor(), *rows)
    page = text_of(browser(root).get(url_of(router, job)))
    assert "peer group TRANSIT (5)" in page
    assert f'<option value="{peer.pk}" selected' in page
    assert "Import 1 session" in page
    order = order_of(browser(root).get(url_of(router, job)))
    again = browser(root).post(
        url_of(router, job), {"order": order, "_preview": "", **choices(peer, group_0=peer.pk)}
    )
    assert "Import 6 sessions" in text_of(again)


def test_preview_of_another_user_router_or_hour_is_refused(router, root, peer):
    job = reading(router, root, neighbor())
    other = make_root("other")
    assert browser(other).get(url_of(router, job)).status_code == 404
    assert browser(root).get(f"{url_of(router)}?job=9{'9' * 30}").status_code == 404
    assert browser(root).get(f"{url_of(router)}?job=x").status_code == 404
    elsewhere = PeeringRouter.objects.create(device=factories.make_device("edge2.lon1"))
    assert browser(root).get(url_of(elsewhere, job)).status_code == 404
    forget(job)
    response = browser(root).get(url_of(router, job))
    assert response.url == url_of(router)


def test_signed_order_of_another_reading_is_refused(router, root, peer):
    first, second = reading(router, root, neighbor()), reading(router, root, neighbor(43, 64497))
    order = order_of(browser(root).get(url_of(router, first)))
    response = browser(root).post(url_of(router, second), {"order": order, "_confirm": "", **choices(peer)})
    assert response.url == url_of(router, second)
    assert not PeeringSession.objects.exists()


# Importing


def test_import_makes_what_was_looked_at_and_tells(router, root, peer):
    job = reading(router, root, full_neighbor(), neighbor(43, factories.LOCAL_ASN))
    response = confirm(root, router, job, choices(peer))
    page = text_of(browser(root).get(response.url))
    assert "1 session was made" in page
    session = PeeringSession.objects.get()
    assert session.get_absolute_url() in page
    imported = Job.objects.get(name=jobs.ImportSessionsJob.name)
    assert imported.data["imported"]["objects"]["route_map"] == 2
    assert SECRET not in repr((imported.data, imported.log_entries, page))
    assert set(ObjectChange.objects.values_list("user__username", flat=True)) == {"root"}


def test_changed_choice_is_looked_at_before_it_is_done(router, root, peer):
    job = reading(router, root, neighbor())
    other = factories.make_relationship("Customer")
    page = text_of(confirm(root, router, job, choices(other)))
    assert "The choices were changed" in page
    assert not PeeringSession.objects.exists()


def test_ticked_session_is_changed_and_another_is_not(router, root, peer):
    known_session(router, description="Old")
    other = known_session(router, remote="198.51.100.43/24", asn=64497, description="Old too")
    rows = neighbor(42, description="New"), neighbor(43, 64497, description="New too")
    job = reading(router, root, *rows)
    data = choices(peer, update="chosen", take=[rows[0].key])
    page = text_of(browser(root).get(confirm(root, router, job, data).url))
    assert "1 was changed" in page
    assert "Description" in page
    assert set(BGPPeer.objects.values_list("description", flat=True)) == {"New", "Old too"}
    assert other.bgp_peer.description == "Old too"


def test_large_import_is_queued(router, root, peer, monkeypatch, django_capture_on_commit_callbacks):
    monkeypatch.setattr(views, "has_worker", lambda: True)
    monkeypatch.setattr(views, "AT_ONCE", 0)
    job = reading(router, root, full_neighbor())
    with django_capture_on_commit_callbacks(execute=True):
        response = confirm(root, router, job, choices(peer))
    page = text_of(browser(root).get(response.url))
    queued = Job.objects.get(name=jobs.ImportSessionsJob.name)
    assert (queued.status, f"/jobs/{queued.pk}/progress/" in page) == ("pending", True)
    queue = django_rq.get_queue("default")
    task = queue.fetch_job(str(queued.job_id))
    assert SECRET.encode() not in task.data
    assert not PeeringSession.objects.exists()


def test_what_is_kept_no_longer_fails_the_import_and_says_what_to_do(router, root, peer):
    job = reading(router, root, neighbor())
    reviewed = {neighbor().key: "0" * 16}
    forget(job)
    from netbox_peering_manager.services.takeover.planned import Choices

    started = jobs.ImportSessionsJob.start(router, job, reviewed, Choices(), root, at_once=True)
    assert started.status == "failed"
    assert "Read it again" in started.error


# Rights


@pytest.mark.parametrize("method", ["get", "post"])
def test_right_to_import_has_to_fit_the_router(router, method):
    def status(user):
        return getattr(browser(user), method)(url_of(router)).status_code

    assert status(None) == 302
    assert status(make_user(name="nobody")) == 403
    assert status(make_user(*ours("view_peeringrouter"), name="viewer")) == 403
    assert status(make_user(*ours("import_sessions_peeringrouter"), name="blind")) == 404
    elsewhere = make_user(*ours("view_peeringrouter"), name="elsewhere")
    grant(elsewhere, *ours("import_sessions_peeringrouter"), constraints={"pk": 0})
    assert status(elsewhere) == 404
    assert status(make_user(*RIGHTS)) == (200 if method == "get" else 302)


def test_import_asks_for_the_right_to_make_each_thing(router, peer):
    user = make_user(*RIGHTS, *SEEN)
    job = reading(router, user, neighbor())
    page = text_of(browser(user).get(url_of(router, job)))
    assert "You may not add" in page
    grant(user, *ROWS)
    confirm(user, router, job, choices(peer))
    assert PeeringSession.objects.count() == 1


def test_queries_of_the_preview_do_not_grow_with_neighbours(router, root, peer):
    few = reading(router, root, *(full_neighbor(50 + n, 4200000000 + n) for n in range(3)))
    many = reading(router, root, *(full_neighbor(50 + n, 4200000000 + n) for n in range(120)))
    client = browser(root)
    client.get(url_of(router, few))
    counted = [queries_of(lambda job=job: client.get(url_of(router, job))) for job in (few, many)]
    assert counted[0] == counted[1] <= 30, counted

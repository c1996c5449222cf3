"""Importing over REST: read, plan, import, for each kind of user."""

import pytest
from django.urls import reverse

from core.models import Job

from netbox_peering_manager.api.views import takeover as views
from netbox_peering_manager.jobs.takeover import ReadSessionsJob
from netbox_peering_manager.models import PeeringSession
from tests import factories
from tests.sessions.people import grant, make_root, make_user, ours, rest
from tests.takeover.routers import SECRET, forget, full_neighbor, neighbor
from tests.takeover.test_pages import RIGHTS, reading
from tests.takeover.test_plan import ROWS, SEEN, known_session

pytestmark = pytest.mark.django_db


@pytest.fixture
def root():
    return make_root()


def url_of(router, job=None):
    name = "router-imported-sessions" if job else "router-import-sessions"
    args = [router.pk, job] if job else [router.pk]
    return reverse(f"plugins-api:netbox_peering_manager-api:{name}", args=args)


def post(user, router, **data):
    return rest(user).post(url_of(router), data, format="json")


def test_router_is_read_in_a_job(router, root, monkeypatch):
    monkeypatch.setattr(views, "any_workers_for_queue", lambda queue: True)
    refused = post(root, router)
    assert (refused.status_code, "has no platform" in refused.json()["detail"]) == (409, True)
    router.napalm_driver = "frr"
    router.save()
    answer = post(root, router)
    assert answer.status_code == 202
    job = Job.objects.get(name=ReadSessionsJob.name)
    assert answer.json()["job"]["id"] == job.pk
    seen = rest(root).get(url_of(router, job.pk)).json()
    assert (seen["neighbors"], seen["made"]) == (None, [])
    monkeypatch.setattr(views, "any_workers_for_queue", lambda queue: False)
    assert post(root, router).status_code == 503


def test_dry_run_answers_with_the_plan_and_makes_nothing(router, root):
    known_session(router, description="Old")
    peer = factories.make_relationship("Peer").pk
    transit = [neighbor(remote_ip="203.0.113.1", local_ip="", peer_group="TRANSIT")]
    job = reading(router, root, neighbor(description="New"), full_neighbor(43, 64497), *transit)
    answer = post(root, router, reading=job.pk, dry_run=True, lan=peer)
    plan = answer.json()
    assert answer.status_code == 200, plan
    assert [each["neighbor"]["remote_ip"] for each in plan["new"]] == ["198.51.100.43"]
    [different] = plan["different"]
    assert different["differences"] == [
        {"name": "description", "afi": "", "netbox": "Old", "router": "New", "can_take": True}
    ]
    assert plan["groups"] == [{"key": "group:TRANSIT", "label": "peer group TRANSIT", "count": 1}]
    assert [each["reason"] for each in plan["left_out"]] == ["no-relationship"]
    assert SECRET not in answer.content.decode()
    assert PeeringSession.objects.count() == 1


def test_import_answers_with_what_was_made_and_a_second_makes_nothing(router, root):
    known_session(router, description="Old")
    peer = factories.make_relationship("Peer").pk
    rows = neighbor(description="New"), full_neighbor(43, 64497)
    job = reading(router, root, *rows)
    wanted = {"reading": job.pk, "lan": peer, "update": "chosen", "take": [rows[0].key]}
    answer = post(root, router, **wanted)
    done = answer.json()
    assert answer.status_code == 201, done
    assert [each["neighbor"]["remote_asn"] for each in done["made"]] == [64497]
    assert [each["changed"] for each in done["changed"]] == [["description"]]
    assert done["objects"]["peer_group"] == 1
    assert SECRET not in answer.content.decode()
    again = post(root, router, **wanted).json()
    assert (again["made"], again["changed"]) == ([], [])
    assert rest(root).get(url_of(router, done["job"]["id"])).json()["made"] == done["made"]


def test_in_the_background_it_waits_for_a_worker(router, root, monkeypatch):
    job = reading(router, root, neighbor())
    peer = factories.make_relationship("Peer").pk
    monkeypatch.setattr(views, "has_worker", lambda: True)
    assert post(root, router, reading=job.pk, lan=peer, background=True).status_code == 202
    monkeypatch.setattr(views, "has_worker", lambda: False)
    assert post(root, router, reading=job.pk, lan=peer, background=True).status_code == 503
    assert not PeeringSession.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"dry_run": True}, "reading"),
        ({"reading": 999}, "reading"),
        ({"update": "chosen"}, "take"),
        ({"take": ["x"]}, "take"),
        ({"update": "some"}, "update"),
        ({"groups": {"asn:64496": "x"}}, "groups"),
        ({"lan": 2**80}, "lan"),
    ],
)
def test_wrong_input_names_its_field(router, root, wrong, field):
    answer = post(root, router, **wrong)
    assert answer.status_code == 400
    assert list(answer.json()) == [field]


def test_reading_that_is_gone_or_anothers_is_refused(router, root):
    job = reading(router, root, neighbor())
    other = make_root("other")
    assert post(other, router, reading=job.pk, dry_run=True).status_code == 400
    assert rest(other).get(url_of(router, job.pk)).status_code == 404
    forget(job)
    answer = post(root, router, reading=job.pk, dry_run=True)
    assert "Read it again" in answer.json()["reading"][0]


def test_rights(router):
    assert rest().post(url_of(router)).status_code in (401, 403)
    assert post(make_user(name="nobody"), router).status_code == 403
    assert post(make_user(*ours("view_peeringrouter"), name="viewer"), router).status_code == 403
    elsewhere = make_user(*ours("view_peeringrouter"), name="elsewhere")
    grant(elsewhere, *ours("import_sessions_peeringrouter"), constraints={"pk": 0})
    assert post(elsewhere, router).status_code == 404
    user = make_user(*RIGHTS, *SEEN)
    peer = factories.make_relationship("Peer").pk
    job = reading(router, user, neighbor())
    refused = post(user, router, reading=job.pk, lan=peer).json()
    assert (refused["made"], PeeringSession.objects.count()) == ([], 0)
    plan = post(user, router, reading=job.pk, lan=peer, dry_run=True).json()
    assert [each["reason"] for each in plan["left_out"]] == ["not-allowed"]
    grant(user, *ROWS)
    # Rights are remembered on the object.
    user = type(user).objects.get(pk=user.pk)
    assert len(post(user, router, reading=job.pk, lan=peer).json()["made"]) == 1

"""REST: syncs to read, and one to ask for."""

import pytest
from django.urls import reverse
from rest_framework.settings import api_settings
from rest_framework.test import APIClient

from core.models import Job, ObjectType
from users.models import ObjectPermission, Token, User

from netbox_peering_manager.jobs import base
from netbox_peering_manager.jobs import peeringdb as jobs
from netbox_peering_manager.models import PeeringDBSync
from netbox_peering_manager.services.peeringdb import runs

pytestmark = pytest.mark.django_db

NOW = reverse("plugins-api:netbox_peering_manager-api:peeringdb-sync")
LIST = reverse("plugins-api:netbox_peering_manager-api:peeringdbsync-list")


def client_with(*actions, constraints=None, write=True):
    user = User.objects.create(username="operator")
    if actions:
        permission = ObjectPermission.objects.create(
            name="Syncs", actions=list(actions), constraints=constraints
        )
        permission.users.add(user)
        permission.object_types.add(ObjectType.objects.get_for_model(PeeringDBSync))
    token = Token(user=user, write_enabled=write)
    token.save()
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer nbt_{token.key}.{token.token}")
    return client


@pytest.fixture
def workers(monkeypatch):
    """Queues with a worker: those in this set."""
    found = {"default"}
    from netbox_peering_manager.api.views import peeringdb as views

    for module in (base, views):
        monkeypatch.setattr(module, "any_workers_for_queue", lambda queue: queue in found)
    return found


def test_sync_is_queued_as_asked_for(workers):
    answer = client_with("sync").post(NOW, {"full": True, "only": ["net", "ix"]}, format="json")
    assert answer.status_code == 202
    job = Job.objects.get(pk=answer.json()["id"])
    assert (job.name, job.user.username, job.queue_name) == ("PeeringDB Sync", "operator", "default")
    assert answer.json()["status"]["value"] == "pending"


def test_nothing_need_be_said(workers):
    workers.add(jobs.QUEUE)
    answer = client_with("sync").post(NOW)
    assert answer.status_code == 202
    assert Job.objects.get().queue_name == jobs.QUEUE


@pytest.mark.parametrize(
    ("data", "field", "message"),
    [
        ({"only": ["nets"]}, "only", "is not a valid choice"),
        ({"asn": 0}, "asn", "greater than or equal to 1"),
        ({"asn": 64500, "full": True}, api_settings.NON_FIELD_ERRORS_KEY, "synced as a whole"),
        ({"full": "perhaps"}, "full", "valid boolean"),
    ],
)
def test_what_cannot_be_synced_is_told_by_field(workers, data, field, message):
    answer = client_with("sync").post(NOW, data, format="json")
    assert answer.status_code == 400
    assert message in str(answer.json()[field])
    assert not Job.objects.exists()


def test_without_a_worker_nothing_is_queued(workers):
    workers.clear()
    assert client_with("sync").post(NOW).status_code == 503
    assert not Job.objects.exists()


def test_while_a_sync_runs_who_runs_it_is_told(workers):
    run = runs.begin("full", [], None, kept=True)
    with runs.only_one():
        answer = client_with("sync").post(NOW)
    assert answer.status_code == 409
    assert run.holder in answer.json()["detail"]
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("actions", "options"),
    [((), {}), (("view",), {}), (("sync",), {"constraints": {"pk": 0}}), (("sync",), {"write": False})],
    ids=["none", "view", "constrained", "read-only token"],
)
def test_who_may_not_sync_is_refused(workers, actions, options):
    assert client_with(*actions, **options).post(NOW).status_code == 403
    assert not Job.objects.exists()


def test_anonymous_is_refused(workers):
    assert APIClient().post(NOW).status_code in (401, 403)
    assert not Job.objects.exists()


@pytest.fixture
def run():
    run = runs.begin("full", ["net"], None, kept=True)
    run.counts, run.applied = {"net": {"created": 1}}, {"peerasn": {"updated": 2}}
    runs.end(run, "completed", "A note.")
    return run


def test_syncs_can_be_read(run):
    client = client_with("view")
    (entry,) = client.get(LIST).json()["results"]
    assert client.get(entry["url"]).json() == entry
    assert entry["counts"] == {"net": {"created": 1}}
    assert (entry["status"]["value"], entry["mode"]["value"], entry["tags"]) == ("completed", "full", ["net"])
    assert (entry["message"], entry["applied"]) == ("A note.", {"peerasn": {"updated": 2}})
    assert client.get(LIST, {"status": "failed"}).json()["count"] == 0
    assert set(client.get(LIST, {"brief": True}).json()["results"][0]) == {
        "id",
        "url",
        "display",
        "started",
        "status",
    }


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_syncs_cannot_be_written(run, method):
    client = client_with("view", "add", "change", "delete")
    for address in (LIST, f"{LIST}{run.pk}/"):
        assert getattr(client, method)(address, {}, format="json").status_code in (403, 405)
    assert PeeringDBSync.objects.count() == 1


def test_syncs_are_shown_as_far_as_they_may_be_seen(run):
    client = client_with("view", constraints={"mode": "incremental"})
    assert client.get(LIST).json()["count"] == 0
    assert client.get(f"{LIST}{run.pk}/").status_code == 404


def test_without_rights_nothing_is_shown(run):
    assert client_with().get(LIST).status_code == 403

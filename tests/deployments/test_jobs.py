"""The job that works at a deployment: where it waits, what it says, what it holds."""

from unittest import mock

import django_rq
import pytest

from core.models import Job

from netbox_peering_manager.jobs import base
from netbox_peering_manager.jobs.deployments import DeploymentJob
from netbox_peering_manager.models import Deployment
from netbox_peering_manager.services.deployment import asking, locks
from netbox_peering_manager.services.devices.credentials import Credentials
from tests.factories import make_address, make_interface

from .scenery import make_router, make_sessions, make_user
from .test_locks import Elsewhere

pytestmark = pytest.mark.django_db


@pytest.fixture
def deployment():
    router = make_router()
    # Refused at once: nobody listens there.
    device = router.device
    device.primary_ip4 = make_address("127.0.0.1/32", make_interface(device))
    device.primary_ip4.refresh_from_db()
    device.save()
    router.napalm_args = {"port": 9}
    router.save()
    make_sessions(router, "198.51.100.42")
    return asking.request(
        router, make_user("author"), automatic=True, credentials=Credentials("noc", password="Marker-Own")
    )


def run(job, deployment, **fields):
    DeploymentJob.handle(job, deployment=deployment.pk, **fields)
    job.refresh_from_db()
    return job


@pytest.mark.parametrize(("workers", "queue"), [(True, base.ROUTERS_QUEUE), (False, "default")])
def test_job_waits_where_somebody_takes_it(deployment, workers, queue):
    with mock.patch.object(base, "any_workers_for_queue", return_value=workers) as asked:
        job = DeploymentJob.start(deployment, deployment.requested_by)
    asked.assert_called_with(base.ROUTERS_QUEUE)
    assert (job.queue_name, job.object, job.user) == (queue, deployment, deployment.requested_by)


def test_job_that_waits_holds_no_secret(deployment, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        job = DeploymentJob.start(deployment, deployment.requested_by)
    waiting = django_rq.get_queue(job.queue_name).fetch_job(str(job.job_id))
    assert waiting.kwargs["deployment"] == deployment.pk
    assert "Marker" not in f"{waiting.data!r}{waiting.kwargs}"
    waiting.delete()


def test_failure_is_told_in_the_job_and_on_the_deployment_and_typed_credentials_are_used_once(deployment):
    job = DeploymentJob.start(deployment, deployment.requested_by)
    run(job, deployment, token=deployment.typed_token)
    assert job.status == "failed"
    found = Deployment.objects.get(pk=deployment.pk)
    assert (found.status, found.reason) == ("failed", job.error)
    assert "rt1.mtl" in job.error
    assert "Marker" not in f"{job.error}{job.data}{job.log_entries}"
    again = DeploymentJob.start(deployment, deployment.requested_by)
    run(again, deployment, token=deployment.typed_token)
    assert "Type them again" in again.error


def test_deployment_that_was_deleted_is_said_so():
    router = make_router()
    make_sessions(router, "198.51.100.42")
    deployment = asking.request(router, make_user())
    job, pk = DeploymentJob.start(deployment, None), deployment.pk
    deployment.delete()
    DeploymentJob.handle(job, deployment=pk)
    assert "was deleted" in job.error


def test_job_whose_router_is_busy_ends_well_and_the_deployment_waits(deployment, monkeypatch):
    monkeypatch.setattr("netbox_peering_manager.services.deployment.pipeline.WAIT_S", 0)
    job = DeploymentJob.start(deployment, deployment.requested_by)
    with Elsewhere(deployment.router):
        run(job, deployment)
    assert job.status == "completed"
    found = Deployment.objects.get(pk=deployment.pk)
    assert found.status == "rendered"
    assert "is being compared" in found.steps.last().reason
    assert locks.is_free(found.router)
    assert Job.objects.filter(pk=job.pk, error="").exists()

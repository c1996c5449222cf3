"""Both of our routers at once, by workers that are processes of their own: together, after a failure, and stopped."""

import os
import subprocess
import sys
from unittest import mock

import pytest
from django.db import connection
from django.test import Client, TransactionTestCase
from django.urls import reverse

from core.models import Job

from dev import demo_network as demo
from dev import paths
from dev.lab import looking
from netbox_peering_manager.choices import DeploymentStatusChoices as Status
from netbox_peering_manager.jobs.deployments import DeploymentJob
from netbox_peering_manager.models import (
    Deployment,
    DeploymentBatch,
    PeeringFabric,
    PeeringRouter,
    PeeringSession,
    Relationship,
    SessionConfiguration,
)
from netbox_peering_manager.services.deployment import fleet

from . import deploying
from .deploying import EDGE, MEMBERS, World, eventually

# Committed, because the workers are other processes.
pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]
OTHER = "edge2.lon1"
NEVER = "no such phase"


@pytest.fixture(scope="module")
def made(lab, django_db_setup, django_db_blocker):
    """Both routers in NetBox, for all tests of this module."""
    forget = TransactionTestCase._fixture_teardown
    with django_db_blocker.unblock():
        assert connection.settings_dict["NAME"].startswith("test_")
        with mock.patch.object(TransactionTestCase, "_fixture_teardown"):
            world = deploying.build(lab)
            build_other(lab)
            yield world
        forget(TransactionTestCase())


def build_other(lab):
    """The second router, with a port on the same LAN and sessions with the same members."""
    device = demo._router(OTHER, "frr")
    deploying._reach(device, lab.routers[OTHER].host)
    lan = PeeringFabric.objects.get().networks.get()
    port = demo._port(device, "eth1", lan, *demo.PORTS[OTHER]["et-0/0/1"])
    by_asn = {member.asn: member for member in demo.MEMBERS}
    for asn in MEMBERS:
        for address in lab.nodes[f"as{asn}"].addresses:
            demo._session(port, address, by_asn[asn], relationship=Relationship.objects.get(slug="peer"))
    PeeringRouter.objects.filter(device=device).update(push_enabled=True, health_timeout=9)


@pytest.fixture
def worlds(lab, made, settings):
    """Both routers, with nothing configured."""
    deploying.reach(lab, settings)
    for model in (Deployment, DeploymentBatch, Job, SessionConfiguration):
        model.objects.all().delete()
    for name in (EDGE, OTHER):
        deploying.empty(lab, name)
    found = {str(router): router for router in PeeringRouter.objects.with_access()}
    return [World(lab, found[name], made.user) for name in (EDGE, OTHER)]


@pytest.fixture
def workers(lab):
    """Begin the work at a deployment in a process of its own; one that is told to waits at a phase for a line."""
    begun = []

    def begin(deployment, phase=NEVER):
        job = deployment.jobs.get()
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.lab.worker"),
                *(lab.name, str(job.pk), str(deployment.pk), phase, "wait"),
            ],
            cwd=paths.ROOT,
            env={**os.environ, "NPM_DATABASE": connection.settings_dict["NAME"]},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        begun.append(process)
        if phase != NEVER:
            assert process.stdout.readline() == "here\n"
        return process

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def go_on(process):
    process.communicate("\n", timeout=120)


def ask(worlds, **asked):
    """A batch of both routers, each deployment with its job."""
    user = worlds[0].user
    batch = fleet.deploy_many(
        [world.router for world in worlds],
        user,
        automatic=True,
        start=lambda deployment: DeploymentJob.start(deployment, user),
        **asked,
    )
    return batch, list(batch.deployments.order_by("pk"))


def statuses(batch):
    return list(batch.deployments.order_by("pk").values_list("status", flat=True))


def test_both_routers_are_deployed_at_the_same_time(worlds, workers):
    batch, deployments = ask(worlds)
    for process in [workers(deployment) for deployment in deployments]:
        process.wait(120)
    reasons = list(batch.deployments.values_list("reason", flat=True))
    assert statuses(batch) == [Status.DONE, Status.DONE], reasons
    first, second = batch.deployments.order_by("sent")
    assert second.sent < first.ended
    for world in worlds:
        assert eventually(lambda world=world: world.established() == world.addresses(*MEMBERS))
    assert {row.status for row in SessionConfiguration.objects.all()} == {"configured"}
    assert SessionConfiguration.objects.count() == PeeringSession.objects.count() == 8
    batch.refresh_from_db()
    assert (batch.stopped, fleet.failures_of(batch)) == (None, 0)


def test_after_one_failure_too_many_the_rest_is_not_begun(worlds, workers):
    failing, untouched = worlds
    batch, (first, second) = ask(worlds, max_failures=1)
    # It answers nothing.
    address = failing.router.device.primary_ip4
    reached = str(address.address)
    type(address).objects.filter(pk=address.pk).update(address="127.0.0.9/32")
    try:
        workers(first).wait(120)
    finally:
        type(address).objects.filter(pk=address.pk).update(address=reached)
    workers(second).wait(120)
    assert statuses(batch) == [Status.FAILED, Status.CANCELLED]
    batch.refresh_from_db()
    assert batch.stopped_because == "1 router failed."
    second.refresh_from_db()
    assert "1 router failed" in second.reason
    assert second.sent is None
    assert looking.neighbors(untouched.folder) == {}


def test_the_stop_button_lets_what_has_begun_end_and_begins_nothing_more(worlds, workers):
    begun, untouched = worlds
    batch, (first, second) = ask(worlds)
    process = workers(first, "committing")
    client = Client()
    client.force_login(begun.user)
    stop = reverse("plugins:netbox_peering_manager:deploymentbatch_stop", args=[batch.pk])
    assert client.post(stop, {"reason": "wrong window"}).status_code == 302
    go_on(process)
    workers(second).wait(120)
    assert statuses(batch) == [Status.DONE, Status.CANCELLED]
    assert eventually(lambda: begun.established() == begun.addresses(*MEMBERS))
    assert looking.neighbors(untouched.folder) == {}


def test_one_that_was_about_to_be_sent_is_not_sent_once_the_batch_is_stopped(worlds, workers):
    about_to, _other = worlds
    batch, (first, _second) = ask(worlds)
    before = about_to.running()
    process = workers(first, "load")
    fleet.stop(batch, about_to.user, "wrong window")
    go_on(process)
    assert statuses(batch) == [Status.CANCELLED, Status.CANCELLED]
    assert about_to.running() == before

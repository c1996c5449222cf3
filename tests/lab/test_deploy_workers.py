"""
Workers that are killed, others that are at work, and a database that goes away while a deployment is being sent: each
time it ends in a state that is true, with the router as it was or as it was reviewed.
"""

import contextlib
import subprocess

import pytest
from django.db import connection

from core.models import Job

from netbox_peering_manager.choices import DeploymentStatusChoices as Status
from netbox_peering_manager.exceptions import RouterBusy
from netbox_peering_manager.jobs.deployments import DeploymentJob
from netbox_peering_manager.models import Deployment
from netbox_peering_manager.services.deployment import asking, decisions, locks, pipeline, settle

from . import deploying
from .deploying import EDGE, MEMBERS, eventually
from .faulty import MEMBER, asked, caught_committing, others, settled
from .proxy import Proxy

# Committed, because the worker is another process.
pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]
RESTART_S = 3

# A worker that is killed


@pytest.mark.parametrize(
    ("phase", "left", "ended"),
    [
        ("compare", Status.RENDERED, Status.DONE),
        ("load", Status.COMPARED, Status.DONE),
        ("committing", Status.COMMITTING, Status.FAILED),
        ("committed", Status.COMMITTING, Status.DONE),
        ("confirming", Status.CONFIRMING, Status.DONE),
        ("confirmed", Status.CONFIRMING, Status.DONE),
    ],
)
def test_worker_killed_in_any_phase_leaves_a_deployment_that_the_next_pass_settles(
    world, change, work, text, phase, left, ended
):
    before, deployment = world.epochs(), asked(world, change)
    work(deployment, phase)
    deployment.refresh_from_db()
    assert deployment.status == left
    deployment = settled(deployment)
    assert deployment.status == ended, deployment.reason
    assert ("description changed" in world.running()) is (ended == Status.DONE)
    assert not deploying.has_pending(world.lab)
    assert world.epochs() == before
    if ended == Status.FAILED:
        assert "as it was before" in deployment.reason
        assert world.running() == text["running"]


def test_worker_killed_while_the_router_commits(world, change, work, text):
    """The router commits all the same: nobody is there any more to hear of it."""
    before, deployment = world.epochs(), asked(world, change)
    process = work(deployment, "committing", "wait")
    go_on(process)
    with caught_committing(world):
        process.kill()
        process.wait()
    deployment.refresh_from_db()
    assert deployment.status == Status.COMMITTING
    assert eventually(lambda: locks.is_free(world.router))
    deployment = settled(deployment)
    assert deployment.status in (Status.DONE, Status.FAILED), deployment.reason
    assert eventually(lambda: not deploying.has_pending(world.lab), 40)
    assert ("description changed" in world.running()) is (deployment.status == Status.DONE)
    assert deployment.status == Status.DONE or world.running() == text["running"]
    assert world.epochs() == before


@pytest.mark.parametrize("phase", ["confirming", "rolling back"])
def test_change_that_loses_a_session_is_undone_by_the_next_pass_when_the_worker_was_killed(
    world, spoilt, work, text, phase
):
    unrelated, deployment = others(world), asked(world, spoilt)
    work(deployment, phase)
    deployment = settled(deployment)
    assert deployment.status == Status.ROLLED_BACK, deployment.reason
    assert world.running() == text["running"]
    assert others(world) == unrelated
    assert eventually(lambda: world.established() == world.addresses(*MEMBERS)), world.lab.state()


def test_router_that_nobody_asked_in_time_has_gone_back_by_itself_and_the_next_pass_finds_that(
    world, change, work, text
):
    deployment = asked(world, change)
    work(deployment, "confirming")
    assert eventually(lambda: not deploying.has_pending(world.lab), 40)
    deployment = settled(deployment)
    assert deployment.status == Status.ROLLED_BACK, deployment.reason
    assert world.running() == text["running"]


# Others at work, and the database


def test_two_deployments_at_once(world, change, work):
    first = asked(world, change)
    second = asking.request(world.router, world.user, sessions=[world.session(MEMBER, 6).pk])
    Deployment.objects.filter(pk=second.pk).update(
        status=Status.COMPARED, released_by=world.user, diff_digest="0" * 64
    )
    process = work(first, "confirming", "wait")
    for refused in (
        lambda: decisions.release(Deployment.objects.get(pk=second.pk), world.user),
        lambda: pipeline.commit(second.pk),
    ):
        with pytest.raises(RouterBusy, match=rf"{first.pk} on {EDGE}, asked for by operator"):
            refused()
    assert settle.settle() == []
    job = DeploymentJob.start(second, world.user)
    DeploymentJob.handle(job, deployment=second.pk)
    assert Job.objects.get(pk=job.pk).status == "completed"
    assert Deployment.objects.get(pk=second.pk).status == Status.COMPARED
    process.communicate("\n", timeout=60)
    first.refresh_from_db()
    assert first.status == Status.DONE, first.reason


def go_on(process):
    """Let a worker go on that waits at a phase."""
    process.stdin.write("\n")
    process.stdin.flush()


def end_connections_of(process):
    """As a restart of the database does: the sessions of that process are gone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )


@pytest.mark.parametrize("phase", ["committing", "committed", "confirming"])
def test_worker_that_lost_the_database_confirms_nothing_and_the_next_pass_settles_it(
    world, change, work, text, phase
):
    deployment = asked(world, change)
    process = work(deployment, phase, "wait")
    end_connections_of(process)
    process.communicate("\n", timeout=60)
    deployment.refresh_from_db()
    assert deployment.status in Status.SENDING
    committed = phase != "committing"
    assert deploying.has_pending(world.lab) is committed
    deployment = settled(deployment)
    assert deployment.status == (Status.DONE if committed else Status.FAILED), deployment.reason
    assert ("description changed" in world.running()) is committed
    assert not deploying.has_pending(world.lab)


@pytest.mark.parametrize("phase", ["committing", "committed", "confirming"])
def test_database_that_is_restarted_lets_nobody_in_for_a_while(world, change, work, text, phase):
    """A worker that asks for it meanwhile is refused, and can write nothing of what it did."""
    known, deployment = connection.settings_dict, asked(world, change)
    with Proxy(known["HOST"], known["PORT"]) as proxy:
        process = work(deployment, phase, "wait", DATABASE_URL=proxy.database_url())
        assert proxy.passed_on > 0
        proxy.cut()
        go_on(process)
        # As long as a restart takes, or until the worker has given up.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(RESTART_S)
        proxy.serve()
        process.communicate(timeout=60)
    deployment.refresh_from_db()
    assert deployment.status in Status.SENDING
    assert eventually(lambda: locks.is_free(world.router))
    deployment = settled(deployment)
    # It may have waited for so long that the router went back by itself.
    committed = phase != "committing"
    ends = (Status.DONE, Status.ROLLED_BACK) if committed else (Status.FAILED,)
    assert deployment.status in ends, deployment.reason
    assert ("description changed" in world.running()) is (deployment.status == Status.DONE)
    assert deployment.status == Status.DONE or world.running() == text["running"]
    assert not deploying.has_pending(world.lab)

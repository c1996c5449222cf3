"""
What goes wrong while a deployment is being sent: each time it ends in a state that is true, with the router as it was
or as it was reviewed, and never as somebody guessed.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import traceback
from unittest import mock

import pytest
from django.db import connection
from django.test import TransactionTestCase

from core.models import Job
from extras.models import ConfigTemplate
from netbox_routing.models import BGPPeer

from dev import paths
from netbox_peering_manager.choices import DeploymentStatusChoices as Status
from netbox_peering_manager.exceptions import DeploymentError, RouterBusy, TemplateFailed
from netbox_peering_manager.jobs.deployments import DeploymentJob
from netbox_peering_manager.models import Deployment, PeeringRouter, PeeringSession
from netbox_peering_manager.services.deployment import asking, decisions, pipeline, settle
from netbox_peering_manager.services.devices.credentials import Credentials
from tests.factories import make_asn

from . import deploying
from .deploying import EDGE, MEMBERS, eventually

# Committed, because the worker is another process.
pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]
MEMBER = MEMBERS[0]


@pytest.fixture(scope="module")
def made(lab, django_db_setup, django_db_blocker):
    """
    The router in NetBox, for all tests of this module: forgotten once, at its end, and not after each test, because
    that takes as long as a test.
    """
    forget = TransactionTestCase._fixture_teardown
    with django_db_blocker.unblock():
        # Never the database of a NetBox that serves.
        assert connection.settings_dict["NAME"].startswith("test_")
        with mock.patch.object(TransactionTestCase, "_fixture_teardown"):
            yield deploying.build(lab)
        forget(TransactionTestCase())


@pytest.fixture(scope="module")
def first(made):
    """What the module's router and session are like before any test, in NetBox and on the router."""
    session, template = made.session(MEMBER), made.router.config_template
    return {
        "description": session.description,
        "remote_as": session.bgp_peer.remote_as,
        "template_code": template.template_code,
    }


@pytest.fixture
def world(lab, made, first, settings, monkeypatch):
    """A router with all of its sessions Established, in NetBox and in the lab."""
    deploying.reach(lab, settings)
    monkeypatch.setattr(pipeline, "MARGIN_S", deploying.MARGIN_S)
    monkeypatch.setattr(settle, "GRACE_S", 0)
    # Whatever a test left, that failed.
    Deployment.objects.update(status=Status.FAILED)
    for model in (Deployment, Job):
        model.objects.all().delete()
    session = made.session(MEMBER)
    PeeringSession.objects.filter(pk=session.pk).update(description=first["description"])
    BGPPeer.objects.filter(pk=session.bgp_peer_id).update(remote_as=first["remote_as"])
    ConfigTemplate.objects.update(template_code=first["template_code"])
    PeeringRouter.objects.update(approval="none")
    world = deploying.World(lab, PeeringRouter.objects.get(), made.user)
    if "running" not in first:
        deploying.empty(lab)
        done = world.ask()
        assert done.status == Status.DONE, done.reason
        first["running"] = world.running()
    elif world.running() != first["running"] or deploying.has_pending(lab):
        deploying.replace(lab, first["running"])
    assert eventually(lambda: world.established() == world.addresses(*MEMBERS)), world.lab.state()
    return world


@pytest.fixture
def text(world, first):
    """What the router runs before the test."""
    return {"running": first["running"]}


@pytest.fixture
def change(world):
    """A change of one session: its description."""
    session = world.session(MEMBER)
    session.description = "changed"
    session.save()
    return session


@pytest.fixture
def spoilt(world):
    """A change of one session that loses it: another AS."""
    session = world.session(MEMBER)
    session.bgp_peer.remote_as = make_asn(64511)
    session.bgp_peer.save()
    return session


@pytest.fixture
def work(world):
    """Begin the job of a deployment in a process of its own, that stops at a phase."""
    begun = []

    def begin(deployment, phase, what="kill"):
        job = DeploymentJob.start(deployment, world.user)
        environment = {**os.environ, "NPM_DATABASE": connection.settings_dict["NAME"]}
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.lab.worker"),
                *(world.lab.name, str(job.pk), str(deployment.pk), phase, what),
            ],
            cwd=paths.ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        begun.append(process)
        if what == "kill":
            assert process.wait(60) == -signal.SIGKILL
        else:
            assert process.stdout.readline() == "here\n"
        return process

    yield begin
    for process in begun:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def asked(world, session, **fields):
    return asking.request(world.router, world.user, sessions=[session.pk], automatic=True, **fields)


def settled(deployment):
    """What becomes of the deployment in the next pass."""
    assert deployment in settle.settle()
    return pipeline.run(deployment.pk)


def others(world):
    address = world.address(MEMBER)
    return {neighbor: epoch for neighbor, epoch in world.epochs().items() if neighbor != address}


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


# The router


def sshd_children(world):
    sshd = world.lab.routers[EDGE].pid("sshd")
    found = subprocess.run(["pgrep", "-P", str(sshd)], capture_output=True, text=True)
    return [int(pid) for pid in found.stdout.split()]


@contextlib.contextmanager
def without_sshd(world):
    """Nobody who is logged in stays so, and nobody gets in, for the time of the block."""
    sshd = world.lab.routers[EDGE].pid("sshd")
    os.kill(sshd, signal.SIGSTOP)
    for pid in sshd_children(world):
        os.kill(pid, signal.SIGKILL)
    try:
        yield
    finally:
        os.kill(sshd, signal.SIGCONT)


class At:
    """Do something when a deployment comes to a phase."""

    def __init__(self, monkeypatch, name, action):
        original = pipeline.phase

        def phase(deployment, now):
            original(deployment, now)
            if now == name:
                action()

        monkeypatch.setattr(pipeline, "phase", phase)


def test_connection_cut_in_the_middle_of_a_commit(world, change, monkeypatch):
    before = world.epochs()

    def cut():
        for pid in sshd_children(world):
            os.kill(pid, signal.SIGKILL)

    At(monkeypatch, "committing", lambda: threading.Timer(0.3, cut).start())
    deployment = pipeline.run(asked(world, change).pk)
    assert deployment.status in (Status.DONE, Status.FAILED), deployment.reason
    assert ("description changed" in world.running()) is (deployment.status == Status.DONE)
    assert any("connection" in step.reason.lower() for step in deployment.steps.all())
    assert not deploying.has_pending(world.lab)
    assert world.epochs() == before


def test_sshd_gone_after_the_commit_leaves_it_to_be_asked_again(world, change, monkeypatch, text):
    deployment = asked(world, change)
    monkeypatch.setattr("netbox_peering_manager.services.deployment.aftermath.PATIENCE_S", 0)
    with contextlib.ExitStack() as stack:
        At(monkeypatch, "confirming", lambda: stack.enter_context(without_sshd(world)))
        with pytest.raises(DeploymentError, match="not known yet"):
            pipeline.run(deployment.pk)
        deployment.refresh_from_db()
        assert deployment.status == Status.CONFIRMING
        assert "not known yet" in deployment.steps.last().reason
    assert eventually(lambda: not deploying.has_pending(world.lab), 40)
    deployment = settled(deployment)
    assert deployment.status == Status.ROLLED_BACK, deployment.reason
    assert world.running() == text["running"]


def test_router_that_hangs_ends_the_comparison(world, change, settings):
    deploying.reach(world.lab, settings, device_timeout_s=2)
    deployment = asked(world, change)
    bgpd = world.lab.routers[EDGE].pid("bgpd")
    os.kill(bgpd, signal.SIGSTOP)
    try:
        with pytest.raises(DeploymentError):
            pipeline.run(deployment.pk)
    finally:
        os.kill(bgpd, signal.SIGCONT)
    deployment.refresh_from_db()
    assert deployment.status == Status.FAILED
    assert EDGE in deployment.reason


@pytest.mark.parametrize("when", ["compare", "commit"])
def test_commit_of_somebody_else_that_waits_is_left_alone(world, change, when):
    deployment = asked(world, change)
    if when == "commit":
        Deployment.objects.filter(pk=deployment.pk).update(released_by=None)
        assert pipeline.run(deployment.pk).status == Status.COMPARED
        Deployment.objects.filter(pk=deployment.pk).update(released_by=world.user)
    with deploying.somebody_else(world.lab) as driver:
        theirs = f"router bgp 64500\n neighbor {world.address(MEMBER, 6)} description theirs\nexit\n"
        driver.load_merge_candidate(config=theirs)
        driver.commit_config(revert_in=120)
        with pytest.raises(DeploymentError, match="somebody else's commit waits"):
            pipeline.run(deployment.pk)
        deployment.refresh_from_db()
        assert deployment.status == Status.FAILED
        assert EDGE in deployment.reason
        assert driver.has_pending_commit()
        assert "description theirs" in world.running()
        assert "description changed" not in world.running()
        driver.rollback()


@pytest.mark.parametrize("which", ["change", "spoilt"])
def test_router_that_went_back_while_the_sessions_were_watched(world, which, request, monkeypatch, text):
    """Whether they were well or lost: it has what it had before, and nothing is confirmed or taken back."""
    deployment = asked(world, request.getfixturevalue(which))

    def go_back():
        with deploying.somebody_else(world.lab) as driver:
            driver.rollback()

    At(monkeypatch, "confirming", go_back)
    deployment = pipeline.run(deployment.pk)
    assert deployment.status == Status.ROLLED_BACK, deployment.reason
    assert "as it was before" in deployment.reason
    assert world.running() == text["running"]
    assert not deploying.has_pending(world.lab)
    assert eventually(lambda: world.established() == world.addresses(*MEMBERS)), world.lab.state()


def test_wrong_password_is_refused_and_shown_nowhere(world, change):
    deployment = asked(world, change)
    wrong = Credentials("root", password="Wr0ng-Marker-77")
    with pytest.raises(DeploymentError) as raised:
        pipeline.run(deployment.pk, wrong)
    deployment.refresh_from_db()
    assert deployment.status == Status.FAILED
    assert EDGE in deployment.reason
    shown = "".join(traceback.format_exception(raised.value))
    assert "Wr0ng-Marker-77" not in f"{deployment.reason}{raised.value!r}{shown}"


def test_wrong_host_key_ends_the_deployment_before_anything_is_sent(world, change, settings, tmp_path):
    host = world.lab.routers[EDGE].host
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    other = " ".join((tmp_path / "key.pub").read_text().split()[:2])
    (tmp_path / "known_hosts").write_text(f"{host} {other}\n")
    deploying.reach(world.lab, settings, known_hosts=str(tmp_path / "known_hosts"))
    deployment = asked(world, change)
    with pytest.raises(DeploymentError, match="host key"):
        pipeline.run(deployment.pk)
    deployment.refresh_from_db()
    assert deployment.status == Status.FAILED
    assert "SHA256:" in deployment.reason


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


# NetBox


def test_template_that_fails_leaves_no_deployment_and_ends_one_that_waited(world, change, text):
    deployment = pipeline.run(asking.request(world.router, world.user, sessions=[change.pk]).pk)
    template = PeeringRouter.objects.get(pk=world.router.pk).config_template
    template.template_code += "{{ nothing.here }}"
    template.save()
    decisions.release(deployment, world.user)
    with pytest.raises(DeploymentError, match=template.name):
        pipeline.run(deployment.pk)
    deployment.refresh_from_db()
    assert deployment.status == Status.FAILED
    router = PeeringRouter.objects.get(pk=world.router.pk)
    with pytest.raises(TemplateFailed):
        asking.request(router, world.user, sessions=[change.pk])
    assert Deployment.objects.count() == 1
    assert world.running() == text["running"]


def test_job_of_a_deployment_that_was_not_approved_sends_nothing(world, change, text):
    world.router.approval = "one"
    world.router.save()
    deployment = asked(world, change)
    for _ in range(2):
        DeploymentJob.handle(DeploymentJob.start(deployment, world.user), deployment=deployment.pk)
        deployment.refresh_from_db()
        assert deployment.status == Status.AWAITING_APPROVAL
    assert settle.settle() == []
    assert world.running() == text["running"]


def test_router_that_hangs_in_the_middle_of_a_commit(world, change, monkeypatch, text):
    before, deployment = world.epochs(), asked(world, change)
    bgpd = world.lab.routers[EDGE].pid("bgpd")
    timer = threading.Timer(10, os.kill, (bgpd, signal.SIGCONT))

    def hang():
        os.kill(bgpd, signal.SIGSTOP)
        timer.start()

    At(monkeypatch, "committing", hang)
    try:
        with contextlib.suppress(DeploymentError):
            pipeline.run(deployment.pk)
    finally:
        timer.join()
    deployment.refresh_from_db()
    if deployment.status in Status.SENDING:
        deployment = settled(deployment)
    assert deployment.status in (Status.DONE, Status.FAILED, Status.ROLLED_BACK), deployment.reason
    assert eventually(lambda: not deploying.has_pending(world.lab), 40)
    assert ("description changed" in world.running()) is (deployment.status == Status.DONE)
    assert deployment.status == Status.DONE or world.running() == text["running"]
    assert eventually(lambda: world.established() == world.addresses(*MEMBERS)), world.lab.state()
    assert set(before) == world.addresses(*MEMBERS)

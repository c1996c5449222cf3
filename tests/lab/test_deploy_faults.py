"""
What goes wrong while a deployment is being sent: each time it ends in a state that is true, with the router as it was
or as it was reviewed, and never as somebody guessed.
"""

import contextlib
import os
import signal
import subprocess
import threading
import traceback

import pytest

from netbox_peering_manager.choices import DeploymentStatusChoices as Status
from netbox_peering_manager.exceptions import DeploymentError, TemplateFailed
from netbox_peering_manager.jobs.deployments import DeploymentJob
from netbox_peering_manager.models import Deployment, PeeringRouter
from netbox_peering_manager.services.deployment import asking, decisions, pipeline, settle
from netbox_peering_manager.services.devices.credentials import Credentials

from . import deploying
from .deploying import EDGE, MEMBERS, eventually
from .faulty import MEMBER, At, asked, caught_committing, hanging, settled, sshd_children, without_sshd

# Committed, because the worker is another process.
pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]

# The router


def test_connection_cut_in_the_middle_of_a_commit(world, change, monkeypatch, text):
    before, cut = world.epochs(), []

    def cut_when_it_commits():
        with caught_committing(world):
            for pid in sshd_children(world):
                os.kill(pid, signal.SIGKILL)
                cut.append(pid)

    At(monkeypatch, "committing", threading.Thread(target=cut_when_it_commits).start)
    deployment = pipeline.run(asked(world, change).pk)
    assert cut
    assert deployment.status in (Status.DONE, Status.FAILED), deployment.reason
    assert ("description changed" in world.running()) is (deployment.status == Status.DONE)
    assert deployment.status == Status.DONE or world.running() == text["running"]
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


def test_router_that_hangs_ends_the_comparison(world, change, settings, text):
    deploying.reach(world.lab, settings, device_timeout_s=2)
    deployment = asked(world, change)
    with hanging(world), pytest.raises(DeploymentError):
        pipeline.run(deployment.pk)
    deployment.refresh_from_db()
    assert deployment.status == Status.FAILED
    assert EDGE in deployment.reason
    assert world.running() == text["running"]


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


def test_wrong_password_is_refused_and_shown_nowhere(world, change, text):
    deployment = asked(world, change)
    wrong = Credentials("root", password="Wr0ng-Marker-77")
    with pytest.raises(DeploymentError) as raised:
        pipeline.run(deployment.pk, wrong)
    deployment.refresh_from_db()
    assert deployment.status == Status.FAILED
    assert "refuses the login of root" in deployment.reason
    assert world.running() == text["running"]
    shown = "".join(traceback.format_exception(raised.value))
    assert "Wr0ng-Marker-77" not in f"{deployment.reason}{raised.value!r}{shown}"


def test_wrong_host_key_ends_the_deployment_before_anything_is_sent(world, change, settings, tmp_path, text):
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
    assert world.running() == text["running"]


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

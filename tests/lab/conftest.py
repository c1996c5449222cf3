"""What the tests of faults begin with: a router with its sessions, committed, and workers of other processes."""

import os
import signal
import subprocess
import sys
from unittest import mock

import pytest
from django.db import connection
from django.test import TransactionTestCase

from core.models import Job
from extras.models import ConfigTemplate
from netbox_routing.models import BGPPeer

from dev import paths
from netbox_peering_manager.choices import DeploymentStatusChoices as Status
from netbox_peering_manager.jobs.deployments import DeploymentJob
from netbox_peering_manager.models import Deployment, PeeringRouter, PeeringSession
from netbox_peering_manager.services.deployment import pipeline, settle
from tests.factories import make_asn

from . import deploying
from .deploying import MEMBERS, eventually

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

    def begin(deployment, phase, what="kill", **environment):
        job = DeploymentJob.start(deployment, world.user)
        environment = {**os.environ, "NPM_DATABASE": connection.settings_dict["NAME"], **environment}
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

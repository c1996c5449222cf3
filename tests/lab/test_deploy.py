"""Deployments to a real router with real sessions: what each kind does, and what it leaves alone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from users.models import User

from netbox_peering_manager.choices import DeploymentStatusChoices as Status
from netbox_peering_manager.exceptions import DeploymentRefused
from netbox_peering_manager.models import Deployment, RemovedSession
from netbox_peering_manager.services.deployment import asking, decisions, pipeline, settle

from . import deploying
from .deploying import MEMBERS, eventually

pytestmark = [pytest.mark.lab, pytest.mark.django_db]
FRR_MEMBER, BIRD_MEMBER = MEMBERS


@pytest.fixture
def world(lab, settings):
    deploying.reach(lab, settings)
    deploying.empty(lab)
    return deploying.build(lab)


@pytest.fixture
def configured(world):
    """All sessions are configured and Established."""
    done = world.ask()
    assert done.status == Status.DONE, done.reason
    assert eventually(lambda: world.established() == world.addresses(*MEMBERS)), world.lab.state()
    return world


def test_first_deployment_brings_all_sessions_up(world):
    deployment = asking.request(world.router, world.user)
    deployment = pipeline.run(deployment.pk)
    assert deployment.status == Status.COMPARED
    assert f"+ neighbor {world.address(FRR_MEMBER)} remote-as {FRR_MEMBER}" in deployment.masked_diff
    assert "router bgp" not in world.running()
    decisions.release(deployment, world.user)
    deployment = pipeline.run(deployment.pk)
    assert deployment.status == Status.DONE, deployment.reason
    assert [step.status for step in deployment.steps.all()] == [
        *(Status.RENDERED, Status.COMPARED, Status.COMPARED),
        *(Status.COMMITTING, Status.CONFIRMING, Status.DONE),
    ]
    assert deployment.encrypted_text == ""
    assert eventually(lambda: world.established() == world.addresses(*MEMBERS)), world.lab.state()
    again = world.ask()
    assert (again.status, again.masked_diff) == (Status.DONE, "")

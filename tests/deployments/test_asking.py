"""Asking for a deployment: who may, what is rendered, what is kept of it."""

import pytest

from netbox_peering_manager.choices import DeploymentStatusChoices as Status
from netbox_peering_manager.services.deployment import sealed

from .scenery import make_deployment, make_router, make_sessions

pytestmark = pytest.mark.django_db


def test_deployment_of_a_router_is_rendered_with_all_of_its_sessions():
    router = make_router()
    make_sessions(router, "198.51.100.42", "198.51.100.43")
    deployment = make_deployment(router)
    assert deployment.status == Status.RENDERED
    assert not deployment.partial
    assert sealed.opened(deployment).text == (
        "neighbor 198.51.100.42 remote-as 64496\nneighbor 198.51.100.43 remote-as 64497\n"
    )
    assert [step.status for step in deployment.steps.all()] == [Status.RENDERED]

"""Many routers at once, drift and removal, with real routers and real sessions."""

import subprocess

import pytest

from dev.lab import looking
from netbox_peering_manager.choices import DeploymentStatusChoices as Status
from netbox_peering_manager.models import (
    PeeringRouter,
    PeeringSession,
    RemovedSession,
    SessionConfiguration,
)
from netbox_peering_manager.services.deployment import asking, drift, pipeline

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
    done = world.ask()
    assert done.status == Status.DONE, done.reason
    assert eventually(lambda: world.established() == world.addresses(*MEMBERS)), world.lab.state()
    return world


def known(session) -> str:
    return SessionConfiguration.objects.get(session=session).status


def by_hand(world, *lines):
    """Change the router as somebody on its command line would."""
    commands = [part for line in ("configure terminal", *lines) for part in ("-c", line)]
    socket = ["--vty_socket", "run/frr", "--config_dir", "etc-frr"]
    subprocess.run(
        ["vtysh", *socket, *commands], cwd=world.folder, check=True, capture_output=True, timeout=20
    )


class TestDrift:
    def test_a_router_is_the_same_after_a_deployment_and_differs_after_a_change_by_hand(self, configured):
        world = configured
        assert drift.compare_router(world.router).drift == "same"
        named = world.session(FRR_MEMBER)
        by_hand(world, "router bgp", f"neighbor {world.address(FRR_MEMBER)} description changed by hand")
        before = world.running()
        epochs = world.epochs()
        state = drift.compare_router(world.router)
        assert (state.drift, state.drift_failure) == ("differs", "")
        assert world.address(FRR_MEMBER) in state.masked_diff
        assert state.drift_since == state.compared
        assert (known(named), known(world.session(BIRD_MEMBER))) == ("differs", "configured")
        # Nothing was changed on the router.
        assert world.running() == before
        assert world.epochs() == epochs
        again = drift.compare_router(world.router)
        assert again.drift_since == state.drift_since < again.compared
        assert world.ask().status == Status.DONE
        state = drift.compare_router(world.router)
        assert (state.drift, state.drift_since, state.masked_diff) == ("same", None, "")
        assert known(named) == "configured"

    def test_a_router_that_was_configured_by_others_has_its_sessions(self, configured):
        SessionConfiguration.objects.all().delete()
        assert drift.compare_router(configured.router).drift == "same"
        assert {row.status for row in SessionConfiguration.objects.all()} == {"configured"}
        assert SessionConfiguration.objects.count() == PeeringSession.objects.count()

    def test_no_password_is_in_what_is_kept(self, world):
        session = world.session(FRR_MEMBER)
        deploying.secrets.set_password(session, "S3cr3t-of-the-session")
        session.save()
        state = drift.compare_router(world.router)
        assert state.drift == "differs"
        assert "password" in state.masked_diff
        assert "S3cr3t" not in state.masked_diff

    def test_a_router_that_does_not_answer_is_told_with_the_reason(self, world, lab):
        address = world.router.device.primary_ip4
        address.address = "192.0.2.254/32"
        address.save()
        world.router = PeeringRouter.objects.with_access().get()
        state = drift.compare_router(world.router)
        assert state.drift == "failed"
        assert "edge1.lon1" in state.drift_failure


class TestRemoval:
    def test_a_deleted_session_is_taken_off_and_forgotten_and_the_others_stay_up(self, configured):
        world = configured
        session, address = world.session(BIRD_MEMBER), world.address(BIRD_MEMBER)
        session.relationship.remove_from_router = True
        session.relationship.save()
        epochs = {key: value for key, value in world.epochs().items() if key != address}
        session.delete()
        removed = RemovedSession.objects.get()
        deployment = asking.request(
            world.router, world.user, kind="remove", removed=[removed.pk], automatic=True
        )
        deployment = pipeline.run(deployment.pk)
        assert deployment.status == Status.DONE, deployment.reason
        assert address not in looking.neighbors(world.folder)
        assert not RemovedSession.objects.exists()
        assert {key: value for key, value in world.epochs().items() if key != address} == epochs

    def test_one_that_the_template_leaves_on_the_router_is_not_forgotten(self, configured):
        world = configured
        template = world.router.config_template
        template.template_code = template.template_code.replace("removed_sessions", "[]")
        template.save()
        session = world.session(BIRD_MEMBER)
        session.relationship.remove_from_router = True
        session.relationship.save()
        session.delete()
        world.router.refresh_from_db()
        assert world.ask().status == Status.DONE
        assert world.address(BIRD_MEMBER) in looking.neighbors(world.folder)
        assert RemovedSession.objects.count() == 1

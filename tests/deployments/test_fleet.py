"""Many routers at once: one deployment each, what is refused, and how it stops."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.models import Job, ObjectType
from extras.models import ConfigTemplate
from users.models import ObjectPermission

from netbox_peering_manager.exceptions import DeploymentRefused
from netbox_peering_manager.jobs.fleet import FleetJob, start_batch
from netbox_peering_manager.models import Deployment, DeploymentBatch, PeeringRouter
from netbox_peering_manager.services.deployment import decisions, fleet, moves, pipeline
from tests.deployments.scenery import make_router, make_sessions, make_user
from tests.queries import queries_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_user()


def routers_with_a_session(count=3, **fields) -> list[PeeringRouter]:
    made = []
    for number in range(count):
        router = make_router(f"rt{number}.mtl", **fields)
        make_sessions(router, f"198.51.{number}.42")
        made.append(router)
    return made


def break_template(router):
    router.config_template = ConfigTemplate.objects.create(
        name="Broken", template_code="{{ nothing.at.all }}"
    )
    router.save()


def fail(deployment, callbacks):
    with callbacks(execute=True):
        moves.move(deployment, "failed", reason="no route to host")


def statuses(batch) -> list[str]:
    return list(batch.deployments.order_by("pk").values_list("status", flat=True))


class TestAsking:
    def test_each_router_has_a_deployment_that_is_started_when_it_is_made(self, user):
        routers, started = routers_with_a_session(), []
        batch = fleet.deploy_many(routers, user, automatic=True, start=started.append)
        assert [each.router for each in batch.deployments.order_by("pk")] == routers
        assert [each.router for each in started] == routers
        assert batch.max_failures == 3
        assert {each.requested_by for each in started} == {user}

    def test_a_router_that_is_refused_or_whose_template_fails_is_listed_with_the_reason(self, user):
        good, off, broken = routers = routers_with_a_session()
        off.push_enabled = False
        off.save()
        break_template(broken)
        batch = fleet.deploy_many(routers, user, automatic=True)
        assert [each.router for each in batch.deployments.all()] == [good]
        reasons = {one["name"]: one["reason"] for one in batch.asked}
        assert reasons[str(good)] == ""
        assert "Switch on push" in reasons[str(off)]
        assert "nothing" in reasons[str(broken)]
        assert fleet.failures_of(batch) == 2
        assert batch.stopped is None

    def test_too_many_refused_routers_stop_the_rest_before_it_is_asked_for(
        self, user, django_capture_on_commit_callbacks
    ):
        _good, broken, never = routers = routers_with_a_session()
        break_template(broken)
        batch = fleet.deploy_many(routers, user, automatic=True, max_failures=1)
        assert batch.stopped_because == "1 router failed."
        assert statuses(batch) == ["cancelled"]
        assert not Deployment.objects.filter(router=never).exists()

    def test_comparing_alone_goes_on_whatever_fails(self, user):
        batch = fleet.deploy_many(routers_with_a_session(), user, automatic=False)
        assert batch.max_failures is None

    def test_sessions_by_router_limit_what_is_deployed(self, user):
        first, second = routers_with_a_session(2)
        only = first.device.bgp_router.get().scopes.get().peers.get().peering_session
        batch = fleet.deploy_many(
            [first, second], user, automatic=False, sessions_by_router={first.pk: [only.pk]}
        )
        made = batch.deployments.get()
        assert made.partial
        assert [target.session for target in made.targets.all()] == [only]
        assert "no session to configure" in batch.asked[1]["reason"]

    def test_no_router_is_refused(self, user):
        with pytest.raises(DeploymentRefused, match="at least one router"):
            fleet.deploy_many([], user, automatic=True)
        assert not DeploymentBatch.objects.exists()

    def test_scheduled_for_all(self, user):
        when = timezone.now() + timedelta(hours=1)
        batch = fleet.deploy_many(routers_with_a_session(2), user, automatic=False, scheduled=when)
        assert {each.scheduled for each in batch.deployments.all()} == {when}
        assert batch.max_failures == 3


class TestStopping:
    @pytest.fixture
    def batch(self, user):
        return fleet.deploy_many(routers_with_a_session(), user, automatic=True, max_failures=2)

    def test_by_hand_cancels_what_has_not_begun_and_leaves_alone_what_has(self, batch, user):
        begun, *_rest = batch.deployments.order_by("pk")
        Deployment.objects.filter(pk=begun.pk).update(status="committing")
        assert fleet.stop(batch, user, "wrong window") == 2
        assert statuses(batch) == ["committing", "cancelled", "cancelled"]
        last = batch.deployments.order_by("pk").last()
        assert "wrong window" in last.reason
        assert last.steps.last().user == user

    def test_as_many_failures_as_allowed_stop_it_by_itself(self, batch, django_capture_on_commit_callbacks):
        first, second, _third = batch.deployments.order_by("pk")
        fail(first, django_capture_on_commit_callbacks)
        batch.refresh_from_db()
        assert batch.stopped is None
        fail(second, django_capture_on_commit_callbacks)
        batch.refresh_from_db()
        assert batch.stopped_because == "2 routers failed."
        assert statuses(batch) == ["failed", "failed", "cancelled"]

    def test_a_worker_finds_out_by_itself_when_nobody_could_stop_it_any_more(self, batch):
        """The one who ended the last failed deployment died before the batch was stopped."""
        *failed, third = batch.deployments.order_by("pk")
        Deployment.objects.filter(pk__in=[each.pk for each in failed]).update(status="rolled-back")
        assert "2 routers failed" in fleet.why_not_begin(third)
        Deployment.objects.filter(pk=third.pk).update(status="compared")
        with pytest.raises(DeploymentRefused, match="2 routers failed"):
            pipeline.commit(third.pk)
        third.refresh_from_db()
        assert third.status == "cancelled"

    def test_a_deployment_without_a_batch_is_stopped_by_none(self, user):
        from tests.deployments.scenery import make_deployment

        assert fleet.why_not_begin(make_deployment(user=user)) == ""

    def test_the_first_who_stops_it_says_why(self, batch, user):
        fleet.stop(batch, user, "first")
        with pytest.raises(DeploymentRefused, match="stopped already"):
            fleet.stop(batch, user, "second")
        batch.refresh_from_db()
        assert batch.stopped_because == "first"

    def test_a_cancelled_deployment_is_no_failure(self, batch, user, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            for deployment in batch.deployments.all()[:2]:
                decisions.cancel(deployment, user)
        batch.refresh_from_db()
        assert (fleet.failures_of(batch), batch.stopped) == (0, None)

    def test_a_password_in_the_reason_is_masked_wherever_it_is_kept(self, batch, user):
        fleet.stop(batch, user, "it sends neighbor 192.0.2.1 password Marker-Pa55word")
        batch.refresh_from_db()
        assert "password ****" in batch.stopped_because
        steps = [step.reason for one in batch.deployments.all() for step in one.steps.all()]
        assert any("password ****" in reason for reason in steps)
        assert not any("Marker" in reason for reason in (*steps, batch.stopped_because))

    def test_who_may_stop_it(self, batch, user):
        other = make_user("other", is_superuser=False)
        assert "who asked for it" in fleet.why_not_stop(batch, other)
        permission = ObjectPermission.objects.create(
            name="commit", actions=["view", "commit"], constraints={"router__device__name": "rt0.mtl"}
        )
        permission.users.add(other)
        permission.object_types.add(ObjectType.objects.get_for_model(Deployment))
        other = type(other).objects.get(pk=other.pk)
        assert "who asked for it" in fleet.why_not_stop(batch, other)
        permission.constraints = None
        permission.save()
        assert fleet.why_not_stop(batch, type(other).objects.get(pk=other.pk)) == ""
        assert fleet.why_not_stop(batch, user) == ""

    def test_stopping_again_after_a_crash_cancels_what_was_left(self, batch):
        DeploymentBatch.objects.filter(pk=batch.pk).update(stopped=timezone.now(), stopped_because="before")
        assert fleet.stop(batch, reason="again") == 3
        assert batch.stopped_because == "before"


class TestVisible:
    def test_own_and_those_with_a_visible_deployment(self, user):
        batch = fleet.deploy_many(routers_with_a_session(2), user, automatic=False)
        other = make_user("other", is_superuser=False)
        assert not DeploymentBatch.objects.restrict(other, "view").exists()
        permission = ObjectPermission.objects.create(
            name="view", actions=["view"], constraints={"router__device__name": "rt1.mtl"}
        )
        permission.users.add(other)
        permission.object_types.add(ObjectType.objects.get_for_model(Deployment))
        other = type(other).objects.get(pk=other.pk)
        seen = DeploymentBatch.objects.restrict(other, "view").with_counts(other).get()
        assert (seen, seen.deployment_count, seen.open_count) == (batch, 1, 1)


class TestJob:
    def test_it_asks_for_each_router_with_what_was_chosen(self, user):
        routers = routers_with_a_session(2)
        batch = start_batch(routers, user, automatic=True, max_failures=1, reason="new policy")
        job = Job.objects.get(name=FleetJob.name)
        assert job.user == user
        FleetJob(job).run(
            batch=batch.pk, routers=[router.pk for router in routers], automatic=True, reason="new policy"
        )
        assert [each.router for each in batch.deployments.order_by("pk")] == routers
        assert {each.reason for each in batch.deployments.all()} == {"new policy"}
        assert batch.deployments.first().jobs.count() == 1
        job.refresh_from_db()
        assert job.data["batch"] == batch.pk

    def test_a_router_that_is_gone_by_then_is_refused(self, user):
        first, second = routers = routers_with_a_session(2)
        batch = start_batch(routers, user, automatic=True)
        first.delete()
        FleetJob(Job.objects.get(name=FleetJob.name)).run(
            batch=batch.pk, routers=[first.pk or batch.asked[0]["router"], second.pk], automatic=True
        )
        batch.refresh_from_db()
        assert "no such router" in batch.asked[0]["reason"]
        assert [each.router for each in batch.deployments.all()] == [second]


def test_what_a_batch_costs_does_not_grow_with_its_deployments(user):
    """Stopping looks at each; asking whether one may begin does not."""
    few = fleet.deploy_many(routers_with_a_session(1), user, automatic=True, max_failures=5)
    deployment = few.deployments.get()
    before = queries_of(lambda: fleet.why_not_begin(deployment))
    for _ in range(5):
        Deployment.objects.create(router=deployment.router, batch=few, mode="merge", status="failed")
    DeploymentBatch.objects.filter(pk=few.pk).update(max_failures=50)
    assert queries_of(lambda: fleet.why_not_begin(deployment)) == before <= 3


def test_max_failures_comes_from_the_settings(user, settings):
    plugin = "netbox_peering_manager"
    settings.PLUGINS_CONFIG = {
        **settings.PLUGINS_CONFIG,
        plugin: {**settings.PLUGINS_CONFIG[plugin], "deployment_max_failures": 7},
    }
    assert fleet.deploy_many(routers_with_a_session(1), user, automatic=True).max_failures == 7

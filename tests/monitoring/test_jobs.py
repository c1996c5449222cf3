"""Polls in the background: who may ask, one at a time, at their interval, and what becomes of a silent router."""

from datetime import timedelta

import django_rq
import pytest
from django.utils import timezone
from django_pg_utils import advisory_lock

from core.choices import JobStatusChoices
from core.models import Job, ObjectType
from extras.models import Notification
from netbox.registry import registry
from users.models import ObjectPermission, User

from netbox_peering_manager.exceptions import DeviceUnreachable, PollRefused, PollRunning
from netbox_peering_manager.jobs import base, monitoring
from netbox_peering_manager.jobs.monitoring import PollDueJob, PollJob, ThinHistoryJob, start_polls
from netbox_peering_manager.models import (
    PeeringRouter,
    PeeringSession,
    RouterState,
    SessionSample,
    SessionState,
)
from netbox_peering_manager.services.monitoring import poll as module
from netbox_peering_manager.services.monitoring.poll import poll, routers_of
from netbox_peering_manager.settings import PLUGIN
from tests.monitoring.polled import NOON, answering, down, make_router, make_session, up
from tests.queries import queries_for_few_and_many

pytestmark = pytest.mark.django_db


@pytest.fixture
def router():
    return make_router(poll_enabled=True)


@pytest.fixture
def admin_user():
    return User.objects.create_superuser("admin")


@pytest.fixture(autouse=True)
def queue():
    """What waits in the queues, which is nothing before and after a test."""
    queues = [django_rq.get_queue(name) for name in ("default", base.ROUTERS_QUEUE)]
    for each in queues:
        each.empty()
    yield queues[0]
    for each in queues:
        each.empty()


def permitted(*actions, **constraints):
    user = User.objects.create_user("noc")
    permission = ObjectPermission.objects.create(
        name="routers", actions=list(actions), constraints=constraints or None
    )
    permission.object_types.add(ObjectType.objects.get_for_model(PeeringRouter))
    permission.users.add(user)
    return user


def run_now(router, user=None):
    return PollJob.enqueue(instance=router, user=user, immediate=True)


def test_a_poll_counts_what_it_found(router, monkeypatch):
    make_session()
    make_session("198.51.100.12")
    make_session("198.51.100.13")
    with answering(monkeypatch, up(), down("198.51.100.12"), down("198.51.100.99")):
        found = poll(router)
    assert (found.sessions, found.established, found.missing, found.changed, found.unknown, found.events) == (
        3, 1, 1, 3, 1, 1,
    )  # fmt: skip
    assert found.as_data()["router"] == router.pk


def test_a_router_is_polled_by_one_at_a_time(router, monkeypatch):
    # The lock is the connection's: another one holds it.
    with answering(monkeypatch, up()), monkeypatch.context() as patched:
        taken = []

        def lock(name, **kwargs):
            taken.append(name)
            return advisory_lock(name, **kwargs)

        patched.setattr(module, "advisory_lock", lock)
        poll(router)
        (name,) = taken
    import threading

    from django.db import connections

    held, done = threading.Event(), threading.Event()

    def hold():
        with advisory_lock(name):
            held.set()
            done.wait(10)
        connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert held.wait(10)
        with (
            answering(monkeypatch, up()),
            pytest.raises(PollRunning, match=r"rt1\.mtl is being polled right now"),
        ):
            poll(router)
    finally:
        done.set()
        thread.join()


def test_only_who_may_poll_a_router_polls_it(router, monkeypatch):
    with answering(monkeypatch, up()):
        assert poll(router, permitted("view", "poll")).sessions == 0
        with pytest.raises(PollRefused, match=r"You may not poll rt1\.mtl"):
            poll(router, User.objects.create_user("other"))


@pytest.mark.parametrize("error", [DeviceUnreachable("rt1.mtl: no route"), TypeError("s3cret")])
def test_a_router_that_is_silent_or_not_understood_makes_states_old(router, monkeypatch, error):
    session = make_session()
    with answering(monkeypatch, up()):
        poll(router)
    with answering(monkeypatch, error=error), pytest.raises(type(error)):
        poll(router)
    state = SessionState.objects.get(session=session)
    assert state.stale_since is not None
    assert state.stale_because == (
        "rt1.mtl: no route" if isinstance(error, DeviceUnreachable) else "rt1.mtl: TypeError"
    )
    with answering(monkeypatch, up(up_s=3700)):
        poll(router)
    assert SessionState.objects.get(session=session).stale_since is None


def test_a_job_polls_one_router_for_its_user(router, monkeypatch, admin_user):
    make_session()
    with answering(monkeypatch, up()):
        job = run_now(router, admin_user)
    job.refresh_from_db()
    assert (job.status, job.object) == (JobStatusChoices.STATUS_COMPLETED, router)
    assert (job.data["poll"]["sessions"], job.data["poll"]["established"]) == (1, 1)


def test_a_job_whose_router_is_silent_fails_and_says_why(router, monkeypatch):
    with answering(monkeypatch, error=DeviceUnreachable("rt1.mtl: no route")):
        job = run_now(router)
    job.refresh_from_db()
    assert (job.status, job.error) == (JobStatusChoices.STATUS_FAILED, "rt1.mtl: no route")


@pytest.mark.parametrize("loss", ["right", "active", "user", "router"])
def test_a_job_looks_again_at_who_asked_and_for_what(router, monkeypatch, loss):
    user = permitted("view", "poll")
    job = PollJob.start(router, user)
    if loss == "right":
        ObjectPermission.objects.all().delete()
    elif loss == "active":
        User.objects.filter(pk=user.pk).update(is_active=False)
    elif loss == "user":
        User.objects.filter(pk=user.pk).delete()
    else:
        PeeringRouter.objects.filter(pk=router.pk).delete()
    with answering(monkeypatch, up()):
        PollJob.handle(job)
    assert job.status == JobStatusChoices.STATUS_FAILED
    assert not RouterState.objects.filter(polled__isnull=False).exists()


def test_the_error_of_a_missing_napalm_says_what_to_install(router, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "napalm", None)
    router.device.name = "198.51.100.1"
    router.napalm_driver, router.credential_profile = "frr", "lab"
    router.device.save()
    router.save()
    from django.conf import settings

    monkeypatch.setitem(
        settings.PLUGINS_CONFIG[PLUGIN], "credential_profiles", {"lab": {"username": "peering"}}
    )
    job = run_now(router)
    assert job.error.endswith(
        'NAPALM is not installed on this worker: install the plugin\'s wheel there with the extra "napalm".'
    )
    # A worker without it starts all the same.
    monitoring.preload()


def test_polls_are_queued_once(router, queue, admin_user, django_capture_on_commit_callbacks):
    other = make_router("rt2.mtl")
    with django_capture_on_commit_callbacks(execute=True):
        first = start_polls([router], admin_user)
        again = start_polls([other, router], admin_user)
    assert [job.object_id for job in again] == [other.pk, router.pk]
    assert again[1] == first[0]
    assert len(queue.jobs) == 2
    # One that has ended does not count.
    Job.objects.filter(pk=first[0].pk).update(status=JobStatusChoices.STATUS_COMPLETED)
    assert start_polls([router], admin_user) != first


def test_a_poll_whose_worker_died_does_not_block_the_next(
    router, admin_user, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        (waits,) = start_polls([router], admin_user)
    Job.objects.update(created=timezone.now() - timedelta(hours=1))
    assert start_polls([router], admin_user) == [waits]
    # Its queue forgot it.
    django_rq.get_queue("default").empty()
    (new,) = start_polls([router], admin_user)
    waits.refresh_from_db()
    assert new != waits
    assert (waits.status, waits.error) == (JobStatusChoices.STATUS_ERRORED, "The worker ended in mid-work.")


def test_nothing_is_queued_when_one_router_is_not_the_users(router):
    other = make_router("rt2.mtl")
    user = permitted("view", "poll", device__name="rt1.mtl")
    with pytest.raises(PollRefused, match=r"You may not poll rt2\.mtl"):
        start_polls([router, other], user)
    assert not Job.objects.exists()
    assert len(start_polls([router], user)) == 1


def test_failures_of_a_poll_that_somebody_asked_for_are_told_and_no_others(router, monkeypatch, admin_user):
    for user in (admin_user, None):
        (job,) = start_polls([router], user)
        with answering(monkeypatch, error=DeviceUnreachable("no")):
            PollJob.handle(job)
        assert Notification.objects.count() == 1
        (job,) = start_polls([router], user)
        with answering(monkeypatch, up()):
            PollJob.handle(job)
        assert Notification.objects.count() == 1


def test_it_waits_in_the_queue_of_routers_when_a_worker_takes_from_there(router, monkeypatch):
    assert PollJob.queue() == "default"
    monkeypatch.setattr(base, "any_workers_for_queue", lambda name: name == f"{PLUGIN}.routers")
    assert PollJob.start(router).queue_name == "netbox_peering_manager.routers"


def test_routers_are_due_at_their_interval(settings):
    make_router("off", poll_enabled=False)
    usual, slow = (
        make_router("usual", poll_enabled=True),
        make_router("slow", poll_enabled=True, poll_interval=60),
    )

    def due(minutes):
        started = monitoring._start_due(NOON + timedelta(minutes=minutes))
        Job.objects.all().delete()
        return {job.object_id for job in started}

    assert due(0) == {usual.pk, slow.pk}
    assert due(1) == due(4) == set()
    # A little early is on time.
    assert due(4.9) == {usual.pk}
    assert due(60) == {usual.pk, slow.pk}
    settings.PLUGINS_CONFIG = {
        **settings.PLUGINS_CONFIG,
        PLUGIN: {**settings.PLUGINS_CONFIG[PLUGIN], "poll_interval": 0},
    }
    assert due(1000) == {slow.pk}


def test_the_scheduler_starts_what_is_due_once(router, django_capture_on_commit_callbacks, queue):
    assert registry["system_jobs"][PollDueJob] == {"interval": 1}
    assert registry["system_jobs"][ThinHistoryJob] == {"interval": 1440}
    with django_capture_on_commit_callbacks(execute=True):
        PollDueJob.enqueue(immediate=True)
        PollDueJob.enqueue(immediate=True)
    assert Job.objects.filter(name=PollJob.name).count() == len(queue.jobs) == 1


def test_jobs_that_nobody_asked_for_are_forgotten(router, admin_user):
    long_ago = timezone.now() - timedelta(hours=7)
    ended = {"completed": long_ago, "status": JobStatusChoices.STATUS_COMPLETED}
    forgotten = PollJob.start(router)
    Job.objects.filter(pk=forgotten.pk).update(**ended)
    asked = PollJob.start(router, admin_user)
    Job.objects.filter(pk=asked.pk).update(**ended)
    failed = PollJob.start(router)
    Job.objects.filter(pk=failed.pk).update(**{**ended, "status": JobStatusChoices.STATUS_FAILED})
    monitoring._forget_jobs(timezone.now() - monitoring.KEEP_JOBS, (PollJob.name,))
    assert set(Job.objects.all()) == {asked, failed}


def test_history_is_thinned_by_a_job(router):
    session = make_session()
    SessionSample.objects.create(session=session, at=timezone.now() - timedelta(days=4000))
    ThinHistoryJob.enqueue(immediate=True)
    assert not SessionSample.objects.exists()


def test_routers_of_sessions_are_those_that_the_user_may_poll(router, admin_user):
    here, there = make_session(), make_session("198.51.100.12", "rt2.mtl")
    sessions = PeeringSession.objects.filter(pk__in=(here.pk, there.pk))
    assert routers_of(sessions, admin_user) == [router]
    with pytest.raises(PollRefused, match="None of these sessions is on a peering router that you may poll"):
        routers_of(sessions.filter(pk=there.pk), admin_user)
    with pytest.raises(PollRefused):
        routers_of(sessions, User.objects.create_user("other"))


def test_queries_of_looking_for_due_routers_do_not_grow_with_them():
    def make(numbers):
        for number in numbers:
            make_router(f"rt{number}.mtl", poll_enabled=True)
        RouterState.objects.all().delete()

    def look():
        assert monitoring.due_routers(NOON)

    assert queries_for_few_and_many(look, make) == 1

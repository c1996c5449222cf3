"""
What becomes of a deployment on platforms that the lab cannot run: what the router is told, and what is recorded.

The routers are `boxes`, which say why they are none. What FRR does is shown on real ones (tests/lab/test_deploy*.py).
"""

from datetime import timedelta

import pytest
from django.utils import timezone
from rq.timeouts import JobTimeoutException

from dcim.models import Platform

from netbox_peering_manager.choices import DeploymentStatusChoices as Status
from netbox_peering_manager.exceptions import DeploymentError, DeviceError, ReviewOutdated, RouterBusy
from netbox_peering_manager.jobs.deployments import DeploymentJob
from netbox_peering_manager.models import Deployment, PeeringRouter, PeeringSession
from netbox_peering_manager.services import secrets
from netbox_peering_manager.services.deployment import (
    aftermath,
    asking,
    decisions,
    drift,
    line,
    pipeline,
    sealed,
    settle,
    watch,
)
from netbox_peering_manager.services.devices.capabilities import TABLE

from .boxes import Box, EosLike, JunosLike, NxosLike, put_behind
from .scenery import make_router, make_sessions, make_user

pytestmark = pytest.mark.django_db
ONE, TWO = "198.51.100.42", "198.51.100.43"
GOOD = f"neighbor {ONE} remote-as 64496"
BAD = f"neighbor {ONE} remote-as 64511"
OTHER = f"neighbor {TWO} remote-as 64497"
DRIVERS = {"eos": EosLike, "junos": JunosLike, "nxos_ssh": NxosLike}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(aftermath, "AGAIN_S", 0)
    monkeypatch.setattr(aftermath, "PAUSE_S", 0)
    monkeypatch.setattr(watch, "QUIET_S", 0)
    monkeypatch.setattr(watch.Time, "pause_s", 0.01)
    monkeypatch.setattr(settle, "GRACE_S", 0)


@pytest.fixture
def world(monkeypatch, settings):
    """A router of a platform, with a session, and a deployment of it that is to be committed."""

    def build(driver="junos", *, good=True, running=(BAD, OTHER), mode="merge"):
        plugins = settings.PLUGINS_CONFIG
        plugin = plugins["netbox_peering_manager"]
        entry = {driver: {"driver": driver, "host_keys_strict": False}}
        settings.PLUGINS_CONFIG = {**plugins, "netbox_peering_manager": {**plugin, "napalm_drivers": entry}}
        router = make_router(health_timeout=1, config_mode=mode)
        platform = Platform.objects.create(name=driver, slug=driver)
        router.device.platform = platform
        router.device.save()
        make_sessions(router, ONE)
        box = Box({ONE: 64496 if good else 64511, TWO: 64497}, running)
        put_behind(monkeypatch, box, DRIVERS.get(driver, JunosLike))
        router = PeeringRouter.objects.get()
        return box, asking.request(router, make_user(), automatic=True)

    return build


def ran(deployment):
    return pipeline.run(deployment.pk)


def sent(box):
    """What the router was told that changes it."""
    return [one for one in box.calls if one in ("commit", "confirm", "rollback")]


def test_healthy_change_is_confirmed_while_it_waits(world):
    box, deployment = world()
    done = ran(deployment)
    assert done.status == Status.DONE, done.reason
    assert (sent(box), box.running) == (["commit", "confirm"], [OTHER, GOOD])


@pytest.mark.parametrize(("driver", "names_it"), [("junos", True), ("eos", False)])
def test_commit_names_the_deployment_where_the_platform_keeps_a_message(world, driver, names_it):
    box, deployment = world(driver)
    done = ran(deployment)
    assert done.status == Status.DONE, done.reason
    assert box.messages == [f"NetBox deployment {deployment.pk}" if names_it else ""]


def test_change_that_loses_a_session_is_taken_back_while_it_waits(world):
    box, deployment = world(good=False)
    done = ran(deployment)
    assert done.status == Status.ROLLED_BACK, done.reason
    assert (sent(box), sorted(box.running)) == (["commit", "rollback"], sorted([BAD, OTHER]))


@pytest.mark.parametrize("good", [True, False])
def test_router_that_went_back_by_itself_is_told_nothing_more(world, good):
    """`rollback 1` would bring back what was just undone, and an empty commit would look as if it were confirmed."""
    box, deployment = world(good=good)
    box.at["committed"] = lambda: box.at.update(neighbors=box.revert)
    done = ran(deployment)
    assert done.status == Status.ROLLED_BACK, done.reason
    assert "as it was before" in done.reason
    assert (sent(box), box.running) == (["commit"], [BAD, OTHER])


def test_password_that_came_into_netbox_since_is_masked_in_a_notation_that_nobody_knows(world):
    box, deployment = world()
    template = deployment.router.config_template
    template.template_code += "{% for session in sessions %}{% if session.password %}"
    template.template_code += (
        "{{ session.remote_ip }} by-word-of {{ session.password }}\n{% endif %}{% endfor %}"
    )
    template.save()
    session = PeeringSession.objects.get()
    secrets.set_password(session, "Marker-of-now")
    session.save()
    with pytest.raises(ReviewOutdated):
        ran(deployment)
    deployment.refresh_from_db()
    assert (deployment.status, sent(box)) == (Status.FAILED, [])
    assert f"+{ONE} by-word-of ****" in deployment.reason
    assert "Marker" not in deployment.reason


def test_confirmation_that_came_too_late_is_none(world, monkeypatch):
    box, deployment = world()
    late = timedelta()

    class Clock:
        localtime = staticmethod(timezone.localtime)

        @staticmethod
        def now():
            return timezone.now() + late

    def too_late():
        nonlocal late
        box.revert()
        late = timedelta(hours=1)

    monkeypatch.setattr(aftermath, "timezone", Clock)
    box.at["confirm"] = too_late
    done = ran(deployment)
    assert done.status == Status.ROLLED_BACK, done.reason
    assert box.running == [BAD, OTHER]


def test_router_that_is_about_to_go_back_is_left_to_it(world):
    box, deployment = world(good=False)
    box.commit([OTHER, GOOD], True)
    interrupted(deployment, confirm_by=timezone.now() + timedelta(seconds=30))
    waited = []

    def count():
        waited.append(1)
        if len(waited) == 5:
            box.revert()

    box.at["pending"] = count
    done = ran(deployment)
    assert done.status == Status.ROLLED_BACK, done.reason
    assert (sent(box), box.running) == ([], [BAD, OTHER])


def interrupted(deployment, *, status=Status.CONFIRMING, confirm_by=None, ago=timedelta()):
    """As a worker leaves it that dies after the commit; the difference was that to the router as it was before."""
    driver = deployment.router.device.platform.slug
    rows = GOOD if driver == "nxos_ssh" else f"[edit protocols bgp]\n-  {BAD}\n+  {GOOD}"
    seen = [
        {
            "vrf": "",
            "remote_ip": ip,
            "interface": "",
            "remote_asn": None,
            "bgp_state": "established",
            "up_s": 9,
        }
        for ip in (ONE, TWO)
    ]
    Deployment.objects.filter(pk=deployment.pk).update(
        status=status,
        sent=timezone.now() - ago,
        confirm_by=confirm_by,
        diff_digest=sealed.digest(sealed.canonical(rows)),
        sessions_before=seen,
    )


@pytest.mark.parametrize("when", ["compare", "commit"])
def test_somebody_elses_commit_that_waits_is_left_alone(world, when):
    box, deployment = world()
    if when == "commit":
        Deployment.objects.update(automatic=False, released_by=None)
        assert ran(deployment).status == Status.COMPARED
        Deployment.objects.update(released_by=make_user("other"))
    box.commit([BAD, OTHER], True)
    with pytest.raises(DeploymentError, match="somebody else's commit"):
        ran(deployment)
    deployment.refresh_from_db()
    assert deployment.status == Status.FAILED
    assert "Confirm it, or wait until it is undone" in deployment.reason
    assert (sent(box), box.pending, box.running) == ([], True, [BAD, OTHER])


@pytest.mark.parametrize("when", ["compare", "commit"])
def test_commit_that_waits_of_one_whose_worker_died_is_waited_for(world, when):
    """The other deployment has not failed, and nobody is told that the commit is somebody else's."""
    box, dead = world()
    router = PeeringRouter.objects.with_access().get()
    other = asking.request(router, make_user("author"), automatic=when == "compare")
    if when == "commit":
        pipeline.compare(other.pk)
        Deployment.objects.filter(pk=other.pk).update(released_by=make_user("second"))
    box.commit([OTHER, GOOD], True)
    interrupted(dead, confirm_by=timezone.now() + timedelta(minutes=2))
    before = Deployment.objects.get(pk=other.pk).status
    job = DeploymentJob.start(other, None)
    DeploymentJob.handle(job, deployment=other.pk)
    other.refresh_from_db()
    assert (job.status, other.status) == ("completed", before)
    assert f"{dead.pk} on {router}, asked" in other.steps.last().reason
    assert "is being sent" in other.steps.last().reason
    with pytest.raises(RouterBusy):
        drift.compare_router(router)
    assert (sent(box), box.pending) == ([], True)
    assert settle.settle() == [dead]
    assert ran(dead).status == Status.DONE
    assert settle.settle() == [other]
    if when == "compare":
        assert ran(other).status == Status.DONE


def test_commands_whose_router_was_changed_end_without_being_quoted(world):
    box, _deployment = world()
    router = PeeringRouter.objects.with_access().get()
    third = "neighbor 198.51.100.44 remote-as 64498 Marker"
    commands = asking.request(router, make_user("author"), kind="commands", commands=f"{third}-odd")
    pipeline.compare(commands.pk)
    Deployment.objects.filter(pk=commands.pk).update(released_by=make_user("second"))
    box.running.append(f"{third}-old")
    with pytest.raises(ReviewOutdated, match="The router was changed"):
        ran(commands)
    commands.refresh_from_db()
    assert commands.status == Status.FAILED
    kept = f"{commands.reason}{commands.masked_diff}{[step.reason for step in commands.steps.all()]}"
    assert "The router was changed" in kept
    assert "Marker" not in kept


def test_candidate_that_could_not_be_compared_is_forgotten():
    told = []

    class Refusing:
        def has_pending(self):
            return False

        def load(self, text, *, replace):
            told.append(("load", text, replace))

        def compare(self):
            raise DeviceError("the router says no")

        def discard(self):
            told.append("discard")
            raise DeviceError("and this neither")

    with pytest.raises(DeviceError, match="says no"):
        line.difference(Refusing(), "x", replace=True)
    assert told == [("load", "x", True), "discard"]


def test_commit_that_waits_long_after_ours_could_is_somebody_elses(world):
    box, deployment = world()
    box.commit([BAD, OTHER], True)
    interrupted(deployment, confirm_by=timezone.now() - timedelta(hours=1), ago=timedelta(hours=2))
    done = ran(deployment)
    assert done.status == Status.ROLLED_BACK, done.reason
    assert (sent(box), box.pending) == ([], True)


@pytest.mark.parametrize(
    ("ago", "status", "told"),
    [(timedelta(seconds=30), Status.ROLLED_BACK, ["rollback"]), (timedelta(days=1), Status.DONE, [])],
)
def test_platform_that_cannot_go_back_is_taken_back_soon_or_never(world, ago, status, told):
    """A day later the newest commit may be an operator's."""
    box, deployment = world("iosxr", good=False)
    box.commit([OTHER, GOOD], False)
    interrupted(deployment, ago=ago)
    done = ran(deployment)
    assert done.status == status, done.reason
    assert sent(box) == told
    assert f"{ONE} (idle)" in done.reason
    if not told:
        assert "left there" in done.reason
        assert box.running == [OTHER, GOOD]


@pytest.mark.parametrize("left", [[BAD, OTHER], [OTHER, GOOD]])
def test_what_no_comparison_can_tell_is_not_concluded_from_it(world, left):
    box, deployment = world("nxos_ssh")
    box.commit(left, False)
    interrupted(deployment, ago=timedelta(seconds=30))
    done = ran(deployment)
    assert done.status == Status.FAILED
    assert "does not tell whether the router has it" in done.reason
    assert sent(box) == []


def test_page_of_such_a_platform_says_so(world):
    _box, deployment = world("nxos_ssh")
    ran(deployment)
    assert any("may change nothing" in step.reason for step in deployment.steps.all())


def test_router_does_not_differ_for_ever_by_what_was_taken_away(world, client):
    box, deployment = world("nxos_ssh", running=(GOOD,))
    template = deployment.router.config_template
    template.template_code += f"\nno neighbor {TWO}"
    template.save()
    router = PeeringRouter.objects.with_access().get()
    assert drift.compare_router(router).drift == "same"
    box.running.append(OTHER)
    state = drift.compare_router(router)
    assert (state.drift, state.masked_diff) == ("differs", f"no neighbor {TWO}")
    client.force_login(make_user("viewer"))
    page = f"/plugins/peering-manager/routers/{router.pk}/drift/"
    assert "some may change nothing" in client.get(page).content.decode()
    PeeringRouter.objects.update(config_mode="replace")
    assert "some may change nothing" not in client.get(page).content.decode()


def test_session_that_holds_a_commit_outlives_a_read_that_failed(world):
    box, deployment = world("eos")
    failures = []

    def fail():
        if box.pending and not failures:
            failures.append(1)
            raise TimeoutError("slow")

    box.at["neighbors"] = fail
    done = ran(deployment)
    assert failures
    assert done.status == Status.DONE, done.reason
    assert box.running == [OTHER, GOOD]


def test_commit_that_another_session_holds_is_waited_for(world):
    """Its worker is gone: no other connection can confirm it or take it back."""
    box, deployment = world("eos")
    box.commit([OTHER, GOOD], True, object())
    interrupted(deployment, confirm_by=timezone.now() + timedelta(minutes=2))
    assert ran(deployment).status == Status.CONFIRMING
    assert sent(box) == []
    box.revert()
    assert ran(deployment).status == Status.ROLLED_BACK


@pytest.mark.parametrize(("when", "ended"), [("commit", Status.FAILED), ("committed", Status.DONE)])
def test_job_whose_time_ends_in_the_middle_of_a_commit_is_settled_by_the_next_pass(world, when, ended):
    box, deployment = world()

    def over():
        box.at.clear()
        raise JobTimeoutException("Task exceeded maximum timeout value")

    box.at[when] = over
    with pytest.raises(JobTimeoutException):
        ran(deployment)
    deployment.refresh_from_db()
    assert deployment.status == Status.COMMITTING
    assert settle.settle() == [deployment]
    done = ran(deployment)
    assert done.status == ended, done.reason
    assert (GOOD in box.running) is (ended == Status.DONE)


def test_session_that_is_established_but_lost_all_its_prefixes_is_told(world):
    box, deployment = world()
    box.at["committed"] = lambda: box.accepted.update({TWO: 0})
    done = ran(deployment)
    assert done.status == Status.DONE
    assert f"without any accepted prefix now: {TWO} (IPv4, 5 before)" in done.reason


def test_whole_configuration_that_takes_away_what_nobody_switched_off_is_taken_back(world):
    box, deployment = world(mode="replace", running=(GOOD, OTHER, f"neighbor {ONE}0 remote-as 64500"))
    held = ran(deployment)
    assert held.status == Status.COMPARED, held.reason
    assert sent(box) == []
    told = f"leaves out {TWO}. Those that NetBox does not know: import them"
    assert told in held.reason
    assert (
        "if it is sent as it is, they go down until it is taken back. It is sent once somebody" in held.reason
    )
    decisions.release(held, held.requested_by)
    done = ran(held)
    assert done.status == Status.ROLLED_BACK, done.reason
    assert f"{TWO} (missing)" in done.reason
    assert told in done.reason
    assert OTHER in box.running


def test_whole_configuration_that_takes_away_what_is_down_is_not_held(world):
    box, deployment = world(mode="replace", running=(GOOD, f"neighbor {ONE}0 remote-as 64500"))
    done = ran(deployment)
    assert done.status == Status.DONE, done.reason
    assert box.running == [GOOD]


def test_times_leave_one_step_before_the_router_goes_back():
    slow = watch.Time(30, at_most_s=40)
    assert watch._is_last(slow, 41)
    assert not watch._is_last(slow, 39)
    assert not watch._is_last(watch.Time(30), 1000)
    assert TABLE["junos"].pending

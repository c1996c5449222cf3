"""Deployments to a real router with real sessions: what each kind does, and what it leaves alone."""

import copy
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from netbox_routing.models import RouteMapEntry
from users.models import User

from netbox_peering_manager.choices import DeploymentStatusChoices as Status
from netbox_peering_manager.exceptions import DeploymentRefused, ReviewOutdated
from netbox_peering_manager.models import Deployment, RemovedSession
from netbox_peering_manager.services import secrets
from netbox_peering_manager.services.deployment import asking, decisions, fleet, pipeline, settle, together
from netbox_peering_manager.services.provisioning.removal import delete_session
from netbox_peering_manager.settings import PLUGIN
from tests.factories import make_asn
from tests.shared import leave

from . import deploying
from .deploying import MEMBERS, eventually

pytestmark = [pytest.mark.lab, pytest.mark.django_db]
FRR_MEMBER, BIRD_MEMBER = MEMBERS
SENT = [Status.RENDERED, Status.COMPARED, Status.COMMITTING, Status.CONFIRMING]


@pytest.fixture(scope="module", autouse=True)
def made(lab, django_db_setup, django_db_blocker):
    """The router in NetBox, for all tests of this module; what a test changes there is rolled back."""
    from django.db import transaction

    block = transaction.atomic()
    with django_db_blocker.unblock():
        block.__enter__()
        built = deploying.build(lab)
    yield built
    with django_db_blocker.unblock():
        leave(block)


@pytest.fixture(scope="module")
def text():
    """What the router runs once it is configured, kept from the first test that made it so."""
    return {}


@pytest.fixture
def world(lab, made, settings, db):
    deploying.reach(lab, settings)
    return deploying.World(lab, copy.deepcopy(made.router), made.user)


@pytest.fixture
def configured(world, text):
    """All sessions are configured and Established."""
    if "running" not in text:
        deploying.empty(world.lab)
        done = world.ask()
        assert done.status == Status.DONE, done.reason
        text["running"] = world.running()
    elif world.running() != text["running"]:
        deploying.replace(world.lab, text["running"])
    assert eventually(lambda: world.established() == world.addresses(*MEMBERS)), world.lab.state()
    return world


def statuses(deployment):
    """The states that it went through, each once."""
    found = [step.status for step in deployment.steps.all()]
    return [status for number, status in enumerate(found) if number == 0 or found[number - 1] != status]


def test_first_deployment_brings_all_sessions_up(world):
    deploying.empty(world.lab)
    deployment = pipeline.run(asking.request(world.router, world.user).pk)
    assert deployment.status == Status.COMPARED
    assert f"+ neighbor {world.address(FRR_MEMBER)} remote-as {FRR_MEMBER}" in deployment.masked_diff
    assert "router bgp" not in world.running()
    decisions.release(deployment, world.user)
    deployment = pipeline.run(deployment.pk)
    assert deployment.status == Status.DONE, deployment.reason
    assert statuses(deployment) == [*SENT, Status.DONE]
    assert deployment.encrypted_text == ""
    assert eventually(lambda: world.established() == world.addresses(*MEMBERS)), world.lab.state()


def test_router_that_has_it_all_has_nothing_to_change(configured):
    deployment = configured.ask()
    assert (deployment.status, deployment.masked_diff) == (Status.DONE, "")
    assert statuses(deployment) == [Status.RENDERED, Status.COMPARED, Status.DONE]


def test_partial_deployment_changes_its_sessions_alone_and_leaves_all_up(configured):
    before = configured.epochs()
    for family in (4, 6):
        session = configured.session(FRR_MEMBER, family)
        session.description = f"changed {family}"
        session.save()
    deployment = configured.ask(sessions=[session.pk])
    assert deployment.status == Status.DONE, deployment.reason
    assert "changed 6" in configured.running()
    assert "changed 4" not in configured.running()
    assert configured.epochs() == before
    assert [target.session_id for target in deployment.targets.all()] == [session.pk]


def test_admin_down_and_up_again(configured):
    before, address = configured.epochs(), configured.address(BIRD_MEMBER)
    session = configured.enable(BIRD_MEMBER, False)
    deployment = configured.ask(sessions=[session.pk])
    assert deployment.status == Status.DONE, deployment.reason
    assert f"neighbor {address} shutdown" in configured.running()
    assert eventually(lambda: address not in configured.established())
    others = {neighbor: epoch for neighbor, epoch in before.items() if neighbor != address}
    assert configured.epochs() == others
    configured.enable(BIRD_MEMBER, True)
    deployment = configured.ask(sessions=[session.pk])
    assert deployment.status == Status.DONE, deployment.reason
    assert eventually(lambda: address in configured.established()), configured.lab.state()
    assert {neighbor: configured.epochs()[neighbor] for neighbor in others} == others


def test_deleted_session_is_removed_and_the_others_stay_up(configured):
    before, address = configured.epochs(), configured.address(BIRD_MEMBER, 6)
    delete_session(configured.session(BIRD_MEMBER, 6), with_bgp_peer=True)
    removed = RemovedSession.objects.get()
    deployment = configured.ask(kind="remove", removed=[removed.pk])
    assert deployment.status == Status.DONE, deployment.reason
    assert f"neighbor {address} " not in configured.running()
    del before[address]
    assert configured.epochs() == before


def test_replace_takes_away_what_netbox_does_not_have_and_leaves_sessions_up(configured):
    foreign = configured.lab.nodes["as64502"].ipv4
    text = (
        f"router bgp 64500\n neighbor {foreign} remote-as 64502\n"
        f" address-family ipv4 unicast\n  neighbor {foreign} activate\n exit-address-family\nexit\n"
    )
    deployment = configured.ask(kind="commands", commands=text)
    assert deployment.status == Status.DONE, deployment.reason
    assert eventually(lambda: foreign in configured.epochs())
    before = configured.epochs()
    deploying.whole_template(configured.router)
    deployment = configured.ask()
    assert (deployment.mode, deployment.status) == ("replace", Status.COMPARED), deployment.reason
    assert f"leaves out {foreign}. Those that NetBox does not know: import" in deployment.reason
    assert configured.epochs() == before
    decisions.release(deployment, configured.user)
    deployment = pipeline.run(deployment.pk)
    assert deployment.status == Status.ROLLED_BACK, deployment.reason
    assert f"leaves out {foreign}. Those that NetBox does not know: import" in deployment.reason
    assert eventually(lambda: foreign in configured.epochs()), configured.lab.state()
    # One that is down is nobody's loss.
    down = f"router bgp 64500\n neighbor {foreign} shutdown\nexit\n"
    assert configured.ask(kind="commands", commands=down).status == Status.DONE
    deployment = configured.ask()
    assert (deployment.mode, deployment.status) == ("replace", Status.DONE), deployment.reason
    assert f"neighbor {foreign}" not in configured.running()
    del before[foreign]
    assert configured.epochs() == before


def test_whole_configuration_that_leaves_sessions_out_is_undone(configured):
    """A template whose condition fits no session: nobody has said in NetBox that they are to go."""
    running = configured.running()
    deploying.whole_template(configured.router)
    template = configured.router.config_template
    code = template.template_code
    template.template_code = code.replace("{% set here = sessions |", "{% set here = [] |")
    assert template.template_code != code
    template.save()
    deployment = configured.ask()
    assert deployment.status == Status.COMPARED, deployment.reason
    for address in configured.addresses(*MEMBERS):
        assert address in deployment.reason
    decisions.release(deployment, configured.user)
    deployment = pipeline.run(deployment.pk)
    assert deployment.status == Status.ROLLED_BACK, deployment.reason
    for address in configured.addresses(*MEMBERS):
        assert f"{address} (missing)" in deployment.reason
    assert "correct the config template, or disable or delete them in NetBox" in deployment.reason
    assert configured.running() == running
    assert eventually(lambda: configured.established() == configured.addresses(*MEMBERS))


def test_sessions_that_are_switched_off_or_deleted_in_netbox_may_go_with_a_whole_configuration(configured):
    deploying.whole_template(configured.router)
    configured.enable(FRR_MEMBER, False)
    delete_session(configured.session(BIRD_MEMBER, 6), with_bgp_peer=True)
    deployment = configured.ask()
    assert deployment.status == Status.DONE, deployment.reason
    left = configured.addresses(*MEMBERS) - {
        configured.address(FRR_MEMBER),
        configured.address(BIRD_MEMBER, 6),
    }
    assert eventually(lambda: configured.established() == left), configured.lab.state()


def test_partial_deployment_that_changes_what_others_use_waits_for_somebody(configured):
    running, session = configured.running(), configured.session(FRR_MEMBER)
    entries = RouteMapEntry.objects.filter(route_map__name__in=names_of_route_maps(configured))
    entry = entries.filter(action="permit").order_by("pk").last()
    route_map = entry.route_map
    entry.set = {**(entry.set or {}), "local_preference": 77}
    entry.save()
    deployment = configured.ask(sessions=[session.pk])
    assert deployment.status == Status.COMPARED, deployment.reason
    assert f"route map {route_map.name} (" in deployment.reason
    for address in configured.addresses(*MEMBERS) - {configured.address(FRR_MEMBER)}:
        if ":" not in address:
            assert address in deployment.reason
    assert configured.address(FRR_MEMBER) not in deployment.reason
    assert configured.running() == running
    assert settle.settle() == []
    assert pipeline.run(deployment.pk).status == Status.COMPARED
    decisions.release(deployment, configured.user)
    deployment = pipeline.run(deployment.pk)
    assert deployment.status == Status.DONE, deployment.reason
    assert "local-preference 77" in configured.running()


def names_of_route_maps(world):
    """The route maps that the router's IPv4 sessions use."""
    lines = world.running().splitlines()
    return {line.split()[-2] for line in lines if "route-map" in line and "neighbor" in line}


def test_one_time_commands_are_sent_once_and_kept_nowhere(configured):
    command = f"router bgp 64500\n neighbor {configured.address(FRR_MEMBER)} description by-hand\nexit\n"
    deployment = configured.ask(kind="commands", commands=command)
    assert deployment.status == Status.DONE, deployment.reason
    assert "description by-hand" in configured.running()
    assert deployment.encrypted_text == ""


def test_commands_that_take_a_session_down_on_purpose_are_not_undone(configured):
    address = configured.address(FRR_MEMBER, 6)
    command = f"router bgp 64500\n neighbor {address} shutdown\nexit\n"
    deployment = configured.ask(kind="commands", commands=command)
    assert deployment.status == Status.DONE, deployment.reason
    assert address not in configured.epochs()


def test_scheduled_deployment_is_sent_when_it_is_due(configured):
    session = configured.session(FRR_MEMBER)
    session.description = "later"
    session.save()
    when = timezone.now() + timedelta(hours=1)
    deployment = configured.ask(sessions=[session.pk], automatic=False, scheduled=when)
    assert deployment.status == Status.SCHEDULED
    assert settle.settle() == []
    with pytest.raises(DeploymentRefused, match="Nobody has said"):
        pipeline.commit(deployment.pk)
    assert "later" not in configured.running()
    Deployment.objects.filter(pk=deployment.pk).update(scheduled=timezone.now())
    assert settle.settle() == [deployment]
    deployment = pipeline.run(deployment.pk)
    assert deployment.status == Status.DONE, deployment.reason
    assert "later" in configured.running()
    assert statuses(deployment) == [
        *(Status.RENDERED, Status.COMPARED, Status.SCHEDULED),
        *(Status.COMMITTING, Status.CONFIRMING, Status.DONE),
    ]


def test_what_has_to_be_approved_is_sent_once_somebody_else_agreed(configured):
    configured.router.approval = "other"
    configured.router.save()
    session = configured.session(FRR_MEMBER)
    session.description = "agreed"
    session.save()
    deployment = configured.ask(sessions=[session.pk])
    assert deployment.status == Status.AWAITING_APPROVAL
    assert pipeline.run(deployment.pk).status == Status.AWAITING_APPROVAL
    for refused in (
        lambda: pipeline.commit(deployment.pk),
        lambda: decisions.release(deployment, configured.user),
        lambda: decisions.approve(deployment, configured.user),
    ):
        with pytest.raises(DeploymentRefused):
            refused()
    assert "agreed" not in configured.running()
    decisions.approve(deployment, User.objects.create_user("second", is_superuser=True), "Looks right")
    assert settle.settle() == [deployment]
    deployment = pipeline.run(deployment.pk)
    assert deployment.status == Status.DONE, deployment.reason
    assert "agreed" in configured.running()
    assert statuses(deployment) == [
        *(Status.RENDERED, Status.COMPARED, Status.AWAITING_APPROVAL, Status.APPROVED),
        *(Status.COMMITTING, Status.CONFIRMING, Status.DONE),
    ]


def test_nothing_that_waits_for_an_approval_is_sent_by_any_way(configured, client):
    """Not by a superuser either, who asked for it."""
    running = configured.running()
    deployment = described(configured, "unapproved", approval="other", automatic=True)
    assert deployment.status == Status.AWAITING_APPROVAL
    client.force_login(configured.user)
    pages, rest = "plugins:netbox_peering_manager", "plugins-api:netbox_peering_manager-api"
    page = client.post(reverse(f"{pages}:deployment_commit", args=[deployment.pk]), follow=True)
    assert "has to be approved first" in page.content.decode()
    answer = client.post(reverse(f"{rest}:deployment-commit", args=[deployment.pk]))
    assert answer.status_code == 409
    assert "has to be approved first" in answer.json()["detail"]
    assert_waits(deployment)

    # A time may be chosen meanwhile. When it has come, the approval is still waited for.
    when = {"scheduled": f"{timezone.now() + timedelta(hours=1):%Y-%m-%d %H:%M:%S}"}
    client.post(reverse(f"{pages}:deployment_schedule", args=[deployment.pk]), when)
    deployment.refresh_from_db()
    assert deployment.scheduled > timezone.now()
    Deployment.objects.filter(pk=deployment.pk).update(scheduled=timezone.now())
    assert settle.settle() == []
    assert_waits(deployment)

    batch = fleet.deploy_many([configured.router], configured.user, automatic=True)
    of_batch = batch.deployments.get()
    assert pipeline.run(of_batch.pk).status == Status.AWAITING_APPROVAL
    assert settle.settle() == []
    assert_waits(of_batch)
    assert configured.running() == running


def assert_waits(deployment):
    """Neither the job nor whoever calls it directly sends it, and it waits for an approval as before."""
    assert pipeline.run(deployment.pk).status == Status.AWAITING_APPROVAL
    with pytest.raises(DeploymentRefused):
        pipeline.commit(deployment.pk)
    deployment.refresh_from_db()
    assert (deployment.status, deployment.sent) == (Status.AWAITING_APPROVAL, None)


def test_approval_that_is_too_old_sends_nothing_and_it_is_compared_anew(configured):
    running = configured.running()
    deployment = described(configured, "agreed too long ago", approval="one")
    decisions.approve(deployment, configured.user)
    assert deployment.status == Status.APPROVED
    Deployment.objects.filter(pk=deployment.pk).update(expires=timezone.now())
    with pytest.raises(DeploymentRefused, match="has expired"):
        decisions.release(deployment, configured.user)
    assert settle.settle() == []
    assert_ended(deployment, Status.EXPIRED, configured.user)
    assert configured.running() == running
    anew = pipeline.run(together.again(deployment, configured.user).pk)
    assert anew.status == Status.AWAITING_APPROVAL, anew.reason
    decisions.approve(anew, configured.user)
    decisions.release(anew, configured.user)
    anew = pipeline.run(anew.pk)
    assert anew.status == Status.DONE, anew.reason
    assert "agreed too long ago" in configured.running()


def test_what_was_cancelled_is_never_sent(configured):
    running = configured.running()
    deployment = described(configured, "taken back")
    assert deployment.status == Status.COMPARED
    decisions.cancel(deployment, configured.user, "Not today")
    assert settle.settle() == []
    assert_ended(deployment, Status.CANCELLED, configured.user)
    assert deployment.steps.last().reason == "Not today"
    assert configured.running() == running


def described(world, description, *, approval="none", automatic=False):
    """A deployment of a session whose description was changed, as far as it goes by itself."""
    world.router.approval = approval
    world.router.save()
    session = world.session(FRR_MEMBER)
    session.description = description
    session.save()
    return world.ask(sessions=[session.pk], automatic=automatic)


def assert_ended(deployment, status, user):
    """It ended unsent, and can be sent no more."""
    assert pipeline.run(deployment.pk).status == status
    for refused in (lambda: pipeline.commit(deployment.pk), lambda: decisions.release(deployment, user)):
        with pytest.raises(DeploymentRefused):
            refused()
    deployment.refresh_from_db()
    assert (deployment.status, deployment.sent, deployment.encrypted_text) == (status, None, "")


def spoil(world):
    """Give a session another AS in NetBox than its neighbour has: it cannot come up again."""
    session = world.session(FRR_MEMBER)
    session.bgp_peer.remote_as = make_asn(64511)
    session.bgp_peer.save()
    return session


@pytest.mark.parametrize("reverts", [True, False])
def test_change_that_loses_a_session_is_undone_and_the_session_comes_back(configured, settings, reverts):
    """With a router that goes back by itself, and with one that has to be told."""
    if not reverts:
        plugins = settings.PLUGINS_CONFIG
        driver = {"frr": {"driver": "frr", "capabilities": {"bgp_config": True}}}
        settings.PLUGINS_CONFIG = {**plugins, PLUGIN: {**plugins[PLUGIN], "napalm_drivers": driver}}
    before, running, address = configured.epochs(), configured.running(), configured.address(FRR_MEMBER)
    deployment = configured.ask(sessions=[spoil(configured).pk])
    assert deployment.status == Status.ROLLED_BACK, deployment.reason
    assert f"{address} (" in deployment.reason
    assert bool(deployment.confirm_by) is reverts
    assert configured.running() == running
    assert eventually(lambda: configured.established() == configured.addresses(*MEMBERS))
    del before[address]
    assert {neighbor: configured.epochs()[neighbor] for neighbor in before} == before
    assert "are so again" in deployment.steps.last().reason


def test_router_that_was_changed_since_the_comparison_is_left_as_it_is(configured):
    session = configured.session(FRR_MEMBER)
    session.description = "reviewed"
    session.save()
    deployment = pipeline.run(asking.request(configured.router, configured.user, sessions=[session.pk]).pk)
    command = (
        f"router bgp 64500\n neighbor {configured.address(FRR_MEMBER)} description somebody-else\nexit\n"
    )
    assert configured.ask(kind="commands", commands=command).status == Status.DONE
    decisions.release(deployment, configured.user)
    with pytest.raises(ReviewOutdated, match="router was changed"):
        pipeline.run(deployment.pk)
    deployment.refresh_from_db()
    assert deployment.status == Status.FAILED
    assert "somebody-else" in deployment.reason
    assert "description somebody-else" in configured.running()


def test_netbox_that_was_changed_since_the_comparison_is_told_and_the_router_left_alone(configured):
    session = configured.session(FRR_MEMBER)
    session.description = "reviewed"
    session.save()
    deployment = pipeline.run(asking.request(configured.router, configured.user, sessions=[session.pk]).pk)
    assert deployment.status == Status.COMPARED, deployment.reason
    running = configured.running()
    session.description = "thought of since"
    session.save()
    deployment = refused_as_outdated(deployment, configured.user)
    described = f"neighbor {configured.address(FRR_MEMBER)} description"
    told = unindented(deployment.reason)
    assert f"-{described} reviewed" in told
    assert f"+{described} thought of since" in told
    assert configured.running() == running


def test_password_that_was_changed_since_the_comparison_is_told_without_it(configured):
    running, session = configured.running(), configured.session(FRR_MEMBER)
    secrets.set_password(session, "Marker-as-reviewed")
    session.save()
    deployment = pipeline.run(asking.request(configured.router, configured.user, sessions=[session.pk]).pk)
    assert deployment.status == Status.COMPARED, deployment.reason
    assert "password ****" in deployment.masked_diff
    secrets.set_password(session, "Marker-thought-of-since")
    session.save()
    deployment = refused_as_outdated(deployment, configured.user)
    assert deployment.reason.endswith("\nPasswords alone.")
    assert "Marker" not in deployment.reason
    assert configured.running() == running


def refused_as_outdated(deployment, user):
    """Have it committed, which fails because NetBox would send something else now. Returns it as it is then."""
    decisions.release(deployment, user)
    with pytest.raises(ReviewOutdated, match="NetBox was changed"):
        pipeline.run(deployment.pk)
    deployment.refresh_from_db()
    assert deployment.status == Status.FAILED
    assert "NetBox was changed" in deployment.reason
    assert deployment.encrypted_text == ""
    return deployment


def unindented(difference):
    """Each line's sign right before its first word."""
    return [line[:1] + line[1:].strip() for line in difference.splitlines()]

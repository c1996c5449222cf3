"""Asking for a deployment: who may, what is rendered, what is kept of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.models import ObjectChange, ObjectType
from extras.models import CustomField
from users.models import ObjectPermission

from netbox_peering_manager.choices import DeploymentStatusChoices as Status
from netbox_peering_manager.exceptions import DeploymentRefused, TemplateFailed
from netbox_peering_manager.models import Deployment, PeeringRouter, PeeringSession, RemovedSession
from netbox_peering_manager.services import secrets
from netbox_peering_manager.services.deployment import asking, sealed
from netbox_peering_manager.services.devices import typed
from netbox_peering_manager.services.devices.credentials import Credentials
from netbox_peering_manager.services.tracking import recorded, request_of
from tests.queries import queries_for_few_and_many
from tests.shared import copy, once

from .scenery import make_router, make_sessions, make_user

pytestmark = pytest.mark.django_db
PASSWORD = "Marker-Pa55word"
COMMANDS = "router bgp 64500\n neighbor 198.51.100.42 password Marker-Typed\n"


def build():
    from types import SimpleNamespace

    router = make_router()
    first, second = make_sessions(router, "198.51.100.42", "198.51.100.43")
    secrets.set_password(first, PASSWORD)
    first.save()
    return SimpleNamespace(router=router, first=first, second=second, admin=make_user("boss"))


made = once(build)
world = copy()


def ask(world, user=None, **asked):
    return asking.request(world.router, user or world.admin, **asked)


def removed(router, address, **fields):
    return RemovedSession.objects.create(device=router.device, remote_ip=address, **fields)


def refused(world, match, user=None, **asked):
    before = Deployment.objects.count()
    with pytest.raises(DeploymentRefused, match=match) as raised:
        ask(world, user, **asked)
    assert Deployment.objects.count() == before
    return str(raised.value)


# What NetBox asks of every row


def require(**fields):
    field = CustomField.objects.create(name="ticket", type="text", required=True, **fields)
    field.object_types.set([ObjectType.objects.get_for_model(Deployment)])


def test_custom_fields_have_their_defaults_also_where_they_are_required(world):
    require(default="NOC-1")
    assert ask(world).custom_field_data == {"ticket": "NOC-1"}


def test_custom_field_that_is_required_and_has_no_default_refuses(world):
    require()
    said = refused(world, "the deployment is not valid: Missing required custom field 'ticket'")
    assert said.startswith("rt1.mtl: ")


def test_custom_validator_refuses_and_says_why(world, settings):
    rules = {"netbox_peering_manager.deployment": [{"reason": {"required": True}}]}
    settings.CUSTOM_VALIDATORS = rules
    refused(world, "rt1.mtl: the deployment is not valid: ")
    assert ask(world, reason="Ticket 7").reason == "Ticket 7"


# What is rendered


def test_whole_router_is_rendered_with_all_of_its_sessions_in_clear_and_shown_masked(world):
    gone = removed(world.router, "198.51.100.99")
    deployment = ask(world)
    lines = sealed.opened(deployment).text.splitlines()
    assert lines == [
        "neighbor 198.51.100.42 remote-as 64496",
        f"neighbor 198.51.100.42 password {PASSWORD}",
        "neighbor 198.51.100.43 remote-as 64497",
        f"no neighbor {gone.remote_ip}",
    ]
    assert deployment.status == Status.RENDERED
    assert (deployment.partial, deployment.targets.count()) == (False, 0)
    assert PASSWORD not in deployment.masked_text
    assert "neighbor 198.51.100.42 password ****" in deployment.masked_text
    assert [(step.status, step.user) for step in deployment.steps.all()] == [(Status.RENDERED, world.admin)]


def test_partial_one_names_its_sessions_alone_and_none_that_was_removed(world):
    removed(world.router, "198.51.100.99")
    deployment = ask(world, sessions=[world.second.pk])
    assert sealed.opened(deployment).text == "neighbor 198.51.100.43 remote-as 64497\n"
    (target,) = deployment.targets.all()
    assert (target.session, target.remote_ip, target.vrf) == (world.second, "198.51.100.43", "")
    assert deployment.partial


def test_removal_names_what_was_removed_alone(world):
    gone, _other = removed(world.router, "198.51.100.99"), removed(world.router, "198.51.100.98")
    deployment = ask(world, kind="remove", removed=[gone.pk])
    assert sealed.opened(deployment).text == "no neighbor 198.51.100.99\n"
    (target,) = deployment.targets.all()
    assert (target.session, target.remote_ip) == (None, "198.51.100.99")
    assert sealed.opened(deployment).going == {("", "198.51.100.99")}


def test_disabled_sessions_are_meant_to_go_down(world):
    world.second.bgp_peer.enabled = False
    world.second.bgp_peer.save()
    assert sealed.opened(ask(world)).going == {("", "198.51.100.43")}


def test_part_is_merged_also_on_a_router_that_is_replaced(world):
    world.router.config_mode = "replace"
    world.router.save()
    assert ask(world).mode == "replace"
    assert ask(world, sessions=[world.first.pk]).mode == "merge"
    assert ask(world, mode="merge").mode == "merge"
    refused(world, "cannot replace all", sessions=[world.first.pk], mode="replace")


def test_what_is_rendered_again_is_the_same_until_something_changes(world):
    gone = removed(world.router, "198.51.100.99")
    for asked in ({}, {"sessions": [world.first.pk]}, {"kind": "remove", "removed": [gone.pk]}):
        deployment = ask(world, **asked)
        assert sealed.fits(deployment.text_digest, asking.render(deployment).text)
    deployment = ask(world)
    gone.delete()
    assert not sealed.fits(deployment.text_digest, asking.render(deployment).text)


def test_session_that_was_deleted_since_is_rendered_no_more(world):
    deployment = ask(world, sessions=[world.first.pk, world.second.pk])
    PeeringSession.objects.get(pk=world.first.pk).delete()
    assert "198.51.100.42 remote-as" not in asking.render(Deployment.objects.get(pk=deployment.pk)).text


def test_commands_are_kept_as_they_were_typed_and_shown_masked(world):
    deployment = ask(world, kind="commands", commands=COMMANDS.replace("\n", "\r\n"))
    assert sealed.opened(deployment).text == COMMANDS
    assert deployment.masked_text == ""
    assert (deployment.mode, deployment.partial) == ("merge", False)


def test_asking_leaves_no_secret_in_clear(world):
    with recorded(request_of(world.admin)):
        for asked in ({"reason": f"because of {PASSWORD}"}, {"kind": "commands", "commands": COMMANDS}):
            deployment = ask(world, **asked)
            row = Deployment.objects.filter(pk=deployment.pk).values().get()
            changes = [change.postchange_data for change in ObjectChange.objects.all()]
            steps = list(deployment.steps.values())
            assert changes
            assert "Marker" not in f"{row}{changes}{steps}"
            assert "encrypted_text" not in str(changes)


def test_asking_takes_no_more_queries_for_more_sessions(world):
    def make(numbers):
        make_sessions(world.router, *(f"192.0.2.{number + 10}" for number in numbers))

    def do():
        ids = PeeringSession.objects.for_device(world.router.device).values_list("pk", flat=True)
        ask(world, sessions=list(ids))

    assert queries_for_few_and_many(do, make) < 70


# What does not go together, and what is missing


def test_what_cannot_be_asked_for_is_refused_with_the_way_out(world):
    refused(world, "no commands to send", kind="commands", commands=" \n")
    refused(world, "no session to remove", kind="remove")
    refused(world, "no session to configure", sessions=[])
    refused(world, "has passed", scheduled=timezone.now())
    refused(world, "no session with ID 0", sessions=[0, world.first.pk])
    refused(world, "no removed session with ID 0", kind="remove", removed=[0])
    other = make_sessions(make_router("rt2.mtl"), "192.0.2.9")[0]
    refused(world, f"no session with ID {other.pk}", sessions=[other.pk])


def test_router_has_to_be_ready_to_be_sent_something(world):
    for field, value, match in (
        ("config_template", None, "no config template"),
        ("napalm_driver", "unknown", "is not in napalm_drivers"),
        ("push_enabled", False, "Switch on push"),
    ):
        setattr(world.router, field, value)
        world.router.save()
        refused(world, match)


def test_template_that_fails_leaves_nothing(world):
    template = world.router.config_template
    template.template_code = "{{ nothing.here }}"
    template.save()
    with pytest.raises(TemplateFailed):
        ask(world)
    template.template_code = "{# nothing #}"
    template.save()
    refused(world, "renders nothing")
    assert not Deployment.objects.exists()


# Typed credentials


def test_typed_credentials_wait_in_redis_and_the_deployment_has_only_a_token(world):
    deployment = ask(world, automatic=True, credentials=Credentials("noc", password="Marker-Own"))
    assert deployment.own_credentials
    assert "Marker" not in str(Deployment.objects.filter(pk=deployment.pk).values().get())
    assert typed.take(deployment.typed_token, deployment).password == "Marker-Own"


def test_typed_credentials_are_for_now(world):
    own = {"credentials": Credentials("noc", password="Marker-Own")}
    refused(world, "committed at once", **own)
    refused(world, "committed at once", scheduled=timezone.now() + timedelta(hours=1), **own)
    world.router.approval = "one"
    world.router.save()
    refused(world, "has to be approved first", automatic=True, **own)


# Who may


def allowed(name, *rights):
    """A user with these rights: (model, action, constraints)."""
    user = make_user(name, is_superuser=False)
    for model, action, constraints in rights:
        permission = ObjectPermission.objects.create(
            name=f"{name} {action} {model}", actions=[action], constraints=constraints
        )
        permission.object_types.add(ObjectType.objects.get_for_model(model))
        permission.users.add(user)
    return user


VIEW = ((PeeringRouter, "view", None), (PeeringSession, "view", None))
ADD = (Deployment, "add", None)


def test_user_needs_the_router_its_sessions_and_the_right_to_add(world):
    refused(world, "no such router", allowed("nobody"))
    refused(world, "no such router", allowed("adder", ADD))
    refused(world, "permission to add", allowed("viewer", *VIEW))
    assert ask(world, allowed("all", *VIEW, ADD)).requested_by.username == "all"


def test_sessions_that_may_not_be_viewed_are_in_nothing_that_one_asks_for(world):
    user = allowed(
        "half", VIEW[0], ADD, (PeeringSession, "view", {"bgp_peer__peer__address": "198.51.100.43/24"})
    )
    refused(world, "sessions that you may not view", user)
    told = refused(world, "no session with ID", user, sessions=[world.first.pk])
    assert told == refused(world, "no session with ID", user, sessions=[world.first.pk])
    assert ask(world, user, sessions=[world.second.pk])


def test_deployment_has_to_fit_the_constraints_of_the_right_to_add(world):
    user = allowed("noc", *VIEW, (Deployment, "add", {"kind": "remove"}))
    refused(world, "may not deploy this", user)
    gone = removed(world.router, "198.51.100.99")
    assert ask(world, user, kind="remove", removed=[gone.pk])


def test_committing_and_commands_need_rights_of_their_own(world):
    user = allowed("noc", *VIEW, ADD)
    refused(world, "may not commit", user, automatic=True)
    refused(world, "may not commit", user, scheduled=timezone.now() + timedelta(hours=1))
    refused(world, "may not send one-time commands", user, kind="commands", commands=COMMANDS)
    user = allowed("other", *VIEW, ADD, (Deployment, "commit", None), (Deployment, "run_commands", None))
    assert ask(world, user, automatic=True).released_by == user
    assert ask(world, user, kind="commands", commands=COMMANDS).released_by is None

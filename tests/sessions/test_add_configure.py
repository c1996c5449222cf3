"""Sessions that are configured as soon as they are made, or at a time: the form for many, and REST; by kind of user."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from core.models import Job
from dcim.models import Platform
from extras.models import ConfigTemplate

from netbox_peering_manager.jobs.deployments import DeploymentJob
from netbox_peering_manager.models import Deployment, PeeringRouter, PeeringSession
from tests import factories
from tests.deployments.scenery import TEMPLATE
from tests.services.test_create_bulk import make_ports, set_up_lan
from tests.sessions.people import browser, make_root, make_user, ours, rest
from tests.sessions.test_add_pages import PAGE, chosen, confirm, order_of, post, text_of
from tests.sessions.test_add_rest import chosen as wanted
from tests.sessions.test_add_rest import of_fabric
from tests.sessions.test_add_rest import post as ask
from tests.sessions.test_plan import ROWS, SEEN

pytestmark = pytest.mark.django_db

CREATE = "plugins-api:netbox_peering_manager-api:peeringsession-create"
# What configuring takes beside the right to add sessions.
CONFIGURES = ours("view_peeringrouter", "view_peeringsession", "add_deployment", "commit_deployment")


@pytest.fixture
def side():
    """Our connection, on a router that may be sent something."""
    side = set_up_lan()
    device = side.interface.device
    device.platform = Platform.objects.create(name="FRRouting", slug="frr")
    device.save()
    template = ConfigTemplate.objects.create(name="BGP", template_code=TEMPLATE)
    PeeringRouter.objects.create(device=device, config_template=template, push_enabled=True)
    return side


@pytest.fixture
def peer():
    return factories.make_relationship("Peer")


def tomorrow():
    return (timezone.localtime() + timedelta(days=1)).replace(second=0, microsecond=0)


def typed(when):
    return when.strftime("%Y-%m-%d %H:%M:%S")


def plain(response):
    return re.sub(r"<[^>]+>", "", text_of(response))


def scheduled():
    return [timezone.localtime(one.scheduled) if one.scheduled else None for one in Deployment.objects.all()]


# The form


def test_form_offers_a_time_in_one_hour(side, peer):
    form = browser(make_root()).post(reverse(PAGE), {"pk": make_ports(1)[0].pk}).context["form"]
    offered = form["scheduled"].initial
    assert timedelta(minutes=58) < offered - timezone.now() <= timedelta(hours=1)


def test_many_are_made_and_scheduled(side, peer):
    when, user = tomorrow(), make_root()
    data = chosen(peer, make_ports(2), configure_router="on", scheduled=typed(when))
    assert f"Their routers are configured with them at {when:%Y-%m-%d %H:%M}" in plain(post(user, data))
    shown = browser(user).get(confirm(user, data).url)
    assert scheduled() == [when]
    deployment = Deployment.objects.get()
    assert (deployment.automatic, deployment.targets.count(), deployment.released_by) == (False, 4, user)
    assert Job.objects.filter(name=DeploymentJob.name, object_id=deployment.pk).count() == 1
    assert f"The routers are configured at {when:%Y-%m-%d %H:%M}" in plain(shown)


def test_empty_time_is_at_once(side, peer):
    data = chosen(peer, make_ports(1), configure_router="on", scheduled="")
    confirm(make_root(), data)
    assert scheduled() == [None]
    assert Deployment.objects.get().automatic


def test_time_without_the_box_counts_for_nothing_even_when_it_has_passed(side, peer):
    confirm(make_root(), chosen(peer, make_ports(1), scheduled="2001-01-01 00:00:00"))
    assert PeeringSession.objects.count() == 2
    assert not Deployment.objects.exists()


def test_time_that_has_passed_is_refused_at_its_field(side, peer):
    answer = post(
        make_root(), chosen(peer, make_ports(1), configure_router="on", scheduled="2001-01-01 00:00:00")
    )
    assert "This time has passed" in str(answer.context["form"].errors["scheduled"])


def test_time_that_passes_while_the_preview_is_looked_at_leads_back_and_makes_nothing(
    side, peer, monkeypatch
):
    user = make_root()
    order = order_of(
        post(user, chosen(peer, make_ports(1), configure_router="on", scheduled=typed(tomorrow())))
    )
    later = timezone.now() + timedelta(days=2)
    monkeypatch.setattr("netbox_peering_manager.views.sessions_add.timezone.now", lambda: later)
    answer = post(user, {"order": order, "_confirm_now": ""})
    assert "The time to configure the routers has passed" in text_of(answer)
    assert answer.context["form"]["configure_router"].initial is True
    assert not PeeringSession.objects.exists()


def test_time_that_passes_while_the_job_waits_is_told_and_the_sessions_are_there(side, peer):
    from netbox_peering_manager.jobs.sessions import AddSessionsJob
    from netbox_peering_manager.services.provisioning.plan import plan_sessions
    from netbox_peering_manager.services.provisioning.planned import Choices

    choices = Choices(relationship=peer.pk)
    ports = [port.pk for port in make_ports(1)]
    user = make_root()
    job = AddSessionsJob.start(
        ports,
        plan_sessions(ports, choices, user).reviewed(),
        choices,
        user,
        at_once=True,
        configure=True,
        scheduled=timezone.now() - timedelta(minutes=1),
    )
    assert (job.status, PeeringSession.objects.count()) == ("completed", 2)
    assert job.data["deployments"] == []
    assert "has passed" in job.data["refused"][0]


def test_way_back_keeps_the_time(side, peer):
    user, when = make_root(), tomorrow()
    data = chosen(peer, make_ports(1), configure_router="on", scheduled=typed(when))
    answer = post(user, {"order": order_of(post(user, data)), "_edit": ""})
    assert answer.context["form"]["scheduled"].initial == when


@pytest.mark.parametrize("right", ["add_deployment", "commit_deployment"])
def test_without_a_right_neither_box_nor_time_is_offered_or_taken(side, peer, right):
    user = make_user(*SEEN, *ROWS, *(each for each in CONFIGURES if not each.endswith(right)))
    ports = make_ports(1)
    form = browser(user).post(reverse(PAGE), {"pk": ports[0].pk}).context["form"]
    assert not {"configure_router", "scheduled"} & set(form.fields)
    confirm(user, chosen(peer, ports, configure_router="on", scheduled=typed(tomorrow())))
    assert PeeringSession.objects.count() == 2
    assert not Deployment.objects.exists()


# REST: many


def test_rest_adds_and_configures(side, peer):
    user = make_user(*SEEN, *ROWS, *CONFIGURES, *ours("view_deployment"))
    answer = ask(user, wanted(peer, make_ports(1), configure=True), of_fabric(side))
    assert answer.status_code == 201, answer.json()
    deployment = Deployment.objects.get()
    assert answer.json()["deployments"] == [deployment.pk]
    assert answer.json()["refused"] == []
    assert (deployment.automatic, deployment.targets.count()) == (True, 2)


def test_rest_adds_and_schedules(side, peer):
    when = tomorrow()
    data = wanted(peer, make_ports(1), configure=True, scheduled=when.isoformat())
    assert ask(make_root(), data).status_code == 201
    assert scheduled() == [when]


@pytest.mark.parametrize(
    "fields",
    [
        {"configure": True, "scheduled": "2001-01-01T00:00:00Z"},
        {"configure": True, "scheduled": "soon"},
        {"scheduled": "2140-01-01T00:00:00Z"},
    ],
)
def test_rest_refuses_a_time_that_makes_no_sense(side, peer, fields):
    answer = ask(make_root(), wanted(peer, make_ports(1), **fields))
    assert (answer.status_code, list(answer.json())) == (400, ["scheduled"])
    assert not PeeringSession.objects.exists()


def test_rest_tells_why_a_router_is_not_configured(side, peer):
    PeeringRouter.objects.update(push_enabled=False)
    answer = ask(make_root(), wanted(peer, make_ports(1), configure=True))
    assert (answer.status_code, len(answer.json()["made"])) == (201, 2)
    assert "Switch on push" in answer.json()["refused"][0]


def test_rest_names_no_deployment_that_the_user_may_not_view(side, peer):
    answer = ask(make_user(*SEEN, *ROWS, *CONFIGURES), wanted(peer, make_ports(1), configure=True))
    assert answer.json()["deployments"] == []
    assert Deployment.objects.count() == 1


@pytest.mark.parametrize("right", ["add_deployment", "commit_deployment"])
def test_rest_refuses_who_may_not_configure_and_makes_nothing(side, peer, right):
    user = make_user(*SEEN, *ROWS, *(each for each in CONFIGURES if not each.endswith(right)))
    ports = make_ports(1)
    for fields in ({}, {"dry_run": True}, {"scheduled": "2140-01-01T00:00:00Z"}):
        answer = ask(user, wanted(peer, ports, configure=True, **fields))
        assert answer.status_code == 403
        assert "You may not configure routers" in answer.json()["detail"]
    assert not PeeringSession.objects.exists()
    assert ask(user, wanted(peer, ports)).status_code == 201


# REST: one or a few


def new(side, peer, host=42, **fields):
    return {
        "relationship": peer.pk,
        "remote_asn": 64496,
        "remote_ip": f"198.51.1.{host}",
        "connection": side.pk,
        **fields,
    }


def create(user, data):
    return rest(user).post(reverse(CREATE), data, format="json")


def test_rest_makes_and_configures_those_that_are_to_be(side, peer):
    factories.make_asn(64496)
    user = make_root()
    answer = create(user, [new(side, peer, 42, configure=True), new(side, peer, 43)])
    assert answer.status_code == 201, answer.json()
    data = answer.json()
    deployment = Deployment.objects.get()
    assert [one["id"] for one in data["deployments"]] == [deployment.pk]
    assert (data["batch"], data["refused"]) == (None, [])
    assert deployment.automatic
    assert [target.remote_ip for target in deployment.targets.all()] == ["198.51.1.42"]
    assert [one["bgp_peer"]["id"] for one in data["sessions"]] == list(
        PeeringSession.objects.order_by("pk").values_list("bgp_peer", flat=True)
    )
    assert Job.objects.filter(name=DeploymentJob.name, user=user, object_id=deployment.pk).count() == 1


def test_rest_answers_with_the_list_alone_when_nothing_is_configured(side, peer):
    factories.make_asn(64496)
    answer = create(make_root(), new(side, peer, configure=False))
    assert [type(one) for one in answer.json()] == [dict]
    assert not Deployment.objects.exists()


def test_rest_keeps_the_session_when_its_router_is_refused(side, peer):
    factories.make_asn(64496)
    PeeringRouter.objects.update(push_enabled=False)
    answer = create(make_root(), new(side, peer, configure=True))
    assert answer.status_code == 201
    [refused] = answer.json()["refused"]
    assert refused["sessions"] == [PeeringSession.objects.get().pk]
    assert "Switch on push" in refused["reason"]


@pytest.mark.parametrize("right", ["add_deployment", "commit_deployment"])
def test_rest_makes_nothing_for_who_may_not_configure(side, peer, right):
    factories.make_asn(64496)
    user = make_user(*SEEN, *ROWS, *(each for each in CONFIGURES if not each.endswith(right)))
    answer = create(user, new(side, peer, configure=True))
    assert answer.status_code == 403
    assert "You may not configure routers" in answer.json()["detail"]
    assert not PeeringSession.objects.exists()
    assert create(user, new(side, peer)).status_code == 201

"""Who may read what of a deployment: texts, changes, reasons and neighbours are of its sessions."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.models import ObjectChange
from users.models import Token

from netbox_peering_manager.choices import DeploymentStatusChoices as Status
from netbox_peering_manager.models import Deployment, RouterState
from netbox_peering_manager.search import DeploymentIndex
from netbox_peering_manager.services.deployment import decisions, forgetting, rights
from netbox_peering_manager.services.deployment.reading import Reading, commands_shown
from netbox_peering_manager.settings import PLUGIN
from tests.queries import page

from .faces import DIFF, keep_deployment
from .scenery import make_deployment, make_router, make_sessions
from .test_pages import allow, at, client_of, person

pytestmark = pytest.mark.django_db
MINE, OTHER = "198.51.100.42", "203.0.113.77"
HIDDEN = "Hidden: it is about sessions that you may not view."


def seen(address, state="established"):
    return {"vrf": "", "remote_ip": address, "interface": "", "bgp_state": state}


class World:
    """A router with two sessions, a deployment of all of it and one of each session; people who see more or less."""

    def __init__(self):
        self.people = 0
        self.router = make_router()
        self.mine, self.other = make_sessions(self.router, MINE, OTHER)
        kept = {
            "masked_text": f"neighbor {MINE}\nneighbor {OTHER}\n",
            "masked_diff": f"{DIFF}+neighbor {OTHER} shutdown\n",
            "reason": f"{OTHER} is lost",
            "sessions_before": [seen(MINE), seen(OTHER)],
            "sessions_after": [seen(MINE), seen(OTHER, "idle")],
        }
        self.whole = keep_deployment(self.router, **kept)
        self.part = keep_deployment(
            self.router,
            [self.mine],
            masked_text=f"neighbor {MINE}\n",
            sessions_before=kept["sessions_before"],
        )
        self.foreign = keep_deployment(self.router, [self.other], masked_text=f"neighbor {OTHER}\n")
        self.all = [self.whole, self.part, self.foreign]

    def user(self, constraints=None, *actions):
        """Somebody who may view routers and deployments, and the sessions that `constraints` say; {}: none."""
        self.people += 1
        user = person(f"someone{self.people}", "view", *actions)
        user.object_permissions.filter(object_types__model="peeringsession").delete()
        if constraints != {}:
            allow(user, "netbox_peering_manager.peeringsession", "view", constraints=constraints)
        return user

    def limited(self, *actions):
        return self.user({"pk": self.mine.pk}, *actions)


@pytest.fixture
def world():
    return World()


def test_who_may_view_every_session_of_it_reads_a_deployment(world, django_assert_num_queries):
    limited, blind, free = world.limited(), world.user({}), world.user()
    for user, wanted in ((limited, {world.part.pk}), (blind, set()), (free, {one.pk for one in world.all})):
        assert rights.may_read(user, world.all) == wanted
    with django_assert_num_queries(0):
        rights.may_read(free, world.all)
    with django_assert_num_queries(1):
        rights.may_read(limited, world.all)


def test_of_a_session_that_is_gone_only_who_may_view_all_reads(world):
    world.part.targets.update(session=None)
    assert rights.may_read(world.limited(), world.all) == set()


def test_neighbors_and_targets_are_those_whose_sessions_one_may_view(world):
    reading = Reading(world.limited(), world.all)
    for one in (world.whole, world.part):
        assert [each["remote_ip"] for each in reading.neighbors(one, one.sessions_before)] == [MINE]
    assert reading.neighbors(world.foreign, None) is None
    assert [one.session_id for one in reading.targets(world.part)] == [world.mine.pk]
    assert reading.targets(world.foreign) == []
    assert reading.reason(world.whole, world.whole.reason) == HIDDEN
    assert reading.reason(world.whole, "Approved.") == "Approved."
    reading = Reading(world.user(), world.all)
    assert len(reading.neighbors(world.whole, world.whole.sessions_before)) == 2


def test_reading_many_costs_as_much_as_reading_one(world, django_assert_max_num_queries):
    for _ in range(5):
        keep_deployment(world.router, [world.mine], sessions_before=[seen(MINE)])
    user = world.limited()
    rows = list(Deployment.objects.with_people().prefetch_related("targets"))
    with django_assert_max_num_queries(8):
        reading = Reading(user, rows)
        for one in rows:
            reading.texts(one)
            reading.targets(one)
            reading.neighbors(one, one.sessions_before)


def test_page_leaves_out_what_one_may_not_read(world):
    client = client_of(world.limited())
    text = page(client, at(world.whole)).content.decode()
    assert OTHER not in text
    assert HIDDEN in text
    assert MINE in text
    assert OTHER not in page(client, at(world.foreign)).content.decode()
    text = page(client, at(world.part)).content.decode()
    assert OTHER not in text
    assert HIDDEN not in text
    assert OTHER in page(client_of(world.user()), at(world.whole)).content.decode()


def test_lists_hide_reasons_that_name_neighbors(world):
    url = f"{reverse('plugins:netbox_peering_manager:deployment_list')}?include_columns=reason"
    for path in (url, f"{at(world.router, 'deployments')}?include_columns=reason"):
        limited, free = client_of(world.limited()), client_of(world.user())
        assert OTHER not in page(limited, path).content.decode()
        assert f"{OTHER} is lost" in page(free, path).content.decode()


def rest(user, path):
    token = Token(user=user, version=1)
    token.save()
    answer = Client().get(path, headers={"authorization": f"Token {token.token}"})
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_rest_answers_null_and_says_that_it_is_hidden(world):
    base = "/api/plugins/peering-manager/deployments/"
    user = world.limited()
    answer = rest(user, f"{base}{world.whole.pk}/")
    assert (answer["hidden"], answer["masked_text"], answer["masked_diff"]) == (True, None, None)
    assert OTHER not in json.dumps(answer)
    assert [one["remote_ip"] for one in answer["sessions_after"]] == [MINE]
    answer = rest(user, f"{base}{world.part.pk}/")
    assert (answer["hidden"], answer["masked_text"]) == (False, world.part.masked_text)
    fields = "id,reason,masked_text,masked_diff,sessions_before,sessions_after,targets,steps"
    assert OTHER not in json.dumps(rest(user, f"{base}?fields={fields}"))
    assert OTHER not in json.dumps(rest(user, base))
    assert OTHER in json.dumps(rest(world.user(), f"{base}?fields={fields}"))


def test_graphql_answers_null(world):
    query = "{peering_deployment_list {id masked_text masked_diff reason sessions_before sessions_after}}"

    def ask(user):
        answer = client_of(user).post(reverse("graphql"), {"query": query}, content_type="application/json")
        assert "errors" not in answer.json(), answer.json()
        return answer.content.decode()

    text = ask(world.limited())
    assert OTHER not in text
    assert f"neighbor {MINE}" in text
    assert OTHER not in ask(world.user({}))
    assert OTHER in ask(world.user())


def test_drift_is_shown_to_who_may_view_all_sessions_of_the_router(world):
    RouterState.objects.update_or_create(
        router=world.router,
        defaults={
            "drift": "differs",
            "compared": timezone.now(),
            "masked_diff": f"+neighbor {OTHER} shutdown",
        },
    )
    path = f"/api/plugins/peering-manager/routers/{world.router.pk}/drift/"
    user = world.limited()
    assert rest(user, path)["masked_diff"] is None
    text = page(client_of(user), at(world.router, "drift")).content.decode()
    assert OTHER not in text
    assert "What differs is hidden" in text
    user = world.user()
    assert OTHER in rest(user, path)["masked_diff"]
    assert OTHER in page(client_of(user), at(world.router, "drift")).content.decode()


def test_nobody_finds_out_by_looking_for_it_what_they_may_not_read(world):
    base = "/api/plugins/peering-manager/deployments/"
    for params in ("q=is+lost", f"q={OTHER}", "reason__ic=is+lost", "reason__n=Why"):
        found = {one["id"] for one in rest(world.user(), f"{base}?{params}")["results"]}
        assert world.whole.pk in found or OTHER in params, params
        for user in (world.limited(), world.user({})):
            found = {one["id"] for one in rest(user, f"{base}?{params}")["results"]}
            assert not found & {world.whole.pk, world.foreign.pk}, params
    assert [one["id"] for one in rest(world.limited(), f"{base}?q={MINE}")["results"]] == [world.part.pk]


def test_the_search_of_netbox_knows_no_reasons(world):
    world.whole.description = "Tonight"
    assert [field.value for field in DeploymentIndex.to_cache(world.whole)] == ["Tonight"]


@pytest.mark.parametrize(
    ("failure", "is_hidden"), [(f"neighbor {OTHER} is refused", True), ("no route to host", False)]
)
def test_why_it_could_not_be_compared_hides_who_it_names(world, failure, is_hidden):
    told = {"drift": "failed", "compared": timezone.now(), "drift_failure": failure}
    RouterState.objects.update_or_create(router=world.router, defaults=told)
    drift = reverse("plugins:netbox_peering_manager:configuration_drift")
    path = f"/api/plugins/peering-manager/routers/{world.router.pk}/drift/"
    for user, wanted in (
        (world.limited(), HIDDEN if is_hidden else failure),
        (world.user({}), HIDDEN if is_hidden else failure),
        (world.user(), failure),
    ):
        assert rest(user, path)["drift_failure"] == wanted
        for address in (at(world.router, "drift"), drift, f"{drift}?export=table"):
            text = page(client_of(user), address).content.decode()
            assert wanted in text, address
            assert (OTHER in text) is (wanted == failure and is_hidden), address


def test_who_cannot_read_it_cannot_approve_it(world):
    Deployment.objects.filter(pk=world.whole.pk).update(status=Status.AWAITING_APPROVAL)
    world.whole.refresh_from_db()
    assert "you cannot see what you would approve" in decisions.why_not_approve(
        world.whole, world.limited("approve")
    )
    assert decisions.why_not_approve(world.whole, world.user(None, "approve")) == ""


def test_commands_are_shown_to_who_asked_and_who_may_approve_while_they_wait(world):
    asker = person("asker", "view", "add", "run_commands")
    deployment = make_deployment(
        world.router, asker, kind="commands", commands="ip ftp password Marker-Typed\n"
    )
    assert deployment.masked_text == ""
    for user, is_shown in (
        (asker, True),
        (world.user(None, "approve"), True),
        (world.limited("approve"), False),
        (world.user({}), False),
    ):
        text = commands_shown(deployment, user)
        assert ("ip ftp password ****" in text) is is_shown
        assert "Marker" not in text
    assert "ip ftp password ****" in page(client_of(asker), at(deployment)).content.decode()
    decisions.cancel(deployment, asker)
    assert commands_shown(deployment, asker) == ""
    assert "ip ftp" not in str(list(Deployment.objects.values()))


def test_texts_of_long_ago_are_forgotten_and_who_did_what_is_not(world, settings, django_assert_num_queries):
    settings.PLUGINS_CONFIG = {PLUGIN: {**settings.PLUGINS_CONFIG[PLUGIN], "deployment_texts_days": 10}}
    now = timezone.now()
    Deployment.objects.filter(pk=world.whole.pk).update(ended=now - timedelta(days=11))
    Deployment.objects.filter(pk=world.part.pk).update(ended=now - timedelta(days=9))
    changes = ObjectChange.objects.count()
    with django_assert_num_queries(1):
        assert forgetting.forget_texts() == 1
    world.whole.refresh_from_db()
    assert (world.whole.masked_text, world.whole.masked_diff) == ("", "")
    assert (world.whole.sessions_before, world.whole.sessions_after) == (None, None)
    assert [step.user_name for step in world.whole.steps.all()] == ["someone"]
    assert world.whole.reason == f"{OTHER} is lost"
    world.part.refresh_from_db()
    assert world.part.masked_text
    assert forgetting.forget_texts() == 0
    assert ObjectChange.objects.count() == changes

"""Deleted sessions that their routers still have, over REST: listed and removed; for each kind of user."""

import pytest
from django.test import override_settings

from core.models import Job
from users.models import Token

from netbox_peering_manager.jobs.deployments import DeploymentJob
from netbox_peering_manager.models import Deployment, PeeringRouter, PeeringSession, RemovedSession
from tests.deployments.scenery import make_router, make_sessions, make_user
from tests.deployments.test_fleet_pages import grant, plain
from tests.deployments.test_removal import removed_from
from tests.queries import queries_of
from tests.sessions.people import rest

pytestmark = pytest.mark.django_db

ROOT = "/api/plugins/peering-manager/"


@pytest.fixture
def user():
    return make_user()


@pytest.fixture
def router():
    return make_router()


@pytest.fixture
def removed(router):
    return removed_from(router, "198.51.100.7", "198.51.100.8")


def listed(user, router):
    return rest(user).get(f"{ROOT}routers/{router.pk}/removed-sessions/")


def remove(user, router, *ids, **fields):
    data = {"removed": list(ids), **fields}
    return rest(user).post(f"{ROOT}routers/{router.pk}/remove-sessions/", data, format="json")


def allowed(*actions, **constraints):
    """A user who may view the router and sessions, the latter perhaps not all, and do this with deployments."""
    made = plain()
    grant(made, PeeringRouter, "view")
    grant(made, PeeringSession, "view", **constraints)
    if actions:
        grant(made, Deployment, *actions)
    return made


def test_session_deleted_over_rest_is_listed_and_removed_over_rest(user, router):
    [session] = make_sessions(router, "198.51.100.7")
    type(session.relationship).objects.update(remove_from_router=True)
    assert rest(user).delete(f"{ROOT}sessions/{session.pk}/").status_code == 204
    [row] = listed(user, router).json()["results"]
    assert (row["remote_ip"], row["vrf"], row["peer_asn"]) == ("198.51.100.7", "", 64496)
    answer = remove(user, router, row["id"], reason="Gone for good")
    assert answer.status_code == 201, answer.json()
    data = answer.json()
    assert (data["kind"]["value"], data["automatic"], data["reason"]) == ("remove", True, "Gone for good")
    assert [target["remote_ip"] for target in data["targets"]] == ["198.51.100.7"]
    assert "no neighbor 198.51.100.7" in data["masked_text"]
    assert Job.objects.filter(name=DeploymentJob.name, user=user, object_id=data["id"]).exists()


def test_only_the_chosen_ones_are_removed(user, router, removed):
    data = remove(user, router, removed[1].pk).json()
    assert [target["remote_ip"] for target in data["targets"]] == ["198.51.100.8"]


def test_list_is_paged_and_leaves_out_addresses_that_have_a_session_again(user, router, removed):
    assert listed(user, router).json()["count"] == 2
    make_sessions(router, "198.51.100.7")
    assert [row["id"] for row in listed(user, router).json()["results"]] == [removed[1].pk]
    assert remove(user, router, removed[0].pk).status_code == 400


def test_ids_are_required_and_those_of_another_router_are_refused_by_name(user, router, removed):
    other = make_router("rt2.mtl")
    for data in ({}, {"removed": []}, {"removed": "all"}, {"removed": [0]}):
        answer = rest(user).post(f"{ROOT}routers/{router.pk}/remove-sessions/", data, format="json")
        assert list(answer.json()) == ["removed"], answer.json()
    answer = remove(user, other, removed[0].pk)
    assert answer.status_code == 400
    assert answer.json() == {"removed": [f"rt2.mtl has no removed session with ID {removed[0].pk}."]}
    assert not Deployment.objects.exists()


def test_refusal_is_answered_with_the_reason(user, router, removed):
    PeeringRouter.objects.update(push_enabled=False)
    answer = remove(user, router, removed[0].pk)
    assert answer.status_code == 409
    assert "Switch on push" in answer.json()["detail"]
    assert not Deployment.objects.exists()


@pytest.mark.parametrize("actions", [(), ("view",), ("view", "add"), ("view", "commit")])
def test_who_may_not_add_and_commit_may_look_and_not_remove(router, removed, actions):
    reader = allowed(*actions)
    assert listed(reader, router).json()["count"] == 2
    assert remove(reader, router, removed[0].pk).status_code == 403
    assert not Deployment.objects.exists()


def test_who_may_add_and_commit_may_remove(router, removed):
    assert remove(allowed("view", "add", "commit"), router, removed[0].pk).status_code == 201


def test_who_may_not_view_every_session_learns_of_no_deleted_one(router, removed):
    limited = allowed("view", "add", "commit", service_reference="mine")
    for answer in (listed(limited, router), remove(limited, router, removed[0].pk)):
        assert answer.status_code == 403
        assert "who may view every peering session" in answer.json()["detail"]
    assert not Deployment.objects.exists()


def test_router_must_be_seen(router, removed):
    blind = plain()
    grant(blind, PeeringSession, "view")
    grant(blind, Deployment, "view", "add", "commit")
    assert listed(blind, router).status_code == 404
    assert remove(blind, router, removed[0].pk).status_code == 404


@pytest.mark.parametrize("write_enabled", [True, False])
def test_token_that_may_only_read_reads_and_removes_nothing(client, router, removed, user, write_enabled):
    token = Token(user=user, write_enabled=write_enabled)
    token.save()
    header = {"HTTP_AUTHORIZATION": f"{token.get_auth_header_prefix()}{token.token}"}
    assert client.get(f"{ROOT}routers/{router.pk}/removed-sessions/", **header).status_code == 200
    answer = client.post(
        f"{ROOT}routers/{router.pk}/remove-sessions/",
        {"removed": [removed[0].pk]},
        content_type="application/json",
        **header,
    )
    assert answer.status_code == (201 if write_enabled else 403)


@override_settings(EXEMPT_VIEW_PERMISSIONS=["*"], LOGIN_REQUIRED=True)
def test_nobody_is_told_anything_without_a_login(client, router, removed):
    assert client.get(f"{ROOT}routers/{router.pk}/removed-sessions/").status_code in (401, 403)


def test_queries_of_the_list_do_not_grow_with_it(user, router, removed):
    few = queries_of(lambda: listed(user, router))
    removed_from(router, *(f"198.51.100.{last}" for last in range(20, 40)))
    assert RemovedSession.objects.count() == 22
    assert queries_of(lambda: listed(user, router)) <= few

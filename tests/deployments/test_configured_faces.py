"""Whether sessions are on their routers, where people and programs look: list, filter, page, REST, GraphQL."""

import pytest
from django.urls import reverse

from core.models import ObjectType
from users.models import ObjectPermission, User
from utilities.testing import create_test_user

from netbox_peering_manager.filtersets import PeeringSessionFilterSet
from netbox_peering_manager.models import Deployment, PeeringRouter, PeeringSession, SessionConfiguration
from netbox_peering_manager.services.deployment import configured
from netbox_peering_manager.ui.configuration import counts_of
from tests.deployments.test_configured import deployment_of, session_on
from tests.factories import make_device, make_network
from tests.queries import graphql, page, queries_for_few_and_many, queries_of

pytestmark = pytest.mark.django_db

LIST = reverse("plugins:netbox_peering_manager:peeringsession_list")
API = reverse("plugins-api:netbox_peering_manager-api:peeringsession-list")


@pytest.fixture
def router():
    return PeeringRouter.objects.create(device=make_device())


@pytest.fixture
def fresh(router):
    """A session that nobody has deployed."""
    return session_on(router, 7)


@pytest.fixture
def done(router):
    session = session_on(router, 8)
    deployment_of(router, session)
    return session


@pytest.fixture
def failed(router):
    session = session_on(router, 9)
    deployment_of(router, session, status="failed", reason="no route to host")
    return session


def found(*values) -> set[PeeringSession]:
    return set(PeeringSessionFilterSet({"configuration": values}, PeeringSession.objects.all()).qs)


def test_the_filter_finds_by_status_and_sessions_without_a_row_as_not_configured(fresh, done, failed):
    assert found("configured") == {done}
    assert found("not-configured") == {fresh}
    assert found("not-configured", "failed") == {fresh, failed}
    assert found() == {fresh, done, failed}


def test_the_list_shows_a_badge_for_each(admin, fresh, done, failed):
    shown = page(admin, LIST).content.decode()
    for label in ("Not configured", "Configured", "Failed"):
        assert f">{label}</span>" in shown
    assert "no route to host" in shown
    only = page(admin, f"{LIST}?configuration=failed").content.decode()
    assert "198.51.100.9" in only
    assert "198.51.100.8" not in only


def test_the_list_takes_no_more_queries_for_more_sessions(admin, router):
    queries_for_few_and_many(
        lambda: page(admin, LIST),
        lambda numbers: [deployment_of(router, session_on(router)) for _ in numbers],
    )


def test_the_page_of_a_session_says_why_and_by_which_deployment(admin, fresh, failed):
    shown = page(admin, failed.get_absolute_url()).content.decode()
    assert "no route to host" in shown
    assert Deployment.objects.get().get_absolute_url() in shown
    assert "Not configured" in page(admin, fresh.get_absolute_url()).content.decode()


def test_who_may_not_view_deployments_sees_the_status_without_the_deployment(client, failed):
    user: User = create_test_user("reader")
    permission = ObjectPermission.objects.create(name="sessions", actions=["view"])
    permission.users.add(user)
    permission.object_types.add(ObjectType.objects.get_for_model(PeeringSession))
    client.force_login(user)
    shown = page(client, failed.get_absolute_url()).content.decode()
    assert "Failed" in shown
    assert Deployment.objects.get().get_absolute_url() not in shown


def test_rest_and_its_filter(admin, fresh, failed):
    rows = {row["id"]: row["configuration"] for row in page(admin, API).json()["results"]}
    assert rows[fresh.pk] == {
        "status": {"value": "not-configured", "label": "Not configured"},
        "deployment": None,
        "reason": "",
        "as_of": None,
    }
    assert rows[failed.pk]["status"]["value"] == "failed"
    assert rows[failed.pk]["deployment"] == Deployment.objects.get().pk
    assert page(admin, f"{API}?configuration=failed").json()["count"] == 1


def test_graphql(admin, fresh, done):
    asked = '{ peering_session_list(filters: {configuration: {status: {exact: "configured"}}}) { id } }'
    assert graphql(admin, asked) == {"peering_session_list": [{"id": str(done.pk)}]}
    rows = graphql(admin, "{ peering_session_list { id configuration { status } } }")["peering_session_list"]
    assert {row["id"]: row["configuration"] for row in rows} == {
        str(fresh.pk): None,
        str(done.pk): {"status": "configured"},
    }


def test_a_session_that_is_edited_on_its_page_differs(admin, done):
    url = reverse("plugins-api:netbox_peering_manager-api:peeringsession-detail", args=[done.pk])
    answer = admin.patch(url, {"service_reference": "T-1"}, content_type="application/json")
    assert answer.status_code == 200
    assert SessionConfiguration.objects.get(session=done).status == "differs"


def test_what_is_known_goes_with_the_session(done):
    done.delete()
    assert not SessionConfiguration.objects.exists()
    configured.note(Deployment.objects.get())


class TestCounts:
    """How many of a router's and a fabric's sessions are on their routers."""

    def test_router_and_fabric_count_those_that_the_user_may_see(
        self, admin, client, router, fresh, done, failed
    ):
        network = make_network()
        PeeringSession.objects.update(peering_network=network)
        fabric = network.fabric
        for instance, query in (
            (router, f"device_id={router.device_id}"),
            (fabric, f"fabric_id={fabric.pk}"),
        ):
            shown = page(admin, instance.get_absolute_url()).content.decode()
            for status in ("not-configured", "configured", "failed"):
                assert f"?{query}&amp;configuration={status}" in shown
            assert "configuration=differs" not in shown
        user: User = create_test_user("reader")
        for model, constraints in (
            (PeeringRouter, None),
            (PeeringSession, {"pk": done.pk}),
        ):
            permission = ObjectPermission.objects.create(
                name=str(model), actions=["view"], constraints=constraints
            )
            permission.users.add(user)
            permission.object_types.add(ObjectType.objects.get_for_model(model))
        client.force_login(user)
        shown = page(client, router.get_absolute_url()).content.decode()
        assert "configuration=configured" in shown
        assert "configuration=failed" not in shown

    def test_counting_takes_one_query_and_leads_to_the_same_sessions(self, router, fresh, done, failed):
        sessions = PeeringSession.objects.for_device(router.device_id)
        counted = []
        assert queries_of(lambda: counted.extend(counts_of(sessions, {"device_id": 1}))) == 1
        assert [(each.label, each.count) for each in counted] == [
            ("Not configured", 1),
            ("Configured", 1),
            ("Failed", 1),
        ]

    def test_an_object_without_sessions_has_no_panel(self, admin, router):
        assert "configuration=" not in page(admin, router.get_absolute_url()).content.decode()

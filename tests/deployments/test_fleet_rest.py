"""Many routers at once, over REST."""

import pytest
from django.urls import reverse

from core.models import Job

from netbox_peering_manager.jobs.fleet import FleetJob
from netbox_peering_manager.models import Deployment, DeploymentBatch, PeeringRouter
from netbox_peering_manager.services.deployment import fleet
from tests.deployments.scenery import make_user
from tests.deployments.test_fleet import break_template, routers_with_a_session
from tests.deployments.test_fleet_pages import client_of, grant, plain
from tests.queries import page, queries_of

pytestmark = pytest.mark.django_db

API = "plugins-api:netbox_peering_manager-api"
DEPLOY, LIST = reverse(f"{API}:routers-deploy"), reverse(f"{API}:deploymentbatch-list")


@pytest.fixture
def user():
    return make_user()


def post(user, address, data=None):
    return client_of(user).post(address, data or {}, content_type="application/json")


def detail(batch, action=""):
    return reverse(f"{API}:deploymentbatch-{action or 'detail'}", args=[batch.pk])


class TestDeploy:
    def test_it_starts_a_batch(self, user):
        first, second = routers_with_a_session(2)
        answer = post(user, DEPLOY, {"routers": [second.pk, first.pk, second.pk], "max_failures": 1})
        assert answer.status_code == 202, answer.content
        batch = DeploymentBatch.objects.get()
        told = answer.json()
        assert (told["id"], told["max_failures"], told["user"]["username"]) == (batch.pk, 1, "operator")
        assert [row["router"] for row in told["routers"]] == [str(second), str(first)]
        assert {row["status"] for row in told["routers"]} == {"waiting"}
        assert Job.objects.filter(name=FleetJob.name).exists()

    def test_what_is_not_there_or_hidden_is_named_and_nothing_is_made(self):
        seen, hidden = routers_with_a_session(2)
        limited = plain()
        grant(limited, PeeringRouter, "view", pk=seen.pk)
        grant(limited, Deployment, "add", "commit")
        answer = post(limited, DEPLOY, {"routers": [seen.pk, hidden.pk]})
        assert answer.status_code == 400
        assert answer.json() == {"routers": [f"There is no router with ID {hidden.pk}."]}
        assert not DeploymentBatch.objects.exists()

    def test_a_time_that_has_passed_and_no_router_are_refused(self, user):
        (router,) = routers_with_a_session(1)
        asked = {"routers": [router.pk], "scheduled": "2020-01-01T00:00:00Z"}
        assert "scheduled" in post(user, DEPLOY, asked).json()
        assert "routers" in post(user, DEPLOY, {"routers": []}).json()

    def test_rights(self):
        (router,) = routers_with_a_session(1)
        reader, comparer = plain("reader"), plain("comparer")
        for someone in (reader, comparer):
            grant(someone, PeeringRouter, "view")
            grant(someone, Deployment, "view")
        grant(comparer, Deployment, "add")
        assert post(reader, DEPLOY, {"routers": [router.pk], "compare_only": True}).status_code == 403
        assert post(comparer, DEPLOY, {"routers": [router.pk]}).status_code == 403
        assert post(comparer, DEPLOY, {"routers": [router.pk], "compare_only": True}).status_code == 202


class TestBatches:
    @pytest.fixture
    def batch(self, user):
        routers = routers_with_a_session()
        break_template(routers[1])
        return fleet.deploy_many(routers, user, automatic=True)

    def test_detail_tells_each_router(self, batch, user):
        told = page(client_of(user), detail(batch)).json()
        assert [row["status"] for row in told["routers"]] == ["rendered", "refused", "rendered"]
        assert "Broken, line 1" in told["routers"][1]["reason"]
        assert told["routers"][0]["deployment"] == batch.deployments.order_by("pk").first().pk
        assert told["open_count"] == 2

    def test_stop_and_stopping_twice(self, batch, user):
        answer = post(user, detail(batch, "stop"), {"reason": "wrong window"})
        assert answer.status_code == 200, answer.content
        assert answer.json()["stopped_because"] == "wrong window"
        assert {row["status"] for row in answer.json()["routers"]} == {"cancelled", "refused"}
        again = post(user, detail(batch, "stop"))
        assert again.status_code == 409
        assert "stopped already" in again.json()["detail"]

    def test_rights(self, batch):
        reader, stranger = plain("reader"), plain("stranger")
        grant(reader, Deployment, "view")
        grant(stranger, Deployment, "view", "commit", pk=0)
        assert client_of(reader).get(detail(batch)).status_code == 200
        assert post(reader, detail(batch, "stop")).status_code == 403
        assert client_of(stranger).get(detail(batch)).status_code == 404
        assert post(stranger, detail(batch, "stop")).status_code == 404
        assert client_of(plain("nobody")).get(LIST).status_code == 403
        batch.refresh_from_db()
        assert batch.stopped is None

    def test_the_list_takes_no_more_queries_for_more_batches(self, user):
        routers, client = routers_with_a_session(2), client_of(user)
        fleet.deploy_many(routers, user, automatic=False)
        assert "routers" not in page(client, LIST).json()["results"][0]
        few = queries_of(lambda: page(client, LIST))
        for _ in range(4):
            fleet.deploy_many(routers, user, automatic=False)
        assert queries_of(lambda: page(client, LIST)) == few

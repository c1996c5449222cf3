"""Pages of many routers at once: choosing, the batch with its progress, stopping; for each kind of user."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.models import Job, ObjectType
from users.models import ObjectPermission

from netbox_peering_manager.jobs.fleet import FleetJob, start_batch
from netbox_peering_manager.models import Deployment, DeploymentBatch, PeeringRouter
from netbox_peering_manager.services.deployment import fleet, pipeline, settle
from netbox_peering_manager.tables import DeploymentBatchTable
from tests.deployments.boxes import Box, put_behind
from tests.deployments.scenery import make_user
from tests.deployments.test_fleet import break_template, routers_with_a_session
from tests.queries import page, queries_of

pytestmark = pytest.mark.django_db

P = "plugins:netbox_peering_manager"
ROUTERS, COMPARE, CONFIGURE = (
    reverse(f"{P}:peeringrouter_{name}") for name in ("list", "bulk_compare", "bulk_configure")
)
LIST = reverse(f"{P}:deploymentbatch_list")


@pytest.fixture
def user():
    return make_user()


def grant(user, model, *actions, **constraints):
    permission = ObjectPermission.objects.create(
        name=f"{model._meta.model_name} {actions} {constraints}",
        actions=list(actions),
        constraints=constraints or None,
    )
    permission.users.add(user)
    permission.object_types.add(ObjectType.objects.get_for_model(model))


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def plain(name="plain"):
    return make_user(name, is_superuser=False)


class TestChoosing:
    def test_the_list_of_routers_has_the_buttons_for_those_who_may(self, user):
        routers_with_a_session(1)
        shown = page(client_of(user), ROUTERS).content.decode()
        assert COMPARE in shown
        assert CONFIGURE in shown
        reader = plain()
        grant(reader, PeeringRouter, "view")
        shown = page(client_of(reader), ROUTERS).content.decode()
        assert COMPARE not in shown
        assert CONFIGURE not in shown
        comparer = plain("comparer")
        grant(comparer, PeeringRouter, "view")
        grant(comparer, Deployment, "add")
        shown = page(client_of(comparer), ROUTERS).content.decode()
        assert COMPARE in shown
        assert CONFIGURE not in shown

    def test_selected_routers_are_shown_with_what_is_in_the_way_before_anything_happens(self, user):
        good, off = routers_with_a_session(2)
        off.push_enabled = False
        off.save()
        shown = client_of(user).post(CONFIGURE, {"pk": [good.pk, off.pk]}).content.decode()
        assert "Configure 2 routers" in shown
        assert "Push is switched off" in shown
        assert not DeploymentBatch.objects.exists()

    def test_confirming_starts_a_batch(self, user):
        first, second = routers_with_a_session(2)
        asked = {"pk": [first.pk, second.pk], "max_failures": 1, "reason": "new policy", "_confirm": "1"}
        answer = client_of(user).post(CONFIGURE, asked)
        batch = DeploymentBatch.objects.get()
        assert answer["Location"] == batch.get_absolute_url()
        assert (batch.user, batch.max_failures) == (user, 1)
        assert [one["router"] for one in batch.asked] == [first.pk, second.pk]
        assert Job.objects.filter(name=FleetJob.name, user=user).exists()

    def test_a_time_that_has_passed_is_refused(self, user):
        (router,) = routers_with_a_session(1)
        asked = {"pk": [router.pk], "scheduled": "2020-01-01 00:00", "_confirm": "1"}
        assert "This time has passed" in client_of(user).post(CONFIGURE, asked).content.decode()
        assert not DeploymentBatch.objects.exists()

    def test_none_selected_leads_back(self, user):
        assert client_of(user).post(CONFIGURE, {}).status_code == 302

    def test_routers_that_the_user_may_not_view_cannot_be_chosen(self):
        seen, hidden = routers_with_a_session(2)
        limited = plain()
        grant(limited, PeeringRouter, "view", pk=seen.pk)
        grant(limited, Deployment, "add", "commit")
        client = client_of(limited)
        assert str(hidden) not in client.post(CONFIGURE, {"pk": [seen.pk, hidden.pk]}).content.decode()
        client.post(CONFIGURE, {"pk": [hidden.pk], "_confirm": "1"})
        assert not DeploymentBatch.objects.exists()

    @pytest.mark.parametrize("address", [COMPARE, CONFIGURE])
    def test_who_may_not_ask_is_refused(self, address):
        (router,) = routers_with_a_session(1)
        reader = plain()
        grant(reader, PeeringRouter, "view")
        grant(reader, Deployment, "view")
        assert client_of(reader).post(address, {"pk": [router.pk], "_confirm": "1"}).status_code == 403

    def test_who_may_not_commit_may_compare_alone(self):
        (router,) = routers_with_a_session(1)
        comparer = plain()
        grant(comparer, PeeringRouter, "view")
        grant(comparer, Deployment, "add")
        client = client_of(comparer)
        assert client.post(CONFIGURE, {"pk": [router.pk], "_confirm": "1"}).status_code == 403
        assert client.post(COMPARE, {"pk": [router.pk], "_confirm": "1"}).status_code == 302
        assert DeploymentBatch.objects.get().max_failures is None


class TestBatch:
    @pytest.fixture
    def batch(self, user):
        good, broken, never = routers = routers_with_a_session()
        break_template(broken)
        batch = fleet.deploy_many(routers[:2], user, automatic=True)
        batch.asked = [*batch.asked, {"router": never.pk, "name": str(never), "reason": ""}]
        batch.save()
        Deployment.objects.filter(router=good).update(masked_diff="+ one\n+ two\n- three", status="compared")
        return batch

    def test_a_row_per_router_with_status_lines_and_reason(self, batch, user):
        shown = page(client_of(user), batch.get_absolute_url()).content.decode()
        for text in ("rt0.mtl", "Compared", "+2", "&minus;1", "rt1.mtl", "Refused", "rt2.mtl", "Not begun"):
            assert text in shown
        assert batch.deployments.get().get_absolute_url() in shown
        assert "1 of 3 routers have ended" in shown

    def test_the_part_that_moves_asks_for_itself_until_nothing_does(self, batch, user):
        client = client_of(user)
        address = reverse(f"{P}:deploymentbatch_progress", args=[batch.pk])
        answer = client.get(address, headers={"HX-Request": "true"})
        assert "every 2s" in answer.content.decode()
        assert "HX-Refresh" not in answer
        fleet.stop(batch, user)
        answer = client.get(address, headers={"HX-Request": "true"})
        assert "every 2s" not in answer.content.decode()
        assert "Not begun" in answer.content.decode()
        assert answer["HX-Refresh"] == "true"

    def test_a_batch_that_is_still_asked_for_says_so(self, user):
        batch = start_batch(routers_with_a_session(2), user, automatic=True)
        shown = page(client_of(user), batch.get_absolute_url()).content.decode()
        for text in ("Waiting", FleetJob.name, "every 2s", "No worker takes jobs"):
            assert text in shown
        # Its worker was killed.
        Job.objects.update(status="running", created=timezone.now() - timedelta(hours=1))
        shown = page(client_of(user), batch.get_absolute_url()).content.decode()
        assert "Not begun" in shown
        assert "every 2s" not in shown

    def test_stop_button(self, batch, user):
        client = client_of(user)
        assert "batch-stop" in page(client, batch.get_absolute_url()).content.decode()
        client.post(reverse(f"{P}:deploymentbatch_stop", args=[batch.pk]), {"reason": "wrong window"})
        batch.refresh_from_db()
        assert batch.stopped_because == "wrong window"
        shown = page(client, batch.get_absolute_url()).content.decode()
        assert "wrong window" in shown
        assert "batch-stop" not in shown

    def test_who_may_only_view_cannot_stop_it(self, batch):
        reader = plain()
        grant(reader, Deployment, "view")
        client = client_of(reader)
        assert "batch-stop" not in page(client, batch.get_absolute_url()).content.decode()
        answer = client.post(reverse(f"{P}:deploymentbatch_stop", args=[batch.pk]))
        assert answer.status_code == 403
        batch.refresh_from_db()
        assert batch.stopped is None

    def test_who_sees_some_of_its_deployments_sees_those_rows_alone(self, user):
        batch = fleet.deploy_many(routers_with_a_session(), user, automatic=False)
        limited = plain()
        grant(limited, Deployment, "view", router__device__name="rt1.mtl")
        shown = page(client_of(limited), batch.get_absolute_url()).content.decode()
        assert "rt1.mtl" in shown
        assert "rt0.mtl" not in shown
        assert "2 more routers that you may not view" in shown
        found = page(client_of(limited), f"{LIST}?q=rt1.mtl").content.decode()
        assert f'href="{batch.get_absolute_url()}"' in found
        hidden = page(client_of(limited), f"{LIST}?q=rt0.mtl").content.decode()
        assert f'href="{batch.get_absolute_url()}"' not in hidden

    def test_others_do_not_learn_that_it_is_there(self, batch):
        limited = plain()
        grant(limited, Deployment, "view", pk=0)
        client = client_of(limited)
        for name in ("", "_progress"):
            assert client.get(reverse(f"{P}:deploymentbatch{name}", args=[batch.pk])).status_code == 404
        assert client.post(reverse(f"{P}:deploymentbatch_stop", args=[batch.pk])).status_code == 404
        assert str(batch) not in page(client, LIST).content.decode()

    def test_list_and_its_filter(self, batch, user):
        client = client_of(user)
        assert str(batch) in page(client, LIST).content.decode()
        assert str(batch) in page(client, f"{LIST}?is_stopped=false&user_id={user.pk}").content.decode()
        assert batch.get_absolute_url() not in page(client, f"{LIST}?is_stopped=true").content.decode()
        for words, found in (("operator", True), ("rt2.mtl", True), ("rt9.mtl", False)):
            shown = page(client, f"{LIST}?q={words}").content.decode()
            assert (f'href="{batch.get_absolute_url()}"' in shown) == found, words

    def test_a_refused_router_counts_as_failed_in_the_list(self, batch, user):
        table = DeploymentBatchTable(DeploymentBatch.objects.with_counts(user))
        assert table.rows[0].get_cell("failed_count") == 1
        assert table.rows[0].get_cell("router_count") == 3

    def test_the_page_takes_no_more_queries_for_more_routers(self, user):
        client = client_of(user)
        routers = routers_with_a_session(4)
        small = fleet.deploy_many(routers[:1], user, automatic=False)
        large = fleet.deploy_many(routers, user, automatic=False)
        page(client, small.get_absolute_url())
        few = queries_of(lambda: page(client, small.get_absolute_url()))
        assert queries_of(lambda: page(client, large.get_absolute_url())) == few

    def test_the_list_takes_no_more_queries_for_more_batches(self, user):
        client = client_of(user)
        routers = routers_with_a_session(2)
        fleet.deploy_many(routers, user, automatic=False)
        page(client, LIST)
        few = queries_of(lambda: page(client, LIST))
        for _ in range(4):
            fleet.deploy_many(routers, user, automatic=False)
        assert queries_of(lambda: page(client, LIST)) == few

    def test_routers_that_want_an_approval_are_sent_nothing_before_it(self, user, monkeypatch):
        box = Box({})
        put_behind(monkeypatch, box)
        routers = routers_with_a_session(2, approval="other")
        batch = fleet.deploy_many(routers, user, automatic=True, start=lambda one: pipeline.run(one.pk))
        committer = plain("committer")
        grant(committer, Deployment, "view", "add", "commit")
        for client in (client_of(committer), client_of(user)):
            shown = page(client, batch.get_absolute_url()).content.decode()
            assert shown.count("Awaiting approval") == 2
            for one in batch.deployments.all():
                address = reverse(f"{P}:deployment_commit", args=[one.pk])
                answer = client.post(address, follow=True).content.decode()
                assert "it has to be approved first" in answer
        assert settle.settle() == []
        assert {one.status for one in batch.deployments.all()} == {"awaiting-approval"}
        assert box.calls.count("compare") == 2
        assert not {"commit", "confirm", "rollback"} & set(box.calls)
        assert not Job.objects.exists()

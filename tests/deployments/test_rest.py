"""REST of deployments beyond NetBox's own cases: asking, deciding, what is refused, what is never answered."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.models import Job
from users.models import Token
from utilities.testing import APITestCase

from netbox_peering_manager.choices import DeploymentStatusChoices as Status
from netbox_peering_manager.models import Deployment, DeploymentSession, DeploymentStep
from netbox_peering_manager.services.deployment import moves
from tests import factories
from tests.queries import graphql, page, queries_for_few_and_many

from .faces import DIFF, keep_deployment, keep_many
from .scenery import make_deployment, make_router, make_sessions, make_user
from .test_pages import allow, waiting

ROOT = "/api/plugins/peering-manager/"


class DeployingTest(APITestCase):
    user_permissions = (
        "netbox_peering_manager.view_peeringrouter",
        "netbox_peering_manager.view_peeringsession",
        "netbox_peering_manager.view_deployment",
    )

    def post(self, path, data=None):
        return self.client.post(f"{ROOT}{path}", data or {}, format="json", **self.header)

    def may(self, *actions):
        self.add_permissions(*(f"netbox_peering_manager.{action}_deployment" for action in actions))

    def test_router_is_configured_whole_or_in_part(self):
        self.may("add", "commit")
        router = make_router()
        one, _two = make_sessions(router, "198.51.100.42", "198.51.100.43")
        answer = self.post(f"routers/{router.pk}/configure/")
        assert answer.status_code == 201, answer.json()
        assert (answer.json()["partial"], answer.json()["automatic"]) == (False, True)
        assert answer.json()["status"]["value"] == "rendered"
        answer = self.post(
            f"routers/{router.pk}/configure/", {"sessions": [one.pk], "compare_only": True, "reason": "Look"}
        ).json()
        assert (answer["partial"], answer["automatic"], answer["reason"]) == (True, False, "Look")
        assert [target["session"] for target in answer["targets"]] == [one.pk]
        assert Job.objects.filter(object_type__model="deployment").count() == 2

    def test_configure_is_refused_to_who_may_not_commit_and_compare_is_not(self):
        router = make_router()
        make_sessions(router, "198.51.100.42")
        assert self.post(f"routers/{router.pk}/configure/").status_code == 403
        self.may("add")
        answer = self.post(f"routers/{router.pk}/configure/")
        assert answer.status_code == 409
        assert "You may not commit" in answer.json()["detail"]
        assert not Deployment.objects.exists()
        assert self.post(f"routers/{router.pk}/configure/", {"compare_only": True}).status_code == 201

    def test_scheduled_in_the_past_and_unknown_mode_are_refused(self):
        self.may("add", "commit")
        router = make_router()
        for data in (
            {"scheduled": "2001-01-01T00:00:00Z"},
            {"mode": "guess"},
            {"sessions": []},
            {"scheduled": "2040-01-01T00:00:00Z", "compare_only": True},
        ):
            assert self.post(f"routers/{router.pk}/configure/", data).status_code == 400

    def test_what_cannot_be_seen_is_not_there(self):
        self.may("add", "commit")
        router = make_router()
        [session] = make_sessions(router, "198.51.100.42")
        self.remove_permissions(
            "netbox_peering_manager.view_peeringrouter", "netbox_peering_manager.view_peeringsession"
        )
        assert self.post(f"routers/{router.pk}/configure/").status_code == 404
        assert self.post(f"sessions/{session.pk}/configure/").status_code == 404
        answer = self.post("sessions/configure/", {"sessions": [session.pk]})
        assert answer.status_code == 409
        assert answer.json() == {"batch": None, "deployments": [], "refused": []}

    def test_sessions_of_several_routers_make_a_batch(self):
        self.may("add", "commit")
        first, second = make_router("rt1.mtl"), make_router("rt2.tor", push_enabled=False)
        [one], [two] = make_sessions(first, "198.51.100.42"), make_sessions(second, "198.51.100.43")
        homeless = factories.make_session(
            factories.make_bgp_peer(
                "198.51.100.44/24", scope=factories.make_scope(factories.make_device("rt3.bos"))
            )
        )
        answer = self.post("sessions/configure/", {"sessions": [one.pk, two.pk, homeless.pk]})
        assert answer.status_code == 201
        data = answer.json()
        assert [each["router"]["id"] for each in data["deployments"]] == [first.pk]
        assert data["batch"] == data["deployments"][0]["batch"] is not None
        assert [(each["router"], each["sessions"]) for each in data["refused"]] == [
            (second.pk, [two.pk]),
            (None, [homeless.pk]),
        ]

    def test_admin_down_and_up(self):
        self.may("add", "commit")
        router = make_router()
        [session] = make_sessions(router, "198.51.100.42")
        assert self.post(f"sessions/{session.pk}/admin-down/").status_code == 409
        self.add_permissions("netbox_peering_manager.change_peeringsession", "netbox_routing.change_bgppeer")
        for path, enabled in (("admin-down", False), ("admin-up", True)):
            assert self.post(f"sessions/{session.pk}/{path}/").status_code == 201
            session.bgp_peer.refresh_from_db()
            assert session.bgp_peer.enabled is enabled

    def test_commands_need_their_permission_and_come_back_masked(self):
        self.may("add", "commit")
        router = make_router()
        data = {"commands": "neighbor 198.51.100.42 password hunter2hunter2\n"}
        assert self.post(f"routers/{router.pk}/commands/", data).status_code == 409
        self.may("run_commands")
        answer = self.post(f"routers/{router.pk}/commands/", data)
        assert answer.status_code == 201
        assert "hunter2hunter2" not in answer.content.decode()
        # No rule knows every notation of a password, so nothing of what is typed is kept but sealed.
        assert answer.json()["masked_text"] == ""
        for wrong in (
            {"commands": "password ********"},
            {"commands": "x", "username": "ann"},
            {"commands": ""},
        ):
            assert self.post(f"routers/{router.pk}/commands/", wrong).status_code == 400

    def test_each_decision_needs_its_right_and_says_why_not(self):
        deployment = waiting()
        for action in ("commit", "schedule", "approve", "reject", "cancel"):
            path = f"deployments/{deployment.pk}/{action}/"
            assert self.post(path, {"scheduled": "2040-01-01T00:00:00Z"}).status_code == 403, action
        self.may("commit", "approve")
        answer = self.post(f"deployments/{deployment.pk}/commit/")
        assert answer.status_code == 409
        assert "it has to be approved first" in answer.json()["detail"]
        answer = self.post(f"deployments/{deployment.pk}/approve/", {"reason": "Fine"})
        assert answer.status_code == 200, answer.json()
        assert answer.json()["status"]["value"] == "approved"
        assert answer.json()["steps"][-1]["reason"] == "Fine"
        answer = self.post(f"deployments/{deployment.pk}/schedule/", {"scheduled": "2040-01-01T00:00:00Z"})
        assert answer.status_code == 409
        assert "Its approval is good until" in answer.json()["detail"]

    def test_others_deployment_is_cancelled_with_change_and_ones_own_with_add(self):
        deployment = make_deployment(user=make_user("author"))
        self.may("add")
        assert self.post(f"deployments/{deployment.pk}/cancel/").status_code == 403
        Deployment.objects.update(requested_by=self.user)
        answer = self.post(f"deployments/{deployment.pk}/cancel/", {"reason": "No"})
        assert answer.json()["status"]["value"] == "cancelled"

    def test_token_that_may_not_write_does_nothing(self):
        self.may("add", "commit", "approve", "change", "run_commands")
        deployment = waiting()
        Token.objects.filter(user=self.user).update(write_enabled=False)
        for path in (
            f"deployments/{deployment.pk}/approve/",
            f"routers/{deployment.router_id}/configure/",
            f"routers/{deployment.router_id}/commands/",
            "sessions/configure/",
        ):
            assert self.post(path, {"commands": "x", "sessions": [1]}).status_code == 403, path
        deployment.refresh_from_db()
        assert deployment.status == Status.AWAITING_APPROVAL

    def test_none_is_made_or_moved_by_writing_it(self):
        self.may("add", "change")
        assert self.post("deployments/", {"router": 1, "mode": "merge"}).status_code == 405
        deployment = keep_deployment(status=Status.AWAITING_APPROVAL)
        answer = self.client.patch(
            f"{ROOT}deployments/{deployment.pk}/",
            {"status": "approved", "automatic": True, "masked_diff": "", "description": "Words"},
            format="json",
            **self.header,
        )
        assert answer.status_code == 200
        deployment.refresh_from_db()
        assert (deployment.status, deployment.automatic, deployment.masked_diff) == (
            Status.AWAITING_APPROVAL,
            False,
            DIFF,
        )
        assert deployment.description == "Words"

    def test_scheduled_time_is_patched_by_who_may_commit(self):
        self.may("change")
        deployment = make_deployment()
        moves.move(deployment, Status.COMPARED, masked_diff=DIFF)
        url = f"{ROOT}deployments/{deployment.pk}/"
        data = {"scheduled": "2040-01-01T00:00:00Z"}
        assert self.client.patch(url, data, format="json", **self.header).status_code == 400
        self.may("commit")
        answer = self.client.patch(url, data, format="json", **self.header)
        assert answer.status_code == 200, answer.json()
        assert (answer.json()["scheduled"], answer.json()["status"]["value"]) == (
            "2040-01-01T00:00:00Z",
            "scheduled",
        )
        deployment.refresh_from_db()
        assert deployment.status == Status.SCHEDULED
        assert deployment.released_by == self.user
        for wrong in ("2001-01-01T00:00:00Z", None):
            data = {"scheduled": wrong}
            assert self.client.patch(url, data, format="json", **self.header).status_code == 400

    def test_what_has_not_ended_is_not_deleted(self):
        self.may("delete")
        open_one, ended = keep_deployment(status=Status.SCHEDULED), keep_deployment(make_router("rt2.mtl"))
        url = f"{ROOT}deployments/"
        assert self.client.delete(f"{url}{open_one.pk}/", **self.header).status_code == 400
        data = [{"id": ended.pk}, {"id": open_one.pk}]
        assert self.client.delete(url, data, format="json", **self.header).status_code == 400
        assert Deployment.objects.count() == 2
        assert self.client.delete(f"{url}{ended.pk}/", **self.header).status_code == 204

    def test_lists_leave_out_the_text_and_never_tell_what_is_sealed(self):
        deployment = make_deployment()
        url = f"{ROOT}deployments/"
        [row] = self.client.get(url, **self.header).json()["results"]
        assert not {"masked_text", "masked_diff", "sessions_before", "steps", "targets"} & set(row)
        [row] = self.client.get(f"{url}?fields=masked_text", **self.header).json()["results"]
        assert row == {"masked_text": deployment.masked_text}
        whole = self.client.get(f"{url}{deployment.pk}/", **self.header).json()
        assert not {"encrypted_text", "text_digest", "diff_digest"} & set(whole)
        assert deployment.encrypted_text not in str(whole)

    def test_what_nobody_can_find_out_about_is_ended_with_a_reason_by_who_may_commit(self):
        long_ago = timezone.now() - timedelta(hours=1)
        deployment = keep_deployment(status=Status.CONFIRMING, sent=long_ago, confirm_by=long_ago)
        path, reason = f"deployments/{deployment.pk}/end/", {"reason": "It has what it had before"}
        assert self.post(path, reason).status_code == 403
        self.may("commit")
        answer = self.post(path)
        assert (answer.status_code, answer.json()) == (409, {"detail": "Say what is on rt1.mtl now."})
        deployment.refresh_from_db()
        assert deployment.status == Status.CONFIRMING
        answer = self.post(path, reason)
        assert answer.status_code == 200, answer.json()
        assert answer.json()["status"]["value"] == "failed"
        assert answer.json()["reason"] == "Ended by hand: It has what it had before"
        assert self.post(path, reason).status_code == 409

    def test_constrained_approver_approves_within_the_constraint_alone(self):
        deployment = waiting()
        allow(
            self.user,
            "netbox_peering_manager.deployment",
            "approve",
            constraints={"router__device__name": "other"},
        )
        assert self.post(f"deployments/{deployment.pk}/approve/").status_code == 403


GRAPHQL = """{ peering_deployment_list(filters: {status: {exact: STATUS_DONE}}) {
  id display status masked_diff router { display } requested_by { username } approved_by { username }
} }"""


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("call", "budget"),
    [
        (lambda client: page(client, reverse("plugins-api:netbox_peering_manager-api:deployment-list")), 20),
        (lambda client: graphql(client, GRAPHQL), 10),
    ],
    ids=["rest", "graphql"],
)
def test_lists_cost_the_same_number_of_queries_for_3_and_for_20_rows(admin, call, budget):
    assert queries_for_few_and_many(lambda: call(admin), keep_many) <= budget


@pytest.mark.django_db
@pytest.mark.parametrize(("fields", "is_read"), [("", False), ("?fields=id,targets,steps", True)])
def test_lists_read_sessions_and_steps_only_where_they_are_asked_for(admin, fields, is_read):
    keep_many([1, 2])
    with CaptureQueriesContext(connection) as queries:
        page(admin, f"{ROOT}deployments/{fields}")
    read = " ".join(each["sql"] for each in queries)
    for model in (DeploymentSession, DeploymentStep):
        assert (f'FROM "{model._meta.db_table}"' in read) is is_read, model

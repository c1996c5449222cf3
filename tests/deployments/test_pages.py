"""Pages of deployments: what is offered to whom, what a press of a button does, what is never shown."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.models import Job, ObjectChange, ObjectType
from users.models import ObjectPermission

from netbox_peering_manager.choices import DeploymentStatusChoices as Status
from netbox_peering_manager.models import Deployment, DeploymentStep
from netbox_peering_manager.services import secrets
from netbox_peering_manager.services.deployment import moves
from netbox_peering_manager.tables import DeploymentTable
from netbox_peering_manager.ui.diffs import drawn, size_of
from tests import factories
from tests.queries import page, queries_for_few_and_many

from .faces import DIFF, keep_deployment, keep_many
from .scenery import make_deployment, make_router, make_sessions, make_user

pytestmark = pytest.mark.django_db
APP = "plugins:netbox_peering_manager"
LIST = f"{APP}:deployment_list"


def at(instance, action=""):
    name = f"{APP}:{instance._meta.model_name}"
    return reverse(f"{name}_{action}" if action else name, args=[instance.pk])


def allow(user, model, *actions, constraints=None):
    permission = ObjectPermission.objects.create(
        name=f"{user} {model} {actions} {constraints}"[:100], actions=list(actions), constraints=constraints
    )
    permission.users.add(user)
    permission.object_types.add(ObjectType.objects.get_by_natural_key(*model.split(".")))
    return user


def person(name="noc", *actions, constraints=None):
    """Somebody who may view the router and its sessions, and do this with deployments."""
    user = get_user_model().objects.create_user(name)
    for model in ("peeringrouter", "peeringsession", "peerasn", "peeringnetwork", "peeringfabric"):
        allow(user, f"netbox_peering_manager.{model}", "view")
    if actions:
        allow(user, "netbox_peering_manager.deployment", *actions, constraints=constraints)
    return user


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


def told(response):
    """The messages that a page leaves."""
    return [str(message) for message in response.context["messages"]]


def waiting(user=None, **fields):
    """A deployment that awaits approval."""
    router = make_router(approval="other", **fields)
    deployment = make_deployment(router, user or make_user("author"))
    moves.move(deployment, Status.COMPARED, masked_diff=DIFF)
    moves.move(deployment, Status.AWAITING_APPROVAL)
    return deployment


# The page


def test_page_shows_the_changes_by_line_and_who_did_what_when_and_why(admin):
    user = make_user("author")
    deployment = keep_deployment(requested_by=user, sessions_before=SEEN, sessions_after=LOST)
    text = page(admin, at(deployment)).content.decode()
    assert 'bg-success-subtle" style="min-width: fit-content">+neighbor 198.51.100.42 password ****' in text
    assert 'bg-danger-subtle" style="min-width: fit-content">-neighbor 198.51.100.42 shutdown' in text
    assert "author" in text
    assert "Why" in text
    assert '<tr class="table-danger">' in text


SEEN = [
    {
        "vrf": "",
        "remote_ip": "198.51.100.42",
        "interface": "",
        "remote_asn": 64496,
        "bgp_state": "established",
        "up_s": 5,
    }
]
LOST = [{**SEEN[0], "bgp_state": "active"}]


def test_sizes_leave_out_the_head_of_a_unified_diff_and_places():
    assert str(size_of("--- running\n+++ candidate\n@@ -1 +1 @@\n-a\n+b\n+c\n")) == "+2 \N{MINUS SIGN}1"
    assert [line.kind for line in drawn("[edit protocols bgp]\n+   group x;\n    y;\n").lines] == [
        "place",
        "added",
        "same",
    ]
    assert drawn(" \n").lines == ()


def test_diff_of_many_lines_is_cut_and_says_so(admin):
    deployment = keep_deployment(masked_diff="+x\n" * 5_010)
    text = page(admin, at(deployment)).content.decode()
    assert text.count(">+x<") == 5_000
    assert "10 more lines" in text
    assert "+5010" in text


def test_what_a_router_says_cannot_bring_markup_into_the_page(admin):
    deployment = keep_deployment(masked_diff="+<script>alert(1)</script>\n", reason="<b>x</b>")
    text = page(admin, at(deployment)).content.decode()
    assert "<script>alert(1)" not in text
    assert "<b>x</b>" not in text


def test_secrets_are_on_no_page_and_in_no_change_record(admin):
    router = make_router()
    [session] = make_sessions(router, "198.51.100.42")
    secrets.set_password(session, "open-sesame-73")
    session.save()
    deployment = make_deployment(router)
    for address in (at(deployment), at(deployment, "edit"), at(deployment, "changelog"), reverse(LIST)):
        assert "open-sesame-73" not in page(admin, address).content.decode(), address
    admin.post(at(deployment, "edit"), {"description": "Changed"})
    [change] = ObjectChange.objects.filter(changed_object_type__model="deployment", action="update")
    for data in (change.prechange_data, change.postchange_data):
        assert not {"encrypted_text", "masked_text", "masked_diff", "text_digest", "diff_digest"} & set(data)


def test_sessions_that_the_user_may_not_view_are_not_named():
    router = make_router()
    [session] = make_sessions(router, "198.51.100.42")
    deployment = keep_deployment(router, [session])
    user = get_user_model().objects.create_user("viewer")
    allow(user, "netbox_peering_manager.deployment", "view")
    text = page(client_of(user), at(deployment)).content.decode()
    assert "198.51.100.42" not in text
    assert "Hidden: it is about sessions that you may not view." in text
    assert session.get_absolute_url() not in text


def test_list_costs_the_same_number_of_queries_for_3_and_for_20_rows(admin):
    fields = ",".join(DeploymentTable.Meta.fields)
    url = f"{reverse(LIST)}?include_columns={fields}"
    assert queries_for_few_and_many(lambda: page(admin, url), keep_many) <= 25


def test_page_costs_the_same_number_of_queries_for_3_and_for_20_sessions_and_steps(admin):
    router = make_router()
    deployment = keep_deployment(router, status=Status.COMPARED)

    def grow(numbers):
        for number in numbers:
            [session] = make_sessions(router, f"198.51.100.{number + 50}")
            deployment.targets.create(session=session, remote_ip=f"198.51.100.{number + 50}")
            DeploymentStep.objects.create(deployment=deployment, status=Status.COMPARED, user_name="x")

    assert queries_for_few_and_many(lambda: page(admin, at(deployment)), grow) <= 45


# Decisions


def test_second_user_approves_and_it_goes_on_by_itself(admin):
    deployment = waiting()
    Deployment.objects.filter(pk=deployment.pk).update(automatic=True)
    approver = person("approver", "view", "approve")
    response = client_of(approver).post(at(deployment, "approve"), {"reason": "Looks right"}, follow=True)
    deployment.refresh_from_db()
    assert told(response) == [f"Approved {deployment}"]
    assert (deployment.status, deployment.approved_by) == (Status.APPROVED, approver)
    assert deployment.steps.last().reason == "Looks right"
    assert Job.objects.filter(object_id=deployment.pk).count() == 1


def test_author_sees_why_they_may_not_approve_and_is_refused():
    author = person("author", "view", "add", "approve", "commit")
    deployment = waiting(author)
    client = client_of(author)
    text = page(client, at(deployment)).content.decode()
    assert "You asked for it: somebody else has to approve" in text
    assert f'formaction="{at(deployment, "approve")}"' not in text
    response = client.post(at(deployment, "approve"), follow=True)
    assert told(response)[0].startswith("You asked for it")
    deployment.refresh_from_db()
    assert deployment.status == Status.AWAITING_APPROVAL


def test_who_may_only_view_is_offered_nothing_and_refused_everything():
    deployment = waiting()
    client = client_of(person("viewer", "view"))
    text = page(client, at(deployment)).content.decode()
    for action in ("approve", "reject", "commit", "schedule", "cancel", "again"):
        assert f'formaction="{at(deployment, action)}"' not in text
        client.post(at(deployment, action), {"scheduled": "2040-01-01 00:00"})
    deployment.refresh_from_db()
    assert deployment.status == Status.AWAITING_APPROVAL
    assert Deployment.objects.count() == 1
    assert not Job.objects.exists()


def test_permission_for_other_routers_does_not_approve():
    deployment = waiting()
    user = person("viewer", "view")
    allow(user, "netbox_peering_manager.deployment", "approve", constraints={"router__device__name": "other"})
    client_of(user).post(at(deployment, "approve"))
    deployment.refresh_from_db()
    assert deployment.status == Status.AWAITING_APPROVAL


def test_reject_and_cancel_keep_the_reason(admin):
    for action, text in (("reject", "Rejected: no"), ("cancel", "no")):
        Deployment.objects.all().delete()
        get_user_model().objects.filter(username="author").delete()
        from netbox_peering_manager.models import PeeringRouter

        PeeringRouter.objects.all().delete()
        deployment = waiting()
        admin.post(at(deployment, action), {"reason": "no"})
        deployment.refresh_from_db()
        assert (deployment.status, deployment.reason) == (Status.CANCELLED, text)
        assert deployment.encrypted_text == ""


def compared(user=None, **fields):
    deployment = make_deployment(make_router(**fields), user or make_user("author"))
    moves.move(deployment, Status.COMPARED, masked_diff=DIFF)
    return deployment


def test_commit_now_starts_the_job(admin):
    deployment = compared()
    admin.post(at(deployment, "commit"))
    deployment.refresh_from_db()
    assert deployment.automatic
    assert deployment.released_by.username == "admin"
    assert Job.objects.filter(object_id=deployment.pk).count() == 1


def test_commit_now_waits_for_the_approval_whoever_presses_it():
    deployment = waiting()
    client = client_of(person("operator", "view", "add", "commit"))
    assert f'formaction="{at(deployment, "commit")}"' not in page(client, at(deployment)).content.decode()
    [said] = told(client.post(at(deployment, "commit"), follow=True))
    assert "it has to be approved first" in said
    deployment.refresh_from_db()
    assert (deployment.status, deployment.released_by) == (Status.AWAITING_APPROVAL, None)
    assert not Job.objects.exists()


def test_end_as_failed_takes_a_reason_and_the_right_to_commit():
    long_ago = timezone.now() - timedelta(hours=1)
    deployment = keep_deployment(status=Status.CONFIRMING, sent=long_ago, confirm_by=long_ago)
    viewer, operator = (client_of(person(*who)) for who in (("viewer", "view"), ("noc", "view", "commit")))
    for client, reason, why_not in (
        (viewer, "It has what it had before", "You may not commit what is sent to rt1.mtl."),
        (operator, "", "Say what is on rt1.mtl now."),
    ):
        response = client.post(at(deployment, "end"), {"reason": reason}, follow=True)
        assert told(response) == [why_not]
        deployment.refresh_from_db()
        assert deployment.status == Status.CONFIRMING
        assert ("End as failed" in response.content.decode()) is (client is operator)
    response = operator.post(at(deployment, "end"), {"reason": "It has what it had before"}, follow=True)
    assert told(response) == [f"Ended {deployment}"]
    deployment.refresh_from_db()
    assert (deployment.status, deployment.reason) == (
        Status.FAILED,
        "Ended by hand: It has what it had before",
    )


def test_schedule_offers_one_hour_and_takes_another_time(admin):
    deployment = compared()
    form = page(admin, at(deployment, "schedule")).context["form"]
    in_an_hour = form["scheduled"].initial
    assert abs(in_an_hour - timezone.now() - timedelta(hours=1)) < timedelta(minutes=2)
    response = admin.post(at(deployment, "schedule"), {"scheduled": "2001-01-01 00:00"})
    assert "This time has passed" in response.content.decode()
    when = (timezone.localtime() + timedelta(hours=3)).replace(second=0, microsecond=0)
    admin.post(at(deployment, "schedule"), {"scheduled": f"{when:%Y-%m-%d %H:%M}"})
    deployment.refresh_from_db()
    assert (deployment.status, deployment.scheduled) == (Status.SCHEDULED, when)


def test_scheduled_time_can_be_edited_and_nothing_else(admin):
    deployment = compared()
    admin.post(at(deployment, "schedule"), {"scheduled": "2040-01-01 00:00"})
    later = {"scheduled": "2040-01-02 00:00", "description": "Later", "status": "done", "automatic": "on"}
    response = admin.post(at(deployment, "edit"), later)
    assert response.status_code == 302, response.context["form"].errors
    deployment.refresh_from_db()
    assert deployment.scheduled.isoformat().startswith("2040-01-02")
    assert (deployment.status, deployment.description) == (Status.SCHEDULED, "Later")
    assert not deployment.automatic
    assert deployment.encrypted_text


def test_time_is_edited_by_who_may_commit_alone():
    deployment = compared()
    moves.move(deployment, Status.SCHEDULED, scheduled=timezone.now() + timedelta(days=1))
    before = deployment.scheduled
    client = client_of(person("editor", "view", "change"))
    client.post(at(deployment, "edit"), {"scheduled": "2040-01-02 00:00", "description": "Mine"})
    deployment.refresh_from_db()
    assert (deployment.scheduled, deployment.description) == (before, "Mine")


def test_compare_again_asks_for_the_same_once_more(admin):
    router = make_router()
    sessions = make_sessions(router, "198.51.100.42", "198.51.100.43")
    former = make_deployment(router, sessions=[sessions[0].pk])
    response = admin.post(at(former, "again"))
    latter = Deployment.objects.exclude(pk=former.pk).get()
    assert response["Location"] == latter.get_absolute_url()
    assert [target.session for target in latter.targets.all()] == [sessions[0]]
    assert not latter.automatic
    assert Job.objects.filter(object_id=latter.pk).exists()


def test_one_time_commands_cannot_be_compared_again(admin):
    deployment = make_deployment(kind="commands", commands="hostname x")
    response = admin.post(at(deployment, "again"), follow=True)
    assert told(response) == ["One-time commands are kept nowhere: enter them again in the Config Manager."]


def test_get_does_nothing(admin):
    deployment = waiting()
    for action in ("approve", "reject", "commit", "cancel", "again", "end"):
        assert admin.get(at(deployment, action)).status_code == 405


# Deleting


def test_what_has_not_ended_is_not_deleted_alone_or_among_others(admin):
    open_one = keep_deployment(status=Status.SCHEDULED)
    ended = keep_deployment(open_one.router)
    response = admin.post(at(open_one, "delete"), {"confirm": True}, follow=True)
    assert told(response) == ["1 deployment has not ended: cancel it first. Nothing was deleted."]
    bulk = reverse(f"{APP}:deployment_bulk_delete")
    for data in ({"pk": [open_one.pk, ended.pk]}, {"_all": "on"}):
        admin.post(bulk, {**data, "confirm": True, "_confirm": True})
        assert Deployment.objects.count() == 2
    admin.post(bulk, {"pk": [ended.pk], "confirm": True, "_confirm": True})
    assert list(Deployment.objects.all()) == [open_one]


# Progress


def test_page_asks_for_its_progress_while_something_happens_and_is_loaded_again_when_it_moved(admin):
    deployment = keep_deployment(status=Status.COMMITTING)
    url = f"{at(deployment, 'progress')}?status=committing"
    assert url in page(admin, at(deployment)).content.decode()
    response = page(admin, url, **{"HX-Request": "true"})
    assert "HX-Refresh" not in response
    Deployment.objects.filter(pk=deployment.pk).update(status=Status.CONFIRMING)
    assert page(admin, url, **{"HX-Request": "true"})["HX-Refresh"] == "true"
    Deployment.objects.filter(pk=deployment.pk).update(status=Status.DONE)
    assert "deployment-progress" not in page(admin, at(deployment)).content.decode()


# Asking


def make_peer(router, *remotes):
    """Sessions with one peer, on a LAN of a fabric."""
    network = factories.make_network()
    sessions = [
        factories.make_session(
            factories.make_bgp_peer(f"{remote}/24", asn=64496, scope=factories.make_scope(router.device)),
            network=network,
        )
        for remote in remotes
    ]
    return factories.make_peer_asn(64496), network, sessions


@pytest.mark.parametrize("which", ["session", "router", "peer", "network", "fabric"])
def test_configure_and_compare_ask_for_a_deployment_and_lead_to_it(admin, which):
    router = make_router()
    peer, network, sessions = make_peer(router, "198.51.100.42", "198.51.100.43")
    instance = {
        "session": sessions[0],
        "router": router,
        "peer": peer,
        "network": network,
        "fabric": network.fabric,
    }[which]
    assert f'formaction="{at(instance, "configure")}"' in page(admin, at(instance)).content.decode()
    for data, automatic in (({}, True), ({"compare_only": "1"}, False)):
        Deployment.objects.all().delete()
        response = admin.post(at(instance, "configure"), data)
        deployment = Deployment.objects.get()
        assert response["Location"] == deployment.get_absolute_url()
        assert (deployment.automatic, deployment.partial) == (automatic, which != "router")
        named = {target.session for target in deployment.targets.all()}
        assert named == {"session": {sessions[0]}, "router": set()}.get(which, set(sessions))
        assert Job.objects.filter(object_id=deployment.pk).count() == 1


def test_several_routers_make_a_batch_with_a_page_of_its_own(admin):
    one, two = make_router("rt1.mtl"), make_router("rt2.tor")
    peer, network, _ = make_peer(one, "198.51.100.42")
    factories.make_session(
        factories.make_bgp_peer("198.51.100.43/24", asn=64496, scope=factories.make_scope(two.device)),
        network=network,
    )
    response = admin.post(at(peer, "configure"))
    assert "/deployment-batches/" in response["Location"]
    assert Job.objects.filter(name="Deploy Many Routers").count() == 1


def test_session_without_a_peering_router_says_so(admin):
    session = factories.make_session()
    text = page(admin, at(session)).content.decode()
    assert "Its device is no peering router." in text
    response = admin.post(at(session, "configure"), follow=True)
    assert "make its device a peering router first" in told(response)[0]
    assert not Deployment.objects.exists()


def test_router_without_push_is_greyed_with_the_reason_and_refused(admin):
    router = make_router(push_enabled=False)
    assert "Push is switched off on the peering router rt1.mtl." in page(admin, at(router)).content.decode()
    response = admin.post(at(router, "configure"), follow=True)
    assert "Switch on push" in told(response)[0]


def test_who_may_not_commit_can_compare_alone():
    router = make_router()
    [session] = make_sessions(router, "198.51.100.42")
    client = client_of(person("reader", "view", "add"))
    text = page(client, at(session)).content.decode()
    assert "You may not commit: compare, and let somebody who may commit it." in text
    response = client.post(at(session, "configure"), follow=True)
    assert "You may not commit what is sent to rt1.mtl" in told(response)[0]
    assert not Deployment.objects.exists()
    client.post(at(session, "configure"), {"compare_only": "1"})
    assert Deployment.objects.get().requested_by.username == "reader"


def test_who_may_not_add_deployments_has_no_buttons_and_is_refused():
    router = make_router()
    [session] = make_sessions(router, "198.51.100.42")
    client = client_of(person("viewer", "view"))
    for instance in (router, session):
        assert at(instance, "configure") not in page(client, at(instance)).content.decode()
        for action in ("configure", "config_manager"):
            assert client.post(at(instance, action)).status_code == 403


def test_selected_sessions_are_configured_router_by_router(admin):
    router = make_router()
    one, two, _ = make_sessions(router, "198.51.100.42", "198.51.100.43", "198.51.100.44")
    response = admin.post(reverse(f"{APP}:peeringsession_bulk_configure"), {"pk": [one.pk, two.pk]})
    deployment = Deployment.objects.get()
    assert response["Location"] == deployment.get_absolute_url()
    assert {target.session for target in deployment.targets.all()} == {one, two}


def test_sessions_that_the_user_may_not_view_are_not_configured():
    router = make_router()
    one, two = make_sessions(router, "198.51.100.42", "198.51.100.43")
    user = get_user_model().objects.create_user("partial")
    allow(user, "netbox_peering_manager.peeringrouter", "view")
    allow(user, "netbox_peering_manager.peeringsession", "view", constraints={"pk": one.pk})
    allow(user, "netbox_peering_manager.deployment", "view", "add", "commit")
    client = client_of(user)
    client.post(reverse(f"{APP}:peeringsession_bulk_configure"), {"pk": [one.pk, two.pk]})
    assert [target.session for target in Deployment.objects.get().targets.all()] == [one]
    response = client.post(at(router, "configure"), follow=True)
    assert "has sessions that you may not view" in told(response)[0]

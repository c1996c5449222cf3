"""The Config Manager: commands that are sent once, with one's own login if one likes; nothing of it stays in clear."""

import pytest

from core.models import Job, ObjectChange

from netbox_peering_manager.models import Deployment, DeploymentStep
from netbox_peering_manager.services import secrets
from netbox_peering_manager.services.deployment import asking, moves, sealed
from netbox_peering_manager.ui.diffs import size_of
from tests import factories
from tests.queries import page

from .scenery import make_deployment, make_router, make_sessions, make_user
from .test_pages import allow, at, client_of, person

pytestmark = pytest.mark.django_db
SECRET = "typed-by-hand-91"


def everything_kept():
    """All that the database holds of deployments, jobs and changes, as text."""
    models = (Deployment, DeploymentStep, Job, ObjectChange)
    rows = [row for model in models for row in model.objects.values()]
    return str(rows)


def test_commands_are_compared_first_and_committed_by_another_click(admin):
    router = make_router()
    response = admin.post(at(router, "config_manager"), {"commands": "hostname x\r\n", "reason": "Ticket 7"})
    deployment = Deployment.objects.get()
    assert response["Location"] == deployment.get_absolute_url()
    assert (deployment.kind, deployment.automatic, deployment.own_credentials) == ("commands", False, False)
    assert sealed.opened(deployment).text == "hostname x\n"
    assert deployment.reason == "Ticket 7"
    assert Job.objects.filter(object_id=deployment.pk).count() == 1


def test_own_login_is_used_at_once_and_kept_nowhere_in_clear(admin):
    router = make_router()
    commands = f"router bgp 64500\n neighbor 198.51.100.42 password {SECRET}\n"
    data = {"commands": commands, "username": "ann", "password": f"{SECRET}-login"}
    admin.post(at(router, "config_manager"), data)
    deployment = Deployment.objects.get()
    assert deployment.automatic
    assert deployment.own_credentials
    assert SECRET not in everything_kept()
    assert deployment.masked_text == ""
    assert "neighbor 198.51.100.42 password ****" in page(admin, at(deployment)).content.decode()
    text = page(admin, at(deployment)).content.decode() + page(admin, at(deployment, "jobs")).content.decode()
    assert SECRET not in text


def test_typed_password_is_not_shown_again_when_something_is_wrong(admin):
    router = make_router()
    data = {"commands": "hostname ********", "username": "ann", "password": SECRET}
    response = admin.post(at(router, "config_manager"), data)
    assert SECRET not in response.content.decode()
    assert response["Cache-Control"] == "no-store"
    assert "Masked passwords (********) in line 1" in response.content.decode()
    assert not Deployment.objects.exists()


@pytest.mark.parametrize("data", [{"username": "ann"}, {"password": SECRET}])
def test_half_a_login_is_refused(admin, data):
    response = admin.post(at(make_router(), "config_manager"), {"commands": "x", **data})
    assert "Give both user name and password, or neither." in response.content.decode()
    assert not Deployment.objects.exists()


def test_router_that_wants_an_approval_does_not_take_a_login(admin):
    router = make_router(approval="one")
    data = {"commands": "hostname x", "username": "ann", "password": SECRET}
    response = admin.post(at(router, "config_manager"), data)
    assert "has to be approved first" in response.content.decode()
    assert not Deployment.objects.exists()


def with_password():
    router = make_router()
    [session] = make_sessions(router, "198.51.100.42")
    secrets.set_password(session, SECRET)
    session.save()
    return router, session


def test_session_begins_with_what_would_be_sent_masked_unless_one_may_see_passwords(admin):
    _router, session = with_password()
    assert f"password {SECRET}" in page(admin, at(session, "config_manager")).content.decode()
    user = person("noc", "view", "add", "run_commands")
    allow(user, "extras.configtemplate", "view", "render")
    allow(user, "dcim.device", "view")
    text = page(client_of(user), at(session, "config_manager")).content.decode()
    assert "neighbor 198.51.100.42 password ********" in text
    assert SECRET not in text
    # As it is, it must not go to a router.
    form = client_of(user).get(at(session, "config_manager")).context["form"]
    response = client_of(user).post(at(session, "config_manager"), {"commands": form["commands"].initial})
    assert "a router would take the asterisks for them" in response.content.decode()
    assert not Deployment.objects.exists()


@pytest.mark.parametrize(
    "diff",
    [
        "[edit]\n+  banner Marker-odd\n-  hostname Marker-old\n-  x",
        "--- a\n+++ b\n@@ -1 +1 @@\n-hostname Marker-old\n+banner Marker-odd\n same Marker",
        "banner Marker-odd",
        "",
    ],
)
@pytest.mark.parametrize("ended", ["failed", "cancelled", "expired"])
def test_of_what_they_changed_stays_how_much_it_was(diff, ended):
    """No rule finds this marker, as with much of what people type."""
    router = make_router()
    deployment = asking.request(router, make_user(), kind="commands", commands="banner Marker-odd\n")
    old = Deployment.objects.get(pk=deployment.pk)
    moves.move(deployment, "compared", masked_diff=diff)
    assert Deployment.objects.get(pk=deployment.pk).masked_diff == diff
    moves.move(old, ended)
    kept = Deployment.objects.get(pk=deployment.pk).masked_diff
    assert "Marker" not in everything_kept()
    assert (size_of(kept), bool(kept)) == (size_of(diff), bool(diff))


def test_configurations_keep_what_they_changed():
    deployment = make_deployment()
    moves.move(deployment, "compared", masked_diff="+ neighbor 198.51.100.42")
    moves.move(deployment, "failed")
    assert Deployment.objects.get().masked_diff == "+ neighbor 198.51.100.42"


def test_who_may_not_render_begins_with_nothing():
    _router, session = with_password()
    user = person("noc", "view", "add", "run_commands")
    form = page(client_of(user), at(session, "config_manager")).context["form"]
    assert form["commands"].initial == ""


def test_needs_the_permission_to_run_commands():
    router = make_router()
    client = client_of(person("noc", "view", "add", "commit"))
    assert client.get(at(router, "config_manager")).status_code == 403
    assert client.post(at(router, "config_manager"), {"commands": "x"}).status_code == 403
    assert at(router, "config_manager") not in page(client, at(router)).content.decode()


def test_session_without_a_router_says_so(admin):
    session = factories.make_session()
    response = admin.get(at(session, "config_manager"), follow=True)
    assert "is no peering router" in str(next(iter(response.context["messages"])))


def test_permission_for_other_routers_sends_nothing():
    router = make_router()
    user = person("noc", "view", "add")
    allow(
        user,
        "netbox_peering_manager.deployment",
        "run_commands",
        constraints={"router__device__name": "other"},
    )
    response = client_of(user).post(at(router, "config_manager"), {"commands": "hostname x"})
    assert "You may not send one-time commands to rt1.mtl" in response.content.decode()
    assert not Deployment.objects.exists()

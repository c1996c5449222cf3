"""Polls over REST and by the command: who may ask for which routers, and what is answered."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from core.models import Job, ObjectType
from users.models import ObjectPermission, Token, User

from netbox_peering_manager.api.views import polls
from netbox_peering_manager.exceptions import DeviceUnreachable
from netbox_peering_manager.models import (
    PeerASN,
    PeeringFabric,
    PeeringNetwork,
    PeeringRouter,
    PeeringSession,
)
from tests import factories
from tests.monitoring.polled import answering, down, make_router, make_session, up
from tests.queries import queries_of

pytestmark = pytest.mark.django_db
BASE = "/api/plugins/peering-manager"


@pytest.fixture
def story():
    """Two routers, each with a session on one LAN."""
    network = factories.make_network()
    peer = factories.make_peer_asn(64496)
    ours = factories.make_peer_asn(64500, affiliated=True)
    one = make_session("198.51.100.11", "rt1.mtl", network=network)
    other = make_session("198.51.100.12", "rt2.mtl", asn=64497, network=network)
    routers = [make_router(name) for name in ("rt1.mtl", "rt2.mtl")]
    return {"network": network, "peer": peer, "ours": ours, "sessions": [one, other], "routers": routers}


@pytest.fixture(autouse=True)
def worker(monkeypatch):
    monkeypatch.setattr(polls, "any_workers_for_queue", lambda name: True)


def caller(client, **rights):
    """A user with actions per model ("peeringrouter": ["view", "poll"]), each with constraints if a pair is given."""
    user = User.objects.create_user("noc")
    for model, granted in rights.items():
        actions, constraints = granted if isinstance(granted, tuple) else (granted, None)
        permission = ObjectPermission.objects.create(name=model, actions=actions, constraints=constraints)
        permission.object_types.add(ObjectType.objects.get(app_label="netbox_peering_manager", model=model))
        permission.users.add(user)
    token = Token(user=user)
    token.save()
    return {"HTTP_AUTHORIZATION": f"Bearer nbt_{token.key}.{token.token}"}


EVERYTHING = {
    model: ["view"] for model in ("peeringsession", "peeringfabric", "peeringnetwork", "peerasn")
} | {"peeringrouter": ["view", "poll"]}


def post(client, headers, path, data=None):
    return client.post(f"{BASE}/{path}", data or {}, content_type="application/json", **headers)


def test_a_router_is_polled_by_a_job(client, story):
    first, _second = story["routers"]
    answer = post(client, caller(client, **EVERYTHING), f"routers/{first.pk}/poll/")
    assert answer.status_code == 202
    job = Job.objects.get()
    assert (answer.json()["id"], answer.json()["object"]["id"]) == (job.pk, first.pk)
    assert (job.object, job.user.username, job.name) == (first, "noc", "Poll Router")


@pytest.mark.parametrize("path", ["routers", "sessions"])
def test_all_of_them_or_those_named(client, story, path):
    headers = caller(client, **EVERYTHING)
    assert len(post(client, headers, f"{path}/poll/").json()) == 2
    Job.objects.all().delete()
    named = story[path][1]
    (job,) = post(client, headers, f"{path}/poll/", {path: [named.pk]}).json()
    assert job["object"]["id"] == story["routers"][1].pk


def test_of_a_session_a_lan_a_fabric_and_a_peer(client, story):
    headers = caller(client, **EVERYTHING)
    first, second = story["routers"]

    def asked(path):
        Job.objects.all().delete()
        answer = post(client, headers, path)
        assert answer.status_code == 202, answer.content
        return {job["object"]["id"] for job in answer.json()}

    assert asked(f"sessions/{story['sessions'][0].pk}/poll/") == {first.pk}
    assert asked(f"networks/{story['network'].pk}/poll/") == {first.pk, second.pk}
    assert asked(f"fabrics/{story['network'].fabric.pk}/poll/") == {first.pk, second.pk}
    assert asked(f"peer-asns/{story['peer'].pk}/poll/") == {first.pk}
    # Of an AS of ours: its own sessions.
    assert asked(f"peer-asns/{story['ours'].pk}/poll/") == {first.pk, second.pk}


def test_routers_that_the_user_may_not_poll_are_left_out_or_refused(client, story):
    first, second = story["routers"]
    rights = {**EVERYTHING, "peeringrouter": (["view", "poll"], {"device__name": "rt1.mtl"})}
    headers = caller(client, **rights)
    assert [job["object"]["id"] for job in post(client, headers, "sessions/poll/").json()] == [first.pk]
    assert post(client, headers, f"routers/{second.pk}/poll/").status_code == 404
    refused = post(client, headers, "routers/poll/", {"routers": [first.pk, second.pk]})
    assert (refused.status_code, str(second.pk) in str(refused.json()["routers"])) == (400, True)
    refused = post(client, headers, f"sessions/{story['sessions'][1].pk}/poll/")
    assert refused.status_code == 409
    assert "None of these sessions is on a peering router that you may poll" in refused.json()["detail"]
    assert Job.objects.count() == 1


def test_to_view_is_not_to_poll(client, story):
    headers = caller(client, **{**EVERYTHING, "peeringrouter": ["view"]})
    first = story["routers"][0]
    for path in (f"routers/{first.pk}/poll/", "routers/poll/", "sessions/poll/"):
        assert post(client, headers, path).status_code == 403
    assert not Job.objects.exists()


def test_to_poll_some_is_not_to_poll_what_one_may_only_view(client, story):
    headers = caller(client, peeringrouter=["view"])
    permission = ObjectPermission.objects.create(
        name="some", actions=["poll"], constraints={"device__name": "rt1.mtl"}
    )
    permission.object_types.add(ObjectType.objects.get_for_model(PeeringRouter))
    permission.users.add(User.objects.get(username="noc"))
    first, second = story["routers"]
    assert post(client, headers, f"routers/{first.pk}/poll/").status_code == 202
    assert post(client, headers, f"routers/{second.pk}/poll/").status_code == 403


@pytest.mark.parametrize("model", [PeeringSession, PeeringFabric, PeeringNetwork, PeerASN])
def test_what_the_user_may_not_view_is_not_there(client, story, model):
    headers = caller(client, peeringrouter=["view", "poll"])
    path = {
        PeeringSession: "sessions",
        PeeringFabric: "fabrics",
        PeeringNetwork: "networks",
        PeerASN: "peer-asns",
    }
    for pk in (model.objects.first().pk, 99999):
        assert post(client, headers, f"{path[model]}/{pk}/poll/").status_code == 404


def test_a_token_that_may_not_write_asks_for_nothing(client, story):
    headers = caller(client, **EVERYTHING)
    Token.objects.update(write_enabled=False)
    assert post(client, headers, "routers/poll/").status_code == 403


def test_without_a_worker_nothing_is_queued(client, story, monkeypatch):
    monkeypatch.setattr(polls, "any_workers_for_queue", lambda name: False)
    headers = caller(client, **EVERYTHING)
    assert post(client, headers, "routers/poll/").status_code == 503
    assert not Job.objects.exists()


@pytest.mark.parametrize("wanted", ["x", [0], ["x"], 7])
def test_ids_are_numbers(client, story, wanted):
    headers = caller(client, **EVERYTHING)
    assert post(client, headers, "routers/poll/", {"routers": wanted}).status_code == 400


def test_queries_of_asking_what_is_queued_already_do_not_grow(client, story):
    headers = caller(client, **EVERYTHING)

    def ask():
        assert post(client, headers, "routers/poll/").status_code == 202

    ask()
    few = queries_of(ask)
    for number in range(3, 12):
        make_router(f"rt{number}.mtl")
    ask()
    assert queries_of(ask) == few


def test_addresses_have_names():
    assert reverse("plugins-api:netbox_peering_manager-api:routers-poll") == f"{BASE}/routers/poll/"


def run(*names):
    out, error = io.StringIO(), io.StringIO()
    try:
        call_command("peering_poll", *names, stdout=out, stderr=error)
        code = None
    except CommandError as caught:
        code = str(caught)
    return out.getvalue(), error.getvalue(), code


def test_the_command_polls_the_routers_that_are_named(story, monkeypatch):
    with answering(monkeypatch, up(), down("198.51.100.99")):
        out, _error, code = run("rt1.mtl", str(story["routers"][0].pk))
    expected = "rt1.mtl: 1 of 1 sessions are Established, 0 missing, 1 changed; 1 unknown neighbours\n"
    assert (out, code) == (expected, None)


def test_the_command_polls_those_whose_polling_is_switched_on(story, monkeypatch):
    PeeringRouter.objects.filter(device__name="rt2.mtl").update(poll_enabled=True)
    with answering(monkeypatch, up()):
        assert run()[0].startswith("rt2.mtl: 0 of 1")


def test_the_command_says_which_routers_did_not_answer(story, monkeypatch):
    with answering(monkeypatch, error=DeviceUnreachable("rt1.mtl: no route")):
        _out, error, code = run("rt1.mtl")
    assert (error, code) == ("rt1.mtl: no route\n", "1 of 1 routers did not answer.")


def test_the_command_knows_its_routers(story):
    assert run("rt9.mtl")[2] == "There is no peering router rt9.mtl. They are called: rt1.mtl, rt2.mtl."

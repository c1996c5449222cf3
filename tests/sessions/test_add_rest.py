"""Adding many sessions over REST: the plan, the result, the job; for each kind of user."""

import json
import pickle

import django_rq
import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.models import Job
from netbox_routing.models import BGPPeer
from users.models import Token

from netbox_peering_manager.api.views import sessions_add
from netbox_peering_manager.models import PeerASN, PeeringSession
from netbox_peering_manager.services import secrets
from tests import factories
from tests.peers import worlds
from tests.services.test_create_bulk import make_ports, set_up_lan
from tests.sessions.people import make_root, make_user, ours, rest
from tests.sessions.test_plan import ROWS, SEEN

pytestmark = pytest.mark.django_db

API = "plugins-api:netbox_peering_manager-api:"
URL = f"{API}session-add-selected"


@pytest.fixture
def side():
    return set_up_lan()


@pytest.fixture
def peer():
    return factories.make_relationship("Peer")


@pytest.fixture(autouse=True)
def worker(monkeypatch):
    monkeypatch.setattr(sessions_add, "has_worker", lambda: True)


def post(user, data, url=None):
    return rest(user).post(url or reverse(URL), data, format="json")


def chosen(peer, ports, /, **fields):
    return {"netixlans": [port.pk for port in ports], "relationship": peer.pk, **fields}


def of_fabric(side):
    return reverse(f"{API}fabric-add-sessions", args=[side.peering_network.fabric_id])


def test_dry_run_answers_with_the_plan_and_makes_nothing(side, peer):
    ports = [*make_ports(1), worlds.make_port(64496, "198.51.1.99", operational=False)]
    answer = post(make_root(), chosen(peer, ports, dry_run=True, max_prefixes="peeringdb", margin_percent=10))
    assert answer.status_code == 200
    plan = answer.json()
    [four, six] = plan["sessions"]
    assert (four["asn"], four["address"], four["max_prefixes"]) == (3000, "198.51.1.10", 110)
    assert (six["family"], six["netixlan_id"], six["connection_id"]) == (6, ports[0].pk, side.pk)
    assert {item["kind"] for item in plan["objects"]} == {"rir", "asn", "peer_asn", "address", "family"}
    assert [(item["reason"], item["asn"]) for item in plan["skipped"]] == [("not-operational", 64496)]
    assert not BGPPeer.objects.exists()
    assert not Job.objects.exists()


def test_few_sessions_are_made_before_the_answer(side, peer):
    user = make_user(*SEEN, *ROWS)
    ports = [*make_ports(2), worlds.make_port(64496, "198.51.1.99", operational=False)]
    answer = post(user, chosen(peer, ports, password="given", given_password="s3cret"))
    assert answer.status_code == 201
    data = answer.json()
    assert data["job"]["status"]["value"] == "completed"
    assert {row["session_id"] for row in data["made"]} == set(
        PeeringSession.objects.values_list("pk", flat=True)
    )
    assert data["objects"] == {"rir": 1, "asn": 2, "peer_asn": 2, "address": 4, "family": 2}
    assert [row["reason"] for row in data["skipped"]] == ["not-operational"]
    assert "s3cret" not in answer.content.decode()
    assert {secrets.reveal_password(session) for session in PeeringSession.objects.all()} == {"s3cret"}


def test_second_request_makes_nothing_and_says_so(side, peer):
    user, data = make_root(), chosen(peer, make_ports(1))
    post(user, data)
    answer = post(user, data)
    assert answer.status_code == 201
    assert answer.json()["made"] == []
    assert [row["reason"] for row in answer.json()["skipped"]] == ["exists", "exists"]


def test_many_are_made_by_a_job_that_one_can_ask_for(side, peer, django_capture_on_commit_callbacks):
    user = make_user(*SEEN, *ROWS)
    queue = django_rq.get_queue("default")
    queue.empty()
    data = chosen(peer, make_ports(30), password="given", given_password="s3cret-of-all")
    with django_capture_on_commit_callbacks(execute=True):
        answer = post(user, data)
    assert answer.status_code == 202
    job = answer.json()["job"]
    assert (job["status"]["value"], answer.json()["made"], answer.json()["progress"]) == ("pending", [], None)
    [waiting] = queue.jobs
    for kept in (waiting.description.encode(), pickle.dumps(waiting.kwargs), json.dumps(job).encode()):
        assert b"s3cret-of-all" not in kept
    waiting.perform()
    later = rest(user).get(reverse(f"{API}session-added", args=[job["id"]])).json()
    assert len(later["made"]) == 60
    assert later["progress"]["done"] == 60
    assert "s3cret-of-all" not in json.dumps(later)
    other = rest(make_user(*SEEN, *ROWS, name="other"))
    assert other.get(reverse(f"{API}session-added", args=[job["id"]])).status_code == 404


def test_background_can_be_asked_for_and_refused(side, peer):
    user = make_root()
    assert post(user, chosen(peer, make_ports(1), background=True)).status_code == 202
    answer = post(user, chosen(peer, make_ports(30, first=3100), background=False))
    assert answer.status_code == 201
    assert len(answer.json()["made"]) == 60


def test_without_a_worker_many_are_answered_as_netbox_does(side, peer, monkeypatch):
    monkeypatch.setattr(sessions_add, "has_worker", lambda: False)
    user, ports = make_root(), make_ports(30)
    assert post(user, chosen(peer, ports)).status_code == 503
    assert not Job.objects.exists()
    assert post(user, chosen(peer, ports[:1])).status_code == 201
    assert post(user, chosen(peer, ports, background=False)).status_code == 201


def test_all_that_match_filters_on_a_fabric(side, peer):
    worlds.make_ix(2, name="Other IX")
    other = worlds.make_side(lan=2, name="Other IX", device="rt2.mtl")
    elsewhere = worlds.make_port(64499, "198.51.2.10", lan=2)
    make_ports(3)
    data = {"all": True, "filters": {"asn": [3000, 3002, 64499]}, "relationship": peer.pk, "dry_run": True}
    found = post(make_root(), data, of_fabric(side)).json()["sessions"]
    assert {row["asn"] for row in found} == {3000, 3002}
    data = {"all": True, "relationship": peer.pk, "dry_run": True}
    found = post(make_root("two"), data, of_fabric(other)).json()
    assert {row["netixlan_id"] for row in found["sessions"] + found["skipped"]} == {elsewhere.pk}


def test_all_of_one_network(side, peer):
    ports = make_ports(2)
    peer_asn = factories.make_peer_asn(3001)
    url = reverse(f"{API}peer-asn-add-sessions", args=[peer_asn.pk])
    answer = post(make_root(), {"all": True, "relationship": peer.pk}, url)
    assert {row["asn"] for row in answer.json()["made"]} == {3001}
    strangers = post(make_root("two"), chosen(peer, ports), url)
    assert strangers.status_code == 400
    assert str(ports[0].pk) in strangers.json()["netixlans"][0]
    assert str(ports[1].pk) not in strangers.json()["netixlans"][0]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"netixlans": []}, "netixlans"),
        ({"netixlans": ["x"]}, "netixlans"),
        ({"netixlans": [2**63]}, "netixlans"),
        ({"all": True}, "netixlans"),
        ({"filters": {"asn": 3000}}, "filters"),
        ({"relationship": None}, "relationship"),
        ({"relationship": 99999}, "relationship"),
        ({"connections": [99999]}, "connections"),
        ({"families": []}, "families"),
        ({"families": [5]}, "families"),
        ({"status": "great"}, "status"),
        ({"max_prefixes": "some"}, "max_prefixes"),
        ({"margin_percent": -1}, "margin_percent"),
        ({"password": "given"}, "given_password"),
        ({"given_password": "s3cret"}, "given_password"),
        ({"ttl": 0}, "ttl"),
        ({"tags": [99999]}, "tags"),
        ({"bfd": 99999}, "bfd"),
        ({"local_as": 99999}, "local_as"),
        ({"peer_group": 99999}, "peer_group"),
        ({"route_servers": "perhaps"}, "route_servers"),
        ({"background": "perhaps"}, "background"),
    ],
)
def test_what_is_wrong_is_told_by_its_field(side, peer, fields, field):
    answer = post(make_root(), {**chosen(peer, make_ports(1)), **fields})
    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert not BGPPeer.objects.exists()


@pytest.mark.parametrize("filters", [{"asm": 3000}, {"asn": "x"}, {"policy": ["Sometimes"]}])
def test_filters_that_are_none_are_refused_and_do_not_add_everything(side, peer, filters):
    make_ports(1)
    data = {"all": True, "filters": filters, "relationship": peer.pk}
    answer = post(make_root(), data, of_fabric(side))
    assert answer.status_code == 400
    assert list(answer.json()) == ["filters"]
    assert not BGPPeer.objects.exists()


def test_failure_between_plan_and_making_is_told(side, peer, monkeypatch):
    start = sessions_add.AddSessionsJob.start.__func__

    def start_too_late(cls, *args, **kwargs):
        peer.delete()
        return start(cls, *args, **kwargs)

    monkeypatch.setattr(sessions_add.AddSessionsJob, "start", classmethod(start_too_late))
    answer = post(make_root(), chosen(peer, make_ports(1)))
    assert answer.status_code == 409
    assert "There is no relationship type" in answer.json()["error"]


# Users


def urls(side):
    peer_asn = PeerASN.objects.get(asn__asn=factories.LOCAL_ASN)
    return [reverse(URL), of_fabric(side), reverse(f"{API}peer-asn-add-sessions", args=[peer_asn.pk])]


def test_only_who_may_add_sessions_may(side, peer):
    data = chosen(peer, make_ports(1))
    for url in urls(side):
        assert post(None, data, url).status_code in (401, 403)
        viewer = make_user(*SEEN, *ours("view_peeringsession", "view_peerasn"), name=f"viewer{len(url)}")
        assert post(viewer, data, url).status_code == 403
    assert rest().get(reverse(f"{API}session-added", args=[1])).status_code in (401, 403)


def test_fabric_and_peer_asn_must_be_seen(side, peer):
    data = chosen(peer, make_ports(1))
    user = make_user(*ours("add_peeringsession", "view_relationship", "view_peeringconnection"))
    _selected, *others = urls(side)
    for url in others:
        assert post(user, data, url).status_code == 404


def test_token_that_may_only_read_may_not(side, peer):
    user = make_root()
    token = Token(version=1, user=user, write_enabled=False)
    token.save()
    client = rest()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token.token}")
    answer = client.post(reverse(URL), chosen(peer, make_ports(1)), format="json")
    assert answer.status_code == 403
    assert not BGPPeer.objects.exists()


def test_peers_that_are_not_seen_are_not_told(side, peer):
    user = make_user(*ours("view_relationship"), *ROWS)
    answer = post(user, chosen(peer, make_ports(1), dry_run=True))
    assert answer.json()["sessions"] == []
    assert "3000" not in json.dumps(
        [{**row, "netixlan_id": 0, "text": ""} for row in answer.json()["skipped"]]
    )


@pytest.mark.parametrize("count", [2, 40])
def test_queries_of_the_plan_do_not_grow_with_the_sessions(side, peer, count):
    make_ports(count)
    client = rest(make_user(*SEEN, *ROWS))
    data = {"all": True, "relationship": peer.pk, "dry_run": True}
    client.post(of_fabric(side), data, format="json")
    with CaptureQueriesContext(database) as queries:
        assert len(client.post(of_fabric(side), data, format="json").json()["sessions"]) == 2 * count
    assert len(queries) <= 40

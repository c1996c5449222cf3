"""Adding many sessions in the browser: choices, preview, job, result, for each kind of user."""

import json
import pickle
import re

import django_rq
import pytest
from django.core import signing
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.models import Job, ObjectChange
from extras.models import Tag
from netbox_routing.models import BGPPeer

from netbox_peering_manager.jobs import sessions as jobs
from netbox_peering_manager.models import PeeringDBNetIXLan, PeeringSession
from netbox_peering_manager.services import secrets
from netbox_peering_manager.views import sessions_add
from tests import factories
from tests.peers import worlds
from tests.services.test_create_bulk import make_ports, set_up_lan
from tests.sessions.people import browser, grant, is_selected, make_root, make_user, ours
from tests.sessions.test_plan import ROWS, SEEN

pytestmark = pytest.mark.django_db

PAGE = "plugins:netbox_peering_manager:peeringsession_add_selected"
RESULT = "plugins:netbox_peering_manager:peeringsession_added"
LIST = "plugins:netbox_peering_manager:peeringsession_list"


@pytest.fixture
def side():
    return set_up_lan()


@pytest.fixture
def peer():
    return factories.make_relationship("Peer")


@pytest.fixture
def no_worker(monkeypatch):
    monkeypatch.setattr(sessions_add, "has_worker", lambda: False)


@pytest.fixture
def worker(monkeypatch):
    monkeypatch.setattr(sessions_add, "has_worker", lambda: True)


def chosen(peer, ports, /, **fields):
    """What the form of choices sends."""
    return {
        "ports": ",".join(str(port.pk) for port in ports),
        "relationship": peer.pk,
        "families": "4,6",
        "route_servers": "flag",
        "status": "active",
        "enabled": "on",
        "max_prefixes": "peeringdb",
        "margin_percent": "10",
        "password": "none",
        "_preview": "",
        **fields,
    }


def post(user, data):
    return browser(user).post(reverse(PAGE), data)


def text_of(response):
    return " ".join(response.content.decode().split())


def order_of(response):
    assert response.status_code == 200
    return re.search(r'name="order" value="([^"]+)"', response.content.decode())[1]


def confirm(user, data, button="_confirm_now", **fields):
    """Look at the preview, and confirm it."""
    return post(user, {"order": order_of(post(user, data)), button: "", **fields})


def followed(user, response):
    assert response.status_code == 302, text_of(response)
    return text_of(browser(user).get(response.url))


# The form


def test_form_asks_once_for_each_choice_whatever_the_number_of_peers(side, peer):
    ports = make_ports(40)
    response = post(make_root(), {"pk": [port.pk for port in ports]})
    page = text_of(response)
    assert "<strong>40 ports</strong> were chosen. They belong to 40 networks." in page
    assert len(re.findall(r'name="ports"', page)) == 1
    assert len(re.findall(r"<(?:input|select|textarea) ", page)) < 60
    assert ",".join(str(port.pk) for port in ports) in page


def test_one_port_offers_the_form_for_one_session(side, peer):
    [port] = make_ports(1)
    page = text_of(post(make_root(), {"pk": port.pk}))
    assert "<strong>1 port</strong> was chosen. It belongs to one network." in page
    assert f"?netixlan={port.pk}" in page


def test_all_that_match_the_filters_of_a_fabric_are_chosen(side, peer):
    ports = make_ports(3)
    fabric = side.peering_network.fabric
    url = f"{reverse(PAGE)}?asn=3000&asn=3002"
    page = text_of(browser(make_root()).post(url, {"_all": 1, "fabric": fabric.pk}))
    assert f'value="{ports[0].pk},{ports[2].pk}"' in page
    hidden_fabric = make_user(*ours("add_peeringsession"))
    assert browser(hidden_fabric).post(url, {"_all": 1, "fabric": fabric.pk}).status_code == 404


def test_networks_of_the_ranking_stand_for_their_ports(side, peer):
    ports = make_ports(3)
    page = text_of(post(make_root(), {"asn": [3001, 3002]}))
    assert f'value="{ports[1].pk},{ports[2].pk}"' in page


def test_all_of_one_peer_asn_are_chosen(side, peer):
    ports = make_ports(2)
    known = factories.make_peer_asn(3001)
    page = text_of(post(make_root(), {"_all": 1, "peer_asn": known.pk}))
    assert f'value="{ports[1].pk}"' in page


@pytest.mark.parametrize("method", ["get", "post"])
def test_nothing_chosen_leads_back_with_a_word(side, peer, method):
    client = browser(make_root())
    response = getattr(client, method)(reverse(PAGE))
    assert response.url == reverse(LIST)
    assert "No peers were selected" in text_of(client.get(response.url))


@pytest.mark.parametrize(
    ("fields", "field", "part"),
    [
        ({"relationship": ""}, "relationship", "required"),
        ({"relationship": 99999}, "relationship", "not one of the available choices"),
        ({"families": ""}, "families", "required"),
        ({"margin_percent": "-1"}, "margin_percent", "greater than or equal to 0"),
        ({"margin_percent": "1001"}, "margin_percent", "less than or equal to 1000"),
        ({"password": "given"}, "given_password", "Enter the password"),
        ({"ttl": "256"}, "ttl", "255"),
        ({"connections": [99999]}, "connections", "not one of the available choices"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(side, peer, fields, field, part):
    response = post(make_root(), chosen(peer, make_ports(1), **fields))
    page = text_of(response)
    assert part in page
    assert f'id="id_{field}_errors"' in page or f"id_{field}" in page
    assert "1 port</strong> was chosen" in page
    assert not Job.objects.exists()


@pytest.mark.parametrize("ports", ["", "x", "1,y", "1" * 30])
def test_page_without_ports_of_ours_is_not_there(side, peer, ports):
    assert post(make_root(), {**chosen(peer, []), "ports": ports}).status_code == 404


def test_tag_that_does_not_fit_is_told_at_the_tags(side, peer):
    tag = Tag.objects.create(name="Devices", slug="devices")
    tag.object_types.add(factories_type("dcim", "device"))
    page = text_of(post(make_root(), chosen(peer, make_ports(1), tags=[tag.pk])))
    assert "cannot be given to peering sessions" in page


def factories_type(app, model):
    from core.models import ObjectType

    return ObjectType.objects.get_by_natural_key(app, model)


# The preview


def test_preview_tells_what_would_be_made_used_and_left_out_and_makes_nothing(side, peer, no_worker):
    ports = [*make_ports(2), worlds.make_port(64496, "198.51.1.99", operational=False)]
    factories.make_address("198.51.1.10/24")
    page = text_of(post(make_root(), chosen(peer, ports)))
    assert "4 sessions will be made with 2 networks" in page
    for part in (
        'AS3000<div class="text-secondary">Network 3000</div>',
        "198.51.1.10",
        "2001:db8:1::a",
        "rt1.mtl Ethernet1.1",
        "1 RIR, 2 ASNs, 2 peer ASNs, 3 IP addresses, 2 BGP address families",
        'Used as they are</dt> <dd class="col-sm-9 col-lg-10 mb-1">1 IP address</dd>',
        "Not operational: 1",
        "PeeringDB says that this port of AS64496 is not operational.",
        '<td class="text-end">110</td>',
        "AS-N0, IPv4: 100, IPv6: 50",
        "Status: Active, enabled",
        "Max prefixes: PeeringDB&#x27;s, plus 10 %",
        "Add 4 sessions now",
    ):
        assert part in page, part
    assert not BGPPeer.objects.exists()
    assert not ObjectChange.objects.exists()


def test_preview_of_nothing_offers_nothing_to_confirm(side, peer):
    page = text_of(post(make_root(), chosen(peer, [worlds.make_port(64496)])))
    assert "No session would be made" in page
    assert "_confirm" not in page


def test_long_lists_unfold(side, peer, worker):
    page = text_of(post(make_root(), chosen(peer, make_ports(30))))
    assert "60 sessions will be made" in page
    assert "Show the other 35" in page
    assert page.count("198.51.1.39") == 2


def test_few_sessions_are_added_at_once_and_many_in_the_background(side, peer, worker):
    few = text_of(post(make_root(), chosen(peer, make_ports(2))))
    assert 'name="_confirm_now"' in few
    many = text_of(post(make_root("other"), chosen(peer, make_ports(30, first=3100))))
    assert 'name="_confirm"' in many
    assert 'name="_confirm_now"' not in many


def test_many_sessions_without_a_worker_can_be_added_at_once(side, peer, no_worker):
    page = text_of(post(make_root(), chosen(peer, make_ports(30))))
    assert "No worker takes background jobs" in page
    assert 'name="_confirm_now"' in page


@pytest.mark.parametrize("count", [2, 40])
def test_queries_of_the_preview_do_not_grow_with_the_sessions(side, peer, count):
    user = make_user(*SEEN, *ROWS)
    client = browser(user)
    data = chosen(peer, make_ports(count))
    client.post(reverse(PAGE), data)
    with CaptureQueriesContext(database) as queries:
        assert client.post(reverse(PAGE), data).status_code == 200
    assert len(queries) <= 40, "\n".join(query["sql"][:150] for query in queries)


# Confirming


def test_confirmed_sessions_are_made_in_the_name_of_the_user(side, peer):
    user = make_user(*SEEN, *ROWS, *ours("view_peeringsession"))
    response = confirm(user, chosen(peer, make_ports(2)), return_url="/plugins/peering-manager/fabrics/")
    assert PeeringSession.objects.count() == 4
    assert set(ObjectChange.objects.values_list("user", flat=True)) == {user.pk}
    assert ObjectChange.objects.values("request_id").distinct().count() == 1
    page = followed(user, response)
    assert "4 sessions were made" in page
    for session in PeeringSession.objects.all():
        assert f'href="{session.get_absolute_url()}"' in page
    assert 'href="/plugins/peering-manager/fabrics/"' in page


def test_result_tells_what_was_left_out_and_why(side, peer):
    ports = make_ports(2)
    user = make_user(*SEEN, *[right for right in ROWS if "ipaddress" not in right])
    grant(user, "ipam.add_ipaddress", constraints={"address__net_host": "198.51.1.10"})
    page = followed(user, confirm(user, chosen(peer, ports, families="4")))
    assert "1 session was made" in page
    assert "Not allowed: 1" in page
    assert "You may not add the IP address 198.51.1.11/24" in page
    # Made, but not to be seen by this user.
    assert "/plugins/peering-manager/sessions/1" not in page


def test_second_confirmation_of_the_same_preview_makes_nothing(side, peer):
    user = make_root()
    order = order_of(post(user, chosen(peer, make_ports(1))))
    post(user, {"order": order, "_confirm_now": ""})
    page = followed(user, post(user, {"order": order, "_confirm_now": ""}))
    assert "0 sessions were made" in page
    assert "Exists already: 2" in page
    assert PeeringSession.objects.count() == 2


def test_result_tells_again_what_the_preview_left_out(side, peer):
    ports = [*make_ports(1), worlds.make_port(64496, "198.51.1.99", operational=False)]
    user = make_root()
    page = followed(user, confirm(user, chosen(peer, ports)))
    assert "2 sessions were made" in page
    assert "Not operational: 1" in page


def test_port_that_changed_since_the_preview_is_left_out_and_told(side, peer):
    user = make_root()
    order = order_of(post(user, chosen(peer, make_ports(2), families="4")))
    PeeringDBNetIXLan.objects.filter(asn=3001).update(ipaddr4="198.51.1.77")
    page = followed(user, post(user, {"order": order, "_confirm_now": ""}))
    assert "1 session was made" in page
    assert "This port was AS3001 at 198.51.1.11 when the sessions were looked through" in page


def test_rights_that_were_lost_since_the_preview_make_nothing(side, peer):
    user = make_user(*SEEN, *ROWS)
    order = order_of(post(user, chosen(peer, make_ports(1))))
    user.object_permissions.filter(name__contains="view_peeringconnection").delete()
    page = followed(user, post(user, {"order": order, "_confirm_now": ""}))
    assert "0 sessions were made" in page
    assert not BGPPeer.objects.exists()


def queued(user, order, capture):
    """The job of this preview, as it waits for a worker."""
    queue = django_rq.get_queue("default")
    queue.empty()
    with capture(execute=True):
        post(user, {"order": order, "_confirm": ""})
    [waiting] = queue.jobs
    return waiting


def test_rights_that_were_lost_while_the_job_waited_make_nothing(
    side, peer, worker, django_capture_on_commit_callbacks
):
    user = make_user(*SEEN, *ROWS)
    order = order_of(post(user, chosen(peer, make_ports(1))))
    waiting = queued(user, order, django_capture_on_commit_callbacks)
    user.object_permissions.filter(name__contains="add_ipaddress").delete()
    waiting.perform()
    assert not BGPPeer.objects.exists()
    [skipped] = Job.objects.get().data["added"]["skipped"][:1]
    assert skipped["text"] == "You may not add IP addresses, which this session needs."


def test_user_who_was_deactivated_while_the_job_waited_makes_nothing(
    side, peer, worker, django_capture_on_commit_callbacks
):
    user = make_root()
    order = order_of(post(user, chosen(peer, make_ports(1))))
    waiting = queued(user, order, django_capture_on_commit_callbacks)
    type(user).objects.update(is_active=False)
    waiting.perform()
    assert not BGPPeer.objects.exists()
    assert "no longer active" in Job.objects.get().error


def test_relationship_that_was_deleted_since_the_preview_fails_with_the_reason(side, peer):
    user = make_root()
    order = order_of(post(user, chosen(peer, make_ports(1))))
    peer.delete()
    page = followed(user, post(user, {"order": order, "_confirm_now": ""}))
    assert "There is no relationship type with the ID" in page
    assert Job.objects.get().status == "failed"


def test_preview_of_someone_else_is_refused(side, peer):
    order = order_of(post(make_root(), chosen(peer, make_ports(1))))
    response = post(make_root("other"), {"order": order, "_confirm_now": ""})
    assert response.url == reverse(LIST)
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "order",
    ["", "nonsense", signing.dumps({"user": 1}, salt="another")],
    ids=["empty", "no signature", "signed for something else"],
)
def test_what_is_no_preview_is_refused(side, peer, order):
    for button in ("_confirm_now", "_confirm", "_edit"):
        assert post(make_root(button), {"order": order, button: ""}).url == reverse(LIST)


def test_way_back_keeps_the_choices_but_not_the_password(side, peer):
    user = make_root()
    data = chosen(
        peer, make_ports(1), password="given", given_password="s3cret", description="Kept", families="6"
    )
    page = text_of(post(user, {"order": order_of(post(user, data)), "_edit": ""}))
    assert 'value="Kept"' in page
    assert 'value="10"' in page
    assert "s3cret" not in page
    assert '<option value="given" selected' in page


def test_last_choices_are_those_that_the_next_form_begins_with(side, peer):
    user = make_root()
    ports = make_ports(2)
    confirm(user, chosen(peer, ports[:1], description="Not kept", password="generated"))
    page = text_of(post(user, {"pk": ports[1].pk}))
    assert is_selected(page, peer)
    assert '<option value="generated" selected' in page
    assert "Not kept" not in page


# In the background


def test_job_waits_in_the_queue_for_its_worker(side, peer, worker, django_capture_on_commit_callbacks):
    user = make_root()
    order = order_of(post(user, chosen(peer, make_ports(30))))
    django_rq.get_queue("default").empty()
    with django_capture_on_commit_callbacks(execute=True):
        response = post(user, {"order": order, "_confirm": ""})
    job = Job.objects.get()
    assert (job.name, job.status, job.user) == ("Add Peering Sessions", "pending", user)
    page = followed(user, response)
    assert f"/plugins/peering-manager/jobs/{job.pk}/progress/" in page
    assert "You can leave this page" in page
    assert not PeeringSession.objects.exists()
    [waiting] = django_rq.get_queue("default").jobs
    assert waiting.timeout == 600
    waiting.perform()
    job.refresh_from_db()
    assert (job.status, len(job.data["added"]["made"])) == ("completed", 60)
    assert job.data["progress"] == {"done": 60, "total": 60, "text": "AS3029 at 2001:db8:1::27"}
    assert "60 sessions were made" in text_of(browser(user).get(reverse(RESULT, args=[job.pk])))


def test_given_password_is_nowhere_in_clear_but_on_the_sessions_page(
    side, peer, worker, caplog, django_capture_on_commit_callbacks
):
    user = make_root()
    data = chosen(peer, make_ports(30), password="given", given_password="s3cret-of-all")
    preview = post(user, data)
    assert "s3cret-of-all" not in preview.content.decode()
    order = order_of(preview)
    queue = django_rq.get_queue("default")
    queue.empty()
    with django_capture_on_commit_callbacks(execute=True):
        response = post(user, {"order": order, "_confirm": ""})
    [waiting] = queue.jobs
    in_redis = [queue.connection.dump(key) or b"" for key in queue.connection.keys("*")]
    kept = [*in_redis, waiting.description.encode(), pickle.dumps(waiting.kwargs)]
    # Redis keeps the job compressed, so what is in it is looked at as well.
    assert not [text for text in kept if b"s3cret-of-all" in text]
    assert waiting.kwargs["choices"]["password_token"] not in ("", "s3cret-of-all")
    waiting.perform()
    job = Job.objects.get(name=jobs.AddSessionsJob.name)
    assert job.status == "completed"
    told = json.dumps([job.data, [dict(entry) for entry in job.log_entries], job.error], default=str)
    changes = str(list(ObjectChange.objects.values_list("postchange_data", flat=True)))
    preferences = json.dumps(user.config.data)
    for text in (told, changes, preferences, followed(user, response), caplog.text, order):
        assert "s3cret-of-all" not in text
    assert waiting.kwargs["choices"]["password_token"] not in told + changes
    assert {secrets.reveal_password(session) for session in PeeringSession.objects.all()} == {"s3cret-of-all"}


def test_job_whose_user_is_gone_makes_nothing(side, peer):
    ports = make_ports(1)
    for user in (None, make_root("left")):
        if user:
            user.is_active = False
            user.save()
        job = jobs.AddSessionsJob.enqueue(
            user=user,
            immediate=True,
            ports=[ports[0].pk],
            reviewed=[[ports[0].pk, 3000, "198.51.1.10", None]],
            choices={"relationship": peer.pk},
        )
        assert job.status == "failed"
        assert "no longer active" in job.error
    assert not PeeringSession.objects.exists()


def test_password_that_no_key_fits_any_more_fails_the_job_with_a_word(side, peer):
    [port] = make_ports(1)
    job = jobs.AddSessionsJob.enqueue(
        user=make_root(),
        immediate=True,
        ports=[port.pk],
        reviewed=[[port.pk, 3000, "198.51.1.10", None]],
        choices={"relationship": peer.pk, "password": "given", "password_token": "gAAAAnonsense"},
    )
    assert job.status == "failed"
    assert "cannot be decrypted" in job.error
    assert not PeeringSession.objects.exists()


# Users


@pytest.mark.parametrize("data", [{}, {"pk": 1}, {"_preview": ""}, {"_confirm": "", "order": "x"}])
def test_page_is_for_those_who_may_add_sessions(side, peer, data):
    assert "/login/" in browser().post(reverse(PAGE), data)["Location"]
    for user in (make_user(name="nobody"), make_user(*SEEN, *ours("view_peeringsession"), name="viewer")):
        assert post(user, data).status_code == 403


def test_result_is_for_who_asked_and_for_who_may_view_jobs(side, peer):
    owner = make_user(*SEEN, *ROWS, name="owner")
    confirm(owner, chosen(peer, make_ports(1)))
    url = reverse(RESULT, args=[Job.objects.get().pk])
    assert "2 sessions were made" in text_of(browser(owner).get(url))
    assert browser(make_user("core.view_job", name="boss")).get(url).status_code == 200
    assert browser(make_user(name="other")).get(url).status_code == 404
    assert "/login/" in browser().get(url)["Location"]


def test_result_of_another_job_is_not_there(side):
    from tests.test_job_progress import running

    user = make_root()
    assert browser(user).get(reverse(RESULT, args=[running(user).pk])).status_code == 404


def test_peers_that_are_not_seen_are_not_told(side, peer):
    user = make_user(*ours("view_relationship"), *ROWS)
    page = text_of(post(user, chosen(peer, make_ports(1))))
    assert "No session would be made" in page
    assert "Network 3000" not in page
    assert "198.51.1.10" not in page

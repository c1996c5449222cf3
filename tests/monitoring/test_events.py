"""What a poll finds is told to NetBox's event rules: once, about its object, and without a secret."""

import json

import django_rq
import pytest
from django.conf import settings as django_settings

from core.models import ObjectType
from extras.models import EventRule, Notification, NotificationGroup, Webhook
from netbox.context_managers import event_tracking
from users.models import User

from netbox_peering_manager.events import (
    SESSION_DOWN,
    SESSION_FLAPPING,
    SESSION_NEAR_MAX_PREFIX,
    SESSION_UP,
    UNKNOWN_NEIGHBOR,
)
from netbox_peering_manager.models import PeeringRouter, PeeringSession
from netbox_peering_manager.services import secrets
from netbox_peering_manager.services.devices.neighbors import Neighbor
from netbox_peering_manager.services.monitoring.events import tell
from netbox_peering_manager.services.monitoring.record import mark_unanswered, record
from netbox_peering_manager.services.tracking import request_of
from tests import factories
from tests.monitoring.polled import NOON, after, down, make_router, make_session, up
from tests.queries import queries_for_few_and_many

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard(monkeypatch):
    """What the pipeline of events is given, in the order in which it is told."""
    events = []
    monkeypatch.setattr(django_settings, "EVENTS_PIPELINE", [f"{__name__}.hear"])
    monkeypatch.setattr(f"{__name__}.HEARD", events)
    return events


HEARD = []


def hear(events):
    HEARD.extend(events)


@pytest.fixture
def polls(django_capture_on_commit_callbacks):
    """Polls of a router, five minutes apart."""

    class Polls:
        def __init__(self):
            self.router, self.count = make_router(), 0

        def __call__(self, *neighbors, minutes=5):
            at = after(minutes=self.count)
            self.count += minutes
            with django_capture_on_commit_callbacks(execute=True):
                return tell(self.router, record(self.router, neighbors, at), at)

    return Polls()


def said(events):
    return [(event["event_type"], event["object_id"]) for event in events]


def test_nothing_is_told_of_a_first_poll(polls, heard):
    factories.make_peer_asn(64496, ipv4_max_prefixes=100)
    make_session()
    make_session("198.51.100.12")
    assert polls(up(received=99), down("198.51.100.12")) == 0
    # Nor later, while it stays as it was.
    assert polls(up(received=99, up_s=3900), down("198.51.100.12")) == 0
    assert heard == []


def test_down_and_up_are_told_once_each(polls, heard):
    session = make_session()
    polls(up())
    polls(down(state="active", reason="hold timer expired"))
    polls(down(state="connect"))
    polls(down(state="active"))
    polls(up(up_s=60))
    polls(up(up_s=360))
    assert said(heard) == [(SESSION_DOWN, session.pk), (SESSION_UP, session.pk)]
    data = heard[0]["data"]
    assert data["id"] == session.pk
    assert data["bgp"] == {
        "state": "active",
        "former_state": "established",
        "reason": "hold timer expired",
        "since": after(minutes=5).isoformat(),
        "up_since": None,
        "flaps": 1,
        "ipv4": {"received": None, "accepted": None, "advertised": None, "limit": None},
        "ipv6": {"received": None, "accepted": None, "advertised": None, "limit": None},
        "polled": after(minutes=5).isoformat(),
    }


def test_a_session_that_disappears_from_the_router_is_told_as_down(polls, heard):
    session = make_session()
    polls(up())
    polls()
    assert said(heard) == [(SESSION_DOWN, session.pk)]
    assert heard[0]["data"]["bgp"]["state"] == "missing"


def test_a_session_lost_between_two_polls_is_told_as_down_and_up(polls, heard):
    session = make_session()
    polls(up(up_s=86400))
    polls(up(up_s=60))
    assert said(heard) == [(SESSION_DOWN, session.pk), (SESSION_UP, session.pk)]
    assert heard[0]["data"]["bgp"]["reason"] == "lost and established again between two polls"


def test_a_router_that_does_not_answer_is_no_news_of_its_sessions(polls, heard):
    session = make_session()
    polls(up())
    mark_unanswered(polls.router, "no", after(minutes=3))
    polls(up(up_s=3900))
    assert heard == []
    mark_unanswered(polls.router, "no", after(minutes=8))
    polls(down())
    assert said(heard) == [(SESSION_DOWN, session.pk)]


def test_flapping_is_told_when_it_begins(polls, heard):
    session = make_session()
    polls(up(up_s=86400))
    for _time in range(5):
        polls(down())
        polls(up(up_s=10))
    flapping = [event for event in heard if event["event_type"] == SESSION_FLAPPING]
    assert said(flapping) == [(SESSION_FLAPPING, session.pk)]
    assert flapping[0]["data"]["bgp"]["flaps"] == 3
    # It stops, and begins anew.
    polls(up(up_s=7200), minutes=180)
    for _time in range(3):
        polls(down())
        polls(up(up_s=10))
    assert [event["event_type"] for event in heard].count(SESSION_FLAPPING) == 2


def test_near_its_max_prefix_is_told_when_it_comes_there(polls, heard):
    factories.make_peer_asn(64496, ipv4_max_prefixes=100)
    session = make_session()
    polls(up(received=80))
    polls(up(received=90, up_s=3900))
    polls(up(received=95, up_s=4200))
    polls(up(received=85, up_s=4500))
    polls(up(received=99, up_s=4800))
    assert said(heard) == [(SESSION_NEAR_MAX_PREFIX, session.pk)] * 2
    assert heard[0]["data"]["bgp"]["ipv4"] == {"received": 90, "accepted": 90, "advertised": 5, "limit": 100}


def test_an_unknown_neighbour_is_told_once_about_its_router(polls, heard):
    stranger = Neighbor("RED", "198.51.100.99", 64511, description="who?", bgp_state="active")
    polls(stranger)
    polls(stranger)
    assert said(heard) == [(UNKNOWN_NEIGHBOR, polls.router.pk)]
    assert heard[0]["object"] == polls.router
    assert heard[0]["data"]["neighbor"] == {
        "vrf": "RED",
        "remote_ip": "198.51.100.99",
        "remote_asn": 64511,
        "description": "who?",
        "state": "active",
    }


def test_data_of_events_hold_no_secret(polls, heard):
    session = make_session(peer={"password": "in the clear"})
    secrets.set_password(session, "of the session")
    session.save()
    polls(up(), down("198.51.100.99"))
    polls(down())
    assert len(heard) == 2
    told = json.dumps([event["data"] for event in heard], default=str)
    assert "198.51.100.11" in told
    for secret in ("in the clear", "of the session", session.encrypted_password):
        assert secret not in told


def test_rules_hear_of_it_with_conditions_on_what_was_seen(polls, monkeypatch):
    user = User.objects.create_user("noc")
    group = NotificationGroup.objects.create(name="NOC")
    group.users.add(user)
    rule = EventRule.objects.create(
        name="down",
        event_types=[SESSION_DOWN],
        conditions={"attr": "bgp.reason", "value": "hold timer expired"},
        action_type="notification",
        action_object_type=ObjectType.objects.get_for_model(NotificationGroup),
        action_object_id=group.pk,
    )
    rule.object_types.add(ObjectType.objects.get_for_model(PeeringSession))
    session, other = make_session(), make_session("198.51.100.12")
    polls(up(), up("198.51.100.12"))
    polls(down(reason="hold timer expired"), down("198.51.100.12", reason="Admin. shutdown"))
    told = Notification.objects.get()
    assert (told.user, told.object, told.event_type) == (user, session, SESSION_DOWN)
    assert other.pk != session.pk


def test_webhooks_are_given_what_was_seen(polls, monkeypatch):
    sent = []
    monkeypatch.setattr(
        django_rq.queues.DjangoRQ, "enqueue", lambda queue, *args, **kwargs: sent.append(kwargs), raising=True
    )
    hook = Webhook.objects.create(name="hook", payload_url="http://198.51.100.250/")
    rule = EventRule.objects.create(
        name="strangers",
        event_types=[UNKNOWN_NEIGHBOR],
        action_type="webhook",
        action_object_type=ObjectType.objects.get_for_model(Webhook),
        action_object_id=hook.pk,
    )
    rule.object_types.add(ObjectType.objects.get_for_model(PeeringRouter))
    polls(down("198.51.100.99"))
    (call,) = sent
    assert call["event_type"] == UNKNOWN_NEIGHBOR
    assert call["data"]["neighbor"]["remote_ip"] == "198.51.100.99"


def test_within_a_job_they_are_told_at_its_end(heard, django_capture_on_commit_callbacks):
    router, _session = make_router(), make_session()
    record(router, [up()], NOON)
    with event_tracking(request_of(None)):
        at = after(minutes=5)
        assert tell(router, record(router, [down()], at), at) == 1
        assert heard == []
    assert [event["event_type"] for event in heard] == [SESSION_DOWN]


def test_queries_do_not_grow_with_the_sessions(heard):
    router = make_router()
    counts = iter(range(100))

    def make(numbers):
        for number in numbers:
            make_session(f"198.51.100.{11 + number}")

    def poll():
        for neighbor in (up, down):
            at = after(minutes=next(counts))
            told = [neighbor(f"198.51.100.{11 + number}") for number in range(PeeringSession.objects.count())]
            recorded = record(router, told, at)
            with event_tracking(request_of(None)):
                tell(router, recorded, at)

    queries_for_few_and_many(poll, make)
    assert {event["event_type"] for event in heard} >= {SESSION_DOWN, SESSION_UP}

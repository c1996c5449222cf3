"""What is posted to the plugin's pages does not go to Redis with the events that it causes."""

import pickle
from unittest import mock

import pytest
from django.http import QueryDict
from django.test import RequestFactory
from django.urls import resolve, reverse
from rq import Queue

from core.models import ObjectType
from extras.models import EventRule, Webhook
from utilities.request import copy_safe_request

from netbox_peering_manager.middleware import Posted, PostedMiddleware
from netbox_peering_manager.models import Deployment
from tests.deployments.scenery import make_router

SECRET = "typed-by-hand-93"
UI, REST = "plugins:netbox_peering_manager", "plugins-api:netbox_peering_manager-api"


@pytest.fixture
def queued(db, django_capture_on_commit_callbacks):
    """What waits in Redis for a webhook that hears of every event about deployments."""
    webhook = Webhook.objects.create(name="All", payload_url="http://127.0.0.1:9/")
    rule = EventRule.objects.create(
        name="All",
        event_types=["object_created", "object_updated", "deployment_rendered"],
        action_type="webhook",
        action_object=webhook,
    )
    rule.object_types.set([ObjectType.objects.get_for_model(Deployment)])
    found = []

    def enqueue(queue, function, *arguments, **fields):
        if function == "extras.webhooks.send_webhook":
            found.append(pickle.dumps(fields))

    with mock.patch.object(Queue, "enqueue", enqueue), django_capture_on_commit_callbacks(execute=True):
        yield found


@pytest.mark.parametrize("view", [f"{UI}:peeringrouter_config_manager", f"{REST}:router-commands"])
def test_events_carry_nothing_of_a_form(admin, queued, view, django_capture_on_commit_callbacks):
    router = make_router()
    data = {"commands": f"neighbor 198.51.100.42 password {SECRET}", "username": "ann", "password": SECRET}
    with django_capture_on_commit_callbacks(execute=True):
        admin.post(reverse(view, args=[router.pk]), data)
    assert Deployment.objects.get().own_credentials
    assert len(queued) == 2
    assert [each for each in queued if SECRET.encode() in each] == []


def posted(text, view, *args):
    """A request with a form, as a view of the plugin gets it."""
    request = RequestFactory().post("/", text, content_type="application/x-www-form-urlencoded")
    request.resolver_match, request.user = resolve(reverse(view, args=args)), None
    PostedMiddleware(lambda request: None).process_view(request)
    return request


def test_views_see_all_of_a_form():
    request = posted("password=a+b&tags=1&tags=2", f"{UI}:peeringsession_edit", 1)
    assert isinstance(request.POST, Posted)
    assert (request.POST["password"], request.POST.getlist("tags")) == ("a b", ["1", "2"])
    assert request.POST.copy().dict() == {"password": "a b", "tags": "2"}
    with pytest.raises(AttributeError, match="immutable"):
        request.POST["password"] = "c"


def test_forms_of_others_are_left_alone():
    request = posted("name=a", "dcim:site_add")
    assert type(request.POST) is QueryDict


def carried(request):
    return pickle.loads(pickle.dumps(copy_safe_request(request)))  # noqa: S301 (its own pickle)


def test_form_that_a_job_is_to_work_at_goes_along_once():
    request = posted("background_job=on&data=a&pk=1&pk=2", f"{UI}:peeringsession_bulk_import")
    in_job = carried(request)
    assert in_job.POST.getlist("pk") == ["1", "2"]
    assert in_job.POST["data"] == "a"
    assert carried(in_job).POST == {}

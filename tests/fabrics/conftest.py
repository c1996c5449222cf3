"""Sample worlds of PeeringDB, and a request that what a test changes belongs to."""

import uuid

import pytest
from django.contrib.auth import get_user_model

from netbox.context import events_queue
from netbox.context_managers import event_tracking
from utilities.request import NetBoxFakeRequest

from tests.peeringdb.conftest import hamlet, pristine_hamlet, pristine_town, town  # noqa: F401


@pytest.fixture
def root_request(db):
    """A request of a superuser, that all the test belongs to; its events go nowhere."""
    user = get_user_model().objects.create_superuser("root")
    values = {"META": {}, "POST": {}, "GET": {}, "FILES": {}, "user": user, "path": "", "id": uuid.uuid4()}
    request = NetBoxFakeRequest(values)
    with event_tracking(request):
        yield request
        events_queue.set({})

"""Work outside of a web request that leaves change records and events, as if somebody had done it in one."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from netbox.context import current_request
from netbox.context_managers import event_tracking
from utilities.request import NetBoxFakeRequest

if TYPE_CHECKING:
    from users.models import User


def request_of(user: "User | None") -> NetBoxFakeRequest:
    """
    Return a request of this user: what is done under it is one entry each in the change log, all with its id.

    Without a user the changes are recorded under the plugin's name (services.recording).
    """
    # All that utilities.request.copy_safe_request() asks for when an event rule calls a webhook or script.
    return NetBoxFakeRequest(
        {
            "META": {},
            "COOKIES": {},
            "POST": {},
            "GET": {},
            "FILES": {},
            "user": user,
            "method": "POST",
            "path": "",
            "path_info": "",
            "id": uuid.uuid4(),
        }
    )


@contextmanager
def recorded(request: NetBoxFakeRequest | None) -> Iterator[None]:
    """
    Run the body under `request`; its events are sent when the body ends. May be entered again and again.

    Under the request that there is, when there is one: a web request, or a job's. None: nothing is recorded.
    """
    if request is None:
        token = current_request.set(None)
        try:
            yield
        finally:
            current_request.reset(token)
    elif current_request.get() is not None:
        yield
    else:
        with event_tracking(request):
            yield

"""A session with a router, from its row in NetBox to an open connection."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .access import access_to
from .credentials import Credentials, profile
from .device import Device, connect

if TYPE_CHECKING:
    from ...models import PeeringRouter

__all__ = ("session_with",)


@contextmanager
def session_with(
    router: "PeeringRouter", credentials: Credentials | None = None, secrets: Iterable[str] = ()
) -> Iterator[Device]:
    """
    Open a session with `router` (see PeeringRouterQuerySet.with_access()) for the time of a `with` block.

    `credentials`: what a user typed; None: the router's credential profile. `secrets`: what else no message may hold,
    such as the passwords of its sessions. Every DeviceError names the router.
    """
    access = access_to(router)
    with connect(access, credentials or profile(access.profile, router), secrets) as device:
        yield device

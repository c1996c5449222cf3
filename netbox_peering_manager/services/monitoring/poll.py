"""
A poll: one NAPALM session with one router, all of its VRFs, and what becomes of it.

    a session with the router (services.devices) → match → transitions → record → events

A router is polled by one at a time. One that does not answer leaves its sessions' states marked as old.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django_pg_utils import advisory_lock

from ...choices import BGPStateChoices
from ...exceptions import DeviceError, PollRefused, PollRunning
from ...models import PeeringRouter, PeeringSession
from ..devices.neighbors import read_neighbors
from ..devices.session import session_with
from .events import tell
from .record import Recorded, mark_unanswered, record

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from users.models import User

__all__ = ("PollResult", "poll", "routers_of", "routers_to_poll")


@dataclass(frozen=True, slots=True)
class PollResult:
    """
    What a poll found, counted: the sessions of the router in NetBox, of them those that are Established and those that
    the router does not list; those whose state changed; the neighbours that NetBox does not know; what was told to
    event rules.
    """

    router: int
    polled: datetime
    sessions: int
    established: int
    missing: int
    changed: int
    unknown: int
    events: int

    def as_data(self) -> dict[str, Any]:
        """As JSON, for a job or the REST API."""
        return {**asdict(self), "polled": self.polled.isoformat()}


def poll(router: PeeringRouter, user: "User | None" = None) -> PollResult:
    """
    Ask `router` for its BGP sessions and keep what it says.

    `user` must be allowed to poll it; None: NetBox itself asks. PollRefused when not, PollRunning when somebody else
    polls it now, DeviceError when it does not answer: then the states of its sessions are marked as old.
    """
    if user is not None and not PeeringRouter.objects.restrict(user, "poll").filter(pk=router.pk).exists():
        raise PollRefused(_("You may not poll {router}.").format(router=router))
    with _alone(router):
        asked = timezone.now()
        with _failure_kept(router, asked), session_with(router) as device:
            neighbors = read_neighbors(device)
        recorded = record(router, neighbors, asked)
        return _result(router, asked, recorded, tell(router, recorded, asked))


@contextmanager
def _alone(router: PeeringRouter) -> Iterator[None]:
    with advisory_lock(f"netbox_peering_manager.poll.{router.pk}", wait=False) as acquired:
        if not acquired:
            raise PollRunning(_("{router} is being polled right now.").format(router=router))
        yield


@contextmanager
def _failure_kept(router: PeeringRouter, asked: datetime) -> Iterator[None]:
    try:
        yield
    except DeviceError as error:
        mark_unanswered(router, str(error), asked)
        raise
    except Exception as error:
        # A driver that stumbled over an answer. What it says may hold anything, so that only its kind is kept.
        mark_unanswered(router, f"{router}: {type(error).__name__}", asked)
        raise


def _result(router: PeeringRouter, asked: datetime, recorded: Recorded, events: int) -> PollResult:
    states = [step.state.bgp_state for step in recorded.steps]
    return PollResult(
        router=router.pk,
        polled=asked,
        sessions=len(states),
        established=states.count(BGPStateChoices.ESTABLISHED),
        missing=states.count(BGPStateChoices.MISSING),
        changed=sum(bool(step.changes) for step in recorded.steps),
        unknown=len(recorded.unknown),
        events=events,
    )


def routers_to_poll(user: "User | AnonymousUser", pks: Collection[int] | None = None) -> list[PeeringRouter]:
    """Return the routers with these ids (None: all) that `user` may poll, in the order of their devices. One query."""
    routers = PeeringRouter.objects.with_access().restrict(user, "poll")
    return list(routers if pks is None else routers.filter(pk__in=pks))


def routers_of(sessions: Any, user: "User | AnonymousUser") -> list[PeeringRouter]:
    """
    Return the routers of these sessions (a queryset) that `user` may poll, each once.

    PollRefused when there is none: sessions without a scope, whose device is no peering router, or not the user's.
    """
    devices = PeeringSession.objects.filter(pk__in=sessions.order_by().values("pk")).order_by()
    routers = PeeringRouter.objects.with_access().restrict(user, "poll")
    found = list(routers.filter(device__in=devices.values("bgp_peer__scope__router__device")))
    if not found:
        raise PollRefused(
            _(
                "None of these sessions is on a peering router that you may poll. Add the device as a router first."
            )
        )
    return found

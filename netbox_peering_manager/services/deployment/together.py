"""
Asking for several sessions at once, of whatever routers they are on: one deployment for each router.

What one router refuses does not keep the others from being asked: whoever asked is told both.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from ...choices import DeploymentKindChoices as Kind
from ...exceptions import DeploymentRefused
from ...models import Deployment, DeploymentBatch, PeeringRouter, PeeringSession, RemovedSession
from . import asking, decisions, fleet
from .fleet import REFUSALS
from .removal import removed_in

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

__all__ = (
    "REFUSALS",
    "Asked",
    "Places",
    "Refused",
    "again",
    "configure",
    "configure_sessions",
    "places_of",
    "remove_sessions",
    "reschedule",
    "why_not_again",
)


@dataclass(frozen=True, slots=True)
class Refused:
    """What could not be asked for, and why. `router` None: of sessions that no peering router carries."""

    router: int | None
    sessions: tuple[int, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of it. There is a batch when several routers were asked for together."""

    deployments: tuple[Deployment, ...] = ()
    refused: tuple[Refused, ...] = ()
    batch: DeploymentBatch | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """Which routers carry sessions: the routers by id, their sessions' ids by router id, and those without a router."""

    routers: tuple[PeeringRouter, ...]
    sessions: Mapping[int, tuple[int, ...]]
    without: tuple[int, ...] = ()

    def refused(self) -> tuple[Refused, ...]:
        """Return what is to be told of those without a router."""
        return (Refused(None, self.without, _without_router(self.without)),) if self.without else ()


def places_of(sessions: Collection[int], user: "AbstractBaseUser") -> Places:
    """
    Find the routers of these sessions (by id) that `user` may view. Sessions that they may not view are left out as if
    they did not exist. Two queries.
    """
    found = PeeringSession.objects.restrict(user, "view").filter(pk__in=sessions).order_by("pk")
    groups: dict[int | None, list[int]] = {}
    for pk, router in found.values_list("pk", "bgp_peer__scope__router__device__peering_router"):
        groups.setdefault(router, []).append(pk)
    visible = PeeringRouter.objects.restrict(user, "view").with_access().select_related("config_template")
    routers = tuple(visible.filter(pk__in=[pk for pk in groups if pk]).order_by("pk"))
    known = {router.pk for router in routers}
    return Places(
        routers,
        {pk: tuple(chosen) for pk, chosen in groups.items() if pk is not None and pk in known},
        tuple(sorted(one for pk, chosen in groups.items() if pk not in known for one in chosen)),
    )


def configure_sessions(sessions: Collection[int], user: "AbstractBaseUser", **wanted: Any) -> Asked:
    """Ask for these sessions (by id) to be configured; see `configure`."""
    return configure(places_of(sessions, user), user, **wanted)


def configure(
    places: Places,
    user: "AbstractBaseUser",
    *,
    automatic: bool,
    scheduled: datetime | None = None,
    mode: str | None = None,
    reason: str = "",
) -> Asked:
    """
    Ask for sessions to be configured, one deployment for each router; several routers make a batch.

    The queries grow with the routers, not with the sessions.
    """
    wanted: dict[str, Any] = {
        "automatic": automatic,
        "scheduled": scheduled,
        "mode": mode,
        "reason": reason,
    }
    if len(places.routers) > 1:
        batch = fleet.deploy_many(places.routers, user, sessions_by_router=places.sessions, **wanted)
        made = Deployment.objects.with_router().filter(batch=batch).order_by("pk")
        refused = tuple(
            Refused(one["router"], tuple(places.sessions[one["router"]]), one["reason"])
            for one in batch.asked
            if one["reason"]
        )
        return Asked(tuple(made), (*refused, *places.refused()), batch)
    made_here: list[Deployment] = []
    refused_here: list[Refused] = []
    for router in places.routers:
        chosen = places.sessions[router.pk]
        try:
            made_here.append(asking.request(router, user, sessions=chosen, **wanted))
        except REFUSALS as error:
            refused_here.append(Refused(router.pk, chosen, str(error)))
    return Asked(tuple(made_here), (*refused_here, *places.refused()))


def remove_sessions(removed: Collection[int], user: "AbstractBaseUser", *, reason: str = "") -> Asked:
    """Ask for these removed sessions (by id) to be taken off their routers, one deployment for each router."""
    devices: dict[int, list[int]] = {}
    for device, pk in (
        RemovedSession.objects.filter(pk__in=removed).order_by("pk").values_list("device", "pk")
    ):
        devices.setdefault(device, []).append(pk)
    visible = PeeringRouter.objects.restrict(user, "view").with_access().select_related("config_template")
    made: list[Deployment] = []
    refused: list[Refused] = []
    for router in visible.filter(device__in=devices).order_by("pk"):
        wanted: dict[str, Any] = {"kind": Kind.REMOVE, "removed": devices[router.device_id]}
        try:
            made.append(asking.request(router, user, automatic=True, reason=reason, **wanted))
        except REFUSALS as error:
            refused.append(Refused(router.pk, (), str(error)))
    return Asked(tuple(made), tuple(refused))


def reschedule(deployment: Deployment, user: "AbstractBaseUser", when: datetime) -> None:
    """
    Schedule `deployment` for another time, and let the object at hand, which is about to be saved, know what that
    wrote. DeploymentRefused when it is not allowed.
    """
    row = Deployment.objects.with_router().get(pk=deployment.pk)
    decisions.schedule(row, user, when)
    for name in ("scheduled", "released_by", "automatic", "expires", "status", "reason"):
        setattr(deployment, name, getattr(row, name))


def why_not_again(deployment: Deployment) -> str:
    """Return why the same cannot be asked for once more, "" when it can."""
    if deployment.kind == Kind.COMMANDS:
        return _("One-time commands are kept nowhere: enter them again in the Config Manager.")
    return ""


def again(deployment: Deployment, user: "AbstractBaseUser") -> Deployment:
    """
    Ask for the same once more: the same router, kind, mode and sessions, rendered anew and compared only.

    DeploymentRefused, or another of REFUSALS, when that cannot be.
    """
    if reason := why_not_again(deployment):
        raise DeploymentRefused(reason)
    router = PeeringRouter.objects.with_access().get(pk=deployment.router_id)
    sessions = removed = None
    if deployment.partial:
        targets = deployment.targets.exclude(session=None).order_by()
        sessions = list(targets.values_list("session_id", flat=True))
        removed = [row.pk for row in removed_in(deployment)]
        if not sessions and not removed:
            raise DeploymentRefused(
                _("Nothing of {deployment} is left: its sessions were deleted.").format(deployment=deployment)
            )
    return asking.request(
        router, user, kind=deployment.kind, sessions=sessions, removed=removed, mode=deployment.mode
    )


def _without_router(sessions: Sequence[int]) -> str:
    names = [str(each) for each in PeeringSession.objects.with_bgp().filter(pk__in=sessions[:3])]
    if len(sessions) > len(names):
        names.append("…")
    return _(
        "No peering router, or none that you may view, carries {sessions}: make its device a peering router first."
    ).format(sessions=", ".join(names))

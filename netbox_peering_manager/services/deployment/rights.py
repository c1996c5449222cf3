"""
Who may do what with deployments: NetBox's object permissions, held against the deployment as it stands.

What a deployment says (text, changes, reasons that name neighbours) is of its sessions: who may view all of those that
it is about may read it, as who asks for it has to (services.deployment.asking).
"""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from django.db.models import BooleanField, Case, Exists, OuterRef, Q, Value, When

from utilities.permissions import get_permission_for_model

from ...models import Deployment, DeploymentSession, PeeringSession
from ..permissions import is_unconstrained

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

__all__ = (
    "ADD",
    "APPROVE",
    "CHANGE",
    "COMMIT",
    "RUN_COMMANDS",
    "may",
    "may_read",
    "may_read_routers",
    "readable",
    "sees_all_sessions",
)

ADD, CHANGE, APPROVE, COMMIT, RUN_COMMANDS = "add", "change", "approve", "commit", "run_commands"


def may(user: "AbstractBaseUser | None", action: str, deployment: Deployment | None = None) -> bool:
    """Whether `user`, who has to be active, may do this with the deployment; without one: with any at all."""
    if user is None or not user.is_active:
        return False
    if deployment is None:
        return bool(user.has_perm(get_permission_for_model(Deployment, action)))  # type: ignore[attr-defined]
    return Deployment.objects.restrict(user, action).filter(pk=deployment.pk).exists()


def sees_all_sessions(user: Any) -> bool:
    """Whether `user` may view sessions without limits, so that they may read every deployment that they may view."""
    return bool(is_unconstrained(user, get_permission_for_model(PeeringSession, "view")))


def readable(user: Any, *, whole: bool = False) -> Any:
    """
    Return an expression for querysets of deployments: whether `user` may read one. `whole`: whether they may view all
    sessions of its router, so also read what is said of neighbours beside those that a partial one is about.

    A session that is gone is nobody's to view: a deployment that was about one counts as one of the whole router.
    """
    if sees_all_sessions(user):
        return Value(True)
    if not user.has_perm(get_permission_for_model(PeeringSession, "view")):
        return Value(False)
    on_router = Exists(_hidden(user).filter(bgp_peer__scope__router__device=OuterRef("router__device")))
    if whole:
        return ~on_router
    targets = DeploymentSession.objects.filter(deployment=OuterRef("pk")).order_by()
    return Case(
        When(
            Q(partial=True) & ~Exists(targets.filter(session=None)),
            then=~Exists(targets.filter(session__in=_hidden(user).values("pk"))),
        ),
        default=~on_router,
        output_field=BooleanField(),
    )


def may_read(user: Any, deployments: Iterable[Deployment], *, whole: bool = False) -> set[int]:
    """Return the ids of those of `deployments` that `user` may read. One query; none for who sees every session."""
    pks = {one.pk for one in deployments}
    if not pks or sees_all_sessions(user):
        return pks
    if not user.has_perm(get_permission_for_model(PeeringSession, "view")):
        return set()
    found = Deployment.objects.filter(readable(user, whole=whole), pk__in=pks).order_by()
    return set(found.values_list("pk", flat=True))


def may_read_routers(user: Any, devices: Collection[int]) -> set[int]:
    """Return those of these devices (by id) of which `user` may view all sessions. One query at most."""
    if not devices or sees_all_sessions(user):
        return set(devices)
    if not user.has_perm(get_permission_for_model(PeeringSession, "view")):
        return set()
    hidden = _hidden(user).filter(bgp_peer__scope__router__device__in=devices)
    return set(devices) - set(hidden.values_list("bgp_peer__scope__router__device", flat=True))


def _hidden(user: Any) -> Any:
    """The sessions that `user` may not view."""
    visible = PeeringSession.objects.restrict(user, "view").order_by().values("pk")
    return PeeringSession.objects.exclude(pk__in=visible).order_by()

"""
Admin up and admin down of a deployment that is not sent after all: NetBox says again what the router does.

Otherwise the next deployment of the router, of whoever, would carry out what was rejected.
"""

from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q, QuerySet

from ...choices import DeploymentKindChoices, DeploymentStatusChoices
from ...models import Deployment
from ..recording import bulk_update, snapshot_all
from ..tracking import recorded, request_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

__all__ = ("take_back",)


def take_back(deployment: Deployment, user: "AbstractBaseUser | None") -> list[str]:
    """
    Switch the sessions back that were switched on or off for `deployment`, in the name of `user`, with change records.

    Those that somebody has switched since stay as they are; so do those that a later deployment brought to the router
    as they were switched. Returns their names.
    """
    targets = deployment.targets.filter(was_enabled__isnull=False, session__isnull=False)
    targets = targets.exclude(Exists(_brought_later(deployment)))
    found = [
        (target.session, target.was_enabled)
        for target in targets.select_related("session__bgp_peer__peer")
        if target.session.bgp_peer.enabled is not target.was_enabled
    ]
    peers = [session.bgp_peer for session, _was in found]
    with recorded(request_of(user)):
        snapshot_all(peers)
        for session, was in found:
            session.bgp_peer.enabled = was
        # Without a user (too late) in the plugin's name.
        bulk_update(peers, ["enabled"])
    return [str(session) for session, _was in found]


def _brought_later(deployment: Deployment) -> "QuerySet[Deployment]":
    """Those that the router has of after `deployment`: of all of it, or of the session of the outer query."""
    later = Deployment.objects.filter(
        router=deployment.router_id,
        kind=DeploymentKindChoices.CONFIGURE,
        status=DeploymentStatusChoices.DONE,
        created__gt=deployment.created,
    )
    return later.filter(Q(partial=False) | Q(targets__session=OuterRef("session"))).order_by()

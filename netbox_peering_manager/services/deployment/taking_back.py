"""
Admin up and admin down of a deployment that is not sent after all: NetBox says again what the router does.

Otherwise the next deployment of the router, of whoever, would carry out what was rejected.
"""

from typing import TYPE_CHECKING

from ...models import Deployment
from ..recording import bulk_update, snapshot_all
from ..tracking import recorded, request_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

__all__ = ("take_back",)


def take_back(deployment: Deployment, user: "AbstractBaseUser | None") -> list[str]:
    """
    Switch the sessions back that were switched on or off for `deployment`, in the name of `user`, with change records.

    Those that somebody has switched since stay as they are. Returns their names.
    """
    targets = deployment.targets.filter(was_enabled__isnull=False, session__isnull=False)
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

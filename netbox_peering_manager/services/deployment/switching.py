"""
Admin up and admin down: a session is switched on or off in NetBox, and that is deployed.

How a session that is off is told to a router is its config template's business: `neighbor … shutdown` on Cisco's and
FRR, `deactivate` or an inactive group on Junos.
"""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from netbox.context import events_queue

from ...exceptions import DeploymentRefused
from ...models import DeploymentSession, PeeringSession
from ..permissions import allowed_pks
from . import together

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

__all__ = ("may_switch", "switch_sessions")


def may_switch(user: "AbstractBaseUser", sessions: Sequence[PeeringSession]) -> set[int]:
    """Return the ids of those sessions that `user` may change together with their BGPPeers. Two queries at most."""
    changeable = allowed_pks(sessions, user, "change")
    peers = allowed_pks([session.bgp_peer for session in sessions], user, "change")
    return {session.pk for session in sessions if session.pk in changeable and session.bgp_peer_id in peers}


def switch_sessions(
    sessions: Collection[int], user: "AbstractBaseUser", *, enabled: bool, reason: str = ""
) -> together.Asked:
    """
    Switch these sessions (by id) on or off, with change records, and ask for that to be deployed, router by router.

    Where a router refuses, its sessions stay as they were in NetBox too; and those of a deployment that is not sent
    after all, because it is rejected, cancelled or too late, become again what they were (`taking_back`).
    DeploymentRefused when the user may not change one of them or its BGPPeer; nothing is changed then.
    """
    found = list(
        PeeringSession.objects.restrict(user, "view").with_bgp().filter(pk__in=sessions).order_by("pk")
    )
    allowed = may_switch(user, found)
    if kept := [str(session) for session in found if session.pk not in allowed]:
        raise DeploymentRefused(
            _("You may not change {sessions}, or the BGP peers of these.").format(
                sessions=", ".join(kept[:3]) + (", …" if len(kept) > 3 else "")
            )
        )
    results = [_switch(group, user, enabled, reason) for group in _by_device(found)]
    return together.Asked(
        tuple(one for result in results for one in result.deployments),
        tuple(one for result in results for one in result.refused),
    )


def _by_device(sessions: Sequence[PeeringSession]) -> list[list[PeeringSession]]:
    groups: dict[int | None, list[PeeringSession]] = {}
    for session in sessions:
        device = session.device
        groups.setdefault(device.pk if device else None, []).append(session)
    return list(groups.values())


def _switch(
    sessions: Sequence[PeeringSession], user: "AbstractBaseUser", enabled: bool, reason: str
) -> together.Asked:
    """Sessions of one router: all or nothing."""
    queue = dict(events_queue.get())
    switched = []
    with transaction.atomic():
        for session in sessions:
            peer = session.bgp_peer
            if peer.enabled is not enabled:
                switched.append(session.pk)
                peer.snapshot()
                peer.enabled = enabled
                peer.save()
        asked = together.configure_sessions(
            [session.pk for session in sessions], user, automatic=True, reason=reason
        )
        if asked.refused:
            transaction.set_rollback(True)
            events_queue.set(queue)
        else:
            targets = DeploymentSession.objects.filter(deployment__in=[one.pk for one in asked.deployments])
            targets.filter(session__in=switched).update(was_enabled=not enabled)
    return asked

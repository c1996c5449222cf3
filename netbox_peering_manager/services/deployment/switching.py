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
from utilities.exceptions import AbortRequest

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

    Where a router refuses, or the user may not make its sessions what they would become, these stay as they were in
    NetBox too; and those of a deployment that is not sent
    after all, because it is rejected, cancelled or too late, become again what they were (`taking_back`).
    DeploymentRefused when the user may not change one of them or its BGPPeer; nothing is changed then.
    """
    found = list(
        PeeringSession.objects.restrict(user, "view").with_bgp().filter(pk__in=sessions).order_by("pk")
    )
    if kept := _kept(found, user):
        raise DeploymentRefused(
            _("You may not change {sessions}, or the BGP peers of these.").format(sessions=kept)
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


def _kept(sessions: Sequence[PeeringSession], user: "AbstractBaseUser") -> str:
    """Those that the user may not change, to be told, "" when there is none: as the database has them."""
    allowed = may_switch(user, sessions)
    kept = [str(session) for session in sessions if session.pk not in allowed]
    return ", ".join(kept[:3]) + (", …" if len(kept) > 3 else "")


def _switch(
    sessions: Sequence[PeeringSession], user: "AbstractBaseUser", enabled: bool, reason: str
) -> together.Asked:
    """
    Sessions of one router: all or nothing. Whatever speaks against it is returned: those of another router may be
    switched already, and their deployment is still to be started.
    """
    queue = dict(events_queue.get())
    try:
        with transaction.atomic():
            asked = _switched(sessions, user, enabled, reason)
            if not asked.refused:
                return asked
            transaction.set_rollback(True)
    except (*together.REFUSALS, AbortRequest) as error:
        chosen = tuple(session.pk for session in sessions)
        router = together.places_of(chosen, user).routers
        asked = together.Asked(
            refused=(together.Refused(router[0].pk if router else None, chosen, str(error)),)
        )
    # What happened to nobody is told to nobody.
    events_queue.set(queue)
    return asked


def _switched(
    sessions: Sequence[PeeringSession], user: "AbstractBaseUser", enabled: bool, reason: str
) -> together.Asked:
    switched = [session for session in sessions if session.bgp_peer.enabled is not enabled]
    for session in switched:
        peer = session.bgp_peer
        peer.snapshot()
        peer.enabled = enabled
        peer.save()
    # As NetBox's own forms do: a right may be limited to what a row is now, and not allow what it became.
    if kept := _kept(switched, user):
        raise DeploymentRefused(
            _("You may not change {sessions}, or the BGP peers of these, to this.").format(sessions=kept)
        )
    asked = together.configure_sessions(
        [session.pk for session in sessions], user, automatic=True, reason=reason
    )
    targets = DeploymentSession.objects.filter(deployment__in=[one.pk for one in asked.deployments])
    targets.filter(session__in=[session.pk for session in switched]).update(was_enabled=not enabled)
    return asked

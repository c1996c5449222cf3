"""
Forgetting the sessions that were deleted in NetBox, once their router really no longer has them.

What is to be removed stands in RemovedSession (services.provisioning.removal). It is in every deployment of the whole
router, and in those that are made to remove it.
"""

from typing import Any

from ...choices import ConfigModeChoices, DeploymentKindChoices
from ...choices import DeploymentStatusChoices as Status
from ...models import Deployment, DeploymentSession, RemovedSession
from .mentions import addresses_in

__all__ = ("forget_done", "removed_in")

# VRF ("": none), address, interface of a link-local one.
type Neighbor = tuple[str, str, str]


def forget_done(deployment: Deployment) -> int:
    """
    Forget the removed sessions of a deployment that is done, and return how many. Three queries at most.

    Those that the router still lists among its neighbours are kept: its config template did not remove them.
    """
    if deployment.status != Status.DONE or deployment.kind == DeploymentKindChoices.COMMANDS:
        return 0
    removed = [row for row in removed_in(deployment) if row.removed <= deployment.created]
    gone = [row.pk for row in removed if _is_gone(deployment, row)]
    if not gone:
        return 0
    rows: Any = RemovedSession.objects.filter(pk__in=gone)
    # Nothing hangs on them and nobody listens, which delete() would find out for each.
    rows._raw_delete(rows.db)
    return len(gone)


def removed_in(deployment: Deployment) -> list[RemovedSession]:
    """Return the removed sessions that it is about: all of the router, or those that it names. Two queries."""
    rows = RemovedSession.objects.filter(device=deployment.router.device_id)
    if not deployment.partial:
        return list(rows)
    wanted = {_neighbor(target) for target in deployment.targets.filter(session=None)}
    return [row for row in rows if _neighbor(row) in wanted] if wanted else []


def _is_gone(deployment: Deployment, row: RemovedSession) -> bool:
    # What was seen after it was sent; when there was nothing to send, when it was compared.
    sent = deployment.sent is not None
    seen: list[dict[str, Any]] = (deployment.sessions_after if sent else deployment.sessions_before) or []
    if any(_is(row, one) for one in seen):
        return False
    if seen or sent or deployment.mode == ConfigModeChoices.REPLACE:
        return True
    # The router tells no neighbours, and nothing was sent: that there was nothing to change says something only when
    # the template spoke of this one.
    return row.remote_ip in addresses_in(deployment.masked_text)


def _is(row: RemovedSession, seen: dict[str, Any]) -> bool:
    if (row.vrf, row.remote_ip) != (seen["vrf"], seen["remote_ip"]):
        return False
    return not row.local_interface or seen["interface"] in ("", row.local_interface)


def _neighbor(one: DeploymentSession | RemovedSession) -> Neighbor:
    return one.vrf, str(one.remote_ip), one.local_interface

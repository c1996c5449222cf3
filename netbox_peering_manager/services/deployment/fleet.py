"""
Many routers at once: a batch of deployments, one for each router, which is stopped by hand or after too many failures.

    new_batch (who is asked for) → deploy_many (one deployment after the other, each with a job of its own)
    each end of a deployment → noted → stop, when there were too many failures

What has begun to be sent is never stopped half-way: it is confirmed, or goes back. Whoever is about to send asks
why_not_begin() first, so that a batch that was stopped is stopped for every worker.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ...choices import DeploymentStatusChoices as Status
from ...exceptions import DeploymentError, DeploymentRefused, DeviceError, RenderingError, SecretError
from ...models import Deployment, DeploymentBatch, PeeringRouter
from ...settings import get_setting
from ..devices.masking import masked
from . import asking, moves
from .rights import COMMIT

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

__all__ = (
    "BEGUN",
    "FAILURES",
    "REFUSALS",
    "check",
    "deploy_many",
    "failures_of",
    "new_batch",
    "noted",
    "stop",
    "why_not_begin",
    "why_not_stop",
)

FAILURES = (Status.FAILED, Status.ROLLED_BACK)
# What a stop leaves alone.
BEGUN = (*Status.SENDING, *Status.ENDED)
# Why there can be no deployment of a router; nothing was made then.
REFUSALS = (DeploymentError, RenderingError, SecretError, DeviceError)

type Start = Callable[[Deployment], Any]
type Report = Callable[[int, int, str], None]


def new_batch(
    routers: Sequence[PeeringRouter],
    user: "AbstractBaseUser",
    *,
    automatic: bool,
    scheduled: datetime | None = None,
    max_failures: int | None = None,
) -> DeploymentBatch:
    """
    Make a batch that has no deployments yet. `max_failures` None: as in the settings, if anything is to be sent.

    DeploymentRefused without a router.
    """
    if not routers:
        raise DeploymentRefused(_("Choose at least one router."))
    if max_failures is None and (automatic or scheduled):
        max_failures = get_setting("deployment_max_failures")
    return DeploymentBatch.objects.create(
        user=user,
        max_failures=max_failures,
        asked=[{"router": router.pk, "name": str(router), "reason": ""} for router in routers],
    )


def deploy_many(
    routers: Sequence[PeeringRouter],
    user: "AbstractBaseUser",
    *,
    automatic: bool,
    scheduled: datetime | None = None,
    max_failures: int | None = None,
    sessions_by_router: Mapping[int, Collection[int]] | None = None,
    batch: DeploymentBatch | None = None,
    mode: str | None = None,
    reason: str = "",
    start: Start | None = None,
    report: Report | None = None,
) -> DeploymentBatch:
    """
    Ask for a deployment of each router, in this order, and `start` each (its job) as soon as it is made.

    A router that is refused, or whose template fails, is listed with the reason and counts as a failure; after
    `max_failures`, or when somebody stops the batch, the rest is not asked for. `sessions_by_router`, ids by router id,
    limits what is deployed. `batch`: one of new_batch(), else it is made. `report` is told how far this is.
    """
    if batch is None:
        batch = new_batch(routers, user, automatic=automatic, scheduled=scheduled, max_failures=max_failures)
    names = {one["router"]: one["name"] for one in batch.asked}
    for position, router in enumerate(routers):
        if report:
            report(position, len(routers), names.get(router.pk, ""))
        if _why_stopped(batch):
            break
        try:
            deployment = asking.request(
                router,
                user,
                sessions=None if sessions_by_router is None else sessions_by_router.get(router.pk, ()),
                mode=mode,
                automatic=automatic,
                scheduled=scheduled,
                batch=batch,
                reason=reason,
            )
        except REFUSALS as error:
            _refuse(batch, router, str(error))
        else:
            if start:
                start(deployment)
    if report:
        report(len(routers), len(routers), "")
    batch.refresh_from_db()
    return batch


def why_not_begin(deployment: Deployment) -> str:
    """Return why the deployment must not begin to be sent, "" when nothing of its batch speaks against it."""
    if deployment.batch_id is None:
        return ""
    batch = DeploymentBatch.objects.filter(pk=deployment.batch_id).first()
    return _why_stopped(batch) if batch else ""


def check(deployment: Deployment) -> None:
    """DeploymentRefused, and the deployment is cancelled, when its batch was stopped before it began."""
    if reason := why_not_begin(deployment):
        _cancelled(deployment, None, reason)
        raise DeploymentRefused(reason)


def why_not_stop(batch: DeploymentBatch, user: "AbstractBaseUser | AnonymousUser") -> str:
    """
    Return why `user` may not stop the batch, "" when that is allowed: to who asked for it, and to who may commit each
    of its deployments.
    """
    if batch.stopped:
        return _("{batch} was stopped already.").format(batch=batch)
    # The id alone, without reading the user.
    if user.pk is not None and getattr(batch, "user_id", None) == user.pk:
        return ""
    all_of_it: Any = Deployment.objects.filter(batch=batch).order_by()
    allowed = all_of_it.restrict(user, COMMIT).values("pk")
    if all_of_it.exists() and not all_of_it.exclude(pk__in=allowed).exists():
        return ""
    return _(
        "{batch} can be stopped by who asked for it, and by who may commit all of its deployments."
    ).format(batch=batch)


def stop(batch: DeploymentBatch, user: "AbstractBaseUser | None" = None, reason: str = "") -> int:
    """
    Begin nothing more of the batch, and cancel what waits. Return how many deployments were cancelled.

    `user` None: by itself. DeploymentRefused, naming the way out, for who may not stop it.
    """
    if user is not None and (refusal := why_not_stop(batch, user)):
        raise DeploymentRefused(refusal)
    reason = masked(reason) or _("Stopped by {user}.").format(user=user)
    # The first one who stops it says why.
    DeploymentBatch.objects.filter(pk=batch.pk, stopped=None).update(
        stopped=timezone.now(), stopped_because=reason
    )
    batch.refresh_from_db()
    deployments: Any = Deployment.objects.filter(batch=batch).exclude(status__in=BEGUN)
    because = _why_stopped(batch)
    return sum(_cancelled(one, user, because) for one in deployments.with_router().order_by("pk"))


def noted(deployment: Deployment) -> None:
    """
    Called when a deployment has ended, within the transaction that ends it: one failure too many stops its batch.

    Not before that transaction is done: what it would wait for may wait for it.
    """
    if deployment.batch_id is not None and deployment.status in FAILURES:
        transaction.on_commit(partial(_stop_if_too_many, deployment.batch_id), robust=True)


def failures_of(batch: DeploymentBatch) -> int:
    """Return how many routers of the batch failed, were rolled back, or were refused."""
    failed = Deployment.objects.filter(batch=batch, status__in=FAILURES).count()
    return failed + batch.refused_count


def _why_stopped(batch: DeploymentBatch) -> str:
    """Why nothing more of the batch may begin, as the database has it now; "" when nothing speaks against it."""
    batch.refresh_from_db()
    because = batch.stopped_because if batch.stopped else _too_many(batch)
    if not because:
        return ""
    return _("{batch} was stopped: {because}").format(batch=batch, because=because)


def _too_many(batch: DeploymentBatch) -> str:
    if batch.max_failures is None or (failures := failures_of(batch)) < batch.max_failures:
        return ""
    return ngettext("{count} router failed.", "{count} routers failed.", failures).format(count=failures)


def _stop_if_too_many(batch_id: int) -> None:
    batch = DeploymentBatch.objects.filter(pk=batch_id, stopped=None).first()
    if batch is not None and (because := _too_many(batch)):
        stop(batch, reason=because)


def _refuse(batch: DeploymentBatch, router: PeeringRouter, reason: str) -> None:
    with transaction.atomic():
        locked = DeploymentBatch.objects.select_for_update().get(pk=batch.pk)
        for one in locked.asked:
            if one["router"] == router.pk:
                one["reason"] = reason
        locked.save(update_fields=["asked"])
    _stop_if_too_many(batch.pk)


def _cancelled(deployment: Deployment, user: "AbstractBaseUser | None", reason: str) -> bool:
    try:
        moves.move(deployment, Status.CANCELLED, user=user, reason=reason)
    except DeploymentRefused:
        # It moved meanwhile: it began, or ended by itself.
        return False
    return True

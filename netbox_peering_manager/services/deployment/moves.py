"""
How a deployment goes from one state to the next: the only place where a status is written.

Each move is one step in its record, one event for event rules and, for those who subscribed to the deployment, one
notification. No change record: the steps say more.
"""

import copy
import logging
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext as _

from core.models import ObjectType
from extras.events import EventContext, flush_events
from extras.models import Notification, Subscription
from netbox.context import current_request
from utilities.exceptions import AbortRequest

from ...choices import DEPLOYMENT_MOVES, DeploymentKindChoices, DeploymentStatusChoices
from ...events import deployment_event
from ...exceptions import DeploymentRefused
from ...models import Deployment, DeploymentStep
from .forgetting import signs_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

__all__ = ("begin", "change", "move", "note")

# Somebody or something decided that it is not sent.
UNSENT = (DeploymentStatusChoices.CANCELLED, DeploymentStatusChoices.EXPIRED)
logger = logging.getLogger("netbox.netbox_peering_manager.deployment")


@transaction.atomic
def move(
    deployment: Deployment,
    status: str,
    *,
    user: "AbstractBaseUser | None" = None,
    reason: str = "",
    **fields: Any,
) -> None:
    """
    Bring the deployment to `status`, and write `fields` with it. `reason` is masked by the caller.

    DeploymentRefused, naming both states, when that is no legal move from where it stands in the database, whatever
    the given object says. Whoever ends a deployment ends what it would have sent: its encrypted text is forgotten, and
    of one-time commands the changes as well.
    """
    former = _locked_status(deployment)
    if status not in DEPLOYMENT_MOVES[former]:
        raise DeploymentRefused(_why_not(deployment, former, status))
    if status in DeploymentStatusChoices.ENDED:
        fields |= {"ended": timezone.now(), "encrypted_text": "", **_without_commands(deployment)}
    if reason:
        fields["reason"] = reason
    _write(deployment, status=status, **fields)
    _record(deployment, former, user, reason)


@transaction.atomic
def begin(deployment: Deployment, *, user: "AbstractBaseUser | None" = None, reason: str = "") -> None:
    """Record the first step of a deployment that was just made."""
    _record(deployment, "", user, reason)


@transaction.atomic
def note(
    deployment: Deployment, reason: str, *, user: "AbstractBaseUser | None" = None, **fields: Any
) -> None:
    """
    Record something that happened to the deployment without a move, and write `fields` with it. The same thing again,
    with nothing in between, is not recorded twice.
    """
    status = _locked_status(deployment)
    if fields:
        _write(deployment, **fields)
    last = deployment.steps.order_by("-pk").first()
    if last is None or (last.reason, last.status, last.user_id) != (
        reason,
        status,
        getattr(user, "pk", None),
    ):
        _step(deployment, status, status, user, reason)


def change(deployment: Deployment, **fields: Any) -> None:
    """Write fields of the deployment that are no move and no step."""
    _write(deployment, **fields)


@receiver(pre_delete, sender=Deployment)
def _refuse_to_forget(sender: type, instance: Deployment, **kwargs: object) -> None:
    """What is being sent has to be seen to its end; with it the device and the router that it hangs on."""
    # Not as the instance was read: it may have begun to be sent since, and must not while it is deleted.
    if _status_in_lock(instance) in DeploymentStatusChoices.SENDING:
        raise AbortRequest(
            _("{deployment} is being sent. Wait until it has ended, then delete it.").format(
                deployment=instance
            )
        )


def _locked_status(deployment: Deployment) -> str:
    if (status := _status_in_lock(deployment)) is None:
        raise DeploymentRefused(_("{deployment} was deleted.").format(deployment=deployment))
    return status


def _status_in_lock(deployment: Deployment) -> str | None:
    """The status in the database, which nobody else changes until the transaction ends; None: it was deleted."""
    found = Deployment.objects.select_for_update(of=("self",)).order_by()
    status: str | None = found.filter(pk=deployment.pk).values_list("status", flat=True).first()
    return status


def _without_commands(deployment: Deployment) -> dict[str, str]:
    if deployment.kind != DeploymentKindChoices.COMMANDS:
        return {}
    # As it is now: the object may be of before the comparison.
    diffs = Deployment.objects.filter(pk=deployment.pk).values_list("masked_diff", flat=True)
    return {"masked_diff": signs_of(diffs.get())}


def _why_not(deployment: Deployment, former: str, status: str) -> str:
    labels = dict(DeploymentStatusChoices)
    return _("{deployment} is {former}: it cannot become {status}.").format(
        deployment=deployment, former=labels[former], status=labels[status]
    )


def _write(deployment: Deployment, **fields: Any) -> None:
    """By update(), which no receiver of signals hears of: there is no change record to be made of it."""
    fields["last_updated"] = timezone.now()
    Deployment.objects.filter(pk=deployment.pk).update(**fields)
    for name, value in fields.items():
        setattr(deployment, name, value)


def _record(deployment: Deployment, former: str, user: "AbstractBaseUser | None", reason: str) -> None:
    from . import configured, fleet

    _step(deployment, former, deployment.status, user, reason)
    _notify(deployment)
    # As it is now: it may have moved on when the event is sent.
    moved = copy.copy(deployment)
    # Not with the events of a request, which are forgotten when what follows in it fails: this has happened. A
    # webhook that cannot be queued is no reason to stop half-way.
    transaction.on_commit(lambda: _send(moved, user), robust=True)
    configured.note(deployment)
    if former and deployment.status in UNSENT:
        _take_back(deployment, user)
    if former and deployment.has_ended:
        fleet.noted(deployment)


def _take_back(deployment: Deployment, user: "AbstractBaseUser | None") -> None:
    from .taking_back import take_back

    if back := take_back(deployment, user):
        text = _("In NetBox they are again as on the router: {sessions}").format(sessions=", ".join(back))
        _step(deployment, deployment.status, deployment.status, user, text)


def _step(
    deployment: Deployment, former: str, status: str, user: "AbstractBaseUser | None", reason: str
) -> None:
    DeploymentStep.objects.create(
        deployment=deployment,
        user=user,
        user_name=user.get_username() if user else "",
        former_status=former,
        status=status,
        reason=reason,
    )


def _notify(deployment: Deployment) -> None:
    """Tell subscribers, as NetBox does when an object changes: one notification per object and user, the latest."""
    kind = ContentType.objects.get_for_model(Deployment)
    users = Subscription.objects.filter(object_type=kind, object_id=deployment.pk)
    if not (subscribed := list(users.values_list("user", flat=True))):
        return
    Notification.objects.filter(object_type=kind, object_id=deployment.pk, user__in=subscribed).delete()
    Notification.objects.bulk_create(
        Notification(
            user_id=user,
            object_type=kind,
            object_id=deployment.pk,
            object_repr=Notification.get_object_repr(deployment),
            event_type=deployment_event(deployment.status),
        )
        for user in subscribed
    )


def _send(deployment: Deployment, user: "AbstractBaseUser | None") -> None:
    request = current_request.get()
    event = EventContext(
        object_type=ObjectType.objects.get_for_model(Deployment),
        object_id=deployment.pk,
        object=deployment,
        event_type=deployment_event(deployment.status),
        user=user or getattr(request, "user", None),
    )
    # In a job there may be none, and what acts on events takes any that is named for one.
    if request is not None:
        event["request"] = request
    flush_events([event])

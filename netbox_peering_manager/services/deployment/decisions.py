"""
What people decide about a deployment: approve, reject, cancel, schedule, release, end. For each verb a `why_not_…` that
says why somebody may not, for pages that do not offer what would be refused; the verb itself refuses with the same
words.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ...choices import ApprovalChoices
from ...choices import DeploymentStatusChoices as Status
from ...exceptions import DeploymentRefused, RouterBusy
from ...models import Deployment
from ..devices.masking import masked
from . import locks, moves, rights
from .asking import good_until

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

__all__ = (
    "approve",
    "cancel",
    "end",
    "reject",
    "release",
    "schedule",
    "why_not_approve",
    "why_not_cancel",
    "why_not_end",
    "why_not_reject",
    "why_not_release",
    "why_not_schedule",
)

# After the time in which the router could have gone back by itself.
GIVE_UP_AFTER = timedelta(minutes=10)


def approve(deployment: Deployment, user: "AbstractBaseUser", reason: str = "") -> None:
    """
    Agree that the deployment may be sent. It is approved then, or scheduled when it has a time.

    One that is to be committed by itself (`automatic`) is committed by the next pass, or at once by whoever starts
    DeploymentJob for it.
    """
    with _locked(deployment):
        _refuse(why_not_approve(deployment, user))
        moves.move(
            deployment,
            Status.APPROVED,
            user=user,
            reason=masked(reason),
            approved_by=user,
            approved=timezone.now(),
            expires=good_until(deployment.scheduled),
        )
        if deployment.scheduled is not None:
            moves.move(deployment, Status.SCHEDULED, user=user)


def reject(deployment: Deployment, user: "AbstractBaseUser", reason: str = "") -> None:
    """Disagree: the deployment is cancelled."""
    with _locked(deployment):
        _refuse(why_not_reject(deployment, user))
        text = _("Rejected: {reason}").format(reason=masked(reason)) if reason else _("Rejected.")
        moves.move(deployment, Status.CANCELLED, user=user, reason=text)


def cancel(deployment: Deployment, user: "AbstractBaseUser", reason: str = "") -> None:
    """Take the deployment back, before it is sent."""
    with _locked(deployment):
        _refuse(why_not_cancel(deployment, user))
        moves.move(deployment, Status.CANCELLED, user=user, reason=masked(reason))


def end(deployment: Deployment, user: "AbstractBaseUser", reason: str) -> None:
    """
    Give up a deployment that was being sent and of which nothing can be found out any more: its router is gone, say,
    or nobody has its credentials. It has failed then, with what the user, who looked at the router, says of it.
    """
    with _locked(deployment):
        _refuse(why_not_end(deployment, user))
        if not reason:
            raise DeploymentRefused(_("Say what is on {router} now.").format(router=deployment.router))
        text = _("Ended by hand: {reason}").format(reason=masked(reason))
        moves.move(deployment, Status.FAILED, user=user, reason=text)


def schedule(deployment: Deployment, user: "AbstractBaseUser", when: datetime) -> None:
    """Have the deployment committed at a time, or at another time than before. Approval may still be waited for."""
    with _locked(deployment):
        _refuse(why_not_schedule(deployment, user))
        if when <= timezone.now():
            raise DeploymentRefused(
                _("The time that it is scheduled for has passed. Choose a later one, or configure now.")
            )
        fields: dict[str, Any] = {"scheduled": when, "released_by": user, "automatic": False}
        if deployment.approved is None:
            fields["expires"] = good_until(when)
        elif deployment.expires is not None and when >= deployment.expires:
            raise DeploymentRefused(
                _("Its approval is good until {until:%Y-%m-%d %H:%M %Z}: choose an earlier time.").format(
                    until=timezone.localtime(deployment.expires)
                )
            )
        if deployment.status in (Status.COMPARED, Status.APPROVED):
            moves.move(deployment, Status.SCHEDULED, user=user, **fields)
        else:
            moves.note(
                deployment,
                _("Scheduled for {when:%Y-%m-%d %H:%M %Z}.").format(when=timezone.localtime(when)),
                user=user,
                **fields,
            )


def release(deployment: Deployment, user: "AbstractBaseUser") -> None:
    """
    Have the deployment committed now. Whoever calls starts DeploymentJob for it; else the next pass does.

    RouterBusy, naming who does, when something else is being sent to its router.
    """
    with _locked(deployment):
        _refuse(why_not_release(deployment, user))
        if busy := locks.why_busy(deployment.router):
            raise RouterBusy(busy)
        moves.note(
            deployment,
            _("To be committed now."),
            user=user,
            released_by=user,
            automatic=True,
            scheduled=None,
        )


def why_not_approve(deployment: Deployment, user: "AbstractBaseUser") -> str:
    """Return why this user may not approve the deployment now; "" when they may."""
    if why := why_not_reject(deployment, user):
        return why
    if deployment.router.approval == ApprovalChoices.OTHER and deployment.requested_by_id == user.pk:
        return _("You asked for it: somebody else has to approve what is sent to {router}.").format(
            router=deployment.router
        )
    if not rights.may_read(user, [deployment]):
        return _("It is about sessions that you may not view: you cannot see what you would approve.")
    return _why_expired(deployment)


def why_not_reject(deployment: Deployment, user: "AbstractBaseUser") -> str:
    """Return why this user may not reject the deployment now; "" when they may."""
    if not rights.may(user, rights.APPROVE, deployment):
        return _("You may not approve what is sent to {router}.").format(router=deployment.router)
    if deployment.status != Status.AWAITING_APPROVAL:
        return _wrong_state(deployment, _("it does not wait for an approval"))
    return ""


def why_not_cancel(deployment: Deployment, user: "AbstractBaseUser") -> str:
    """Return why this user may not cancel the deployment now; "" when they may: it is theirs, or they may change it."""
    own = deployment.requested_by_id is not None and deployment.requested_by_id == user.pk
    if not rights.may(user, rights.ADD if own else rights.CHANGE, deployment):
        return _("You may not cancel what somebody else asked for.")
    if deployment.status not in Status.WAITING:
        return _wrong_state(deployment, _("it cannot be cancelled any more"))
    return ""


def why_not_end(deployment: Deployment, user: "AbstractBaseUser") -> str:
    """Return why this user may not give the deployment up now; "" when they may."""
    if not rights.may(user, rights.COMMIT, deployment):
        return _("You may not commit what is sent to {router}.").format(router=deployment.router)
    if deployment.status not in Status.SENDING:
        return _wrong_state(deployment, _("it is not being sent"))
    over = (deployment.confirm_by or deployment.sent or deployment.created) + GIVE_UP_AFTER
    if over > timezone.now() or not locks.is_free(deployment.router):
        return _wrong_state(deployment, _("what became of it is still being found out"))
    return ""


def why_not_schedule(deployment: Deployment, user: "AbstractBaseUser") -> str:
    """Return why this user may not schedule the deployment now; "" when they may."""
    if why := _why_not_commit(deployment, user):
        return why
    if deployment.status not in Status.WAITING:
        return _wrong_state(deployment, _("it cannot be scheduled any more"))
    if deployment.own_credentials:
        return _(
            "Typed credentials are kept for minutes: with them a deployment has to be committed at once."
        )
    return _why_expired(deployment)


def why_not_release(deployment: Deployment, user: "AbstractBaseUser") -> str:
    """Return why this user may not have the deployment committed now; "" when they may."""
    if why := _why_not_commit(deployment, user):
        return why
    if deployment.status == Status.AWAITING_APPROVAL:
        return _wrong_state(deployment, _("it has to be approved first"))
    if deployment.status not in (Status.COMPARED, Status.APPROVED, Status.SCHEDULED):
        return _wrong_state(deployment, _("it cannot be committed"))
    if deployment.status == Status.COMPARED and deployment.router.approval != ApprovalChoices.NONE:
        return _("What is sent to {router} has to be approved by now: compare anew.").format(
            router=deployment.router
        )
    return _why_expired(deployment)


def _why_not_commit(deployment: Deployment, user: "AbstractBaseUser") -> str:
    if not rights.may(user, rights.COMMIT, deployment):
        return _("You may not commit what is sent to {router}.").format(router=deployment.router)
    if not deployment.router.push_enabled:
        return _("{router}: nothing may be sent to it. Switch on push, on the peering router.").format(
            router=deployment.router
        )
    return ""


def _why_expired(deployment: Deployment) -> str:
    if deployment.expires is not None and deployment.expires <= timezone.now():
        return _("{deployment} has expired: compare anew.").format(deployment=deployment)
    return ""


def _wrong_state(deployment: Deployment, why: str) -> str:
    return _("{deployment} is {status}: {why}.").format(
        deployment=deployment, status=deployment.get_status_display(), why=why
    )


def _refuse(reason: str) -> None:
    if reason:
        raise DeploymentRefused(reason)


@contextmanager
def _locked(deployment: Deployment) -> Iterator[None]:
    """A transaction in which nobody else decides about the deployment, and it is as it is in the database."""
    with transaction.atomic():
        found = Deployment.objects.select_for_update(of=("self",)).order_by().filter(pk=deployment.pk)
        if not found.values_list("pk", flat=True):
            raise DeploymentRefused(_("{deployment} was deleted.").format(deployment=deployment))
        deployment.refresh_from_db()
        yield

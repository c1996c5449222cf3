"""
A deployment on its way to the router: compared, and when it may be, committed.

    compare: load, difference, discard → what was reviewed, kept masked and as digests
    commit:  NetBox says the same still → the router would change the same still → the neighbours as they are → commit,
             to go back by itself where the platform can → healthy: confirm; else back, and look whether it is back

Every phase is recorded before the router is touched, so that a worker that dies leaves behind what it was doing.
`aftermath` finds out what became of it.
"""

import difflib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ...choices import ApprovalChoices, ConfigModeChoices, DeploymentKindChoices
from ...choices import DeploymentStatusChoices as Status
from ...exceptions import (
    DeploymentError,
    DeploymentRefused,
    DeviceError,
    PeeringError,
    ReviewOutdated,
    RouterBusy,
    SecretError,
)
from ...models import Deployment
from ..devices.capabilities import revert_in_s
from ..devices.masking import masked
from . import aftermath, asking, fleet, health, locks, moves, rights, sealed
from .line import Line, difference, refuse_pending
from .shared import changed_for_others, say
from .watch import neighbors_of

if TYPE_CHECKING:
    from ..devices.credentials import Credentials
    from ..devices.device import Device
    from ..devices.neighbors import Neighbor

__all__ = ("commit", "compare", "is_due", "run", "why_not_commit")

logger = logging.getLogger("netbox.netbox_peering_manager.deployment")
# From these a deployment may be committed.
COMMITTABLE = (Status.COMPARED, Status.APPROVED, Status.SCHEDULED)
# A comparison of the same router takes about as long; one that is sent takes longer than anybody should wait for.
WAIT_S = 15
# Beside the health check, the router gives us so long to say that all is well.
MARGIN_S = 10
# And the time of so many steps: the last look at the neighbours, and to confirm.
STEPS = 2


def run(pk: int, credentials: "Credentials | None" = None) -> Deployment:
    """
    Take the deployment as far as it may go now. Returns it as it is then.

    RouterBusy when somebody else works at the router: it stays where it is, and is tried again. DeploymentError says
    why it cannot go on; where that ends it, its status says so as well.
    """
    deployment = fetch(pk)
    if deployment.status in Status.SENDING:
        aftermath.settle_one(pk)
        return fetch(pk)
    if deployment.status != Status.RENDERED and not is_due(deployment):
        return deployment
    # One lock for both, so that nobody comes in between.
    with locks.held(deployment.router, wait_s=WAIT_S, of=deployment):
        if deployment.status == Status.RENDERED:
            deployment = compare(pk, credentials)
        return _commit_or_end(deployment, credentials) if is_due(deployment) else deployment


def _commit_or_end(deployment: Deployment, credentials: "Credentials | None") -> Deployment:
    """Commit what is due. What may not be committed any more would be due for ever, so it ends."""
    try:
        return commit(deployment.pk, credentials)
    except DeploymentRefused as refused:
        deployment = fetch(deployment.pk)
        if deployment.status not in COMMITTABLE or not is_due(deployment):
            # Somebody has decided otherwise meanwhile: given it another time, say.
            return deployment
        moves.move(deployment, Status.FAILED, reason=str(refused))
        raise


def is_due(deployment: Deployment) -> bool:
    """Whether somebody who could has said that it is to be committed by now, and nothing else is waited for."""
    if deployment.released_by_id is None or deployment.status not in COMMITTABLE:
        return False
    if deployment.scheduled is not None and deployment.scheduled > timezone.now():
        return False
    return deployment.status != Status.COMPARED or deployment.router.approval == ApprovalChoices.NONE


def compare(pk: int, credentials: "Credentials | None" = None) -> Deployment:
    """
    Find out what the deployment would change on its router, and leave the router as it is.

    It becomes compared, and then what follows: done, when there is nothing to change; awaiting approval; scheduled.
    Errors as in `run`.
    """
    deployment = fetch(pk)
    with locks.held(deployment.router, wait_s=WAIT_S, of=deployment):
        deployment = fetch(pk)
        if deployment.status != Status.RENDERED:
            raise DeploymentRefused(
                _("{deployment} is {status}: it is compared no more.").format(
                    deployment=deployment, status=deployment.get_status_display()
                )
            )
        _refuse_busy(deployment)
        contents = _opened(deployment)
        with (
            _failing(deployment, contents, credentials),
            Line(deployment.router, credentials, contents.secrets) as line,
        ):
            phase(deployment, "compare")
            replace = deployment.mode == ConfigModeChoices.REPLACE
            diff = line.ask(lambda device: difference(device, contents.text, replace=replace))
            neighbors = neighbors_of(line)
            why_held = _why_held(deployment, contents, line, diff, neighbors)
        with transaction.atomic():
            # As it is now: while the router was asked, somebody may have given it another time.
            deployment = fetch(pk, for_update=True)
            moves.move(
                deployment,
                Status.COMPARED,
                reason=why_held,
                masked_diff=masked(diff, contents.secrets),
                diff_digest=sealed.digest(sealed.canonical(diff)),
                sessions_before=health.to_json(neighbors),
                expires=asking.good_until(deployment.scheduled),
            )
            if not line.access.capabilities.compare_exact and deployment.mode == ConfigModeChoices.MERGE:
                moves.note(deployment, _inexact())
            _after_compare(deployment, diff, holds=bool(why_held))
    return deployment


def commit(pk: int, credentials: "Credentials | None" = None) -> Deployment:
    """
    Send what was reviewed, and nothing else. Returns the deployment as it is when that is over.

    DeploymentRefused when it may not be sent: not approved, not released, expired; it stays as it is. ReviewOutdated
    when NetBox or the router changed since, which ends it with the router untouched. Other errors as in `run`.
    """
    deployment = fetch(pk)
    with locks.held(deployment.router, of=deployment) as lock:
        deployment = fetch(pk)
        fleet.check(deployment)
        if reason := why_not_commit(deployment):
            raise DeploymentRefused(reason)
        _refuse_busy(deployment)
        contents = _opened(deployment)
        with _failing(deployment, contents, credentials):
            _check_netbox(deployment, contents)
            line = Line(deployment.router, credentials, contents.secrets)
        with line:
            with _failing(deployment, contents, credentials):
                before = neighbors_of(line)
                _check_router(deployment, contents, line)
            _check_batch(deployment, line)
            _send(deployment, contents, line, lock, before)
    return deployment


def why_not_commit(deployment: Deployment) -> str:
    """Return why the deployment may not be sent now; "" when it may. Asked whoever wants to send it."""
    router = deployment.router
    if deployment.status not in COMMITTABLE:
        return _("{deployment} is {status}: it cannot be committed.").format(
            deployment=deployment, status=deployment.get_status_display()
        )
    if not router.push_enabled:
        return _("{router}: nothing may be sent to it. Switch on push, on the peering router.").format(
            router=router
        )
    if why := _why_not_approved(deployment):
        return why
    if deployment.expires is not None and deployment.expires <= timezone.now():
        return _("{deployment} has expired: compare anew.").format(deployment=deployment)
    if not is_due(deployment):
        return _("Nobody has said that {deployment} is to be committed now.").format(deployment=deployment)
    if not rights.may(deployment.released_by, rights.COMMIT, deployment):
        return _("{user}, who released {deployment}, may no longer commit it.").format(
            user=deployment.released_by, deployment=deployment
        )
    return ""


def fetch(pk: int, *, for_update: bool = False) -> Deployment:
    """The deployment as it is in the database now, with what reaching its router takes; its row locked if asked for."""
    rows = Deployment.objects.select_for_update(of=("self",)) if for_update else Deployment.objects.all()
    found = rows.select_related(
        "router__device__platform",
        "router__device__primary_ip4",
        "router__device__primary_ip6",
        "router__device__virtual_chassis",
        "router__device__device_type__manufacturer",
        "router__config_template",
        "requested_by",
        "released_by",
        "approved_by",
    )
    deployment: Deployment | None = found.filter(pk=pk).first()
    if deployment is None:
        raise DeploymentRefused(_("There is no deployment {pk}: it was deleted.").format(pk=pk))
    return deployment


def phase(deployment: Deployment, name: str) -> None:
    """Log where the work is. Tests stop it here, too."""
    logger.info("Deployment %s: %s", deployment.pk, name)


def _refuse_busy(deployment: Deployment) -> None:
    """RouterBusy while another one is being sent, whose worker died: nobody else touches what it left."""
    if busy := locks.why_sending(deployment.router):
        raise RouterBusy(busy)


def _why_not_approved(deployment: Deployment) -> str:
    needed = deployment.router.approval
    if needed == ApprovalChoices.NONE:
        return ""
    if deployment.approved is None:
        return _("{deployment} has not been approved.").format(deployment=deployment)
    if needed == ApprovalChoices.OTHER and deployment.approved_by_id in (None, deployment.requested_by_id):
        return _("{deployment} has to be approved by somebody else than who asked for it.").format(
            deployment=deployment
        )
    # Not held against the deployment as it stands: a permission may be for those alone that wait for an approval.
    if not rights.may(deployment.approved_by, rights.APPROVE):
        return _("{user}, who approved {deployment}, may no longer approve anything: compare anew.").format(
            user=deployment.approved_by or _("Somebody who is gone"), deployment=deployment
        )
    return ""


def _why_held(
    deployment: Deployment,
    contents: sealed.Sealed,
    line: Line,
    diff: str,
    neighbors: "tuple[Neighbor, ...]",
) -> str:
    """What it does that nobody asked for, and somebody has to have seen before it is sent; "" for nothing."""
    known = None if line.access.capabilities.neighbors == "none" else neighbors
    if beside := changed_for_others(deployment, diff, known):
        return say(beside, deployment.router)
    if deployment.mode != ConfigModeChoices.REPLACE:
        return ""
    if not (left_out := health.left_out(contents.text, diff, neighbors, contents.going)):
        return ""
    text = _(
        "{why} They are Established: if it is sent as it is, they go down until it is taken back. It is sent once "
        "somebody has said so."
    )
    return text.format(why=health.say_left_out(left_out))


def _after_compare(deployment: Deployment, diff: str, *, holds: bool) -> None:
    """`holds`: it does what somebody has to have seen before it is sent (`_why_held`)."""
    if not diff.strip():
        moves.move(deployment, Status.DONE, reason=_("There is nothing to change."))
    elif deployment.router.approval != ApprovalChoices.NONE:
        moves.move(deployment, Status.AWAITING_APPROVAL)
    elif holds and deployment.own_credentials:
        text = _("{why} The typed credentials do not wait for that: ask without them.")
        moves.move(deployment, Status.FAILED, reason=text.format(why=deployment.reason))
    elif holds:
        moves.change(deployment, released_by=None, automatic=False)
    elif deployment.scheduled is not None:
        moves.move(deployment, Status.SCHEDULED)


def _inexact() -> str:
    return _(
        "This platform compares by listing the lines that its running configuration does not hold: some may change "
        "nothing."
    )


def _check_netbox(deployment: Deployment, contents: sealed.Sealed) -> None:
    """ReviewOutdated when NetBox would send something else now."""
    if deployment.kind == DeploymentKindChoices.COMMANDS:
        return
    by_now = asking.render(deployment)
    if sealed.fits(deployment.text_digest, by_now.text):
        return
    # Those that were there when it was compared, and those that came since.
    secrets = (*contents.secrets, *by_now.secrets)
    was, now = (masked(each, secrets).splitlines() for each in (contents.text, by_now.text))
    changes = "\n".join(difflib.unified_diff(was, now, lineterm="", n=1)) or _("Passwords alone.")
    raise ReviewOutdated(
        _("NetBox was changed since this was compared. Ask for it anew. What changed:"), changes
    )


def _check_router(deployment: Deployment, contents: sealed.Sealed, line: Line) -> None:
    """Load the candidate, and leave it loaded. ReviewOutdated when it would change something else by now."""

    def load(device: "Device") -> str:
        refuse_pending(device)
        device.load(contents.text, replace=deployment.mode == ConfigModeChoices.REPLACE)
        return device.compare()

    phase(deployment, "load")
    diff = line.ask(load)
    if sealed.fits(deployment.diff_digest, sealed.canonical(diff)):
        return
    line.ask(lambda device: device.discard())
    was, now = deployment.masked_diff, masked(diff, contents.secrets)
    changes = "\n".join(difflib.unified_diff(was.splitlines(), now.splitlines(), lineterm="", n=1))
    raise ReviewOutdated(
        _("The router was changed since this was compared. Ask for it anew. How the change differs:"), changes
    )


def _check_batch(deployment: Deployment, line: Line) -> None:
    """Forget the candidate when the batch was stopped meanwhile; DeploymentRefused then."""
    try:
        fleet.check(deployment)
    except DeploymentRefused:
        line.ask(lambda device: device.discard())
        raise


def _send(
    deployment: Deployment,
    contents: sealed.Sealed,
    line: Line,
    lock: locks.Held,
    before: "tuple[Neighbor, ...]",
) -> None:
    router, now = deployment.router, timezone.now()
    revert_s = revert_in_s(
        line.access.capabilities, router.health_timeout + STEPS * line.access.timeout_s + MARGIN_S
    )
    try:
        with transaction.atomic():
            moves.move(
                deployment,
                Status.COMMITTING,
                sent=now,
                sessions_before=health.to_json(before),
                confirm_by=now + timedelta(seconds=revert_s) if revert_s else None,
            )
    except IntegrityError as error:
        raise RouterBusy(locks.why_busy(router)) from error
    phase(deployment, "committing")
    lock.check()
    message = f"NetBox deployment {deployment.pk}"
    try:
        line.ask(lambda device: device.commit(message=message, revert_in_s=revert_s), anew=False)
        phase(deployment, "committed")
        moves.move(deployment, Status.CONFIRMING)
        phase(deployment, "confirming")
        aftermath.confirm_or_roll_back(deployment, contents, line, lock)
    except DeviceError as error:
        aftermath.find_out(deployment, contents, line, lock, because=error)


def _opened(deployment: Deployment) -> sealed.Sealed:
    """What is to be sent. Without the key that it was sealed with the deployment ends."""
    try:
        return sealed.opened(deployment)
    except SecretError as error:
        moves.move(deployment, Status.FAILED, reason=str(error))
        raise


@contextmanager
def _failing(
    deployment: Deployment, contents: sealed.Sealed, credentials: "Credentials | None"
) -> Iterator[None]:
    """End the deployment when the body cannot go on: the router has not been touched."""
    try:
        yield
    except (locks.LockLost, RouterBusy):
        raise
    except PeeringError as error:
        secrets: tuple[Any, ...] = (*contents.secrets, *(credentials.values if credentials else ()))
        text = masked(str(error), secrets)
        changes = error.changes if isinstance(error, ReviewOutdated) else ""
        # Of one-time commands nothing is kept that quotes them.
        told = changes if deployment.kind != DeploymentKindChoices.COMMANDS else ""
        moves.move(deployment, Status.FAILED, reason=f"{text}\n{told}" if told else text)
        failure = ReviewOutdated(text, changes) if changes else DeploymentError(text)
    else:
        return
    # Without the original error: its text may quote a secret.
    raise failure from None

"""
What became of a deployment that was being sent: found out by asking the router, never by guessing.

The same for a worker that lost the router in the middle, and for a pass that finds what a dead worker left. Where the
router stands is read from three things: whether a commit waits to be confirmed there, what is left to change (nothing:
the text is there; what was reviewed: it is as it was before), and how the sessions are.
"""

import time
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NoReturn

from django.utils import timezone
from django.utils.translation import gettext as _

from ...choices import ConfigModeChoices, DeploymentKindChoices
from ...choices import DeploymentStatusChoices as Status
from ...exceptions import DeploymentError, DeviceError, SecretError
from ...models import Deployment
from ..devices.masking import masked
from . import health, locks, moves, sealed
from .line import Line
from .watch import Watched, wait_until_healthy

if TYPE_CHECKING:
    from ..devices.device import Device

__all__ = ("Found", "Next", "confirm_or_roll_back", "find_out", "settle_one", "what_next")

# A commit that was cut off may just be beginning on the router: it is as before when it is so twice.
AGAIN_S = 3
PAUSE_S = 2
# So long after the router has gone back by itself somebody asks, before it is left to the next pass.
PATIENCE_S = 20


class Left(Enum):
    """What is left to change on the router."""

    NOTHING = "nothing"
    AS_REVIEWED = "as reviewed"
    SOMETHING_ELSE = "something else"


class Next(Enum):
    """What is to be done about it."""

    WAIT = "wait"
    CONFIRM = "confirm"
    JUDGE = "judge"
    ROLL_BACK = "roll back"
    AS_BEFORE = "as before"
    GIVE_UP = "give up"


@dataclass(frozen=True, slots=True)
class Found:
    """What the router told. `difference`: what is left to change, masked."""

    pending: bool
    left: Left
    difference: str = ""


def what_next(found: Found, *, reverts: bool) -> Next:
    """
    Return what follows from what the router told; `reverts`: the commit was one to be confirmed. Pure.

    | left to change  | a commit waits          | none waits                                  |
    |-----------------|-------------------------|---------------------------------------------|
    | nothing         | confirm when healthy    | judge: it was confirmed, or needed no that  |
    | as reviewed     | wait: it is going back  | it is as before                             |
    | something else  | roll back               | give up: somebody else was there            |
    """
    match found.left, found.pending:
        case Left.NOTHING, True:
            return Next.CONFIRM
        case Left.NOTHING, False:
            return Next.JUDGE if reverts else Next.CONFIRM
        case Left.AS_REVIEWED, True:
            return Next.WAIT
        case Left.AS_REVIEWED, False:
            return Next.AS_BEFORE
        case _, True:
            return Next.ROLL_BACK
        case _:
            return Next.GIVE_UP


def settle_one(pk: int) -> None:
    """
    Bring a deployment whose worker is gone to its true state. RouterBusy when its worker lives.

    A router that does not answer leaves it as it is, with a step that says so; DeploymentError then says it as well.
    """
    from .pipeline import fetch

    deployment = fetch(pk)
    with locks.held(deployment.router) as lock:
        deployment = fetch(pk)
        if deployment.status not in Status.SENDING:
            return
        secrets: tuple[str, ...] = ()
        try:
            contents = sealed.opened(deployment)
            secrets = contents.secrets
            with Line(deployment.router, secrets=secrets) as line:
                _find_out_once(deployment, contents, line, lock)
        except (DeviceError, SecretError) as error:
            _leave(deployment, error, secrets)


def find_out(
    deployment: Deployment, contents: sealed.Sealed, line: Line, lock: locks.Held, because: DeviceError
) -> None:
    """Go on after an error in the middle: ask until the router answers, or the time is over."""
    error: DeviceError = because
    reason = masked(str(because), line.secrets)
    moves.note(deployment, reason)
    deadline = time.monotonic() + _remaining_s(deployment) + PATIENCE_S
    while True:
        lock.check()
        try:
            if _find_out_once(deployment, contents, line, lock, because=reason):
                return
        except DeviceError as again:
            error = again
        if time.monotonic() >= deadline:
            _leave(deployment, error, line.secrets)
        time.sleep(PAUSE_S)


def confirm_or_roll_back(
    deployment: Deployment, contents: sealed.Sealed, line: Line, lock: locks.Held
) -> None:
    """Wait for the sessions; then keep what was committed, or go back. DeviceError when the router is lost."""
    watched = _watch(deployment, contents, line, lock)
    if watched.verdict.is_healthy:
        _confirm(deployment, line, lock, watched)
    else:
        _roll_back(deployment, contents, line, lock, _lost(watched))


def _find_out_once(
    deployment: Deployment, contents: sealed.Sealed, line: Line, lock: locks.Held, because: str = ""
) -> bool:
    """Ask once, and do what follows. False: it has to be asked again."""
    found = _look(deployment, contents, line)
    match what_next(found, reverts=deployment.confirm_by is not None):
        case Next.WAIT:
            moves.note(deployment, _("The router is going back to what it had before."))
            return False
        case Next.AS_BEFORE:
            time.sleep(AGAIN_S)
            lock.check()
            if _look(deployment, contents, line) != found:
                return False
            _as_before(deployment, because)
        case Next.CONFIRM:
            _begin_to_confirm(deployment)
            confirm_or_roll_back(deployment, contents, line, lock)
        case Next.JUDGE:
            _begin_to_confirm(deployment)
            _judge(deployment, _watch(deployment, contents, line, lock))
        case Next.ROLL_BACK:
            why = because or _("It was interrupted, and the router has not all of it.")
            _roll_back(deployment, contents, line, lock, why)
        case Next.GIVE_UP:
            text = _("The router has neither what it had before nor all of what was sent. Left to change:")
            moves.move(
                deployment, Status.FAILED, reason="\n".join(filter(None, (because, text, found.difference)))
            )
    return True


def _look(deployment: Deployment, contents: sealed.Sealed, line: Line) -> Found:
    def ask(device: "Device") -> tuple[bool, str]:
        pending = device.has_pending()
        device.load(contents.text, replace=deployment.mode == ConfigModeChoices.REPLACE)
        diff = device.compare()
        device.discard()
        return pending, diff

    pending, diff = line.ask(ask)
    if not diff.strip():
        left = Left.NOTHING
    elif sealed.fits(deployment.diff_digest, sealed.canonical(diff)):
        left = Left.AS_REVIEWED
    else:
        left = Left.SOMETHING_ELSE
    return Found(pending, left, masked(diff, contents.secrets))


def _watch(deployment: Deployment, contents: sealed.Sealed, line: Line, lock: locks.Held) -> Watched:
    before = health.from_json(deployment.sessions_before)
    going = set(contents.going)
    if deployment.mode == ConfigModeChoices.REPLACE:
        going |= health.absent_from(contents.text, before)
    if deployment.kind == DeploymentKindChoices.COMMANDS:
        down = health.taken_down(contents.text)
        going |= {(one.vrf, one.remote_ip) for one in before if one.remote_ip in down}
    timeout_s: float = deployment.router.health_timeout
    if deployment.confirm_by is not None:
        # What is left of it: a commit that is confirmed too late is none.
        timeout_s = max(0.0, min(timeout_s, _remaining_s(deployment) - PAUSE_S))
    return wait_until_healthy(line, lock, before, frozenset(going), timeout_s)


def _confirm(deployment: Deployment, line: Line, lock: locks.Held, watched: Watched) -> None:
    lock.check()
    if deployment.confirm_by is not None:
        line.ask(lambda device: device.confirm())
    _log(deployment, "confirmed")
    _done(deployment, watched)


def _done(deployment: Deployment, watched: Watched) -> None:
    moves.move(
        deployment,
        Status.DONE,
        reason=_("All {count} sessions that were Established are so.").format(
            count=watched.verdict.established
        ),
        sessions_after=health.to_json(watched.neighbors),
    )


def _judge(deployment: Deployment, watched: Watched) -> None:
    """What was to be confirmed is there and waits no more: whoever confirmed it, it is not ours to undo."""
    if watched.verdict.is_healthy:
        _done(deployment, watched)
        return
    moves.move(
        deployment,
        Status.FAILED,
        reason=_("It is on the router and was confirmed, but: {lost}").format(lost=_lost(watched)),
        sessions_after=health.to_json(watched.neighbors),
    )


def _roll_back(
    deployment: Deployment, contents: sealed.Sealed, line: Line, lock: locks.Held, why: str
) -> None:
    """Go back to the configuration before, and look whether it is back."""
    lock.check()
    _log(deployment, "rolling back")
    moves.note(deployment, why)
    line.ask(lambda device: device.rollback())
    found = _look(deployment, contents, line)
    if found.left is not Left.AS_REVIEWED:
        text = _("It was rolled back, but the router is not as it was before. Left to change:")
        moves.move(deployment, Status.FAILED, reason=f"{why}\n{text}\n{found.difference}")
        return
    moves.move(deployment, Status.ROLLED_BACK, reason=why)
    _watch_return(deployment, line, lock)


def _watch_return(deployment: Deployment, line: Line, lock: locks.Held) -> None:
    """Say whether what the change took down came back. The configuration is back in any case."""
    before = health.from_json(deployment.sessions_before)
    try:
        watched = wait_until_healthy(line, lock, before, frozenset(), deployment.router.health_timeout)
    except DeviceError as error:
        moves.note(deployment, masked(str(error), line.secrets))
        return
    text = _("All sessions that were Established before are so again.")
    moves.note(
        deployment,
        text if watched.verdict.is_healthy else _lost(watched),
        sessions_after=health.to_json(watched.neighbors),
    )


def _as_before(deployment: Deployment, because: str) -> None:
    text = _("The router does not have it, and is as it was before.")
    sent = deployment.status == Status.CONFIRMING
    moves.move(
        deployment,
        Status.ROLLED_BACK if sent else Status.FAILED,
        reason=f"{because}\n{text}" if because else text,
    )


def _begin_to_confirm(deployment: Deployment) -> None:
    if deployment.status == Status.COMMITTING:
        moves.move(deployment, Status.CONFIRMING, reason=_("It was found on the router."))


def _leave(deployment: Deployment, error: Exception, secrets: tuple[str, ...]) -> NoReturn:
    text = _("What became of it is not known yet, and will be asked again: {error}").format(
        error=masked(str(error), secrets)
    )
    moves.note(deployment, text)
    raise DeploymentError(text) from None


def _lost(watched: Watched) -> str:
    return _("These sessions were Established before, and are not: {sessions}.").format(
        sessions=watched.verdict
    )


def _remaining_s(deployment: Deployment) -> float:
    """How long the router still waits for a confirmation; 0 when it does not."""
    if deployment.confirm_by is None:
        return 0.0
    return max(0.0, (deployment.confirm_by - timezone.now()).total_seconds())


def _log(deployment: Deployment, name: str) -> None:
    from .pipeline import phase

    phase(deployment, name)

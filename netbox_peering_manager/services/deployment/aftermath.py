"""
What became of a deployment that was being sent: found out by asking the router, never by guessing.

The same for a worker that lost the router in the middle, and for a pass that finds what a dead worker left. Where the
router stands is read from three things: whether a commit waits to be confirmed there, what is left to change (nothing:
the text is there; what was reviewed: it is as it was before), and how the sessions are.

A router that went back by itself must not be told to confirm or to go back any more: drivers do the opposite of what is
meant then (Junos: an empty commit, and a rollback to what was just undone), so it is asked right before either. And
what nobody judged in time is judged and told, never undone: the newest commit may be somebody else's by then.
"""

import time
from dataclasses import dataclass
from datetime import timedelta
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
from .watch import Time, Watched, wait_until_healthy

if TYPE_CHECKING:
    from ..devices.device import Device

__all__ = ("Found", "Next", "confirm_or_roll_back", "find_out", "settle_one", "what_next")

# A commit that was cut off may just be beginning on the router: it is as before when it is so twice.
AGAIN_S = 3
PAUSE_S = 2
# So long after the router has gone back by itself somebody asks, before it is left to the next pass.
PATIENCE_S = 20
# A commit that waits longer than that beyond its time is somebody else's.
LATE_S = 120
# So long beyond the health check an explicit rollback undoes our own commit.
RECENT_S = 180


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
    TELL = "tell"
    ROLL_BACK = "roll back"
    AS_BEFORE = "as before"
    GIVE_UP = "give up"


@dataclass(frozen=True, slots=True)
class Found:
    """
    What the router told. `pending`: our commit waits to be confirmed. `difference`: what is left to change, masked.
    `exact`: whether the driver can tell that.
    """

    pending: bool
    left: Left
    difference: str = ""
    exact: bool = True


def what_next(found: Found, *, reverts: bool, committed: bool = False, reachable: bool = True) -> Next:
    """
    Return what follows from what the router told. Pure. `reverts`: the commit was one to be confirmed. `committed`: it
    is known to have been carried out. `reachable`: this connection can confirm it, or take it back.

    | left to change  | a commit waits          | none waits                                  |
    |-----------------|-------------------------|---------------------------------------------|
    | nothing         | confirm when healthy    | judge: it was confirmed, or needed no that  |
    | as reviewed     | wait: it is going back  | it is as before                             |
    | something else  | roll back               | give up: somebody else was there            |
    | nobody can tell | as far as it came       | tell                                        |
    """
    if found.pending and not reachable:
        return Next.WAIT
    if not found.exact:
        if found.pending:
            return Next.CONFIRM if committed else Next.ROLL_BACK
        return Next.TELL
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
    # A new connection: what one holds of a commit would be in the way of looking.
    line.close()
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
        _confirm(deployment, contents, line, lock, watched)
    else:
        _roll_back(deployment, contents, line, lock, _lost(deployment, contents, watched))


def _find_out_once(
    deployment: Deployment, contents: sealed.Sealed, line: Line, lock: locks.Held, because: str = ""
) -> bool:
    """Ask once, and do what follows. False: it has to be asked again."""
    found = _look(deployment, contents, line)
    follows = what_next(
        found,
        reverts=deployment.confirm_by is not None,
        committed=deployment.status == Status.CONFIRMING,
        reachable=not line.access.capabilities.confirms_in_session,
    )
    if follows is Next.CONFIRM and not found.pending and not _is_recent(deployment):
        follows = Next.JUDGE
    match follows:
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
            _judge(deployment, contents, _watch(deployment, contents, line, lock, in_time=False))
        case Next.TELL:
            watched = _watch(deployment, contents, line, lock, in_time=False)
            _tell(deployment, contents, watched, found, because)
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
        pending = _has_pending(device, deployment)
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
    exact = deployment.mode == ConfigModeChoices.REPLACE or line.access.capabilities.compare_exact
    return Found(pending, left, masked(diff, contents.secrets), exact)


def _has_pending(device: "Device", deployment: Deployment) -> bool:
    """Whether a commit waits on the router that can be ours."""
    by = deployment.confirm_by
    return by is not None and timezone.now() < by + timedelta(seconds=LATE_S) and device.has_pending()


def _is_gone(deployment: Deployment, line: Line) -> bool:
    """Whether our commit was to be confirmed, and waits no more."""
    if deployment.confirm_by is None or not line.access.capabilities.pending:
        return False
    return not line.ask(lambda device: _has_pending(device, deployment))


def _is_recent(deployment: Deployment) -> bool:
    """Whether the newest commit on the router is still likely to be ours."""
    within = timedelta(seconds=deployment.router.health_timeout + RECENT_S)
    return deployment.sent is not None and timezone.now() - deployment.sent < within


def _watch(
    deployment: Deployment, contents: sealed.Sealed, line: Line, lock: locks.Held, *, in_time: bool = True
) -> Watched:
    """How the sessions are in the end. `in_time`: before the router goes back by itself, when it is to."""
    before = health.from_json(deployment.sessions_before)
    # What the whole configuration does not name is taken away as well, but nobody has said that it should be.
    going = set(contents.going)
    if deployment.kind == DeploymentKindChoices.COMMANDS:
        down = health.taken_down(contents.text)
        going |= {(one.vrf, one.remote_ip) for one in before if one.remote_ip in down}
    waits = Time(deployment.router.health_timeout)
    if in_time and deployment.confirm_by is not None:
        # There has to be time for one more step: a commit that is confirmed too late is none.
        left_s = max(0.0, _remaining_s(deployment) - line.access.timeout_s)
        waits = Time(min(waits.timeout_s, left_s), at_most_s=left_s)
    keep = waits.at_most_s is not None and line.access.capabilities.confirms_in_session
    return wait_until_healthy(line, lock, before, frozenset(going), waits, keep=keep)


def _confirm(
    deployment: Deployment, contents: sealed.Sealed, line: Line, lock: locks.Held, watched: Watched
) -> None:
    lock.check()
    if _is_gone(deployment, line):
        find_out(deployment, contents, line, lock, because=_too_late(deployment))
        return
    if deployment.confirm_by is not None:
        line.ask(lambda device: device.confirm())
        if timezone.now() >= deployment.confirm_by:
            # It may have gone back just before, and then the driver confirmed nothing.
            find_out(deployment, contents, line, lock, because=_too_late(deployment))
            return
    _log(deployment, "confirmed")
    _done(deployment, watched)


def _too_late(deployment: Deployment) -> DeviceError:
    return DeviceError(
        _("{router}: the commit does not wait to be confirmed any more.").format(router=deployment.router)
    )


def _done(deployment: Deployment, watched: Watched) -> None:
    count = watched.verdict.established
    reasons = [
        _("All {count} sessions that were Established are so.").format(count=count)
        if count
        else _("No session was Established before, so none could be lost.")
    ]
    if dried := health.dried_up(health.from_json(deployment.sessions_before), watched.neighbors):
        text = _("Established, but without any accepted prefix now: {sessions}. Look at their policies.")
        reasons.append(text.format(sessions=", ".join(dried)))
    moves.move(
        deployment,
        Status.DONE,
        reason="\n".join(reasons),
        sessions_after=health.to_json(watched.neighbors),
    )


def _judge(deployment: Deployment, contents: sealed.Sealed, watched: Watched) -> None:
    """It is there, and no commit waits: whoever confirmed it, it is not ours to undo."""
    if watched.verdict.is_healthy:
        _done(deployment, watched)
        return
    text = _("It is on the router for good, so it was left there. But: {lost}")
    moves.move(
        deployment,
        Status.DONE,
        reason=text.format(lost=_lost(deployment, contents, watched)),
        sessions_after=health.to_json(watched.neighbors),
    )


def _tell(
    deployment: Deployment, contents: sealed.Sealed, watched: Watched, found: Found, because: str
) -> None:
    """Nobody can say by a comparison whether it is there."""
    text = _(
        "It was interrupted, and this platform's comparison does not tell whether the router has it: look there. The "
        "router was left as it is. Left to change, as far as it can be compared:"
    )
    lost = "" if watched.verdict.is_healthy else _lost(deployment, contents, watched)
    moves.move(
        deployment,
        Status.FAILED,
        reason="\n".join(filter(None, (because, lost, text, found.difference or _("nothing")))),
        sessions_after=health.to_json(watched.neighbors),
    )


def _roll_back(
    deployment: Deployment, contents: sealed.Sealed, line: Line, lock: locks.Held, why: str
) -> None:
    """
    Go back to the configuration before, and look whether it is back. When it is about to go back by itself that is
    waited for: told to go back once more, some platforms bring back what was just undone.
    """
    lock.check()
    _log(deployment, "rolling back")
    moves.note(deployment, why)
    if _goes_back_now(deployment, line):
        _wait_until_back(deployment, line, lock)
    if _is_gone(deployment, line):
        find_out(deployment, contents, line, lock, because=DeviceError(why))
        if deployment.status == Status.ROLLED_BACK:
            _watch_return(deployment, line, lock)
        return
    line.ask(lambda device: device.rollback())
    found = _look(deployment, contents, line)
    if found.left is not Left.AS_REVIEWED:
        text = _("It was rolled back, but the router is not as it was before. Left to change:")
        moves.move(deployment, Status.FAILED, reason=f"{why}\n{text}\n{found.difference}")
        return
    moves.move(deployment, Status.ROLLED_BACK, reason=why)
    _watch_return(deployment, line, lock)


def _goes_back_now(deployment: Deployment, line: Line) -> bool:
    """Whether the router goes back by itself within the time that one step may take."""
    return (
        deployment.confirm_by is not None
        and line.access.capabilities.pending
        and _remaining_s(deployment) <= line.access.timeout_s
    )


def _wait_until_back(deployment: Deployment, line: Line, lock: locks.Held) -> None:
    """DeviceError when nobody can say that it went back."""
    moves.note(deployment, _("The router is going back to what it had before."))
    deadline = time.monotonic() + _remaining_s(deployment) + PATIENCE_S
    while not _is_gone(deployment, line):
        if time.monotonic() >= deadline:
            raise DeviceError(
                _("{router}: it was to go back by itself, and has not yet.").format(router=deployment.router)
            )
        time.sleep(PAUSE_S)
        lock.check()


def _watch_return(deployment: Deployment, line: Line, lock: locks.Held) -> None:
    """Say whether what the change took down came back. The configuration is back in any case."""
    before = health.from_json(deployment.sessions_before)
    try:
        watched = wait_until_healthy(line, lock, before, frozenset(), Time(deployment.router.health_timeout))
    except DeviceError as error:
        moves.note(deployment, masked(str(error), line.secrets))
        return
    text = _("All sessions that were Established before are so again.")
    moves.note(
        deployment,
        text if watched.verdict.is_healthy else _not_established(watched),
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


def _lost(deployment: Deployment, contents: sealed.Sealed, watched: Watched) -> str:
    """Which sessions were lost, and of those that a whole configuration took away what to do about it."""
    text = _not_established(watched)
    if deployment.mode != ConfigModeChoices.REPLACE:
        return text
    lost = watched.verdict.lost
    absent = health.absent_from(contents.text, lost)
    if not (left_out := [one for one in lost if (one.vrf, one.remote_ip) in absent]):
        return text
    return f"{text}\n{health.say_left_out(left_out)}"


def _not_established(watched: Watched) -> str:
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

"""Reading a router's neighbours, once and until they are well."""

import time
from dataclasses import dataclass

from ...exceptions import DeviceError
from ..devices.neighbors import Neighbor, read_neighbors
from .health import Key, Verdict, judge
from .line import Line
from .locks import Held

__all__ = ("Time", "Watched", "neighbors_of", "wait_until_healthy")

# Bad news takes a moment to arrive: so long it has to be well before it counts as well.
QUIET_S = 10


@dataclass(frozen=True, slots=True)
class Watched:
    """How it was when the waiting ended."""

    verdict: Verdict
    neighbors: tuple[Neighbor, ...]


@dataclass(frozen=True, slots=True)
class Time:
    """
    How long is waited. `at_most_s`: the end of it whatever is seen, None for none: nothing is read that is likely to
    be answered later.
    """

    timeout_s: float
    at_most_s: float | None = None

    @property
    def pause_s(self) -> float:
        return max(1.0, min(5.0, self.timeout_s / 20))

    @property
    def quiet_s(self) -> float:
        return min(QUIET_S, self.timeout_s / 3)


def neighbors_of(line: Line, *, keep: bool = False) -> tuple[Neighbor, ...]:
    """Return the router's neighbours; none with a driver that cannot tell them. DeviceError; `keep` as in Line.ask."""
    if line.access.capabilities.neighbors == "none":
        return ()
    return line.ask(read_neighbors, keep=keep)


def wait_until_healthy(
    line: Line,
    lock: Held,
    before: tuple[Neighbor, ...],
    going: frozenset[Key],
    time_: Time,
    *,
    keep: bool = False,
) -> Watched:
    """
    Return once all that was Established is so again and stays so for a while, or when the time is over.

    DeviceError when the router does not answer at the end of it; LockLost when the lock was lost meanwhile.
    """
    began, longest = time.monotonic(), 0.0
    well_since: float | None = None
    while True:
        lock.check()
        asked = time.monotonic()
        watched, failure = _read(line, before, going, keep)
        now = time.monotonic()
        longest = max(longest, now - asked)
        well_since = (well_since or now) if watched is not None and watched.verdict.is_healthy else None
        # One that was not answered is asked once more while there is time: an answer decides, and silence does not.
        is_told = watched is not None or time_.at_most_s is None
        is_over = well_since is None and is_told and now - began >= time_.timeout_s
        is_quiet = well_since is not None and now - well_since >= time_.quiet_s
        if is_over or is_quiet or _is_last(time_, now + time_.pause_s + longest - began):
            if watched is None:
                raise failure or DeviceError(line.access.name)
            return watched
        time.sleep(time_.pause_s)


def _read(
    line: Line, before: tuple[Neighbor, ...], going: frozenset[Key], keep: bool
) -> tuple[Watched | None, DeviceError | None]:
    try:
        neighbors = neighbors_of(line, keep=keep)
    except DeviceError as error:
        return None, error
    return Watched(judge(before, neighbors, going), neighbors), None


def _is_last(time_: Time, answered_s: float) -> bool:
    """Whether what is read next would be answered too late."""
    return time_.at_most_s is not None and answered_s > time_.at_most_s

"""Reading a router's neighbours, once and until they are well."""

import time
from dataclasses import dataclass

from ...exceptions import DeviceError
from ..devices.neighbors import Neighbor, read_neighbors
from .health import Key, Verdict, judge
from .line import Line
from .locks import Held

__all__ = ("Watched", "neighbors_of", "wait_until_healthy")

# Bad news takes a moment to arrive: so long it has to be well before it counts as well.
QUIET_S = 10


@dataclass(frozen=True, slots=True)
class Watched:
    """How it was when the waiting ended."""

    verdict: Verdict
    neighbors: tuple[Neighbor, ...]


def neighbors_of(line: Line) -> tuple[Neighbor, ...]:
    """Return the router's neighbours; none with a driver that cannot tell them. DeviceError."""
    if line.access.capabilities.neighbors == "none":
        return ()
    return line.ask(read_neighbors)


def wait_until_healthy(
    line: Line, lock: Held, before: tuple[Neighbor, ...], going: frozenset[Key], timeout_s: float
) -> Watched:
    """
    Return once all that was Established is so again and stays so for a while, or when the time is over.

    DeviceError when the router does not answer at the end of it; LockLost when the lock was lost meanwhile.
    """
    deadline, quiet_s = time.monotonic() + timeout_s, min(QUIET_S, timeout_s / 3)
    pause_s = max(1.0, min(5.0, timeout_s / 20))
    well_since: float | None = None
    while True:
        lock.check()
        try:
            neighbors = neighbors_of(line)
        except DeviceError:
            if time.monotonic() >= deadline:
                raise
            well_since = None
        else:
            verdict, now = judge(before, neighbors, going), time.monotonic()
            well_since = (well_since or now) if verdict.is_healthy else None
            if (well_since is None and now >= deadline) or (
                well_since is not None and now - well_since >= quiet_s
            ):
                return Watched(verdict, neighbors)
        time.sleep(pause_s)

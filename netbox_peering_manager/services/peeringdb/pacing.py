"""
Keeps the requests to PeeringDB apart, over all processes of this NetBox: PeeringDB counts by address or by key, not
by process, so the worker that syncs and the page with the Test button share one allowance.

What was sent lies in Django's cache (NetBox's Redis), under a lock for the moment of taking the next slot; the wait
for the slot is outside of it. Times are wall-clock seconds, as processes may run on several hosts. While the cache
cannot be reached, each process counts its own requests, and the log says so.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from django.core.cache import cache
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from django_redis.cache import RedisCache

logger = logging.getLogger("netbox_peering_manager.peeringdb")

# PeeringDB's limits are per minute.
WINDOW_S = 60
# What is said to lie further ahead comes from a clock that was wrong.
HORIZON_S = 3600
# A process that dies while it holds the lock keeps the others waiting for this long, and no longer.
LOCK_S = 10


@dataclass
class Pace:
    """When requests were or will be sent, ascending, and until when none may be."""

    slots: list[float] = field(default_factory=list)
    held_until: float = 0.0

    def forget(self, now: float) -> None:
        """Drop what no longer counts."""
        self.slots = [at for at in self.slots if now - WINDOW_S < at <= now + HORIZON_S]
        if self.held_until > now + HORIZON_S:
            self.held_until = 0.0


@dataclass(frozen=True)
class Pacing:
    """
    The allowance of one caller at one host: `per_minute` requests in any 60 s, `min_interval_s` apart.

    `name` tells allowances apart; processes that give the same one share it. `clock` returns seconds since 1970.
    """

    name: str
    min_interval_s: float
    per_minute: int
    clock: Callable[[], float]
    # In place of the shared one while there is no cache.
    _own: Pace = field(default_factory=Pace, repr=False, compare=False)

    def reserve(self, max_wait_s: float) -> tuple[float, bool]:
        """
        Take the next free slot. Returns when it is, and whether it was taken.

        It is not taken when it is more than `max_wait_s` ahead.
        """

        def take(pace: Pace, now: float) -> tuple[float, bool]:
            at = self._next(pace, now)
            taken = at - now <= max_wait_s
            if taken:
                pace.slots.append(at)
            return at, taken

        return self._change(take)

    def hold(self, until: float) -> None:
        """Let nobody who shares this allowance send before `until`: PeeringDB has asked for it."""

        def hold(pace: Pace, now: float) -> None:
            pace.held_until = max(pace.held_until, until)

        self._change(hold)

    def remaining(self) -> int:
        """Return how many requests are left of this minute's; 0 while held."""

        def count(pace: Pace, now: float) -> int:
            return 0 if pace.held_until > now else max(0, self.per_minute - len(pace.slots))

        return self._change(count)

    def _next(self, pace: Pace, now: float) -> float:
        at = max(now, pace.held_until)
        if pace.slots:
            at = max(at, pace.slots[-1] + self.min_interval_s)
        if len(pace.slots) >= self.per_minute:
            at = max(at, pace.slots[-self.per_minute] + WINDOW_S)
        return at

    def _change[Result](self, change: Callable[[Pace, float], Result]) -> Result:
        """Read and change the pace that all processes share; `change` gets it and the time."""
        key = f"netbox_peering_manager:peeringdb:pace:{self.name}"
        # NetBox's is always django-redis.
        redis_cache = cast("RedisCache[Any]", cache)
        try:
            with redis_cache.lock(f"{key}:lock", timeout=LOCK_S, blocking_timeout=LOCK_S, sleep=0.01):
                pace = Pace(*cache.get(key, ()))
                result = self._at_this_time(change, pace)
                cache.set(key, (pace.slots, pace.held_until), timeout=HORIZON_S + WINDOW_S)
                return result
        except (ConnectionInterrupted, RedisError) as error:
            logger.warning(
                "The cache cannot be reached (%s): requests to PeeringDB are counted by this process alone.",
                error,
            )
            return self._at_this_time(change, self._own)

    def _at_this_time[Result](self, change: Callable[[Pace, float], Result], pace: Pace) -> Result:
        now = self.clock()
        pace.forget(now)
        return change(pace, now)

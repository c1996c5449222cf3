"""
PeeringDB's request limits, for a server that is told to keep them: `server.limits = Limits()`.

https://docs.peeringdb.com/howto/work_within_peeringdbs_query_limits/: 20 requests a minute without a key and 40 with
one; an identical anonymous request twice a minute, and once an hour when its answer is larger than 100 kB.
"""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

LARGE_BYTES = 100_000


@dataclass
class Limits:
    """How much is allowed. `minute_s` makes minutes (and hours) shorter for a test. None: without that limit."""

    anonymous: int | None = 20
    keyed: int | None = 40
    identical: int | None = 2
    identical_large: int | None = 1
    retry_after: bool = True
    minute_s: float = 60.0
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    _seen: dict = field(default_factory=lambda: defaultdict(deque), repr=False)
    _large: set = field(default_factory=set, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def wait_s(self, caller, target):
        """Seconds until a request is allowed; 0 when it is allowed now, and then it counts."""
        rules = [(caller, self.keyed if caller == "key" else self.anonymous, self.minute_s)]
        if caller == "anonymous":
            large = target in self._large
            rules.append(
                (target, self.identical_large, 60 * self.minute_s)
                if large
                else (target, self.identical, self.minute_s)
            )
        now = self.clock()
        with self._lock:
            wait = max(self._wait(name, allowed, window, now) for name, allowed, window in rules)
            if not wait:
                for name, _, _ in rules:
                    self._seen[name].append(now)
        return wait

    def answered(self, target, size):
        """Remember that a request's answer was large (`size` in bytes), for the next time it is asked."""
        if size > LARGE_BYTES:
            self._large.add(target)

    def _wait(self, name, allowed, window, now):
        if allowed is None:
            return 0
        recent = [at for at in self._seen[name] if at > now - window]
        return 0 if len(recent) < allowed else recent[-allowed] + window - now

"""Time, queries and memory of a piece of work."""

import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

RUNS = 7


@dataclass(frozen=True)
class Seconds:
    min: float
    median: float
    max: float


@dataclass(frozen=True)
class Measured:
    """`peak_mib` is the most memory that Python held for it at a time."""

    queries: int
    seconds: Seconds
    peak_mib: float


@dataclass(frozen=True)
class Result:
    """A measured piece of work beside its floor, whose median is `floor_seconds`; `ratio` is of the medians."""

    name: str
    size: int
    measured: Measured
    floor_seconds: float

    @property
    def ratio(self) -> float:
        return self.measured.seconds.median / self.floor_seconds


def compare(
    name: str,
    size: int,
    whole: Callable[[], object],
    floor: Callable[[], object],
    count: Callable[[Callable[[], object]], int] | None = None,
) -> Result:
    """
    Measure `whole` beside `floor`, after one run of each that fills caches.

    Queries and memory are measured in runs of their own, as both cost time. The timed runs take turns, so that what
    else the machine does falls on both.
    """
    floor()
    whole()
    queries = (count or queries_of)(whole)
    peak = peak_of(whole)
    whole_times, floor_times = [], []
    for _ in range(RUNS):
        whole_times.append(seconds_of(whole))
        floor_times.append(seconds_of(floor))
    seconds = Seconds(min(whole_times), statistics.median(whole_times), max(whole_times))
    return Result(name, size, Measured(queries, seconds, peak), statistics.median(floor_times))


def seconds_of(do: Callable[[], object]) -> float:
    """Time one run, the garbage of those before cleared away."""
    gc.collect()
    start = time.perf_counter()
    do()
    return time.perf_counter() - start


def peak_of(do: Callable[[], object]) -> float:
    """The most memory that Python holds for it at a time, in MiB."""
    tracemalloc.start()
    do()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def queries_of(do: Callable[[], object]) -> int:
    """Count every statement, those that begin and end transactions included."""
    with CaptureQueriesContext(connection) as captured:
        do()
    return len(captured)


def queries_to_commit(do: Callable[[], object]) -> int:
    """
    Count the statements up to the commit, in a transaction that is rolled back: as NetBox's tests count them.

    Left out is what NetBox itself does after a commit, which is to enter each changed object in its search index.
    """
    with transaction.atomic():
        queries = queries_of(do)
        transaction.set_rollback(True)
    return queries

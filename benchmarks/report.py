"""Limits, the printed table and the file of results."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from benchmarks.measure import Result


@dataclass(frozen=True)
class Limit:
    """
    What a piece of work may cost at most; `ratio_from` is the size from which the ratio counts. `per_second` is how
    many of its objects it must do in a second at least.
    """

    queries: int
    seconds: float | None = None
    ratio: float | None = None
    ratio_from: int = 0
    mib: float | None = None
    per_second: float | None = None


LIMITS = {
    "render": Limit(queries=25, ratio=3.0, ratio_from=5000),
    "rest-list": Limit(queries=25, seconds=1.5),
    "session-table": Limit(queries=30),
    "create-form": Limit(queries=60),
    "session-states": Limit(queries=30, seconds=0.5),
    "state-history": Limit(queries=15, seconds=0.5),
    "record-poll": Limit(queries=20, seconds=1.0, ratio=3.0),
    # The queries of one router's job. The floor is the time in which both workers wait for answers.
    "poll-routers": Limit(queries=30, ratio=1.5),
    "first-sync-unpaced": Limit(queries=120, ratio=3.0, mib=600, per_second=5000),
    "no-news-unpaced": Limit(queries=40, seconds=3),
    "news-unpaced": Limit(queries=85, seconds=15),
    "available-peers": Limit(queries=25, seconds=0.4),
    "peer-ranking": Limit(queries=25, seconds=1.0),
    "add-preview": Limit(queries=40, seconds=2),
    "import-preview": Limit(queries=30, seconds=2),
    # Four batches.
    "add-sessions": Limit(queries=200, seconds=20),
}


def as_json(results: Sequence[Result]) -> str:
    return json.dumps([_entry(result) for result in results], indent=2) + "\n"


def _entry(result: Result) -> dict:
    return {
        "name": result.name,
        "size": result.size,
        "queries": result.measured.queries,
        "seconds": {key: round(value, 4) for key, value in asdict(result.measured.seconds).items()},
        "peak_mib": round(result.measured.peak_mib, 1),
        "floor_seconds": round(result.floor_seconds, 4),
        "ratio": round(result.ratio, 2),
    }


def table(results: Sequence[Result]) -> str:
    """Return the results as a table for a terminal."""
    lines = [
        f"{'work':<20}{'size':>7}{'queries':>9}{'median s':>10}{'max s':>9}{'MiB':>8}{'floor s':>9}{'ratio':>7}"
    ]
    for result in results:
        measured = result.measured
        lines.append(
            f"{result.name:<20}{result.size:>7}{measured.queries:>9}{measured.seconds.median:>10.3f}"
            f"{measured.seconds.max:>9.3f}{measured.peak_mib:>8.1f}{result.floor_seconds:>9.3f}{result.ratio:>7.2f}"
        )
    return "\n".join(lines)


def broken_limits(results: Sequence[Result]) -> list[str]:
    """Return what broke a limit, in words; empty when nothing did."""
    broken = [message for result in results for message in _broken(result, LIMITS[result.name])]
    renderings = {result.measured.queries for result in results if result.name == "render"}
    if len(renderings) > 1:
        broken.append(f"render: the number of queries grows with the sessions: {sorted(renderings)}")
    return broken


def _broken(result: Result, limit: Limit) -> list[str]:
    checks: list[tuple[bool, Callable[[], str]]] = [
        (
            result.measured.queries > limit.queries,
            lambda: f"{result.measured.queries} queries, at most {limit.queries} are allowed",
        ),
        (
            limit.seconds is not None and result.measured.seconds.median > limit.seconds,
            lambda: f"{result.measured.seconds.median:.2f} s, at most {limit.seconds} s are allowed",
        ),
        (
            limit.ratio is not None and result.size >= limit.ratio_from and result.ratio > limit.ratio,
            lambda: f"{result.ratio:.2f} times the floor, at most {limit.ratio} are allowed",
        ),
        (
            limit.mib is not None and result.measured.peak_mib > limit.mib,
            lambda: f"{result.measured.peak_mib:.0f} MiB, at most {limit.mib} are allowed",
        ),
        (
            limit.per_second is not None and result.size < limit.per_second * result.measured.seconds.median,
            lambda: f"{_per_second(result):.0f} a second, at least {limit.per_second} are wanted",
        ),
    ]
    return [f"{result.name} of {result.size}: {message()}" for failed, message in checks if failed]


def _per_second(result: Result) -> float:
    return result.size / result.measured.seconds.median

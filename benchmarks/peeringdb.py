"""
Syncs with a full-size sample PeeringDB in a process of its own, over HTTP.

Without pauses between requests ("unpaced"): PeeringDB asks for 2 s between two of them, which is 26 s of doing nothing
in each sync. Floors: the same answers, downloaded, decoded as JSON and copied into one plain table, a row each.
"""

import json
import re
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import requests
from django.db import connection

from benchmarks.adding import a_worker_is_there
from benchmarks.exchanges import OurSide
from benchmarks.measure import Measured, Result, Seconds, queries_of, seconds_of
from dev.sample_peeringdb.process import Running, running
from dev.sample_peeringdb.server import API_KEY
from netbox_peering_manager.models import (
    PeeringDBNetIXLan,
    PeeringDBRefusedRow,
    PeeringDBSync,
    PeeringDBWatermark,
)
from netbox_peering_manager.models.peeringdb import MIRROR
from netbox_peering_manager.services.peeringdb.client import PeeringDBClient
from netbox_peering_manager.services.peeringdb.sync import sync

RUNS = 3
CHANGES = 2000
LOOK_BACK_S = 3600
# Of PeeringDB in 2026, and of a large network. Contacts: those that a key's owner sees, which are not all.
FULL_SIZE = {
    "net": 35_000,
    "netixlan": 70_000,
    "netfac": 35_000,
    "poc": 25_000,
    "networks at the largest exchange": 1_500,
    "exchanges": 20,
}


@contextmanager
def sample(progress: Callable[[str], None], size: str = "full") -> Iterator[Running]:
    """A sample PeeringDB in a process of its own, for both of what follows."""
    progress("Starting a sample PeeringDB")
    with running(size=size) as started:
        yield started


def run_first(asked: Running, progress: Callable[[str], None]) -> list[Result]:
    """A first sync into an empty NetBox. The mirror is filled afterwards."""
    progress("Syncing with PeeringDB: everything")
    return [_first(asked)]


def run_later(asked: Running, progress: Callable[[str], None]) -> list[Result]:
    """Syncs without news, and after days with 2,000 changes, into the NetBox as it is by now."""
    progress("Syncing with PeeringDB: no news, and 2,000 changes")
    with a_worker_is_there():
        # What is to be applied and compared because of what was made since is no news to the next one.
        _sync(asked)
        return [_no_news(asked), _news(asked)]


def check_full_size(side: OurSide) -> None:
    """Raise AssertionError when the mirror is smaller than PeeringDB, or we are at fewer or smaller exchanges."""
    largest = PeeringDBNetIXLan.objects.filter(ix_id=side.largest.peeringdb_id).values("net_id").distinct()
    found = {tag: MIRROR[tag].objects.count() for tag in FULL_SIZE if tag in MIRROR}
    found |= {"networks at the largest exchange": largest.count(), "exchanges": len(side.fabrics)}
    if small := {what: number for what, number in found.items() if number < FULL_SIZE[what]}:
        raise AssertionError(f"Not of full size, which is {FULL_SIZE}: {small}")


def _first(sample: Running) -> Result:
    def floor() -> None:
        _copy(sample, {tag: {} for tag in MIRROR})

    def whole() -> None:
        _sync(sample)

    _empty()
    size = sum(counts["created"] for counts in _sync(sample).counts.values())
    return _measured("first-sync-unpaced", size, whole, floor, before=_empty)


def _no_news(sample: Running) -> Result:
    marks = {mark.tag: {"since": mark.updated - LOOK_BACK_S} for mark in PeeringDBWatermark.objects.all()}
    return _measured(
        "no-news-unpaced", 0, lambda: _sync(sample), lambda: _copy(sample, marks), before=lambda: None
    )


def _news(sample: Running) -> Result:
    marks: dict[str, dict[str, int]] = {}

    def pass_a_day() -> None:
        marks.update(
            {mark.tag: {"since": mark.updated - LOOK_BACK_S} for mark in PeeringDBWatermark.objects.all()}
        )
        sample.tell("POST", "next-day", changes=CHANGES)

    def whole() -> None:
        run = _sync(sample)
        changed = sum(
            counts[name] for counts in run.counts.values() for name in ("created", "updated", "deleted")
        )
        # Of contacts that only their owners see nothing comes.
        if changed < CHANGES * 0.9:
            raise AssertionError(f"{changed} rows changed, {CHANGES} were to")

    return _measured("news-unpaced", CHANGES, whole, lambda: _copy(sample, marks), before=pass_a_day)


def _measured(
    name: str,
    size: int,
    whole: Callable[[], object],
    floor: Callable[[], object],
    before: Callable[[], object],
) -> Result:
    """
    Measure `whole` beside `floor`, in turns; `before` prepares each `whole`. The memory is that of the whole process.
    """
    before()
    queries = queries_of(whole)
    whole_times, floor_times, peaks = [], [], []
    for _ in range(RUNS):
        before()
        _forget_peak()
        whole_times.append(seconds_of(whole))
        peaks.append(_peak_mib())
        floor_times.append(seconds_of(floor))
    seconds = Seconds(min(whole_times), statistics.median(whole_times), max(whole_times))
    return Result(name, size, Measured(queries, seconds, max(peaks)), statistics.median(floor_times))


def _client(sample: Running) -> PeeringDBClient:
    return PeeringDBClient(
        sample.api_url,
        dumps_url=sample.dumps_url,
        api_key=API_KEY,
        min_interval_s=0,
        requests_per_minute=10**6,
    )


def _sync(sample: Running) -> PeeringDBSync:
    with _client(sample) as client:
        return sync(client=client)


def _empty() -> None:
    tables = [model._meta.db_table for model in (*MIRROR.values(), PeeringDBRefusedRow, PeeringDBWatermark)]
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(tables)}")


def _copy(sample: Running, asked: dict[str, dict[str, int]]) -> None:
    """The floor: download, decode, COPY into one plain table."""
    with connection.cursor() as cursor, requests.Session() as session:
        session.headers["Authorization"] = f"Api-Key {API_KEY}"
        cursor.execute("DROP TABLE IF EXISTS peeringdb_floor")
        cursor.execute("CREATE TABLE peeringdb_floor (tag text, id bigint, row jsonb)")
        for tag, parameters in asked.items():
            rows = json.loads(session.get(f"{sample.api_url}/{tag}", params=parameters).content)["data"]
            with cursor.copy("COPY peeringdb_floor FROM STDIN") as copy:
                for row in rows:
                    copy.write_row((tag, row["id"], json.dumps(row)))
        cursor.execute("DROP TABLE peeringdb_floor")


def _forget_peak() -> None:
    """Let the peak of the process's memory begin anew, where the system can (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak_mib() -> float:
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024

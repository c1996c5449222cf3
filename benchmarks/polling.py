"""
Polling 100 routers of 50 sessions, each of which answers after half a second, by two workers.

The workers are real ones, processes of their own that fork a process for each job, as NetBox's do; the routers are not
(`drivers/napalm_bench.py`). Floor: the time that passes when both workers do nothing but wait for answers.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import django_rq
from django.conf import settings
from django.db import connection, transaction
from rq import Worker

from core.choices import JobStatusChoices
from core.models import Job
from ipam.models import IPAddress
from netbox_routing.models import BGPPeer

from benchmarks import generate
from benchmarks.measure import Measured, Result, Seconds, peak_of, queries_of
from netbox_peering_manager.jobs.base import ROUTERS_QUEUE
from netbox_peering_manager.jobs.monitoring import PollJob, start_polls
from netbox_peering_manager.models import PeeringRouter, PeeringSession, Relationship, SessionSample
from netbox_peering_manager.settings import PLUGIN

DRIVERS = Path(__file__).with_name("drivers")
ROUTERS = 100
WORKERS = 2
PATIENCE_S = 300
# How the drivers' routers are reached, which they are not.
SETTINGS = {
    "napalm_drivers": {
        "bench": {"driver": "bench", "capabilities": {"neighbors": "summary", "host_keys": "none"}}
    },
    "credential_profiles": {"default": {"username": "bench"}},
    "host_keys_strict": False,
}


def run(progress: Callable[[str], None], routers: int = ROUTERS) -> list[Result]:
    """Make the routers, have them polled once to warm up, and once for the clock."""
    sys.path.insert(0, str(DRIVERS))
    progress(f"Polling {routers} routers with {WORKERS} workers")
    with transaction.atomic():
        polled = make_routers(routers)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return [polling(polled)]


def make_routers(count: int) -> list[PeeringRouter]:
    """Routers with fifty sessions each, of plain rows."""
    from napalm_bench import addresses_of

    relationship = Relationship.objects.get_or_create(name="Bench", slug="bench")[0]
    routers = []
    for number in range(count):
        device, scope = generate.make_router(f"poll-{number}")
        addresses = IPAddress.objects.bulk_create(
            IPAddress(address=f"{each}/24") for each in addresses_of(number)
        )
        peers = BGPPeer.objects.bulk_create(BGPPeer(scope=scope, peer=address) for address in addresses)
        PeeringSession.objects.bulk_create(
            PeeringSession(bgp_peer=peer, relationship=relationship) for peer in peers
        )
        routers.append(PeeringRouter.objects.create(device=device, napalm_driver="bench", poll_enabled=True))
    return routers


def polling(routers: list[PeeringRouter]) -> Result:
    """From asking for the polls until the last one has ended. The queries are those of one router's job."""
    from napalm_bench import ANSWER_S

    plugin = settings.PLUGINS_CONFIG[PLUGIN]
    before = {name: plugin[name] for name in SETTINGS}
    plugin.update(SETTINGS)
    try:
        one = _job(routers[0])
        queries, peak = (
            queries_of(lambda: PollJob.handle(one)),
            peak_of(lambda: PollJob.handle(_job(routers[0]))),
        )
        with workers():
            _polled(routers[:WORKERS])
            seconds = _polled(routers)
    finally:
        plugin.update(before)
    waiting = ANSWER_S * len(routers) / WORKERS
    return Result(
        "poll-routers", len(routers), Measured(queries, Seconds(seconds, seconds, seconds), peak), waiting
    )


def _job(router: PeeringRouter) -> Job:
    """A job of the router that nobody has begun."""
    return Job.objects.create(
        name=PollJob.name,
        object=router,
        job_id=os.urandom(16).hex(),
        notifications="never",
        queue_name=ROUTERS_QUEUE,
    )


def _polled(routers: list[PeeringRouter]) -> float:
    """Have them polled by the workers. Returns in how many seconds; fails unless every session was."""
    before = SessionSample.objects.count()
    began = time.perf_counter()
    jobs = start_polls(routers)
    open_jobs = Job.objects.filter(pk__in=[job.pk for job in jobs], completed=None)
    while open_jobs.exists():
        if time.perf_counter() - began > PATIENCE_S:
            raise AssertionError(f"{open_jobs.count()} polls have not ended")
        time.sleep(0.05)
    seconds = time.perf_counter() - began
    failed = Job.objects.filter(pk__in=[job.pk for job in jobs]).exclude(
        status=JobStatusChoices.STATUS_COMPLETED
    )
    if failed or SessionSample.objects.count() - before != 50 * len(routers):
        raise AssertionError(f"Not polled: {[job.error for job in failed[:3]]}")
    return seconds


@contextmanager
def workers() -> Iterator[None]:
    """Two workers on the plugin's queue, while the body runs, at work on this process's database."""
    queue = django_rq.get_queue(ROUTERS_QUEUE)
    queue.empty()
    path = os.pathsep.join(filter(None, [str(DRIVERS), os.environ.get("PYTHONPATH")]))
    environment = {
        **os.environ,
        "NPM_DATABASE": connection.settings_dict["NAME"],
        "NPM_SETTINGS": json.dumps(SETTINGS),
        "PYTHONPATH": path,
    }
    command = [sys.executable, "-m", "netbox", "rqworker", ROUTERS_QUEUE]
    with tempfile.TemporaryFile("w+") as log:
        started = [
            subprocess.Popen(command, env=environment, stdout=log, stderr=log) for _number in range(WORKERS)
        ]
        try:
            _wait_for(queue, started, log)
            yield
        finally:
            _end(started)


def _wait_for(queue: django_rq.queues.DjangoRQ, started: list[subprocess.Popen], log: TextIO) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while Worker.count(queue=queue) < len(started):
        if time.monotonic() > deadline or any(process.poll() is not None for process in started):
            log.seek(0)
            raise AssertionError(f"The workers do not start: {log.read()[-2000:]}")
        time.sleep(0.1)


def _end(started: list[subprocess.Popen]) -> None:
    for process in started:
        process.terminate()
    for process in started:
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

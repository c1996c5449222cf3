"""
Lets a plain `pytest` run against the local stack, with nothing started by hand before.

Loaded by `addopts = -p dev.pytest_plugin`, because pytest-django reads the settings before any conftest.py. The main
process brings the servers and the template database up; pytest-xdist's workers inherit its environment.
"""

import os
import subprocess
import sys

import pytest

from dev import databases, netbox, paths, postgres, redis, state

IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
# Redis databases of one run: one pair for each worker of pytest-xdist, and one for a run without workers.
SLOTS_PER_RUN = 16
RUNS = redis.DATABASES // 2 // SLOTS_PER_RUN


def prepare():
    """Bring up what the tests need, in a process of its own, and take over the environment it works in."""
    done = subprocess.run(
        [sys.executable, "-m", "dev", "prepare-tests"], cwd=paths.ROOT, stdout=subprocess.DEVNULL
    )
    if done.returncode:
        pytest.exit("The local stack did not come up; the reason stands above.", returncode=done.returncode)
    os.environ.update(netbox.environment())
    os.environ.setdefault("NPM_TEST_DB", f"{databases.test_prefix()}{os.getpid()}")
    os.environ.setdefault("NPM_TEMPLATE", databases.template_name(postgres.known()))
    os.environ["NPM_REDIS_SLOT"] = str(redis_slot(os.getpid(), None))


def redis_slot(pid, worker):
    """
    The pair of Redis databases for a run (by its pid) and a worker (`gw0`, `gw1` …, or None for the main process).

    Slot 0 belongs to the serving NetBox. A server given by REDIS_URL has few databases, so everybody shares it.
    """
    if redis.known().given:
        return 0
    run = 1 + pid % (RUNS - 1)
    return run * SLOTS_PER_RUN + (
        0 if worker is None else 1 + int(worker.removeprefix("gw")) % (SLOTS_PER_RUN - 1)
    )


def is_informational(arguments):
    """Whether pytest is only asked about itself, for which no server is needed."""
    return any(argument in ("--help", "-h", "--version", "-V") for argument in arguments)


if IS_WORKER:
    main_slot = int(os.environ["NPM_REDIS_SLOT"])
    os.environ["NPM_REDIS_SLOT"] = str(
        main_slot and main_slot + 1 + int(os.environ["PYTEST_XDIST_WORKER"][2:]) % 15
    )
elif not is_informational(sys.argv[1:]):
    prepare()


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    """Begin with empty queues and caches: an earlier run with the same pid may have left some."""
    if state.load() and not redis.known().given:
        from django.core.cache import cache

        cache.clear()

"""
Lets a plain `pytest` run against the local stack, with nothing started by hand before.

Loaded by `addopts = -p dev.pytest_plugin`, because pytest-django reads the settings before any conftest.py.
The main process brings the servers and the template database up; pytest-xdist's workers inherit its
environment.
"""

import os
import subprocess
import sys

import pytest

from dev import databases, netbox, paths, redis
from dev.progress import is_ci

NO_DATABASE = "no_database_but_that_of_tests"
WORKER = os.environ.get("PYTEST_XDIST_WORKER")
# Redis databases of one run: a pair for each worker of pytest-xdist, and one for a run without workers.
SLOTS_PER_RUN = 16
RUNS = redis.DATABASES // 2 // SLOTS_PER_RUN

# NetBox's own test cases skip what a model does not have; that is their way of fitting it, not a test left
# out.
ALLOWED_SKIPS = os.sep + os.path.join("site-packages", "utilities", "testing") + os.sep


def prepare():
    """
    Bring up what the tests need, in a process of its own, and take over the environment that it works in.
    """
    done = subprocess.run(
        [sys.executable, "-m", "dev", "prepare-tests"], cwd=paths.ROOT, stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        pytest.exit("The local stack did not come up; the reason stands above.", returncode=done.returncode)
    os.environ.update(netbox.environment())
    # Whoever asks for no test database gets none, and not the one that serves.
    os.environ["NPM_DATABASE"] = NO_DATABASE
    # Tests talk to the PeeringDB that they start themselves, or to none.
    for name in ("PEERINGDB_URL", "PEERINGDB_API_KEY", "PEERINGDB_SAMPLE"):
        os.environ.pop(name, None)
    os.environ.setdefault("NPM_TEST_DB", f"{databases.test_prefix()}{os.getpid()}")
    os.environ["NPM_TEMPLATE"] = done.stdout.strip()
    # Playwright leaves its event loop in the thread, and Django takes whatever follows there for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    os.environ["NPM_REDIS_SLOT"] = str(run_slot(os.getpid()))


def run_slot(pid):
    """
    The first pair of Redis databases for a run.

    Slot 0 belongs to the serving NetBox. A server given by REDIS_URL has few databases, so everybody shares
    it.
    """
    return 0 if redis.known().given else (1 + pid % (RUNS - 1)) * SLOTS_PER_RUN


def worker_slot(first, worker):
    """The pair of Redis databases for a worker (`gw0`, `gw1` …) of a run whose first pair is `first`."""
    return first + 1 + int(worker.removeprefix("gw")) % (SLOTS_PER_RUN - 1) if first else 0


def is_informational(arguments):
    """Whether pytest is only asked about itself, for which no server is needed."""
    return any(argument in ("--help", "-h", "--version", "-V") for argument in arguments)


if WORKER:
    os.environ["NPM_REDIS_SLOT"] = str(worker_slot(int(os.environ["NPM_REDIS_SLOT"]), WORKER))
elif not is_informational(sys.argv[1:]):
    prepare()


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    """Let skipped tests fail in continuous integration, and begin with empty queues and caches."""
    if is_ci() and not WORKER:
        config.pluginmanager.register(SkipsFail(), "skips-fail")
    if int(os.environ.get("NPM_REDIS_SLOT", "0")):
        empty_redis()


def empty_redis():
    """Empty this run's Redis databases; an earlier run with the same process id may have left something."""
    import django_rq
    from django.core.cache import cache

    cache.clear()
    django_rq.get_connection("default").flushdb()


# Continuous integration knows no "skipped": what was not tried was not shown to work.


def is_left_out(report):
    """Whether a report is of a test, or a file of tests, that did not run for a reason of ours."""
    if not report.skipped or hasattr(report, "wasxfail"):
        return False
    where = report.longrepr[0] if isinstance(report.longrepr, tuple) else ""
    return ALLOWED_SKIPS not in str(where)


class SkipsFail:
    """Collects the skipped tests and, in continuous integration, lets the run fail because of them."""

    def __init__(self):
        self.left_out = []

    def pytest_runtest_logreport(self, report):
        if is_left_out(report):
            self.left_out.append(report.nodeid)

    def pytest_collectreport(self, report):
        if is_left_out(report):
            self.left_out.append(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        if self.left_out and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        if self.left_out:
            terminalreporter.section("skipped, which continuous integration does not accept")
            for name in self.left_out:
                terminalreporter.line(name)

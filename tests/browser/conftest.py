"""
A NetBox of its own for the browser tests: real gunicorn on a database cloned from the migrated template, and a real
headless Chromium that fails the test on any JavaScript error.
"""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

import pytest
from django.db import connection
from playwright.sync_api import Page, Request, sync_playwright
from playwright.sync_api import TimeoutError as NotInTime
from pytest_django import DjangoDbBlocker

from dev import databases, inside, netbox, paths, postgres, processes, programs, state

SCREENSHOTS = Path(os.environ.get("SCREENSHOTS", paths.STACK / "screenshots"))
# Without these, Chromium calls home at every start.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PATIENCE_SECONDS = 20
# NetBox imports all that it has before it answers, on a machine that may be busy with other tests.
START_SECONDS = 300
# What each page has asked for and not yet got.
UNDER_WAY: WeakKeyDictionary[Page, set[Request]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Site:
    """A running NetBox: its address, its database, what it and its worker say, and the login."""

    url: str
    database: str
    log: Path
    username: str
    password: str
    blocker: DjangoDbBlocker

    @contextmanager
    def data(self):
        """
        Within it, Django in this process works on this NetBox's database, and what it does there stays.

        Not in a test that has the test database open (`db`): the two share one connection.
        """
        with self.blocker.unblock(), pytest.MonkeyPatch.context() as patch:
            assert not connection.in_atomic_block, "a transaction is open on the test database"
            connection.close()
            patch.setitem(connection.settings_dict, "NAME", self.database)
            try:
                yield
            finally:
                connection.close()


@pytest.fixture(scope="session")
def site(django_db_blocker):
    with running_site("browser", django_db_blocker) as running:
        yield running


@contextmanager
def running_site(name, blocker, *, with_worker=False, **settings):
    """
    A Site with a database of its own and nothing in it but an administrator. `settings` go into its environment;
    with_worker: background jobs run as well, but none that a worker would begin by itself with a long wait.
    """
    server = postgres.known()
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    database = f"{os.environ['NPM_TEST_DB']}_{name}_{worker}"
    postgres.psql(server, f'CREATE DATABASE "{database}" TEMPLATE "{databases.template_name(server)}"')
    try:
        env = netbox.environment(database=database) | settings
        if "PEERINGDB_URL" not in settings:
            # A worker begins with a sync, and would try for a minute to reach a PeeringDB that is not there.
            own = {"peeringdb_sync_interval": 0, "drift_interval": 0}
            env["NPM_SETTINGS"] = json.dumps(own | json.loads(settings.get("NPM_SETTINGS", "{}")))
        port = processes.free_port(None)
        commands = [f"gunicorn dev.wsgi:application --threads 4 --bind 127.0.0.1:{port}"]
        if with_worker:
            commands.append("dev.inside worker")
        with (paths.STACK / f"{name}-{worker}.log").open("w") as log, ExitStack() as started:
            begun = []
            for command in commands:
                process = subprocess.Popen(
                    [sys.executable, "-m", *command.split()], env=env, cwd=paths.ROOT, stdout=log, stderr=log
                )
                started.callback(_stop, process)
                begun.append(process)
            running = Site(
                netbox.base_url(port),
                database,
                Path(log.name),
                netbox.ADMIN,
                state.load()["admin_password"],
                blocker,
            )
            with running.data():
                inside.admin()
            _wait_until_it_answers(port, begun, log.name)
            yield running
    finally:
        databases.drop(server, database)


def _wait_until_it_answers(port, started, log):
    """Wait for NetBox. A process that ended meanwhile fails the test: it would answer nothing, or work at nothing."""
    deadline = time.monotonic() + START_SECONDS
    while not netbox.answers(port):
        ended = [process.args for process in started if process.poll() is not None]
        assert not ended, f"{ended} ended; see {log}"
        assert time.monotonic() < deadline, f"NetBox did not start in {START_SECONDS} s; see {log}"
        time.sleep(0.1)


def _stop(process):
    """Stop at once: gunicorn waits for nobody after SIGINT, and a worker without a job need not be asked."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=programs.find("chromium"), args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(site, chromium, request):
    """A page of a logged-in administrator. The test fails when the page logs a JavaScript error."""
    with open_page(site, chromium, request.node.name) as page:
        yield page


@contextmanager
def open_page(site, chromium, name):
    """What `page` is, on any site; the last screenshot has `name`."""
    errors: list[str] = []
    context = chromium.new_context(base_url=site.url, viewport=WIDE, accept_downloads=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.set_default_timeout(1000 * PATIENCE_SECONDS)
    count_requests(page)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    log_in(page, site)
    yield page
    # What the browser showed last, for whoever asks why the test failed.
    page.screenshot(path=SCREENSHOTS / f"last-of-{name}.png")
    context.close()
    assert not errors, errors


def log_in(page: Page, site: Site) -> None:
    page.goto("/login/")
    page.fill("#id_username", site.username)
    page.fill("#id_password", site.password)
    page.click("button[type=submit]")
    page.wait_for_url("**/")


def count_requests(page: Page) -> None:
    """Note what the page asks for, for settle()."""
    under_way = UNDER_WAY[page] = set()
    page.on("request", lambda request: under_way.add(request))
    page.on("requestfinished", lambda request: under_way.discard(request))
    page.on("requestfailed", lambda request: under_way.discard(request))


def settle(page: Page) -> None:
    """
    Wait until the page is loaded and has asked for nothing for a tenth of a second.

    Playwright's own "networkidle" waits for half a second, at every step of a walk through dozens of pages.
    """
    page.wait_for_load_state("load")
    deadline, quiet = time.monotonic() + PATIENCE_SECONDS, 0
    while quiet < 4:
        assert time.monotonic() < deadline, [request.url for request in UNDER_WAY[page]]
        page.wait_for_timeout(25)
        quiet = 0 if UNDER_WAY[page] else quiet + 1


def choose(page: Page, field: str, text: str) -> None:
    """Choose an option of one of NetBox's searchable selects by typing its name."""
    control = page.locator(f"#id_{field}-ts-control")
    option = page.locator(f"#id_{field}-ts-dropdown .option", has_text=text).first
    for last in (False, False, True):
        # A select that depends on another one empties itself when that one has loaded, so the words may be lost.
        settle(page)
        control.click()
        control.fill(text)
        try:
            option.click(timeout=20_000 if last else 4_000)
        except NotInTime:
            if last:
                raise
        else:
            break
    # Options that arrive late open the list again, over the next field: click beside it until it stays shut.
    drop_down = page.locator(f"#id_{field}-ts-dropdown")
    settle(page)
    for _ in range(5):
        page.locator(".page-title").first.click()
        page.wait_for_timeout(150)
        if not drop_down.is_visible():
            return
    raise AssertionError(f"the list of {field} stays open")


def press_create(page: Page) -> None:
    """Press the form's main button and wait for what follows."""
    page.locator(
        "button[name=_create], button[name=_update], form.object-edit button[type=submit]"
    ).first.click()
    settle(page)


def submit(page: Page) -> None:
    """Press the form's main button; a message of the form fails the test."""
    press_create(page)
    complaints = page.locator(".invalid-feedback:visible, .alert-danger:visible").all_inner_texts()
    assert not complaints, complaints


def look(page: Page, name: str) -> None:
    """
    Take a screenshot at both widths, and see that nothing makes the page scroll sideways.

    The pictures are for people to look at; they lie in `.stack/screenshots`, or where SCREENSHOTS says.
    """
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for label, size in (("1280", WIDE), ("390", NARROW)):
        page.set_viewport_size(size)
        settle(page)
        page.screenshot(path=SCREENSHOTS / f"{name}-{label}.png", full_page=True)
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, f"{name} scrolls sideways by {overflow} px at {label} px"
    page.set_viewport_size(WIDE)

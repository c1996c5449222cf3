"""
A NetBox of its own for the browser tests: real gunicorn on a database cloned from the migrated template, and a real
headless Chromium that fails the test on any JavaScript error.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright
from playwright.sync_api import TimeoutError as NotInTime

from dev import databases, netbox, paths, postgres, processes, programs, state

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


@dataclass(frozen=True)
class Site:
    """A running NetBox: its address, the environment in which programs reach its database, and the login."""

    url: str
    env: dict[str, str]
    username: str
    password: str

    def run(self, code: str) -> str:
        """Run Python inside this NetBox and return what it prints."""
        script = f"import django; django.setup()\n{code}"
        done = subprocess.run(
            [sys.executable, "-c", script], env=self.env, cwd=paths.ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="session")
def site():
    server = postgres.known()
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    database = f"{os.environ['NPM_TEST_DB']}_browser_{worker}"
    postgres.psql(server, f'CREATE DATABASE "{database}" TEMPLATE "{databases.template_name(server)}"')
    try:
        env = netbox.environment(database=database)
        port = processes.free_port(None)
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "dev.wsgi:application",
            "--threads",
            "4",
            "--bind",
            f"127.0.0.1:{port}",
        ]
        with (paths.STACK / f"browser-{worker}.log").open("w") as log:
            web = subprocess.Popen(command, env=env, cwd=paths.ROOT, stdout=log, stderr=log)
        try:
            netbox.inside("admin", database=database)
            while not netbox.answers(port):
                assert web.poll() is None, f"NetBox did not start; see {log.name}"
            yield Site(netbox.base_url(port), env, netbox.ADMIN, state.load()["admin_password"])
        finally:
            web.terminate()
            web.wait(30)
    finally:
        databases.drop(server, database)


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=programs.find("chromium"), args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(site, chromium, request):
    """A page of a logged-in administrator. The test fails when the page logs a JavaScript error."""
    errors: list[str] = []
    context = chromium.new_context(base_url=site.url, viewport=WIDE, accept_downloads=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    log_in(page, site)
    yield page
    # What the browser showed last, for whoever asks why the test failed.
    page.screenshot(path=SCREENSHOTS / f"last-of-{request.node.name}.png")
    context.close()
    assert not errors, errors


def log_in(page: Page, site: Site) -> None:
    page.goto("/login/")
    page.fill("#id_username", site.username)
    page.fill("#id_password", site.password)
    page.click("button[type=submit]")
    page.wait_for_url("**/")


def choose(page: Page, field: str, text: str) -> None:
    """Choose an option of one of NetBox's searchable selects by typing its name."""
    control = page.locator(f"#id_{field}-ts-control")
    option = page.locator(f"#id_{field}-ts-dropdown .option", has_text=text).first
    for last in (False, False, True):
        # A select that depends on another one empties itself when that one has loaded, so the words may be lost.
        page.wait_for_load_state("networkidle")
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
    page.wait_for_load_state("networkidle")
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
    page.wait_for_load_state("networkidle")


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
        page.wait_for_load_state("networkidle")
        page.screenshot(path=SCREENSHOTS / f"{name}-{label}.png", full_page=True)
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, f"{name} scrolls sideways by {overflow} px at {label} px"
    page.set_viewport_size(WIDE)

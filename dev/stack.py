"""
The stack as a whole: what each command needs, brought up in order, under the checkout's lock.

Every `ensure_…` may be called at any time: it looks at what is there, adds what is missing and returns.
"""

import hashlib
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from dev import baseline, databases, netbox, paths, peeringdb, postgres, processes, programs, redis, state
from dev.lab import ending
from dev.progress import step

SCRATCH = "netbox_baseline"
LEFTOVERS = (".stack", "build", "dist", "site", "*.egg-info", ".*_cache")


@dataclass(frozen=True)
class Stack:
    """A running NetBox, and what a program needs to talk to it."""

    base_url: str
    admin_username: str
    admin_password: str = field(repr=False)
    token: str = field(repr=False)  # nbt_<key>.<secret>, of the superuser, may write
    env: dict[str, str] = field(repr=False)
    python: Path = paths.PYTHON
    root: Path = paths.ROOT

    @property
    def headers(self):
        """HTTP headers that authenticate against the REST API."""
        return {"Authorization": f"Bearer {self.token}"}


def ensure_servers():
    """PostgreSQL and Redis, running. Returns the PostgreSQL server. Call it under the lock."""
    paths.make_folders()
    server = postgres.ensure()
    redis.ensure()
    return server


def ensure_shell():
    """
    What any NetBox command needs: the servers, and a database that holds at least the baseline.

    The plugin's migrations are not applied, so that `makemigrations` also works while they are broken.
    """
    with state.locked():
        databases.ensure_host(ensure_servers())


def ensure_template():
    """What a test run needs. Returns the name of the template that test databases are cloned from."""
    with state.locked():
        server = ensure_servers()
        databases.drop_left_over_tests(server, databases.test_prefix(), _is_test_run)
        return databases.ensure_template(server)


def ensure_migrated():
    """The serving database with all migrations, the administrator and the static files."""
    with state.locked():
        server = ensure_servers()
        databases.ensure_host(server)
        _bring_up_to_date(server)


def serve():
    """NetBox, its worker and a PeeringDB, running the code as it is now. Returns the Stack."""
    with state.locked():
        server = ensure_servers()
        databases.ensure_host(server)
        _bring_up_to_date(server)
        _restart_when_code_changed()
        with step("Starting NetBox, its worker and a sample PeeringDB"):
            peeringdb.start()
            netbox.start_worker()
            port = netbox.start_web(state.load().get("web_port"))
        return describe(state.update(web_port=port))


def describe(remembered):
    """The Stack for what the state remembers."""
    return Stack(
        base_url=netbox.base_url(remembered["web_port"]),
        admin_username=netbox.ADMIN,
        admin_password=remembered["admin_password"],
        token=f"nbt_{remembered['token_key']}.{remembered['token_secret']}",
        env=netbox.environment(),
    )


def stop():
    """Stop what this checkout started. Returns the names of what ran."""
    with state.locked():
        stopped = [f"lab {name}" for name in ending.stop_all()] + netbox.stop()
        stopped += ["redis"] if redis.stop() else []
        stopped += ["postgres"] if postgres.stop() else []
        return stopped


def clean():
    """Stop everything and remove the stack's data and what builds leave behind. `.venv` stays."""
    stop()
    data = postgres.data_folder()
    if data.parent != paths.STACK:
        shutil.rmtree(data.parent, ignore_errors=True)
    for pattern in LEFTOVERS:
        for path in paths.ROOT.glob(pattern):
            shutil.rmtree(path, ignore_errors=True)


def rebuild_baseline():
    """Migrate NetBox and netbox-routing in a scratch database and write its dump. Returns the path."""
    programs.ensure(["pg_dump"])
    with state.locked():
        server = ensure_servers()
        databases.drop(server, SCRATCH)
        databases.create(server, SCRATCH)
        with step("Migrating NetBox and netbox-routing from nothing (4 to 8 minutes)"):
            netbox.inside("migrate", database=SCRATCH, host_only=True)
        path = baseline.dump(server, SCRATCH)
        databases.drop(server, SCRATCH)
        return path


def _bring_up_to_date(server):
    """
    Migrate the serving database when its migrations changed; the administrator is made or mended each time.
    """
    if databases.is_migrated(server) and state.load().get("static") == _static_stamp():
        return
    with step("Migrating NetBox with the plugin, linking static files"):
        netbox.inside("migrate", "collectstatic", "admin")
    databases.mark_migrated(server)
    state.update(static=_static_stamp())


def _static_stamp():
    """Changes when a static file comes or goes (their content is linked), and with NetBox's version."""
    names = sorted(str(path) for path in (paths.PLUGIN / "static").rglob("*"))
    return hashlib.sha256(repr((baseline.installed_versions(), names)).encode()).hexdigest()[:12]


def _restart_when_code_changed():
    """Stop NetBox when it runs older code than what lies in the checkout."""
    stamp = _code_stamp()
    if state.load().get("code") != stamp:
        netbox.stop()
        state.update(code=stamp)


def _code_stamp():
    """Changes when a file of the plugin or of this tool does."""
    digest = hashlib.sha256()
    for folder in (paths.PLUGIN, paths.DEV):
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".py", ".html", ".json"):
                digest.update(f"{path}:{path.stat().st_mtime_ns}".encode())
    return digest.hexdigest()[:12]


def _is_test_run(pid):
    """Whether the process is a pytest; a test database of anything else was left behind by a killed run."""
    line = processes.command_line(pid)
    return pid == os.getpid() or "pytest" in line or "py.test" in line or "dev test" in line

"""
The private PostgreSQL cluster: own data folder, loopback only, run as an unprivileged user.

PostgreSQL refuses to run as root; root therefore starts it as `postgres` (or `nobody`). `DATABASE_URL` names
a server to use instead; then nothing is started. SQL goes through `psql`, since this runs before the virtual
environment exists.
"""

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dev import paths, processes, programs, state
from dev.errors import DevError
from dev.progress import run, say, step, tail

USER = "netbox"
MINIMUM = 150000  # server_version_num of PostgreSQL 15, the oldest that NetBox 4.7 supports
START_SECONDS = 60
PORT_ATTEMPTS = 5
# A development database may lose its last seconds when the machine crashes; it is rebuilt in seconds.
SPEED = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum_naptime": "5min",
    "max_connections": "200",
    "shared_buffers": "256MB",
    # The queries here are many and small: compiling them takes longer than running them.
    "jit": "off",
}


@dataclass(frozen=True)
class Server:
    """Where a PostgreSQL answers, and the name of the database that serves (others derive from it)."""

    host: str
    port: int
    user: str = USER
    password: str = ""
    database: str = "netbox"
    given: bool = False  # by DATABASE_URL: not ours to stop

    def environment(self):
        """The variables by which psql and pg_dump find the server; the password is in no command line."""
        return os.environ | {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGCONNECT_TIMEOUT": "5",
            "PGOPTIONS": "-c client_min_messages=warning",
        }


def ensure():
    """
    The server to use, running: the one of DATABASE_URL, else the private cluster, started when it is down.
    """
    programs.ensure(programs.FOR_CLIENT)
    state.ensure_secrets()
    server = known()
    if server.given:
        check_given(server)
        return server
    data = data_folder()
    if process(data).pid() and answers(server):
        return server
    programs.ensure(programs.FOR_DATABASE)
    with step("Starting PostgreSQL"):
        _ensure_cluster(data, server.password)
        return _start(data, server)


def known():
    """The server as it is remembered or given, without looking whether it answers."""
    if url := os.environ.get("DATABASE_URL"):
        return parse_url(url)
    remembered = state.load()
    return Server(
        processes.HOST,
        remembered.get("postgres_port", 0),
        password=remembered.get("postgres_password", ""),
    )


def stop():
    """Stop the private cluster. Returns whether it was running."""
    return process(data_folder()).stop()


def process(data):
    """
    The server process of a data folder. SIGINT is PostgreSQL's fast shutdown: open sessions are cut off.
    """
    return processes.Process(
        "postgres", mark=f"-D {data} ", stop_signal=signal.SIGINT, own_pid_file=data / "postmaster.pid"
    )


# Where the data lies, and whose it is


def server_user():
    """(uid, gid) to run the server as, or None when this already is an ordinary user."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise DevError("PostgreSQL does not run as root. Make a user for it with: useradd --system postgres")


def data_folder(stack=paths.STACK):
    """
    The folder of the cluster: `.stack/pg`, or one under /var/tmp when the server's user cannot reach the
    checkout.

    The latter is named after the checkout's path, so that two checkouts never share one.
    """
    if server_user() is None or reachable(stack.parent):
        return stack / "pg"
    key = hashlib.sha256(str(stack).encode()).hexdigest()[:12]
    return Path("/var/tmp") / f"netbox-peering-manager-{key}" / "pg"


def reachable(folder):
    """Whether any user may pass through the folder and all its parents."""
    return all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents))


def _ensure_cluster(data, password):
    """
    Make the cluster once. It is made beside its place and moved there, so that a half-made one never counts.

    A cluster whose password is no longer known (its checkout's `.stack` was deleted) is of no use and is
    replaced.
    """
    owner = data.with_name("pg.owner")
    if (data / "PG_VERSION").exists() and owner.exists() and owner.read_text() == _digest(password):
        _check_cluster_version(data)
        return
    if data.parent != paths.STACK:
        say(f"The database server's user cannot reach {paths.ROOT}; its data lies in {data}")
    process(data).stop()
    data.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = data.with_name("pg.new")
    for leftover in (fresh, data):
        shutil.rmtree(leftover, ignore_errors=True)
    _initdb(fresh, password)
    fresh.rename(data)
    owner.write_text(_digest(password))


def _digest(password):
    return hashlib.sha256(password.encode()).hexdigest()


def _initdb(folder, password):
    folder.mkdir(mode=0o700)
    # initdb wants an empty folder, so the password lies beside it for the moment that it takes.
    password_file = folder.with_name("pg.password")
    state.write_private(password_file, password)
    try:
        as_user = server_user()
        if as_user:
            os.chown(folder, *as_user)
            os.chown(password_file, *as_user)
        run(
            [
                programs.find("initdb"),
                f"--pgdata={folder}",
                f"--username={USER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ],
            "initdb",
            what="Making the database cluster",
            cwd="/",
            **(_become(as_user) if as_user else {}),
        )
    finally:
        password_file.unlink(missing_ok=True)


def _become(user):
    """subprocess options that run a program as (uid, gid) without root's groups."""
    return {"user": user[0], "group": user[1], "extra_groups": []}


def _check_cluster_version(data):
    """A cluster belongs to one major version; after an upgrade of the packages it is made anew by hand."""
    wanted = (data / "PG_VERSION").read_text().strip()
    words = programs.version_of(programs.find("postgres")).split()
    version = next((word for word in words if word[0].isdigit()), "")
    if version.partition(".")[0] != wanted:
        raise DevError(
            f"{data} was made by PostgreSQL {wanted}, installed is {version}. Start over with: make clean"
        )


# Starting


def _start(data, server):
    """Start the cluster on the port that it had before, else on any free one."""
    server_process = process(data)
    server_process.stop()
    port = server.port or None
    for _attempt in range(PORT_ATTEMPTS):
        candidate = replace(server, port=processes.free_port(port))
        state.update(postgres_port=candidate.port)
        server_process.start(_command(data, candidate.port), user=server_user(), cwd="/")
        if processes.wait_until(
            lambda: answers(candidate),  # noqa: B023
            server_process,
            seconds=START_SECONDS,
            what="PostgreSQL",
        ):
            return candidate
        if not server_process.port_was_taken():
            break
        time.sleep(1)
        port = None
    raise DevError(
        f"PostgreSQL does not start. The end of {server_process.log}:\n{tail(server_process.log)}\n"
        "Start over with: make clean"
    )


def _command(data, port):
    options = SPEED | {
        "listen_addresses": processes.HOST,
        # Loopback with a password is enough, and a socket's path may not exceed 107 characters.
        "unix_socket_directories": "",
    }
    flags = [flag for name, value in options.items() for flag in ("-c", f"{name}={value}")]
    return [programs.find("postgres"), "-D", data, "-p", port, *flags]


def answers(server):
    """Whether the server lets us in."""
    return psql(server, "SELECT 1", check=False).returncode == 0


# Given servers


def check_given(server):
    """Check that the server of DATABASE_URL is new enough, knows ltree and lets us make databases."""
    done = psql(
        server,
        "SELECT current_setting('server_version_num')::int, "
        "(SELECT count(*) FROM pg_available_extensions WHERE name = 'ltree'), "
        "(SELECT (rolcreatedb OR rolsuper)::int FROM pg_roles WHERE rolname = current_user)",
        check=False,
    )
    if done.returncode:
        raise DevError(
            f"DATABASE_URL: {done.stderr.strip()}\n"
            "Correct the variable, or leave it out to use a private server: unset DATABASE_URL"
        )
    check_abilities(*(int(value) for value in done.stdout.strip().split("|")))


def check_abilities(version, ltree, may_create):
    """Refuse a given server that cannot serve, with what to do about it."""
    if version < MINIMUM:
        raise DevError(
            f"DATABASE_URL: PostgreSQL 15 or newer is needed, this is {version // 10000}. "
            f"Install it with: {programs.install_line(['postgresql'])}"
        )
    if not ltree:
        raise DevError(
            "DATABASE_URL: the server lacks the extension ltree. "
            f"On the server: {programs.install_line(['postgresql-contrib'])}"
        )
    if not may_create:
        raise DevError(
            "DATABASE_URL: the user may not make databases. On the server: ALTER ROLE <user> CREATEDB"
        )


def parse_url(url):
    """A Server from postgres://user[:password]@host[:port][/database]. Raises DevError for anything else."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql") or not parts.hostname or not parts.username:
        raise DevError("DATABASE_URL must look like postgres://user:password@host[:port][/database].")
    return Server(
        host=parts.hostname,
        port=parts.port or 5432,
        user=unquote(parts.username),
        password=unquote(parts.password or ""),
        database=unquote(parts.path.strip("/")) or "netbox",
        given=True,
    )


# SQL


def psql(server, sql, *, database="postgres", check=True):
    """
    Run SQL and return the finished process; its stdout holds the rows, unaligned, columns parted by `|`.

    Raises DevError with PostgreSQL's message when it fails and `check` is set.
    """
    done = subprocess.run(
        [programs.find("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql],
        env=server.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if check and done.returncode:
        raise DevError(
            f"PostgreSQL refused: {done.stderr.strip()}\nThe statement was: {sql}\nStart over: make clean"
        )
    return done


def rows(server, sql, *, database="postgres"):
    """The rows of a query, each a list of strings."""
    return [line.split("|") for line in psql(server, sql, database=database).stdout.splitlines() if line]

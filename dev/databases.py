"""
The databases of a checkout: the one that serves, and the migrated template that test databases are cloned
from.

Both begin with the baseline (`baseline.py`), so that NetBox's own migrations, which take minutes, never run
here. The template's name holds a fingerprint of the migrations and models: changed ones make a new template, while
a test run that began with the old one goes on undisturbed.
"""

import hashlib
import platform

from dev import baseline, netbox, paths, postgres
from dev.progress import step

TEMPLATES_KEPT = 3


def fingerprint():
    """
    A short text that changes with the host's versions and with the content of the plugin's migrations and models:
    migrating also enters in the database what each model can do, which it can come to without a migration.
    """
    digest = hashlib.sha256(repr(baseline.installed_versions()).encode())
    for folder in ("migrations", "models"):
        for path in sorted((paths.PLUGIN / folder).glob("*.py")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def template_name(server):
    """The name of the template database for the migrations as they are now."""
    return f"{_template_prefix(server)}{fingerprint()}"


def ensure_template(server):
    """
    Make sure that the migrated template exists. Returns its name. Nobody can connect to it, so it can be
    cloned.
    """
    name = template_name(server)
    if name in names(server):
        return name
    building = f"{name}_building"
    with step("Making the template database"):
        drop(server, building)
        create(server, building)
        baseline.fill(server, building)
        netbox.inside("migrate", database=building)
        postgres.psql(server, "ANALYZE", database=building)
        for statement in (
            f'ALTER DATABASE "{building}" RENAME TO "{name}"',
            f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false',
        ):
            postgres.psql(server, statement)
    _drop_old_templates(server, keep=name)
    return name


def ensure_host(server):
    """
    Make sure that the serving database exists and holds at least the baseline; the plugin may be unmigrated.
    """
    if server.database not in names(server):
        create(server, server.database)
    if not has_tables(server, server.database):
        with step("Restoring the baseline"):
            baseline.fill(server, server.database)


def is_migrated(server):
    """Whether the serving database was brought up to the migrations as they are now."""
    found = postgres.rows(
        server,
        f"SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '{server.database}'",
    )
    return found == [[fingerprint()]]


def mark_migrated(server):
    """Remember in the database itself, as its comment, which migrations it has."""
    postgres.psql(server, f"COMMENT ON DATABASE \"{server.database}\" IS '{fingerprint()}'")


def names(server):
    """The names of all databases of the server."""
    return {row[0] for row in postgres.rows(server, "SELECT datname FROM pg_database")}


def has_tables(server, name):
    """Whether a database was filled. Filling happens in one transaction, so there is no half."""
    return postgres.rows(
        server, "SELECT to_regclass('public.django_migrations') IS NOT NULL", database=name
    ) == [["t"]]


def create(server, name):
    """Make an empty database. From template0, which nobody can be connected to."""
    postgres.psql(server, f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8'")


def drop(server, name):
    """Drop a database, with its open connections, when it exists."""
    postgres.psql(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def test_prefix():
    """
    How the names of this checkout's test databases begin; the process id of the run follows.

    Host and path are in it because several of them may use one server by DATABASE_URL.
    """
    key = hashlib.sha256(f"{platform.node()}:{paths.ROOT}".encode()).hexdigest()[:8]
    return f"test_{key}_"


def drop_left_over_tests(server, prefix, alive):
    """
    Drop the test databases of runs that were killed.

    A test database is `<prefix><pid>` and possibly a worker's suffix; `alive(pid)` says whether that run
    still runs.
    """
    for name in sorted(names(server)):
        pid = name.removeprefix(prefix).partition("_")[0]
        if name.startswith(prefix) and pid.isdigit() and not alive(int(pid)):
            drop(server, name)


def _template_prefix(server):
    return f"{server.database}_template_"


def _drop_old_templates(server, keep):
    """Drop all but the newest templates; runs that began moments ago may still clone from the last ones."""
    prefix = _template_prefix(server).replace("_", "\\_")
    found = postgres.rows(
        server, f"SELECT datname FROM pg_database WHERE datname LIKE '{prefix}%' ORDER BY oid DESC"
    )
    for (name,) in found[TEMPLATES_KEPT:]:
        if name != keep:
            drop(server, name)

"""
The baseline: a compressed dump of an empty, migrated NetBox with netbox-routing, and without this plugin.

Migrating an empty NetBox takes 4 to 8 minutes; restoring the dump takes seconds. The file's name says which
versions it belongs to. With other versions installed the stack migrates instead, and says so; `make baseline`
rebuilds it.
"""

import gzip
import re
import subprocess

from dev import netbox, paths, programs
from dev.errors import DevError
from dev.progress import say

PACKAGES = ("netbox", "netbox_routing")
# What pg_dump says about itself and its surroundings: it differs by minor version and means nothing to the
# restore. `\restrict` is understood only by psql of August 2025 and later, transaction_timeout only by
# PostgreSQL 17.
NOISE = re.compile(rb"^(\\(un)?restrict .*|-- Dumped .*|SET transaction_timeout = .*)\n", re.MULTILINE)


def installed_versions():
    """The versions of the host's packages in .venv, by name; a package that is not there is left out."""
    found = {}
    for folder in sorted(paths.VENV.glob("lib/python3*/site-packages/*.dist-info")):
        name, _, version = folder.name.removesuffix(".dist-info").partition("-")
        if name in PACKAGES:
            found[name] = version
    return found


def path_for(versions):
    """The dump's path for these versions."""
    names = "_".join(f"{name.replace('_', '-')}-{versions.get(name, 'none')}" for name in PACKAGES)
    return paths.BASELINE / f"{names}.sql.gz"


def fill(server, database):
    """
    Bring an empty database to the migrated host: from the dump, or by migrating when there is none that fits.
    """
    path = path_for(installed_versions())
    if path.exists():
        restore(server, database, path)
        return
    say(
        f"There is no {path.name}: migrating instead, which takes 4 to 8 minutes. Make it with: make baseline"
    )
    netbox.inside("migrate", database=database, host_only=True)


def restore(server, database, path):
    """Restore a dump into an empty database in one transaction: whole or not at all."""
    try:
        sql = gzip.decompress(path.read_bytes())
    except (OSError, EOFError) as error:
        raise DevError(f"{path} cannot be read ({error}). Make it anew with: make baseline") from error
    done = subprocess.run(
        [programs.find("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "--single-transaction", "-d", database],
        env=server.environment(),
        input=sql,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    if done.returncode:
        message = done.stderr.decode(errors="replace").strip()
        raise DevError(f"Restoring {path.name} failed: {message}\nMake it anew with: make baseline")


def dump(server, database):
    """Write the dump of a database for the installed versions, and remove those of other versions."""
    path = path_for(installed_versions())
    done = subprocess.run(
        [programs.find("pg_dump"), "--no-owner", "--no-privileges", "--no-comments", "-d", database],
        env=server.environment(),
        capture_output=True,
    )
    if done.returncode:
        raise DevError(
            f"pg_dump failed: {done.stderr.decode(errors='replace').strip()}\nTry again: make baseline"
        )
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.write_bytes(compress(NOISE.sub(b"", done.stdout)))
    for old in paths.BASELINE.glob("*.sql.gz"):
        old.unlink()
    temporary.rename(path)
    return path


def compress(sql):
    """Gzip without a time stamp, so that the same SQL makes the same file."""
    return gzip.compress(sql, compresslevel=9, mtime=0)


def migration_rows(path):
    """The (app, migration) pairs that the dump says are applied."""
    sql = gzip.decompress(path.read_bytes()).decode()
    _, _, rest = sql.partition("COPY public.django_migrations ")
    rows, _, _ = rest.partition("\n\\.")
    return {tuple(line.split("\t")[1:3]) for line in rows.splitlines()[1:]}

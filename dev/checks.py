"""`make lint`: each check is one command, all of them run, and the failed ones are named at the end."""

import subprocess
import time

from dev import netbox, paths, stack
from dev.errors import DevError
from dev.progress import say

MAKEMIGRATIONS = ["netbox", "makemigrations", "netbox_peering_manager", "--check", "--dry-run"]
LINT = {
    "style": ["ruff", "check", "."],
    "format": ["ruff", "format", "--check", "."],
    "types": ["mypy"],
    "imports": ["lint-imports"],
    "migrations": MAKEMIGRATIONS,
}
DOCS = ["mkdocs", "build", "--strict", "--site-dir", str(paths.ROOT / "site")]


def lint():
    """
    Run every check. Raises DevError that names those that failed, with the command which runs each alone.
    """
    stack.ensure_shell()
    run_all(LINT)


def run_all(commands):
    """
    Run commands (name to command line) one after the other, failures included, then report all failures at
    once.
    """
    failed = [name for name, command in commands.items() if not passes(name, command)]
    if failed:
        alone = "\n".join(f"    python -m dev shell -- {' '.join(commands[name])}" for name in failed)
        raise DevError(f"Failed: {', '.join(failed)}. Each alone:\n{alone}")


def passes(name, command):
    """Run one command with its output shown. Returns whether it succeeded."""
    say(f"{name}: {' '.join(command)}")
    started = time.monotonic()
    status = subprocess.run(
        command, cwd=paths.ROOT, env=netbox.environment(), stdin=subprocess.DEVNULL
    ).returncode
    say(f"{name}: {'ok' if status == 0 else f'failed ({status})'}, {time.monotonic() - started:.1f} s")
    return status == 0

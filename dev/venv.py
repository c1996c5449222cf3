"""
The virtual environment `.venv`, with every version pinned.

`requirements.txt` says what is wanted and why, `constraints.txt` pins it and all that it brings. A stamp of
both and of pyproject.toml makes the second run do nothing.
"""

import hashlib
import subprocess
import sys

from dev import paths, programs, state
from dev.progress import run, step

STAMP = paths.VENV / "netbox-peering-manager.stamp"
MINIMUM = (3, 12)


def ensure():
    """Make or complete `.venv`. Returns the path of its Python."""
    if not is_complete():
        programs.ensure(programs.FOR_VENV)
        with state.locked():
            complete()
    return paths.PYTHON


def is_complete():
    """Whether `.venv` holds what is wanted now."""
    return paths.PYTHON.exists() and STAMP.exists() and STAMP.read_text() == stamp()


def complete():
    """Bring `.venv` to what is wanted now, unless another run did so while this one waited for the lock."""
    if is_complete():
        return
    if not is_usable():
        with step("Making .venv"):
            make(paths.VENV)
    with step("Installing the pinned packages into .venv (minutes on the first run)"):
        install()
    STAMP.write_text(stamp())


def make(folder):
    """Make an empty virtual environment with this Python, in place of whatever lies there."""
    run(
        [sys.executable, "-m", "venv", "--clear", folder],
        "venv",
        what=f"Making {folder}",
        hint="On Debian, install it with: apt-get install python3-venv",
    )


def stamp():
    """Changes with the pins, the wanted packages, the project's metadata and this Python's version."""
    digest = hashlib.sha256(repr(sys.version_info[:2]).encode())
    for path in (paths.CONSTRAINTS, paths.REQUIREMENTS, paths.ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_usable():
    """Whether `.venv` holds a Python that starts, is new enough and has pip."""
    try:
        done = subprocess.run(
            [paths.PYTHON, "-c", f"import pip, sys; sys.exit(sys.version_info < {MINIMUM})"],
            capture_output=True,
        )
    except OSError:
        return False
    return done.returncode == 0


def install():
    """Install the pinned packages, then the plugin from this checkout in editable mode."""
    pip = [paths.PYTHON, "-m", "pip", "install", "--disable-pip-version-check"]
    hint = "When a package cannot be fetched, check the network and run the same command again."
    run([*pip, "--constraint", paths.CONSTRAINTS, "--requirement", paths.REQUIREMENTS], "pip", hint=hint)
    # "compat" puts the checkout itself on the path, so that `dev`, `tests` and `benchmarks` can be imported
    # as well.
    editable = [
        "--no-deps",
        "--no-build-isolation",
        "--config-settings",
        "editable_mode=compat",
        "--editable",
        paths.ROOT,
    ]
    run([*pip, *editable], "pip-editable", hint=hint)

"""
Tell the person in front of the terminal what is going on and how long it took.

Everything goes to standard error: standard output belongs to the command that the stack runs.
"""

import os
import subprocess
import sys
import time
from contextlib import contextmanager

from dev import paths
from dev.errors import DevError

LOG_LINES_SHOWN = 30


def say(text):
    """Print one line of progress."""
    print(f"==> {text}", file=sys.stderr, flush=True)


@contextmanager
def step(title):
    """Announce a piece of work and, when it ends well, print how long it took."""
    print(f"==> {title} ...", file=sys.stderr, flush=True)
    started = time.monotonic()
    yield
    print(f"    {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)


def run(command, log, *, env=None, what=None, hint="", **options):
    """
    Run a command with its output in `.stack/log/<log>.log`.

    Returns nothing. Raises DevError with the last lines of that log when the command fails; `what` says in
    words what was being done, `hint` the command that may put it right.
    """
    paths.make_folders()
    target = paths.LOG / f"{log}.log"
    command = [str(part) for part in command]
    options.setdefault("cwd", paths.ROOT)
    with target.open("w") as output:
        done = subprocess.run(
            command, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, **options
        )
    if done.returncode:
        raise DevError(
            f"{what or ' '.join(command)} failed (exit status {done.returncode}). The end of {target}:\n"
            f"{tail(target)}" + (f"\n{hint}" if hint else "")
        )


def tail(path, lines=LOG_LINES_SHOWN):
    """The last lines of a text file, indented; empty when there is no such file."""
    try:
        text = path.read_text(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])


def is_ci():
    """
    Whether this runs in continuous integration, where nothing may be skipped and nobody answers questions.
    """
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")

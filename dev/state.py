"""
What the stack remembers between two commands: `.stack/state.json` (ports, passwords) and the lock.

The state holds only what cannot be seen from outside. Whether a process runs is always asked of the system
(`processes.py`), never believed from a file.
"""

import fcntl
import json
import os
import secrets
import string
from contextlib import contextmanager

from dev import paths
from dev.errors import DevError
from dev.progress import say

ALPHANUMERIC = string.ascii_letters + string.digits
SECRETS = {
    "postgres_password": 32,
    "redis_password": 32,
    "secret_key": 60,
    "api_token_pepper": 60,
    "admin_password": 16,
    "token_key": 12,  # NetBox's TOKEN_KEY_LENGTH
    "token_secret": 40,  # NetBox's TOKEN_DEFAULT_LENGTH
}


def load():
    """The remembered state as a dict; empty on the first run. A file that is no JSON object is refused."""
    try:
        state = json.loads(paths.STATE.read_text())
    except FileNotFoundError:
        return {}
    except ValueError:
        state = None
    if not isinstance(state, dict):
        raise DevError(f"{paths.STATE} cannot be read. Start over with: make clean")
    return state


def save(state):
    """Write the state, readable by its owner only, so that a kill leaves the old file or the new one."""
    paths.make_folders()
    write_private(paths.STATE, json.dumps(state, indent=2, sort_keys=True) + "\n")


def update(**changes):
    """Change some keys of the state. Returns the whole state as it is now."""
    state = load() | changes
    save(state)
    return state


def write_private(path, text):
    """
    Write a file with mode 0600 in one move: never half-written, never readable by others, not even briefly.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as output:
        output.write(text)
    temporary.replace(path)


def ensure_secrets():
    """Make the passwords and keys of this checkout once. Returns the state, which holds each of SECRETS."""
    state = load()
    missing = {name: random_text(length) for name, length in SECRETS.items() if name not in state}
    return update(**missing) if missing else state


def random_text(length):
    """Random letters and digits, which need no quoting anywhere (URLs, SQL, redis.conf, a shell)."""
    return "".join(secrets.choice(ALPHANUMERIC) for _ in range(length))


@contextmanager
def locked(path=paths.LOCK):
    """
    Hold a lock, by default the checkout's, while servers and databases are made or stopped.

    The kernel releases it when the holder dies, however it dies, so that a lock can never be stale.
    """
    paths.make_folders()
    with path.open("a+") as handle:
        _wait_for(handle)
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        try:
            yield
        finally:
            handle.truncate(0)


def _wait_for(handle):
    """Take the lock; when somebody has it, say who before waiting."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.seek(0)
        say(f"Waiting for another run (process {handle.read() or 'unknown'})")
        fcntl.flock(handle, fcntl.LOCK_EX)

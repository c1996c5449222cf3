"""
Start and stop the stack's own processes, and only those.

A process is known by its pid file *and* by a mark in its command line (a path inside this checkout's stack),
because after a reboot or a kill the pid may belong to a stranger.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from dev import paths
from dev.errors import DevError
from dev.progress import tail

STOP_SECONDS = 15
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Process:
    """
    One process of the stack: its name (pid file, log file) and the text by which its command line is known.
    """

    name: str
    mark: str
    stop_signal: signal.Signals = signal.SIGTERM
    own_pid_file: Path | None = None  # one that the program keeps itself, in case ours was deleted

    @property
    def pid_file(self):
        return paths.RUN / f"{self.name}.pid"

    @property
    def log(self):
        return paths.LOG / f"{self.name}.log"

    def pid(self):
        """
        The pid when the process runs, else None. A pid that now belongs to something else counts as None.
        """
        for path in filter(None, (self.pid_file, self.own_pid_file)):
            pid = first_number(path)
            if pid is not None and self.mark in command_line(pid):
                return pid
        return None

    def start(self, command, *, env=None, user=None, cwd=None):
        """
        Start the command in the background, in a session of its own, with its output in a new log.

        The pid file is written by the new process before the program begins (`launch.py`), so that there is
        no moment at which the program runs and nobody knows. `user` is (uid, gid) to become, or None.
        """
        paths.make_folders()
        launcher = [sys.executable, "-I", str(paths.DEV / "launch.py"), str(self.pid_file)]
        launcher += [f"{user[0]}:{user[1]}"] if user else ["-"]
        with self.log.open("wb") as output:
            started = subprocess.Popen(
                [*launcher, *(str(part) for part in command)],
                env=env,
                cwd=cwd or paths.ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        # It outlives us on purpose; without this Popen would complain that nobody waited for it.
        started.returncode = 0

    def port_was_taken(self):
        """Whether its last start failed because somebody else had the port; another port may help then."""
        # "Address already in use", gunicorn's "Connection in use", and PostgreSQL's "shared memory block is
        # still in use", which passes by itself once the children of a killed server have noticed.
        return "in use" in self.log.read_text(errors="replace")

    def stop(self):
        """Stop the process and what it started. Returns whether it was running."""
        pid = self.pid()
        if pid is not None:
            _signal_and_wait(pid, self)
        self.pid_file.unlink(missing_ok=True)
        return pid is not None


def first_number(path):
    """The number in the first line of a file; None when there is no file or no number."""
    try:
        return int(path.read_text().partition("\n")[0])
    except (OSError, ValueError):
        return None


def _signal_and_wait(pid, process):
    """Ask politely, wait, and kill the whole session of the process when it does not go."""
    os.kill(pid, process.stop_signal)
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        _reap(pid)
        if process.mark not in command_line(pid):
            return
        time.sleep(0.05)
    os.killpg(pid, signal.SIGKILL)


def _reap(pid):
    """Collect the process when it is a child of ours; an uncollected child would look alive for ever."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def command_line(pid):
    """The command line of a running process as one string; empty when there is none (or it is a zombie)."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return "" if Path("/proc/self").exists() else _command_line_by_ps(pid)
    return raw.replace(b"\0", b" ").decode(errors="replace")


def _command_line_by_ps(pid):
    """The same on systems without /proc."""
    return subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True).stdout


def wait_until(ready, process, *, seconds, what):
    """
    Wait until `ready()` is true.

    Returns True then, and False as soon as the process is gone (the caller may try another port). Raises
    DevError with the log's end when the time is up.
    """
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        if ready():
            return True
        # The launcher needs a moment to write the pid file: absence means death only after that.
        if time.monotonic() - started > 2 and process.pid() is None:
            return False
        time.sleep(0.1)
    raise DevError(
        f"{what} did not answer within {seconds} s. The end of {process.log}:\n{tail(process.log)}\n"
        "Start over with: make stop"
    )


def free_port(preferred=None):
    """
    A loopback port that nobody listens on: the preferred one when it is free, else one that the system picks.
    """
    for port in (preferred, 0):
        if port is None:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return probe.getsockname()[1]
    raise DevError("No loopback port is free. See what listens with: ss -ltnp")

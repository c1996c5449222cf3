"""
Calls `router.sh` on the router, and says in NAPALM's exceptions what it answered.

The script is put there once per connection, under a name that holds its digest: a timer that an older version of this
driver has started goes on with the script that it began with.
"""

import hashlib
import secrets
import shlex
from dataclasses import dataclass
from pathlib import Path

from napalm.base.exceptions import (
    CommandErrorException,
    CommitConfirmException,
    CommitError,
    LockError,
    MergeConfigException,
    NapalmException,
    ReplaceConfigException,
)

from napalm_frr.configuration import masked
from napalm_frr.connection import Connection, Done

SCRIPT = Path(__file__).with_name("router.sh").read_text()
NAME = f"router-{hashlib.sha256(SCRIPT.encode()).hexdigest()[:12]}.sh"
# A commit has several steps of the time that one may take; the driver waits for all of them.
STEPS = 6


@dataclass(frozen=True)
class Places:
    """Where things lie on the router."""

    state_dir: str = "/var/lib/napalm-frr"
    frr_reload: str = "/usr/lib/frr/frr-reload.py"
    config_dir: str = "/etc/frr"


class Router:
    """The configuration of the router behind a connection. Every method raises what `Connection.run` does as well."""

    def __init__(self, connection: Connection, places: Places, timeout_s: float) -> None:
        self._connection = connection
        self._places = places
        self._timeout_s = timeout_s
        self._placed = False

    def check(self, text: str, *, replace: bool) -> None:
        """Raises ReplaceConfigException or MergeConfigException with what FRR's grammar objects to."""
        done = self._staged("check", text)
        if done.status:
            kind = ReplaceConfigException if replace else MergeConfigException
            raise kind(f"FRR does not understand this configuration:\n{masked(done.said)}")

    def mark(self, text: str) -> str:
        """The text with the end of every block written out, as vtysh understands it."""
        done = self._staged("mark", text)
        if done.status:
            raise MergeConfigException(f"FRR does not understand this configuration:\n{masked(done.said)}")
        return done.output

    def running(self) -> str:
        """The running configuration, without a heading."""
        done = self._connection.run("vtysh -c 'show running-config no-header'")
        if done.status or not done.output.strip():
            raise CommandErrorException(f"The running configuration cannot be read: {done.said}")
        return done.output

    def startup(self) -> str:
        """The configuration that FRR starts with; "" when there is none."""
        path = shlex.quote(f"{self._places.config_dir}/frr.conf")
        done = self._connection.run(f"test ! -e {path} || cat {path}")
        if done.status:
            raise CommandErrorException(f"The startup configuration cannot be read: {done.said}")
        return done.output

    def compare(self, text: str) -> str:
        """What frr-reload.py would delete and add to make this whole text the running configuration; as it says it."""
        done = self._staged("compare", text)
        if done.status:
            raise CommandErrorException(f"frr-reload.py cannot compare: {done.said}")
        return done.output

    def commit(self, text: str, *, replace: bool, revert_in: int, message: str) -> None:
        """
        Make the text the running configuration (replace) or enter it (merge).

        Raises CommitError with what FRR said (the router is then as before), LockError while another commit is under
        way, CommitConfirmException while one waits to be confirmed.
        """
        mode, one = ("replace" if replace else "merge"), secrets.token_hex(8)
        user = self._connection.login.username
        self._must(self._staged("commit", text, mode, one, str(revert_in), user, message))

    def confirm(self) -> None:
        """Raises CommitConfirmException when nothing waits, saying what became of the last commit."""
        self._must(self._call("confirm"))

    def rollback(self) -> None:
        """Back to the configuration before the last commit, whether that waits or was confirmed."""
        self._must(self._call("rollback"))

    def pending(self) -> bool:
        """Whether a commit waits to be confirmed; true also while the router is going back."""
        done = self._call("pending")
        self._must(done)
        return bool(done.output.strip())

    def _must(self, done: Done) -> None:
        if done.status:
            raise failure(done)

    def _staged(self, command: str, text: str, *arguments: str) -> Done:
        return self._call(command, str(len(text.encode())), *arguments, stdin=text)

    def _call(self, command: str, *arguments: str, stdin: str = "") -> Done:
        self._place()
        places = self._places
        line = [
            *("sh", f"{places.state_dir}/{NAME}", places.state_dir, places.frr_reload, places.config_dir),
            *(str(max(1, round(self._timeout_s))), command, *arguments),
        ]
        return self._connection.run(shlex.join(line), stdin, timeout_s=STEPS * self._timeout_s + 5)

    def _place(self) -> None:
        """Put the script on the router, unless it is there."""
        if self._placed:
            return
        folder, path = shlex.quote(self._places.state_dir), shlex.quote(f"{self._places.state_dir}/{NAME}")
        command = (
            f"umask 077; mkdir -p {folder} && cat > {path}.$$ && mv {path}.$$ {path} && "
            # What a lost connection left behind, and timers have long ended.
            f"find {folder} -maxdepth 1 -name 'router-*.sh' ! -name {NAME} -mtime +7 -delete"
        )
        done = self._connection.run(command, SCRIPT)
        if done.status:
            raise CommandErrorException(
                f"{self._connection.login.username} cannot use {self._places.state_dir} on the router: "
                f"{done.said}. Log in as root, or name another folder with optional_args state_dir"
            )
        self._placed = True


def failure(done: Done) -> NapalmException:
    """The exception for an exit status of router.sh (they stand at its top)."""
    said = masked(done.said)
    kinds: dict[int, tuple[type[NapalmException], str]] = {
        65: (CommitError, f"FRR refused the configuration; the router is as it was before:\n{said}"),
        75: (LockError, f"Nothing was changed: {said}"),
        76: (CommitConfirmException, f"Nothing was changed: {said}. Confirm it or roll it back first"),
        77: (CommitConfirmException, f"No commit waits to be confirmed. The last one: {said or 'none'}"),
        78: (CommitError, "This router has no former configuration to go back to: nothing was committed yet"),
        79: (
            CommitError,
            f"FRR refused the configuration and did not take the former one back yet; that is tried again:\n{said}",
        ),
    }
    kind, text = kinds.get(done.status, (CommitError, f"Nothing was changed (status {done.status}): {said}"))
    return kind(text)

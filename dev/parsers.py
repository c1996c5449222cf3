"""
Asks the routing daemons themselves whether they accept a configuration. No daemon is started, nothing is
changed.

Each `check_…(text)` returns what the daemon's parser objects to, and "" when it accepts the text. A parser
that is not installed is an error that says how to install it: a configuration that nobody looked at is not a
good one.
"""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

TIMEOUT_S = 30
# FRR and OpenBGPD both call their daemon bgpd; Debian keeps FRR's apart.
FRR_BGPD, FRR_VTYSH = "/usr/lib/frr/bgpd", "vtysh"
OPENBGPD, BIRD = "/usr/sbin/bgpd", "bird"
# Deleting a neighbour that an empty bgpd does not have is a complaint about the router, not about the text.
FRR_DELETION = re.compile(r" no neighbor \S+$")

# bgpd keeps a folder per process number and minds one that an earlier process of that number left behind.
FRR_CRASH_LOG = re.compile(
    r'failed to mkdir "/var/tmp/frr/|crashlog and per-thread log buffering unavailable'
)


class ParserMissing(Exception):
    """A daemon is not installed; the message holds the command that installs it."""


def check_frr(text: str) -> str:
    """
    What FRR objects to. vtysh knows the grammar of all daemons; bgpd also runs the commands of its own (it
    finds a peer group that nobody defined), reports errors in its output only, and knows nothing of `bfd`.
    """
    vtysh, bgpd = program(FRR_VTYSH, "frr"), program(FRR_BGPD, "frr")
    grammar = run([vtysh, "-C", "-f"], text)
    objections = grammar.stdout + grammar.stderr if grammar.returncode else ""
    commands = run([bgpd, "-C", "-f"], bgpd_part(text))
    said = (commands.stdout + commands.stderr).splitlines(keepends=True)
    return (objections + "".join(line for line in said if not FRR_CRASH_LOG.search(line))).strip()


def check_bird(text: str) -> str:
    """What BIRD 2 objects to (`bird -p`). The text is a part of a bird.conf, which has a `protocol device` itself."""
    done = run([program(BIRD, "bird2"), "-p", "-c"], f"{text}\nprotocol device {{ }}\n")
    return (done.stdout + done.stderr).strip() or "bird failed" if done.returncode else ""


def check_openbgpd(text: str) -> str:
    """What OpenBGPD objects to (`bgpd -n`); "configuration OK" is how it says that it does not."""
    done = run([program(OPENBGPD, "openbgpd"), "-n", "-f"], text, mode=0o600)
    return (done.stdout + done.stderr).strip() or "bgpd failed" if done.returncode else ""


def bgpd_part(text: str) -> str:
    """
    The text without what bgpd leaves to other daemons (the `bfd` block), and without deletions of neighbours.
    """
    kept, skipping = [], False
    for line in text.splitlines():
        skipping = skipping or line == "bfd"
        if not skipping and not FRR_DELETION.match(line):
            kept.append(line)
        skipping = skipping and line != "exit"
    return "\n".join(kept) + "\n"


def program(name: str, package: str) -> str:
    """The path of a program, or an error that names the Debian package which has it."""
    found = shutil.which(name)
    if found is None:
        raise ParserMissing(
            f"{name} is not installed, so nobody can check this text: apt-get install {package}"
        )
    return found


def run(command: list[str], text: str, mode: int = 0o644) -> subprocess.CompletedProcess[str]:
    """
    The command with `text` in a file as its last argument.

    FRR's bgpd reads it as the user frr, so others must be able to; OpenBGPD refuses just that (mode 0600).
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "configuration")
        path.write_text(text)
        path.chmod(mode)
        path.parent.chmod(0o755)
        return subprocess.run([*command, str(path)], capture_output=True, text=True, timeout=TIMEOUT_S)

"""
Become a machine of the lab: `enter.py <namespace> <folder> <hostname>`, with the programs to start as JSON on standard
input: [{"name": "zebra", "command": ["/usr/lib/frr/zebra", …]}, …].

The programs run in the network namespace and with files of their own: every folder that a router writes to
(`/etc/frr`, `/run`, `/var/lib` …) and its user accounts are those below <folder>. To whoever logs in it is a machine
with one FRR in the usual places. Standard library only: it runs before anything else does.
"""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

# What a machine has of its own, by its path below its folder and on the machine.
OWN = (
    ("etc-frr", "/etc/frr"),
    ("run", "/run"),
    ("var-lib", "/var/lib"),
    ("var-log", "/var/log"),
    ("var-tmp", "/var/tmp"),
    ("etc-passwd", "/etc/passwd"),
    ("etc-shadow", "/etc/shadow"),
)

LAB = Path("/run/lab")


def main(namespace: str, folder: str, hostname: str) -> None:
    with open(f"/run/netns/{namespace}") as handle:
        os.setns(handle.fileno(), os.CLONE_NEWNET)
    os.unshare(os.CLONE_NEWNS | os.CLONE_NEWUTS)
    socket.sethostname(hostname)
    mount("--make-rprivate", "/")
    own = {Path(folder, name): place for name, place in OWN if Path(place).exists()}
    # /run last: the checkout itself may lie below one of these places.
    for path, place in own.items():
        if path.exists():
            mount("--bind", str(path), place)
    for program in json.load(sys.stdin):
        start(program["name"], program["command"])


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def start(name: str, command: list[str]) -> None:
    """Start a program in the background, with its output in /run/lab/<name>.log and its pid beside it."""
    with (LAB / f"{name}.log").open("ab") as output:
        started = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd="/",
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
        )
    (LAB / f"{name}.pid").write_text(f"{started.pid}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

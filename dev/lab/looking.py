"""
What the lab's machines say of their BGP sessions, asked of each daemon over its own socket: a second opinion, which no
code of the driver has touched.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from dev.lab.plan import Node

BIRD_SOCKET = "/run/lab/bird.ctl"
OPENBGPD_SOCKET = "/run/openbgpd/bgpd.sock.0"
TIMEOUT_S = 10


def is_up(node: Node, folder: Path) -> bool:
    """Whether the machine's daemon answers with what it was configured with."""
    if node.program == "frr":
        boot = folder / "run" / "lab" / "boot.pid"
        return (
            boot.exists()
            and not Path("/proc", boot.read_text().strip()).exists()
            and _ssh_is_up(node, folder)
        )
    try:
        return bool(sessions(node, folder))
    except subprocess.CalledProcessError:
        return False


def _ssh_is_up(node: Node, folder: Path) -> bool:
    log = folder / "run" / "lab" / "sshd.log"
    return not node.ours or "Server listening" in log.read_text(errors="replace")


def sessions(node: Node, folder: Path) -> dict[str, str]:
    """The neighbour's address → the session's state in lower case."""
    return {"frr": _frr, "bird": _bird, "openbgpd": _openbgpd}[node.program](folder)


def frr(folder: Path, command: str) -> str:
    """What a router's vtysh answers."""
    return _ask(["vtysh", "--vty_socket", "run/frr", "--config_dir", "etc-frr", "-c", command], folder)


def running(folder: Path) -> str:
    """A router's running configuration. Without the name of this host, which vtysh adds when it runs here."""
    said = frr(folder, "show running-config no-header")
    return said.replace(f"hostname {os.uname().nodename}\n", "", 1)


def neighbors(folder: Path) -> dict[str, dict[str, Any]]:
    """FRR's own record of each neighbour in the default VRF, by address."""
    found = json.loads(frr(folder, "show bgp neighbors json") or "{}")
    return {address: record for address, record in found.items() if isinstance(record, dict)}


def _frr(folder: Path) -> dict[str, str]:
    return {address: record["bgpState"].lower() for address, record in neighbors(folder).items()}


def _bird(folder: Path) -> dict[str, str]:
    said = _ask(["birdc", "-s", BIRD_SOCKET[1:], "show", "protocols", "all"], folder)
    found, state = {}, ""
    for line in said.splitlines():
        key, _, value = line.strip().partition(": ")
        if key == "BGP state":
            state = value.strip().lower()
        elif key == "Neighbor address":
            found[value.strip()] = state
    return found


def _openbgpd(folder: Path) -> dict[str, str]:
    said = json.loads(_ask(["bgpctl", "-j", "-s", OPENBGPD_SOCKET[1:], "show", "neighbor"], folder))
    return {one["remote_addr"]: one["state"].lower() for one in said["neighbors"]}


def _ask(command: list[str], folder: Path) -> str:
    """Run in the machine's folder, because a socket's path has 107 characters at most and a checkout's may be long."""
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=True, timeout=TIMEOUT_S
    ).stdout

"""
The lab's wires: a namespace per machine, one more that holds the LAN's bridge, and a link from this host to each of our
routers, on which their sshd listens.

A namespace's name holds the checkout and the lab, and everything that runs in it was started by the lab: that is how
`remove` knows what to end, also after a kill, and leaves the rest of the machine alone. Nothing here needs the virtual
environment, so that `make stop` works without it.
"""

import hashlib
import ipaddress
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dev import paths
from dev.errors import DevError

if TYPE_CHECKING:
    from dev.lab.plan import Node

# RFC 2544's second half: addresses for laboratories. The demo's other exchanges use the first (198.18.0.0/16).
MANAGEMENT = ipaddress.ip_network("198.19.0.0/16")
MANAGEMENT_SIZE = 24
LAN_INTERFACE, MANAGEMENT_INTERFACE = "eth1", "mgmt0"
KILL_SECONDS = 10


@dataclass(frozen=True)
class Wires:
    """The names of one lab's namespaces and interfaces."""

    lab: str

    @property
    def tag(self) -> str:
        """Six characters that tell this checkout's lab from every other on the machine."""
        return hashlib.sha256(f"{paths.ROOT}\0{self.lab}".encode()).hexdigest()[:6]

    @property
    def prefix(self) -> str:
        return f"npm-{self.tag}-"

    @property
    def lan(self) -> str:
        return f"{self.prefix}lan"

    def namespace(self, name: str) -> str:
        return f"{self.prefix}{name}"

    def host_side(self, number: int | str) -> str:
        """This host's end of the link to a router; an interface's name has 15 characters at most."""
        return f"npm{self.tag}m{number}"


def build(wires: Wires, nodes: list["Node"]) -> dict[str, str]:
    """
    Make the namespaces and wire them. Returns the address of each of our routers as this host reaches it.

    Raises DevError when the machine lets nobody make namespaces, or when no network is free for the links.
    """
    add = [f"netns add {name}" for name in (wires.lan, *(wires.namespace(node.name) for node in nodes))]
    _ip(add)
    _ip(
        [
            "link set lo up",
            "link add lan type bridge stp_state 0 mcast_snooping 0",
            "link set lan up",
            *(line for number, node in enumerate(nodes) for line in _cable(wires, number, node)),
        ],
        wires.lan,
    )
    for node in nodes:
        _ip(
            [
                "link set lo up",
                *(f"address add {address} dev {LAN_INTERFACE} nodad" for address in _with_length(node)),
                f"link set {LAN_INTERFACE} up",
            ],
            wires.namespace(node.name),
        )
    return _management(wires, [node for node in nodes if node.ours])


def _cable(wires: Wires, number: int, node: "Node") -> list[str]:
    peer = f"peer name {LAN_INTERFACE} netns {wires.namespace(node.name)}"
    return [f"link add port{number} type veth {peer}", f"link set port{number} master lan up"]


def _with_length(node: "Node") -> list[str]:
    return [f"{node.ipv4}/24", f"{node.ipv6}/64"]


def _management(wires: Wires, routers: list["Node"]) -> dict[str, str]:
    network = free_network(wires.tag)
    reached = {}
    for number, (router, link) in enumerate(zip(routers, network.subnets(new_prefix=30), strict=False)):
        here, there = link[1], link[2]
        namespace, side = wires.namespace(router.name), wires.host_side(number)
        _ip(
            [
                f"link add {side} type veth peer name {MANAGEMENT_INTERFACE} netns {namespace}",
                f"address add {here}/30 dev {side}",
                f"link set {side} up",
            ]
        )
        _ip(
            [
                f"address add {there}/30 dev {MANAGEMENT_INTERFACE}",
                f"link set {MANAGEMENT_INTERFACE} up",
            ],
            namespace,
        )
        reached[router.name] = str(there)
    return reached


def free_network(tag: str, taken: Iterable[str] | None = None) -> ipaddress.IPv4Network:
    """
    A network for the links that nothing of this host covers, beginning with the one that the tag picks, so that a
    lab keeps its addresses. `taken` are prefixes; by default those of this host's routes but the default route.
    """
    found = [ipaddress.ip_network(one) for one in (host_prefixes() if taken is None else taken)]
    candidates = list(MANAGEMENT.subnets(new_prefix=MANAGEMENT_SIZE))
    first = int(tag, 16) % len(candidates)
    for candidate in candidates[first:] + candidates[:first]:
        if not any(candidate.overlaps(other) for other in found):
            return candidate
    raise DevError(
        f"The lab's routers are reached through {MANAGEMENT}, and this machine has a route for all of it. "
        f"See which with: ip route show to match {MANAGEMENT}"
    )


def host_prefixes() -> list[str]:
    """What the host has an IPv4 route or an address for, apart from the default route."""
    routes = json.loads(_output(["ip", "-4", "-json", "route", "show", "table", "all"]) or "[]")
    return [route["dst"] for route in routes if route["dst"] not in ("default", "0.0.0.0/0")]


def namespaces(wires: Wires) -> list[str]:
    """The lab's namespaces that exist now."""
    folder = Path("/run/netns")
    return sorted(path.name for path in folder.glob(f"{wires.prefix}*")) if folder.is_dir() else []


def remove(wires: Wires) -> bool:
    """End what runs in the lab's namespaces and remove them. Returns whether there was anything."""
    found = namespaces(wires)
    _end_everything(found)
    # The links would end with the namespaces that hold their other halves, but some time later.
    links = sorted(path.name for path in Path("/sys/class/net").glob(f"{wires.host_side('')}*"))
    _ip([f"link delete {name}" for name in links] + [f"netns delete {name}" for name in found])
    return bool(found)


def _end_everything(found: list[str]) -> None:
    """Kill until nothing is left: a daemon may start another while it is being ended."""
    deadline = time.monotonic() + KILL_SECONDS
    while pids := [pid for name in found for pid in processes_in(name)]:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if time.monotonic() > deadline:
            raise DevError(f"Some processes of the lab do not end: {pids}. See them with: ps -fp {pids[0]}")
        time.sleep(0.02)


def processes_in(namespace: str) -> list[int]:
    """The processes that live in a namespace."""
    return [int(pid) for pid in _output(["ip", "netns", "pids", namespace]).split()]


def _ip(lines: list[str], namespace: str | None = None) -> None:
    """Several `ip` commands in one go, in a namespace or on the host."""
    if not lines:
        return
    command = ["ip", *(["-netns", namespace] if namespace else []), "-batch", "-"]
    done = subprocess.run(command, input="\n".join(lines) + "\n", capture_output=True, text=True)
    if done.returncode:
        raise DevError(
            f"The lab's network cannot be made here: {done.stderr.strip()}. It needs a Linux whose kernel has "
            "network namespaces, bridges and veth, and a root that may use them (a container: --privileged)"
        )


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout

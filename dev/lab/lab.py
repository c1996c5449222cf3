"""Start a lab, look at it, stop it. Needs root: `python -m dev lab`, or `Lab` from a test."""

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from dev import programs, state
from dev.demo_network import WITH_BFD
from dev.errors import DevError
from dev.lab import access, enter, looking, network
from dev.lab.ending import FOLDER, require_root, stop
from dev.lab.plan import Node, nodes
from dev.lab.texts import configuration
from dev.progress import tail

START_SECONDS = 30
FRR = "/usr/lib/frr"
# In the order of their start.
FRR_DAEMONS = ("zebra", "staticd", "bfdd", "bgpd")
MEMBER_DAEMONS = ("zebra", "bgpd")
LOCK = programs.MACHINE_LOCK.with_name(f"{programs.MACHINE_LOCK.name}-lab")


@dataclass(frozen=True)
class Lab:
    """
    A running lab. `routers` are ours, by name, as a driver reaches them.

    Its name tells it from other labs of this checkout; each has a LAN, routers and keys of its own.
    """

    name: str
    routers: dict[str, access.Router]
    nodes: dict[str, Node]

    @property
    def folder(self) -> Path:
        return FOLDER / self.name

    def state(self) -> dict[str, dict[str, str]]:
        """
        The BGP sessions of every machine as it sees them itself: machine → the neighbour's address → state in lower
        case ("established", "active" …). Asked of each daemon's own socket, not over SSH.
        """
        return {name: looking.sessions(node, self.folder / name) for name, node in self.nodes.items()}

    def established_on_both_ends(self, router: str) -> set[str]:
        """The neighbours' addresses with which a router's session is Established here and there."""
        seen = self.state()
        ours = self.nodes[router].addresses
        return {
            address
            for other in self.nodes.values()
            for mine, address in zip(ours, other.addresses, strict=True)
            if seen[router].get(address) == seen[other.name].get(mine) == "established"
        }

    def stop(self) -> bool:
        """End everything that belongs to this lab. Returns whether anything ran."""
        return stop(self.name)


def start(name: str = "lab") -> Lab:
    """
    Start a lab, after clearing away what an earlier one of that name left. Returns it once every daemon answers.

    Raises DevError, and leaves nothing behind, when it cannot: not root, no namespaces, a daemon that does not start.
    """
    require_root()
    programs.ensure(programs.FOR_LAB)
    everyone = nodes()
    wires = network.Wires(name)
    # Two checkouts that start at once must not take the same network.
    with state.locked(LOCK):
        stop(name)
        (FOLDER / name).mkdir(parents=True)  # first, because `stop_all` finds labs by their folders
        try:
            reached = network.build(wires, everyone)
        except BaseException:
            network.remove(wires)
            raise
    try:
        return _bring_up(name, wires, everyone, reached)
    except BaseException:
        network.remove(wires)
        raise


def load(name: str = "lab") -> Lab | None:
    """The lab of that name when it runs, else None."""
    try:
        known = json.loads((FOLDER / name / "lab.json").read_text())
    except FileNotFoundError:
        return None
    if not network.namespaces(network.Wires(name)):
        return None
    routers = {one["name"]: access.Router(**one) for one in known["routers"]}
    return Lab(name, routers, {node.name: node for node in nodes()})


@contextlib.contextmanager
def running(name: str) -> Iterator[Lab]:
    """A lab for the time of a `with` block."""
    lab = start(name)
    try:
        yield lab
    finally:
        lab.stop()


def _bring_up(name: str, wires: network.Wires, everyone: list[Node], reached: dict[str, str]) -> Lab:
    base = FOLDER / name
    login, known_hosts = access.client_key(base), base / "known_hosts"
    routers = {}
    for node in everyone:
        _make_folder(base / node.name, node, configuration(node, everyone))
        if node.ours:
            routers[node.name] = access.prepare(
                node.name, reached[node.name], base / node.name, login, known_hosts
            )
    entering = [(node, _enter(wires, base / node.name, node)) for node in everyone]
    for node, process in entering:
        _finish(node, process)
    lab = Lab(name, routers, {node.name: node for node in everyone})
    _wait_until_up(lab)
    state.write_private(
        base / "lab.json", json.dumps({"routers": [asdict(router) for router in routers.values()]}, indent=2)
    )
    return lab


def _make_folder(folder: Path, node: Node, text: str) -> None:
    """A machine's own files: `enter.OWN`, and its configuration."""
    for own, place in enter.OWN:
        if not Path(place).is_file():
            (folder / own).mkdir(parents=True, exist_ok=True)
    (folder / "run" / "lab").mkdir()
    if node.program == "frr":
        (folder / "run" / "frr").mkdir()
        (folder / "etc-frr" / "vtysh.conf").write_text("service integrated-vtysh-config\n")
        (folder / "etc-frr" / "frr.conf").write_text(text)
        for path in ("etc-frr", "etc-frr/vtysh.conf", "etc-frr/frr.conf", "run/frr"):
            shutil.chown(folder / path, "frr", "frrvty" if path.startswith("run") else "frr")
    else:
        (folder / "run" / "openbgpd").mkdir()
        state.write_private(folder / "run" / "lab" / "daemon.conf", text)


def commands(node: Node) -> list[dict[str, object]]:
    """The programs that a machine runs, for `enter.py`: name and command line, in the order of their start."""
    if node.program == "bird":
        command = ["bird", "-f", "-c", "/run/lab/daemon.conf", "-s", looking.BIRD_SOCKET]
        return [{"name": "bird", "command": command}]
    if node.program == "openbgpd":
        return [{"name": "bgpd", "command": ["/usr/sbin/bgpd", "-d", "-f", "/run/lab/daemon.conf"]}]
    daemons = FRR_DAEMONS if node.ours or node.asn in WITH_BFD else MEMBER_DAEMONS
    found: list[dict[str, object]] = [
        {"name": daemon, "command": [f"{FRR}/{daemon}", "--log", "stdout", "--log-level", "notifications"]}
        for daemon in daemons
    ]
    ready = " && ".join(f"test -S /run/frr/{daemon}.vty" for daemon in daemons)
    boot = f"until {ready}; do sleep 0.05; done; exec vtysh -b"
    found.append({"name": "boot", "command": ["sh", "-c", boot]})
    if node.ours:
        found.append({"name": "sshd", "command": [access.SSHD, "-D", "-e", "-f", "/run/lab/sshd.conf"]})
    return found


def _enter(wires: network.Wires, folder: Path, node: Node) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-I", enter.__file__, wires.namespace(node.name), str(folder), node.name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdin
    process.stdin.write(json.dumps(commands(node)))
    process.stdin.close()
    return process


def _finish(node: Node, process: subprocess.Popen[str]) -> None:
    assert process.stdout
    said = process.stdout.read()
    process.stdout.close()
    if process.wait():
        raise DevError(
            f"{node.name} of the lab does not start: {said.strip()[-1000:]}. The lab needs a root that may use "
            "namespaces and mount (a container: --privileged)"
        )


def _wait_until_up(lab: Lab) -> None:
    """Until every daemon answers and its configuration is loaded."""
    deadline = time.monotonic() + START_SECONDS
    for node in lab.nodes.values():
        while not looking.is_up(node, lab.folder / node.name):
            if time.monotonic() > deadline:
                logs = sorted((lab.folder / node.name / "run" / "lab").glob("*.log"))
                raise DevError(
                    f"{node.name} of the lab ({node.program}) does not answer within {START_SECONDS} s. "
                    + "\n".join(f"{path.name}:\n{tail(path, 10)}" for path in logs)
                )
            time.sleep(0.1)

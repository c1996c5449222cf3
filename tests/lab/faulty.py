"""What the tests of faults have in common: how they ask, and how they break the way to a router."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from netbox_peering_manager.services.deployment import asking, pipeline, settle

from .deploying import EDGE, MEMBERS, eventually

MEMBER = MEMBERS[0]


def asked(world, session, **fields):
    return asking.request(world.router, world.user, sessions=[session.pk], automatic=True, **fields)


def settled(deployment):
    """What becomes of the deployment in the next pass."""
    assert deployment in settle.settle()
    return pipeline.run(deployment.pk)


def others(world):
    address = world.address(MEMBER)
    return {neighbor: epoch for neighbor, epoch in world.epochs().items() if neighbor != address}


def sshd_children(world):
    sshd = world.lab.routers[EDGE].pid("sshd")
    found = subprocess.run(["pgrep", "-P", str(sshd)], capture_output=True, text=True)
    return [int(pid) for pid in found.stdout.split()]


@contextlib.contextmanager
def without_sshd(world):
    """Nobody who is logged in stays so, and nobody gets in, for the time of the block."""
    sshd = world.lab.routers[EDGE].pid("sshd")
    os.kill(sshd, signal.SIGSTOP)
    for pid in sshd_children(world):
        os.kill(pid, signal.SIGKILL)
    try:
        yield
    finally:
        os.kill(sshd, signal.SIGCONT)


@contextlib.contextmanager
def caught_committing(world):
    """Wait until the router commits. For the time of the block it comes no further."""
    assert eventually(lambda: commits_now(world), pause_s=0.005)
    with hanging(world):
        assert commits_now(world)
        yield


@contextlib.contextmanager
def hanging(world):
    """The router's bgpd answers nobody for the time of the block."""
    bgpd = world.lab.routers[EDGE].pid("bgpd")
    os.kill(bgpd, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(bgpd, signal.SIGCONT)


def commits_now(world):
    """Whether a commit runs on the router and holds its lock; it runs on, whatever becomes of who asked for it."""
    here = Path(f"/proc/{world.lab.routers[EDGE].pid('sshd')}/ns/net").readlink()
    for process in Path("/proc").glob("[0-9]*"):
        # It may end while it is looked at.
        with contextlib.suppress(OSError):
            if b"commit_now" in (process / "cmdline").read_bytes():
                held = (process / "fd" / "9").readlink()
                if held.name == "lock" and (process / "ns" / "net").readlink() == here:
                    return True
    return False


class At:
    """Do something when a deployment comes to a phase."""

    def __init__(self, monkeypatch, name, action):
        original = pipeline.phase

        def phase(deployment, now):
            original(deployment, now)
            if now == name:
                action()

        monkeypatch.setattr(pipeline, "phase", phase)

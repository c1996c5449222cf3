"""The lab's machines run, speak to each other, can be reached, and are gone afterwards."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dev import paths
from dev.lab import ending, network
from dev.lab.lab import load, start

pytestmark = pytest.mark.lab
PATIENCE_S = 30


def eventually(condition, seconds=PATIENCE_S):
    """Wait until it holds. Returns its last value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return value


def ssh(router, command, *options):
    return subprocess.run(
        [
            *["ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-i", router.key_file],
            *["-o", f"UserKnownHostsFile={router.known_hosts}", "-o", "StrictHostKeyChecking=yes", *options],
            *["-p", str(router.port), f"{router.user}@{router.host}", command],
        ],
        capture_output=True,
        text=True,
        timeout=20,
    )


def interfaces():
    return set(os.listdir("/sys/class/net"))


def test_members_and_route_servers_are_established_in_both_families(lab):
    route_servers = [node for node in lab.nodes.values() if node.route_server]
    members = [node for node in lab.nodes.values() if not node.ours and not node.route_server]

    def between():
        seen = lab.state()
        return all(
            seen[member.name][theirs] == seen[server.name][ours] == "established"
            for member in members
            for server in route_servers
            for ours, theirs in zip(member.addresses, server.addresses, strict=True)
        )

    assert eventually(between), lab.state()


def test_each_of_our_routers_is_reached_by_ssh_with_its_own_host_key(lab):
    keys = set()
    for name, router in lab.routers.items():
        done = ssh(router, "hostname; cat /run/lab/host_key.pub; vtysh -c 'show version'")
        assert done.returncode == 0, done.stderr
        hostname, key, version = done.stdout.split("\n", 2)
        assert hostname == name
        assert "FRRouting" in version
        keys.add(key.split()[1])
    assert len(keys) == len(lab.routers) == 2


def test_routers_share_no_files_with_each_other_or_with_this_machine(lab):
    first, second = lab.routers.values()
    mark = "/var/lib/only-here"
    assert ssh(first, f"touch {mark}").returncode == 0
    assert ssh(second, f"test -e {mark}").returncode == 1
    assert not Path(mark).exists()


def test_lan_is_on_no_interface_and_in_no_route_of_this_machine(lab):
    assert not {"198.51.100.0/24", "2001:db8:100::/64"} & set(network.host_prefixes())
    assert load(lab.name) == lab


def test_lab_that_was_killed_is_cleared_away_by_the_next_start_and_stopping_leaves_nothing(tmp_path):
    name, before = f"killed-{os.getpid()}", interfaces()
    wires = network.Wires(name)
    script = f"from dev.lab.lab import start; start({name!r}); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=paths.ROOT, stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        assert eventually(lambda: load(name) or process.poll() is not None)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdin.close()
        orphans = [pid for one in network.namespaces(wires) for pid in network.processes_in(one)]
        assert orphans
        again = start(name)
        assert not any(Path(f"/proc/{pid}").exists() for pid in orphans)
        assert again.stop() is True
    finally:
        ending.stop(name)
    assert network.namespaces(wires) == []
    assert not {one for one in interfaces() - before if one.startswith(wires.host_side(""))}
    assert load(name) is None
    assert ending.stop(name) is False

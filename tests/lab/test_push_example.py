"""examples/push_with_napalm.py does what it says, against a NetBox that serves HTTP and a router that routes."""

import os
import subprocess
import sys

import pytest

from dev import paths, state
from dev.lab.plan import SESSION_PASSWORD
from tests.browser.conftest import running_site
from tests.lab import deploying

pytestmark = pytest.mark.lab
SCRIPT = paths.ROOT / "examples" / "push_with_napalm.py"
# One of them has a password.
MEMBERS = (64496, 64498)


@pytest.fixture(scope="module")
def site(django_db_blocker):
    with running_site("push", django_db_blocker) as running:
        yield running


@pytest.fixture(scope="module")
def world(site, lab):
    deploying.empty(lab)
    with site.data():
        yield deploying.build(lab, MEMBERS)


def push(world, site, *options, answer="y", **environment):
    """Run the script as one would, and answer its question."""
    router, known = world.lab.routers[deploying.EDGE], state.load()
    values = {
        "NETBOX_TOKEN": f"nbt_{known['token_key']}.{known['token_secret']}",
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(paths.ROOT),
    }
    command = [sys.executable, str(SCRIPT), site.url, deploying.EDGE, "--user", router.user]
    command += ["--known-hosts", router.known_hosts, "--wait", "30", *options]
    return subprocess.run(
        command,
        input=f"{answer}\n",
        env=values | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_it_shows_asks_commits_and_confirms(world, site):
    key = ["--key-file", world.lab.routers[deploying.EDGE].key_file]
    before = world.running()

    refused = push(world, site, *key, answer="n")
    assert refused.returncode == 2, refused.stderr
    assert "Nothing was changed." in refused.stdout
    assert world.running() == before

    done = push(world, site, *key)
    assert done.returncode == 0, done.stderr
    first = world.address(64496)
    assert f"+ neighbor {first} remote-as 64496" in done.stdout
    assert SESSION_PASSWORD not in done.stdout + done.stderr
    assert "Committed." in done.stdout
    wanted = world.addresses(*MEMBERS)
    assert deploying.eventually(lambda: world.established() >= wanted), world.lab.state()

    # The login by password, and sessions that are up stay so.
    epochs = world.epochs()
    again = push(world, site, "--yes", ROUTER_PASSWORD=world.lab.routers[deploying.EDGE].password, answer="")
    assert again.returncode == 0, again.stderr
    assert world.epochs() == epochs


def test_it_stops_at_a_host_key_that_is_not_known(world, site, tmp_path):
    key = ["--key-file", world.lab.routers[deploying.EDGE].key_file]
    done = push(world, site, *key, "--known-hosts", str(tmp_path / "none"))
    assert done.returncode == 1
    assert "showed the host key ssh-ed25519" in done.stderr


def test_it_says_which_device_there_is_not(world, site):
    router = world.lab.routers[deploying.EDGE]
    known = state.load()
    done = subprocess.run(
        [sys.executable, str(SCRIPT), site.url, "nowhere", "--key-file", router.key_file],
        env={
            "NETBOX_TOKEN": f"nbt_{known['token_key']}.{known['token_secret']}",
            "PYTHONPATH": str(paths.ROOT),
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "NetBox has no device nowhere" in done.stderr

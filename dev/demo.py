"""
`make demo`: the main job on sample data, over the REST API as any client would do it.

A network with two routers and no peers learns from a (sample) PeeringDB where it is and who else is there, adds
sessions with them, and gets a configuration that the router's own parser accepts. As root, it then goes to a real
router (`demo_lab.py`).
"""

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

from dev import demo_lab
from dev.demo_network import DISABLED, EXCHANGE, WITH_BFD, WITH_PASSWORD
from dev.errors import DevError
from dev.lab.plan import SESSION_PASSWORD
from dev.parsers import check_frr
from dev.progress import step

PLUGIN = "plugins/peering-manager"
JOB_SECONDS = 180
ENDED = ("completed", "errored", "failed")
TYPES = {"transit", "customer", "peer", "ixp-rs"}
VARIED = ("is_on", "has_password", "has_bfd")


def run(stack):
    """Tell the story from the first router to the configuration. `stack` is a running Stack."""
    api = Api(stack)
    with step("Writing two routers, their addresses and policies into NetBox"):
        ids = write_network(stack)
    with step("Syncing with PeeringDB"):
        rows = sync(api)
    with step("Importing our ports from PeeringDB"):
        fabric, ports = import_ports(api, ids)
    available = api.get(f"{PLUGIN}/fabrics/{fabric['id']}/available-peers/", limit=100)["results"]
    print_available(available)
    with step("Adding sessions with them"):
        added = sum(add(api, fabric, available, ids))
    answer = render(stack, device=ids["device"])
    with step("Asking FRR's parser"):
        complaint = check_frr(answer["content"])
    print(f"\n{answer['content']}\n")
    if complaint:
        raise DevError(f"FRR refuses this configuration: {complaint}")
    check_neighbors(answer["content"], demo_lab.sessions_of(api, ids["device"]))
    reason = demo_lab.why_not()
    deployed = None if reason else demo_lab.run(api, ids["device"])
    print_story(stack, answer, ids, Counts(rows, ports, len(available), added), fabric)
    if deployed:
        demo_lab.print_story(stack, deployed)
    else:
        print(reason)


@dataclass(frozen=True)
class Counts:
    """What the story counts: rows of the mirror, ports of ours made, ports that lacked sessions, sessions made."""

    rows: int
    ports: int
    available: int
    sessions: int


@dataclass(frozen=True)
class Api:
    """NetBox's REST API, as the administrator."""

    stack: Any

    def get(self, path, **query):
        """GET a path below /api/, and return the JSON answer."""
        return self._ask("GET", f"{path}?{urllib.parse.urlencode(query)}" if query else path)

    def post(self, path, **body):
        """POST JSON to a path below /api/, and return the JSON answer."""
        return self._ask("POST", path, body)

    def patch(self, path, **body):
        """PATCH an object, and return it."""
        return self._ask("PATCH", path, body)

    def _ask(self, method, path, body=None):
        request = urllib.request.Request(
            f"{self.stack.base_url}/api/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={
                **self.stack.headers,
                "Content-Type": "application/json",
                "Accept": "application/json",
            },
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            told = error.read().decode()[:2000]
            raise DevError(f"{method} /api/{path} answered {error.code}: {told}") from error


def write_network(stack):
    """Run `dev.demo_network` inside NetBox. Returns the ids that it prints; running it again changes nothing."""
    done = subprocess.run(
        [stack.python, "-m", "dev.demo_network"],
        env=stack.env,
        cwd=stack.root,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise DevError(f"The demo's network could not be written:\n{done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def sync(api):
    """Let NetBox's worker sync with PeeringDB, and wait for it. Returns how many rows came."""
    job = api.post(f"{PLUGIN}/peeringdb/sync/")
    deadline = time.monotonic() + JOB_SECONDS
    while job["status"]["value"] not in ENDED:
        if time.monotonic() > deadline:
            raise DevError(
                f"The sync did not end within {JOB_SECONDS} s. See what the worker says: .stack/log/rqworker.log"
            )
        time.sleep(0.5)
        job = api.get(f"core/jobs/{job['id']}/")
    if job["status"]["value"] != "completed":
        raise DevError(f"The sync failed: {job['error']}")
    counts = api.get(f"{PLUGIN}/peeringdb/syncs/{job['data']['sync']}/")["counts"]
    return sum(each[what] for each in counts.values() for what in ("created", "updated", "unchanged"))


def import_ports(api, ids):
    """
    Make fabrics, networks and connections of what PeeringDB says of our ports, with the peer groups of their sessions.

    Returns the exchange's fabric, and how many connections were made.
    """
    made = api.post(f"{PLUGIN}/fabrics/import-presence/")["connections"]
    fabric = api.get(f"{PLUGIN}/fabrics/", name=EXCHANGE)["results"][0]
    groups = {f"ipv{number}_peer_group": group for number, group in ids["peer_groups"].items()}
    for connection in api.get(f"{PLUGIN}/connections/", fabric_id=fabric["id"], limit=100)["results"]:
        api.patch(f"{PLUGIN}/connections/{connection['id']}/", **groups)
    return fabric, len(made)


def add(api, fabric, available, ids):
    """Add sessions with every port that lacks one; those of one kind together. Yields how many were made."""
    kinds = ids["relationships"]
    choices = {
        "relationship": kinds["peer"],
        "route_server_relationship": kinds["ixp-rs"],
    }
    ports_of = {}
    for port in available:
        ports_of.setdefault(_special(port["asn"]), []).append(port["id"])
    for special, ports in ports_of.items():
        made = api.post(
            f"{PLUGIN}/fabrics/{fabric['id']}/add-sessions/",
            netixlans=ports,
            **choices,
            **{name: ids["bfd"] if name == "bfd" else value for name, value in special},
        )
        yield len(made["made"])


def _special(asn):
    """What is chosen for one network and not for the others, as (field, value) pairs."""
    found = []
    if asn in DISABLED:
        found.append(("enabled", False))
    if asn in WITH_PASSWORD:
        # As the lab's members have it.
        found += [("password", "given"), ("given_password", SESSION_PASSWORD)]
    if asn in WITH_BFD:
        found.append(("bfd", True))
    return tuple(found)


def render(stack, **body):
    """POST to render-config. Returns the JSON answer."""
    return Api(stack).post(f"{PLUGIN}/render-config/", **body)


def check_neighbors(content, sessions):
    """
    Raises DevError unless the configuration has each session that is switched on.

    And unless the story's sessions are there: of each type, and with either value of VARIED.
    """
    missing = [
        session["remote"]
        for session in sessions
        if session["is_on"] and f" neighbor {session['remote']} " not in content
    ]
    if missing:
        raise DevError(f"The configuration lacks these neighbours: {', '.join(missing)}")
    types = {session["relationship"]["slug"] for session in sessions}
    alike = [what for what in VARIED if len({session[what] for session in sessions}) < 2]
    if types != TYPES or alike:
        raise DevError(
            f"The sessions are not those of the story: their types are {sorted(types)}, alike in {alike}. If some "
            "were added here by hand before: make clean, then make demo."
        )


def print_available(ports):
    """Show who could be peered with, a line per port."""
    if not ports:
        return
    print(f"\nAvailable peers on {EXCHANGE}:")
    for port in ports:
        kind = "route server" if port["is_route_server"] else port["network"]["policy"]
        name, addresses = port["network"]["name"], (port["ipv4_address"], port["ipv6_address"])
        print(f"  AS{port['asn']:<6} {name:<25} {addresses[0]:<15} {addresses[1]:<20} {kind}")
    print()


def print_story(stack, answer, ids, counts, fabric):
    """Say in a few plain lines what happened and how to look around."""
    device, url = answer["device"]["name"], stack.base_url
    print("What happened:")
    print(
        "  NetBox began with AS64500: two routers, a private interconnect, a transit provider, and no peers."
    )
    print(
        f"  It mirrored {counts.rows} rows of a sample PeeringDB, found {counts.ports} new ports of ours there,"
    )
    print(
        f"  listed {counts.available} ports on {EXCHANGE} without a session, and made {counts.sessions} sessions."
    )
    print(
        f"  Above is the peering configuration of {device}: {answer['session_count']} sessions, rendered over the API"
    )
    print("  from the template examples/templates/frr.j2. FRR's own parser accepts it.")
    print("Look around:")
    print(f"  {url}/dcim/devices/{ids['device']}/peering-config/   this configuration in the UI")
    print(f"  {url}/plugins/peering-manager/fabrics/{fabric['id']}/   the exchange, and who is there")
    print(f"  {url}/plugins/peering-manager/fabrics/   another exchange, with 150 networks to add")
    print(f"  Login: {stack.admin_username} / {stack.admin_password}")
    print("NetBox is running. Start it again with `make serve`, stop it with `make stop`.")

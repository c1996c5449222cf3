"""
The end of `make demo`, as root: the rendered configuration goes to a real router, until its sessions are Established.

The lab (`dev/lab`) has the exchange that the sample PeeringDB tells of: the same members at the same addresses. What
happens goes over the REST API, as before; whether it is true is asked of the other ends as well.
"""

import os
import time
from dataclasses import dataclass
from typing import Any

from dev.errors import DevError
from dev.lab.lab import Lab, load, start
from dev.progress import say, step

PLUGIN = "plugins/peering-manager"
ROUTER = "edge1.lon1"
MANAGEMENT = "mgmt0"
JOB_SECONDS = 120
SESSION_SECONDS = 90
ENDED_JOBS = ("completed", "errored", "failed")
# One that awaits approval waits for somebody, and nobody is here.
ENDED = ("done", "rolled-back", "failed", "cancelled", "expired", "awaiting-approval")


@dataclass(frozen=True)
class Deployed:
    """What came of it: the deployment as REST tells it, and the lab."""

    deployment: dict[str, Any]
    lab: Lab


def why_not() -> str:
    """Why there can be no lab, "" when there can."""
    if os.geteuid() != 0:
        return (
            "This ends here without root, which the lab of real routers needs. With it (sudo make demo) the "
            "configuration goes to a router, and its sessions come up."
        )
    return ""


def run(api: Any, device: int) -> Deployed:
    """Deploy the router's sessions, and wait until they are Established on both ends and NetBox knows it."""
    with step("Starting the exchange with real routers"):
        lab = load() or start()
    with step(f"Telling NetBox how {ROUTER} is reached"):
        router = reach(api, device, lab.routers[ROUTER].host)
    with step(f"Deploying {ROUTER}: compare, commit, see that BGP is well, confirm"):
        deployment = deploy(api, router)
    with step("Waiting until its sessions are Established on both ends"):
        established = wait_for_sessions(api, lab, device)
    with step("Polling it"):
        poll(api, router)
    print_changes(deployment)
    sessions = sessions_of(api, device)
    print_states(sessions)
    check_states(sessions, established)
    return Deployed(deployment, lab)


def reach(api: Any, device: int, host: str) -> int:
    """Give the device the address at which the lab has it, and switch push and polls on. Returns the router's id."""
    interface = _one(api, "dcim/interfaces/", device_id=device, name=MANAGEMENT) or api.post(
        "dcim/interfaces/", device=device, name=MANAGEMENT, type="1000base-t", mgmt_only=True
    )
    wanted = f"{host}/32"
    address = _one(api, "ipam/ip-addresses/", interface_id=interface["id"])
    if address is None:
        address = api.post(
            "ipam/ip-addresses/",
            address=wanted,
            assigned_object_type="dcim.interface",
            assigned_object_id=interface["id"],
        )
    elif address["address"] != wanted:
        api.patch(f"ipam/ip-addresses/{address['id']}/", address=wanted)
    api.patch(f"dcim/devices/{device}/", primary_ip4=address["id"])
    router = _one(api, f"{PLUGIN}/routers/", device_id=device)
    assert router
    api.patch(
        f"{PLUGIN}/routers/{router['id']}/",
        push_enabled=True,
        poll_enabled=True,
        poll_interval=1,
        health_timeout=30,
    )
    return int(router["id"])


def _one(api: Any, path: str, **query: Any) -> dict[str, Any] | None:
    found = api.get(path, **query)["results"]
    return found[0] if found else None


def deploy(api: Any, router: int) -> dict[str, Any]:
    """Configure the router, as the button does. Returns the deployment once it is done."""
    deployment = api.post(f"{PLUGIN}/routers/{router}/configure/")
    deadline = time.monotonic() + JOB_SECONDS
    while deployment["status"]["value"] not in ENDED:
        if time.monotonic() > deadline:
            raise DevError(
                f"The deployment did not end within {JOB_SECONDS} s. See what the worker says: .stack/log/rqworker.log"
            )
        time.sleep(0.5)
        deployment = api.get(f"{PLUGIN}/deployments/{deployment['id']}/")
    if deployment["status"]["value"] != "done":
        raise DevError(f"The deployment is {deployment['status']['value']}: {deployment['reason']}")
    return dict(deployment)


def wait_for_sessions(api: Any, lab: Lab, device: int) -> set[str]:
    """
    Until every session that is switched on, and whose other end is in the lab, is Established as both ends say.

    Returns the addresses of the other ends.
    """
    there = {address for node in lab.nodes.values() for address in node.addresses}
    wanted = {
        address
        for session in sessions_of(api, device)
        if session["is_on"] and (address := session["remote"]) in there
    }
    if not wanted:
        raise DevError(f"{ROUTER} has no session that is switched on and whose other end is in the lab.")
    deadline = time.monotonic() + SESSION_SECONDS
    while missing := wanted - lab.established_on_both_ends(ROUTER):
        if time.monotonic() > deadline:
            raise DevError(f"Not Established within {SESSION_SECONDS} s: {', '.join(sorted(missing))}")
        time.sleep(0.5)
    return wanted


def poll(api: Any, router: int) -> None:
    """Let NetBox ask the router for the states of its sessions."""
    job = api.post(f"{PLUGIN}/routers/{router}/poll/")
    deadline = time.monotonic() + JOB_SECONDS
    while job["status"]["value"] not in ENDED_JOBS:
        if time.monotonic() > deadline:
            raise DevError(f"The poll did not end within {JOB_SECONDS} s.")
        time.sleep(0.5)
        job = api.get(f"core/jobs/{job['id']}/")
    if job["status"]["value"] != "completed":
        raise DevError(f"The poll failed: {job['error']}")


def sessions_of(api: Any, device: int) -> list[dict[str, Any]]:
    """The device's sessions, each with the far end's address, and whether it is switched on and has BFD."""
    sessions = api.get(f"{PLUGIN}/sessions/", device_id=device, limit=200)["results"]
    if not sessions:
        return []
    # netbox-routing's own list of BGP peers, at the address that the first one tells.
    path = sessions[0]["bgp_peer"]["url"].partition("/api/")[2].rstrip("/").rpartition("/")[0]
    peers = {peer["id"]: peer for peer in api.get(f"{path}/", limit=1000)["results"]}
    found = []
    for session in sessions:
        peer = peers[session["bgp_peer"]["id"]]
        address = peer["peer"]["address"].partition("/")[0]
        switched = {"is_on": peer["enabled"] is not False, "has_bfd": peer["bfd"] is not None}
        found.append({**session, "remote": address, **switched})
    return found


def print_changes(deployment: dict[str, Any]) -> None:
    """The first lines of what the deployment changed."""
    lines = (deployment["masked_diff"]).splitlines()
    if not lines:
        print(f"\n{ROUTER} had all of it already.\n")
        return
    print(f"\nWhat it changed on {ROUTER}, of {len(lines)} lines:")
    for line in lines[:12]:
        print(f"  {line}")
    print("  …" if len(lines) > 12 else "")


def print_states(sessions: list[dict[str, Any]]) -> None:
    """The sessions as NetBox has them after the poll, a line for each."""
    print(f"Sessions of {ROUTER}, read back from it:")
    for session in sessions:
        shown = "  ".join(f"{'-' if count is None else count:>3}" for count in _counters(session))
        name = ((session["state"] or {}).get("bgp_state") or {}).get("label", "unknown")
        print(f"  {session['remote']:<22} {name:<12} received, accepted, advertised: {shown}")
    print()


def check_states(sessions: list[dict[str, Any]], established: set[str]) -> None:
    """Raises DevError unless NetBox, too, has these as Established, with what came over them counted."""
    untold = [
        session["remote"]
        for session in sessions
        if session["remote"] in established
        and (session["state"]["bgp_state"]["value"] != "established" or None in _counters(session))
    ]
    if untold:
        raise DevError(
            f"These are Established, and the poll has not read them back with their counters: {', '.join(untold)}"
        )


def _counters(session: dict[str, Any]) -> list[int | None]:
    """Prefixes received, accepted and advertised in the family of its addresses, None where they are not known."""
    state, family = session["state"] or {}, "ipv6" if ":" in session["remote"] else "ipv4"
    return [state.get(f"{family}_{what}") for what in ("received", "accepted", "advertised")]


def print_story(stack: Any, deployed: Deployed) -> None:
    """Where to look."""
    print(
        f"  {stack.base_url}/plugins/peering-manager/deployments/{deployed.deployment['id']}/   the deployment"
    )
    print(f"  {stack.base_url}/plugins/peering-manager/sessions/   the sessions, polled each minute")
    router = deployed.lab.routers[ROUTER]
    keys = f"-i {router.key_file} -o UserKnownHostsFile={router.known_hosts}"
    print(f"  ssh {keys} {router.user}@{router.host}   the router")
    say("The lab runs until: make stop, or make lab ARGS=stop")

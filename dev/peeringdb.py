"""
The PeeringDB that the stack's NetBox talks to: the sample one, run beside it; or another, given by PEERINGDB_URL.

Tests never see it: they start their own, and without one an address where nobody listens is configured.
"""

import os
import urllib.error
import urllib.request

from dev import paths, processes, state
from dev.errors import DevError
from dev.progress import tail

SIZE, SEED = "town", 1
PREFERRED_PORT = 8010
START_SECONDS = 60
PORT_ATTEMPTS = 5
# Nobody listens here (the discard service), so what asks for it fails at once and says so.
NOWHERE = "http://127.0.0.1:9"

SAMPLE = processes.Process("peeringdb", mark=f"{paths.PYTHON} -m dev.sample_peeringdb")


def is_given():
    """Whether PEERINGDB_URL names the PeeringDB to use."""
    return bool(os.environ.get("PEERINGDB_URL"))


def start():
    """Start the sample PeeringDB unless it runs or another was given, and wait until it answers."""
    if is_given():
        return
    preferred = state.load().get("peeringdb_port") or PREFERRED_PORT
    if SAMPLE.pid() and answers(preferred):
        return
    SAMPLE.stop()
    for _attempt in range(PORT_ATTEMPTS):
        port = processes.free_port(preferred)
        SAMPLE.start(_command(port))
        if processes.wait_until(lambda: answers(port), SAMPLE, seconds=START_SECONDS, what="PeeringDB"):  # noqa: B023
            state.update(peeringdb_port=port)
            return
        if not SAMPLE.port_was_taken():
            break
        preferred = None
    raise DevError(
        f"The sample PeeringDB does not start. The end of {SAMPLE.log}:\n{tail(SAMPLE.log)}\n"
        "Try it alone with: python -m dev.sample_peeringdb"
    )


def _command(port):
    command = f"{paths.PYTHON} -m dev.sample_peeringdb --size {SIZE} --seed {SEED}"
    return [*command.split(), "--port", str(port)]


def answers(port):
    """Whether a sample PeeringDB answers there."""
    try:
        with urllib.request.urlopen(f"http://{processes.HOST}:{port}/sample/world", timeout=10) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


def environment():
    """
    What dev.configuration reads: where PeeringDB is, and the sample's key.

    PEERINGDB_URL and PEERINGDB_API_KEY of the caller come first.
    """
    if is_given():
        return {}
    port = state.load().get("peeringdb_port")
    if not port:
        return {}
    from dev.sample_peeringdb.server import API_KEY

    return {
        "PEERINGDB_URL": f"http://{processes.HOST}:{port}",
        "PEERINGDB_API_KEY": API_KEY,
        "PEERINGDB_SAMPLE": "1",
    }


def settings(environ):
    """The plugin's settings for the PeeringDB that the environment names: as PLUGINS_CONFIG has them."""
    url = environ.get("PEERINGDB_URL") or NOWHERE
    found = {"peeringdb_url": f"{url}/api"}
    if url == NOWHERE or environ.get("PEERINGDB_SAMPLE"):
        found["peeringdb_dumps_url"] = f"{url}/public"
    if environ.get("PEERINGDB_API_KEY"):
        found["peeringdb_api_key"] = {"env": "PEERINGDB_API_KEY"}
    if environ.get("PEERINGDB_SAMPLE"):
        # The sample has no limits to respect, and its AS numbers belong to no RIR: the demo's takes them.
        found |= {"peeringdb_min_interval_s": 0, "peeringdb_requests_per_minute": 10000}
        found |= {"default_rir": "documentation"}
        # Who asks for a sync is not to meet one that began by itself.
        found |= {"peeringdb_sync_interval": 0}
    return found

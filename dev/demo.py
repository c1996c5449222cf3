"""
`make demo`: the main job on sample data. A network in NetBox, rendered over HTTP, accepted by the router's own parser.
"""

import json
import subprocess
import urllib.error
import urllib.request

from dev.errors import DevError
from dev.parsers import check_frr
from dev.progress import step


def run(stack):
    """Write the demo's network, render its FRR router over the API and check the text. `stack` is a running Stack."""
    with step("Writing the demo's network into NetBox"):
        ids = write_network(stack)
    answer = render(stack, device=ids["device"])
    with step("Asking FRR's parser"):
        complaint = check_frr(answer["content"])
    print(f"\n{answer['content']}\n")
    if complaint:
        raise DevError(f"FRR refuses this configuration: {complaint}")
    print_story(stack, answer, ids)


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


def render(stack, **body):
    """POST to render-config as any client would. Returns the JSON answer."""
    request = urllib.request.Request(
        f"{stack.base_url}/api/plugins/peering-manager/render-config/",
        data=json.dumps(body).encode(),
        headers={**stack.headers, "Content-Type": "application/json", "Accept": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise DevError(f"render-config answered {error.code}: {error.read().decode()[:2000]}") from error


def print_story(stack, answer, ids):
    """Say in a few plain lines what happened and how to look around."""
    device = answer["device"]["name"]
    print("What happened:")
    print(
        "  NetBox holds AS64500 with two routers, an exchange, a private interconnect and a dozen networks."
    )
    print(
        f"  Above is the peering configuration of {device}: {answer['session_count']} sessions, rendered over the API"
    )
    print("  from the template examples/templates/frr.j2. FRR's own parser accepts it.")
    print("Look around:")
    print(f"  {stack.base_url}/dcim/devices/{ids['device']}/peering-config/   this configuration in the UI")
    print(f"  {stack.base_url}/plugins/peering-manager/sessions/   every session")
    print(f"  Login: {stack.admin_username} / {stack.admin_password}")
    print("NetBox is running. Start it again with `make serve`, stop it with `make stop`.")

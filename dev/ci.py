"""`make check`: exactly what continuous integration runs, in order, with the time that each part took."""

import json
import time
import urllib.request

from dev import stack
from dev.errors import DevError
from dev.progress import say

PLUGINS_PATH = "/api/plugins/installed-plugins/"
PLUGIN = "netbox_peering_manager"


def run(parts):
    """
    Run the parts (name to function that returns an exit status or None) and stop the stack whatever happens.

    The first part that fails ends the run: later ones would only repeat its failure. Returns the exit status.
    """
    timings = []
    waiting = list(parts)
    try:
        while waiting:
            say(f"[check] {waiting[0]}")
            started = time.monotonic()
            status = parts[waiting[0]]()
            timings.append(f"{waiting[0]} {time.monotonic() - started:.0f} s")
            if status:
                break
            waiting.pop(0)
    finally:
        stack.stop()
        say(f"[check] {', '.join(timings)}")
        say(f"[check] failed in: {waiting[0]}" if waiting else "[check] passed")
    return 1 if waiting else 0


def plugin_is_listed():
    """
    Start NetBox and ask it over HTTP which plugins it loaded.

    NetBox only warns about a plugin that does not fit its version and goes on without it, so being installed
    proves nothing. Raises DevError when the plugin is not among them.
    """
    running = stack.serve()
    request = urllib.request.Request(f"{running.base_url}{PLUGINS_PATH}", headers=running.headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        listed = {plugin["package"]: plugin["version"] for plugin in json.load(response)}
    if PLUGIN not in listed:
        raise DevError(
            f"NetBox did not load {PLUGIN}, only {listed}. See why with: python -m dev shell -- netbox check"
        )
    say(f"{PLUGINS_PATH} lists {PLUGIN} {listed[PLUGIN]}")

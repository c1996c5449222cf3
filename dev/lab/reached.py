"""
How the stack's NetBox reaches the routers of `make lab` and `make demo`. NetBox's configuration reads it.

The files need not be there: nothing reads them before a router is reached.
"""

from typing import Any

from dev.lab.access import USER
from dev.lab.ending import FOLDER

LAB = FOLDER / "lab"


def settings(environ: Any) -> dict[str, Any]:
    """The plugin's settings: a login of the lab's. None for tests, which start labs of their own."""
    if environ.get("NPM_TEMPLATE"):
        return {}
    return {
        "credential_profiles": {"default": {"username": USER, "key_file": str(LAB / "id_ed25519")}},
        "known_hosts": str(LAB / "known_hosts"),
        "device_timeout_s": 20,
    }

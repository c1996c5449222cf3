"""
A NAPALM driver for FRRouting, over SSH: `napalm.get_network_driver("frr")`.

    frr.py            the driver: NAPALM's methods, each a few calls of what follows
    connection.py     SSH: host keys checked, timeouts everywhere, NAPALM's own exceptions
    router.sh         what runs on the router: stage, compare, commit, the timer that reverts, confirm, roll back
    router.py         calls it, and says in NAPALM's exceptions what it answered
    configuration.py  what a merge changes, how a difference is shown, what is secret; pure
    unprinted.py      what is in effect though FRR prints no line for it; pure
    bgp.py, system.py FRR's JSON into the shapes that NAPALM documents; pure
    bgp_config.py     the same for neighbours and groups in the configuration; pure

It knows nothing of NetBox.
"""

from napalm_frr.frr import FRRDriver

__all__ = ["FRRDriver"]

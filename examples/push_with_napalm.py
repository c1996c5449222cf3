#!/usr/bin/env python3
"""
Push a router's peering configuration from outside NetBox, for those who keep NetBox's workers away from routers.

NetBox renders it (POST render-config, asked by pynetbox), NAPALM compares it, you look at it, NAPALM commits it. Where
the router can, it goes back by itself unless its BGP sessions are well again.

    export NETBOX_TOKEN=…            # may view the device and its sessions, render, and view session secrets
    export ROUTER_PASSWORD=…         # or --key-file
    ./push_with_napalm.py https://netbox.example.net edge1.lon1 --known-hosts known_hosts --key-file ~/.ssh/id_ed25519

Needs: pip install pynetbox napalm, and for FRR the plugin's wheel, which has the driver:
pip install "./netbox_peering_manager-0.1.0-py3-none-any.whl[napalm]"

Exit status: 0 committed, or nothing to change; 1 it failed, the router is as it was; 2 not committed, as you said.
"""

import argparse
import os
import re
import sys
import time

import pynetbox
from napalm import get_network_driver

# NAPALM's driver for a platform's slug, unless --driver says another.
DRIVERS = {
    "frr": "frr",
    "junos": "junos",
    "eos": "eos",
    "ios": "ios",
    "ios-xe": "ios",
    "ios-xr": "iosxr",
    "nx-os": "nxos_ssh",
}
# Those that go back by themselves, and the seconds that their time has to be a multiple of.
REVERT_UNIT_S = {"frr": 1, "eos": 1, "junos": 60, "ios": 60}
# What each calls host keys. Others have to be told by --argument.
HOST_KEYS = {
    "frr": lambda path: {"known_hosts": path, "ssh_strict": True},
    **dict.fromkeys(
        ("ios", "iosxr", "nxos_ssh"),
        lambda path: {"ssh_strict": True, "alt_host_keys": True, "alt_key_file": path},
    ),
    "eos": lambda path: {"enforce_verification": True},
}
SECRET = re.compile(
    r"((?:password|authentication-key|md5-key=|key-string)\s*(?:\d|clear|encrypted)?\s*).*", re.IGNORECASE
)


def main(arguments=None):
    """Do it. Returns the exit status."""
    options = parser().parse_args(arguments)
    device, text = rendered(options)
    name = options.driver or DRIVERS.get(getattr(device.platform, "slug", ""))
    if not name:
        sys.exit(f"{device.name} has no platform with a known driver. Name one with --driver.")
    host = options.host or (device.primary_ip.address.partition("/")[0] if device.primary_ip else device.name)
    with get_network_driver(name)(
        host,
        options.user,
        os.environ.get("ROUTER_PASSWORD", ""),
        timeout=options.timeout,
        optional_args=optional_args(name, options),
    ) as router:
        return push(router, text, name, options)


def rendered(options):
    """The device, and the configuration that NetBox renders for it with the passwords of its sessions."""
    netbox = pynetbox.api(options.netbox, token=os.environ["NETBOX_TOKEN"])
    device = netbox.dcim.devices.get(name=options.router)
    if device is None:
        sys.exit(f"NetBox has no device {options.router}, or this token may not view it.")
    answer = netbox.plugins.peering_manager.render_config.create(device=device.id)
    # Without view_session_secrets passwords come as asterisks, and would end the sessions.
    if "********" in answer.content:
        sys.exit("This token may not see the sessions' passwords: give its user view_session_secrets.")
    return device, answer.content


def optional_args(driver, options):
    """NAPALM's optional_args: host keys are checked wherever the driver can."""
    known_hosts = os.path.expanduser(options.known_hosts)
    found = HOST_KEYS[driver](known_hosts) if driver in HOST_KEYS else {}
    if options.key_file:
        found["key_file"] = os.path.expanduser(options.key_file)
    for argument in options.argument:
        key, _, value = argument.partition("=")
        found[key] = int(value) if value.isdigit() else value
    return found


def push(router, text, driver, options):
    """Compare, ask, commit, and see that the sessions are well."""
    load = router.load_replace_candidate if options.replace else router.load_merge_candidate
    load(config=text)
    changes = router.compare_config()
    if not changes:
        print("The router has all of it already.")
        router.discard_config()
        return 0
    print(SECRET.sub(r"\1********", changes))
    if not options.yes and input("Commit this? [y/N] ").strip().lower() != "y":
        router.discard_config()
        print("Nothing was changed.")
        return 2
    before = established(router)
    unit = REVERT_UNIT_S.get(driver, 0)
    # It has to last longer than we look.
    revert_in = -(-(options.wait + 30) // unit) * unit if unit else None
    router.commit_config(**({"revert_in": revert_in} if revert_in else {}))
    lost = lost_sessions(router, before, options.wait)
    if lost:
        router.rollback()
        print(f"Rolled back. Not Established again within {options.wait} s: {', '.join(sorted(lost))}")
        return 1
    if revert_in:
        router.confirm_commit()
    print(f"Committed. {len(before)} sessions that were Established are so.")
    return 0


def established(router):
    """The neighbours with which the router's sessions are Established, of all VRFs."""
    return {
        (vrf, address)
        for vrf, table in router.get_bgp_neighbors().items()
        for address, neighbor in table["peers"].items()
        if neighbor["is_up"]
    }


def lost_sessions(router, before, wait_s):
    """Which of them are not Established again in time. Whoever was switched off on purpose is among them: say so."""
    deadline = time.monotonic() + wait_s
    while missing := before - established(router):
        if time.monotonic() > deadline:
            return {address for _vrf, address in missing}
        time.sleep(1)
    return set()


def parser():
    found = argparse.ArgumentParser(description="Push a router's peering configuration from outside NetBox.")
    found.add_argument("netbox", help="NetBox's address, such as https://netbox.example.net")
    found.add_argument("router", help="the device's name in NetBox")
    found.add_argument("--driver", help="NAPALM's driver; else by the device's platform")
    found.add_argument("--host", help="where to reach the router; else the device's primary IP address")
    found.add_argument("--user", default="root", help="who logs in; the password comes from ROUTER_PASSWORD")
    found.add_argument("--key-file", help="a private key to log in with")
    found.add_argument("--known-hosts", default="~/.ssh/known_hosts", help="the file of SSH host keys")
    found.add_argument(
        "--argument", action="append", default=[], help="more of NAPALM's optional_args: name=value"
    )
    found.add_argument("--timeout", type=int, default=30, help="seconds for each step")
    found.add_argument(
        "--wait", type=int, default=120, help="seconds that sessions have to be Established again"
    )
    found.add_argument("--replace", action="store_true", help="the text is the whole configuration")
    found.add_argument("--yes", action="store_true", help="do not ask")
    return found


if __name__ == "__main__":
    sys.exit(main())

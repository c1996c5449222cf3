"""FRR's version and interfaces in the shapes that NAPALM documents (`napalm.base.models`). Pure."""

import ipaddress
import re
from typing import Any

Record = dict[str, Any]
VERSION = re.compile(
    r"^FRRouting (?P<version>\S+)(?: \((?P<hostname>[^)]*)\))?(?: on (?P<system>\w+))?", re.MULTILINE
)
NEVER = -1.0


def facts(version: str, uptime: str, fqdn: str, interfaces: Record) -> Record:
    """
    `get_facts`, out of `show version`, /proc/uptime, `hostname -f` and `show interface json`. The model is the
    operating system: FRR is no hardware and has no serial number.
    """
    found = VERSION.search(version)
    hostname = (found and found["hostname"]) or fqdn.strip().partition(".")[0]
    return {
        "os_version": found["version"] if found else "",
        "uptime": float(uptime.split()[0]),
        "interface_list": sorted(interfaces),
        "vendor": "FRRouting",
        "serial_number": "",
        "model": (found and found["system"]) or "",
        "hostname": hostname,
        "fqdn": fqdn.strip() or hostname,
    }


def interfaces(said: Record) -> Record:
    """`get_interfaces`, out of `show interface json`. FRR does not tell when an interface last changed in seconds."""
    return {
        name: {
            "is_up": record.get("operationalStatus") == "up",
            "is_enabled": record.get("administrativeStatus") == "up",
            "description": record.get("description", ""),
            "last_flapped": NEVER,
            "mtu": record.get("mtu", 0),
            "speed": float(record.get("speed", 0)),
            "mac_address": record.get("hardwareAddress", "").upper(),
        }
        for name, record in said.items()
    }


def interface_addresses(said: Record) -> Record:
    """`get_interfaces_ip`, out of `show interface json`: interfaces with an address, families that they have."""
    found: Record = {}
    for name, record in said.items():
        for one in record.get("ipAddresses", ()):
            address = ipaddress.ip_interface(one["address"])
            into = found.setdefault(name, {}).setdefault(f"ipv{address.version}", {})
            into[str(address.ip)] = {"prefix_length": address.network.prefixlen}
    return found

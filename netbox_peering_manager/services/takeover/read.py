"""Reading a router: one NAPALM session, from which everything comes that NetBox has a place for."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..devices.device import Device
from ..devices.neighbors import Neighbor, read_neighbors
from . import frr, napalm
from .found import Found, FoundAddress, FoundNeighbor

__all__ = ("read",)


def read(device: Device) -> Found:
    """Return the neighbours of an open session's router, and what they need. DeviceErrors as Device raises them."""
    running = read_neighbors(device)
    addresses = tuple(_addresses(device.interfaces_ip()))
    if device.access.driver == "frr":
        found = frr.parse(device.running_config())
    elif device.access.capabilities.bgp_config:
        found = napalm.from_config(device.bgp_config(), running)
    else:
        found = napalm.from_neighbors(running)
    return completed(replace(found, addresses=addresses), running)


def completed(found: Found, running: Sequence[Neighbor]) -> Found:
    """Fill in what is not configured but seen: AS numbers of `remote-as external`, and our addresses."""
    by_key = {(each.vrf, each.remote_ip): each for each in running}
    neighbors = tuple(
        _completed(each, by_key.get((each.vrf, each.remote_ip)), found.addresses) for each in found.neighbors
    )
    return replace(found, neighbors=neighbors)


def _completed(
    found: FoundNeighbor, running: Neighbor | None, addresses: Sequence[FoundAddress]
) -> FoundNeighbor:
    zone = found.local_interface
    is_link_local = ipaddress.ip_address(found.remote_ip).is_link_local
    local_ip = found.local_ip or _of_interface(zone, found.version, addresses)
    # What the session uses goes first: we may have several addresses beside the neighbour.
    local_ip = local_ip or (running.local_ip if running else "") or _beside(found.remote_ip, addresses)
    seen = running.interface if running else ""
    return replace(
        found,
        remote_asn=found.remote_asn or (running.remote_asn if running else None),
        local_ip=local_ip,
        # Of others it was the interface whose address is used, which is known by now.
        local_interface=(zone or seen) if is_link_local else "",
    )


def _of_interface(name: str, version: int, addresses: Sequence[FoundAddress]) -> str:
    """The first address of that version on an interface that is not link-local."""
    found = (each.ip for each in addresses if each.interface == name and _version(each) == version)
    return next((ip for ip in found if not ipaddress.ip_address(ip).is_link_local), "")


def _beside(remote_ip: str, addresses: Sequence[FoundAddress]) -> str:
    """Our address in the smallest prefix that the neighbour is in as well; "" for one that is further away."""
    remote = ipaddress.ip_address(remote_ip)
    if remote.is_link_local:
        return ""
    around = [
        each for each in addresses if remote in ipaddress.ip_network(f"{each.ip}/{each.length}", strict=False)
    ]
    return max(around, key=lambda each: each.length).ip if around else ""


def _version(address: FoundAddress) -> int:
    return ipaddress.ip_address(address.ip).version


def _addresses(said: Mapping[str, Any]) -> "list[FoundAddress]":
    return [
        FoundAddress(name, str(ipaddress.ip_address(ip)), int(record["prefix_length"]))
        for name, families in said.items()
        for rows in families.values()
        for ip, record in rows.items()
    ]

"""
FRR's JSON about BGP, in the shapes that NAPALM documents (`napalm.base.base`, `napalm.base.models`). Pure.

What FRR does not tell is -1 for a number, "" for a text and False. FRR counts prefixes after the policies only, unless
it is told to keep what it filters; the number received is therefore the number accepted.
"""

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

Record = dict[str, Any]
FAMILIES = {"ipv4Unicast": "ipv4", "ipv6Unicast": "ipv6"}
UNKNOWN = -1
GLOBAL = "global"


def vrf_name(name: str) -> str:
    """NAPALM's name of a VRF: "global" for the default one."""
    return GLOBAL if name == "default" else name


def neighbors_of(said: Record) -> Iterator[tuple[str, str, Record]]:
    """VRF, neighbour and record, out of `show bgp vrf all neighbors json`, in its order."""
    for vrf, records in said.items():
        for key, record in records.items():
            if isinstance(record, dict) and "bgpState" in record:
                yield vrf_name(vrf), key, record


def neighbors(said: Record, vrfs: Record) -> Record:
    """`get_bgp_neighbors`, out of `show bgp vrf all neighbors json` and `show bgp vrfs json`. {} without BGP."""
    found: Record = {
        vrf_name(name): {"router_id": vrf.get("routerId", ""), "peers": {}}
        for name, vrf in vrfs.get("vrfs", {}).items()
    }
    for vrf, key, record in neighbors_of(said):
        into = found.setdefault(vrf, {"router_id": record.get("localRouterId", ""), "peers": {}})
        into["peers"][key] = neighbor(record)
    return found


def neighbor(record: Record) -> Record:
    """One neighbour of `get_bgp_neighbors`. `uptime` in seconds, -1 while it is down."""
    up = is_up(record)
    return {
        "local_as": record.get("localAs", 0),
        "remote_as": record.get("remoteAs", 0),
        "remote_id": record.get("remoteRouterId", ""),
        "is_up": up,
        "is_enabled": not record.get("adminShutDown", False),
        "description": record.get("nbrDesc", ""),
        "uptime": record.get("bgpTimerUpMsec", 0) // 1000 if up else UNKNOWN,
        "address_family": {
            family_name(family): prefixes(counters, up)
            for family, counters in record.get("addressFamilyInfo", {}).items()
        },
    }


def prefixes(counters: Record, up: bool) -> dict[str, int]:
    """Prefixes of one address family; -1 while the session is down."""
    accepted = counters.get("acceptedPrefixCounter", 0) if up else UNKNOWN
    return {
        "sent_prefixes": counters.get("sentPrefixCounter", 0) if up else UNKNOWN,
        "accepted_prefixes": accepted,
        "received_prefixes": accepted,
    }


def is_up(record: Record) -> bool:
    return bool(record.get("bgpState") == "Established")


def family_name(family: str) -> str:
    """ "ipv4Unicast" is NAPALM's "ipv4"; others are spelt as FRR configures them: "l2vpn evpn", "ipv4 multicast"."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", family).lower()
    return FAMILIES.get(family, words.replace("l2 vpn", "l2vpn"))


def details(said: Record, address: str = "") -> Record:
    """
    `get_bgp_neighbors_detail`, out of `show bgp vrf all neighbors json`: VRF → remote AS → records, in FRR's order.
    With an address, in whatever spelling, of that neighbour only.
    """
    found: Record = {}
    for vrf, key, record in neighbors_of(said):
        if not address or same_address(address, key):
            found.setdefault(vrf, {}).setdefault(record.get("remoteAs", 0), []).append(
                detail(vrf, key, record)
            )
    return found


def same_address(one: str, other: str) -> bool:
    """Whether two texts name one neighbour: equal addresses, or equal names of interfaces."""
    try:
        return ipaddress.ip_address(one) == ipaddress.ip_address(other)
    except ValueError:
        return one == other


def detail(vrf: str, key: str, record: Record) -> Record:
    """One neighbour of `get_bgp_neighbors_detail`. Times in seconds."""
    up, families = is_up(record), list(record.get("addressFamilyInfo", {}).values())
    counted = [prefixes(counters, up) for counters in families]
    accepted = total([one["accepted_prefixes"] for one in counted])
    messages = record.get("messageStats", {})
    known = record.get("hostLocal", "Unknown") != "Unknown"
    return {
        "up": up,
        "local_as": record.get("localAs", 0),
        "remote_as": record.get("remoteAs", 0),
        "router_id": record.get("localRouterId", ""),
        "local_address": record["hostLocal"] if known else "",
        "routing_table": vrf,
        "local_address_configured": "updateSource" in record,
        "local_port": record.get("portLocal", UNKNOWN),
        "remote_address": key,
        "remote_port": record.get("portForeign", UNKNOWN),
        "multihop": record.get("externalBgpNbrMaxHopsAway", 1) > 1,
        "multipath": False,
        "remove_private_as": any(name.startswith("privateAsNums") for one in families for name in one),
        "import_policy": policies(families, "routeMapForIncomingAdvertisements"),
        "export_policy": policies(families, "routeMapForOutgoingAdvertisements"),
        "input_messages": messages.get("totalRecv", UNKNOWN),
        "output_messages": messages.get("totalSent", UNKNOWN),
        "input_updates": messages.get("updatesRecv", UNKNOWN),
        "output_updates": messages.get("updatesSent", UNKNOWN),
        "messages_queued_out": messages.get("depthOutq", UNKNOWN),
        "connection_state": record["bgpState"],
        "previous_connection_state": "",
        "last_event": record.get("lastResetDueTo", ""),
        "suppress_4byte_as": up and "4byteAs" not in record.get("neighborCapabilities", {}),
        "local_as_prepend": False,
        "holdtime": seconds(record, "bgpTimerHoldTimeMsecs"),
        "configured_holdtime": seconds(record, "bgpTimerConfiguredHoldTimeMsecs"),
        "keepalive": seconds(record, "bgpTimerKeepAliveIntervalMsecs"),
        "configured_keepalive": seconds(record, "bgpTimerConfiguredKeepAliveIntervalMsecs"),
        "active_prefix_count": UNKNOWN,
        "received_prefix_count": accepted,
        "accepted_prefix_count": accepted,
        "suppressed_prefix_count": UNKNOWN,
        "advertised_prefix_count": total([one["sent_prefixes"] for one in counted]),
        "flap_count": record.get("connectionsDropped", 0),
    }


def total(counts: list[int]) -> int:
    """The sum of what is known; -1 when nothing is."""
    known = [count for count in counts if count != UNKNOWN]
    return sum(known) if known else UNKNOWN


def policies(families: list[Record], name: str) -> str:
    """The route maps of a session's address families, each once, with commas between."""
    return ", ".join(dict.fromkeys(one[name] for one in families if one.get(name)))


def seconds(record: Record, name: str) -> int:
    return record[name] // 1000 if name in record else UNKNOWN

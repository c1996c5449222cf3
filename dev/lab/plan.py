"""
Who is on the lab's LAN. No Django beyond the constants of the demo's network, which the sample PeeringDB tells as well
(`sample_peeringdb/story.py`).

Prefixes are slices of RFC 5737's 192.0.2.0/24 and of RFC 3849's 2001:db8::/32, one of each family per network.
"""

import ipaddress
from dataclasses import dataclass, field
from typing import Literal

from dev.demo_network import LAN4, LAN6, MEMBERS, OUR_ASN, SECOND_ROUTE_SERVER, WITH_PASSWORD
from dev.sample_peeringdb.story import ROUTE_SERVER_ASN

Program = Literal["frr", "bird", "openbgpd"]

OUR_ROUTERS = {"edge1.lon1": 1, "edge2.lon1": 2}
ROUTE_SERVERS = {"rs1": 250, "rs2": SECOND_ROUTE_SERVER}
OUR_PREFIXES = ("203.0.113.0/24", "2001:db8::/48")
# What each member runs. OpenBGPD knows no TCP-MD5 on Linux, so who has a password runs something else; BFD is FRR's.
PROGRAMS: dict[int, Program] = {
    64496: "frr",
    64497: "bird",
    64498: "frr",
    64499: "bird",
    64501: "openbgpd",
    64502: "frr",
    64503: "bird",
    64504: "openbgpd",
    65540: "bird",
}
SESSION_PASSWORD = "Tr0ub4dor-and-3"


@dataclass(frozen=True)
class Node:
    """One machine of the lab: its addresses on the LAN and what it announces (empty: nothing)."""

    name: str
    program: Program
    asn: int
    host: int
    prefixes: tuple[str, ...] = ()
    ours: bool = False
    route_server: bool = False
    password: str = field(default="", repr=False)

    @property
    def ipv4(self) -> str:
        return str(ipaddress.ip_network(LAN4)[self.host])

    @property
    def ipv6(self) -> str:
        return str(ipaddress.ip_network(LAN6)[self.host])

    @property
    def addresses(self) -> tuple[str, str]:
        return self.ipv4, self.ipv6

    @property
    def router_id(self) -> str:
        return f"192.0.2.{self.host}"


def nodes() -> list[Node]:
    """Everything on the LAN: our routers, the route servers, the members; in the order of their addresses."""
    ours = [
        Node(name, "frr", OUR_ASN, host, prefixes=OUR_PREFIXES, ours=True)
        for name, host in OUR_ROUTERS.items()
    ]
    servers = [
        Node(name, "bird", ROUTE_SERVER_ASN, host, route_server=True) for name, host in ROUTE_SERVERS.items()
    ]
    members = [
        Node(
            name=f"as{member.asn}",
            program=PROGRAMS[member.asn],
            asn=member.asn,
            host=member.host,
            prefixes=member_prefixes(member.host),
            password=SESSION_PASSWORD if member.asn in WITH_PASSWORD else "",
        )
        for member in MEMBERS
        if member.host is not None and member.asn != ROUTE_SERVER_ASN
    ]
    return sorted(ours + servers + members, key=lambda node: node.host)


def member_prefixes(host: int) -> tuple[str, str]:
    """What the member with this last part of its address announces: an IPv4 /28 and an IPv6 /48."""
    return f"192.0.2.{16 * (host - 10)}/28", f"2001:db8:f0{host:02x}::/48"


def peers_of(node: Node, everyone: list[Node]) -> list[Node]:
    """
    With whom a node is configured to speak. Members and route servers are; what our routers say is for NetBox to send,
    so they begin with nobody.
    """
    if node.ours:
        return []
    if node.route_server:
        return [other for other in everyone if not other.route_server]
    return [other for other in everyone if other.ours or other.route_server]


def password_between(node: Node, other: Node) -> str:
    """The TCP-MD5 password of a session (RFC 2385), "" when there is none: the member's, towards our routers only."""
    return (node.password or other.password) if node.ours or other.ours else ""


def bgp_sessions(router: Node, everyone: list[Node]) -> list[tuple[Node, str]]:
    """What one of our routers may be configured with: every member and route server, with each of its addresses."""
    return [(other, address) for other in everyone if not other.ours for address in other.addresses]

"""
The demo's story (`dev/demo_network.py`), which every world holds: Example Networks (AS64500) has two ports on Example
IX London, where its peers and two route servers are; a customer and a transit provider are in PeeringDB too.
"""

import ipaddress

from dev.demo_network import EXCHANGE, LAN4, LAN6, MEMBERS, OUR_ASN, SECOND_ROUTE_SERVER, WITH_BFD
from dev.sample_peeringdb.maker import CONTACTS, LONDON
from dev.sample_peeringdb.world import LanAddresses

OUR_NAME = "Example Networks"
FACILITIES = ("Example Datacentre London 1", "Example Datacentre London 2")
ROUTE_SERVER_ASN = 64509
# This network tells no contact.
WITHOUT_CONTACT = 64499


def tell(maker):
    """Put the story into an empty world. Returns its networks (ours is the first) and its facilities, as rows."""
    return _Story(maker).tell()


class _Story:
    def __init__(self, maker):
        self.put = maker.put

    def tell(self):
        put = self.put
        ours = put("org", OUR_NAME, LONDON)
        house = put("org", "Example Datacentres", LONDON)
        operator = put("org", "Example Internet Exchange", LONDON)
        facilities = [put("fac", house, name, LONDON) for name in FACILITIES]
        networks = [self._us(ours), *(self._member(member) for member in MEMBERS)]
        london = put("ix", operator["id"], EXCHANGE, LONDON, name_long="Example Internet Exchange London")
        for facility in facilities:
            put("ixfac", london, facility)
        self._ports(london, {net["asn"]: net for net in networks})
        for number, net in enumerate(networks):
            put("netfac", net, facilities[number % 2])
            self._contacts(net, 2 + (number % 3 == 0))
        return networks, facilities

    def _us(self, org):
        return self.put(
            "net",
            org["id"],
            OUR_ASN,
            OUR_NAME,
            irr_as_set="AS-EXAMPLE",
            info_prefixes4=20,
            info_prefixes6=10,
            info_type="NSP",
            info_types=["NSP"],
            info_scope="Europe",
        )

    def _member(self, member):
        route_server = member.asn == ROUTE_SERVER_ASN
        kind = "Route Server" if route_server else "NSP"
        return self.put(
            "net",
            self.put("org", member.name, LONDON)["id"],
            member.asn,
            member.name,
            irr_as_set=member.as_set,
            info_prefixes4=member.limits[0],
            info_prefixes6=member.limits[1],
            info_type=kind,
            info_types=[kind],
            info_scope="Europe",
            info_traffic="" if route_server else "10-20Gbps",
        )

    def _ports(self, london, by_asn):
        lan = self.put("ixlan", london["id"], rs_asn=ROUTE_SERVER_ASN)
        for prefix in (LAN4, LAN6):
            self.put("ixpfx", lan["id"], prefix)
        ports = [(OUR_ASN, host, 100000) for host in (1, 2)]
        ports += [(member.asn, member.host, 10000) for member in MEMBERS if member.host is not None]
        ports.append((ROUTE_SERVER_ASN, SECOND_ROUTE_SERVER, 10000))
        addresses = LanAddresses(ipaddress.ip_network(LAN4), ipaddress.ip_network(LAN6))
        for asn, host, speed in ports:
            self.put(
                "netixlan",
                by_asn[asn],
                lan,
                london["name"],
                *addresses.of(host),
                speed=speed,
                is_rs_peer=asn != ROUTE_SERVER_ASN,
                bfd_support=asn in WITH_BFD,
            )

    def _contacts(self, net, count):
        if net["asn"] != WITHOUT_CONTACT:
            for role, visible, name in CONTACTS[:count]:
                self.put("poc", net, role, name, visible=visible)

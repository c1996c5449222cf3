"""
The demo's story in NetBox as the sample world has it in PeeringDB: our two ports on Example IX London, its members.

`Story` makes what a test asks for, all of it in line with the world, and puts changes of the world into the mirror.
"""

from netbox_peering_manager.models import PeerASN, PeeringConnection
from tests import factories
from tests.peeringdb.filling import fill_mirror

OUR_ASN = 64500
IX_ID = IXLAN_ID = 1
# What the tests compare; filling in more only takes longer.
TAGS = ("net", "ix", "ixlan", "ixpfx", "netixlan", "poc")


class Story:
    """Our side of the story. `world` is the sample PeeringDB's; `fill()` brings its present state into the mirror."""

    @factories.look_ups_kept()
    def __init__(self, world, *, ports=2):
        self.world = world
        self.us = self.peer(OUR_ASN, affiliated=True)
        self.fabric = factories.make_fabric("Example IX London", peeringdb_id=IX_ID)
        self.lan = factories.make_network("Main", fabric=self.fabric, peeringdb_id=IXLAN_ID)
        self.scope = factories.make_scope(asn=OUR_ASN)
        self.connections = [self.connection(number) for number in range(1, ports + 1)]

    def fill(self, *tags):
        fill_mirror(self.world, *(tags or TAGS))

    def peer(self, asn, **fields) -> PeerASN:
        """A PeerASN that says what PeeringDB says."""
        (net,) = self.world.find("net", asn=asn)
        said = {
            "name": net["name"],
            "irr_as_set": net["irr_as_set"],
            "ipv4_max_prefixes": net["info_prefixes4"],
            "ipv6_max_prefixes": net["info_prefixes6"],
            "peeringdb_id": net["id"],
        }
        return factories.make_peer_asn(asn, **{**said, **fields})

    def connection(self, number) -> PeeringConnection:
        """One of our ports: 198.51.100.<number> and the same in IPv6."""
        return factories.make_connection(
            network=self.lan,
            interface=factories.make_interface(factories.make_device(), f"Ethernet{number}"),
            ipv4=f"198.51.100.{number}/24",
            ipv6=f"2001:db8:100::{number:x}/64",
            bgp_scope=self.scope,
        )

    def session(self, host, asn, family=4, **fields):
        """A session with the member at this last part of the LAN's addresses."""
        address = f"198.51.100.{host}/24" if family == 4 else f"2001:db8:100::{host:x}/64"
        of_peer = {name: fields.pop(name) for name in ("enabled", "status") if name in fields}
        peer = factories.make_bgp_peer(address, asn=asn, scope=self.scope, **of_peer)
        return factories.make_session(peer, network=self.lan, **fields)

    def port_of(self, asn):
        """The netixlan of an AS in the world."""
        return self.world.find("netixlan", asn=asn)[0]

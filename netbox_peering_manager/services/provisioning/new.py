"""A session to be made: what an engineer knows of one, before NetBox holds any of it."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...models import PeerASN, PeeringConnection

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from extras.models import Tag
    from ipam.models import IPAddress
    from netbox_routing.models import BFDProfile, BGPPeerTemplate, BGPScope

    from ...models import PeeringNetwork, Relationship

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

FAMILIES = (4, 6)


@dataclass(frozen=True, slots=True)
class NewSession:
    """
    A session to be made.

    `remote_ip` is the peer's address, without mask. Over a LAN, `connection` is our port on it: it gives the
    network, the BGP scope and our source address. Elsewhere (`connection` None) `scope` is needed and
    `source` may be given; so may be `network`, for a LAN on which we have no connection. An empty `name`
    becomes "AS64512 LINX LON1". `local_as` None: the AS of the connection's port in PeeringDB, when that is
    affiliated, else the BGP router's. `password` is plain text, empty for none, and in no repr.

    `peer_name` and `irr_as_set` are those of a PeerASN that has to be made; left empty, they and its limits are
    what PeeringDB says of the AS. A PeerASN that is there is not changed.
    """

    relationship: "Relationship"
    remote_asn: int
    remote_ip: str
    connection: "PeeringConnection | None" = None
    scope: "BGPScope | None" = None
    source: "IPAddress | None" = None
    network: "PeeringNetwork | None" = None
    local_as: PeerASN | None = None
    peer_group: "BGPPeerTemplate | None" = None
    bfd: "BFDProfile | None" = None
    ttl: int | None = None
    name: str = ""
    description: str = ""
    status: str = "active"
    enabled: bool = True
    service_reference: str = ""
    is_route_server: bool = False
    password: str = field(default="", repr=False)
    ipv4_max_prefixes: int | None = None
    ipv6_max_prefixes: int | None = None
    peer_name: str = ""
    irr_as_set: str = ""
    tags: "Sequence[Tag]" = ()


def usable_connections() -> "QuerySet[PeeringConnection]":
    """Return the connections, joined with all that making a session reads of the one it is given."""
    return PeeringConnection.objects.select_related(
        "interface__device",
        "ipv4_address",
        "ipv6_address",
        "peering_network__fabric",
        "peering_network__ipv4_prefix__vrf",
        "peering_network__ipv6_prefix__vrf",
        "bgp_scope__vrf",
        "bgp_scope__router__asn__peer_asn",
    )

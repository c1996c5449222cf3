"""
The far end of a session, looked up instead of typed: a port in PeeringDB's mirror, or a network that we know already
with the addresses that it is known to have.

What is found fills the form for one session. PeeringDB's data are public; of NetBox's objects only those are named
that the user may view.
"""

from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet

from netbox_routing.models import BGPPeer

from ...models import PeerASN, PeeringConnection, PeeringDBNet, PeeringDBNetIXLan, PeeringNetwork
from ..suggestions import prefix_limit, suggested
from .ground import host_of
from .plan import is_route_server

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    type User = AbstractBaseUser | AnonymousUser

__all__ = (
    "Destination",
    "KnownAddress",
    "addresses_of",
    "destination_of",
    "known_network",
    "label_of",
    "limits_of",
    "search_ports",
)


@dataclass(frozen=True, slots=True)
class KnownAddress:
    """
    An address that a network is known to have. `port` is the id of its netixlan, None for one that NetBox alone knows;
    `place` is the fabric, the exchange or the router, "" when it may not be told.
    """

    host: str
    place: str = ""
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """
    What is known of the far end, None or "" for what is not known. `fabric`, `network` and `connection` are the ids of
    those over which it is met.
    """

    remote_asn: int
    peer_name: str = ""
    irr_as_set: str = ""
    ipv4: str | None = None
    ipv6: str | None = None
    fabric: int | None = None
    network: int | None = None
    connection: int | None = None
    is_route_server: bool = False


def search_ports(
    text: str = "", *, lans: "Collection[int] | QuerySet[Any] | None" = None
) -> "QuerySet[PeeringDBNetIXLan]":
    """
    Return the ports that each word of `text` occurs in: AS number (64496 or AS64496), an address or its beginning, or
    the network's name, other name or AS-SET; those on `lans` (ids of ixlans) when given. Joined with net, ix and ixlan.
    """
    ports = PeeringDBNetIXLan.objects.filter(status="ok").select_related("net", "ix", "ixlan")
    if lans is not None:
        ports = ports.filter(ixlan_id__in=lans)
    if words := text.split():
        ports = ports.filter(reduce(and_, map(_occurs, words)))
    return ports.order_by("asn", "ix_id", "pk")


def _occurs(word: str) -> Q:
    found = Q()
    for field in ("name", "aka", "irr_as_set"):
        found |= Q(**{f"net__{field}__icontains": word})
    number = word.upper().removeprefix("AS")
    if number.isascii() and number.isdecimal() and len(number) < 11:
        found |= Q(asn=int(number))
    # Addresses are looked for as they are written: nobody types half an octet.
    if "." in word:
        found |= Q(ipaddr4__startswith=word)
    if ":" in word:
        found |= Q(ipaddr6__istartswith=word)
    return found


def label_of(port: PeeringDBNetIXLan) -> str:
    """Return how a port, joined with its net and ix, is called where one chooses among ports."""
    name = f" {port.net.name}" if port.net is not None else ""
    place = f" ({port.ix.name})" if port.ix is not None else ""
    return f"AS{port.asn}{name}, {' '.join(filter(None, (port.ipaddr4, port.ipaddr6)))}{place}"


def destination_of(port_id: int, user: "User") -> Destination | None:
    """
    Return what PeeringDB says of this port and its network, and where we meet it; None when there is no such port.

    Name and AS-SET are those of the peer ASN when there is one that the user may view. Our connection is told when the
    user may view exactly one on the LAN.
    """
    port = search_ports().filter(pk=port_id).first()
    if port is None:
        return None
    values: dict[str, Any] = {
        "ipv4": port.ipaddr4,
        "ipv6": port.ipaddr6,
        "is_route_server": is_route_server(port),
    }
    networks: Any = PeeringNetwork.objects
    network = networks.restrict(user, "view").filter(peeringdb_id=port.ixlan_id).first()
    if network is not None:
        connections: Any = PeeringConnection.objects
        ours = connections.restrict(user, "view").filter(peering_network=network).order_by()
        pks = list(ours.values_list("pk", flat=True)[:2])
        values |= {
            "fabric": network.fabric_id,
            "network": network.pk,
            "connection": pks[0] if len(pks) == 1 else None,
        }
    peers: Any = PeerASN.objects
    known = peers.restrict(user, "view").filter(asn__asn=port.asn).first()
    said = {"peer_name": known.name, "irr_as_set": known.irr_as_set} if known else _described(port.net)
    return Destination(port.asn, **said, **values)


def known_network(peer_asn: PeerASN) -> Destination:
    """Return what we know of this network ourselves; the AS-SET and name are those that it has here."""
    return Destination(peer_asn.asn.asn, peer_asn.name, peer_asn.irr_as_set)


def limits_of(asn: int, user: "User") -> dict[int, int]:
    """
    Return the limits, by family, that a peer ASN of this AS has or would be given when it is made; none when there is
    one that the user may not view.
    """
    peers: Any = PeerASN.objects
    peer_asn = peers.restrict(user, "view").filter(asn__asn=asn).first()
    if peer_asn is not None:
        told = {family: peer_asn.max_prefixes(family) for family in (4, 6)}
    elif peers.filter(asn__asn=asn).exists():
        return {}
    else:
        net = PeeringDBNet.objects.filter(asn=asn, status="ok").order_by("-pk").first()
        told = {family: prefix_limit(net, family) for family in (4, 6)} if net else {}
    return {family: limit for family, limit in told.items() if limit is not None}


def addresses_of(peer_asn: PeerASN, user: "User") -> list[KnownAddress]:
    """
    Return the addresses of this network: those of its ports on LANs where we are, as PeeringDB has them, then those
    of BGP peers that the user may view. Three queries.
    """
    networks: Any = PeeringNetwork.objects
    fabrics = dict(
        networks.restrict(user, "view")
        .filter(peeringdb_id__isnull=False)
        .values_list("peeringdb_id", "fabric__name")
    )
    found: dict[str, KnownAddress] = {}
    for port in search_ports(lans=fabrics.keys()).filter(asn=peer_asn.asn.asn):
        for host in (port.ipaddr4, port.ipaddr6):
            if host:
                found.setdefault(host, KnownAddress(host, fabrics[port.ixlan_id], port.pk))
    peers: Any = BGPPeer.objects
    known = peers.restrict(user, "view").filter(remote_as=peer_asn.asn_id).select_related("peer")
    for peer in known.order_by("peer__address", "pk"):
        host = str(host_of(peer.peer))
        found.setdefault(host, KnownAddress(host))
    return list(found.values())


def _described(net: PeeringDBNet | None) -> dict[str, Any]:
    """The name and AS-SET that PeeringDB suggests for a peer ASN."""
    values = suggested(net) if net is not None else {}
    return {"peer_name": values.get("name", ""), "irr_as_set": values.get("irr_as_set", "")}

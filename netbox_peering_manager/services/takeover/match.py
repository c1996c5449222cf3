"""
Where a neighbour belongs in NetBox: its LAN by prefix, our end by interface, its BGP peer by scope and address.

Nothing is read: what there is comes with `standing`.
"""

import ipaddress
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from ipam.models import IPAddress

from ...choices import ImportReasonChoices as Reason
from ...exceptions import TakeoverRefused
from ..provisioning.ground import host_of
from .found import Found, FoundNeighbor
from .making import Where
from .standing import Standing

if TYPE_CHECKING:
    from netbox_routing.models import BGPPeer, BGPScope

    from ...models import PeeringConnection, PeeringNetwork

__all__ = ("peer_of", "refuse_ibgp", "where_of")


def refuse_ibgp(neighbor: FoundNeighbor, found: Found) -> None:
    """
    Raise TakeoverRefused for what is no session with somebody else, or with an AS that the router does not tell, and
    for one of which nothing is known but its configuration.
    """
    if not neighbor.is_running:
        raise TakeoverRefused(
            Reason.NOT_RUNNING,
            _(
                "It is configured but not running, and this platform's driver tells neither its VRF nor whether it is "
                "switched off: import it once it runs, or make its session by hand."
            ),
        )
    if neighbor.remote_asn is None:
        raise TakeoverRefused(
            Reason.NO_ASN,
            _(
                "The router does not say which AS it is (remote-as external): import it while the session is up."
            ),
        )
    if neighbor.remote_asn == (neighbor.local_asn or found.local_asn):
        raise TakeoverRefused(
            Reason.INTERNAL, _("AS{asn} is ours: this is no peering.").format(asn=neighbor.remote_asn)
        )


def peer_of(neighbor: FoundNeighbor, standing: Standing) -> "BGPPeer | None":
    """
    Return the BGP peer that NetBox has for it, under whichever BGP router of the device; a link-local one is told by
    the interface of our end as well.
    """
    rows = standing.peers.get((neighbor.vrf, neighbor.remote_ip), [])
    if ipaddress.ip_address(neighbor.remote_ip).is_link_local:
        rows = [row for row in rows if neighbor.local_interface in _interfaces(row, standing)]
    # The router has one neighbour of this address: whichever has a session already is it.
    return next((row for row in rows if hasattr(row, "peering_session")), rows[0] if rows else None)


def _interfaces(peer: "BGPPeer", standing: Standing) -> set[str]:
    """The names of the interfaces that a BGP peer's session uses: of its source, and of our connections on its LAN."""
    found = set()
    if peer.source is not None:
        same = standing.addresses.get((peer.source.vrf_id, str(host_of(peer.source))), [])
        found |= {_interface_of(each) for each in same if each.pk == peer.source_id}
    if not found and (session := getattr(peer, "peering_session", None)) is not None:
        connections = standing.connections.get(session.peering_network_id or 0, [])
        found |= {connection.interface.name for connection in connections}
    return found


def where_of(neighbor: FoundNeighbor, scope: "BGPScope", found: Found, standing: Standing) -> Where:
    """
    Return the LAN and our end of a session. TakeoverRefused when they cannot be told, with what to do about it.
    """
    if ipaddress.ip_address(neighbor.remote_ip).is_link_local:
        return _where_link_local(neighbor, scope, standing)
    vrf_id = scope.vrf.pk if scope.vrf else None
    network = _lan(neighbor, vrf_id, standing)
    connections = standing.connections.get(network.pk, []) if network else []
    connection = _connection(connections, neighbor)
    if not neighbor.local_ip:
        return Where(scope, network, connection, None)
    source = _our_address(neighbor, vrf_id, found, standing)
    ours = {each.pk for each in connection.addresses} if connection else set()
    return Where(scope, network, connection if source.pk in ours else None, source)


def _where_link_local(neighbor: FoundNeighbor, scope: "BGPScope", standing: Standing) -> Where:
    """It is on the LAN of the interface that the router names."""
    name = neighbor.local_interface
    on_it = [
        connection
        for connections in standing.connections.values()
        for connection in connections
        if connection.interface.name == name
    ]
    if len(on_it) == 1:
        [connection] = on_it
        if connection.peering_network_id in standing.unseen_networks:
            raise _hidden()
        return Where(scope, connection.peering_network, connection, connection.ipv6_address)
    if on_it:
        text = _("Interface {interface} is on several LANs: make this session by hand.")
        raise TakeoverRefused(Reason.LAN, text.format(interface=name))
    vrf_id = scope.vrf.pk if scope.vrf else None
    sources = [
        address
        for (vrf, host), addresses in standing.addresses.items()
        for address in addresses
        if vrf == vrf_id and ":" in host and _interface_of(address) == name
    ]
    if not sources:
        text = _(
            "A link-local neighbour is told by its interface: give {interface} an IPv6 address in NetBox, or a "
            "connection."
        )
        raise TakeoverRefused(Reason.OUR_ADDRESS, text.format(interface=name or _("its interface")))
    return Where(scope, None, None, sources[0])


def _lan(neighbor: FoundNeighbor, vrf_id: int | None, standing: Standing) -> "PeeringNetwork | None":
    networks = standing.lan_of(vrf_id, neighbor.remote_ip)
    ours = [network for network in networks if network.pk in standing.connections]
    if len(chosen := ours or networks) > 1:
        seen = [str(network) for network in chosen if network.pk not in standing.unseen_networks]
        text = _("{ip} is in the prefix of several networks: {networks}. Make this session by hand.")
        raise TakeoverRefused(Reason.LAN, text.format(ip=neighbor.remote_ip, networks=", ".join(seen)))
    if chosen and chosen[0].pk in standing.unseen_networks:
        raise _hidden()
    return chosen[0] if chosen else None


def _hidden() -> TakeoverRefused:
    return TakeoverRefused(Reason.HIDDEN, _("It is on a network that you may not see."))


def _connection(
    connections: "list[PeeringConnection]", neighbor: FoundNeighbor
) -> "PeeringConnection | None":
    """Our connection that has the session's address, else the only one."""
    for connection in connections:
        address = connection.address_of(neighbor.version)
        if address is not None and str(host_of(address)) == neighbor.local_ip:
            return connection
    return connections[0] if len(connections) == 1 else None


def _our_address(neighbor: FoundNeighbor, vrf_id: int | None, found: Found, standing: Standing) -> IPAddress:
    if known := standing.addresses.get((vrf_id, neighbor.local_ip)):
        return known[0]
    on = next((each for each in found.addresses if each.ip == neighbor.local_ip), None)
    if on is None:
        text = _("Our address {ip} is on no interface of {device} in NetBox: assign it to one.")
        raise TakeoverRefused(
            Reason.OUR_ADDRESS, text.format(ip=neighbor.local_ip, device=standing.router.device)
        )
    text = _(
        "Our address {ip}/{length} is on no interface of {device} in NetBox: assign it to {interface}, which has it on "
        "the router."
    )
    raise TakeoverRefused(
        Reason.OUR_ADDRESS,
        text.format(ip=on.ip, length=on.length, device=standing.router.device, interface=on.interface),
    )


def _interface_of(address: IPAddress) -> str:
    return getattr(address.assigned_object, "name", "")

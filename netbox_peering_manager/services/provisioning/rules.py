"""
The rules by which a session is made: what it takes, where each value comes from, what is refused and why.

Nothing is read or written here: what there is comes with `ground`, and what is to be made is returned as rows that are
not saved yet. So one session made in the form and a thousand made in a job follow the same rules, as does their
preview. What each row must hold to be valid is in `validation`.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import gettext as _

from ipam.models import ASN, RIR, IPAddress
from netbox_routing.models import BGPAddressFamily, BGPPeer, BGPPeerAddressFamily

from ...choices import SkipReasonChoices as Reason
from ...exceptions import ProvisioningError
from ...models import PeerASN, PeeringSession
from ...settings import get_setting
from ..secrets import set_password
from ..suggestions import suggested
from .ground import AFI_SAFI, Ground, Place, has_peer_asn, host_of, ours
from .new import Address, NewSession
from .registries import registry_of

if TYPE_CHECKING:
    from ipam.models import VRF, Prefix
    from netbox_routing.models import BGPScope

    from ...models import PeeringNetwork


@dataclass(slots=True)
class Rows:
    """
    A session as rows. Those without a primary key are to be made, in the order of `in_order()`.

    `rir` is there when the AS is not.
    """

    rir: RIR | None
    asn: ASN
    peer_asn: PeerASN
    address: IPAddress
    bgp_peer: BGPPeer
    family: BGPAddressFamily
    peer_family: BGPPeerAddressFamily
    session: PeeringSession

    def in_order(self) -> Iterator[models.Model]:
        """The rows, each behind those that it refers to."""
        if self.rir is not None:
            yield self.rir
        yield from (self.asn, self.peer_asn, self.address, self.bgp_peer)
        yield from (self.family, self.peer_family, self.session)

    def owner_of(self, row: models.Model) -> BGPPeer | None:
        """What an address family belongs to, None for other rows."""
        return self.bgp_peer if row is self.peer_family else None

    def needed(self) -> Iterator[models.Model]:
        """What is not the session's own: others can need it too."""
        if self.rir is not None:
            yield self.rir
        yield from (self.asn, self.peer_asn, self.address, self.family)


# Whatever a session can take, each behind those that it refers to.
MODELS: tuple[type[models.Model], ...] = (
    RIR,
    ASN,
    PeerASN,
    IPAddress,
    BGPPeer,
    BGPAddressFamily,
    BGPPeerAddressFamily,
    PeeringSession,
)
# Of these, those that are not the session's own, by their kind (PlannedObject).
KINDS: dict[type[models.Model], str] = {
    RIR: "rir",
    ASN: "asn",
    PeerASN: "peer_asn",
    IPAddress: "address",
    BGPAddressFamily: "family",
}
# What is wrong with a row of these that is made on the way is wrong with this field of a NewSession.
FIELD_OF_ROW: dict[type[models.Model], str] = {
    RIR: "remote_asn",
    ASN: "remote_asn",
    PeerASN: "remote_asn",
    IPAddress: "remote_ip",
}


def place_of(new: NewSession) -> Place:
    """Return where the session is to be. ProvisioningError when its address is none or no scope can be told."""
    host = parse_host(new.remote_ip)
    scope = scope_of(new)
    vrf = _vrf_of(new, host, scope)
    return Place(
        asn=new.remote_asn,
        host=host,
        vrf_id=vrf.pk if vrf else None,
        scope_id=scope.pk,
        own_port=new.connection.peeringdb_id if new.connection else None,
    )


def build(new: NewSession, place: Place, ground: Ground) -> Rows:
    """
    Return the rows of a session, those that are there and those to be made; the latter are added to `ground`.

    ProvisioningError when the session cannot be; then `ground` may have got rows that nobody needs.
    """
    scope = scope_of(new)
    asn = find_or_build_asn(new.remote_asn, ground)
    peer_asn = asn.peer_asn if has_peer_asn(asn) else _new_peer_asn(asn, new, ground)
    address = _peer_address(new, place, ground)
    source = _source(new, place.host)
    local_as = _local_as(new, place, scope, ground)
    _refuse_known_peer(place, scope, ground)
    bgp_peer = BGPPeer(
        scope=scope,
        peer=address,
        source=source,
        local_as=local_as,
        remote_as=asn,
        peer_group=new.peer_group,
        bfd=new.bfd,
        ttl=new.ttl,
        name=new.name or default_name(new),
        description=new.description,
        status=new.status,
        enabled=new.enabled,
    )
    ground.peers[place.scope_id, place.host] = bgp_peer
    family = _family(scope, place, ground)
    peer_family = BGPPeerAddressFamily(address_family=family, enabled=True)
    rir = asn.rir if asn.pk is None else None
    return Rows(rir, asn, peer_asn, address, bgp_peer, family, peer_family, _session(new, bgp_peer))


def find_or_build_asn(number: int, ground: Ground) -> ASN:
    """
    Return the ipam.ASN of this number, a new one with its RIR when it is missing.

    The RIR is that of IANA's ranges, else that of the setting default_rir. ProvisioningError (field remote_asn) when
    none can be told.
    """
    if number not in ground.asns:
        ground.asns[number] = ASN(asn=number, rir=_rir_for(number, ground))
    return ground.asns[number]


def parse_host(text: str) -> Address:
    """Return the address. ProvisioningError (field remote_ip) when the text is none, or one with a mask."""
    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        message = _("{value} is not an IP address; write it without a mask.").format(value=text)
        raise ProvisioningError({"remote_ip": [message]}, Reason.INVALID) from error


def scope_of(new: NewSession) -> "BGPScope":
    """Return the BGP scope that the session is to live in. ProvisioningError says how to get one."""
    scope = new.scope or (new.connection.bgp_scope if new.connection else None)
    if scope is not None:
        return scope
    if new.connection is None:
        message = _("Without a connection, choose the BGP scope that the session is to live in.")
        raise ProvisioningError({"scope": [message]}, Reason.NO_SCOPE)
    message = _(
        "{connection} has no BGP scope. Create a BGP router and scope for {device} in netbox-routing, then set the "
        "scope on the connection."
    ).format(connection=new.connection, device=new.connection.interface.device)
    raise ProvisioningError({"connection": [message]}, Reason.NO_SCOPE)


def default_name(new: NewSession) -> str:
    """Return how the BGPPeer is called that was given no name: by AS number, and fabric if there is one."""
    network = _network_of(new)
    return f"AS{new.remote_asn} {network.fabric.name}"[:100] if network else f"AS{new.remote_asn}"


def _network_of(new: NewSession) -> "PeeringNetwork | None":
    return new.network or (new.connection.peering_network if new.connection else None)


def _prefix_of(new: NewSession, host: Address) -> "Prefix | None":
    network = _network_of(new)
    return network.prefix_of(host.version) if network else None


def _vrf_of(new: NewSession, host: Address, scope: "BGPScope") -> "VRF | None":
    prefix = _prefix_of(new, host)
    return prefix.vrf if prefix else scope.vrf


def _new_peer_asn(asn: ASN, new: NewSession, ground: Ground) -> PeerASN:
    """A PeerASN as PeeringDB describes the network, if it does; what was typed wins."""
    net: Any = ground.nets.get(asn.asn)
    values = suggested(net) if net is not None else {}
    if net is not None and not net.is_taken:
        values["peeringdb_id"] = net.pk
    typed = {"name": new.peer_name, "irr_as_set": new.irr_as_set}
    values |= {name: value for name, value in typed.items() if value}
    # Django keeps it as asn.peer_asn, where the next session finds it.
    return PeerASN(asn=asn, **values)


def _peer_address(new: NewSession, place: Place, ground: Ground) -> IPAddress:
    key = (place.vrf_id, place.host)
    vrf = _vrf_of(new, place.host, scope_of(new))
    found = ground.addresses.get(key, [])
    if len(found) > 1:
        message = _("NetBox has {ip} more than once in {vrf}: delete the duplicates first.").format(
            ip=place.host, vrf=vrf or _("the global table")
        )
        raise ProvisioningError({"remote_ip": [message]}, Reason.ADDRESS_TAKEN)
    if not found:
        ground.addresses[key] = [_new_address(new, place.host, vrf)]
    elif (holder := found[0].assigned_object) is not None:
        message = _("{ip} is assigned to {other} and cannot be the address of a peer.").format(
            ip=found[0], other=_with_parent(holder) if ground.may_name(holder) else _("something else")
        )
        raise ProvisioningError({"remote_ip": [message]}, Reason.ADDRESS_TAKEN)
    return ground.addresses[key][0]


def _new_address(new: NewSession, host: Address, vrf: "VRF | None") -> IPAddress:
    network = _network_of(new)
    mask = _mask(host, _prefix_of(new, host))
    address = IPAddress(address=f"{host}/{mask}", vrf=vrf, status="active")
    if network and (reason := network.why_not_on_lan(address)):
        raise ProvisioningError({"remote_ip": [reason]}, Reason.INVALID)
    return address


def _mask(host: Address, prefix: "Prefix | None") -> int:
    """Return the LAN's prefix length; the longest when there is no LAN or the address is link-local."""
    # A model instance that was not read back from the database may hold its prefix as text.
    lan = ipaddress.ip_network(str(prefix.prefix)) if prefix else None
    return lan.prefixlen if lan is not None and host in lan else host.max_prefixlen


def _with_parent(assigned: models.Model) -> str:
    parent = getattr(assigned, "parent_object", None)
    return f"{parent} {assigned}" if parent else str(assigned)


def _source(new: NewSession, host: Address) -> IPAddress | None:
    source = new.source or (new.connection.address_of(host.version) if new.connection else None)
    if source is not None and source.family != host.version:
        message = _("{source} is not an IPv{family} address, as that of the peer is.").format(
            source=source, family=host.version
        )
        raise ProvisioningError({"source": [message]}, Reason.INVALID)
    return source


def _local_as(new: NewSession, place: Place, scope: "BGPScope", ground: Ground) -> ASN:
    """What was chosen; else the AS of our port in PeeringDB, under which the LAN knows it; else the BGP router's."""
    peer_asn = new.local_as or _own_as(place, ground) or getattr(scope.router.asn, "peer_asn", None)
    if peer_asn is not None and peer_asn.affiliated:
        return peer_asn.asn
    message = _(
        "{asn} is no affiliated peer ASN: create one for it, or mark it as affiliated, to use it as the local AS."
    ).format(asn=peer_asn or scope.router.asn)
    raise ProvisioningError({"local_as": [message]}, Reason.INVALID)


def _own_as(place: Place, ground: Ground) -> PeerASN | None:
    """The AS of our port in PeeringDB, None unless it is known as ours."""
    return ours(ground.asns.get(ground.own_asns.get(place.own_port or 0, 0)))


def _refuse_known_peer(place: Place, scope: "BGPScope", ground: Ground) -> None:
    known = ground.peers.get((place.scope_id, place.host))
    # One link-local address can be a neighbour on several links (RFC 4007 §4).
    if known is None or place.host.is_link_local:
        return
    if not ground.may_name(known):
        message = _("{scope} has a BGP peer at {ip} already.").format(scope=scope, ip=host_of(known.peer))
        raise ProvisioningError({"remote_ip": [message]}, Reason.EXISTS)
    # Built a moment ago for another of the sessions that are made together, or there before.
    has_session = known.pk is None or hasattr(known, "peering_session")
    message = (
        _("{scope} has a session with {ip} already: {known}.")
        if has_session
        else _("{scope} has the BGP peer {known} at {ip} already: add a session that wraps it instead.")
    ).format(scope=scope, ip=host_of(known.peer), known=known.name or known)
    raise ProvisioningError({"remote_ip": [message]}, Reason.EXISTS if known.pk else Reason.REPEATED)


def _family(scope: "BGPScope", place: Place, ground: Ground) -> BGPAddressFamily:
    key = (place.scope_id, AFI_SAFI[place.host.version])
    if key not in ground.families:
        ground.families[key] = BGPAddressFamily(scope=scope, address_family=key[1])
    # Read without its scope, which its name needs.
    ground.families[key].scope = scope
    return ground.families[key]


def _session(new: NewSession, bgp_peer: BGPPeer) -> PeeringSession:
    session = PeeringSession(
        bgp_peer=bgp_peer,
        relationship=new.relationship,
        peering_network=_network_of(new),
        service_reference=new.service_reference,
        is_route_server=new.is_route_server,
        ipv4_max_prefixes=new.ipv4_max_prefixes,
        ipv6_max_prefixes=new.ipv6_max_prefixes,
        description=new.description,
    )
    if new.password:
        set_password(session, new.password)
    return session


def _rir_for(asn: int, ground: Ground) -> RIR:
    registry = registry_of(asn)
    for rir in ground.rirs.values():
        if registry and (rir.slug in registry.slugs or rir.name == registry.name):
            return rir
    if slug := get_setting("default_rir"):
        if slug in ground.rirs:
            return ground.rirs[slug]
        message = _("The setting default_rir names the RIR {slug}, which does not exist.").format(slug=slug)
        raise ProvisioningError({"remote_asn": [message]}, Reason.INVALID)
    if registry:
        made = RIR(name=registry.name, slug=registry.slugs[0])
        return ground.rirs.setdefault(made.slug, made)
    message = _(
        "AS{asn} is not in NetBox and belongs to no RIR (it is reserved, private or unallocated). Create it under "
        "IPAM > ASNs, or name a RIR for such numbers in the setting default_rir."
    ).format(asn=asn)
    raise ProvisioningError({"remote_asn": [message]}, Reason.INVALID)

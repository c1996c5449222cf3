"""
Making sessions: from what an engineer knows of one (peer AS, addresses, our port) to every row that it needs.

One call makes the AS number when it is missing, the peer's IP address, the BGPPeer, its address family and
the PeeringSession, in one transaction; whatever is refused is refused before anything stays. Each row is made
with the permissions of the user that it is made for.
"""

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from ipam.models import ASN, RIR, IPAddress
from netbox_routing.models import BGPAddressFamily, BGPPeer, BGPPeerAddressFamily
from utilities.permissions import get_permission_for_model

from ...exceptions import ProvisioningError
from ...models import PeerASN, PeeringConnection, PeeringSession
from ...settings import get_setting
from ..permissions import is_unconstrained
from ..secrets import set_password
from .registries import registry_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.auth.models import AbstractBaseUser
    from django.db.models import QuerySet

    from extras.models import Tag
    from ipam.models import Prefix
    from netbox_routing.models import BFDProfile, BGPPeerTemplate, BGPScope

    from ...models import PeeringNetwork, Relationship

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address

AFI_SAFI = {4: "ipv4-unicast", 6: "ipv6-unicast"}


@dataclass(frozen=True, slots=True)
class NewSession:
    """
    A session to be made.

    `remote_ip` is the peer's address, without mask. Over a LAN, `connection` is our port on it: it gives the
    network, the BGP scope and our source address. Elsewhere (`connection` None) `scope` is needed and
    `source` may be given. An empty `name` becomes "AS64512 LINX LON1". `password` is plain text, empty for
    none, and in no repr.
    """

    relationship: "Relationship"
    remote_asn: int
    remote_ip: str
    connection: "PeeringConnection | None" = None
    scope: "BGPScope | None" = None
    source: IPAddress | None = None
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
    tags: "Sequence[Tag]" = ()


def usable_connections() -> "QuerySet[PeeringConnection]":
    """Return the connections, joined with all that create_sessions() reads of the one it is given."""
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


def create_sessions(
    wanted: "Sequence[NewSession]", user: "AbstractBaseUser | None" = None
) -> list[PeeringSession]:
    """
    Make the sessions, in their order, all or none, and return them.

    With a user, every row needs the user's `add` permission for it, constraints included; without one
    (nbshell, own scripts) none is checked. ProvisioningError says what is wrong with which field of which
    NewSession (`position`, from 0); nothing is kept.
    """
    made: list[PeeringSession] = []
    try:
        with transaction.atomic():
            for new in wanted:
                session = _create(new, user)
                made.append(session)
            return made
    except ProvisioningError as error:
        error.position = len(made)
        raise
    except IntegrityError as error:
        raise ProvisioningError(
            {
                None: [
                    _(
                        "Someone else made the same session just now. Nothing was kept; look at it and try "
                        "again."
                    )
                ]
            }
        ) from error


def get_or_create_asn(asn: int, user: "AbstractBaseUser | None" = None) -> ASN:
    """
    Return the ipam.ASN of this number; a missing one is made, its RIR from IANA's ranges, else the setting
    default_rir.

    ProvisioningError (field remote_asn) when no RIR can be told or the user may not add it.
    """
    if found := ASN.objects.filter(asn=asn).select_related("peer_asn").first():
        return found
    return _add(ASN(asn=asn, rir=_rir_for(asn, user)), user, field="remote_asn")


def _create(new: NewSession, user: "AbstractBaseUser | None") -> PeeringSession:
    remote_ip = _parse(new.remote_ip)
    scope = _scope_of(new)
    network = new.connection.peering_network if new.connection else None
    remote_as = get_or_create_asn(new.remote_asn, user)
    if not hasattr(remote_as, "peer_asn"):
        _add(PeerASN(asn=remote_as), user, field="remote_asn", is_new=True)
    peer = BGPPeer(
        scope=scope,
        peer=_peer_address(remote_ip, scope, network, user),
        source=_source(new, remote_ip),
        local_as=_local_as(new, scope),
        remote_as=remote_as,
        peer_group=new.peer_group,
        bfd=new.bfd,
        ttl=new.ttl,
        name=new.name or _default_name(new, network),
        description=new.description,
        status=new.status,
        enabled=new.enabled,
    )
    _refuse_known_peer(peer)
    _add(peer, user)
    _add_address_family(peer, remote_ip.version, user)
    session = PeeringSession(
        bgp_peer=peer,
        relationship=new.relationship,
        peering_network=network,
        service_reference=new.service_reference,
        is_route_server=new.is_route_server,
        ipv4_max_prefixes=new.ipv4_max_prefixes,
        ipv6_max_prefixes=new.ipv6_max_prefixes,
        description=new.description,
    )
    if new.password:
        set_password(session, new.password)
    _add(session, user)
    if new.tags:
        session.tags.set(new.tags)
    return session


def _parse(remote_ip: str) -> "Address":
    try:
        return ipaddress.ip_address(remote_ip)
    except ValueError as error:
        raise ProvisioningError(
            {
                "remote_ip": [
                    _("{value} is not an IP address; write it without a mask.").format(value=remote_ip)
                ]
            }
        ) from error


def _source(new: NewSession, remote_ip: "Address") -> IPAddress | None:
    source = new.source or (new.connection.address_of(remote_ip.version) if new.connection else None)
    if source is not None and source.family != remote_ip.version:
        raise ProvisioningError(
            {
                "source": [
                    _("{source} is not an IPv{family} address, as that of the peer is.").format(
                        source=source, family=remote_ip.version
                    )
                ]
            }
        )
    return source


def _scope_of(new: NewSession) -> "BGPScope":
    scope = new.scope or (new.connection.bgp_scope if new.connection else None)
    if scope is not None:
        return scope
    if new.connection is None:
        raise ProvisioningError(
            {"scope": [_("Without a connection, choose the BGP scope that the session is to live in.")]}
        )
    raise ProvisioningError(
        {
            "connection": [
                _(
                    "{connection} has no BGP scope. Create a BGP router and scope for {device} in "
                    "netbox-routing, then set the scope on the connection."
                ).format(connection=new.connection, device=new.connection.interface.device)
            ]
        }
    )


def _local_as(new: NewSession, scope: "BGPScope") -> ASN:
    peer_asn = new.local_as or getattr(scope.router.asn, "peer_asn", None)
    if peer_asn is None or not peer_asn.affiliated:
        raise ProvisioningError(
            {
                "local_as": [
                    _(
                        "{asn} is no affiliated peer ASN: create one for it, or mark it as affiliated, to "
                        "use it as the local AS."
                    ).format(asn=peer_asn or scope.router.asn)
                ]
            }
        )
    return peer_asn.asn


def _peer_address(
    remote_ip: "Address", scope: "BGPScope", network: "PeeringNetwork | None", user: "AbstractBaseUser | None"
) -> IPAddress:
    prefix = network.prefix_of(remote_ip.version) if network else None
    vrf = prefix.vrf if prefix else scope.vrf
    found = list(IPAddress.objects.filter(address__net_host=str(remote_ip), vrf=vrf)[:2])
    if len(found) > 1:
        raise ProvisioningError(
            {
                "remote_ip": [
                    _("NetBox has {ip} more than once in {vrf}: delete the duplicates first.").format(
                        ip=remote_ip, vrf=vrf or _("the global table")
                    )
                ]
            }
        )
    if not found:
        address = IPAddress(address=f"{remote_ip}/{_mask(remote_ip, prefix)}", vrf=vrf, status="active")
        if network and (reason := network.why_not_on_lan(address)):
            raise ProvisioningError({"remote_ip": [reason]})
        return _add(address, user, field="remote_ip")
    if found[0].assigned_object is not None:
        raise ProvisioningError(
            {
                "remote_ip": [
                    _("{ip} is assigned to {other} and cannot be the address of a peer.").format(
                        ip=found[0], other=_with_parent(found[0].assigned_object)
                    )
                ]
            }
        )
    return found[0]


def _mask(remote_ip: "Address", prefix: "Prefix | None") -> int:
    """Return the LAN's prefix length; the longest when there is no LAN or the address is link-local."""
    # A model instance that was not read back from the database may hold its prefix as text.
    lan = ipaddress.ip_network(str(prefix.prefix)) if prefix else None
    return lan.prefixlen if lan is not None and remote_ip in lan else remote_ip.max_prefixlen


def _with_parent(assigned: models.Model) -> str:
    parent = getattr(assigned, "parent_object", None)
    return f"{parent} {assigned}" if parent else str(assigned)


def _refuse_known_peer(peer: BGPPeer) -> None:
    known = BGPPeer.objects.filter(scope=peer.scope, peer=peer.peer).first()
    # One link-local address can be a neighbour on several links (RFC 4007 §4).
    if known is None or ipaddress.ip_interface(str(peer.peer.address)).ip.is_link_local:
        return
    has_session = hasattr(known, "peering_session")
    message = (
        _("{scope} has a session with {ip} already: {known}.")
        if has_session
        else _("{scope} has the BGP peer {known} at {ip} already: add a session that wraps it instead.")
    )
    raise ProvisioningError(
        {"remote_ip": [message.format(scope=peer.scope, ip=peer.peer, known=known.name or known)]}
    )


def _add_address_family(peer: BGPPeer, version: int, user: "AbstractBaseUser | None") -> None:
    name = AFI_SAFI[version]
    family = BGPAddressFamily.objects.filter(scope=peer.scope, address_family=name).first()
    if family is None:
        family = _add(BGPAddressFamily(scope=peer.scope, address_family=name), user, is_new=True)
    row = BGPPeerAddressFamily(assigned_object=peer, address_family=family, enabled=True)
    _validate(row)
    # Validation reads the peer anew, and the change record names it: both are spared what is known here.
    row.assigned_object, family.scope = peer, peer.scope
    _save(row, user)


def _default_name(new: NewSession, network: "PeeringNetwork | None") -> str:
    asn = f"AS{new.remote_asn}"
    return f"{asn} {network.fabric.name}"[:100] if network else asn


def _rir_for(asn: int, user: "AbstractBaseUser | None") -> RIR:
    registry = registry_of(asn)
    if registry and (found := RIR.objects.filter(slug__in=registry.slugs).order_by("pk").first()):
        return found
    if slug := get_setting("default_rir"):
        if found := RIR.objects.filter(slug=slug).first():
            return found
        raise ProvisioningError(
            {
                "remote_asn": [
                    _("The setting default_rir names the RIR {slug}, which does not exist.").format(slug=slug)
                ]
            }
        )
    if registry:
        return _add(RIR(name=registry.name, slug=registry.slugs[0]), user, field="remote_asn")
    raise ProvisioningError(
        {
            "remote_asn": [
                _(
                    "AS{asn} is not in NetBox and belongs to no RIR (it is reserved, private or "
                    "unallocated). Create it under IPAM > ASNs, or name a RIR for such numbers in the "
                    "setting default_rir."
                ).format(asn=asn)
            ]
        }
    )


def _add[M: models.Model](
    row: M, user: "AbstractBaseUser | None", field: str | None = None, *, is_new: bool = False
) -> M:
    """
    Validate and save a new row, and hold the user's object permissions against it.

    `is_new`: it was just looked for and not found. Should someone make it meanwhile, the database refuses it.
    """
    _validate(row, field, unique=not is_new)
    return _save(row, user, field)


def _validate(row: models.Model, field: str | None = None, *, unique: bool = True) -> None:
    # As full_clean(), but for one query per foreign key: what they lead to was just read or made here.
    related = {column.name for column in row._meta.fields if column.is_relation}
    try:
        row.clean_fields(exclude=related)
        row.clean()
        if unique:
            row.validate_unique()
            row.validate_constraints()
    except ValidationError as error:
        raise ProvisioningError(_by_field(error, field)) from error


def _save[M: models.Model](row: M, user: "AbstractBaseUser | None", field: str | None = None) -> M:
    row.save()
    if user is not None and not _may_add(row, user):
        raise ProvisioningError(
            {
                field: [
                    _("You may not add the {kind} {row}, which this session needs.").format(
                        kind=row._meta.verbose_name, row=row
                    )
                ]
            }
        )
    return row


def _may_add(row: models.Model, user: "AbstractBaseUser") -> bool:
    rows: Any = type(row)._default_manager
    unconstrained = is_unconstrained(user, get_permission_for_model(type(row), "add"))
    return unconstrained or rows.restrict(user, "add").filter(pk=row.pk).exists()


# What the rows call what NewSession calls otherwise.
_FIELD_OF = {
    "asn": "remote_asn",
    "peer": "remote_ip",
    "address": "remote_ip",
    "peering_network": "connection",
}
_OWN_FIELDS = frozenset(NewSession.__dataclass_fields__)


def _by_field(error: ValidationError, field: str | None) -> dict[str | None, list[str]]:
    errors: dict[str | None, list[str]] = {}
    for name, messages in error.message_dict.items():
        mapped = _FIELD_OF.get(name, name)
        known = mapped if name != NON_FIELD_ERRORS and mapped in _OWN_FIELDS else field
        errors.setdefault(known, []).extend(messages)
    return errors

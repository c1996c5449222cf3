"""
Sessions that are there already get another relationship type or peer group, or another of our ports.

All or nothing, with change records, for what the user may change. What is the same already is left alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import netaddr
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from ...choices import SessionConfigurationChoices
from ...exceptions import ProvisioningError
from ...models import PeeringConnection, PeeringSession, Relationship
from ..permissions import allowed_pks
from .ground import own_as_of

if TYPE_CHECKING:
    from ipam.models import ASN
    from netbox_routing.models import BGPPeer, BGPPeerAddressFamily, BGPPeerTemplate, BGPScope
    from users.models import User

__all__ = ("Arrangement", "is_on_router", "rearrange")


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What a session is to have. `peer_group` None: none. `connection` None: the port that it has."""

    relationship: Relationship
    peer_group: "BGPPeerTemplate | None"
    connection: PeeringConnection | None = None


def is_on_router(session: PeeringSession) -> bool:
    """Whether a router may have the session, so that its port stays. A query unless `configuration` is joined."""
    row = getattr(session, "configuration", None)
    return row is not None and row.status != SessionConfigurationChoices.NOT_CONFIGURED


def rearrange(wanted: Mapping[int, Arrangement], user: "User") -> int:
    """
    Give sessions (by id) what is wanted of them; return how many changed.

    ProvisioningError names the session and why: the user may not change it or its BGPPeer, or not to this; the values
    do not fit; or it is on a router already and would get another port. Nothing is changed then.
    """
    sessions = list(
        PeeringSession.objects.restrict(user, "view")
        .with_bgp()
        .with_connection()
        .select_related("configuration")
        .filter(pk__in=wanted)
    )
    # Found before anything is saved: afterwards nothing differs any more.
    types = [one for one in sessions if one.relationship_id != wanted[one.pk].relationship.pk]
    peers = [one for one in sessions if _changes_peer(one, wanted[one.pk])]
    differing = {one.pk for one in (*types, *peers)}
    _refuse_forbidden(types, peers, user)
    _refuse_moves(peers, wanted)
    with transaction.atomic():
        for session in sessions:
            if session.pk not in differing:
                continue
            try:
                _change(session, wanted[session.pk], user)
            except ValidationError as error:
                raise ProvisioningError({None: [f"{session}: {' '.join(error.messages)}"]}) from error
        # As NetBox's own forms do: a right may be limited to what a row is now, and not allow what it became.
        _refuse_forbidden(types, peers, user, after=True)
    return len(differing)


def _changes_peer(session: PeeringSession, wanted: Arrangement) -> bool:
    group = wanted.peer_group.pk if wanted.peer_group else None
    return session.bgp_peer.peer_group_id != group or _moves(session, wanted)


def _moves(session: PeeringSession, wanted: Arrangement) -> bool:
    return wanted.connection is not None and wanted.connection.pk != getattr(session, "connection_id", None)


def _refuse_forbidden(
    types: Sequence[PeeringSession], peers: Sequence[PeeringSession], user: "User", *, after: bool = False
) -> None:
    """Hold the rights against the rows as the database has them: before the change, then as they became."""
    may_types = allowed_pks(types, user, "change")
    may_peers = allowed_pks([one.bgp_peer for one in peers], user, "change")
    _refuse(
        (one for one in types if one.pk not in may_types),
        _("you may not give it this relationship type.")
        if after
        else _("you may not change its relationship type."),
    )
    _refuse(
        (one for one in peers if one.bgp_peer_id not in may_peers),
        _("you may not change its BGP peer to this.") if after else _("you may not change its BGP peer."),
    )


def _refuse_moves(sessions: Sequence[PeeringSession], wanted: Mapping[int, Arrangement]) -> None:
    _refuse(
        (one for one in sessions if _moves(one, wanted[one.pk]) and is_on_router(one)),
        _("it is on a router already, so its connection stays. Delete it there first."),
    )


def _refuse(sessions: Iterable[PeeringSession], why: str) -> None:
    if (first := next(iter(sessions), None)) is not None:
        raise ProvisioningError({None: [f"{first}: {why}"]}, "not-allowed")


def _change(session: PeeringSession, wanted: Arrangement, user: "User") -> None:
    if session.relationship_id != wanted.relationship.pk:
        session.snapshot()
        session.relationship = wanted.relationship
        session.full_clean()
        session.save()
    if not _changes_peer(session, wanted):
        return
    peer = session.bgp_peer
    peer.snapshot()
    peer.peer_group = wanted.peer_group
    if _moves(session, wanted) and wanted.connection is not None:
        _move(session, peer, wanted.connection, user)
    peer.full_clean()
    peer.save()
    session.full_clean()


def _move(session: PeeringSession, peer: "BGPPeer", connection: PeeringConnection, user: "User") -> None:
    """To another of our ports on the same LAN: its scope, its source address, its address families."""
    if connection.peering_network_id != session.peering_network_id or connection.bgp_scope is None:
        raise ValidationError(
            _("{connection} is no connection of its network with a BGP scope.").format(connection=connection)
        )
    family = netaddr.IPNetwork(str(peer.peer.address)).version
    source = connection.address_of(family)
    if source is None:
        raise ValidationError(
            _("{connection} has no IPv{family} address.").format(connection=connection, family=family)
        )
    former = PeeringConnection.objects.filter(pk=getattr(session, "connection_id", None)).first()
    if peer.local_as in (peer.scope.router.asn, _usual_local_as(former, peer.scope)):
        peer.local_as = _usual_local_as(connection, connection.bgp_scope)
    peer.scope, peer.source = connection.bgp_scope, source
    entries = list(peer.address_families.select_related("address_family"))
    _refuse_families(entries, user)
    for entry in entries:
        entry.snapshot()
        entry.address_family = _family_in(connection, entry.address_family.address_family, user)
        entry.save()
    _refuse_families(entries, user)


def _usual_local_as(connection: PeeringConnection | None, scope: "BGPScope") -> "ASN":
    """What sessions over this port have when no other is chosen, as when they are made (`rules`)."""
    own = own_as_of(connection) if connection is not None else None
    return own.asn if own is not None else scope.router.asn


def _refuse_families(entries: "Sequence[BGPPeerAddressFamily]", user: "User") -> None:
    """Before and after: a right may be limited to what they are on."""
    allowed = allowed_pks(entries, user, "change")
    if forbidden := [entry for entry in entries if entry.pk not in allowed]:
        raise ValidationError(
            _("you may not change the address family {name} of its BGP peer.").format(
                name=forbidden[0].address_family.address_family
            )
        )


def _family_in(connection: PeeringConnection, name: str, user: "User") -> Any:
    # Not imported at the top, which is loaded before a system check can tell that netbox-routing is missing.
    from netbox_routing.models import BGPAddressFamily

    found = BGPAddressFamily.objects.filter(scope=connection.bgp_scope, address_family=name).first()
    if found is not None:
        return found
    family = BGPAddressFamily(scope=connection.bgp_scope, address_family=name)
    family.full_clean()
    family.save()
    # Held against the row, so that limits of the right count; whoever refuses it takes it back.
    if not allowed_pks([family], user, "add"):
        raise ValidationError(
            _("you may not add the address family {name} to {scope}.").format(
                name=name, scope=connection.bgp_scope
            )
        )
    return family

"""
What would be made when many sessions are added: from ports in PeeringDB and one choice for all, to a plan to look at.

    ports → those that can be  → wishes: a port, a connection, a family → rows, by `rules` → plain values

Nothing is written. The number of queries is fixed, whatever the number of ports: what there is is read at once, and
the rules read nothing. The plan is made by the same rules and checks as the sessions will be (`create_bulk`); what it
cannot know is what happens until then, and constraints of the user's permissions, which need the row.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from ipam.models import ASN, RIR, IPAddress
from netbox_routing.models import BGPAddressFamily, BGPPeer, BGPPeerAddressFamily
from utilities.permissions import get_permission_for_model

from ...choices import SkipReasonChoices as Reason
from ...exceptions import ProvisioningError
from ...models import PeerASN, PeeringConnection, PeeringDBNetIXLan, PeeringSession
from ..permissions import allowed_pks
from ..suggestions import prefix_limit
from .candidates import missing
from .chosen import Chosen, load_chosen
from .ground import Ground, Place, host_of, load_ground
from .new import NewSession
from .planned import Choices, Password, Plan, PlannedObject, PlannedSession, RouteServers, Skipped
from .rules import KINDS, MODELS, Rows, build, place_of
from .validation import check, errors_by_field, kept_look_ups

if TYPE_CHECKING:
    from users.models import User

__all__ = ("forbidden_models", "in_words", "plan_sessions", "seen_objects")

type Key = tuple[int, int, int]
# By netixlan id and family: the AS number and address that somebody has looked at, None for no address.
type Seen = dict[tuple[int, int], tuple[int | None, str | None]]


@dataclass(frozen=True, slots=True)
class Wish:
    """A session that one would like: a port, our connection on its LAN, a family in which both have an address."""

    port: PeeringDBNetIXLan
    connection: PeeringConnection
    family: int
    new: NewSession
    suggested: int | None
    has_password: bool

    @property
    def key(self) -> Key:
        return (self.port.pk, self.connection.pk, self.family)

    def skipped(self, reason: str, text: str) -> Skipped:
        return _skip(self.port, reason, text, self.family, self.connection)


def plan_sessions(
    ports: Iterable[int],
    choices: Choices,
    user: "User | None" = None,
    *,
    reviewed: Iterable[Sequence[Any]] | None = None,
) -> Plan:
    """
    Return what would be made for these ports (ids of netixlans), for what the user may view and add.

    `user` None: without permissions (nbshell, own scripts). `reviewed` is what Plan.reviewed() gave when somebody
    looked at an earlier plan: a port that has another AS or address since is left out, and so is a session that was
    not in it.
    ProvisioningError when a choice is wrong, by the fields of Choices. At most 40 queries.
    """
    wanted = list(dict.fromkeys(ports))
    with kept_look_ups(*MODELS):
        found = _load_ports(wanted)
        chosen = load_chosen(choices, user, {port.ixlan_id for port in found.values()})
        skipped = [_gone(pk) for pk in wanted if pk not in found]
        usable = list(_usable(found.values(), choices, chosen, skipped))
        wishes = list(_wishes(usable, choices, chosen, skipped))
        sessions, objects = _decide(wishes, user, skipped, reviewed)
    return Plan(choices, tuple(sessions), tuple(objects), tuple(skipped))


def _load_ports(ports: Sequence[int]) -> dict[int, PeeringDBNetIXLan]:
    rows = PeeringDBNetIXLan.objects.filter(pk__in=ports, status="ok").select_related("net", "ixlan")
    # Stable: as a list of peers is looked through, by exchange and AS.
    return {port.pk: port for port in rows.order_by("ix_id", "ixlan_id", "asn", "pk")}


def _gone(pk: int) -> Skipped:
    return Skipped(pk, Reason.GONE, _("PeeringDB has no port with the ID {id} any more.").format(id=pk))


def _usable(
    ports: Iterable[PeeringDBNetIXLan], choices: Choices, chosen: Chosen, skipped: list[Skipped]
) -> Iterator[PeeringDBNetIXLan]:
    """The ports that can have sessions at all; why others cannot goes to `skipped`."""
    ours = set(PeerASN.objects.filter(affiliated=True).order_by().values_list("asn__asn", flat=True))
    for port in ports:
        asn = f"AS{port.asn}"
        if port.ixlan_id not in chosen.connections:
            # Not told who it is: the user may not view the LAN.
            text = _("None of the chosen connections is on the LAN of port {id}.").format(id=port.pk)
            skipped.append(Skipped(port.pk, Reason.NOT_ON_LAN, text))
        elif port.asn in ours:
            skipped.append(_skip(port, Reason.OURS, _("{asn} is ours.").format(asn=asn)))
        elif not (port.operational or choices.with_not_operational):
            text = _("PeeringDB says that this port of {asn} is not operational.").format(asn=asn)
            skipped.append(_skip(port, Reason.NOT_OPERATIONAL, text))
        elif is_route_server(port) and choices.route_servers is RouteServers.LEAVE_OUT:
            text = _("{asn} are the route servers of this LAN.").format(asn=asn)
            skipped.append(_skip(port, Reason.ROUTE_SERVER, text))
        else:
            yield port


def is_route_server(port: PeeringDBNetIXLan) -> bool:
    """Whether this port, joined with its ixlan, is one of the LAN's route servers: its AS is the LAN's `rs_asn`."""
    return port.ixlan is not None and port.ixlan.rs_asn is not None and port.ixlan.rs_asn == port.asn


def _wishes(
    ports: Iterable[PeeringDBNetIXLan], choices: Choices, chosen: Chosen, skipped: list[Skipped]
) -> Iterator[Wish]:
    for port in ports:
        for family in sorted(set(choices.families)):
            if _address_of(port, family) is None:
                text = _("AS{asn} has no IPv{family} address at this port.")
                text = text.format(asn=port.asn, family=family)
                skipped.append(_skip(port, Reason.NO_ADDRESS, text, family))
                continue
            for connection in chosen.connections[port.ixlan_id]:
                if connection.address_of(family) is None:
                    text = _("{connection} has no IPv{family} address.")
                    text = text.format(connection=connection, family=family)
                    skipped.append(_skip(port, Reason.NO_ADDRESS, text, family, connection))
                else:
                    yield _wish(port, connection, family, choices, chosen)


def _wish(
    port: PeeringDBNetIXLan, connection: PeeringConnection, family: int, choices: Choices, chosen: Chosen
) -> Wish:
    suggested = prefix_limit(port.net, family) if port.net is not None else None
    new = chosen.new_session(
        connection,
        asn=port.asn,
        address=_address_of(port, family) or "",
        family=family,
        limit=choices.limit(suggested),
        is_route_server=is_route_server(port),
    )
    return Wish(port, connection, family, new, suggested, choices.password is not Password.NONE)


def _decide(
    wishes: Sequence[Wish],
    user: "User | None",
    skipped: list[Skipped],
    reviewed: Iterable[Sequence[Any]] | None,
) -> tuple[list[PlannedSession], list[PlannedObject]]:
    """Hold the wishes against what there is."""
    lacking = _lacking(wishes)
    placed = list(_placed(wishes, lacking, skipped))
    ground = load_ground([place for _, place in placed], user)
    builder = _Builder(ground, forbidden_models(user, MODELS), _seen(reviewed))
    sessions = []
    for wish, place in placed:
        if wish.key not in lacking:
            known = ground.peers.get((place.scope_id, place.host))
            skipped.append(wish.skipped(Reason.EXISTS, _exists(wish, known)))
            continue
        try:
            sessions.append(builder.plan(wish, place))
        except ProvisioningError as error:
            skipped.append(wish.skipped(error.reason, str(error)))
    return sessions, seen_objects(user, builder.objects, KINDS)


def seen_objects(
    user: "User | None", objects: Sequence[PlannedObject], kinds: Mapping[type[models.Model], str]
) -> list[PlannedObject]:
    """
    Return those that are to be made, and of those that are there the ones that the user may view. `kinds` are theirs,
    by model. A query for each kind.
    """
    visible = {}
    for model, kind in kinds.items():
        there = [model(pk=item.pk) for item in objects if item.kind == kind and item.pk is not None]
        visible[kind] = allowed_pks(there, user)
    return [item for item in objects if item.pk is None or item.pk in visible[item.kind]]


def _lacking(wishes: Sequence[Wish]) -> set[Key]:
    if not wishes:
        return set()
    found = missing(
        {wish.port.pk for wish in wishes},
        {wish.connection.pk for wish in wishes},
        {wish.family for wish in wishes},
    )
    return {(row.netixlan_id, row.connection_id, row.family) for row in found}


def _placed(
    wishes: Iterable[Wish], lacking: set[Key], skipped: list[Skipped]
) -> Iterator[tuple[Wish, Place]]:
    for wish in wishes:
        try:
            place = place_of(wish.new)
        except ProvisioningError as error:
            # Without a scope there can be a session all the same: in another scope of the device.
            there = wish.key not in lacking
            reason, text = (Reason.EXISTS, _exists(wish, None)) if there else (error.reason, str(error))
            skipped.append(wish.skipped(reason, text))
        else:
            yield wish, place


def _exists(wish: Wish, known: BGPPeer | None) -> str:
    if known is not None and not hasattr(known, "peering_session"):
        text = _("There is a BGP peer at {ip} already, without a peering session: add one that wraps it.")
    else:
        text = _("There is a session with {ip} already.")
    return text.format(ip=wish.new.remote_ip)


def forbidden_models(user: "User | None", needed: Iterable[type[models.Model]]) -> set[type[models.Model]]:
    """
    Return those that the user has no right at all to make. Constraints are held against the rows, once they are made.
    """
    if user is None:
        return set()
    return {model for model in needed if not user.has_perm(get_permission_for_model(model, "add"))}


def _seen(reviewed: Iterable[Sequence[Any]] | None) -> Seen | None:
    if reviewed is None:
        return None
    seen: Seen = {}
    for pk, asn, ipv4, ipv6 in reviewed:
        seen[pk, 4], seen[pk, 6] = (asn, ipv4), (asn, ipv6)
    return seen


class _Builder:
    """Builds the rows of one session after the other, and tells in plain values what they are."""

    def __init__(self, ground: Ground, forbidden: set[type[models.Model]], seen: Seen | None):
        self.ground = ground
        self.forbidden = forbidden
        self.seen = seen
        self.objects: list[PlannedObject] = []
        self.told: set[int] = set()
        # By identity: rows that are not saved yet are all equal in nothing. Kept alive by `ground`.
        self.valid: set[int] = set()
        # How our end is called, which is the same for all peers: by connection and family.
        self.ends: dict[tuple[int, int], dict[str, str]] = {}

    def plan(self, wish: Wish, place: Place) -> PlannedSession:
        """Return the session as it would be made. ProvisioningError says why it would not."""
        rows = build(wish.new, place, self.ground)
        for row in rows.in_order():
            if row.pk is None:
                self._refuse(row, rows)
        self._refuse_unseen(wish)
        makes = tuple(self._tell(rows))
        return self._planned(wish, place, rows, makes)

    def _planned(self, wish: Wish, place: Place, rows: Rows, makes: tuple[str, ...]) -> PlannedSession:
        peer, session, connection = rows.bgp_peer, rows.session, wish.connection
        key = (connection.pk, wish.family)
        if key not in self.ends:
            self.ends[key] = {
                "source": str(host_of(peer.source)),
                "network": str(connection.peering_network),
                "connection": connection.port,
                "scope": str(peer.scope),
            }
        return PlannedSession(
            netixlan_id=wish.port.pk,
            connection_id=connection.pk,
            family=wish.family,
            asn=wish.port.asn,
            peer=_name_of(wish.port),
            address=str(place.host),
            local_asn=peer.local_as.asn,
            name=peer.name,
            relationship_id=session.relationship.pk,
            relationship=session.relationship.name,
            max_prefixes=session.ipv4_max_prefixes if wish.family == 4 else session.ipv6_max_prefixes,
            suggested_prefixes=wish.suggested,
            is_route_server=session.is_route_server,
            has_password=wish.has_password,
            makes=makes,
            **self.ends[key],
        )

    def _refuse(self, row: models.Model, rows: Rows) -> None:
        if type(row) in self.forbidden:
            text = _("You may not add {kind}, which this session needs.").format(
                kind=row._meta.verbose_name_plural
            )
            raise ProvisioningError({None: [text]}, Reason.NOT_ALLOWED)
        # An address family is checked with its BGP peer, which has no key yet.
        if id(row) in self.valid or isinstance(row, BGPPeerAddressFamily):
            return
        try:
            check(row, self.ground)
        except ValidationError as error:
            raise ProvisioningError(errors_by_field(error, row), Reason.INVALID) from error
        if not isinstance(row, BGPPeer | PeeringSession):
            self.valid.add(id(row))

    def _refuse_unseen(self, wish: Wish) -> None:
        """Refuse what is not as it was when somebody looked at it."""
        if self.seen is None:
            return
        asn, address = self.seen.get((wish.port.pk, wish.family), (None, None))
        if (asn, address) == (wish.new.remote_asn, wish.new.remote_ip):
            return
        if address is None:
            text = _(
                "This session could not be made when the sessions were looked through; look at them again."
            )
        else:
            text = _(
                "This port was AS{asn} at {ip} when the sessions were looked through; look at them again."
            )
        raise ProvisioningError({None: [text.format(asn=asn, ip=address)]}, Reason.CHANGED)

    def _tell(self, rows: Rows) -> Iterator[str]:
        """Add what the session needs beside its own rows to `objects`, once each; yield the kinds of those made."""
        for row in rows.needed():
            if id(row) in self.told:
                continue
            self.told.add(id(row))
            kind = KINDS[type(row)]
            name, details = in_words(row)
            self.objects.append(PlannedObject(kind, name, details, row.pk))
            if row.pk is None:
                yield kind


def in_words(row: models.Model) -> tuple[str, str]:
    """Return the name of what a session needs (one of rules.KINDS), and what it holds."""
    return _IN_WORDS[type(row)](row)


def _rir(rir: Any) -> tuple[str, str]:
    return rir.name, ""


def _asn(asn: Any) -> tuple[str, str]:
    # The RIR of one that is there was not read.
    return str(asn), "" if asn.pk else asn.rir.name


def _peer_asn(peer_asn: Any) -> tuple[str, str]:
    limits = [
        f"IPv{family}: {limit}" for family in (4, 6) if (limit := peer_asn.max_prefixes(family)) is not None
    ]
    return str(peer_asn), ", ".join([*filter(None, [peer_asn.irr_as_set]), *limits])


def _address(address: Any) -> tuple[str, str]:
    return str(address.address), str(address.vrf or _("the global table"))


def _family(family: Any) -> tuple[str, str]:
    return str(family.get_address_family_display()), str(family.scope)


_IN_WORDS: dict[type[models.Model], Callable[[Any], tuple[str, str]]] = {
    RIR: _rir,
    ASN: _asn,
    PeerASN: _peer_asn,
    IPAddress: _address,
    BGPAddressFamily: _family,
}


def _name_of(port: PeeringDBNetIXLan) -> str:
    return port.net.name if port.net is not None else ""


def _address_of(port: PeeringDBNetIXLan, family: int) -> str | None:
    return port.ipaddr4 if family == 4 else port.ipaddr6


def _skip(
    port: PeeringDBNetIXLan,
    reason: str,
    text: str,
    family: int | None = None,
    connection: PeeringConnection | None = None,
) -> Skipped:
    return Skipped(
        netixlan_id=port.pk,
        reason=reason,
        text=text,
        asn=port.asn,
        peer=_name_of(port),
        address=(_address_of(port, family) or "") if family else "",
        connection_id=connection.pk if connection else None,
        connection=connection.port if connection else "",
        family=family,
    )

"""
What an import would do: the neighbours of a router beside what NetBox has, to a plan to look at.

    found → standing → a decision for each neighbour: rows to be made, differences, or why not → plain values

Nothing is written. The number of queries is fixed, whatever the number of neighbours. The import itself decides by the
same code (`create`).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from netbox_routing.models import BFDProfile, BGPPeer, BGPPeerAddressFamily, BGPPeerTemplate, RouteMap

from ...choices import ImportReasonChoices as Reason
from ...exceptions import ProvisioningError, TakeoverRefused
from ...models import PeeringSession
from ..provisioning.plan import forbidden_models, in_words, seen_objects
from ..provisioning.planned import PlannedObject
from ..provisioning.rules import KINDS as SESSION_KINDS
from ..provisioning.validation import check, errors_by_field, kept_look_ups
from ..secrets import decrypt_all
from .compare import Side, compare
from .found import Found, FoundNeighbor
from .making import KINDS, MODELS, Making, SessionRows, Where
from .match import peer_of, refuse_ibgp, where_of
from .planned import Absent, Choices, Different, Group, LeftOut, Neighbor, New, Plan, Same
from .standing import POLICIES, Standing, add_ground, load_standing

if TYPE_CHECKING:
    from users.models import User

    from ...models import PeeringNetwork, PeeringRouter, Relationship

__all__ = ("Decided", "Decider", "Teller", "only", "plan_import")

# What is found by its name, whatever it holds.
BY_NAME = (BFDProfile, BGPPeerTemplate, RouteMap)


def plan_import(router: "PeeringRouter", found: Found, choices: Choices, user: "User | None" = None) -> Plan:
    """
    Return what importing the neighbours of `router` (its device joined) would do, for what the user may see and add.

    `user` None: without permissions (nbshell, own scripts). At most 30 queries. SecretError when a session's password
    cannot be read.
    """
    with kept_look_ups(*MODELS):
        standing = load_standing(router, found, choices, user)
        decider = Decider(standing, found, choices, user)
        decided = [decider.decide(neighbor) for neighbor in found.neighbors]
        teller = Teller(decider, forbidden_models(user, MODELS))
        tellings = [teller.tell(each) for each in decided]
        objects = seen_objects(user, teller.objects, KINDS)
    return Plan(
        choices=choices,
        new=tuple(each for each in tellings if isinstance(each, New)),
        same=tuple(each for each in tellings if isinstance(each, Same)),
        different=tuple(each for each in tellings if isinstance(each, Different)),
        left_out=tuple(each for each in tellings if isinstance(each, LeftOut)),
        absent=tuple(_absent(standing, decided, found)),
        objects=tuple(objects),
        groups=tuple(_groups(decided)),
        unread=found.unread,
    )


@dataclass(slots=True)
class Decided:
    """
    What becomes of a neighbour: `rows` of a session to be made, or a session that is there (`side`) with its
    `outcome`, or an outcome alone. `group`: under which choice of relationship it falls, "" for none.
    """

    neighbor: FoundNeighbor
    where: Where | None = None
    rows: SessionRows | None = None
    side: Side | None = None
    outcome: Same | Different | LeftOut | None = None
    peer: BGPPeer | None = None
    is_route_server: bool = False
    group: str = ""


@dataclass(frozen=True, slots=True)
class _Placed:
    where: Where | None
    peer: BGPPeer | None
    refused: LeftOut | None = None


class Decider:
    """Decides about one neighbour after the other, for one user, and keeps what is to be made on the way."""

    def __init__(self, standing: Standing, found: Found, choices: Choices, user: "User | None"):
        self.standing = standing
        self.found = found
        self.choices = choices
        self.user = user
        self.making = Making(standing, found, choices)
        self._add_ours()
        self.placed = {neighbor.key: self._place(neighbor) for neighbor in found.neighbors}
        places = [
            self.making.place(neighbor, placed.where)
            for neighbor in found.neighbors
            if (placed := self.placed[neighbor.key]).where is not None and placed.peer is None
        ]
        add_ground(standing, places, user, self._own_numbers())
        self.passwords = self._read_passwords()

    def decide(self, neighbor: FoundNeighbor) -> Decided:
        """Return what is to become of it. Never raises for what is about this neighbour alone."""
        placed = self.placed[neighbor.key]
        decided = Decided(neighbor, placed.where, peer=placed.peer, outcome=placed.refused)
        if placed.refused is not None or placed.where is None:
            return decided
        try:
            if placed.peer is not None and hasattr(placed.peer, "peering_session"):
                self._compare(decided, placed.peer.peering_session)
            else:
                self._build(decided)
        except TakeoverRefused as error:
            decided.outcome = LeftOut(self.known(neighbor), error.reason, str(error))
        except ProvisioningError as error:
            decided.outcome = LeftOut(self.known(neighbor), Reason.REFUSED, str(error))
        return decided

    @staticmethod
    def known(neighbor: FoundNeighbor) -> Neighbor:
        return Neighbor(
            neighbor.key, neighbor.vrf, neighbor.remote_ip, neighbor.remote_asn, neighbor.description
        )

    def _place(self, neighbor: FoundNeighbor) -> _Placed:
        try:
            refuse_ibgp(neighbor, self.found)
            peer = peer_of(neighbor, self.standing)
            scope = peer.scope if peer is not None else self.making.scope(neighbor.vrf)
            if peer is not None and hasattr(peer, "peering_session"):
                # Where it is does not matter: it is there.
                return _Placed(Where(scope, None, None, None), peer)
            return _Placed(where_of(neighbor, scope, self.found, self.standing), peer)
        except TakeoverRefused as error:
            return _Placed(None, None, LeftOut(self.known(neighbor), error.reason, str(error)))
        except ProvisioningError as error:
            return _Placed(None, None, LeftOut(self.known(neighbor), Reason.REFUSED, str(error)))

    def _compare(self, decided: Decided, session: PeeringSession) -> None:
        neighbor = decided.neighbor
        if session.pk in self.standing.unseen_sessions:
            raise TakeoverRefused(Reason.HIDDEN, _("NetBox has a session for it that you may not see."))
        decided.side = side = self.side(session)
        group = neighbor.peer_group
        policies = {
            family.afi: self.making.in_effect(family, neighbor.vrf, group) for family in neighbor.families
        }
        differences = tuple(
            replace(each, can_take=False)
            if each.name in POLICIES and self.making.lacking(each.router)
            else each
            for each in compare(neighbor, policies, side, self.found.told)
        )
        if differences:
            can_take = any(each.can_take for each in differences)
            taken = can_take and self.choices.takes(neighbor.key)
            decided.outcome = Different(self.known(neighbor), session.pk, differences, taken)
        else:
            decided.outcome = Same(self.known(neighbor), session.pk)

    def side(self, session: PeeringSession) -> Side:
        peer = session.bgp_peer
        group = peer.peer_group or self._inherited_group(session)
        return Side(
            session=session,
            families=self.standing.peer_families.get(peer.pk, {}),
            own=self.standing.peer_rows.get(peer.pk, ()),
            group=group,
            resolver=self.standing.families,
            route_maps=self.standing.route_map_names,
            password=self.passwords.get(session.pk, ""),
        )

    def _inherited_group(self, session: PeeringSession) -> BGPPeerTemplate | None:
        """The peer group of a session without one: its connection's, else its fabric's."""
        if session.peering_network_id is None:
            return None
        version = 6 if ":" in str(session.bgp_peer.peer.address) else 4
        connections = self.standing.connections.get(session.peering_network_id, [])
        own = [each for each in connections if session.bgp_peer.source_id in {a.pk for a in each.addresses}]
        chosen = own[0] if own else connections[0] if len(connections) == 1 else None
        group: BGPPeerTemplate | None = (
            getattr(chosen, f"ipv{version}_peer_group", None) if chosen is not None else None
        )
        return group or session.peering_network.fabric.peer_group

    def _read_passwords(self) -> dict[int, str]:
        """The passwords of the sessions that are compared, in clear."""
        sessions = [
            placed.peer.peering_session
            for placed in self.placed.values()
            if placed.peer is not None and hasattr(placed.peer, "peering_session")
        ]
        if "password" not in self.found.told:
            return {}
        plain = decrypt_all((session.encrypted_password, session) for session in sessions)
        return {
            session.pk: password or session.bgp_peer.password or _of_template(session)
            for session, password in zip(sessions, plain, strict=True)
        }

    def _build(self, decided: Decided) -> None:
        neighbor, where = decided.neighbor, decided.where
        assert where is not None
        decided.is_route_server = self.standing.is_route_server(where.network, neighbor.remote_asn)
        decided.group = "" if where.network else group_key(neighbor)
        relationship = self._relationship(decided, where.network)
        self._refuse_policies(decided, relationship)
        make = {"is_route_server": decided.is_route_server}
        if decided.peer is not None:
            decided.rows = self.making.wrapping(neighbor, decided.peer, where, relationship, **make)
        else:
            decided.rows = self.making.new_session(neighbor, where, relationship, **make)

    def _refuse_policies(self, decided: Decided, relationship: "Relationship") -> None:
        """
        Leave out what NetBox would render with another policy than it has: most templates reject all routes of a
        session without one (RFC 8212).
        """
        if self.choices.without_policies:
            return
        lacking = [*self._policies_of_peer(decided, relationship)] if decided.peer else []
        if lacking := lacking or [*self.making.policies_left(decided.neighbor).values()]:
            raise TakeoverRefused(
                Reason.NO_POLICY,
                _(
                    "{reasons}. Enter the route map with its entries, or choose to import without policies: what is "
                    "deployed then can reject all routes of the session."
                ).format(reasons="; ".join(dict.fromkeys(lacking))),
            )

    def _policies_of_peer(self, decided: Decided, relationship: "Relationship") -> Iterator[str]:
        """Which route maps a BGP peer that is there lacks: it is wrapped as it is."""
        neighbor, peer, where = decided.neighbor, decided.peer, decided.where
        assert peer is not None
        assert where is not None
        side = self.side(
            PeeringSession(bgp_peer=peer, relationship=relationship, peering_network=where.network)
        )
        for family in neighbor.families:
            said = self.making.in_effect(family, neighbor.vrf, neighbor.peer_group)
            for name, wanted in zip(POLICIES, (said.route_map_in, said.route_map_out), strict=True):
                if wanted and side.policy(family.afi, name) != wanted:
                    yield _("Its BGP peer in NetBox does not have {name}").format(name=wanted)

    def _relationship(self, decided: Decided, network: "PeeringNetwork | None") -> "Relationship":
        choices = self.choices
        if network is not None:
            chosen = (choices.route_servers if decided.is_route_server else None) or choices.lan
            text = _("Choose the relationship of sessions over a LAN.")
        else:
            chosen = choices.groups.get(decided.group) or choices.others
            text = _("It is on no LAN: choose the relationship of {group}.").format(
                group=group_label(decided.neighbor)
            )
        found = self.standing.relationships.get(chosen or 0)
        if found is None:
            raise TakeoverRefused(Reason.NO_RELATIONSHIP, text)
        return found

    def _own_numbers(self) -> set[int]:
        own = {self.found.local_asn, *(each.local_asn for each in self.found.neighbors)}
        return {number for number in own if number is not None}

    def _add_ours(self) -> None:
        """Our own AS numbers have to be known before a scope can be made."""
        if self.standing.bgp_router is None:
            add_ground(self.standing, (), self.user, self._own_numbers())


def _of_template(session: PeeringSession) -> str:
    return next((each.password for each in session.session_templates() if each.password), "")


def group_key(neighbor: FoundNeighbor) -> str:
    """Which neighbours beyond all LANs get one relationship: a peer group's, else an AS's."""
    return f"group:{neighbor.peer_group}" if neighbor.peer_group else f"asn:{neighbor.remote_asn}"


def group_label(neighbor: FoundNeighbor) -> str:
    if neighbor.peer_group:
        return _("peer group {name}").format(name=neighbor.peer_group)
    return f"AS{neighbor.remote_asn}"


def _groups(decided: Iterable[Decided]) -> Iterator[Group]:
    """The groups of neighbours whose relationship is to be chosen, largest first."""
    labels: dict[str, str] = {}
    counted: Counter[str] = Counter()
    for each in decided:
        if each.group:
            labels[each.group] = group_label(each.neighbor)
            counted[each.group] += 1
    return (Group(key, labels[key], count) for key, count in counted.most_common())


def _absent(standing: Standing, decided: Sequence[Decided], found: Found) -> Iterator[Absent]:
    """The sessions of this router that it does not have, as far as the user may see them."""
    there = {each.peer.pk for each in decided if each.peer is not None}
    hidden = {neighbor.remote_ip for neighbor in found.neighbors}
    for (_scope, host), peers in standing.peers.items():
        for peer in peers:
            session = getattr(peer, "peering_session", None)
            if session is None or peer.pk in there or session.pk in standing.unseen_sessions:
                continue
            # A link-local neighbour whose interface is not known may be this one.
            if host in hidden and _is_undecided(host, decided):
                continue
            yield Absent(session.pk, str(session))


def _is_undecided(host: str, decided: Sequence[Decided]) -> bool:
    return any(each.neighbor.remote_ip == host and each.where is None for each in decided)


class Teller:
    """Tells in plain values what was decided, each needed object once."""

    def __init__(self, decider: Decider, forbidden: set[type[models.Model]]):
        self.decider = decider
        self.forbidden = forbidden
        self.objects: list[PlannedObject] = []
        self.told: set[int] = set()
        # By identity: rows that are not saved yet are all equal in nothing. Kept alive by the decider.
        self.valid: set[int] = set()

    def tell(self, decided: Decided) -> New | Same | Different | LeftOut:
        if decided.outcome is not None:
            return decided.outcome
        assert decided.rows is not None
        if refused := self._why_not(decided, decided.rows):
            return refused
        return self._new(decided, decided.rows)

    def _why_not(self, decided: Decided, rows: SessionRows) -> LeftOut | None:
        known = self.decider.known(decided.neighbor)
        for row in rows.in_order():
            if row.pk is not None or id(row) in self.valid:
                continue
            if type(row) in self.forbidden:
                text = _("You may not add {kind}, which this session needs.")
                return LeftOut(known, Reason.NOT_ALLOWED, text.format(kind=row._meta.verbose_name_plural))
            # An address family is checked with what it belongs to, which may have no key yet.
            if not isinstance(row, BGPPeerAddressFamily):
                try:
                    check(row, self.decider.standing.ground)
                except ValidationError as error:
                    text = str(ProvisioningError(errors_by_field(error, row)))
                    return LeftOut(known, Reason.REFUSED, text)
            self.valid.add(id(row))
        return None

    def _new(self, decided: Decided, rows: SessionRows) -> New:
        neighbor, session = decided.neighbor, rows.session
        peer, network = session.bgp_peer, session.peering_network
        making = self.decider.making
        policies = [making.in_effect(each, neighbor.vrf, neighbor.peer_group) for each in neighbor.families]
        return New(
            neighbor=self.decider.known(neighbor),
            relationship=session.relationship.name,
            network=str(network) if network else "",
            local_ip=str(peer.source.address).partition("/")[0] if peer.source else "",
            local_asn=peer.local_as.asn if peer.local_as else neighbor.local_asn,
            peer_group=neighbor.peer_group,
            enabled=neighbor.enabled,
            is_route_server=session.is_route_server,
            wraps=decided.peer is not None,
            families=tuple(each.afi for each in neighbor.families),
            policies=tuple(
                dict.fromkeys(
                    name for each in policies for name in _arrows(each.route_map_in, each.route_map_out)
                )
            ),
            limits=tuple(
                f"IPv{version}: {limit}"
                for version in (4, 6)
                if (limit := neighbor.limit(version)) is not None
            ),
            ttl=neighbor.ttl,
            bfd=peer.bfd.name if peer.bfd else "",
            has_password=bool(neighbor.password),
            makes=tuple(self._tell_needed(rows)),
            notes=tuple(_notes(decided, making.policies_left(neighbor))),
        )

    def _tell_needed(self, rows: SessionRows) -> Iterator[str]:
        """Add what the session needs beside its own rows to `objects`, once each; yield the kinds of those made."""
        for row in rows.needed():
            if id(row) in self.told:
                continue
            self.told.add(id(row))
            kind = KINDS[type(row)]
            name, details = in_words(row) if type(row) in SESSION_KINDS else (str(row), self._details(row))
            self.objects.append(PlannedObject(kind, name, details, row.pk))
            if row.pk is None:
                yield kind

    @staticmethod
    def _details(row: models.Model) -> str:
        if row.pk is not None and isinstance(row, BY_NAME):
            return _("is in NetBox: what it holds is not compared with what the router has")
        return ""


def _arrows(inbound: str, outbound: str) -> Iterator[str]:
    if inbound:
        yield f"← {inbound}"
    if outbound:
        yield f"→ {outbound}"


def _notes(decided: Decided, policies_left: Iterable[str]) -> Iterator[str]:
    neighbor = decided.neighbor
    if names := ", ".join(policies_left):
        yield _("Policy left to you: {names}").format(names=names)
    if neighbor.not_taken:
        yield _("Not taken over: {settings}").format(settings=", ".join(neighbor.not_taken))
    if neighbor.has_password and not neighbor.password:
        yield _("Its password cannot be read: enter it afterwards.")
    if decided.rows is not None and neighbor.bfd and decided.rows.session.bgp_peer.bfd is None:
        yield _("BFD is on without a profile: choose one, or it is made without BFD.")


def only(found: Found, keys: Mapping[str, Any]) -> Found:
    """Return what was found, with these neighbours alone."""
    return replace(found, neighbors=tuple(each for each in found.neighbors if each.key in keys))

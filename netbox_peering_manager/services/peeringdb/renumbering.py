"""
Renumbering: a LAN whose prefix changed in PeeringDB, with the addresses, sessions and connections that move with it.

    the mirror and NetBox are read (a fixed number of queries) → moving.py decides where each address goes → it is
    shown → what was confirmed is written, all or nothing, when it still is what was shown

Addresses are changed in place, so that BGP peers, sessions, connections, interfaces and whatever else refers to them
follow by themselves. The old prefix stays, deprecated.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

import netaddr
from django.contrib.contenttypes.prefetch import GenericPrefetch
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from dcim.models import Interface
from ipam.choices import PrefixStatusChoices
from ipam.models import IPAddress, Prefix
from netbox_routing.models import BGPPeer
from virtualization.models import VMInterface

from ...exceptions import ExchangeError
from ...expressions import remote_asn_of
from ...models import (
    PeerASN,
    PeeringConnection,
    PeeringDBNetIXLan,
    PeeringFabric,
    PeeringNetwork,
    PeeringSession,
)
from ..permissions import allowed_pks
from .exchanges import vrf_of
from .lans import FAMILIES, Lan, Problem, Vrf
from .mirrored import load_exchanges
from .moving import Move, OldAddress, PortNow, plan_moves
from .writing import Writer, digest_of, one_at_a_time

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    type User = AbstractBaseUser | AnonymousUser | None

__all__ = ("Affected", "RenumberPlan", "Renumbering", "plan_renumbering", "renumber", "renumbered_lans")


@dataclass(frozen=True, slots=True)
class Affected:
    """A connection or session that moves along: its id and what to call it."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Renumbering:
    """
    One family of one LAN: from the prefix `old` to `new`, which is made when `new_id` is None. `moves` has each
    address, `hidden` how many addresses, connections and sessions the user may not see. `is_over`: PeeringDB has the
    old prefix no more; else it lists both.
    """

    network_id: int
    network: str
    ixlan_id: int
    family: int
    old_id: int
    old: str
    new: str
    new_id: int | None = None
    vrf: Vrf = field(default_factory=Vrf)
    is_over: bool = True
    moves: tuple[Move, ...] = ()
    connections: tuple[Affected, ...] = ()
    sessions: tuple[Affected, ...] = ()
    hidden: int = 0
    problems: tuple[Problem, ...] = ()

    @property
    def decided(self) -> list[Move]:
        return [move for move in self.moves if move.new]

    @property
    def undecided(self) -> list[Move]:
        return [move for move in self.moves if not move.new]

    @property
    def is_possible(self) -> bool:
        """Our own addresses have to be decided; those of others can stay behind."""
        return not self.problems and not any(move.is_ours for move in self.undecided)


@dataclass(frozen=True)
class RenumberPlan:
    """What the renumbering of a fabric would do. `early` are LANs of which PeeringDB lists both prefixes yet."""

    fabric_id: int
    steps: tuple[Renumbering, ...] = ()
    early: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        return digest_of(self)

    @property
    def is_possible(self) -> bool:
        return bool(self.steps) and all(step.is_possible for step in self.steps)

    @property
    def problems(self) -> list[Problem]:
        return [problem for step in self.steps for problem in step.problems]

    @property
    def undecided(self) -> list[Move]:
        return [move for step in self.steps for move in step.undecided]


def renumbered_lans(fabric: PeeringFabric, user: "User" = None) -> list[Renumbering]:
    """
    Return the families of the fabric's LANs whose prefix is not PeeringDB's, without what moves with them; with a user,
    of the networks that the user may view.
    """
    linked = PeeringNetwork.objects.filter(fabric=fabric, peeringdb_id__isnull=False)
    seen = linked if user is None else linked.restrict(user, "view")
    networks = list(seen.with_parents().order_by("name", "pk"))
    if not networks:
        return []
    exchanges = load_exchanges(ixlan_ids={network.peeringdb_id for network in networks})
    lans = {lan.ixlan_id: lan for exchange in exchanges.values() for lan in exchange.lans}
    return [
        step
        for network in networks
        if (lan := lans.get(network.peeringdb_id))
        for family in FAMILIES
        if (step := _step(network, lan, family))
    ]


def plan_renumbering(
    fabric: PeeringFabric,
    user: "User" = None,
    given: Mapping[int, str] | None = None,
    *,
    early: bool = False,
) -> RenumberPlan:
    """
    Plan the renumbering of the fabric's LANs that the user may view; no steps when PeeringDB has the prefixes that they
    have.

    `given` are new addresses, without mask, by the id of the IP address that is undecided without. With `early` also
    LANs of which PeeringDB lists the old prefix beside the one in which most ports are.
    """
    found = renumbered_lans(fabric, user)
    steps = [step for step in found if early or step.is_over]
    waiting = tuple(step.network for step in found if step not in steps)
    if not steps:
        return RenumberPlan(fabric.pk, early=waiting)
    ground = _Ground(steps, user)
    planned = [ground.plan(step, given or {}) for step in steps]
    return RenumberPlan(fabric.pk, tuple(_with_targets(planned, ground)), waiting)


def renumber(
    fabric: PeeringFabric,
    user: "User" = None,
    given: Mapping[int, str] | None = None,
    *,
    early: bool = False,
    digest: str | None = None,
) -> RenumberPlan:
    """
    Do what plan_renumbering() plans, all or nothing, and return that plan.

    With a user, it needs `change` for each address, the networks and the old prefixes, and `add` for new prefixes. With
    the `digest` of a plan it is refused when something has changed since. ExchangeError tells why.
    """
    with one_at_a_time():
        plan = plan_renumbering(fabric, user, given, early=early)
        _check(plan, digest)
        writer = Writer(user)
        _write_prefixes(plan.steps, writer)
        _write_addresses([move for step in plan.steps for move in step.decided], writer)
        return plan


def _check(plan: RenumberPlan, digest: str | None) -> None:
    messages = [problem.text for problem in plan.problems]
    if not plan.steps:
        messages.append(_("There is nothing to renumber: PeeringDB has the prefixes that the networks have."))
    elif digest is not None and digest != plan.digest:
        messages = [_("PeeringDB or NetBox has changed since this preview: look at what would be moved now.")]
    messages += [
        _("{address} is ours and undecided: {why}").format(address=move.old, why=move.why)
        for move in plan.undecided
        if move.is_ours
    ]
    if messages:
        raise ExchangeError({None: messages})


def _step(network: PeeringNetwork, lan: Lan, family: int) -> Renumbering | None:
    held, told = network.prefix_of(family), lan.prefixes[FAMILIES.index(family)]
    if held is None or told is None or str(held.prefix) == told:
        return None
    return Renumbering(
        network_id=network.pk,
        network=network.name,
        ixlan_id=lan.ixlan_id,
        family=family,
        old_id=held.pk,
        old=str(held.prefix),
        new=told,
        vrf=vrf_of(held.vrf),
        is_over=str(held.prefix) not in lan.left,
    )


#
# What NetBox has
#


class _Ground:
    """All that the steps move, read at once."""

    def __init__(self, steps: Sequence[Renumbering], user: "User"):
        self.user = user
        self.addresses = self._addresses(steps)
        self.ids = [row.pk for row in self.addresses]
        self.visible = allowed_pks(self.addresses, user)
        self.own_asns = frozenset(PeerASN.objects.filter(affiliated=True).values_list("asn__asn", flat=True))
        self.peers = self._peers()
        self.connections = self._connections()
        self.sessions = self._sessions()
        self.connection_at = {
            address_id: row
            for row in self.connections
            for address_id in (row.ipv4_address_id, row.ipv6_address_id)
        }
        self.sources = {peer["source"] for peer in self.peers}
        self.asns_at: dict[int, set[int]] = defaultdict(set)
        for peer in self.peers:
            self.asns_at[peer["peer"]] |= {peer["asn"]} if peer["asn"] else set()
        self.visible_connections = allowed_pks(self.connections, user)
        self.visible_sessions = allowed_pks(self.sessions, user)
        self.ports = self._ports(steps)
        self.prefixes = list(
            Prefix.objects.filter(prefix__in=[step.new for step in steps])
            .select_related("vrf")
            .order_by("pk")
        )
        self.usable_prefixes = allowed_pks(self.prefixes, user)
        self.taken = self._taken()
        self.first_with: dict[tuple[str, Vrf], Renumbering] = {}

    @staticmethod
    def _addresses(steps: Sequence[Renumbering]) -> list[IPAddress]:
        lies_in = (Q(address__net_host_contained=step.old, vrf_id=step.vrf.id) for step in steps)
        return list(
            IPAddress.objects.filter(reduce(or_, lies_in))
            .prefetch_related(_assigned_objects())
            .order_by("address", "pk")
        )

    def _peers(self) -> list[dict[str, Any]]:
        peers = BGPPeer.objects.filter(Q(peer__in=self.ids) | Q(source__in=self.ids)).order_by()
        return list(peers.annotate(asn=remote_asn_of()).values("pk", "peer", "source", "asn"))

    def _connections(self) -> list[PeeringConnection]:
        held = Q(ipv4_address__in=self.ids) | Q(ipv6_address__in=self.ids)
        return list(PeeringConnection.objects.filter(held).with_parents())

    def _sessions(self) -> list[PeeringSession]:
        peers = [peer["pk"] for peer in self.peers]
        # What naming a session takes.
        sessions = PeeringSession.objects.filter(bgp_peer__in=peers)
        sessions = sessions.select_related("bgp_peer__peer", "bgp_peer__remote_as")
        return list(sessions.order_by("bgp_peer__peer__address", "pk"))

    @staticmethod
    def _ports(steps: Sequence[Renumbering]) -> dict[tuple[int, int], list[PortNow]]:
        """The ports of each LAN, by ixlan id and family."""
        found: dict[tuple[int, int], list[PortNow]] = defaultdict(list)
        rows = PeeringDBNetIXLan.objects.filter(ixlan_id__in={step.ixlan_id for step in steps}).order_by("pk")
        for pk, ixlan_id, asn, *addresses in rows.values_list("pk", "ixlan_id", "asn", "ipaddr4", "ipaddr6"):
            for family, address in zip(FAMILIES, addresses, strict=True):
                if address:
                    found[ixlan_id, family].append(PortNow(pk, asn, address))
        return found

    def _taken(self) -> dict[int, str]:
        """By id of a new prefix that is there: the network that has it."""
        ids = [prefix.pk for prefix in self.prefixes]
        rows = list(
            PeeringNetwork.objects.filter(Q(ipv4_prefix__in=ids) | Q(ipv6_prefix__in=ids)).select_related(
                "fabric"
            )
        )
        visible = allowed_pks(rows, self.user)
        return {
            prefix_id: str(row) if row.pk in visible else _("a network that you may not see")
            for row in rows
            for prefix_id in (row.ipv4_prefix_id, row.ipv6_prefix_id)
            if prefix_id
        }

    def plan(self, step: Renumbering, given: Mapping[int, str]) -> Renumbering:
        """Fill in everything but whether the new addresses are free."""
        inside = netaddr.IPNetwork(step.old)
        rows = [row for row in self.addresses if row.address.ip in inside and row.vrf_id == step.vrf.id]
        shown = [row for row in rows if row.pk in self.visible]
        ids = {row.pk for row in rows}
        connections = [row for row in self.connections if ids & {row.ipv4_address_id, row.ipv6_address_id}]
        peers = {peer["pk"] for peer in self.peers if ids & {peer["peer"], peer["source"]}}
        sessions = [row for row in self.sessions if row.bgp_peer_id in peers]
        ports = self.ports[step.ixlan_id, step.family]
        new_id, problems = self._new_prefix(step)
        if hidden := len(rows) - len(shown):
            text = _("{count} of the addresses in {prefix} you may not see, so that you cannot move them.")
            problems.append(Problem(text.format(count=hidden, prefix=step.old)))
        shown_connections = [row for row in connections if row.pk in self.visible_connections]
        shown_sessions = [row for row in sessions if row.pk in self.visible_sessions]
        return replace(
            step,
            new_id=new_id,
            moves=plan_moves(step.old, step.new, [self._old_address(row) for row in shown], ports, given),
            connections=tuple(Affected(row.pk, row.port) for row in shown_connections),
            sessions=tuple(Affected(row.pk, str(row)) for row in shown_sessions),
            hidden=hidden + len(connections) - len(shown_connections) + len(sessions) - len(shown_sessions),
            problems=tuple(problems),
        )

    def _old_address(self, row: IPAddress) -> OldAddress:
        connection = self.connection_at.get(row.pk)
        is_ours = connection is not None or row.pk in self.sources
        return OldAddress(
            id=row.pk,
            text=str(row.address),
            asns=self.own_asns if is_ours else frozenset(self.asns_at.get(row.pk, ())),
            is_ours=is_ours,
            netixlan_id=connection.peeringdb_id if connection else None,
            place=_place(row.assigned_object),
        )

    def _new_prefix(self, step: Renumbering) -> tuple[int | None, list[Problem]]:
        """The id of the new prefix when NetBox has it, and what speaks against using it."""
        first = self.first_with.setdefault((step.new, step.vrf), step)
        if first is not step:
            text = _("PeeringDB has {prefix} twice: {network} would become it as well.")
            return None, [Problem(text.format(prefix=step.new, network=first.network))]
        found = [row for row in self.prefixes if str(row.prefix) == step.new and row.vrf_id == step.vrf.id]
        if not found:
            return None, []
        if len(found) > 1:
            text = _("NetBox has {prefix} more than once in {vrf}: delete the duplicates first.")
        elif found[0].pk in self.taken:
            text = _("{prefix} is the prefix of {network} already.")
        elif found[0].pk not in self.usable_prefixes:
            text = _("{prefix} is in {vrf} already, and you may not use it.")
        else:
            return found[0].pk, []
        taken = self.taken.get(found[0].pk)
        return found[0].pk, [Problem(text.format(prefix=step.new, vrf=step.vrf, network=taken))]


def _assigned_objects() -> Any:
    """What addresses are assigned to, with what naming it takes."""
    return GenericPrefetch(
        "assigned_object",
        [
            Interface.objects.select_related("device__virtual_chassis", "device__device_type__manufacturer"),
            VMInterface.objects.select_related("virtual_machine"),
        ],
    )


def _place(assigned: Any) -> str:
    """What an address is assigned to, with its device."""
    if assigned is None:
        return ""
    parent = getattr(assigned, "parent_object", None)
    return f"{parent} {assigned}" if parent else str(assigned)


def _with_targets(steps: Sequence[Renumbering], ground: _Ground) -> Iterable[Renumbering]:
    """Say which new addresses are in NetBox already: two IP addresses cannot become one."""
    hosts = sorted({_host(move.new) for step in steps for move in step.decided if move.new})
    there: dict[tuple[str, int | None], IPAddress] = {}
    if hosts:
        rows = IPAddress.objects.filter(address__net_in=hosts).exclude(pk__in=ground.ids)
        used = Exists(BGPPeer.objects.filter(Q(peer=OuterRef("pk")) | Q(source=OuterRef("pk"))))
        rows = rows.annotate(is_used=used).prefetch_related(_assigned_objects())
        there = {(str(row.address.ip), row.vrf_id): row for row in rows}
    visible = allowed_pks(list(there.values()), ground.user)
    for step in steps:
        clashes = [
            Problem(_why_taken(move, row, row.pk in visible))
            for move in step.decided
            if move.new and (row := there.get((_host(move.new), step.vrf.id)))
        ]
        yield replace(step, problems=(*step.problems, *clashes))


def _why_taken(move: Move, row: IPAddress, is_visible: bool) -> str:
    if not is_visible:
        text = _("{old} would become {new}, which is in NetBox already.")
    elif row.assigned_object_id:
        text = _(
            "{old} would become {new}, which is in NetBox already, on {place}: delete one of the two first."
        )
    elif row.is_used:
        text = _(
            "{old} would become {new}, which is in NetBox already and used by a BGP peer: delete that first."
        )
    else:
        text = _("{old} would become {new}, which is in NetBox already and used by nothing: delete it first.")
    return text.format(old=move.old, new=move.new, place=_place(row.assigned_object))


def _host(text: str | None) -> str:
    return (text or "").partition("/")[0]


#
# Writing
#


def _write_prefixes(steps: Sequence[Renumbering], writer: Writer) -> None:
    """Make or take the new prefixes, give them to the networks, deprecate the old ones."""
    prefixes = Prefix.objects.select_related("vrf", "tenant", "role", "vlan").in_bulk(
        [pk for step in steps for pk in (step.old_id, step.new_id) if pk]
    )
    networks = PeeringNetwork.objects.with_parents().in_bulk({step.network_id for step in steps})
    new = {id(step): prefixes[step.new_id] for step in steps if step.new_id}
    missing = [step for step in steps if step.new_id is None]
    made = writer.make([_successor(prefixes[step.old_id], step.new) for step in missing])
    new |= {id(step): prefix for step, prefix in zip(missing, made, strict=True)}
    writer.take(list(networks.values()))
    for step in steps:
        setattr(networks[step.network_id], f"ipv{step.family}_prefix", new[id(step)])
    writer.change(list(networks.values()), ["ipv4_prefix", "ipv6_prefix"])
    if PrefixStatusChoices.STATUS_DEPRECATED in PrefixStatusChoices.values():
        _deprecate([prefixes[step.old_id] for step in steps], writer)


def _deprecate(prefixes: Sequence[Prefix], writer: Writer) -> None:
    writer.take(prefixes)
    for prefix in prefixes:
        prefix.status = PrefixStatusChoices.STATUS_DEPRECATED
    writer.change(prefixes, ["status"])


def _successor(old: Prefix, text: str) -> Prefix:
    """The prefix that takes the place of `old`, like it in everything that is said of it."""
    kept = (
        "vrf",
        "tenant",
        "role",
        "vlan",
        "scope_type",
        "scope_id",
        "description",
        "is_pool",
        "mark_utilized",
    )
    row = Prefix(prefix=netaddr.IPNetwork(text), **{name: getattr(old, name) for name in kept})
    row.cache_related_objects()
    return row


def _write_addresses(moves: Collection[Move], writer: Writer) -> None:
    # Change records name what an address is assigned to.
    rows = IPAddress.objects.select_related("vrf").prefetch_related("assigned_object")
    rows = rows.in_bulk([move.address_id for move in moves])
    writer.take(list(rows.values()))
    for move in moves:
        rows[move.address_id].address = netaddr.IPNetwork(move.new)
    writer.change(list(rows.values()), ["address"])

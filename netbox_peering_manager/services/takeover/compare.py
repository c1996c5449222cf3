"""
A session of NetBox's beside the router's neighbour: which fields differ, and what takes the router's over.

Compared is what is in effect, inherited values included, because that is what is rendered. What the platform does not
tell is not compared. Nothing is read or saved here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from ...lineage import lineage
from ..provisioning.ground import host_of
from ..rendering.effective import limit_of
from ..rendering.families import EffectiveFamily, FamilyResolver, Member
from ..rendering.rows import FamilyRow
from ..secrets import MASK
from .found import FoundFamily, FoundNeighbor
from .making import LONGEST_DESCRIPTION
from .planned import Difference
from .standing import POLICIES

if TYPE_CHECKING:
    from ipam.models import ASN, IPAddress
    from netbox_routing.models import BFDProfile, BGPPeer, BGPPeerAddressFamily, BGPPeerTemplate

    from ...models import PeeringSession

__all__ = ("Side", "compare")

FAMILIES = (4, 6)


@dataclass(slots=True)
class Side:
    """
    NetBox's side of a session: the session with its BGP peer, its peer group, and its password in clear.

    `families` are its own address families by AFI/SAFI, those that a change is written to; `own` are the same as the
    values that `resolver` works out what counts from, by the rules of rendering. `route_maps` are names by id.
    """

    session: "PeeringSession"
    families: Mapping[str, "BGPPeerAddressFamily"]
    own: Sequence[FamilyRow]
    group: "BGPPeerTemplate | None"
    resolver: FamilyResolver
    route_maps: Mapping[int, str]
    password: str

    @property
    def peer(self) -> "BGPPeer":
        return self.session.bgp_peer

    def inherited(self, name: str) -> Any:
        """The BGP peer's own value, else that of the nearest session template that has one."""
        for holder in (self.peer, *lineage(self.peer.peer_session, lambda template: template.parent)):
            if (value := getattr(holder, name)) is not None:
                return value
        return None

    @property
    def enabled(self) -> bool:
        value = self.inherited("enabled")
        if value is None and self.group is not None:
            value = self.group.enabled
        return True if value is None else bool(value)

    @property
    def remote_as(self) -> "ASN | None":
        return self.inherited("remote_as") or (self.group.remote_as if self.group else None)

    @property
    def local_as(self) -> "ASN | None":
        return self.inherited("local_as") or (self.peer.scope.router.asn if self.peer.scope else None)

    def limit(self, version: int) -> int | None:
        own: int | None = getattr(self.session, f"ipv{version}_max_prefixes")
        peer_asn = getattr(self.remote_as, "peer_asn", None)
        return limit_of(own, peer_asn.max_prefixes(version) if peer_asn else None)[0]

    def policy(self, afi: str, name: str) -> str:
        """The name of the route map in effect, "" for none: what a family that the session lacks would have, too."""
        own = next((row for row in self.own if row.afi == afi), None)
        found = getattr(self.resolver.family(afi, self._member, own), POLICIES[name])
        return self.route_maps.get(found[0], "") if found else ""

    def active(self) -> set[str]:
        """The families that are switched on; of a session without address families that of its remote address."""
        return {family.afi for family in self.in_effect() if family.enabled}

    def in_effect(self) -> tuple[EffectiveFamily, ...]:
        return self.resolver.of_session(self.own, self._member)

    @property
    def _member(self) -> Member:
        relationship = self.session.relationship
        return Member(
            version=host_of(self.peer.peer).version,
            group_id=self.group.pk if self.group else None,
            scope_id=self.peer.scope_id,
            default_route_map_in=relationship.routemap_in_id,
            default_route_map_out=relationship.routemap_out_id,
        )


def compare(
    neighbor: FoundNeighbor, policies: Mapping[str, FoundFamily], side: Side, told: tuple[str, ...]
) -> tuple[Difference, ...]:
    """
    Return the fields that differ. `policies` are the neighbour's families with the route maps of its group in effect;
    `told` is what the platform tells at all.
    """
    return tuple(
        difference
        for topic, differences in _COMPARED
        if topic is None or topic in told
        for difference in differences(neighbor, policies, side)
    )


type Differences = Iterator[Difference]


def _asns(neighbor: FoundNeighbor, _policies: Any, side: Side) -> Differences:
    for name, theirs, ours in (
        ("remote_asn", neighbor.remote_asn, side.remote_as),
        ("local_asn", neighbor.local_asn, side.local_as),
    ):
        if theirs is not None and (ours is None or ours.asn != theirs):
            yield Difference(name, str(ours or ""), f"AS{theirs}", can_take=False)


def _source(neighbor: FoundNeighbor, _policies: Any, side: Side) -> Differences:
    source: IPAddress | None = side.peer.source
    ours = str(host_of(source)) if source is not None else ""
    if neighbor.is_local_configured and neighbor.local_ip and ours != neighbor.local_ip:
        yield Difference("local_ip", ours, neighbor.local_ip, can_take=False)


def _description(neighbor: FoundNeighbor, _policies: Any, side: Side) -> Differences:
    ours = side.session.description or side.peer.description
    # What NetBox has room for is all that could be taken.
    theirs = neighbor.description[:LONGEST_DESCRIPTION]
    # A session without a description is rendered with its name.
    known = {ours, side.peer.name or ""} if theirs else {ours}
    if theirs not in known:
        yield Difference("description", ours, neighbor.description)


def _enabled(neighbor: FoundNeighbor, _policies: Any, side: Side) -> Differences:
    if neighbor.enabled != side.enabled:
        yield Difference("enabled", _on(side.enabled), _on(neighbor.enabled))


def _on(value: bool) -> str:
    return _("enabled") if value else _("disabled")


def _peer_group(neighbor: FoundNeighbor, _policies: Any, side: Side) -> Differences:
    ours = side.group.name if side.group else ""
    if ours != neighbor.peer_group:
        yield Difference(
            "peer_group",
            ours,
            neighbor.peer_group,
            can_take=bool(neighbor.peer_group or side.peer.peer_group),
        )


def _ttl(neighbor: FoundNeighbor, _policies: Any, side: Side) -> Differences:
    ours = side.inherited("ttl") or None
    # 1 is what a session without a TTL has (RFC 4271 asks for neighbours on the link).
    if (ours or 1) != (neighbor.ttl or 1):
        yield Difference("ttl", str(ours or ""), str(neighbor.ttl or ""))


def _bfd(neighbor: FoundNeighbor, _policies: Any, side: Side) -> Differences:
    profile: BFDProfile | None = side.inherited("bfd")
    ours = profile.name if profile else ""
    if neighbor.bfd and not neighbor.bfd_profile:
        if not ours:
            yield Difference("bfd", "", _("on, without a profile"), can_take=False)
    elif ours != neighbor.bfd_profile:
        own = side.peer.bfd is not None
        yield Difference("bfd", ours, neighbor.bfd_profile, can_take=bool(neighbor.bfd_profile) or own)


def _password(neighbor: FoundNeighbor, _policies: Any, side: Side) -> Differences:
    if neighbor.has_password and not neighbor.password:
        if not side.password:
            yield Difference("password", "", _("one that cannot be read"), can_take=False)
    elif neighbor.password != side.password:
        ours, theirs = (MASK if each else "" for each in (side.password, neighbor.password))
        own = bool(side.session.encrypted_password or side.peer.password)
        yield Difference("password", ours, theirs, can_take=bool(neighbor.password) or own)


def _limits(neighbor: FoundNeighbor, _policies: Any, side: Side) -> Differences:
    for version in FAMILIES:
        # Of a family that the session does not carry nothing is rendered.
        if neighbor.family(f"ipv{version}-unicast") is None:
            continue
        ours, theirs = side.limit(version), neighbor.limit(version)
        if ours != theirs:
            own = getattr(side.session, f"ipv{version}_max_prefixes")
            name = f"ipv{version}_max_prefixes"
            # What its peer ASN has can be overridden, not taken away.
            yield Difference(
                name,
                str("" if ours is None else ours),
                str("" if theirs is None else theirs),
                can_take=theirs is not None or own is not None,
            )


def _families(neighbor: FoundNeighbor, _policies: Any, side: Side) -> Differences:
    ours, theirs = side.active(), {family.afi for family in neighbor.families}
    for afi in sorted(theirs - ours):
        yield Difference("family", "", afi, afi=afi)
    for afi in sorted(ours - theirs):
        yield Difference("family", afi, "", afi=afi)


def _policies(neighbor: FoundNeighbor, policies: Mapping[str, FoundFamily], side: Side) -> Differences:
    for family in neighbor.families:
        said = policies[family.afi]
        for name, theirs in (("routemap_in", said.route_map_in), ("routemap_out", said.route_map_out)):
            ours = side.policy(family.afi, name)
            if ours != theirs:
                # One that is inherited can be overridden, not taken away.
                own = side.families.get(family.afi)
                can_take = bool(theirs) or (own is not None and getattr(own, f"{name}_id") is not None)
                yield Difference(name, ours, theirs, can_take=can_take, afi=family.afi)


_COMPARED: tuple[tuple[str | None, Callable[[FoundNeighbor, Any, Side], Differences]], ...] = (
    (None, _asns),
    (None, _source),
    (None, _description),
    (None, _enabled),
    (None, _peer_group),
    ("ttl", _ttl),
    ("bfd", _bfd),
    ("password", _password),
    ("limits", _limits),
    ("families", _families),
    ("policies", _policies),
)

"""
The rows of an imported session: its own by the rules of `provisioning`, and what it refers to by name.

Nothing is read or written: what there is comes with `standing`, and what is to be made is returned as rows that are not
saved yet, and kept in `standing` so that the next session uses them. So the preview and the import follow the same
rules.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import gettext as _

from ipam.models import ASN, RIR, IPAddress
from netbox_routing.choices.bgp import BGPAddressFamilyChoices
from netbox_routing.models import (
    BFDProfile,
    BGPAddressFamily,
    BGPPeer,
    BGPPeerAddressFamily,
    BGPPeerTemplate,
    BGPRouter,
    BGPScope,
    RouteMap,
    RouteMapEntry,
)

from ...choices import ImportReasonChoices as Reason
from ...exceptions import TakeoverRefused
from ...models import PeerASN, PeeringSession
from ..provisioning.ground import Place, has_peer_asn
from ..provisioning.new import NewSession
from ..provisioning.rules import KINDS as SESSION_KINDS
from ..provisioning.rules import build, find_or_build_asn
from ..secrets import set_password
from .found import Found, FoundFamily, FoundNeighbor
from .planned import Choices
from .standing import POLICIES, Standing

if TYPE_CHECKING:
    from ipam.models import VRF

    from ...models import PeeringConnection, PeeringNetwork, Relationship

__all__ = ("KINDS", "MODELS", "Making", "SessionRows", "Where")

# Whatever an imported session can take, each behind those that it refers to.
MODELS: tuple[type[models.Model], ...] = (
    RIR,
    ASN,
    PeerASN,
    BGPRouter,
    BGPScope,
    IPAddress,
    RouteMap,
    RouteMapEntry,
    BFDProfile,
    BGPPeerTemplate,
    BGPAddressFamily,
    BGPPeer,
    BGPPeerAddressFamily,
    PeeringSession,
)
# Of these, those that are not the session's own, by their kind (PlannedObject).
KINDS: dict[type[models.Model], str] = {
    **SESSION_KINDS,
    BGPRouter: "bgp_router",
    BGPScope: "scope",
    RouteMap: "route_map",
    BFDProfile: "bfd",
    BGPPeerTemplate: "peer_group",
}
# The width of netbox-routing's columns.
LONGEST_NAME = 100
LONGEST_DESCRIPTION = 200


@dataclass(slots=True, eq=False)
class SessionRows:
    """A session as rows, those that it refers to first; `owners` are what address families belong to, by their id()."""

    rows: list[models.Model]
    session: PeeringSession
    owners: dict[int, models.Model] = field(default_factory=dict)

    def in_order(self) -> Iterator[models.Model]:
        yield from self.rows

    def owner_of(self, row: models.Model) -> models.Model | None:
        return self.owners.get(id(row))

    def needed(self) -> Iterator[models.Model]:
        """What is not the session's own: others can need it too."""
        return (row for row in self.rows if type(row) in KINDS)


@dataclass(frozen=True, slots=True)
class Where:
    """Where a session is to be: its scope, the LAN that it runs over if any, and our end there."""

    scope: BGPScope
    network: "PeeringNetwork | None"
    connection: "PeeringConnection | None"
    source: IPAddress | None

    @property
    def vrf_id(self) -> int | None:
        return self.scope.vrf.pk if self.scope.vrf else None


class Making:
    """Finds what neighbours refer to by name, and builds what is missing. TakeoverRefused says what cannot be."""

    def __init__(self, standing: Standing, found: Found, choices: Choices):
        self.standing = standing
        self.found = found
        self.choices = choices
        self.found_groups = {(group.vrf, group.name): group for group in found.groups}
        self.found_maps = {each.name: each for each in found.route_maps}
        self.found_bfd = {each.name: each for each in found.bfd_profiles}
        # Rows that have to be made for a row, beside what it refers to: by id().
        self.with_row: dict[int, list[models.Model]] = {}
        self.owners: dict[int, models.Model] = {}

    # Where

    def scope(self, vrf: str) -> BGPScope:
        """The BGP scope of a VRF ("" for the global table)."""
        if (known := self.standing.scopes.get(vrf)) is not None:
            return known
        self._may_make(BGPScope, vrf or _("the global table"))
        scope = BGPScope(router=self._bgp_router(), vrf=self._vrf(vrf) if vrf else None)
        self.standing.scopes[vrf] = scope
        return scope

    def scope_key(self, scope: BGPScope) -> int:
        """The scope's id; for one that is to be made a number that no scope has."""
        # By identity: rows that are not saved yet are all equal in nothing.
        positions = (n for n, each in enumerate(self.standing.scopes.values(), 1) if each is scope)
        return int(scope.pk) if scope.pk is not None else -next(positions)

    def _bgp_router(self) -> BGPRouter:
        if self.standing.bgp_router is None:
            device = self.standing.router.device
            self._may_make(BGPRouter, device)
            asn = self.our_asn(self.found.local_asn)
            self.standing.bgp_router = BGPRouter(
                name=str(device)[:LONGEST_NAME], assigned_object=device, asn=asn.asn
            )
        return self.standing.bgp_router

    def _vrf(self, name: str) -> "VRF":
        found = self.standing.vrfs.get(name, [])
        if len(found) == 1:
            return found[0]
        text = _("NetBox has several VRFs {vrf}.") if found else _("NetBox has no VRF {vrf}: create it.")
        raise TakeoverRefused(Reason.NO_VRF, text.format(vrf=name))

    def our_asn(self, number: int | None) -> PeerASN:
        """The peer ASN of one of our AS numbers; a missing one is made as affiliated: the router speaks as it."""
        if number is None:
            raise TakeoverRefused(Reason.NO_ASN, _("The router does not tell its own AS number."))
        asn = find_or_build_asn(number, self.standing.ground)
        if not has_peer_asn(asn):
            # Django keeps it as asn.peer_asn.
            PeerASN(asn=asn, affiliated=True)
        peer_asn: PeerASN = asn.peer_asn
        if not peer_asn.affiliated:
            text = _("{peer_asn} is our AS on the router: mark it as affiliated.").format(peer_asn=peer_asn)
            raise TakeoverRefused(Reason.LACKING, text)
        return peer_asn

    # What is referred to by name

    def route_map(self, name: str) -> RouteMap | None:
        """The route map of this name; None for none, and for one that is left to the user (`lacking`)."""
        if not name or self.lacking(name):
            return None
        key = name.lower()
        if key not in self.standing.route_maps:
            self._may_make(RouteMap, name)
            made = RouteMap(name=name)
            self.with_row[id(made)] = [
                RouteMapEntry(route_map=made, action=action, sequence=sequence)
                for sequence, action in self.found_maps[name].entries
            ]
            self.standing.route_maps[key] = made
        return self.standing.route_maps[key]

    def lacking(self, name: str) -> str:
        """
        Why a route map of the router's cannot be referred to, "" when it can.

        Without its entries it would be rendered as one that denies everything, for all sessions that use it.
        """
        # Their names are unique whatever the case of their letters; on the router two may differ by it alone.
        known = self.standing.route_maps.get(name.lower())
        if known is not None and known.name != name:
            return _("{name} is spelt {other} in NetBox").format(name=name, other=known.name)
        if known is not None:
            is_empty = known.pk in self.standing.empty_route_maps
            return _("{name} has no entries in NetBox").format(name=name) if is_empty else ""
        said = self.found_maps.get(name)
        if said is not None and said.is_whole and said.entries and len(name) <= LONGEST_NAME:
            return ""
        return _("{name} is not in NetBox, and its entries are not read").format(name=name)

    def policies_left(self, neighbor: FoundNeighbor) -> dict[str, str]:
        """The route maps in effect for a neighbour that are left to the user: why, by their names with an arrow."""
        found = {}
        for family in neighbor.families:
            said = self.in_effect(family, neighbor.vrf, neighbor.peer_group)
            for arrow, name in (("←", said.route_map_in), ("→", said.route_map_out)):
                if name and (reason := self.lacking(name)):
                    found[f"{arrow} {name}"] = reason
        return found

    def bfd(self, neighbor: FoundNeighbor) -> BFDProfile | None:
        """The profile that the router names; without a name the one that was chosen, if any."""
        if not neighbor.bfd:
            return None
        name = neighbor.bfd_profile
        if not name:
            return self.standing.chosen_bfd
        if name not in self.standing.bfd:
            self._may_make(BFDProfile, name)
            said = self.found_bfd.get(name)
            self.standing.bfd[name] = BFDProfile(
                name=name[:LONGEST_NAME],
                multiplier=said.multiplier if said else 3,
                min_rx_int=said.receive_ms if said else 300,
                min_tx_int=said.transmit_ms if said else 300,
            )
        return self.standing.bfd[name]

    def group(self, neighbor: FoundNeighbor, scope: BGPScope) -> BGPPeerTemplate | None:
        """The peer group: of several of its name the one for the neighbour's AS, else the one for none."""
        name = neighbor.peer_group
        if not name:
            return None
        known = self.standing.groups.setdefault(name, [])
        fitting = [each for each in known if _asn_of(each) == neighbor.remote_asn]
        fitting += [each for each in known if _asn_of(each) is None]
        if not fitting:
            self._may_make(BGPPeerTemplate, name)
            fitting = [self._new_group(neighbor.vrf, name, scope)]
            known.append(fitting[0])
        return fitting[0]

    def _new_group(self, vrf: str, name: str, scope: BGPScope) -> BGPPeerTemplate:
        said = self.found_groups.get((vrf, name))
        group = BGPPeerTemplate(
            name=name[:LONGEST_NAME], description=said.description[:LONGEST_DESCRIPTION] if said else ""
        )
        own: list[models.Model] = []
        for family in said.families if said else ():
            if row := self.peer_family(scope, family):
                own += [*self._family_rows(row), row]
                self.owners[id(row)] = group
        self.with_row[id(group)] = own
        return group

    # Families

    def peer_family(self, scope: BGPScope, family: FoundFamily) -> BGPPeerAddressFamily | None:
        """A new row for this family of a peer or group; None for one that netbox-routing does not have."""
        if family.afi not in BGPAddressFamilyChoices.values():
            return None
        return BGPPeerAddressFamily(
            address_family=self.scope_family(scope, family.afi),
            enabled=True,
            routemap_in=self.route_map(family.route_map_in),
            routemap_out=self.route_map(family.route_map_out),
        )

    def scope_family(self, scope: BGPScope, afi: str) -> BGPAddressFamily:
        families = self.standing.ground.families
        key = (self.scope_key(scope), afi)
        if key not in families:
            families[key] = BGPAddressFamily(scope=scope, address_family=afi)
        # Read without its scope, which its name needs.
        families[key].scope = scope
        return families[key]

    def _family_rows(self, row: BGPPeerAddressFamily) -> list[models.Model]:
        """What a family of a peer or group refers to."""
        maps = [each for each in (row.routemap_in, row.routemap_out) if each is not None]
        return [*(other for each in maps for other in self.rows_of(each)), row.address_family]

    def rows_of(self, row: models.Model | None) -> list[models.Model]:
        """A row, with what is made for it, none when it is there already or not asked for."""
        if row is None:
            return []
        behind = self.with_row.get(id(row), [])
        return [row, *behind]

    # Sessions

    def new_session(
        self, neighbor: FoundNeighbor, where: Where, relationship: "Relationship", *, is_route_server: bool
    ) -> SessionRows:
        """Return the rows of a session that NetBox does not have. ProvisioningError as `rules.build` raises it."""
        assert neighbor.remote_asn is not None
        scope, group = where.scope, self.group(neighbor, where.scope)
        bfd = self.bfd(neighbor)
        ours = self.our_asn(neighbor.local_asn or self.found.local_asn)
        new = NewSession(
            relationship=relationship,
            remote_asn=neighbor.remote_asn,
            remote_ip=neighbor.remote_ip,
            connection=where.connection,
            network=where.network,
            scope=scope,
            source=where.source,
            local_as=ours,
            peer_group=group,
            bfd=bfd,
            ttl=neighbor.ttl,
            description=neighbor.description[:LONGEST_DESCRIPTION],
            enabled=neighbor.enabled,
            is_route_server=is_route_server,
            password=neighbor.password,
            ipv4_max_prefixes=neighbor.limit(4),
            ipv6_max_prefixes=neighbor.limit(6),
        )
        place = self.place(neighbor, where)
        rows = build(new, place, self.standing.ground)
        peer = rows.bgp_peer
        made = SessionRows([], rows.session)
        made.rows += [
            *self._our_rows(scope, ours),
            *self.rows_of(group),
            *self.rows_of(bfd),
            *rows.in_order(),
        ]
        made.owners |= self.owners | {id(rows.peer_family): peer}
        own_afi = rows.family.address_family
        self._fill(rows.peer_family, neighbor.family(own_afi), group, neighbor.vrf)
        made.rows += self._family_rows(rows.peer_family)
        others = {family.afi for family in neighbor.families}
        if "families" in self.found.told:
            # What its group has and it has not has to be said.
            others |= set(self._families_of(group, scope))
        for afi in sorted(others - {own_afi}):
            if (row := self.peer_family(scope, FoundFamily(afi))) is not None:
                self._fill(row, neighbor.family(afi), group, neighbor.vrf)
                made.rows += [*self._family_rows(row), row]
                made.owners[id(row)] = peer
        return made

    def place(self, neighbor: FoundNeighbor, where: Where) -> Place:
        """Where NetBox has the neighbour's address, and its session."""
        return Place(
            asn=neighbor.remote_asn or 0,
            host=ipaddress.ip_address(neighbor.remote_ip),
            vrf_id=where.vrf_id,
            scope_id=self.scope_key(where.scope),
        )

    def _our_rows(self, scope: BGPScope, ours: PeerASN) -> list[models.Model]:
        """Our AS with what it needs, the BGP router and the scope."""
        found: list[models.Model] = []
        of_router = getattr(scope.router.asn, "peer_asn", None)
        for peer_asn in (of_router, None if ours is of_router else ours):
            if peer_asn is not None:
                if peer_asn.asn.pk is None:
                    found.append(peer_asn.asn.rir)
                found += [peer_asn.asn, peer_asn]
        return [*found, scope.router, scope]

    def _fill(
        self, row: BGPPeerAddressFamily, family: FoundFamily | None, group: BGPPeerTemplate | None, vrf: str
    ) -> None:
        """Give a session's family what the router has, but what its group gives it anyway."""
        if family is None:
            row.enabled = False if "families" in self.found.told else row.enabled
            return
        said = self.in_effect(family, vrf, group.name if group else "")
        for name, wanted in (("routemap_in", said.route_map_in), ("routemap_out", said.route_map_out)):
            given = self._families_of(group, row.address_family.scope).get(family.afi, {})
            if wanted and wanted != given.get(name, ""):
                setattr(row, name, self.route_map(wanted))

    def _families_of(self, group: BGPPeerTemplate | None, scope: BGPScope) -> dict[str, dict[str, str]]:
        """
        What a group gives a session of this scope: by AFI/SAFI the names of its route maps, by field. The group may be
        one that is to be made.
        """
        if group is None:
            return {}
        if group.pk is not None:
            names = self.standing.route_map_names
            return {
                family.afi: {
                    field: names.get(policy[0], "")
                    for field, name in POLICIES.items()
                    if (policy := getattr(family, name)) is not None
                }
                for family in self.standing.families.of_group(group.pk, [scope.pk])
            }
        rows = self.with_row.get(id(group), [])
        return {
            row.address_family.address_family: {
                name: made.name for name in POLICIES if (made := getattr(row, name)) is not None
            }
            for row in rows
            if isinstance(row, BGPPeerAddressFamily)
        }

    def in_effect(self, family: FoundFamily, vrf: str, group: str) -> FoundFamily:
        """A neighbour's family with the route maps of its peer group on the router."""
        said = self.found_groups.get((vrf, group)) or self.found_groups.get(("", group))
        of_group = next((each for each in said.families if each.afi == family.afi), None) if said else None
        if of_group is None:
            return family
        return FoundFamily(
            family.afi,
            family.route_map_in or of_group.route_map_in,
            family.route_map_out or of_group.route_map_out,
            family.max_prefixes,
        )

    def wrapping(
        self,
        neighbor: FoundNeighbor,
        peer: BGPPeer,
        where: Where,
        relationship: "Relationship",
        *,
        is_route_server: bool,
    ) -> SessionRows:
        """Return the session around a BGP peer that NetBox has."""
        session = PeeringSession(
            bgp_peer=peer,
            relationship=relationship,
            peering_network=where.network,
            is_route_server=is_route_server,
            description=neighbor.description[:LONGEST_DESCRIPTION],
            ipv4_max_prefixes=neighbor.limit(4),
            ipv6_max_prefixes=neighbor.limit(6),
        )
        if neighbor.password:
            set_password(session, neighbor.password)
        return SessionRows([session], session)

    # What may be made

    def _may_make(self, model: type[models.Model], name: Any) -> None:
        if not self.choices.make_missing:
            raise TakeoverRefused(
                Reason.LACKING,
                _("NetBox has no {kind} {name}: create it, or let the import make what is missing.").format(
                    kind=model._meta.verbose_name, name=name
                ),
            )


def _asn_of(group: BGPPeerTemplate) -> int | None:
    return group.remote_as.asn if group.remote_as else None

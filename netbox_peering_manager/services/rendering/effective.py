"""
Second stage, pure: what is in force on each session, and where it came from.

A value is looked for from the nearest place to the farthest: session → connection → fabric → relationship →
peer, and within netbox-routing BGPPeer → its templates and their parents → peer group. None and an absent row
mean "inherit". Templates may refer to each other in a circle: each is looked at once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ...lineage import lineage
from . import rows

__all__ = ("Effective", "EffectiveFamily", "EffectiveSession", "limit_of", "resolve", "session_templates_of")

SESSION, CONNECTION, FABRIC, PEER = "session", "connection", "fabric", "peer"
PEER_GROUP, POLICY_TEMPLATE, RELATIONSHIP = "peer group", "policy template", "relationship"

AFI_SAFI = {4: "ipv4-unicast", 6: "ipv6-unicast"}

type Policy = tuple[int, str] | None


class FamilyPolicies(NamedTuple):
    """
    The policies of one AFI/SAFI: each a pair of its id and where it came from, or None. `enabled` may
    inherit.
    """

    enabled: bool | None = None
    route_map_in: Policy = None
    route_map_out: Policy = None
    prefix_list_in: Policy = None
    prefix_list_out: Policy = None


class EffectiveFamily(NamedTuple):
    """One AFI/SAFI of a session or a peer group, everything inherited."""

    afi: str
    enabled: bool
    route_map_in: Policy
    route_map_out: Policy
    prefix_list_in: Policy
    prefix_list_out: Policy


class MaxPrefixes(NamedTuple):
    """The limit of each IP version, None for none, and where it came from."""

    ipv4: int | None
    ipv6: int | None
    ipv4_origin: str | None
    ipv6_origin: str | None


class EffectiveSession(NamedTuple):
    """
    What is in force on a session; references are ids of rows. Its password stands in `Effective.passwords`.
    """

    row: rows.SessionRow
    enabled: bool
    local_as_id: int | None
    remote_as_id: int | None
    ttl: int | None
    bfd_id: int | None
    connection: rows.ConnectionRow | None
    peer_group_id: int | None
    peer_group_origin: str | None
    max_prefixes: MaxPrefixes
    families: tuple[EffectiveFamily, ...]


@dataclass(frozen=True, slots=True)
class Effective:
    """
    The sessions in their order, their passwords (clear or masked; only of those that have one) by session id,
    and the address families of the peer groups that they are in.
    """

    sessions: tuple[EffectiveSession, ...]
    passwords: Mapping[int, str] = field(repr=False)
    group_families: Mapping[int, tuple[EffectiveFamily, ...]]


def resolve(loaded: rows.Loaded, mask: str) -> Effective:
    """
    Return what is in force on each session; `mask` stands for an inherited password that may not be shown.
    """
    templates = {pk: _inherited_template(pk, loaded) for pk in loaded.session_templates}
    policy_templates = {pk: _inherited_policies(pk, loaded) for pk in loaded.policy_templates}
    find_connection = _connection_finder(loaded)
    families = _FamilyResolver(loaded, policy_templates)
    sessions = tuple(
        _session(row, loaded, templates.get(row.session_template_id or 0), find_connection(row), families)
        for row in loaded.sessions
    )
    return Effective(
        sessions=sessions,
        passwords=_passwords(loaded, templates, mask),
        group_families={
            group_id: families.of_group(group_id, scopes)
            for group_id, scopes in _scopes_by_group(sessions).items()
        },
    )


def _session(
    row: rows.SessionRow,
    loaded: rows.Loaded,
    template: "_Template | None",
    connection: rows.ConnectionRow | None,
    families: "_FamilyResolver",
) -> EffectiveSession:
    template = template or _NO_TEMPLATE
    group_id, group_origin = _peer_group(row, connection, loaded)
    group = loaded.peer_groups.get(group_id) if group_id else None
    remote_as_id = row.remote_as_id or template.remote_as_id or (group.remote_as_id if group else None)
    enabled = _first(row.enabled, template.enabled, group.enabled if group else None)
    return EffectiveSession(
        row=row,
        enabled=True if enabled is None else enabled,
        local_as_id=row.local_as_id or template.local_as_id or row.router_asn_id,
        remote_as_id=remote_as_id,
        # A TTL of 0 says "none" where it is set: no session could come up with it.
        ttl=_first(row.ttl, template.ttl) or None,
        bfd_id=row.bfd_id or template.bfd_id,
        connection=connection,
        peer_group_id=group_id,
        peer_group_origin=group_origin,
        max_prefixes=_max_prefixes(row, loaded.asns.get(remote_as_id) if remote_as_id else None),
        families=families.of_session(row, group_id),
    )


def _first[T](*values: T | None) -> T | None:
    """Return the first value that is not None."""
    for value in values:
        if value is not None:
            return value
    return None


def _peer_group(
    row: rows.SessionRow, connection: rows.ConnectionRow | None, loaded: rows.Loaded
) -> tuple[int | None, str | None]:
    if row.peer_group_id:
        return row.peer_group_id, SESSION
    if connection:
        group_id = connection.ipv4_peer_group_id if row.family == 4 else connection.ipv6_peer_group_id
        if group_id:
            return group_id, CONNECTION
    if row.network_id and (group_id := loaded.networks[row.network_id].peer_group_id):
        return group_id, FABRIC
    return None, None


def _max_prefixes(row: rows.SessionRow, remote_as: rows.AsnRow | None) -> MaxPrefixes:
    ipv4, ipv4_origin = limit_of(row.ipv4_max_prefixes, remote_as.ipv4_max_prefixes if remote_as else None)
    ipv6, ipv6_origin = limit_of(row.ipv6_max_prefixes, remote_as.ipv6_max_prefixes if remote_as else None)
    return MaxPrefixes(ipv4, ipv6, ipv4_origin, ipv6_origin)


def limit_of(own: int | None, of_peer: int | None) -> tuple[int | None, str | None]:
    """Return the max-prefix in effect of one family, and where it came from: the session's own, else the peer ASN's."""
    if own is not None:
        return own, SESSION
    return (of_peer, PEER) if of_peer is not None else (None, None)


# Connections


def _connection_finder(loaded: rows.Loaded) -> Callable[[rows.SessionRow], rows.ConnectionRow | None]:
    """
    Return what finds a session's connection: the one on its network that has its source address, else the
    only one of its device there, else None. The same rule as PeeringSessionQuerySet.with_connection.
    """
    by_source: dict[tuple[int, int], rows.ConnectionRow] = {}
    by_device: dict[tuple[int, int], list[rows.ConnectionRow]] = {}
    for connection in loaded.connections:
        for address_id in (connection.ipv4_address_id, connection.ipv6_address_id):
            if address_id:
                by_source.setdefault((connection.network_id, address_id), connection)
        by_device.setdefault((connection.network_id, connection.device_id), []).append(connection)

    def find(row: rows.SessionRow) -> rows.ConnectionRow | None:
        if not row.network_id:
            return None
        if row.source_id and (found := by_source.get((row.network_id, row.source_id))):
            return found
        candidates = by_device.get((row.network_id, row.device_id), []) if row.device_id else []
        return candidates[0] if len(candidates) == 1 else None

    return find


# Session templates and passwords


class _Template(NamedTuple):
    """A session template with what its parents add; `password_from` is the template that has the password."""

    enabled: bool | None = None
    local_as_id: int | None = None
    remote_as_id: int | None = None
    ttl: int | None = None
    bfd_id: int | None = None
    password_from: int | None = None


_NO_TEMPLATE = _Template()


def _inherited_template(template_id: int, loaded: rows.Loaded) -> _Template:
    chain = list(session_templates_of(template_id, loaded))
    return _Template(
        enabled=_first(*(template.enabled for template in chain)),
        local_as_id=_first(*(template.local_as_id for template in chain)),
        remote_as_id=_first(*(template.remote_as_id for template in chain)),
        ttl=_first(*(template.ttl for template in chain)),
        bfd_id=_first(*(template.bfd_id for template in chain)),
        password_from=_first(*(t.id for t in chain if t.id in loaded.template_passwords)),
    )


def session_templates_of(template_id: int | None, loaded: rows.Loaded) -> Iterator[rows.SessionTemplateRow]:
    """Yield a session template, its parent, that one's parent and so on, each once."""
    templates = loaded.session_templates
    return lineage(templates.get(template_id or 0), lambda template: templates.get(template.parent_id or 0))


def _passwords(loaded: rows.Loaded, templates: Mapping[int, _Template], mask: str) -> dict[int, str]:
    """Return the passwords of the sessions that have one: their own, else that of their session template."""
    passwords = dict(loaded.passwords)
    for row in loaded.sessions:
        if row.id in passwords or not row.session_template_id:
            continue
        source = templates[row.session_template_id].password_from
        if source is not None:
            passwords[row.id] = loaded.template_passwords[source] if row.id in loaded.revealed else mask
    return passwords


# Address families


def _inherited_policies(template_id: int, loaded: rows.Loaded) -> FamilyPolicies:
    """
    Return what a policy template says; the nearer of its ancestors wins, among the same generation by name.
    """
    chain = list(_with_ancestors(template_id, loaded))

    def nearest(attribute: str) -> Policy:
        found = _first(*(getattr(template, attribute) for template in chain))
        return (found, POLICY_TEMPLATE) if found is not None else None

    return FamilyPolicies(
        enabled=_first(*(template.enabled for template in chain)),
        route_map_in=nearest("route_map_in"),
        route_map_out=nearest("route_map_out"),
        prefix_list_in=nearest("prefix_list_in"),
        prefix_list_out=nearest("prefix_list_out"),
    )


def _with_ancestors(template_id: int, loaded: rows.Loaded) -> Iterator[rows.PolicyTemplateRow]:
    """Yield a policy template, then its parents, then theirs, each once."""
    seen: set[int] = set()
    generation = [template_id]
    while generation:
        current = [pk for pk in dict.fromkeys(generation) if pk not in seen and pk in loaded.policy_templates]
        seen.update(current)
        yield from (loaded.policy_templates[pk] for pk in current)
        generation = [parent for pk in current for parent in loaded.policy_templates[pk].parents]


class _FamilyResolver:
    """
    Resolves address families. Most sessions of a router share their policies, so each combination is kept.
    """

    def __init__(self, loaded: rows.Loaded, policy_templates: Mapping[int, FamilyPolicies]) -> None:
        self._loaded = loaded
        self._policy_templates = policy_templates
        self._known: dict[tuple[object, ...], EffectiveFamily] = {}

    def of_session(self, row: rows.SessionRow, group_id: int | None) -> tuple[EffectiveFamily, ...]:
        """
        Return the session's families by AFI/SAFI; without address families of its own, that of its remote
        address.
        """
        own = self._loaded.peer_families.get(row.bgp_peer_id)
        if own:
            return tuple(self._resolved(row, group_id, family.afi, family, family[1:]) for family in own)
        return (self._resolved(row, group_id, AFI_SAFI[row.family], None, ()),)

    def of_group(self, group_id: int, scopes: Iterable[int | None]) -> tuple[EffectiveFamily, ...]:
        """Return the peer group's own families, as they are in the first of `scopes` that has them."""
        found: dict[str, FamilyPolicies] = {}
        for scope_id in scopes:
            for afi in {family.afi for family in self._loaded.group_families.get(group_id, ())}:
                family = self._of_group_in_scope(group_id, scope_id, afi)
                if family is not None and afi not in found:
                    found[afi] = self._own_policies(family, PEER_GROUP)
        return tuple(_effective(afi, found[afi]) for afi in sorted(found))

    def _resolved(
        self,
        row: rows.SessionRow,
        group_id: int | None,
        afi: str,
        own: rows.FamilyRow | None,
        own_values: tuple[object, ...],
    ) -> EffectiveFamily:
        key = (own_values, afi, group_id, row.scope_id, row.relationship_id)
        if key not in self._known:
            self._known[key] = self._resolve(row, group_id, afi, own)
        return self._known[key]

    def _resolve(
        self, row: rows.SessionRow, group_id: int | None, afi: str, own: rows.FamilyRow | None
    ) -> EffectiveFamily:
        policies = self._own_policies(own, SESSION) if own else FamilyPolicies()
        in_group = self._of_group_in_scope(group_id, row.scope_id, afi) if group_id else None
        if in_group is not None:
            policies = _inherit(policies, _relabelled(self._own_policies(in_group, PEER_GROUP), PEER_GROUP))
        return _effective(afi, _inherit(policies, _of_relationship(row)))

    def _own_policies(self, family: rows.FamilyRow, origin: str) -> FamilyPolicies:
        """Return what an address family row says, and beneath it its policy template."""
        own = FamilyPolicies(
            enabled=family.enabled,
            route_map_in=_policy(family.route_map_in, origin),
            route_map_out=_policy(family.route_map_out, origin),
            prefix_list_in=_policy(family.prefix_list_in, origin),
            prefix_list_out=_policy(family.prefix_list_out, origin),
        )
        template = self._policy_templates.get(family.policy_template_id or 0)
        return _inherit(own, template) if template else own

    def _of_group_in_scope(self, group_id: int, scope_id: int | None, afi: str) -> rows.FamilyRow | None:
        """
        Return the group's row for this AFI/SAFI in the session's scope, else its only one.

        netbox-routing ties a row to one scope, although the group may be used in many: of several rows that
        all belong to other scopes none is taken, as nothing says which.
        """
        families = [f for f in self._loaded.group_families.get(group_id, ()) if f.afi == afi]
        for family in families:
            if family.scope_id == scope_id:
                return family
        return families[0] if len(families) == 1 else None


def _policy(policy_id: int | None, origin: str) -> Policy:
    return (policy_id, origin) if policy_id is not None else None


def _inherit(own: FamilyPolicies, inherited: FamilyPolicies) -> FamilyPolicies:
    """Return `own`, what it leaves open taken from `inherited`."""
    return FamilyPolicies(
        enabled=inherited.enabled if own.enabled is None else own.enabled,
        route_map_in=own.route_map_in or inherited.route_map_in,
        route_map_out=own.route_map_out or inherited.route_map_out,
        prefix_list_in=own.prefix_list_in or inherited.prefix_list_in,
        prefix_list_out=own.prefix_list_out or inherited.prefix_list_out,
    )


def _relabelled(policies: FamilyPolicies, origin: str) -> FamilyPolicies:
    """
    Return the policies with one origin: a session inherits them from its group, wherever the group has them
    from.
    """

    def relabelled(policy: Policy) -> Policy:
        return (policy[0], origin) if policy else None

    return FamilyPolicies(
        enabled=policies.enabled,
        route_map_in=relabelled(policies.route_map_in),
        route_map_out=relabelled(policies.route_map_out),
        prefix_list_in=relabelled(policies.prefix_list_in),
        prefix_list_out=relabelled(policies.prefix_list_out),
    )


def _of_relationship(row: rows.SessionRow) -> FamilyPolicies:
    return FamilyPolicies(
        route_map_in=_policy(row.default_route_map_in, RELATIONSHIP),
        route_map_out=_policy(row.default_route_map_out, RELATIONSHIP),
    )


def _effective(afi: str, policies: FamilyPolicies) -> EffectiveFamily:
    return EffectiveFamily(
        afi=afi,
        enabled=policies.enabled is not False,
        route_map_in=policies.route_map_in,
        route_map_out=policies.route_map_out,
        prefix_list_in=policies.prefix_list_in,
        prefix_list_out=policies.prefix_list_out,
    )


def _scopes_by_group(sessions: Iterable[EffectiveSession]) -> dict[int, tuple[int | None, ...]]:
    """Return the peer groups in use and, of each, the scopes of its sessions in the sessions' order."""
    scopes: dict[int, dict[int | None, None]] = {}
    for session in sessions:
        if session.peer_group_id:
            scopes.setdefault(session.peer_group_id, {})[session.row.scope_id] = None
    return {group_id: tuple(found) for group_id, found in scopes.items()}

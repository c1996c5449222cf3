"""
The address families in force on a session and in a peer group, and where their policies came from. Pure.

Apart from `effective`, because what a router has is held against it too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from . import rows

__all__ = (
    "PEER_GROUP",
    "SESSION",
    "EffectiveFamily",
    "FamilyResolver",
    "Member",
    "Policy",
    "first_of",
)

SESSION = "session"
PEER_GROUP, POLICY_TEMPLATE, RELATIONSHIP = "peer group", "policy template", "relationship"

AFI_SAFI = {4: "ipv4-unicast", 6: "ipv6-unicast"}

type Policy = tuple[int, str] | None
type PolicyTemplates = Mapping[int, rows.PolicyTemplateRow]


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


class Member(NamedTuple):
    """
    What a session's families depend on beside its own address families: the version of its remote address (4 or 6), its
    peer group, its scope, and the route maps of its relationship.
    """

    version: int
    group_id: int | None
    scope_id: int | None
    default_route_map_in: int | None
    default_route_map_out: int | None


def first_of[T](*values: T | None) -> T | None:
    """Return the first value that is not None."""
    for value in values:
        if value is not None:
            return value
    return None


def _inherited_policies(template_id: int, templates: PolicyTemplates) -> FamilyPolicies:
    """
    Return what a policy template says; the nearer of its ancestors wins, among the same generation by name.
    """
    chain = list(_with_ancestors(template_id, templates))

    def nearest(attribute: str) -> Policy:
        found = first_of(*(getattr(template, attribute) for template in chain))
        return (found, POLICY_TEMPLATE) if found is not None else None

    return FamilyPolicies(
        enabled=first_of(*(template.enabled for template in chain)),
        route_map_in=nearest("route_map_in"),
        route_map_out=nearest("route_map_out"),
        prefix_list_in=nearest("prefix_list_in"),
        prefix_list_out=nearest("prefix_list_out"),
    )


def _with_ancestors(template_id: int, templates: PolicyTemplates) -> Iterator[rows.PolicyTemplateRow]:
    """Yield a policy template, then its parents, then theirs, each once."""
    seen: set[int] = set()
    generation = [template_id]
    while generation:
        current = [pk for pk in dict.fromkeys(generation) if pk not in seen and pk in templates]
        seen.update(current)
        yield from (templates[pk] for pk in current)
        generation = [parent for pk in current for parent in templates[pk].parents]


class FamilyResolver:
    """
    Resolves address families. Most sessions of a router share their policies, so each combination is kept.
    """

    def __init__(
        self, group_families: Mapping[int, Sequence[rows.FamilyRow]], policy_templates: PolicyTemplates
    ) -> None:
        self._group_families = group_families
        self._policy_templates = {pk: _inherited_policies(pk, policy_templates) for pk in policy_templates}
        self._known: dict[tuple[object, ...], EffectiveFamily] = {}

    def of_session(self, own: Sequence[rows.FamilyRow], member: Member) -> tuple[EffectiveFamily, ...]:
        """
        Return a session's families by AFI/SAFI: those of its `own` address families, without any that of its remote
        address.
        """
        if own:
            return tuple(self.family(family.afi, member, family) for family in own)
        return (self.family(AFI_SAFI[member.version], member),)

    def family(self, afi: str, member: Member, own: rows.FamilyRow | None = None) -> EffectiveFamily:
        """Return what counts for one AFI/SAFI of a session, whose `own` address family it is, if it has one."""
        key = (afi, member, own[1:] if own else ())
        if key not in self._known:
            self._known[key] = self._resolve(afi, member, own)
        return self._known[key]

    def of_group(self, group_id: int, scopes: Iterable[int | None]) -> tuple[EffectiveFamily, ...]:
        """Return the peer group's own families, as they are in the first of `scopes` that has them."""
        found: dict[str, FamilyPolicies] = {}
        for scope_id in scopes:
            for afi in {family.afi for family in self._group_families.get(group_id, ())}:
                family = self._of_group_in_scope(group_id, scope_id, afi)
                if family is not None and afi not in found:
                    found[afi] = self._own_policies(family, PEER_GROUP)
        return tuple(_effective(afi, found[afi]) for afi in sorted(found))

    def _resolve(self, afi: str, member: Member, own: rows.FamilyRow | None) -> EffectiveFamily:
        policies = self._own_policies(own, SESSION) if own else FamilyPolicies()
        group_id = member.group_id
        in_group = self._of_group_in_scope(group_id, member.scope_id, afi) if group_id else None
        if in_group is not None:
            policies = _inherit(policies, _relabelled(self._own_policies(in_group, PEER_GROUP), PEER_GROUP))
        return _effective(afi, _inherit(policies, _of_relationship(member)))

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
        families = [f for f in self._group_families.get(group_id, ()) if f.afi == afi]
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


def _of_relationship(member: Member) -> FamilyPolicies:
    return FamilyPolicies(
        route_map_in=_policy(member.default_route_map_in, RELATIONSHIP),
        route_map_out=_policy(member.default_route_map_out, RELATIONSHIP),
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

"""
What counts for one session, and who says so: for people who look at its page, where a template gets a context.

    load.py reads the session → effective.py resolves it → here each value gets its origin
"""

from typing import NamedTuple

from ..secrets import MASK
from . import rows
from .effective import EffectiveSession, resolve, session_templates_of
from .families import PEER_GROUP, SESSION, EffectiveFamily, Policy
from .load import load

__all__ = ("FamilyInEffect", "InEffect", "Setting", "in_effect")

# Origins beside those of effective.py; what that calls the session's own is the BGP peer's, but for limits.
BGP_PEER, BGP_ROUTER, SESSION_TEMPLATE = "BGP peer", "BGP router", "session template"


class Setting[Value](NamedTuple):
    """
    A value and who says so; both None when nobody does. `origin_id` is the id of the session template or of the peer
    group that says so, None for others.
    """

    value: Value | None = None
    origin: str | None = None
    origin_id: int | None = None


class FamilyInEffect(NamedTuple):
    """One AFI/SAFI. Route maps and prefix lists are ids; the limit is that of its IP version."""

    afi: str
    enabled: bool
    max_prefixes: Setting[int]
    route_map_in: Setting[int]
    route_map_out: Setting[int]
    prefix_list_in: Setting[int]
    prefix_list_out: Setting[int]


class InEffect(NamedTuple):
    """What counts for a session. `local_as`, `source`, `peer_group` and `bfd` are ids."""

    enabled: Setting[bool]
    local_as: Setting[int]
    source: Setting[int]
    peer_group: Setting[int]
    ttl: Setting[int]
    bfd: Setting[int]
    families: tuple[FamilyInEffect, ...]


def in_effect(session_id: int) -> InEffect:
    """
    Return what counts for the session. The caller has checked that the user may view it, and shows of what the ids
    refer to no more than that user may view. A fixed number of queries. RenderingRefused when there is none.
    """
    loaded = load(session_ids=[session_id])
    [session] = resolve(loaded, MASK).sessions
    return explain(session, loaded)


def explain(session: EffectiveSession, loaded: rows.Loaded) -> InEffect:
    """Give each value of a resolved session its origin."""
    row = session.row
    return InEffect(
        enabled=_enabled(session, loaded),
        local_as=_local_as(row, loaded),
        source=Setting(row.source_id, BGP_PEER) if row.source_id else Setting(),
        peer_group=_own(BGP_PEER, session.peer_group_id, session.peer_group_origin),
        # A TTL of 0 says "none" where it is set.
        ttl=setting if (setting := _inherited("ttl", row, loaded)).value else Setting(),
        bfd=_inherited("bfd_id", row, loaded),
        families=tuple(_family(family, session) for family in session.families),
    )


def _inherited(attribute: str, row: rows.SessionRow, loaded: rows.Loaded) -> Setting[int]:
    """Return what the BGPPeer says, else the nearest session template that says something."""
    if (own := getattr(row, attribute)) is not None:
        return Setting(own, BGP_PEER)
    for template in session_templates_of(row.session_template_id, loaded):
        if (value := getattr(template, attribute)) is not None:
            return Setting(value, SESSION_TEMPLATE, template.id)
    return Setting()


def _own(whose: str, value: int | None, origin: str | None) -> Setting[int]:
    """Return a value with its origin, which is `whose` where effective.py says "session"."""
    return Setting(value, whose if origin == SESSION else origin) if origin else Setting()


def _enabled(session: EffectiveSession, loaded: rows.Loaded) -> Setting[bool]:
    found = _inherited("enabled", session.row, loaded)
    if found.origin is not None:
        return Setting(bool(found.value), found.origin, found.origin_id)
    group = loaded.peer_groups.get(session.peer_group_id or 0)
    if group is not None and group.enabled is not None:
        return Setting(group.enabled, PEER_GROUP, group.id)
    return Setting(session.enabled)


def _local_as(row: rows.SessionRow, loaded: rows.Loaded) -> Setting[int]:
    found = _inherited("local_as_id", row, loaded)
    return found if found.value or not row.router_asn_id else Setting(row.router_asn_id, BGP_ROUTER)


def _family(family: EffectiveFamily, session: EffectiveSession) -> FamilyInEffect:
    limits = session.max_prefixes
    limit, origin = {
        "ipv4": (limits.ipv4, limits.ipv4_origin),
        "ipv6": (limits.ipv6, limits.ipv6_origin),
    }.get(family.afi.partition("-")[0], (None, None))
    return FamilyInEffect(
        family.afi,
        family.enabled,
        _own(SESSION, limit, origin),
        *(
            _policy(getattr(family, name), session)
            for name in ("route_map_in", "route_map_out", "prefix_list_in", "prefix_list_out")
        ),
    )


def _policy(policy: Policy, session: EffectiveSession) -> Setting[int]:
    if policy is None:
        return Setting()
    found = _own(BGP_PEER, *policy)
    return found._replace(origin_id=session.peer_group_id) if found.origin == PEER_GROUP else found

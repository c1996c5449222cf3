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
from .families import SESSION, EffectiveFamily, FamilyResolver, Member, first_of

__all__ = ("Effective", "EffectiveSession", "limit_of", "resolve", "session_templates_of")

CONNECTION, FABRIC, PEER = "connection", "fabric", "peer"


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
    find_connection = _connection_finder(loaded)
    families = FamilyResolver(loaded.group_families, loaded.policy_templates)
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
    families: FamilyResolver,
) -> EffectiveSession:
    template = template or _NO_TEMPLATE
    group_id, group_origin = _peer_group(row, connection, loaded)
    group = loaded.peer_groups.get(group_id) if group_id else None
    remote_as_id = row.remote_as_id or template.remote_as_id or (group.remote_as_id if group else None)
    enabled = first_of(row.enabled, template.enabled, group.enabled if group else None)
    return EffectiveSession(
        row=row,
        enabled=True if enabled is None else enabled,
        local_as_id=row.local_as_id or template.local_as_id or row.router_asn_id,
        remote_as_id=remote_as_id,
        # A TTL of 0 says "none" where it is set: no session could come up with it.
        ttl=first_of(row.ttl, template.ttl) or None,
        bfd_id=row.bfd_id or template.bfd_id,
        connection=connection,
        peer_group_id=group_id,
        peer_group_origin=group_origin,
        max_prefixes=_max_prefixes(row, loaded.asns.get(remote_as_id) if remote_as_id else None),
        families=families.of_session(
            loaded.peer_families.get(row.bgp_peer_id, ()),
            Member(row.family, group_id, row.scope_id, row.default_route_map_in, row.default_route_map_out),
        ),
    )


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
        enabled=first_of(*(template.enabled for template in chain)),
        local_as_id=first_of(*(template.local_as_id for template in chain)),
        remote_as_id=first_of(*(template.remote_as_id for template in chain)),
        ttl=first_of(*(template.ttl for template in chain)),
        bfd_id=first_of(*(template.bfd_id for template in chain)),
        password_from=first_of(*(t.id for t in chain if t.id in loaded.template_passwords)),
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


def _scopes_by_group(sessions: Iterable[EffectiveSession]) -> dict[int, tuple[int | None, ...]]:
    """Return the peer groups in use and, of each, the scopes of its sessions in the sessions' order."""
    scopes: dict[int, dict[int | None, None]] = {}
    for session in sessions:
        if session.peer_group_id:
            scopes.setdefault(session.peer_group_id, {})[session.row.scope_id] = None
    return {group_id: tuple(found) for group_id, found in scopes.items()}

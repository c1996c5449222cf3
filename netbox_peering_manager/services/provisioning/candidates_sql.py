"""
The statements behind `candidates`: what lacks between our connections and the ports of a LAN, for all of them at once.

Our side comes in as arrays, because who may see which connection is NetBox's business and cannot be said in SQL. A
BGPPeer's address is compared without its mask, by the index that NetBox keeps for that.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Expression, F, IntegerField, QuerySet
from django.db.models.expressions import RawSQL

from ipam.models import IPAddress
from netbox_routing.models import BGPPeer

from ...models import PeeringDBNetIXLan

__all__ = ("OurPort", "count_missing", "lacking", "lacking_ids", "potential", "served_asns")

PORT = PeeringDBNetIXLan._meta.db_table
PEERS = f"""
    JOIN {BGPPeer._meta.db_table} peer ON peer.scope_id = held.scope
    JOIN {IPAddress._meta.db_table} remote ON remote.id = peer.peer_id
"""
REMOTE = "CAST(HOST(remote.address) AS INET)"
OURS = "UNNEST(%s::bigint[], %s::bigint[], %s::int[]) AS ours(connection, ixlan, family)"
HELD = "UNNEST(%s::bigint[], %s::bigint[], %s::int[], %s::bigint[]) AS held(connection, ixlan, family, scope)"
ADDRESS = "CASE ours.family WHEN 4 THEN port.ipaddr4 ELSE port.ipaddr6 END"

# Every (port, connection, family) that lacks a session.
LACKING = f"""
    FROM {OURS}
    JOIN {PORT} port ON port.ixlan_id = ours.ixlan
    WHERE {ADDRESS} IS NOT NULL AND NOT EXISTS (
        SELECT FROM {HELD} {PEERS}
        WHERE held.connection = ours.connection AND held.family = ours.family AND {REMOTE} = {ADDRESS}
    )
"""

# Every AS with a session at the address of a port of its own, on our LANs.
SERVED = f"""
    SELECT port.asn FROM {HELD} {PEERS}
    JOIN {PORT} port ON port.ixlan_id = held.ixlan
    AND {REMOTE} = CASE held.family WHEN 4 THEN port.ipaddr4 ELSE port.ipaddr6 END
"""  # noqa: S608

# As LACKING, for one port whose columns stand for {ixlan} and {address}, and one family.
MISSING = f"""(
    SELECT COUNT(*) FROM {OURS}
    WHERE ours.ixlan = {{ixlan}} AND {{address}} IS NOT NULL AND NOT EXISTS (
        SELECT FROM {HELD} {PEERS} WHERE held.connection = ours.connection AND {REMOTE} = {{address}}
    )
)"""  # noqa: S608  (of constants alone, as are the others)

# AS on the LANs of each fabric with whom there is no session there, counted.
POTENTIAL = f"""
    WITH lan AS (SELECT * FROM UNNEST(%s::bigint[], %s::bigint[]) AS lan(ixlan, fabric)),
    own(asn) AS ({{own}}),
    hidden(asn, fabric) AS ({{hidden}}),
    served AS MATERIALIZED (SELECT DISTINCT held.ixlan, {REMOTE} AS address FROM {HELD} {PEERS}),
    known AS MATERIALIZED (
        SELECT lan.fabric, port.asn FROM served JOIN lan ON lan.ixlan = served.ixlan
        JOIN {PORT} port ON port.ixlan_id = served.ixlan AND port.ipaddr4 = served.address
        UNION SELECT lan.fabric, port.asn FROM served JOIN lan ON lan.ixlan = served.ixlan
        JOIN {PORT} port ON port.ixlan_id = served.ixlan AND port.ipaddr6 = served.address
        UNION ({{known}})
    )
    SELECT lan.fabric, COUNT(DISTINCT port.asn)
    FROM lan JOIN {PORT} port ON port.ixlan_id = lan.ixlan
    WHERE port.operational
    AND NOT EXISTS (SELECT FROM own WHERE own.asn = port.asn)
    AND NOT EXISTS (SELECT FROM hidden WHERE hidden.asn = port.asn AND hidden.fabric = lan.fabric)
    AND NOT EXISTS (SELECT FROM hidden WHERE hidden.asn = port.asn AND hidden.fabric IS NULL)
    AND NOT EXISTS (SELECT FROM known WHERE known.asn = port.asn AND known.fabric = lan.fabric)
    GROUP BY lan.fabric
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class OurPort:
    """
    One family of a connection of ours on a LAN that is linked to PeeringDB.

    `ixlan_id` is the LAN's id there, `scope_ids` the BGP scopes in which its sessions live: one, or those that its
    device has for the LAN's VRF, none when sessions cannot be there yet.
    """

    connection_id: int
    ixlan_id: int
    family: int
    scope_ids: tuple[int, ...]


def lacking(ours: Iterable[OurPort], netixlan_ids: Iterable[int]) -> tuple[str, list[Any]]:
    """Return the statement that gives (netixlan, connection, family) in that order, and its parameters."""
    ours = list(ours)
    sql = f"SELECT port.id, ours.connection, ours.family {LACKING} AND port.id = ANY(%s::bigint[]) ORDER BY 1, 2, 3"
    return sql, [*_arrays(ours), *_held(ours), sorted(set(netixlan_ids))]


def lacking_ids(ours: Iterable[OurPort]) -> RawSQL:
    """Return the ids of the ports that lack any session, for `pk__in`."""
    ours = list(ours)
    return RawSQL(f"SELECT port.id {LACKING}", [*_arrays(ours), *_held(ours)])  # noqa: S611  (no text of a user)


def served_asns(ours: Iterable[OurPort]) -> RawSQL:
    """Return the AS numbers that have a session at a port of theirs on these LANs, for `asn__in`."""
    return RawSQL(SERVED, _held(list(ours)))  # noqa: S611


def count_missing(ours: Iterable[OurPort], family: int) -> Expression:
    """Return an annotation of ports (PeeringDBNetIXLan): how many of our connections they lack a session from."""
    return _CountMissing([port for port in ours if port.family == family], family)


def potential(
    ours: Iterable[OurPort],
    *,
    fabrics: dict[int, int],
    own: QuerySet[Any],
    hidden: QuerySet[Any],
    known: QuerySet[Any],
) -> tuple[str, list[Any]]:
    """
    Return the statement that gives (fabric, number of AS that it could still have sessions with), and its parameters.

    `fabrics` maps a LAN's id in PeeringDB to its fabric. `own` gives our AS numbers, `hidden` pairs (AS number, fabric
    or NULL), `known` pairs (fabric, AS number) that have a session whatever its addresses. Fabrics with none are left
    out of the answer.
    """
    inner = {
        name: rows.query.sql_with_params()
        for name, rows in (("own", own), ("hidden", hidden), ("known", known))
    }
    parameters: list[Any] = [
        list(fabrics),
        list(fabrics.values()),
        *inner["own"][1],
        *inner["hidden"][1],
        *_held(list(ours)),
        *inner["known"][1],
    ]
    return POTENTIAL.format(**{name: text for name, (text, _parameters) in inner.items()}), parameters


class _CountMissing(Expression):
    """MISSING with the columns of whatever query it is part of."""

    output_field = IntegerField()

    def __init__(self, ours: list[OurPort], family: int):
        super().__init__()
        self.parameters = [*_arrays(ours), *_held(ours)]
        self.columns: list[Any] = [F("ixlan_id"), F(f"ipaddr{family}")]

    def get_source_expressions(self) -> list[Any]:
        return self.columns

    def set_source_expressions(self, exprs: Any) -> None:
        self.columns = list(exprs)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        # Columns have no parameters of their own, so that naming one several times is no matter.
        ixlan, address = (compiler.compile(column)[0] for column in self.columns)
        return MISSING.format(ixlan=ixlan, address=address), tuple(self.parameters)


def _arrays(ours: list[OurPort]) -> list[list[int]]:
    return [
        [port.connection_id for port in ours],
        [port.ixlan_id for port in ours],
        [port.family for port in ours],
    ]


def _held(ours: list[OurPort]) -> list[list[int]]:
    held = [(port, scope) for port in ours for scope in port.scope_ids]
    return [
        [port.connection_id for port, _scope in held],
        [port.ixlan_id for port, _scope in held],
        [port.family for port, _scope in held],
        [scope for _port, scope in held],
    ]

"""
Who could we peer with: the ports in PeeringDB's mirror with which we lack a session.

The one rule: a port (netixlan) lacks a session from one of our connections in a family when both have an address of
that family on that LAN (netixlan.ixlan_id is the PeeringNetwork's peeringdb_id), and the connection's BGP scope
(without one, every scope of its device in the LAN's VRF) has no BGPPeer at the port's address. So a second port of a
network with which there are sessions counts, and a BGPPeer made by hand counts as a session.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...models import PeeringDBNetIXLan

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
    from django.db.models import QuerySet

    from ...models import PeerASN, PeeringFabric

__all__ = ("Coverage", "Missing", "available_ports", "coverage", "missing")

FAMILIES = (4, 6)


@dataclass(frozen=True, slots=True)
class Missing:
    """A session that could be: a netixlan's PeeringDB id, a PeeringConnection's id, family 4 or 6."""

    netixlan_id: int
    connection_id: int
    family: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """
    How much of a fabric is used: `current_peers` remote AS with sessions there that the user may view, `sessions`
    these sessions, `potential_peers` further AS with a port there and no session with us.
    """

    current_peers: int = 0
    potential_peers: int = 0
    sessions: int = 0


def missing(
    netixlan_ids: Iterable[int], connection_ids: Iterable[int], families: Iterable[int] = FAMILIES
) -> list[Missing]:
    """
    Return the sessions that these ports lack from these connections, by netixlan, connection, family; one query.

    Pairs that share no LAN, ids that do not exist and families that one of them lacks give none. Whether a port is
    ours, operational or hidden is not asked: the caller chose it.
    """
    raise NotImplementedError


def available_ports(
    user: "AbstractBaseUser | AnonymousUser",
    *,
    fabric: "PeeringFabric | None" = None,
    asn: "PeerASN | int | None" = None,
) -> "QuerySet[PeeringDBNetIXLan]":
    """
    Return the ports on the LANs of our connections that `user` may view with which a session lacks.

    All fabrics, or one; all networks, or that of one AS (a PeerASN or a number).
    """
    return PeeringDBNetIXLan.objects.none()


def coverage(fabric_ids: Iterable[int], user: "AbstractBaseUser | AnonymousUser") -> dict[int, Coverage]:
    """Return the coverage of each of these fabrics, by its id; a fixed number of queries for any number of them."""
    raise NotImplementedError

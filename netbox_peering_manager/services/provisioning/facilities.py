"""
Where we meet a network: exchanges that both are at, and facilities where a private interconnect could be.

What PeeringDB says of us is that of the affiliated AS that the user may view; what NetBox says, of the fabrics,
connections and sessions that the user may view.
"""

from typing import TYPE_CHECKING, Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from ...models import (
    PeerASN,
    PeeringConnection,
    PeeringDBFac,
    PeeringDBIX,
    PeeringDBNetFac,
    PeeringDBNetIXLan,
    PeeringSession,
)
from . import candidates_sql as sql
from .candidates import our_ports, usable_connections
from .standing import visible_fabrics

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    type User = AbstractBaseUser | AnonymousUser

__all__ = ("common_exchanges", "common_facilities")


def common_exchanges(peer: PeerASN, user: "User") -> "QuerySet[PeeringDBIX]":
    """
    Return the exchanges where `peer` has ports and where we are: as a fabric in NetBox, or by PeeringDB alone.

    fabric_id fabric_name   the fabric, None when NetBox has none that `user` may view
    connection_count        our connections there
    our_ports               ports of our AS there, in PeeringDB
    their_ports their_speed ports of the peer there, and their Mbit/s together
    available_ports         how many of these lack a session from one of our connections
    session_count           sessions with the peer there

    Costs a query when called, two when a connection has no BGP scope.
    """
    number = peer.asn.asn
    fabrics = visible_fabrics(user)
    theirs = PeeringDBNetIXLan.objects.filter(asn=number).order_by()
    ours = PeeringDBNetIXLan.objects.filter(asn__in=_our_asns(user)).order_by()
    here = fabrics.filter(peeringdb_id=OuterRef("pk"))
    lacking = theirs.filter(pk__in=sql.lacking_ids(our_ports(usable_connections(user))))
    met = Q(pk__in=fabrics.exclude(peeringdb_id=None).values("peeringdb_id")) | Q(pk__in=ours.values("ix_id"))
    return PeeringDBIX.objects.filter(met, pk__in=theirs.values("ix_id")).annotate(
        fabric_id=Subquery(here.values("pk")),
        fabric_name=Subquery(here.values("name")),
        connection_count=_count(
            PeeringConnection.objects.restrict(user, "view"), "peering_network__fabric__peeringdb_id"
        ),
        our_ports=_count(ours, "ix_id"),
        their_ports=_count(theirs, "ix_id"),
        their_speed=_per_exchange(theirs, "ix_id", Sum("speed")),
        available_ports=_count(lacking, "ix_id"),
        session_count=_count(
            PeeringSession.objects.restrict(user, "view").for_remote_as(peer.asn_id),
            "peering_network__fabric__peeringdb_id",
        ),
    )


def common_facilities(peer: PeerASN, user: "User") -> "QuerySet[PeeringDBFac]":
    """
    Return the facilities where both `peer` and an AS of ours are, by PeeringDB.

    our_asns  the AS numbers of ours that are there, ascending
    """
    theirs = PeeringDBNetFac.objects.filter(net__asn=peer.asn.asn).order_by()
    ours = PeeringDBNetFac.objects.filter(net__asn__in=_our_asns(user)).order_by()
    there = ours.filter(fac_id=OuterRef("pk")).order_by("net__asn")
    return (
        PeeringDBFac.objects.filter(pk__in=theirs.values("fac_id"))
        .filter(pk__in=ours.values("fac_id"))
        .annotate(our_asns=ArraySubquery(there.values("net__asn").distinct()))
    )


def _our_asns(user: "User") -> "QuerySet[PeerASN]":
    return PeerASN.objects.restrict(user, "view").filter(affiliated=True).order_by().values("asn__asn")


def _count(rows: Any, exchange: str) -> Coalesce:
    return _per_exchange(rows, exchange, Count("pk"))


def _per_exchange(rows: Any, exchange: str, what: Any) -> Coalesce:
    """Return an annotation of exchanges: `what` of the rows that have the exchange's id at the path `exchange`."""
    of_exchange = rows.filter(**{exchange: OuterRef("pk")}).order_by().values(exchange)
    return Coalesce(Subquery(of_exchange.annotate(per_exchange=what).values("per_exchange")), 0)

"""
How we stand with a network of PeeringDB's mirror: is it ours, hidden, a peer, where else do we meet it.

Annotations and subqueries that lists of ports and of networks share. `asn` and `net` are expressions for its AS number
and its id there, usually OuterRef().
"""

from typing import TYPE_CHECKING, Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from ipam.models import ASN

from ...models import HiddenPeer, PeerASN, PeeringDBNetIXLan, PeeringDBPoc, PeeringFabric, PeeringSession
from ...querysets import count_with_remote_as

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    from ...querysets import HiddenPeerQuerySet

    type User = AbstractBaseUser | AnonymousUser

__all__ = ("DECOMMISSIONED", "hides", "known", "met", "own_asns", "visible_fabrics")

DECOMMISSIONED = "decommissioned"


def visible_fabrics(user: "User") -> "QuerySet[PeeringFabric]":
    """Return the fabrics that `user` may view and that are not decommissioned, unordered."""
    return PeeringFabric.objects.restrict(user, "view").exclude(status=DECOMMISSIONED).order_by()


def own_asns() -> "QuerySet[PeerASN]":
    """Return the AS numbers that are ours, seen or not: one column."""
    return PeerASN.objects.filter(affiliated=True).order_by().values_list("asn__asn", flat=True)


def hides(ixlan: OuterRef | None = None) -> "HiddenPeerQuerySet":
    """Return what hides the network of the outer row's `asn` today: everywhere, and on the fabric of this LAN."""
    where = Q(fabric=None)
    if ixlan is not None:
        where |= Q(fabric__networks__peeringdb_id=ixlan)
    return HiddenPeer.objects.in_force().filter(where, asn=OuterRef("asn")).order_by()


def known(user: "User", net: str) -> dict[str, Any]:
    """
    Return annotations for rows with an `asn` and, in the column `net`, the id of the net.

    peer_asn_id  its PeerASN, None when there is none or `user` may not view it
    has_contact  PeeringDB knows a contact of it with an e-mail address
    """
    peers = PeerASN.objects.restrict(user, "view").filter(asn__asn=OuterRef("asn")).order_by()
    return {
        "peer_asn_id": Subquery(peers.values("pk")[:1]),
        "has_contact": Exists(PeeringDBPoc.objects.filter(net_id=OuterRef(net)).exclude(email="")),
    }


def met(user: "User") -> dict[str, Any]:
    """
    Return annotations for rows with an `asn`.

    common_exchanges  how many fabrics that `user` may view are exchanges where the AS has a port
    session_count     the sessions with it, anywhere, that `user` may view
    """
    ours = visible_fabrics(user).filter(peeringdb_id__isnull=False).values("peeringdb_id")
    ports = PeeringDBNetIXLan.objects.filter(asn=OuterRef("asn"), ix_id__in=ours)
    counted = ports.order_by().values("asn").annotate(exchanges=Count("ix_id", distinct=True))
    asn = ASN.objects.filter(asn=OuterRef(OuterRef("asn"))).order_by().values("pk")[:1]
    return {
        "common_exchanges": Coalesce(Subquery(counted.values("exchanges")), 0),
        "session_count": count_with_remote_as(PeeringSession.objects.restrict(user, "view"), asn),
    }

"""
Networks that we have no session with anywhere, over all our exchanges: whom to ask first.
"""

from typing import TYPE_CHECKING, Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Count,
    Exists,
    Expression,
    F,
    Func,
    IntegerField,
    OuterRef,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce

from netbox_routing.models import BGPPeer

from ...choices import PeeringDBPolicyChoices, PeeringDBTrafficChoices
from ...expressions import remote_asn_of
from ...models import PeeringConnection, PeeringDBNet, PeeringDBNetIXLan, PeeringFabric
from . import candidates_sql as sql
from .candidates import our_ports, usable_connections
from .standing import hides, known, own_asns

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    type User = AbstractBaseUser | AnonymousUser

__all__ = ("RANKED", "ranked_networks")

# The order of the ranking: where one meets most, then the largest, then those that are most inviting.
RANKED = ("-common_exchanges", "-prefixes", "-traffic_rank", "policy_rank", "asn", "pk")


def ranked_networks(user: "User") -> "QuerySet[PeeringDBNet]":
    """
    Return the networks on the LANs of connections that `user` may view with which there is no session at all, ranked.

    A session is a BGPPeer, seen or not, whose remote AS (own or inherited) is the network's or whose address is one
    of its ports. Ports that are not operational, and those of a fabric on which the network is hidden, do not count;
    networks that are ours are left out. Annotations:

    common_exchanges   at how many of our exchanges it has such ports
    exchange_names     the names of these fabrics, as far as `user` may view them, in their order
    ports              how many such ports it has
    prefixes           IPv4 and IPv6 together, 0 when it says nothing
    traffic_rank       0 when it says nothing, then growing
    policy_rank        Open 1 … No 4, then those that say nothing
    is_hidden, hidden_id   it is hidden everywhere today; the HiddenPeer, None when `user` may not view it
    peer_asn_id has_contact   as those of candidates.available_ports()

    Costs two queries when called, up to four when connections have no BGP scope.
    """
    ours = our_ports(usable_connections(user))
    lans = {port.ixlan_id for port in ours}
    networks = PeeringDBNet.objects.filter(pk__in=_ports(lans).values("net_id"))
    networks = networks.exclude(asn__in=own_asns()).exclude(asn__in=_asns_with_bgp_peers())
    networks = networks.exclude(asn__in=sql.served_asns(_all_ports(lans)))
    return _described(networks, user, lans).order_by(*RANKED)


def _ports(lans: set[int]) -> "QuerySet[PeeringDBNetIXLan]":
    """Return the ports that count, of networks that are not hidden on their fabric."""
    ports = PeeringDBNetIXLan.objects.filter(ixlan_id__in=lans, operational=True).order_by()
    return ports.exclude(Exists(hides(OuterRef("ixlan_id")).filter(fabric__isnull=False)))


def _all_ports(lans: set[int]) -> list[sql.OurPort]:
    """Return all our sides of these LANs: sessions that `user` may not see are sessions all the same."""
    return our_ports(PeeringConnection.objects.filter(peering_network__peeringdb_id__in=lans))


def _asns_with_bgp_peers() -> "QuerySet[BGPPeer]":
    # Without NULLs, with which nothing would be "not in".
    return (
        BGPPeer.objects.annotate(remote_asn=remote_asn_of())
        .filter(remote_asn__isnull=False)
        .order_by()
        .values("remote_asn")
    )


def _described(networks: "QuerySet[PeeringDBNet]", user: "User", lans: set[int]) -> "QuerySet[PeeringDBNet]":
    hidden = hides()
    return networks.annotate(
        prefixes=Coalesce(F("info_prefixes4"), 0) + Coalesce(F("info_prefixes6"), 0),
        traffic_rank=rank(PeeringDBTrafficChoices, "info_traffic", nothing=0),
        policy_rank=rank(PeeringDBPolicyChoices, "policy_general", nothing=9),
        is_hidden=Exists(hidden),
        hidden_id=Subquery(hidden.restrict(user, "view").values("pk")[:1]),
        exchange_names=_exchange_names(user, lans),
        common_exchanges=_count(lans, Count("ix_id", distinct=True)),
        ports=_count(lans, Count("pk")),
        **known(user, net="pk"),
    )


def _count(lans: set[int], what: Expression) -> Expression:
    counted = _ports(lans).filter(net_id=OuterRef("pk")).values("net_id").annotate(counted=what)
    return Coalesce(Subquery(counted.values("counted")), 0)


def _exchange_names(user: "User", lans: set[int]) -> Any:
    present = _ports(lans).filter(net_id=OuterRef(OuterRef("pk"))).values("ixlan_id")
    fabrics = PeeringFabric.objects.restrict(user, "view").filter(networks__peeringdb_id__in=present)
    return ArraySubquery(fabrics.order_by("name").values("name").distinct())


def rank(choices: Any, column: str, *, nothing: int | None) -> Any:
    """Return the place of the column's value among `choices`, from 1 on; `nothing` when it is not among them."""
    place: Any = Func(
        Value(choices.values()), F(column), function="ARRAY_POSITION", output_field=IntegerField()
    )
    return place if nothing is None else Coalesce(place, nothing)

"""Exchanges as PeeringDB's mirror has them: searched, and read with their LANs for planning."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from functools import reduce
from operator import and_, or_

from django.db.models import Case, F, Func, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from ...models import PeeringDBIX, PeeringDBIXLan, PeeringDBIXPfx, PeeringDBNetIXLan
from .lans import FAMILIES, Exchange, Lan, family_of

__all__ = ("has_exchanges", "load_exchanges", "search_exchanges", "with_network_count")

SEARCHED = ("name", "name_long", "aka", "city")
# What a LAN's MTU can be: IPv4's least (RFC 791), and the most that an Ethernet frame of any make takes.
MTUS = range(68, 65536)
# How many ports of the LAN have their address in a prefix.
HOSTS = f"""(
    SELECT COUNT(*) FROM {PeeringDBNetIXLan._meta.db_table} port
    WHERE port.ixlan_id = {PeeringDBIXPfx._meta.db_table}.ixlan_id AND (
        port.ipaddr4 <<= {PeeringDBIXPfx._meta.db_table}.prefix
        OR port.ipaddr6 <<= {PeeringDBIXPfx._meta.db_table}.prefix
    )
)"""  # noqa: S608


def has_exchanges() -> bool:
    """Whether the mirror knows any exchange: else nothing was synced yet."""
    return PeeringDBIX.objects.exists()


def search_exchanges(text: str = "") -> "QuerySet[PeeringDBIX]":
    """
    Return the exchanges each word of `text` occurs in (name, long name, other name, city; or that have it as their
    id), those whose name begins with it first, then by name. All of them for an empty text.
    """
    words = text.split()
    exchanges = PeeringDBIX.objects.order_by("name", "pk")
    if not words:
        return exchanges
    begins = Case(When(name__istartswith=text.strip(), then=Value(0)), default=Value(1))
    found = reduce(and_, (_occurs(word) for word in words))
    return exchanges.filter(found).order_by(begins, "name", "pk")


def _occurs(word: str) -> Q:
    found = reduce(or_, (Q(**{f"{name}__icontains": word}) for name in SEARCHED))
    # Not more digits than an id of the database can have.
    return found | Q(pk=int(word)) if word.isascii() and word.isdecimal() and len(word) < 19 else found


def with_network_count(exchanges: "QuerySet[PeeringDBIX]") -> "QuerySet[PeeringDBIX]":
    """Annotate `network_count`: how many AS have a port on the exchange, as the mirror has them."""
    lans = PeeringDBIXLan.objects.filter(ix_id=OuterRef(OuterRef("pk"))).values("pk")
    ports = PeeringDBNetIXLan.objects.filter(ixlan_id__in=lans).order_by()
    # Not Count(): that would group by something.
    count = Func(F("asn"), function="COUNT", template="%(function)s(DISTINCT %(expressions)s)")
    count.output_field = IntegerField()
    return exchanges.annotate(network_count=Coalesce(Subquery(ports.annotate(asns=count).values("asns")), 0))


def load_exchanges(
    ix_ids: Collection[int] = (), *, ixlan_ids: Collection[int] | None = None
) -> dict[int, Exchange]:
    """
    Read exchanges with their LANs, by id, in four queries for any number; what the mirror does not have is left out.

    With `ixlan_ids` the exchanges of these LANs are read, with these LANs alone.
    """
    lans = PeeringDBIXLan.objects.order_by("pk")
    lans = lans.filter(ix_id__in=ix_ids) if ixlan_ids is None else lans.filter(pk__in=ixlan_ids)
    found: dict[int, list[PeeringDBIXLan]] = defaultdict(list)
    for lan in lans:
        found[lan.ix_id].append(lan)
    exchanges = PeeringDBIX.objects.filter(pk__in=ix_ids if ixlan_ids is None else found)
    prefixes = _prefixes([lan.pk for of_one in found.values() for lan in of_one])
    networks = _networks([lan.pk for of_one in found.values() for lan in of_one])
    return {
        ix.pk: Exchange(
            ix_id=ix.pk,
            name=ix.name.strip() or f"IX {ix.pk}",
            name_long=ix.name_long,
            city=ix.city,
            country=ix.country,
            lans=tuple(_lan(lan, prefixes.get(lan.pk, [])) for lan in found.get(ix.pk, ())),
            networks=len({asn for lan in found.get(ix.pk, ()) for asn in networks.get(lan.pk, ())}),
        )
        for ix in exchanges.order_by("pk")
    }


def _prefixes(ixlan_ids: Collection[int]) -> dict[int, list[str]]:
    """The prefixes of LANs as text, those with the most ports first, of equal ones the youngest."""
    found: dict[int, list[str]] = defaultdict(list)
    rows = PeeringDBIXPfx.objects.filter(ixlan_id__in=ixlan_ids).annotate(
        hosts=RawSQL(HOSTS, ())  # noqa: S611
    )
    for ixlan_id, prefix in rows.order_by("-hosts", "-pk").values_list("ixlan_id", "prefix"):
        found[ixlan_id].append(str(prefix.cidr))
    return found


def _networks(ixlan_ids: Collection[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    ports = PeeringDBNetIXLan.objects.filter(ixlan_id__in=ixlan_ids).order_by()
    for ixlan_id, asn in ports.values_list("ixlan_id", "asn").distinct():
        found[ixlan_id].add(asn)
    return found


def _lan(row: PeeringDBIXLan, prefixes: Iterable[str]) -> Lan:
    taken: dict[int, str] = {}
    # By what a prefix is, whatever PeeringDB's `protocol` says.
    left = [prefix for prefix in prefixes if taken.setdefault(family_of(prefix), prefix) != prefix]
    return Lan(
        ixlan_id=row.pk,
        name=row.name.strip(),
        mtu=row.mtu if row.mtu in MTUS else None,
        prefixes=(taken.get(FAMILIES[0]), taken.get(FAMILIES[1])),
        left=tuple(left),
    )

"""Area `peers` in GraphQL."""

from typing import TYPE_CHECKING, Annotated

import strawberry
import strawberry_django
from django.db.models import F
from strawberry.scalars import ID
from strawberry_django import DatetimeFilterLookup, FilterLookup, StrFilterLookup

from extras.graphql.mixins import ContactsMixin
from netbox.graphql.filters import PrimaryModelFilter, register_filter
from netbox.graphql.scalars import BigInt
from netbox.graphql.types import PrimaryObjectType, register_type
from tenancy.graphql.filter_mixins import ContactFilterMixin

from ..models import PeerASN

if TYPE_CHECKING:
    from ipam.graphql.filters import ASNFilter
    from ipam.graphql.types import ASNType
    from netbox.graphql.filter_lookups import BigIntegerLookup, IntegerLookup, StringArrayLookup


@register_filter(PeerASN, lookups=True)
class PeerASNFilter(ContactFilterMixin, PrimaryModelFilter):
    asn: Annotated["ASNFilter", strawberry.lazy("ipam.graphql.filters")] | None = (
        strawberry_django.filter_field()
    )
    asn_id: ID | None = strawberry_django.filter_field()
    name: StrFilterLookup | None = strawberry_django.filter_field()
    affiliated: FilterLookup[bool] | None = strawberry_django.filter_field()
    irr_as_set: StrFilterLookup | None = strawberry_django.filter_field()
    ipv4_max_prefixes: Annotated["IntegerLookup", strawberry.lazy("netbox.graphql.filter_lookups")] | None = (
        strawberry_django.filter_field()
    )
    ipv6_max_prefixes: Annotated["IntegerLookup", strawberry.lazy("netbox.graphql.filter_lookups")] | None = (
        strawberry_django.filter_field()
    )
    peeringdb_id: Annotated["BigIntegerLookup", strawberry.lazy("netbox.graphql.filter_lookups")] | None = (
        strawberry_django.filter_field()
    )
    peeringdb_last_sync: DatetimeFilterLookup | None = strawberry_django.filter_field()
    follow_peeringdb: (
        Annotated["StringArrayLookup", strawberry.lazy("netbox.graphql.filter_lookups")] | None
    ) = strawberry_django.filter_field()


@register_type(PeerASN, fields="__all__", filters=PeerASNFilter, pagination=True)
class PeerASNType(ContactsMixin, PrimaryObjectType):
    asn: Annotated["ASNType", strawberry.lazy("ipam.graphql.types")]
    peeringdb_id: BigInt | None
    follow_peeringdb: list[str]

    # The name needs the AS number. It comes as an annotation, since joining the ASN would hand it out whole, also to
    # who may not view it. Where the optimizer has no say, there is none.
    @strawberry_django.field(annotate={"as_number": F("asn__asn")}, only=["name"])
    def display(self) -> str:
        return self.label(self.as_number, self.name) if hasattr(self, "as_number") else str(self)


@strawberry.type(name="Query")
class PeersQuery:
    peer_asn: PeerASNType = strawberry_django.field()
    peer_asn_list: list[PeerASNType] = strawberry_django.field()


schema = (PeersQuery,)

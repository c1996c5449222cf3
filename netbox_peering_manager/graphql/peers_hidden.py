"""Area `peers`: hidden peers in GraphQL."""

from typing import TYPE_CHECKING, Annotated

import strawberry
import strawberry_django
from strawberry.scalars import ID
from strawberry_django import DateFilterLookup, StrFilterLookup

from netbox.graphql.filters import PrimaryModelFilter, register_filter
from netbox.graphql.scalars import BigInt
from netbox.graphql.types import PrimaryObjectType, register_type

from ..models import HiddenPeer

if TYPE_CHECKING:
    from netbox.graphql.filter_lookups import BigIntegerLookup

    from .fabrics import PeeringFabricFilter, PeeringFabricType

FABRICS = "netbox_peering_manager.graphql.fabrics"


@register_filter(HiddenPeer, lookups=True)
class HiddenPeerFilter(PrimaryModelFilter):
    asn: Annotated["BigIntegerLookup", strawberry.lazy("netbox.graphql.filter_lookups")] | None = (
        strawberry_django.filter_field()
    )
    fabric: Annotated["PeeringFabricFilter", strawberry.lazy(FABRICS)] | None = (
        strawberry_django.filter_field()
    )
    fabric_id: ID | None = strawberry_django.filter_field()
    reason: StrFilterLookup | None = strawberry_django.filter_field()
    until: DateFilterLookup | None = strawberry_django.filter_field()


@register_type(HiddenPeer, fields="__all__", filters=HiddenPeerFilter, pagination=True)
class HiddenPeerType(PrimaryObjectType):
    asn: BigInt
    fabric: Annotated["PeeringFabricType", strawberry.lazy(FABRICS)] | None


@strawberry.type(name="Query")
class HiddenPeersQuery:
    hidden_peer: HiddenPeerType = strawberry_django.field()
    hidden_peer_list: list[HiddenPeerType] = strawberry_django.field()


schema = (HiddenPeersQuery,)

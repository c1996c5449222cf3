"""Area `routers` in GraphQL."""

from typing import TYPE_CHECKING, Annotated

import strawberry
import strawberry_django
from strawberry.scalars import ID, JSON
from strawberry_django import FilterLookup, StrFilterLookup

from netbox.graphql.filters import PrimaryModelFilter, register_filter
from netbox.graphql.types import PrimaryObjectType, register_type

from ..models import PeeringRouter

if TYPE_CHECKING:
    from dcim.graphql.filters import DeviceFilter
    from dcim.graphql.types import DeviceType
    from extras.graphql.filters import ConfigTemplateFilter
    from extras.graphql.types import ConfigTemplateType
    from netbox.graphql.filter_lookups import JSONFilter


@register_filter(PeeringRouter, lookups=True)
class PeeringRouterFilter(PrimaryModelFilter):
    device: Annotated["DeviceFilter", strawberry.lazy("dcim.graphql.filters")] | None = (
        strawberry_django.filter_field()
    )
    device_id: ID | None = strawberry_django.filter_field()
    config_template: Annotated["ConfigTemplateFilter", strawberry.lazy("extras.graphql.filters")] | None = (
        strawberry_django.filter_field()
    )
    config_template_id: ID | None = strawberry_django.filter_field()
    napalm_driver: StrFilterLookup | None = strawberry_django.filter_field()
    napalm_args: Annotated["JSONFilter", strawberry.lazy("netbox.graphql.filter_lookups")] | None = (
        strawberry_django.filter_field()
    )
    credential_profile: StrFilterLookup | None = strawberry_django.filter_field()
    poll_enabled: FilterLookup[bool] | None = strawberry_django.filter_field()
    push_enabled: FilterLookup[bool] | None = strawberry_django.filter_field()


@register_type(PeeringRouter, fields="__all__", filters=PeeringRouterFilter, pagination=True)
class PeeringRouterType(PrimaryObjectType):
    device: Annotated["DeviceType", strawberry.lazy("dcim.graphql.types")]
    config_template: Annotated["ConfigTemplateType", strawberry.lazy("extras.graphql.types")] | None
    napalm_args: JSON | None

    # A router is called as its device is: without the hint that would be read row by row.
    @strawberry_django.field(
        select_related=["device__virtual_chassis", "device__device_type__manufacturer"], only=["device"]
    )
    def display(self) -> str:
        return str(self)


@strawberry.type(name="Query")
class RoutersQuery:
    peering_router: PeeringRouterType = strawberry_django.field()
    peering_router_list: list[PeeringRouterType] = strawberry_django.field()


schema = (RoutersQuery,)

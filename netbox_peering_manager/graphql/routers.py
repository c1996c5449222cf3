"""Area `routers` in GraphQL."""

from typing import TYPE_CHECKING, Annotated

import strawberry
import strawberry_django
from django.db.models import F
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
    from netbox.graphql.filter_lookups import IntegerLookup, JSONFilter


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
    poll_interval: Annotated["IntegerLookup", strawberry.lazy("netbox.graphql.filter_lookups")] | None = (
        strawberry_django.filter_field()
    )
    config_mode: StrFilterLookup | None = strawberry_django.filter_field()
    approval: StrFilterLookup | None = strawberry_django.filter_field()
    health_timeout: Annotated["IntegerLookup", strawberry.lazy("netbox.graphql.filter_lookups")] | None = (
        strawberry_django.filter_field()
    )
    push_enabled: FilterLookup[bool] | None = strawberry_django.filter_field()


@register_type(PeeringRouter, fields="__all__", filters=PeeringRouterFilter, pagination=True)
class PeeringRouterType(PrimaryObjectType):
    device: Annotated["DeviceType", strawberry.lazy("dcim.graphql.types")]
    config_template: Annotated["ConfigTemplateType", strawberry.lazy("extras.graphql.types")] | None
    napalm_args: JSON | None

    # A router is called as its device is. The name comes as an annotation, since joining the device would hand it out
    # whole, also to who may not view it. A device without a name is called by its chassis or type: read row by row.
    @strawberry_django.field(
        annotate={"device_name": F("device__name"), "device_asset_tag": F("device__asset_tag")},
        only=["device_id"],
    )
    def display(self) -> str:
        if not (name := getattr(self, "device_name", None)):
            return str(self)
        return f"{name} ({self.device_asset_tag})" if self.device_asset_tag else name


@strawberry.type(name="Query")
class RoutersQuery:
    peering_router: PeeringRouterType = strawberry_django.field()
    peering_router_list: list[PeeringRouterType] = strawberry_django.field()


schema = (RoutersQuery,)

"""
Area `sessions` in GraphQL.

A session's password is in no type and no filter, not even encrypted; `has_password` and when it changed are.
"""

from typing import TYPE_CHECKING, Annotated

import strawberry
import strawberry_django
from strawberry.scalars import ID
from strawberry_django import DatetimeFilterLookup, FilterLookup, StrFilterLookup

from netbox.graphql.filters import OrganizationalModelFilter, PrimaryModelFilter, register_filter
from netbox.graphql.types import OrganizationalObjectType, PrimaryObjectType, register_type

from ..models import PeeringSession, Relationship

if TYPE_CHECKING:
    from netbox.graphql.filter_lookups import IntegerLookup
    from netbox_routing.graphql.bgp.filters import BGPPeerFilter
    from netbox_routing.graphql.objects.filters import RouteMapFilter
    from netbox_routing.graphql.types import BGPPeerType, RouteMapType

    from .configuration import SessionConfigurationFilter, SessionConfigurationType
    from .fabrics import PeeringNetworkFilter, PeeringNetworkType
    from .states import SessionStateFilter, SessionStateType


@register_filter(Relationship, lookups=True)
class RelationshipFilter(OrganizationalModelFilter):
    color: StrFilterLookup | None = strawberry_django.filter_field()
    bgp_role: StrFilterLookup | None = strawberry_django.filter_field()
    routemap_in: (
        Annotated["RouteMapFilter", strawberry.lazy("netbox_routing.graphql.objects.filters")] | None
    ) = strawberry_django.filter_field()
    routemap_in_id: ID | None = strawberry_django.filter_field()
    routemap_out: (
        Annotated["RouteMapFilter", strawberry.lazy("netbox_routing.graphql.objects.filters")] | None
    ) = strawberry_django.filter_field()
    routemap_out_id: ID | None = strawberry_django.filter_field()
    remove_from_router: FilterLookup[bool] | None = strawberry_django.filter_field()


@register_filter(PeeringSession, lookups=True)
class PeeringSessionFilter(PrimaryModelFilter):
    bgp_peer: Annotated["BGPPeerFilter", strawberry.lazy("netbox_routing.graphql.bgp.filters")] | None = (
        strawberry_django.filter_field()
    )
    bgp_peer_id: ID | None = strawberry_django.filter_field()
    relationship: RelationshipFilter | None = strawberry_django.filter_field()
    relationship_id: ID | None = strawberry_django.filter_field()
    peering_network: (
        Annotated["PeeringNetworkFilter", strawberry.lazy("netbox_peering_manager.graphql.fabrics")] | None
    ) = strawberry_django.filter_field()
    peering_network_id: ID | None = strawberry_django.filter_field()
    service_reference: StrFilterLookup | None = strawberry_django.filter_field()
    is_route_server: FilterLookup[bool] | None = strawberry_django.filter_field()
    ipv4_max_prefixes: Annotated["IntegerLookup", strawberry.lazy("netbox.graphql.filter_lookups")] | None = (
        strawberry_django.filter_field()
    )
    ipv6_max_prefixes: Annotated["IntegerLookup", strawberry.lazy("netbox.graphql.filter_lookups")] | None = (
        strawberry_django.filter_field()
    )
    configuration: (
        Annotated[
            "SessionConfigurationFilter", strawberry.lazy("netbox_peering_manager.graphql.configuration")
        ]
        | None
    ) = strawberry_django.filter_field()
    state: (
        Annotated["SessionStateFilter", strawberry.lazy("netbox_peering_manager.graphql.states")] | None
    ) = strawberry_django.filter_field()
    password_changed: DatetimeFilterLookup | None = strawberry_django.filter_field()


@register_type(Relationship, fields="__all__", filters=RelationshipFilter, pagination=True)
class RelationshipType(OrganizationalObjectType):
    color: str
    routemap_in: Annotated["RouteMapType", strawberry.lazy("netbox_routing.graphql.types")] | None
    routemap_out: Annotated["RouteMapType", strawberry.lazy("netbox_routing.graphql.types")] | None
    sessions: list[
        Annotated["PeeringSessionType", strawberry.lazy("netbox_peering_manager.graphql.sessions")]
    ]


@register_type(
    PeeringSession,
    # Not beside fields="__all__", which would win.
    exclude=["encrypted_password"],
    filters=PeeringSessionFilter,
    pagination=True,
)
class PeeringSessionType(PrimaryObjectType):
    bgp_peer: Annotated["BGPPeerType", strawberry.lazy("netbox_routing.graphql.types")]
    relationship: RelationshipType
    peering_network: (
        Annotated["PeeringNetworkType", strawberry.lazy("netbox_peering_manager.graphql.fabrics")] | None
    )

    configuration: (
        Annotated["SessionConfigurationType", strawberry.lazy("netbox_peering_manager.graphql.configuration")]
        | None
    )

    state: Annotated["SessionStateType", strawberry.lazy("netbox_peering_manager.graphql.states")] | None

    @strawberry_django.field(only=["encrypted_password"])
    def has_password(self) -> bool:
        return self.has_password


@strawberry.type(name="Query")
class SessionsQuery:
    relationship: RelationshipType = strawberry_django.field()
    relationship_list: list[RelationshipType] = strawberry_django.field()
    peering_session: PeeringSessionType = strawberry_django.field()
    peering_session_list: list[PeeringSessionType] = strawberry_django.field()


schema = (SessionsQuery,)

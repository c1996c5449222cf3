"""Area `fabrics`: GraphQL types, filters and root fields of fabrics, networks and connections."""

from typing import TYPE_CHECKING, Annotated

import strawberry
import strawberry_django
from strawberry import ID
from strawberry_django import BaseFilterLookup, StrFilterLookup

from extras.graphql.mixins import ContactsMixin
from netbox.graphql.filters import PrimaryModelFilter, register_filter
from netbox.graphql.scalars import BigInt
from netbox.graphql.types import PrimaryObjectType, register_type
from tenancy.graphql.filter_mixins import ContactFilterMixin, TenancyFilterMixin

from .. import models
from ..choices import ConnectionStatusChoices, FabricStatusChoices, FabricTypeChoices, NetworkStatusChoices

if TYPE_CHECKING:
    from dcim.graphql.filters import InterfaceFilter, SiteFilter
    from dcim.graphql.types import InterfaceType, SiteType
    from ipam.graphql.filters import IPAddressFilter, PrefixFilter, VLANFilter
    from ipam.graphql.types import IPAddressType, PrefixType, VLANType
    from netbox.graphql.filter_lookups import BigIntegerLookup, IntegerLookup
    from netbox_routing.graphql.types import BGPPeerTemplateType, BGPScopeType
    from tenancy.graphql.types import TenantType

    from .sessions import PeeringSessionType

__all__ = (
    "PeeringConnectionFilter",
    "PeeringConnectionType",
    "PeeringFabricFilter",
    "PeeringFabricType",
    "PeeringNetworkFilter",
    "PeeringNetworkType",
    "schema",
)

PeeringFabricTypeEnum = strawberry.enum(
    FabricTypeChoices.as_enum(prefix="type"), name="PeeringFabricTypeEnum"
)
PeeringFabricStatusEnum = strawberry.enum(
    FabricStatusChoices.as_enum(prefix="status"), name="PeeringFabricStatusEnum"
)
PeeringNetworkStatusEnum = strawberry.enum(
    NetworkStatusChoices.as_enum(prefix="status"), name="PeeringNetworkStatusEnum"
)
PeeringConnectionStatusEnum = strawberry.enum(
    ConnectionStatusChoices.as_enum(prefix="status"), name="PeeringConnectionStatusEnum"
)


@register_filter(models.PeeringFabric, lookups=True)
class PeeringFabricFilter(ContactFilterMixin, TenancyFilterMixin, PrimaryModelFilter):
    name: StrFilterLookup | None = strawberry_django.filter_field()
    slug: StrFilterLookup | None = strawberry_django.filter_field()
    type: BaseFilterLookup[PeeringFabricTypeEnum] | None = strawberry_django.filter_field()
    status: BaseFilterLookup[PeeringFabricStatusEnum] | None = strawberry_django.filter_field()
    site: Annotated["SiteFilter", strawberry.lazy("dcim.graphql.filters")] | None = (
        strawberry_django.filter_field()
    )
    site_id: ID | None = strawberry_django.filter_field()
    peer_group_id: ID | None = strawberry_django.filter_field()
    peeringdb_id: Annotated["BigIntegerLookup", strawberry.lazy("netbox.graphql.filter_lookups")] | None = (
        strawberry_django.filter_field()
    )


@register_filter(models.PeeringNetwork, lookups=True)
class PeeringNetworkFilter(PrimaryModelFilter):
    fabric: (
        Annotated["PeeringFabricFilter", strawberry.lazy("netbox_peering_manager.graphql.fabrics")] | None
    ) = strawberry_django.filter_field()
    fabric_id: ID | None = strawberry_django.filter_field()
    name: StrFilterLookup | None = strawberry_django.filter_field()
    status: BaseFilterLookup[PeeringNetworkStatusEnum] | None = strawberry_django.filter_field()
    ipv4_prefix: Annotated["PrefixFilter", strawberry.lazy("ipam.graphql.filters")] | None = (
        strawberry_django.filter_field()
    )
    ipv4_prefix_id: ID | None = strawberry_django.filter_field()
    ipv6_prefix: Annotated["PrefixFilter", strawberry.lazy("ipam.graphql.filters")] | None = (
        strawberry_django.filter_field()
    )
    ipv6_prefix_id: ID | None = strawberry_django.filter_field()
    vlan: Annotated["VLANFilter", strawberry.lazy("ipam.graphql.filters")] | None = (
        strawberry_django.filter_field()
    )
    vlan_id: ID | None = strawberry_django.filter_field()
    mtu: Annotated["IntegerLookup", strawberry.lazy("netbox.graphql.filter_lookups")] | None = (
        strawberry_django.filter_field()
    )
    peeringdb_id: Annotated["BigIntegerLookup", strawberry.lazy("netbox.graphql.filter_lookups")] | None = (
        strawberry_django.filter_field()
    )


@register_filter(models.PeeringConnection, lookups=True)
class PeeringConnectionFilter(PrimaryModelFilter):
    peering_network: (
        Annotated["PeeringNetworkFilter", strawberry.lazy("netbox_peering_manager.graphql.fabrics")] | None
    ) = strawberry_django.filter_field()
    peering_network_id: ID | None = strawberry_django.filter_field()
    interface: Annotated["InterfaceFilter", strawberry.lazy("dcim.graphql.filters")] | None = (
        strawberry_django.filter_field()
    )
    interface_id: ID | None = strawberry_django.filter_field()
    ipv4_address: Annotated["IPAddressFilter", strawberry.lazy("ipam.graphql.filters")] | None = (
        strawberry_django.filter_field()
    )
    ipv4_address_id: ID | None = strawberry_django.filter_field()
    ipv6_address: Annotated["IPAddressFilter", strawberry.lazy("ipam.graphql.filters")] | None = (
        strawberry_django.filter_field()
    )
    ipv6_address_id: ID | None = strawberry_django.filter_field()
    bgp_scope_id: ID | None = strawberry_django.filter_field()
    status: BaseFilterLookup[PeeringConnectionStatusEnum] | None = strawberry_django.filter_field()
    ipv4_peer_group_id: ID | None = strawberry_django.filter_field()
    ipv6_peer_group_id: ID | None = strawberry_django.filter_field()
    peeringdb_id: Annotated["BigIntegerLookup", strawberry.lazy("netbox.graphql.filter_lookups")] | None = (
        strawberry_django.filter_field()
    )


@register_type(models.PeeringFabric, fields="__all__", filters=PeeringFabricFilter, pagination=True)
class PeeringFabricType(ContactsMixin, PrimaryObjectType):
    site: Annotated["SiteType", strawberry.lazy("dcim.graphql.types")] | None
    tenant: Annotated["TenantType", strawberry.lazy("tenancy.graphql.types")] | None
    peer_group: Annotated["BGPPeerTemplateType", strawberry.lazy("netbox_routing.graphql.types")] | None
    peeringdb_id: BigInt | None
    networks: list[Annotated["PeeringNetworkType", strawberry.lazy("netbox_peering_manager.graphql.fabrics")]]


@register_type(models.PeeringNetwork, fields="__all__", filters=PeeringNetworkFilter, pagination=True)
class PeeringNetworkType(PrimaryObjectType):
    fabric: Annotated["PeeringFabricType", strawberry.lazy("netbox_peering_manager.graphql.fabrics")]
    ipv4_prefix: Annotated["PrefixType", strawberry.lazy("ipam.graphql.types")] | None
    ipv6_prefix: Annotated["PrefixType", strawberry.lazy("ipam.graphql.types")] | None
    vlan: Annotated["VLANType", strawberry.lazy("ipam.graphql.types")] | None
    peeringdb_id: BigInt | None
    connections: list[
        Annotated["PeeringConnectionType", strawberry.lazy("netbox_peering_manager.graphql.fabrics")]
    ]
    sessions: list[
        Annotated["PeeringSessionType", strawberry.lazy("netbox_peering_manager.graphql.sessions")]
    ]

    @strawberry_django.field(select_related=["fabric"], only=["name", "fabric__name"])
    def display(self) -> str:
        return str(self)


@register_type(models.PeeringConnection, fields="__all__", filters=PeeringConnectionFilter, pagination=True)
class PeeringConnectionType(PrimaryObjectType):
    peering_network: Annotated[
        "PeeringNetworkType", strawberry.lazy("netbox_peering_manager.graphql.fabrics")
    ]
    interface: Annotated["InterfaceType", strawberry.lazy("dcim.graphql.types")]
    ipv4_address: Annotated["IPAddressType", strawberry.lazy("ipam.graphql.types")] | None
    ipv6_address: Annotated["IPAddressType", strawberry.lazy("ipam.graphql.types")] | None
    bgp_scope: Annotated["BGPScopeType", strawberry.lazy("netbox_routing.graphql.types")] | None
    ipv4_peer_group: Annotated["BGPPeerTemplateType", strawberry.lazy("netbox_routing.graphql.types")] | None
    ipv6_peer_group: Annotated["BGPPeerTemplateType", strawberry.lazy("netbox_routing.graphql.types")] | None
    peeringdb_id: BigInt | None

    @strawberry_django.field(select_related=["peering_network__fabric", "interface__device"])
    def display(self) -> str:
        return str(self)


@strawberry.type(name="Query")
class PeeringFabricsQuery:
    peering_fabric: PeeringFabricType = strawberry_django.field()
    peering_fabric_list: list[PeeringFabricType] = strawberry_django.field()

    peering_network: PeeringNetworkType = strawberry_django.field()
    peering_network_list: list[PeeringNetworkType] = strawberry_django.field()

    peering_connection: PeeringConnectionType = strawberry_django.field()
    peering_connection_list: list[PeeringConnectionType] = strawberry_django.field()


schema = (PeeringFabricsQuery,)

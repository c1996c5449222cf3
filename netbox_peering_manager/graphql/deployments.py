"""
Area `deployments` in GraphQL.

What would be sent is in no type and no filter, not even encrypted. What a deployment says is null to who may not view
every session that it is about, and what is said of the router's neighbours to who may not view all of its sessions.
"""

from typing import TYPE_CHECKING, Annotated, Any

import strawberry
import strawberry_django
from django.db.models import F
from django.utils.translation import gettext as _
from strawberry.scalars import ID, JSON
from strawberry.types import Info
from strawberry_django import BaseFilterLookup, DatetimeFilterLookup, FilterLookup

from netbox.graphql.filters import PrimaryModelFilter, register_filter
from netbox.graphql.types import PrimaryObjectType, register_type

from ..choices import ConfigModeChoices, DeploymentKindChoices, DeploymentStatusChoices
from ..models import Deployment
from ..services.deployment.mentions import addresses_in
from ..services.deployment.rights import readable

if TYPE_CHECKING:
    from users.graphql.filters import UserFilter
    from users.graphql.types import UserType

    from .routers import PeeringRouterFilter, PeeringRouterType

DeploymentKindEnum = strawberry.enum(
    DeploymentKindChoices.as_enum(prefix="kind"), name="PeeringDeploymentKindEnum"
)
DeploymentStatusEnum = strawberry.enum(
    DeploymentStatusChoices.as_enum(prefix="status"), name="PeeringDeploymentStatusEnum"
)
DeploymentModeEnum = strawberry.enum(
    ConfigModeChoices.as_enum(prefix="mode"), name="PeeringDeploymentModeEnum"
)


# Not to everybody who may view the deployment.
HIDDEN = ("masked_text", "masked_diff", "reason", "sessions_before", "sessions_after")


def readable_by(info: Info) -> Any:
    """Whether who asks may read the deployment, as an annotation."""
    return readable(info.context.request.user)


def whole_readable_by(info: Info) -> Any:
    """Whether who asks may view all sessions of its router, as an annotation."""
    return readable(info.context.request.user, whole=True)


@register_filter(Deployment, lookups=True)
class DeploymentFilter(PrimaryModelFilter):
    """Not by what is HIDDEN: trying words would tell what it says."""

    router: (
        Annotated["PeeringRouterFilter", strawberry.lazy("netbox_peering_manager.graphql.routers")] | None
    ) = strawberry_django.filter_field()
    router_id: ID | None = strawberry_django.filter_field()
    kind: BaseFilterLookup[DeploymentKindEnum] | None = strawberry_django.filter_field()
    status: BaseFilterLookup[DeploymentStatusEnum] | None = strawberry_django.filter_field()
    mode: BaseFilterLookup[DeploymentModeEnum] | None = strawberry_django.filter_field()
    partial: FilterLookup[bool] | None = strawberry_django.filter_field()
    automatic: FilterLookup[bool] | None = strawberry_django.filter_field()
    own_credentials: FilterLookup[bool] | None = strawberry_django.filter_field()
    requested_by: Annotated["UserFilter", strawberry.lazy("users.graphql.filters")] | None = (
        strawberry_django.filter_field()
    )
    requested_by_id: ID | None = strawberry_django.filter_field()
    approved_by: Annotated["UserFilter", strawberry.lazy("users.graphql.filters")] | None = (
        strawberry_django.filter_field()
    )
    approved_by_id: ID | None = strawberry_django.filter_field()
    scheduled: DatetimeFilterLookup | None = strawberry_django.filter_field()
    sent: DatetimeFilterLookup | None = strawberry_django.filter_field()
    ended: DatetimeFilterLookup | None = strawberry_django.filter_field()


@register_type(
    Deployment,
    exclude=["encrypted_text", "text_digest", "diff_digest", "batch", *HIDDEN],
    filters=DeploymentFilter,
    pagination=True,
)
class DeploymentType(PrimaryObjectType):
    router: Annotated["PeeringRouterType", strawberry.lazy("netbox_peering_manager.graphql.routers")]
    requested_by: Annotated["UserType", strawberry.lazy("users.graphql.types")] | None
    approved_by: Annotated["UserType", strawberry.lazy("users.graphql.types")] | None
    released_by: Annotated["UserType", strawberry.lazy("users.graphql.types")] | None

    @strawberry_django.field(
        annotate={"readable": readable_by}, only=["masked_text"], graphql_type=str | None
    )
    def masked_text(self) -> str | None:
        return self.masked_text if self.readable else None

    @strawberry_django.field(
        annotate={"readable": readable_by}, only=["masked_diff"], graphql_type=str | None
    )
    def masked_diff(self) -> str | None:
        return self.masked_diff if self.readable else None

    @strawberry_django.field(annotate={"readable": readable_by}, only=["reason"], graphql_type=str | None)
    def reason(self) -> str | None:
        return self.reason if self.readable or not addresses_in(self.reason) else None

    @strawberry_django.field(
        annotate={"readable_whole": whole_readable_by}, only=["sessions_before"], graphql_type=JSON | None
    )
    def sessions_before(self) -> JSON | None:
        return self.sessions_before if self.readable_whole else None

    @strawberry_django.field(
        annotate={"readable_whole": whole_readable_by}, only=["sessions_after"], graphql_type=JSON | None
    )
    def sessions_after(self) -> JSON | None:
        return self.sessions_after if self.readable_whole else None

    # The name needs the device's. It comes as an annotation, since joining the router would hand it out whole, also to
    # who may not view it. A device without a name is called by its chassis or type: read row by row.
    @strawberry_django.field(annotate={"device_name": F("router__device__name")}, only=["kind", "router_id"])
    def display(self) -> str:
        if not (name := getattr(self, "device_name", None)):
            return str(self)
        return str(_("{kind} {pk} on {router}").format(kind=self.get_kind_display(), pk=self.pk, router=name))


@strawberry.type(name="Query")
class DeploymentsQuery:
    peering_deployment: DeploymentType = strawberry_django.field()
    peering_deployment_list: list[DeploymentType] = strawberry_django.field()


schema = (DeploymentsQuery,)

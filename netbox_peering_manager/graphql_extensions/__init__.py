"""
What the plugin adds to GraphQL types of NetBox. Loaded early: nothing of NetBox's GraphQL is imported here.

Each field shows what its user may view and nothing else. Lists cost a fixed number of queries: relations are
left to the query optimizer, which prefetches them by way of their type's restricted queryset.
"""

from typing import TYPE_CHECKING, Annotated, Self

import strawberry
import strawberry_django
from django.db.models import F, Prefetch
from strawberry.types import Info

from netbox_routing.models import BGPRouter
from utilities.querysets import RestrictedQuerySet

from ..models import PeeringSession
from ..querysets import PeeringSessionQuerySet

if TYPE_CHECKING:
    from ..graphql.fabrics import PeeringConnectionType
    from ..graphql.peers import PeerASNType
    from ..graphql.routers import PeeringRouterType
    from ..graphql.sessions import PeeringSessionType


class RoutersWithSessions(RestrictedQuerySet):
    """
    BGP routers, each with the sessions that it has of `sessions` as `visible_sessions`, loaded at once for all.

    No prefetch by way of scope and peer: Django gives each session the BGPPeer that it came by, with which the query's
    own `bgp_peer` would be answered, unrestricted and field by field.
    """

    sessions: PeeringSessionQuerySet | None = None

    def _clone(self) -> Self:
        clone = super()._clone()
        clone.sessions = self.sessions
        return clone

    def _fetch_all(self) -> None:
        if self._result_cache is None:
            super()._fetch_all()
            self._attach_sessions({router.pk: router for router in self._result_cache})
        super()._fetch_all()

    def _attach_sessions(self, routers: dict[int, BGPRouter]) -> None:
        for router in routers.values():
            router.visible_sessions = []
        found = self.sessions.filter(bgp_peer__scope__router__in=routers)
        for session in found.annotate(bgp_router_id=F("bgp_peer__scope__router_id")):
            routers[session.bgp_router_id].visible_sessions.append(session)


def sessions_of_devices(info: Info) -> Prefetch:
    """Prefetch BGP routers of devices, with those sessions that the user may view and what was asked of them."""
    from netbox.graphql.optimization import optimize_prefetch_queryset

    routers = RoutersWithSessions(BGPRouter).only("assigned_object_type", "assigned_object_id")
    routers.sessions = optimize_prefetch_queryset(
        PeeringSession.objects.restrict(info.context.request.user, "view"), info
    )
    return Prefetch("bgp_router", queryset=routers, to_attr="peering_bgp_routers")


@strawberry.type
class ASNExtension:
    models = ("ipam.asn",)

    peer_asn: Annotated["PeerASNType", strawberry.lazy("netbox_peering_manager.graphql.peers")] | None = (
        strawberry_django.field()
    )


@strawberry.type
class DeviceExtension:
    models = ("dcim.device",)

    peering_router: (
        Annotated["PeeringRouterType", strawberry.lazy("netbox_peering_manager.graphql.routers")] | None
    ) = strawberry_django.field()

    @strawberry_django.field(prefetch_related=sessions_of_devices)
    def peering_sessions(
        self,
    ) -> list[Annotated["PeeringSessionType", strawberry.lazy("netbox_peering_manager.graphql.sessions")]]:
        # An error where nothing was prefetched, and with reason: nothing was restricted then either.
        return [session for router in self.peering_bgp_routers for session in router.visible_sessions]


@strawberry.type
class InterfaceExtension:
    models = ("dcim.interface",)

    peering_connections: list[
        Annotated["PeeringConnectionType", strawberry.lazy("netbox_peering_manager.graphql.fabrics")]
    ] = strawberry_django.field()


type_extensions = (ASNExtension, DeviceExtension, InterfaceExtension)

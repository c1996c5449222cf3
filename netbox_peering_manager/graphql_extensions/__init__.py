"""
What the plugin adds to GraphQL types of NetBox. Loaded early: nothing of NetBox's GraphQL is imported here.

Each field shows what its user may view and nothing else. Lists cost a fixed number of queries: relations are
left to the query optimizer, which prefetches them by way of their type's restricted queryset.
"""

from typing import TYPE_CHECKING, Annotated

import strawberry
import strawberry_django
from django.db.models import Prefetch
from strawberry.types import Info

from netbox_routing.models import BGPPeer, BGPRouter, BGPScope

from ..models import PeeringSession

if TYPE_CHECKING:
    from ..graphql.fabrics import PeeringConnectionType
    from ..graphql.peers import PeerASNType
    from ..graphql.routers import PeeringRouterType
    from ..graphql.sessions import PeeringSessionType


def sessions_of_devices(info: Info) -> Prefetch:
    """
    Prefetch from devices to the sessions on their BGP routers that the user may view.

    Each hop on the way loads keys alone. What the request asks of a session is left to NetBox's optimizer.
    """
    from netbox.graphql.optimization import optimize_prefetch_queryset

    sessions = PeeringSession.objects.restrict(info.context.request.user, "view")
    to_sessions = Prefetch("peering_session", queryset=optimize_prefetch_queryset(sessions, info))
    peers = BGPPeer.objects.filter(peering_session__in=sessions.order_by().values("pk"))
    to_peers = Prefetch("peers", queryset=peers.only("scope").prefetch_related(to_sessions))
    to_scopes = Prefetch("scopes", queryset=BGPScope.objects.only("router").prefetch_related(to_peers))
    routers = BGPRouter.objects.only("assigned_object_type", "assigned_object_id").prefetch_related(to_scopes)
    return Prefetch("bgp_router", queryset=routers)


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
        peers = [
            peer
            for router in self.bgp_router.all()
            for scope in router.scopes.all()
            for peer in scope.peers.all()
        ]
        return [peer.peering_session for peer in peers]


@strawberry.type
class InterfaceExtension:
    models = ("dcim.interface",)

    peering_connections: list[
        Annotated["PeeringConnectionType", strawberry.lazy("netbox_peering_manager.graphql.fabrics")]
    ] = strawberry_django.field()


type_extensions = (ASNExtension, DeviceExtension, InterfaceExtension)

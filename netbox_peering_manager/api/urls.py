"""
REST addresses, below /api/plugins/peering-manager/; render-config also below /api/plugins/bgp/, where scripts
written for netbox-bgp's address look for it, while that plugin is not there to answer itself.
"""

from django.apps import apps
from django.urls import include, path

from netbox.api.routers import NetBoxRouter

from .views import (
    deployments,
    fabrics,
    fabrics_peeringdb,
    fleet,
    peeringdb,
    peeringdb_drift,
    peers,
    peers_hidden,
    polls,
    routers,
    sessions,
    states,
    takeover,
)
from .views.deployments_asking import (
    AdminDownView,
    AdminUpView,
    ConfigureRouterView,
    ConfigureSessionsView,
    ConfigureSessionView,
    RunCommandsView,
)
from .views.fabrics_peeringdb import ImportPresenceView
from .views.fleet import DeployRoutersView, RouterDriftView
from .views.peeringdb import PeeringDBSyncNowView
from .views.peers_candidates import AvailablePeersView, AvailableSessionsView
from .views.rendering import RenderConfigView
from .views.sessions_add import (
    AddedSessionsView,
    AddSessionsOfFabricView,
    AddSessionsOfPeerView,
    AddSessionsView,
)
from .views.sessions_removed import RemovedSessionsView, RemoveSessionsView
from .views.states import SessionHistoryView

app_name = "netbox_peering_manager"

router = NetBoxRouter()
for prefix, viewset in (
    *fabrics.routes,
    *fabrics_peeringdb.routes,
    *peers.routes,
    *peers_hidden.routes,
    *sessions.routes,
    *routers.routes,
    *fleet.routes,
    *states.routes,
    *deployments.routes,
    *peeringdb.routes,
    *peeringdb_drift.routes,
):
    router.register(prefix, viewset)

render_config = path("render-config/", RenderConfigView.as_view(), name="render-config")
urlpatterns = [
    render_config,
    path("fabrics/import-presence/", ImportPresenceView.as_view(), name="fabric-import-presence"),
    path("fabrics/<int:pk>/available-peers/", AvailablePeersView.as_view(), name="fabric-available-peers"),
    path(
        "peer-asns/<int:pk>/available-sessions/",
        AvailableSessionsView.as_view(),
        name="peer-asn-available-sessions",
    ),
    path("sessions/add-selected/", AddSessionsView.as_view(), name="session-add-selected"),
    path("sessions/add-selected/<int:pk>/", AddedSessionsView.as_view(), name="session-added"),
    path("sessions/<int:pk>/history/", SessionHistoryView.as_view(), name="session-history"),
    path("fabrics/<int:pk>/add-sessions/", AddSessionsOfFabricView.as_view(), name="fabric-add-sessions"),
    path("peer-asns/<int:pk>/add-sessions/", AddSessionsOfPeerView.as_view(), name="peer-asn-add-sessions"),
    path("routers/<int:pk>/configure/", ConfigureRouterView.as_view(), name="router-configure"),
    path("routers/<int:pk>/commands/", RunCommandsView.as_view(), name="router-commands"),
    path("routers/<int:pk>/removed-sessions/", RemovedSessionsView.as_view(), name="router-removed-sessions"),
    path("routers/<int:pk>/remove-sessions/", RemoveSessionsView.as_view(), name="router-remove-sessions"),
    path("sessions/configure/", ConfigureSessionsView.as_view(), name="sessions-configure"),
    path("sessions/<int:pk>/configure/", ConfigureSessionView.as_view(), name="session-configure"),
    path("sessions/<int:pk>/admin-up/", AdminUpView.as_view(), name="session-admin-up"),
    path("sessions/<int:pk>/admin-down/", AdminDownView.as_view(), name="session-admin-down"),
    path("routers/deploy/", DeployRoutersView.as_view(), name="routers-deploy"),
    path("routers/<int:pk>/drift/", RouterDriftView.as_view(), name="router-drift"),
    *polls.urls,
    *takeover.urls,
    path("peeringdb/sync/", PeeringDBSyncNowView.as_view(), name="peeringdb-sync"),
    *router.urls,
]


def answer_for_netbox_bgp(patterns: list) -> None:
    """Add render-config below bgp/ to `patterns`, those of all plugins, unless netbox-bgp is installed."""
    if not apps.is_installed("netbox_bgp"):
        patterns.append(path("bgp/", include(([render_config], f"{app_name}-bgp"))))


# At the end: that module imports this one, and needs `urlpatterns` to be there.
from netbox.plugins.urls import plugin_api_patterns  # noqa: E402

answer_for_netbox_bgp(plugin_api_patterns)

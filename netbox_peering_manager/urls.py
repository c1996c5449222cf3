"""UI addresses, below /plugins/peering-manager/. Each model's are gathered from the views that it registered."""

from django.urls import include, path

from utilities.urls import get_model_urls

from . import views  # registers the views

APP = "netbox_peering_manager"

MODELS = {
    "fabrics": "peeringfabric",
    "networks": "peeringnetwork",
    "connections": "peeringconnection",
    "peer-asns": "peerasn",
    "hidden-peers": "hiddenpeer",
    "relationships": "relationship",
    "sessions": "peeringsession",
    "routers": "peeringrouter",
    "unknown-neighbors": "unknownneighbor",
    "deployments": "deployment",
    "deployment-batches": "deploymentbatch",
    "peeringdb/drift": "peeringdbdrift",
    "peeringdb/refused": "peeringdbrefusedrow",
    "peeringdb/syncs": "peeringdbsync",
}

urlpatterns = [
    path("jobs/<int:pk>/progress/", views.jobs.JobProgressView.as_view(), name="job_progress"),
    path("overview/", views.overview.OverviewView.as_view(), name="overview"),
    path("polls/", views.polls.PollsView.as_view(), name="polls"),
    path("peer-ranking/", views.peers_candidates.PeerRankingView.as_view(), name="peer_ranking"),
    path("configuration-drift/", views.drift.ConfigurationDriftView.as_view(), name="configuration_drift"),
    path("peeringdb/", views.peeringdb.PeeringDBPage.as_view(), name="peeringdb"),
    path("peeringdb/sync/", views.peeringdb.SyncView.as_view(), name="peeringdb_sync"),
    path("peeringdb/test-key/", views.peeringdb.TestKeyView.as_view(), name="peeringdb_test_key"),
    path("peeringdb/compare/", views.peeringdb_drift.RefreshDriftView.as_view(), name="peeringdb_compare"),
    *(
        pattern
        for prefix, model in MODELS.items()
        for pattern in (
            path(f"{prefix}/", include(get_model_urls(APP, model, detail=False))),
            path(f"{prefix}/<int:pk>/", include(get_model_urls(APP, model))),
        )
    ),
]

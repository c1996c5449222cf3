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
}

urlpatterns = [
    path("jobs/<int:pk>/progress/", views.jobs.JobProgressView.as_view(), name="job_progress"),
    *(
        pattern
        for prefix, model in MODELS.items()
        for pattern in (
            path(f"{prefix}/", include(get_model_urls(APP, model, detail=False))),
            path(f"{prefix}/<int:pk>/", include(get_model_urls(APP, model))),
        )
    ),
]

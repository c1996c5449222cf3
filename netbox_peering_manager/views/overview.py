"""The overview: all sessions at a glance, and what needs attention."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import View

from utilities.views import ContentTypePermissionRequiredMixin

from ..models import PeeringSession
from ..services.monitoring.overview import overview
from ..tables.states import state_badge, state_of
from ..ui import overview as ui
from ..ui.polls import PollList


class OverviewView(ContentTypePermissionRequiredMixin, View):
    """For who may view sessions; each part shows what one may view of it."""

    def get_required_permission(self) -> str:
        return "netbox_peering_manager.view_peeringsession"

    def get(self, request: HttpRequest) -> HttpResponse:
        found = overview(request.user)
        fabrics, more_fabrics = ui.drawn_groups(found.fabrics, "fabric_id")
        relationships, more_relationships = ui.drawn_groups(found.relationships, "relationship_id")
        return render(
            request,
            "netbox_peering_manager/overview.html",
            {
                "overview": found,
                "model": PeeringSession,
                "actions": (PollList,),
                "bar": ui.segments(found.states),
                "fabrics": fabrics,
                "more_fabrics": more_fabrics,
                "relationships": relationships,
                "more_relationships": more_relationships,
                "attention": ui.attention(found.lists),
                "down": [
                    (session, state_badge(state_of(session), with_time=False)) for session in found.down
                ],
                "near": [(session, ui.nearest(session)) for session in found.near],
                "transitions": [(change, ui.change_badges(change)) for change in found.transitions],
            },
        )

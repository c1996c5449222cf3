"""What the pages about PeeringDB have in common: who may see them, and the buttons of those who may sync."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views import View

from utilities.views import ContentTypePermissionRequiredMixin

from ..services.permissions import is_unconstrained

APP = "netbox_peering_manager"
VIEW, SYNC = f"{APP}.view_peeringdbsync", f"{APP}.sync_peeringdbsync"


class Button(ContentTypePermissionRequiredMixin, View):
    """Base of the page's buttons: by POST, for who may sync. A constraint has nothing here to be held against."""

    http_method_names = ["post"]

    def get_required_permission(self) -> str:
        return SYNC

    def has_permission(self) -> bool:
        return is_unconstrained(self.request.user, SYNC)

    def post(self, request: HttpRequest) -> HttpResponse:
        self.act(request)
        return redirect("plugins:netbox_peering_manager:peeringdb")

    def act(self, request: HttpRequest) -> None:
        """Do what the button says, and leave a message."""
        raise NotImplementedError

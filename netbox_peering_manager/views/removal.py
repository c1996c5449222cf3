"""Area `routers`: taking deleted sessions off a router now."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from netbox.views.generic.base import BaseObjectView
from utilities.views import register_model_view

from ..jobs.deployments import DeploymentJob
from ..models import PeeringRouter
from ..services.deployment import together
from ..ui.drift_routers import removed_of

APP = "netbox_peering_manager"


@register_model_view(PeeringRouter, "remove_sessions", path="remove-sessions")
class RemoveSessionsView(BaseObjectView):
    """
    Make and start a deployment that removes the ticked sessions, by the ids in `removed`.

    Nothing ticked removes nothing: every box of the panel is ticked until somebody takes the ticks away.
    """

    queryset = PeeringRouter.objects.with_access()
    additional_permissions = (f"{APP}.add_deployment", f"{APP}.commit_deployment")

    def get_required_permission(self) -> str:
        return f"{APP}.view_peeringrouter"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return HttpResponseNotAllowed(["POST"])

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        router = self.get_object(pk=pk)
        wanted = {int(each) for each in request.POST.getlist("removed") if each.isdecimal()}
        removed = [row.pk for row in removed_of(router, request.user) if row.pk in wanted]
        if not removed:
            text = _("Nothing was removed from {router}: tick at least one session that is still listed.")
            messages.warning(request, text.format(router=router))
            return redirect(router.get_absolute_url())
        asked = together.remove_sessions(removed, request.user)
        for refused in asked.refused:
            messages.error(request, refused.reason)
        for deployment in asked.deployments:
            DeploymentJob.start(deployment, request.user)
            return redirect(deployment.get_absolute_url())
        return redirect(router.get_absolute_url())

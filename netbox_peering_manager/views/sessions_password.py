"""Area `sessions`: revealing a session's password, and taking one out of the plain column of its BGPPeer."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from core.signals import clear_events
from netbox.views.generic.base import BaseObjectView
from utilities.exceptions import AbortRequest
from utilities.views import register_model_view

from ..exceptions import SecretError
from ..models import PeeringSession
from ..services import secrets
from ..ui.sessions import may_move_password


@register_model_view(PeeringSession, "reveal_password", path="reveal-password")
class RevealPasswordView(BaseObjectView):
    """
    Return the password in a fragment of HTML that no cache keeps; by POST, so that no link and no prefetch
    does.
    """

    queryset = PeeringSession.objects.with_bgp()

    def get_required_permission(self):
        return secrets.PERMISSION

    def get(self, request, pk):
        return HttpResponseNotAllowed(["POST"])

    def post(self, request, pk):
        self.queryset = self.queryset.restrict(request.user, "view")
        session = self.get_object(pk=pk)
        context = {}
        try:
            context["password"] = secrets.reveal_password(session)
        except SecretError as error:
            context["error"] = str(error)
        response = render(request, "netbox_peering_manager/sessions/revealed.html", context)
        response["Cache-Control"] = "no-store"
        return response


@register_model_view(PeeringSession, "move_password", path="move-password")
class MovePasswordView(BaseObjectView):
    """Take the password out of the BGPPeer's plain column. Needs the right to change both."""

    queryset = PeeringSession.objects.with_bgp()

    def get_required_permission(self):
        return "netbox_peering_manager.change_peeringsession"

    def get(self, request, pk):
        return HttpResponseNotAllowed(["POST"])

    def post(self, request, pk):
        session = self.get_object(pk=pk)
        if not may_move_password(request.user, session):
            raise PermissionDenied
        try:
            secrets.move_clear_password(session)
        except SecretError as error:
            messages.error(request, str(error))
        except AbortRequest as error:
            clear_events.send(sender=self)
            messages.error(request, error.message)
        else:
            messages.success(
                request,
                _("The password of {session} lies no longer in clear on its BGP peer.").format(
                    session=session
                ),
            )
        return redirect(session.get_absolute_url())

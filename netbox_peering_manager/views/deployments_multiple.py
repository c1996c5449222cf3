"""Area `deployments`: configuring several sessions of a peer at once, over all exchanges, now or at a time."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from core.signals import clear_events
from netbox.views.generic.base import BaseObjectView
from utilities.exceptions import AbortRequest
from utilities.views import register_model_view

from ..exceptions import ProvisioningError
from ..forms.deployments import ScheduleForm
from ..models import PeerASN, PeeringSession
from ..services.provisioning.candidates import available_ports
from ..services.provisioning.rearrange import Arrangement, rearrange
from ..ui import deployments_multiple as ui
from ..ui.napalm import why_no_napalm
from .deployments_asking import ADD, APP, configure, page_of, tell
from .peers_candidates import SEES
from .peers_selection import shown

TEMPLATE = f"{APP}/deployments/multiple.html"


class _Unknown(Exception):
    """Something was posted that the page did not offer."""


@register_model_view(PeerASN, "configure_sessions", path="configure-sessions")
class ConfigureMultipleView(BaseObjectView):
    """The sessions by exchange, with what may be changed of them; then one deployment for each router."""

    queryset = PeerASN.objects.select_related("asn")
    additional_permissions = (ADD, f"{APP}.view_peeringsession")

    def get_required_permission(self) -> str:
        return f"{APP}.view_peerasn"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        peer = self.get_object(pk=pk)
        return self._show(request, peer, ui.sessions_of(peer, request.user), ScheduleForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        peer = self.get_object(pk=pk)
        sessions = ui.sessions_of(peer, request.user)
        is_later = "_schedule" in request.POST
        form = ScheduleForm(request.POST if is_later else None)
        chosen = [one for one in sessions if str(one.pk) in request.POST.getlist("pk")]
        if not chosen:
            messages.warning(request, _("No peering sessions were selected."))
            return self._show(request, peer, sessions, form)
        if is_later and not form.is_valid():
            return self._show(request, peer, sessions, form)
        try:
            rearrange(self._wanted(chosen, request), request.user)
        except _Unknown:
            messages.error(request, _("Something that you chose is no longer there: choose again."))
        except ProvisioningError as error:
            clear_events.send(sender=self)
            messages.error(request, str(error))
        except AbortRequest as error:
            clear_events.send(sender=self)
            messages.error(request, error.message)
        else:
            when = form.cleaned_data["scheduled"] if is_later else None
            return self._ask(request, peer, chosen, when)
        return self._show(request, peer, sessions, form)

    @staticmethod
    def _ask(
        request: HttpRequest, peer: PeerASN, chosen: Sequence[PeeringSession], when: Any
    ) -> HttpResponse:
        asked = configure(request, [one.pk for one in chosen], automatic=when is None, scheduled=when)
        tell(request, asked)
        return redirect(page_of(asked) or peer.get_absolute_url())

    def _wanted(self, sessions: Sequence[PeeringSession], request: HttpRequest) -> dict[int, Arrangement]:
        choice = ui.offered(sessions, request.user)
        return {
            session.pk: Arrangement(
                relationship=self._chosen(
                    request, "relationship", session.pk, choice.relationships, session.relationship
                ),
                peer_group=self._chosen(
                    request, "peer_group", session.pk, choice.peer_groups, session.bgp_peer.peer_group
                ),
                connection=self._chosen(request, "connection", session.pk, choice.connections, None),
            )
            for session in sessions
        }

    @staticmethod
    def _chosen(request: HttpRequest, name: str, pk: int, rows: Mapping[int, Any], present: Any) -> Any:
        """What was chosen; a field that was not posted leaves what there is."""
        value = request.POST.get(f"{name}-{pk}")
        if value is None:
            return present
        if value == "":
            return None if name != "relationship" else present
        if present is not None and value == str(present.pk):
            return present
        if not value.isdecimal() or int(value) not in rows:
            raise _Unknown
        return rows[int(value)]

    @staticmethod
    def _show(
        request: HttpRequest, peer: PeerASN, sessions: Sequence[PeeringSession], form: ScheduleForm
    ) -> HttpResponse:
        exchanges = ui.exchanges_of(
            sessions,
            ui.offered(sessions, request.user),
            request.user,
            request.POST,
            request.POST.getlist("pk"),
        )
        context = {
            "object": peer,
            "exchanges": exchanges,
            "form": form,
            "why_no_napalm": why_no_napalm(),
            "more": more_exchanges(peer, request),
            "may_commit": request.user.has_perm(f"{APP}.commit_deployment"),
            "return_url": peer.get_absolute_url(),
        }
        return render(request, TEMPLATE, context)


def more_exchanges(peer: PeerASN, request: HttpRequest) -> int:
    """Return on how many exchanges a session with this peer is missing, as its tab Available Sessions lists them."""
    if peer.affiliated or not request.user.has_perms(SEES):
        return 0
    ports = shown(available_ports(request.user, asn=peer), request)
    return int(ports.order_by().values("fabric_id").distinct().count())

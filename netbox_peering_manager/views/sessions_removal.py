"""Area `sessions`: taking sessions off their routers when they are deleted."""

from collections.abc import Sequence

import netaddr
from django.contrib import messages
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _

from utilities.jobs import is_background_request

from ..models import PeeringRouter, PeeringSession, RemovedSession
from ..services.deployment import together
from .deployments_asking import ADD, COMMIT, link_to, start

__all__ = ("may_remove_now", "neighbors_of", "remove_now")

# Device, VRF ("": none), address, and the interface of a link-local one, which means nothing without it.
type Neighbor = tuple[int, str, str, str]


def may_remove_now(user, sessions: Sequence[PeeringSession]) -> bool:
    """Whether any of these is to be removed from a router that something may be sent to, by this user."""
    if not user.has_perms((ADD, COMMIT)):
        return False
    wanted = [each.device for each in sessions if each.relationship.remove_from_router]
    devices = {device.pk for device in wanted if device is not None}
    routers = PeeringRouter.objects.restrict(user, "view").filter(device__in=devices, push_enabled=True)
    return bool(devices) and routers.exists()


def neighbors_of(sessions: Sequence[PeeringSession]) -> list[Neighbor]:
    """Return by what sessions are known once they are gone. One query, for those with a link-local address."""
    hosts = {session.pk: netaddr.IPNetwork(str(session.bgp_peer.peer.address)).ip for session in sessions}
    local = [pk for pk, host in hosts.items() if host.is_link_local()]
    known = PeeringSession.objects.with_local_interface().filter(pk__in=local).order_by()
    interfaces = dict(known.values_list("pk", "local_interface")) if local else {}
    return [
        (
            session.device.pk if session.device else 0,
            session.bgp_peer.scope.vrf.name if session.bgp_peer.scope.vrf else "",
            str(hosts[session.pk]),
            interfaces.get(session.pk, ""),
        )
        for session in sessions
    ]


def remove_now(request: HttpRequest, gone: Sequence[Neighbor]) -> None:
    """Ask for the deployments that remove these, start them, and tell where they are."""
    if not gone:
        return
    removed = RemovedSession.objects.of_neighbors(gone).order_by().values_list("pk", flat=True)
    asked = together.remove_sessions(list(removed), request.user)
    start(asked, request.user)
    if is_background_request(request):
        for refused in asked.refused:
            request.job.logger.warning(refused.reason)
        return
    for refused in asked.refused:
        messages.warning(
            request,
            _("The router still has it: {reason}").format(reason=refused.reason),
        )
    if asked.deployments:
        messages.info(
            request, format_html(_("It is being removed from the router: {link}"), link=link_to(asked))
        )

"""Area `sessions`: taking sessions off their routers when they are deleted."""

from collections.abc import Sequence

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _

from utilities.jobs import is_background_request

from ..models import PeeringRouter, PeeringSession, RemovedSession
from ..services.deployment import together
from .deployments_asking import ADD, COMMIT, link_to, start

__all__ = ("may_remove_now", "neighbor_of", "remove_now")

# Device, VRF ("": none) and address.
type Neighbor = tuple[int, str, str]


def may_remove_now(user, sessions: Sequence[PeeringSession]) -> bool:
    """Whether any of these is to be removed from a router that something may be sent to, by this user."""
    if not user.has_perms((ADD, COMMIT)):
        return False
    wanted = [each.device for each in sessions if each.relationship.remove_from_router]
    devices = {device.pk for device in wanted if device is not None}
    routers = PeeringRouter.objects.restrict(user, "view").filter(device__in=devices, push_enabled=True)
    return bool(devices) and routers.exists()


def neighbor_of(session: PeeringSession) -> Neighbor:
    """Return by what a session is known once it is gone."""
    peer = session.bgp_peer
    device = session.device
    return (
        device.pk if device else 0,
        peer.scope.vrf.name if peer.scope.vrf else "",
        str(peer.peer.address).split("/")[0],
    )


def remove_now(request: HttpRequest, gone: Sequence[Neighbor]) -> None:
    """Ask for the deployments that remove these, start them, and tell where they are."""
    if not gone:
        return
    wanted = Q(pk__in=())
    for device, vrf, remote_ip in gone:
        wanted |= Q(device=device, vrf=vrf, remote_ip=remote_ip)
    removed = RemovedSession.objects.filter(wanted).order_by().values_list("pk", flat=True)
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

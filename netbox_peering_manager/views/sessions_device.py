"""
Area `sessions`: the tab "Peering" of a device: its sessions, and those that its router still has to forget.
"""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseNotAllowed
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from dcim.models import Device
from netbox.context import current_request
from netbox.object_actions import BulkDelete, BulkEdit
from netbox.views import generic
from netbox.views.generic.base import BaseObjectView
from netbox_routing.models import BGPRouter
from utilities.views import ViewTab, get_action_url, register_model_view

from .. import filtersets, tables
from ..forms import PeeringSessionFilterForm
from ..models import PeeringRouter, PeeringSession, RemovedSession
from ..services.permissions import is_unconstrained
from ..services.provisioning.removal import forget_removed

VIEW = "netbox_peering_manager.view_peeringsession"
DELETE = "netbox_peering_manager.delete_peeringsession"


def sees_all_sessions(user) -> bool:
    """
    Whether `user` may view sessions without constraints.

    A removed session is plain values, which no constraint can be held against: only those who see all see
    them.
    """
    return is_unconstrained(user, VIEW)


def has_bgp_router(device: Device) -> bool:
    return BGPRouter.objects.filter(device=device).exists()


class PeeringTab(ViewTab):
    """
    Shown on devices that have something to do with peering; the badge counts the sessions that the user sees.
    """

    def __init__(self):
        super().__init__(
            label=gettext_lazy("Peering"),
            visible=self._concerns,
            badge=self._count,
            weight=2100,
            permission=VIEW,
        )

    @staticmethod
    def _concerns(device: Device) -> bool:
        return (
            has_bgp_router(device)
            or PeeringRouter.objects.filter(device=device).exists()
            or RemovedSession.objects.filter(device=device).exists()
        )

    @staticmethod
    def _count(device: Device) -> int:
        request = current_request.get()
        sessions = PeeringSession.objects.for_device(device)
        return sessions.restrict(request.user, "view").count() if request else 0


@register_model_view(Device, "peering_sessions", path="peering")
class DevicePeeringView(generic.ObjectChildrenView):
    queryset = Device.objects.all()
    child_model = PeeringSession
    table = tables.DevicePeeringSessionTable
    filterset = filtersets.PeeringSessionFilterSet
    filterset_form = PeeringSessionFilterForm
    actions = (BulkEdit, BulkDelete)
    template_name = "netbox_peering_manager/sessions/device_sessions.html"
    tab = PeeringTab()
    additional_permissions = (VIEW,)

    def get_children(self, request, parent):
        sessions = PeeringSession.objects.restrict(request.user, "view").for_device(parent)
        return sessions.with_bgp().with_state()

    def get_extra_context(self, request, instance):
        visible = sees_all_sessions(request.user)
        return {
            "has_bgp_router": has_bgp_router(instance),
            "removed": list(RemovedSession.objects.filter(device=instance).still_removed())
            if visible
            else [],
            "may_forget": visible and request.user.has_perm(DELETE),
        }


@register_model_view(Device, "forget_removed_sessions", path="peering/forget-removed")
class ForgetRemovedView(BaseObjectView):
    """The router no longer has its removed sessions: forget them. By POST."""

    queryset = Device.objects.all()
    additional_permissions = (VIEW, DELETE)

    def get_required_permission(self):
        return "dcim.view_device"

    def get(self, request, pk):
        return HttpResponseNotAllowed(["POST"])

    def post(self, request, pk):
        device = self.get_object(pk=pk)
        if not sees_all_sessions(request.user):
            raise PermissionDenied
        count = forget_removed(device)
        messages.success(
            request,
            ngettext(
                "{device} has {count} removed session less to remember",
                "{device} has {count} removed sessions less to remember",
                count,
            ).format(device=device, count=count)
            if count
            else _("{device} had no removed sessions to remember").format(device=device),
        )
        return redirect(get_action_url(Device, action="peering_sessions", kwargs={"pk": pk}))

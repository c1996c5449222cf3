"""
Area `deployments`: asking for one by one click, on sessions, routers, peers, networks and fabrics; admin up and down.

Each by POST. What came of it leads to the deployment, or to all of them when several routers are concerned.
"""

from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.signals import clear_events
from netbox.views.generic.base import BaseMultiObjectView, BaseObjectView
from utilities.exceptions import AbortRequest
from utilities.views import GetReturnURLMixin, register_model_view

from .. import filtersets
from ..jobs.deployments import DeploymentJob
from ..jobs.fleet import start_batch
from ..models import PeerASN, PeeringFabric, PeeringNetwork, PeeringRouter, PeeringSession
from ..services.deployment import asking, together
from ..services.deployment.switching import switch_sessions

APP = "netbox_peering_manager"
ADD, COMMIT = f"{APP}.add_deployment", f"{APP}.commit_deployment"
LIST = f"plugins:{APP}:deployment_list"


def start(asked: together.Asked, user: Any) -> None:
    """Start the jobs of what was asked for."""
    for deployment in asked.deployments:
        DeploymentJob.start(deployment, user)


def page_of(asked: together.Asked) -> str:
    """Return the address of the deployment, or of all of them; "" when there is none."""
    if asked.batch is not None:
        return asked.batch.get_absolute_url()
    if not asked.deployments:
        return ""
    if len(asked.deployments) == 1:
        return asked.deployments[0].get_absolute_url()
    return f"{reverse(LIST)}?{urlencode({'id': [one.pk for one in asked.deployments]}, doseq=True)}"


def configure(request: HttpRequest, sessions: Collection[int], **wanted: Any) -> together.Asked:
    """
    Ask for these sessions, and start the work. Several routers are asked for in the background, so that nobody waits
    for all of them to be rendered.
    """
    places = together.places_of(sessions, request.user)
    if len(places.routers) > 1:
        batch = start_batch(places.routers, request.user, sessions_by_router=places.sessions, **wanted)
        return together.Asked(refused=places.refused(), batch=batch)
    asked = together.configure(places, request.user, **wanted)
    start(asked, request.user)
    return asked


def tell(request: HttpRequest, asked: together.Asked) -> None:
    """Tell what was refused, and how many deployments there are when they are several."""
    for refused in asked.refused[:5]:
        messages.error(request, refused.reason)
    if len(asked.refused) > 5:
        messages.error(request, _("{count} more refused.").format(count=len(asked.refused) - 5))
    if len(asked.deployments) > 1:
        text = ngettext("{count} deployment", "{count} deployments", len(asked.deployments))
        messages.success(request, text.format(count=len(asked.deployments)))


def link_to(asked: together.Asked) -> str:
    """Return a link for a message."""
    if asked.batch is not None:
        text = str(asked.batch)
    elif len(asked.deployments) == 1:
        text = str(asked.deployments[0])
    else:
        text = _("{count} deployments").format(count=len(asked.deployments))
    return format_html('<a href="{}">{}</a>', page_of(asked), text)


def configure_made(request: HttpRequest, sessions: Collection[int]) -> None:
    """Have sessions that were just made sent to their routers in the background, and tell where that is."""
    asked = configure(request, sessions, automatic=True)
    for refused in asked.refused:
        messages.warning(request, _("The router was not configured: {reason}").format(reason=refused.reason))
    if page_of(asked):
        messages.info(request, format_html(_("The router is being configured: {link}"), link=link_to(asked)))


class Asking(BaseObjectView):
    """Base: asks for the sessions of one object to be configured, or with `compare_only` to be compared."""

    # Of the model that the page is about; the sessions are restricted by the service.
    additional_permissions = (ADD,)

    def get_required_permission(self) -> str:
        return f"{APP}.view_{self.queryset.model._meta.model_name}"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return HttpResponseNotAllowed(["POST"])

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        instance = self.get_object(pk=pk)
        try:
            asked = self.ask(instance, request, automatic="compare_only" not in request.POST)
        except together.REFUSALS as error:
            messages.error(request, str(error))
            return redirect(instance.get_absolute_url())
        except AbortRequest as error:
            clear_events.send(sender=self)
            messages.error(request, error.message)
            return redirect(instance.get_absolute_url())
        tell(request, asked)
        return redirect(page_of(asked) or instance.get_absolute_url())

    def ask(self, instance: Any, request: HttpRequest, *, automatic: bool) -> together.Asked:
        sessions = list(self.sessions(instance).order_by().values_list("pk", flat=True))
        asked = configure(request, sessions, automatic=automatic)
        if not (asked.deployments or asked.refused or asked.batch):
            messages.warning(
                request, _("{object} has no sessions that you may view.").format(object=instance)
            )
        return asked

    def sessions(self, instance: Any) -> QuerySet:
        """Return the sessions of the object."""
        raise NotImplementedError


@register_model_view(PeeringSession, "configure", path="configure")
class SessionConfigureView(Asking):
    queryset = PeeringSession.objects.with_bgp()

    def sessions(self, instance: PeeringSession) -> QuerySet:
        return PeeringSession.objects.filter(pk=instance.pk)


@register_model_view(PeeringRouter, "configure", path="configure")
class RouterConfigureView(Asking):
    """The whole router."""

    queryset = PeeringRouter.objects.with_access()

    def ask(self, instance: PeeringRouter, request: HttpRequest, *, automatic: bool) -> together.Asked:
        asked = together.Asked((asking.request(instance, request.user, automatic=automatic),))
        start(asked, request.user)
        return asked


@register_model_view(PeerASN, "configure", path="configure")
class PeerConfigureView(Asking):
    queryset = PeerASN.objects.select_related("asn")

    def sessions(self, instance: PeerASN) -> QuerySet:
        return PeeringSession.objects.for_remote_as(instance.asn_id)


@register_model_view(PeeringNetwork, "configure", path="configure")
class NetworkConfigureView(Asking):
    queryset = PeeringNetwork.objects.with_parents()

    def sessions(self, instance: PeeringNetwork) -> QuerySet:
        return PeeringSession.objects.filter(peering_network=instance)


@register_model_view(PeeringFabric, "configure", path="configure")
class FabricConfigureView(Asking):
    queryset = PeeringFabric.objects.all()

    def sessions(self, instance: PeeringFabric) -> QuerySet:
        return PeeringSession.objects.filter(peering_network__fabric=instance)


class Switching(Asking):
    """Base of admin up and admin down."""

    queryset = PeeringSession.objects.with_bgp()
    additional_permissions = (ADD, f"{APP}.change_peeringsession", "netbox_routing.change_bgppeer")
    enabled: bool

    def ask(self, instance: PeeringSession, request: HttpRequest, *, automatic: bool) -> together.Asked:
        asked = switch_sessions([instance.pk], request.user, enabled=self.enabled)
        start(asked, request.user)
        return asked


@register_model_view(PeeringSession, "admin_up", path="admin-up")
class AdminUpView(Switching):
    enabled = True


@register_model_view(PeeringSession, "admin_down", path="admin-down")
class AdminDownView(Switching):
    enabled = False


class OfSelected(GetReturnURLMixin, BaseMultiObjectView):
    """Base: does something with the selected sessions, or with all that match."""

    queryset = PeeringSession.objects.all()
    filterset = filtersets.PeeringSessionFilterSet
    additional_permissions: tuple[str, ...] = (ADD,)

    def get_required_permission(self) -> str:
        return f"{APP}.view_peeringsession"

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseNotAllowed(["POST"])

    def post(self, request: HttpRequest) -> HttpResponse:
        chosen = self._chosen(request)
        if not chosen:
            messages.warning(request, _("No peering sessions were selected."))
            return redirect(self.get_return_url(request))
        try:
            asked = self.ask(chosen, request)
        except together.REFUSALS as error:
            messages.error(request, str(error))
            return redirect(self.get_return_url(request))
        except AbortRequest as error:
            clear_events.send(sender=self)
            messages.error(request, error.message)
            return redirect(self.get_return_url(request))
        tell(request, asked)
        return redirect(page_of(asked) or self.get_return_url(request))

    def _chosen(self, request: HttpRequest) -> list[int]:
        if request.POST.get("_all"):
            found = self.filterset(request.GET, self.queryset, request=request).qs
        else:
            found = self.queryset.filter(pk__in=[pk for pk in request.POST.getlist("pk") if pk.isdecimal()])
        return list(found.order_by().values_list("pk", flat=True))

    def ask(self, chosen: Collection[int], request: HttpRequest) -> together.Asked:
        """Ask for it, and start the work."""
        raise NotImplementedError


@register_model_view(PeeringSession, "bulk_configure", path="configure", detail=False)
class ConfigureSelectedView(OfSelected):
    def ask(self, chosen: Collection[int], request: HttpRequest) -> together.Asked:
        return configure(request, chosen, automatic=True)


class SwitchSelected(OfSelected):
    additional_permissions = Switching.additional_permissions
    enabled: bool

    def ask(self, chosen: Collection[int], request: HttpRequest) -> together.Asked:
        asked = switch_sessions(chosen, request.user, enabled=self.enabled)
        start(asked, request.user)
        return asked


@register_model_view(PeeringSession, "bulk_admin_up", path="admin-up", detail=False)
class AdminUpSelectedView(SwitchSelected):
    enabled = True


@register_model_view(PeeringSession, "bulk_admin_down", path="admin-down", detail=False)
class AdminDownSelectedView(SwitchSelected):
    enabled = False

"""Area `deployments`: the Config Manager, on sessions and routers: commands that are sent once."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from extras.models import ConfigTemplate
from netbox.views.generic.base import BaseObjectView
from utilities.views import register_model_view

from ..choices import DeploymentKindChoices
from ..exceptions import RenderingError, SecretError
from ..forms.deployments_commands import CommandsForm
from ..jobs.deployments import DeploymentJob
from ..models import PeeringRouter, PeeringSession
from ..services.deployment import asking, together
from ..services.rendering.peering import render_peering
from ..ui.napalm import why_no_napalm

APP = "netbox_peering_manager"


@method_decorator(sensitive_post_parameters("commands", "password"), name="dispatch")
class ConfigManager(BaseObjectView):
    """Base: the form, and what is asked for with it."""

    template_name = f"{APP}/deployments/config_manager.html"
    additional_permissions = (f"{APP}.add_deployment", f"{APP}.run_commands_deployment")

    def get_required_permission(self) -> str:
        return f"{APP}.view_{self.queryset.model._meta.model_name}"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        instance = self.get_object(pk=pk)
        router = self.router(instance, request)
        if router is None:
            return self._without_router(request, instance)
        form = CommandsForm(initial={"commands": self.prefilled(instance, router, request.user)})
        return self._show(request, instance, router, form)

    @method_decorator(sensitive_variables())
    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        instance = self.get_object(pk=pk)
        router = self.router(instance, request)
        if router is None:
            return self._without_router(request, instance)
        form = CommandsForm(request.POST)
        if not form.is_valid():
            return self._show(request, instance, router, form)
        credentials = form.credentials()
        try:
            deployment = asking.request(
                router,
                request.user,
                kind=DeploymentKindChoices.COMMANDS,
                commands=form.cleaned_data["commands"],
                credentials=credentials,
                # What was typed is good for minutes and for one use.
                automatic=credentials is not None,
                reason=form.cleaned_data["reason"],
            )
        except together.REFUSALS as error:
            form.add_error(None, str(error))
            return self._show(request, instance, router, form)
        DeploymentJob.start(deployment, request.user)
        return redirect(deployment.get_absolute_url())

    def router(self, instance: Any, request: HttpRequest) -> PeeringRouter | None:
        """Return the router that commands would go to, None when there is none that the user may view."""
        raise NotImplementedError

    def prefilled(self, instance: Any, router: PeeringRouter, user: Any) -> str:
        """Return what the form begins with."""
        return ""

    def _without_router(self, request: HttpRequest, instance: Any) -> HttpResponse:
        messages.error(
            request,
            _("The device of {object} is no peering router, or none that you may view.").format(
                object=instance
            ),
        )
        return redirect(instance.get_absolute_url())

    def _show(
        self, request: HttpRequest, instance: Any, router: PeeringRouter, form: CommandsForm
    ) -> HttpResponse:
        context = {
            "object": instance,
            "router": router,
            "form": form,
            "why_no_napalm": why_no_napalm(),
            "return_url": instance.get_absolute_url(),
        }
        response = render(request, self.template_name, context)
        # The text may hold passwords.
        response["Cache-Control"] = "no-store"
        return response


@register_model_view(PeeringRouter, "config_manager", path="config-manager")
class RouterConfigManagerView(ConfigManager):
    queryset = PeeringRouter.objects.with_access()

    def router(self, instance: PeeringRouter, request: HttpRequest) -> PeeringRouter:
        return instance


@register_model_view(PeeringSession, "config_manager", path="config-manager")
class SessionConfigManagerView(ConfigManager):
    """Begins with what Configure would send for this session, passwords masked unless the user may see them."""

    queryset = PeeringSession.objects.with_bgp()

    def router(self, instance: PeeringSession, request: HttpRequest) -> PeeringRouter | None:
        if (device := instance.device) is None:
            return None
        visible = PeeringRouter.objects.restrict(request.user, "view").with_access()
        return visible.select_related("config_template").filter(device=device).first()

    def prefilled(self, instance: PeeringSession, router: PeeringRouter, user: Any) -> str:
        # To render is a permission of its own in NetBox.
        templates = ConfigTemplate.objects.restrict(user, "render")
        if (template := templates.filter(pk=router.config_template_id).first()) is None:
            return ""
        try:
            return render_peering(
                template, device=router.device_id, sessions=[instance.pk], user=user
            ).content
        except (RenderingError, SecretError):
            return ""

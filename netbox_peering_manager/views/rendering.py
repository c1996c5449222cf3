"""Pages that show the rendered configuration: of a device (its tab), and of one session."""

import re
from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from dcim.models import Device
from extras.models import ConfigTemplate
from netbox.views import generic
from netbox_routing.models import BGPRouter
from utilities.views import ViewTab, register_model_view

from ..exceptions import RenderingRefused, SecretError, TemplateFailed
from ..forms.rendering import RenderTemplateForm
from ..models import PeeringSession
from ..services.rendering.peering import Rendered, render_peering

# What Jinja counts as one.
NEWLINE = re.compile(r"\r\n|\r|\n")
# Rendering a template is a permission of its own in NetBox; without it the tabs do not show.
RENDER_PERMISSION = "extras.render_configtemplate"


@dataclass(frozen=True)
class Outcome:
    """What a rendering page shows: the rendered text, or why there is none."""

    rendered: Rendered | None = None
    failure: TemplateFailed | None = None
    refusal: str = ""
    # (number, text, whether the failure lies there)
    source: list[tuple[int, str, bool]] = field(default_factory=list)

    @property
    def numbers(self) -> str:
        """The line numbers of the rendered text, one per line."""
        # Not splitlines(), which knows more ends of line than a browser.
        lines = len(self.rendered.content.removesuffix("\n").split("\n")) if self.rendered else 0
        return "\n".join(map(str, range(1, lines + 1)))


def render_outcome(template: ConfigTemplate, user, device: int | None, sessions: list[int] | None) -> Outcome:
    """Render for a page: every expected failure becomes something to show."""
    try:
        return Outcome(rendered=render_peering(template, device=device, sessions=sessions, user=user))
    except TemplateFailed as error:
        return Outcome(failure=error, source=_source_with_line(template, error))
    except (RenderingRefused, SecretError) as error:
        return Outcome(refusal=str(error))


def _source_with_line(template: ConfigTemplate, error: TemplateFailed) -> list[tuple[int, str, bool]]:
    # The error may lie in a file that the template includes: then no line of the template itself is marked.
    line = error.line if error.template == template.name else None
    return [
        (number, text, number == line)
        for number, text in enumerate(NEWLINE.split(template.template_code), start=1)
    ]


class RenderView(generic.ObjectView):
    """Base of the rendering pages. A template comes from the query, else from the device's peering router."""

    template_name = "netbox_peering_manager/rendering/config.html"
    base_template = "generic/object.html"
    additional_permissions = [RENDER_PERMISSION]
    actions = ()

    def get(self, request: HttpRequest, **kwargs) -> HttpResponse:
        instance = self.get_object(**kwargs)
        shown = self.show(request, instance)
        if "export" in request.GET and shown["outcome"].rendered:
            response = download(instance, shown["outcome"].rendered.content)
        else:
            response = render(request, self.template_name, {"object": instance, "tab": self.tab, **shown})
        # Text and page may hold passwords.
        response["Cache-Control"] = "no-store"
        return response

    def show(self, request: HttpRequest, instance) -> dict:
        """Return what the page shows of `instance`."""
        device = self.get_device(request, instance)
        form = RenderTemplateForm(request.GET if request.GET.get("template") else None, user=request.user)
        template, reason = self._template(form, device)
        outcome = Outcome()
        if template:
            outcome = render_outcome(
                template, request.user, device.pk if device else None, self.get_sessions(instance)
            )
            if outcome.rendered and not outcome.rendered.session_count:
                reason = self._why_no_sessions(device)
        return {
            "base_template": self.base_template,
            "form": form,
            "config_template": template,
            "outcome": outcome,
            "reason": reason,
        }

    def get_device(self, request: HttpRequest, instance) -> Device | None:
        """Return the device to render for, None when there is none that the user may view."""
        raise NotImplementedError

    def get_sessions(self, instance) -> list[int] | None:
        """Return the ids of the sessions to render, None for all of the device."""
        raise NotImplementedError

    def _template(self, form: RenderTemplateForm, device: Device | None) -> tuple[ConfigTemplate | None, str]:
        """Return the template to render, or why there is none."""
        if form.is_bound and not form.is_valid():
            return None, _("There is no such config template, or none that you may render.")
        if form.is_bound and (chosen := form.cleaned_data["template"]):
            return chosen, ""
        router = getattr(device, "peering_router", None) if device else None
        if router is None or router.config_template_id is None:
            return None, _("No peering router says which config template to use here. Choose one.")
        template = form.fields["template"].queryset.filter(pk=router.config_template_id).first()
        if template is None:
            return None, _("You may not render the config template of the peering router. Choose another.")
        form.initial["template"] = template.pk
        return template, ""

    def _why_no_sessions(self, device: Device | None) -> str:
        if device and not BGPRouter.objects.filter(device=device).exists():
            return _("{device} has no BGP router, so it has no sessions.").format(device=device)
        return _("There are no sessions here, or none that you may view.")


def download(instance, content: str) -> HttpResponse:
    """Answer with the rendered text as a file."""
    response = HttpResponse(content, content_type="text/plain; charset=utf-8")
    name = slugify(str(instance)) or "peering"
    response["Content-Disposition"] = content_disposition_header(True, f"{name}-peering.txt")
    return response


@register_model_view(Device, "peering_config", path="peering-config")
class DevicePeeringConfigView(RenderView):
    """All sessions of a device."""

    queryset = Device.objects.select_related("peering_router")
    base_template = "dcim/device/base.html"
    tab = ViewTab(label=_("Peering configuration"), weight=2110, permission=RENDER_PERMISSION)

    def get_device(self, request: HttpRequest, instance: Device) -> Device:
        return instance

    def get_sessions(self, instance: Device) -> None:
        return None


@register_model_view(PeeringSession, "render", path="render")
class PeeringSessionRenderView(RenderView):
    """One session, as its device's configuration would have it."""

    queryset = PeeringSession.objects.with_bgp()
    tab = ViewTab(label=_("Render"), weight=1500, permission=RENDER_PERMISSION)

    def get_device(self, request: HttpRequest, instance: PeeringSession) -> Device | None:
        device = instance.device
        visible = Device.objects.restrict(request.user, "view").select_related("peering_router")
        return visible.filter(pk=device.pk).first() if device else None

    def get_sessions(self, instance: PeeringSession) -> list[int]:
        return [instance.pk]

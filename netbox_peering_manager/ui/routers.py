"""Area `routers`: what a peering router's page shows."""

from django.utils.translation import gettext_lazy as _

from netbox.ui import attrs, panels

__all__ = (
    "PeeringRouterAccessPanel",
    "PeeringRouterArgumentsPanel",
    "PeeringRouterDeploymentPanel",
    "PeeringRouterPanel",
    "PeeringRouterWatchingPanel",
)


class PeeringRouterPanel(panels.ObjectAttributesPanel):
    device = attrs.RelatedObjectAttr("device", linkify=True, label=_("Device"))
    site = attrs.RelatedObjectAttr("device.site", linkify=True, label=_("Site"))
    role = attrs.RelatedObjectAttr("device.role", linkify=True, colored=True, label=_("Role"))
    platform = attrs.RelatedObjectAttr("device.platform", linkify=True, label=_("Platform"))
    config_template = attrs.RelatedObjectAttr("config_template", linkify=True, label=_("Config template"))
    description = attrs.TextAttr("description", label=_("Description"))


class PeeringRouterAccessPanel(panels.ObjectAttributesPanel):
    title = _("Access")

    napalm_driver = attrs.TextAttr("napalm_driver", style="font-monospace", label=_("NAPALM driver"))
    credential_profile = attrs.TextAttr("credential_profile", label=_("Credential profile"))


class PeeringRouterArgumentsPanel(panels.JSONPanel):
    """What the router's driver is told beside what the settings say; nothing for a router that says nothing."""

    title = _("NAPALM arguments")

    def __init__(self):
        super().__init__("napalm_args")

    def should_render(self, context):
        return bool(context["object"].napalm_args)


class PeeringRouterDeploymentPanel(panels.ObjectAttributesPanel):
    title = _("Deployment")

    push_enabled = attrs.BooleanAttr("push_enabled", label=_("Push"))
    config_mode = attrs.ChoiceAttr("config_mode", label=_("Configuration mode"))
    approval = attrs.ChoiceAttr("approval", label=_("Approval"))
    health_timeout = attrs.NumericAttr("health_timeout", label=_("Health check (seconds)"))


class PeeringRouterWatchingPanel(panels.ObjectAttributesPanel):
    title = _("Watching")

    poll_enabled = attrs.BooleanAttr("poll_enabled", label=_("Poll"))
    poll_interval = attrs.NumericAttr("poll_interval", label=_("Poll interval (minutes)"))

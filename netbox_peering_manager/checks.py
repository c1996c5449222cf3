"""System checks: what the plugin needs beside itself."""

from django.apps import apps
from django.core.checks import Error, Tags, register

ROUTING = "netbox_routing"


@register(Tags.compatibility)
def netbox_routing_is_installed(app_configs, **kwargs) -> list[Error]:
    """Report an error when netbox-routing is not among the plugins: sessions wrap its BGPPeer."""
    if apps.is_installed(ROUTING):
        return []
    return [
        Error(
            "netbox_peering_manager needs the plugin netbox_routing.",
            hint="pip install netbox-routing==0.5.1, and put 'netbox_routing' into PLUGINS before this plugin.",
            id="netbox_peering_manager.E001",
        )
    ]

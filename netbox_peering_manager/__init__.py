"""
NetBox Peering Manager: run a network's BGP peering from NetBox.

The plugin adds to NetBox what peering needs and neither NetBox nor netbox-routing has: fabrics and our ports on
them, the networks that we peer with, the sessions (thin wrappers around netbox-routing's BGPPeer), the routers
that carry them, and the configuration rendered from all of it.
"""

from django.utils.translation import gettext_lazy as _

from netbox.plugins import PluginConfig

__version__ = "0.1.0"


class PeeringManagerConfig(PluginConfig):
    name = "netbox_peering_manager"
    verbose_name = _("Peering Manager")
    description = _("Run BGP peering from NetBox: fabrics, peers, sessions and router configuration")
    version = __version__
    author = "NetBox Peering Manager contributors"
    base_url = "peering-manager"
    min_version = "4.7.0"
    max_version = "4.7.99"
    default_settings = {
        # [{"env": "NAME"} or {"file": "/path"}]; the first key encrypts, all of them decrypt. Empty: SECRET_KEY.
        "encryption_keys": [],
        # Slug of the RIR given to an ASN that is made on the way and that no IANA range decides.
        "default_rir": "",
    }

    @classmethod
    def validate(cls, user_config, netbox_version):
        from .settings import validate_settings

        super().validate(user_config, netbox_version)
        validate_settings(user_config)

    def get_jinja_context(self):
        """Add `peering(device)` to every template that NetBox renders; nothing is queried until it is used."""
        from .services.rendering.lazy import LazyPeering

        return {"peering": LazyPeering()}

    def ready(self):
        super().ready()
        from . import checks  # noqa: F401  (registers the system checks)
        from .services.provisioning import removal

        removal.connect()


config = PeeringManagerConfig

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
    middleware = ["netbox_peering_manager.middleware.PostedMiddleware"]
    default_settings = {
        # [{"env": "NAME"} or {"file": "/path"}]; the first key encrypts, all of them decrypt. Empty: SECRET_KEY.
        "encryption_keys": [],
        # Slug of the RIR given to an ASN that is made on the way and that no IANA range decides.
        "default_rir": "",
        # Where PeeringDB's API and its daily public dumps are. http and https only.
        "peeringdb_url": "https://www.peeringdb.com/api",
        "peeringdb_dumps_url": "https://public.peeringdb.com",
        # {"env": "NAME"} or {"file": "/path"}. Without a key PeeringDB tells no contacts but public ones.
        "peeringdb_api_key": None,
        # For one answer to begin and between two parts of it.
        "peeringdb_timeout_s": 60,
        # PeeringDB asks for requests 2 s apart, and allows 20 a minute without and 40 with a key (None: those).
        "peeringdb_min_interval_s": 2.0,
        "peeringdb_requests_per_minute": None,
        # How often a failed request is repeated, and how long a sync waits at most when PeeringDB says "later".
        "peeringdb_retries": 5,
        "peeringdb_max_wait_s": 300,
        # Minutes between two syncs by NetBox's own scheduler. 0: none.
        "peeringdb_sync_interval": 1440,
        # Platform slug → {"driver", "args", "capabilities"}: the NAPALM drivers that may speak to routers.
        "napalm_drivers": {
            "frr": {"driver": "frr"},
            "junos": {"driver": "junos"},
            "eos": {"driver": "eos"},
            "ios": {"driver": "ios"},
            "ios-xe": {"driver": "ios"},
            "ios-xr": {"driver": "iosxr_netconf"},
            "nx-os": {"driver": "nxos_ssh"},
        },
        # Name → {"username", "password"/"key"/"passphrase"/"enable_secret": {"env"} or {"file"}, "key_file": path}.
        "credential_profiles": {},
        # A file of known SSH host keys. Strict: a router whose key is not in it is refused.
        "known_hosts": "",
        "host_keys_strict": True,
        # Seconds that each step of a conversation with a router may take.
        "device_timeout_s": 60,
        # Hours for which a comparison, and an approval, is good.
        "deployment_valid_h": 24,
        # Days after their end that deployments keep their texts and what was seen of neighbours.
        "deployment_texts_days": 365,
        # So many failures stop the deployment of many routers.
        "deployment_max_failures": 3,
        # Minutes between two polls of a router that names no interval of its own. 0: none.
        "poll_interval": 5,
        # Days that the transitions of sessions are kept, and hours, days and days that each poll's counters are kept
        # at all, by the hour and by the day.
        "state_changes_days": 365,
        "samples_all_h": 48,
        "samples_hourly_days": 30,
        "samples_daily_days": 365,
        # A session is near its max-prefix from so much of it on, and flapping with so many flaps within the time.
        "near_max_prefix_percent": 90,
        "flapping_count": 3,
        "flapping_within_min": 60,
        # Minutes between two comparisons of all routers with NetBox. 0: none.
        "drift_interval": 1440,
    }
    # Work that calls PeeringDB or routers, so that it can run on workers that may reach them.
    queues = ["peeringdb", "routers"]

    @classmethod
    def validate(cls, user_config, netbox_version):
        from .settings import validate_settings

        super().validate(user_config, netbox_version)
        validate_settings(user_config)

    def get_jinja_context(self):
        """Add `peering(device)` to every template that NetBox renders; nothing is queried until it is used."""
        from .services.rendering.lazy import LazyPeering

        return {"peering": LazyPeering()}

    def import_models(self):
        """Register the event types before NetBox builds its form for event rules, which happens before ready()."""
        from . import events  # noqa: F401

        super().import_models()

    def ready(self):
        super().ready()
        from . import checks, dashboard  # noqa: F401  (registers the system checks and the widgets)
        from .services.deployment import configured
        from .services.provisioning import removal

        removal.connect()
        configured.connect()
        self._register_jobs()
        self._register_metrics()

    def _register_jobs(self):
        """Make the plugin's system jobs known to NetBox."""
        from . import jobs  # noqa: F401

    def _register_metrics(self):
        """Add our metrics to NetBox's endpoint for Prometheus, when it has one."""
        from django.conf import settings

        if settings.METRICS_ENABLED:
            from .services.monitoring import metrics

            metrics.register()


config = PeeringManagerConfig

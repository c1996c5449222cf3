"""Settings that know the drivers and credential profiles of the tests."""

from django.test import override_settings

from netbox_peering_manager import PeeringManagerConfig

KNOWN = override_settings(
    PLUGINS_CONFIG={
        "netbox_peering_manager": PeeringManagerConfig.default_settings
        | {
            "credential_profiles": {
                "core": {"username": "peering", "password": {"env": "CORE_PASSWORD"}},
                "edge": {"username": "peering", "key_file": "/etc/netbox/edge"},
            }
        }
    }
)

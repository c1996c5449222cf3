"""How tests reach the lab's routers: as the plugin does, with settings that name the lab's keys and passwords."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from django.test import override_settings

from dev.lab.access import Router
from dev.lab.lab import Lab
from netbox_peering_manager import PeeringManagerConfig
from netbox_peering_manager.services.devices.access import Access
from netbox_peering_manager.services.devices.capabilities import TABLE

PASSWORD_VARIABLE = "PEERING_LAB_PASSWORD"
KEY_VARIABLE = "PEERING_LAB_KEY"


def access_of(router: Router, driver: str = "frr", **changes) -> Access:
    """The way to a router of the lab, by any driver."""
    found = {
        "name": router.name,
        "host": router.host,
        "driver": driver,
        "capabilities": TABLE[driver],
        "profile": "",
        "timeout_s": 10,
        "arguments": {"port": router.port},
        "known_hosts": router.known_hosts,
        "strict": True,
    }
    return Access(**(found | changes))


@contextlib.contextmanager
def plugin_settings(lab: Lab, **changes) -> Iterator[None]:
    """The plugin's settings for the lab: the profile "default" logs in with the key, "password" with the password."""
    router = next(iter(lab.routers.values()))
    profiles = {
        "default": {"username": router.user, "key_file": router.key_file},
        "key": {"username": router.user, "key": {"env": KEY_VARIABLE}},
    } | {
        f"password of {each.name}": {
            "username": each.user,
            "password": {"env": f"{PASSWORD_VARIABLE}_{number}"},
        }
        for number, each in enumerate(lab.routers.values())
    }
    environment = {KEY_VARIABLE: Path(router.key_file).read_text()} | {
        f"{PASSWORD_VARIABLE}_{number}": each.password for number, each in enumerate(lab.routers.values())
    }
    values = PeeringManagerConfig.default_settings | {
        "credential_profiles": profiles,
        "known_hosts": router.known_hosts,
        "device_timeout_s": 15,
    }
    with (
        mock.patch.dict(os.environ, environment),
        override_settings(PLUGINS_CONFIG={"netbox_peering_manager": values | changes}),
    ):
        yield

"""
The plugin's settings (PLUGINS_CONFIG["netbox_peering_manager"]): read when they are needed, validated at start.

Secrets are never settings themselves. A setting names the environment variable or the file that holds one.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

PLUGIN = "netbox_peering_manager"


def get_setting(name: str) -> Any:
    """Return the value in force of one setting. KeyError for a name that the plugin does not have."""
    from django.conf import settings

    return settings.PLUGINS_CONFIG[PLUGIN][name]


def read_secret(source: Mapping[str, str]) -> str:
    """
    Return the secret that `source` names: {"env": "NAME"} or {"file": "/path"}, surrounding white space removed.

    ImproperlyConfigured, naming the source and never its content, when it is absent, unreadable or empty.
    """
    kind, where = next(iter(source.items()))
    if kind == "env":
        value = os.environ.get(where, "")
    else:
        try:
            value = Path(where).read_text(encoding="utf-8")
        except OSError as error:
            raise ImproperlyConfigured(
                f"{PLUGIN}: the secret's file {where} cannot be read: {error.strerror}."
            ) from error
    if not value.strip():
        raise ImproperlyConfigured(
            f"{PLUGIN}: the secret's source {kind} {where} is empty. Fill it, then restart."
        )
    return value.strip()


def validate_settings(config: Mapping[str, Any]) -> None:
    """
    Check the shape of the settings at start. ImproperlyConfigured names the setting and what it must hold.

    Only shapes are looked at: whether a named secret can be read is told when it is read, so that commands that
    need none still run.
    """
    keys = config.get("encryption_keys")
    if not isinstance(keys, list | tuple) or not all(_is_secret_source(key) for key in keys):
        raise ImproperlyConfigured(
            f'{PLUGIN}: encryption_keys must be a list of {{"env": "NAME"}} or {{"file": "/path"}}, the key in '
            "use first."
        )
    if not isinstance(config.get("default_rir"), str):
        raise ImproperlyConfigured(f"{PLUGIN}: default_rir must be the slug of an RIR, or an empty string.")
    _validate_peeringdb(config)
    _validate_devices(config)


def _validate_devices(config: Mapping[str, Any]) -> None:
    _validate_drivers(config.get("napalm_drivers"))
    _validate_profiles(config.get("credential_profiles"))
    if not isinstance(config.get("known_hosts"), str):
        raise ImproperlyConfigured(f"{PLUGIN}: known_hosts must be the path of a file, or an empty string.")
    if not isinstance(config.get("host_keys_strict"), bool):
        raise ImproperlyConfigured(f"{PLUGIN}: host_keys_strict must be True or False.")
    for name, least in _ROUTER_NUMBERS.items():
        value = config.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ImproperlyConfigured(f"{PLUGIN}: {name} must be a whole number, at least {least}.")


def _validate_drivers(drivers: Any) -> None:
    if not isinstance(drivers, Mapping):
        raise ImproperlyConfigured(
            f'{PLUGIN}: napalm_drivers must map the slugs of platforms to {{"driver": "NAME"}}.'
        )
    for slug, said in drivers.items():
        if not isinstance(said, Mapping) or not re.fullmatch(r"[a-z][a-z0-9_]*", str(said.get("driver", ""))):
            raise ImproperlyConfigured(
                f'{PLUGIN}: napalm_drivers[{slug!r}] must name a "driver" in small letters, digits and underscores.'
            )
        if unknown := set(said) - {"driver", "args", "capabilities", "host_keys_strict"}:
            raise ImproperlyConfigured(
                f"{PLUGIN}: napalm_drivers[{slug!r}] has no use for {', '.join(sorted(map(str, unknown)))}."
            )
        _validate_driver(slug, said)


def _validate_driver(slug: Any, said: Mapping[str, Any]) -> None:
    where = f"{PLUGIN}: napalm_drivers[{slug!r}]"
    if not isinstance(said.get("host_keys_strict", True), bool):
        raise ImproperlyConfigured(f"{where}: host_keys_strict must be True or False.")
    if not isinstance(said.get("args", {}), Mapping):
        raise ImproperlyConfigured(f"{where}: args must map the names of the driver's arguments to values.")
    capabilities = said.get("capabilities", {})
    if not isinstance(capabilities, Mapping):
        raise ImproperlyConfigured(f"{where}: capabilities must map what the driver can do to values.")
    for name, value in capabilities.items():
        if name not in _CAPABILITIES:
            raise ImproperlyConfigured(
                f"{where}: no driver has the capability {name}. There are {', '.join(_CAPABILITIES)}."
            )
        wanted = _CAPABILITIES[name]
        fits = value in wanted if isinstance(wanted, tuple) else type(value) is wanted
        if not fits or (isinstance(value, int) and value < 0):
            shown = " or ".join(map(repr, wanted)) if isinstance(wanted, tuple) else wanted.__name__
            raise ImproperlyConfigured(f"{where}: the capability {name} must be {shown}, not {value!r}.")
    if capabilities.get("revert_unit_s") and not capabilities.get("pending"):
        raise ImproperlyConfigured(
            f'{where}: with the capability revert_unit_s it needs "pending": True. A router that goes back by itself '
            "has to tell whether it has."
        )
    if said["driver"] not in _KNOWN_DRIVERS and "capabilities" not in said:
        raise ImproperlyConfigured(
            f'{where}: nobody knows what the driver {said["driver"]} can do. Say so, as "capabilities".'
        )


def _validate_profiles(profiles: Any) -> None:
    if not isinstance(profiles, Mapping):
        raise ImproperlyConfigured(f"{PLUGIN}: credential_profiles must map names to what logs in.")
    for name, said in profiles.items():
        if not isinstance(said, Mapping) or not isinstance(said.get("username"), str) or not said["username"]:
            raise ImproperlyConfigured(f'{PLUGIN}: credential_profiles[{name!r}] must name a "username".')
        for what, value in said.items():
            if what in ("password", "key", "passphrase", "enable_secret"):
                if not _is_secret_source(value):
                    raise ImproperlyConfigured(
                        f'{PLUGIN}: {what} of credential_profiles[{name!r}] must be {{"env": "NAME"}} or '
                        '{"file": "/path"}. The secret itself does not belong into the settings.'
                    )
            elif what not in ("username", "key_file"):
                raise ImproperlyConfigured(f"{PLUGIN}: credential_profiles[{name!r}] has no use for {what}.")


# What services.devices.capabilities has a table of; a test holds them together. Spelt out, because nothing of the
# plugin can be imported while the settings are read.
_KNOWN_DRIVERS = ("eos", "frr", "ios", "iosxr", "iosxr_netconf", "junos", "nxos", "nxos_ssh")
_CAPABILITIES: dict[str, Any] = {
    "merge": bool,
    "replace": bool,
    "message": bool,
    "revert_unit_s": int,
    "pending": bool,
    "rollback": bool,
    "neighbors": ("detail", "summary", "none"),
    "bgp_config": bool,
    "host_keys": ("known_hosts", "tls", "none"),
    "compare_exact": bool,
    "confirms_in_session": bool,
}

# The least that each may be.
_ROUTER_NUMBERS = {
    "device_timeout_s": 1,
    "deployment_valid_h": 1,
    "deployment_texts_days": 1,
    "deployment_max_failures": 1,
    "poll_interval": 0,
    "state_changes_days": 1,
    "samples_all_h": 1,
    "samples_hourly_days": 1,
    "samples_daily_days": 1,
    "near_max_prefix_percent": 1,
    "flapping_count": 1,
    "flapping_within_min": 1,
    "drift_interval": 0,
}


def _validate_peeringdb(config: Mapping[str, Any]) -> None:
    for name in ("peeringdb_url", "peeringdb_dumps_url"):
        if not _is_http_url(config.get(name)):
            raise ImproperlyConfigured(
                f"{PLUGIN}: {name} must be a URL that starts with http:// or https://."
            )
    key = config.get("peeringdb_api_key")
    if key is not None and not _is_secret_source(key):
        raise ImproperlyConfigured(
            f'{PLUGIN}: peeringdb_api_key must be {{"env": "NAME"}} or {{"file": "/path"}}, or None. The key '
            "itself does not belong into the settings."
        )
    for name, least in _PEERINGDB_NUMBERS.items():
        value = config.get(name)
        if name == "peeringdb_requests_per_minute" and value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or value < least:
            raise ImproperlyConfigured(f"{PLUGIN}: {name} must be a number, at least {least}.")
    if not isinstance(config["peeringdb_sync_interval"], int):
        raise ImproperlyConfigured(f"{PLUGIN}: peeringdb_sync_interval must be a whole number of minutes.")


# The least that each may be.
_PEERINGDB_NUMBERS = {
    "peeringdb_timeout_s": 1,
    "peeringdb_min_interval_s": 0,
    "peeringdb_requests_per_minute": 1,
    "peeringdb_retries": 0,
    "peeringdb_max_wait_s": 0,
    "peeringdb_sync_interval": 0,
}


def _is_http_url(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    parts = urlsplit(value)
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _is_secret_source(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and len(value) == 1
        and all(name in ("env", "file") and isinstance(where, str) and where for name, where in value.items())
    )

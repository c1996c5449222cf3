"""
The plugin's settings (PLUGINS_CONFIG["netbox_peering_manager"]): read when they are needed, validated at start.

Secrets are never settings themselves. A setting names the environment variable or the file that holds one.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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


def _is_secret_source(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and len(value) == 1
        and all(name in ("env", "file") and isinstance(where, str) and where for name, where in value.items())
    )

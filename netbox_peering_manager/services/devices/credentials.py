"""
How one gets into routers: profiles of the settings, or what a user typed for one deployment.

A profile names where its secrets are. They are read when a router is connected to, and kept nowhere.
"""

import secrets as random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from ...exceptions import CredentialsMissing
from ...settings import get_setting, read_secret

__all__ = ("DEFAULT_PROFILE", "Credentials", "profile")

DEFAULT_PROFILE = "default"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who logs in. `key` is a private key as text, `key_file` the path of one. All but the user may be empty."""

    username: str
    password: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    key_file: str = ""
    passphrase: str = field(default="", repr=False)
    # Of platforms that have a second password for what changes something (NAPALM's optional_args["secret"]).
    enable_secret: str = field(default="", repr=False)

    @property
    def values(self) -> tuple[str, ...]:
        """The secrets, for those who take them out of texts."""
        return tuple(filter(None, (self.password, self.key, self.passphrase, self.enable_secret)))


def profile(name: str, owner: object) -> Credentials:
    """
    Return the credentials of the profile, "" for the one named "default".

    CredentialsMissing names `owner` (the router), the profile and what is missing.
    """
    name = name or DEFAULT_PROFILE
    profiles: Mapping[str, Mapping[str, Any]] = get_setting("credential_profiles")
    if (said := profiles.get(name)) is None:
        raise CredentialsMissing(
            _(
                "{owner}: there is no credential profile {name}. Add it to credential_profiles in the plugin's "
                "settings, or name another one on the router."
            ).format(owner=owner, name=name)
        )
    try:
        return Credentials(
            username=said["username"],
            key_file=said.get("key_file", ""),
            **{
                what: read_secret(said[what])
                for what in ("password", "key", "passphrase", "enable_secret")
                if what in said
            },
        )
    except ImproperlyConfigured as error:
        raise CredentialsMissing(
            _("{owner}: credential profile {name}: {error}").format(owner=owner, name=name, error=error)
        ) from error


def new_token() -> str:
    """Return the name under which typed credentials are kept."""
    return random.token_urlsafe(24)

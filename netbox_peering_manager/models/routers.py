"""Area `routers`: the devices that carry our sessions, and how they are rendered, reached and watched."""

import re
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from netbox.models import PrimaryModel
from netbox.models.features import JobsMixin

from ..choices import ApprovalChoices, ConfigModeChoices
from ..querysets import PeeringRouterQuerySet

__all__ = ("PeeringRouter",)

# How drivers call their secrets: NAPALM's and netmiko's arguments (secret, enable_password, passphrase,
# api_key, auth_token …), whatever the spelling. A name that ends in "file" or "path" says where a secret lies,
# not what it is.
SECRET_NAME = re.compile(
    r"pass(word|wd|phrase|code)|secret|token|credential|(api|private|auth|shared)key|community"
)
SECRET_NAMES = frozenset(("pass", "pwd", "key", "pkey", "pw"))
PLACE_NAME = re.compile(r"(file|path)s?$")
# Whom a driver trusts, what it runs or writes on the worker, and as whom it logs in: for the plugin's settings alone.
SETTINGS_ONLY = frozenset(
    (
        "allow_agent",
        "alt_host_keys",
        "alt_key_file",
        "bind_addr",
        "ca_file",
        "cert_file",
        "context",
        "enforce_verification",
        "eos_transport",
        "frr_reload",
        "host",
        "hostkey_b64",
        "hostkey_verify",
        "hostname",
        "key_file",
        "key_filename",
        "known_hosts",
        "look_for_keys",
        "nxos_protocol",
        "proxy_command",
        "session_log",
        "session_log_file_mode",
        "sock",
        "sock_fd",
        "ssh_config",
        "ssh_config_file",
        "ssh_strict",
        "ssl_verify",
        "state_dir",
        "system_host_keys",
        "transport",
        "unknown_host_cb",
        "use_keys",
        "username",
        "verify",
    )
)
# https://user:password@host
USERINFO = re.compile(r"://[^/@\s:]*:[^/@\s]+@")


class PeeringRouter(JobsMixin, PrimaryModel):
    """A device's part in peering. Credentials are only named here; the settings hold where they come from."""

    device = models.OneToOneField(
        verbose_name=_("device"), to="dcim.Device", on_delete=models.CASCADE, related_name="peering_router"
    )
    config_template = models.ForeignKey(
        verbose_name=_("config template"),
        to="extras.ConfigTemplate",
        on_delete=models.PROTECT,
        related_name="peering_routers",
        blank=True,
        null=True,
        help_text=_("Renders this router's peering configuration"),
    )
    napalm_driver = models.CharField(
        verbose_name=_("NAPALM driver"),
        max_length=50,
        blank=True,
        help_text=_("Left empty: the driver of the device's platform"),
    )
    napalm_args = models.JSONField(
        verbose_name=_("NAPALM arguments"),
        blank=True,
        null=True,
        help_text=_("Optional arguments for the NAPALM driver, as a JSON object; never a secret"),
    )
    credential_profile = models.CharField(
        verbose_name=_("credential profile"),
        max_length=100,
        blank=True,
        help_text=_("Name of a profile in the plugin's settings; never a secret"),
    )
    poll_enabled = models.BooleanField(
        verbose_name=_("poll"), default=False, help_text=_("Read the state of this router's sessions")
    )
    push_enabled = models.BooleanField(
        verbose_name=_("push"), default=False, help_text=_("Allow configuration to be sent to this router")
    )

    poll_interval = models.PositiveIntegerField(
        verbose_name=_("poll interval"),
        blank=True,
        null=True,
        validators=[MinValueValidator(1)],
        help_text=_("Minutes between two polls; left empty: that of the plugin's settings"),
    )
    config_mode = models.CharField(
        verbose_name=_("configuration mode"),
        max_length=10,
        choices=ConfigModeChoices,
        default=ConfigModeChoices.MERGE,
        help_text=_("Replace: the config template renders the router's whole configuration"),
    )
    approval = models.CharField(
        verbose_name=_("approval"),
        max_length=10,
        choices=ApprovalChoices,
        default=ApprovalChoices.NONE,
        help_text=_("Who has to agree before something is sent to this router"),
    )
    health_timeout = models.PositiveIntegerField(
        verbose_name=_("health check"),
        default=120,
        validators=[MinValueValidator(5), MaxValueValidator(3600)],
        help_text=_("Seconds that sessions have to be Established again after a change, before it is undone"),
    )

    objects = PeeringRouterQuerySet.as_manager()

    clone_fields = (
        "config_template",
        "napalm_driver",
        "napalm_args",
        "credential_profile",
        "poll_enabled",
        "poll_interval",
        "push_enabled",
        "config_mode",
        "approval",
        "health_timeout",
        "description",
    )
    prerequisite_models = ("dcim.Device",)

    class Meta:
        ordering = ("device",)
        verbose_name = _("peering router")
        verbose_name_plural = _("peering routers")
        permissions = (
            ("poll", _("Read the states of sessions")),
            ("import_sessions", _("Import the sessions that a router has")),
        )

    def __str__(self) -> str:
        return str(self.device)

    def get_config_mode_color(self) -> str | None:
        return ConfigModeChoices.colors.get(self.config_mode)

    def get_approval_color(self) -> str | None:
        return ApprovalChoices.colors.get(self.approval)

    def unique_error_message(self, model_class, unique_check) -> ValidationError:
        if unique_check != ("device",):
            return super().unique_error_message(model_class, unique_check)
        return ValidationError(
            _("{device} is a peering router already: edit that one instead of creating another.").format(
                device=self.device
            ),
            code="unique",
        )

    def clean(self) -> None:
        super().clean()
        if reason := self._why_not_napalm_args():
            raise ValidationError({"napalm_args": reason})

    def _why_not_napalm_args(self) -> str:
        if self.napalm_args is None:
            return ""
        if not isinstance(self.napalm_args, dict):
            return _('Write a JSON object, such as {"port": 830}.')
        if names := settings_only(self.napalm_args):
            return _(
                '{names}: only the plugin\'s settings may say this (napalm_drivers, as "args"), because it decides '
                "whom the router's password is sent to, or what runs on the worker. Take it out."
            ).format(names=", ".join(names))
        if not (names := list(secrets_in(self.napalm_args))):
            return ""
        return _(
            "{names}: this looks like a secret, and everybody who may view the router would see it, also in "
            "the change log. Take it out, keep it in a credential profile and name that profile here."
        ).format(names=", ".join(names))


def settings_only(arguments: dict[str, Any]) -> list[str]:
    """Return those names of NAPALM arguments that only the plugin's settings may hold, in order."""
    return sorted(name for name in arguments if name.lower() in SETTINGS_ONLY)


def secrets_in(value: Any, path: str = "") -> Iterator[str]:
    """
    Yield where in NAPALM arguments a secret seems to be ("optional_args.secret"), by key or by a password in
    a URL.

    True, false and null are no secrets, whatever their key: {"use_token": true}.
    """
    if isinstance(value, dict):
        for key, item in value.items():
            where = f"{path}.{key}" if path else str(key)
            if _names_a_secret(str(key)) and not (item is None or isinstance(item, bool)):
                yield where
            else:
                yield from secrets_in(item, where)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from secrets_in(item, f"{path}[{position}]")
    elif isinstance(value, str) and USERINFO.search(value):
        yield path


def _names_a_secret(key: str) -> bool:
    name = re.sub(r"[^a-z0-9]", "", key.lower())
    if PLACE_NAME.search(name):
        return False
    return name in SECRET_NAMES or bool(SECRET_NAME.search(name))

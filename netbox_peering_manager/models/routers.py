"""Area `routers`: the devices that carry our sessions, and how they are rendered, reached and watched."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from netbox.models import PrimaryModel

__all__ = ("PeeringRouter",)


class PeeringRouter(PrimaryModel):
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

    clone_fields = (
        "config_template",
        "napalm_driver",
        "napalm_args",
        "credential_profile",
        "poll_enabled",
        "push_enabled",
        "description",
    )
    prerequisite_models = ("dcim.Device",)

    class Meta:
        ordering = ("device",)
        verbose_name = _("peering router")
        verbose_name_plural = _("peering routers")

    def __str__(self) -> str:
        return str(self.device)

    def clean(self) -> None:
        super().clean()
        if self.napalm_args is not None and not isinstance(self.napalm_args, dict):
            raise ValidationError({"napalm_args": _('Write a JSON object, such as {"timeout": 30}.')})

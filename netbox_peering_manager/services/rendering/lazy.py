"""
`{{ peering(device) }}` in any NetBox template: the peering part of a device's configuration.

Nothing is queried until it is used, because NetBox asks for this on every rendering of any template. What a
template can reach is text and plain values, never a model: names that begin with an underscore are closed in
the sandbox.

Whose eyes: the user of the current request, when there is one. NetBox's own template rendering knows no
object permissions, so without a request (a job, a script) every session is rendered; passwords are masked
then.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from ...exceptions import RenderingError

if TYPE_CHECKING:
    from dcim.models import Device

    from .peering import Gathered

__all__ = ("DevicePeering", "LazyPeering")


class LazyPeering:
    """What `peering` is in a template: call it with a device."""

    def __call__(self, device: "Device") -> "DevicePeering":
        """Return the device's peering, not yet read. RenderingError for anything but a stored device."""
        from dcim.models import Device

        if not isinstance(device, Device) or device.pk is None:
            raise RenderingError(_("peering() takes a device, as in: peering(device)"))
        return DevicePeering(device.pk, str(device))

    def __str__(self) -> str:
        raise RenderingError(_("peering is to be called with a device, as in: peering(device)"))


class DevicePeering:
    """
    One device's peering: as text, rendered with the config template of its peering router; its attributes are
    the names of the template context (`sessions`, `peer_groups`, `device`, …).
    """

    def __init__(self, device_id: int, name: str) -> None:
        self._device_id = device_id
        self._name = name

    def __str__(self) -> str:
        from extras.models import ConfigTemplate

        from .render import render_text

        template = (
            ConfigTemplate.objects.filter(peering_routers__device=self._device_id)
            .select_related("data_file__source")
            .first()
        )
        if template is None:
            raise RenderingError(
                _("{device} has no peering router with a config template.").format(device=self._name)
            )
        return render_text(template, self._gathered.context)

    def __getattr__(self, name: str) -> Any:
        # Only reached for what is no attribute. AttributeError makes Jinja say that the name is undefined.
        from .context import PeeringContext

        if name not in PeeringContext.__annotations__:
            raise AttributeError(name)
        return self._gathered.context[name]  # type: ignore[literal-required]

    @cached_property
    def _gathered(self) -> "Gathered":
        from netbox.context import current_request

        from .peering import gather

        request = current_request.get()
        return gather(self._device_id, user=request.user if request else None)

"""
Which driver speaks to a router, at which address and with what arguments. Decided before anything is connected.

Arguments that say whom to trust, or what to run, come from the settings alone: who may edit a router in NetBox must not
be able to send its password somewhere else.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from ...exceptions import DriverRefused
from ...models.routers import settings_only
from ...settings import get_setting
from .arguments import checked_by
from .capabilities import Capabilities, capabilities_of

if TYPE_CHECKING:
    from ...models import PeeringRouter

__all__ = ("Access", "access_to")


@dataclass(frozen=True, slots=True)
class Access:
    """
    The way to one router, without credentials. `timeout_s` is for each step of the conversation.

    `known_hosts`: the file of SSH host keys, "" for the one of the user who runs this. `strict`: a router whose key (or
    certificate) is not known is refused.
    """

    name: str
    host: str
    driver: str
    capabilities: Capabilities
    profile: str
    timeout_s: int
    arguments: dict[str, Any] = field(default_factory=dict)
    known_hosts: str = ""
    strict: bool = True


def access_to(router: "PeeringRouter") -> Access:
    """
    Return the way to `router` (its device joined, see PeeringRouterQuerySet.with_access()).

    DriverRefused names the router when no driver of the setting napalm_drivers is for it, when it has no address, when
    its arguments hold what belongs into the settings, or when nothing would check its host key.
    """
    found = _driver(router)
    capabilities = capabilities_of(found["driver"], found.get("capabilities"))
    if capabilities is None:
        raise DriverRefused(
            _(
                "{router}: nobody knows what the driver {driver} can do. Say so in napalm_drivers, as "
                '"capabilities".'
            ).format(router=router, driver=found["driver"])
        )
    access = Access(
        name=str(router),
        host=_host(router, found["driver"]),
        driver=found["driver"],
        capabilities=capabilities,
        profile=router.credential_profile,
        timeout_s=get_setting("device_timeout_s"),
        arguments=_arguments(router, found.get("args", {})),
        known_hosts=get_setting("known_hosts"),
        strict=found.get("host_keys_strict", get_setting("host_keys_strict")),
    )
    if access.strict and checked_by(access) == "none":
        raise DriverRefused(_why_not_checked(access))
    return access


def _driver(router: "PeeringRouter") -> dict[str, Any]:
    """The entry of napalm_drivers that is for the router."""
    known = get_setting("napalm_drivers")
    slug = router.device.platform.slug if router.device.platform else ""
    if router.napalm_driver:
        found = next((each for each in known.values() if each["driver"] == router.napalm_driver), None)
        # One that several platforms share: the platform's own arguments win.
        if known.get(slug, {}).get("driver") == router.napalm_driver:
            found = known[slug]
    else:
        found = known.get(slug)
    if found is None:
        raise DriverRefused(_why_no_driver(router, slug))
    return dict(found)


def _arguments(router: "PeeringRouter", of_settings: dict[str, Any]) -> dict[str, Any]:
    own = router.napalm_args or {}
    if names := settings_only(own):
        raise DriverRefused(
            _(
                "{router}: {names} in its NAPALM arguments may only be set in napalm_drivers of the plugin's "
                "settings. Take it out of the router."
            ).format(router=router, names=", ".join(names))
        )
    return {**of_settings, **own}


def _why_not_checked(access: Access) -> str:
    return _(
        "{router}: the driver {driver} as it is configured cannot check whom it speaks to, and host_keys_strict is on. "
        'Choose a driver or transport that can, or say "host_keys_strict": False for this one in napalm_drivers of the '
        "plugin's settings."
    ).format(router=access.name, driver=access.driver)


def _why_no_driver(router: "PeeringRouter", slug: str) -> str:
    if router.napalm_driver:
        return _(
            "{router}: the driver {driver} is not in napalm_drivers of the plugin's settings. Add it there, or "
            "choose another one for the router."
        ).format(router=router, driver=router.napalm_driver)
    if not slug:
        return _("{router}: its device has no platform, and it names no driver. Give it either.").format(
            router=router
        )
    return _(
        "{router}: napalm_drivers in the plugin's settings has no driver for its platform {platform}. Add one, or "
        "name a driver on the router."
    ).format(router=router, platform=slug)


def _host(router: "PeeringRouter", driver: str) -> str:
    device = router.device
    # PyEZ takes no IPv6 address.
    address = device.primary_ip4 if driver == "junos" else device.primary_ip
    if address is not None:
        return str(address.address.ip)
    if device.name:
        # To be found by DNS.
        return str(device.name)
    raise DriverRefused(
        _("{router}: its device has neither a primary IP address nor a name to reach it by.").format(
            router=router
        )
    )

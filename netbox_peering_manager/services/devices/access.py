"""Which driver speaks to a router, at which address and with what arguments. Decided before anything is connected."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from ...exceptions import DriverRefused
from ...settings import get_setting
from .capabilities import Capabilities, capabilities_of

if TYPE_CHECKING:
    from ...models import PeeringRouter

__all__ = ("Access", "access_to")


@dataclass(frozen=True, slots=True)
class Access:
    """The way to one router, without credentials. `timeout_s` is for each step of the conversation."""

    router_id: int
    name: str
    host: str
    driver: str
    capabilities: Capabilities
    profile: str
    timeout_s: int
    arguments: dict[str, Any] = field(default_factory=dict)


def access_to(router: "PeeringRouter") -> Access:
    """
    Return the way to `router` (its device joined, see PeeringRouterQuerySet.with_access()).

    DriverRefused names the router when no driver of the setting napalm_drivers is for it, or when it has no address.
    """
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
    capabilities = capabilities_of(found["driver"], found.get("capabilities"))
    if capabilities is None:
        raise DriverRefused(
            _(
                "{router}: nobody knows what the driver {driver} can do. Say so in napalm_drivers, as "
                '"capabilities".'
            ).format(router=router, driver=found["driver"])
        )
    return Access(
        router_id=router.pk,
        name=str(router),
        host=_host(router),
        driver=found["driver"],
        capabilities=capabilities,
        profile=router.credential_profile,
        timeout_s=get_setting("device_timeout_s"),
        arguments={**found.get("args", {}), **(router.napalm_args or {})},
    )


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


def _host(router: "PeeringRouter") -> str:
    address = router.device.primary_ip
    if address is not None:
        return str(address.address.ip)
    if router.device.name:
        # To be found by DNS.
        return str(router.device.name)
    raise DriverRefused(
        _("{router}: its device has neither a primary IP address nor a name to reach it by.").format(
            router=router
        )
    )

"""Whether a router can be reached with what NetBox and the settings say of it."""

import importlib.util
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from .arguments import checked_by
from .session import session_with

if TYPE_CHECKING:
    from ...models import PeeringRouter

__all__ = ("Answer", "is_napalm_installed", "probe")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a router said of itself, and how it was reached. `checked_by`: see Capabilities.host_keys; "": nothing."""

    driver: str
    host: str
    checked_by: str
    hostname: str
    vendor: str
    model: str
    os_version: str

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


def is_napalm_installed() -> bool:
    """Whether this process could load NAPALM. A worker elsewhere may have other packages."""
    return importlib.util.find_spec("napalm") is not None


def probe(router: "PeeringRouter") -> Answer:
    """Log in on `router` (see with_access()) and ask who it is. A DeviceError says what is wrong."""
    with session_with(router) as device:
        facts, access = device.facts(), device.access
    return Answer(
        driver=access.driver,
        host=access.host,
        checked_by=checked_by(access) if access.strict else "",
        **{name: str(facts.get(name, "")) for name in ("hostname", "vendor", "model", "os_version")},
    )

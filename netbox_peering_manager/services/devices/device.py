"""
One NAPALM session with a router: the calls that we use. What drivers raise becomes our own in `errors`.

The driver is imported by NAPALM by its name, so only names of the setting napalm_drivers get here (`access`). What it
can do is looked up beforehand (`capabilities`); a NotImplementedError is a bug.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from rq.timeouts import BaseTimeoutException

from ...exceptions import DriverRefused, NapalmMissing
from .access import Access
from .additive import without_done
from .arguments import arm, driver_arguments, password_for
from .credentials import Credentials
from .errors import device_error, quieten
from .masking import secrets_of

__all__ = ("Device", "connect")


class Device:
    """
    An open session. Every method raises a DeviceError that names the router and holds no secret: neither those that it
    was told of, nor those of the candidates that it has loaded.
    """

    def __init__(self, access: Access, driver: Any, secrets: Iterable[str] = ()):
        self.access = access
        self._driver = driver
        self._secrets = tuple(secrets)
        self._replaces = False

    def load(self, text: str, *, replace: bool) -> None:
        """Load the candidate. ConfigurationRefused when the router does not understand it."""
        self._secrets = (*self._secrets, *secrets_of(text))
        self._replaces = replace
        load = self._driver.load_replace_candidate if replace else self._driver.load_merge_candidate
        self._call(load, config=text)

    def compare(self) -> str:
        """Return what loading would change, in the platform's own notation, with its secrets; "" when nothing."""
        diff = str(self._call(self._driver.compare_config))
        if self._replaces or self.access.capabilities.compare_exact or not diff.strip():
            return diff
        return without_done(diff, self.running_config())

    def commit(self, *, message: str = "", revert_in_s: int = 0) -> None:
        """Commit the candidate. With `revert_in_s` the router goes back by itself, unless confirm() is called."""
        arguments: dict[str, Any] = {}
        if message and self.access.capabilities.message:
            arguments["message"] = message
        if revert_in_s and self.access.capabilities.revert_unit_s:
            arguments["revert_in"] = revert_in_s
        self._call(self._driver.commit_config, **arguments)

    def confirm(self) -> None:
        """Keep what was committed with `revert_in_s`."""
        self._call(self._driver.confirm_commit)

    def has_pending(self) -> bool:
        """Whether a commit waits to be confirmed, whoever made it."""
        return bool(self.access.capabilities.pending and self._call(self._driver.has_pending_commit))

    def discard(self) -> None:
        """Forget the candidate."""
        self._call(self._driver.discard_config)

    def rollback(self) -> None:
        """Go back to the configuration before the last commit."""
        self._call(self._driver.rollback)

    def bgp_neighbors(self) -> dict[str, Any]:
        """get_bgp_neighbors() as NAPALM gives it: vrf → {"router_id", "peers": {address: {…}}}."""
        return self._call(self._driver.get_bgp_neighbors)

    def bgp_neighbors_detail(self) -> dict[str, Any]:
        """get_bgp_neighbors_detail() as NAPALM gives it: vrf → remote AS number → list of neighbours."""
        return self._call(self._driver.get_bgp_neighbors_detail)

    def bgp_config(self) -> dict[str, Any]:
        """get_bgp_config() as NAPALM gives it, secrets included: peer group ("_": none) → {…, "neighbors": {…}}."""
        return self._call(self._driver.get_bgp_config)

    def interfaces_ip(self) -> dict[str, Any]:
        """get_interfaces_ip() as NAPALM gives it: interface → "ipv4"/"ipv6" → address → {"prefix_length"}."""
        return self._call(self._driver.get_interfaces_ip)

    def running_config(self) -> str:
        """The running configuration, with its secrets."""
        return str(self._call(self._driver.get_config, retrieve="running")["running"])

    def facts(self) -> dict[str, Any]:
        """get_facts() as NAPALM gives it: "vendor", "model", "os_version", "hostname" …"""
        return self._call(self._driver.get_facts)

    def _call(self, method: Callable[..., Any], **arguments: Any) -> Any:
        try:
            return method(**arguments)
        except BaseTimeoutException:
            # The job's time is over, not the router's.
            raise
        except Exception as error:
            failure = device_error(self.access, error, self._secrets)
        # Out here nothing is being handled: what the driver raised quotes what it was sent, and must not be a cause.
        raise failure


@contextmanager
def connect(access: Access, credentials: Credentials, secrets: Iterable[str] = ()) -> Iterator[Device]:
    """
    Open a session for the time of a `with` block. `secrets`: what else no message may hold.

    NapalmMissing without NAPALM; LoginRefused, HostKeyRefused, DeviceUnreachable and DeviceTimeout by what went wrong.
    """
    known = (*credentials.values, *secrets)
    driver = _opened(access, credentials, known)
    try:
        yield Device(access, driver, known)
    finally:
        # It has done its work, or has failed and said why.
        with suppress(Exception):
            driver.close()


def _opened(access: Access, credentials: Credentials, secrets: tuple[str, ...]) -> Any:
    """A driver with an open session."""
    driver_class = _driver_class(access)
    quieten()
    driver: Any = None
    with tempfile.TemporaryDirectory(prefix="peering-") as name:
        folder = Path(name)
        try:
            driver = driver_class(
                access.host,
                credentials.username,
                password_for(access, credentials),
                timeout=access.timeout_s,
                optional_args=driver_arguments(access, credentials, _key_file(credentials, folder), folder),
            )
            arm(access, driver)
            driver.open()
            return driver
        except BaseTimeoutException:
            raise
        except Exception as error:
            failure = device_error(access, error, secrets, opening=True)
    with suppress(Exception):
        driver.close()
    raise failure


def _driver_class(access: Access) -> Any:
    try:
        from napalm import get_network_driver
        from napalm.base.exceptions import ModuleImportError
    except ImportError as error:
        raise NapalmMissing(
            _(
                'NAPALM is not installed on this worker: install the plugin\'s wheel there with the extra "napalm".'
            )
        ) from error
    try:
        return get_network_driver(access.driver)
    except (ImportError, ModuleImportError) as error:
        raise DriverRefused(
            _("{router}: NAPALM has no driver {driver} here. Install it on the workers.").format(
                router=access.name, driver=access.driver
            )
        ) from error


def _key_file(credentials: Credentials, folder: Path) -> str:
    """The path of the key: drivers take no other. Of one that is no file, for as long as it takes to log in."""
    if not credentials.key:
        return str(Path(credentials.key_file).expanduser()) if credentials.key_file else ""
    path = folder / "key"
    path.touch(mode=0o600)
    path.write_text(f"{credentials.key}\n")
    return str(path)

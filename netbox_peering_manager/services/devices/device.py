"""
One NAPALM session with a router: the calls that we use, and NAPALM's exceptions as our own.

The driver is imported by NAPALM by its name, so only names of the setting napalm_drivers get here (`access`). What it
can do is looked up beforehand (`capabilities`); a NotImplementedError is a bug.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from ...exceptions import (
    ConfigurationRefused,
    DeviceError,
    DeviceLocked,
    DeviceUnreachable,
    DriverRefused,
    LoginRefused,
    NapalmMissing,
)
from .access import Access
from .credentials import Credentials

__all__ = ("Device", "connect")


class Device:
    """An open session. Every method raises a DeviceError that names the router."""

    def __init__(self, access: Access, driver: Any):
        self.access = access
        self._driver = driver

    def load(self, text: str, *, replace: bool) -> None:
        """Load the candidate. ConfigurationRefused when the router does not understand it."""
        load = self._driver.load_replace_candidate if replace else self._driver.load_merge_candidate
        self._call(load, config=text)

    def compare(self) -> str:
        """Return what loading would change, in the platform's own notation, with its secrets; "" when nothing."""
        return str(self._call(self._driver.compare_config))

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

    def _call(self, method: Callable[..., Any], **arguments: Any) -> Any:
        with translated(self.access):
            return method(**arguments)


@contextmanager
def connect(access: Access, credentials: Credentials) -> Iterator[Device]:
    """
    Open a session for the time of a `with` block.

    NapalmMissing without NAPALM; LoginRefused, HostKeyRefused, DeviceUnreachable and DeviceTimeout by what went wrong.
    """
    try:
        from napalm import get_network_driver
    except ImportError as error:
        raise NapalmMissing(
            _('NAPALM is not installed on this worker: pip install "netbox-peering-manager[napalm]".')
        ) from error
    with _key_file(credentials) as key_file, translated(access):
        try:
            driver_class = get_network_driver(access.driver)
        except Exception as error:
            raise DriverRefused(
                _("{router}: NAPALM has no driver {driver} here. Install it on the workers.").format(
                    router=access.name, driver=access.driver
                )
            ) from error
        driver = driver_class(
            access.host,
            credentials.username,
            credentials.password,
            timeout=access.timeout_s,
            optional_args=_arguments(access, credentials, key_file),
        )
        driver.open()
    try:
        yield Device(access, driver)
    finally:
        # It has done its work, or has failed and said why.
        with suppress(Exception):
            driver.close()


def _arguments(access: Access, credentials: Credentials, key_file: str) -> dict[str, Any]:
    arguments = dict(access.arguments)
    if key_file:
        arguments["key_file"] = key_file
    if credentials.passphrase:
        arguments["passphrase"] = credentials.passphrase
    if credentials.enable_secret:
        arguments["secret"] = credentials.enable_secret
    return arguments


@contextmanager
def _key_file(credentials: Credentials) -> Iterator[str]:
    """The path of the key: drivers take no other. Of one that is no file, for as long as it takes to log in."""
    if not credentials.key:
        yield credentials.key_file
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "key"
        path.touch(mode=0o600)
        path.write_text(f"{credentials.key}\n")
        yield str(path)


@contextmanager
def translated(access: Access) -> Iterator[None]:
    """Raise what NAPALM raises in the body as a DeviceError that names the router."""
    from napalm.base import exceptions as napalm

    try:
        yield
    except DeviceError:
        raise
    except napalm.ConnectAuthError as error:
        raise LoginRefused(_said(access, error)) from error
    except napalm.ConnectionException as error:
        raise DeviceUnreachable(_said(access, error)) from error
    except (napalm.LockError, napalm.SessionLockedException) as error:
        raise DeviceLocked(_said(access, error)) from error
    except (napalm.MergeConfigException, napalm.ReplaceConfigException, napalm.CommitError) as error:
        raise ConfigurationRefused(_said(access, error)) from error
    except napalm.NapalmException as error:
        raise DeviceError(_said(access, error)) from error


def _said(access: Access, error: Exception) -> str:
    return f"{access.name}: {error}"

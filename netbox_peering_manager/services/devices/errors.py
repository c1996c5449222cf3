"""
What drivers raise, as errors of our own: by what the operator does next, naming the router, without a secret.

Drivers let exceptions of five libraries through, and hide one in another. The kinds are told apart by the classes along
the chain of causes, never by words. The chain itself is cut off: logs print it, and it quotes what the router was sent.
"""

import logging
import traceback
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from ...exceptions import (
    ConfigurationRefused,
    DeviceError,
    DeviceLocked,
    DeviceTimeout,
    DeviceUnreachable,
    HostKeyRefused,
    LoginRefused,
)
from .hostkeys import why_refused
from .masking import masked

if TYPE_CHECKING:
    from .access import Access

__all__ = ("device_error", "quieten")

logger = logging.getLogger("netbox_peering_manager.devices")
# They log what they send and receive, passwords included, and errors that quote it. What goes wrong is raised as well.
TALKATIVE = ("jnpr", "napalm", "ncclient", "netmiko", "paramiko", "pyeapi")


def quieten() -> None:
    """Let the libraries log nothing, unless NetBox's LOGGING says what it wants of them."""
    for name in TALKATIVE:
        if (found := logging.getLogger(name)).level == logging.NOTSET:
            found.setLevel(logging.CRITICAL + 1)


def device_error(
    access: "Access", error: Exception, secrets: Iterable[str], *, opening: bool = False
) -> DeviceError:
    """
    Return what `error` means, masked. The caller raises it outside of its `except`, so that nothing hangs on to it.

    `opening`: the session was being opened. Then the host key is looked at once more where the driver does not tell.
    """
    if isinstance(error, DeviceError):
        return error
    known = tuple(secrets)
    kind = _kind(error)
    if kind is DeviceError and not isinstance(error, _napalm_exception()):
        # A driver's bug, or a word of its own: where it came from is needed to find it.
        logger.warning("%s", masked("".join(traceback.format_exception(error)), known))
    if opening and kind in (DeviceError, DeviceUnreachable, DeviceTimeout, HostKeyRefused):
        return _looked_at(access, error, known, kind)
    return kind(_said(access, error, known))


def _looked_at(
    access: "Access", error: Exception, secrets: tuple[str, ...], kind: type[DeviceError]
) -> DeviceError:
    """A session that could not be opened: is it the host key, the time, or the network?"""
    from paramiko import SSHException

    if kind is DeviceTimeout or _asks_for_itself(access):
        return kind(_said(access, error, secrets))
    try:
        reason = why_refused(access)
    except TimeoutError:
        return DeviceTimeout(_said(access, error, secrets))
    except (OSError, EOFError, SSHException) as unreachable:
        known = kind if kind is HostKeyRefused else DeviceUnreachable
        return known(f"{_said(access, error, secrets)} ({unreachable})")
    return HostKeyRefused(reason) if reason else kind(_said(access, error, secrets))


def _asks_for_itself(access: "Access") -> bool:
    """Whether the driver tells host keys itself, or goes through a proxy, behind which nothing can be looked at."""
    return access.driver == "frr" or any(
        access.arguments.get(name) for name in ("ssh_config_file", "ssh_config", "sock")
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it came of; PyEZ keeps that in an attribute of its own."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        found = waiting.pop(0)
        if isinstance(found, BaseException) and id(found) not in seen:
            seen.add(id(found))
            yield found
            waiting += [found.__cause__, found.__context__, getattr(found, "_orig", None)]


def _kind(error: Exception) -> type[DeviceError]:
    """The most telling kind along the chain."""
    chain = list(_chain(error))
    for kind, classes in _kinds():
        if any(isinstance(each, classes) for each in chain):
            return kind
    return DeviceError


def _kinds() -> tuple[tuple[type[DeviceError], tuple[type[BaseException], ...]], ...]:
    """Each kind's classes, the most telling kind first."""
    import paramiko
    from jnpr.junos import exception as junos
    from napalm.base import exceptions as napalm
    from napalm.nxapi_plumbing import errors as nxapi
    from ncclient import operations
    from ncclient.transport import errors as ncclient
    from netmiko import exceptions as netmiko
    from pyeapi import eapilib

    from napalm_frr.connection import UnknownHostKey

    return (
        (HostKeyRefused, (paramiko.BadHostKeyException, UnknownHostKey, ncclient.SSHUnknownHostError)),
        # A driver that says so knows better than paramiko, to which a login without an answer is one refused.
        (DeviceTimeout, (napalm.ConnectTimeoutError,)),
        (
            LoginRefused,
            (
                napalm.ConnectAuthError,
                paramiko.AuthenticationException,
                ncclient.AuthenticationError,
                junos.ConnectAuthError,
                nxapi.NXAPIAuthError,
            ),
        ),
        (DeviceLocked, (napalm.LockError, napalm.SessionLockedException, junos.LockError)),
        (
            ConfigurationRefused,
            (
                napalm.MergeConfigException,
                napalm.ReplaceConfigException,
                napalm.CommitError,
                netmiko.ConfigInvalidException,
                junos.ConfigLoadError,
                junos.CommitError,
            ),
        ),
        (
            DeviceTimeout,
            (
                napalm.CommandTimeoutException,
                netmiko.ReadTimeout,
                operations.TimeoutExpiredError,
                junos.RpcTimeoutError,
                TimeoutError,
            ),
        ),
        (
            DeviceUnreachable,
            (
                napalm.ConnectionException,
                netmiko.NetmikoTimeoutException,
                netmiko.ConnectionException,
                netmiko.WriteException,
                ncclient.TransportError,
                junos.ConnectError,
                nxapi.NXAPIConnectionError,
                eapilib.ConnectionError,
                paramiko.SSHException,
                OSError,
                EOFError,
            ),
        ),
    )


def _said(access: "Access", error: Exception, secrets: tuple[str, ...]) -> str:
    """The router's name and the driver's words; the class of an error that has none, or is a bug."""
    text = masked(str(error).strip(), secrets)
    if not text or not isinstance(error, _napalm_exception()):
        text = (
            _("{kind}: {text}").format(kind=type(error).__name__, text=text) if text else type(error).__name__
        )
    return f"{access.name}: {text}"


def _napalm_exception() -> type[Exception]:
    from napalm.base.exceptions import NapalmException

    return NapalmException

"""What drivers raise becomes an error of ours: of the right kind, masked, with nothing hanging on to it."""

import logging

import paramiko
import pytest
from jnpr.junos import exception as junos
from napalm.base import exceptions as napalm
from ncclient.operations import TimeoutExpiredError
from ncclient.transport import errors as ncclient
from netmiko import exceptions as netmiko
from pyeapi import eapilib

from netbox_peering_manager.exceptions import (
    ConfigurationRefused,
    DeviceError,
    DeviceLocked,
    DeviceTimeout,
    DeviceUnreachable,
    HostKeyRefused,
    LoginRefused,
)
from netbox_peering_manager.services.devices.access import Access
from netbox_peering_manager.services.devices.capabilities import Capabilities
from netbox_peering_manager.services.devices.device import Device
from netbox_peering_manager.services.devices.masking import MASK

MARKER = "Zx81Spectrum48k"
ACCESS = Access("edge1", "192.0.2.1", "frr", Capabilities(), "", 5)


class Junos:
    """What PyEZ's exceptions want to know of a device."""

    hostname, user, _port = "192.0.2.1", "netbox", 830


def raised(error, cause=None):
    """What a Device raises when its driver raises `error`, maybe out of another one."""

    class Driver:
        def discard_config(self):
            if cause is None:
                raise error
            try:
                raise cause
            except Exception:
                raise error  # noqa: B904  (as most drivers do)

    with pytest.raises(DeviceError) as caught:
        Device(ACCESS, Driver(), [MARKER]).discard()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert str(caught.value).startswith("edge1: ")
    return caught.value


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (napalm.ConnectAuthError("x"), LoginRefused),
        (netmiko.NetmikoAuthenticationException("x"), LoginRefused),
        (ncclient.AuthenticationError("x"), LoginRefused),
        (junos.ConnectAuthError(Junos()), LoginRefused),
        (ncclient.SSHUnknownHostError("192.0.2.1", "aa:bb"), HostKeyRefused),
        (napalm.ConnectTimeoutError("x"), DeviceTimeout),
        (napalm.CommandTimeoutException("x"), DeviceTimeout),
        (netmiko.ReadTimeout("x"), DeviceTimeout),
        (TimeoutExpiredError("x"), DeviceTimeout),
        (TimeoutError("x"), DeviceTimeout),
        (napalm.ConnectionClosedException("x"), DeviceUnreachable),
        (ncclient.SessionCloseError("x"), DeviceUnreachable),
        (eapilib.ConnectionError("https", "x"), DeviceUnreachable),
        (ConnectionResetError("x"), DeviceUnreachable),
        (EOFError("x"), DeviceUnreachable),
        (napalm.LockError("x"), DeviceLocked),
        (napalm.SessionLockedException("x"), DeviceLocked),
        (napalm.MergeConfigException("x"), ConfigurationRefused),
        (napalm.ReplaceConfigException("x"), ConfigurationRefused),
        (napalm.CommitError("x"), ConfigurationRefused),
        (napalm.CommandErrorException("x"), DeviceError),
        (NotImplementedError("x"), DeviceError),
        (KeyError("x"), DeviceError),
    ],
)
def test_kind_is_told_by_the_class(error, kind):
    assert type(raised(error)) is kind


@pytest.mark.parametrize(
    ("error", "cause", "kind"),
    [
        (napalm.ConnectionException("x"), netmiko.NetmikoAuthenticationException("x"), LoginRefused),
        (napalm.ConnectionException("x"), TimeoutError("x"), DeviceTimeout),
        (
            napalm.ConnectTimeoutError("x"),
            paramiko.AuthenticationException("Authentication timeout."),
            DeviceTimeout,
        ),
        (napalm.ConnectionException("x"), ncclient.SSHUnknownHostError("a", "b"), HostKeyRefused),
        (napalm.ConnectionException("x"), OSError("x"), DeviceUnreachable),
    ],
)
def test_most_telling_kind_along_the_chain_counts(error, cause, kind):
    assert type(raised(error, cause)) is kind


def test_message_of_a_driver_holds_no_secret():
    error = raised(
        napalm.MergeConfigException(f"line 3: neighbor 192.0.2.1 password {MARKER} is wrong: {MARKER!r}")
    )
    assert MARKER not in str(error)
    assert MASK in str(error)
    quoted = raised(napalm.CommitError("line 3: neighbor 192.0.2.1 password Unknown2Us"))
    assert "Unknown2Us" not in str(quoted)


def test_bug_of_a_driver_is_logged_with_where_it_was_and_without_a_secret(caplog):
    with caplog.at_level(logging.WARNING, "netbox_peering_manager.devices"):
        error = raised(KeyError(MARKER))
    assert str(error) == f"edge1: KeyError: '{MASK}'"
    assert "discard_config" in caplog.text
    assert MARKER not in caplog.text

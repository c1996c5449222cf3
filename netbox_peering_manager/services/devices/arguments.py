"""
What each driver calls what we tell it: credentials, host keys, timeouts (NAPALM's `optional_args`).

From the drivers' own source, because most of them ignore an argument that they do not know without a word:

- frr: `known_hosts` and `ssh_strict`.
- ios, iosxr, nxos_ssh, and nxos for what it loads: netmiko's. It reads `alt_key_file` only with `alt_host_keys`, and
  without `ssh_strict` it would add keys to that file.
- junos: NAPALM passes nothing on but `ssh_config_file`, whose UserKnownHostsFile PyEZ's ncclient reads once PyEZ itself
  is told to verify (`arm`).
- iosxr_netconf: all that it does not know itself goes to ncclient, which refuses what it does not know either, and
  has to be told not to take every key (`arm`).
- eos: `enforce_verification` (without it pyeapi switches verification off); nxos: `ssl_verify`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .credentials import Credentials

if TYPE_CHECKING:
    from .access import Access

__all__ = ("arm", "checked_by", "driver_arguments", "known_hosts_of", "password_for", "port_of")

Kind = Literal["frr", "netmiko", "junos", "ncclient", "eapi", "nxapi", "other"]
KINDS: dict[str, Kind] = {
    "frr": "frr",
    "ios": "netmiko",
    "iosxr": "netmiko",
    "nxos_ssh": "netmiko",
    "junos": "junos",
    "iosxr_netconf": "ncclient",
    "eos": "eapi",
    "nxos": "nxapi",
}
PORTS: dict[Kind, int] = {"ncclient": 830, "eapi": 443, "nxapi": 443}
NO_TRANSPORT = ("http", "http_local", "socket", "telnet")
NCCLIENT: tuple[Kind, ...] = ("junos", "ncclient")


def kind_of(access: "Access") -> Kind:
    """Which library speaks to the router."""
    kind = KINDS.get(access.driver, "other")
    return "netmiko" if kind == "eapi" and _transport(access) == "ssh" else kind


def _transport(access: "Access") -> str:
    arguments = access.arguments
    return str(
        arguments.get("transport") or arguments.get("eos_transport") or arguments.get("nxos_protocol") or ""
    )


def checked_by(access: "Access") -> str:
    """Return what checks whom we speak to: "known_hosts", "tls" or "none". The transport may decide it."""
    if _transport(access) in NO_TRANSPORT:
        return "none"
    if kind_of(access) == "netmiko":
        return "known_hosts"
    return access.capabilities.host_keys


def port_of(access: "Access") -> int:
    """The TCP port that the driver connects to."""
    return int(access.arguments.get("port") or PORTS.get(kind_of(access), 22))


def known_hosts_of(access: "Access") -> Path:
    """The file of known SSH host keys that is read."""
    return Path(access.known_hosts or "~/.ssh/known_hosts").expanduser()


def password_for(access: "Access", credentials: Credentials) -> str | None:
    """The password that the driver is given. ncclient takes it for the passphrase of a key, and then tries no other."""
    if kind_of(access) in NCCLIENT and (credentials.key or credentials.key_file):
        return credentials.passphrase or None
    return credentials.password


def driver_arguments(
    access: "Access", credentials: Credentials, key_file: str, folder: Path
) -> dict[str, Any]:
    """
    Return NAPALM's `optional_args`: what host keys, timeouts and credentials need, then what the settings and the
    router say. `folder` is a private one that lasts until the session is open.
    """
    kind = kind_of(access)
    found: dict[str, Any] = {"key_file": key_file} if key_file else {}
    if key_file and kind in ("netmiko", "nxapi"):
        from napalm_frr.connection import read_key

        # By a file's name, paramiko says "Invalid key" where the router has refused a good one.
        found["pkey"] = read_key(key_file, credentials.passphrase)
    writers = {
        "frr": _frr,
        "netmiko": _netmiko,
        "junos": _junos,
        "ncclient": _ncclient,
        "eapi": _eapi,
        "nxapi": _nxapi,
        "other": _other,
    }
    return found | writers[kind](access, credentials, folder)


def _frr(access: "Access", credentials: Credentials, folder: Path) -> dict[str, Any]:
    return {
        "known_hosts": str(known_hosts_of(access)),
        "ssh_strict": access.strict,
        "passphrase": credentials.passphrase,
        **access.arguments,
    }


def _netmiko(access: "Access", credentials: Credentials, folder: Path) -> dict[str, Any]:
    """Timeouts of its own besides NAPALM's: connecting, logging in, each read."""
    strict = {
        "ssh_strict": True,
        "system_host_keys": False,
        "alt_host_keys": True,
        "alt_key_file": str(known_hosts_of(access)),
    }
    found: dict[str, Any] = strict if access.strict else {}
    for name in (
        "conn_timeout",
        "auth_timeout",
        "banner_timeout",
        "blocking_timeout",
        "read_timeout_override",
    ):
        found[name] = access.timeout_s
    if credentials.passphrase:
        found["passphrase"] = credentials.passphrase
    if credentials.enable_secret:
        found["secret"] = credentials.enable_secret
    return found | access.arguments


def _junos(access: "Access", credentials: Credentials, folder: Path) -> dict[str, Any]:
    if not access.strict:
        return dict(access.arguments)
    return {**access.arguments, "ssh_config_file": _ssh_config(access, folder)}


def _ncclient(access: "Access", credentials: Credentials, folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {
        "hostkey_verify": access.strict,
        "allow_agent": False,
        "look_for_keys": False,
        **access.arguments,
    }
    if access.strict:
        found["ssh_config_file"] = _ssh_config(access, folder)
    return found


def _ssh_config(access: "Access", folder: Path) -> str:
    """An ssh_config that names our file of known hosts before anything else: of two answers the first holds."""
    own = access.arguments.get("ssh_config_file") or access.arguments.get("ssh_config") or "~/.ssh/config"
    path = Path(str(own)).expanduser()
    rest = path.read_text() if path.is_file() else ""
    written = folder / "ssh_config"
    written.write_text(f"Host *\n  UserKnownHostsFile {known_hosts_of(access)}\n\n{rest}")
    return str(written)


def _eapi(access: "Access", credentials: Credentials, folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {"enforce_verification": access.strict}
    if credentials.enable_secret:
        found["enable_password"] = credentials.enable_secret
    return found | access.arguments


def _nxapi(access: "Access", credentials: Credentials, folder: Path) -> dict[str, Any]:
    """It loads candidates over SSH, by netmiko, on port 22 whatever its own is."""
    return _netmiko(access, credentials, folder) | {"ssl_verify": access.strict} | access.arguments


def _other(access: "Access", credentials: Credentials, folder: Path) -> dict[str, Any]:
    """A driver of the settings: most of them stand on netmiko."""
    return {
        **_netmiko(access, credentials, folder),
        "known_hosts": str(known_hosts_of(access)),
        **access.arguments,
    }


def arm(access: "Access", driver: Any) -> None:
    """
    What a driver's arguments cannot say. PyEZ verifies host keys only when it is told so itself. ncclient takes every
    key of an IOS-XR router, whatever its caller wants: its answer is set to no, for all of the process.
    """
    if not access.strict:
        return
    if kind_of(access) == "junos":
        driver.device._hostkey_verify = True
    elif kind_of(access) == "ncclient":
        from ncclient.devices import iosxr
        from ncclient.transport.ssh import default_unknown_host_cb

        # Asked only where `hostkey_verify` is on.
        iosxr.iosxr_unknown_host_cb = default_unknown_host_cb

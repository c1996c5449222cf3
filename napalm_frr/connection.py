"""
SSH to a router: one command per channel, so that output, errors and exit status stay apart and nothing has to be read
off a prompt.

Host keys are checked unless the caller says otherwise. Every wait ends: connecting, logging in, each command.
"""

import base64
import hashlib
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paramiko
from napalm.base.exceptions import (
    CommandTimeoutException,
    ConnectAuthError,
    ConnectionClosedException,
    ConnectionException,
    ConnectTimeoutError,
)

CHUNK = 65536


@dataclass(frozen=True)
class Done:
    """What a command did: its exit status, and what it wrote to standard output and standard error."""

    status: int
    output: str
    errors: str

    @property
    def said(self) -> str:
        """Everything that it wrote, errors first, for a message."""
        return "\n".join(filter(None, (self.errors.strip(), self.output.strip())))


@dataclass(frozen=True)
class Login:
    """
    Where to and as whom. `known_hosts` "" means the user's own file; `strict` False takes any host key, which lets
    whoever sits in between read the password.
    """

    host: str
    username: str
    password: str = field(default="", repr=False)
    port: int = 22
    timeout_s: float = 60
    strict: bool = True
    known_hosts: str = ""
    key_file: str = ""
    passphrase: str = field(default="", repr=False)
    use_keys: bool = False
    allow_agent: bool = False
    keepalive_s: int = 30
    ssh_config_file: str = ""


class UnknownHostKey(paramiko.SSHException):
    """The router showed a key that known_hosts has no line for."""


class Refuse(paramiko.MissingHostKeyPolicy):
    """Refuse a router whose key is not known, and say which one it showed."""

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        raise UnknownHostKey(key_name(key))


class Accept(paramiko.MissingHostKeyPolicy):
    """Take whatever key is shown (`ssh_strict: False`)."""

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        return


def key_name(key: paramiko.PKey) -> str:
    """A key as `ssh-keygen -l` shows it: type and SHA256 fingerprint."""
    digest = base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
    return f"{key.get_name()} SHA256:{digest}"


class Connection:
    """One SSH connection. `open` raises a ConnectionException or one of its kind; `run` too, once it is gone."""

    def __init__(self, login: Login) -> None:
        self.login = login
        self._client: paramiko.SSHClient | None = None

    def open(self) -> None:
        client = paramiko.SSHClient()
        try:
            self._connect(client)
        except BaseException:
            client.close()
            raise
        self._client = client

    def _connect(self, client: paramiko.SSHClient) -> None:
        login = self.login
        self._know_hosts(client)
        try:
            client.connect(**self._arguments(), **self._keys())
        except paramiko.BadHostKeyException as error:
            raise ConnectionException(
                f"{login.host} showed the host key {key_name(error.key)}, but {self._known_hosts} has "
                f"{key_name(error.expected_key)} for it. Nothing was sent. If the router's key was really changed, "
                "replace that line"
            ) from error
        except UnknownHostKey as error:
            raise ConnectionException(
                f"{login.host} showed the host key {error}, and {self._known_hosts} has none for it. Nothing was "
                "sent. Compare it with the router's own (ssh-keygen -l) and add it"
            ) from error
        except paramiko.AuthenticationException as error:
            # paramiko tells a login that is not answered from a refused one by its words alone.
            if "timeout" in str(error):
                raise ConnectTimeoutError(
                    f"{login.host} port {self._port} does not answer the login within {login.timeout_s:g} s"
                ) from error
            raise ConnectAuthError(
                f"{login.host} refuses the login of {login.username}: {error}. Check user, password and key"
            ) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(
                f"{login.host} port {self._port} does not answer within {login.timeout_s:g} s"
            ) from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise self._failure(error) from error
        transport = client.get_transport()
        if transport is not None:
            transport.set_keepalive(login.keepalive_s)

    def _failure(self, error: BaseException) -> ConnectionException:
        """What other errors of paramiko mean; it has no class of its own for a banner that does not come."""
        cause = error.__cause__ or error.__context__
        late = (
            isinstance(cause, TimeoutError | EOFError)
            or "banner" in str(error)
            or "No existing session" in str(error)
        )
        kind = ConnectTimeoutError if late else ConnectionException
        return kind(f"No SSH connection to {self.login.host} port {self._port}: {error}")

    def _know_hosts(self, client: paramiko.SSHClient) -> None:
        if not self.login.strict:
            client.set_missing_host_key_policy(Accept())
            return
        client.set_missing_host_key_policy(Refuse())
        if Path(self._known_hosts).exists():
            # `load_system_host_keys` reads and never writes.
            client.load_system_host_keys(self._known_hosts)

    @property
    def _known_hosts(self) -> str:
        return os.path.expanduser(self.login.known_hosts or "~/.ssh/known_hosts")

    @property
    def _port(self) -> int:
        return int(self._arguments()["port"])

    def _arguments(self) -> dict[str, Any]:
        """What `paramiko.SSHClient.connect` takes."""
        login, configured = self.login, self._ssh_config()
        arguments: dict[str, Any] = {
            "hostname": configured.get("hostname", login.host),
            "port": int(configured.get("port", login.port)),
            "username": login.username or configured.get("user"),
            "password": login.password or None,
            "allow_agent": login.allow_agent,
            "timeout": login.timeout_s,
            "banner_timeout": login.timeout_s,
            "auth_timeout": login.timeout_s,
            "channel_timeout": login.timeout_s,
        }
        if "proxycommand" in configured:
            arguments["sock"] = paramiko.ProxyCommand(configured["proxycommand"])
        return arguments

    def _keys(self) -> dict[str, Any]:
        """
        Which keys it takes. One key is read beforehand: of a file's name paramiko tries every type, and of a login that
        was refused it then says "Invalid key".
        """
        login = self.login
        key_files = [login.key_file] if login.key_file else self._ssh_config().get("identityfile", [])
        if len(key_files) == 1:
            return {"pkey": read_key(key_files[0], login.passphrase), "look_for_keys": False}
        return {
            "key_filename": [os.path.expanduser(path) for path in key_files] or None,
            "passphrase": login.passphrase or None,
            "look_for_keys": login.use_keys and not key_files,
        }

    def _ssh_config(self) -> dict[str, Any]:
        """What an ssh_config says of the host; {} when none was given."""
        if not self.login.ssh_config_file:
            return {}
        path = os.path.expanduser(self.login.ssh_config_file)
        try:
            return dict(paramiko.SSHConfig.from_path(path).lookup(self.login.host))
        except OSError as error:
            raise ConnectionException(f"ssh_config_file {path} cannot be read: {error}") from error

    def close(self) -> None:
        """End it; nothing happens when it is not open."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def is_alive(self) -> bool:
        """Whether the router still takes packets of this connection."""
        transport = self._client.get_transport() if self._client else None
        if transport is None or not transport.is_active():
            return False
        try:
            transport.send_ignore()
        except (OSError, EOFError, paramiko.SSHException):
            return False
        return True

    def run(self, command: str, stdin: str = "", timeout_s: float | None = None) -> Done:
        """
        Run a command in the login shell with `stdin` as its input, and wait for its end.

        Raises CommandTimeoutException when it takes longer than `timeout_s` (by default the login's), and
        ConnectionClosedException when the connection ends before it.
        """
        wait_s = timeout_s or self.login.timeout_s
        transport = self._client.get_transport() if self._client else None
        if transport is None or not transport.is_active():
            raise ConnectionClosedException(f"There is no open connection to {self.login.host}")
        channel = None
        try:
            channel = transport.open_session(timeout=wait_s)
            return self._talk(channel, command, stdin, time.monotonic() + wait_s)
        except TimeoutError as error:
            raise CommandTimeoutException(
                f"{self.login.host} did not finish within {wait_s:g} s: {shown(command)}"
            ) from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise self._closed(error) from error
        finally:
            if channel is not None:
                channel.close()

    def _talk(self, channel: paramiko.Channel, command: str, stdin: str, deadline: float) -> Done:
        channel.settimeout(left(deadline))
        channel.exec_command(command)
        if stdin:
            channel.sendall(stdin.encode())
        channel.shutdown_write()
        output = read(channel.recv, channel, deadline)
        # Held back meanwhile: SSH's window of 2 MiB, far more than FRR has to complain about.
        errors = read(channel.recv_stderr, channel, deadline)
        if not channel.status_event.wait(left(deadline)):
            raise TimeoutError
        status = channel.recv_exit_status()
        if status == -1:
            raise self._closed("it ended before the command did")
        return Done(status, output, errors)

    def _closed(self, why: object) -> ConnectionClosedException:
        return ConnectionClosedException(f"The connection to {self.login.host} is gone: {why}")


def read_key(path: str, passphrase: str = "") -> paramiko.PKey:
    """A private key, with the certificate beside it. Raises ConnectAuthError when the file holds none of use."""
    path, reason = os.path.expanduser(path), "it holds no private key that paramiko knows"
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            key = kind.from_private_key_file(path, passphrase or None)
        except paramiko.PasswordRequiredException:
            reason = "it is encrypted, and there is no passphrase"
        except (paramiko.SSHException, ValueError):
            # Of another type, or encrypted with another passphrase.
            continue
        except OSError as error:
            reason = str(error.strerror)
        else:
            if os.path.exists(f"{path}-cert.pub"):
                key.load_certificate(f"{path}-cert.pub")
            return key
    raise ConnectAuthError(f"The key {path} cannot be used: {reason}. Check key and passphrase")


def read(receive: Any, channel: paramiko.Channel, deadline: float) -> str:
    """Everything that comes until the stream ends."""
    parts: list[bytes] = []
    while True:
        channel.settimeout(left(deadline))
        part = receive(CHUNK)
        if not part:
            return b"".join(parts).decode(errors="replace")
        parts.append(part)


def left(deadline: float) -> float:
    """The seconds until then. Raises TimeoutError when there are none."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def shown(command: str) -> str:
    """The first line of a command, shortened, for a message."""
    line = command.partition("\n")[0]
    return line if len(line) <= 100 else f"{line[:100]} …"

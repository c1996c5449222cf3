"""The driver: NAPALM's methods for FRRouting. What NAPALM documents is not repeated here, only what is FRR's."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from napalm.base import NetworkDriver
from napalm.base.exceptions import (
    CommandErrorException,
    CommitError,
    MergeConfigException,
    NapalmException,
    ReplaceConfigException,
)

from napalm_frr import bgp, configuration, system
from napalm_frr.bgp_config import bgp_config
from napalm_frr.connection import Connection, Login
from napalm_frr.router import Places, Router
from napalm_frr.unprinted import in_effect

NEIGHBORS = "show bgp vrf all neighbors json"
VRFS = "show bgp vrfs json"
INTERFACES = "show interface vrf all json"


class FRRDriver(NetworkDriver):
    """
    FRRouting by SSH, vtysh and frr-reload.py. The login needs a shell, and the rights to configure FRR.

    `optional_args`: `port` (22), `key_file`, `passphrase`, `use_keys` (False), `allow_agent` (False), `known_hosts`
    (the user's own), `ssh_strict` (True: a host key that is not known is refused), `ssh_config_file`, `keepalive`
    (30 s), and on the router `state_dir` (/var/lib/napalm-frr), `frr_reload` (/usr/lib/frr/frr-reload.py), `config_dir`
    (/etc/frr).

    `timeout` is in seconds, of connecting, logging in and each command; a commit has several.
    """

    def __init__(
        self,
        hostname: str,
        username: str,
        password: str,
        timeout: int = 60,
        optional_args: dict[str, Any] | None = None,
    ) -> None:
        arguments = optional_args or {}
        self.hostname, self.username, self.password, self.timeout = hostname, username, password, timeout
        self.platform = "frr"
        self.profile = ["frr"]
        self._candidate = ""
        self._replace = False
        self._places = Places(
            **{name: arguments[name] for name in Places.__annotations__ if name in arguments}
        )
        self.device = Connection(
            Login(
                host=hostname,
                username=username,
                password=password or "",
                port=int(arguments.get("port") or 22),
                timeout_s=timeout,
                strict=arguments.get("ssh_strict", True),
                known_hosts=arguments.get("known_hosts") or "",
                key_file=arguments.get("key_file") or "",
                passphrase=arguments.get("passphrase") or "",
                use_keys=bool(arguments.get("use_keys")),
                allow_agent=bool(arguments.get("allow_agent")),
                keepalive_s=int(arguments.get("keepalive", 30)),
                ssh_config_file=arguments.get("ssh_config_file") or "",
            )
        )
        self._router: Router = Router(self.device, self._places, timeout)

    def open(self) -> None:
        """Raises ConnectionException, of which ConnectAuthError and ConnectTimeoutError are kinds."""
        self.device.open()
        self._router = Router(self.device, self._places, self.timeout)

    def close(self) -> None:
        """A commit that waits to be confirmed goes on waiting, on the router."""
        self.device.close()

    def is_alive(self) -> dict[str, bool]:
        return {"is_alive": self.device.is_alive()}

    # Configuration. The candidate is kept here until it is committed; the router holds it for moments only.

    def load_replace_candidate(self, filename: str | None = None, config: str | None = None) -> None:
        """The whole configuration. frr-reload.py deletes what it does not have."""
        self._load(filename, config, ReplaceConfigException, replace=True)

    def load_merge_candidate(self, filename: str | None = None, config: str | None = None) -> None:
        """
        Lines as one types them in `configure terminal`, `no …` among them. A second call adds to the first, unless a
        replacement was loaded meanwhile.
        """
        self._load(filename, config, MergeConfigException, replace=False)

    def _load(
        self, filename: str | None, config: str | None, kind: type[NapalmException], *, replace: bool
    ) -> None:
        text = _text(filename, config, kind)
        self._router.check(text, replace=replace)
        added = not replace and not self._replace and self._candidate
        self._candidate = f"{self._candidate}\nend\n{text}" if added else text
        self._replace = replace

    def compare_config(self) -> str:
        """
        The lines that would go (-) and come (+), below the blocks they stand in; "" when nothing would change. Secrets
        are in it as they are in the configuration.
        """
        if not self._candidate:
            return ""
        target = self._candidate if self._replace else configuration.unparse(self._merge().result)
        running = configuration.parse(self._router.running())
        return configuration.difference(
            self._router.compare(target), in_effect(running, self._ask_json(NEIGHBORS))
        )

    def _merge(self) -> configuration.Merge:
        running, candidate = self._router.running(), self._router.mark(self._candidate)
        return configuration.merge(configuration.parse(running), configuration.parse(candidate))

    def commit_config(self, message: str = "", revert_in: int | None = None) -> None:
        """
        Saved as startup configuration as well, with `revert_in` (seconds) once it is confirmed. The router itself keeps
        that time, whatever becomes of this connection. The message goes into a log on the router (`state_dir`).

        A configuration that FRR refuses raises CommitError and leaves the router as it was. LockError: somebody else
        commits at this moment. CommitConfirmException: a commit waits to be confirmed.
        """
        if not self._candidate:
            raise CommitError("No candidate configuration is loaded")
        if revert_in is not None and revert_in < 1:
            raise CommitError(f"revert_in is a number of seconds, at least 1, not {revert_in}")
        text = self._candidate if self._replace else configuration.unparse(self._merge().enter)
        self._router.commit(text, replace=self._replace, revert_in=revert_in or 0, message=message)
        self.discard_config()

    def confirm_commit(self) -> None:
        """Raises CommitConfirmException when nothing waits, because it was reverted, say."""
        self._router.confirm()

    def has_pending_commit(self) -> bool:
        """Asked of the router, so it is true for a commit that another connection has made."""
        return self._router.pending()

    def discard_config(self) -> None:
        self._candidate, self._replace = "", False

    def rollback(self) -> None:
        """To the configuration before the last commit, which the router keeps; a second time changes nothing more."""
        self._router.rollback()
        self.discard_config()

    def get_config(
        self,
        retrieve: str = "all",
        full: bool = False,
        sanitized: bool = False,
        format: str = "text",  # noqa: A002
    ) -> dict[str, str]:
        """`full` is ignored: FRR has no such command. Raises NotImplementedError for a format other than text."""
        if format != "text":
            raise NotImplementedError(f"FRR's configuration is text, there is no {format} of it")
        stores: dict[str, Callable[[], str]] = {
            "running": self._router.running,
            "startup": self._router.startup,
            "candidate": lambda: self._candidate,
        }
        found = {name: read() if retrieve in ("all", name) else "" for name, read in stores.items()}
        return {name: configuration.sanitized(text) if sanitized else text for name, text in found.items()}

    # What the router says of itself

    def cli(self, commands: list[str], encoding: str = "text") -> dict[str, str]:
        """vtysh commands. Raises CommandErrorException for one that FRR does not know."""
        if encoding != "text":
            raise NotImplementedError(
                f"vtysh answers in text; commands that end in json are JSON, not {encoding}"
            )
        return {command: self._ask(command) for command in commands}

    def get_facts(self) -> dict[str, Any]:
        return system.facts(
            self._ask("show version"),
            self.device.run("cat /proc/uptime").output,
            self.device.run("hostname -f || hostname").output,
            self._ask_json(INTERFACES),
        )

    def get_interfaces(self) -> dict[str, Any]:
        return system.interfaces(self._ask_json(INTERFACES))

    def get_interfaces_ip(self) -> dict[str, Any]:
        return system.interface_addresses(self._ask_json(INTERFACES))

    def get_bgp_neighbors(self) -> dict[str, Any]:
        return bgp.neighbors(self._ask_json(NEIGHBORS), self._ask_json(VRFS))

    def get_bgp_neighbors_detail(self, neighbor_address: str = "") -> dict[str, Any]:
        return bgp.details(self._ask_json(NEIGHBORS), neighbor_address)

    def get_bgp_config(self, group: str = "", neighbor: str = "") -> dict[str, Any]:
        """With the sessions' passwords in clear (`authentication_key`), as they are in the configuration."""
        return bgp_config(configuration.parse(self._router.running()), group, neighbor)

    def _ask(self, command: str) -> str:
        quoted = "'" + command.replace("'", "'\\''") + "'"
        done = self.device.run(f"vtysh -c {quoted}")
        if done.status:
            raise CommandErrorException(f"{self.hostname} does not answer {command!r}: {done.said}")
        return done.output

    def _ask_json(self, command: str) -> dict[str, Any]:
        said = self._ask(command)
        try:
            found = json.loads(said or "{}")
        except ValueError as error:
            raise CommandErrorException(
                f"{self.hostname} answers {command!r} with no JSON: {said[:200]}"
            ) from error
        return found if isinstance(found, dict) else {}


def _text(filename: str | None, config: str | None, kind: type[NapalmException]) -> str:
    """The candidate, out of the file when one is named. Raises `kind` when there is none."""
    if filename:
        try:
            config = Path(filename).read_text()
        except OSError as error:
            raise kind(f"The configuration cannot be read: {error}") from error
    if not config or not config.strip():
        raise kind("The configuration is empty")
    return config if config.endswith("\n") else f"{config}\n"

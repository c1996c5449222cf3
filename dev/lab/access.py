"""
How one gets into our routers: a key and a password for root, and an sshd with a host key of its own on each. The
accounts are files of the lab; nobody of this machine gets a password.
"""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from dev import state

USER = "root"
PORT = 22
SSHD = "/usr/sbin/sshd"
CONFIGURATION = """\
Port {port}
ListenAddress {address}
HostKey /run/lab/host_key
AuthorizedKeysFile /run/lab/authorized_keys
PidFile /run/lab/sshd.own.pid
PermitRootLogin yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
StrictModes no
PrintMotd no
MaxStartups 50
"""


@dataclass(frozen=True)
class Router:
    """One of our routers, as a NAPALM driver reaches it. Paths are absolute."""

    name: str
    host: str
    port: int
    user: str
    key_file: str
    known_hosts: str
    folder: str  # what the router sees as its /run, /etc/frr …
    password: str = field(repr=False)

    @property
    def optional_args(self) -> dict[str, object]:
        """What napalm_frr needs beside host and user."""
        return {"port": self.port, "key_file": self.key_file, "known_hosts": self.known_hosts}

    def pid(self, program: str) -> int:
        """The process of a daemon ("zebra", "bgpd", "sshd" …)."""
        return int(Path(self.folder, "run", "lab", f"{program}.pid").read_text())


def client_key(folder: Path) -> Path:
    """The key with which one logs in on every router of the lab, made when it is missing."""
    return _key(folder / "id_ed25519", "netbox-peering-manager lab")


def prepare(name: str, address: str, folder: Path, login: Path, known_hosts: Path) -> Router:
    """Write what a router's sshd needs below its folder, and its host key into the lab's known_hosts."""
    own = folder / "run" / "lab"
    (folder / "run" / "sshd").mkdir(mode=0o755, parents=True, exist_ok=True)
    host_key = _key(own / "host_key", name)
    (own / "authorized_keys").write_text(Path(f"{login}.pub").read_text())
    (own / "sshd.conf").write_text(CONFIGURATION.format(port=PORT, address=address))
    password = state.random_text(20)
    _write_accounts(folder, password)
    with known_hosts.open("a") as output:
        output.write(f"{address} {' '.join(Path(f'{host_key}.pub').read_text().split()[:2])}\n")
    return Router(
        name=name,
        host=address,
        port=PORT,
        user=USER,
        key_file=str(login),
        known_hosts=str(known_hosts),
        folder=str(folder),
        password=password,
    )


def _write_accounts(folder: Path, password: str) -> None:
    """This machine's accounts, of which nobody but root has a password, and root has this one."""
    (folder / "etc-passwd").write_text(Path("/etc/passwd").read_text())
    state.write_private(folder / "etc-shadow", "".join(_shadow(password)))


def _shadow(password: str) -> list[str]:
    names = [line.partition(":")[0] for line in Path("/etc/passwd").read_text().splitlines()]
    return [f"{name}:{hashed(password) if name == USER else '*'}:19000:0:99999:7:::\n" for name in names]


def hashed(password: str) -> str:
    """The password as /etc/shadow has it (SHA-512). By Perl, which every Debian has; Python gave up its own."""
    script = "print crypt($ARGV[0], $ARGV[1])"
    salt = f"$6${state.random_text(12)}$"
    return subprocess.run(
        ["perl", "-e", script, password, salt], capture_output=True, text=True, check=True
    ).stdout


def _key(path: Path, comment: str) -> Path:
    if not path.exists():
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)], check=True
        )
    return path

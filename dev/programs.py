"""
Find the server programs, and install Debian's packages for those that are missing.

As root the packages are installed; as anybody else the exact line to run is printed. Nothing that a package
brings is left running, and nothing that ran before is stopped.
"""

import os
import shutil
import subprocess
import sysconfig
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dev import state
from dev.errors import DevError
from dev.progress import run, say, step

MACHINE_LOCK = Path("/run/lock/netbox-peering-manager")  # two checkouts may want packages at once
POLICY = Path("/usr/sbin/policy-rc.d")
# Debian asks this program before it starts a service; 101 is "forbidden by policy" (invoke-rc.d's own list).
POLICY_TEXT = (
    "#!/bin/sh\n# Made by the NetBox Peering Manager's local stack while it installs packages.\nexit 101\n"
)


@dataclass(frozen=True)
class Program:
    """
    A program (or header file): where it may lie, the newest first, and the Debian packages that bring it.
    """

    candidates: tuple[str, ...]  # absolute paths, globs allowed, or a bare name to look up in PATH
    packages: tuple[str, ...]
    purpose: str

    def find(self):
        """The path of the program, or None."""
        return next(filter(None, map(_find_candidate, self.candidates)), None)


def _postgres(name, package, purpose):
    return Program((f"/usr/lib/postgresql/*/bin/{name}", name), (package,), purpose)


# Packages without a version, where Debian has such: its releases have different ones.
PROGRAMS = {
    "postgres": _postgres("postgres", "postgresql", "the private database server"),
    "initdb": _postgres("initdb", "postgresql", "the private database server"),
    "ltree": Program(
        ("/usr/share/postgresql/*/extension/ltree.control",),
        ("postgresql",),
        "NetBox's tree models (Debian's PostgreSQL brings the extension)",
    ),
    "psql": _postgres("psql", "postgresql-client", "restoring the baseline"),
    "pg_dump": _postgres("pg_dump", "postgresql-client", "making the baseline"),
    "redis-server": Program(("redis-server",), ("redis-server",), "the private Redis"),
    "cc": Program(("cc", "gcc"), ("build-essential",), "compiling NetBox's database driver"),
    "pg_config": Program(("pg_config",), ("libpq-dev",), "compiling NetBox's database driver"),
    "Python.h": Program(
        (f"{sysconfig.get_path('include')}/Python.h",),
        ("python3-dev",),
        "compiling NetBox's database driver",
    ),
    "ensurepip": Program(
        (f"{sysconfig.get_path('stdlib')}/ensurepip/__init__.py",),
        ("python3-venv",),
        "making the virtual environment",
    ),
    "frr": Program(
        ("/usr/lib/frr/bgpd",),
        ("frr", "frr-pythontools"),
        "FRR's parser, which checks rendered configurations",
    ),
    "bird": Program(
        ("bird", "/usr/sbin/bird"), ("bird2",), "BIRD's parser, which checks rendered configurations"
    ),
    "openbgpd": Program(
        ("/usr/sbin/bgpd",), ("openbgpd",), "OpenBGPD's parser, which checks rendered configurations"
    ),
    "chromium": Program(("chromium",), ("chromium",), "the browser tests"),
    "frr-reload": Program(
        ("/usr/lib/frr/frr-reload.py",),
        ("frr-pythontools",),
        "replacing the configuration of the lab's routers",
    ),
    "sshd": Program(("/usr/sbin/sshd",), ("openssh-server",), "reaching the lab's routers"),
    "ip": Program(("ip", "/usr/sbin/ip", "/sbin/ip"), ("iproute2",), "the lab's network namespaces"),
}

FOR_VENV = ("cc", "pg_config", "Python.h", "ensurepip")
FOR_DATABASE = ("postgres", "initdb", "ltree")
FOR_REDIS = ("redis-server",)
FOR_CLIENT = ("psql",)
FOR_DEMO = ("frr",)
FOR_LAB = ("frr", "frr-reload", "bird", "openbgpd", "sshd", "ip")
FOR_TESTS = ("frr", "bird", "openbgpd", "chromium")


def find(name):
    """The path of a program as text. Raises DevError with the line that installs it when it is missing."""
    path = PROGRAMS[name].find()
    if path is None:
        raise DevError(missing_message([name]))
    return path


def ensure(names):
    """Make sure that the named programs are there: install what is missing as root, else say what to run."""
    missing = [name for name in names if PROGRAMS[name].find() is None]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise DevError(missing_message(missing))
    install(packages_of(missing))
    if still_missing := [name for name in missing if PROGRAMS[name].find() is None]:
        raise DevError(missing_message(still_missing))


def packages_of(names):
    """The Debian packages of several programs, each once, in order."""
    return list(dict.fromkeys(package for name in names for package in PROGRAMS[name].packages))


def missing_message(names):
    """What is missing, what it is for, and the command that installs it."""
    purposes = "; ".join(f"{name} (for {PROGRAMS[name].purpose})" for name in names)
    return f"Missing: {purposes}. Install with: {install_line(packages_of(names))}"


def install_line(packages):
    """The command that a person types to install the packages."""
    prefix = "" if os.geteuid() == 0 else "sudo "
    return f"{prefix}apt-get install --no-install-recommends {' '.join(packages)}"


def install(packages):
    """Install Debian packages without starting their services."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    hint = f"By hand: {install_line(packages)}"
    with step(f"Installing {', '.join(packages)}"), state.locked(MACHINE_LOCK), services_kept_down():
        run(["apt-get", "update"], "apt-update", env=environment, hint=hint)
        run(
            ["apt-get", "install", "-y", "--no-install-recommends", *packages],
            "apt-install",
            env=environment,
            hint=hint,
        )


@contextmanager
def services_kept_down(policy=POLICY):
    """
    While packages are installed, forbid their services to start.

    A policy that the machine already has stays; ours goes away again, also one left behind by a killed run.
    """
    ours = not policy.exists() or policy.read_text(errors="replace") == POLICY_TEXT
    if ours:
        policy.write_text(POLICY_TEXT)
        policy.chmod(0o755)
    else:
        say(f"Leaving {policy} as it is")
    try:
        yield
    finally:
        if ours:
            policy.unlink(missing_ok=True)


def version_of(path):
    """The first line that a program prints about its version; empty when it prints none."""
    done = subprocess.run([path, "--version"], capture_output=True, text=True)
    return (done.stdout or done.stderr).strip().partition("\n")[0]


def _find_candidate(candidate):
    """The path for one candidate, or None. Of several matches of a glob the highest version wins."""
    if not candidate.startswith("/"):
        return shutil.which(candidate)
    matches = sorted(Path("/").glob(candidate[1:]), key=_version_in)
    return str(matches[-1]) if matches else None


def _version_in(path):
    """Sort key of paths such as /usr/lib/postgresql/15/bin/psql: the number in them, 0 when there is none."""
    return max((int(part) for part in path.parts if part.isdigit()), default=0)

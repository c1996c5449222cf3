"""What the repository promises: pinned versions without an index, and a Makefile that explains itself."""

import re
import subprocess
import sys
from pathlib import Path

from dev import commands, netbox, paths, programs

CONSTRAINTS = paths.CONSTRAINTS.read_text().splitlines()
REQUIREMENTS = [
    line for line in paths.REQUIREMENTS.read_text().splitlines() if line and not line.startswith("#")
]


def normal(name):
    """A distribution's name as pip compares them."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_constraint_pins_one_version_and_names_no_host():
    assert CONSTRAINTS
    for line in CONSTRAINTS:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line), line


def test_every_requirement_is_pinned():
    assert {normal(name) for name in REQUIREMENTS} <= {
        normal(line.partition("==")[0]) for line in CONSTRAINTS
    }


def test_host_is_pinned_to_the_versions_that_the_plugin_is_made_for():
    assert {"netbox==4.7.3", "netbox-routing==0.5.1"} <= set(CONSTRAINTS)


def test_make_alone_lists_every_target():
    listed = subprocess.run(["make"], cwd=paths.ROOT, capture_output=True, text=True).stdout
    targets = re.search(r"^\.PHONY: (.*)$", (paths.ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
    assert re.findall(r"^  make (\S+)", listed, re.MULTILINE) == targets


def test_every_target_calls_a_command_that_exists():
    called = re.findall(r"^\t\$\(DEV\) (\S+)", (paths.ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(called) <= set(commands.COMMANDS)


def test_every_command_explains_itself():
    assert all((function.__doc__ or "").strip() for function in commands.COMMANDS.values())


def test_every_server_program_says_what_it_is_for():
    for program in programs.PROGRAMS.values():
        assert program.packages
        assert program.purpose


def test_packages_are_called_as_every_release_of_debian_calls_them():
    packages = {package for program in programs.PROGRAMS.values() for package in program.packages}
    # BIRD 2 and iproute2 are called so, whatever their versions.
    numbered = {name for name in packages if re.search(r"\d$|\d\.\d", name)}
    assert numbered == {"bird2", "iproute2"}


def test_what_the_virtual_environment_is_made_with_is_that_of_this_python():
    for name in ("Python.h", "ensurepip"):
        assert Path(programs.find(name)).is_relative_to(sys.base_prefix)


def test_environment_leads_to_this_checkout():
    environment = netbox.environment(database="other", host_only=True)
    assert environment["NETBOX_CONFIGURATION"] == "dev.configuration"
    assert environment["NPM_DATABASE"] == "other"
    assert environment["PATH"].startswith(f"{paths.VENV / 'bin'}:")

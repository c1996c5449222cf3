"""The driver as a part of the distribution: found by NAPALM, documented, and known to nothing of the plugin."""

import ast
import re
from pathlib import Path

import napalm

from dev import paths
from napalm_frr import FRRDriver, frr
from napalm_frr.router import Places
from tests.docs.markdown import first_cells, sections

REFERENCE = "reference/napalm-frr.md"


def imported(path, *, when_loaded=False):
    """The top-level packages that a module imports; `when_loaded`: without those that its functions do when called."""
    found, tree = set(), ast.parse(path.read_text())
    for node in tree.body if when_loaded else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_napalm_finds_the_driver_by_its_name():
    assert napalm.get_network_driver("frr") is FRRDriver


def test_driver_knows_nothing_of_netbox():
    for path in (paths.ROOT / "napalm_frr").glob("*.py"):
        assert not imported(path) & {"netbox_peering_manager", "netbox", "django", "dev"}, path


def test_plugin_works_without_napalm():
    for path in paths.PLUGIN.rglob("*.py"):
        found = imported(path, when_loaded=True)
        assert not found & {"napalm", "napalm_frr", "netmiko", "paramiko", "ncclient", "jnpr", "pyeapi"}, path


def test_every_option_is_documented():
    options = set(re.findall(r'arguments\.get\("(\w+)"', Path(frr.__file__).read_text()))
    assert {cell.strip("`") for cell in first_cells(sections(REFERENCE)["Options"])} == options | set(
        Places.__annotations__
    )


def test_every_method_is_documented():
    own = {name for name, value in vars(FRRDriver).items() if callable(value) and not name.startswith("_")}
    told = {name for cell in first_cells(sections(REFERENCE)["Methods"]) for name in re.findall(r"\w+", cell)}
    assert told == own

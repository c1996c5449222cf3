"""
What the table says of each driver is what its own source says: a method that is not its own, or only raises, is no
capability; neither is an argument that it refuses.
"""

import ast
import inspect

import pytest
from napalm import get_network_driver
from napalm.base import NetworkDriver

from netbox_peering_manager import PeeringManagerConfig
from netbox_peering_manager import settings as plugin_settings
from netbox_peering_manager.services.devices.arguments import KINDS
from netbox_peering_manager.services.devices.capabilities import (
    TABLE,
    Capabilities,
    capabilities_of,
    revert_in_s,
)


def implements(driver, name):
    """Whether the driver has a method of its own that does more than to refuse."""
    method = getattr(get_network_driver(driver), name)
    if method is getattr(NetworkDriver, name):
        return False
    body = [part for part in tree_of(method).body if not isinstance(part, ast.Expr)]
    return not (len(body) == 1 and raises_not_implemented(body))


def tree_of(method):
    # Indented, and not to be dedented: texts within begin at the margin.
    block = ast.parse(f"if True:\n{inspect.getsource(method)}").body[0]
    return block.body[0]


def raises_not_implemented(body):
    return any(isinstance(part, ast.Raise) and "NotImplementedError" in ast.dump(part) for part in body)


def takes(driver, argument):
    """Whether commit_config takes the argument: it uses it, and does not refuse it."""
    tree = tree_of(get_network_driver(driver).commit_config)
    used = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == argument]
    refused = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and argument in ast.dump(node.test) and raises_not_implemented(node.body)
    ]
    return bool(used) and not refused


@pytest.mark.parametrize("driver", TABLE)
def test_table_says_what_the_driver_can(driver):
    can = TABLE[driver]
    assert can.merge == implements(driver, "load_merge_candidate")
    assert can.replace == implements(driver, "load_replace_candidate")
    assert can.rollback == implements(driver, "rollback")
    assert can.message == takes(driver, "message")
    assert bool(can.revert_unit_s) == takes(driver, "revert_in")
    assert can.pending == implements(driver, "has_pending_commit")
    assert bool(can.revert_unit_s) == implements(driver, "confirm_commit")
    assert can.bgp_config == implements(driver, "get_bgp_config")
    detail, summary = (implements(driver, name) for name in ("get_bgp_neighbors_detail", "get_bgp_neighbors"))
    assert can.neighbors == ("detail" if detail else "summary" if summary else "none")
    for name in ("compare_config", "discard_config", "get_interfaces_ip", "get_facts", "get_config"):
        assert implements(driver, name), name


@pytest.mark.parametrize("driver", TABLE)
def test_driver_that_lists_only_missing_lines_does_not_compare_exactly(driver):
    """netutils' and IOS' own comparison look for the candidate's lines; a `no` is never among what there is."""
    source = inspect.getsource(inspect.getmodule(get_network_driver(driver)))
    additive = "diff_network_config" in source or "incremental-diffs" in source or driver.startswith("nxos")
    assert TABLE[driver].compare_exact is not additive


@pytest.mark.parametrize("driver", [name for name in TABLE if TABLE[name].revert_unit_s])
def test_driver_that_remembers_its_commit_confirms_in_its_session_alone(driver):
    own = "pending_commits.get(self.config_session)" in inspect.getsource(
        get_network_driver(driver).confirm_commit
    )
    assert TABLE[driver].confirms_in_session is own


def test_revert_in_that_is_no_multiple_is_refused_by_those_that_say_so():
    assert "% 60" in inspect.getsource(get_network_driver("junos").commit_config)
    assert "int(revert_in / 60)" in inspect.getsource(get_network_driver("ios").commit_config)
    assert TABLE["junos"].revert_unit_s == TABLE["ios"].revert_unit_s == 60


@pytest.mark.parametrize(
    ("unit", "wanted", "given"), [(0, 90, 0), (1, 90, 90), (60, 61, 120), (60, 120, 120)]
)
def test_time_to_go_back_is_rounded_up_to_what_the_router_takes(unit, wanted, given):
    assert revert_in_s(Capabilities(revert_unit_s=unit), wanted) == given


def test_drivers_of_the_default_settings_are_all_known():
    assert {
        each["driver"] for each in PeeringManagerConfig.default_settings["napalm_drivers"].values()
    } <= set(TABLE)


def test_settings_know_the_same_drivers_and_capabilities_as_the_table():
    assert set(plugin_settings._KNOWN_DRIVERS) == set(TABLE) == set(KINDS)
    assert tuple(plugin_settings._CAPABILITIES) == Capabilities.names()


def test_what_the_settings_say_of_a_driver_goes_before_the_table():
    assert capabilities_of("acme") is None
    assert capabilities_of("acme", {"replace": False}) == Capabilities(replace=False)
    assert capabilities_of("frr", {}) == Capabilities()

"""System checks: what the plugin needs beside itself."""

from unittest import mock

from django.apps import apps
from django.core import checks

from netbox_peering_manager.checks import netbox_routing_is_installed


def test_nothing_is_reported_beside_netbox_routing():
    assert netbox_routing_is_installed(None) == []


def test_missing_netbox_routing_is_an_error_with_what_to_do():
    with mock.patch.object(apps, "is_installed", lambda name: name != "netbox_routing"):
        [error] = netbox_routing_is_installed(None)
    assert error.id == "netbox_peering_manager.E001"
    assert error.msg == "netbox_peering_manager needs the plugin netbox_routing."
    assert error.hint == (
        "pip install netbox-routing==0.5.1, and put 'netbox_routing' into PLUGINS before this plugin."
    )
    assert error.level == checks.ERROR


def test_check_runs_with_every_netbox_command():
    assert netbox_routing_is_installed in checks.registry.registry.get_checks()

"""NAPALM's own contract for getters, played with what a real FRR answered (`record.py`)."""

from pathlib import Path

import pytest
from napalm.base.test import conftest as suite
from napalm.base.test.double import BaseTestDouble
from napalm.base.test.getters import BaseTestGetters

from napalm_frr import FRRDriver
from napalm_frr.connection import Done
from napalm_frr.router import Router
from tests.napalm_frr.record import SUITE

# What FRR has no such thing of, or what is not FRR's to tell.
NOT_THERE = {
    *("get_lldp_neighbors", "get_lldp_neighbors_detail", "get_interfaces_counters", "get_environment"),
    *("get_arp_table", "get_ipv6_neighbors_table", "get_ntp_peers", "get_ntp_servers"),
    *("get_ntp_stats", "get_mac_address_table", "get_route_to", "get_snmp_information", "get_probes_config"),
    *("get_probes_results", "ping", "traceroute", "get_users", "get_optics", "get_network_instances"),
    *("get_firewall_policies", "get_vlans"),
}
ARGUMENTS = dict.fromkeys(("ping", "traceroute"), ("192.0.2.1",))


class Recorded(BaseTestDouble):
    """A connection that answers as the recorded one did."""

    def run(self, command, stdin="", timeout_s=None):
        return Done(0, self.read_txt_file(self.find_file(f"{self.sanitize_text(command)}.txt")), "")

    def is_alive(self):
        return True


class PlayedDriver(FRRDriver):
    patched_attrs = ("device",)

    def open(self):
        self.device = Recorded()
        self._router = Router(self.device, self._places, self.timeout)

    def close(self):
        pass


@pytest.fixture(scope="class")
def _device(request):
    request.cls.driver, request.cls.patched_driver = FRRDriver, PlayedDriver
    suite.set_device_parameters(request)


@pytest.mark.usefixtures("_device")
class TestGetters(BaseTestGetters):
    """Every test of the suite that FRR has an answer to; what it has none to says so (below)."""


SUITE_TESTS = [name for name in dir(BaseTestGetters) if name.startswith("test_")]
for _name in SUITE_TESTS:
    if _name not in SUITE and _name != "test_method_signatures":
        setattr(TestGetters, _name, None)


@pytest.mark.parametrize("method", sorted(NOT_THERE))
def test_getters_that_frr_has_no_answer_to_are_not_implemented(method):
    driver = PlayedDriver("198.51.100.1", "noc", "")
    driver.open()
    with pytest.raises(NotImplementedError):
        getattr(driver, method)(*ARGUMENTS.get(method, ()))


def test_every_test_of_napalms_suite_is_run_or_its_getter_known_to_be_missing():
    names = {
        name.removeprefix("test_").removesuffix("_with_vrf").removesuffix("_longer") for name in SUITE_TESTS
    }
    implemented = {test.removeprefix("test_") for test in SUITE} | {"method_signatures"}
    assert names == implemented | NOT_THERE


def test_every_recording_belongs_to_a_test():
    folders = {path.name for path in (Path(__file__).parent / "mocked_data").iterdir()}
    assert folders == set(SUITE)

"""
What NAPALM's own suite is played: what a real FRR answered, kept in mocked_data/. Recorded in the lab (as root):

    python -m tests.napalm_frr.record

Each folder mocked_data/<test>/<case>/ has one file per command, named as NAPALM's doubles name them, and the result
that the driver made of them, which is to be read before it is committed.
"""

import json
import shutil
import time
from pathlib import Path
from typing import Any

from napalm.base.test.double import BaseTestDouble

from dev.lab.lab import Lab, running
from dev.lab.texts import router_with_sessions
from napalm_frr import FRRDriver
from napalm_frr.connection import Done

DATA = Path(__file__).parent / "mocked_data"
SUITE: dict[str, tuple[str, dict[str, Any]]] = {
    "test_is_alive": ("is_alive", {}),
    "test_get_facts": ("get_facts", {}),
    "test_get_interfaces": ("get_interfaces", {}),
    "test_get_interfaces_ip": ("get_interfaces_ip", {}),
    "test_get_bgp_neighbors": ("get_bgp_neighbors", {}),
    "test_get_bgp_neighbors_detail": ("get_bgp_neighbors_detail", {}),
    "test_get_bgp_config": ("get_bgp_config", {}),
    "test_get_config": ("get_config", {}),
    "test_get_config_filtered": ("get_config", {}),
    "test_get_config_sanitized": ("get_config", {"sanitized": True}),
    "test_get_config_sanitized_filtered": ("get_config", {"sanitized": True}),
}
# A VRF, and a session that is shut down, beside those of the LAN.
MORE = """\
interface eth1
 description Example IX London
exit
route-map PEER-IN permit 10
 set local-preference 200
exit
router bgp 64500
 neighbor PEERS peer-group
 neighbor PEERS description Members of the exchange
 neighbor 198.51.100.11 peer-group PEERS
 neighbor 198.51.100.11 shutdown
 address-family ipv4 unicast
  neighbor 198.51.100.12 route-map PEER-IN in
  neighbor 198.51.100.12 remove-private-AS
  neighbor 198.51.100.12 maximum-prefix 150 80 restart 30
 exit-address-family
exit
router bgp 64500 vrf CUSTOMERS
 bgp router-id 203.0.113.1
 neighbor 203.0.113.130 remote-as 64510
 neighbor 203.0.113.130 description Lagoon Stores
exit
"""


class Recorder:
    """A connection that writes down what is asked and answered."""

    def __init__(self, connection: Any, folder: Path) -> None:
        self._connection, self._folder = connection, folder
        self.login = connection.login

    def run(self, command: str, stdin: str = "", timeout_s: float | None = None) -> Done:
        done = self._connection.run(command, stdin, timeout_s)
        (self._folder / f"{BaseTestDouble.sanitize_text(command)}.txt").write_text(done.output)
        return done

    def is_alive(self) -> bool:
        return self._connection.is_alive()


def configure(lab: Lab, driver: FRRDriver) -> None:
    """Sessions with a few members, and what is special; waits until they are up."""
    edge = lab.nodes["edge1.lon1"]
    text = router_with_sessions(edge, list(lab.nodes.values()), asns={64496, 64497, 64498, 64509})
    driver.load_replace_candidate(config=text + MORE)
    driver.commit_config()
    while len(lab.established_on_both_ends(edge.name)) < 9:
        time.sleep(0.5)
    time.sleep(3)


def record() -> None:
    with running("record") as lab:
        router = lab.routers["edge1.lon1"]
        driver = FRRDriver(router.host, router.user, "", optional_args=router.optional_args)
        driver.open()
        configure(lab, driver)
        shutil.rmtree(DATA, ignore_errors=True)
        for test, (method, arguments) in SUITE.items():
            folder = DATA / test / "normal"
            folder.mkdir(parents=True)
            result = listening(driver, folder, method, arguments)
            if test == "test_get_config_filtered":  # asks for each store, and looks at the last one's result
                result = driver.get_config(retrieve="candidate")
            (folder / "expected_result.json").write_text(json.dumps(result, indent=2) + "\n")


def listening(driver: FRRDriver, folder: Path, method: str, arguments: dict[str, Any]) -> Any:
    """The method's result, with its commands recorded in the folder."""
    connection = driver.device
    driver.device = driver._router._connection = Recorder(connection, folder)
    try:
        return getattr(driver, method)(**arguments)
    finally:
        driver.device = driver._router._connection = connection


if __name__ == "__main__":
    record()

"""
A NAPALM driver that answers after half a second, for the benchmark of polls (benchmarks/polling.py). No router.

The device's name ends in its number, which says what its neighbours' addresses are.
"""

import re
import time
from typing import Any

from napalm.base.base import NetworkDriver

ANSWER_S = 0.5
NEIGHBORS = 50


def addresses_of(router: int) -> list[str]:
    """The addresses of the router's neighbours."""
    return [f"100.{96 + router // 250}.{router % 250}.{1 + number}" for number in range(NEIGHBORS)]


class BenchDriver(NetworkDriver):
    def __init__(
        self,
        hostname: str,
        username: str,
        password: str,
        timeout: int = 60,
        optional_args: dict[str, Any] | None = None,
    ):
        self._router = int(re.search(r"(\d+)$", hostname)[1])

    def open(self) -> None:
        """Nothing is connected to."""

    def close(self) -> None:
        """Nothing was connected to."""

    def get_bgp_neighbors(self) -> dict[str, Any]:
        time.sleep(ANSWER_S)
        counts = {"received_prefixes": 120, "accepted_prefixes": 100, "sent_prefixes": 10}
        peers = {
            address: {
                "local_as": 64500,
                "remote_as": 64496,
                "remote_id": "192.0.2.1",
                "is_up": True,
                "is_enabled": True,
                "description": "",
                "uptime": 86400,
                "address_family": {"ipv4": counts},
            }
            for address in addresses_of(self._router)
        }
        return {"global": {"router_id": "192.0.2.2", "peers": peers}}

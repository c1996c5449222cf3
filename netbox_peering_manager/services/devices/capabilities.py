"""
What each NAPALM driver can do, looked up before a router is connected to. Pure.

From NAPALM 5.2's drivers themselves: what raises NotImplementedError there, or takes an argument and ignores it, is no
capability. A driver that is not in this table can be added in the settings (napalm_drivers), with what it can.
"""

from dataclasses import dataclass, fields
from typing import Any, Literal

__all__ = ("TABLE", "Capabilities", "revert_in_s")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """
    What a driver can do.

    `revert_unit_s`: what revert_in must be a multiple of, 0 where the router cannot go back by itself. `neighbors`:
    "summary" with get_bgp_neighbors, "detail" with get_bgp_neighbors_detail as well. `host_keys`: what checks the
    router's host key: "known_hosts", an SSH file of known hosts; "tls", a certificate; "none", nothing can.
    `compare_exact`: what is compared to be merged differs only while it is not there; else the driver lists the lines
    that the running configuration does not hold (`additive`). `confirms_in_session`: only the session that committed
    can confirm, and the commit is undone when it closes.
    """

    merge: bool = True
    replace: bool = True
    message: bool = False
    revert_unit_s: int = 0
    pending: bool = False
    rollback: bool = True
    neighbors: Literal["detail", "summary", "none"] = "detail"
    bgp_config: bool = False
    host_keys: Literal["known_hosts", "tls", "none"] = "known_hosts"
    compare_exact: bool = True
    confirms_in_session: bool = False

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """What a driver of the settings may say of itself."""
        return tuple(field.name for field in fields(cls))


TABLE: dict[str, Capabilities] = {
    "frr": Capabilities(message=True, revert_unit_s=1, pending=True, bgp_config=True),
    "junos": Capabilities(message=True, revert_unit_s=60, pending=True, bgp_config=True),
    "eos": Capabilities(
        revert_unit_s=1, pending=True, bgp_config=True, host_keys="tls", confirms_in_session=True
    ),
    "ios": Capabilities(revert_unit_s=60, pending=True, bgp_config=True, compare_exact=False),
    "nxos": Capabilities(neighbors="summary", host_keys="tls", compare_exact=False),
    "nxos_ssh": Capabilities(neighbors="summary", compare_exact=False),
    "iosxr": Capabilities(message=True, bgp_config=True),
    "iosxr_netconf": Capabilities(bgp_config=True),
}


def capabilities_of(driver: str, said: "dict[str, Any] | None" = None) -> Capabilities | None:
    """Return what the driver can do, None for one that neither the table nor `said` (the settings) knows."""
    if said is not None:
        return Capabilities(**said)
    return TABLE.get(driver)


def revert_in_s(capabilities: Capabilities, at_least_s: int) -> int:
    """Return the time after which the router is to go back by itself, rounded up to what it takes; 0: it cannot."""
    unit = capabilities.revert_unit_s
    return -(-at_least_s // unit) * unit if unit else 0

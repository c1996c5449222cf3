"""
Our own ports in PeeringDB, what NetBox has of them, and what becomes of each, as plain values.

Pure: no models, no database. Tuples of two go by family, IPv4 first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from .lans import Held, Problem, Vrf

__all__ = (
    "Address",
    "Connection",
    "Facts",
    "Here",
    "Interface",
    "Missing",
    "OwnPort",
    "Place",
    "PlannedConnection",
    "Ports",
    "Scope",
    "Unready",
)

GLOBAL = Vrf()


#
# What is compared
#


@dataclass(frozen=True, slots=True)
class OwnPort:
    """A netixlan of one of our AS."""

    netixlan_id: int
    asn: int
    ixlan_id: int
    addresses: tuple[str | None, str | None]
    speed_mbps: int = 0
    operational: bool = True

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(address for address in self.addresses if address)


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface of a device."""

    id: int
    name: str
    device_id: int
    device: str

    def __str__(self) -> str:
        return f"{self.device} {self.name}"


@dataclass(frozen=True, slots=True)
class Address:
    """
    An IP address of NetBox: `text` with its mask, `host` without. `interface` is what it is assigned to; when that is
    no interface of a device, `other` says what. `usable`: the user may see it, and its interface.
    """

    id: int
    text: str
    vrf: Vrf = GLOBAL
    interface: Interface | None = None
    other: str = ""
    usable: bool = True

    @property
    def host(self) -> str:
        return self.text.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Connection:
    """A PeeringConnection with the ids of its addresses. `visible`: the user may see it."""

    id: int
    network_id: int
    interface: Interface
    netixlan_id: int | None = None
    address_ids: tuple[int | None, int | None] = (None, None)
    scope_id: int | None = None
    visible: bool = True

    def __str__(self) -> str:
        return str(self.interface) if self.visible else _("a connection that you may not see")


@dataclass(frozen=True, slots=True)
class Scope:
    """A BGP scope of a device, with the AS number of its BGP router."""

    id: int
    device_id: int
    vrf_id: int | None
    name: str = ""
    asn: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where a port is: its LAN as it is in NetBox or will be. `network_id` None: it is yet to be made. `problems` are why
    the LAN is not made.
    """

    ixlan_id: int
    ix_id: int
    exchange: str
    network: str = ""
    network_id: int | None = None
    prefixes: tuple[Held | None, Held | None] = (None, None)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Facts:
    """What NetBox has: anything else in it does no harm. `routers` are names of the devices that route an AS."""

    addresses: tuple[Address, ...] = ()
    connections: tuple[Connection, ...] = ()
    scopes: tuple[Scope, ...] = ()
    routers: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


#
# What comes out
#


@dataclass(frozen=True, slots=True)
class Missing:
    """
    An address that has to be in NetBox for a port: with the LAN's mask, in the LAN's VRF, on an interface.
    `address_id`: it is there, and assigned to nothing. `interface`: where it belongs, when that is known.
    """

    text: str
    vrf: Vrf
    address_id: int | None = None
    interface: Interface | None = None
    routers: tuple[str, ...] = ()

    def __str__(self) -> str:
        to: object = _("the interface that is plugged in there")
        if self.interface:
            to = self.interface
        elif self.routers:
            to = _("the interface of {routers} that is plugged in there").format(
                routers=_(" or ").join(self.routers)
            )
        if self.address_id:
            text = _("Assign {address}, which is in {vrf}, to {interface}.")
        else:
            text = _("Add {address} in {vrf} and assign it to {interface}.")
        return text.format(address=self.text, vrf=self.vrf, interface=to)


@dataclass(frozen=True, slots=True)
class PlannedConnection:
    """
    A connection to be made, or one that is there (`connection_id`) and gets what it lacks. `addresses` and `scope` are
    what it gets; `lacking` what NetBox does not have of it yet.
    """

    port: OwnPort
    place: Place
    interface: Interface
    addresses: tuple[Address | None, Address | None]
    scope: Scope | None = None
    connection_id: int | None = None
    lacking: tuple[Missing, ...] = ()

    @property
    def is_new(self) -> bool:
        return self.connection_id is None


@dataclass(frozen=True, slots=True)
class Here:
    """A port that is a connection already. `lacking` and `notes` say what is not as in PeeringDB."""

    port: OwnPort
    place: Place
    connection_id: int
    name: str
    visible: bool = True
    lacking: tuple[Missing, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unready:
    """A port that is no connection: `missing` addresses are waited for, `problems` are to be resolved."""

    port: OwnPort
    place: Place
    missing: tuple[Missing, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Ports:
    """Every port in one of four lists, each in the order of the ports."""

    planned: tuple[PlannedConnection, ...] = ()
    here: tuple[Here, ...] = ()
    waiting: tuple[Unready, ...] = ()
    conflicts: tuple[Unready, ...] = ()

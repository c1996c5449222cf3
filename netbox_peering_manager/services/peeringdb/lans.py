"""
What is compared and planned of exchanges, as plain values: PeeringDB's side, NetBox's side, and the plan between them.

Pure: no models, no database. Tuples of two go by family, IPv4 first; prefixes and addresses are text.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext as _

__all__ = (
    "FAMILIES",
    "Exchange",
    "Existing",
    "Fabric",
    "Held",
    "Lan",
    "Network",
    "PlannedFabric",
    "PlannedNetwork",
    "PlannedPrefix",
    "Problem",
    "Vrf",
    "family_of",
)

FAMILIES = (4, 6)


def family_of(text: str) -> int:
    """Return 4 or 6 for an address or prefix as text."""
    return 6 if ":" in text else 4


#
# PeeringDB's side
#


@dataclass(frozen=True, slots=True)
class Lan:
    """
    An ixlan. Of several prefixes of a family `prefixes` has the one in which most of the LAN's ports have their
    address, and `left` the others.
    """

    ixlan_id: int
    name: str = ""
    mtu: int | None = None
    prefixes: tuple[str | None, str | None] = (None, None)
    left: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(prefix for prefix in self.prefixes if prefix)


@dataclass(frozen=True, slots=True)
class Exchange:
    """An ix with its ixlans, in the order of their ids. `networks` is how many AS have a port there."""

    ix_id: int
    name: str
    name_long: str = ""
    city: str = ""
    country: str = ""
    lans: tuple[Lan, ...] = ()
    networks: int = 0

    @property
    def place(self) -> str:
        return ", ".join(part for part in (self.city, self.country) if part)


#
# NetBox's side
#


@dataclass(frozen=True, slots=True)
class Vrf:
    """A VRF by id and name; `id` None is the global table."""

    id: int | None = None
    name: str = ""

    def __str__(self) -> str:
        return _("VRF {name}").format(name=self.name) if self.id else _("the global table")


@dataclass(frozen=True, slots=True)
class Held:
    """A prefix of NetBox. `usable`: the user may see it."""

    id: int
    prefix: str
    vrf: Vrf = Vrf()
    usable: bool = True


@dataclass(frozen=True, slots=True)
class Network:
    """A PeeringNetwork, with the name of its fabric. `visible`: the user may see it."""

    id: int
    fabric_id: int
    fabric: str
    name: str
    ixlan_id: int | None = None
    mtu: int | None = None
    prefixes: tuple[Held | None, Held | None] = (None, None)
    visible: bool = True

    def __str__(self) -> str:
        return f"{self.fabric}: {self.name}" if self.visible else _("a network that you may not see")

    def holds(self, texts: Iterable[str]) -> bool:
        held = {prefix.prefix for prefix in self.prefixes if prefix}
        return not held.isdisjoint(texts)


@dataclass(frozen=True, slots=True)
class Fabric:
    """A PeeringFabric. `visible`: the user may see it."""

    id: int
    name: str
    slug: str
    ix_id: int | None = None
    visible: bool = True

    def __str__(self) -> str:
        return self.name if self.visible else _("a fabric that you may not see")


@dataclass(frozen=True)
class Existing:
    """What NetBox has already of what the exchanges consist of; anything else in it does no harm."""

    fabrics: tuple[Fabric, ...] = ()
    networks: tuple[Network, ...] = ()
    prefixes: tuple[Held, ...] = ()

    def fabric(self, fabric_id: int | None) -> Fabric | None:
        return next((fabric for fabric in self.fabrics if fabric.id == fabric_id), None)

    def networks_of(self, fabric_id: int | None) -> list[Network]:
        return [network for network in self.networks if network.fabric_id == fabric_id]

    def after(self, plan: "PlannedFabric") -> "Existing":
        """Return what there would be with a plan written, for the plan of the next exchange. New rows have ids < 0."""
        fabric = Fabric(plan.fabric_id or -plan.ix_id, plan.name, plan.slug, plan.ix_id)
        networks = [
            Network(
                id=planned.network_id or -planned.ixlan_id,
                fabric_id=fabric.id,
                fabric=fabric.name,
                name=planned.name,
                ixlan_id=planned.ixlan_id,
                mtu=planned.mtu,
                prefixes=self.prefixes_of(planned),
            )
            for planned in plan.networks
        ]
        replaced = {network.id for network in networks}
        return replace(
            self,
            fabrics=(*(each for each in self.fabrics if each.id != fabric.id), fabric),
            networks=(*(each for each in self.networks if each.id not in replaced), *networks),
        )

    def prefixes_of(self, planned: "PlannedNetwork") -> tuple[Held | None, Held | None]:
        """Return the prefixes that a network has once it is written. The id of one that is yet to be made is 0."""
        there = next((network for network in self.networks if network.id == planned.network_id), None)
        found = dict(zip(FAMILIES, there.prefixes if there else (None, None), strict=True))
        for prefix in planned.prefixes:
            found[prefix.family] = Held(prefix.prefix_id or 0, prefix.prefix, prefix.vrf)
        return found[4], found[6]


#
# The plan
#


@dataclass(frozen=True, slots=True)
class Problem:
    """
    Why something is not done. `way` says what the way out is about, with the id of an object there:
    "link" (a fabric to link), "fabric" or "network" (an object to look at); "" when the text says it all.
    """

    text: str
    way: str = ""
    object_id: int | None = None


@dataclass(frozen=True, slots=True)
class PlannedPrefix:
    """A prefix that a network gets. `prefix_id` None: it is made."""

    family: int
    prefix: str
    vrf: Vrf = Vrf()
    prefix_id: int | None = None


@dataclass(frozen=True, slots=True)
class PlannedNetwork:
    """
    A network to be made (`network_id` None) or brought in line. `prefixes` and `mtu` are what is to be set, nothing
    when it is there already; `links`: its PeeringDB id is to be set.
    """

    ixlan_id: int
    name: str
    network_id: int | None = None
    links: bool = True
    prefixes: tuple[PlannedPrefix, ...] = ()
    mtu: int | None = None
    left: tuple[str, ...] = ()

    @property
    def is_new(self) -> bool:
        return self.network_id is None

    @property
    def changes(self) -> bool:
        return self.is_new or self.links or bool(self.prefixes) or self.mtu is not None


@dataclass(frozen=True, slots=True)
class PlannedFabric:
    """
    A fabric to be made (`fabric_id` None) or brought in line with an exchange. With `problems` it cannot be: nothing
    of it is applied. `problems_of` are those of single LANs, by ixlan id: such a LAN is left out. `without_prefix` are
    the names of LANs that PeeringDB has no prefix of.
    """

    ix_id: int
    name: str
    slug: str
    fabric_id: int | None = None
    links: bool = True
    networks: tuple[PlannedNetwork, ...] = ()
    problems: tuple[Problem, ...] = ()
    problems_of: Mapping[int, tuple[Problem, ...]] = field(default_factory=dict)
    without_prefix: tuple[str, ...] = ()

    @property
    def is_new(self) -> bool:
        return self.fabric_id is None

    @property
    def changes(self) -> bool:
        return self.is_new or self.links or any(network.changes for network in self.networks)

    def network_of(self, ixlan_id: int) -> PlannedNetwork | None:
        return next((network for network in self.networks if network.ixlan_id == ixlan_id), None)

"""
What it takes to bring a fabric in line with an exchange in PeeringDB: compares both and plans, touching nothing.

Pure: no models, no database. exchanges.py reads both sides and applies the plan; presence.py does so for many exchanges
at once. Tuples of two go by family, IPv4 first; prefixes and addresses are text.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.utils.text import slugify
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
    "plan_fabric",
)

FAMILIES = (4, 6)
# The longest name and slug of a fabric, and name of a network.
NAME_LENGTH = 100


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
    """A PeeringNetwork, with the name of its fabric."""

    id: int
    fabric_id: int
    fabric: str
    name: str
    ixlan_id: int | None = None
    mtu: int | None = None
    prefixes: tuple[Held | None, Held | None] = (None, None)

    def __str__(self) -> str:
        return f"{self.fabric}: {self.name}"

    def holds(self, texts: Iterable[str]) -> bool:
        held = {prefix.prefix for prefix in self.prefixes if prefix}
        return not held.isdisjoint(texts)


@dataclass(frozen=True, slots=True)
class Fabric:
    """A PeeringFabric."""

    id: int
    name: str
    slug: str
    ix_id: int | None = None


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


def family_of(text: str) -> int:
    """Return 4 or 6 for an address or prefix as text."""
    return 6 if ":" in text else 4


def plan_fabric(
    exchange: Exchange,
    existing: Existing,
    vrfs: Mapping[int, Vrf],
    *,
    name: str = "",
    fabric_id: int | None = None,
    adopt: bool = False,
) -> PlannedFabric:
    """
    Plan the fabric of an exchange, with a network for each of its LANs that PeeringDB has a prefix of.

    With `fabric_id` that fabric is linked; with `adopt` one that is linked already or holds the LAN's prefixes; else a
    new one is made, called `name` (else as the exchange), and what is there already is a problem. `vrfs` tells the VRF
    of each LAN's new prefixes by ixlan id; the global table when it says nothing.
    """
    target, problems = _target(exchange, existing, fabric_id=fabric_id, adopt=adopt)
    name = target.name if target else (name or exchange.name).strip()[:NAME_LENGTH]
    plan = PlannedFabric(
        ix_id=exchange.ix_id,
        name=name,
        slug=target.slug if target else slug_of(name, exchange.ix_id),
        fabric_id=target.id if target else None,
        links=target is None or target.ix_id is None,
        problems=tuple(problems),
        without_prefix=tuple(lan.name or exchange.name for lan in exchange.lans if not lan.texts),
    )
    if target is None and not problems:
        plan = replace(plan, problems=tuple(_name_clashes(plan, existing)))
    return _with_networks(plan, exchange, existing, vrfs)


def slug_of(name: str, ix_id: int) -> str:
    """Return the slug of a fabric; that of a name without a letter of the alphabet is made of PeeringDB's id."""
    return slugify(name)[:NAME_LENGTH].strip("-_") or f"ix-{ix_id}"


def _target(
    exchange: Exchange, existing: Existing, *, fabric_id: int | None, adopt: bool
) -> tuple[Fabric | None, list[Problem]]:
    """The fabric that is to be the exchange, None for a new one, and what speaks against it."""
    linked = next((fabric for fabric in existing.fabrics if fabric.ix_id == exchange.ix_id), None)
    if fabric_id is not None:
        return existing.fabric(fabric_id), _why_not_linked(exchange, existing.fabric(fabric_id), linked)
    if linked is not None:
        problem = Problem(
            _("{name} is the fabric {fabric} already.").format(name=exchange.name, fabric=linked.name),
            "fabric",
            linked.id,
        )
        return linked, [] if adopt else [problem]
    return _holder(exchange, existing, adopt=adopt)


def _why_not_linked(exchange: Exchange, fabric: Fabric | None, linked: Fabric | None) -> list[Problem]:
    if linked is not None and linked != fabric:
        text = _("{name} is linked to the fabric {fabric} already.")
        return [Problem(text.format(name=exchange.name, fabric=linked.name), "fabric", linked.id)]
    if fabric is not None and fabric.ix_id not in (None, exchange.ix_id):
        text = _("{fabric} is linked to another exchange, {ix_id} in PeeringDB: edit it to undo that first.")
        return [Problem(text.format(fabric=fabric.name, ix_id=fabric.ix_id), "fabric", fabric.id)]
    return []


def _holder(exchange: Exchange, existing: Existing, *, adopt: bool) -> tuple[Fabric | None, list[Problem]]:
    """The fabric whose networks hold prefixes of the exchange's LANs, when it is but one and linked to nothing."""
    texts = {text for lan in exchange.lans for text in lan.texts}
    holding = {network.fabric_id: network for network in existing.networks if network.holds(texts)}
    if not holding:
        return None, []
    fabrics = [fabric for fabric in existing.fabrics if fabric.id in holding]
    if adopt and len(fabrics) == 1 and fabrics[0].ix_id is None:
        return fabrics[0], []
    return None, [_held_by(exchange, fabric, holding[fabric.id]) for fabric in fabrics]


def _held_by(exchange: Exchange, fabric: Fabric, network: Network) -> Problem:
    held = ", ".join(prefix.prefix for prefix in network.prefixes if prefix)
    if fabric.ix_id is not None:
        text = _(
            "{prefixes} of {name} is the network {network}, and its fabric is another exchange in PeeringDB."
        )
        return Problem(text.format(prefixes=held, name=exchange.name, network=network), "network", network.id)
    text = _(
        "{prefixes} of {name} is the network {network} already: link the fabric {fabric} to PeeringDB instead."
    )
    return Problem(
        text.format(prefixes=held, name=exchange.name, network=network, fabric=fabric.name),
        "link",
        fabric.id,
    )


def _name_clashes(plan: PlannedFabric, existing: Existing) -> Iterable[Problem]:
    for fabric in existing.fabrics:
        if fabric.name == plan.name:
            text = _(
                "There is a fabric {name} already: link it to PeeringDB instead, or choose another name."
            )
        elif fabric.slug == plan.slug:
            text = _(
                "The fabric {name} has the slug {slug} already: link it to PeeringDB instead, or choose another name."
            )
        else:
            continue
        if fabric.ix_id is None:
            yield Problem(text.format(name=fabric.name, slug=fabric.slug), "link", fabric.id)
        else:
            text = _("The name or slug of {name} is taken by another exchange's fabric: choose another name.")
            yield Problem(text.format(name=fabric.name), "fabric", fabric.id)


#
# Networks
#


def _with_networks(
    plan: PlannedFabric, exchange: Exchange, existing: Existing, vrfs: Mapping[int, Vrf]
) -> PlannedFabric:
    planned, problems_of = [], {}
    names = {network.name for network in existing.networks_of(plan.fabric_id)}
    for lan in exchange.lans:
        if not lan.texts:
            continue
        network, problems = _plan_network(plan, lan, existing, vrfs.get(lan.ixlan_id, Vrf()))
        if problems:
            problems_of[lan.ixlan_id] = tuple(problems)
            continue
        if network.is_new:
            network = replace(network, name=_free_name(lan.name or plan.name, lan.ixlan_id, names))
        names.add(network.name)
        planned.append(network)
    planned, twice = _without_doubles(planned)
    return replace(plan, networks=tuple(planned), problems_of={**problems_of, **twice})


def _plan_network(
    plan: PlannedFabric, lan: Lan, existing: Existing, vrf: Vrf
) -> tuple[PlannedNetwork, Sequence[Problem]]:
    network, problems = _network_of(plan, lan, existing)
    prefixes: list[PlannedPrefix] = []
    for family, text in zip(FAMILIES, lan.prefixes, strict=True):
        if text is None or (network and network.prefixes[FAMILIES.index(family)]):
            continue
        prefix, problem = _plan_prefix(family, text, _vrf_of(network) or vrf, existing)
        prefixes.append(prefix)
        problems += [problem] if problem else []
    planned = PlannedNetwork(
        ixlan_id=lan.ixlan_id,
        name=network.name if network else lan.name,
        network_id=network.id if network else None,
        links=network is None or network.ixlan_id is None,
        prefixes=tuple(prefixes),
        mtu=lan.mtu if network is None or network.mtu is None else None,
        left=lan.left,
    )
    return planned, problems


def _vrf_of(network: Network | None) -> Vrf | None:
    """The VRF of a network that is there; both of its prefixes are in one."""
    return next((prefix.vrf for prefix in network.prefixes if prefix), None) if network else None


def _network_of(plan: PlannedFabric, lan: Lan, existing: Existing) -> tuple[Network | None, list[Problem]]:
    """The network that is this LAN already, None when it is to be made, and what speaks against it."""
    linked = next((network for network in existing.networks if network.ixlan_id == lan.ixlan_id), None)
    if linked is not None:
        if linked.fabric_id == plan.fabric_id:
            return linked, []
        text = _("{network} is this LAN already (ixlan {ixlan_id}), on another fabric.")
        return linked, [Problem(text.format(network=linked, ixlan_id=lan.ixlan_id), "network", linked.id)]
    holding = [network for network in existing.networks if network.holds(lan.texts)]
    if len(holding) > 1:
        text = _("{networks} hold the prefixes of one LAN, {prefixes}: make one network of them first.")
        names = ", ".join(str(network) for network in holding)
        problem = Problem(
            text.format(networks=names, prefixes=", ".join(lan.texts)), "network", holding[0].id
        )
        return None, [problem]
    if not holding:
        return None, []
    return holding[0], _why_not_this_lan(plan, lan, holding[0])


def _why_not_this_lan(plan: PlannedFabric, lan: Lan, network: Network) -> list[Problem]:
    prefixes = ", ".join(lan.texts)
    if network.ixlan_id is not None:
        text = _("{prefixes} is {network}, which is linked to another LAN in PeeringDB (ixlan {ixlan_id}).")
        told = text.format(prefixes=prefixes, network=network, ixlan_id=network.ixlan_id)
        return [Problem(told, "network", network.id)]
    if network.fabric_id != plan.fabric_id:
        text = _("{prefixes} is {network}, on another fabric.")
        return [Problem(text.format(prefixes=prefixes, network=network), "network", network.id)]
    return []


def _plan_prefix(
    family: int, text: str, vrf: Vrf, existing: Existing
) -> tuple[PlannedPrefix, Problem | None]:
    found = [held for held in existing.prefixes if held.prefix == text and held.vrf.id == vrf.id]
    planned = PlannedPrefix(family, text, vrf, found[0].id if found else None)
    if text.endswith("/0"):
        return planned, Problem(_("{prefix} in PeeringDB is no prefix of a LAN.").format(prefix=text))
    if len(found) > 1:
        told = _("NetBox has {prefix} more than once in {vrf}: delete the duplicates first.")
        return planned, Problem(told.format(prefix=text, vrf=vrf))
    if found and not found[0].usable:
        told = _("{prefix} is in {vrf} already, and you may not use it.")
        return planned, Problem(told.format(prefix=text, vrf=vrf))
    return planned, None


def _free_name(wanted: str, ixlan_id: int, taken: set[str]) -> str:
    """A name that no network of the fabric has: with the LAN's id when it has to be."""
    wanted = wanted.strip()[:NAME_LENGTH]
    if wanted not in taken:
        return wanted
    ending = f" {ixlan_id}"
    return wanted[: NAME_LENGTH - len(ending)] + ending


def _without_doubles(
    networks: Sequence[PlannedNetwork],
) -> tuple[list[PlannedNetwork], dict[int, tuple[Problem, ...]]]:
    """Leave out LANs with a prefix, or a network, that a LAN before them takes: PeeringDB can have one twice."""
    kept: list[PlannedNetwork] = []
    problems: dict[int, tuple[Problem, ...]] = {}
    seen: dict[object, PlannedNetwork] = {}
    for network in networks:
        keys: list[object] = [(prefix.prefix, prefix.vrf.id) for prefix in network.prefixes]
        keys += [network.network_id] if network.network_id else []
        if other := next((seen[key] for key in keys if key in seen), None):
            text = _("PeeringDB has the LAN of {name} a second time, as ixlan {ixlan_id}.")
            problems[network.ixlan_id] = (Problem(text.format(name=other.name, ixlan_id=network.ixlan_id)),)
            continue
        seen.update(dict.fromkeys(keys, network))
        kept.append(network)
    return kept, problems

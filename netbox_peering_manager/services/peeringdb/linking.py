"""
What it takes to bring a fabric in line with an exchange in PeeringDB: compares both and plans, touching nothing.

Pure: no models, no database; lans.py has the values that come in and out. exchanges.py reads both sides and applies the
plan; presence.py does so for many exchanges at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from django.utils.text import slugify
from django.utils.translation import gettext as _

from .lans import (
    FAMILIES,
    Exchange,
    Existing,
    Fabric,
    Lan,
    Network,
    PlannedFabric,
    PlannedNetwork,
    PlannedPrefix,
    Problem,
    Vrf,
)

__all__ = ("plan_fabric", "slug_of")

# The longest name and slug of a fabric, and name of a network.
NAME_LENGTH = 100


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
    # One that was chosen is known to who chose it. Others are neither named nor changed unseen.
    if target is not None and fabric_id is None and not target.visible:
        problems, target = [_unseen(exchange.name, target)], None
    name = target.name if target else (name or exchange.name).strip()[:NAME_LENGTH]
    plan = PlannedFabric(
        ix_id=exchange.ix_id,
        name=name,
        slug=target.slug if target else slug_of(name, exchange.ix_id),
        fabric_id=target.id if target else None,
        links=target is None or target.ix_id is None,
        problems=tuple(problems),
        without_prefix=tuple(
            lan.name or exchange.name for lan in exchange.lans if not _is_of_use(lan, existing)
        ),
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
        text = _("{name} is the fabric {fabric} already.").format(name=exchange.name, fabric=linked)
        problem = _pointing(text, "fabric", linked)
        return linked, [] if adopt else [problem]
    return _holder(exchange, existing, adopt=adopt)


def _why_not_linked(exchange: Exchange, fabric: Fabric | None, linked: Fabric | None) -> list[Problem]:
    if linked is not None and linked != fabric:
        text = _("{name} is linked to the fabric {fabric} already.")
        return [_pointing(text.format(name=exchange.name, fabric=linked), "fabric", linked)]
    if fabric is not None and fabric.ix_id not in (None, exchange.ix_id):
        text = _("{fabric} is linked to another exchange, {ix_id} in PeeringDB: edit it to undo that first.")
        return [_pointing(text.format(fabric=fabric, ix_id=fabric.ix_id), "fabric", fabric)]
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
        return _pointing(text.format(prefixes=held, name=exchange.name, network=network), "network", network)
    text = _(
        "{prefixes} of {name} is the network {network} already: link the fabric {fabric} to PeeringDB instead."
    )
    return _pointing(
        text.format(prefixes=held, name=exchange.name, network=network, fabric=fabric), "link", fabric
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
            yield _pointing(text.format(name=fabric, slug=fabric.slug), "link", fabric)
        else:
            text = _("The name or slug of {name} is taken by another exchange's fabric: choose another name.")
            yield _pointing(text.format(name=fabric), "fabric", fabric)


#
# Networks
#


def _with_networks(
    plan: PlannedFabric, exchange: Exchange, existing: Existing, vrfs: Mapping[int, Vrf]
) -> PlannedFabric:
    planned, problems_of = [], {}
    names = {network.name for network in existing.networks_of(plan.fabric_id)}
    for lan in exchange.lans:
        if not _is_of_use(lan, existing):
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


def _is_of_use(lan: Lan, existing: Existing) -> bool:
    """Whether there is a network for the LAN, or can be: none is without a prefix."""
    return bool(lan.texts) or any(network.ixlan_id == lan.ixlan_id for network in existing.networks)


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
            return linked, _why_not_changed(lan, linked)
        text = _("{network} is this LAN already (ixlan {ixlan_id}), on another fabric.")
        return linked, [_pointing(text.format(network=linked, ixlan_id=lan.ixlan_id), "network", linked)]
    holding = [network for network in existing.networks if network.holds(lan.texts)]
    if len(holding) > 1:
        text = _("{networks} hold the prefixes of one LAN, {prefixes}: make one network of them first.")
        names = ", ".join(str(network) for network in holding)
        problem = _pointing(text.format(networks=names, prefixes=", ".join(lan.texts)), "network", holding[0])
        return None, [problem]
    if not holding:
        return None, []
    return holding[0], _why_not_this_lan(plan, lan, holding[0])


def _why_not_this_lan(plan: PlannedFabric, lan: Lan, network: Network) -> list[Problem]:
    prefixes = ", ".join(lan.texts)
    if network.ixlan_id is not None:
        text = _("{prefixes} is {network}, which is linked to another LAN in PeeringDB (ixlan {ixlan_id}).")
        told = text.format(prefixes=prefixes, network=network, ixlan_id=network.ixlan_id)
        return [_pointing(told, "network", network)]
    if network.fabric_id != plan.fabric_id:
        text = _("{prefixes} is {network}, on another fabric.")
        return [_pointing(text.format(prefixes=prefixes, network=network), "network", network)]
    return _why_not_changed(lan, network)


def _why_not_changed(lan: Lan, network: Network) -> list[Problem]:
    name = lan.name or ", ".join(lan.texts) or f"ixlan {lan.ixlan_id}"
    return [] if network.visible else [_unseen(name, network)]


def _unseen(name: str, there: Fabric | Network) -> Problem:
    return Problem(_("{name} is {there} already.").format(name=name, there=there))


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


def _pointing(text: str, way: str, about: Fabric | Network) -> Problem:
    """A problem whose way out is an object, unless the user may not see that."""
    return Problem(text, way, about.id) if about.visible else Problem(text)

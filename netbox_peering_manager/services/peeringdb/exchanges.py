"""
Fabrics from PeeringDB: one is made from an exchange, or a fabric that is there is linked to its exchange.

    the mirror and NetBox are read (a fixed number of queries) → linking.py plans → it is shown → what was confirmed is
    written, all or nothing, when it still is what was shown

presence.py does the same for all exchanges where we have a port, and for the ports.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import netaddr
from django.db.models import Q
from django.utils.translation import gettext as _

from ipam.models import VRF, Prefix

from ...exceptions import ExchangeError
from ...models import PeeringDBIX, PeeringDBIXLan, PeeringDBIXPfx, PeeringFabric, PeeringNetwork
from ..permissions import allowed_pks
from .lans import (
    Exchange,
    Existing,
    Fabric,
    Held,
    Network,
    PlannedFabric,
    PlannedNetwork,
    Vrf,
)
from .linking import plan_fabric, slug_of
from .mirrored import load_exchanges
from .writing import Writer, digest_of, one_at_a_time

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    from dcim.models import Site
    from extras.models import Tag
    from netbox_routing.models import BGPPeerTemplate
    from tenancy.models import Tenant

    type User = AbstractBaseUser | AnonymousUser | None

__all__ = (
    "NewFabric",
    "Preview",
    "Written",
    "create_fabric",
    "link_fabric",
    "load_existing",
    "preview_link",
    "preview_new",
    "suggest_exchange",
    "vrf_of",
    "write_fabrics",
)


@dataclass(frozen=True)
class NewFabric:
    """
    A fabric to be made from the exchange with PeeringDB's id `ix_id`. An empty `name` becomes the exchange's. Prefixes
    that are missing are made in `vrf` (None: the global table); all else is the fabric's alone.
    """

    ix_id: int
    name: str = ""
    vrf: VRF | None = None
    site: "Site | None" = None
    tenant: "Tenant | None" = None
    peer_group: "BGPPeerTemplate | None" = None
    tags: Sequence["Tag"] = field(default=())


@dataclass(frozen=True)
class Preview:
    """What would be done, of which exchange, and the digest with which it is confirmed."""

    exchange: Exchange
    fabric: PlannedFabric

    @property
    def digest(self) -> str:
        return digest_of(self.fabric)

    @property
    def is_possible(self) -> bool:
        return not self.fabric.problems and not self.fabric.problems_of


def preview_new(new: NewFabric, user: "User" = None) -> Preview:
    """Plan a fabric from an exchange. ExchangeError when the mirror does not have it."""
    exchange = _exchange(new.ix_id)
    name = new.name.strip() or exchange.name
    existing = load_existing([exchange], user, names=[name])
    vrfs = dict.fromkeys((lan.ixlan_id for lan in exchange.lans), vrf_of(new.vrf))
    return Preview(exchange, plan_fabric(exchange, existing, vrfs, name=name))


def preview_link(fabric: PeeringFabric, ix_id: int, vrf: VRF | None = None, user: "User" = None) -> Preview:
    """
    Plan that `fabric` becomes an exchange: its id, and of each LAN the network, prefixes and MTU that it lacks.

    Prefixes of new networks go into `vrf`, without one into that of the fabric's networks when they share one, else
    into the global table.
    """
    exchange = _exchange(ix_id)
    existing = load_existing([exchange], user, fabric_ids=[fabric.pk])
    chosen = vrf_of(vrf) if vrf else _vrf_of_networks(existing.networks_of(fabric.pk))
    vrfs = dict.fromkeys((lan.ixlan_id for lan in exchange.lans), chosen)
    return Preview(exchange, plan_fabric(exchange, existing, vrfs, fabric_id=fabric.pk))


def suggest_exchange(fabric: PeeringFabric) -> int | None:
    """Return the id of the only exchange that has a prefix of the fabric's networks, else of its name; else None."""
    networks = PeeringNetwork.objects.filter(fabric=fabric).order_by()
    held = Prefix.objects.filter(Q(ipv4_peering_network__in=networks) | Q(ipv6_peering_network__in=networks))
    lans = PeeringDBIXPfx.objects.filter(prefix__in=held.order_by().values("prefix")).values("ixlan_id")
    by_prefix = PeeringDBIXLan.objects.filter(pk__in=lans).order_by().values_list("ix_id", flat=True)
    by_name = PeeringDBIX.objects.filter(name__iexact=fabric.name).order_by().values_list("pk", flat=True)
    for found in (by_prefix, by_name):
        if len(ids := list(found.distinct()[:2])) == 1:
            return int(ids[0])
    return None


def create_fabric(new: NewFabric, user: "User" = None, *, digest: str | None = None) -> PeeringFabric:
    """
    Make the fabric with its networks and prefixes, all or nothing, and return it.

    With a user, each row needs the user's `add`, constraints included; an existing prefix must be visible. With the
    `digest` of a preview it is refused when something has changed since. ExchangeError tells why, with what to do.
    """
    with one_at_a_time():
        preview = preview_new(new, user)
        _check(preview, digest)
        defaults = {"site": new.site, "tenant": new.tenant, "peer_group": new.peer_group}
        written = write_fabrics([preview.fabric], Writer(user), defaults)
        fabric = written.fabrics[new.ix_id]
        if new.tags:
            fabric.tags.set(new.tags)
        return fabric


def link_fabric(
    fabric: PeeringFabric,
    ix_id: int,
    vrf: VRF | None = None,
    user: "User" = None,
    *,
    digest: str | None = None,
) -> PeeringFabric:
    """As create_fabric(), for a fabric that is there: what is changed needs the user's `change`."""
    with one_at_a_time():
        preview = preview_link(fabric, ix_id, vrf, user)
        _check(preview, digest)
        return write_fabrics([preview.fabric], Writer(user)).fabrics[ix_id]


def _check(preview: Preview, digest: str | None) -> None:
    problems = [*preview.fabric.problems]
    problems += [problem for found in preview.fabric.problems_of.values() for problem in found]
    if problems:
        raise ExchangeError({None: [problem.text for problem in problems]})
    if digest is not None and digest != preview.digest:
        message = _("PeeringDB or NetBox has changed since this preview: look at what would be made now.")
        raise ExchangeError({None: [message]})


def _exchange(ix_id: int) -> Exchange:
    if exchange := load_exchanges([ix_id]).get(ix_id):
        return exchange
    message = _("There is no exchange {ix_id} in the mirror of PeeringDB: sync with PeeringDB first.")
    raise ExchangeError({"exchange": [message.format(ix_id=ix_id)]})


def vrf_of(vrf: VRF | None) -> Vrf:
    """Return a VRF (None: the global table) as plans have it."""
    return Vrf(vrf.pk, vrf.name) if vrf else Vrf()


def _vrf_of_networks(networks: Iterable[Network]) -> Vrf:
    vrfs = {prefix.vrf for network in networks for prefix in network.prefixes if prefix}
    return vrfs.pop() if len(vrfs) == 1 else Vrf()


#
# What NetBox has
#


def load_existing(
    exchanges: Collection[Exchange],
    user: "User" = None,
    *,
    names: Iterable[str] = (),
    fabric_ids: Iterable[int] = (),
) -> Existing:
    """
    Read what NetBox has of these exchanges: fabrics by link, name or slug, networks by link, prefix or fabric, and the
    LANs' prefixes in any VRF. A fixed number of queries for any number of exchanges.
    """
    names = set(names)
    texts = {text for exchange in exchanges for lan in exchange.lans for text in lan.texts}
    ixlan_ids = [lan.ixlan_id for exchange in exchanges for lan in exchange.lans]
    holding = (
        Q(peeringdb_id__in=ixlan_ids) | Q(ipv4_prefix__prefix__in=texts) | Q(ipv6_prefix__prefix__in=texts)
    )
    slugs = {slug_of(name, exchange.ix_id) for exchange in exchanges for name in (exchange.name, *names)}
    names |= {exchange.name for exchange in exchanges}
    fabrics = PeeringFabric.objects.filter(
        Q(peeringdb_id__in=[exchange.ix_id for exchange in exchanges])
        | Q(name__in=names)
        | Q(slug__in=slugs)
        | Q(pk__in=tuple(fabric_ids))
        | Q(pk__in=PeeringNetwork.objects.filter(holding).order_by().values("fabric_id"))
    ).order_by("pk")
    visible = allowed_pks(list(fabrics), user)
    found = tuple(
        Fabric(fabric.pk, fabric.name, fabric.slug, fabric.peeringdb_id, fabric.pk in visible)
        for fabric in fabrics
    )
    return Existing(
        fabrics=found,
        networks=tuple(_networks(holding | Q(fabric_id__in=[fabric.id for fabric in found]), user)),
        prefixes=tuple(_prefixes(texts, user)),
    )


def _networks(wanted: Q, user: "User") -> Iterable[Network]:
    rows = list(PeeringNetwork.objects.filter(wanted).with_parents().order_by("pk"))
    visible = allowed_pks(rows, user)
    for row in rows:
        yield Network(
            id=row.pk,
            fabric_id=row.fabric_id,
            fabric=row.fabric.name,
            name=row.name,
            ixlan_id=row.peeringdb_id,
            mtu=row.mtu,
            prefixes=(_held(row.ipv4_prefix), _held(row.ipv6_prefix)),
            visible=row.pk in visible,
        )


def _held(prefix: Prefix | None) -> Held | None:
    return Held(prefix.pk, str(prefix.prefix), vrf_of(prefix.vrf)) if prefix else None


def _prefixes(texts: Iterable[str], user: "User") -> Iterable[Held]:
    rows = list(Prefix.objects.filter(prefix__in=tuple(texts)).select_related("vrf").order_by("pk"))
    visible = allowed_pks(rows, user)
    for row in rows:
        yield Held(row.pk, str(row.prefix), vrf_of(row.vrf), row.pk in visible)


#
# Writing
#


@dataclass(frozen=True)
class Written:
    """The fabrics by ix id and the networks by ixlan id: all that the plans name, made or there before."""

    fabrics: Mapping[int, PeeringFabric]
    networks: Mapping[int, PeeringNetwork]


def write_fabrics(
    plans: Sequence[PlannedFabric], writer: Writer, defaults: Mapping[str, Any] | None = None
) -> Written:
    """
    Write plans without problems: prefixes, fabrics, networks, each in bulk. `defaults` are fields of new fabrics.

    For the body of one_at_a_time(), with plans made there.
    """
    prefixes = _write_prefixes(plans, writer)
    fabrics = _write_fabrics(plans, writer, defaults or {})
    return Written(fabrics, _write_networks(plans, fabrics, prefixes, writer))


type _Place = tuple[str, int | None]


def _write_prefixes(plans: Sequence[PlannedFabric], writer: Writer) -> dict[_Place, Prefix]:
    """Every prefix that a plan names, by its text and VRF; missing ones are made."""
    planned = {
        (prefix.prefix, prefix.vrf.id): (prefix, plan)
        for plan in plans
        for network in plan.networks
        for prefix in network.prefixes
    }
    there = Prefix.objects.select_related("vrf").in_bulk(
        [prefix.prefix_id for prefix, _plan in planned.values() if prefix.prefix_id]
    )
    vrfs = VRF.objects.in_bulk({prefix.vrf.id for prefix, _plan in planned.values() if prefix.vrf.id})
    made = writer.make(
        [
            Prefix(
                prefix=netaddr.IPNetwork(prefix.prefix),
                vrf=vrfs.get(prefix.vrf.id),
                description=plan.name[:200],
            )
            for prefix, plan in planned.values()
            if prefix.prefix_id is None
        ]
    )
    return {(str(prefix.prefix), prefix.vrf_id): prefix for prefix in (*there.values(), *made)}


def _write_fabrics(
    plans: Sequence[PlannedFabric], writer: Writer, defaults: Mapping[str, Any]
) -> dict[int, PeeringFabric]:
    there = PeeringFabric.objects.in_bulk([plan.fabric_id for plan in plans if plan.fabric_id])
    linked = [there[plan.fabric_id] for plan in plans if plan.fabric_id and plan.links]
    writer.take(linked)
    for plan in plans:
        if plan.fabric_id and plan.links:
            there[plan.fabric_id].peeringdb_id = plan.ix_id
    writer.change(linked, ["peeringdb_id"])
    made = writer.make(
        [
            PeeringFabric(name=plan.name, slug=plan.slug, peeringdb_id=plan.ix_id, **defaults)
            for plan in plans
            if plan.is_new
        ]
    )
    return {fabric.peeringdb_id: fabric for fabric in (*there.values(), *made)}


def _write_networks(
    plans: Sequence[PlannedFabric],
    fabrics: Mapping[int, PeeringFabric],
    prefixes: Mapping[_Place, Prefix],
    writer: Writer,
) -> dict[int, PeeringNetwork]:
    planned = [(network, fabrics[plan.ix_id]) for plan in plans for network in plan.networks]
    rows = PeeringNetwork.objects.with_parents().in_bulk(
        [network.network_id for network, _fabric in planned if network.network_id]
    )
    changing = [network for network, _fabric in planned if network.network_id and network.changes]
    writer.take([rows[network.network_id] for network in changing])
    for network in changing:
        _fill(rows[network.network_id], network, prefixes)
    writer.change(
        [rows[network.network_id] for network in changing],
        ["peeringdb_id", "mtu", "ipv4_prefix", "ipv6_prefix"],
    )
    new = [PeeringNetwork(fabric=fabric, name=network.name) for network, fabric in planned if network.is_new]
    for row, network in zip(new, (each for each, _fabric in planned if each.is_new), strict=True):
        _fill(row, network, prefixes)
    made = writer.make(new)
    return {row.peeringdb_id: row for row in (*rows.values(), *made)}


def _fill(row: PeeringNetwork, planned: PlannedNetwork, prefixes: Mapping[_Place, Prefix]) -> None:
    row.peeringdb_id = planned.ixlan_id
    if planned.mtu is not None:
        row.mtu = planned.mtu
    for prefix in planned.prefixes:
        setattr(row, f"ipv{prefix.family}_prefix", prefixes[prefix.prefix, prefix.vrf.id])

"""
Last stage: NetBox follows what the mirror says.

- **Peer ASNs**, affiliated ones as well, follow in the fields that they are set to follow (name, AS-SET, prefix
  limits), by the one rule of services.suggestions: nothing is ever emptied, and what does not fit is told and left. The
  id of their net is theirs whatever they follow.
- **Networks** linked to an ixlan follow its MTU. A family without a prefix takes the one that PeeringDB has for it,
  when it has one alone and NetBox has it as well, in the network's VRF and on no other network. A prefix that differs
  from PeeringDB's is left: renumbering moves addresses and sessions, so a person confirms it.

What NetBox has is compared with the whole mirror and not with what the sync changed, so that what an interrupted sync
left undone is done by the next, and a second time changes nothing. Changes are recorded as if a person had made them
(services.recording), a batch at a time with a fixed number of queries. `peeringdb_last_sync` alone is no change: it is
set for every peer that the mirror knows, with one query and without a change record.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import TYPE_CHECKING, Any

import netaddr
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from ipam.models import Prefix

from ...choices import PeeringDBFieldChoices
from ...models import PeerASN, PeeringDBIXLan, PeeringDBIXPfx, PeeringDBNet, PeeringNetwork
from ..recording import bulk_update, snapshot_all
from ..suggestions import is_as_set, suggested
from ..tracking import recorded

if TYPE_CHECKING:
    from utilities.request import NetBoxFakeRequest

BATCH = 500
FAMILIES = (4, 6)

# Of each peer ASN the net with its number: the youngest, should the mirror have two.
_PEERS = f"""
SELECT peer.id, net.id
FROM {PeerASN._meta.db_table} peer JOIN ipam_asn ON ipam_asn.id = peer.asn_id
JOIN {PeeringDBNet._meta.db_table} net ON net.asn = ipam_asn.asn AND NOT EXISTS (
    SELECT FROM {PeeringDBNet._meta.db_table} younger WHERE younger.asn = net.asn AND younger.id > net.id)
"""  # noqa: S608
# More than suggested() would change, never less: it has the last word.
_MAY_CHANGE = """
WHERE (peer.peeringdb_id IS DISTINCT FROM net.id
OR ('name' = ANY(follow_peeringdb) AND net.name NOT IN ('', peer.name))
OR ('irr_as_set' = ANY(follow_peeringdb) AND net.irr_as_set NOT IN ('', peer.irr_as_set))
OR ('ipv4_max_prefixes' = ANY(follow_peeringdb) AND net.info_prefixes4 > 0
    AND net.info_prefixes4 IS DISTINCT FROM peer.ipv4_max_prefixes)
OR ('ipv6_max_prefixes' = ANY(follow_peeringdb) AND net.info_prefixes6 > 0
    AND net.info_prefixes6 IS DISTINCT FROM peer.ipv6_max_prefixes))
"""
_ONE = "AND ipam_asn.asn = %s"
_IN_ORDER = "ORDER BY peer.id"
_LOOKED_AT = f"""
UPDATE {PeerASN._meta.db_table} peer SET peeringdb_last_sync = %s
FROM ipam_asn JOIN {PeeringDBNet._meta.db_table} net ON net.asn = ipam_asn.asn WHERE ipam_asn.id = peer.asn_id
"""  # noqa: S608


@dataclass
class Applied:
    """What followed in NetBox: rows changed by model, and sentences about what could not be taken over."""

    updated: dict[str, int] = field(default_factory=lambda: {"peerasn": 0, "peeringnetwork": 0})
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, dict[str, int]]:
        """Return the counts as PeeringDBSync.applied holds them."""
        return {model: {"updated": count} for model, count in self.updated.items()}


def apply_mirror(
    request: "NetBoxFakeRequest | None",
    *,
    asn: int | None = None,
    looked_at: bool = True,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> Applied:
    """
    Let peer ASNs and networks follow the mirror; for one AS number, its peer ASN alone.

    `looked_at`: the nets are as PeeringDB has them now. `told` hears how many of how many peer ASNs are through. The
    changes are recorded as made by `request` (services.tracking), not at all without one. Each batch is a transaction.
    """
    applied = Applied()
    found = _peers_that_may_change(asn)
    for number, batch in enumerate(batched(found, BATCH), 1):
        with recorded(request), transaction.atomic():
            applied.updated["peerasn"] += _follow(dict(batch), applied.notes)
        told(min(number * BATCH, len(found)), len(found))
    if looked_at:
        _mark_looked_at(asn)
    if asn is None:
        for pks in batched(_networks_that_may_change(), BATCH):
            with recorded(request), transaction.atomic():
                applied.updated["peeringnetwork"] += _follow_lans(pks, applied.notes)
    return applied


def changes(peer: PeerASN, net: PeeringDBNet, fields: Sequence[str]) -> dict[str, Any]:
    """Return what `net`, the peer's own, says of these fields of `peer` and of its PeeringDB id, where it differs."""
    told = {name: value for name, value in suggested(net).items() if name in fields}
    told["peeringdb_id"] = net.pk
    return {name: value for name, value in told.items() if getattr(peer, name) != value}


def release_ids(wanted: dict[int, int]) -> None:
    """
    Take PeeringDB's ids from peer ASNs that have them wrongly. `wanted`: primary key of a peer ASN → id of its net.

    An id belongs to the one whose AS number the net has; it is unique, so the other has to let go of it first.
    """
    holders = (
        PeerASN.objects.select_for_update(of=("self",))
        .filter(peeringdb_id__in=wanted.values())
        .order_by("pk")
    )
    wrong = [holder for holder in holders if wanted.get(holder.pk) != holder.peeringdb_id]
    _write({holder: {"peeringdb_id": None} for holder in wrong}, ["peeringdb_id"])


def _peers_that_may_change(asn: int | None) -> list[tuple[int, int]]:
    """(primary key of a peer ASN, id of its net), by primary key."""
    with connection.cursor() as cursor:
        one = _ONE if asn is not None else ""
        cursor.execute(f"{_PEERS} {_MAY_CHANGE} {one} {_IN_ORDER}", [asn] if one else None)
        return list(cursor.fetchall())


def _mark_looked_at(asn: int | None) -> None:
    with connection.cursor() as cursor:
        one = _ONE if asn is not None else ""
        cursor.execute(f"{_LOOKED_AT} {one}", [timezone.now(), *([asn] if one else [])])


def _follow(wanted: dict[int, int], notes: list[str]) -> int:
    """Let these peer ASNs follow their nets. Returns how many changed."""
    release_ids(wanted)
    # Locked, as all followed fields are written back: what somebody edits meanwhile waits.
    peers = PeerASN.objects.select_for_update(of=("self",)).select_related("asn").filter(pk__in=wanted)
    nets = PeeringDBNet.objects.in_bulk(wanted.values())
    changing: dict[PeerASN, dict[str, Any]] = {}
    for peer in peers.order_by("pk"):
        if net := nets.get(wanted[peer.pk]):
            notes += _refused(peer, net)
            if values := changes(peer, net, peer.follow_peeringdb):
                changing[peer] = values
    _write(changing, ["peeringdb_id", *PeeringDBFieldChoices.values()])
    return len(changing)


def _write(changing: "dict[Any, dict[str, Any]]", fields: Sequence[str]) -> None:
    """Set and save values of rows of one model."""
    rows = list(changing)
    snapshot_all(rows)
    for row, values in changing.items():
        for name, value in values.items():
            setattr(row, name, value)
    bulk_update(rows, fields)


def _refused(peer: PeerASN, net: PeeringDBNet) -> Iterator[str]:
    text = net.irr_as_set.strip()
    if text and "irr_as_set" in peer.follow_peeringdb and not is_as_set(text):
        yield _("{peer}: PeeringDB's AS-SET {text} was not taken over, as it is none.").format(
            peer=peer, text=repr(text[:60])
        )


def _networks_that_may_change() -> list[int]:
    """Primary keys of networks whose MTU differs from PeeringDB's, or that lack a prefix that PeeringDB has."""
    mtu = PeeringDBIXLan.objects.filter(pk=OuterRef("peeringdb_id"), mtu__gt=0).values("mtu")[:1]
    prefixes = PeeringDBIXPfx.objects.filter(ixlan_id=OuterRef("peeringdb_id"))
    lacking = [
        Q(Exists(prefixes.filter(prefix__family=family)), **{f"ipv{family}_prefix": None})
        for family in FAMILIES
    ]
    networks = PeeringNetwork.objects.filter(peeringdb_id__isnull=False).annotate(told_mtu=Subquery(mtu))
    other_mtu = Q(told_mtu__isnull=False) & (Q(mtu=None) | ~Q(mtu=F("told_mtu")))
    return list(
        networks.filter(other_mtu | lacking[0] | lacking[1]).order_by("pk").values_list("pk", flat=True)
    )


def _follow_lans(pks: Sequence[int], notes: list[str]) -> int:
    """Let these networks follow their ixlans. Returns how many changed."""
    networks = list(
        PeeringNetwork.objects.select_for_update(of=("self",))
        .select_related("fabric", "ipv4_prefix", "ipv6_prefix")
        .filter(pk__in=pks)
        .order_by("pk")
    )
    lans = PeeringDBIXLan.objects.in_bulk([network.peeringdb_id for network in networks])
    adopted = _adoptable(networks)
    changing: dict[PeeringNetwork, dict[str, Any]] = {}
    for network in networks:
        values: dict[str, Any] = dict(adopted.get(network.pk, {}))
        lan = lans.get(network.peeringdb_id)
        if lan and lan.mtu and lan.mtu != network.mtu:
            values |= _checked_mtu(network, lan.mtu, notes)
        if values:
            changing[network] = values
    _write(changing, ["mtu", "ipv4_prefix", "ipv6_prefix"])
    return len(changing)


def _checked_mtu(network: PeeringNetwork, mtu: int, notes: list[str]) -> dict[str, int]:
    try:
        PeeringNetwork._meta.get_field("mtu").clean(mtu, network)
    except ValidationError as error:
        notes.append(
            _("{network}: PeeringDB's MTU {mtu} was not taken over: {reason}").format(
                network=network, mtu=mtu, reason=" ".join(error.messages)
            )
        )
        return {}
    return {"mtu": mtu}


def _adoptable(networks: Sequence[PeeringNetwork]) -> dict[int, dict[str, Prefix]]:
    """By network and field: the prefix of NetBox that a network can take for a family in which it has none."""
    lacking = {
        (network.peeringdb_id, family): network
        for network in networks
        for family in FAMILIES
        if network.prefix_of(family) is None
    }
    told = _only_prefixes({ixlan for ixlan, _family in lacking}) if lacking else {}
    wanted = {
        (told[place], network.prefixes[0].vrf_id): (network.pk, f"ipv{place[1]}_prefix")
        for place, network in lacking.items()
        if place in told
    }
    if not wanted:
        return {}
    free = Prefix.objects.filter(
        prefix__in=[str(prefix) for prefix, _vrf in wanted],
        ipv4_peering_network=None,
        ipv6_peering_network=None,
    )
    found: dict[tuple[netaddr.IPNetwork, int | None], list[Prefix]] = {}
    for prefix in free:
        found.setdefault((prefix.prefix, prefix.vrf_id), []).append(prefix)
    adopted: dict[int, dict[str, Prefix]] = {}
    for place, (pk, name) in wanted.items():
        # Without enforced uniqueness there can be two, and the plugin does not guess.
        if len(there := found.get(place, [])) == 1:
            adopted.setdefault(pk, {})[name] = there[0]
    return adopted


def _only_prefixes(ixlan_ids: set[int]) -> dict[tuple[int, int], netaddr.IPNetwork]:
    """By ixlan and family: the prefix of those that have exactly one."""
    found: dict[tuple[int, int], list[netaddr.IPNetwork]] = {}
    for ixlan_id, prefix in PeeringDBIXPfx.objects.filter(ixlan_id__in=ixlan_ids).values_list(
        "ixlan_id", "prefix"
    ):
        found.setdefault((ixlan_id, prefix.version), []).append(prefix)
    return {place: prefixes[0] for place, prefixes in found.items() if len(prefixes) == 1}

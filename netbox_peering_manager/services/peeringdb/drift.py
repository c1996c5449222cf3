"""
Drift: what of ours disagrees with PeeringDB's mirror, found anew after each sync and kept with the day it was found.

    facts are read (a fixed number of queries) → disagreements.py compares → what is kept is brought in line → an event
    of the type `peeringdb_drift` for each that is new, about the object that it is about
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Case, Exists, F, Func, OuterRef, Q, TextField, When, prefetch_related_objects
from django.db.models.fields.json import KT
from django.utils import timezone
from django_pg_utils import advisory_lock

from core.models import ObjectType
from extras.events import EventContext, flush_events
from netbox.context import current_request, events_queue
from tenancy.models import ContactAssignment

from ...events import PEERINGDB_DRIFT
from ...expressions import remote_asn_of
from ...models import (
    MIRROR,
    PeerASN,
    PeeringConnection,
    PeeringDBDrift,
    PeeringDBIXPfx,
    PeeringDBNet,
    PeeringDBNetIXLan,
    PeeringDBPoc,
    PeeringDBWatermark,
    PeeringNetwork,
    PeeringSession,
)
from ...querysets import PeeringDBDriftQuerySet
from .disagreements import Connection, Facts, Found, Lan, Net, Peer, Port, Session, disagreements
from .drift_text import drift_text

__all__ = ("DriftCounts", "refresh_drift")

COMPARED_TAGS = ("net", "netixlan", "ixpfx", "poc")
# Max prefixes, of a PeerASN and of a session alike.
LIMITS = ("ipv4_max_prefixes", "ipv6_max_prefixes")
# Two at once would both find the same things new.
LOCK = "netbox_peering_manager.drift"


@dataclass(frozen=True)
class DriftCounts:
    """`found`: how much disagrees now; `new`: of it, what did not before; `gone`: what no longer does."""

    found: int
    new: int
    gone: int


def refresh_drift() -> DriftCounts:
    """
    Compare what NetBox has with PeeringDB's mirror and keep what differs.

    The number of queries does not depend on the number of rows. What is new is told to event rules: at the end of the
    request or job that this runs in, else when the transaction is over.
    """
    with advisory_lock(LOCK), transaction.atomic():
        found = disagreements(load_facts())
        new, gone = _keep(found)
    _tell(new)
    return DriftCounts(found=len(found), new=len(new), gone=gone)


def load_facts() -> Facts:
    """Read both sides from the database: ours, and of the mirror what can be compared with it."""
    return Facts(
        known=_known_tags(),
        lans=tuple(_lans()),
        prefixes=_prefixes(),
        ports=tuple(_ports()),
        sessions=tuple(_sessions()),
        connections=tuple(_connections()),
        peers=tuple(_peers()),
        nets=tuple(_nets()),
    )


def _known_tags() -> frozenset[str]:
    """The types that were synced. One without any row is as good as unknown: PeeringDB never is empty."""
    has_rows = Case(
        *(When(tag=tag, then=Exists(MIRROR[tag]._default_manager.order_by())) for tag in COMPARED_TAGS),
        default=False,
    )
    return frozenset(PeeringDBWatermark.objects.filter(has_rows).values_list("tag", flat=True))


def _text(path: str, function: str) -> Func:
    return Func(F(path), function=function, output_field=TextField())


def _linked_lans() -> models.QuerySet[Any]:
    return PeeringNetwork.objects.filter(peeringdb_id__isnull=False).order_by()


def _lans() -> Iterator[Lan]:
    rows = _linked_lans().values_list(
        "pk", "peeringdb_id", _text("ipv4_prefix__prefix", "TEXT"), _text("ipv6_prefix__prefix", "TEXT")
    )
    for pk, ixlan_id, ipv4, ipv6 in rows:
        yield Lan(pk, ixlan_id, (ipv4, ipv6))


def _prefixes() -> dict[int, frozenset[str]]:
    found: dict[int, set[str]] = {}
    on_our_lans = PeeringDBIXPfx.objects.filter(ixlan_id__in=_linked_lans().values("peeringdb_id"))
    for ixlan_id, prefix in on_our_lans.values_list("ixlan_id", _text("prefix", "TEXT")):
        found.setdefault(ixlan_id, set()).add(prefix)
    return {ixlan_id: frozenset(prefixes) for ixlan_id, prefixes in found.items()}


def _ports() -> Iterator[Port]:
    """Everybody's ports on our LANs, and our ports everywhere."""
    own = PeerASN.objects.filter(affiliated=True).order_by().values("asn__asn")
    ports = PeeringDBNetIXLan.objects.filter(
        Q(ixlan_id__in=_linked_lans().values("peeringdb_id")) | Q(asn__in=own)
    )
    rows = ports.values_list(
        "pk", "ix_id", "ixlan_id", "asn", "ipaddr4", "ipaddr6", "operational", "ix__name"
    )
    for pk, ix_id, ixlan_id, asn, ipv4, ipv6, operational, exchange in rows:
        yield Port(pk, ix_id, ixlan_id, asn, (ipv4, ipv6), operational, exchange or "")


def _sessions() -> Iterator[Session]:
    compared = Q(peering_network__peeringdb_id__isnull=False) | _has_limit()
    sessions = PeeringSession.objects.with_enabled().filter(compared, is_enabled=True)
    rows = sessions.order_by().values_list(
        "pk",
        "peering_network_id",
        "peering_network__peeringdb_id",
        _text("bgp_peer__peer__address", "HOST"),
        remote_asn_of("bgp_peer"),
        "is_route_server",
        *LIMITS,
    )
    for pk, network_id, ixlan_id, address, asn, is_route_server, ipv4, ipv6 in rows:
        yield Session(pk, network_id, ixlan_id, address, asn, is_route_server, (ipv4, ipv6))


def _has_limit() -> Q:
    return Q(*((f"{field}__isnull", False) for field in LIMITS), _connector=Q.OR)


def _connections() -> Iterator[Connection]:
    rows = PeeringConnection.objects.order_by().values_list(
        "pk",
        "peeringdb_id",
        "peering_network__peeringdb_id",
        _text("ipv4_address__address", "HOST"),
        _text("ipv6_address__address", "HOST"),
        "status",
    )
    for pk, netixlan_id, ixlan_id, ipv4, ipv6, status in rows:
        yield Connection(pk, netixlan_id, ixlan_id, (ipv4, ipv6), status)


def _peers() -> Iterator[Peer]:
    """Peer ASNs. Sessions count with the remote AS that they inherit, contacts as NetBox assigns them."""
    sessions = PeeringSession.objects.order_by().annotate(number=remote_asn_of("bgp_peer"))
    with_sessions = set(sessions.values_list("number", flat=True).distinct())
    assigned = ContactAssignment.objects.filter(
        object_type=ContentType.objects.get_for_model(PeerASN), object_id=OuterRef("pk")
    )
    rows = PeerASN.objects.order_by().values_list(
        "pk",
        "asn__asn",
        "affiliated",
        "peeringdb_id",
        "irr_as_set",
        *LIMITS,
        "follow_peeringdb",
        Exists(assigned),
    )
    for pk, asn, affiliated, peeringdb_id, as_set, ipv4, ipv6, follows, has_contacts in rows:
        yield Peer(
            id=pk,
            asn=asn,
            affiliated=affiliated,
            peeringdb_id=peeringdb_id,
            as_set=as_set,
            limits=(ipv4, ipv6),
            follows=frozenset(follows),
            has_sessions=asn in with_sessions,
            has_contacts=has_contacts,
        )


def _nets() -> Iterator[Net]:
    """
    The nets of our peers, and of sessions with limits of their own. PeeringDB writes `poc_updated` when a net's
    contacts change, the last one's end included: it is empty for a net that never had one.
    """
    peers = PeerASN.objects.order_by().values("asn__asn")
    limited = PeeringSession.objects.order_by().filter(_has_limit()).values(number=remote_asn_of("bgp_peer"))
    rows = PeeringDBNet.objects.filter(Q(asn__in=peers) | Q(asn__in=limited)).values_list(
        "asn",
        "irr_as_set",
        "info_prefixes4",
        "info_prefixes6",
        Exists(PeeringDBPoc.objects.filter(net_id=OuterRef("pk"))),
        KT("extra__poc_updated"),
    )
    for asn, as_set, ipv4, ipv6, has_contacts, contacts_changed in rows:
        yield Net(asn, as_set, (ipv4, ipv6), has_contacts, had_contacts=bool(contacts_changed))


def _keep(found: Sequence[Found]) -> tuple[list[Any], int]:
    """Bring the table in line with what was found. Returns the new rows, and how many are gone."""
    types = _content_types()
    kept = {
        (row.kind, row.object_type_id, row.object_id, row.key): row
        for row in PeeringDBDrift.objects.order_by()
    }
    now = timezone.now()
    rows = {
        (each.kind, types[each.model].pk, each.object_id, each.key): PeeringDBDrift(
            kind=each.kind,
            object_type=types[each.model],
            object_id=each.object_id,
            key=each.key,
            details=each.details,
            found=now,
        )
        for each in found
    }
    gone = [row.pk for identity, row in kept.items() if identity not in rows]
    changed = [
        row for identity, row in rows.items() if identity in kept and kept[identity].details != row.details
    ]
    new = [row for identity, row in rows.items() if identity not in kept]
    PeeringDBDrift.objects.filter(pk__in=gone).forget()  # type: ignore[attr-defined]
    PeeringDBDrift.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["kind", "object_type", "object_id", "key"],
        update_fields=["details"],
    )
    return PeeringDBDrift.objects.bulk_create(new), len(gone)


def _content_types() -> dict[str, ContentType]:
    """The types of the models that drift can be about, by name."""
    wanted = (PeerASN, PeeringConnection, PeeringNetwork, PeeringSession)
    found = ContentType.objects.get_for_models(*wanted)
    return {model._meta.model_name: found[model] for model in wanted}


class DriftEvent(EventContext):
    """An event about a drift's object. Its data is the object's, as in any event, and under "drift" what drifted."""

    def __init__(self, drift: Any, instance: models.Model, **values: Any):
        super().__init__(object=instance, **values)
        self._drift = {
            "id": drift.pk,
            "kind": drift.kind,
            "label": str(drift.get_kind_display()),
            "text": drift_text(drift.kind, drift.details),
            "details": drift.details,
            "found": drift.found.isoformat(),
        }

    def __getitem__(self, item: str) -> Any:
        value = super().__getitem__(item)
        return {**value, "drift": self._drift} if item == "data" else value


def _tell(new: Sequence[Any]) -> None:
    """Let event rules hear of each new drift: NetBox flushes a request's events itself, others are flushed here."""
    request = current_request.get()
    events = {
        # Not the key of the object's own events, so that none swallows the other.
        f"{event['object']._meta.label_lower}:{event['object_id']}:drift:{drift.pk}": event
        for drift, event in _events(new, request)
    }
    if not events:
        return
    if request is None:
        transaction.on_commit(lambda: flush_events(list(events.values())))
    else:
        events_queue.set({**events_queue.get(), **events})


def _events(new: Sequence[Any], request: Any) -> Iterator[tuple[Any, DriftEvent]]:
    objects = _objects_of(new)
    types = {
        model: ObjectType.objects.get_for_model(model) for model in {type(each) for each in objects.values()}
    }
    said = {"request": request, "user": request.user} if request is not None else {"user": None}
    for drift in new:
        if instance := objects.get((drift.object_type_id, drift.object_id)):
            event = DriftEvent(
                drift,
                instance,
                object_type=types[type(instance)],
                object_id=instance.pk,
                event_type=PEERINGDB_DRIFT,
                **said,
            )
            yield drift, event


def _objects_of(rows: Sequence[Any]) -> Mapping[tuple[int, int], Any]:
    """The objects that these rows are about, by (content type id, id), with what naming them takes."""
    prefetch_related_objects(list(rows), PeeringDBDriftQuerySet.object_prefetch())
    return {(row.object_type_id, row.object_id): row.object for row in rows if row.object is not None}

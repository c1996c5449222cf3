"""
Whether each session is on its router, as far as deployments and comparisons know (SessionConfiguration).

Nothing is remembered but what is true now: a session's standing is worked out anew from what there is, whenever
something of it changes. That is how a cancelled deployment leaves a session as it was. What decides, in this order:

1. a deployment of the session that waits or is being sent: scheduled;
2. the last comparison of its router, when it is younger than what follows: one without a difference makes every
   session configured, one whose difference names the session's neighbour makes it differ;
3. the last deployment of the session that ended: done makes it configured, or differing when the session was edited
   since; failed or rolled back make it failed. One that was cancelled or expired, or failed before anybody had asked
   for more than a comparison, says nothing;
4. nothing: not configured, which is to have no row.

Nothing makes a session configured that its router's template leaves out: its neighbour has to be named in what was
compared, or in what was sent, or have been on the router afterwards. Else it is not configured, and the row says why.

Edits are those of the session, its BGPPeer and the BGPPeer's address families. What is inherited (from a peer group,
a route map, a relationship) is looked at by comparing alone.
"""

import ipaddress
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.models import Exists, F, Max, OuterRef, Q
from django.db.models.functions import Greatest
from django.db.models.signals import post_delete, post_save
from django.utils import timezone
from django.utils.translation import gettext as _

from ...choices import DeploymentKindChoices, RouterDriftChoices
from ...choices import DeploymentStatusChoices as Status
from ...choices import SessionConfigurationChoices as Configuration
from ...models import (
    Deployment,
    DeploymentSession,
    DeploymentStep,
    PeeringSession,
    RouterState,
    SessionConfiguration,
)
from ..recording import FOR_MANY
from .mentions import addresses_in, mentioned
from .naming import named_by
from .removal import forget_done

if TYPE_CHECKING:
    from django.db.models import Model

__all__ = ("OPEN", "Compared", "Deciding", "Known", "connect", "note", "refresh", "standing")

# A deployment that waits, or is on its way to the router.
OPEN = (Status.AWAITING_APPROVAL, Status.APPROVED, Status.SCHEDULED, *Status.SENDING)
# Moves to these change nothing about sessions: nobody has asked for more than to look.
SILENT = (Status.RENDERED, Status.COMPARED, Status.CONFIRMING)


@dataclass(frozen=True, slots=True)
class Known:
    """A session: its id, device and neighbour, when it was made and last edited."""

    pk: int
    device: int | None
    remote_ip: str
    created: datetime
    edited: datetime


@dataclass(frozen=True, slots=True)
class Deciding:
    """A deployment that says something about sessions. `ended` None: it waits or is being sent."""

    pk: int
    status: str
    reason: str
    created: datetime
    sent: datetime | None
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class Compared:
    """
    The last comparison of a router: when, whose neighbours differ (None: nothing does), and whose are not named in what
    was compared.
    """

    at: datetime
    differing: frozenset[str] | None
    unnamed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Standing:
    """What a row of SessionConfiguration says."""

    status: str
    as_of: datetime
    deployment: int | None = None
    reason: str = ""


def note(deployment: Deployment) -> None:
    """
    Bring what is known of a deployment's sessions in line with where it stands now, and forget the removed ones that it
    took off the router. At most twelve queries.

    Called after each move.
    """
    forget_done(deployment)
    if deployment.status in SILENT or deployment.kind != DeploymentKindChoices.CONFIGURE:
        return
    if deployment.partial:
        of_targets = deployment.targets.exclude(session=None).values_list("session_id", flat=True)
        refresh(of_targets.order_by())
    else:
        sessions = PeeringSession.objects.for_device(deployment.router.device_id)
        refresh(sessions.order_by().values_list("pk", flat=True))


@transaction.atomic
def refresh(session_ids: Iterable[int]) -> None:
    """Work out anew how these sessions stand. At most ten queries, whatever their number."""
    known = _known(_kept(set(session_ids)))
    if not known:
        return
    devices = {session.device for session in known} - {None}
    single = _of_sessions(known)
    full = _of_devices(devices)
    compared = _comparisons(devices)
    last = {session.pk: _deciding(session, single, full) for session in known}
    done = {each.pk for each in last.values() if each is not None and each.status == Status.DONE}
    named = named_by(done)
    forgotten = _left_out_by(done - set(named))
    found = {
        session.pk: standing(
            session,
            each := last[session.pk],
            compared.get(session.device) if session.device else None,
            () if each and (session.pk, each.pk) in forgotten else named.get(each.pk) if each else None,
        )
        for session in known
    }
    _keep(found)


def standing(
    session: Known, last: Deciding | None, compared: Compared | None, named: Collection[str] | None = None
) -> Standing | None:
    """
    Return how a session stands, by its deciding deployment and its router's last comparison. Pure.

    `named`: the neighbours that the deployment is known to have brought; None when nothing tells.
    """
    if last is not None and last.ended is None:
        return Standing(Configuration.SCHEDULED, last.created, last.pk)
    if (
        compared is not None
        and compared.at > session.created
        and (last is None or _ended(last) < compared.at)
    ):
        told = _told_by(compared, session)
        if told is not None:
            return told
    if last is None:
        return None
    if last.status != Status.DONE:
        return Standing(Configuration.FAILED, _ended(last), last.pk, _reason_for(session, last.reason))
    if named is not None and session.remote_ip not in named:
        return _left_out(_ended(last), last.pk)
    if session.edited > (last.sent or last.created):
        return Standing(Configuration.DIFFERS, session.edited, last.pk, _edited_text())
    return Standing(Configuration.CONFIGURED, _ended(last), last.pk)


def _reason_for(session: Known, reason: str) -> str:
    """
    Why the deployment of a session failed, for whoever may view that session. What names other neighbours, or quotes
    lines of a configuration, is for those who may read the deployment.
    """
    if "\n" not in reason and addresses_in(reason) <= {session.remote_ip}:
        return reason
    return _("It failed or was rolled back: its deployment says why.")


def _left_out(at: datetime, deployment: int | None = None) -> Standing:
    reason = _("The router's config template leaves it out: what it renders does not name the neighbour.")
    return Standing(Configuration.NOT_CONFIGURED, at, deployment, reason)


def _left_out_by(deployments: Collection[int]) -> set[tuple[int, int]]:
    """What is known of deployments whose texts are gone: the ids of sessions that they left out, each with its own."""
    if not deployments:
        return set()
    rows = SessionConfiguration.objects.filter(
        status=Configuration.NOT_CONFIGURED, deployment__in=deployments
    )
    return set(rows.order_by().values_list("session_id", "deployment_id"))


def _told_by(compared: Compared, session: Known) -> Standing | None:
    if session.remote_ip in (compared.differing or ()):
        return Standing(
            Configuration.DIFFERS, compared.at, reason=_("The router's configuration differs from NetBox.")
        )
    if session.remote_ip in compared.unnamed:
        return _left_out(compared.at)
    if compared.differing is not None:
        return None
    if session.edited > compared.at:
        return Standing(Configuration.DIFFERS, session.edited, reason=_edited_text())
    return Standing(Configuration.CONFIGURED, compared.at)


def _ended(last: Deciding) -> datetime:
    return last.ended or last.created


def _edited_text() -> str:
    return _("Edited in NetBox since it was configured.")


# What there is


def _kept(ids: Collection[int]) -> list[int]:
    """
    Return those of these sessions that are there, and keep them from being deleted before what is known of them is
    written: else the move of a deployment would fail for a session that is gone.

    Nothing else waits for that, not even who edits them, so it is no select_for_update().
    """
    if not ids:
        return []
    table = connection.ops.quote_name(PeeringSession._meta.db_table)
    with connection.cursor() as cursor:
        # In one order, for somebody may be deleting several of them. Two who do this keep nobody waiting.
        cursor.execute(f"SELECT id FROM {table} WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE", [list(ids)])  # noqa: S608
        return [pk for (pk,) in cursor.fetchall()]


def _known(ids: Collection[int]) -> list[Known]:
    if not ids:
        return []
    rows = (
        PeeringSession.objects.filter(pk__in=ids)
        .annotate(
            edited=Greatest(
                F("last_updated"),
                F("bgp_peer__last_updated"),
                Max("bgp_peer__address_families__last_updated"),
            )
        )
        # In this order their rows are written: two moves of one router would lock each other's otherwise.
        .order_by("pk")
        .values_list("pk", "bgp_peer__scope__router__device", "bgp_peer__peer__address", "created", "edited")
    )
    return [
        Known(pk, device, str(ipaddress.ip_address(str(address.ip))), created, edited)
        for pk, device, address, created, edited in rows
    ]


COLUMNS = ("pk", "status", "reason", "created", "sent", "ended")


def _that_decide(prefix: str) -> Q:
    """Deployments that say something: see the list at the top."""
    asked_for_more = DeploymentStep.objects.filter(deployment=OuterRef(f"{prefix}pk"), status__in=OPEN)
    return Q(**{f"{prefix}status__in": (*OPEN, Status.DONE, Status.ROLLED_BACK)}) | (
        Q(**{f"{prefix}status": Status.FAILED})
        & (Q(**{f"{prefix}automatic": True}) | Q(Exists(asked_for_more)))
    )


def _of_sessions(known: Iterable[Known]) -> dict[tuple[int, int], Deciding]:
    """The last deciding partial deployment, by session and device."""
    rows = (
        DeploymentSession.objects.filter(
            _that_decide("deployment__"),
            session__in=[session.pk for session in known],
            deployment__kind=DeploymentKindChoices.CONFIGURE,
        )
        .order_by(
            "session_id",
            "deployment__router__device_id",
            F("deployment__ended").desc(nulls_first=True),
            "-deployment_id",
        )
        .distinct("session_id", "deployment__router__device_id")
        .values_list(
            "session_id", "deployment__router__device_id", *(f"deployment__{name}" for name in COLUMNS)
        )
    )
    return {(session, device): Deciding(*rest) for session, device, *rest in rows}


def _of_devices(devices: Collection[int | None]) -> dict[int, Deciding]:
    """The last deciding full deployment, by device."""
    rows = (
        Deployment.objects.filter(
            _that_decide(""),
            partial=False,
            kind=DeploymentKindChoices.CONFIGURE,
            router__device__in=devices,
        )
        .order_by("router__device_id", F("ended").desc(nulls_first=True), "-pk")
        .distinct("router__device_id")
        .values_list("router__device_id", *COLUMNS)
    )
    return {device: Deciding(*rest) for device, *rest in rows}


def _comparisons(devices: Collection[int | None]) -> dict[int, Compared]:
    rows = RouterState.objects.filter(
        router__device__in=devices,
        drift__in=(RouterDriftChoices.SAME, RouterDriftChoices.DIFFERS),
        compared__isnull=False,
    )
    return {
        device: Compared(
            at, None if drift == RouterDriftChoices.SAME else mentioned(diff), frozenset(unnamed)
        )
        for device, drift, at, diff, unnamed in rows.order_by().values_list(
            "router__device_id", "drift", "compared", "masked_diff", "unnamed"
        )
    }


def _deciding(
    session: Known, single: Mapping[tuple[int, int], Deciding], full: Mapping[int, Deciding]
) -> Deciding | None:
    """One that is open before those that ended, then the last one. A full one is about what there was."""
    if session.device is None:
        return None
    found = [
        each
        for each in (single.get((session.pk, session.device)), full.get(session.device))
        if each is not None and each.created >= session.created
    ]
    return max(found, key=lambda each: (each.ended is None, each.ended or each.created), default=None)


def _keep(found: Mapping[int, Standing | None]) -> None:
    gone = [pk for pk, each in found.items() if each is None]
    if gone:
        rows: Any = SessionConfiguration.objects.filter(session__in=gone)
        rows._raw_delete(rows.db)
    SessionConfiguration.objects.bulk_create(
        [
            SessionConfiguration(
                session_id=pk,
                status=each.status,
                deployment_id=each.deployment,
                reason=each.reason,
                as_of=each.as_of,
            )
            for pk, each in found.items()
            if each is not None
        ],
        update_conflicts=True,
        unique_fields=["session"],
        update_fields=["status", "deployment", "reason", "as_of"],
    )


# Edits


def connect() -> None:
    """Let sessions that are edited differ from now on. Called once, when the plugin is ready."""
    for sender, listener in (
        ("netbox_peering_manager.PeeringSession", _session_edited),
        ("netbox_routing.BGPPeer", _peer_edited),
        ("netbox_routing.BGPPeerAddressFamily", _family_edited),
    ):
        post_save.connect(listener, sender=sender, dispatch_uid=f"netbox_peering_manager.differs.{sender}")
    post_delete.connect(
        _family_edited,
        sender="netbox_routing.BGPPeerAddressFamily",
        dispatch_uid="netbox_peering_manager.differs.family_deleted",
    )


def _session_edited(instance: "Model", created: bool, **kwargs: object) -> None:
    _sessions_edited([instance], created=created)


def _sessions_edited(rows: Sequence["Model"], *, created: bool) -> None:
    if not created:
        _differ(session__in=[row.pk for row in rows])


def _peer_edited(instance: "Model", created: bool, **kwargs: object) -> None:
    _peers_edited([instance], created=created)


def _peers_edited(rows: Sequence["Model"], *, created: bool) -> None:
    if not created:
        _differ(session__bgp_peer__in=[row.pk for row in rows])


def _family_edited(instance: Any, **kwargs: object) -> None:
    _families_edited([instance], created=False)


def _families_edited(rows: Sequence[Any], *, created: bool) -> None:
    """One that was made changes a session as well."""
    # Not through the field, which would read the type each time.
    peers = [
        row.assigned_object_id
        for row in rows
        if row.assigned_object_type_id is not None
        and ContentType.objects.get_for_id(row.assigned_object_type_id).model == "bgppeer"
    ]
    if peers:
        _differ(session__bgp_peer__in=peers)


# For many rows at once (services.recording).
for _of_one, _of_many in (
    (_session_edited, _sessions_edited),
    (_peer_edited, _peers_edited),
    (_family_edited, _families_edited),
):
    setattr(_of_one, FOR_MANY, _of_many)


def _differ(**which: object) -> None:
    """One query: what was configured differs now. Anything else stays what it is."""
    SessionConfiguration.objects.filter(status=Configuration.CONFIGURED, **which).update(
        status=Configuration.DIFFERS, reason=_edited_text(), as_of=timezone.now()
    )

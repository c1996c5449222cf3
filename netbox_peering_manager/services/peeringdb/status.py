"""
How things stand with PeeringDB, for the page that shows it: plain facts, gathered with a fixed number of queries.

Nothing is asked of PeeringDB here. Whether the key is good is known from the last time that somebody had it tested.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Count, Q, Value
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from core.choices import JobStatusChoices
from core.models import Job

from ...choices import PeeringDBDriftChoices
from ...exceptions import PeeringDBKeyRefused
from ...models import (
    MIRROR,
    PeerASN,
    PeeringDBDrift,
    PeeringDBRefusedRow,
    PeeringDBSync,
    PeeringDBWatermark,
    PeeringFabric,
    PeeringNetwork,
)
from ...settings import get_setting, read_secret
from .. import queued
from .client import KeyState, client_from_settings
from .runs import running
from .site import site_url

__all__ = (
    "Affected",
    "DriftCount",
    "KeyStatus",
    "PeeringDBStatus",
    "TypeStatus",
    "drift_counts",
    "peeringdb_status",
    "test_key",
)

type User = AbstractBaseUser | AnonymousUser

TESTED = "netbox_peering_manager:peeringdb:key-tested"
# A test that is older says little.
REMEMBERED_S = 7 * 86400

# What people call PeeringDB's types.
NAMES: Mapping[str, Any] = {
    "org": _("Organisations"),
    "campus": _("Campuses"),
    "fac": _("Facilities"),
    "carrier": _("Carriers"),
    "carrierfac": _("Carriers in facilities"),
    "net": _("Networks"),
    "ix": _("Exchanges"),
    "ixfac": _("Exchanges in facilities"),
    "ixlan": _("LANs of exchanges"),
    "ixpfx": _("Prefixes of LANs"),
    "netfac": _("Networks in facilities"),
    "netixlan": _("Ports of networks on LANs"),
    "poc": _("Contacts"),
}


@dataclass(frozen=True)
class KeyStatus:
    """The API key: whether the settings name one, why it cannot be read ("" when it can), and its last test."""

    is_set: bool
    problem: str
    tested: KeyState | None
    tested_at: datetime | None


@dataclass(frozen=True)
class TypeStatus:
    """One of PeeringDB's types in the mirror. `synced` None: never. `is_kept`: False for contacts without a key."""

    tag: str
    name: str
    rows: int
    synced: datetime | None
    compared: datetime | None
    refused: int
    is_kept: bool


@dataclass(frozen=True)
class DriftCount:
    """How much drift of a kind a user sees."""

    kind: str
    name: str
    color: str
    count: int


@dataclass(frozen=True)
class Affected:
    """What of NetBox hangs on PeeringDB, of what a user sees."""

    following_peers: int
    linked_peers: int
    linked_fabrics: int
    linked_networks: int


@dataclass(frozen=True)
class PeeringDBStatus:
    """
    Everything that the page shows. `last` is the latest sync but the running one, None when the user sees none; should
    it say that it runs, its process has died.

    `job` is the job of the running sync or the one that waits, `next_run` when NetBox's scheduler syncs next (None:
    not planned), `interval_minutes` how often it does (0: never). `remaining` are the requests left of this minute.
    """

    site: str
    key: KeyStatus
    types: tuple[TypeStatus, ...]
    last: PeeringDBSync | None
    running: PeeringDBSync | None
    job: Any
    next_run: datetime | None
    interval_minutes: int
    remaining: int | None
    drift: tuple[DriftCount, ...]
    affected: Affected

    @property
    def rows(self) -> int:
        return sum(each.rows for each in self.types)

    @property
    def refused(self) -> int:
        return sum(each.refused for each in self.types)

    @property
    def drift_total(self) -> int:
        return sum(each.count for each in self.drift)

    @property
    def as_of(self) -> datetime | None:
        """How old the data are: since when no type was brought up to date. None when nothing was ever synced."""
        return min((each.synced for each in self.types if each.synced and each.is_kept), default=None)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever synced."""
        return self.as_of is None


def peeringdb_status(user: User, *, job_name: str) -> PeeringDBStatus:
    """Return how things stand, as far as `user` may see it. `job_name` is what sync jobs are called."""
    syncs = PeeringDBSync.objects.restrict(user, "view")
    key, run = _key_status(), running()
    return PeeringDBStatus(
        site=site_url(),
        key=key,
        types=_types(key),
        last=syncs.exclude(pk=run.pk if run else None).select_related("user").first(),
        running=_visible(run, syncs),
        job=_job(job_name),
        next_run=_next_run(job_name),
        interval_minutes=get_setting("peeringdb_sync_interval"),
        remaining=_remaining(key),
        drift=drift_counts(user),
        affected=_affected(user),
    )


def drift_counts(user: User) -> tuple[DriftCount, ...]:
    """Return how much drift `user` sees, by kind, without kinds of which there is none. One query."""
    visible = PeeringDBDrift.objects.restrict(user, "view").order_by()  # type: ignore[attr-defined]
    counts = dict(visible.values_list("kind").annotate(Count("pk")))
    return tuple(
        DriftCount(kind, str(name), color, counts[kind])
        for kind, name, color in PeeringDBDriftChoices.CHOICES
        if kind in counts
    )


def test_key() -> KeyState:
    """
    Have PeeringDB asked whether it accepts the key, and remember what came of it. Raises nothing of PeeringDB's errors.
    """
    try:
        with client_from_settings() as client:
            state = client.check_key()
    except PeeringDBKeyRefused as error:
        return KeyState(ok=False, message=str(error), sees_users_contacts=False)
    cache.set(TESTED, (_fingerprint(), state, timezone.now()), timeout=REMEMBERED_S)
    return state


def _key_status() -> KeyStatus:
    source = get_setting("peeringdb_api_key")
    problem = ""
    if source is not None:
        try:
            read_secret(source)
        except ImproperlyConfigured as error:
            problem = str(error)
    fingerprint, tested, tested_at = cache.get(TESTED) or (None, None, None)
    if problem or fingerprint != _fingerprint():
        tested = tested_at = None
    return KeyStatus(source is not None, problem, tested, tested_at)


def _fingerprint() -> str:
    """What tells this key and PeeringDB from others, and from which nobody gets the key."""
    source = get_setting("peeringdb_api_key")
    key = read_secret(source) if source is not None else ""
    return salted_hmac(TESTED, f"{get_setting('peeringdb_url')} {key}", algorithm="sha256").hexdigest()


def _remaining(key: KeyStatus) -> int | None:
    """None when nothing can be asked, because the key cannot be read."""
    if key.problem:
        return None
    with client_from_settings() as client:
        return client.remaining()


def _types(key: KeyStatus) -> tuple[TypeStatus, ...]:
    counts = _row_counts()
    marks = {mark.tag: mark for mark in PeeringDBWatermark.objects.all()}
    refused = Counter(PeeringDBRefusedRow.objects.order_by().values_list("tag", flat=True))
    return tuple(
        TypeStatus(
            tag=tag,
            name=str(NAMES[tag]),
            rows=counts.get(tag, 0),
            synced=marks[tag].synced if tag in marks else None,
            compared=marks[tag].compared if tag in marks else None,
            refused=refused[tag],
            is_kept=tag != "poc" or key.is_set,
        )
        for tag in MIRROR
    )


def _row_counts() -> dict[str, int]:
    """The number of rows of each type, in one query."""
    first, *others = (
        model._default_manager.order_by().annotate(tag=Value(tag)).values("tag").annotate(rows=Count("pk"))
        for tag, model in MIRROR.items()
    )
    counted = first.union(*others, all=True).values_list("tag", "rows")
    return dict(counted)


def _job(name: str) -> Any:
    """The job of this name that runs, else the first that waits. One whose worker was killed does not run."""
    unfinished = Job.objects.filter(name=name, status__in=queued.UNFINISHED).defer("log_entries")
    jobs = list(unfinished.order_by("-status", "created"))
    dead = queued.killed(jobs)
    return next((job for job in jobs if job.pk not in dead), None)


def _next_run(name: str) -> datetime | None:
    planned = Job.objects.filter(name=name, status=JobStatusChoices.STATUS_SCHEDULED, interval__isnull=False)
    return planned.order_by("scheduled").values_list("scheduled", flat=True).first()


def _visible(run: PeeringDBSync | None, syncs: Any) -> PeeringDBSync | None:
    return syncs.select_related("user").filter(pk=run.pk).first() if run else None


def _affected(user: User) -> Affected:
    linked = Q(peeringdb_id__isnull=False)
    peers = PeerASN.objects.restrict(user, "view").order_by()
    following = peers.exclude(follow_peeringdb=[])
    return Affected(
        following_peers=following.count(),
        linked_peers=peers.filter(linked).count(),
        linked_fabrics=PeeringFabric.objects.restrict(user, "view").filter(linked).count(),
        linked_networks=PeeringNetwork.objects.restrict(user, "view").filter(linked).count(),
    )

"""
The record of each sync, and that there is one at a time.

A lock of PostgreSQL says whether a sync runs: it is gone as soon as the session that holds it is, so that a process
that died keeps nobody waiting. The record (PeeringDBSync) says who, since when and how it went.
"""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from django_pg_utils import advisory_lock

from ...choices import PeeringDBSyncStatusChoices as Status
from ...exceptions import SyncRunning
from ...models import PeeringDBSync
from ..recording import SYSTEM_NAME

if TYPE_CHECKING:
    from datetime import datetime

# Any number that nobody else in NetBox's database locks. NetBox's own are below 10⁶ (netbox.constants).
LOCK = 4_207_100_100
KEPT = 100

# The session that holds the lock; PostgreSQL shows the two halves of its number.
_HOLDER = f"""
SELECT activity.pid, activity.backend_start FROM pg_locks held JOIN pg_stat_activity activity USING (pid)
WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 1
AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND held.classid = {LOCK >> 32}::oid AND held.objid = {LOCK & 0xFFFFFFFF}::oid
"""  # noqa: S608


@dataclass(frozen=True)
class Holder:
    """The database session that syncs."""

    pid: int
    since: "datetime"


def running() -> PeeringDBSync | None:
    """Return the sync that runs now, None when none does. One whose process died does not run. Two queries at most."""
    run = PeeringDBSync.objects.filter(status=Status.RUNNING).first()
    return run if run and _holder() else None


def why_running() -> str:
    """Return who syncs now, since when and what to do, as a sentence; an empty one when nobody does."""
    run = PeeringDBSync.objects.select_related("user").filter(status=Status.RUNNING).first()
    holder = _holder()
    if run and holder:
        return _(
            "A sync with PeeringDB runs already: begun by {user} at {started}, {holder}. Wait until it has ended, then "
            "try again."
        ).format(user=run.user or SYSTEM_NAME, started=_shown(run.started), holder=run.holder)
    if holder:
        return _(
            "A trial sync with PeeringDB runs (database session {pid}, since {since}). Wait until it has ended, then "
            "try again."
        ).format(pid=holder.pid, since=_shown(holder.since))
    return ""


@contextmanager
def only_one() -> Iterator[None]:
    """Let nobody else sync while the body runs. SyncRunning, naming who does, when somebody does."""
    with advisory_lock(LOCK, wait=False) as acquired:
        if not acquired:
            raise SyncRunning(why_running() or _("Another sync with PeeringDB has just ended. Try again."))
        yield


def mark_interrupted() -> None:
    """Say of syncs that seem to run that they do not. To be called by the one that holds the lock."""
    for run in PeeringDBSync.objects.filter(status=Status.RUNNING):
        run.status = Status.INTERRUPTED
        if run.counts:
            run.message = _(
                "Its process ended when the mirror had been brought up to date. The next sync does the rest."
            )
        else:
            run.message = _("Its process ended. The mirror was left as it was before.")
        keep(run, "status", "message")


def keep(run: PeeringDBSync, *names: str) -> None:
    """Save these fields of a record: nobody listens for changes of it, so nobody is told."""
    PeeringDBSync.objects.filter(pk=run.pk).update(**{name: getattr(run, name) for name in names})


def begin(mode: str, tags: Sequence[str], user: Any, *, kept: bool) -> PeeringDBSync:
    """Return the record of a sync that begins; not `kept`: it is not saved, now or later."""
    run = PeeringDBSync(mode=mode, tags=list(tags), user=user, holder=_me(), started=timezone.now())
    if kept:
        run.save()
    return run


def end(run: PeeringDBSync, status: str, message: str) -> None:
    """Record how a sync ended, and forget those long ago."""
    run.status, run.message, run.ended = status, message, timezone.now()
    if run.pk is None:
        return
    keep(run, "status", "message", "ended", "counts", "applied")
    old = PeeringDBSync.objects.filter(pk__lte=run.pk - KEPT)
    old._raw_delete(old.db)


def _holder() -> Holder | None:
    with connection.cursor() as cursor:
        cursor.execute(_HOLDER)
        found = cursor.fetchone()
    return Holder(*found) if found else None


def _me() -> str:
    return _("process {pid} on {host}").format(pid=os.getpid(), host=socket.gethostname())


def _shown(moment: "datetime") -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S %Z}"

"""
A sync with PeeringDB from end to end: fetch → stage → merge → apply → compare.

    questions (asking.py) → rows (client.py) → records (records.py) → temporary tables (staging.py)
        → the mirror (mirror.py), in one transaction → NetBox (apply.py) → what still differs (drift.py)

Until that transaction is committed the mirror is as it was, and after it everything is in the database that the rest
needs. So a sync may end anywhere, be it by an error or by a lost process, and the next one completes what it left.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

from django.db import DatabaseError, InterfaceError, transaction
from django.utils.translation import gettext as _

from ...choices import PeeringDBSyncModeChoices as Mode
from ...choices import PeeringDBSyncStatusChoices as Status
from ...exceptions import PeeringError, SyncError
from ...models import PeeringDBSync
from ..lost_database import once_back, reason_of
from ..tracking import recorded, request_of
from . import runs
from .apply import Applied, apply_mirror
from .asking import ABOUT_ONE_NETWORK, Question, Wanted, has_moved, questions
from .client import PeeringDBClient, client_from_settings
from .drift import refresh_drift
from .mirror import Counts, Known, analyze, drop_contacts, load_known, merge
from .runs import running
from .staging import Staged, Staging

if TYPE_CHECKING:
    from users.models import User

__all__ = ("Progress", "explained", "running", "sync")

logger = logging.getLogger("netbox_peering_manager.peeringdb")


@dataclass(frozen=True)
class Progress:
    """
    How far a sync is. `stage` is one of STAGES; `tag` the type that it is at, "" between types; `rows` how many rows of
    the type have come.

    `done` of `total` is the part of the whole that is through, in steps of which fetching a type is one.
    """

    stage: str
    tag: str
    rows: int
    done: int
    total: int


# Between "merging" and "merged" a transaction is open.
STAGES = ("fetching", "fetched", "merging", "merged", "applying", "applied")


@dataclass
class _Work:
    """A sync on its way. `merged`: the mirror is as PeeringDB told, whatever happens from now on."""

    wanted: Wanted
    run: PeeringDBSync
    user: "User | None"
    dry_run: bool
    progress: Callable[[Progress], None]
    notes: list[str]
    steps: int = 0
    done: int = 0
    merged: bool = False

    def tell(self, stage: str, tag: str = "", rows: int = 0) -> None:
        self.progress(Progress(stage, tag, rows, self.done, self.steps))


def sync(
    *,
    full: bool = False,
    tags: Sequence[str] = (),
    asn: int | None = None,
    dry_run: bool = False,
    from_dumps: bool = False,
    user: "User | None" = None,
    client: PeeringDBClient | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> PeeringDBSync:
    """
    Bring the mirror in line with PeeringDB, and NetBox in line with the mirror. Returns the record of it.

    `full`: whole lists instead of what changed. `tags`: these types alone. `asn`: what belongs to this network alone.
    `from_dumps`: whole lists come from the public dumps of yesterday. `dry_run`: count what would change, and change
    nothing; the record is not saved. Changes in NetBox are `user`'s, the plugin's own without one. `client`: another
    than that of the settings. `progress` hears how far it is; what it raises ends the sync like any other error.

    SyncRunning when another sync runs, SyncError for arguments that do not go together or when the database ended it,
    else what the client raises (PeeringDBError); `explained` adds to their text what was kept. Unless `dry_run`, the
    record says the same.
    """
    wanted = Wanted(full=full, tags=tuple(tags), asn=asn, from_dumps=from_dumps).checked()
    shown = ABOUT_ONE_NETWORK if asn is not None else wanted.tags
    with runs.only_one():
        if not dry_run:
            runs.mark_interrupted()
        run = runs.begin(Mode.FULL if full else Mode.INCREMENTAL, shown, user, kept=not dry_run)
        work = _Work(wanted, run, user, dry_run, progress or (lambda progress: None), [])
        with _recorded_end(work):
            with nullcontext(client) if client else client_from_settings() as asked:
                counts = _mirror(work, asked)
            if not dry_run:
                analyze(counts)
                _apply(work, counts)
    return run


def _mirror(work: _Work, client: PeeringDBClient) -> dict[str, Counts]:
    """Fetch, and bring the mirror in line in one transaction. Returns the counts by type."""
    known = load_known()
    if has_moved(known, client.url):
        work.notes.append(_moved(work.wanted, client))
    asked = questions(work.wanted, known, client)
    work.steps = len(asked) + 2
    with Staging(question.tag for question in asked) as staging:
        staged = [_stage(work, staging, question) for question in asked]
        staging.flush()
        work.tell("merging")
        with transaction.atomic():
            counts = _merge(work, staged, known, client)
            if work.dry_run:
                _take(work, apply_mirror(None, asn=work.wanted.asn, looked_at=False))
                transaction.set_rollback(True)
    work.merged, work.done = True, work.done + 1
    return counts


def _stage(work: _Work, staging: Staging, question: Question) -> Staged:
    work.tell("fetching", question.tag)
    staged = staging.add(
        question.tag,
        question.rows(),
        question.covered,
        more=question.more,
        again=question.again,
        tell=lambda rows: work.tell("fetching", question.tag, rows),
    )
    work.done += 1
    work.tell("fetched", question.tag, staged.rows)
    return staged


def _merge(work: _Work, staged: list[Staged], known: Known, client: PeeringDBClient) -> dict[str, Counts]:
    """What changes in the mirror's transaction: the mirror, how far it is, and the counts on the record."""
    counts = merge(staged, known, client.url, lambda tag: work.tell("merged", tag))
    if not client.has_key and (dropped := drop_contacts(known)):
        counts["poc"] = Counts(deleted=dropped)
        work.notes.append(_("The contacts were dropped, as there is no API key any more."))
    work.notes += _about_refused(counts, staged)
    work.run.counts = {tag: asdict(each) for tag, each in counts.items()}
    if not work.dry_run:
        runs.keep(work.run, "counts")
    return counts


def _apply(work: _Work, counts: dict[str, Counts]) -> None:
    """Let NetBox follow, then find out what still differs."""
    request = request_of(work.user)
    work.tell("applying")
    applied = apply_mirror(
        request,
        asn=work.wanted.asn,
        looked_at="net" in counts,
        told=lambda done, total: work.tell("applying", rows=done),
    )
    _take(work, applied)
    with recorded(request):
        refresh_drift()
    work.done += 1
    work.tell("applied")


def _take(work: _Work, applied: Applied) -> None:
    """Put on the record what followed, and how much did not fit: whoever reads it need not see those objects."""
    work.run.applied = applied.as_json()
    for note in applied.notes:
        logger.info(note)
    if applied.notes:
        work.notes.append(
            _(
                "Values of PeeringDB that do not fit and were not taken over: {count}. The log names them."
            ).format(count=len(applied.notes))
        )


@contextmanager
def _recorded_end(work: _Work) -> Iterator[None]:
    """Record how the body ended. A database that ended it is told as a SyncError."""
    try:
        yield
    except BaseException as error:
        failure = _failure(error)
        failure.add_note(_what_was_kept(work))
        # Without any connection the next sync finds it out.
        once_back(partial(runs.end, work.run, Status.FAILED, explained(failure)))
        if isinstance(error, (DatabaseError, InterfaceError)):
            raise failure from error
        raise
    runs.end(work.run, Status.COMPLETED, "\n".join(work.notes))


def explained(error: PeeringError) -> str:
    """Return what an error of a sync says, and what was kept and follows, in one line."""
    return " ".join([str(error), *getattr(error, "__notes__", ())])


def _failure(error: BaseException) -> PeeringError:
    """What to tell of an error. Of one that nobody expected its kind alone: its text can hold anything."""
    if isinstance(error, PeeringError):
        return error
    if isinstance(error, (DatabaseError, InterfaceError)):
        return SyncError(_("The database ended the sync: {reason}.").format(reason=reason_of(error)))
    return SyncError(_("The sync was stopped by {kind}.").format(kind=type(error).__name__))


def _what_was_kept(work: _Work) -> str:
    if work.dry_run:
        return _("Nothing was changed.")
    if work.merged:
        return _("The mirror is up to date; what NetBox lacks of it the next sync does.")
    return _("The mirror was left as it was; the next sync begins anew.")


def _about_refused(counts: dict[str, Counts], staged: list[Staged]) -> Iterator[str]:
    refused = [f"{tag} {each.refused}" for tag, each in counts.items() if each.refused]
    if refused:
        yield _("Rows refused and kept aside: {refused}.").format(refused=", ".join(refused))
    nameless = [each.tag for each in staged if each.covered.complete and each.nameless]
    if nameless:
        yield _(
            "Some of them have no id, so nothing was taken for gone because the list lacks it: {tags}."
        ).format(tags=", ".join(nameless))


def _moved(wanted: Wanted, client: PeeringDBClient) -> str:
    """What to tell when the mirror is another PeeringDB's. SyncError when the sync is about one network alone."""
    if wanted.asn is not None:
        raise SyncError(
            _("The mirror is not of {url}: peeringdb_url was changed. Sync everything first.").format(
                url=client.url
            )
        )
    return _("The mirror was of another PeeringDB: all of it was replaced by that of {url}.").format(
        url=client.url
    )

"""
Third stage: brings what was staged into the mirror, all types in the caller's one transaction.

Which rows are made, changed and deleted is decided in one place, `_find_due`, for every type and every kind of
answer; the statements after it only carry it out. Content is compared and not `updated`, because PeeringDB's clock
can be wrong and several changes can share a second. Nothing here is unique but the id, so that two rows can swap
their addresses, and nothing has to exist for another row to point at it.

Only what has the status "ok" is mirrored: a tombstone, or a campus that became pending, is a row that is gone.
"""

# ruff: noqa: S608  (statements are made of the plugin's own names; values are parameters)

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from ...exceptions import PeeringDBMalformed
from ...models import PeeringDBRefusedRow, PeeringDBWatermark
from ...models.peeringdb import MIRROR
from .records import COLUMNS
from .staging import DUE, FEW, REFUSED, Staged, table_of, view_of

# A list without more than half of what there was, and more than so many rows, is taken for a broken one.
PLAUSIBLE_LOSS = 100
# From this many changed rows on, the planner's statistics are brought up to date at once.
ANALYZE_FROM = 1000


@dataclass(frozen=True)
class Counts:
    """What one type's answer did to the mirror: rows of the answer, but for `deleted`, which are rows of the mirror."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    refused: int = 0


@dataclass(frozen=True)
class Known:
    """
    How far the mirror is: a watermark for each type that was synced, and of rows refused before the ids by tag (None
    for one without).
    """

    marks: Mapping[str, PeeringDBWatermark]
    refused: Mapping[str, Sequence[int | None]]


def load_known() -> Known:
    """Read how far the mirror is, with two queries."""
    refused: dict[str, list[int | None]] = {}
    for tag, pk in PeeringDBRefusedRow.objects.order_by("pk").values_list("tag", "peeringdb_id"):
        refused.setdefault(tag, []).append(pk)
    return Known({mark.tag: mark for mark in PeeringDBWatermark.objects.all()}, refused)


def merge(
    staged: Sequence[Staged], known: Known, source: str, told: Callable[[str], None] = lambda tag: None
) -> dict[str, Counts]:
    """
    Bring the mirror in line with what was staged from `source`, PeeringDB's URL.

    `known` is how far it was before; `told` hears of each type that changed, when it has. Needs a transaction and
    Staging.flush(). Returns the counts by tag. PeeringDBMalformed when most of a type would go.
    """
    for each in staged:
        if each.repeated:
            _drop_repeated(each)
    due = _find_due(staged)
    for each in staged:
        _check_loss(each, due.get(each.tag, {}))
    if due:
        # Else PostgreSQL takes them for small, and joins the rows of one with all of the other.
        _execute(f"ANALYZE {DUE}, {FEW}")
    for each in staged:
        if due.get(each.tag):
            _carry_out(each.tag, due[each.tag])
            told(each.tag)
    _keep_refused(staged, known)
    _set_watermarks(staged, known, source)
    return {each.tag: _counts(each, due.get(each.tag, {})) for each in staged}


def drop_contacts(known: Known) -> int:
    """Empty the mirror of contacts and forget how far it was: there is no key any more. Returns how many there were."""
    contacts = MIRROR["poc"]._default_manager.all()
    dropped = contacts._raw_delete(contacts.db)
    if "poc" in known.marks:
        PeeringDBWatermark.objects.filter(tag="poc").delete()
    if "poc" in known.refused:
        PeeringDBRefusedRow.objects.filter(tag="poc").delete()
    return int(dropped)


def analyze(counts: Mapping[str, Counts]) -> None:
    """
    Tell PostgreSQL's planner of tables that changed much; without it the first pages after a first sync are slow.

    But for `extra`, which nothing is looked for in and which takes half of the time.
    """
    changed = [
        tag for tag, each in counts.items() if each.created + each.updated + each.deleted > ANALYZE_FROM
    ]
    if changed:
        tables = [
            f"{_table(tag)} ({', '.join(column.name for column in COLUMNS[tag] if column.kind != 'json')})"
            for tag in changed
        ]
        _execute(f"ANALYZE {', '.join(tables)}")


def _drop_repeated(staged: Staged) -> None:
    """Of rows with one id keep the one updated last, and of equals the one that came last (its ctid is higher)."""
    table, same = (FEW, "a.tag = b.tag AND a.tag = %s AND") if staged.few else (table_of(staged.tag), "")
    _execute(
        f"DELETE FROM {table} a USING {table} b "
        f"WHERE {same} a.id = b.id AND (a.updated, a.ctid) < (b.updated, b.ctid)",
        [staged.tag] if staged.few else [],
    )


def _find_due(staged: Iterable[Staged]) -> dict[str, dict[str, int]]:
    """
    Write down what has to be done with which id, in one statement for all types: the rule of the mirror.

    Returns the number of rows by tag and by what is due: "create", "update", "delete" (PeeringDB said so) and "gone"
    (missing from a complete list).
    """
    parts: list[str] = []
    parameters: list[Any] = []
    for each in staged:
        parts.append(_due_by_row(each.tag))
        # A refused row without an id may be any of those that seem to be missing.
        if each.covered.complete and not each.nameless:
            parts.append(_absent(each))
            parameters += [list(each.covered.values)] if each.covered.column else []
    if not parts:
        return {}
    rows = _execute(
        f"WITH due AS (INSERT INTO {DUE} SELECT * FROM ({' UNION ALL '.join(parts)}) found (tag, id, what) "
        "WHERE what IS NOT NULL RETURNING tag, what) SELECT tag, what, count(*) FROM due GROUP BY tag, what",
        parameters,
    )
    due: dict[str, dict[str, int]] = {}
    for tag, what, count in rows:
        due.setdefault(tag, {})[what] = count
    return due


def _due_by_row(tag: str) -> str:
    """What each row that came asks for, by its status and content."""
    ours, theirs = (", ".join(f'{side}."{name}"' for name in _contents(tag)) for side in ("ours", "theirs"))
    return (
        f"SELECT '{tag}', id, CASE "
        "WHEN theirs.status <> 'ok' THEN CASE WHEN ours.status IS NOT NULL THEN 'delete' END "
        "WHEN ours.status IS NULL THEN 'create' "
        f"WHEN ({ours}) IS DISTINCT FROM ({theirs}) THEN 'update' END "
        f"FROM {view_of(tag)} theirs LEFT JOIN {_table(tag)} ours USING (id)"
    )


def _absent(staged: Staged) -> str:
    """Rows of the mirror that a complete list does not have. One that came and was refused is still there."""
    tag = staged.tag
    part = f'AND ours."{staged.covered.column}" = ANY(%s)' if staged.covered.column else ""
    return (
        f"SELECT '{tag}', ours.id, 'gone' FROM {_table(tag)} ours "
        f"WHERE NOT EXISTS (SELECT FROM {view_of(tag)} theirs WHERE theirs.id = ours.id) "
        f"AND NOT EXISTS (SELECT FROM {REFUSED} kept WHERE kept.tag = '{tag}' AND kept.id = ours.id) {part}"
    )


def _check_loss(staged: Staged, due: Mapping[str, int]) -> None:
    gone = due.get("gone", 0)
    known = gone + staged.rows - due.get("create", 0)
    if staged.covered.trusted or gone <= PLAUSIBLE_LOSS or gone * 2 <= known:
        return
    raise PeeringDBMalformed(
        _(
            "PeeringDB's list of {tag} lacks {gone} of the {known} rows that it had: it is taken for a broken one. Try "
            "again later; if the list is right, take it over with: netbox peeringdb_sync --full --only {tag}."
        ).format(tag=staged.tag, gone=gone, known=known)
    )


def _carry_out(tag: str, due: Mapping[str, int]) -> None:
    mirror, names = _table(tag), [column.name for column in COLUMNS[tag]]
    listed = ", ".join(f'"{name}"' for name in names)
    of_theirs = ", ".join(f'theirs."{name}"' for name in names)
    matching = f"{DUE} due WHERE due.tag = '{tag}' AND due.id"
    if due.get("delete") or due.get("gone"):
        _execute(f"DELETE FROM {mirror} ours USING {matching} = ours.id AND due.what IN ('delete', 'gone')")
    if due.get("update"):
        _execute(
            f"UPDATE {mirror} ours SET ({listed}) = ROW({of_theirs}) FROM {view_of(tag)} theirs, {matching} = ours.id "
            "AND theirs.id = ours.id AND due.what = 'update'"
        )
    if due.get("create"):
        _execute(
            f"INSERT INTO {mirror} ({listed}) SELECT {of_theirs} FROM {view_of(tag)} theirs, {matching} = theirs.id "
            "AND due.what = 'create'"
        )


def _keep_refused(staged: Iterable[Staged], known: Known) -> None:
    """Keep the rows that were refused now; forget those of earlier syncs that came again, fit by now or are gone."""
    table = PeeringDBRefusedRow._meta.db_table
    for each in staged:
        if each.tag not in known.refused:
            continue
        if each.covered.whole_type:
            PeeringDBRefusedRow.objects.filter(tag=each.tag).delete()
            continue
        _execute(
            f"DELETE FROM {table} kept WHERE tag = %s AND (peeringdb_id = ANY(%s) "
            f"OR EXISTS (SELECT FROM {view_of(each.tag)} theirs WHERE theirs.id = peeringdb_id) "
            f"OR EXISTS (SELECT FROM {REFUSED} now WHERE now.tag = kept.tag AND (now.id = peeringdb_id "
            "OR (now.id IS NULL AND peeringdb_id IS NULL AND now.data = kept.row))))",
            [each.tag, list(each.again)],
        )
    if any(each.refused for each in staged):
        _execute(
            f"INSERT INTO {table} (tag, peeringdb_id, reason, row, seen) "
            "SELECT DISTINCT ON (tag, id, CASE WHEN id IS NULL THEN data END) tag, id, reason, data, %s "
            f"FROM {REFUSED} ORDER BY tag, id, CASE WHEN id IS NULL THEN data END, ctid DESC",
            [timezone.now()],
        )


def _set_watermarks(staged: Iterable[Staged], known: Known, source: str) -> None:
    """
    Remember how far each type is: by the rows' own `updated`, so that it does not matter whose clock is right.

    A row of the future does not count, else nothing before it would ever be asked for again.
    """
    now = timezone.now()
    marks = []
    for each in staged:
        if each.covered.column:
            continue
        mark = known.marks.get(each.tag) or PeeringDBWatermark(tag=each.tag, updated=0)
        newest = min(each.newest or 0, int(now.timestamp()))
        mark.updated = newest if each.covered.complete else max(mark.updated, newest)
        mark.synced, mark.source = now, source
        if each.covered.complete:
            mark.compared = now
        marks.append(mark)
    PeeringDBWatermark.objects.bulk_create(
        marks,
        update_conflicts=True,
        unique_fields=["tag"],
        update_fields=["updated", "synced", "compared", "source"],
    )


def _counts(staged: Staged, due: Mapping[str, int]) -> Counts:
    created, updated, deleted = (due.get(what, 0) for what in ("create", "update", "delete"))
    return Counts(
        created=created,
        updated=updated,
        unchanged=staged.rows - created - updated - deleted,
        deleted=deleted + due.get("gone", 0),
        refused=staged.refused,
    )


def _contents(tag: str) -> list[str]:
    return [column.name for column in COLUMNS[tag] if column.name != "id"]


def _table(tag: str) -> str:
    return f'"{MIRROR[tag]._meta.db_table}"'


def _execute(statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run a statement made of the plugin's own names; values are parameters. Returns its rows, if it gives any."""
    with connection.cursor() as cursor:
        cursor.execute(statement, list(parameters) or None)
        return list(cursor.fetchall()) if cursor.description else []

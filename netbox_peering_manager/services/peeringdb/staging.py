"""
Rows of PeeringDB on their way into the mirror: parsed, and kept in temporary tables beside it.

Nobody but this database session sees these tables, so nothing is lost when a sync ends half-way; the mirror itself
changes afterwards, in one transaction (mirror.py). COPY of typed values, formatted by psycopg in C, takes two thirds
of the time of text formatted here.

Of each type a view gives what came, whichever way: long answers are copied into a table of their own, with the
columns of the mirror's and no constraint; those of a few rows, which is most of them on most days, share one table and
one COPY, as JSON.
"""

# ruff: noqa: S608  (statements are made of the plugin's own names; values are parameters)

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import batched, chain, islice
from typing import TYPE_CHECKING, Any

from django.db import connection

from ...exceptions import RefusedRow
from ...models.peeringdb import MIRROR
from .fields import Kind, Misfit, reader_of
from .records import COLUMNS, Record, Tombstone, parse, scrub

if TYPE_CHECKING:
    from psycopg import Copy

DUE = "peeringdb_due"
REFUSED = "peeringdb_refused"
FEW = "peeringdb_few"
# How many rows of a type are few: each of them takes its place in memory until all are fetched.
FEW_ROWS = 2000
READ_ID = reader_of(Kind("id"))
# Rows of one COPY. Between two the caller is told how many came, and has the database for itself.
CHUNK_ROWS = 5000

_as_json = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), check_circular=False, default=str
).encode


@dataclass(frozen=True)
class Covered:
    """
    Which rows of a type an answer tells of.

    `complete` False: those that changed. True: all there are, so that what is not among them is gone; or all there
    are with one of `values` in `column`, where a column is given. `trusted`: however many are gone by that.
    """

    complete: bool = False
    column: str = ""
    values: tuple[int, ...] = ()
    trusted: bool = False

    @property
    def whole_type(self) -> bool:
        """Whether it tells of every row of the type."""
        return self.complete and not self.column


@dataclass(frozen=True)
class Staged:
    """
    What came of one type: `rows` that fit, each id once; `refused` ones, and how many of these had no id
    (`nameless`); the latest `updated` of those that fit, in seconds since 1970.

    `repeated`: some ids came several times. `few`: they lie in the shared table. `again`: ids that were asked for
    because their rows had been refused before.
    """

    tag: str
    covered: Covered
    rows: int
    refused: int
    nameless: int
    newest: int | None
    repeated: bool
    few: bool
    again: tuple[int, ...] = ()


def table_of(tag: str) -> str:
    """Return the name of the temporary table for long answers of a type."""
    return f"peeringdb_many_{tag}"


def view_of(tag: str) -> str:
    """Return the name of the temporary view of all that came of a type, with the columns of its mirror."""
    return f"peeringdb_staged_{tag}"


class Staging:
    """
    The temporary tables of one sync, for `with`: made and dropped with one query each.

    They are left behind when the body fails, as its connection may be gone; the next sync of the session drops them.
    """

    def __init__(self, tags: Iterable[str]):
        self.tags = tuple(tags)
        self._few: list[tuple[str, Record | Tombstone]] = []
        self._refused: list[_Refused] = []

    def __enter__(self) -> "Staging":
        _execute(_drop_all(self.tags), *_shared_tables(), *chain.from_iterable(map(_tables_for, self.tags)))
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            _execute(_drop_all(self.tags))

    def add(
        self,
        tag: str,
        rows: Iterable[Any],
        covered: Covered,
        *,
        more: Callable[[int | None], Iterable[Any]] = lambda newest: (),
        again: tuple[int, ...] = (),
        tell: Callable[[int], None] = lambda rows: None,
    ) -> Staged:
        """
        Parse rows of one type, as JSON values, and keep them; once for each type.

        `more` is asked for further rows when `rows` has ended, with the latest `updated` among those, in seconds since
        1970. `tell` hears now and then how many came so far. Whatever they raise comes through.
        """
        intake = _Intake(tag)
        records = intake.read(chain(rows, _later(lambda: more(intake.newest))))
        first = list(islice(records, FEW_ROWS))
        if few := len(first) < FEW_ROWS:
            self._few += [(tag, record) for record in first]
        else:
            for chunk in batched(chain(first, records), CHUNK_ROWS):
                _copy_all(tag, chunk)
                tell(intake.rows)
        self._refused += intake.refused
        if len(self._refused) > FEW_ROWS:
            self._copy_refused()
        return Staged(
            tag=tag,
            covered=covered,
            rows=len(intake.ids),
            refused=len(intake.refused),
            nameless=sum(refused.id is None for refused in intake.refused),
            newest=intake.newest,
            repeated=len(intake.ids) < intake.rows,
            few=few,
            again=again,
        )

    def flush(self) -> None:
        """Write what is still in memory. To be called when every answer was added."""
        self._copy_few()
        self._copy_refused()

    def _copy_few(self) -> None:
        if self._few:
            with _copy(FEW, ("tag", "id", "updated", "data")) as copy:
                for tag, record in self._few:
                    copy.write_row((tag, record.id, record.updated, _as_json(record._asdict())))
        self._few = []

    def _copy_refused(self) -> None:
        if self._refused:
            with _copy(REFUSED, ("tag", "id", "reason", "data")) as copy:
                for refused in self._refused:
                    copy.write_row((refused.tag, refused.id, refused.reason, refused.data))
        self._refused = []


@dataclass(frozen=True)
class _Refused:
    tag: str
    id: int | None
    reason: str
    data: str


@dataclass
class _Intake:
    """Parses the rows of a type, counts them, and puts aside those that are refused."""

    tag: str
    rows: int = 0
    newest: int | None = None
    ids: set[int] = field(default_factory=set)
    refused: list[_Refused] = field(default_factory=list)

    def read(self, rows: Iterable[Any]) -> Iterator[Record | Tombstone]:
        """Yield what fits."""
        for row in rows:
            try:
                record = parse(self.tag, row)
            except RefusedRow as error:
                self._refuse(row, str(error))
                continue
            self.rows += 1
            self.ids.add(record.id)
            updated = int(record.updated.timestamp())
            if self.newest is None or updated > self.newest:
                self.newest = updated
            yield record

    def _refuse(self, row: Any, reason: str) -> None:
        pk = _id_of(row)
        # Of a contact nothing but its id: who may not see contacts may see what was refused.
        data = {"id": pk} if self.tag == "poc" else scrub(row)
        self.refused.append(_Refused(self.tag, pk, reason, _as_json(data)))


def _later(rows: Callable[[], Iterable[Any]]) -> Iterator[Any]:
    """Yield rows that are asked for when the first of them is wanted."""
    yield from rows()


def _shared_tables() -> list[str]:
    return [
        f"CREATE TEMPORARY TABLE {FEW} (tag text, id bigint, updated timestamptz, data jsonb)",
        f"CREATE TEMPORARY TABLE {REFUSED} (tag text, id bigint, reason text, data jsonb)",
        f"CREATE TEMPORARY TABLE {DUE} (tag text, id bigint, what text)",
    ]


def _tables_for(tag: str) -> list[str]:
    mirror, many = MIRROR[tag]._meta.db_table, table_of(tag)
    # Not LIKE, which would take NOT NULL over: of a tombstone there are three columns.
    table = f"CREATE TEMPORARY TABLE {many} AS SELECT * FROM {mirror} WITH NO DATA"
    few = f"SELECT one.* FROM {FEW}, LATERAL jsonb_populate_record(NULL::{mirror}, data) one WHERE tag = '{tag}'"
    return [table, f"CREATE TEMPORARY VIEW {view_of(tag)} AS SELECT * FROM {many} UNION ALL {few}"]


def _drop_all(tags: Iterable[str]) -> str:
    tables = [FEW, REFUSED, DUE, *map(table_of, tags)]
    return f"DROP TABLE IF EXISTS {', '.join(f'pg_temp.{name}' for name in tables)} CASCADE"


def _execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("; ".join(statements))


def _copy_all(tag: str, records: Iterable[Record | Tombstone]) -> None:
    names = _names(tag)
    with _copy(table_of(tag), names) as copy:
        for record in records:
            if isinstance(record, Tombstone):
                copy.write_row([getattr(record, name, None) for name in names])
            else:
                # `extra` is the last one.
                copy.write_row((*record[:-1], _as_json(record[-1])))


@contextmanager
def _copy(table: str, columns: Iterable[str]) -> "Iterator[Copy]":
    names = ", ".join(f'"{name}"' for name in columns)
    # Django gives psycopg's errors as its own, but for those of COPY.
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy,
    ):
        yield copy


def _names(tag: str) -> tuple[str, ...]:
    return tuple(column.name for column in COLUMNS[tag])


def _id_of(row: Any) -> int | None:
    """The id of a row that was refused, None when it has none that can be read."""
    try:
        return READ_ID(row.get("id")) if isinstance(row, dict) else None
    except Misfit:
        return None

"""
Inserting the rows of many sessions, model by model, each session whole or not at all.

Which rows a session takes is others' business (`rules`, `takeover`): here every row is checked, inserted together with
the others of its model and held against the permissions of the user. When one is refused, what was inserted has to be
taken back, and the sessions that did not need it are tried anew.
"""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from django.core.exceptions import ValidationError
from django.db import models, transaction

from extras.events import flush_events
from netbox.context import current_request, events_queue

from ...choices import SkipReasonChoices as Reason
from ...exceptions import ProvisioningError
from ..permissions import allowed_pks
from ..recording import record_created
from .create import may_not_add
from .ground import Ground
from .validation import check, errors_by_field, prepare

if TYPE_CHECKING:
    from users.models import User

__all__ = ("HasRows", "Insertion", "Item", "Refused", "own_events")


class HasRows(Protocol):
    """The rows of a session, as `rules.Rows`."""

    def in_order(self) -> Iterator[models.Model]:
        """The rows, each behind those that it refers to."""

    def owner_of(self, row: models.Model) -> models.Model | None:
        """What an address family belongs to, None for other rows."""


@dataclass(slots=True, eq=False)
class Item[R: HasRows]:
    """A session on its way: `key` tells it from the others."""

    key: Hashable
    rows: R


@dataclass(frozen=True, slots=True)
class Refused:
    """A session that is not made: `reason` is one of SkipReasonChoices."""

    key: Any
    reason: str
    text: str


@dataclass(slots=True, eq=False)
class Insertion[R: HasRows]:
    """
    Inserts the rows of `items` that have no primary key yet, model by model in this `order`.

    Items that are refused leave `items` and are in `refused`. `must_be_taken_back`: one was refused after rows of it
    had been inserted; the caller's transaction has to be rolled back.
    """

    items: list[Item[R]]
    ground: Ground
    user: "User | None"
    order: Sequence[type[models.Model]]
    refused: list[Refused] = field(default_factory=list)
    must_be_taken_back: bool = False
    inserted: list[Sequence[models.Model]] = field(default_factory=list)

    def insert(self) -> None:
        for model in self.order:
            self._insert_model(model)

    def record(self) -> None:
        """Leave of the rows what single ones would have left. Last, when it is settled that they stay."""
        for rows in self.inserted:
            record_created(rows)

    def counts(self, kinds: Mapping[type[models.Model], str]) -> dict[str, int]:
        """How many rows were inserted of the models in `kinds`, by these names."""
        return dict(
            Counter({kinds[type(rows[0])]: len(rows) for rows in self.inserted if type(rows[0]) in kinds})
        )

    def _insert_model(self, model: type[models.Model]) -> None:
        wanted = self._rows_of(model)
        for row, items in list(wanted.values()):
            prepare(row, items[0].rows)
            try:
                check(row, self.ground)
            except ValidationError as error:
                text = str(ProvisioningError(errors_by_field(error, row)))
                self._refuse(items, Reason.INVALID, text)
                del wanted[id(row)]
        rows = [row for row, _items in wanted.values()]
        if not rows:
            return
        self.inserted.append(model._default_manager.bulk_create(rows))
        for row in self._forbidden(rows):
            self._refuse(wanted[id(row)][1], Reason.NOT_ALLOWED, may_not_add(row))

    def _rows_of(self, model: type[models.Model]) -> dict[int, tuple[models.Model, list[Item[R]]]]:
        """The rows of a model that are to be made, once each, with the sessions that need them."""
        wanted: dict[int, tuple[models.Model, list[Item[R]]]] = {}
        for item in self.items:
            for row in item.rows.in_order():
                if type(row) is model and row.pk is None:
                    wanted.setdefault(id(row), (row, []))[1].append(item)
        return wanted

    def _forbidden(self, rows: Sequence[models.Model]) -> list[models.Model]:
        """Those of the rows, just inserted, that the user may not add."""
        allowed = allowed_pks(rows, self.user, "add")
        return [row for row in rows if row.pk not in allowed]

    def _refuse(self, items: Sequence[Item[R]], reason: str, text: str) -> None:
        self.must_be_taken_back = self.must_be_taken_back or bool(self.inserted)
        for item in items:
            if item in self.items:
                self.items.remove(item)
                self.refused.append(Refused(item.key, reason, text))


@contextmanager
def own_events() -> Iterator[None]:
    """
    Send the events of the body when its transaction has been committed, and drop them when it fails.

    Not at the end of the whole run: a run that is killed would have told nobody of the batches that it made.
    """
    before = dict(events_queue.get())
    try:
        yield
    except BaseException:
        events_queue.set(before)
        raise
    if current_request.get() is not None:
        transaction.on_commit(lambda: _send_events(before))


def _send_events(before: Mapping[str, Any]) -> None:
    queue = events_queue.get()
    events = [event for key, event in queue.items() if key not in before]
    events_queue.set({key: event for key, event in queue.items() if key in before})
    flush_events(events)

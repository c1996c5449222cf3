"""
Making many planned sessions: in batches of a fixed number of queries, each session by itself made whole or not at all.

A batch is one transaction: what there is is read (`ground`), the rules build the rows (`rules`), every row is checked
(`validation`) and held against the permissions of the user, and inserted together with the others of its model. When
one is refused, what was inserted is taken back, and the batch is done again without the sessions that needed it; so
nothing of them stays. What stays is recorded (`services.recording`) as if each had been saved by itself: change log,
events, search index. Then the next batch.

A run that was killed has made whole batches; the next run finds their sessions there and makes the rest.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import batched
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from extras.events import flush_events
from extras.models import TaggedItem
from netbox.context import current_request, events_queue
from utilities.exceptions import AbortRequest
from utilities.permissions import get_permission_for_model

from ...choices import SkipReasonChoices as Reason
from ...exceptions import ProvisioningError
from ...models import PeeringSession
from ..permissions import is_unconstrained
from ..recording import record_created
from ..secrets import decrypt, generate_password
from .chosen import Chosen, load_chosen
from .create import may_not_add, someone_else
from .ground import Place, load_ground
from .new import NewSession
from .planned import Made, Password, Plan, PlannedSession, Result, Skipped, skipped_session
from .rules import KINDS, MODELS, Rows, build, place_of
from .turns import wait_for_turn
from .validation import check, errors_by_field, kept_look_ups, prepare

if TYPE_CHECKING:
    from users.models import User

__all__ = ("BATCH", "create_planned")

# Sessions in one transaction. Others who make sessions wait as long as one lasts: a few seconds.
BATCH = 250

# How far it is: sessions done, of how many, and what is being done.
type Progress = Callable[[int, int, str], None]


def create_planned(plan: Plan, user: "User | None" = None, progress: Progress | None = None) -> Result:
    """
    Make the sessions of a plan, in batches; return those made, and those that were not with the reason.

    With a user, every row needs the user's `add` permission for it, constraints included; without one (nbshell, own
    scripts) none is checked. A session that is there by now is skipped, so that a plan can be carried out again.
    Change log and events are those of the current request; a job opens one, see PeeringJob.tracked().

    ProvisioningError when a choice has become wrong (a connection was deleted, say), SecretError when the given
    password cannot be read; then nothing was made.
    """
    if not plan.sessions:
        return Result()
    made = Result()
    with kept_look_ups(*MODELS):
        maker = _Maker(plan, user)
        for batch in batched(plan.sessions, BATCH):
            made += maker.make(batch)
            if progress:
                done = len(made.made) + len(made.skipped)
                progress(
                    done,
                    len(plan.sessions),
                    _("AS{asn} at {ip}").format(asn=batch[-1].asn, ip=batch[-1].address),
                )
    return made


class _Maker:
    """Makes batches, for one plan and one user."""

    def __init__(self, plan: Plan, user: "User | None"):
        used = {session.connection_id for session in plan.sessions}
        self.choices = replace(plan.choices, connections=tuple(sorted(used)))
        self.chosen: Chosen = load_chosen(self.choices, user)
        self.connections = {
            connection.pk: connection for found in self.chosen.connections.values() for connection in found
        }
        self.user = user
        given = self.choices.password is Password.GIVEN
        self.given = decrypt(self.choices.password_token, _("the sessions to be made")) if given else ""

    def make(self, batch: Sequence[PlannedSession]) -> Result:
        """
        Make a batch in a transaction of its own.

        What the database or another plugin's receiver refuses is not told by session. Then each half is tried, until
        the one to blame is alone: rare enough to be slow.
        """
        try:
            with transaction.atomic(), _own_events():
                wait_for_turn()
                return self._until_nobody_is_refused(batch)
        except (IntegrityError, AbortRequest) as error:
            if len(batch) > 1:
                middle = len(batch) // 2
                return self.make(batch[:middle]) + self.make(batch[middle:])
            text = someone_else() if isinstance(error, IntegrityError) else str(error.message)
            return Result(skipped=(skipped_session(batch[0], Reason.INVALID, text),))

    def _until_nobody_is_refused(self, batch: Sequence[PlannedSession]) -> Result:
        skipped: list[Skipped] = []
        while batch:
            attempt = _Attempt(self.chosen, self.user)
            news = [self._new(session) for session in batch]
            with transaction.atomic():
                attempt.insert(batch, news)
                if attempt.must_be_taken_back:
                    transaction.set_rollback(True)
            skipped += attempt.skipped
            if not attempt.must_be_taken_back:
                attempt.record()
                return Result(tuple(attempt.made()), attempt.counts(), tuple(skipped))
            refused = {(item.netixlan_id, item.connection_id, item.family) for item in attempt.skipped}
            batch = [session for session in batch if session.key not in refused]
        return Result(skipped=tuple(skipped))

    def _new(self, session: PlannedSession) -> NewSession:
        return self.chosen.new_session(
            self.connections[session.connection_id],
            asn=session.asn,
            address=session.address,
            family=session.family,
            limit=session.max_prefixes,
            is_route_server=session.is_route_server,
            name=session.name,
            password=generate_password() if self.choices.password is Password.GENERATED else self.given,
        )


@dataclass(slots=True, eq=False)
class _Item:
    """A session on its way: what was planned, and its rows."""

    planned: PlannedSession
    rows: Rows


class _Attempt:
    """Inserts the rows of a batch, model by model, and finds out which sessions cannot be made."""

    def __init__(self, chosen: Chosen, user: "User | None"):
        self.chosen = chosen
        self.user = user
        self.items: list[_Item] = []
        self.inserted: list[Sequence[models.Model]] = []
        self.skipped: list[Skipped] = []
        # A session was refused after rows of it had been inserted.
        self.must_be_taken_back = False

    def insert(self, batch: Sequence[PlannedSession], news: Sequence[NewSession]) -> None:
        placed = list(self._placed(batch, news))
        self.ground = load_ground([place for _planned, _new, place in placed], self.user)
        for planned, new, place in placed:
            try:
                self.items.append(_Item(planned, build(new, place, self.ground)))
            except ProvisioningError as error:
                self.skipped.append(skipped_session(planned, error.reason, str(error)))
        for model in MODELS:
            self._insert_model(model)
        self._tag()

    def _placed(
        self, batch: Sequence[PlannedSession], news: Sequence[NewSession]
    ) -> "Iterator[tuple[PlannedSession, NewSession, Place]]":
        """Those that have a place: a connection can have lost its BGP scope since they were planned."""
        for planned, new in zip(batch, news, strict=True):
            try:
                yield planned, new, place_of(new)
            except ProvisioningError as error:
                self.skipped.append(skipped_session(planned, error.reason, str(error)))

    def record(self) -> None:
        """Leave of the rows what single ones would have left. Last, when it is settled that they stay."""
        for rows in self.inserted:
            record_created(rows)

    def made(self) -> Iterator[Made]:
        for item in self.items:
            planned = item.planned
            yield Made(
                session_id=item.rows.session.pk,
                netixlan_id=planned.netixlan_id,
                connection_id=planned.connection_id,
                family=planned.family,
                asn=planned.asn,
                peer=planned.peer,
                address=planned.address,
                connection=planned.connection,
            )

    def counts(self) -> dict[str, int]:
        """How many objects were made beside the sessions' own, by the kinds of PlannedObject."""
        counted = Counter(
            {KINDS[type(rows[0])]: len(rows) for rows in self.inserted if type(rows[0]) in KINDS}
        )
        return dict(counted)

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
        for row in self._forbidden(model, rows):
            self._refuse(wanted[id(row)][1], Reason.NOT_ALLOWED, may_not_add(row))

    def _rows_of(self, model: type[models.Model]) -> dict[int, tuple[models.Model, list[_Item]]]:
        """The rows of a model that are to be made, once each, with the sessions that need them."""
        wanted: dict[int, tuple[models.Model, list[_Item]]] = {}
        for item in self.items:
            for row in item.rows.in_order():
                if type(row) is model and row.pk is None:
                    wanted.setdefault(id(row), (row, []))[1].append(item)
        return wanted

    def _forbidden(self, model: type[models.Model], rows: Sequence[models.Model]) -> list[models.Model]:
        """Those of the rows, just inserted, that the user may not add."""
        if self.user is None or is_unconstrained(self.user, get_permission_for_model(model, "add")):
            return []
        manager: Any = model._default_manager
        allowed = manager.restrict(self.user, "add").filter(pk__in=[row.pk for row in rows])
        pks = set(allowed.order_by().values_list("pk", flat=True))
        return [row for row in rows if row.pk not in pks]

    def _refuse(self, items: Sequence[_Item], reason: str, text: str) -> None:
        self.must_be_taken_back = self.must_be_taken_back or bool(self.inserted)
        for item in items:
            if item in self.items:
                self.items.remove(item)
                self.skipped.append(skipped_session(item.planned, reason, text))

    def _tag(self) -> None:
        """
        As session.tags.set(), whose signal enters the tags in the change record: here they are there before it is
        written. Whether the tags can be given to sessions was asked when they were chosen.
        """
        content_type = ContentType.objects.get_for_model(PeeringSession)
        TaggedItem.objects.bulk_create(
            TaggedItem(tag=tag, content_type=content_type, object_id=item.rows.session.pk)
            for item in self.items
            for tag in self.chosen.tags
        )


@contextmanager
def _own_events() -> Iterator[None]:
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

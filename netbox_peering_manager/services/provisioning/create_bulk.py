"""
Making many planned sessions: in batches of a fixed number of queries, each session by itself made whole or not at all.

A batch is one transaction: what there is is read (`ground`), the rules build the rows (`rules`), every row is checked
(`validation`) and held against the permissions of the user, and inserted together with the others of its model. When
one is refused, what was inserted is taken back, and the batch is done again without the sessions that needed it; so
nothing of them stays. What stays is recorded (`services.recording`) as if each had been saved by itself: change log,
events, search index. Then the next batch.

A run that was killed has made whole batches; the next run finds their sessions there and makes the rest.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import batched
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from extras.models import TaggedItem
from utilities.exceptions import AbortRequest

from ...choices import SkipReasonChoices as Reason
from ...exceptions import ProvisioningError
from ...models import PeeringSession
from ..secrets import decrypt, generate_password
from ..turns import wait_for_turn
from .chosen import Chosen, load_chosen
from .create import someone_else
from .ground import Place, load_ground
from .inserting import Insertion, Item, own_events
from .new import NewSession
from .planned import Made, Password, Plan, PlannedSession, Result, Skipped, skipped_session
from .rules import KINDS, MODELS, Rows, build, place_of
from .validation import kept_look_ups

if TYPE_CHECKING:
    from users.models import User

__all__ = ("BATCH", "create_planned")

# Sessions in one transaction. Others who make sessions wait as long as one lasts: a few seconds.
BATCH = 250

# How far it is: sessions done, of how many, the last of them, and what became of the batch that has just been kept.
type Progress = Callable[[int, int, str, Result], None]


def create_planned(plan: Plan, user: "User | None" = None, progress: Progress | None = None) -> Result:
    """
    Make the sessions of a plan, in batches; return those made, and those that were not with the reason.

    With a user, every row needs the user's `add` permission for it, constraints included; without one (nbshell, own
    scripts) none is checked. A session that is there by now is skipped, so that a plan can be carried out again.
    Change log and events are those of the current request; a job opens one, see PeeringJob.tracked().

    ProvisioningError when a choice has become wrong (a connection was deleted, say), SecretError when the given
    password cannot be read; then nothing was made. A database that ends the work ends it between two batches: what
    `progress` was told of is there, and making the same plan again makes the rest.
    """
    if not plan.sessions:
        return Result()
    made = Result()
    with kept_look_ups(*MODELS):
        maker = _Maker(plan, user)
        for batch in batched(plan.sessions, BATCH):
            result = maker.make(batch)
            made += result
            if progress:
                done = len(made.made) + len(made.skipped)
                progress(
                    done,
                    len(plan.sessions),
                    _("AS{asn} at {ip}").format(asn=batch[-1].asn, ip=batch[-1].address),
                    result,
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
            with transaction.atomic(), own_events():
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


class _Attempt:
    """Inserts the rows of a batch, and tells which sessions cannot be made."""

    def __init__(self, chosen: Chosen, user: "User | None"):
        self.chosen = chosen
        self.user = user
        self.planned: dict[Any, PlannedSession] = {}
        self.unbuilt: list[Skipped] = []

    def insert(self, batch: Sequence[PlannedSession], news: Sequence[NewSession]) -> None:
        self.planned = {planned.key: planned for planned in batch}
        placed = list(self._placed(batch, news))
        ground = load_ground([place for _planned, _new, place in placed], self.user)
        items: list[Item[Rows]] = []
        for planned, new, place in placed:
            try:
                items.append(Item(planned.key, build(new, place, ground)))
            except ProvisioningError as error:
                self.unbuilt.append(skipped_session(planned, error.reason, str(error)))
        self.insertion = Insertion(items, ground, self.user, MODELS)
        self.insertion.insert()
        self._tag()

    def _placed(
        self, batch: Sequence[PlannedSession], news: Sequence[NewSession]
    ) -> "Iterator[tuple[PlannedSession, NewSession, Place]]":
        """Those that have a place: a connection can have lost its BGP scope since they were planned."""
        for planned, new in zip(batch, news, strict=True):
            try:
                yield planned, new, place_of(new)
            except ProvisioningError as error:
                self.unbuilt.append(skipped_session(planned, error.reason, str(error)))

    @property
    def must_be_taken_back(self) -> bool:
        return self.insertion.must_be_taken_back

    @property
    def skipped(self) -> list[Skipped]:
        refused = self.insertion.refused
        return [
            *self.unbuilt,
            *(skipped_session(self.planned[each.key], each.reason, each.text) for each in refused),
        ]

    def record(self) -> None:
        self.insertion.record()

    def counts(self) -> dict[str, int]:
        """How many objects were made beside the sessions' own, by the kinds of PlannedObject."""
        return self.insertion.counts(KINDS)

    def made(self) -> Iterator[Made]:
        for item in self.insertion.items:
            planned = self.planned[item.key]
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

    def _tag(self) -> None:
        """
        As session.tags.set(), whose signal enters the tags in the change record: here they are there before it is
        written. Whether the tags can be given to sessions was asked when they were chosen.
        """
        content_type = ContentType.objects.get_for_model(PeeringSession)
        TaggedItem.objects.bulk_create(
            TaggedItem(tag=tag, content_type=content_type, object_id=item.rows.session.pk)
            for item in self.insertion.items
            for tag in self.chosen.tags
        )

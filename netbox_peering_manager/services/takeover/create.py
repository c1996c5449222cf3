"""
Carrying out an import: in batches of a fixed number of queries, each session by itself whole or not at all.

A batch is one transaction. What there is is read anew and every neighbour decided about anew, by the same code as in
the preview; what would be done otherwise than somebody has looked at is left out. New sessions are inserted together
(`provisioning.inserting`), sessions that are there are changed together. When one is refused, the batch is done again
without it. What stays is recorded as if each had been saved by itself: change log, events, search index.

A run that was killed has done whole batches; the next run finds their sessions there and makes the rest.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from netbox_routing.models import BGPPeer, BGPPeerAddressFamily
from utilities.exceptions import AbortRequest

from ...choices import ImportReasonChoices as Reason
from ...choices import SkipReasonChoices
from ...exceptions import ProvisioningError, TakeoverRefused
from ...models import PeeringSession
from ..permissions import allowed_pks
from ..provisioning.create import someone_else
from ..provisioning.inserting import Insertion, Item, own_events
from ..provisioning.validation import errors_by_field, kept_look_ups
from ..recording import bulk_update, snapshot_all
from ..turns import wait_for_turn
from .change import Change, change_for
from .found import Found, FoundNeighbor
from .making import KINDS, MODELS, SessionRows
from .plan import Decided, Decider, Teller, only
from .planned import Choices, Different, Done, LeftOut, New, Outcome, digest
from .standing import load_standing

if TYPE_CHECKING:
    from users.models import User

    from ...models import PeeringRouter

__all__ = ("BATCH", "create_planned")

# Neighbours in one transaction. Others who make sessions wait as long as one lasts: a few seconds.
BATCH = 250
# What an import changes of a session that is there.
CHANGED_MODELS: tuple[type[models.Model], ...] = (BGPPeer, BGPPeerAddressFamily, PeeringSession)

# How far it is: neighbours done, of how many, and which one is being done.
type Progress = Callable[[int, int, str], None]


def create_planned(
    router: "PeeringRouter",
    found: Found,
    choices: Choices,
    user: "User | None" = None,
    *,
    reviewed: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """
    Make the sessions that NetBox lacks, and change those that were chosen; return what became of each.

    `reviewed` is what Plan.reviewed() gave when somebody looked at the plan; without it, all of it is done. With a
    user, every row needs the user's `add` or `change` permission for it, constraints included. Change log and events
    are those of the current request. SecretError when a password cannot be read; batches before it stay.
    """
    wanted = found if reviewed is None else only(found, reviewed)
    outcome = Outcome()
    with kept_look_ups(*MODELS):
        maker = _Maker(router, found, choices, user, reviewed)
        done = 0
        for batch in batched(wanted.neighbors, BATCH):
            outcome += maker.make(batch)
            done += len(batch)
            if progress:
                progress(done, len(wanted.neighbors), batch[-1].remote_ip)
    return outcome


@dataclass(slots=True)
class _Maker:
    """Makes batches, for one router and one user."""

    router: "PeeringRouter"
    found: Found
    choices: Choices
    user: "User | None"
    reviewed: Mapping[str, str] | None

    def make(self, batch: Sequence[FoundNeighbor]) -> Outcome:
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
            return Outcome(left_out=(LeftOut(Decider.known(batch[0]), Reason.REFUSED, text),))

    def _until_nobody_is_refused(self, batch: Sequence[FoundNeighbor]) -> Outcome:
        left_out: list[LeftOut] = []
        while batch:
            attempt = _Attempt(self)
            with transaction.atomic():
                attempt.run(batch)
                if attempt.must_be_taken_back:
                    transaction.set_rollback(True)
            left_out += attempt.left_out
            if not attempt.must_be_taken_back:
                attempt.record()
                return attempt.outcome(left_out)
            refused = {each.neighbor.key for each in attempt.left_out}
            batch = [each for each in batch if each.key not in refused]
        return Outcome(left_out=tuple(left_out))

    def decide(self, batch: Sequence[FoundNeighbor]) -> Decider:
        """Read what there is around these neighbours by now."""
        found = only(self.found, {each.key: None for each in batch})
        return Decider(
            load_standing(self.router, found, self.choices, self.user), found, self.choices, self.user
        )


@dataclass(slots=True)
class _Attempt:
    """Does what is to be done with the neighbours of a batch, and finds out which cannot be imported."""

    maker: _Maker
    left_out: list[LeftOut] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    decided: dict[str, Decided] = field(default_factory=dict)
    insertion: Insertion[SessionRows] | None = None
    must_be_taken_back: bool = False

    def run(self, batch: Sequence[FoundNeighbor]) -> None:
        decider = self.maker.decide(batch)
        teller = Teller(decider, set())
        items: list[Item[SessionRows]] = []
        for neighbor in batch:
            decided = decider.decide(neighbor)
            told = teller.tell(decided)
            if isinstance(told, LeftOut):
                self.left_out.append(told)
            elif isinstance(told, New) and self._is_reviewed(told):
                self.decided[neighbor.key] = decided
                assert decided.rows is not None
                items.append(Item(neighbor.key, decided.rows))
            elif isinstance(told, Different) and told.is_taken and self._is_reviewed(told):
                self.decided[neighbor.key] = decided
                self._plan_change(decider, decided, told, items)
        self.insertion = Insertion(items, decider.standing.ground, self.maker.user, MODELS)
        self.insertion.insert()
        for each in self.insertion.refused:
            not_allowed = each.reason == SkipReasonChoices.NOT_ALLOWED
            reason = Reason.NOT_ALLOWED if not_allowed else Reason.REFUSED
            self._refuse(each.key, reason, each.text)
        self.must_be_taken_back = self.insertion.must_be_taken_back
        if not self.must_be_taken_back:
            self._change()

    def _is_reviewed(self, told: New | Different) -> bool:
        reviewed = self.maker.reviewed
        if reviewed is None or reviewed.get(told.neighbor.key) == digest(told):
            return True
        text = _("NetBox has changed since somebody looked at this: look at it again.")
        self.left_out.append(LeftOut(told.neighbor, Reason.CHANGED, text))
        return False

    def _plan_change(
        self, decider: Decider, decided: Decided, told: Different, items: list[Item[SessionRows]]
    ) -> None:
        """What it refers to is inserted like that of a new session; the session itself is changed afterwards."""
        try:
            change = change_for(decided, told.differences, decider.making)
        except TakeoverRefused as error:
            self.left_out.append(LeftOut(told.neighbor, error.reason, str(error)))
            return
        self.changes.append(change)
        items.append(Item(told.neighbor.key, change.rows))

    def _change(self) -> None:
        """Hold the changes against the user's rights before and after, and write them."""
        changes = [each for each in self.changes if self._has_rows(each)]
        for model in CHANGED_MODELS:
            rows = {id(row): row for each in changes for row in each.of(model)}
            if not rows:
                continue
            self._refuse_forbidden(changes, model, list(rows.values()))
        changes = [each for each in changes if self._has_rows(each)]
        self._write(changes)

    def _has_rows(self, change: Change) -> bool:
        return change.key in self.decided

    def _write(self, changes: Sequence[Change]) -> None:
        for model in CHANGED_MODELS:
            rows = [row for each in changes for row in each.of(model)]
            snapshot_all(rows)
            for each in changes:
                self._apply(each, model)
            rows = [row for each in changes if self._has_rows(each) for row in each.of(model)]
            if not rows or self.must_be_taken_back:
                continue
            names = {name for each in changes for row in each.of(model) for name in each.values[id(row)][1]}
            bulk_update(rows, sorted(names))
            self._refuse_forbidden(changes, model, rows, after=True)

    def _apply(self, change: Change, model: type[models.Model]) -> None:
        for row in change.of(model):
            change.apply(row)
            relations = {each.name for each in row._meta.fields if each.is_relation}
            try:
                row.clean_fields(exclude=relations)
            except ValidationError as error:
                self._refuse(change.key, Reason.REFUSED, str(ProvisioningError(errors_by_field(error, row))))
                self.must_be_taken_back = True

    def _refuse_forbidden(
        self,
        changes: Sequence[Change],
        model: type[models.Model],
        rows: list[models.Model],
        *,
        after: bool = False,
    ) -> None:
        allowed = allowed_pks(rows, self.maker.user, "change")
        for change in changes:
            for row in change.of(model):
                if row.pk in allowed or not self._has_rows(change):
                    continue
                text = _("You may not change the {kind} {row}.").format(
                    kind=model._meta.verbose_name, row=row
                )
                self._refuse(change.key, Reason.NOT_ALLOWED, text)
                # What it refers to may be there by now, or it is written already.
                self.must_be_taken_back = True

    def _refuse(self, key: Any, reason: str, text: str) -> None:
        decided = self.decided.pop(key, None)
        if decided is not None:
            self.left_out.append(LeftOut(Decider.known(decided.neighbor), reason, text))

    def record(self) -> None:
        """Leave of the new rows what single ones would have left. Last, when it is settled that they stay."""
        assert self.insertion is not None
        self.insertion.record()

    def outcome(self, left_out: Sequence[LeftOut]) -> Outcome:
        assert self.insertion is not None
        changes = {each.key: each for each in self.changes}
        done = list(self._done(changes))
        return Outcome(
            made=tuple(each for each in done if not each.changed),
            changed=tuple(each for each in done if each.changed),
            left_out=tuple(left_out),
            objects=self.insertion.counts(KINDS),
        )

    def _done(self, changes: Mapping[str, Change]) -> Iterator[Done]:
        for key, decided in self.decided.items():
            known = Decider.known(decided.neighbor)
            if key in changes:
                change = changes[key]
                yield Done(known, change.session_id, change.names)
            elif decided.rows is not None:
                yield Done(known, decided.rows.session.pk)

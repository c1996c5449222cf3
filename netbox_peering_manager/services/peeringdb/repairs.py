"""
Repairs of drift that change something here: what each would change, and doing it.

Planned for a user, shown, confirmed, and planned anew when it is done, so that it changes what may be changed now. All
or none; change-logged. What else mends a drift (an import, a renumbering, a page at PeeringDB) is a link on its page.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from netbox.context import events_queue
from netbox.signals import post_clean
from netbox_routing.models import BGPPeer

from ...choices import ConnectionStatusChoices
from ...choices import PeeringDBDriftChoices as Kind
from ...exceptions import RepairError
from ...models import PeerASN, PeeringConnection, PeeringDBDrift, PeeringSession
from .. import recording
from ..permissions import allowed_pks

__all__ = ("RepairPlan", "Step", "Unrepaired", "is_repairable", "plan_repairs", "repair")

DECOMMISSIONED = "decommissioned"

type User = AbstractBaseUser | AnonymousUser


@dataclass(frozen=True)
class Step:
    """One drift's repair: `field` of `target` becomes `value`. `before` and `after` are for people."""

    drift: Any
    target: Any
    field: str
    label: str
    before: str
    after: str
    value: Any


@dataclass(frozen=True)
class Unrepaired:
    """A drift that is left as it is, and why."""

    drift: Any
    reason: str


@dataclass(frozen=True)
class RepairPlan:
    """What repairing some drifts would do, in their order, and what it would leave."""

    steps: tuple[Step, ...]
    left: tuple[Unrepaired, ...]


def is_repairable(kind: str) -> bool:
    """Whether drift of this kind has a repair here, for whoever may change what it is about."""
    # A site's own choices need not have that status.
    if kind == Kind.OWN_PORT_MISSING_THERE and DECOMMISSIONED not in ConnectionStatusChoices.values():
        return False
    return kind in _STEPS


def plan_repairs(ids: Iterable[int], user: User) -> RepairPlan:
    """
    Return what repairing these drifts would change. Those that `user` may not see are as if they were not there.

    Disabling a session needs `change` on its BGP peer, what sets a value `change` on the object that gets it.
    """
    visible = PeeringDBDrift.objects.restrict(user, "view").filter(  # type: ignore[attr-defined]
        pk__in=list(ids)
    )
    rows = [row for row in visible.with_objects() if row.object is not None]
    steps = [_STEPS[row.kind](row) if is_repairable(row.kind) else None for row in rows]
    changeable = _changeable([step.target for step in steps if step], user)
    planned: list[Step] = []
    left: list[Unrepaired] = []
    for row, step in zip(rows, steps, strict=True):
        if step is None:
            left.append(
                Unrepaired(row, _("There is no change here that mends it: follow the link of its row."))
            )
        elif (type(step.target), step.target.pk) not in changeable:
            left.append(Unrepaired(row, _("You may not change {target}.").format(target=step.target)))
        else:
            planned.append(step)
    return RepairPlan(tuple(planned), tuple(left))


def repair(ids: Iterable[int], user: User, *, message: str = "") -> RepairPlan:
    """
    Repair these drifts as plan_repairs() says, and forget those that are mended. Returns what was done.

    `message` is for the change log.

    RepairError, and nothing is changed, when a value cannot be taken, or when what becomes of a row is not what `user`
    may change it to. The number of queries does not depend on the number of drifts.
    """
    told = dict(events_queue.get())
    try:
        return _repair(ids, user, message)
    except RepairError:
        # Of what is taken back no event is to tell.
        events_queue.set(told)
        raise


def _repair(ids: Iterable[int], user: User, message: str) -> RepairPlan:
    with transaction.atomic():
        plan = plan_repairs(ids, user)
        by_model: dict[type[models.Model], list[Step]] = defaultdict(list)
        for step in plan.steps:
            by_model[type(step.target)].append(step)
        changed = [(_changed(model, steps, message), steps) for model, steps in by_model.items()]
        # All of them before the first is written.
        if problems := [
            problem for rows, steps in changed for row in rows for problem in _problems(row, steps)
        ]:
            raise RepairError(problems)
        for rows, steps in changed:
            recording.bulk_update(rows, sorted({step.field for step in steps}))
            _refuse_forbidden(rows, user)
        mended = PeeringDBDrift.objects.filter(pk__in=[step.drift.pk for step in plan.steps])
        mended.forget()  # type: ignore[attr-defined]
    return plan


def _refuse_forbidden(rows: Sequence[Any], user: User) -> None:
    """A right can be limited to rows of some values: as for NetBox's own forms, it is for what a row becomes, too."""
    allowed = allowed_pks(rows, user, "change")
    refused = [
        _("{row}: you may not change it to this.").format(row=row) for row in rows if row.pk not in allowed
    ]
    if refused:
        raise RepairError(refused)


def _changed(model: type[models.Model], steps: Sequence[Step], message: str) -> list[Any]:
    """The rows of one model with their new values, not written yet. Several steps may be about the same row."""
    wanted: dict[Any, dict[str, Any]] = defaultdict(dict)
    for step in steps:
        wanted[step.target.pk][step.field] = step.value
    # Rows that are joined from the outside cannot be locked.
    locked = model._default_manager.filter(pk__in=wanted).select_for_update(of=("self",))
    # What naming each takes, for its change record.
    rows = list(locked.select_related(*_NAMED_WITH[model]))
    recording.snapshot_all(rows)
    for row in rows:
        row._changelog_message = message  # type: ignore[attr-defined]
        for field, value in wanted[row.pk].items():
            setattr(row, field, value)
    return rows


def _problems(row: Any, steps: Sequence[Step]) -> list[str]:
    """What is wrong with the new values of a row, by the model's rules and the site's own (CUSTOM_VALIDATORS)."""
    others = {field.name for field in row._meta.fields} - {step.field for step in steps}
    try:
        row.clean_fields(exclude=others)
        post_clean.send(sender=type(row), instance=row)
    except ValidationError as error:
        return [f"{row}: {message}" for message in error.messages]
    return []


def _changeable(targets: Sequence[Any], user: User) -> set[tuple[type[models.Model], Any]]:
    """Which of these objects `user` may change, as (model, id)."""
    ids: dict[type[models.Model], set[Any]] = defaultdict(set)
    for target in targets:
        ids[type(target)].add(target.pk)
    return {
        (model, pk)
        for model, wanted in ids.items()
        for pk in model._default_manager.restrict(user, "change")  # type: ignore[attr-defined]
        .filter(pk__in=wanted)
        .values_list("pk", flat=True)
    }


def _disable(row: Any) -> Step:
    """Switch the session off: its BGP peer stays, with its status, and can be switched on again."""
    return Step(
        drift=row,
        target=row.object.bgp_peer,
        field="enabled",
        label=_("enabled"),
        before=_("yes"),
        after=_("no"),
        value=False,
    )


def _take_limit(row: Any) -> Step:
    """PeeringDB's limit; a session's own limit is never lowered by it, nor is one set that is gone meanwhile."""
    field, value = f"ipv{row.details['family']}_max_prefixes", row.details["peeringdb"]
    if isinstance(row.object, PeeringSession):
        own = getattr(row.object, field)
        value = None if own is None else max(own, value)
    return _set(row, field, value)


def _take_as_set(row: Any) -> Step:
    return _set(row, "irr_as_set", row.details["peeringdb"])


def _unlink(row: Any) -> Step:
    """Let the peer be one that is not in PeeringDB."""
    return _set(row, "peeringdb_id", None)


def _decommission(row: Any) -> Step:
    """Say of our port that it is not in use any more: it stays, and is not expected in PeeringDB."""
    return _set(row, "status", DECOMMISSIONED)


def _set(row: Any, field: str, value: Any) -> Step:
    before = getattr(row.object, field)
    return Step(
        drift=row,
        target=row.object,
        field=field,
        label=str(row.object._meta.get_field(field).verbose_name),
        before=_or_none(before),
        after=_or_none(value),
        value=value,
    )


def _or_none(value: Any) -> str:
    return str(value) if value not in (None, "") else _("none")


_NAMED_WITH: dict[type[models.Model], tuple[str, ...]] = {
    BGPPeer: ("peer", "remote_as"),
    PeerASN: ("asn",),
    PeeringConnection: ("peering_network__fabric", "interface__device"),
    PeeringSession: ("bgp_peer__peer",),
}

_STEPS = {
    Kind.PEER_ADDRESS_GONE: _disable,
    Kind.PEER_ASN_CHANGED: _disable,
    Kind.PORT_NOT_OPERATIONAL: _disable,
    Kind.NETWORK_GONE: _unlink,
    Kind.MAX_PREFIXES_DIFFER: _take_limit,
    Kind.AS_SET_DIFFERS: _take_as_set,
    Kind.OWN_PORT_MISSING_THERE: _decommission,
}

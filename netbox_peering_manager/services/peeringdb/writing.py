"""
How what was planned from PeeringDB is written: in bulk, validated, recorded, with the rights of the user, all or none.

Queries do not grow with the rows of a batch. Validation is what full_clean() does but for looking things up: that
related rows are there and unique values free was seen when the plan was made, and the database refuses the rest.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from extras.models import CustomField
from ipam.models import IPAddress, Prefix
from netbox.signals import post_clean

from ...exceptions import ExchangeError
from ...models import PeeringConnection
from ..permissions import allowed_pks
from ..prefixes import bulk_create_prefixes
from ..recording import bulk_create, bulk_update, snapshot_all
from ..turns import wait_for_turn

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    type User = AbstractBaseUser | AnonymousUser | None

__all__ = ("Writer", "digest_of", "one_at_a_time")

# Rows of one statement, and of one reading of tags.
BATCH = 500
# Models whose own clean() looks up what the plan knows: of these all but that is run.
LOOKS_THINGS_UP = (IPAddress, PeeringConnection, Prefix)


def digest_of(plan: Any) -> str:
    """
    Return what tells one plan from another: a text that goes with its preview, and comes back when it is confirmed.

    The plan is made of frozen dataclasses of plain values, so that equal plans are written alike.
    """
    return hashlib.sha256(repr(plan).encode()).hexdigest()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """
    Run the body as one transaction while nobody else is in one of these, or makes sessions: prefixes and addresses are
    not unique in the database, and two people who confirm the same would make them twice.
    """
    try:
        with transaction.atomic():
            wait_for_turn()
            yield
    except IntegrityError as error:
        message = _("Someone else made some of it just now. Nothing was kept; look at it and try again.")
        raise ExchangeError({None: [message]}) from error


class Writer:
    """Writes rows for one user (None: nbshell and own scripts, nothing is checked). ExchangeError tells a refusal."""

    def __init__(self, user: "User"):
        self._user = user

    def make[M: models.Model](self, rows: Sequence[M]) -> list[M]:
        """Insert rows of one model; the user needs `add` for each. Returns them, with primary keys."""
        made: list[M] = []
        for row in rows:
            _give_custom_fields(row)
            _validate(row)
        for batch in _batches(rows):
            made += bulk_create_prefixes(batch) if isinstance(batch[0], Prefix) else bulk_create(batch)
        self._require("add", made)
        return made

    def take(self, rows: Sequence[models.Model]) -> None:
        """Prepare rows of one model, as they are in the database, for being changed; the user needs `change`."""
        self._require("change", rows)
        for batch in _batches(rows):
            snapshot_all(batch)

    def change(self, rows: Sequence[models.Model], fields: Sequence[str]) -> None:
        """Write fields of rows that were taken and then changed; the user needs `change` for what they became, too."""
        for row in rows:
            _validate(row)
        for batch in _batches(rows):
            bulk_update(batch, fields)
        self._require("change", rows)

    def _require(self, action: str, rows: Sequence[models.Model]) -> None:
        allowed = allowed_pks(rows, self._user, action)
        refused = [row for row in rows if row.pk not in allowed]
        if not refused:
            return
        kind = refused[0]._meta.verbose_name
        message = {
            "add": _("You may not add the {kind} {row}, which this needs."),
            "change": _("You may not change the {kind} {row}, which this needs."),
        }[action]
        if action == "change" and not allowed_pks(refused[:1], self._user):
            told = _("You may not change a {kind} that this needs.").format(kind=kind)
        else:
            told = message.format(kind=kind, row=refused[0])
        raise ExchangeError({None: [told]})


def _batches[M: models.Model](rows: Sequence[M]) -> Iterator[Sequence[M]]:
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


def _give_custom_fields(row: Any) -> None:
    """As NetBox's forms and REST API do: the defaults of custom fields that are not given."""
    row.custom_field_data = {**CustomField.objects.get_defaults_for_model(row), **row.custom_field_data}


def _validate(row: models.Model) -> None:
    try:
        row.clean_fields(exclude={field.name for field in row._meta.fields if field.is_relation})
        known: Any = next((model for model in LOOKS_THINGS_UP if isinstance(row, model)), None)
        if known is None:
            row.clean()
        elif known is IPAddress:
            _clean_address(row)
        else:
            # What stands above it: custom fields and custom validators.
            super(known, row).clean()
    except ValidationError as error:
        raise ExchangeError({None: [_named(row, error)]}) from error


def _clean_address(row: Any) -> None:
    """
    As for the others, with what the address is assigned to taken from the row: NetBox reads it for each anew.

    While it has none, none is read. `_replicated_base` is how NetBox holds custom validation back, so that validators
    are given the row once it is complete.
    """
    assigned = row.assigned_object
    row.assigned_object = None
    row._replicated_base = True
    try:
        super(IPAddress, row).clean()
    finally:
        del row._replicated_base
        row.assigned_object = assigned
    post_clean.send(sender=IPAddress, instance=row)


def _named(row: models.Model, error: ValidationError) -> str:
    return _("The {kind} {row} is refused: {reasons}").format(
        kind=row._meta.verbose_name, row=row, reasons=" ".join(error.messages)
    )

"""
Making sessions: from what an engineer knows of one (peer AS, addresses, our port) to every row that it needs.

One call makes the AS number when it is missing, its PeerASN, the peer's IP address, the BGPPeer, its address family and
the PeeringSession, in one transaction; whatever is refused is refused before anything stays. Each row is made with the
permissions of the user that it is made for. Many sessions at once, with a refused one not stopping the others, are
`create_bulk`'s.
"""

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from ipam.models import ASN

from ...choices import SkipReasonChoices as Reason
from ...exceptions import ProvisioningError
from ...models import PeeringSession
from ..permissions import allowed_pks
from ..turns import wait_for_turn
from .ground import Ground, load_asns, load_ground
from .new import NewSession, usable_connections
from .rules import FIELD_OF_ROW, build, find_or_build_asn, place_of
from .validation import check, errors_by_field, prepare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from users.models import User

    from .ground import Place

__all__ = ("NewSession", "create_sessions", "get_or_create_asn", "usable_connections")


def create_sessions(wanted: "Sequence[NewSession]", user: "User | None" = None) -> list[PeeringSession]:
    """
    Make the sessions, in their order, all or none, and return them.

    With a user, every row needs the user's `add` permission for it, constraints included; without one
    (nbshell, own scripts) none is checked. ProvisioningError says what is wrong with which field of which
    NewSession (`position`, from 0); nothing is kept.
    """
    made: list[PeeringSession] = []
    try:
        with transaction.atomic():
            wait_for_turn()
            places = _places(wanted)
            ground = load_ground(places, user)
            for new, place in zip(wanted, places, strict=True):
                session = _create(new, place, ground, user)
                made.append(session)
            return made
    except ProvisioningError as error:
        error.position = error.position or len(made)
        raise
    except IntegrityError as error:
        raise ProvisioningError({None: [someone_else()]}, Reason.INVALID) from error


def someone_else() -> str:
    """Return what to say when the database refuses what was free a moment ago."""
    return _("Someone else made the same session just now. Nothing was kept; look at it and try again.")


def get_or_create_asn(asn: int, user: "User | None" = None) -> ASN:
    """
    Return the ipam.ASN of this number; a missing one is made, its RIR from IANA's ranges, else the setting
    default_rir.

    ProvisioningError (field remote_asn) when no RIR can be told or the user may not add it.
    """
    ground = load_asns([asn])
    found = find_or_build_asn(asn, ground)
    for row in (found.rir, found):
        if row.pk is None:
            _add(row, ground, user)
    return found


def _places(wanted: "Sequence[NewSession]") -> "list[Place]":
    places: list[Place] = []
    try:
        for new in wanted:
            place = place_of(new)
            places.append(place)
    except ProvisioningError as error:
        error.position = len(places)
        raise
    return places


def _create(new: NewSession, place: "Place", ground: Ground, user: "User | None") -> PeeringSession:
    rows = build(new, place, ground)
    for row in rows.in_order():
        if row.pk is None:
            prepare(row, rows)
            _add(row, ground, user)
    if new.tags:
        rows.session.tags.set(new.tags)
    return rows.session


def _add[M: models.Model](row: M, ground: Ground, user: "User | None") -> M:
    """Validate and save a new row, and hold the user's object permissions against it."""
    try:
        check(row, ground)
    except ValidationError as error:
        raise ProvisioningError(errors_by_field(error, row), Reason.INVALID) from error
    row.save()
    if not allowed_pks([row], user, "add"):
        raise ProvisioningError({FIELD_OF_ROW.get(type(row)): [may_not_add(row)]}, Reason.NOT_ALLOWED)
    return row


def may_not_add(row: models.Model) -> str:
    """Return what to say when a user lacks the right to make `row`."""
    return _("You may not add the {kind} {row}, which this session needs.").format(
        kind=row._meta.verbose_name, row=row
    )

"""Hiding several networks at once from the lists of whom to peer with."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import batched
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from ...exceptions import ProvisioningError
from ...models import HiddenPeer
from ..permissions import allowed_pks
from ..recording import bulk_create, bulk_update, snapshot_all

if TYPE_CHECKING:
    from users.models import User

    from ...models import PeeringFabric

__all__ = ("Hidden", "hide")

CHANGED = ("reason", "until")
BATCH = 500
SHOWN_AT_MOST = 5


@dataclass(frozen=True, slots=True)
class Hidden:
    """How many entries were made, and how many that were there got the new reason and day."""

    created: int = 0
    updated: int = 0


def hide(
    asns: Iterable[int],
    *,
    fabric: "PeeringFabric | None" = None,
    reason: str = "",
    until: date | None = None,
    user: "User | None" = None,
) -> Hidden:
    """
    Hide these AS numbers on a fabric, or everywhere, all or none; in a fixed number of queries for each 500 of them.

    A network that has an entry there already keeps it, with the new reason and day. With a user, new entries need
    `add` and those that change `change`, constraints included. ProvisioningError names what cannot be.
    """
    wanted = sorted(set(asns))
    try:
        with transaction.atomic():
            known = {row.asn: row for row in HiddenPeer.objects.filter(asn__in=wanted, fabric=fabric)}
            new = [_new(asn, fabric, reason, until) for asn in wanted if asn not in known]
            changed = [row for row in known.values() if (row.reason, row.until) != (reason, until)]
            _change(changed, reason, until, user)
            _require(bulk_create(new), "add", user)
    except IntegrityError as error:
        raise ProvisioningError(
            {None: [_("Someone else hid one of these networks just now. Nothing was changed; try again.")]}
        ) from error
    return Hidden(len(new), len(changed))


def _new(asn: int, fabric: "PeeringFabric | None", reason: str, until: date | None) -> HiddenPeer:
    row = HiddenPeer(asn=asn, fabric=fabric, reason=reason, until=until)
    try:
        # That there is none yet was just looked up.
        row.clean_fields(exclude={"fabric", "owner"})
    except ValidationError as error:
        raise ProvisioningError({None: [f"AS{asn}: {message}" for message in error.messages]}) from error
    return row


def _change(rows: list[HiddenPeer], reason: str, until: date | None, user: "User | None") -> None:
    _require(rows, "change", user)
    for batch in batched(rows, BATCH):
        snapshot_all(batch)
        for row in batch:
            row.reason, row.until = reason, until
        bulk_update(batch, CHANGED)
    _require(rows, "change", user)


def _require(rows: list[HiddenPeer], action: str, user: "User | None") -> None:
    allowed = allowed_pks(rows, user, action)
    refused = [row for row in rows if row.pk not in allowed]
    if not refused:
        return
    names = ", ".join(map(str, refused[:SHOWN_AT_MOST])) + (" …" if len(refused) > SHOWN_AT_MOST else "")
    if action == "add":
        message = _("You may not hide {networks} there. Nothing was changed.")
    else:
        message = _("{networks} are hidden there already, and you may not change that. Nothing was changed.")
    raise ProvisioningError({None: [message.format(networks=names)]})

"""Giving a session that is there what the router has: which fields of which rows, and what has to be made for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import models

from netbox_routing.models import BGPPeerAddressFamily

from ..secrets import password_fields
from .found import FoundFamily
from .making import LONGEST_DESCRIPTION, SessionRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .compare import Side
    from .making import Making
    from .plan import Decided
    from .planned import Difference

__all__ = ("Change", "change_for")


@dataclass(slots=True)
class Change:
    """
    A session that is to be changed. `values` are rows with their new values, by id(); `rows` what is to be made for it;
    `names` the fields that are taken over.
    """

    key: str
    session_id: int
    rows: SessionRows
    names: tuple[str, ...] = ()
    values: dict[int, tuple[models.Model, dict[str, Any]]] = field(default_factory=dict)

    def set(self, row: models.Model, **values: Any) -> None:
        self.values.setdefault(id(row), (row, {}))[1].update(values)

    def of(self, model: type[models.Model]) -> Iterator[models.Model]:
        """The rows of a model that are changed."""
        return (row for row, _values in self.values.values() if type(row) is model)

    def apply(self, row: models.Model) -> None:
        """Put the new values on the row. What they refer to has its key by then."""
        for name, value in self.values[id(row)][1].items():
            setattr(row, name, value)


def change_for(decided: "Decided", differences: "Sequence[Difference]", making: "Making") -> Change:
    """
    Return what takes over the differences that can be. TakeoverRefused when something that it refers to may not be
    made.
    """
    side, neighbor = decided.side, decided.neighbor
    assert side is not None
    change = Change(neighbor.key, side.session.pk, SessionRows([], side.session))
    taken = [each for each in differences if each.can_take]
    for difference in taken:
        _TAKERS[difference.name](change, difference, decided, side, making)
    change.names = tuple(
        dict.fromkeys(f"{each.name} {each.afi}" if each.afi else each.name for each in taken)
    )
    return change


type Taker = Callable[[Change, "Difference", "Decided", "Side", "Making"], None]


def _description(
    change: Change, _difference: "Difference", decided: "Decided", side: "Side", _making: "Making"
) -> None:
    wanted = decided.neighbor.description[:LONGEST_DESCRIPTION]
    change.set(side.peer, description=wanted)
    if side.session.description:
        # It is rendered before that of its BGP peer.
        change.set(side.session, description=wanted)


def _enabled(
    change: Change, _difference: "Difference", decided: "Decided", side: "Side", _making: "Making"
) -> None:
    change.set(side.peer, enabled=decided.neighbor.enabled)


def _peer_group(
    change: Change, _difference: "Difference", decided: "Decided", side: "Side", making: "Making"
) -> None:
    assert decided.where is not None
    group = making.group(decided.neighbor, decided.where.scope)
    change.rows.rows += making.rows_of(group)
    change.rows.owners |= making.owners
    change.set(side.peer, peer_group=group)


def _ttl(
    change: Change, _difference: "Difference", decided: "Decided", side: "Side", _making: "Making"
) -> None:
    # 0 says "none", where a template would say something else.
    inherited = side.peer.peer_session is not None
    change.set(side.peer, ttl=decided.neighbor.ttl or (0 if inherited else None))


def _bfd(
    change: Change, _difference: "Difference", decided: "Decided", side: "Side", making: "Making"
) -> None:
    profile = making.bfd(decided.neighbor)
    change.rows.rows += making.rows_of(profile)
    change.set(side.peer, bfd=profile)


def _password(
    change: Change, _difference: "Difference", decided: "Decided", side: "Side", _making: "Making"
) -> None:
    change.set(side.session, **password_fields(decided.neighbor.password))
    if side.peer.password:
        # The plain column would be shown by netbox-routing, and say something else.
        change.set(side.peer, password="")


def _limit(
    change: Change, difference: "Difference", decided: "Decided", side: "Side", _making: "Making"
) -> None:
    version = 4 if difference.name.startswith("ipv4") else 6
    change.set(side.session, **{difference.name: decided.neighbor.limit(version)})


def _family(
    change: Change, difference: "Difference", decided: "Decided", side: "Side", making: "Making"
) -> None:
    row = _row_of(change, difference.afi, decided, side, making)
    wanted = decided.neighbor.family(difference.afi) is not None
    if row is None:
        return
    if row.pk is None:
        row.enabled = wanted
    else:
        change.set(row, enabled=wanted)


def _policy(
    change: Change, difference: "Difference", decided: "Decided", side: "Side", making: "Making"
) -> None:
    row = _row_of(change, difference.afi, decided, side, making)
    route_map = making.route_map(difference.router)
    change.rows.rows[:0] = making.rows_of(route_map)
    if row is None:
        return
    if row.pk is None:
        setattr(row, difference.name, route_map)
    else:
        change.set(row, **{difference.name: route_map})


def _row_of(
    change: Change, afi: str, decided: "Decided", side: "Side", making: "Making"
) -> BGPPeerAddressFamily | None:
    """The session's own row for a family, a new one when it has none."""
    if afi in side.families:
        return side.families[afi]
    # A session without rows has the family of its address, which goes once it has one for another.
    for implied in () if side.families else sorted(side.active() - {afi}):
        _new_row(change, implied, decided, side, making)
    return _new_row(change, afi, decided, side, making)


def _new_row(
    change: Change, afi: str, decided: "Decided", side: "Side", making: "Making"
) -> BGPPeerAddressFamily | None:
    """The row that is made for a family, the same whenever it is asked for."""
    for row in change.rows.rows:
        if change.rows.owners.get(id(row)) is side.peer and row.address_family.address_family == afi:  # type: ignore[attr-defined]
            assert isinstance(row, BGPPeerAddressFamily)
            return row
    assert decided.where is not None
    made = making.peer_family(decided.where.scope, FoundFamily(afi))
    if made is not None:
        change.rows.rows += [made.address_family, made]
        change.rows.owners[id(made)] = side.peer
    return made


_TAKERS: dict[str, Taker] = {
    "description": _description,
    "enabled": _enabled,
    "peer_group": _peer_group,
    "ttl": _ttl,
    "bfd": _bfd,
    "password": _password,
    "ipv4_max_prefixes": _limit,
    "ipv6_max_prefixes": _limit,
    "family": _family,
    "routemap_in": _policy,
    "routemap_out": _policy,
}

"""
What a sync asks PeeringDB for: of each type everything, or what changed since the last time.

Everything is asked for when a type was never synced, when somebody wants it, when the mirror came from another
PeeringDB, and once a week: rows can leave PeeringDB without a tombstone, and its clock can be wrong. Nothing is sent
before the rows of a question are read.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from ...exceptions import PeeringDBKeyRefused, PeeringDBUnknown, SyncError
from ...models import PeeringDBNet, PeeringDBWatermark
from .client import IN_MAX, PeeringDBClient
from .mirror import Known
from .records import TAGS
from .staging import Covered

# PeeringDB sets `updated` before it commits, and its servers' clocks differ. What comes twice is compared by content.
LOOK_BACK_S = 3600
COMPARE_AFTER = timedelta(days=7)
ABOUT_ONE_NETWORK = ("net", "netfac", "netixlan", "poc")


@dataclass(frozen=True)
class Wanted:
    """What a sync was asked for. No tags: every type. `asn`: what belongs to that network, and nothing else."""

    full: bool = False
    tags: tuple[str, ...] = ()
    asn: int | None = None
    from_dumps: bool = False

    def checked(self) -> "Wanted":
        """Return it with the tags in PeeringDB's order. SyncError for what does not exist or go together."""
        if unknown := [tag for tag in self.tags if tag not in TAGS]:
            raise SyncError(
                _("PeeringDB has no type {unknown}. It has: {tags}.").format(
                    unknown=", ".join(unknown), tags=", ".join(TAGS)
                )
            )
        if self.asn is not None and (self.full or self.tags or self.from_dumps):
            raise SyncError(
                _("One network is synced as a whole: leave out the full sync, the types and the dumps.")
            )
        return replace(self, tags=tuple(tag for tag in TAGS if tag in self.tags))


@dataclass(frozen=True)
class Question:
    """
    What is asked about one type: `rows` sends it; `more`, given the latest `updated` of those rows, what follows it.
    """

    tag: str
    covered: Covered
    rows: Callable[[], Iterable[Any]]
    more: Callable[[int | None], Iterable[Any]] = lambda newest: ()
    again: tuple[int, ...] = ()


def questions(wanted: Wanted, known: Known, client: PeeringDBClient) -> list[Question]:
    """
    Return what to ask, parents first. Contacts are left out without a key, as PeeringDB shows hardly any then.

    For one network this asks for it at once; PeeringDBUnknown when neither PeeringDB nor the mirror has it.
    PeeringDBKeyRefused when nothing but contacts is wanted, without a key.
    """
    if wanted.asn is not None:
        return _about_network(wanted.asn, client)
    if wanted.tags == ("poc",) and not client.has_key:
        raise PeeringDBKeyRefused(_("Contacts are synced with an API key alone. Set peeringdb_api_key."))
    moved = has_moved(known, client.url)
    tags = [
        tag for tag in (wanted.tags if wanted.tags and not moved else TAGS) if tag != "poc" or client.has_key
    ]
    return [_about_type(tag, wanted, known, client, moved=moved) for tag in tags]


def has_moved(known: Known, url: str) -> bool:
    """Whether the mirror came from another PeeringDB than the one at `url`."""
    return any(mark.source not in ("", url) for mark in known.marks.values())


def _about_type(tag: str, wanted: Wanted, known: Known, client: PeeringDBClient, *, moved: bool) -> Question:
    mark = None if moved else known.marks.get(tag)
    again = tuple(pk for pk in known.refused.get(tag, ()) if pk is not None)
    if not wanted.full and mark and not _is_due(mark) and len(again) <= IN_MAX:
        return _changes(tag, mark, again, client)
    # Whoever names the types knows what they want; and of another PeeringDB nothing need be left.
    trusted = moved or (wanted.full and bool(wanted.tags))
    return _everything(tag, mark, client, trusted=trusted, from_dumps=wanted.from_dumps)


def _is_due(mark: PeeringDBWatermark) -> bool:
    return mark.compared is None or mark.compared < timezone.now() - COMPARE_AFTER


def _changes(tag: str, mark: PeeringDBWatermark, again: tuple[int, ...], client: PeeringDBClient) -> Question:
    """What changed, and once more the rows that were refused: they may have been put right without being updated."""

    def more(newest: int | None) -> Iterator[Any]:
        if again:
            yield from client.fetch(tag, id__in=again).rows

    # PeeringDB takes `since=0` for no `since` at all.
    since = max(1, mark.updated - LOOK_BACK_S)
    return Question(tag, Covered(), lambda: client.fetch(tag, since=since).rows, more, again)


def _everything(
    tag: str, mark: PeeringDBWatermark | None, client: PeeringDBClient, *, trusted: bool, from_dumps: bool
) -> Question:
    """
    The whole list. It may be older than the mirror, as PeeringDB keeps whole lists ready and a dump is of yesterday:
    then what changed since is asked for as well, lest the mirror goes back in time.
    """

    def rows() -> Iterator[Any]:
        # Dumps have public contacts only.
        answer = client.fetch_dump(tag) if from_dumps and tag != "poc" else client.fetch(tag)
        return answer.rows

    def more(newest: int | None) -> Iterator[Any]:
        if mark and newest and mark.updated > newest:
            yield from client.fetch(tag, since=max(1, newest - LOOK_BACK_S)).rows

    return Question(tag, Covered(complete=True, trusted=trusted), rows, more)


def _about_network(asn: int, client: PeeringDBClient) -> list[Question]:
    rows = list(client.fetch("net", asn=asn).rows)
    mirrored = PeeringDBNet.objects.filter(asn=asn).values_list("pk", flat=True)
    told = (row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), int))
    ids = tuple(sorted({*mirrored, *told}))
    if not ids:
        raise PeeringDBUnknown(_("PeeringDB has no network with AS number {asn}.").format(asn=asn))

    def children(tag: str) -> Question:
        covered = Covered(complete=True, column="net_id", values=ids, trusted=True)
        return Question(tag, covered, lambda: client.fetch(tag, net_id__in=ids).rows)

    tags = [tag for tag in ABOUT_ONE_NETWORK if tag != "net" and (tag != "poc" or client.has_key)]
    net = Question("net", Covered(complete=True, column="id", values=ids, trusted=True), lambda: rows)
    return [net, *map(children, tags)]

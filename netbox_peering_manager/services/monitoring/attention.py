"""
What of the sessions needs attention, counted: the same lists everywhere, as filters of the list of sessions.

A session that is switched off is down because somebody wants it so: it is in none of the lists of what is down.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ... import state_conditions as conditions
from ...settings import get_setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...querysets import PeeringSessionQuerySet

__all__ = ("DOWN_LONG_H", "LISTS", "NamedList", "condition_of", "count_lists")

# From how many hours on a session that is down is no passing matter.
DOWN_LONG_H = 1


@dataclass(frozen=True, slots=True)
class NamedList:
    """A list of sessions: `query` are the filters that make it, by name, `color` that of its badge."""

    key: str
    label: Promise
    query: "Mapping[str, str]"
    color: str


LISTS = (
    NamedList("down", _("Down"), {"down": "true", "enabled": "true"}, "red"),
    NamedList(
        "down_long",
        _("Down for more than an hour"),
        {"down_longer_than_h": str(DOWN_LONG_H), "enabled": "true"},
        "red",
    ),
    NamedList("never_up", _("Never up"), {"never_up": "true", "enabled": "true"}, "orange"),
    NamedList("stale", _("Stale"), {"stale": "true"}, "gray"),
    NamedList("near_max_prefix", _("Near max-prefix"), {"near_max_prefix": "true"}, "yellow"),
    NamedList("missing", _("Missing"), {"bgp_state": "missing", "enabled": "true"}, "purple"),
)


def condition_of(key: str) -> Q:
    """Return what the filters of a list ask for, for sessions with_enabled()."""
    enabled = Q(is_enabled=True)
    match key:
        case "down":
            return conditions.down() & enabled
        case "down_long":
            return conditions.down_longer_than(DOWN_LONG_H, timezone.now()) & enabled
        case "never_up":
            return conditions.never_up() & enabled
        case "stale":
            return conditions.stale()
        case "near_max_prefix":
            return conditions.near_max_prefix(get_setting("near_max_prefix_percent"))
        case "missing":
            return conditions.missing() & enabled
    raise KeyError(key)


def count_lists(sessions: "PeeringSessionQuerySet") -> dict[str, int]:
    """Return how many of `sessions` are in each list, by its key, and how many there are as "all". One query."""
    counts: dict[str, Any] = {named.key: Count("pk", filter=condition_of(named.key)) for named in LISTS}
    return sessions.order_by().with_enabled().aggregate(all=Count("pk"), **counts)

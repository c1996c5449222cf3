"""Making prefixes of NetBox in bulk, their place in the hierarchy of prefixes included."""

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q

from ipam.models import Prefix
from ipam.signals import handle_prefix_saved

from .recording import bulk_create

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("bulk_create_prefixes",)


def bulk_create_prefixes(rows: "Sequence[Prefix]") -> list[Prefix]:
    """
    Insert prefixes, validated by the caller, record each as made, and count parents and children anew around them.

    NetBox's own receiver (ipam.signals) counts around each prefix alone, with six queries; here it is three for all.
    """
    with transaction.atomic():
        made = bulk_create(rows, without=(handle_prefix_saved,))
        _count_around(made)
    return made


def _count_around(made: "Sequence[Prefix]") -> None:
    if not made:
        return
    near = reduce(or_, (_near(prefix) for prefix in made))
    affected = list(Prefix.objects.filter(near).annotate_hierarchy())
    for prefix in affected:
        prefix._depth, prefix._children = prefix.hierarchy_depth, prefix.hierarchy_children
    Prefix.objects.bulk_update(affected, ["_depth", "_children"], batch_size=500)


def _near(prefix: Prefix) -> Q:
    text = str(prefix.prefix)
    around = Q(prefix__net_contains_or_equals=text) | Q(prefix__net_contained_or_equal=text)
    return around & Q(vrf_id=prefix.vrf_id)

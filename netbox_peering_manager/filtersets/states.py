"""Filters of sessions by what was last observed of them."""

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from utilities.filters import MultiValueDateTimeFilter, MultiValueNumberFilter

from .. import state_conditions as conditions
from ..choices import BGPStateChoices
from ..settings import get_setting

__all__ = ("STATE_CHOICES", "SessionStateFilters")

# A session without a state can be asked for as well.
STATE_CHOICES = (
    *((value, label) for value, label, _color in BGPStateChoices.CHOICES),
    (conditions.UNKNOWN, _("Never polled")),
)


class SessionStateFilters(django_filters.FilterSet):
    """
    A mixin for the filter set of sessions. A session without a state is in none of these lists but `unknown`; asked
    for what is not so (`stale=false`), those that were never polled are left out as well.
    """

    bgp_state = django_filters.MultipleChoiceFilter(
        choices=STATE_CHOICES, method="filter_bgp_state", label=_("State")
    )
    down = django_filters.BooleanFilter(method="filter_down", label=_("Down"))
    down_longer_than_h = django_filters.NumberFilter(
        method="filter_down_longer_than", min_value=0, label=_("Down longer than (hours)")
    )
    never_up = django_filters.BooleanFilter(method="filter_never_up", label=_("Never up"))
    stale = django_filters.BooleanFilter(method="filter_stale", label=_("Stale"))
    near_max_prefix = django_filters.BooleanFilter(
        method="filter_near_max_prefix", label=_("Near max-prefix")
    )
    ipv4_received = MultiValueNumberFilter(
        field_name="state__ipv4_received", label=_("IPv4 prefixes received")
    )
    ipv6_received = MultiValueNumberFilter(
        field_name="state__ipv6_received", label=_("IPv6 prefixes received")
    )
    flaps = MultiValueNumberFilter(field_name="state__flaps", label=_("Flaps"))
    polled = MultiValueDateTimeFilter(field_name="state__polled", label=_("Polled"))

    def filter_bgp_state(self, queryset: QuerySet, name: str, value: list[str]) -> QuerySet:
        if not value:
            return queryset
        wanted = Q(state__bgp_state__in=value)
        if conditions.UNKNOWN in value:
            wanted |= conditions.unknown()
        return queryset.filter(wanted)

    def filter_down(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        return _polled(queryset, conditions.down(), value)

    def filter_down_longer_than(self, queryset: QuerySet, name: str, value: float) -> QuerySet:
        return queryset.filter(conditions.down_longer_than(float(value), timezone.now()))

    def filter_never_up(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        return _polled(queryset, conditions.never_up(), value)

    def filter_stale(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        return _polled(queryset, conditions.stale(), value)

    def filter_near_max_prefix(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        near = conditions.near_max_prefix(get_setting("near_max_prefix_percent"))
        return _polled(queryset, near, value)


def _polled(queryset: QuerySet, condition: Q, value: bool) -> QuerySet:
    if value:
        return queryset.filter(condition)
    within = queryset.model.objects.filter(condition).order_by().values("pk")
    # By a subquery: negating a condition on NULLs would lose the rows that have them.
    return queryset.filter(~conditions.unknown()).exclude(pk__in=within)

"""Area `peeringdb`: what syncs, refused rows and drift can be filtered by."""

import django_filters
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from netbox.filtersets import BaseFilterSet
from users.models import User
from utilities.filters import MultiValueContentTypeFilter, MultiValueNumberFilter
from utilities.filtersets import register_filterset

from ..choices import PeeringDBDriftChoices, PeeringDBSyncModeChoices, PeeringDBSyncStatusChoices
from ..models import MIRROR, PeeringDBDrift, PeeringDBRefusedRow, PeeringDBSync

__all__ = ("PeeringDBDriftFilterSet", "PeeringDBRefusedRowFilterSet", "PeeringDBSyncFilterSet")

TAGS = tuple((tag, tag) for tag in MIRROR)


@register_filterset
class PeeringDBSyncFilterSet(BaseFilterSet):
    q = django_filters.CharFilter(method="search", label=_("Search"))
    status = django_filters.MultipleChoiceFilter(choices=PeeringDBSyncStatusChoices, distinct=False)
    mode = django_filters.MultipleChoiceFilter(choices=PeeringDBSyncModeChoices, distinct=False)
    tag = django_filters.MultipleChoiceFilter(choices=TAGS, method="filter_tag", label=_("Type"))
    user_id = django_filters.ModelMultipleChoiceFilter(
        queryset=User.objects.all(), distinct=False, label=_("User (ID)")
    )
    user = django_filters.ModelMultipleChoiceFilter(
        field_name="user__username",
        queryset=User.objects.all(),
        to_field_name="username",
        distinct=False,
        label=_("User (name)"),
    )

    class Meta:
        model = PeeringDBSync
        fields = ("id", "started", "ended", "status", "mode", "holder")

    def search(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Find by message, holder or user."""
        value = value.strip()
        if not value:
            return queryset
        return queryset.filter(
            Q(message__icontains=value) | Q(holder__icontains=value) | Q(user__username__icontains=value)
        )

    def filter_tag(self, queryset: QuerySet, name: str, value: list[str]) -> QuerySet:
        """Syncs of these types: no types named means all of them."""
        return queryset.filter(Q(tags__overlap=value) | Q(tags=[])) if value else queryset


@register_filterset
class PeeringDBRefusedRowFilterSet(BaseFilterSet):
    q = django_filters.CharFilter(method="search", label=_("Search"))
    tag = django_filters.MultipleChoiceFilter(choices=TAGS, distinct=False, label=_("Type"))
    peeringdb_id = MultiValueNumberFilter(label=_("PeeringDB ID"))

    class Meta:
        model = PeeringDBRefusedRow
        fields = ("id", "tag", "peeringdb_id", "seen")

    def search(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Find by reason."""
        return queryset.filter(reason__icontains=value.strip()) if value.strip() else queryset


@register_filterset
class PeeringDBDriftFilterSet(BaseFilterSet):
    q = django_filters.CharFilter(method="search", label=_("Search"))
    kind = django_filters.MultipleChoiceFilter(choices=PeeringDBDriftChoices, distinct=False)
    object_type = MultiValueContentTypeFilter()
    object_id = MultiValueNumberFilter(label=_("Object (ID)"))

    class Meta:
        model = PeeringDBDrift
        fields = ("id", "kind", "object_type", "object_id", "found")

    def search(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Find by what differs: an address, an AS number, an AS-SET, a prefix."""
        value = value.strip()
        if not value:
            return queryset
        number = value.upper().removeprefix("AS")
        wanted = number if number.isdecimal() else value
        return queryset.annotate(told=Cast("details", TextField())).filter(told__icontains=wanted)

"""Area `peers`: what hidden peers can be filtered by."""

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from netbox.filtersets import PrimaryModelFilterSet
from utilities.filtersets import register_filterset

from ..models import HiddenPeer, PeeringDBNet
from .related import fabric_filters

__all__ = ("HiddenPeerFilterSet",)


@register_filterset
class HiddenPeerFilterSet(fabric_filters("fabric"), PrimaryModelFilterSet):
    everywhere = django_filters.BooleanFilter(
        field_name="fabric", lookup_expr="isnull", label=_("Hidden everywhere")
    )
    in_force = django_filters.BooleanFilter(method="filter_in_force", label=_("Hidden today"))

    class Meta:
        model = HiddenPeer
        fields = ("id", "asn", "reason", "until", "description")

    def search(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Find by AS number (64496 or AS64496), the network's name in PeeringDB, reason or description."""
        value = value.strip()
        if not value:
            return queryset
        named = PeeringDBNet.objects.filter(name__icontains=value).values("asn")
        found = Q(reason__icontains=value) | Q(description__icontains=value) | Q(asn__in=named)
        number = value.upper().removeprefix("AS")
        if number.isdecimal():
            found |= Q(asn=int(number))
        return queryset.filter(found)

    def filter_in_force(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        in_force = HiddenPeer.objects.in_force()
        return queryset.filter(pk__in=in_force) if value else queryset.exclude(pk__in=in_force)

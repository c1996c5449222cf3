"""Area `routers`: filters of neighbours that routers have and NetBox does not."""

import django_filters
import netaddr
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from netbox.filtersets import BaseFilterSet
from utilities.filtersets import register_filterset

from ..choices import BGPStateChoices
from ..models import PeeringRouter, UnknownNeighbor
from .related import device_filters

__all__ = ("UnknownNeighborFilterSet",)


@register_filterset
class UnknownNeighborFilterSet(device_filters("router__device"), BaseFilterSet):
    q = django_filters.CharFilter(method="search", label=_("Search"))
    router_id = django_filters.ModelMultipleChoiceFilter(
        queryset=PeeringRouter.objects.all(), distinct=False, label=_("Router (ID)")
    )
    bgp_state = django_filters.MultipleChoiceFilter(choices=BGPStateChoices, distinct=False, label=_("State"))

    class Meta:
        model = UnknownNeighbor
        fields = ("id", "vrf", "remote_asn", "description", "first_seen", "last_seen")

    def search(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Find by address, AS number or description."""
        value = value.strip()
        if not value:
            return queryset
        found = Q(description__icontains=value) | Q(router__device__name__icontains=value)
        number = value.upper().removeprefix("AS")
        if number.isdecimal() and int(number) < 2**32:
            found |= Q(remote_asn=int(number))
        if netaddr.valid_ipv4(value) or netaddr.valid_ipv6(value):
            found |= Q(remote_ip=value)
        return queryset.filter(found)

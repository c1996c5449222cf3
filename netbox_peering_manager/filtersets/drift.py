"""The filter of routers by whether they have the configuration that NetBox would give them."""

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from ..choices import RouterDriftChoices

__all__ = ("DRIFT_CHOICES", "RouterDriftFilters")

NEVER = "never"
# A router that was never compared can be asked for as well.
DRIFT_CHOICES = (
    *((value, label) for value, label, _color in RouterDriftChoices.CHOICES),
    (NEVER, _("Never compared")),
)


class RouterDriftFilters(django_filters.FilterSet):
    """A mixin for the filter set of routers."""

    drift = django_filters.MultipleChoiceFilter(
        choices=DRIFT_CHOICES, method="filter_drift", label=_("Configuration drift")
    )

    def filter_drift(self, queryset: QuerySet, name: str, value: list[str]) -> QuerySet:
        if not value:
            return queryset
        wanted = Q(state__drift__in=[each for each in value if each != NEVER])
        if NEVER in value:
            # A row that a poll made says nothing of comparisons.
            wanted |= Q(state=None) | Q(state__drift="")
        return queryset.filter(wanted)

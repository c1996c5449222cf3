"""The filter of sessions by whether they are on their routers."""

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from ..choices import SessionConfigurationChoices

__all__ = ("SessionConfigurationFilters",)


class SessionConfigurationFilters(django_filters.FilterSet):
    """A mixin for the filter set of sessions. A session without a row is not configured."""

    configuration = django_filters.MultipleChoiceFilter(
        choices=SessionConfigurationChoices, method="filter_configuration", label=_("Configuration")
    )

    def filter_configuration(self, queryset: QuerySet, name: str, value: list[str]) -> QuerySet:
        if not value:
            return queryset
        wanted = Q(configuration__status__in=value)
        if SessionConfigurationChoices.NOT_CONFIGURED in value:
            wanted |= Q(configuration=None)
        return queryset.filter(wanted)

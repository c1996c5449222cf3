"""Many routers at once: what batches can be filtered by."""

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from netbox.filtersets import BaseFilterSet
from users.models import User
from utilities.filtersets import register_filterset

from ..models import DeploymentBatch

__all__ = ("DeploymentBatchFilterSet",)


@register_filterset
class DeploymentBatchFilterSet(BaseFilterSet):
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
    is_stopped = django_filters.BooleanFilter(method="filter_stopped", label=_("Stopped"))

    class Meta:
        model = DeploymentBatch
        fields = ("id", "created", "stopped", "max_failures")

    def filter_stopped(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        return queryset.filter(stopped__isnull=not value)

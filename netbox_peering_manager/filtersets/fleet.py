"""Many routers at once: what batches can be filtered by."""

import django_filters
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from netbox.filtersets import BaseFilterSet
from users.models import User
from utilities.filtersets import register_filterset

from ..models import Deployment, DeploymentBatch

__all__ = ("DeploymentBatchFilterSet",)


@register_filterset
class DeploymentBatchFilterSet(BaseFilterSet):
    q = django_filters.CharFilter(method="search", label=_("Search"))
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

    def search(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Find by who asked, by why it was stopped, or by a router (in others' batches, one that the user sees)."""
        if not (value := value.strip()):
            return queryset
        user = getattr(self.request, "user", None) or AnonymousUser()
        # By a subquery, so that several deployments of one batch are one row; of what the user may see alone.
        deployed = Deployment.objects.restrict(user, "view").filter(
            router__device__name__icontains=value, batch__isnull=False
        )
        return queryset.annotate(asked_text=Cast("asked", TextField())).filter(
            Q(user__username__icontains=value)
            | Q(stopped_because__icontains=value)
            | Q(user=user.pk, user__isnull=False, asked_text__icontains=value)
            | Q(pk__in=deployed.order_by().values("batch"))
        )

    def filter_stopped(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        return queryset.filter(stopped__isnull=not value)

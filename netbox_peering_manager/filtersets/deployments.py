"""Area `deployments`: what deployments can be filtered by."""

from typing import Any

import django_filters
from django.contrib.auth import get_user_model
from django.core.validators import EMPTY_VALUES
from django.db.models import Q, QuerySet, Value
from django.utils.translation import gettext_lazy as _

from netbox.filtersets import PrimaryModelFilterSet
from utilities.filtersets import register_filterset

from ..choices import ConfigModeChoices, DeploymentKindChoices, DeploymentStatusChoices
from ..models import Deployment, DeploymentBatch, PeeringRouter, PeeringSession
from ..services.deployment.rights import readable
from .related import device_filters, site_filters

__all__ = ("DeploymentFilterSet",)

Choices = django_filters.ModelMultipleChoiceFilter
User = get_user_model()


@register_filterset
class DeploymentFilterSet(
    device_filters("router__device"),
    site_filters("router__device__site"),
    PrimaryModelFilterSet,
):
    """
    Filters of deployments. `session_id` also finds deployments of the whole router that the session is on.

    By reason, and by neighbour in `q`, those alone are found that the user of the request may read
    (services.deployment.rights).
    """

    router_id = Choices(queryset=PeeringRouter.objects.all(), distinct=False, label=_("Router (ID)"))
    session_id = Choices(
        queryset=PeeringSession.objects.all(), method="filter_session", label=_("Session (ID)")
    )
    batch_id = Choices(queryset=DeploymentBatch.objects.all(), distinct=False, label=_("Batch (ID)"))
    kind = django_filters.MultipleChoiceFilter(choices=DeploymentKindChoices, distinct=False, label=_("Kind"))
    mode = django_filters.MultipleChoiceFilter(choices=ConfigModeChoices, distinct=False, label=_("Mode"))
    status = django_filters.MultipleChoiceFilter(
        choices=DeploymentStatusChoices, distinct=False, label=_("Status")
    )
    requested_by_id = Choices(queryset=User.objects.all(), distinct=False, label=_("Requested by (ID)"))
    requested_by = Choices(
        field_name="requested_by__username",
        queryset=User.objects.all(),
        to_field_name="username",
        distinct=False,
        label=_("Requested by (name)"),
    )
    approved_by_id = Choices(queryset=User.objects.all(), distinct=False, label=_("Approved by (ID)"))
    approved_by = Choices(
        field_name="approved_by__username",
        queryset=User.objects.all(),
        to_field_name="username",
        distinct=False,
        label=_("Approved by (name)"),
    )
    released_by_id = Choices(queryset=User.objects.all(), distinct=False, label=_("Released by (ID)"))
    released_by = Choices(
        field_name="released_by__username",
        queryset=User.objects.all(),
        to_field_name="username",
        distinct=False,
        label=_("Released by (name)"),
    )
    scheduled__before = django_filters.DateTimeFilter(
        field_name="scheduled", lookup_expr="lte", label=_("Scheduled before")
    )
    scheduled__after = django_filters.DateTimeFilter(
        field_name="scheduled", lookup_expr="gte", label=_("Scheduled after")
    )

    class Meta:
        model = Deployment
        fields = (
            "id",
            "partial",
            "automatic",
            "own_credentials",
            "reason",
            "scheduled",
            "expires",
            "approved",
            "confirm_by",
            "sent",
            "ended",
            "description",
        )

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        # All lookups of it, the negative ones too: what one may not read is not found out by trying words.
        asked = self.form.cleaned_data.items()
        if any(name.split("__")[0] == "reason" and value not in EMPTY_VALUES for name, value in asked):
            queryset = queryset.filter(self._is_read)
        return super().filter_queryset(queryset)

    @property
    def _is_read(self) -> Any:
        return readable(self.request.user) if self.request else Value(False)

    def search(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Find by router, by who asked or approved, by a neighbour's address or name, by reason or description."""
        if not (value := value.strip()):
            return queryset
        found = (
            Q(router__device__name__icontains=value)
            | Q(requested_by__username__icontains=value)
            | Q(approved_by__username__icontains=value)
            | Q(self._is_read, reason__icontains=value)
            | Q(description__icontains=value)
            | Q(self._is_read, pk__in=Deployment.objects.with_neighbor(value).values("pk"))
        )
        return queryset.filter(found)

    def filter_session(self, queryset: QuerySet, name: str, value: list) -> QuerySet:
        return queryset.of_sessions(*(session.pk for session in value)) if value else queryset

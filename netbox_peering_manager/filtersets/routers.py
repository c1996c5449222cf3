"""Area `routers`: what peering routers can be filtered by, most of it about the device behind one."""

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from dcim.models import DeviceRole, Platform
from extras.models import ConfigTemplate
from netbox.filtersets import PrimaryModelFilterSet
from utilities.filtersets import register_filterset

from ..choices import ApprovalChoices, ConfigModeChoices
from ..models import PeeringRouter
from .drift import RouterDriftFilters
from .related import device_filters, site_filters, tree_filters

__all__ = ("PeeringRouterFilterSet",)


@register_filterset
class PeeringRouterFilterSet(
    device_filters("device"),
    site_filters("device__site"),
    tree_filters("platform", Platform, "device__platform", (_("Platform (ID)"), _("Platform (slug)"))),
    tree_filters("role", DeviceRole, "device__role", (_("Role (ID)"), _("Role (slug)"))),
    RouterDriftFilters,
    PrimaryModelFilterSet,
):
    config_template_id = django_filters.ModelMultipleChoiceFilter(
        queryset=ConfigTemplate.objects.all(), distinct=False, label=_("Config template (ID)")
    )
    config_mode = django_filters.MultipleChoiceFilter(
        choices=ConfigModeChoices, distinct=False, label=_("Configuration mode")
    )
    approval = django_filters.MultipleChoiceFilter(
        choices=ApprovalChoices, distinct=False, label=_("Approval")
    )

    class Meta:
        model = PeeringRouter
        fields = (
            "id",
            "napalm_driver",
            "credential_profile",
            "poll_enabled",
            "poll_interval",
            "push_enabled",
            "health_timeout",
            "description",
        )

    def search(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Find by device, NAPALM driver, config template or description."""
        value = value.strip()
        if not value:
            return queryset
        return queryset.filter(
            Q(device__name__icontains=value)
            | Q(napalm_driver__icontains=value)
            | Q(config_template__name__icontains=value)
            | Q(description__icontains=value)
        )

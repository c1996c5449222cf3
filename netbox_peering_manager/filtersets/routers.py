"""Area `routers`: what peering routers can be filtered by, most of it about the device behind one."""

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from dcim.models import Device, DeviceRole, Platform, Site
from extras.models import ConfigTemplate
from netbox.filtersets import PrimaryModelFilterSet
from utilities.filters import TreeNodeMultipleChoiceFilter
from utilities.filtersets import register_filterset

from ..models import PeeringRouter

__all__ = ("PeeringRouterFilterSet",)


@register_filterset
class PeeringRouterFilterSet(PrimaryModelFilterSet):
    device_id = django_filters.ModelMultipleChoiceFilter(
        queryset=Device.objects.all(), distinct=False, label=_("Device (ID)")
    )
    device = django_filters.ModelMultipleChoiceFilter(
        field_name="device__name",
        queryset=Device.objects.all(),
        to_field_name="name",
        distinct=False,
        label=_("Device (name)"),
    )
    site_id = django_filters.ModelMultipleChoiceFilter(
        field_name="device__site", queryset=Site.objects.all(), distinct=False, label=_("Site (ID)")
    )
    site = django_filters.ModelMultipleChoiceFilter(
        field_name="device__site__slug",
        queryset=Site.objects.all(),
        to_field_name="slug",
        distinct=False,
        label=_("Site (slug)"),
    )
    platform_id = TreeNodeMultipleChoiceFilter(
        field_name="device__platform",
        queryset=Platform.objects.all(),
        lookup_expr="in",
        label=_("Platform (ID)"),
    )
    platform = TreeNodeMultipleChoiceFilter(
        field_name="device__platform",
        queryset=Platform.objects.all(),
        to_field_name="slug",
        lookup_expr="in",
        label=_("Platform (slug)"),
    )
    role_id = TreeNodeMultipleChoiceFilter(
        field_name="device__role", queryset=DeviceRole.objects.all(), lookup_expr="in", label=_("Role (ID)")
    )
    role = TreeNodeMultipleChoiceFilter(
        field_name="device__role",
        queryset=DeviceRole.objects.all(),
        to_field_name="slug",
        lookup_expr="in",
        label=_("Role (slug)"),
    )
    config_template_id = django_filters.ModelMultipleChoiceFilter(
        queryset=ConfigTemplate.objects.all(), distinct=False, label=_("Config template (ID)")
    )

    class Meta:
        model = PeeringRouter
        fields = ("id", "napalm_driver", "credential_profile", "poll_enabled", "push_enabled", "description")

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

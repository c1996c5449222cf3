"""
Filters that several models share, as mixins of filter sets: by place, tenant, device, fabric, wherever those are.

Each takes the path to what it filters by, and gives a filter by id and one by slug (of a device: by name).
"""

import django_filters
from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from dcim.models import Device, Region, Site, SiteGroup
from tenancy.models import Tenant
from utilities.filters import TreeNodeMultipleChoiceFilter

from ..models import PeeringFabric

Choices = django_filters.ModelMultipleChoiceFilter


def _mixin(filters: dict[str, django_filters.Filter]) -> type[django_filters.FilterSet]:
    return type("FilterSetMixin", (django_filters.FilterSet,), filters)


def _by_id_and_slug(
    name: str,
    model: type[Model],
    path: str,
    labels: tuple[Promise, Promise],
    *,
    slug: str = "slug",
    distinct: bool = False,
) -> dict[str, django_filters.Filter]:
    objects, (by_id, by_slug) = model.objects.all(), labels
    return {
        f"{name}_id": Choices(queryset=objects, field_name=path, distinct=distinct, label=by_id),
        name: Choices(
            queryset=objects,
            field_name=f"{path}__{slug}",
            to_field_name=slug,
            distinct=distinct,
            label=by_slug,
        ),
    }


def tree_filters(
    name: str, model: type[Model], path: str, labels: tuple[Promise, Promise]
) -> type[django_filters.FilterSet]:
    """Return a mixin of the filters by a model that is a tree: what lies below is found as well."""
    tree = {"queryset": model.objects.all(), "field_name": path, "lookup_expr": "in"}
    by_id, by_slug = labels
    return _mixin(
        {
            f"{name}_id": TreeNodeMultipleChoiceFilter(**tree, label=by_id),
            name: TreeNodeMultipleChoiceFilter(**tree, to_field_name="slug", label=by_slug),
        }
    )


def site_filters(site: str) -> type[django_filters.FilterSet]:
    """Return a mixin of the filters by site, for a site at the path `site`."""
    return _mixin(_by_id_and_slug("site", Site, site, (_("Site (ID)"), _("Site (slug)"))))


def place_filters(site: str) -> tuple[type[django_filters.FilterSet], ...]:
    """Return the mixins of the filters by site, site group and region, for a site at the path `site`."""
    return (
        tree_filters("region", Region, f"{site}__region", (_("Region (ID)"), _("Region (slug)"))),
        tree_filters(
            "site_group", SiteGroup, f"{site}__group", (_("Site group (ID)"), _("Site group (slug)"))
        ),
        site_filters(site),
    )


def tenant_filters(tenant: str) -> type[django_filters.FilterSet]:
    """Return a mixin of the filters by tenant, for a tenant at the path `tenant`."""
    return _mixin(_by_id_and_slug("tenant", Tenant, tenant, (_("Tenant (ID)"), _("Tenant (slug)"))))


def device_filters(device: str, distinct: bool = False) -> type[django_filters.FilterSet]:
    """Return a mixin of the filters by device, for a device at the path `device`."""
    labels = (_("Device (ID)"), _("Device (name)"))
    return _mixin(_by_id_and_slug("device", Device, device, labels, slug="name", distinct=distinct))


def fabric_filters(fabric: str) -> type[django_filters.FilterSet]:
    """Return a mixin of the filters by fabric, for a fabric at the path `fabric`."""
    return _mixin(_by_id_and_slug("fabric", PeeringFabric, fabric, (_("Fabric (ID)"), _("Fabric (slug)"))))

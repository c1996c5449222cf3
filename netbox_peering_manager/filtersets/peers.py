"""Area `peers`: what peer ASNs can be filtered by."""

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from ipam.models import ASN, RIR
from netbox.filtersets import PrimaryModelFilterSet
from tenancy.filtersets import ContactModelFilterSet
from tenancy.models import TenantGroup
from utilities.filters import MultiValueNumberFilter
from utilities.filtersets import register_filterset

from ..choices import PeeringDBFieldChoices
from ..models import PeerASN, PeeringSession
from .related import tenant_filters, tree_filters

__all__ = ("PeerASNFilterSet",)


@register_filterset
class PeerASNFilterSet(
    tenant_filters("asn__tenant"),
    tree_filters(
        "tenant_group",
        TenantGroup,
        "asn__tenant__group",
        (_("Tenant group (ID)"), _("Tenant group (slug)")),
    ),
    ContactModelFilterSet,
    PrimaryModelFilterSet,
):
    """Filters of peer ASNs. RIR and tenant are those of the ASN behind one."""

    asn_id = django_filters.ModelMultipleChoiceFilter(
        queryset=ASN.objects.all(), distinct=False, label=_("ASN (ID)")
    )
    asn = MultiValueNumberFilter(field_name="asn__asn", label=_("AS number"))
    rir_id = django_filters.ModelMultipleChoiceFilter(
        field_name="asn__rir", queryset=RIR.objects.all(), distinct=False, label=_("RIR (ID)")
    )
    rir = django_filters.ModelMultipleChoiceFilter(
        field_name="asn__rir__slug",
        queryset=RIR.objects.all(),
        to_field_name="slug",
        distinct=False,
        label=_("RIR (slug)"),
    )
    follow_peeringdb = django_filters.MultipleChoiceFilter(
        choices=PeeringDBFieldChoices, method="filter_follow_peeringdb", label=_("Follows PeeringDB in")
    )
    has_sessions = django_filters.BooleanFilter(method="filter_has_sessions", label=_("Has sessions"))

    class Meta:
        model = PeerASN
        fields = (
            "id",
            "name",
            "affiliated",
            "irr_as_set",
            "ipv4_max_prefixes",
            "ipv6_max_prefixes",
            "peeringdb_id",
            "peeringdb_last_sync",
            "description",
        )

    def search(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Find by AS number (64496 or AS64496), name, AS-SET or description."""
        value = value.strip()
        if not value:
            return queryset
        found = Q(name__icontains=value) | Q(irr_as_set__icontains=value) | Q(description__icontains=value)
        number = value.upper().removeprefix("AS")
        if number.isdecimal():
            found |= Q(asn__asn=int(number))
        return queryset.filter(found)

    def filter_follow_peeringdb(self, queryset: QuerySet, name: str, value: list[str]) -> QuerySet:
        return queryset.filter(follow_peeringdb__overlap=value) if value else queryset

    def filter_has_sessions(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        # A session that one may not see must not show by what its peer is listed under.
        sessions = PeeringSession.objects.all()
        if self.request is not None:
            sessions = sessions.restrict(self.request.user, "view")
        return queryset.having_sessions(sessions, value)

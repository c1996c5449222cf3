"""
Area `peers`: what ports and networks that we could peer with can be filtered by.

Their models are the mirror's, which are private; so these are the only filter sets of them. What a list leaves out
unless it is told otherwise (own, hidden, not operational) is left out here, so that pages, REST, saved filters and "all
that match" agree.
"""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import django_filters
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from netbox.filtersets import BaseFilterSet
from utilities.constants import FILTER_NUMERIC_BASED_LOOKUP_MAP
from utilities.filters import MultiValueCharFilter, MultiValueNumberFilter
from utilities.filtersets import register_filterset

from ..choices import (
    LeftOutChoices,
    PeeringDBNetworkTypeChoices,
    PeeringDBPolicyChoices,
    PeeringDBRatioChoices,
    PeeringDBScopeChoices,
    PeeringDBTrafficChoices,
)
from ..models import PeeringDBNet, PeeringDBNetIXLan, PeeringFabric, PeeringNetwork

__all__ = ("AvailablePortFilterSet", "RankedNetworkFilterSet")


def number(field: str, label: str) -> MultiValueNumberFilter:
    # Not distinct: no filter joins several rows, and DISTINCT would compare every annotation of every row.
    return MultiValueNumberFilter(field_name=field, distinct=False, label=label)


def choice(field: str, choices: type, label: str) -> django_filters.MultipleChoiceFilter:
    return django_filters.MultipleChoiceFilter(field_name=field, choices=choices, distinct=False, label=label)


def flag(field: str, label: str) -> django_filters.BooleanFilter:
    return django_filters.BooleanFilter(field_name=field, label=label)


def left_out(label: str) -> django_filters.ChoiceFilter:
    """A filter whose rows are left out unless it is told to show them: filter_queryset() does it."""
    return django_filters.ChoiceFilter(choices=LeftOutChoices, method="keep", label=label)


def network_filters(net: str) -> type[django_filters.FilterSet]:
    """Return a mixin of the filters by what a network says of itself, for a PeeringDBNet at the path `net`."""
    return type(
        "NetworkFilters",
        (django_filters.FilterSet,),
        {
            "asn": number("asn", _("AS number")),
            "name": MultiValueCharFilter(field_name=f"{net}name", distinct=False, label=_("Name")),
            "policy": choice(f"{net}policy_general", PeeringDBPolicyChoices, _("Policy")),
            "traffic": choice(f"{net}info_traffic", PeeringDBTrafficChoices, _("Traffic")),
            "traffic_from": django_filters.ChoiceFilter(
                field_name=f"{net}info_traffic",
                choices=PeeringDBTrafficChoices,
                method="filter_traffic_from",
                label=_("Traffic at least"),
            ),
            "scope": choice(f"{net}info_scope", PeeringDBScopeChoices, _("Scope")),
            "ratio": choice(f"{net}info_ratio", PeeringDBRatioChoices, _("Ratio")),
            "type": django_filters.MultipleChoiceFilter(
                field_name=f"{net}info_types",
                choices=PeeringDBNetworkTypeChoices,
                method="filter_type",
                label=_("Type"),
            ),
            "prefixes4": number(f"{net}info_prefixes4", _("IPv4 prefixes")),
            "prefixes6": number(f"{net}info_prefixes6", _("IPv6 prefixes")),
            "as_set": MultiValueCharFilter(
                field_name=f"{net}irr_as_set", distinct=False, label=_("IRR AS-SET")
            ),
            "never_via_route_servers": flag(
                f"{net}info_never_via_route_servers", _("Never via route servers")
            ),
            "common_exchanges": number("common_exchanges", _("Common exchanges")),
            "has_contact": flag("has_contact", _("Contact known")),
            "has_peer_asn": django_filters.BooleanFilter(
                field_name="peer_asn_id", lookup_expr="isnull", exclude=True, label=_("Has a peer ASN")
            ),
        },
    )


class CandidateFilterSet(BaseFilterSet):
    """Base of both filter sets."""

    # Paths of the network's own fields begin with it.
    net: ClassVar[str] = ""
    annotations: ClassVar[Iterable[str]] = ()

    q = django_filters.CharFilter(method="search", label=_("Search"))
    hidden = left_out(_("Hidden peers"))

    def search(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Find by AS number (64496 or AS64496), name, other name or AS-SET."""
        value = value.strip()
        if not value:
            return queryset
        found = Q()
        for field in ("name", "aka", "irr_as_set"):
            found |= Q(**{f"{self.net}{field}__icontains": value})
        asn = value.upper().removeprefix("AS")
        if asn.isdecimal():
            found |= Q(asn=int(asn))
        return queryset.filter(found)

    def keep(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset

    def filter_traffic_from(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        amounts = PeeringDBTrafficChoices.values()
        return queryset.filter(**{f"{name}__in": amounts[amounts.index(value) :]})

    def filter_type(self, queryset: QuerySet, name: str, value: list[str]) -> QuerySet:
        return queryset.filter(**{f"{name}__overlap": value}) if value else queryset

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        for condition in self.left_out():
            queryset = queryset.filter(condition)
        return super().filter_queryset(queryset)

    def left_out(self) -> Iterable[Q]:
        """Conditions on what is shown of the rows that are left out unless the filters ask for them."""
        # An entry that the user may not view hides from that user whatever is asked for.
        told, untold = Q(hidden_id__isnull=False), Q(is_hidden=False)
        return [self._shown("hidden", shown=untold, left_out=told)]

    def _shown(self, name: str, *, shown: Q, left_out: Q) -> Q:
        wanted = self.form.cleaned_data.get(name)
        if wanted == LeftOutChoices.ONLY:
            return left_out
        return shown | left_out if wanted == LeftOutChoices.ALSO else shown

    @classmethod
    def get_additional_lookups(cls, existing_filter_name: str, existing_filter: Any) -> dict[str, Any]:
        """Give numbers that are annotations the lookups of numbers, which NetBox makes for columns alone."""
        if existing_filter.field_name not in cls.annotations:
            return super().get_additional_lookups(existing_filter_name, existing_filter)
        if not isinstance(existing_filter, MultiValueNumberFilter):
            return {}
        return {
            f"{existing_filter_name}__{lookup}": MultiValueNumberFilter(
                field_name=existing_filter.field_name,
                lookup_expr=expression,
                exclude=lookup == "n",
                distinct=False,
                label=existing_filter.label,
            )
            for lookup, expression in FILTER_NUMERIC_BASED_LOOKUP_MAP.items()
            if lookup != "empty"
        }


def seen(model: type[Model]) -> Callable[[Any], QuerySet]:
    """
    Return what gives a filter the objects that the user may view: of others it would tell which networks meet us there.
    """

    def objects(request: Any) -> QuerySet:
        rows: Any = model._default_manager
        return rows.restrict(request.user, "view") if request is not None else rows.all()

    return objects


@register_filterset
class AvailablePortFilterSet(network_filters("net__"), CandidateFilterSet):
    """Of candidates.available_ports()."""

    net = "net__"
    annotations = ("common_exchanges", "missing_v4", "missing_v6")

    fabric_id = django_filters.ModelMultipleChoiceFilter(
        queryset=seen(PeeringFabric), method="filter_fabric", label=_("Fabric (ID)")
    )
    network_id = django_filters.ModelMultipleChoiceFilter(
        queryset=seen(PeeringNetwork), method="filter_network", label=_("Network (ID)")
    )
    family = django_filters.MultipleChoiceFilter(
        choices=[(4, "IPv4"), (6, "IPv6")], method="filter_family", label=_("Session missing in")
    )
    missing_v4 = number("missing_v4", _("Missing IPv4 sessions"))
    missing_v6 = number("missing_v6", _("Missing IPv6 sessions"))
    speed = number("speed", _("Speed (Mbit/s)"))
    on_route_server = flag("is_rs_peer", _("On route server"))
    bfd = flag("bfd_support", _("BFD"))
    is_route_server = flag("is_route_server", _("Is a route server"))
    has_sessions = django_filters.BooleanFilter(
        field_name="session_count",
        lookup_expr="gt",
        method="filter_has_sessions",
        label=_("Has sessions with us"),
    )
    own = left_out(_("Our own networks"))
    not_operational = left_out(_("Ports that are not operational"))

    class Meta:
        model = PeeringDBNetIXLan
        fields = ("id",)

    def left_out(self) -> Iterable[Q]:
        return [
            *super().left_out(),
            self._shown("own", shown=Q(is_own=False), left_out=Q(is_own=True)),
            self._shown("not_operational", shown=Q(operational=True), left_out=Q(operational=False)),
        ]

    def filter_fabric(self, queryset: QuerySet, name: str, value: list[PeeringFabric]) -> QuerySet:
        lans = PeeringNetwork.objects.filter(fabric__in=value).values("peeringdb_id")
        return queryset.filter(ixlan_id__in=lans) if value else queryset

    def filter_network(self, queryset: QuerySet, name: str, value: list[PeeringNetwork]) -> QuerySet:
        return (
            queryset.filter(ixlan_id__in=[network.peeringdb_id for network in value]) if value else queryset
        )

    def filter_family(self, queryset: QuerySet, name: str, value: list[str]) -> QuerySet:
        lacking = Q()
        for family in value:
            lacking |= Q(**{f"missing_v{family}__gt": 0})
        return queryset.filter(lacking)

    def filter_has_sessions(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        return queryset.filter(session_count__gt=0) if value else queryset.filter(session_count=0)


@register_filterset
class RankedNetworkFilterSet(network_filters(""), CandidateFilterSet):
    """Of ranking.ranked_networks()."""

    annotations = ("common_exchanges", "ports", "prefixes")

    ports = number("ports", _("Ports"))
    prefixes = number("prefixes", _("Prefixes"))
    fabric_id = django_filters.ModelMultipleChoiceFilter(
        queryset=seen(PeeringFabric), method="filter_fabric", label=_("Fabric (ID)")
    )

    class Meta:
        model = PeeringDBNet
        fields = ("id",)

    def filter_fabric(self, queryset: QuerySet, name: str, value: list[PeeringFabric]) -> QuerySet:
        lans = PeeringNetwork.objects.filter(fabric__in=value).values("peeringdb_id")
        ports = PeeringDBNetIXLan.objects.filter(ixlan_id__in=lans, operational=True).values("net_id")
        return queryset.filter(pk__in=ports) if value else queryset

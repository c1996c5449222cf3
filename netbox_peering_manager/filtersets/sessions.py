"""Area `sessions`: what relationship types and peering sessions can be filtered by."""

import django_filters
import netaddr
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from ipam.models import ASN, VRF
from netbox.filtersets import OrganizationalModelFilterSet, PrimaryModelFilterSet
from netbox_routing.choices.bgp import BGPStatusChoices
from netbox_routing.models import BGPPeer, BGPPeerTemplate, RouteMap
from utilities.filters import MultiValueCharFilter, MultiValueNumberFilter
from utilities.filtersets import register_filterset

from ..choices import BGPRoleChoices
from ..models import PeeringConnection, PeeringNetwork, PeeringSession, Relationship
from .configuration import SessionConfigurationFilters
from .related import device_filters, fabric_filters
from .states import SessionStateFilters

__all__ = ("PeeringSessionFilterSet", "RelationshipFilterSet")

FAMILIES = ((4, "IPv4"), (6, "IPv6"))


@register_filterset
class RelationshipFilterSet(OrganizationalModelFilterSet):
    bgp_role = django_filters.MultipleChoiceFilter(choices=BGPRoleChoices, label=_("BGP role"))
    routemap_in_id = django_filters.ModelMultipleChoiceFilter(
        queryset=RouteMap.objects.all(), label=_("Inbound route map (ID)")
    )
    routemap_out_id = django_filters.ModelMultipleChoiceFilter(
        queryset=RouteMap.objects.all(), label=_("Outbound route map (ID)")
    )

    class Meta:
        model = Relationship
        fields = ("id", "name", "slug", "color", "remove_from_router", "description")


@register_filterset
class PeeringSessionFilterSet(
    fabric_filters("peering_network__fabric"),
    device_filters("bgp_peer__scope__router__device"),
    SessionConfigurationFilters,
    SessionStateFilters,
    PrimaryModelFilterSet,
):
    """
    Filters of peering sessions, most of them about the BGPPeer behind one.

    AS numbers and `enabled` are the effective ones: what a BGPPeer leaves out comes from its templates or
    router.
    """

    bgp_peer_id = django_filters.ModelMultipleChoiceFilter(
        queryset=BGPPeer.objects.all(), label=_("BGP peer (ID)")
    )
    relationship_id = django_filters.ModelMultipleChoiceFilter(
        queryset=Relationship.objects.all(), label=_("Relationship (ID)")
    )
    relationship = django_filters.ModelMultipleChoiceFilter(
        field_name="relationship__slug",
        queryset=Relationship.objects.all(),
        to_field_name="slug",
        label=_("Relationship (slug)"),
    )
    peering_network_id = django_filters.ModelMultipleChoiceFilter(
        queryset=PeeringNetwork.objects.all(), label=_("Peering network (ID)")
    )
    connection_id = django_filters.ModelMultipleChoiceFilter(
        queryset=PeeringConnection.objects.all(), method="filter_connection", label=_("Connection (ID)")
    )
    vrf_id = django_filters.ModelMultipleChoiceFilter(
        field_name="bgp_peer__scope__vrf",
        queryset=VRF.objects.all(),
        null_label=_("Global"),
        label=_("VRF (ID)"),
    )
    vrf = django_filters.ModelMultipleChoiceFilter(
        field_name="bgp_peer__scope__vrf__rd",
        queryset=VRF.objects.all(),
        to_field_name="rd",
        label=_("VRF (RD)"),
    )
    remote_as_id = django_filters.ModelMultipleChoiceFilter(
        queryset=ASN.objects.all(), method="filter_remote_as", label=_("Remote AS (ID)")
    )
    remote_asn = MultiValueNumberFilter(method="filter_remote_asn", label=_("Remote AS number"))
    local_as_id = django_filters.ModelMultipleChoiceFilter(
        queryset=ASN.objects.all(), method="filter_local_as", label=_("Local AS (ID)")
    )
    local_asn = MultiValueNumberFilter(method="filter_local_asn", label=_("Local AS number"))
    peer_group_id = django_filters.ModelMultipleChoiceFilter(
        field_name="bgp_peer__peer_group", queryset=BGPPeerTemplate.objects.all(), label=_("Peer group (ID)")
    )
    status = django_filters.MultipleChoiceFilter(
        field_name="bgp_peer__status", choices=BGPStatusChoices, label=_("Status")
    )
    enabled = django_filters.BooleanFilter(method="filter_enabled", label=_("Enabled"))
    family = django_filters.MultipleChoiceFilter(
        method="filter_family", choices=FAMILIES, label=_("Address family")
    )
    address = MultiValueCharFilter(method="filter_address", label=_("Peer address or prefix"))
    has_password = django_filters.BooleanFilter(method="filter_has_password", label=_("Has a password"))
    has_clear_password = django_filters.BooleanFilter(
        method="filter_has_clear_password", label=_("Has a password in clear")
    )

    class Meta:
        model = PeeringSession
        fields = (
            "id",
            "service_reference",
            "is_route_server",
            "ipv4_max_prefixes",
            "ipv6_max_prefixes",
            "password_changed",
            "description",
        )

    def search(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """
        Find by what people know a session by: name, reference, peer address, AS number or name, network.
        """
        value = value.strip()
        if not value:
            return queryset
        networks = Q(peer_asn__name__icontains=value)
        number = value.upper().removeprefix("AS")
        if number.isdecimal():
            networks |= Q(asn=int(number))
        found = (
            Q(service_reference__icontains=value)
            | Q(description__icontains=value)
            | Q(bgp_peer__name__icontains=value)
            | Q(remote_as_id__in=ASN.objects.filter(networks).order_by().values("pk"))
            | Q(peering_network__name__icontains=value)
            | Q(peering_network__fabric__name__icontains=value)
            | _at_address(value)
        )
        return queryset.with_remote_as().filter(found)

    def filter_connection(self, queryset: QuerySet, name: str, value: list) -> QuerySet:
        if not value:
            return queryset
        return queryset.with_connection().filter(connection_id__in=[connection.pk for connection in value])

    def filter_remote_as(self, queryset: QuerySet, name: str, value: list) -> QuerySet:
        return queryset.for_remote_as(*(asn.pk for asn in value)) if value else queryset

    def filter_local_as(self, queryset: QuerySet, name: str, value: list) -> QuerySet:
        return queryset.for_local_as(*(asn.pk for asn in value)) if value else queryset

    def filter_remote_asn(self, queryset: QuerySet, name: str, value: list) -> QuerySet:
        return queryset.with_remote_as().filter(remote_as_id__in=_asns(value)) if value else queryset

    def filter_local_asn(self, queryset: QuerySet, name: str, value: list) -> QuerySet:
        return queryset.with_local_as().filter(local_as_id__in=_asns(value)) if value else queryset

    def filter_enabled(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        return queryset.with_enabled().filter(is_enabled=value)

    def filter_family(self, queryset: QuerySet, name: str, value: list) -> QuerySet:
        families = {int(family) for family in value}
        # Both families are all of them.
        if len(families) != 1:
            return queryset
        return queryset.filter(bgp_peer__peer__address__family=families.pop())

    def filter_address(self, queryset: QuerySet, name: str, value: list) -> QuerySet:
        wanted = Q(pk__in=())
        for address in value:
            wanted |= _at_address(address)
        return queryset.filter(wanted)

    def filter_has_password(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        without = Q(encrypted_password="")
        return queryset.exclude(without) if value else queryset.filter(without)

    def filter_has_clear_password(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        without = Q(bgp_peer__password__isnull=True) | Q(bgp_peer__password="")
        return queryset.exclude(without) if value else queryset.filter(without)


def _asns(numbers: list) -> QuerySet:
    return ASN.objects.filter(asn__in=numbers).order_by().values("pk")


def _at_address(text: str) -> Q:
    """
    Match the peer's address: a host as it is, a prefix by what lies in it, anything else matches nothing.
    """
    try:
        network = netaddr.IPNetwork(text.strip())
    except (netaddr.AddrFormatError, ValueError):
        return Q(pk__in=())
    if "/" not in text:
        return Q(bgp_peer__peer__address__net_host=str(network.ip))
    return Q(bgp_peer__peer__address__net_host_contained=str(network.cidr))

"""Area `fabrics`: what fabrics, networks and connections can be filtered by."""

import django_filters
import netaddr
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from dcim.models import Interface
from ipam.models import VLAN, VRF, IPAddress, Prefix
from netbox.filtersets import PrimaryModelFilterSet
from netbox_routing.models import BGPPeerTemplate, BGPScope
from tenancy.filtersets import ContactModelFilterSet, TenancyFilterSet
from utilities.filters import MultiValueCharFilter
from utilities.filtersets import register_filterset

from ..choices import ConnectionStatusChoices, FabricStatusChoices, FabricTypeChoices, NetworkStatusChoices
from ..models import PeeringConnection, PeeringFabric, PeeringNetwork
from .related import device_filters, fabric_filters, place_filters, tenant_filters

__all__ = ("PeeringConnectionFilterSet", "PeeringFabricFilterSet", "PeeringNetworkFilterSet")


class LANFilterSetMixin(django_filters.FilterSet):
    """
    Filters about a LAN's prefixes, for a model that has them at `lan_path` (with its trailing "__").

    Text that is neither an address nor a prefix finds nothing.
    """

    lan_path = ""

    prefix = MultiValueCharFilter(
        method="filter_prefix", label=_("LANs that contain this address or prefix, or are it")
    )
    vrf_id = django_filters.ModelMultipleChoiceFilter(
        method="filter_vrf", queryset=VRF.objects.all(), label=_("VRF of the LAN (ID)")
    )
    vrf = django_filters.ModelMultipleChoiceFilter(
        method="filter_vrf", queryset=VRF.objects.all(), to_field_name="rd", label=_("VRF of the LAN (RD)")
    )

    def filter_prefix(self, queryset: QuerySet, name: str, value: list[str]) -> QuerySet:
        found = Q(pk__in=[])
        for text in value:
            if (network := parse_network(text)) is not None:
                lookup = f"{self.lan_path}ipv{network.version}_prefix__prefix__net_contains_or_equals"
                found |= Q(**{lookup: str(network.cidr)})
        return queryset.filter(found)

    def filter_vrf(self, queryset: QuerySet, name: str, value: list[VRF]) -> QuerySet:
        if not value:
            return queryset
        return queryset.filter(
            Q(**{f"{self.lan_path}ipv4_prefix__vrf__in": value})
            | Q(**{f"{self.lan_path}ipv6_prefix__vrf__in": value})
        )


def parse_network(text: str) -> netaddr.IPNetwork | None:
    """Return the address or prefix that `text` writes, None when it writes none."""
    try:
        return netaddr.IPNetwork(text.strip())
    except (netaddr.AddrFormatError, ValueError):
        return None


@register_filterset
class PeeringFabricFilterSet(
    *place_filters("site"),
    device_filters("networks__connections__interface__device", distinct=True),
    TenancyFilterSet,
    ContactModelFilterSet,
    PrimaryModelFilterSet,
):
    type = django_filters.MultipleChoiceFilter(choices=FabricTypeChoices, distinct=False, null_value=None)
    status = django_filters.MultipleChoiceFilter(choices=FabricStatusChoices, distinct=False, null_value=None)
    peer_group_id = django_filters.ModelMultipleChoiceFilter(
        queryset=BGPPeerTemplate.objects.all(), distinct=False, label=_("Peer group (ID)")
    )
    peer_group = django_filters.ModelMultipleChoiceFilter(
        field_name="peer_group__name",
        queryset=BGPPeerTemplate.objects.all(),
        to_field_name="name",
        distinct=False,
        label=_("Peer group (name)"),
    )

    class Meta:
        model = PeeringFabric
        fields = ("id", "name", "slug", "peeringdb_id", "description")

    def search(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        if not (value := value.strip()):
            return queryset
        return queryset.filter(
            Q(name__icontains=value) | Q(slug__icontains=value) | Q(description__icontains=value)
        )


@register_filterset
class PeeringNetworkFilterSet(
    fabric_filters("fabric"),
    *place_filters("fabric__site"),
    tenant_filters("fabric__tenant"),
    device_filters("connections__interface__device", distinct=True),
    LANFilterSetMixin,
    PrimaryModelFilterSet,
):
    status = django_filters.MultipleChoiceFilter(
        choices=NetworkStatusChoices, distinct=False, null_value=None
    )
    ipv4_prefix_id = django_filters.ModelMultipleChoiceFilter(
        queryset=Prefix.objects.all(), distinct=False, label=_("IPv4 prefix (ID)")
    )
    ipv6_prefix_id = django_filters.ModelMultipleChoiceFilter(
        queryset=Prefix.objects.all(), distinct=False, label=_("IPv6 prefix (ID)")
    )
    has_ipv4 = django_filters.BooleanFilter(
        field_name="ipv4_prefix", lookup_expr="isnull", exclude=True, label=_("Has an IPv4 prefix")
    )
    has_ipv6 = django_filters.BooleanFilter(
        field_name="ipv6_prefix", lookup_expr="isnull", exclude=True, label=_("Has an IPv6 prefix")
    )
    vlan_id = django_filters.ModelMultipleChoiceFilter(
        queryset=VLAN.objects.all(), distinct=False, label=_("VLAN (ID)")
    )
    vlan_vid = django_filters.NumberFilter(field_name="vlan__vid", label=_("VLAN number (1-4094)"))

    class Meta:
        model = PeeringNetwork
        fields = ("id", "name", "mtu", "peeringdb_id", "description")

    def search(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        if not (value := value.strip()):
            return queryset
        found = (
            Q(name__icontains=value)
            | Q(fabric__name__icontains=value)
            | Q(fabric__slug__icontains=value)
            | Q(description__icontains=value)
            | Q(ipv4_prefix__prefix__istartswith=value)
            | Q(ipv6_prefix__prefix__istartswith=value)
        )
        if (network := parse_network(value)) is not None:
            found |= Q(**{f"ipv{network.version}_prefix__prefix__net_contains_or_equals": str(network.cidr)})
        return queryset.filter(found)


@register_filterset
class PeeringConnectionFilterSet(
    fabric_filters("peering_network__fabric"),
    device_filters("interface__device"),
    *place_filters("interface__device__site"),
    tenant_filters("interface__device__tenant"),
    LANFilterSetMixin,
    PrimaryModelFilterSet,
):
    lan_path = "peering_network__"

    peering_network_id = django_filters.ModelMultipleChoiceFilter(
        queryset=PeeringNetwork.objects.all(), distinct=False, label=_("Peering network (ID)")
    )
    peering_network = MultiValueCharFilter(
        field_name="peering_network__name", label=_("Peering network (name)")
    )
    interface_id = django_filters.ModelMultipleChoiceFilter(
        queryset=Interface.objects.all(), distinct=False, label=_("Interface (ID)")
    )
    interface = MultiValueCharFilter(field_name="interface__name", label=_("Interface (name)"))
    ipv4_address_id = django_filters.ModelMultipleChoiceFilter(
        queryset=IPAddress.objects.all(), distinct=False, label=_("IPv4 address (ID)")
    )
    ipv6_address_id = django_filters.ModelMultipleChoiceFilter(
        queryset=IPAddress.objects.all(), distinct=False, label=_("IPv6 address (ID)")
    )
    address = MultiValueCharFilter(
        method="filter_address", label=_("Our address, or a prefix that it lies in")
    )
    has_ipv4 = django_filters.BooleanFilter(
        field_name="ipv4_address", lookup_expr="isnull", exclude=True, label=_("Has an IPv4 address")
    )
    has_ipv6 = django_filters.BooleanFilter(
        field_name="ipv6_address", lookup_expr="isnull", exclude=True, label=_("Has an IPv6 address")
    )
    bgp_scope_id = django_filters.ModelMultipleChoiceFilter(
        queryset=BGPScope.objects.all(), distinct=False, label=_("BGP scope (ID)")
    )
    has_bgp_scope = django_filters.BooleanFilter(
        field_name="bgp_scope", lookup_expr="isnull", exclude=True, label=_("Has a BGP scope")
    )
    status = django_filters.MultipleChoiceFilter(
        choices=ConnectionStatusChoices, distinct=False, null_value=None
    )
    ipv4_peer_group_id = django_filters.ModelMultipleChoiceFilter(
        queryset=BGPPeerTemplate.objects.all(), distinct=False, label=_("IPv4 peer group (ID)")
    )
    ipv6_peer_group_id = django_filters.ModelMultipleChoiceFilter(
        queryset=BGPPeerTemplate.objects.all(), distinct=False, label=_("IPv6 peer group (ID)")
    )

    class Meta:
        model = PeeringConnection
        fields = ("id", "peeringdb_id", "description")

    def filter_address(self, queryset: QuerySet, name: str, value: list[str]) -> QuerySet:
        found = Q(pk__in=[])
        for text in value:
            if (network := parse_network(text)) is not None:
                found |= our_address_in(network)
        return queryset.filter(found)

    def search(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        if not (value := value.strip()):
            return queryset
        found = (
            Q(interface__device__name__icontains=value)
            | Q(interface__name__icontains=value)
            | Q(peering_network__name__icontains=value)
            | Q(peering_network__fabric__name__icontains=value)
            | Q(description__icontains=value)
            | Q(ipv4_address__address__istartswith=value)
            | Q(ipv6_address__address__istartswith=value)
        )
        if (network := parse_network(value)) is not None:
            found |= our_address_in(network)
        return queryset.filter(found)


def our_address_in(network: netaddr.IPNetwork) -> Q:
    """Connections whose address is `network`, or lies in it; masks do not matter."""
    path = f"ipv{network.version}_address__address"
    if network.size == 1:
        return Q(**{f"{path}__net_host": str(network.ip)})
    return Q(**{f"{path}__net_host_contained": str(network.cidr)})

"""Area `fabrics`: editing many fabrics, networks or connections at once."""

from django import forms
from django.utils.translation import gettext_lazy as _

from dcim.models import Site
from ipam.models import VLAN
from netbox.forms import PrimaryModelBulkEditForm
from netbox_routing.models import BGPPeerTemplate
from tenancy.models import Tenant
from utilities.forms import add_blank_choice
from utilities.forms.fields import ChoiceField, DynamicModelChoiceField
from utilities.forms.rendering import FieldSet

from ..choices import ConnectionStatusChoices, FabricStatusChoices, FabricTypeChoices, NetworkStatusChoices
from ..models import PeeringConnection, PeeringFabric, PeeringNetwork

__all__ = ("PeeringConnectionBulkEditForm", "PeeringFabricBulkEditForm", "PeeringNetworkBulkEditForm")


class PeeringFabricBulkEditForm(PrimaryModelBulkEditForm):
    type = ChoiceField(choices=add_blank_choice(FabricTypeChoices), required=False, label=_("Type"))
    status = ChoiceField(choices=add_blank_choice(FabricStatusChoices), required=False, label=_("Status"))
    site = DynamicModelChoiceField(queryset=Site.objects.all(), required=False, label=_("Site"))
    tenant = DynamicModelChoiceField(queryset=Tenant.objects.all(), required=False, label=_("Tenant"))
    peer_group = DynamicModelChoiceField(
        queryset=BGPPeerTemplate.objects.all(), required=False, label=_("Peer group")
    )

    model = PeeringFabric
    fieldsets = (FieldSet("type", "status", "site", "tenant", "peer_group", "description"),)
    nullable_fields = ("site", "tenant", "peer_group", "description", "comments")


class PeeringNetworkBulkEditForm(PrimaryModelBulkEditForm):
    fabric = DynamicModelChoiceField(queryset=PeeringFabric.objects.all(), required=False, label=_("Fabric"))
    status = ChoiceField(choices=add_blank_choice(NetworkStatusChoices), required=False, label=_("Status"))
    vlan = DynamicModelChoiceField(queryset=VLAN.objects.all(), required=False, label=_("VLAN"))
    mtu = forms.IntegerField(required=False, min_value=68, label=_("MTU"))

    model = PeeringNetwork
    fieldsets = (FieldSet("fabric", "status", "vlan", "mtu", "description"),)
    nullable_fields = ("vlan", "mtu", "description", "comments")


class PeeringConnectionBulkEditForm(PrimaryModelBulkEditForm):
    """What several ports can share; interface, addresses and BGP scope are each port's own."""

    status = ChoiceField(choices=add_blank_choice(ConnectionStatusChoices), required=False, label=_("Status"))
    ipv4_peer_group = DynamicModelChoiceField(
        queryset=BGPPeerTemplate.objects.all(), required=False, label=_("IPv4 peer group")
    )
    ipv6_peer_group = DynamicModelChoiceField(
        queryset=BGPPeerTemplate.objects.all(), required=False, label=_("IPv6 peer group")
    )

    model = PeeringConnection
    fieldsets = (FieldSet("status", "ipv4_peer_group", "ipv6_peer_group", "description"),)
    nullable_fields = ("ipv4_peer_group", "ipv6_peer_group", "description", "comments")

"""Area `sessions`: one form for a session and all that it takes."""

from django import forms
from django.utils.translation import gettext_lazy as _

from core.models import ObjectType
from extras.models import Tag
from ipam.models import IPAddress
from netbox_routing.choices.bgp import BGPStatusChoices
from netbox_routing.models import BFDProfile, BGPPeerTemplate, BGPScope
from utilities.forms.fields import DynamicModelChoiceField, DynamicModelMultipleChoiceField
from utilities.forms.rendering import FieldSet, InlineFields

from ..exceptions import ProvisioningError
from ..models import PeerASN, PeeringFabric, PeeringNetwork, PeeringSession, Relationship
from ..services.provisioning.create import NewSession, usable_connections
from .sessions_checks import refuse_other_fabric
from .sessions_destination import DestinationFields
from .sessions_password import PasswordField

FAMILIES = (4, 6)
# What both sessions of a dual-stack peer have in common: fields of the form and of NewSession alike.
COMMON = (
    "relationship",
    "remote_asn",
    "connection",
    "scope",
    "local_as",
    "peer_group",
    "bfd",
    "ttl",
    "name",
    "description",
    "status",
    "enabled",
    "service_reference",
    "is_route_server",
    "password",
    "ipv4_max_prefixes",
    "ipv6_max_prefixes",
    "peer_name",
    "irr_as_set",
    "tags",
)
# Fields of NewSession that the form has once per family.
PER_FAMILY = ("remote_ip", "source")


class PeeringSessionCreateForm(DestinationFields):
    """
    Everything a session needs, down to its addresses; one session is made for each family with a peer
    address. The exchange is optional.

    `wanted()` gives what create_sessions() takes, `add_errors()` puts what that refuses on the form's fields.
    """

    relationship = DynamicModelChoiceField(
        queryset=Relationship.objects.all(), quick_add=True, label=_("Relationship")
    )
    ipv4_remote_ip = forms.CharField(
        required=False,
        label=_("Peer's IPv4 address"),
        widget=forms.TextInput(attrs={"placeholder": "198.51.100.42"}),
    )
    ipv6_remote_ip = forms.CharField(
        required=False,
        label=_("Peer's IPv6 address"),
        widget=forms.TextInput(attrs={"placeholder": "2001:db8:100::42"}),
    )
    fabric = DynamicModelChoiceField(
        queryset=PeeringFabric.objects.all(),
        required=False,
        initial_params={"networks": "$peering_network"},
        label=_("Fabric"),
        help_text=_("The exchange that the session runs over. Left empty: no exchange"),
    )
    peering_network = DynamicModelChoiceField(
        queryset=PeeringNetwork.objects.all(),
        required=False,
        query_params={"fabric_id": "$fabric"},
        initial_params={"connections": "$connection"},
        label=_("Peering network"),
    )
    connection = DynamicModelChoiceField(
        queryset=usable_connections(),
        required=False,
        query_params={"fabric_id": "$fabric", "peering_network_id": "$peering_network"},
        label=_("Connection"),
        help_text=_("Our port on the network: it gives the router and our addresses"),
    )
    scope = DynamicModelChoiceField(
        queryset=BGPScope.objects.all(),
        required=False,
        selector=True,
        label=_("BGP scope"),
        help_text=_("Left empty: the connection's. Needed without a connection."),
    )
    ipv4_source = DynamicModelChoiceField(
        queryset=IPAddress.objects.all(),
        required=False,
        selector=True,
        query_params={"family": 4},
        label=_("IPv4 source address"),
        help_text=_("Left empty: the connection's"),
    )
    ipv6_source = DynamicModelChoiceField(
        queryset=IPAddress.objects.all(),
        required=False,
        selector=True,
        query_params={"family": 6},
        label=_("IPv6 source address"),
        help_text=_("Left empty: the connection's"),
    )
    local_as = DynamicModelChoiceField(
        queryset=PeerASN.objects.filter(affiliated=True),
        required=False,
        query_params={"affiliated": True},
        label=_("Local AS"),
        help_text=_("One of ours. Left empty: that of the port in PeeringDB, else the BGP router's."),
    )
    peer_group = DynamicModelChoiceField(
        queryset=BGPPeerTemplate.objects.all(), required=False, label=_("Peer group")
    )
    bfd = DynamicModelChoiceField(queryset=BFDProfile.objects.all(), required=False, label=_("BFD profile"))
    ttl = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=255,
        label=_("TTL"),
        help_text=_("For peers more than one hop away"),
    )
    status = forms.ChoiceField(choices=BGPStatusChoices, initial=BGPStatusChoices.ACTIVE, label=_("Status"))
    enabled = forms.BooleanField(required=False, initial=True, label=_("Enabled"))
    is_route_server = forms.BooleanField(
        required=False,
        label=_("Route server"),
        help_text=PeeringSession._meta.get_field("is_route_server").help_text,
    )
    ipv4_max_prefixes = forms.IntegerField(
        required=False,
        min_value=0,
        label=_("IPv4 max prefixes"),
        help_text=_("Left empty: the peer ASN's limit"),
    )
    ipv6_max_prefixes = forms.IntegerField(
        required=False,
        min_value=0,
        label=_("IPv6 max prefixes"),
        help_text=_("Left empty: the peer ASN's limit"),
    )
    password = PasswordField(help_text=_("Kept encrypted"))
    name = forms.CharField(
        required=False,
        max_length=100,
        label=_("Name"),
        help_text=_("Left empty: the AS number and the fabric's name"),
    )
    service_reference = forms.CharField(
        required=False,
        max_length=100,
        label=_("Service reference"),
        help_text=PeeringSession._meta.get_field("service_reference").help_text,
    )
    description = forms.CharField(required=False, max_length=200, label=_("Description"))
    tags = DynamicModelMultipleChoiceField(queryset=Tag.objects.all(), required=False, label=_("Tags"))
    configure_router = forms.BooleanField(
        required=False,
        label=_("Configure router after saving"),
        help_text=_(
            "Sends the session to its router in the background, as that has it (approval, health check)"
        ),
    )

    fieldsets = (
        FieldSet(DestinationFields.look_ups, name=_("Look up the peer")),
        FieldSet("remote_asn", "peer_name", "irr_as_set", "relationship", "is_route_server", name=_("Peer")),
        FieldSet(
            "fabric",
            "peering_network",
            "connection",
            InlineFields(
                "ipv4_remote_ip",
                "ipv6_remote_ip",
                label=_("Peer's addresses"),
                help_text=_("IPv4, IPv6 or both, without mask. One session is made for each."),
            ),
            name=_("Where"),
        ),
        FieldSet("scope", "ipv4_source", "ipv6_source", name=_("Without an exchange")),
        FieldSet(
            "local_as",
            "peer_group",
            "status",
            "enabled",
            "password",
            InlineFields(
                "ipv4_max_prefixes",
                "ipv6_max_prefixes",
                label=_("Max prefixes"),
                help_text=_("IPv4 and IPv6. Left empty: the peer ASN's limits"),
            ),
            "bfd",
            "ttl",
            name=_("BGP"),
        ),
        FieldSet("name", "service_reference", "description", "tags", name=_("Reference")),
        FieldSet("configure_router", name=_("Router")),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        object_type = ObjectType.objects.get_for_model(PeeringSession)
        self.fields["tags"].widget.add_query_param("for_object_type_id", object_type.pk)

    def clean(self):
        cleaned = super().clean()
        refuse_other_fabric(self)
        self._refuse_other_network()
        if not any(cleaned.get(f"ipv{family}_remote_ip") for family in FAMILIES):
            self.add_error(None, _("Give the peer's IPv4 address, its IPv6 address, or both."))
        for family in FAMILIES:
            self._refuse_other_family(family)
        return cleaned

    def _refuse_other_network(self) -> None:
        network, connection = self.cleaned_data.get("peering_network"), self.cleaned_data.get("connection")
        if network and connection and connection.peering_network_id != network.pk:
            self.add_error(
                "connection",
                _("{connection} is not on {network}: choose a connection of that network.").format(
                    connection=connection, network=network
                ),
            )
        elif network and not connection and not self.has_error("connection"):
            self.add_error(
                "connection",
                _("Choose our connection to {network}; create one first if it has none.").format(
                    network=network
                ),
            )

    def _refuse_other_family(self, family: int) -> None:
        value = self.cleaned_data.get(f"ipv{family}_remote_ip")
        # Whether it is an address at all is create_sessions()'s to tell.
        if value and (":" in value) != (family == 6):
            self.add_error(
                f"ipv{family}_remote_ip",
                _("{value} is not an IPv{family} address.").format(value=value, family=family),
            )

    def families(self) -> list[int]:
        """Return the families that sessions are made for, in the order of `wanted()`."""
        return [family for family in FAMILIES if self.cleaned_data.get(f"ipv{family}_remote_ip")]

    def wanted(self) -> list[NewSession]:
        """Return the sessions to be made, IPv4 first. For a valid form."""
        common = {name: self.cleaned_data[name] for name in COMMON}
        return [
            NewSession(
                **common,
                **{name: self.cleaned_data[f"ipv{family}_{name}"] for name in PER_FAMILY},
            )
            for family in self.families()
        ]

    def add_errors(self, error: ProvisioningError) -> None:
        """Put each message on the field that it is about; on none when it is about none of the form's."""
        family = self.families()[error.position]
        for name, messages in error.errors.items():
            self.add_error(self._field_of(name, family), messages)

    def _field_of(self, name: str | None, family: int) -> str | None:
        field = f"ipv{family}_{name}" if name in PER_FAMILY else name
        return field if field in self.fields else None

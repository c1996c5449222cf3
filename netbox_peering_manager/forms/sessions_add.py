"""Area `sessions`: one form for many sessions, with one field for each choice, however many sessions they are."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.models import ObjectType
from extras.models import Tag
from netbox_routing.choices.bgp import BGPStatusChoices
from netbox_routing.models import BFDProfile, BGPPeerTemplate
from utilities.forms.fields import DynamicModelChoiceField, DynamicModelMultipleChoiceField
from utilities.forms.rendering import FieldSet
from utilities.forms.widgets import DateTimePicker

from ..exceptions import ProvisioningError, SecretError
from ..models import PeerASN, PeeringConnection, PeeringSession, Relationship
from ..services import secrets
from ..services.provisioning.chosen import MOST_MARGIN_PERCENT
from ..services.provisioning.planned import Choices, MaxPrefixes, Password, RouteServers
from .deployments import future, in_one_hour
from .sessions_password import PasswordField

FAMILIES = [("4,6", _("IPv4 and IPv6")), ("4", _("IPv4 alone")), ("6", _("IPv6 alone"))]
# Ids in one request. PeeringDB has some 70,000 ports; nobody peers with all of them at once.
MOST_PORTS = 20_000
# Fields that hold one object, and fields that hold several.
OBJECTS = ("relationship", "route_server_relationship", "local_as", "peer_group", "bfd")
LISTS = ("connections", "tags")
# Remembered for the next time: what somebody chooses once is mostly what is chosen again.
REMEMBERED = (
    "relationship",
    "route_servers",
    "route_server_relationship",
    "families",
    "peer_group",
    "status",
    "enabled",
    "max_prefixes",
    "margin_percent",
    "password",
    "bfd",
    "ttl",
)


class PortsField(forms.CharField):
    """Ids of netixlans in one field, split by commas: Django and browsers have limits for the number of fields."""

    widget = forms.HiddenInput

    def clean(self, value: Any) -> list[int]:
        text = super().clean(value)
        try:
            ports = list(dict.fromkeys(int(part) for part in text.split(",") if part.strip()))
        except ValueError:
            ports = [0]
        if not all(0 < port < 2**63 for port in ports):
            raise forms.ValidationError(_("Ports are given by their PeeringDB ids."))
        if len(ports) > MOST_PORTS:
            raise forms.ValidationError(
                _("At most {most} ports can be added at once; choose fewer.").format(most=MOST_PORTS)
            )
        return ports


class AddSelectedForm(forms.Form):
    """The choices for all sessions that are added together; `choices()` gives them to plan_sessions()."""

    ports = PortsField()
    relationship = DynamicModelChoiceField(
        queryset=Relationship.objects.all(), quick_add=True, label=_("Relationship")
    )
    route_servers = forms.ChoiceField(
        choices=[
            (RouteServers.FLAG.value, _("Add them, marked as route servers")),
            (RouteServers.LEAVE_OUT.value, _("Leave them out")),
        ],
        label=_("Route servers"),
        help_text=_("Ports whose AS is that of the LAN's route servers"),
    )
    route_server_relationship = DynamicModelChoiceField(
        queryset=Relationship.objects.all(),
        required=False,
        label=_("Relationship of route servers"),
        help_text=_("Left empty: the same as for others"),
    )
    connections = DynamicModelMultipleChoiceField(
        queryset=PeeringConnection.objects.all(),
        required=False,
        label=_("Connections"),
        help_text=_("Our ports that sessions are made from. Left empty: all of ours on the peers' LANs."),
    )
    families = forms.ChoiceField(
        choices=FAMILIES,
        label=_("Families"),
        help_text=_("A session is made in each family in which both sides have an address."),
    )
    with_not_operational = forms.BooleanField(
        required=False,
        label=_("Also ports that are not operational"),
        help_text=_("PeeringDB knows of ports that are ordered but not in use yet."),
    )
    local_as = DynamicModelChoiceField(
        queryset=PeerASN.objects.filter(affiliated=True),
        required=False,
        query_params={"affiliated": True},
        label=_("Local AS"),
        help_text=_(
            "One of ours. Left empty: that of each connection's port in PeeringDB, else of its BGP router."
        ),
    )
    peer_group = DynamicModelChoiceField(
        queryset=BGPPeerTemplate.objects.all(),
        required=False,
        label=_("Peer group"),
        help_text=_("Left empty: the connection's, else the fabric's"),
    )
    status = forms.ChoiceField(choices=BGPStatusChoices, initial=BGPStatusChoices.ACTIVE, label=_("Status"))
    enabled = forms.BooleanField(required=False, initial=True, label=_("Enabled"))
    max_prefixes = forms.ChoiceField(
        choices=[
            (MaxPrefixes.NONE.value, _("None of its own: the peer ASN's limits hold")),
            (MaxPrefixes.PEERINGDB.value, _("What PeeringDB suggests, plus the margin")),
        ],
        label=_("Max prefixes"),
        help_text=_("A new peer ASN gets PeeringDB's limits in any case, and can follow them."),
    )
    margin_percent = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=MOST_MARGIN_PERCENT,
        initial=0,
        label=_("Margin (%)"),
        help_text=_("Added to what PeeringDB suggests, rounded up"),
    )
    password = forms.ChoiceField(
        choices=[
            (Password.NONE.value, _("No password")),
            (Password.GIVEN.value, _("The same for all, as entered below")),
            (Password.GENERATED.value, _("A new one for each session")),
        ],
        label=_("Password"),
        help_text=_("Kept encrypted; on the page of a session it can be revealed, with the right to."),
    )
    given_password = PasswordField(label=_("Password for all"))
    bfd = DynamicModelChoiceField(queryset=BFDProfile.objects.all(), required=False, label=_("BFD profile"))
    ttl = forms.IntegerField(required=False, min_value=1, max_value=255, label=_("TTL"))
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
        label=_("Configure routers after saving"),
        help_text=_(
            "Sends the new sessions to their routers in the background, one deployment for each router"
        ),
    )
    scheduled = forms.DateTimeField(
        required=False,
        initial=in_one_hour,
        widget=DateTimePicker(),
        label=_("Send at"),
        help_text=_(
            "When the routers are configured, in NetBox's time zone: in one hour unless you change it. Left empty: "
            "at once."
        ),
    )

    fieldsets = (
        FieldSet("relationship", "families", "connections", name=_("Sessions")),
        FieldSet(
            "peer_group",
            "status",
            "enabled",
            "max_prefixes",
            "margin_percent",
            "password",
            "given_password",
            "local_as",
            "bfd",
            "ttl",
            name=_("BGP"),
        ),
        FieldSet(
            "route_servers", "route_server_relationship", "with_not_operational", name=_("Special ports")
        ),
        FieldSet("service_reference", "description", "tags", name=_("Reference")),
        FieldSet("configure_router", "scheduled", name=_("Routers")),
    )

    def __init__(self, *args, fabric_id: int | None = None, **kwargs):
        super().__init__(*args, **kwargs)
        object_type = ObjectType.objects.get_for_model(PeeringSession)
        self.fields["tags"].widget.add_query_param("for_object_type_id", object_type.pk)
        if fabric_id:
            self.fields["connections"].widget.add_query_param("fabric_id", fabric_id)

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("password") == Password.GIVEN and not cleaned.get("given_password"):
            self.add_error("given_password", _("Enter the password that all sessions are to have."))
        self._clean_scheduled(cleaned)
        return cleaned

    def _clean_scheduled(self, cleaned: dict[str, Any]) -> None:
        """A time counts only with routers to configure: on a page that was open for long what it offers has passed."""
        if not cleaned.get("configure_router"):
            cleaned["scheduled"] = None
        elif (when := cleaned.get("scheduled")) is not None:
            try:
                future(when)
            except forms.ValidationError as error:
                self.add_error("scheduled", error)

    def choices(self) -> Choices:
        """Return what was chosen, the password encrypted. For a valid form. SecretError when no key can be read."""
        data = self.cleaned_data
        return Choices(
            families=tuple(map(int, data["families"].split(","))),
            route_servers=RouteServers(data["route_servers"]),
            max_prefixes=MaxPrefixes(data["max_prefixes"]),
            password=Password(data["password"]),
            password_token=self._token(),
            margin_percent=data["margin_percent"] or 0,
            **{name: data[name].pk if data[name] else None for name in OBJECTS},
            **{name: tuple(row.pk for row in data[name]) for name in LISTS},
            **{name: data[name] for name in PLAIN},
        )

    def _token(self) -> str:
        given = self.cleaned_data["password"] == Password.GIVEN
        return secrets.encrypt(self.cleaned_data["given_password"]) if given else ""

    def add_errors(self, error: ProvisioningError | SecretError) -> None:
        """Put each message on the field that it is about; on none when it is about none of the form's."""
        if isinstance(error, SecretError):
            self.add_error("given_password", str(error))
            return
        for name, found in error.errors.items():
            self.add_error(name if name in self.fields else None, found)


PLAIN = (
    "with_not_operational",
    "status",
    "enabled",
    "ttl",
    "service_reference",
    "description",
)


def initial_of(choices: Choices) -> dict[str, Any]:
    """Return what AddSelectedForm begins with, so that it shows these choices. Of a given password it shows nothing."""
    data = choices.as_data()
    data.pop("password_token")
    return {**data, "families": ",".join(map(str, sorted(choices.families)))}

"""Area `fabrics`: forms of what comes from PeeringDB: a fabric from an exchange, a link to one, our own ports."""

from typing import TYPE_CHECKING

from django import forms
from django.utils.translation import gettext_lazy as _

from core.models import ObjectType
from dcim.models import Site
from extras.models import Tag
from ipam.models import VRF
from netbox_routing.models import BGPPeerTemplate
from tenancy.forms import TenancyForm
from utilities.forms.fields import DynamicModelChoiceField, DynamicModelMultipleChoiceField
from utilities.forms.rendering import FieldSet

from ..exceptions import ExchangeError
from ..models import PeerASN, PeeringDBIX, PeeringFabric
from ..services.peeringdb.exchanges import NewFabric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..services.peeringdb.renumbering import RenumberPlan

__all__ = (
    "FabricFromPeeringDBForm",
    "FabricLinkForm",
    "ImportPresenceForm",
    "RenumberForm",
)

# As many inputs as one page can send back: Django refuses more than 1,000 fields.
INPUTS_MAX = 400


class WithExchangeErrors(forms.Form):
    """For forms whose service raises ExchangeError."""

    def add_errors(self, error: ExchangeError) -> None:
        """Put each message on the field that it is about; on none when it is about none of the form's."""
        for name, messages in error.errors.items():
            self.add_error(name if name in self.fields else None, messages)


def exchange_field() -> DynamicModelChoiceField:
    """Return a field that searches the exchanges of the mirror as one types; those that are fabrics are disabled."""
    return DynamicModelChoiceField(
        queryset=PeeringDBIX.objects.all(),
        context={"disabled": "fabric"},
        label=_("Exchange"),
        help_text=_("By its name, its other names, its city, or its id in PeeringDB"),
    )


class FabricFromPeeringDBForm(TenancyForm, WithExchangeErrors):
    """A fabric to be made from an exchange."""

    exchange = exchange_field()
    name = forms.CharField(
        required=False,
        max_length=PeeringFabric._meta.get_field("name").max_length,
        label=_("Name"),
        help_text=_("Left empty: the exchange's name"),
    )
    vrf = DynamicModelChoiceField(
        queryset=VRF.objects.all(),
        required=False,
        label=_("VRF"),
        help_text=_("Where its prefixes are, or are to be made. Left empty: the global table"),
    )
    site = DynamicModelChoiceField(
        queryset=Site.objects.all(), required=False, selector=True, label=_("Site")
    )
    peer_group = DynamicModelChoiceField(
        queryset=BGPPeerTemplate.objects.all(),
        required=False,
        label=_("Peer group"),
        help_text=PeeringFabric._meta.get_field("peer_group").help_text,
    )
    tags = DynamicModelMultipleChoiceField(queryset=Tag.objects.all(), required=False, label=_("Tags"))

    fieldsets = (
        FieldSet("exchange", "vrf", name=_("PeeringDB")),
        FieldSet("name", "site", "peer_group", "tags", name=_("Peering Fabric")),
        FieldSet("tenant_group", "tenant", name=_("Tenancy")),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        object_type = ObjectType.objects.get_for_model(PeeringFabric)
        self.fields["tags"].widget.add_query_param("for_object_type_id", object_type.pk)

    def wanted(self) -> NewFabric:
        """Return the fabric to be made. For a valid form."""
        chosen = self.cleaned_data
        names = ("name", "vrf", "site", "tenant", "peer_group")
        return NewFabric(
            ix_id=chosen["exchange"].pk,
            tags=tuple(chosen["tags"]),
            **{name: chosen[name] for name in names},
        )


class FabricLinkForm(WithExchangeErrors):
    """The exchange that a fabric is."""

    exchange = exchange_field()
    vrf = DynamicModelChoiceField(
        queryset=VRF.objects.all(),
        required=False,
        label=_("VRF"),
        help_text=_("For prefixes that are missing. Left empty: that of the fabric's networks"),
    )

    fieldsets = (FieldSet("exchange", "vrf", name=_("PeeringDB")),)


class ImportPresenceForm(WithExchangeErrors):
    """Whose ports are imported, and where to."""

    peer_asns = DynamicModelMultipleChoiceField(
        queryset=PeerASN.objects.filter(affiliated=True),
        required=False,
        query_params={"affiliated": True},
        label=_("Our AS"),
        help_text=_("Left empty: all of ours"),
    )
    vrf = DynamicModelChoiceField(
        queryset=VRF.objects.all(),
        required=False,
        label=_("VRF"),
        help_text=_("Of networks that are not there yet. Left empty: that of our addresses on their LAN"),
    )


class RenumberForm(WithExchangeErrors):
    """
    New addresses for those that are undecided, "new_<id>" by the id of the IP address, beside "seen_<id>", which holds
    what the preview on the page was made with.
    """

    inputs_max = INPUTS_MAX

    def __init__(self, data=None, *, ids: "Sequence[int]" = ()):
        super().__init__(data)
        for pk in ids[: self.inputs_max]:
            self.fields[f"new_{pk}"] = forms.CharField(required=False, max_length=50)
            self.fields[f"seen_{pk}"] = forms.CharField(required=False, max_length=50)

    @staticmethod
    def ids_in(data) -> list[int]:
        """Return the ids of the IP addresses that the data of a form have fields for."""
        return [
            int(name.removeprefix("new_"))
            for name in data
            if name.startswith("new_") and name.removeprefix("new_").isdecimal()
        ]

    def given(self) -> dict[int, str]:
        """Return the new addresses by id of the address that becomes them. For a valid form."""
        return {
            int(name.removeprefix("new_")): value.strip()
            for name, value in self.cleaned_data.items()
            if name.startswith("new_") and value.strip()
        }

    def is_as_seen(self) -> bool:
        """Whether the addresses are those that the preview was made with. For a valid form."""
        return all(
            value.strip() == self.cleaned_data[f"seen_{name.removeprefix('new_')}"].strip()
            for name, value in self.cleaned_data.items()
            if name.startswith("new_")
        )

    @staticmethod
    def ids_of(plan: "RenumberPlan") -> list[int]:
        """Return the ids of the addresses of a plan that a person may decide, ours first."""
        moves = [move for step in plan.steps for move in step.moves if not move.new or move.how == "given"]
        return [move.address_id for move in sorted(moves, key=lambda move: not move.is_ours)]

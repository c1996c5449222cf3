"""Area `peers`: forms for peer ASNs, one, many, imported and searched."""

import re

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from ipam.models import ASN, RIR
from netbox.forms import (
    PrimaryModelBulkEditForm,
    PrimaryModelFilterSetForm,
    PrimaryModelForm,
    PrimaryModelImportForm,
)
from tenancy.forms import ContactModelFilterForm, TenancyFilterForm
from utilities.forms import BOOLEAN_WITH_BLANK_CHOICES
from utilities.forms.fields import (
    CSVModelChoiceField,
    CSVMultipleChoiceField,
    DynamicModelChoiceField,
    DynamicModelMultipleChoiceField,
    TagFilterField,
)
from utilities.forms.rendering import FieldSet
from utilities.forms.widgets import BulkEditNullBooleanSelect, DateTimePicker

from ..choices import PeeringDBFieldChoices
from ..models import PeerASN
from ..models.peers import all_peeringdb_fields, validate_as_set
from ..services.peeringdb.networks import suggested_for

__all__ = ("PeerASNBulkEditForm", "PeerASNFilterForm", "PeerASNForm", "PeerASNImportForm")


class PeerASNForm(PrimaryModelForm):
    asn = DynamicModelChoiceField(
        queryset=ASN.objects.all(),
        label=_("ASN"),
        selector=True,
        quick_add=True,
        help_text=_(
            "The AS in IPAM. When it is new here and the data from PeeringDB know it, what you leave empty is filled "
            "in from there."
        ),
    )
    follow_peeringdb = forms.MultipleChoiceField(
        choices=PeeringDBFieldChoices,
        required=False,
        label=_("Follow PeeringDB"),
        help_text=_("Fields that a PeeringDB sync may update; the others stay as they are written here"),
    )

    fieldsets = (
        FieldSet("asn", "name", "affiliated", "description", "tags", name=_("Peer ASN")),
        FieldSet("irr_as_set", "ipv4_max_prefixes", "ipv6_max_prefixes", name=_("Filtering")),
        FieldSet("peeringdb_id", "follow_peeringdb", name=_("PeeringDB")),
    )

    class Meta:
        model = PeerASN
        fields = (
            "asn",
            "name",
            "affiliated",
            "irr_as_set",
            "ipv4_max_prefixes",
            "ipv6_max_prefixes",
            "peeringdb_id",
            "follow_peeringdb",
            "description",
            "owner",
            "comments",
            "tags",
        )

    def clean_asn(self) -> ASN:
        """Refuse an AS that has a PeerASN already, with a link to that one; its name is not told."""
        asn = self.cleaned_data["asn"]
        if existing := PeerASN.objects.filter(asn=asn).exclude(pk=self.instance.pk).first():
            raise ValidationError(
                format_html(
                    _(
                        '{asn} has a peer ASN already: <a href="{url}">edit that one</a> instead of creating '
                        "another."
                    ),
                    asn=asn,
                    url=existing.get_absolute_url(),
                ),
                code="unique",
            )
        return asn

    def clean(self) -> None:
        super().clean()
        asn = self.cleaned_data.get("asn")
        if self.instance.pk is None and asn is not None:
            for name, value in suggested_for(asn.asn).items():
                if self.cleaned_data.get(name) in (None, "") and name not in self.errors:
                    self.cleaned_data[name] = value


class PeerASNBulkEditForm(PrimaryModelBulkEditForm):
    affiliated = forms.NullBooleanField(
        required=False, widget=BulkEditNullBooleanSelect, label=_("Affiliated")
    )
    irr_as_set = forms.CharField(
        max_length=255, required=False, validators=[validate_as_set], label=_("IRR AS-SET")
    )
    ipv4_max_prefixes = forms.IntegerField(min_value=0, required=False, label=_("IPv4 max prefixes"))
    ipv6_max_prefixes = forms.IntegerField(min_value=0, required=False, label=_("IPv6 max prefixes"))
    follow_peeringdb = forms.MultipleChoiceField(
        choices=PeeringDBFieldChoices, required=False, label=_("Follow PeeringDB")
    )

    model = PeerASN
    fieldsets = (
        FieldSet("affiliated", "description"),
        FieldSet("irr_as_set", "ipv4_max_prefixes", "ipv6_max_prefixes", name=_("Filtering")),
        FieldSet("follow_peeringdb", name=_("PeeringDB")),
    )
    # Of name and PeeringDB ID each AS has its own; what follows PeeringDB is a list, which cannot be null.
    nullable_fields = ("irr_as_set", "ipv4_max_prefixes", "ipv6_max_prefixes", "description")


class CSVASNField(CSVModelChoiceField):
    """An AS by its number, as 64496 or AS64496."""

    default_error_messages = {
        "invalid_choice": _("AS number %(value)s is not in NetBox: add it under IPAM, ASNs first.")
    }

    def to_python(self, value):
        if isinstance(value, str) and self.to_field_name == "asn":
            value = re.sub(r"^\s*AS", "", value, flags=re.IGNORECASE)
        return super().to_python(value)


class PeerASNImportForm(PrimaryModelImportForm):
    asn = CSVASNField(
        queryset=ASN.objects.all(),
        to_field_name="asn",
        label=_("ASN"),
        help_text=_("AS number, which is in IPAM"),
    )
    follow_peeringdb = CSVMultipleChoiceField(
        choices=PeeringDBFieldChoices,
        required=False,
        label=_("Follow PeeringDB"),
        help_text=_(
            "Fields that a PeeringDB sync may update, separated by commas; without the column: all of them"
        ),
    )

    class Meta:
        model = PeerASN
        fields = PeerASNForm.Meta.fields

    def clean_follow_peeringdb(self) -> list[str]:
        if self.instance.pk is None and "follow_peeringdb" not in self.data:
            return all_peeringdb_fields()
        return self.cleaned_data["follow_peeringdb"]


class PeerASNFilterForm(ContactModelFilterForm, TenancyFilterForm, PrimaryModelFilterSetForm):
    model = PeerASN
    fieldsets = (
        FieldSet("q", "filter_id", "tag"),
        FieldSet("asn", "rir_id", "affiliated", "has_sessions", name=_("Peer ASN")),
        FieldSet("irr_as_set", "ipv4_max_prefixes", "ipv6_max_prefixes", name=_("Filtering")),
        FieldSet("peeringdb_id", "peeringdb_last_sync", "follow_peeringdb", name=_("PeeringDB")),
        FieldSet("tenant_group_id", "tenant_id", name=_("Tenant")),
        FieldSet("owner_group_id", "owner_id", name=_("Ownership")),
        FieldSet("contact", "contact_role", "contact_group", name=_("Contacts")),
    )
    selector_fields = ("filter_id", "q", "affiliated")

    asn = forms.IntegerField(required=False, label=_("AS number"))
    rir_id = DynamicModelMultipleChoiceField(queryset=RIR.objects.all(), required=False, label=_("RIR"))
    affiliated = forms.NullBooleanField(
        required=False, widget=forms.Select(choices=BOOLEAN_WITH_BLANK_CHOICES), label=_("Affiliated")
    )
    has_sessions = forms.NullBooleanField(
        required=False, widget=forms.Select(choices=BOOLEAN_WITH_BLANK_CHOICES), label=_("Has sessions")
    )
    irr_as_set = forms.CharField(required=False, label=_("IRR AS-SET"))
    ipv4_max_prefixes = forms.IntegerField(required=False, label=_("IPv4 max prefixes"))
    ipv6_max_prefixes = forms.IntegerField(required=False, label=_("IPv6 max prefixes"))
    peeringdb_id = forms.IntegerField(required=False, label=_("PeeringDB ID"))
    peeringdb_last_sync = forms.DateTimeField(
        required=False, widget=DateTimePicker(), label=_("Last PeeringDB sync")
    )
    follow_peeringdb = forms.MultipleChoiceField(
        choices=PeeringDBFieldChoices, required=False, label=_("Follows PeeringDB in")
    )
    tag = TagFilterField(model)

"""Area `sessions`: REST representations of adding many sessions."""

from typing import Any

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.serializers import JobSerializer
from netbox_routing.choices.bgp import BGPStatusChoices

from ...choices import SkipReasonChoices
from ...models import PeeringDBNetIXLan
from ...services import secrets
from ...services.provisioning.chosen import MOST_MARGIN_PERCENT
from ...services.provisioning.lookup import label_of
from ...services.provisioning.planned import Choices, MaxPrefixes, Password, RouteServers
from .deployments import future

__all__ = ("AddSessionsSerializer", "AddedSessionsSerializer", "PortSerializer", "SessionPlanSerializer")

MOST_PORTS = 20_000


def values_of(kind: type) -> list[str]:
    return [item.value for item in kind]


def ids(**kwargs: Any) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), required=False, **kwargs
    )


def an_id(**kwargs: Any) -> serializers.IntegerField:
    return serializers.IntegerField(
        min_value=1, max_value=2**63 - 1, required=False, allow_null=True, default=None, **kwargs
    )


class PortSerializer(serializers.Serializer):
    """A network's port on an IX LAN, as PeeringDB has it. `speed` in Mbit/s."""

    id = serializers.IntegerField()
    display = serializers.SerializerMethodField()
    asn = serializers.IntegerField()
    name = serializers.SerializerMethodField()
    description = serializers.SerializerMethodField()
    ipaddr4 = serializers.IPAddressField(allow_null=True)
    ipaddr6 = serializers.IPAddressField(allow_null=True)
    speed = serializers.IntegerField()
    operational = serializers.BooleanField()

    def get_display(self, port: PeeringDBNetIXLan) -> str:
        return label_of(port)

    def get_name(self, port: PeeringDBNetIXLan) -> str:
        return port.net.name if port.net is not None else ""

    def get_description(self, port: PeeringDBNetIXLan) -> str:
        return "" if port.operational else _t("not operational")


class AddSessionsSerializer(serializers.Serializer):
    """
    Which ports, one choice for all of their sessions, and how to go about it. Objects are given by their ids.
    """

    netixlans = ids(max_length=MOST_PORTS, help_text=_("PeeringDB's ids of the ports"))
    all = serializers.BooleanField(
        required=False,
        default=False,
        help_text=_("All ports that lack a session, but those left out by `filters`"),
    )
    filters = serializers.DictField(
        required=False,
        default=dict,
        help_text=_("With `all`: filters, as those of available-peers"),
    )
    dry_run = serializers.BooleanField(
        required=False, default=False, help_text=_("Answer with the plan, and make nothing")
    )
    background = serializers.BooleanField(
        required=False,
        allow_null=True,
        default=None,
        help_text=_(
            "In a background job or before answering. Left out: in a job when there are more than 50."
        ),
    )
    relationship = serializers.IntegerField(min_value=1)
    route_servers = serializers.ChoiceField(
        choices=values_of(RouteServers), required=False, default=RouteServers.FLAG.value
    )
    route_server_relationship = an_id(help_text=_("Left out: the same as for others"))
    connections = ids(help_text=_("Left out: all of ours on the ports' LANs"))
    families = serializers.ListField(
        child=serializers.ChoiceField(choices=(4, 6)),
        required=False,
        allow_empty=False,
        help_text=_("Left out: both"),
    )
    with_not_operational = serializers.BooleanField(required=False, default=False)
    local_as = an_id(
        help_text=_(
            "An affiliated peer ASN. Left out: that of each connection's port in PeeringDB, else its router's"
        )
    )
    peer_group = an_id()
    status = serializers.ChoiceField(choices=BGPStatusChoices.CHOICES, required=False, default="active")
    enabled = serializers.BooleanField(required=False, default=True)
    max_prefixes = serializers.ChoiceField(
        choices=values_of(MaxPrefixes), required=False, default=MaxPrefixes.NONE.value
    )
    margin_percent = serializers.IntegerField(
        min_value=0, max_value=MOST_MARGIN_PERCENT, required=False, default=0
    )
    password = serializers.ChoiceField(
        choices=values_of(Password), required=False, default=Password.NONE.value
    )
    given_password = serializers.CharField(
        max_length=255,
        write_only=True,
        required=False,
        allow_blank=True,
        default="",
        trim_whitespace=False,
        help_text=_("With `password` = given. Kept encrypted and never shown"),
    )
    bfd = an_id()
    ttl = serializers.IntegerField(min_value=1, max_value=255, required=False, allow_null=True, default=None)
    service_reference = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    description = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    tags = ids()
    configure = serializers.BooleanField(
        required=False,
        default=False,
        help_text=_("Then configure the routers with what was made. Needs add and commit on deployments"),
    )
    scheduled = serializers.DateTimeField(
        required=False,
        allow_null=True,
        default=None,
        validators=[future],
        help_text=_("With `configure`: when. Left out: at once"),
    )

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if bool(data.get("netixlans")) == data["all"]:
            raise serializers.ValidationError({"netixlans": [_t("Give the ports' ids, or all=true.")]})
        if data["filters"] and not data["all"]:
            raise serializers.ValidationError({"filters": [_t("Filters go with all=true.")]})
        if (data["password"] == Password.GIVEN) != bool(data["given_password"]):
            raise serializers.ValidationError(
                {"given_password": [_t("Goes with password=given, and only with that.")]}
            )
        if data["scheduled"] and not data["configure"]:
            raise serializers.ValidationError({"scheduled": [_t("Goes with configure=true.")]})
        return data

    def choices(self) -> Choices:
        """Return what was chosen, the password encrypted. SecretError when no key can be read."""
        data = dict(self.validated_data)
        given = data.pop("given_password")
        return Choices.from_data({**data, "password_token": secrets.encrypt(given) if given else ""})


class PlannedSessionSerializer(serializers.Serializer):
    """A session that would be made. Addresses are without mask."""

    netixlan_id = serializers.IntegerField()
    connection_id = serializers.IntegerField()
    family = serializers.IntegerField()
    asn = serializers.IntegerField()
    peer = serializers.CharField()
    address = serializers.CharField()
    source = serializers.CharField()
    network = serializers.CharField()
    connection = serializers.CharField()
    scope = serializers.CharField()
    local_asn = serializers.IntegerField()
    name = serializers.CharField()
    relationship_id = serializers.IntegerField()
    relationship = serializers.CharField()
    max_prefixes = serializers.IntegerField(allow_null=True)
    suggested_prefixes = serializers.IntegerField(allow_null=True)
    is_route_server = serializers.BooleanField()
    has_password = serializers.BooleanField()
    makes = serializers.ListField(child=serializers.CharField())


class PlannedObjectSerializer(serializers.Serializer):
    """Something that sessions need beside their own rows; `pk` null: it would be made."""

    kind = serializers.CharField()
    name = serializers.CharField()
    details = serializers.CharField()
    pk = serializers.IntegerField(allow_null=True)


class SkippedSerializer(serializers.Serializer):
    """A session that is not made, or all of a port's."""

    netixlan_id = serializers.IntegerField()
    asn = serializers.IntegerField(allow_null=True)
    peer = serializers.CharField()
    address = serializers.CharField()
    connection_id = serializers.IntegerField(allow_null=True)
    connection = serializers.CharField()
    family = serializers.IntegerField(allow_null=True)
    reason = serializers.ChoiceField(choices=list(SkipReasonChoices))
    text = serializers.CharField()


class MadeSerializer(serializers.Serializer):
    """A session that was made."""

    session_id = serializers.IntegerField()
    netixlan_id = serializers.IntegerField()
    connection_id = serializers.IntegerField()
    family = serializers.IntegerField()
    asn = serializers.IntegerField()
    peer = serializers.CharField()
    address = serializers.CharField()
    connection = serializers.CharField()


class SessionPlanSerializer(serializers.Serializer):
    """What would be made."""

    sessions = PlannedSessionSerializer(many=True)
    objects = PlannedObjectSerializer(many=True)
    skipped = SkippedSerializer(many=True)


class ProgressSerializer(serializers.Serializer):
    """How far a job is."""

    done = serializers.IntegerField()
    total = serializers.IntegerField()
    text = serializers.CharField()


class AddedSessionsSerializer(serializers.Serializer):
    """The job, how far it is, and once it has ended what became of the sessions."""

    job = JobSerializer(
        fields=("id", "url", "display_url", "display", "name", "status", "created", "completed")
    )
    progress = ProgressSerializer(allow_null=True)
    error = serializers.CharField()
    made = MadeSerializer(many=True)
    objects = serializers.DictField(
        child=serializers.IntegerField(), help_text=_("What else was made, by kind")
    )
    reused = serializers.DictField(child=serializers.IntegerField(), help_text=_("What was used, by kind"))
    skipped = SkippedSerializer(many=True)
    deployments = serializers.ListField(
        child=serializers.IntegerField(),
        help_text=_("With `configure`: ids of those that the user may view"),
    )
    refused = serializers.ListField(
        child=serializers.CharField(),
        help_text=_("With `configure`: why a router is not configured"),
    )

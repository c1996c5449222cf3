"""Area `routers`: REST representations of importing the sessions that a router has."""

from typing import Any

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.serializers import JobSerializer

from ...choices import ImportReasonChoices
from ...services.takeover.planned import Choices, Update
from .sessions_add import PlannedObjectSerializer, ProgressSerializer, an_id

__all__ = ("ImportPlanSerializer", "ImportRequestSerializer", "ImportSerializer")


class ImportRequestSerializer(serializers.Serializer):
    """Which reading of the router, one choice for all of its neighbours, how to go about it. Objects by their ids."""

    reading = an_id(
        help_text=_("The job that read the router. Left out: the router is read, and nothing else")
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
    lan = an_id(help_text=_("Relationship of sessions over a LAN"))
    route_servers = an_id(help_text=_("Relationship with route servers. Left out: as over a LAN"))
    others = an_id(help_text=_("Relationship of all others. Left out: they are not imported"))
    groups = serializers.DictField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        required=False,
        default=dict,
        help_text=_("Relationships of others by the keys of the plan's `groups`"),
    )
    make_missing = serializers.BooleanField(
        required=False,
        default=True,
        help_text=_("Make BGP router, scopes, peer groups, route maps, BFD profiles"),
    )
    without_policies = serializers.BooleanField(
        required=False,
        default=False,
        help_text=_("Also sessions whose route maps NetBox does not have with entries: they get none"),
    )
    bfd = an_id(help_text=_("BFD profile of neighbours for which the router names none"))
    update = serializers.ChoiceField(
        choices=[each.value for each in Update],
        required=False,
        default=Update.NONE.value,
        help_text=_("Which sessions that differ are changed"),
    )
    take = serializers.ListField(
        child=serializers.CharField(max_length=300),
        required=False,
        default=list,
        help_text=_("With update=chosen: the keys of their neighbours"),
    )

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if (data["update"] == Update.CHOSEN) != bool(data["take"]):
            raise serializers.ValidationError({"take": [_t("Goes with update=chosen, and only with that.")]})
        if data["dry_run"] and data["reading"] is None:
            raise serializers.ValidationError(
                {"reading": [_t("Read the router first: post without dry_run and reading.")]}
            )
        return data

    def choices(self) -> Choices:
        return Choices.from_data(self.validated_data)


class NeighborSerializer(serializers.Serializer):
    """A neighbour of the router. `vrf` is empty outside of all VRFs."""

    key = serializers.CharField()
    vrf = serializers.CharField()
    remote_ip = serializers.CharField()
    remote_asn = serializers.IntegerField(allow_null=True)
    description = serializers.CharField()


class NewSerializer(serializers.Serializer):
    """A session that would be made."""

    neighbor = NeighborSerializer()
    relationship = serializers.CharField()
    network = serializers.CharField()
    local_ip = serializers.CharField()
    local_asn = serializers.IntegerField(allow_null=True)
    peer_group = serializers.CharField()
    enabled = serializers.BooleanField()
    is_route_server = serializers.BooleanField()
    wraps = serializers.BooleanField(help_text=_("Its BGP peer is in NetBox"))
    families = serializers.ListField(child=serializers.CharField())
    policies = serializers.ListField(child=serializers.CharField())
    limits = serializers.ListField(child=serializers.CharField())
    ttl = serializers.IntegerField(allow_null=True)
    bfd = serializers.CharField()
    has_password = serializers.BooleanField()
    makes = serializers.ListField(child=serializers.CharField())
    notes = serializers.ListField(child=serializers.CharField())


class SameSerializer(serializers.Serializer):
    """A session that NetBox has as the router has it."""

    neighbor = NeighborSerializer()
    session_id = serializers.IntegerField()


class DifferenceSerializer(serializers.Serializer):
    """A field that NetBox has otherwise. Passwords are masked."""

    name = serializers.CharField()
    afi = serializers.CharField()
    netbox = serializers.CharField()
    router = serializers.CharField()
    can_take = serializers.BooleanField(help_text=_("An import can change it"))


class DifferentSerializer(serializers.Serializer):
    """A session that NetBox has otherwise."""

    neighbor = NeighborSerializer()
    session_id = serializers.IntegerField()
    differences = DifferenceSerializer(many=True)
    is_taken = serializers.BooleanField(help_text=_("It would get what the router has"))


class LeftOutSerializer(serializers.Serializer):
    """A neighbour that is not imported, and why."""

    neighbor = NeighborSerializer()
    reason = serializers.ChoiceField(choices=list(ImportReasonChoices))
    text = serializers.CharField()


class AbsentSerializer(serializers.Serializer):
    """A session of NetBox's that the router does not have."""

    session_id = serializers.IntegerField()
    name = serializers.CharField()


class GroupSerializer(serializers.Serializer):
    """Neighbours beyond all LANs that get one relationship."""

    key = serializers.CharField()
    label = serializers.CharField()
    count = serializers.IntegerField()


class ImportPlanSerializer(serializers.Serializer):
    """What an import would do."""

    new = NewSerializer(many=True)
    same = SameSerializer(many=True)
    different = DifferentSerializer(many=True)
    left_out = LeftOutSerializer(many=True)
    absent = AbsentSerializer(many=True)
    objects = PlannedObjectSerializer(many=True)
    groups = GroupSerializer(many=True)
    unread = serializers.ListField(child=serializers.CharField())


class DoneSerializer(serializers.Serializer):
    """A session that was made, or changed in these fields."""

    neighbor = NeighborSerializer()
    session_id = serializers.IntegerField()
    changed = serializers.ListField(child=serializers.CharField())


class ImportSerializer(serializers.Serializer):
    """The job, how far it is, and once it has ended what became of the sessions. A reading makes none."""

    job = JobSerializer(
        fields=("id", "url", "display_url", "display", "name", "status", "created", "completed")
    )
    progress = ProgressSerializer(allow_null=True)
    error = serializers.CharField()
    neighbors = serializers.IntegerField(allow_null=True, help_text=_("How many a reading found"))
    made = DoneSerializer(many=True)
    changed = DoneSerializer(many=True)
    left_out = LeftOutSerializer(many=True)
    objects = serializers.DictField(
        child=serializers.IntegerField(), help_text=_("What else was made, by kind")
    )

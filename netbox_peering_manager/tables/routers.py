"""Area `routers`: the table of peering routers."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from netbox.tables import PrimaryModelTable, columns

from ..models import PeeringRouter

__all__ = ("PeeringRouterTable",)


class PeeringRouterTable(PrimaryModelTable):
    """Needs a queryset with_counts() for its column of sessions."""

    device = tables.Column(verbose_name=_("Router"), linkify=lambda record: record.get_absolute_url())
    platform = tables.Column(accessor="device__platform", verbose_name=_("Platform"), linkify=True)
    site = tables.Column(accessor="device__site", verbose_name=_("Site"), linkify=True)
    role = columns.ColoredLabelColumn(accessor="device__role", verbose_name=_("Role"))
    config_template = tables.Column(verbose_name=_("Config template"), linkify=True)
    napalm_driver = tables.Column(verbose_name=_("NAPALM driver"))
    credential_profile = tables.Column(verbose_name=_("Credential profile"))
    poll_enabled = columns.BooleanColumn(verbose_name=_("Poll"))
    poll_interval = tables.Column(verbose_name=_("Poll Interval (Minutes)"))
    push_enabled = columns.BooleanColumn(verbose_name=_("Push"))
    config_mode = columns.ChoiceFieldColumn(verbose_name=_("Configuration Mode"))
    approval = columns.ChoiceFieldColumn(verbose_name=_("Approval"))
    health_timeout = tables.Column(verbose_name=_("Health Check (Seconds)"))
    session_count = columns.LinkedCountColumn(
        viewname="plugins:netbox_peering_manager:peeringsession_list",
        url_params={"device_id": "device_id"},
        verbose_name=_("Sessions"),
    )
    tags = columns.TagColumn(url_name="plugins:netbox_peering_manager:peeringrouter_list")

    class Meta(PrimaryModelTable.Meta):
        model = PeeringRouter
        fields = (
            "pk",
            "id",
            "device",
            "platform",
            "site",
            "role",
            "config_template",
            "napalm_driver",
            "credential_profile",
            "poll_enabled",
            "poll_interval",
            "push_enabled",
            "config_mode",
            "approval",
            "health_timeout",
            "session_count",
            "description",
            "comments",
            "tags",
            "created",
            "last_updated",
            "actions",
        )
        default_columns = (
            "pk",
            "device",
            "platform",
            "site",
            "config_template",
            "poll_enabled",
            "push_enabled",
            "session_count",
            "description",
        )

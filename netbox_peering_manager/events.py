"""Event types that event rules can react to, beside NetBox's own for objects that are made, changed and deleted."""

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from netbox.events import (
    EVENT_TYPE_KIND_DANGER,
    EVENT_TYPE_KIND_INFO,
    EVENT_TYPE_KIND_SUCCESS,
    EVENT_TYPE_KIND_WARNING,
    EventType,
)

from .choices import DeploymentStatusChoices

PEERINGDB_DRIFT = "peeringdb_drift"

EventType(PEERINGDB_DRIFT, _("Disagrees with PeeringDB"), kind=EVENT_TYPE_KIND_WARNING).register()

SESSION_DOWN = "session_down"
SESSION_UP = "session_up"
SESSION_FLAPPING = "session_flapping"
SESSION_NEAR_MAX_PREFIX = "session_near_max_prefix"
UNKNOWN_NEIGHBOR = "unknown_neighbor"

EventType(SESSION_DOWN, _("Session down"), kind=EVENT_TYPE_KIND_DANGER).register()
EventType(SESSION_UP, _("Session up"), kind=EVENT_TYPE_KIND_SUCCESS).register()
EventType(SESSION_FLAPPING, _("Session flapping"), kind=EVENT_TYPE_KIND_WARNING).register()
EventType(SESSION_NEAR_MAX_PREFIX, _("Session near its max-prefix"), kind=EVENT_TYPE_KIND_WARNING).register()
EventType(UNKNOWN_NEIGHBOR, _("Unknown neighbor"), kind=EVENT_TYPE_KIND_WARNING).register()


def deployment_event(status: str) -> str:
    """Return the name of the event type of deployments that come to `status`."""
    return f"deployment_{status.replace('-', '_')}"


_KINDS = {
    DeploymentStatusChoices.AWAITING_APPROVAL: EVENT_TYPE_KIND_WARNING,
    DeploymentStatusChoices.DONE: EVENT_TYPE_KIND_SUCCESS,
    DeploymentStatusChoices.ROLLED_BACK: EVENT_TYPE_KIND_DANGER,
    DeploymentStatusChoices.FAILED: EVENT_TYPE_KIND_DANGER,
    DeploymentStatusChoices.EXPIRED: EVENT_TYPE_KIND_WARNING,
}
for _status, _label, _color in DeploymentStatusChoices.CHOICES:
    EventType(
        deployment_event(_status),
        format_lazy(_("Deployment: {status}"), status=_label),
        kind=_KINDS.get(_status, EVENT_TYPE_KIND_INFO),
    ).register()

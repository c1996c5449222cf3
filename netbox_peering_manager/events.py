"""Event types that event rules can react to, beside NetBox's own for objects that are made, changed and deleted."""

from django.utils.translation import gettext_lazy as _

from netbox.events import EVENT_TYPE_KIND_WARNING, EventType

PEERINGDB_DRIFT = "peeringdb_drift"

EventType(PEERINGDB_DRIFT, _("Disagrees with PeeringDB"), kind=EVENT_TYPE_KIND_WARNING).register()

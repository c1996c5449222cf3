"""Area `sessions`: the tab "History" of a session: its states and prefixes over time, drawn, and its transitions."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from netbox.views import generic
from utilities.views import ViewTab, register_model_view

from ..models import PeeringSession
from ..services.monitoring import history
from ..services.monitoring.ranges import DEFAULT_RANGE, RANGES
from ..tables.state_changes import CountedData, SessionStateChangeTable
from ..tables.states import state_badge, state_of
from ..ui import charts

LABELS = {"24h": _("24 hours"), "7d": _("7 days"), "30d": _("30 days"), "1y": _("1 year")}


@dataclass(frozen=True, slots=True)
class Range:
    """A time that the page can show."""

    key: str
    label: str
    is_active: bool


@register_model_view(PeeringSession, "history", path="history")
class PeeringSessionHistoryView(generic.ObjectView):
    """`?range=` is one of RANGES; anything else shows the default."""

    queryset = PeeringSession.objects.select_related("bgp_peer__peer", "owner").with_state()
    template_name = "netbox_peering_manager/sessions/history.html"
    tab = ViewTab(label=_("History"), weight=1400)
    actions = ()

    def get_extra_context(self, request: HttpRequest, instance: PeeringSession) -> dict[str, Any]:
        chosen = request.GET.get("range", DEFAULT_RANGE)
        chosen = chosen if chosen in RANGES else DEFAULT_RANGE
        until = timezone.now()
        since = until - RANGES[chosen]
        state = state_of(instance)
        limits = {family: getattr(state, f"ipv{family}_limit", None) for family in history.FAMILIES}
        changes = instance.state_changes.filter(at__gte=since, at__lte=until).order_by("-at", "-pk")
        spans, count = history.timeline_and_count(instance, since, until=until)
        table = SessionStateChangeTable(CountedData(changes, count))
        table.configure(request)
        return {
            "ranges": [Range(key, LABELS[key], key == chosen) for key in RANGES],
            "badge": state_badge(state),
            "strip": charts.strip(spans),
            "charts": charts.charts(history.series(instance, since, until=until), limits, since, until),
            "table": table,
        }

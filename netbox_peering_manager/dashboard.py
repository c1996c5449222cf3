"""The plugin's widgets for NetBox's dashboard."""

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from extras.dashboard.utils import register_widget
from extras.dashboard.widgets import DashboardWidget, WidgetConfigForm
from utilities.forms.fields import DynamicModelMultipleChoiceField

from .models import PeeringFabric, Relationship
from .services.monitoring.attention import count_lists
from .services.monitoring.overview import state_counts, visible_sessions
from .ui import overview as ui

__all__ = ("SessionStatesWidget",)


@register_widget
class SessionStatesWidget(DashboardWidget):
    """Sessions by state, and how many need attention; of some fabrics or relationships, or of all."""

    # Not lazily: NetBox takes them for plain text.
    default_title = gettext("Peering Sessions")
    description = gettext("Sessions by state, and those that need attention.")
    template_name = "netbox_peering_manager/widgets/session_states.html"
    width = 4
    height = 4

    class ConfigForm(WidgetConfigForm):
        fabrics = DynamicModelMultipleChoiceField(
            queryset=PeeringFabric.objects.all(),
            required=False,
            label=_("Fabrics"),
            help_text=_("Left empty: all sessions, also those on no fabric"),
        )
        relationships = DynamicModelMultipleChoiceField(
            queryset=Relationship.objects.all(), required=False, label=_("Relationships")
        )

        # The configuration of a dashboard is kept as JSON.
        def clean_fabrics(self) -> list[int]:
            return [fabric.pk for fabric in self.cleaned_data["fabrics"]]

        def clean_relationships(self) -> list[int]:
            return [relationship.pk for relationship in self.cleaned_data["relationships"]]

    def render(self, request: HttpRequest) -> str:
        if not request.user.has_perm("netbox_peering_manager.view_peeringsession"):
            return render_to_string(self.template_name, {"permitted": False})
        fabrics, relationships = self._chosen("fabrics"), self._chosen("relationships")
        within: dict[str, Any] = {"fabric_id": fabrics, "relationship_id": relationships}
        within = {name: pks for name, pks in within.items() if pks}
        sessions = visible_sessions(request.user, fabrics=fabrics, relationships=relationships)
        counts = count_lists(sessions)
        return render_to_string(
            self.template_name,
            {
                "permitted": True,
                "bar": ui.segments(state_counts(sessions), within),
                "total": counts["all"],
                "url": ui.sessions_url(within),
                "attention": ui.attention(counts, within),
            },
        )

    def _chosen(self, name: str) -> list[int]:
        # What was configured may come from a dashboard that somebody wrote by hand.
        return [pk for pk in self.config.get(name) or () if isinstance(pk, int)]

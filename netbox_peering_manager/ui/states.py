"""What pages show of the last known states of sessions, beside the badge of tables.states."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from netbox.ui import panels

from ..models import PeeringRouter, PeeringSession, SessionState
from ..services.monitoring.history import COUNTERS, FAMILIES, timeline
from ..services.monitoring.ranges import RANGES
from ..settings import get_setting
from ..tables.states import state_badge, state_of
from .charts import strip

__all__ = ("Counters", "PollStatePanel", "SessionStatePanel", "UnknownNeighborsPanel", "counters_of")

TEMPLATES = "netbox_peering_manager"
# What a session's own page shows of its history: one of RANGES.
LAST_DAY = "24h"


@dataclass(frozen=True, slots=True)
class Counters:
    """A family's prefixes at the last poll. `percent` of the limit is received, None without limit or counter."""

    title: str
    received: int | None
    accepted: int | None
    advertised: int | None
    limit: int | None
    percent: float | None
    bar_class: str


def counters_of(state: SessionState) -> tuple[Counters, ...]:
    """Return the counters of each family of which a router told any, or which has a limit."""
    found = (_counters(state, family) for family in FAMILIES)
    return tuple(each for each in found if each is not None)


def _counters(state: SessionState, family: int) -> Counters | None:
    told = {counter: getattr(state, f"ipv{family}_{counter}") for counter in COUNTERS}
    limit = getattr(state, f"ipv{family}_limit")
    if all(value is None for value in told.values()):
        return None
    percent = 100 * told["received"] / limit if limit and told["received"] is not None else None
    return Counters(f"IPv{family}", **told, limit=limit, percent=percent, bar_class=_bar_class(percent))


def _bar_class(percent: float | None) -> str:
    if percent is None or percent < get_setting("near_max_prefix_percent"):
        return "bg-success"
    return "bg-warning" if percent < 100 else "bg-danger"


class SessionStatePanel(panels.ObjectPanel):
    """What the last poll saw of a session, the states of the last day, and counters with a bar to each max-prefix."""

    template_name = f"{TEMPLATES}/sessions/state_panel.html"
    title = _("State")

    def get_context(self, context: Any) -> dict[str, Any]:
        prepared = super().get_context(context)
        session: PeeringSession = prepared["object"]
        state = state_of(session)
        return {
            **prepared,
            "state": state,
            "badge": state_badge(state, with_time=False),
            "counters": counters_of(state) if state else (),
            **(_last_day(session) if state else {}),
        }


def _last_day(session: PeeringSession) -> dict[str, Any]:
    """The states of the last 24 hours as a strip, and where more of them is. One query."""
    spans = timeline(session, timezone.now() - RANGES[LAST_DAY])
    page = reverse("plugins:netbox_peering_manager:peeringsession_history", args=[session.pk])
    return {"strip": strip(spans), "history_url": f"{page}?range={LAST_DAY}"}


class PollStatePanel(panels.ObjectPanel):
    """Whether a router answers polls, and the neighbours on it that NetBox does not know."""

    template_name = f"{TEMPLATES}/routers/poll_state.html"
    title = _("Polls")

    def get_context(self, context: Any) -> dict[str, Any]:
        prepared = super().get_context(context)
        router: PeeringRouter = prepared["object"]
        return {
            **prepared,
            "state": getattr(router, "state", None),
            "unknown_count": router.unknown_neighbors.count(),
            "interval": router.poll_interval or get_setting("poll_interval"),
        }


class UnknownNeighborsPanel(panels.ObjectsTablePanel):
    """The neighbours of a router that NetBox does not know; nothing where there are none."""

    def __init__(self) -> None:
        super().__init__(
            "netbox_peering_manager.UnknownNeighbor",
            filters={"router_id": lambda context: context["object"].pk},
            exclude_columns=["router"],
        )

    def get_context(self, context: Any) -> dict[str, Any]:
        return {**super().get_context(context), "any": context["object"].unknown_neighbors.exists()}

    def should_render(self, context: Any) -> bool:
        # They have no permission of their own: who may view the router sees them.
        return bool(context["any"])

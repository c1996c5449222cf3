"""The last known state of sessions, as columns of any table of sessions, and as a badge for any page."""

from datetime import datetime

import django_tables2 as tables
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from netbox.tables import columns

from ..choices import BGPStateChoices
from ..models import PeeringSession, SessionState

__all__ = ("STATE_COLUMNS", "StateColumnsMixin", "ago", "moment", "state_badge", "state_of")

STATE_COLUMNS = (
    "bgp_state",
    "state_since",
    "last_established",
    "flaps",
    "polled",
    "ipv4_received",
    "ipv4_accepted",
    "ipv4_advertised",
    "ipv6_received",
    "ipv6_accepted",
    "ipv6_advertised",
)
# Django's get_bgp_state_display() translates and hashes all choices for each row.
_LABELS = dict(BGPStateChoices)


def state_of(session: PeeringSession) -> SessionState | None:
    """Return what was last observed of the session, None when it was never polled. A query without with_state()."""
    return getattr(session, "state", None)


def moment(at: datetime | None) -> str:
    """Return the time as NetBox writes it, "" for none."""
    if at is None:
        return ""
    at = timezone.localtime(at)
    return f"{at.date().isoformat()} {at.time().isoformat(timespec='minutes')}"


def ago(at: datetime) -> str:
    """Return how long ago that is, in its largest unit: "3 days"."""
    return timesince(at, depth=1)


def state_badge(state: SessionState | None, *, with_time: bool = True) -> SafeString:
    """
    Return a badge of the state with how long it has lasted; grey when the router no longer answers.

    Everything else that is known about it is in the tooltip. None: never polled.
    """
    if state is None:
        return format_html(
            '<span class="badge text-bg-secondary" title="{}">{}</span>',
            _t("No poll has read the state of this session."),
            _t("Never polled"),
        )
    since = moment(state.since)
    badge = format_html(
        # Positioned, as it holds hidden text, which would else stretch the page sideways from within a wide table.
        '<span class="badge text-bg-{} position-relative" title="{}">{}{}</span>',
        state.get_bgp_state_color() or "secondary",
        _tooltip(state, since),
        _LABELS[state.bgp_state],
        _stale_mark() if state.stale_since else "",
    )
    if not with_time:
        return badge
    return format_html(
        '<span class="text-nowrap">{} <span class="text-secondary" title="{}">{}</span></span>',
        badge,
        since,
        ago(state.since),
    )


def _stale_mark() -> SafeString:
    return format_html(
        ' <i class="mdi mdi-clock-alert-outline" aria-hidden="true"></i>'
        '<span class="visually-hidden">{}</span>',
        _t("stale"),
    )


def _tooltip(state: SessionState, since: str) -> str:
    lines = [_t("Since {time}").format(time=since)]
    if state.reason:
        lines.append(state.reason)
    if state.bgp_state == BGPStateChoices.MISSING:
        lines.append(_t("The router does not list this session."))
    if state.bgp_state != BGPStateChoices.ESTABLISHED:
        lines.append(
            _t("Last seen Established: {time}").format(time=moment(state.last_established))
            if state.last_established
            else _t("Never seen Established.")
        )
    if state.stale_since:
        lines.append(
            _t("Stale since {time}: {reason}").format(
                time=moment(state.stale_since), reason=state.stale_because or _t("the router does not answer")
            )
        )
    lines.append(_t("Polled {time}").format(time=moment(state.polled)))
    return "\n".join(lines)


class StateColumn(tables.Column):
    """The badge of a session's state. Give the table sessions with_state()."""

    def __init__(self, **kwargs):
        super().__init__(accessor="pk", order_by=("state__bgp_state", "state__since"), **kwargs)

    def render(self, record: PeeringSession) -> SafeString:
        return state_badge(state_of(record))

    def value(self, record: PeeringSession) -> str:
        state = state_of(record)
        return str(_LABELS[state.bgp_state]) if state else _t("Never polled")


def _of_state(field: str, label) -> tables.Column:
    return tables.Column(accessor=f"state__{field}", verbose_name=label)


class StateColumnsMixin(tables.Table):
    """For tables of sessions that are given with_state(): STATE_COLUMNS."""

    bgp_state = StateColumn(verbose_name=_("State"))
    state_since = columns.DateTimeColumn(
        accessor="state__since", timespec="minutes", verbose_name=_("State since")
    )
    last_established = columns.DateTimeColumn(
        accessor="state__last_established", timespec="minutes", verbose_name=_("Last Established")
    )
    flaps = _of_state("flaps", _("Flaps"))
    polled = columns.DateTimeColumn(accessor="state__polled", timespec="minutes", verbose_name=_("Polled"))
    ipv4_received = _of_state("ipv4_received", _("IPv4 received"))
    ipv4_accepted = _of_state("ipv4_accepted", _("IPv4 accepted"))
    ipv4_advertised = _of_state("ipv4_advertised", _("IPv4 advertised"))
    ipv6_received = _of_state("ipv6_received", _("IPv6 received"))
    ipv6_accepted = _of_state("ipv6_accepted", _("IPv6 accepted"))
    ipv6_advertised = _of_state("ipv6_advertised", _("IPv6 advertised"))

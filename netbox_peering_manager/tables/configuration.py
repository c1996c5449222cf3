"""Whether sessions are on their routers, as columns of any table of sessions, and as a badge for any page."""

import django_tables2 as tables
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from netbox.tables import columns

from ..choices import SessionConfigurationChoices
from ..models import PeeringSession, SessionConfiguration

__all__ = (
    "CONFIGURATION_COLUMNS",
    "ConfigurationColumnsMixin",
    "configuration_badge",
    "configuration_of",
    "configuration_text",
)

CONFIGURATION_COLUMNS = ("configuration", "configured")
_LABELS = dict(SessionConfigurationChoices)


def configuration_of(session: PeeringSession) -> SessionConfiguration | None:
    """Return what is known of the session's configuration, None when nothing is. A query without with_bgp()."""
    return getattr(session, "configuration", None)


def configuration_text(row: SessionConfiguration | None) -> str:
    """Return the status in words; None: not configured."""
    status = row.status if row else SessionConfigurationChoices.NOT_CONFIGURED
    return str(_LABELS[status])


def configuration_badge(row: SessionConfiguration | None) -> SafeString:
    """Return a badge of the status; since when and why are in the tooltip."""
    color = row.get_status_color() if row else "secondary"
    return format_html(
        '<span class="badge text-bg-{}" title="{}">{}</span>', color, _tooltip(row), configuration_text(row)
    )


def _tooltip(row: SessionConfiguration | None) -> str:
    if row is None:
        return _t("No deployment and no comparison has told of this session.")
    return "\n".join(
        filter(
            None,
            (
                _t("As of {time}").format(time=timezone.localtime(row.as_of).strftime("%Y-%m-%d %H:%M")),
                row.reason,
            ),
        )
    )


class ConfigurationColumn(tables.Column):
    """The badge of a session's configuration. Give the table sessions with_bgp()."""

    def __init__(self, **kwargs) -> None:
        super().__init__(accessor="pk", order_by=("configuration__status", "pk"), **kwargs)

    def render(self, record: PeeringSession) -> SafeString:
        return configuration_badge(configuration_of(record))

    def value(self, record: PeeringSession) -> str:
        return configuration_text(configuration_of(record))


class ConfigurationColumnsMixin(tables.Table):
    """For tables of sessions: CONFIGURATION_COLUMNS."""

    configuration = ConfigurationColumn(verbose_name=_("Configuration"))
    configured = columns.DateTimeColumn(
        accessor="configuration__as_of", timespec="minutes", verbose_name=_("Configuration as of")
    )

"""
What is kept of the history of sessions, by the settings: counters of each poll for hours, then one an hour for days,
then one a day; and transitions for as long as the settings say.

Of each hour and day (UTC) the newest sample stays. The limits lie on whole hours and days, so that no bucket is cut in
two: thinning twice changes nothing, and thinning every day leaves what thinning once would have left.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from ...models import SessionSample, SessionStateChange
from ...settings import get_setting

__all__ = ("Thinned", "thin")

_THIN = """
DELETE FROM {table} AS doomed USING (
    SELECT id, lead(id) OVER (PARTITION BY session_id, date_trunc(%(bucket)s, at, 'UTC') ORDER BY at, id) AS newer
    FROM {table} WHERE at >= %(begin)s AND at < %(end)s
) AS ordered
WHERE doomed.id = ordered.id AND ordered.newer IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Thinned:
    """How many rows were deleted."""

    samples: int
    changes: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Samples older than `daily` go; those from there to `hourly` are thinned to days, to `everything` to hours."""

    daily: datetime
    hourly: datetime
    everything: datetime
    changes: datetime


def limits_of(now: datetime) -> Limits:
    """Return the limits by the settings. A longer time for the finer series prevails."""
    everything = _hour(now - timedelta(hours=get_setting("samples_all_h")))
    hourly = min(_day(now - timedelta(days=get_setting("samples_hourly_days"))), _day(everything))
    daily = min(_day(now - timedelta(days=get_setting("samples_daily_days"))), hourly)
    return Limits(daily, hourly, everything, now - timedelta(days=get_setting("state_changes_days")))


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _day(moment: datetime) -> datetime:
    return _hour(moment).replace(hour=0)


def thin(now: datetime) -> Thinned:
    """Delete what the settings no longer keep, in four statements."""
    limits = limits_of(now)
    with transaction.atomic():
        samples = SessionSample.objects.filter(at__lt=limits.daily)._raw_delete(connection.alias)
        samples += _thin("day", limits.daily, limits.hourly)
        samples += _thin("hour", limits.hourly, limits.everything)
        changes = SessionStateChange.objects.filter(at__lt=limits.changes)._raw_delete(connection.alias)
    return Thinned(samples, changes)


def _thin(bucket: str, begin: datetime, end: datetime) -> int:
    table = connection.ops.quote_name(SessionSample._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(_THIN.format(table=table), {"bucket": bucket, "begin": begin, "end": end})
        return int(cursor.rowcount)

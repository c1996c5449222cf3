"""The times that a history can be asked for, by the words that pages and REST take."""

from datetime import timedelta

__all__ = ("DEFAULT_RANGE", "RANGES")

RANGES = {
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "1y": timedelta(days=365),
}
DEFAULT_RANGE = "7d"

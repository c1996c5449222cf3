"""
When the database ends work in the middle, because it restarts or somebody ended the session: what to tell of it, and
recording that over a new connection.
"""

import time
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, connection

__all__ = ("once_back", "reason_of")

# How often, and after how many seconds, a database that went away is asked again to take the record of what failed.
RECONNECTS, RECONNECT_S = 5, 1.0


def reason_of(error: BaseException) -> str:
    """Return PostgreSQL's own words, without the values that its details show and without a full stop."""
    diagnosis = getattr(error.__cause__, "diag", None)
    text = getattr(diagnosis, "message_primary", None) or str(error).partition("\n")[0]
    return text.strip().rstrip(".")


def _drop_dead_connection() -> None:
    """Let Django connect anew. Not within a transaction, which would begin to lie."""
    if not connection.in_atomic_block and connection.connection is not None and not connection.is_usable():
        connection.close()


def once_back(record: Callable[[], object]) -> bool:
    """
    Record something, over a new connection when the old one is gone, and return whether that was done.

    It is tried for some seconds; within a transaction once.
    """
    for attempt in range(RECONNECTS):
        try:
            _drop_dead_connection()
            record()
        except (DatabaseError, InterfaceError):
            if connection.in_atomic_block or attempt == RECONNECTS - 1:
                return False
            time.sleep(RECONNECT_S)
        else:
            return True
    return False

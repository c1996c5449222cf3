"""
One at a time: those who make or move sessions, addresses and prefixes wait for each other, so that nobody makes what
another is making, or moves away what another has just found.
"""

from django.db import connection

# Any number that nobody else uses: NetBox's own advisory locks are small ones.
LOCK = 0x6E706D_70726F76


def wait_for_turn() -> None:
    """
    Wait until no other transaction makes or moves any of it, and keep others waiting until this one ends.

    IP addresses and prefixes are not unique in the database, and an address of the peer's is needed by the sessions of
    all of our ports on its LAN, whatever BGP scope they live in: a lock per scope would let two people make it twice.
    A single lock cannot deadlock, and who holds it needs seconds at most: a batch of many sessions is one transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])

"""One at a time: those who make sessions wait for each other, so that nobody makes what another is making."""

from django.db import connection

# Any number that nobody else uses: NetBox's own advisory locks are small ones.
LOCK = 0x6E706D_70726F76


def wait_for_turn() -> None:
    """
    Wait until no other transaction makes sessions, and keep others waiting until this one ends.

    IP addresses are not unique in the database, and one of the peer's is needed by the sessions of all of our ports
    on its LAN, whatever BGP scope they live in: a lock per scope would let two people make it twice. A single lock
    cannot deadlock, and who holds it needs seconds at most: a batch of many sessions is one transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])

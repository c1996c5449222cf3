"""
One deployment of a router at a time, also while it is only compared.

A lock of PostgreSQL's session, so that it is gone as soon as the process that holds it is: whoever finds a deployment
that seems to be under way, and the lock free, knows that its worker died. A worker that lost its database has lost the
lock, and must not touch the router any more; `Held.check()` says so.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import DatabaseError, InterfaceError, connection
from django.utils.translation import gettext as _

from ...choices import DeploymentStatusChoices
from ...exceptions import DeploymentError, RouterBusy
from ...models import Deployment

if TYPE_CHECKING:
    from ...models import PeeringRouter

__all__ = ("Held", "LockLost", "free_routers", "held", "is_free", "why_busy", "why_sending")

# Any number that nobody else in NetBox's database has as the first of two; the second is the router's id.
LOCK = 420_710_021
# What a second comparison of a router waits for the first.
STEP_S = 0.5

# The same for the deployment that the router is worked at for.
LOCK_OF_DEPLOYMENT = 420_710_023

# Who holds a router's lock, and the deployment that this is for.
_HOLDER = """
SELECT deployment.objid::bigint FROM pg_locks router LEFT JOIN pg_locks deployment
ON deployment.pid = router.pid AND deployment.locktype = 'advisory' AND deployment.granted
AND deployment.objsubid = 2 AND deployment.classid = %s::oid AND deployment.database = router.database
WHERE router.locktype = 'advisory' AND router.granted AND router.objsubid = 2 AND router.classid = %s::oid
AND router.objid = %s::oid AND router.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_HOLDERS = """
SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = %s::oid
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class LockLost(DeploymentError):
    """The database connection that held the router's lock is gone: somebody else may work at the router now."""


class Held:
    """A lock that was taken on a router."""

    def __init__(self, router: "PeeringRouter", pid: int):
        self._router, self._pid = router, pid

    def check(self) -> None:
        """LockLost unless the lock is still ours. To be called before each step that touches the router."""
        try:
            ours = _backend() == self._pid and self._router.pk in _locked_routers()
        except (DatabaseError, InterfaceError) as error:
            raise LockLost(self._why()) from error
        if not ours:
            raise LockLost(self._why())

    def _why(self) -> str:
        return _(
            "The connection to the database was lost while {router} was being worked at. The next pass asks the "
            "router what became of it."
        ).format(router=self._router)


@contextmanager
def held(router: "PeeringRouter", *, wait_s: float = 0, of: Deployment | None = None) -> Iterator[Held]:
    """
    Work at the router alone, for the deployment `of`; None: to compare it with NetBox. RouterBusy, naming who does,
    when somebody else still does after `wait_s`.

    The same database session may take it again within.
    """
    deadline = time.monotonic() + wait_s
    while not _try(LOCK, router.pk):
        # What is being sent takes longer than anybody should wait for.
        if (sending := why_sending(router)) or time.monotonic() >= deadline:
            raise RouterBusy(sending or _being_compared(router))
        time.sleep(STEP_S)
    try:
        if of is not None:
            # Only to be told whom others wait for.
            _try(LOCK_OF_DEPLOYMENT, of.pk)
        yield Held(router, _backend())
    finally:
        if of is not None:
            _release(LOCK_OF_DEPLOYMENT, of.pk)
        _release(LOCK, router.pk)


def is_free(router: "PeeringRouter") -> bool:
    """Whether nobody works at the router at this moment."""
    return router.pk not in _locked_routers()


def free_routers(router_ids: "set[int]") -> set[int]:
    """Return those of these routers that nobody works at. One query."""
    return router_ids - _locked_routers()


def why_busy(router: "PeeringRouter") -> str:
    """Return which deployment is being sent to the router, and who asked for it; "" when nobody works at it."""
    if sending := why_sending(router):
        return sending
    return "" if is_free(router) else _being_compared(router)


def why_sending(router: "PeeringRouter") -> str:
    """
    Return which deployment is being sent to the router, "" when none is. With the lock free its worker has died: the
    router is left alone until `aftermath` has found out what became of it.
    """
    sending = Deployment.objects.filter(router=router, status__in=DeploymentStatusChoices.SENDING)
    found = sending.select_related("requested_by", "router__device").first()
    if found is None:
        return ""
    return _(
        "{deployment}, asked for by {user}, is being sent. Wait until it has ended, then try again."
    ).format(deployment=found, user=found.requested_by or _("somebody who is gone"))


def _being_compared(router: "PeeringRouter") -> str:
    with connection.cursor() as cursor:
        cursor.execute(_HOLDER, [LOCK_OF_DEPLOYMENT, LOCK, router.pk])
        holders = [pk for (pk,) in cursor.fetchall()]
    named = Deployment.objects.select_related("requested_by", "router__device")
    if found := named.filter(pk__in=holders).first():
        return _(
            "{router} is being worked at for {deployment}, asked for by {user}. Wait until that has ended, then try "
            "again."
        ).format(router=router, deployment=found, user=found.requested_by or _("somebody who is gone"))
    if holders:
        return _(
            "{router} is being compared with NetBox, by the drift comparison. Wait until that has ended, then try "
            "again."
        ).format(router=router)
    return _("Somebody has just worked at {router}. Try again.").format(router=router)


def _try(lock: int, pk: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [lock, pk])
        return bool(cursor.fetchone()[0])


def _release(lock: int, pk: int) -> None:
    """PostgreSQL itself releases what a session that is gone held."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [lock, pk])
    except (DatabaseError, InterfaceError):
        if not connection.in_atomic_block:
            # So that whoever reports what happened gets a new one.
            connection.close()


def _backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def _locked_routers() -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS, [LOCK])
        return {router_id for (router_id,) in cursor.fetchall()}

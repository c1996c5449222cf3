"""One deployment of a router at a time, and a lock that ends with its connection."""

import threading

import pytest
from django.db import connection

from netbox_peering_manager.choices import DeploymentStatusChoices as Status
from netbox_peering_manager.exceptions import RouterBusy
from netbox_peering_manager.models import Deployment
from netbox_peering_manager.services.deployment import locks
from tests.queries import queries_of

from .scenery import make_deployment

pytestmark = pytest.mark.django_db


class Elsewhere:
    """
    Another database session, which holds a router's lock for the time of a `with` block: `of` a deployment, or to
    compare the router.
    """

    def __init__(self, router, of=None):
        self._of = of.pk if of else None
        self._id, self._taken, self._over = router.pk, threading.Event(), threading.Event()
        self.pid = None
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_backend_pid(), pg_try_advisory_lock(%s, %s)", [locks.LOCK, self._id]
                )
                self.pid = cursor.fetchone()[0]
                if self._of:
                    cursor.execute("SELECT pg_advisory_lock(%s, %s)", [locks.LOCK_OF_DEPLOYMENT, self._of])
            self._taken.set()
            self._over.wait(30)
            with connection.cursor() as cursor:
                # Not when the server comes to notice that the session is gone.
                cursor.execute("SELECT pg_advisory_unlock_all()")
        finally:
            connection.close()

    def __enter__(self):
        self._thread.start()
        assert self._taken.wait(30)
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


@pytest.fixture
def deployment():
    return make_deployment()


def test_router_is_free_until_somebody_works_at_it_and_again_afterwards(deployment):
    router = deployment.router
    assert locks.is_free(router)
    with locks.held(router) as lock, locks.held(router):
        lock.check()
        assert not locks.is_free(router)
    assert locks.is_free(router)
    assert locks.why_busy(router) == ""


def test_second_is_refused_with_who_holds_it(deployment):
    router = deployment.router
    Deployment.objects.filter(pk=deployment.pk).update(status=Status.COMMITTING)
    with Elsewhere(router):
        with (
            pytest.raises(RouterBusy, match=f"{deployment.pk} on {router}, asked for by operator"),
            locks.held(router),
        ):
            pass
        assert locks.free_routers({router.pk, router.pk + 1}) == {router.pk + 1}
    with locks.held(router):
        pass


def test_second_waits_for_a_comparison(deployment):
    router = deployment.router
    elsewhere = Elsewhere(router)
    with elsewhere:
        with pytest.raises(RouterBusy, match="is being compared"), locks.held(router):
            pass
        threading.Timer(0.3, elsewhere._over.set).start()
        with locks.held(router, wait_s=20):
            pass


def test_who_compares_the_router_is_named(deployment):
    router = deployment.router
    with Elsewhere(router):
        assert f"{router} is being compared with NetBox, by the drift comparison" in locks.why_busy(router)
    with Elsewhere(router, deployment):
        assert f"worked at for {deployment}, asked for by operator" in locks.why_busy(router)
        Deployment.objects.update(requested_by=None)
        assert "asked for by somebody who is gone" in locks.why_busy(router)


def test_lock_says_what_it_is_for_while_it_is_held(deployment):
    router = deployment.router
    with locks.held(router, of=deployment), locks.held(router, of=deployment):
        assert f"for {deployment}" in locks._being_compared(router)
    with locks.held(router):
        assert "by the drift comparison" in locks._being_compared(router)
    assert "has just worked" in locks._being_compared(router)


def test_lock_that_is_lost_is_noticed(deployment):
    router = deployment.router
    with locks.held(router) as lock:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [locks.LOCK, router.pk])
        with pytest.raises(locks.LockLost, match=str(router)):
            lock.check()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", [locks.LOCK, router.pk])


def test_checking_the_lock_takes_two_queries(deployment):
    with locks.held(deployment.router) as lock:
        assert queries_of(lock.check) == 2

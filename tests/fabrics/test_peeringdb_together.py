"""Two people who confirm the same at the same time: it is made once."""

import threading

import pytest
from django.db import connection, transaction

from netbox_peering_manager.exceptions import ExchangeError
from netbox_peering_manager.models import PeeringConnection, PeeringFabric, PeeringNetwork
from netbox_peering_manager.services.peeringdb.presence import import_presence, plan_presence
from netbox_peering_manager.services.peeringdb.writing import one_at_a_time
from netbox_peering_manager.services.provisioning.create import create_sessions
from netbox_peering_manager.services.turns import LOCK
from tests.fabrics.mirror import make_exchange, make_port
from tests.factories import make_address, make_device, make_interface, make_peer_asn, make_scope

PATIENCE_S = 20


def holds_lock(granted):
    """Whether anybody has the lock, or waits for it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted = %s "
            "AND classid = %s::bigint::oid AND objid = %s::bigint::oid",
            [granted, LOCK >> 32, LOCK & 0xFFFFFFFF],
        )
        return cursor.fetchone()[0] > 0


@pytest.mark.django_db(transaction=True)
def test_second_waits_for_the_first_and_finds_it_done():
    make_peer_asn(64500, affiliated=True)
    _ix, lan = make_exchange()
    make_port(lan, 64500, "198.51.100.1", pk=7)
    interface = make_interface(make_device())
    make_address("198.51.100.1/24", interface)
    make_scope(interface.device)
    digest = plan_presence().digest
    outcome = {}

    def second():
        try:
            outcome["blind"] = import_presence()
            with pytest.raises(ExchangeError, match="has changed since this preview"):
                import_presence(digest=digest)
        finally:
            connection.close()

    thread = threading.Thread(target=second)
    with one_at_a_time():
        thread.start()
        waited = threading.Event()
        for _ in range(PATIENCE_S * 20):
            if holds_lock(granted=False):
                break
            waited.wait(0.05)
        assert holds_lock(granted=False), "the second did not wait"
        with transaction.atomic():
            import_presence(digest=digest)
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert [outcome["blind"].fabrics, outcome["blind"].networks, outcome["blind"].connections] == [[], [], []]
    counts = [model.objects.count() for model in (PeeringFabric, PeeringNetwork, PeeringConnection)]
    assert counts == [1, 1, 1]


@pytest.mark.django_db(transaction=True)
def test_who_makes_sessions_waits_for_who_renumbers():
    made = []

    def make():
        try:
            made.append(create_sessions([]))
        finally:
            connection.close()

    thread = threading.Thread(target=make)
    with one_at_a_time():
        thread.start()
        waited = threading.Event()
        for _ in range(PATIENCE_S * 20):
            if holds_lock(granted=False):
                break
            waited.wait(0.05)
        assert (holds_lock(granted=False), made) == (True, [])
    thread.join(PATIENCE_S)
    assert made == [[]]

"""The number of queries is fixed: the same for two sessions, twenty and sixty, and never above the budget."""

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from netbox_peering_manager.services.rendering.peering import gather, render_peering
from tests.queries import queries_of
from tests.rendering import scenario

pytestmark = pytest.mark.django_db

BUDGET = 25


@pytest.mark.parametrize("size", [20, 60])
def test_number_of_queries_does_not_grow(size):
    few, many = count_for(2), count_for(size)
    assert few == many
    assert many <= BUDGET


def count_for(size):
    """The queries for a device with so many sessions, which is gone afterwards."""
    with transaction.atomic():
        device = scenario.many_sessions(size)
        user = scenario.engineer("view_session_secrets")
        gather(device.pk)  # content types are known from here on
        count = queries_of(lambda: gather(device.pk, user=user))
        transaction.set_rollback(True)
    return count


def test_everything_at_once_stays_within_the_budget():
    net = scenario.build()
    user = scenario.engineer("view_session_secrets", constraints={"relationship__slug": "peer"})
    # Not even when Django has yet to learn its content types.
    ContentType.objects.clear_cache()
    assert queries_of(lambda: render_peering(net.template, net.device.pk, user=user)) <= BUDGET


def test_part_of_a_device_takes_twice_as_many_at_most():
    net = scenario.build()
    part = [net.full.pk]
    assert queries_of(lambda: gather(net.device.pk, part, removed=())) <= 2 * BUDGET


def test_nothing_is_queried_for_what_does_not_occur():
    from tests import factories

    device = factories.make_device("lonely")
    gather(device.pk)
    assert queries_of(lambda: gather(device.pk)) <= 6

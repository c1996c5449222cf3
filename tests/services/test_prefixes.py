"""Prefixes made together have the place in the hierarchy that prefixes made singly have."""

import netaddr
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ipam.models import VRF, Prefix

from netbox_peering_manager.services.prefixes import bulk_create_prefixes
from tests.factories import look_ups_kept, make_prefix

pytestmark = pytest.mark.django_db


def new(*texts, vrf=None):
    return [Prefix(prefix=netaddr.IPNetwork(text), vrf=vrf) for text in texts]


def hierarchy():
    return {
        (str(prefix.prefix), prefix.vrf_id): (prefix._depth, prefix._children)
        for prefix in Prefix.objects.all()
    }


TEXTS = ("198.51.100.0/24", "198.51.100.128/25", "2001:db8:100::/64", "203.0.113.0/24")


def make_surroundings():
    vrf = VRF.objects.create(name="Other", rd="64500:1")
    for text in ("198.51.0.0/16", "198.51.100.0/26", "198.51.100.192/26", "2001:db8::/32"):
        make_prefix(text)
        make_prefix(text, vrf)


def test_hierarchy_is_as_if_they_were_saved_one_by_one():
    make_surroundings()
    made = bulk_create_prefixes(new(*TEXTS))
    together = hierarchy()
    Prefix.objects.filter(pk__in=[prefix.pk for prefix in made]).delete()
    for prefix in Prefix.objects.all():
        prefix.save()
    for prefix in new(*TEXTS):
        prefix.save()
    assert together == hierarchy()
    assert together["198.51.0.0/16", None] == (0, 4)
    assert together["198.51.100.192/26", None] == (3, 0)


def test_queries_do_not_grow_with_the_prefixes():
    make_surroundings()
    bulk_create_prefixes(new("192.0.2.0/28"))
    counts = []
    for network in ("192.0.2.16/28", "192.0.2.128/25"):
        rows = new(*(str(subnet) for subnet in netaddr.IPNetwork(network).subnet(30)))
        with look_ups_kept(), CaptureQueriesContext(connection) as queries:
            bulk_create_prefixes(rows)
        counts.append(len(queries))
    assert counts[0] == counts[1], counts


def test_nothing_to_make_makes_nothing():
    assert bulk_create_prefixes([]) == []

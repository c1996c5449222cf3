"""The mirror's joins: rows whose parent may not be there."""

import pytest

from netbox_peering_manager.models import PeeringDBNet, PeeringDBNetFac, PeeringDBNetIXLan
from tests.peeringdb.filling import fill_mirror

pytestmark = pytest.mark.django_db


def test_port_is_read_with_its_network_exchange_and_lan_in_one_query(hamlet, django_assert_num_queries):
    fill_mirror(hamlet)
    with django_assert_num_queries(1):
        for port in PeeringDBNetIXLan.objects.select_related("net", "ix", "ixlan"):
            assert (port.net.asn, port.ix.pk, port.ixlan.pk) == (port.asn, port.ix_id, port.ixlan_id)


def test_children_of_a_network_that_is_not_there_stay_in_the_list(hamlet):
    fill_mirror(hamlet)
    ports, buildings = PeeringDBNetIXLan.objects.count(), PeeringDBNetFac.objects.count()
    PeeringDBNet.objects.get(pk=1).delete()
    assert PeeringDBNetIXLan.objects.select_related("net").order_by("net__name").count() == ports
    for port in PeeringDBNetIXLan.objects.select_related("net").filter(net_id=1):
        assert port.net is None
    assert PeeringDBNetFac.objects.select_related("net", "fac").count() == buildings


def test_networks_are_deleted_whatever_hangs_on_them(hamlet):
    fill_mirror(hamlet)
    PeeringDBNet.objects.all().delete()
    assert PeeringDBNetIXLan.objects.exists()

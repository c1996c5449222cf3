"""Every column of the lists can be sorted by."""

from django.contrib.auth.models import AnonymousUser

from utilities.testing import TableTestCases

from netbox_peering_manager.models import PeeringConnection, PeeringFabric, PeeringNetwork
from netbox_peering_manager.tables import PeeringConnectionTable, PeeringFabricTable, PeeringNetworkTable
from tests.factories import make_connection

NOBODY = AnonymousUser()


class TestFabricTable(TableTestCases.StandardTableTestCase):
    table = PeeringFabricTable

    @classmethod
    def get_queryset_sources(cls):
        make_connection()
        return (("list", PeeringFabric.objects.with_counts(NOBODY).with_city()),)


class TestNetworkTable(TableTestCases.StandardTableTestCase):
    table = PeeringNetworkTable

    @classmethod
    def get_queryset_sources(cls):
        make_connection()
        return (("list", PeeringNetwork.objects.with_parents().with_counts(NOBODY)),)


class TestConnectionTable(TableTestCases.StandardTableTestCase):
    table = PeeringConnectionTable

    @classmethod
    def get_queryset_sources(cls):
        make_connection()
        return (("list", PeeringConnection.objects.with_parents()),)

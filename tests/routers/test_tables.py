"""The table of peering routers."""

from django.contrib.auth.models import AnonymousUser

from utilities.testing import TableTestCases

from netbox_peering_manager.models import PeeringRouter
from netbox_peering_manager.tables import PeeringRouterTable
from tests import factories


class PeeringRouterTableTest(TableTestCases.StandardTableTestCase):
    table = PeeringRouterTable

    @classmethod
    def setUpTestData(cls):
        cls.router = PeeringRouter.objects.create(device=factories.make_device())

    @classmethod
    def get_queryset_sources(cls):
        # Views count what their user may see; there is no user in a class attribute.
        return (("list", PeeringRouter.objects.with_counts(AnonymousUser())),)

    def test_name_of_the_device_leads_to_the_router(self):
        row = self.table(PeeringRouter.objects.with_device()).rows[0]
        assert f'href="{self.router.get_absolute_url()}"' in row.get_cell("device")

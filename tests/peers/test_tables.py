"""The table of peer ASNs."""

from django.contrib.auth.models import AnonymousUser

from users.models import User
from utilities.testing import TableTestCases

from netbox_peering_manager.models import PeerASN
from netbox_peering_manager.tables import PeerASNTable
from tests import factories


class PeerASNTableTest(TableTestCases.StandardTableTestCase):
    table = PeerASNTable

    @classmethod
    def setUpTestData(cls):
        cls.peer = factories.make_peer_asn(64496, name="Example", follow_peeringdb=["irr_as_set"])

    @classmethod
    def get_queryset_sources(cls):
        # Views count what their user may see; there is no user in a class attribute.
        return (("list", PeerASN.objects.with_counts(AnonymousUser())),)

    def cells(self):
        rows = PeerASN.objects.with_counts(User.objects.create_superuser("admin"))
        return self.table(rows).rows[0]

    def test_number_and_name_lead_to_the_peer_asn(self):
        row = self.cells()
        for column in ("asn", "name"):
            assert f'href="{self.peer.get_absolute_url()}"' in row.get_cell(column)

    def test_numbers_are_asplain_in_the_table_and_bare_in_its_export(self):
        factories.make_peer_asn(4200000001)
        table = self.table(PeerASN.objects.with_counts(AnonymousUser()).order_by("asn"))
        assert ">AS4200000001<" in table.rows[1].get_cell("asn")
        assert table.rows[1].get_cell_value("asn") == 4200000001

    def test_followed_fields_are_called_as_in_forms(self):
        assert self.cells().get_cell("follow_peeringdb") == "IRR AS-SET"

    def test_sessions_link_to_the_sessions_with_this_as(self):
        factories.make_session(factories.make_bgp_peer(asn=64496))
        assert f"remote_as_id={self.peer.asn_id}" in self.cells().get_cell("session_count")

    def test_only_our_own_are_marked_as_affiliated(self):
        assert "mdi-check-bold" not in self.cells().get_cell("affiliated")
        assert "mdi-close" not in str(self.table(PeerASN.objects.all()).rows[0].get_cell("affiliated"))

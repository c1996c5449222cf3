"""Every column of the tables can be ordered by, and AS numbers are ordered as numbers, inherited ones too."""

from django.contrib.auth.models import AnonymousUser

from netbox_routing.models import BGPPeerTemplate
from utilities.testing import TableTestCases

from netbox_peering_manager.models import PeeringSession, Relationship
from netbox_peering_manager.querysets import count_visible
from netbox_peering_manager.tables import PeeringSessionTable, RelationshipTable
from tests import factories


class RelationshipTableTests(TableTestCases.StandardTableTestCase):
    table = RelationshipTable

    @classmethod
    def get_queryset_sources(cls):
        counted = count_visible("PeeringSession", "relationship", AnonymousUser())
        return (("list", Relationship.objects.annotate(session_count=counted)),)


class PeeringSessionTableTests(TableTestCases.StandardTableTestCase):
    table = PeeringSessionTable

    @classmethod
    def setUpTestData(cls):
        group = BGPPeerTemplate.objects.create(name="G", remote_as=factories.make_asn(64500))
        cls.ninth = factories.make_session(factories.make_bgp_peer("203.0.113.9/32", asn=9))
        cls.grouped = factories.make_session(factories.make_bgp_peer("203.0.113.10/32", peer_group=group))
        cls.last = factories.make_session(factories.make_bgp_peer("203.0.113.11/32", asn=4200000000))
        type(cls.grouped.bgp_peer).objects.filter(pk=cls.grouped.bgp_peer_id).update(remote_as=None)

    @classmethod
    def get_queryset_sources(cls):
        return (("list", PeeringSession.objects.with_bgp().with_connection()),)

    def ordered(self, order_by):
        table = self.table(PeeringSession.objects.with_bgp(), order_by=order_by)
        return [row.record for row in table.rows]

    def test_remote_as_is_ordered_by_its_number(self):
        assert self.ordered("remote_as") == [self.ninth, self.grouped, self.last]
        assert self.ordered("-remote_as") == [self.last, self.grouped, self.ninth]

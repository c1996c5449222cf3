"""Every column of the tables can be ordered by, and AS numbers are ordered as numbers, inherited ones too."""

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ipam.models import VRF
from netbox_routing.models import BGPPeerTemplate
from utilities.testing import TableTestCases

from netbox_peering_manager.models import PeeringSession, Relationship
from netbox_peering_manager.querysets import count_visible
from netbox_peering_manager.tables import PeeringSessionTable, RelationshipTable
from tests import factories
from tests.sessions.people import make_full_session


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
        return (("list", PeeringSession.objects.with_bgp()),)

    def ordered(self, order_by):
        table = self.table(PeeringSession.objects.with_bgp(), order_by=order_by)
        return [row.record for row in table.rows]

    def test_remote_as_is_ordered_by_its_number(self):
        assert self.ordered("remote_as") == [self.ninth, self.grouped, self.last]
        assert self.ordered("-remote_as") == [self.last, self.grouped, self.ninth]

    def test_connection_is_ordered_with_sessions_that_have_none_last(self):
        over = make_full_session()
        assert self.ordered("connection")[0] == over
        assert self.ordered("-connection")[0] == over

    def test_connections_are_looked_up_only_where_the_column_is_shown(self):
        make_full_session()
        table = self.table(PeeringSession.objects.with_bgp())
        rows = list(table.rows)
        with CaptureQueriesContext(connection) as queries:
            for row in rows:
                row.get_cell("device")
        assert not queries.captured_queries
        with CaptureQueriesContext(connection) as queries:
            for row in rows:
                row.get_cell("connection")
        assert len(queries) == 2

    def test_sessions_are_listed_by_bgp_router_and_vrf_then_by_address(self):
        first, vrf = factories.make_scope(), VRF.objects.create(name="Peering")
        second = factories.make_scope(first.router.assigned_object, vrf)
        for host, scope in ((7, second), (100, first), (8, first), (9, second)):
            factories.make_session(factories.make_bgp_peer(f"192.0.2.{host}/32", scope=scope))
        listed = PeeringSession.objects.filter(bgp_peer__peer__address__net_contained="192.0.2.0/24")
        assert [(each.bgp_peer.scope, str(each.bgp_peer.peer.address.ip)) for each in listed] == [
            (first, "192.0.2.8"),
            (first, "192.0.2.100"),
            (second, "192.0.2.7"),
            (second, "192.0.2.9"),
        ]

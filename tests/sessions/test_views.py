"""Stock pages of relationship types and peering sessions."""

from django.urls import reverse

from netbox_routing.models import RouteMap
from utilities.testing import ViewTestCases, create_tags

from netbox_peering_manager.models import PeeringSession, Relationship
from tests import factories
from tests.base import PluginViewMixin, WithoutLabel


class RelationshipViewTests(
    WithoutLabel,
    PluginViewMixin,
    ViewTestCases.OrganizationalObjectViewTestCase,
    ViewTestCases.BulkRenameObjectsViewTestCase,
):
    model = Relationship

    @classmethod
    def setUpTestData(cls):
        transit, customer, peer = (
            factories.make_relationship(name) for name in ("Transit", "Customer", "Peer")
        )
        route_map = RouteMap.objects.create(name="PEERS-IN")
        cls.form_data = {
            "name": "Route Server",
            "slug": "ixp-rs",
            "color": "ffeb3b",
            "bgp_role": "rs-client",
            "routemap_in": route_map.pk,
            "remove_from_router": True,
            "description": "Route servers of exchanges",
            "tags": [tag.pk for tag in create_tags("Alpha", "Bravo")],
        }
        cls.csv_data = (
            "name,slug,color,bgp_role,routemap_in,remove_from_router",
            "Sibling,sibling,ff0000,peer,PEERS-IN,true",
            "Backbone,backbone,00ff00,,,false",
            "Private peer,private-peer,0000ff,peer,,false",
        )
        cls.csv_update_data = (
            "id,name,description",
            f"{transit.pk},Transit!,New",
            f"{customer.pk},Customer!,New",
            f"{peer.pk},Peer!,New",
        )
        cls.bulk_edit_data = {"color": "00bcd4", "bgp_role": "peer", "description": "Edited in bulk"}


class PeeringSessionViewTests(PluginViewMixin, ViewTestCases.PrimaryObjectViewTestCase):
    model = PeeringSession

    @classmethod
    def setUpTestData(cls):
        network = factories.make_network()
        peer, transit = factories.make_relationship("Peer"), factories.make_relationship("Transit")
        sessions = [
            factories.make_session(
                factories.make_bgp_peer(f"198.51.100.{host}/24", asn=64496 + host),
                peer,
                network,
                service_reference=f"NOC-{host}",
            )
            for host in (11, 12, 13)
        ]
        free = [factories.make_bgp_peer(f"198.51.100.{host}/24", asn=64496) for host in (21, 22, 23, 24)]
        cls.form_data = {
            "bgp_peer": free[0].pk,
            "relationship": transit.pk,
            "peering_network": network.pk,
            "service_reference": "NOC-12345",
            "is_route_server": True,
            "ipv4_max_prefixes": 1000,
            "ipv6_max_prefixes": None,
            "description": "A session",
            "tags": [tag.pk for tag in create_tags("Alpha", "Bravo")],
        }
        cls.csv_data = (
            "bgp_peer,relationship,service_reference,is_route_server",
            f"{free[1].pk},peer,NOC-1,false",
            f"{free[2].pk},transit,NOC-2,true",
            f"{free[3].pk},peer,NOC-3,false",
        )
        cls.csv_update_data = (
            "id,service_reference,description",
            *(f"{session.pk},NOC-{session.pk},Updated" for session in sessions),
        )
        cls.bulk_edit_data = {
            "relationship": transit.pk,
            "is_route_server": True,
            "ipv4_max_prefixes": 500,
            "description": "Edited in bulk",
        }

    def test_sessions_are_renamed_in_bulk_by_their_service_reference(self):
        self.add_permissions(
            "netbox_peering_manager.view_peeringsession", "netbox_peering_manager.change_peeringsession"
        )
        sessions = PeeringSession.objects.order_by("pk")
        data = {
            "pk": [session.pk for session in sessions[:2]],
            "_apply": True,
            "find": "^NOC",
            "replace": "TICKET",
            "use_regex": True,
        }
        response = self.client.post(
            reverse("plugins:netbox_peering_manager:peeringsession_bulk_rename"), data
        )
        self.assertHttpStatus(response, 302)
        assert [session.service_reference for session in sessions] == ["TICKET-11", "TICKET-12", "NOC-13"]

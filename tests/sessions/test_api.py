"""REST and GraphQL of relationship types and peering sessions."""

from utilities.testing import APIViewTestCases

from netbox_peering_manager.models import PeeringSession, Relationship
from tests import factories
from tests.base import PluginAPIMixin


class RelationshipAPITests(PluginAPIMixin, APIViewTestCases.APIViewTestCase):
    model = Relationship
    graphql_base_name = "relationship"
    brief_fields = ["description", "display", "id", "name", "slug", "url"]
    bulk_update_data = {"description": "New"}
    bulk_update_invalid_data = {"bgp_role": "friend"}
    create_data = [
        {"name": "Transit", "slug": "transit", "color": "f44336", "bgp_role": "customer"},
        {"name": "Customer", "slug": "customer", "remove_from_router": True},
        {"name": "IX Route Server", "slug": "ixp-rs"},
    ]

    @classmethod
    def setUpTestData(cls):
        for name in ("Peer", "Sibling", "Backbone"):
            factories.make_relationship(name)


class PeeringSessionAPITests(PluginAPIMixin, APIViewTestCases.APIViewTestCase):
    model = PeeringSession
    brief_fields = ["description", "display", "id", "url"]
    bulk_update_data = {"service_reference": "NOC-12345"}
    bulk_update_invalid_data = {"ipv4_max_prefixes": -1}
    user_permissions = (
        "netbox_routing.view_bgppeer",
        "netbox_peering_manager.view_relationship",
        "netbox_peering_manager.view_peeringnetwork",
    )

    @classmethod
    def setUpTestData(cls):
        network = factories.make_network()
        relationship = factories.make_relationship()
        for host in (11, 12, 13):
            factories.make_session(factories.make_bgp_peer(f"198.51.100.{host}/24"), relationship, network)
        free = [factories.make_bgp_peer(f"198.51.100.{host}/24") for host in (21, 22, 23)]
        cls.create_data = [
            {"bgp_peer": peer.pk, "relationship": relationship.pk, "peering_network": network.pk}
            for peer in free
        ]

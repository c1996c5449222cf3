"""REST and GraphQL of peering routers, and of NetBox's Device and Interface in GraphQL."""

import pytest
from django.urls import reverse

from core.models import ObjectChange, ObjectType
from extras.models import ConfigTemplate
from users.models import ObjectPermission
from utilities.testing import APITestCase, APIViewTestCases, create_test_device

from netbox_peering_manager.models import PeeringRouter, PeeringSession
from tests import factories
from tests.base import PluginAPIMixin
from tests.queries import graphql, page, queries_for_few_and_many

LIST = "plugins-api:netbox_peering_manager-api:peeringrouter-list"


class PeeringRouterAPITest(PluginAPIMixin, APIViewTestCases.APIViewTestCase):
    model = PeeringRouter
    brief_fields = ["description", "device", "display", "id", "url"]
    user_permissions = ("dcim.view_device", "extras.view_configtemplate")
    bulk_update_data = {"napalm_driver": "eos", "poll_enabled": True}
    bulk_update_invalid_data = {"napalm_args": {"password": "x"}}

    @classmethod
    def setUpTestData(cls):
        template = ConfigTemplate.objects.create(name="FRR", template_code="x")
        for number in (1, 2, 3):
            device = create_test_device(f"rt{number}.mtl")
            PeeringRouter.objects.create(device=device, napalm_driver=f"d{number}", config_template=template)
        devices = [create_test_device(f"rt{number}.mtl") for number in (4, 5, 6)]
        cls.create_data = [
            {"device": devices[0].pk, "config_template": template.pk, "napalm_args": {"timeout": 30}},
            {"device": devices[1].pk, "napalm_driver": "junos", "push_enabled": True},
            {"device": devices[2].pk},
        ]


class PeeringRouterRestTest(APITestCase):
    user_permissions = (
        "netbox_peering_manager.add_peeringrouter",
        "netbox_peering_manager.view_peeringrouter",
        "netbox_peering_manager.change_peeringrouter",
        "dcim.view_device",
    )

    def post(self, data):
        return self.client.post(reverse(LIST), data, format="json", **self.header)

    def test_device_can_be_given_by_its_name(self):
        factories.make_device("rt1.mtl")
        response = self.post({"device": {"name": "rt1.mtl"}})
        assert response.status_code == 201, response.json()
        assert response.json()["device"]["name"] == response.json()["display"] == "rt1.mtl"

    def test_second_router_of_a_device_is_refused(self):
        router = PeeringRouter.objects.create(device=factories.make_device())
        response = self.post({"device": router.device_id})
        assert response.status_code == 400
        message = "rt1.mtl is a peering router already: edit that one instead of creating another."
        assert response.json() == {"device": [message]}

    def test_router_can_be_written_with_the_device_that_it_has(self):
        router = PeeringRouter.objects.create(device=factories.make_device())
        data = {"device": router.device_id, "poll_enabled": True}
        url = f"{reverse(LIST)}{router.pk}/"
        assert self.client.patch(url, data, format="json", **self.header).status_code == 200

    def test_secret_is_refused_and_kept_nowhere(self):
        device = factories.make_device()
        response = self.post({"device": device.pk, "napalm_args": {"optional_args": {"secret": "hunter2"}}})
        assert response.status_code == 400
        assert response.json()["napalm_args"][0].startswith("optional_args.secret: this looks like a secret")
        assert "hunter2" not in response.content.decode()
        assert not ObjectChange.objects.filter(changed_object_type__model="peeringrouter").exists()

    def test_session_count_is_of_what_the_user_may_view(self):
        PeeringRouter.objects.create(device=factories.make_device())
        factories.make_session()
        url = reverse(LIST)
        assert self.client.get(url, **self.header).json()["results"][0]["session_count"] == 0
        self.add_permissions("netbox_peering_manager.view_peeringsession")
        assert self.client.get(url, **self.header).json()["results"][0]["session_count"] == 1


@factories.look_ups_kept()
def make_routers(numbers):
    template = ConfigTemplate.objects.get_or_create(name="FRR", defaults={"template_code": "x"})[0]
    for number in numbers:
        device = create_test_device(f"rt{number}.mtl")
        PeeringRouter.objects.create(device=device, config_template=template)
        scope = factories.make_scope(device)
        for host in (1, 2):
            peer = factories.make_bgp_peer(f"198.51.{number}.{host}/24", scope=scope)
            factories.make_session(peer)
        network = factories.make_network(f"LAN {number}", ipv4=f"192.0.{number}.0/24", ipv6=None)
        factories.make_connection(
            network, factories.make_interface(device), ipv4=f"192.0.{number}.1/24", ipv6=None
        )


GRAPHQL = "{ peering_router_list { id display poll_enabled device { name } config_template { name } } }"
GRAPHQL_DEVICE = """{
  device_list {
    name
    peering_router { display poll_enabled }
    peering_sessions { id service_reference relationship { name } bgp_peer { name peer { address } } }
  }
}"""
GRAPHQL_INTERFACE = "{ interface_list { name peering_connections { status peering_network { name } } } }"


@pytest.mark.parametrize(
    ("call", "budget"),
    [
        (lambda client: page(client, reverse(LIST)), 20),
        (lambda client: page(client, reverse(LIST) + "?brief=1"), 12),
        (lambda client: graphql(client, GRAPHQL), 10),
        (lambda client: graphql(client, GRAPHQL_DEVICE), 20),
        (lambda client: graphql(client, GRAPHQL_INTERFACE), 10),
    ],
    ids=["rest", "rest-brief", "graphql", "graphql-device", "graphql-interface"],
)
def test_lists_cost_the_same_number_of_queries_for_3_and_for_20_rows(admin, call, budget):
    assert queries_for_few_and_many(lambda: call(admin), make_routers) <= budget


def test_device_in_graphql_has_its_router_and_sessions(admin):
    make_routers([1])
    create_test_device("bare")
    answer = graphql(admin, GRAPHQL_DEVICE)
    devices = {row["name"]: row for row in answer["device_list"]}
    assert devices["bare"] == {"name": "bare", "peering_router": None, "peering_sessions": []}
    assert devices["rt1.mtl"]["peering_router"] == {"display": "rt1.mtl", "poll_enabled": False}
    addresses = [session["bgp_peer"]["peer"]["address"] for session in devices["rt1.mtl"]["peering_sessions"]]
    assert sorted(addresses) == ["198.51.1.1/24", "198.51.1.2/24"]


def test_interface_in_graphql_has_its_connections(admin):
    make_routers([1])
    answer = graphql(admin, GRAPHQL_INTERFACE)
    [interface] = answer["interface_list"]
    assert interface["peering_connections"] == [{"status": "active", "peering_network": {"name": "LAN 1"}}]


class CoreGraphQLPermissionTest(APITestCase):
    """Who may view a device or interface learns nothing by it of what one may not view of peering."""

    user_permissions = ("dcim.view_device", "dcim.view_interface")
    DEVICES = "{ device_list { name peering_router { id } peering_sessions { id } } }"

    def ask(self, query):
        response = self.client.post("/graphql/", {"query": query}, format="json", **self.header)
        assert "errors" not in response.json(), response.json()
        return response.json()["data"]

    def test_router_and_sessions_of_a_device_are_those_that_the_user_may_view(self):
        make_routers([1])
        [device] = self.ask(self.DEVICES)["device_list"]
        assert device == {"name": "rt1.mtl", "peering_router": None, "peering_sessions": []}
        self.add_permissions("netbox_peering_manager.view_peeringrouter")
        assert self.ask(self.DEVICES)["device_list"][0]["peering_router"]
        self.add_permissions("netbox_peering_manager.view_peeringsession")
        assert len(self.ask(self.DEVICES)["device_list"][0]["peering_sessions"]) == 2

    def test_constraints_of_a_permission_hold(self):

        make_routers([1])
        visible = PeeringSession.objects.order_by("pk").first()
        permission = ObjectPermission.objects.create(
            name="one", actions=["view"], constraints={"pk": visible.pk}
        )
        permission.users.add(self.user)
        permission.object_types.add(ObjectType.objects.get_for_model(PeeringSession))
        [device] = self.ask(self.DEVICES)["device_list"]
        assert device["peering_sessions"] == [{"id": str(visible.pk)}]

    def test_what_a_session_or_router_leads_to_is_restricted_too(self):
        make_routers([1])
        self.remove_permissions("dcim.view_device")
        self.add_permissions(
            "netbox_peering_manager.view_peeringrouter", "netbox_peering_manager.view_peeringsession"
        )
        query = {"query": "{ peering_router_list { display device { name } } }"}
        answer = self.client.post("/graphql/", query, format="json", **self.header).json()
        assert not answer["data"] or answer["data"]["peering_router_list"] == []
        self.add_permissions("dcim.view_device")
        query = {"query": "{ device_list { peering_sessions { bgp_peer { name } } } }"}
        answer = self.client.post("/graphql/", query, format="json", **self.header).json()
        assert "AS64496" not in str(answer)

    def test_connections_of_an_interface_are_those_that_the_user_may_view(self):
        make_routers([1])
        query = "{ interface_list { peering_connections { id } } }"
        assert self.ask(query)["interface_list"] == [{"peering_connections": []}]
        self.add_permissions("netbox_peering_manager.view_peeringconnection")
        assert len(self.ask(query)["interface_list"][0]["peering_connections"]) == 1

"""What people see: detail pages, the connection's form, and the panels on NetBox's Interface and Prefix pages."""

import re
from html import unescape

from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from utilities.testing import TestCase

from netbox_peering_manager.models import PeeringConnection
from netbox_peering_manager.services.peeringdb.site import site_url
from tests.fabrics.scenery import grant, make_vrf, populate
from tests.factories import (
    make_address,
    make_connection,
    make_device,
    make_interface,
    make_network,
    make_prefix,
    make_scope,
)

APP = "netbox_peering_manager"
VIEWS = tuple(
    f"{APP}.view_{model}"
    for model in ("peeringfabric", "peeringnetwork", "peeringconnection", "peeringsession")
)
HTMX = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "form_fields"}


class PageCase(TestCase):
    def page(self, url: str, **headers) -> str:
        response = self.client.get(url, **headers)
        assert response.status_code == 200, response.status_code
        return unescape(response.content.decode())

    def queries_of(self, url: str) -> int:
        self.page(url)  # what is cached per process, such as content types
        with CaptureQueriesContext(database) as queries:
            self.page(url)
        return len(queries)


class TestDetailPages(PageCase):
    @classmethod
    def setUpTestData(cls):
        (cls.network, cls.other), (cls.connection, _), (cls.session, _) = populate(2)

    def setUp(self):
        super().setUp()
        grant(self.user, *VIEWS)

    def test_network_lists_its_sessions_and_connections(self):
        page = self.page(self.network.get_absolute_url())
        for model in ("session", "connection"):
            assert (
                f"/plugins/peering-manager/{model}s/?embedded=True&peering_network_id={self.network.pk}"
                in page
            )

    def test_tables_hold_the_networks_own_rows_only(self):
        for path, mine in (("sessions", self.session), ("connections", self.connection)):
            url = f"/plugins/peering-manager/{path}/?peering_network_id={self.network.pk}&embedded=True"
            page = self.page(url, HTTP_HX_REQUEST="true")
            assert mine.get_absolute_url() in page
            assert page.count("<tr ") - page.count("<tr >") <= 3

    def test_connection_lists_its_sessions(self):
        page = self.page(self.connection.get_absolute_url())
        assert f"/plugins/peering-manager/sessions/?embedded=True&connection_id={self.connection.pk}" in page

    def test_fabric_lists_what_lies_on_it_and_links_to_peeringdb(self):
        fabric = self.network.fabric
        page = self.page(fabric.get_absolute_url())
        for path in ("networks", "connections", "sessions"):
            assert f"/plugins/peering-manager/{path}/?fabric_id={fabric.pk}" in page
        assert site_url("ix", fabric.peeringdb_id) in page
        assert "Group 0" in page

    def test_fabric_has_contacts(self):
        grant(self.user, "tenancy.view_contactassignment")
        url = reverse(f"plugins:{APP}:peeringfabric_contacts", args=[self.network.fabric_id])
        assert self.client.get(url).status_code == 200
        assert url in self.page(self.network.fabric.get_absolute_url())

    def test_related_counts_leave_out_what_may_not_be_viewed(self):
        self.user.object_permissions.filter(name=f"{APP}.view_peeringconnection").delete()
        fabric = self.network.fabric
        page = self.page(fabric.get_absolute_url())
        assert f"/plugins/peering-manager/connections/?fabric_id={fabric.pk}" not in page

    def test_list_columns_count_and_link(self):
        page = self.page("/plugins/peering-manager/fabrics/?include_columns=network_count,connection_count")
        for path in ("networks", "connections", "sessions"):
            assert (
                f'<a href="/plugins/peering-manager/{path}/?fabric_id={self.network.fabric_id}">1</a>' in page
            )


class TestQueries(PageCase):
    """Pages cost the same number of queries whatever their number of rows."""

    LISTS = ("fabrics", "networks", "connections")

    def setUp(self):
        super().setUp()
        grant(self.user, *VIEWS)

    def lists(self) -> dict[str, int]:
        every = {
            "fabrics": "type,status,site,tenant,peer_group,ipv4_prefix,ipv6_prefix,city,current_peers,coverage,"
            "network_count,session_count,peeringdb_id,tags,owner",
            "networks": "fabric,ipv4_prefix,ipv6_prefix,vlan,site,tenant,connection_count,session_count,tags",
            "connections": "connection,peering_network,fabric,device,interface,site,ipv4_address,ipv6_address,"
            "bgp_scope,ipv4_peer_group,ipv6_peer_group,tags",
        }
        return {
            path: self.queries_of(f"/plugins/peering-manager/{path}/?include_columns={every[path]}")
            for path in self.LISTS
        }

    def test_lists(self):
        populate(3)
        few = self.lists()
        populate(20, start=3)
        assert self.lists() == few
        assert max(few.values()) <= 30, few

    def test_detail_pages(self):
        (network, *_), (connection, *_), _ = populate(1)
        pages = [each.get_absolute_url() for each in (network.fabric, network, connection)]
        few = [self.queries_of(url) for url in pages]
        for number in range(2, 12):
            interface = make_interface(make_device(f"rt{number}"))
            make_connection(network, interface, f"198.51.0.{number}/24", None)
            make_network(f"LAN {number}", network.fabric, f"203.0.{number}.0/24", None)
        assert [self.queries_of(url) for url in pages] == few

    def test_interface_and_prefix_pages(self):
        grant(self.user, "dcim.view_interface", "ipam.view_prefix")
        network, interface = make_network(), make_interface(make_device())
        make_connection(network, interface)
        pages = [interface.get_absolute_url(), network.ipv4_prefix.get_absolute_url()]
        few = [self.queries_of(url) for url in pages]
        for number in range(2, 12):
            lan = make_network(f"LAN {number}", network.fabric, f"203.0.{number}.0/24", None)
            make_connection(lan, interface, f"203.0.{number}.1/24", None)
        assert [self.queries_of(url) for url in pages] == few


class TestConnectionForm(PageCase):
    url = "/plugins/peering-manager/connections/add/"

    @classmethod
    def setUpTestData(cls):
        cls.network, cls.device = make_network(), make_device()
        cls.interface = make_interface(cls.device)
        cls.address = make_address("198.51.100.1/24", cls.interface)

    def setUp(self):
        super().setUp()
        grant(
            self.user,
            f"{APP}.add_peeringconnection",
            f"{APP}.view_peeringnetwork",
            "dcim.view_device",
            "dcim.view_interface",
        )

    def prefilled(self, **headers) -> str:
        query = f"peering_network={self.network.pk}&device={self.device.pk}&interface={self.interface.pk}"
        return self.page(f"{self.url}?{query}", **headers)

    def selected(self, page: str) -> list[str]:
        """Return the chosen options, but for those that are chosen when nothing is."""
        chosen = re.findall(r"<option[^>]*selected[^>]*>([^<]*)</option>", page)
        return [
            text for each in chosen if (text := each.strip()) not in ("Active", "- Select an option -", "")
        ]

    def test_a_link_prefills_network_device_and_interface(self):
        assert self.selected(self.prefilled()) == [str(self.network), "rt1.mtl", "Ethernet1"]

    def test_device_is_known_from_the_interface(self):
        assert "rt1.mtl" in self.selected(self.page(f"{self.url}?interface={self.interface.pk}"))

    def test_says_what_will_be_found(self):
        grant(self.user, "ipam.view_ipaddress")
        for headers in ({}, HTMX):
            page = self.prefilled(**headers)
            assert "Left empty: 198.51.100.1/24" in page
            assert page.count("Left empty: stays empty, there is not exactly one that fits") == 2

    def test_does_not_say_an_address_that_may_not_be_viewed(self):
        page = self.prefilled()
        assert "198.51.100.1/24" not in page
        assert "Left empty: the interface's address in the network's IPv4 prefix" in page

    def test_offers_the_scopes_of_the_devices_routers(self):
        scope = make_scope(self.device)
        make_scope(make_device("rt2"))
        assert f'"queryParam":"router_id","queryValue":[{scope.router_id}]' in self.prefilled()

    def test_changing_the_device_forgets_interface_address_and_scope(self):
        grant(self.user, "ipam.view_ipaddress", "netbox_routing.view_bgpscope")
        scope = make_scope(self.device)
        port = f"interface={self.interface.pk}&ipv4_address={self.address.pk}&bgp_scope={scope.pk}"
        page = self.page(f"{self.url}?device={self.device.pk}&{port}", **HTMX)
        assert self.selected(page) == ["rt1.mtl", "Ethernet1", "198.51.100.1/24", str(scope)]
        page = self.page(f"{self.url}?device={make_device('rt2').pk}&{port}", **HTMX)
        assert self.selected(page) == ["rt2"]

    def test_nonsense_prefills_nothing(self):
        page = self.page(f"{self.url}?peering_network=x&device=-1&interface=99999999999999999999")
        assert self.selected(page) == []

    def test_interface_of_another_device_is_refused(self):
        other = make_device("rt2")
        data = {
            "peering_network": self.network.pk,
            "device": other.pk,
            "interface": self.interface.pk,
            "status": "active",
        }
        response = self.client.post(self.url, data)
        assert "Ethernet1 is an interface of rt1.mtl, not of rt2." in unescape(response.content.decode())
        assert not PeeringConnection.objects.exists()

    def test_left_out_addresses_are_found(self):
        data = {"peering_network": self.network.pk, "interface": self.interface.pk, "status": "active"}
        assert self.client.post(self.url, data).status_code == 302
        assert PeeringConnection.objects.get().ipv4_address == self.address

    def test_edit_form_fills_in_the_device(self):
        connection = make_connection(self.network, self.interface, None, None)
        grant(self.user, f"{APP}.change_peeringconnection")
        url = f"/plugins/peering-manager/connections/{connection.pk}/edit/"
        assert "rt1.mtl" in self.selected(self.page(url))


class TestInterfacePage(PageCase):
    BUTTON = "Create connection"

    @classmethod
    def setUpTestData(cls):
        cls.interface = make_interface(make_device())
        cls.connection = make_connection(make_network(), cls.interface)

    def setUp(self):
        super().setUp()
        grant(self.user, "dcim.view_interface")

    def shown(self) -> str:
        page = self.page(self.interface.get_absolute_url())
        assert "begin InterfaceConnectionsPanel" in page
        return page.split("begin InterfaceConnectionsPanel")[1].split("end InterfaceConnectionsPanel")[0]

    def test_its_connections(self):
        grant(self.user, f"{APP}.view_peeringconnection")
        panel = self.shown()
        for link in (self.connection, self.connection.peering_network, *self.connection.addresses):
            assert link.get_absolute_url() in panel
        assert self.BUTTON not in panel

    def test_button_prefills_the_form(self):
        grant(self.user, f"{APP}.view_peeringconnection", f"{APP}.add_peeringconnection")
        assert (
            f"/plugins/peering-manager/connections/add/?device={self.interface.device_id}"
            f"&interface={self.interface.pk}"
        ) in self.shown()

    def test_without_permission_nothing(self):
        assert "InterfaceConnectionsPanel" not in self.page(self.interface.get_absolute_url())

    def test_what_may_not_be_viewed_is_left_out(self):
        grant(self.user, f"{APP}.view_peeringconnection", pk=0)
        assert "InterfaceConnectionsPanel" not in self.page(self.interface.get_absolute_url())

    def test_nothing_to_show_and_nothing_to_do(self):
        grant(self.user, f"{APP}.view_peeringconnection")
        bare = make_interface(self.interface.device, "Ethernet2")
        assert "InterfaceConnectionsPanel" not in self.page(bare.get_absolute_url())


class TestPrefixPage(PageCase):
    @classmethod
    def setUpTestData(cls):
        cls.network = make_network()
        cls.free = make_prefix("198.51.100.0/24", make_vrf("Customer"))

    def setUp(self):
        super().setUp()
        grant(self.user, "ipam.view_prefix")

    def test_the_network_of_either_family(self):
        grant(self.user, f"{APP}.view_peeringnetwork", f"{APP}.add_peeringnetwork")
        for prefix in self.network.prefixes:
            page = self.page(prefix.get_absolute_url())
            assert self.network.get_absolute_url() in page
            assert "Create network" not in page

    def test_button_prefills_the_form(self):
        grant(self.user, f"{APP}.view_peeringnetwork", f"{APP}.add_peeringnetwork")
        page = self.page(self.free.get_absolute_url())
        assert f"/plugins/peering-manager/networks/add/?ipv4_prefix={self.free.pk}" in page

    def test_button_for_an_ipv6_prefix(self):
        grant(self.user, f"{APP}.view_peeringnetwork", f"{APP}.add_peeringnetwork")
        prefix = make_prefix("2001:db8:9::/64")
        assert f"networks/add/?ipv6_prefix={prefix.pk}" in self.page(prefix.get_absolute_url())

    def test_nothing_to_show_and_nothing_to_do(self):
        grant(self.user, f"{APP}.view_peeringnetwork")
        assert "PrefixNetworkPanel" not in self.page(self.free.get_absolute_url())

    def test_without_permission_nothing(self):
        assert "PrefixNetworkPanel" not in self.page(self.network.ipv4_prefix.get_absolute_url())

    def test_network_that_may_not_be_viewed_offers_no_button_that_would_fail(self):
        grant(self.user, f"{APP}.view_peeringnetwork", pk=0)
        grant(self.user, f"{APP}.add_peeringnetwork")
        assert "PrefixNetworkPanel" not in self.page(self.network.ipv4_prefix.get_absolute_url())

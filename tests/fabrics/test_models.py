"""What fabrics, networks and connections accept and refuse, and what a connection finds by itself."""

import pytest
from django.core.exceptions import ValidationError

from ipam.models import IPAddress, Prefix

from netbox_peering_manager.models import PeeringConnection, PeeringNetwork
from tests.fabrics.mirror import make_port
from tests.fabrics.scenery import make_vrf
from tests.factories import (
    make_address,
    make_connection,
    make_device,
    make_fabric,
    make_interface,
    make_network,
    make_prefix,
    make_scope,
    make_second_scope,
)

pytestmark = pytest.mark.django_db


def refused(instance) -> dict[str, list[str]]:
    """Return the messages by field with which `instance` is refused."""
    with pytest.raises(ValidationError) as caught:
        instance.full_clean()
    return caught.value.message_dict


@pytest.fixture
def network() -> PeeringNetwork:
    return make_network()


@pytest.fixture
def interface():
    return make_interface(make_device())


class TestNetwork:
    def test_needs_a_prefix(self):
        network = PeeringNetwork(fabric=make_fabric(), name="Bare")
        assert refused(network) == {
            "__all__": ["A peering network needs an IPv4 prefix, an IPv6 prefix, or both."]
        }

    def test_one_prefix_is_enough(self):
        PeeringNetwork(
            fabric=make_fabric(), name="LAN", ipv6_prefix=make_prefix("2001:db8::/64")
        ).full_clean()

    def test_prefixes_of_the_wrong_family(self):
        network = PeeringNetwork(
            fabric=make_fabric(),
            name="Swapped",
            ipv4_prefix=make_prefix("2001:db8::/64"),
            ipv6_prefix=make_prefix("198.51.100.0/24"),
        )
        assert refused(network) == {
            "ipv4_prefix": ["2001:db8::/64 is not an IPv4 prefix."],
            "ipv6_prefix": ["198.51.100.0/24 is not an IPv6 prefix."],
        }

    def test_name_is_unique_within_its_fabric_only(self, network):
        prefix = make_prefix("203.0.113.0/24")
        twin = PeeringNetwork(fabric=network.fabric, name=network.name, ipv4_prefix=prefix)
        assert refused(twin) == {"__all__": ["This fabric has a network of this name already."]}
        twin.fabric = make_fabric("AMS-IX")
        twin.full_clean()

    def test_a_prefix_is_one_network_only(self, network):
        other = PeeringNetwork(fabric=network.fabric, name="Other", ipv4_prefix=network.ipv4_prefix)
        assert list(refused(other)) == ["ipv4_prefix"]

    def test_same_prefix_of_another_vrf_is_another_lan(self, network):
        prefix = make_prefix("198.51.100.0/24", make_vrf("Customer"))
        PeeringNetwork(fabric=network.fabric, name="Customer LAN", ipv4_prefix=prefix).full_clean()

    def test_mtu_below_what_ipv4_needs(self, network):
        network.mtu = 67
        assert list(refused(network)) == ["mtu"]

    def test_is_called_by_its_fabric_and_name(self, network):
        assert str(network) == "LINX LON1: LINX LON1 Main"


class TestOnLAN:
    """PeeringNetwork.why_not_on_lan, the rule that sessions share."""

    @pytest.mark.parametrize(
        "address", ["198.51.100.9/24", "198.51.100.9/32", "2001:db8:100::9/64", "fe80::1/64"]
    )
    def test_accepted(self, network, address):
        assert network.why_not_on_lan(IPAddress(address=address)) == ""

    def test_outside_the_prefix(self, network):
        assert network.why_not_on_lan(IPAddress(address="203.0.113.1/24")) == (
            "203.0.113.1/24 lies outside 198.51.100.0/24, the IPv4 prefix of LINX LON1: LINX LON1 Main."
        )

    def test_family_that_the_lan_has_not(self):
        network = make_network(ipv6=None)
        assert network.why_not_on_lan(IPAddress(address="2001:db8:100::9/64")) == (
            "2001:db8:100::9/64 is IPv6, and LINX LON1: LINX LON1 Main has no IPv6 prefix."
        )

    def test_link_local_needs_no_ipv6_prefix(self):
        assert make_network(ipv6=None).why_not_on_lan(IPAddress(address="fe80::1/64")) == ""

    def test_another_vrf(self, network):
        vrf = make_vrf("Customer", "64500:1")
        assert network.why_not_on_lan(make_address("198.51.100.9/24", vrf=vrf)) == (
            "198.51.100.9/24 is in Customer (64500:1), but 198.51.100.0/24 of LINX LON1: LINX LON1 Main is in the "
            "global table."
        )


class TestFound:
    """What a connection fills in by itself."""

    def test_addresses_and_scope(self, network, interface):
        scope = make_scope(interface.device)
        connection = make_connection(network, interface)
        connection.refresh_from_db()
        assert [str(address) for address in connection.addresses] == ["198.51.100.1/24", "2001:db8:100::1/64"]
        assert connection.bgp_scope == scope

    def test_nothing_of_two_addresses_on_the_lan(self, network, interface):
        make_address("198.51.100.7/24", interface)
        connection = make_connection(network, interface, ipv6=None)
        assert connection.ipv4_address is None

    def test_what_was_given_stays(self, network, interface):
        make_address("198.51.100.7/24", interface)
        second = make_address("198.51.100.8/24", interface)
        connection = make_connection(network, interface, None, None, ipv4_address=second)
        assert connection.ipv4_address == second

    def test_address_of_the_lans_vrf(self, interface):
        vrf = make_vrf("Internet")
        make_address("198.51.100.7/24", interface)
        inside = make_address("198.51.100.8/24", interface, vrf)
        connection = make_connection(make_network(vrf=vrf, ipv6=None), interface, None, None)
        assert connection.ipv4_address == inside

    def test_no_address_outside_the_lan(self, network, interface):
        make_address("203.0.113.1/24", interface)
        assert make_connection(network, interface, None, None).addresses == []

    def test_no_address_of_another_interface(self, network, interface):
        make_address("198.51.100.7/24", make_interface(interface.device, "Ethernet2"))
        assert make_connection(network, interface, None, None).addresses == []

    def test_scope_of_the_lans_vrf(self, interface):
        vrf = make_vrf("Internet")
        make_scope(interface.device)
        inside = make_scope(interface.device, vrf)
        assert make_connection(make_network(vrf=vrf), interface).bgp_scope == inside

    def test_no_scope_of_two_routers(self, network, interface):
        make_scope(interface.device)
        make_second_scope(interface.device, 64501)
        assert make_connection(network, interface).bgp_scope is None

    def test_scope_of_two_routers_is_that_of_the_ports_as(self, interface):
        network = make_network()
        make_scope(interface.device)
        scope = make_second_scope(interface.device, 64501)
        port = make_port(1, 64501)
        assert make_connection(network, interface, peeringdb_id=port.pk).bgp_scope == scope
        third = make_interface(interface.device, "Ethernet3")
        assert make_connection(network, third, None, None, peeringdb_id=port.pk + 1).bgp_scope is None

    def test_no_scope_without_a_router(self, network, interface):
        make_scope(make_device("rt2"))
        assert make_connection(network, interface).bgp_scope is None


class TestConnection:
    def connection(self, network, interface, **fields) -> PeeringConnection:
        return PeeringConnection(peering_network=network, interface=interface, **fields)

    def test_addresses_of_the_wrong_family(self, network, interface):
        swapped = self.connection(
            network,
            interface,
            ipv4_address=make_address("2001:db8:100::1/64", interface),
            ipv6_address=make_address("198.51.100.1/24", interface),
        )
        assert refused(swapped) == {
            "ipv4_address": ["2001:db8:100::1/64 is not an IPv4 address."],
            "ipv6_address": ["198.51.100.1/24 is not an IPv6 address."],
        }

    def test_address_outside_the_lan(self, network, interface):
        outside = self.connection(network, interface, ipv4_address=make_address("203.0.113.1/24", interface))
        assert refused(outside) == {
            "ipv4_address": [
                "203.0.113.1/24 lies outside 198.51.100.0/24, the IPv4 prefix of LINX LON1: LINX LON1 Main."
            ]
        }

    def test_address_of_another_vrf(self, network, interface):
        vrf = make_vrf("Customer")
        Prefix.objects.create(prefix="198.51.100.0/24", vrf=vrf)
        elsewhere = self.connection(
            network, interface, ipv4_address=make_address("198.51.100.1/24", interface, vrf)
        )
        assert refused(elsewhere)["ipv4_address"][0].startswith("198.51.100.1/24 is in Customer, but")

    def test_link_local_address(self, network, interface):
        self.connection(network, interface, ipv6_address=make_address("fe80::1/64", interface)).full_clean()

    def test_address_without_interface(self, network, interface):
        self.connection(network, interface, ipv4_address=make_address("198.51.100.1/24")).full_clean()

    def test_address_of_another_interface(self, network, interface):
        other = make_interface(make_device("rt2"), "xe-0/0/1")
        taken = self.connection(network, interface, ipv4_address=make_address("198.51.100.1/24", other))
        assert refused(taken) == {
            "ipv4_address": ["198.51.100.1/24 is assigned to rt2 xe-0/0/1, not to rt1.mtl Ethernet1."]
        }

    def test_address_of_another_connection(self, network, interface):
        first = make_connection(network, interface, ipv6=None)
        IPAddress.objects.filter(pk=first.ipv4_address_id).update(
            assigned_object_id=None, assigned_object_type=None
        )
        second = self.connection(
            network, make_interface(interface.device, "Ethernet2"), ipv4_address=first.ipv4_address
        )
        second.ipv4_address.refresh_from_db()
        assert refused(second) == {"ipv4_address": [f"198.51.100.1/24 is the address of {first} already."]}

    def test_scope_of_another_device(self, network, interface):
        scope = make_scope(make_device("rt2"))
        assert refused(self.connection(network, interface, bgp_scope=scope)) == {
            "bgp_scope": [f"{scope} is not on rt1.mtl, the device of interface Ethernet1."]
        }

    def test_all_that_is_wrong_is_said_at_once(self, network, interface):
        wrong = self.connection(
            network,
            interface,
            ipv4_address=make_address("203.0.113.1/24", interface),
            ipv6_address=make_address("2001:db8:200::1/64", interface),
            bgp_scope=make_scope(make_device("rt2")),
        )
        assert sorted(refused(wrong)) == ["bgp_scope", "ipv4_address", "ipv6_address"]

    def test_second_one_of_an_interface_to_a_network(self, network, interface):
        make_connection(network, interface)
        assert (
            "This interface has a connection to this network already."
            in (refused(self.connection(network, interface))["__all__"])
        )

    def test_second_one_of_an_interface_to_another_network(self, network, interface):
        make_connection(network, interface)
        other = make_network("Other", network.fabric, "203.0.113.0/24", None)
        self.connection(other, interface).full_clean()

    def test_is_called_by_its_port_and_network(self, network, interface):
        assert str(make_connection(network, interface)) == "rt1.mtl Ethernet1 @ LINX LON1: LINX LON1 Main"

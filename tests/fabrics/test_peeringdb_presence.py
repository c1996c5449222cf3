"""Import of our own ports: what is made, what is there, what is waited for and what contradicts itself."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection as database
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from core.models import ObjectChange
from ipam.models import FHRPGroup, IPAddress, Prefix

from netbox_peering_manager.exceptions import ExchangeError
from netbox_peering_manager.models import (
    PeeringConnection,
    PeeringDBIX,
    PeeringDBIXLan,
    PeeringDBIXPfx,
    PeeringDBNetIXLan,
    PeeringFabric,
    PeeringNetwork,
)
from netbox_peering_manager.services.peeringdb.presence import import_presence, plan_presence
from tests.fabrics.mirror import make_exchange, make_ix, make_ixlan, make_ixpfx, make_port
from tests.fabrics.scenery import grant, make_vrf
from tests.factories import (
    look_ups_kept,
    make_address,
    make_connection,
    make_device,
    make_fabric,
    make_interface,
    make_network,
    make_peer_asn,
    make_prefix,
    make_scope,
    make_second_scope,
)
from tests.peeringdb.filling import fill_mirror

pytestmark = pytest.mark.django_db

APP = "netbox_peering_manager"
OURS = 64500
FOUR, SIX = "198.51.100.1", "2001:db8:100::1"


@pytest.fixture
def us():
    return make_peer_asn(OURS, affiliated=True)


@pytest.fixture
def lan():
    return make_exchange()[1]


@pytest.fixture
def port(us, lan):
    """Our dual-stack port on the LAN of exchange 26."""
    return make_port(lan, OURS, FOUR, SIX, pk=7)


@pytest.fixture
def interface():
    return make_interface(make_device())


def assign(interface, *texts, vrf=None):
    return [make_address(text, interface, vrf) for text in texts]


def both(interface, vrf=None):
    return assign(interface, f"{FOUR}/24", f"{SIX}/64", vrf=vrf)


def made():
    return [
        model.objects.count()
        for model in (PeeringFabric, PeeringNetwork, PeeringConnection, Prefix, IPAddress)
    ]


def problems():
    """The problems of the only port in conflict."""
    [conflict] = plan_presence().ports.conflicts
    return " ".join(problem.text for problem in conflict.problems)


def nothing_happens_a_second_time():
    before = made()
    plan = plan_presence()
    assert not plan.changes
    import_presence()
    assert made() == before


class TestPorts:
    def test_port_becomes_a_connection_where_its_addresses_are(self, port, interface):
        four, six = both(interface)
        scope = make_scope(interface.device)
        imported = import_presence()
        connection = PeeringConnection.objects.get()
        assert connection.interface == interface
        assert (connection.ipv4_address, connection.ipv6_address) == (four, six)
        assert (connection.bgp_scope, connection.peeringdb_id, connection.status) == (scope, 7, "active")
        assert connection.peering_network.peeringdb_id == 26
        assert connection.peering_network.fabric.peeringdb_id == 26
        assert [*imported.connections] == [connection]
        assert (len(imported.fabrics), len(imported.networks)) == (1, 1)
        nothing_happens_a_second_time()

    def test_connection_is_valid_for_netboxs_own_form(self, port, interface):
        both(interface)
        make_scope(interface.device)
        import_presence()
        PeeringConnection.objects.get().full_clean()
        PeeringNetwork.objects.get().full_clean()

    def test_several_ports_on_one_lan(self, port, lan, interface):
        both(interface)
        make_port(lan, OURS, "198.51.100.2", pk=8)
        assign(make_interface(make_device("rt2")), "198.51.100.2/24")
        import_presence()
        assert {(each.port, each.peeringdb_id) for each in PeeringConnection.objects.all()} == {
            ("rt1.mtl Ethernet1", 7),
            ("rt2 Ethernet1", 8),
        }
        nothing_happens_a_second_time()

    def test_several_own_asns(self, port, lan, interface):
        both(interface)
        make_peer_asn(64501, affiliated=True)
        make_port(lan, 64501, "198.51.100.2")
        assign(make_interface(interface.device, "Ethernet2"), "198.51.100.2/24")
        import_presence()
        assert made()[:3] == [1, 1, 2]
        nothing_happens_a_second_time()

    def test_only_the_chosen_asns(self, port, lan, interface):
        other = make_peer_asn(64501, affiliated=True)
        make_port(lan, 64501, "198.51.100.2", pk=8)
        plan = plan_presence([other])
        assert plan.asns == (64501,)
        assert [unready.port.netixlan_id for unready in plan.ports.waiting] == [8]

    def test_asn_that_is_not_ours_is_not_imported_even_when_chosen(self, port, lan):
        peer = make_peer_asn(64496)
        make_port(lan, 64496, "198.51.100.9")
        assert plan_presence([peer]).asns == ()

    def test_several_lans_of_one_exchange_and_only_those_where_we_are(self, port, interface):
        make_ixlan(26, 27, "203.0.113.0/24", name="Jumbo")
        make_ixlan(26, 28, "192.0.2.0/24", name="Not ours")
        make_port(PeeringDBIXLan.objects.get(pk=27), OURS, "203.0.113.1")
        both(interface)
        assign(interface, "203.0.113.1/24")
        import_presence()
        assert made()[:3] == [1, 2, 2]
        assert {network.name for network in PeeringNetwork.objects.all()} == {"Example IX", "Jumbo"}
        nothing_happens_a_second_time()

    def test_port_that_is_not_operational_is_planned(self, us, lan, interface):
        make_port(lan, OURS, FOUR, operational=False)
        assign(interface, f"{FOUR}/24")
        import_presence()
        assert PeeringConnection.objects.get().status == "planned"

    def test_port_of_one_family(self, us, lan, interface):
        make_port(lan, OURS, None, SIX)
        [six] = assign(interface, f"{SIX}/64")
        import_presence()
        connection = PeeringConnection.objects.get()
        assert (connection.ipv4_address, connection.ipv6_address) == (None, six)

    def test_scope_is_taken_only_when_it_is_the_only_one_in_the_lans_vrf(self, port, interface):
        both(interface)
        make_scope(interface.device, make_vrf("Other"))
        import_presence()
        assert PeeringConnection.objects.get().bgp_scope is None
        scope = make_scope(interface.device)
        assert plan_presence().changes
        import_presence()
        assert PeeringConnection.objects.get().bgp_scope == scope
        nothing_happens_a_second_time()

    def test_of_two_bgp_routers_on_a_device_each_port_gets_the_scope_of_its_as(self, port, lan, interface):
        make_peer_asn(64501, affiliated=True)
        make_port(lan, 64501, "198.51.100.2", pk=8)
        both(interface)
        assign(make_interface(interface.device, "Ethernet2"), "198.51.100.2/24")
        for asn in (OURS, 64501):
            make_second_scope(interface.device, asn)
        import_presence()
        assert {
            (each.peeringdb_id, each.bgp_scope.router.asn.asn) for each in PeeringConnection.objects.all()
        } == {(7, OURS), (8, 64501)}
        nothing_happens_a_second_time()

    def test_of_two_bgp_routers_of_other_as_none_is_guessed(self, port, interface):
        both(interface)
        for asn in (64501, 64502):
            make_second_scope(interface.device, asn)
        import_presence()
        assert PeeringConnection.objects.get().bgp_scope is None
        scope = make_second_scope(interface.device, OURS)
        import_presence()
        assert PeeringConnection.objects.get().bgp_scope == scope

    def test_connection_is_made_with_the_address_that_is_there_and_completed_later(self, port, interface):
        assign(interface, f"{FOUR}/24")
        [planned] = plan_presence().ports.planned
        assert [str(missing) for missing in planned.lacking] == [
            f"Add {SIX}/64 in the global table and assign it to rt1.mtl Ethernet1."
        ]
        import_presence()
        [here] = plan_presence().ports.here
        assert [missing.text for missing in here.lacking] == [f"{SIX}/64"]
        [six] = assign(interface, f"{SIX}/64")
        import_presence()
        assert PeeringConnection.objects.get().ipv6_address == six
        nothing_happens_a_second_time()


class TestWaiting:
    def test_missing_addresses_are_named_with_mask_vrf_and_the_routers_of_the_as(self, port):
        make_scope(make_device("rt2")), make_scope(make_device("rt1"))
        [waiting] = plan_presence().ports.waiting
        assert [str(missing) for missing in waiting.missing] == [
            f"Add {text} in the global table and assign it to the interface of rt1 or rt2 that is plugged in there."
            for text in (f"{FOUR}/24", f"{SIX}/64")
        ]

    def test_fabric_and_network_are_made_all_the_same(self, port):
        import_presence()
        assert made() == [1, 1, 0, 2, 0]
        nothing_happens_a_second_time()

    def test_address_that_is_assigned_to_nothing_is_to_be_assigned(self, us, lan):
        make_port(lan, OURS, FOUR)
        address = make_address(f"{FOUR}/32")
        [waiting] = plan_presence().ports.waiting
        [missing] = waiting.missing
        assert missing.address_id == address.pk
        assert str(missing) == (
            f"Assign {FOUR}/32, which is in the global table, to the interface that is plugged in there."
        )


class TestVrf:
    def test_new_network_goes_into_the_vrf_of_our_addresses(self, port, interface):
        vrf = make_vrf("Peering")
        both(interface, vrf)
        scope = make_scope(interface.device, vrf)
        import_presence()
        network = PeeringNetwork.objects.get()
        assert {prefix.vrf for prefix in network.prefixes} == {vrf}
        assert PeeringConnection.objects.get().bgp_scope == scope
        nothing_happens_a_second_time()

    def test_new_network_goes_into_the_vrf_of_its_prefix(self, port):
        vrf = make_vrf("Peering")
        there = make_prefix("198.51.100.0/24", vrf)
        import_presence()
        network = PeeringNetwork.objects.get()
        assert (network.ipv4_prefix, network.ipv6_prefix.vrf) == (there, vrf)

    def test_chosen_vrf_wins(self, port):
        vrf = make_vrf("Peering")
        make_prefix("198.51.100.0/24")
        import_presence(vrf=vrf)
        assert PeeringNetwork.objects.get().ipv4_prefix.vrf == vrf

    def test_addresses_in_two_vrfs_are_a_conflict(self, port, interface):
        assign(interface, f"{FOUR}/24")
        assign(interface, f"{SIX}/64", vrf=make_vrf("Peering"))
        assert "198.51.100.1/24 in the global table, 2001:db8:100::1/64 in VRF Peering" in problems()
        import_presence()
        assert made()[:3] == [1, 0, 0]

    def test_address_in_another_vrf_than_the_network_is_a_conflict(self, port, interface):
        make_network("LAN", make_fabric("Ours"))
        both(interface, make_vrf("Peering"))
        assert "198.51.100.1/24 is on rt1.mtl Ethernet1 in VRF Peering, but 198.51.100.0/24" in problems()


class TestAdoption:
    def test_fabric_and_network_of_the_same_prefix_are_linked(self, port, interface):
        network = make_network("LAN", make_fabric("Ours"), ipv6=None)
        both(interface)
        import_presence()
        network.refresh_from_db()
        assert (network.peeringdb_id, network.fabric.peeringdb_id) == (26, 26)
        assert str(network.ipv6_prefix) == "2001:db8:100::/64"
        assert made()[:3] == [1, 1, 1]
        nothing_happens_a_second_time()

    def test_connection_with_the_address_is_linked(self, port, interface):
        network = make_network("LAN", make_fabric("Ours"))
        connection = make_connection(network, interface, f"{FOUR}/24", f"{SIX}/64")
        import_presence()
        connection.refresh_from_db()
        assert connection.peeringdb_id == 7
        assert made()[2] == 1
        nothing_happens_a_second_time()

    def test_connection_on_the_interface_without_addresses_is_filled(self, port, interface):
        network = make_network("LAN", make_fabric("Ours"))
        connection = make_connection(network, interface, None, None)
        four, six = both(interface)
        import_presence()
        connection.refresh_from_db()
        assert (connection.peeringdb_id, connection.ipv4_address, connection.ipv6_address) == (7, four, six)
        nothing_happens_a_second_time()

    def test_fabric_of_the_same_name_alone_is_a_conflict_with_the_way_out(self, port):
        fabric = make_fabric("Example IX")
        [conflict] = plan_presence().ports.conflicts
        [problem] = conflict.problems
        assert (problem.way, problem.object_id) == ("link", fabric.pk)
        import_presence()
        assert made()[:3] == [1, 0, 0]

    def test_lan_that_two_fabrics_hold_is_a_conflict(self, port):
        make_network("v4", make_fabric("One"), ipv6=None)
        make_network("v6", make_fabric("Two"), ipv4=None)
        assert "One: v4" in problems()
        assert "Two: v6" in problems()


class TestConflicts:
    def test_families_on_different_interfaces(self, port, interface):
        assign(interface, f"{FOUR}/24")
        assign(make_interface(make_device("rt2")), f"{SIX}/64")
        assert problems() == (
            "198.51.100.1/24 is on rt1.mtl Ethernet1 and 2001:db8:100::1/64 is on rt2 Ethernet1: a port has but one "
            "interface."
        )

    def test_address_assigned_twice(self, us, lan, interface):
        make_port(lan, OURS, FOUR)
        assign(interface, f"{FOUR}/24"), assign(make_interface(make_device("rt2")), f"{FOUR}/24")
        assert "198.51.100.1 is assigned more than once: rt1.mtl Ethernet1, rt2 Ethernet1" in problems()

    def test_address_on_something_that_is_no_interface(self, us, lan):
        make_port(lan, OURS, FOUR)
        group = FHRPGroup.objects.create(group_id=1, protocol="vrrp3")
        make_address(f"{FOUR}/24", group)
        assert "198.51.100.1/24 is assigned to FHRP group, which is no interface of a device" in problems()

    def test_address_outside_the_lan(self, us, lan, interface):
        make_port(lan, OURS, "203.0.113.1")
        assign(interface, "203.0.113.1/24")
        assert "203.0.113.1 lies outside 198.51.100.0/24" in problems()

    def test_family_that_the_lan_does_not_have(self, us):
        _ix, lan = make_exchange(prefixes=("198.51.100.0/24",))
        make_port(lan, OURS, None, SIX)
        assert f"{SIX}: Example IX has no prefix of its family" in problems()

    def test_port_without_address(self, us, lan):
        make_port(lan, OURS)
        assert "no address for this port" in problems()

    def test_second_port_on_the_same_interface(self, port, lan, interface):
        both(interface)
        make_port(lan, OURS, "198.51.100.2", pk=8)
        assign(interface, "198.51.100.2/24")
        assert "rt1.mtl Ethernet1 is the port 7 of PeeringDB on this LAN already" in problems()
        import_presence()
        assert PeeringConnection.objects.get().peeringdb_id == 7
        assert "rt1.mtl Ethernet1 has a connection to Example IX already, for the port 7" in problems()

    def test_connection_with_another_address_on_the_same_interface(self, us, lan, interface):
        network = make_network("LAN", make_fabric("Ours"))
        make_connection(network, interface, "198.51.100.9/24", None)
        make_port(lan, OURS, FOUR)
        assign(interface, f"{FOUR}/24")
        assert "with another address than 198.51.100.1/24" in problems()

    def test_link_on_another_network(self, port, interface):
        other = make_network("Other", make_fabric("Other", peeringdb_id=9), "192.0.2.0/24", None)
        make_connection(other, interface, "192.0.2.1/24", peeringdb_id=7)
        assert "has the id of this port in PeeringDB, but is on another network" in problems()

    def test_prefix_of_two_exchanges_is_taken_by_the_first(self, us, lan):
        _ix, twin = make_exchange(31, "Twin IX")
        make_port(lan, OURS, FOUR), make_port(twin, OURS, "198.51.100.2", pk=9)
        [conflict] = plan_presence().ports.conflicts
        assert conflict.port.netixlan_id == 9
        assert "is the network Example IX: Example IX" in conflict.problems[0].text
        import_presence()
        assert made()[:2] == [1, 1]

    def test_slug_of_two_exchanges_is_taken_by_the_first(self, us):
        for pk, name in ((26, "NL IX"), (31, "NL-IX")):
            _ix, lan = make_exchange(pk, name, prefixes=(f"198.51.{pk}.0/24",))
            make_port(lan, OURS, f"198.51.{pk}.1")
        [conflict] = plan_presence().ports.conflicts
        assert "NL IX has the slug nl-ix already" in conflict.problems[0].text or (
            "taken by another exchange" in conflict.problems[0].text
        )
        import_presence()
        assert made()[:2] == [1, 1]


class TestDanglingRows:
    def test_lan_that_the_mirror_does_not_have(self, port):
        PeeringDBIXLan.objects.all().delete()
        assert "does not have this exchange (ixlan 26): sync with PeeringDB" in problems()
        import_presence()
        assert made() == [0] * 5

    def test_exchange_that_the_mirror_does_not_have(self, port):
        PeeringDBIX.objects.all().delete()
        assert "sync with PeeringDB" in problems()

    def test_lan_without_prefix(self, port):
        PeeringDBIXPfx.objects.all().delete()
        assert problems() == "PeeringDB has no prefix of this LAN."
        import_presence()
        assert made()[:3] == [1, 0, 0]

    def test_port_whose_network_and_exchange_columns_lie(self, us, lan, interface):
        make_port(lan, OURS, FOUR, net_id=999, ix_id=999)
        assign(interface, f"{FOUR}/24")
        import_presence()
        assert PeeringConnection.objects.get().peering_network.fabric.peeringdb_id == 26

    def test_nothing_at_all(self):
        plan = plan_presence()
        assert not plan.changes
        assert plan.ports.waiting == plan.ports.conflicts == ()

    def test_connection_stays_here_whatever_became_of_its_lan(self, port, interface):
        both(interface)
        import_presence()
        PeeringDBIXLan.objects.all().delete()
        [here] = plan_presence().ports.here
        assert "sync with PeeringDB" in here.notes[0]
        nothing_happens_a_second_time()

    def test_address_that_changed_in_peeringdb_is_told(self, port, interface):
        both(interface)
        import_presence()
        PeeringDBNetIXLan.objects.filter(pk=7).update(ipaddr4="198.51.100.77")
        assign(interface, "198.51.100.77/24")
        [here] = plan_presence().ports.here
        assert here.notes == ("PeeringDB has 198.51.100.77, the connection another address.",)


class TestRights:
    ALL = (
        f"{APP}.view_peerasn",
        f"{APP}.add_peeringfabric",
        f"{APP}.add_peeringnetwork",
        f"{APP}.add_peeringconnection",
        "ipam.add_prefix",
        "ipam.view_ipaddress",
        "dcim.view_interface",
    )

    def user(self, *without):
        user = get_user_model().objects.create_user("noc")
        grant(user, *(right for right in self.ALL if right not in without))
        return user

    def test_user_with_all_rights(self, port, interface):
        both(interface)
        import_presence(user=self.user())
        assert PeeringConnection.objects.count() == 1

    @pytest.mark.parametrize("right", [right for right in ALL if ".add_" in right])
    def test_user_needs_the_right_for_every_row(self, port, interface, right):
        both(interface)
        before = made()
        with pytest.raises(ExchangeError, match="You may not add"):
            import_presence(user=self.user(right))
        assert made() == before

    def test_own_asns_are_those_that_may_be_seen(self, port):
        assert plan_presence(user=self.user(f"{APP}.view_peerasn")).asns == ()

    @pytest.mark.parametrize("right", ["ipam.view_ipaddress", "dcim.view_interface"])
    def test_where_an_address_is_may_be_hidden(self, port, interface, right):
        both(interface)
        [conflict] = plan_presence(user=self.user(right)).ports.conflicts
        told = " ".join(problem.text for problem in conflict.problems)
        assert "198.51.100.1 is in NetBox, and you may not see where." in told
        assert "rt1.mtl" not in told

    def test_routers_in_hints_are_those_that_may_be_seen(self, port):
        make_scope(make_device("rt9"))
        [waiting] = plan_presence(user=self.user()).ports.waiting
        assert "rt9" not in str(waiting.missing[0])

    def test_names_of_what_may_not_be_seen_are_left_out(self, port, interface):
        network = make_network("SECRET", make_fabric("SECRET", peeringdb_id=9))
        make_connection(network, interface, f"{FOUR}/24", f"{SIX}/64")
        told = repr(plan_presence(user=self.user()).ports.conflicts[0].problems)
        assert "SECRET" not in told
        assert "a network that you may not see" in told

    def test_adopted_rows_need_the_right_to_change_them(self, port):
        network = make_network("LAN", make_fabric("Ours"))
        user = self.user()
        grant(user, f"{APP}.view_peeringfabric", f"{APP}.view_peeringnetwork")
        with pytest.raises(ExchangeError, match="You may not change the peering fabric Ours"):
            import_presence(user=user)
        network.refresh_from_db()
        assert network.peeringdb_id is None

    @pytest.mark.parametrize("right", ["view_peeringfabric", "view_peeringnetwork"])
    @pytest.mark.parametrize("ids", [{"fabric": 26, "network": 26}, {}])
    def test_what_may_not_be_seen_is_neither_named_nor_changed(self, port, interface, right, ids):
        both(interface)
        fabric = make_fabric("SECRET", peeringdb_id=ids.get("fabric"))
        network = make_network("SECRET", fabric, peeringdb_id=ids.get("network"))
        user = self.user()
        rights = {
            "view_peeringfabric",
            "view_peeringnetwork",
            "change_peeringfabric",
            "change_peeringnetwork",
        }
        grant(user, *(f"{APP}.{each}" for each in rights - {right}))
        plan = plan_presence(user=user)
        [conflict] = plan.ports.conflicts
        told = repr(plan.ports)
        assert "that you may not see already" in told
        assert conflict.place.network_id is None
        assert right == "view_peeringnetwork" or "SECRET" not in [each.name for each in plan.fabrics]
        assert plan.networks == []
        import_presence(user=user)
        network.refresh_from_db()
        assert (network.peeringdb_id, PeeringConnection.objects.count()) == (ids.get("network"), 0)

    @pytest.mark.parametrize("pk", [7, None])
    def test_connection_that_may_not_be_seen_is_neither_described_nor_changed(self, port, interface, pk):
        both(interface)
        network = make_network("LAN", make_fabric("Ours", peeringdb_id=26), peeringdb_id=26)
        there = PeeringConnection.objects.create(
            peering_network=network, interface=interface, peeringdb_id=pk
        )
        make_scope(interface.device)
        user = self.user()
        seen = ("view_peeringfabric", "view_peeringnetwork", "change_peeringnetwork")
        grant(user, *(f"{APP}.{right}" for right in (*seen, "change_peeringconnection")))
        ports = plan_presence(user=user).ports
        assert ports.planned == ()
        if pk:
            [here] = ports.here
            assert (here.name, here.lacking, here.notes) == ("a connection that you may not see", (), ())
        else:
            [conflict] = ports.conflicts
            assert "it is a connection that you may not see already" in conflict.problems[0].text
        import_presence(user=user)
        there.refresh_from_db()
        assert (there.peeringdb_id, there.bgp_scope) == (pk, None)


def test_what_changed_since_the_preview_is_refused(port, interface):
    digest = plan_presence().digest
    both(interface)
    with pytest.raises(ExchangeError, match="has changed since this preview"):
        import_presence(digest=digest)
    import_presence(digest=plan_presence().digest)
    assert PeeringConnection.objects.count() == 1


def test_all_or_nothing(port, interface, monkeypatch):
    both(interface)

    def break_off(*args):
        raise RuntimeError

    monkeypatch.setattr("netbox_peering_manager.services.peeringdb.presence._write_connections", break_off)
    with pytest.raises(RuntimeError):
        import_presence()
    assert made()[:4] == [0, 0, 0, 0]


def test_custom_validators_are_asked(port, interface):
    both(interface)
    rules = {f"{APP}.peeringconnection": [{"description": {"required": True}}]}
    with override_settings(CUSTOM_VALIDATORS=rules), pytest.raises(ExchangeError, match="description"):
        import_presence()
    assert made()[:3] == [0, 0, 0]


def test_change_log_names_every_row_in_one_request(port, interface, root_request):
    both(interface)
    ObjectChange.objects.all().delete()
    import_presence(user=root_request.user)
    found = ObjectChange.objects.filter(request_id=root_request.id, action="create", user=root_request.user)
    assert sorted(change.changed_object_type.model for change in found) == [
        "peeringconnection",
        "peeringfabric",
        "peeringnetwork",
        "prefix",
        "prefix",
    ]
    change = found.get(changed_object_type__model="peeringconnection")
    assert change.object_repr == "rt1.mtl Ethernet1 @ Example IX: Example IX"


def make_presence(first, count):
    """Exchanges from number `first` on, where we have a port on a router of each."""
    for number in range(first, first + count):
        ix = make_ix(number, f"IX {number}")
        lan = make_ixlan(ix, None, f"10.0.{number}.0/24", f"2001:db8:{number:x}::/64")
        make_ixpfx(lan, f"10.1.{number}.0/24")
        device = make_device(f"rt{number}")
        make_scope(device)
        make_port(lan, OURS, f"10.0.{number}.1", f"2001:db8:{number:x}::1")
        make_port(lan, OURS, f"10.0.{number}.2")
        assign(make_interface(device), f"10.0.{number}.1/24", f"2001:db8:{number:x}::1/64")


@look_ups_kept()
def test_queries_do_not_grow_with_the_ports(us, root_request):
    make_presence(1, 1)
    import_presence(user=root_request.user)
    counted = []
    for first, count in ((2, 2), (10, 15)):
        make_presence(first, count)
        with CaptureQueriesContext(database) as plan:
            plan_presence(user=root_request.user)
        with CaptureQueriesContext(database) as writing:
            import_presence(user=root_request.user)
        counted.append((len(plan), len(writing)))
    assert PeeringConnection.objects.count() == 18
    assert counted[0] == counted[1]
    assert counted[0] <= (17, 70), counted


def test_sample_town_is_imported_once(town, us):
    fill_mirror(town)
    device = make_device()
    make_scope(device)
    for number, row in enumerate(town.our_ports):
        interface = make_interface(device, f"Ethernet{number}")
        for text, length in ((row["ipaddr4"], 24), (row["ipaddr6"], 64)):
            if text:
                make_address(f"{text}/{length}", interface)
    plan = plan_presence()
    assert plan.ports.conflicts == plan.ports.waiting == ()
    import_presence()
    assert PeeringConnection.objects.count() == len(town.our_ports)
    assert PeeringFabric.objects.count() == len(town.our_ix_ids)
    for connection in PeeringConnection.objects.all():
        connection.full_clean()
    nothing_happens_a_second_time()

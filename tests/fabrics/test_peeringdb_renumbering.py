"""Renumbering of a LAN: what moves with its prefix, what forbids it, and that all or nothing moves."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection as database
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from core.models import ObjectChange
from dcim.models import Site
from ipam.models import IPAddress, Prefix, Role
from netbox_routing.models import BGPPeer, BGPPeerTemplate

from dev.sample_peeringdb.days import renumber as renumber_in_peeringdb
from netbox_peering_manager.exceptions import ExchangeError
from netbox_peering_manager.models import (
    PeeringConnection,
    PeeringDBIXPfx,
    PeeringDBNetIXLan,
    PeeringNetwork,
    PeeringSession,
)
from netbox_peering_manager.services.peeringdb.presence import import_presence
from netbox_peering_manager.services.peeringdb.renumbering import (
    plan_renumbering,
    renumber,
    renumbered_lans,
)
from tests.fabrics.mirror import make_exchange, make_ixlan, make_ixpfx, make_port
from tests.fabrics.scenery import grant, make_vrf
from tests.factories import (
    look_ups_kept,
    make_address,
    make_bgp_peer,
    make_connection,
    make_device,
    make_fabric,
    make_interface,
    make_network,
    make_peer_asn,
    make_prefix,
    make_scope,
    make_session,
)
from tests.peeringdb.filling import fill_mirror

pytestmark = pytest.mark.django_db

APP = "netbox_peering_manager"
OURS, PEER = 64500, 64496
NEW = "203.0.113.0/24"


@pytest.fixture
def network():
    """A LAN of 198.51.100.0/24 with our port and a session, that PeeringDB says is 203.0.113.0/24 now."""
    make_peer_asn(OURS, affiliated=True)
    _ix, lan = make_exchange(prefixes=(NEW, "2001:db8:100::/64"))
    network = make_network("LAN", make_fabric("Ours", peeringdb_id=26), peeringdb_id=26)
    connection = make_connection(
        network, make_interface(make_device()), bgp_scope=make_scope(), peeringdb_id=7
    )
    make_port(lan, OURS, "203.0.113.1", "2001:db8:100::1", pk=7)
    make_port(lan, PEER, "203.0.113.142", pk=8)
    peer = make_bgp_peer(scope=connection.bgp_scope, source=connection.ipv4_address, name="Aurora")
    make_session(peer, network=network)
    return network


def plan(network, **more):
    return plan_renumbering(network.fabric, **more)


def moves(network, **more):
    return {move.old: move.new for step in plan(network, **more).steps for move in step.moves}


def addresses():
    return {str(row.address) for row in IPAddress.objects.all()}


def refused(network, *args, **kwargs):
    """The message with which it is refused; nothing may have moved."""
    before = addresses(), sorted(str(prefix.prefix) for prefix in Prefix.objects.all())
    with pytest.raises(ExchangeError) as caught:
        renumber(network.fabric, *args, **kwargs)
    assert (addresses(), sorted(str(prefix.prefix) for prefix in Prefix.objects.all())) == before
    network.refresh_from_db()
    assert str(network.ipv4_prefix) == "198.51.100.0/24"
    return str(caught.value)


class TestPlan:
    def test_shows_what_moves_and_where(self, network):
        [step] = plan(network).steps
        assert (step.network, step.family, step.old, step.new, step.new_id) == (
            "LAN", 4, "198.51.100.0/24", NEW, None,
        )  # fmt: skip
        assert [(move.old, move.new, move.how, move.is_ours, move.place) for move in step.moves] == [
            ("198.51.100.1/24", "203.0.113.1/24", "peeringdb", True, "rt1.mtl Ethernet1"),
            ("198.51.100.42/24", "203.0.113.142/24", "peeringdb", False, ""),
        ]
        assert [connection.name for connection in step.connections] == ["rt1.mtl Ethernet1"]
        assert [session.name for session in step.sessions] == ["Aurora (198.51.100.42)"]
        assert plan(network).is_possible

    def test_no_step_for_prefixes_that_are_as_in_peeringdb(self, network):
        PeeringDBIXPfx.objects.filter(prefix=NEW).update(prefix="198.51.100.0/24")
        assert plan(network).steps == ()
        assert "nothing to renumber" in refused(network)

    @pytest.mark.parametrize("field", ["fabric", "network"])
    def test_no_step_for_what_peeringdb_has_no_prefix_of(self, network, field):
        PeeringDBIXPfx.objects.all().delete()
        assert plan(network).steps == ()

    def test_no_step_for_a_network_that_is_not_linked(self, network):
        PeeringNetwork.objects.update(peeringdb_id=None)
        assert plan(network).steps == ()

    def test_addresses_of_the_prefix_in_another_vrf_stay(self, network):
        make_address("198.51.100.77/24", vrf=make_vrf("Other"))
        assert "198.51.100.77/24" not in moves(network)

    def test_address_that_nobody_uses_moves_along(self, network):
        make_address("198.51.100.77/24")
        assert moves(network)["198.51.100.77/24"] == "203.0.113.77/24"

    def test_remote_as_is_found_where_the_peer_inherits_it(self, network):
        peer = BGPPeer.objects.get()
        group = BGPPeerTemplate.objects.create(name="IX", remote_as=peer.remote_as)
        BGPPeer.objects.update(remote_as=None, peer_group=group)
        assert moves(network)["198.51.100.42/24"] == "203.0.113.142/24"

    def test_own_address_without_link_is_found_by_our_asns(self, network):
        PeeringConnection.objects.update(peeringdb_id=None)
        assert moves(network)["198.51.100.1/24"] == "203.0.113.1/24"

    def test_while_peeringdb_lists_both_prefixes_nobody_is_urged(self, network):
        make_ixpfx(26, "198.51.100.0/24")
        found = plan(network)
        assert (found.steps, found.early) == ((), ("LAN",))
        assert plan(network, early=True).steps[0].new == NEW

    def test_prefix_with_fewer_ports_than_ours_is_no_renumbering(self, network):
        make_ixpfx(26, "198.51.100.0/24")
        for host in range(10, 20):
            make_port(26, 65536, f"198.51.100.{host}")
        assert plan(network, early=True).steps == ()


class TestRenumber:
    def test_moves_addresses_in_place_and_everything_follows(self, network):
        before = {row.pk: str(row.address) for row in IPAddress.objects.all()}
        renumber(network.fabric)
        after = {row.pk: str(row.address) for row in IPAddress.objects.all()}
        assert set(before) == set(after)
        session, connection = PeeringSession.objects.get(), PeeringConnection.objects.get()
        assert str(session.bgp_peer.peer) == "203.0.113.142/24"
        assert str(session.bgp_peer.source) == str(connection.ipv4_address) == "203.0.113.1/24"
        assert str(connection.ipv6_address) == "2001:db8:100::1/64"
        assert connection.ipv4_address.assigned_object == connection.interface
        session.full_clean(), connection.full_clean()
        assert plan(network).steps == ()

    def test_prefix_of_the_network_is_switched_and_the_old_one_kept_deprecated(self, network):
        site = Site.objects.first()
        role = Role.objects.create(name="LAN", slug="lan")
        old = network.ipv4_prefix
        old.scope, old.role, old.description = site, role, "Peering"
        old.save()
        renumber(network.fabric)
        network.refresh_from_db()
        new = network.ipv4_prefix
        assert (str(new), new.scope, new._site, new.role, new.description, new.status) == (
            NEW, site, site, role, "Peering", "active",
        )  # fmt: skip
        old.refresh_from_db()
        assert old.status == "deprecated"
        assert str(network.ipv6_prefix) == "2001:db8:100::/64"

    def test_existing_prefix_is_taken(self, network):
        there = make_prefix(NEW)
        renumber(network.fabric)
        network.refresh_from_db()
        assert network.ipv4_prefix == there

    def test_vrf_stays(self):
        make_exchange(prefixes=(NEW,))
        vrf = make_vrf("Peering")
        network = make_network("LAN", make_fabric("Ours"), ipv6=None, vrf=vrf, peeringdb_id=26)
        make_address("198.51.100.9/24", vrf=vrf)
        renumber(network.fabric)
        network.refresh_from_db()
        assert network.ipv4_prefix.vrf == vrf
        assert addresses() == {"203.0.113.9/24"}

    def test_both_families_and_several_lans_at_once(self, network):
        PeeringDBIXPfx.objects.filter(prefix="2001:db8:100::/64").update(prefix="2001:db8:200::/64")
        make_ixlan(26, 27, "192.0.2.0/24")
        make_network("Jumbo", network.fabric, "10.0.0.0/24", None, peeringdb_id=27)
        make_address("10.0.0.5/24")
        make_port(26, OURS, None, "2001:db8:200::1")
        renumber(network.fabric)
        assert addresses() == {"203.0.113.1/24", "203.0.113.142/24", "2001:db8:200::1/64", "192.0.2.5/24"}

    def test_prefix_that_grew_changes_masks(self):
        make_exchange(prefixes=("198.51.100.0/23",))
        network = make_network("LAN", make_fabric("Ours"), ipv6=None, peeringdb_id=26)
        make_address("198.51.100.9/24")
        renumber(network.fabric)
        assert addresses() == {"198.51.100.9/23"}

    def test_neighbours_that_take_each_others_address(self, network):
        make_address("198.51.100.142/24")
        make_bgp_peer("198.51.100.143/24", 64497)
        make_port(26, 64497, "203.0.113.43")
        assert moves(network)["198.51.100.143/24"] == "203.0.113.43/24"
        # The host part is that of a port of another network: told, not taken.
        assert moves(network)["198.51.100.142/24"] is None

    def test_undecided_address_of_a_peer_stays_behind(self, network):
        make_bgp_peer("198.51.100.50/24", 64498, scope=make_scope())
        make_bgp_peer("198.51.100.51/24", 64498, scope=make_scope())
        make_port(26, 64498, "203.0.113.60"), make_port(26, 64498, "203.0.113.61")
        renumber(network.fabric)
        assert {"198.51.100.50/24", "198.51.100.51/24", "203.0.113.1/24"} <= addresses()

    def test_undecided_address_is_given_by_hand(self, network):
        first = make_bgp_peer("198.51.100.50/24", 64498, scope=make_scope()).peer
        second = make_bgp_peer("198.51.100.51/24", 64498, scope=make_scope()).peer
        make_port(26, 64498, "203.0.113.60"), make_port(26, 64498, "203.0.113.61")
        renumber(network.fabric, given={first.pk: "203.0.113.61", second.pk: "203.0.113.60"})
        first.refresh_from_db(), second.refresh_from_db()
        assert (str(first), str(second)) == ("203.0.113.61/24", "203.0.113.60/24")

    def test_undecided_address_of_ours_stops_it(self, network):
        PeeringConnection.objects.update(peeringdb_id=None)
        make_port(26, OURS, "203.0.113.2"), make_port(26, OURS, "203.0.113.3")
        PeeringDBIXPfx.objects.filter(prefix=NEW).update(prefix="203.0.113.0/28")
        PeeringDBNetIXLan.objects.filter(pk=7).update(ipaddr4="203.0.113.4")
        assert not plan(network).is_possible
        assert "198.51.100.1/24 is ours and undecided" in refused(network)


class TestRefusals:
    def test_target_that_is_assigned(self, network):
        make_address("203.0.113.1/24", make_interface(make_device("rt2")))
        message = refused(network)
        assert (
            "198.51.100.1/24 would become 203.0.113.1/24, which is in NetBox already, on rt2 Ethernet1"
            in message
        )

    def test_target_that_a_bgp_peer_uses(self, network):
        make_bgp_peer("203.0.113.142/24", 64497)
        assert "203.0.113.142/24, which is in NetBox already and used by a BGP peer" in refused(network)

    def test_target_that_is_there_for_nothing(self, network):
        address = make_address("203.0.113.142/24")
        assert "used by nothing: delete it first" in refused(network)
        address.delete()
        renumber(network.fabric)

    def test_target_in_another_vrf_is_no_matter(self, network):
        make_address("203.0.113.142/24", vrf=make_vrf("Other"))
        renumber(network.fabric)

    def test_new_prefix_that_is_another_network(self, network):
        make_network("Other", make_fabric("Other"), NEW, None)
        assert f"{NEW} is the prefix of Other: Other already" in refused(network)

    def test_new_prefix_that_is_there_twice(self, network):
        make_prefix(NEW), Prefix.objects.create(prefix=NEW)
        assert "more than once" in refused(network)

    def test_new_prefix_of_two_networks(self, network):
        make_ixlan(26, 27, NEW)
        make_network("Twin", network.fabric, "10.0.0.0/24", None, peeringdb_id=27)
        assert f"PeeringDB has {NEW} twice" in refused(network)

    def test_what_changed_since_the_preview(self, network):
        digest = plan(network).digest
        make_address("198.51.100.77/24")
        assert "has changed since this preview" in refused(network, digest=digest)
        renumber(network.fabric, digest=plan(network).digest)

    def test_nothing_stays_of_what_broke(self, network, monkeypatch):
        def break_off(*args):
            raise RuntimeError

        monkeypatch.setattr(
            "netbox_peering_manager.services.peeringdb.renumbering._write_addresses", break_off
        )
        with pytest.raises(RuntimeError):
            renumber(network.fabric)
        network.refresh_from_db()
        assert str(network.ipv4_prefix) == "198.51.100.0/24"
        assert not Prefix.objects.filter(prefix=NEW).exists()


class TestRights:
    ALL = (
        "ipam.view_ipaddress",
        "ipam.change_ipaddress",
        "ipam.change_prefix",
        "ipam.add_prefix",
        f"{APP}.change_peeringnetwork",
    )
    SEES = f"{APP}.view_peeringnetwork"

    def user(self, *without):
        user = get_user_model().objects.create_user("noc")
        grant(user, *(right for right in (*self.ALL, self.SEES) if right not in without))
        return user

    def test_user_with_all_rights(self, network):
        assert renumber(network.fabric, self.user()).is_possible

    @pytest.mark.parametrize("right", ALL[1:])
    def test_user_needs_each_right(self, network, right):
        assert "You may not" in refused(network, self.user(right))

    def test_constraints_hold_for_what_an_address_becomes(self, network):
        user = self.user("ipam.change_ipaddress")
        grant(user, "ipam.change_ipaddress", address__net_contained_or_equal="198.51.100.0/24")
        assert "You may not change the IP address 203.0.113.1/24" in refused(network, user)

    def test_networks_that_may_not_be_seen_are_not_there(self, network):
        user = self.user(self.SEES)
        assert plan(network, user=user).steps == ()
        assert renumbered_lans(network.fabric, user) == []
        assert [lan.network for lan in renumbered_lans(network.fabric)] == ["LAN"]
        assert "nothing to renumber" in refused(network, user)

    def test_addresses_that_may_not_be_seen_stop_it_unnamed(self, network):
        user = self.user("ipam.view_ipaddress")
        found = plan(network, user=user)
        assert found.steps[0].moves == ()
        assert "2 of the addresses in 198.51.100.0/24 you may not see" in refused(network, user)

    def test_sessions_and_connections_that_may_not_be_seen_are_counted(self, network):
        [step] = plan(network, user=self.user()).steps
        assert (step.connections, step.sessions, step.hidden) == ((), (), 2)

    def test_target_that_may_not_be_seen_is_not_described(self, network):
        user = self.user("ipam.view_ipaddress")
        make_address("203.0.113.1/24", make_interface(make_device("rt2")))
        grant(user, "ipam.view_ipaddress", address__net_contained_or_equal="198.51.100.0/24")
        message = refused(network, user)
        assert "which is in NetBox already." in message
        assert "rt2" not in message


def test_custom_validators_are_asked(network):
    rules = {"ipam.ipaddress": [{"dns_name": {"required": True}}]}
    with override_settings(CUSTOM_VALIDATORS=rules):
        assert "The IP address 203.0.113.1/24 is refused" in refused(network)


def test_change_log_has_every_row_in_one_request(network, root_request):
    ObjectChange.objects.all().delete()
    renumber(network.fabric, root_request.user)
    found = ObjectChange.objects.filter(request_id=root_request.id, user=root_request.user)
    told = sorted((change.changed_object_type.model, change.action) for change in found)
    assert told == [
        ("ipaddress", "update"), ("ipaddress", "update"), ("peeringnetwork", "update"), ("prefix", "create"),
        ("prefix", "update"),
    ]  # fmt: skip
    change = found.filter(changed_object_type__model="ipaddress").first()
    assert change.prechange_data["address"].startswith("198.51.100.")
    assert change.postchange_data["address"].startswith("203.0.113.")


@look_ups_kept()
def make_wide_lan(number, peers):
    fabric = make_fabric(f"IX {number}", peeringdb_id=number)
    _ix, lan = make_exchange(number, f"IX {number}", prefixes=(f"10.{number}.8.0/22",))
    network = make_network("LAN", fabric, f"10.{number}.0.0/22", None, peeringdb_id=number)
    device = make_device(f"rt{number}")
    scope = make_scope(device)
    connection = make_connection(network, make_interface(device), f"10.{number}.0.1/22", bgp_scope=scope)
    make_port(lan, OURS, f"10.{number}.8.1")
    for host in range(2, 2 + peers):
        peer = make_bgp_peer(
            f"10.{number}.0.{host}/22", 4200000000 + host, scope, connection.ipv4_address, name=""
        )
        make_session(peer, network=network)
        make_address(f"10.{number}.1.{host}/22", make_interface(make_device(f"sw{number}-{host}")))
        make_port(lan, 4200000000 + host, f"10.{number}.8.{host}")
    return fabric


@look_ups_kept()
def test_queries_do_not_grow_with_the_addresses(root_request):
    make_peer_asn(OURS, affiliated=True)
    small = make_wide_lan(1, 2), make_wide_lan(2, 2)
    large = make_wide_lan(3, 25)
    renumber(small[0], root_request.user)
    counted = []
    for fabric in (small[1], large):
        with CaptureQueriesContext(database) as preview:
            found = plan_renumbering(fabric, root_request.user)
        with CaptureQueriesContext(database) as writing:
            renumber(fabric, root_request.user)
        counted.append((len(preview), len(writing)))
    assert len(found.steps[0].moves) == 51
    assert counted[0] == counted[1]
    assert counted[0] <= (22, 66), counted


def test_sample_exchange_is_renumbered_and_those_who_lag_keep_their_host_part(hamlet):
    make_peer_asn(OURS, affiliated=True)
    fill_mirror(hamlet)
    device = make_device()
    scope = make_scope(device)
    for number, row in enumerate(hamlet.our_ports):
        make_address(f"{row['ipaddr4']}/24", make_interface(device, f"Ethernet{number}"))
    import_presence()
    network = PeeringNetwork.objects.get()
    theirs = [row for row in hamlet.rows("netixlan") if row["asn"] != OURS]
    for row in theirs:
        make_bgp_peer(f"{row['ipaddr4']}/24", row["asn"], scope)
    renumber_in_peeringdb(hamlet, network.peeringdb_id, lagging=[theirs[0]["id"], theirs[1]["id"]])
    fill_mirror(hamlet)
    found = renumber(network.fabric)
    assert {move.how for move in found.steps[0].moves} == {"peeringdb", "host"}
    new = hamlet.lan(network.peeringdb_id)[4]
    assert {str(peer.peer.address.ip) for peer in BGPPeer.objects.all()} == {
        str(new[int(row["ipaddr4"].rpartition(".")[2])]) for row in theirs
    }

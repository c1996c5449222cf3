"""Fabrics made from an exchange in PeeringDB, and fabrics linked to one: all or nothing, with a reason."""

import netaddr
import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.models import ObjectChange, ObjectType
from extras.models import CustomField, Tag
from ipam.models import VRF, Prefix

from netbox_peering_manager.exceptions import ExchangeError
from netbox_peering_manager.models import PeeringDBIXLan, PeeringFabric, PeeringNetwork
from netbox_peering_manager.services.peeringdb.exchanges import (
    NewFabric,
    create_fabric,
    link_fabric,
    preview_link,
    preview_new,
)
from netbox_peering_manager.services.peeringdb.mirrored import search_exchanges, with_network_count
from tests.fabrics.mirror import make_exchange, make_ix, make_ixlan, make_ixpfx, make_port
from tests.fabrics.scenery import grant, make_peer_group, make_vrf
from tests.factories import look_ups_kept, make_fabric, make_network, make_prefix
from tests.peeringdb.filling import fill_mirror

pytestmark = pytest.mark.django_db

APP = "netbox_peering_manager"
RIGHTS = (f"{APP}.add_peeringfabric", f"{APP}.add_peeringnetwork", "ipam.add_prefix", "ipam.view_prefix")


def user_with(*permissions, **constraints):
    user = get_user_model().objects.create_user("noc")
    grant(user, *permissions, **constraints)
    return user


def counts():
    return [model.objects.count() for model in (PeeringFabric, PeeringNetwork, Prefix)]


def refused(call, *args, **kwargs):
    """The message with which something is refused; nothing may be left behind."""
    before = counts()
    with pytest.raises(ExchangeError) as caught:
        call(*args, **kwargs)
    assert counts() == before
    return str(caught.value)


def prefixes_of(network):
    return [str(prefix.prefix) for prefix in network.prefixes]


class TestNewFabric:
    def test_has_name_slug_link_and_a_network_with_mtu_and_both_prefixes(self):
        make_exchange(26, "AMS-IX", mtu=9000)
        fabric = create_fabric(NewFabric(26))
        assert (fabric.name, fabric.slug, fabric.type, fabric.peeringdb_id) == ("AMS-IX", "ams-ix", "ix", 26)
        network = PeeringNetwork.objects.get()
        assert (network.fabric, network.name) == (fabric, "AMS-IX")
        assert (network.mtu, network.peeringdb_id) == (9000, 26)
        assert prefixes_of(network) == ["198.51.100.0/24", "2001:db8:100::/64"]
        assert Prefix.objects.filter(vrf=None, description="AMS-IX").count() == 2

    def test_takes_what_was_chosen(self):
        make_exchange()
        group, tag = make_peer_group("IX"), Tag.objects.create(name="Gold", slug="gold")
        fabric = create_fabric(NewFabric(26, name=" Ours ", peer_group=group, tags=[tag]))
        assert (fabric.name, fabric.slug, fabric.peer_group) == ("Ours", "ours", group)
        assert [*fabric.tags.all()] == [tag]

    def test_existing_prefixes_of_the_vrf_are_taken_and_those_of_others_left_alone(self):
        make_exchange()
        vrf = make_vrf("Peering")
        there, _other = make_prefix("198.51.100.0/24", vrf), make_prefix("2001:db8:100::/64")
        create_fabric(NewFabric(26, vrf=vrf))
        network = PeeringNetwork.objects.get()
        assert network.ipv4_prefix == there
        assert network.ipv6_prefix.vrf == vrf
        assert Prefix.objects.count() == 3

    def test_a_network_for_each_lan_named_after_the_fabric_where_the_lan_has_no_name(self):
        ix = make_ix(26, "Example IX")
        make_ixlan(ix, 26, "198.51.100.0/24")
        make_ixlan(ix, 27, "203.0.113.0/24", name="Jumbo", mtu=9000)
        make_ixlan(ix, 28, "192.0.2.0/24")
        create_fabric(NewFabric(26))
        found = {
            network.peeringdb_id: (network.name, network.mtu) for network in PeeringNetwork.objects.all()
        }
        assert found == {26: ("Example IX", 1500), 27: ("Jumbo", 9000), 28: ("Example IX 28", 1500)}

    def test_lan_without_prefix_is_left_out_and_told(self):
        ix = make_ix()
        make_ixlan(ix, 26, "198.51.100.0/24")
        make_ixlan(ix, 27, name="Voice")
        assert preview_new(NewFabric(26)).fabric.without_prefix == ("Voice",)
        create_fabric(NewFabric(26))
        assert PeeringNetwork.objects.count() == 1

    def test_exchange_without_any_prefix_becomes_a_fabric_alone(self):
        make_ixlan(make_ix(), 26)
        create_fabric(NewFabric(26))
        assert counts() == [1, 0, 0]

    def test_exchange_without_a_lan_becomes_a_fabric_alone(self):
        make_ix()
        create_fabric(NewFabric(26))
        assert counts() == [1, 0, 0]

    def test_of_several_prefixes_the_one_with_most_ports_is_taken_and_the_others_are_told(self):
        _ix, lan = make_exchange()
        make_ixpfx(lan, "203.0.113.0/24")
        for host in range(1, 4):
            make_port(lan, 64496 + host, f"203.0.113.{host}", f"2001:db8:100::{host}")
        make_port(lan, 64496, "198.51.100.9")
        [network] = preview_new(NewFabric(26)).fabric.networks
        assert [prefix.prefix for prefix in network.prefixes] == ["203.0.113.0/24", "2001:db8:100::/64"]
        assert network.left == ("198.51.100.0/24",)

    def test_of_several_prefixes_without_ports_the_youngest_is_taken(self):
        _ix, lan = make_exchange(prefixes=("203.0.113.0/24", "192.0.2.0/24", "198.51.100.0/24"))
        [network] = preview_new(NewFabric(lan.pk)).fabric.networks
        assert [prefix.prefix for prefix in network.prefixes] == ["198.51.100.0/24"]

    def test_protocol_that_lies_does_not_put_a_prefix_into_the_wrong_family(self):
        ix = make_ix()
        make_ixpfx(make_ixlan(ix), "2001:db8:100::/64", protocol="IPv4")
        create_fabric(NewFabric(26))
        network = PeeringNetwork.objects.get()
        assert (network.ipv4_prefix, str(network.ipv6_prefix)) == (None, "2001:db8:100::/64")

    @pytest.mark.parametrize("mtu", [None, 0, 20, -1, 2**40])
    def test_mtu_that_is_none_is_left_empty(self, mtu):
        make_exchange(mtu=mtu)
        create_fabric(NewFabric(26))
        assert PeeringNetwork.objects.get().mtu is None

    def test_name_without_a_letter_of_the_alphabet_gets_a_slug_all_the_same(self):
        make_exchange(26, "東京")
        assert create_fabric(NewFabric(26)).slug == "ix-26"

    def test_exchange_without_a_name_gets_one(self):
        make_exchange(26, " ")
        assert create_fabric(NewFabric(26)).name == "IX 26"

    def test_required_custom_field_is_asked_for(self):
        field = CustomField.objects.create(name="ticket", type="text", required=True)
        field.object_types.add(ObjectType.objects.get_for_model(PeeringNetwork))
        make_exchange()
        assert "ticket" in refused(create_fabric, NewFabric(26))


class TestRefusals:
    def test_exchange_that_the_mirror_does_not_have(self):
        assert "sync with PeeringDB first" in refused(create_fabric, NewFabric(26))

    def test_exchange_that_is_a_fabric_already(self):
        make_exchange()
        make_fabric("Ours", peeringdb_id=26)
        [problem] = preview_new(NewFabric(26)).fabric.problems
        assert problem.way == "fabric"
        assert refused(create_fabric, NewFabric(26)) == "Example IX is the fabric Ours already."

    @pytest.mark.parametrize("taken", [{"name": "Example IX"}, {"name": "Example-IX", "slug": "example-ix"}])
    def test_name_or_slug_that_is_taken_with_the_way_out(self, taken):
        make_exchange()
        fabric = make_fabric(**taken)
        [problem] = preview_new(NewFabric(26)).fabric.problems
        assert (problem.way, problem.object_id) == ("link", fabric.pk)
        assert "link it to PeeringDB instead, or choose another name" in refused(create_fabric, NewFabric(26))
        assert create_fabric(NewFabric(26, name="Another")).slug == "another"

    def test_name_of_a_fabric_that_is_another_exchange_cannot_be_linked(self):
        make_exchange()
        make_fabric("Example IX", peeringdb_id=99)
        [problem] = preview_new(NewFabric(26)).fabric.problems
        assert problem.way == "fabric"
        assert "choose another name" in refused(create_fabric, NewFabric(26))

    def test_prefix_that_is_a_network_already_with_the_way_out(self):
        make_exchange()
        network = make_network("LAN", make_fabric("Old"))
        [problem] = preview_new(NewFabric(26)).fabric.problems
        assert (problem.way, problem.object_id) == ("link", network.fabric_id)
        assert "link the fabric Old to PeeringDB instead" in refused(create_fabric, NewFabric(26))

    def test_lan_that_is_a_network_already(self):
        make_exchange()
        make_network("LAN", make_fabric("Old", peeringdb_id=9), "192.0.2.0/24", None, peeringdb_id=26)
        assert "Old: LAN is this LAN already" in refused(create_fabric, NewFabric(26))

    def test_prefix_that_is_there_twice(self):
        make_exchange()
        for _ in range(2):
            Prefix.objects.create(prefix=netaddr.IPNetwork("198.51.100.0/24"))
        assert "198.51.100.0/24 more than once in the global table" in refused(create_fabric, NewFabric(26))

    def test_prefix_that_is_none(self):
        make_exchange(prefixes=("0.0.0.0/0",))
        assert "0.0.0.0/0" in refused(create_fabric, NewFabric(26))

    def test_two_lans_with_one_prefix(self):
        ix = make_ix()
        make_ixlan(ix, 26, "198.51.100.0/24")
        make_ixlan(ix, 27, "198.51.100.0/24")
        assert "a second time, as ixlan 27" in refused(create_fabric, NewFabric(26))

    def test_what_changed_since_the_preview(self):
        _ix, lan = make_exchange()
        digest = preview_new(NewFabric(26)).digest
        PeeringDBIXLan.objects.filter(pk=lan.pk).update(mtu=9000)
        assert "has changed since this preview" in refused(create_fabric, NewFabric(26), digest=digest)
        assert create_fabric(NewFabric(26), digest=preview_new(NewFabric(26)).digest)


class TestRights:
    def test_user_with_all_rights(self):
        make_exchange()
        assert create_fabric(NewFabric(26), user_with(*RIGHTS)).peeringdb_id == 26

    @pytest.mark.parametrize(
        ("missing", "kind"),
        [(0, "peering fabric Example IX"), (1, "peering network Example IX"), (2, "prefix 198.51.100.0/24")],
    )
    def test_user_needs_the_right_for_every_row(self, missing, kind):
        make_exchange()
        user = user_with(*(right for number, right in enumerate(RIGHTS) if number != missing))
        assert f"You may not add the {kind}" in refused(create_fabric, NewFabric(26), user)

    def test_constraints_hold_for_what_is_made(self):
        make_exchange()
        user = user_with(*RIGHTS[1:])
        grant(user, RIGHTS[0], site__name="Elsewhere")
        assert "peering fabric" in refused(create_fabric, NewFabric(26), user)

    def test_prefix_that_is_there_needs_no_right_to_add_but_must_be_visible(self):
        make_exchange()
        make_prefix("198.51.100.0/24"), make_prefix("2001:db8:100::/64")
        user = user_with(*RIGHTS[:2])
        assert "198.51.100.0/24 is in the global table already, and you may not use it" in refused(
            create_fabric, NewFabric(26), user
        )
        grant(user, "ipam.view_prefix")
        user = get_user_model().objects.get(pk=user.pk)
        assert create_fabric(NewFabric(26), user)


class TestLink:
    def test_fills_in_what_is_missing_and_leaves_what_is_there(self):
        make_exchange(mtu=9000)
        network = make_network("LAN", make_fabric("Ours"), ipv6=None, mtu=1500, description="kept")
        link_fabric(network.fabric, 26)
        network.refresh_from_db()
        assert (network.name, network.mtu, network.description) == ("LAN", 1500, "kept")
        assert prefixes_of(network) == ["198.51.100.0/24", "2001:db8:100::/64"]
        assert (network.peeringdb_id, network.fabric.peeringdb_id) == (26, 26)
        assert counts() == [1, 1, 2]

    def test_missing_networks_are_made_in_the_vrf_of_those_that_are_there(self):
        ix = make_ix()
        make_ixlan(ix, 26, "198.51.100.0/24")
        make_ixlan(ix, 27, "203.0.113.0/24", name="Jumbo")
        vrf = make_vrf("Peering")
        network = make_network("LAN", make_fabric("Ours"), ipv6=None, vrf=vrf)
        link_fabric(network.fabric, 26)
        made = PeeringNetwork.objects.get(peeringdb_id=27)
        assert (made.fabric, made.ipv4_prefix.vrf) == (network.fabric, vrf)

    def test_a_second_time_nothing_is_left_to_do(self):
        make_exchange()
        fabric = make_fabric("Ours")
        link_fabric(fabric, 26)
        assert not preview_link(fabric, 26).fabric.changes

    def test_a_prefix_that_differs_is_left_to_renumbering(self):
        make_exchange()
        network = make_network("LAN", make_fabric("Ours"), "192.0.2.0/24", None, peeringdb_id=26)
        link_fabric(network.fabric, 26)
        network.refresh_from_db()
        assert prefixes_of(network) == ["192.0.2.0/24", "2001:db8:100::/64"]

    def test_exchange_of_another_fabric_is_refused(self):
        make_exchange()
        make_fabric("First", peeringdb_id=26)
        message = refused(link_fabric, make_fabric("Second"), 26)
        assert message == "Example IX is linked to the fabric First already."

    def test_fabric_of_another_exchange_is_refused(self):
        make_exchange()
        assert "linked to another exchange, 9 in" in refused(
            link_fabric, make_fabric("Ours", peeringdb_id=9), 26
        )

    def test_lan_that_is_two_networks_is_refused(self):
        make_exchange()
        fabric = make_fabric("Ours")
        make_network("v4", fabric, ipv6=None), make_network("v6", fabric, ipv4=None)
        assert "Ours: v4, Ours: v6 hold the prefixes of one LAN" in refused(link_fabric, fabric, 26)

    def test_lan_that_is_a_network_of_another_fabric_is_refused(self):
        make_exchange()
        make_network("LAN", make_fabric("Other"))
        assert "is Other: LAN, on another fabric" in refused(link_fabric, make_fabric("Ours"), 26)

    def test_network_that_is_another_lan_is_refused(self):
        make_exchange()
        network = make_network("LAN", make_fabric("Ours"), peeringdb_id=9)
        assert "linked to another LAN in PeeringDB (ixlan 9)" in refused(link_fabric, network.fabric, 26)

    def test_user_needs_change_for_what_is_there_and_add_for_what_is_not(self):
        make_exchange()
        network = make_network("LAN", make_fabric("Ours"), ipv6=None)
        user = user_with(f"{APP}.view_peeringfabric", f"{APP}.change_peeringfabric", "ipam.add_prefix")
        told = refused(link_fabric, network.fabric, 26, user=user)
        assert "198.51.100.0/24, 2001:db8:100::/64 is a network that you may not see already." in told
        grant(user, f"{APP}.view_peeringnetwork")
        user = get_user_model().objects.get(pk=user.pk)
        assert "You may not change the peering network" in refused(link_fabric, network.fabric, 26, user=user)
        grant(user, f"{APP}.change_peeringnetwork")
        user = get_user_model().objects.get(pk=user.pk)
        assert link_fabric(network.fabric, 26, user=user).peeringdb_id == 26

    def test_constraints_hold_for_what_it_becomes(self):
        make_exchange(prefixes=())
        fabric = make_fabric("Ours")
        user = user_with(f"{APP}.change_peeringfabric", peeringdb_id=None)
        assert "may not change" in refused(link_fabric, fabric, 26, user=user)
        fabric.refresh_from_db()
        assert fabric.peeringdb_id is None


def test_every_row_stands_in_the_change_log_of_one_request(root_request):
    make_exchange()
    network = make_network("LAN", make_fabric("Ours"), ipv6=None)
    ObjectChange.objects.all().delete()
    link_fabric(network.fabric, 26, user=root_request.user)
    found = ObjectChange.objects.filter(request_id=root_request.id)
    told = {(change.changed_object_type.model, change.action) for change in found}
    assert told == {("peeringfabric", "update"), ("peeringnetwork", "update"), ("prefix", "create")}
    change = found.get(changed_object_type__model="peeringnetwork")
    assert (change.prechange_data["peeringdb_id"], change.postchange_data["peeringdb_id"]) == (None, 26)
    assert change.user == root_request.user


def make_wide_exchange(pk, lans):
    ix = make_ix(pk, f"IX {pk}")
    for number in range(lans):
        lan = make_ixlan(
            ix,
            pk * 100 + number,
            f"10.{pk}.{number}.0/24",
            f"2001:db8:{pk:x}{number:02x}::/64",
            name=f"LAN {number}",
        )
        for host in range(1, 1 + number):
            make_port(lan, 64496, f"10.{pk}.{number}.{host}")


@look_ups_kept()
def test_queries_do_not_grow_with_the_lans(root_request):
    """Preview and creation, all of the change log included."""
    make_wide_exchange(1, 1), make_wide_exchange(2, 2), make_wide_exchange(3, 30)
    create_fabric(NewFabric(1), root_request.user)
    counted = []
    for pk in (2, 3):
        with CaptureQueriesContext(connection) as preview:
            preview_new(NewFabric(pk), root_request.user)
        with CaptureQueriesContext(connection) as creation:
            create_fabric(NewFabric(pk), root_request.user)
        counted.append((len(preview), len(creation)))
    assert counted[0] == counted[1]
    assert counted[0] <= (7, 40), counted


class TestSearch:
    def test_finds_each_word_anywhere_and_begins_with_names_that_begin_with_it(self):
        make_ix(1, "Equinix Palo Alto", city="Palo Alto")
        make_ix(2, "AMS-IX", name_long="Amsterdam Internet Exchange", city="Amsterdam")
        make_ix(3, "NL-ix", aka="Neutral Ams", city="The Hague")
        make_ix(4, "Equinix Dallas", city="Dallas")

        def names(text):
            return [ix.name for ix in search_exchanges(text)]

        assert names("ams") == ["AMS-IX", "NL-ix"]
        assert names("palo equinix") == ["Equinix Palo Alto"]
        assert names("exchange") == ["AMS-IX"]
        assert names("3") == ["NL-ix"]
        assert names("") == ["AMS-IX", "Equinix Dallas", "Equinix Palo Alto", "NL-ix"]
        assert names("nowhere") == []

    @pytest.mark.parametrize("text", ["%", "_", "'; DROP TABLE x --", "9" * 30, "٣", "\\"])
    def test_text_is_only_text(self, text):
        make_ix()
        assert [*search_exchanges(text)] == []

    def test_counts_each_as_once(self, hamlet):
        fill_mirror(hamlet)
        ix = with_network_count(search_exchanges("london")).get()
        assert ix.network_count == len({row["asn"] for row in hamlet.rows("netixlan")})
        assert ix.network_count == preview_new(NewFabric(ix.pk)).exchange.networks

    def test_exchange_without_ports_counts_none(self):
        make_ix()
        assert with_network_count(search_exchanges()).get().network_count == 0


def test_sample_exchange_becomes_a_fabric(hamlet):
    fill_mirror(hamlet)
    vrf = VRF.objects.create(name="Peering", rd="64500:1")
    fabric = create_fabric(NewFabric(hamlet.our_ix_ids[0], vrf=vrf))
    assert fabric.name == "Example IX London"
    assert prefixes_of(fabric.networks.get()) == ["198.51.100.0/24", "2001:db8:100::/64"]

"""The sample PeeringDB's worlds: rows as PeeringDB has them, the demo's story in each, and days that pass."""

import ipaddress
import itertools
from collections import Counter

import pytest

from dev import demo_network
from dev.sample_peeringdb import schema
from dev.sample_peeringdb.days import move, next_day, renumber, swap
from dev.sample_peeringdb.exchanges import member_counts
from dev.sample_peeringdb.world import DAY_S, Prefixes, World, stamp


@pytest.fixture(scope="module")
def pristine():
    """One world of each size that is made in no time. Nobody changes them."""
    return {size: World(size=size) for size in ("hamlet", "town")}


@pytest.fixture(params=["hamlet", "town"])
def world(request, pristine):
    return pristine[request.param].copy()


@pytest.fixture
def town(pristine):
    return pristine["town"].copy()


def everything(world):
    """All rows of a world by type and id."""
    return {tag: {row["id"]: row for row in world.all_rows(tag)} for tag in schema.TAGS}


def misfits(world):
    """Every row that is not as PeeringDB would send it, with what is wrong."""
    return [
        (tag, row["id"], problem)
        for tag in schema.TAGS
        for row in world.all_rows(tag)
        for problem in schema.problems(tag, row)
    ]


def shared_addresses(world):
    """The addresses that more than one `ok` port has."""
    addresses = Counter(
        port[name] for port in world.rows("netixlan") for name in ("ipaddr4", "ipaddr6") if port[name]
    )
    return [address for address, ports in addresses.items() if ports > 1]


# Rows


def test_every_row_has_the_fields_types_and_enums_of_peeringdb(world):
    assert misfits(world) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"speed": "fast"}, "speed is 'fast', not integer:int64"),
        ({"operational": 1}, "operational is 1, not boolean"),
        ({"notes": "n" * 256}, "notes is"),
        ({"ipaddr4": "198.51.100.256"}, "ipaddr4 is '198.51.100.256'"),
        ({"updated": "2026-03-01"}, "updated is '2026-03-01', not string:date-time"),
        ({"status": "gone"}, "status is 'gone'"),
        ({"colour": "red"}, "colour is no field"),
    ],
)
def test_a_row_that_does_not_fit_is_told_from_one_that_does(town, change, problem):
    [said] = schema.problems("netixlan", town.rows("netixlan")[0] | change)
    assert said.startswith(problem)


def test_a_row_with_a_wrong_choice_or_without_a_field_does_not_fit(town):
    net = town.rows("net")[0] | {"policy_general": "Sometimes", "info_types": ["Shop"]}
    del net["name"]
    assert [problem.split()[0] for problem in schema.problems("net", net)] == [
        "info_types",
        "name",
        "policy_general",
    ]


def test_children_point_at_rows_that_are_there_but_for_a_few(world):
    dangling = [
        (tag, row["id"])
        for tag in schema.TAGS
        for row in world.rows(tag)
        for name, parent in schema.PARENTS.items()
        if row.get(name) is not None and not world.is_ok(parent, row[name])
    ]
    by_tag = Counter(tag for tag, _ in dangling)
    # The building of a pending campus, and one each of what PeeringDB forgot.
    assert by_tag == ({} if world.size == "hamlet" else {"fac": 1, "netfac": 1, "netixlan": 1, "poc": 1})


def test_no_row_is_newer_than_the_world_and_some_share_a_moment(town):
    moments = [row["updated"] for tag in schema.TAGS for row in town.all_rows(tag)]
    assert max(moments) < stamp(town.now)
    assert max(Counter(moments).values()) > 1


# Worlds


def test_the_same_seed_makes_the_same_world_and_another_seed_another():
    assert everything(World(7, "town")) == everything(World(7, "town"))
    assert everything(World(7, "town")) != everything(World(8, "town"))


def test_every_world_holds_the_demo(world):
    london = world.find("ix", name=demo_network.EXCHANGE)[0]
    lan = world.find("ixlan", ix_id=london["id"])[0]
    assert {str(prefix) for prefix in world.lan(lan["id"]).values()} == {
        demo_network.LAN4,
        demo_network.LAN6,
    }
    assert lan["rs_asn"] == 64509
    ours = [(port["ipaddr4"], port["ipaddr6"]) for port in world.our_ports if port["ix_id"] == london["id"]]
    assert ours == [("198.51.100.1", "2001:db8:100::1"), ("198.51.100.2", "2001:db8:100::2")]
    for member in demo_network.MEMBERS:
        [net] = world.find("net", asn=member.asn)
        assert (net["irr_as_set"], net["info_prefixes4"], net["info_prefixes6"]) == (
            member.as_set,
            *member.limits,
        )
        ports = world.find("netixlan", asn=member.asn, ix_id=london["id"])
        assert [port["ipaddr4"] for port in ports][:1] == (
            [f"198.51.100.{member.host}"] if member.host else []
        )


def test_town_has_every_kind_of_peer_on_one_large_lan(town):
    ports = town.find("netixlan", ixlan_id=town.largest_ixlan_id)
    nets = {net["id"]: net for net in town.rows("net")}
    by_net = Counter(port["net_id"] for port in ports)
    assert len(by_net) >= 130
    assert town.get("ix", town.largest_ix_id)["net_count"] == len(by_net)
    assert by_net[town.our_net_id] == 2
    assert max(count for net, count in by_net.items() if net != town.our_net_id) >= 2
    assert {nets[net]["policy_general"] for net in by_net if net in nets} >= {
        "Open",
        "Selective",
        "Restrictive",
        "No",
        "",
    }
    assert any(not port["operational"] for port in ports)
    assert any(port["ipaddr6"] is None for port in ports)
    assert any(port["ipaddr4"] is None for port in ports)
    assert any(port["bfd_support"] for port in ports)
    assert {port["is_rs_peer"] for port in ports} == {True, False}
    assert any(nets[net]["info_never_via_route_servers"] for net in by_net if net in nets)
    route_servers = town.find("netixlan", asn=town.get("ixlan", town.largest_ixlan_id)["rs_asn"])
    assert len(route_servers) == 2
    second_lans = [lan for lan in town.rows("ixlan") if lan["ix_id"] != lan["id"]]
    assert second_lans
    assert set(second_lans[0].items()) >= {("mtu", 9000)}


def test_town_has_contacts_of_each_visibility_and_facilities_that_networks_share(town):
    assert {contact["visible"] for contact in town.rows("poc")} == {"Public", "Users", "Private"}
    assert max(Counter(row["fac_id"] for row in town.rows("netfac")).values()) > 5


def test_town_has_tombstones_and_a_pending_campus_from_the_start(town):
    assert {tag for tag in schema.TAGS if town.rows(tag, "deleted")} == {"net", "netfac", "netixlan", "poc"}
    assert len(town.rows("campus", "pending")) == 1


def test_ports_lie_in_their_lan_and_no_address_or_prefix_is_given_out_twice(town):
    for lan in town.rows("ixlan"):
        prefixes = town.lan(lan["id"])
        for port in town.find("netixlan", ixlan_id=lan["id"]):
            for family in (4, 6):
                address = port[f"ipaddr{family}"]
                assert address is None or ipaddress.ip_address(address) in prefixes[family]
    assert shared_addresses(town) == []
    prefixes = sorted(
        ipaddress.ip_network(row["prefix"]) for row in town.rows("ixpfx") if row["protocol"] == "IPv4"
    )
    assert not any(one.overlaps(other) for one, other in itertools.pairwise(prefixes))


def test_made_up_numbers_are_private_ones_and_mail_goes_to_example_domains(town):
    told = {demo_network.OUR_ASN, *(member.asn for member in demo_network.MEMBERS)}
    assert all(net["asn"] in told or net["asn"] >= 4200000000 for net in town.all_rows("net"))
    assert all(
        contact["email"] == "" or contact["email"].endswith(".example.net")
        for contact in town.all_rows("poc")
    )


def test_prefixes_are_aligned_and_come_from_the_second_range_when_the_first_is_used_up():
    prefixes = Prefixes()
    assert [str(prefixes.take4(length)) for length in (24, 21, 24)] == [
        "198.18.0.0/24",
        "198.18.8.0/21",
        "198.18.16.0/24",
    ]
    assert str(prefixes.take4(16)) == "198.19.0.0/16"
    assert str(prefixes.take4(24)) == "100.64.0.0/24"
    assert (str(prefixes.take6()), str(prefixes.take6())) == ("2001:db8:1000::/64", "2001:db8:1001::/64")


@pytest.mark.parametrize(("exchanges", "largest", "total"), [(4, 139, 230), (1299, 1499, 61587), (1, 50, 50)])
def test_networks_are_spread_over_few_large_and_many_small_exchanges(exchanges, largest, total):
    counts = member_counts(exchanges, largest, total)
    assert (len(counts), counts[0], sum(counts)) == (exchanges, largest, total)
    assert min(counts) >= 2


# Changing a world


def test_a_copy_goes_its_own_way(town):
    before = everything(town)
    other = town.copy()
    next_day(other)
    other.delete("net", other.our_net_id)
    assert everything(town) == before


def test_a_version_is_shared_with_a_copy_until_a_row_changes(town):
    other = town.copy()
    assert other.version("net") is town.version("net")
    other.change("net", other.our_net_id, name="Example Networks plc")
    assert other.version("net") is not town.version("net")
    assert other.version("poc") is town.version("poc")


def test_a_change_moves_updated_forward(town):
    before = town.get("net", 1)
    after = town.change("net", 1, name="Example Networks plc")
    assert after == before | {"name": "Example Networks plc", "updated": stamp(town.now)}
    assert after["updated"] > before["updated"]


def test_deleting_a_network_leaves_tombstones_of_it_and_all_below(town):
    port, contact = town.our_ports[0], town.find("poc", net_id=1)[0]
    gone = town.delete("net", 1)
    assert gone[0] == ("net", 1)
    assert {tag for tag, _ in gone} == {"net", "netfac", "netixlan", "poc"}
    assert {town.get(*one)["status"] for one in gone} == {"deleted"}
    assert len({town.get(*one)["updated"] for one in gone}) == 1
    assert town.get("netixlan", port["id"])["ipaddr4"] is None
    assert town.get("poc", contact["id"])["email"] == ""
    assert misfits(town) == []


def test_swapped_ports_have_each_others_addresses_in_the_same_second(town):
    first, second = town.find("netixlan", ixlan_id=town.largest_ixlan_id)[5:7]
    swap(town, first["id"], second["id"])
    now_first, now_second = town.get("netixlan", first["id"]), town.get("netixlan", second["id"])
    assert (now_first["ipaddr4"], now_first["ipaddr6"]) == (second["ipaddr4"], second["ipaddr6"])
    assert (now_second["ipaddr4"], now_second["ipaddr6"]) == (first["ipaddr4"], first["ipaddr6"])
    assert now_first["updated"] == now_second["updated"]


def test_a_moved_port_is_at_the_other_exchange(town):
    port = town.find("netixlan", ix_id=2)[7]
    move(town, port["id"], 3, ("198.18.1.200", None))
    now = town.get("netixlan", port["id"])
    assert (now["ix_id"], now["ixlan_id"], now["name"]) == (3, 3, town.get("ix", 3)["name"])
    assert (now["ipaddr4"], now["ipaddr6"]) == ("198.18.1.200", None)


@pytest.mark.parametrize("family", [4, 6])
def test_a_renumbered_lan_keeps_its_hosts(town, family):
    old = town.lan(1)[family]
    lagging = town.find("netixlan", ixlan_id=1, asn=64498)[0]
    changed = renumber(town, 1, family=family, lagging={lagging["id"]})
    new = town.lan(1)[family]
    assert new != old
    assert new.prefixlen == old.prefixlen
    name = f"ipaddr{family}"
    assert [port[name] for port in town.our_ports[:2]] == [str(new[1]), str(new[2])]
    assert town.get("netixlan", lagging["id"]) == lagging
    assert len(changed) == 1 + len(town.find("netixlan", ixlan_id=1)) - 1


# Days


def test_a_day_touches_as_many_rows_as_asked_for_and_dates_them_today(town):
    begun = town.now
    day = next_day(town, changes=120)
    touched = {
        (tag, row["id"]) for tag in schema.TAGS for row in town.all_rows(tag) if row["updated"] > stamp(begun)
    }
    assert day.touched == touched
    assert len(touched) == len(day.created) + len(day.changed) + len(day.deleted) == 120
    assert town.now == begun + DAY_S
    assert all(town.get(*one)["updated"] <= stamp(town.now) for one in touched)
    assert max(Counter(town.get(*one)["updated"] for one in touched).values()) > 1


def test_a_day_creates_changes_deletes_moves_swaps_and_renumbers(town):
    before = everything(town)
    day = next_day(town, changes=150)
    assert day.created
    assert day.deleted
    assert day.swapped
    assert day.moved
    assert day.renumbered
    fields = {
        name
        for tag, pk in day.changed
        for name, value in town.get(tag, pk).items()
        if value != before[tag][pk][name]
    }
    assert fields >= {"operational", "info_prefixes4", "irr_as_set", "ixlan_id", "prefix", "ipaddr4", "speed"}


@pytest.mark.parametrize("seed", range(5))
def test_rows_stay_as_peeringdb_has_them_and_addresses_unshared_day_after_day(seed):
    world = World(seed, "town")
    for _ in range(4):
        next_day(world, changes=150, vanish=3)
        assert misfits(world) == []
        assert shared_addresses(world) == []


def test_the_same_world_has_the_same_days(town):
    other = town.copy()
    assert [next_day(town), next_day(town)] == [next_day(other), next_day(other)]
    assert everything(town) == everything(other)


def test_our_own_rows_are_left_alone_unless_asked_for(world):
    ours = [world.get("net", world.our_net_id), *world.our_ports]
    for _ in range(3):
        next_day(world, changes=150)
    assert [world.get("net", world.our_net_id), *world.our_ports] == ours
    day = next_day(world, renumber=1)
    assert day.renumbered == [1]
    assert world.our_ports != ours[1:]


def test_vanished_rows_leave_no_tombstone(town):
    day = next_day(town, changes=30, vanish=4)
    assert len(day.vanished) == 4
    for tag, pk in day.vanished:
        with pytest.raises(KeyError):
            town.get(tag, pk)


def test_a_small_world_runs_out_of_rows_rather_than_never_ending(pristine):
    world = pristine["hamlet"].copy()
    assert len(next_day(world, changes=100_000).touched) < 100_000

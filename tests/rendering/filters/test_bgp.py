"""Filters of sessions, communities, AS paths and prefix lists."""

from netbox_peering_manager.services.rendering.filters import FILTERS


def test_as_path_regex():
    assert FILTERS["as_path_regex"](64512) == "^64512_"
    assert FILTERS["as_path_regex"]("64512", vendor="junos") == "^64512 "
    assert FILTERS["as_path_regex"](4200000000) == "^4200000000_"


def test_to_community_list():
    call = FILTERS["to_community_list"]
    assert call("64500:1", "PEERS") == "ip community-list standard PEERS permit 64500:1"
    assert call("64500:1", "PEERS", "junos") == "policy-options {\n    community PEERS members 64500:1;\n}"
    assert call("64500:1:2", "P") == "ip large-community-list standard P permit 64500:1:2"
    assert call(["64500:1", "64500:1:2"], "P", "junos") == (
        "policy-options {\n    community P members [ 64500:1 large:64500:1:2 ];\n}"
    )


def test_to_prefix_set_for_cisco():
    assert FILTERS["to_prefix_set"](["192.0.2.0/24", "2001:db8::/32"], "P") == (
        "ip prefix-list P seq 10 permit 192.0.2.0/24\nipv6 prefix-list P seq 20 permit 2001:db8::/32"
    )
    entries = [
        {"prefix": "192.0.2.0/24", "ge": 25, "le": 28},
        {"prefix": "0.0.0.0/0", "ge": None, "le": 24, "sequence": 25, "action": "deny"},
        {"prefix": "198.51.100.0/24"},
    ]
    assert FILTERS["to_prefix_set"](entries, "P") == (
        "ip prefix-list P seq 10 permit 192.0.2.0/24 ge 25 le 28\n"
        "ip prefix-list P seq 25 deny 0.0.0.0/0 le 24\n"
        "ip prefix-list P seq 30 permit 198.51.100.0/24"
    )


def test_to_prefix_set_for_junos():
    call = FILTERS["to_prefix_set"]
    assert call(["192.0.2.0/24"], "P", "junos") == (
        "policy-options {\n    prefix-list P {\n        192.0.2.0/24;\n    }\n}"
    )
    entries = [{"prefix": "192.0.2.0/24", "le": 28}, {"prefix": "2001:db8::/32", "ge": 48}, "198.51.100.0/24"]
    assert call(entries, "P", "junos") == (
        "policy-options {\n    route-filter-list P {\n        192.0.2.0/24 upto /28;\n"
        "        2001:db8::/32 prefix-length-range /48-/128;\n        198.51.100.0/24 exact;\n    }\n}"
    )


def test_communities_are_parted_by_kind():
    values = ["64500:1", {"community": "64500:1:2"}, "64500:1", "no-export", "4227858433"]
    assert FILTERS["standard_communities"](values) == ["64500:1", "65535:65281", "64512:1"]
    assert FILTERS["large_communities"](values) == ["64500:1:2"]
    assert FILTERS["large_communities"]("64500:1, 64500:1:2 64500:1:3") == ["64500:1:2", "64500:1:3"]
    assert FILTERS["is_large"]("64500:1:2") is True
    assert FILTERS["is_large"]("64500:1") is False


def test_max_prefix():
    session = {"ip_version": 6, "ipv4_max_prefixes": 10, "ipv6_max_prefixes": None}
    assert FILTERS["max_prefix"](session) is None
    assert FILTERS["max_prefix"](session, 4) == 10


def test_router_asn():
    sessions = [{"local_asn": 65536}, {"local_asn": None}, {"local_asn": 64500}]
    assert FILTERS["router_asn"](sessions, {"local_asn": 64511, "asns": [64511]}) == 64511
    assert FILTERS["router_asn"](sessions, {"local_asn": None, "asns": [64510, 64511]}) == 64510
    assert FILTERS["router_asn"](sessions, {"local_asn": None, "asns": []}) == 64500
    assert FILTERS["router_asn"](sessions) == 64500
    assert FILTERS["router_asn"]([], None) is None


def test_absent_from_looks_at_the_vrf_too():
    removed = [{"vrf": None, "remote_ip": "192.0.2.1"}, {"vrf": "RED", "remote_ip": "192.0.2.1"}]
    assert FILTERS["absent_from"](removed, [{"vrf": None, "remote_ip": "192.0.2.1"}]) == removed[1:]


def test_absent_from_looks_at_the_interface_of_link_local_addresses():
    present = [{"vrf": None, "remote_ip": "fe80::1", "local_interface": "swp1"}]
    removed = [
        {"vrf": None, "remote_ip": "fe80::1", "local_interface": name} for name in ("swp1", "swp2", None)
    ]
    # Without its interface nobody can tell that it is not the present one.
    assert FILTERS["absent_from"](removed, present, by_interface=True) == removed[1:2]
    assert FILTERS["absent_from"](removed, present) == []


def family(**policies):
    return {
        "afi": "ipv4-unicast",
        "enabled": True,
        **dict.fromkeys(("route_map_in", "route_map_out", "prefix_list_in", "prefix_list_out")),
        **policies,
    }


def test_families_leaves_out_what_the_peer_group_has_and_what_is_disabled():
    own = family(route_map_in={"name": "A"}, route_map_out={"name": "B"})
    session = {
        "peer_group": {"id": 1},
        "address_families": [own, {**family(), "afi": "ipv6-unicast", "enabled": False}],
    }
    groups = [
        {"id": 1, "address_families": [family(route_map_in={"name": "A"})]},
        {"id": 2, "address_families": [own]},
    ]
    [found] = FILTERS["families"](session, groups)
    assert (found["route_map_in"], found["route_map_out"]) == (None, {"name": "B"})
    assert (found["rejects_in"], found["rejects_out"]) == (False, False)
    [found] = FILTERS["families"](session)
    assert found["route_map_in"] == {"name": "A"}


def test_families_says_in_which_direction_a_session_has_no_policy_at_all():
    session = {"peer_group": None, "address_families": [family(prefix_list_out={"name": "P"})]}
    [found] = FILTERS["families"](session)
    assert (found["rejects_in"], found["rejects_out"]) == (True, False)

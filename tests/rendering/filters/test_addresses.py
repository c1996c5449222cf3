"""Filters of numbers, addresses and prefixes."""

from types import SimpleNamespace

import pytest
from jinja2.exceptions import FilterArgumentError

from netbox_peering_manager.services.rendering.filters import FILTERS


@pytest.mark.parametrize(
    ("prefix", "wanted"),
    [
        ("192.0.2.0/24", {"network": "192.0.2.0", "prefix_length": 24, "netmask": "255.255.255.0"}),
        ("192.0.2.7/24", {"network": "192.0.2.0", "prefix_length": 24, "netmask": "255.255.255.0"}),
        ("2001:db8::/32", {"network": "2001:db8::", "prefix_length": 32, "netmask": "ffff:ffff::"}),
    ],
)
def test_ip_network(prefix, wanted):
    assert FILTERS["ip_network"](prefix) == wanted


def test_ip_and_ip_version_take_texts_and_objects():
    address = SimpleNamespace(__str__=lambda self: "x")
    assert FILTERS["ip"]("192.0.2.1/24") == "192.0.2.1"
    assert FILTERS["ip"]("2001:DB8::1") == "2001:db8::1"
    assert FILTERS["ip_version"]("2001:db8::/32") == 6
    assert FILTERS["ip_version"]("192.0.2.1") == 4
    with pytest.raises(FilterArgumentError):
        FILTERS["ip"](address)


def test_wildcard():
    assert FILTERS["wildcard"]("192.0.2.0/23") == "0.0.1.255"


@pytest.mark.parametrize(
    "value", ["00:00:5E:00:53:0A", "0000.5e00.530a", "00-00-5e-00-53-0a", "00005e00530A"]
)
def test_mac(value):
    assert FILTERS["mac"](value) == "00:00:5e:00:53:0a"
    assert FILTERS["mac"](value, "dash") == "00-00-5e-00-53-0a"
    assert FILTERS["mac"](value, style="cisco") == "0000.5e00.530a"
    assert FILTERS["mac"](value, "bare") == "00005e00530a"


def test_integer():
    assert FILTERS["integer"](" 42 ") == 42
    assert FILTERS["integer"](2**32 - 1) == 2**32 - 1


@pytest.mark.parametrize(
    ("ge", "le", "wanted"),
    [
        (None, None, (16, 16, True, None, None)),
        (None, 24, (16, 24, False, None, 24)),
        (None, 32, (16, 32, False, None, 32)),
        (20, None, (20, 32, False, 20, None)),
        (20, 24, (20, 24, False, 20, 24)),
        (20, 32, (20, 32, False, 20, None)),
        (24, 24, (24, 24, False, 24, 24)),
        (32, None, (32, 32, False, 32, None)),
        (16, 24, (16, 24, False, None, 24)),
        (8, 16, (16, 16, True, None, None)),
    ],
)
def test_prefix_range(ge, le, wanted):
    found = FILTERS["prefix_range"]({"prefix": "198.51.0.0/16", "ge": ge, "le": le})
    assert (found["min"], found["max"], found["exact"], found["ge"], found["le"]) == wanted


def test_prefix_range_of_ipv6_goes_to_128():
    assert FILTERS["prefix_range"]({"prefix": "2001:db8::/32", "ge": 48})["max"] == 128
    assert FILTERS["junos_range"]({"prefix": "2001:db8::/32", "ge": 48}) == "prefix-length-range /48-/128"

"""What PeeringDB suggests for a PeerASN: what is there and fits, and nothing else."""

import pytest

from netbox_peering_manager.models import PeeringDBNet
from netbox_peering_manager.services.suggestions import suggested


def net(**fields):
    values = {"name": "Example", "irr_as_set": "AS-EXAMPLE", "info_prefixes4": 500, "info_prefixes6": 100}
    return PeeringDBNet(**{**values, **fields})


def test_everything_that_is_told_is_suggested():
    assert suggested(net()) == {
        "name": "Example",
        "irr_as_set": "AS-EXAMPLE",
        "ipv4_max_prefixes": 500,
        "ipv6_max_prefixes": 100,
    }


@pytest.mark.parametrize(
    ("fields", "left_out"),
    [
        ({"name": "  "}, "name"),
        ({"irr_as_set": ""}, "irr_as_set"),
        ({"irr_as_set": "none yet"}, "irr_as_set"),
        ({"irr_as_set": "AS-A " * 60}, "irr_as_set"),
        ({"info_prefixes4": None}, "ipv4_max_prefixes"),
        ({"info_prefixes4": 0}, "ipv4_max_prefixes"),
        ({"info_prefixes4": -1}, "ipv4_max_prefixes"),
        ({"info_prefixes6": 2**31}, "ipv6_max_prefixes"),
    ],
)
def test_what_is_not_told_or_does_not_fit_is_left_out(fields, left_out):
    assert set(suggested(net())) - set(suggested(net(**fields))) == {left_out}


def test_several_as_sets_in_the_styles_of_peeringdb_are_kept():
    text = "RIPE::AS64500:AS-CONE, AS-OTHER AS64496"
    assert suggested(net(irr_as_set=f" {text} "))["irr_as_set"] == text

"""
What PeeringDB suggests for a PeerASN: one rule for everyone who takes it over, be it a sync or a peer that is made.

PeeringDB's prefix counts are "recommended maximum" values, entered by people; 0 and nothing both say that there is no
recommendation (many networks without IPv6 leave a 0), never that no prefix is to be accepted.
"""

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError

from ..models import PeerASN

if TYPE_CHECKING:
    from ..models import PeeringDBNet

# The largest value of PeerASN's limits (PositiveIntegerField).
MOST_PREFIXES = 2**31 - 1


def suggested(net: "PeeringDBNet") -> dict[str, Any]:
    """
    Return what `net` (anything with the fields of a mirrored net) says of a PeerASN, by the PeerASN's fields.

    Only what is there and what a PeerASN can hold: nothing is ever suggested to be emptied, and an AS-SET that is
    none is left out.
    """
    values: dict[str, Any] = {}
    if name := net.name.strip():
        values["name"] = name[:255]
    as_set = net.irr_as_set.strip()
    if as_set and is_as_set(as_set):
        values["irr_as_set"] = as_set
    for family in (4, 6):
        if (limit := prefix_limit(net, family)) is not None:
            values[f"ipv{family}_max_prefixes"] = limit
    return values


def prefix_limit(net: "PeeringDBNet", family: int) -> int | None:
    """Return how many prefixes of family 4 or 6 `net` says to accept at most; None when it does not say."""
    told = net.info_prefixes4 if family == 4 else net.info_prefixes6
    return told if told is not None and 0 < told <= MOST_PREFIXES else None


def is_as_set(text: str) -> bool:
    """Whether a PeerASN can have this AS-SET (or these, split by blanks or commas)."""
    try:
        PeerASN._meta.get_field("irr_as_set").clean(text, None)
    except ValidationError:
        return False
    return True
